//! The part of a case's page that says what happened besides the straight line and what its applicant can do
//! now: what is asked for, what was sent and what became of it, the way back, the rating. Never does any of it.

use askama::Template;
use kernel::calendar::Line;
use kernel::time::parse_iso;
use kernel::{Problem, Time};
use web::Page;

use crate::citizen::view::line_reason;
use crate::citizen::{charge, render};
use crate::criteria::Criterion;
use crate::notice::Notice;
use crate::procedure::Paper;
use crate::shown::{self, say};
use crate::state::Cases;
use crate::store::{GivenKind, Held, ResultRow, StatusRow, SubmissionRow};
use crate::submission::{Said, is_said};

/// The statuses in which an applicant may ask for the case back; the owner has the last word.
pub(crate) const OPEN: [u8; 5] = [1, 2, 4, 5, 6];
/// The statuses that end a case.
pub(crate) const ENDED: [u8; 5] = [3, 7, 8, 9, 10];
/// The statuses in which the agency waits for the applicant and the clock stands still.
pub(crate) const PAUSED: [u8; 2] = [5, 6];
/// The status of a case whose supplement is awaited.
pub(crate) const SUPPLEMENT: u8 = 5;

#[derive(Template)]
#[template(path = "case_course.html")]
struct CoursePage<'a> {
    page: &'a Page,
    code: String,
    asked: Option<Asked<'a>>,
    /// What is to be paid, or was to be paid last.
    charge: Option<Charged<'a>>,
    /// Why the case was not taken in, or what was asked for is refused.
    why: Option<(&'static str, &'a str)>,
    /// What other agencies do once the result is there.
    follow_ups: String,
    /// The number under which everybody can read the answer.
    published: Option<&'a str>,
    /// That a date will be missed: why, and by when the result is owed now.
    apology: Option<(&'a str, String)>,
    /// That the date was counted anew by another calendar.
    recounted: Option<Recounted>,
    slips: Vec<&'a ResultRow>,
    sent: Vec<Sent>,
    spent: Option<String>,
    paused: bool,
    can_withdraw: bool,
    can_rate: bool,
    /// What may be rated besides, each as the applicant likes.
    criteria: Vec<Asking<'a>>,
    rated: Option<u8>,
    /// The points given, by criterion.
    points: Vec<(String, String)>,
}

/// A criterion that is asked, in the reader's language.
struct Asking<'a> {
    number: u8,
    name: &'a str,
    /// Points and answer.
    answers: Vec<(u8, &'a str)>,
}

/// A date that was counted anew.
struct Recounted {
    was: String,
    due: String,
    /// The days that count otherwise now, each with why.
    days: Vec<String>,
}

/// What is asked for.
struct Asked<'a> {
    items: &'a [String],
    reason: &'a str,
    until: String,
    over: bool,
    /// True when it can be given now.
    open: bool,
}

/// What the agency asked to be paid.
struct Charged<'a> {
    name: &'a str,
    amount: String,
    ground: &'a str,
    legal_basis: &'a str,
    until: String,
    /// True when the day is over by which it was to be paid.
    over: bool,
    /// True when it can be paid now.
    open: bool,
}

/// Something the applicant sent.
struct Sent {
    at: String,
    iso: String,
    what: String,
    became: String,
    class: &'static str,
}

/// A day that counts otherwise now, and why.
fn day_of(page: &Page, line: &Line) -> String {
    let day = parse_iso(&line.date).map_or_else(|| line.date.clone(), |day| page.date(day));
    match line_reason(page, &line.reason) {
        reason if reason.is_empty() => format!("{day}: {}", page.t("cases-line-worked")),
        reason => format!("{day}: {reason}"),
    }
}

/// What was asked for with the newest status, and until when.
pub(crate) fn supplement(held: &Held, statuses: &[StatusRow]) -> Option<(Vec<String>, String, Time)> {
    if held.status != SUPPLEMENT {
        return None;
    }
    statuses.iter().rev().find_map(|row| match &row.notice {
        Some(Notice::Supplement { items, reason, until }) => Some((items.clone(), reason.clone(), *until)),
        _ => None,
    })
}

