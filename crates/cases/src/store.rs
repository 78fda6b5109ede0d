//! All SQL of this crate: cases here, drafts and papers beside it, the desk's lists in `desk`. Never
//! decides anything: a verb has changed the case before it is saved.

pub(crate) mod contacts;
mod designs;
mod drafts;
pub(crate) mod inbox;
mod intakes;
mod migrations;
mod papers;
mod past;
mod payments;
mod recounts;
mod statuses;
pub(crate) mod steps;
mod submissions;
mod tries;
mod versions;

use std::future::Future;

use ::store::{Reader, Row, Tx, Value, params};
use kernel::fact::Channel;
use kernel::{CaseCode, Date, Kind, Problem, Tenant, Time};
use serde::{Deserialize, Serialize};

use crate::case::{Accepted, Case, Course, Decided, EnteredAct, Proposal};
use crate::clock::WorkingOut;
pub(crate) use designs::{begins_on, design, designs, insert_design, is_withdrawn, published, save_design};
pub use drafts::{
    draft, draft_filed_as, drafts_of, insert_draft, mark_filed, open_drafts, pass_draft, save_draft,
};
pub use intakes::{insert_intake, intake};
pub(crate) use migrations::{cases_of_version, change_version, insert_plan, move_plan, plan, plans};
pub use papers::{attach, paper, papers, papers_forget, papers_move};
pub(crate) use past::{Past, given, load};
pub use payments::{
    charge_of, close_charges, insert_payment, is_unpaid, keep_order, last_payment, note_paid, note_return,
    open_orders, payment, payment_of,
};
pub use recounts::{counted_by, note_calendar};
pub(crate) use statuses::changes;
pub use statuses::{
    GivenKind, ResultRow, StatusRow, forget_notice, insert_result, insert_status, last_status, results,
    statuses,
};
pub use submissions::{
    SubmissionRow, insert_submission, last_submission, note_outcome, submission, submissions,
};
pub use tries::{forget_tries, save_tries, tries};
pub(crate) use versions::{insert_version, versions};

/// What can be read from: a write in progress or a read outside any.
pub trait Rows: Sync {
    /// Whose rows.
    fn tenant(&self) -> &Tenant;
    /// The first row of a query.
    fn one(
        &self,
        sql: &'static str,
        params: Vec<Value>,
    ) -> impl Future<Output = Result<Option<Row>, Problem>> + Send;
    /// All rows of a query.
    fn all(
        &self,
        sql: &'static str,
        params: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Row>, Problem>> + Send;
}

macro_rules! rows {
    ($($from:ty),*) => {$(
        impl Rows for $from {
            fn tenant(&self) -> &Tenant {
                <$from>::tenant(self)
            }
            async fn one(&self, sql: &'static str, params: Vec<Value>) -> Result<Option<Row>, Problem> {
                <$from>::one(self, sql, params).await
            }
            async fn all(&self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>, Problem> {
                <$from>::all(self, sql, params).await
            }
        }
    )*};
}

rows!(Tx, Reader);

/// A case's parts that no query looks into.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Details {
    accepted: Option<Accepted>,
    proposal: Option<Proposal>,
    act: Option<EnteredAct>,
    decided: Option<Decided>,
    returned_at: Option<Time>,
    #[serde(skip_serializing_if = "Course::is_empty")]
    course: Course,
    /// At the portal: when the owner took the case over.
    handed_over_at: Option<Time>,
    /// At the portal: how the owner counted the due date.
    working_out: Option<WorkingOut>,
}

/// A case and what its row says besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The case.
    pub case: Case,
    /// Its national status, 1 to 10. At the portal this, not the case's state, is kept up to date.
    pub status: u8,
    /// By when its result is owed.
    pub due_at: Option<Time>,
    /// When it was decided.
    pub ended_at: Option<Time>,
    /// At the portal: when the owner took it over.
    pub handed_over_at: Option<Time>,
    /// How the due date was counted.
    pub working_out: Option<WorkingOut>,
}

impl Held {
    /// The day whose lists name its unit: today while it runs, else the day on which it ended.
    #[must_use]
    pub fn day(&self, now: Time) -> Date {
        self.ended_at.unwrap_or(now).date()
    }
}

