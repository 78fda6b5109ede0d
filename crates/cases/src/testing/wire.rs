//! Calls from other systems, as the exchange brings them to both test places. Never in a release build.

use std::sync::Arc;

use bytes::Bytes;
use exchange::{Agreement, Call, ServiceId, SystemId};
use kernel::Time;
use serde_json::Value;

/// A call of a service about a case.
pub(crate) fn call(consumer: &str, service: &ServiceId, case: &str, body: &Value, at: Time) -> Call {
    let consumer: SystemId = consumer.parse().expect("a system");
    Call {
        agreement: Arc::new(agreement(&consumer, service)),
        consumer,
        request: "1".repeat(32),
        on_behalf: "citizen:lan".to_owned(),
        issue: Some(case.to_owned()),
        idempotency: Some(case.to_owned()),
        rest: exchange::Rest::default(),
        body: Bytes::from(body.to_string()),
        at,
    }
}

/// An agreement that is always in force.
fn agreement(consumer: &SystemId, service: &ServiceId) -> Agreement {
    let text = String::new;
    Agreement {
        id: "01/TT-H56-G22".to_owned(),
        provider: service.org.clone(),
        consumer: consumer.clone(),
        service: service.clone(),
        fields: Vec::new(),
        endpoints: Vec::new(),
        purpose: text(),
        legal_basis: text(),
        place: text(),
        valid_from: Time(0),
        valid_to: Time(i64::MAX),
        sharing_method: text(),
        handling: text(),
        conditions: text(),
        rate_per_minute: 600,
        quota: exchange::Quota::default(),
        commitments: text(),
        protection: text(),
        storage: text(),
        deletion: text(),
        other: text(),
        bodies: None,
        retention_days: None,
        sub_processing: None,
        group: None,
    }
}
