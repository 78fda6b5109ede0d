//! `POST /exchange/standing/try` and its twin: the way to another node, the hub, a timestamp authority or, all
//! of it, to a service, tried step by step; the step that fails is named. Never a message.

use axum::response::{IntoResponse, Response};
use kernel::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Fields, Json, Page, Refusal};

use super::services::ServiceTried;
use super::{Acting, standing};
use crate::gateway::Exchange;
use crate::standing::{Target, TriedOut, WholeWay};

/// To whom the way is tried.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WayAsked {
    /// `node/ID`, `hub`, `authority/N` by its place in the directory, or `service/ID` for the whole way of a
    /// call: `service/G01/population/person-lookup`.
    pub(super) target: String,
    /// To a service: from which system of this node; from one with an agreement when left out.
    #[serde(default)]
    pub(super) consumer: String,
    /// To a service: in whose name, when not in the caller's own (`X-Road-Represented-Party`): `H56`.
    #[serde(default)]
    pub(super) represented: String,
}

/// What came of trying a way.
#[derive(Serialize, ToSchema)]
pub(crate) struct WayTried {
    /// To whom.
    target: String,
    /// The steps up to the first that failed.
    pub(super) way: ServiceTried,
    /// How far the other node's clock is ahead of ours, in milliseconds.
    pub(super) ahead_ms: Option<i64>,
    /// By how much that may be wrong, in milliseconds.
    pub(super) within_ms: Option<i64>,
    /// Of a timestamp authority: true when it gave a token that holds.
    pub(super) stamped: Option<bool>,
    /// How long that took, in milliseconds.
    pub(super) stamp_ms: Option<i64>,
}

impl WayTried {
    fn of(page: &Page, target: String, out: &TriedOut) -> Self {
        Self {
            target,
            way: ServiceTried::of(page, &out.tried),
            ahead_ms: out.clock.map(|clock| clock.ahead_ms),
            within_ms: out.clock.map(|clock| clock.within_ms),
            stamped: out.stamp.map(|stamp| stamp.is_ok()),
            stamp_ms: out.stamp.and_then(Result::ok),
        }
    }
}

/// Whose way is tried.
enum To {
    Somebody(Target),
    Service(WholeWay),
}

impl WayAsked {
    fn of(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).unwrap_or_default().trim().to_owned();
        Self {
            target: text("target"),
            consumer: text("consumer"),
            represented: text("represented"),
        }
    }

    /// To whom, or what is wrong with it.
    fn to(&self) -> Result<To, Problem> {
        let unknown = || Problem::invalid("target", "way-unknown");
        let target = self.target.trim();
        let Some(service) = target.strip_prefix("service/") else {
            return Target::parse(target).map(To::Somebody).ok_or_else(unknown);
        };
        let said = |text: &'_ str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let consumer = said(&self.consumer).map(|text| text.parse()).transpose();
        let party = said(&self.represented).map(|text| text.parse()).transpose();
        Ok(To::Service(WholeWay {
            service: service.parse().map_err(|_| unknown())?,
            consumer: consumer.map_err(|_| Problem::invalid("consumer", "system-id"))?,
            represented: party.map_err(|_| Problem::invalid("represented", "organisation-code"))?,
        }))
    }
}

impl Exchange {
    async fn tried(&self, page: &Page, asked: &WayAsked) -> Result<WayTried, Problem> {
        Ok(match asked.to()? {
            To::Somebody(target) => WayTried::of(page, target.key(), &self.try_way(&target).await?),
            To::Service(whole) => WayTried {
                target: format!("service/{}", whole.service),
                way: ServiceTried::of_way(page, &self.try_whole(&whole).await?),
                ahead_ms: None,
                within_ms: None,
                stamped: None,
                stamp_ms: None,
            },
        })
    }
}

/// Tries the way to another node, the hub or a timestamp authority; or the whole way of a call to a service:
/// calling system, this node, agreement, delegation, the other node, and what that says of the service.
#[utoipa::path(post, path = "/api/v1/exchange/standing/try", tag = "exchange", operation_id = "try_way",
    request_body = WayAsked, security(("session" = ["operator"])),
    extensions(("x-changes-nothing" = json!(true))),
    responses((status = 200, body = WayTried), (status = 403, description = "a calling system of somebody else"),
              (status = 404), (status = 422)))]
pub(crate) async fn by_json(
    Acting(x, _): Acting,
    page: Page,
    Json(asked): Json<WayAsked>,
) -> Result<axum::Json<WayTried>, Refusal> {
    Ok(axum::Json(x.tried(&page, &asked).await?))
}

/// The same on the page *Standing*.
#[utoipa::path(post, path = "/exchange/standing/try", tag = "exchange", operation_id = "try_way_by_form",
    security(("session" = ["operator"])), extensions(("x-changes-nothing" = json!(true))),
    responses((status = 200, description = "the page with what came of it", content_type = "text/html"),
              (status = 403), (status = 404), (status = 422)))]
pub(crate) async fn by_form(Acting(x, who): Acting, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let asked = WayAsked::of(&fields);
    let tried = x.tried(&page, &asked).await?;
    let own = x.seen_by(&who);
    let seen = x.standing(own.as_ref()).await?;
    let name = standing::way_words(&page, &tried.target);
    let shown = standing::rendered(&page, (&seen, own.is_none()), Some((name, tried)), &asked)?;
    Ok(shown.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_way_is_asked_about_by_service_system_and_party() {
        let asked = |target: &str, consumer: &str, represented: &str| {
            let asked = WayAsked {
                target: target.to_owned(),
                consumer: consumer.to_owned(),
                represented: represented.to_owned(),
            };
            asked.to().map_err(|problem| problem.field.unwrap_or_default())
        };
        let lookup = "service/G01/population/person-lookup";
        let Ok(To::Service(whole)) = asked(lookup, " G22/portal ", "") else {
            panic!("a whole way");
        };
        assert_eq!(whole.consumer.expect("a system").to_string(), "G22/portal");
        assert!(whole.represented.is_none());
        assert!(matches!(asked("hub", "", ""), Ok(To::Somebody(Target::Hub))));
        for (target, consumer, party, field) in [
            ("service/G01", "", "", "target"),
            (lookup, "portal", "", "consumer"),
            (lookup, "", "nobody here", "represented"),
            ("moon", "", "", "target"),
        ] {
            assert_eq!(
                asked(target, consumer, party).err().as_deref(),
                Some(field),
                "{target}"
            );
        }
    }
}
