//! `POST …/try` and its twin: the way to a service tried step by step, and the step that fails in words.

use axum::extract::Path;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use web::probe::{Broken, Tried};
use web::{Page, Refusal};

use super::super::Acting;
use super::Named;
use super::one::{self, Beside};
use crate::standing::{Way, WayFault, WayStep, works};

/// A step of the way to a service.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceStep {
    /// `name`, `connect`, `tls` or `answer`; of a whole way `system`, `own-node`, `agreement`, `delegation`,
    /// `directory`, those four with `node-` before them, `other-node`, `other-agreement`, `offer`, `inside`,
    /// and the four with `service-` before them.
    pub(crate) hop: &'static str,
    /// What the step is, in the reader's language.
    pub(crate) what: String,
    /// How long it took, in milliseconds.
    pub(crate) ms: i64,
    /// Why it failed: `no-name`, `refused`, `no-way`, `silent`, `untrusted`, `other-name`, `expired`,
    /// `no-tls`, `no-answer`, `status` for an answer that says the service is broken; of a whole way also
    /// what a call would be refused with, such as `agreement-suspended`; none when it did not.
    pub(crate) fault: Option<&'static str>,
    /// The same in the reader's language, with what to do.
    pub(crate) why: Option<String>,
}

/// What came of trying a service.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceTried {
    /// True when it answered with a status below 500, or 501 for a method that it does not know.
    pub(crate) good: bool,
    /// The HTTP status of its answer.
    pub(crate) status: Option<u16>,
    /// The steps up to the first that failed.
    pub(crate) steps: Vec<ServiceStep>,
}

impl ServiceTried {
    pub(crate) fn of(page: &Page, tried: &Tried) -> Self {
        let step = |step: &web::probe::Step| ServiceStep {
            hop: step.hop.as_str(),
            what: page.t(&format!("exchange-hop-{}", step.hop.as_str())),
            ms: step.ms,
            fault: step.broken.map(Broken::as_str),
            why: step
                .broken
                .map(|broken| page.t(&format!("exchange-broken-{}", broken.as_str()))),
        };
        Self {
            good: tried.status.is_some_and(works),
            status: tried.status,
            steps: tried.steps.iter().map(step).collect(),
        }
        .blaming_the_answer(page)
    }

    /// An answer that says the service is broken is the step that failed, though the way to it is open.
    fn blaming_the_answer(mut self, page: &Page) -> Self {
        if let (Some(status), Some(last)) = (
            self.status.filter(|status| !works(*status)),
            self.steps.last_mut(),
        ) {
            last.fault = Some("status");
            last.why = Some(page.tw("exchange-broken-status", &[("status", status.to_string())]));
        }
        self
    }

    /// The same of a whole way from a system to a service.
    pub(crate) fn of_way(page: &Page, way: &Way) -> Self {
        let why = |fault: &WayFault| match fault {
            WayFault::Broken(broken) => page.t(&format!("exchange-broken-{}", broken.as_str())),
            WayFault::Refused(problem) => {
                let what = page.tw(&format!("problem-{}", problem.code), &problem.args);
                format!("{what} {}", page.problem_text(problem))
            }
        };
        let step = |step: &WayStep| ServiceStep {
            hop: step.hop.as_str(),
            what: page.t(&format!("exchange-hop-{}", step.hop.as_str())),
            ms: step.ms,
            fault: step.fault.as_ref().map(WayFault::code),
            why: step.fault.as_ref().map(why),
        };
        Self {
            good: way.is_good(),
            status: way.status,
            steps: way.steps.iter().map(step).collect(),
        }
        .blaming_the_answer(page)
    }
}

/// Tries the way to a service: its name, TCP, TLS, an answer to HEAD or GET at its address.
#[utoipa::path(post, path = "/api/v1/exchange/services/{org}/{system}/{code}/try", tag = "exchange",
    operation_id = "try_service",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-changes-nothing" = json!(true))),
    responses((status = 200, body = ServiceTried), (status = 404)))]
pub(crate) async fn by_json(
    Acting(x, _): Acting,
    page: Page,
    Path(named): Path<Named>,
) -> Result<axum::Json<ServiceTried>, Refusal> {
    let tried = x.try_service(&super::id_of(&named)?).await?;
    Ok(axum::Json(ServiceTried::of(&page, &tried)))
}

/// The same on the page of the service.
#[utoipa::path(post, path = "/exchange/services/{org}/{system}/{code}/try", tag = "exchange",
    operation_id = "try_service_by_form",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-changes-nothing" = json!(true))),
    responses((status = 200, description = "the page with what came of it", content_type = "text/html"),
              (status = 404)))]
pub(crate) async fn by_form(
    Acting(x, _): Acting,
    page: Page,
    Path(named): Path<Named>,
) -> Result<Response, Refusal> {
    let id = super::id_of(&named)?;
    let tried = x.try_service(&id).await?;
    let beside = Beside {
        tried: Some(ServiceTried::of(&page, &tried)),
        ..Beside::default()
    };
    one::again(&x, &page, &id, beside).await
}
