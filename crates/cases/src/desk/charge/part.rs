//! The part of a case's page that says what was asked for and paid while it was handled, and from which that is done; and the
//! same for programs. Never a form that would be refused.

use askama::Template;
use kernel::{CaseCode, Problem, Time};
use serde::Serialize;
use web::openapi::ToSchema;
use web::{Fields, Page};

use crate::citizen::render;
use crate::course::Charge;
use crate::desk::page::now::Now;
use crate::payment::dong;
use crate::procedure::{Procedure, Verb};
use crate::shown::say;

/// What an applicant was asked to pay while the case was handled.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChargeView {
    /// Its number within the case, from 1.
    number: u32,
    /// Its kind's code in the procedure.
    charge: String,
    /// The amount in dong.
    dong: u64,
    /// How it comes about.
    ground: String,
    /// When it was asked for, RFC 3339.
    at: String,
    /// By when it is to be paid, RFC 3339.
    until: String,
    /// The notice's document id.
    notice: String,
    /// True where the agency's time runs on until it is paid.
    counts: bool,
    /// When it was paid, RFC 3339; null while it is not.
    paid_at: Option<String>,
    /// When it was awaited no longer, RFC 3339; null while it is.
    ended_at: Option<String>,
}

impl From<&Charge> for ChargeView {
    fn from(charge: &Charge) -> Self {
        Self {
            number: charge.number,
            charge: charge.code.clone(),
            dong: charge.dong,
            ground: charge.ground.clone(),
            at: charge.at.rfc3339(),
            until: charge.until.rfc3339(),
            notice: charge.notice.clone(),
            counts: charge.counts,
            paid_at: charge.paid.as_ref().map(|paid| paid.at.rfc3339()),
            ended_at: charge.ended_at.map(Time::rfc3339),
        }
    }
}

#[derive(Template)]
#[template(path = "desk_charge.html")]
struct Part<'a> {
    page: &'a Page,
    faults: &'a [Problem],
    code: &'a CaseCode,
    revision: i64,
    charges: Vec<Shown>,
    /// What can be asked for, where something can: code and name, and whether it is the one that was chosen.
    ask: Option<Vec<(&'a str, String, bool)>>,
    /// True when money can be taken here now.
    take: bool,
    /// What was typed.
    dong: String,
    ground: String,
    receipt: String,
}

/// A charge as the page shows it.
struct Shown {
    name: String,
    amount: String,
    ground: String,
    /// What became of it so far.
    stands: String,
    /// True when it was not paid in time and is awaited.
    over: bool,
    notice: String,
}

impl Shown {
    fn new(page: &Page, procedure: &Procedure, charge: &Charge, now: Time) -> Self {
        let over = charge.ended_at.is_none() && now > charge.until;
        let until = page.time(charge.until);
        let stands = match (&charge.paid, charge.ended_at) {
            (Some(paid), _) => {
                let args = [
                    ("time", page.time(paid.at)),
                    ("number", paid.bank_reference.clone()),
                ];
                page.tw("desk-charge-paid", &args)
            }
            (None, Some(at)) => page.tw("desk-charge-ended", &[("time", page.time(at))]),
            (None, None) if over => page.tw("desk-charge-over", &[("until", until)]),
            (None, None) if charge.counts => page.tw("desk-charge-waits-counts", &[("until", until)]),
            (None, None) => page.tw("desk-charge-waits", &[("until", until)]),
        };
        let kind = procedure.charge(&charge.code);
        Self {
            name: kind
                .map_or(charge.code.as_str(), |kind| say(&kind.name, page.lang))
                .to_owned(),
            amount: dong(charge.dong),
            ground: charge.ground.clone(),
            stands,
            over,
            notice: charge.notice.clone(),
        }
    }
}

/// The part; empty when nothing was asked for and nothing of it can be done now.
///
/// # Errors
/// Internal when it cannot be put together.
pub(crate) fn section(
    page: &Page,
    now: Now<'_>,
    (faults, fields): (&[Problem], Option<&Fields>),
) -> Result<String, Problem> {
    let Now { case, procedure, .. } = now;
    let typed = |name: &str| fields.and_then(|f| f.lines(name)).unwrap_or_default();
    let verbs = now.verbs();
    let chosen = typed("charge");
    let kinds = procedure.charges.iter().map(|kind| {
        let name = say(&kind.name, page.lang);
        let args = [("name", name.to_owned()), ("most", dong(kind.most))];
        let label = page.tw("desk-charge-kind", &args);
        (kind.code.as_str(), label, kind.code == chosen)
    });
    let ask: Option<Vec<_>> = verbs.contains(&Verb::AskPayment).then(|| kinds.collect());
    let take = verbs.contains(&Verb::Pay);
    if case.course.charges.is_empty() && ask.is_none() && !take {
        return Ok(String::new());
    }
    let charges = case.course.charges.iter();
    render(&Part {
        page,
        faults,
        code: &case.code,
        revision: case.revision,
        charges: charges
            .map(|charge| Shown::new(page, procedure, charge, now.at))
            .collect(),
        ask,
        take,
        dong: typed("dong"),
        ground: typed("ground"),
        receipt: typed("receipt"),
    })
}

impl Part<'_> {
    fn fault(&self, field: &str) -> String {
        self.page.field_error(self.faults, field)
    }

    fn has_fault(&self, field: &str) -> bool {
        self.faults.iter().any(|p| p.field.as_deref() == Some(field))
    }
}
