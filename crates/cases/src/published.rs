//! Answers that everybody can read (trả lời được đăng công khai): what was asked and what was said to it, in words
//! that name nobody, under a number that does not name the case. Nothing is published by itself: an official confirms
//! the words. What is taken down leaves its number, when and why.
//!
//! | read | for |
//! |---|---|
//! | `publish`, `unpublish` | the desk's verbs |
//! | `part` | their part of a case's page |
//! | `read` | the public pages, at the desk's place and at the portal |
//! | `noted` | the portal hears of it from the case's owner |
//! | `heard` | the portal hears of answers of other systems, by the national message |
//! | `personal` | what may not stand in public words |

mod heard;
mod noted;
mod part;
mod personal;
mod publish;
mod read;
mod store;
mod unpublish;

#[cfg(test)]
mod tests;

use ::store::Tx;
use kernel::fact::Outcome;
use kernel::{CaseCode, Kind, OrgCode, Problem, Time};
use obligations::Obligation;
use web::openapi::{OpenApiRouter, routes};

pub(crate) use self::heard::{TAKEN, TAKEN_DOWN, heard};
pub(crate) use self::noted::noted;
pub(crate) use self::part::section;
pub(crate) use self::personal::names_somebody;
pub(crate) use self::store::published;
use crate::case::Case;
use crate::desk::view::is_decided;
use crate::notice::Notice;
use crate::procedure::{Procedure, Publish, Text};
use crate::state::Cases;
use crate::store::{self as rows, StatusRow};

/// Digits of a number behind the organisation's code, count.
const DIGITS: usize = 10;
/// Length of a number, in characters.
const NUMBER_CHARS_MAX: usize = 64;

/// An answer that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Published {
    /// Its number: the organisation's code and ten digits that say nothing.
    pub(crate) number: String,
    /// The case; never told. None for an answer of another system.
    pub(crate) code: Option<CaseCode>,
    /// The organisation whose system told of it; none for an answer to a case of this platform.
    pub(crate) heard_from: Option<OrgCode>,
    /// The unit that is told as having answered.
    pub(crate) unit: OrgCode,
    /// What it is about, where that was said.
    pub(crate) about: Option<Text>,
    /// What was asked; empty once it was taken down.
    pub(crate) asked: String,
    /// What was answered; empty once it was taken down.
    pub(crate) answer: String,
    /// When it was answered.
    pub(crate) answered_at: Time,
    /// When it was published.
    pub(crate) published_at: Time,
    /// When it was taken down, and why.
    pub(crate) withdrawn: Option<(Time, String)>,
}

/// The routes of both places.
pub(crate) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(read::list))
        .routes(routes!(read::list_json))
        .routes(routes!(read::show))
        .routes(routes!(read::show_json))
}

/// The routes of the desk.
pub(crate) fn desk_routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(publish::by_form))
        .routes(routes!(publish::by_json))
        .routes(routes!(unpublish::by_form))
        .routes(routes!(unpublish::by_json))
}

/// What the procedure says of publishing the answer to a case, when there is one to publish: it was given, and it is
/// no refusal.
///
/// # Errors
/// 409 `case-publish-never`, `case-publish-early`.
pub(crate) fn publishable<'p>(case: &Case, procedure: &'p Procedure) -> Result<&'p Publish, Problem> {
    let never = Problem::new(Kind::Conflict, "case-publish-never");
    let publish = procedure.publish.as_ref().ok_or(never)?;
    let decided = case.decided.as_ref().filter(|_| is_decided(case, procedure));
    match decided.map(|decided| decided.outcome) {
        Some(Outcome::Granted) => Ok(publish),
        _ => Err(Problem::new(Kind::Conflict, "case-publish-early")),
    }
}

impl Cases {
    /// The answer to a case that was just decided has to be published within its term, where the procedure says so.
    ///
    /// # Errors
    /// Those of the obligation.
    pub(crate) async fn owe_publication(
        &self,
        tx: &Tx,
        case: &Case,
        procedure: &Procedure,
    ) -> Result<(), Problem> {
        let Ok(publish) = publishable(case, procedure) else {
            return Ok(());
        };
        let calendar = self.calendars.of(&case.unit);
        let owed = Obligation {
            id: obligation(&case.code),
            kind: "case-publish".to_owned(),
            debtor: case.unit.clone(),
            about: case.code.to_string(),
            due: calendar.days_after(tx.now(), publish.days).end,
        };
        obligations::open(tx, &owed).await
    }

    /// The number of a case's answer: the same whenever it is asked, and nobody else can work it out.
    fn public_number(&self, code: &CaseCode) -> String {
        let digest = self.store.digest(&self.tenant, &format!("published/{code}"));
        let digits: String = digest.hex().chars().take(DIGITS).collect();
        format!("{}-{digits}", self.tenant)
    }
}

/// True for a number that begins with an organisation's code and can stand in an address.
pub(crate) fn is_number_of(number: &str, owner: &OrgCode) -> bool {
    let own = number
        .strip_prefix(owner.top().as_str())
        .is_some_and(|rest| rest.starts_with('-'));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    own && number.len() <= NUMBER_CHARS_MAX && number.chars().all(plain)
}

/// Takes the words of a case's answer from what was told before: those that are published no longer stay nowhere. What
/// had not gone out yet then goes without them.
///
/// # Errors
/// Unavailable; Internal for a row that cannot be read.
async fn forget_words(tx: &Tx, code: &CaseCode, before: u32) -> Result<(), Problem> {
    for row in rows::statuses(tx, code).await? {
        if row.seq < before && matches!(row.notice, Some(Notice::AnswerPublished { .. })) {
            rows::forget_notice(tx, code, row.seq).await?;
        }
    }
    Ok(())
}

/// The obligation to publish the answer to a case.
fn obligation(code: &CaseCode) -> String {
    format!("publish/{code}")
}

/// Tells the portal, in the order of what it hears of the case.
async fn tell(tx: &Tx, case: &Case, procedure: &Procedure, notice: Notice) -> Result<(), Problem> {
    let row = StatusRow {
        seq: rows::last_status(tx, &case.code).await? + 1,
        status: case.status(procedure),
        at: tx.now(),
        due: case.owed_by(),
        notice: Some(notice),
    };
    rows::insert_status(tx, &case.code, &row).await?;
    crate::sync::enqueue(tx, &case.code, row.seq).await
}
