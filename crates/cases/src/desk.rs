//! The owner's half of a case: receive, accept, propose, enter the act, send back, sign, give. One
//! file a verb; never the portal's rows.
//!
//! | read | for |
//! |---|---|
//! | [`intake`] | a case handed in at the desk itself, on paper or by post |
//! | [`receive`] | the service that takes cases over from a portal |
//! | [`official`] | who may see and touch a case |
//! | [`step`] | one verb on one case, saved with its status line |
//! | [`accept`], [`decline`], [`ask_supplement`], [`propose`], [`send_back`], [`decide`], [`seal`], [`apologise`], [`stop`], [`give`] | the verbs |
//! | [`consult`] | other units are asked for an opinion |
//! | [`charge`] | what becomes known to be owed while a case is handled |
//! | [`escalation`] | what is late is told to who is above |
//! | [`mod@line`] | who does not answer, and what waits for them |
//! | [`checks`] | what was typed at the desk is compared with registers |
//! | [`assign`] | whose desk a case lies on, and handing over |
//! | [`forward`] | a case that came to the wrong unit goes on |
//! | [`batch`] | several cases signed or given to a colleague at once |
//! | [`submissions`] | the service that takes what applicants send: [`supplement`], [`draft_check`], [`withdraw`], [`rate`] |
//! | [`originals`] | the papers that were kept go back |
//! | [`queue`] | numbers at a desk, without names |
//! | [`register`] | what came in on a day, for page, binder and table |
//! | [`fee_receipt`] | the money receipt |
//! | [`follow_up`] | what other agencies do once the result is there |
//! | [`act`] | enters acts in registers and takes them back |
//! | [`result_draft`] | the draft that applicants look at before, and the end of its term |
//! | [`recount`] | due dates after a holiday that is announced late |
//! | [`receipt`], [`slip`], [`result`] | what the papers say |
//! | [`worklist`], [`find`], [`page`], [`papers`], [`view`], [`shape`] | what officials see |

pub mod accept;
pub mod act;
pub mod apologise;
pub mod ask_supplement;
pub mod assign;
pub mod batch;
pub mod charge;
pub mod checks;
mod clock;
pub mod consult;
pub mod decide;
pub mod decline;
pub mod draft;
pub mod draft_check;
pub mod escalation;
pub mod fee_receipt;
pub mod find;
pub mod follow_up;
pub mod forward;
pub mod give;
pub mod intake;
#[cfg(test)]
mod licence;
pub mod line;
pub mod official;
pub mod originals;
pub mod page;
pub mod papers;
pub mod propose;
pub mod queue;
pub mod rate;
pub mod receipt;
pub mod receive;
pub mod recount;
pub mod register;
pub mod result;
pub mod result_draft;
pub mod seal;
pub mod send_back;
pub mod shape;
pub mod slip;
pub mod step;
pub mod steps;
pub mod stop;
mod store;
pub mod submissions;
pub mod supplement;
#[cfg(test)]
pub(crate) mod testing;
pub mod view;
pub mod withdraw;
pub mod worklist;

use std::sync::Arc;

pub(crate) use clock::events as clock_events;

use ::store::Deliver;
use web::openapi::{OpenApiRouter, routes};

use crate::state::Cases;
use crate::sync::Sync;

/// The desk's routes.
pub(crate) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(worklist::list))
        .routes(routes!(worklist::list_json))
        .routes(routes!(page::show))
        .routes(routes!(page::show_json))
        .routes(routes!(papers::paper))
        .routes(routes!(draft::draft))
        .routes(routes!(receipt::receipt))
        .routes(routes!(accept::by_form))
        .routes(routes!(accept::by_json))
        .routes(routes!(decline::by_form))
        .routes(routes!(decline::by_json))
        .routes(routes!(ask_supplement::by_form))
        .routes(routes!(ask_supplement::by_json))
        .routes(routes!(propose::by_form))
        .routes(routes!(propose::by_json))
        .routes(routes!(send_back::by_form))
        .routes(routes!(send_back::by_json))
        .routes(routes!(decide::by_form))
        .routes(routes!(decide::by_json))
        .routes(routes!(draft_check::by_form))
        .routes(routes!(draft_check::by_json))
        .routes(routes!(seal::by_form))
        .routes(routes!(seal::by_json))
        .routes(routes!(apologise::by_form))
        .routes(routes!(apologise::by_json))
        .routes(routes!(give::by_form))
        .routes(routes!(give::by_json))
        .merge(assign::routes())
        .merge(forward::routes())
        .merge(crate::published::desk_routes())
        .merge(crate::post::desk_routes())
        .merge(batch::routes())
        .merge(register::routes())
        .merge(queue::routes())
        .merge(worklist::filters::routes())
        .routes(routes!(page::sheet::sheet))
        .routes(routes!(stop::by_form))
        .routes(routes!(stop::by_json))
        .routes(routes!(originals::by_form))
        .routes(routes!(originals::by_json))
        .merge(intake::routes())
        .merge(consult::routes())
        .merge(charge::routes())
        .merge(follow_up::again::routes())
        .merge(escalation::routes())
        .merge(line::routes())
        .merge(checks::routes())
        .merge(crate::reconcile::routes())
        .routes(routes!(crate::merger::page::show))
        .routes(routes!(crate::merger::page::show_json))
        .routes(routes!(crate::merger::assign::by_form))
        .routes(routes!(crate::merger::assign::by_json))
}

/// What the desk offers on the exchange.
pub(crate) fn services(cases: &Cases) -> Vec<Arc<dyn exchange::Service>> {
    vec![
        Arc::new(receive::ReceiveCase(cases.clone())),
        Arc::new(submissions::TakeSubmission(cases.clone())),
    ]
}

/// What the desk does with lines of the outbox.
pub(crate) fn deliverers(cases: &Cases) -> Vec<Arc<dyn Deliver>> {
    vec![
        Arc::new(act::Acts(cases.clone())),
        Arc::new(result_draft::Silences(cases.clone())),
        Arc::new(decide::Signing(cases.clone())),
        Arc::new(seal::Seals(cases.clone())),
        Arc::new(fee_receipt::FeeReceipts(cases.clone())),
        Arc::new(follow_up::FollowUps(cases.clone())),
        Arc::new(steps::Steps(cases.clone())),
        Arc::new(checks::Checks(cases.clone())),
        Arc::new(Sync(cases.clone())),
        Arc::new(crate::reconcile::mend::Mends(cases.clone())),
    ]
}
