//! The parts of a case's pages that say how the result is sent: at the portal with the way to change it, at the desk with
//! what can be done about it now. Never a form that would be refused.

use ::store::Reader;
use askama::Template;
use kernel::Problem;
use kernel::time::parse_iso;
use serde::Serialize;
use web::openapi::ToSchema;
use web::{Fields, Page};

use super::{ByPost, Outcome, cases as chosen, wish};
use crate::case::Case;
use crate::citizen::render;
use crate::desk::page::now::Now;
use crate::notice::Notice;
use crate::procedure::Verb;
use crate::state::Cases;
use crate::store::{Held, StatusRow};

#[derive(Template)]
#[template(path = "case_post.html")]
struct PortalPart<'a> {
    page: &'a Page,
    code: String,
    /// Where it goes, in words; empty for the ordinary way.
    to: String,
    /// What the post takes, in words.
    takes: String,
    /// True while it can be chosen.
    open: bool,
    /// That it was handed over, and what became of it.
    told: Vec<String>,
}

/// The part at the portal; empty where the result neither goes by post nor could.
///
/// # Errors
/// Unavailable.
pub(crate) async fn at_portal(
    cases: &Cases,
    page: &Page,
    reader: &Reader,
    held: &Held,
    statuses: &[StatusRow],
) -> Result<String, Problem> {
    let procedure = cases.procedure_of(&held.case)?;
    let wished = chosen::wished(reader, held).await?;
    let open = chosen::is_open(cases, held, &procedure);
    let told: Vec<String> = statuses.iter().filter_map(|row| told(page, row)).collect();
    if wished.is_none() && !open && told.is_empty() {
        return Ok(String::new());
    }
    let rate = wished.as_ref().and_then(|wish| {
        cases
            .post_rate(&held.case.unit, &wish.address, cases.today())
            .ok()
    });
    render(&PortalPart {
        page,
        code: held.case.code.to_string(),
        to: wished
            .map(|wish| wish::in_words(cases, &wish))
            .unwrap_or_default(),
        takes: rate.map(|rate| wish::takes(page, rate)).unwrap_or_default(),
        open,
        told,
    })
}

/// What an owner said of the parcel, in words.
fn told(page: &Page, row: &StatusRow) -> Option<String> {
    match row.notice.as_ref()? {
        Notice::Posted { parcel, days } => {
            let args = [
                ("parcel", parcel.clone()),
                ("time", page.time(row.at)),
                ("days", days.to_string()),
            ];
            Some(page.tw("post-posted", &args))
        }
        Notice::ParcelEnded { parcel, outcome, on } => {
            let outcome = Outcome::of(outcome)?;
            let args = [("parcel", parcel.clone()), ("day", day(page, on))];
            Some(page.tw(&format!("post-parcel-{}", outcome.word()), &args))
        }
        _ => None,
    }
}

fn day(page: &Page, text: &str) -> String {
    parse_iso(text).map_or_else(|| text.to_owned(), |day| page.date(day))
}

#[derive(Template)]
#[template(path = "desk_case_post.html")]
struct DeskPart<'a> {
    page: &'a Page,
    faults: &'a [Problem],
    case: &'a Case,
    to: String,
    phone: &'a str,
    takes: String,
    /// True for who can hand it over now.
    ready: bool,
    /// The number as typed.
    typed: String,
    /// That it was handed over and what became of it.
    stands: Vec<String>,
    /// What can be heard of it now: its word and its name.
    outcomes: Vec<(&'static str, String)>,
    /// The outcome and the day as typed.
    outcome: String,
    on: String,
}

/// The part at the desk; empty where the result does not go by post.
///
/// # Errors
/// Internal when it cannot be put together.
pub(crate) fn at_desk(
    cases: &Cases,
    page: &Page,
    now: Now<'_>,
    (faults, fields): (&[Problem], Option<&Fields>),
) -> Result<String, Problem> {
    let Some(by_post) = &now.case.course.post else {
        return Ok(String::new());
    };
    let typed = |name: &str| fields.and_then(|f| f.text(name)).unwrap_or_default().to_owned();
    let hands_over = now.who.has(super::DESK);
    let next = by_post.parcel.iter().flat_map(|parcel| parcel.fate.next());
    let outcomes = next.filter(|_| hands_over && now.case.not_own(now.who.subject.as_ref()).is_ok());
    render(&DeskPart {
        page,
        faults,
        case: now.case,
        to: wish::in_words(cases, &by_post.to),
        phone: &by_post.to.phone,
        takes: wish::takes(page, by_post.rate()),
        ready: hands_over && now.verbs().contains(&Verb::Return),
        typed: typed("parcel"),
        stands: stands(page, by_post),
        outcomes: outcomes
            .map(|outcome| {
                (
                    outcome.word(),
                    page.t(&format!("desk-post-outcome-{}", outcome.word())),
                )
            })
            .collect(),
        outcome: typed("outcome"),
        on: typed("on"),
    })
}

/// How a parcel stands, in words.
fn stands(page: &Page, by_post: &ByPost) -> Vec<String> {
    let Some(parcel) = &by_post.parcel else {
        return Vec::new();
    };
    let args = [
        ("parcel", parcel.number.clone()),
        ("time", page.time(parcel.at)),
        ("name", parcel.by_name.clone()),
    ];
    let handed = page.tw("desk-post-handed", &args);
    let fate = parcel.fate.on().map(|on| {
        let args = [("parcel", parcel.number.clone()), ("day", day(page, on))];
        page.tw(&format!("post-parcel-{}", parcel.fate.word()), &args)
    });
    std::iter::once(handed).chain(fate).collect()
}

impl DeskPart<'_> {
    fn fault(&self, field: &str) -> String {
        self.page.field_error(self.faults, field)
    }

    fn has_fault(&self, field: &str) -> bool {
        self.faults.iter().any(|p| p.field.as_deref() == Some(field))
    }
}

/// A result by post as its desk sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PostView {
    /// Where to, in words.
    address: String,
    /// A telephone number for who brings it.
    phone: Option<String>,
    /// What the post takes from who gets it, in dong.
    dong: u64,
    /// Working days that the post needs behind the handing over.
    days: u32,
    /// The parcel's number.
    parcel: Option<String>,
    /// When it was handed over, RFC 3339.
    handed_over_at: Option<String>,
    /// `on-its-way`, `delivered`, `came-back`, `given`.
    fate: Option<String>,
    /// The day of that, `2026-11-25`.
    on: Option<String>,
}

impl PostView {
    /// What is said of a result by post.
    pub(crate) fn new(cases: &Cases, by_post: &ByPost) -> Self {
        let parcel = by_post.parcel.as_ref();
        Self {
            address: wish::in_words(cases, &by_post.to),
            phone: Some(by_post.to.phone.clone()).filter(|phone| !phone.is_empty()),
            dong: by_post.dong,
            days: by_post.days,
            parcel: parcel.map(|parcel| parcel.number.clone()),
            handed_over_at: parcel.map(|parcel| parcel.at.rfc3339()),
            fate: parcel.map(|parcel| parcel.fate.word().to_owned()),
            on: parcel.and_then(|parcel| parcel.fate.on()).map(str::to_owned),
        }
    }
}