/// The subject of a case's facts, and the holder of its papers.
#[must_use]
pub fn subject(code: &CaseCode) -> String {
    format!("case/{code}")
}

/// Writes a new case with its status.
///
/// # Errors
/// Conflict `already-there`.
pub async fn insert_case(tx: &Tx, case: &Case, status: u8) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_cases (tenant, code, procedure, version, unit, channel, applicant, account, answers, state,
             status, revision, filed_at, due_at, ended_at, details)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        params![
            tx.tenant(), &case.code, &case.procedure, case.version, &case.unit, channel_text(case.channel),
            json(&case.applicant)?, &case.applicant.account, json(&case.answers)?, &case.state, status, case.revision,
            case.filed_at, case.accepted.as_ref().map(|a| a.due), case.decided.as_ref().map(|d| d.at),
            json(&Details::of(case))?
        ],
    )
    .await?;
    insert_name(tx, case).await
}

/// Lets a case be found by its applicant's name.
async fn insert_name(tx: &Tx, case: &Case) -> Result<(), Problem> {
    let name = kernel::text::fold(&case.applicant.name);
    tx.exec(
        "insert into cases_names (tenant, code, given, name, filed_at, unit) values ($1, $2, $3, $4, $5, $6)",
        params![
            tx.tenant(),
            &case.code,
            past::given(&name),
            &name,
            case.filed_at,
            &case.unit
        ],
    )
    .await?;
    Ok(())
}

/// Saves a changed case; its revision is one more than the row's.
///
/// # Errors
/// `stale` (409) when somebody else has changed it meanwhile.
pub async fn save_case(tx: &Tx, case: &Case, status: u8) -> Result<(), Problem> {
    let changed = tx
        .exec(
            "update cases_cases set state = $3, status = $4, revision = $5, due_at = $6, ended_at = $7, details = $8,
                 answers = $10, rating = $11
             where tenant = $1 and code = $2 and revision = $9",
            params![
                tx.tenant(), &case.code, &case.state, status, case.revision, case.accepted.as_ref().map(|a| a.due),
                ended_at(case), json(&Details::of(case))?, case.revision - 1, json(&case.answers)?,
                case.course.rating.as_ref().map(|r| i64::from(r.score))
            ],
        )
        .await?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Problem::stale())
    }
}

/// When a case ended: decided, not taken in, taken back, or stopped.
fn ended_at(case: &Case) -> Option<Time> {
    let decided = case.decided.as_ref().map(|d| d.at);
    let declined = case.course.declined.as_ref().map(|d| d.at);
    decided
        .or(declined)
        .or(case.course.withdrawn.as_ref().map(|w| w.at))
        .or(case.course.stopped.as_ref().map(|s| s.at))
}

/// A case by its code.
///
/// # Errors
/// Unavailable; Internal for a row that cannot be read.
pub async fn case(rows: &impl Rows, code: &CaseCode) -> Result<Option<Held>, Problem> {
    rows.one(
        "select code, procedure, version, unit, channel, applicant, answers, state, status, revision, filed_at, due_at,
             ended_at, details from cases_cases where tenant = $1 and code = $2",
        params![rows.tenant(), code],
    )
    .await?
    .map(|row| held(&row))
    .transpose()
}

/// A page of an account's cases, newest first, after a case already shown.
///
/// # Errors
/// As [`case`].
pub async fn cases_of(
    rows: &impl Rows,
    account: &str,
    after: Option<(Time, CaseCode)>,
    limit: usize,
) -> Result<Vec<Held>, Problem> {
    let (at, code) = after.map_or((i64::MAX, String::new()), |(at, code)| {
        (at.ms(), code.to_string())
    });
    let rows = rows
        .all(
            "select code, procedure, version, unit, channel, applicant, answers, state, status, revision, filed_at, due_at,
                 ended_at, details from cases_cases
             where tenant = $1 and account = $2 and (filed_at < $3 or (filed_at = $3 and code < $4))
             order by filed_at desc, code desc limit $5",
            params![rows.tenant(), account, at, code, limit],
        )
        .await?;
    rows.iter().map(held).collect()
}

