//! One call as X-Road's operational monitoring writes it (pr-opmon, Annex B). Pure. Left out, because it is
//! not known here: the internal address, a service's version, sizes of MIME parts and counts of attachments. Left out, because it names a person: the user
//! (`messageUserId`), and every path that is not an agreement's template.

use serde::Serialize;
use utoipa::ToSchema;

use crate::envelope::{CONSUMER, Evidence, Kept};
use crate::ids::CLASS;
use crate::index::Indexed;
use crate::message::RequestHead;

/// One call at one gateway; times in milliseconds since 1970 but for the first.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OperationalRecord {
    /// When the call began, in seconds since 1970: by it records are asked for.
    pub(crate) monitoring_data_ts: i64,
    /// `Client` at the gateway of who asked, `Producer` at the other.
    pub(crate) security_server_type: &'static str,
    pub(crate) request_in_ts: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_out_ts: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response_in_ts: Option<i64>,
    pub(crate) response_out_ts: i64,
    #[serde(rename = "clientXRoadInstance")]
    pub(crate) client_x_road_instance: String,
    pub(crate) client_member_class: &'static str,
    pub(crate) client_member_code: String,
    pub(crate) client_subsystem_code: String,
    #[serde(rename = "serviceXRoadInstance")]
    pub(crate) service_x_road_instance: String,
    pub(crate) service_member_class: &'static str,
    pub(crate) service_member_code: String,
    pub(crate) service_subsystem_code: String,
    pub(crate) service_code: String,
    /// `REST`, `OPENAPI3` or `WSDL` where the service is offered here; left out where only the other node knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service_type: Option<&'static str>,
    pub(crate) rest_method: String,
    /// The agreement's template; nothing for a path that no template names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rest_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) represented_party_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) represented_party_code: Option<String>,
    pub(crate) message_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_issue: Option<String>,
    pub(crate) message_protocol_version: &'static str,
    pub(crate) x_request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_security_server_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service_security_server_address: Option<String>,
    /// Head and body, in bytes.
    pub(crate) request_size: u64,
    /// Head and body, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response_size: Option<u64>,
    /// False when a gateway refused or answered in its service's place.
    pub(crate) succeeded: bool,
    /// The problem's key here, not X-Road's code: it says more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault_code: Option<String>,
    /// The same in words, English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault_string: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status_code: Option<u16>,
    /// The release of this node.
    pub(crate) x_road_version: &'static str,
}

/// What a record does not say of itself.
pub(super) struct Around {
    /// Method and template, as [`crate::evidence`] tells them.
    pub(super) endpoint: String,
    /// Where the two gateways are.
    pub(super) client_address: Option<String>,
    pub(super) service_address: Option<String>,
    /// The fault in words.
    pub(super) fault: Option<String>,
    /// What kind of service it is, when that is known here.
    pub(super) service_type: Option<&'static str>,
}

impl OperationalRecord {
    pub(super) fn of(row: &Indexed, record: &Evidence, head: &RequestHead, around: Around) -> Self {
        let is_client = record.side == CONSUMER;
        let answer = record.answer.as_ref();
        let answered_at = answer.map(|kept| kept.sealed.signing_time);
        let (method, path) = around.endpoint.split_once(' ').unwrap_or((&around.endpoint, "/"));
        let represented = head.rest.represented.as_deref();
        let (class, code) = match represented.map(|party| party.split_once('/').ok_or(party)) {
            None => (None, None),
            Some(Ok((class, code))) => (Some(class.to_owned()), Some(code.to_owned())),
            Some(Err(code)) => (None, Some(code.to_owned())),
        };
        Self {
            monitoring_data_ts: record.began.div_euclid(1_000),
            security_server_type: if is_client { "Client" } else { "Producer" },
            request_in_ts: record.began,
            // An earlier release kept neither time: there a request left when it was sealed, and a provider's
            // gateway took the time when its service had answered, before it sealed.
            request_out_ts: record
                .forwarded
                .or_else(|| is_client.then_some(record.request.sealed.signing_time)),
            response_in_ts: record
                .returned
                .or_else(|| answered_at.filter(|_| !is_client).map(|_| record.ended)),
            response_out_ts: answered_at.filter(|_| !is_client).unwrap_or(record.ended),
            client_x_road_instance: head.consumer.org.instance().to_owned(),
            client_member_class: CLASS,
            client_member_code: head.consumer.org.within().to_owned(),
            client_subsystem_code: head.consumer.system.clone(),
            service_x_road_instance: head.service.org.instance().to_owned(),
            service_member_class: CLASS,
            service_member_code: head.service.org.within().to_owned(),
            service_subsystem_code: head.service.system.clone(),
            service_code: head.service.service.clone(),
            service_type: around.service_type,
            rest_method: method.to_owned(),
            rest_path: (path != "/…").then(|| path.to_owned()),
            represented_party_class: class,
            represented_party_code: code,
            message_id: head.rest.id.clone().unwrap_or_else(|| head.request.clone()),
            message_issue: head.issue.clone(),
            message_protocol_version: "1",
            x_request_id: head.request.clone(),
            client_security_server_address: around.client_address,
            service_security_server_address: around.service_address,
            request_size: size(&record.request),
            response_size: answer.map(size),
            succeeded: row.fault.is_empty(),
            fault_code: Some(row.fault.clone()).filter(|fault| !fault.is_empty()),
            fault_string: around.fault,
            status_code: Some(row.status).filter(|status| *status != 0),
            x_road_version: concat!("sen-", env!("CARGO_PKG_VERSION")),
        }
    }
}

/// Head and body of a message, in bytes.
fn size(kept: &Kept) -> u64 {
    kept.head.len() as u64 + kept.size
}
