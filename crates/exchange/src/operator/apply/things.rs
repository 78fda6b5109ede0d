//! What is to be done about a client's certificate, how one connects and a request for an agreement, and doing
//! it: by the functions of the pages; and what of a service is declared otherwise. Never a removal.

use kernel::{Digest, Problem};
use web::Principal;

use super::super::clients::ClientCertificateText;
use super::super::connections::ClientConnection;
use super::super::draft::AgreementText;
use super::super::first;
use super::super::services::ServiceText;
use super::groups::differing;
use super::{DeclaredDifference, Meant};
use crate::face::Connection;
use crate::gateway::Exchange;
use crate::ids::ServiceId;
use crate::life::Known;
use crate::offered::Setup;

impl Exchange {
    pub(super) async fn client_meant(&self, text: &ClientCertificateText) -> (String, Meant) {
        let system = text.system.trim();
        let meant = async {
            let id = system
                .parse()
                .map_err(|_| Problem::invalid("system", "system-id"))?;
            let one = crate::callers::read(&id, &text.certificate, self.0.now())?;
            let there = self.client_certificates().await?;
            let is_there = there
                .iter()
                .any(|c| c.system == id && c.thumbprint == one.thumbprint);
            Ok((one.thumbprint, if is_there { "keep" } else { "register" }))
        };
        match meant.await {
            Ok((thumbprint, does)) => {
                let print: Digest = thumbprint;
                (format!("{system} {}", print.hex()), Ok((does, Vec::new())))
            }
            Err(problem) => (system.to_owned(), Err(problem)),
        }
    }

    pub(super) fn connection_meant(&self, text: &ClientConnection) -> Meant {
        let (system, connection) = text.read()?;
        let now = self.0.callers.connection_of(&system);
        if now == connection {
            return Ok(("keep", Vec::new()));
        }
        self.may_set_connection(&system, connection)?;
        let now = now.map_or("node", Connection::as_str).to_owned();
        Ok((
            "change",
            differing([("connection", now, text.connection.clone())]),
        ))
    }

    /// A request is there when anything bears its number between the two: also when it was refused or has
    /// ended, for a file must not ask again each time it is applied.
    pub(super) fn request_meant(&self, text: &AgreementText, known: &[Known]) -> Meant {
        let draft = text.agreement(self.0.now()).map_err(first)?;
        let same = |known: &&Known| {
            let there = &known.text;
            there.id == draft.id && there.consumer == draft.consumer && there.service == draft.service
        };
        Ok(match known.iter().find(same) {
            Some(_) => ("keep", Vec::new()),
            None => ("ask", Vec::new()),
        })
    }

    pub(super) async fn do_request(&self, text: &AgreementText, who: &Principal) -> Result<(), Problem> {
        let draft = text.agreement(self.0.now()).map_err(first)?;
        self.request_agreement(draft, &who.actor).await.map(drop)
    }
}

/// What is declared otherwise than it is.
pub(super) fn of_service(id: &ServiceId, setup: &Setup, then: &ServiceText) -> Vec<DeclaredDifference> {
    let now = ServiceText::of(id, setup);
    let others = now.other_ways();
    let list = |endpoints: &[String]| endpoints.join(", ");
    let mut pairs = vec![
        ("url", now.url, then.url.clone()),
        (
            "timeout_ms",
            now.timeout_ms.to_string(),
            then.timeout_ms.to_string(),
        ),
        ("openapi", now.openapi, then.openapi.clone()),
        ("wsdl", now.wsdl, then.wsdl.clone()),
        ("roots", now.roots.trim().to_owned(), then.roots.trim().to_owned()),
        (
            "shows_node",
            now.shows_node.to_string(),
            then.shows_node.to_string(),
        ),
        (
            "publishes_for",
            now.publishes_for.clone().unwrap_or_default(),
            then.publishes_for.clone().unwrap_or_default(),
        ),
        ("weight", now.weight.to_string(), then.weight.to_string()),
        ("others", others, then.other_ways()),
        ("health", now.health.clone(), then.health.clone()),
        (
            "health_every_s",
            now.health_every_s.to_string(),
            then.health_every_s.to_string(),
        ),
    ];
    // Left out, it stays as it is.
    if !then.wsdl_document.is_empty() {
        let digest = |text: &str| Digest::of(text.as_bytes()).hex();
        pairs.push((
            "wsdl_document",
            digest(&now.wsdl_document),
            digest(&then.wsdl_document),
        ));
    }
    // Left out beside a document, they are read from it.
    let described = !then.openapi.is_empty() || !then.wsdl.is_empty() || !then.wsdl_document.is_empty();
    if !then.endpoints.is_empty() || !described {
        pairs.push(("endpoints", list(&now.endpoints), list(&then.endpoints)));
    }
    differing(pairs)
}