/// Notes at the portal that the owner took the case over.
///
/// # Errors
/// As [`case`].
pub async fn note_handed_over(tx: &Tx, code: &CaseCode, at: Time) -> Result<(), Problem> {
    change_details(tx, code, |details| details.handed_over_at = Some(at)).await
}

/// Notes at the portal what the owner says about a case.
///
/// # Errors
/// As [`case`].
pub async fn note_status(
    tx: &Tx,
    code: &CaseCode,
    row: &StatusRow,
    ended: bool,
    working_out: Option<&WorkingOut>,
) -> Result<(), Problem> {
    if let Some(working_out) = working_out {
        change_details(tx, code, |details| {
            details.working_out = Some(working_out.clone());
        })
        .await?;
    }
    tx.exec(
        "update cases_cases set status = $3, due_at = coalesce($4, due_at), ended_at = coalesce(ended_at, $5),
             revision = revision + 1 where tenant = $1 and code = $2",
        params![tx.tenant(), code, row.status, row.due, ended.then_some(row.at)],
    )
    .await?;
    insert_status(tx, code, row).await
}

async fn change_details(
    tx: &Tx,
    code: &CaseCode,
    change: impl Fn(&mut Details) + Send,
) -> Result<(), Problem> {
    let row = tx
        .one(
            "select details from cases_cases where tenant = $1 and code = $2",
            params![tx.tenant(), code],
        )
        .await?;
    let mut details: Details = row.ok_or_else(Problem::not_found)?.json("details")?;
    change(&mut details);
    tx.exec(
        "update cases_cases set details = $3 where tenant = $1 and code = $2",
        params![tx.tenant(), code, json(&details)?],
    )
    .await?;
    Ok(())
}

impl Details {
    fn of(case: &Case) -> Self {
        Self {
            accepted: case.accepted.clone(),
            proposal: case.proposal.clone(),
            act: case.act.clone(),
            decided: case.decided.clone(),
            returned_at: case.returned_at,
            course: case.course.clone(),
            ..Self::default()
        }
    }
}

/// A case from a row with the columns of [`case`]; for the desk's lists too.
///
/// # Errors
/// Internal for a row that cannot be read.
pub fn held(row: &Row) -> Result<Held, Problem> {
    let details: Details = row.json("details")?;
    let case = Case {
        code: row.parse("code")?,
        procedure: row.parse("procedure")?,
        version: row.digest("version")?,
        unit: row.parse("unit")?,
        channel: channel(&row.text("channel")?)?,
        applicant: row.json("applicant")?,
        answers: row.json("answers")?,
        state: row.text("state")?,
        revision: row.int("revision")?,
        filed_at: row.time("filed_at")?,
        accepted: details.accepted,
        proposal: details.proposal,
        act: details.act,
        decided: details.decided,
        returned_at: details.returned_at,
        course: details.course,
    };
    let counted = case.accepted.as_ref().map(|a| a.working_out.clone());
    Ok(Held {
        status: number(row, "status")?,
        due_at: row.opt_int("due_at")?.map(Time),
        ended_at: row.opt_int("ended_at")?.map(Time),
        handed_over_at: details.handed_over_at,
        working_out: details.working_out.or(counted),
        case,
    })
}

/// A small number of a row.
pub(crate) fn number<T: TryFrom<i64>>(row: &Row, column: &str) -> Result<T, Problem> {
    T::try_from(row.int(column)?)
        .map_err(|_| Problem::internal(format_args!("bad row: {column} is out of range")))
}

fn json<T: Serialize>(value: &T) -> Result<String, Problem> {
    kernel::digest::canonical_json(value).map_err(Problem::internal)
}

/// The channel's own word, as facts write it.
#[must_use]
pub const fn channel_text(channel: Channel) -> &'static str {
    match channel {
        Channel::Counter => "counter",
        Channel::Online => "online",
        Channel::Post => "post",
    }
}

fn channel(text: &str) -> Result<Channel, Problem> {
    match text {
        "counter" => Ok(Channel::Counter),
        "online" => Ok(Channel::Online),
        "post" => Ok(Channel::Post),
        _ => Err(Problem::new(Kind::Internal, "internal").because("bad row: cases_cases.channel")),
    }
}