/// The part of the page.
///
/// # Errors
/// Internal when it cannot be put together.
pub(crate) fn body(
    cases: &Cases,
    page: &Page,
    held: &Held,
    statuses: &[StatusRow],
    results: &[ResultRow],
    sent: &[SubmissionRow],
    unpaid: bool,
) -> Result<String, Problem> {
    let now = cases.store.world().now();
    let ended = ENDED.contains(&held.status);
    let asked = statuses.iter().rev().find_map(|row| match &row.notice {
        Some(Notice::Supplement { items, reason, until }) if held.status == SUPPLEMENT => Some(Asked {
            items,
            reason,
            until: page.time(*until),
            over: now > *until,
            open: now <= *until && !is_said(sent, "supplement") && !is_said(sent, "withdrawal"),
        }),
        _ => None,
    });
    let back = is_said(sent, "withdrawal");
    let charge = charge::told(statuses, None).filter(|_| held.status == charge::PAYMENT);
    let counts = charge.as_ref().is_some_and(|told| told.counts);
    let charge = charge.map(|told| Charged {
        name: say(told.name, page.lang),
        amount: crate::payment::dong(told.dong),
        ground: told.ground,
        legal_basis: told.legal_basis,
        until: page.time(told.until),
        over: now > told.until,
        open: !back && !is_paid(sent, told.number),
    });
    let why = statuses.iter().rev().find_map(|row| match &row.notice {
        Some(Notice::Declined { reason }) => Some(("cases-declined-why", reason.as_str())),
        Some(Notice::Refused { reason }) => Some(("cases-refused-why", reason.as_str())),
        Some(Notice::Stopped { reason }) => Some(("cases-stopped-why", reason.as_str())),
        _ => None,
    });
    let rated = sent.iter().find_map(|row| match &row.said {
        Said::Rating { score, criteria, .. } => Some((*score, criteria, row.at.date())),
        _ => None,
    });
    let can_rate = ended && rated.is_none();
    let accepted = statuses.iter().find(|row| row.status == 2);
    render(&CoursePage {
        page,
        code: held.case.code.to_string(),
        asked,
        charge,
        why,
        follow_ups: follow_ups(cases, page, held, statuses)?,
        published: published(statuses),
        apology: statuses.iter().rev().find_map(|row| match &row.notice {
            Some(Notice::Apology { reason, due }) => Some((reason.as_str(), page.time(*due))),
            _ => None,
        }),
        recounted: statuses.iter().rev().find_map(|row| match &row.notice {
            // What a supplement or a letter has moved since is told by them.
            Some(Notice::Recounted { was, due, days }) if !ended && held.due_at == Some(*due) => {
                Some(Recounted {
                    was: page.time(*was),
                    due: page.time(*due),
                    days: days.iter().map(|line| day_of(page, line)).collect(),
                })
            }
            _ => None,
        }),
        slips: results.iter().filter(|r| r.kind == GivenKind::Slip).collect(),
        sent: sent.iter().map(|row| told(page, row)).collect(),
        spent: accepted.map(|_| hours(page, cases.spent(held, statuses, now))),
        paused: PAUSED.contains(&held.status) && !counts,
        can_withdraw: OPEN.contains(&held.status) && !unpaid && !is_said(sent, "withdrawal"),
        can_rate,
        criteria: asking(cases, page, can_rate),
        rated: rated.map(|(score, ..)| score),
        points: rated.map_or_else(Vec::new, |(_, points, on)| shown::rated(cases, page, points, on)),
    })
}

/// True when the payment of a charge is on its way to the owner, or was taken there.
fn is_paid(sent: &[SubmissionRow], number: u32) -> bool {
    let of = |row: &SubmissionRow| matches!(&row.said, Said::Payment { charge, .. } if *charge == number);
    sent.iter().any(of)
}

/// The criteria of today; none where nothing can be rated.
fn asking<'a>(cases: &'a Cases, page: &Page, can_rate: bool) -> Vec<Asking<'a>> {
    let asked = cases.catalogue.criteria().asked(cases.today());
    let one = |criterion: &'a Criterion| Asking {
        number: criterion.number,
        name: say(&criterion.name, page.lang),
        answers: criterion
            .answers
            .iter()
            .map(|answer| (answer.points, say(&answer.text, page.lang)))
            .collect(),
    };
    asked.filter(|_| can_rate).map(one).collect()
}

/// The number of the published answer; nothing once it was taken down.
fn published(statuses: &[StatusRow]) -> Option<&str> {
    let last = statuses.iter().rev().find_map(|row| match &row.notice {
        Some(Notice::AnswerPublished { number, .. }) => Some(Some(number.as_str())),
        Some(Notice::AnswerUnpublished { .. }) => Some(None),
        _ => None,
    });
    last.flatten()
}

/// What other agencies do, as far as their steps were told.
fn follow_ups(cases: &Cases, page: &Page, held: &Held, statuses: &[StatusRow]) -> Result<String, Problem> {
    let procedure = cases.procedure_of(&held.case)?;
    let steps = crate::follow_ups::at_portal(&procedure, statuses);
    crate::follow_ups::part::section(cases, page, &held.case, &steps, false)
}

fn told(page: &Page, row: &SubmissionRow) -> Sent {
    let (class, became) = match row.outcome.as_deref() {
        None => ("tag tag-wait", page.t("cases-sent-waiting")),
        Some("taken") => ("tag tag-good", page.t("cases-sent-taken")),
        Some("case-supplement-over") => ("tag tag-bad", page.t("cases-sent-over")),
        Some(_) => ("tag tag-bad", page.t("cases-sent-late")),
    };
    Sent {
        at: page.time(row.at),
        iso: row.at.rfc3339(),
        what: page.t(&format!("cases-sent-{}", row.said.kind())),
        became,
        class,
    }
}

/// Working time in words.
pub(crate) fn hours(page: &Page, minutes: i64) -> String {
    let args = [
        ("hours", (minutes / 60).to_string()),
        ("minutes", (minutes % 60).to_string()),
    ];
    page.tw("cases-working-time", &args)
}

/// The text of a score.
pub(crate) fn score_key(score: &i32) -> &'static str {
    match score {
        1 => "cases-score-1",
        2 => "cases-score-2",
        3 => "cases-score-3",
        4 => "cases-score-4",
        _ => "cases-score-5",
    }
}

/// The state of a paper or page of a supplement: given anew, or as it was filed.
pub(crate) fn kept_or_new(changed: bool) -> &'static str {
    if changed { "done" } else { "kept" }
}

/// True for a paper that was attached to the supplement.
pub(crate) fn is_attached(papers: &[crate::draft::Attached], paper: &Paper) -> bool {
    papers.iter().any(|p| p.code == paper.code)
}
