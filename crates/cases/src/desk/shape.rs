//! How a case of the desk reads to programs. Instants are RFC 3339 texts. Never decides who may read
//! it.

use kernel::Time;
use kernel::fact::Outcome;
use serde::Serialize;
use web::openapi::ToSchema;

use crate::case::{Accepted, Capacity, Decided, EnteredAct, Proposal, SentBack, WhyNot};
use crate::citizen::shape::RepresentativeJson;
use crate::clock::WorkingOut;
use crate::desk::charge::ChargeView;
use crate::desk::checks::part::CheckView;
use crate::desk::page::now;
use crate::follow_ups::part::FollowUpView;
use crate::post::part::PostView;
use crate::procedure::Verb;
use crate::store::StatusRow;

/// A case as its desk sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseView {
    /// Its code.
    pub(crate) code: String,
    /// Its procedure.
    pub(crate) procedure: String,
    /// The unit that decides it.
    pub(crate) unit: String,
    /// Its state in the procedure.
    pub(crate) state: String,
    /// Its national status, 1 to 10.
    pub(crate) status: u8,
    /// To be sent with the next verb.
    pub(crate) revision: i64,
    /// What the reader may do now.
    #[schema(value_type = Vec<String>)]
    pub(crate) verbs: Vec<Verb>,
    /// What officials do with such cases and the reader cannot do now; nothing once the case has ended.
    pub(crate) not_now: Vec<NotNowView>,
    /// When it was filed.
    pub(crate) filed_at: String,
    /// Who filed it for its applicant; null where the applicant did.
    pub(crate) representative: Option<RepresentativeJson>,
    /// Acceptance.
    pub(crate) accepted: Option<AcceptedView>,
    /// Until when its step should be done, RFC 3339; null where that has no clock of its own.
    pub(crate) step_due_at: Option<String>,
    /// The officer's proposal.
    pub(crate) proposal: Option<ProposalView>,
    /// The entered act.
    pub(crate) act: Option<ActView>,
    /// The decision, once its result is there.
    pub(crate) decided: Option<DecidedView>,
    /// The result document's id.
    pub(crate) document: Option<String>,
    /// When the result was given.
    pub(crate) returned_at: Option<String>,
    /// That its result goes by post.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) post: Option<PostView>,
    /// The changes of its national status, the filing first.
    pub(crate) statuses: Vec<StatusView>,
    /// What its applicant was asked to pay while it was handled, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) charges: Vec<ChargeView>,
    /// What other agencies do once the result is there, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) follow_ups: Vec<FollowUpView>,
    /// What was typed at the desk and is compared with registers, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) checks: Vec<CheckView>,
}

/// What the reader cannot do now.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotNowView {
    /// The verb.
    #[schema(value_type = String)]
    verb: Verb,
    /// The code of the problem that stands against it, explained at `/problems/{code}`.
    why: String,
}

/// Acceptance.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcceptedView {
    /// When.
    at: String,
    /// The receptionist's account.
    by: String,
    /// By when the result is owed.
    due: String,
    /// How that was counted.
    working_out: WorkingOutView,
}

/// How a due date was counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkingOutView {
    /// The instant the count begins.
    from: String,
    /// The term in working minutes.
    term_minutes: i64,
    /// `working-days`, `working-hours`, `calendar-days`, `hours`, `months` or `same-day`.
    rule: String,
    /// One line a day; their minutes add up to the term.
    lines: Vec<LineView>,
}

/// A day of a count.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineView {
    /// The day, `2026-11-21`.
    date: String,
    /// Working minutes counted on it.
    minutes: i64,
    /// A holiday's name, `weekend`, `paused` while the applicant was waited for, `unpaid` while their payment was, `moved`
    /// where a term ends that would have ended when nobody works, or empty.
    reason: String,
}

/// A proposal.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposalView {
    /// `granted` or `refused`.
    #[schema(value_type = String)]
    outcome: Outcome,
    /// Why.
    note: String,
    /// The officer's account.
    by: String,
    /// When.
    at: String,
    /// Why it came back, when it did.
    sent_back: Option<SentBackView>,
}

/// A proposal that came back.
#[derive(Debug, Serialize, ToSchema)]
pub struct SentBackView {
    /// The chairman's words, or the code of the register's refusal.
    note: String,
    /// The chairman's account; null when the register refused.
    by: Option<String>,
    /// When.
    at: String,
}

/// An entered act.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActView {
    /// Its number in the book.
    act_number: String,
    /// The personal number it gave.
    personal_number: Option<String>,
    /// When.
    at: String,
}

/// A decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecidedView {
    /// `granted` or `refused`.
    #[schema(value_type = String)]
    outcome: Outcome,
    /// When.
    at: String,
    /// The signer's account.
    by: String,
    /// `chairman`, or `for-chairman` when a deputy signed (KT.).
    #[schema(value_type = String)]
    capacity: Capacity,
    /// The result's number.
    number: Option<String>,
}

/// A change of a case's national status.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusView {
    /// 0 for the filing, then the owner's changes.
    seq: u32,
    /// 1 to 10.
    status: u8,
    /// When.
    at: String,
    /// By when the result was owed then.
    due: Option<String>,
}

impl From<(Verb, WhyNot<'_>)> for NotNowView {
    fn from((verb, why): (Verb, WhyNot<'_>)) -> Self {
        Self {
            verb,
            why: now::code(why).to_owned(),
        }
    }
}

impl From<&Accepted> for AcceptedView {
    fn from(a: &Accepted) -> Self {
        Self {
            at: a.at.rfc3339(),
            by: a.by.clone(),
            due: a.due.rfc3339(),
            working_out: WorkingOutView::from(&a.working_out),
        }
    }
}

impl From<&WorkingOut> for WorkingOutView {
    fn from(w: &WorkingOut) -> Self {
        let line = |l: &kernel::calendar::Line| LineView {
            date: l.date.clone(),
            minutes: l.minutes,
            reason: l.reason.clone(),
        };
        Self {
            from: w.from.rfc3339(),
            term_minutes: w.term_minutes,
            rule: w.rule.clone(),
            lines: w.lines.iter().map(line).collect(),
        }
    }
}

impl From<&Proposal> for ProposalView {
    fn from(p: &Proposal) -> Self {
        Self {
            outcome: p.outcome,
            note: p.note.clone(),
            by: p.by.clone(),
            at: p.at.rfc3339(),
            sent_back: p.sent_back.as_ref().map(SentBackView::from),
        }
    }
}

impl From<&SentBack> for SentBackView {
    fn from(b: &SentBack) -> Self {
        Self {
            note: b.note.clone(),
            by: b.by.clone(),
            at: b.at.rfc3339(),
        }
    }
}

impl From<&EnteredAct> for ActView {
    fn from(a: &EnteredAct) -> Self {
        Self {
            act_number: a.act_number.clone(),
            personal_number: a.personal_number.as_ref().map(|n| n.as_str().to_owned()),
            at: a.at.rfc3339(),
        }
    }
}

impl From<&Decided> for DecidedView {
    fn from(d: &Decided) -> Self {
        Self {
            outcome: d.outcome,
            at: d.at.rfc3339(),
            by: d.by.clone(),
            capacity: d.capacity,
            number: d.seal.as_ref().map(|seal| seal.number.clone()),
        }
    }
}

impl From<&StatusRow> for StatusView {
    fn from(row: &StatusRow) -> Self {
        Self {
            seq: row.seq,
            status: row.status,
            at: row.at.rfc3339(),
            due: row.due.map(Time::rfc3339),
        }
    }
}
