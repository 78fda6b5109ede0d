//! The draft of the result that an applicant looks at (bản dự thảo): made before anything is entered or
//! signed, sent with its status, and taken for right when nothing is said until its term ends. Nobody is silent about
//! what they could not see: a draft that has not reached the portal ends no term, and one that reached it late is sent
//! anew. Never for a refusal, and never with a number or a signature.

use ::store::{Deliver, OutboxLine, Tx};
use async_trait::async_trait;
use kernel::fact::{Channel, DraftAnswer, Outcome};
use kernel::{Actor, CaseCode, Digest, Fact, Kind, Problem, Time};
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::case_of;
use crate::clock::fold::Event;
use crate::course::ResultDraft;
use crate::desk::result;
use crate::desk::step::save_telling;
use crate::notice::Notice;
use crate::procedure::{PLATFORM, Procedure, Verb};
use crate::state::Cases;
use crate::store::{GivenKind, ResultRow, Rows, results, subject};
use crate::sync;

/// The outbox topic of the ends of terms; its keys are case codes.
pub const TOPIC: &str = "case-draft";

/// Which draft a line is about.
#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    draft: Digest,
    sent: Time,
}

/// Ends the terms in which applicants may look at drafts.
#[derive(Debug)]
pub struct Silences(pub(crate) Cases);

#[async_trait]
impl Deliver for Silences {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        let code = &case_of(line)?;
        let of: &Payload = &serde_json::from_value(line.payload.clone()).map_err(Problem::internal)?;
        let cases = &self.0;
        let unheard = cases.is_draft_unheard(code).await?;
        cases
            .store
            .write(&line.tenant, &Actor::Platform, |tx| async move {
                let (case, procedure) = cases.opened_by_platform(&tx, code).await?;
                let waits = waiting(&case, &procedure);
                let Some(draft) = waits.filter(|d| d.digest == of.draft && d.at == of.sent) else {
                    return Ok(());
                };
                if tx.now() < draft.until {
                    return Err(Problem::new(Kind::Unavailable, "case-draft-open"));
                }
                if unheard {
                    return Err(Problem::new(Kind::Unavailable, "case-draft-unheard"));
                }
                let said = (DraftAnswer::Silent, "");
                cases.settle(&tx, case, &procedure, PLATFORM, said).await
            })
            .await
    }
}

/// The draft that waits for its answer.
fn waiting<'c>(case: &'c Case, procedure: &Procedure) -> Option<&'c ResultDraft> {
    procedure.verb_from(Verb::CheckDraft, &case.state)?;
    case.course.draft.as_ref().filter(|draft| draft.answer.is_none())
}

impl Cases {
    /// True while the newest draft of a case that was filed online waits in the outbox: its applicant has not seen it.
    async fn is_draft_unheard(&self, code: &CaseCode) -> Result<bool, Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let (case, _) = self.opened_by_platform(&reader, code).await?;
        let Some(seq) = self.draft_told_with(&reader, &case).await? else {
            return Ok(false);
        };
        drop(reader);
        let from = (code.as_str(), 0);
        let first = self
            .store
            .outbox_lines(&self.tenant, sync::TOPIC, from, 1)
            .await?;
        let waits = first.first().filter(|line| line.key == code.as_str());
        // Statuses go in order: what stands in front of the draft's keeps that waiting, too.
        Ok(waits.is_some_and(|line| sync::seq_of(line).is_some_and(|waiting| waiting <= seq)))
    }

    /// With which status the newest draft goes to who filed online; nothing where it is shown at a desk.
    async fn draft_told_with(&self, rows: &impl Rows, case: &Case) -> Result<Option<u32>, Problem> {
        let draft = case.course.draft.as_ref();
        let Some(draft) = draft.filter(|_| case.channel == Channel::Online) else {
            return Ok(None);
        };
        let given = results(rows, &case.code).await?;
        let row = given.iter().find(|row| row.document == draft.document);
        Ok(row.map(|row| row.with_seq))
    }

    /// Sends a draft anew that reached the portal so late that little was left of its term: the whole term begins again.
    /// Nothing for another status, and once somebody has spoken.
    ///
    /// # Errors
    /// As [`save_telling`].
    pub(crate) async fn draft_was_late(&self, code: &CaseCode, seq: u32) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                let Some(held) = crate::store::case(&tx, code).await? else {
                    return Ok(());
                };
                let mut case = held.case;
                if self.draft_told_with(&tx, &case).await? != Some(seq) {
                    return Ok(());
                }
                let procedure = self.procedure_of(&case)?;
                let Some(digest) = waiting(&case, &procedure).map(|draft| draft.digest) else {
                    return Ok(());
                };
                case.revision += 1;
                self.send_draft(&tx, case, &procedure, digest).await
            })
            .await
    }

    /// The draft of the result for an applicant to look at, kept; nothing when none is looked at.
    ///
    /// # Errors
    /// `case-result-data`, `document-template`.
    pub(crate) async fn make_draft(
        &self,
        case: &Case,
        procedure: &Procedure,
        outcome: Outcome,
    ) -> Result<Option<Digest>, Problem> {
        let next = procedure.verb_from(Verb::Propose, &case.state);
        let looks = next.is_some_and(|t| procedure.verb_from(Verb::CheckDraft, &t.to).is_some());
        if !looks || outcome == Outcome::Refused {
            return Ok(None);
        }
        let at = self.store.world().now();
        let data = self.draft_data(case, procedure, at.date())?;
        let template = format!("{}.typ", procedure.result.template);
        let pdf = self.documents()?.draft(&template, data, at).await?;
        Ok(Some(self.store.blobs().put(&pdf).await?))
    }

    /// Sends the draft to the applicant and starts the term of silence.
    ///
    /// # Errors
    /// As [`save_telling`].
    pub(crate) async fn send_draft(
        &self,
        tx: &Tx,
        mut case: Case,
        procedure: &Procedure,
        digest: Digest,
    ) -> Result<(), Problem> {
        let days = procedure.draft_check.map_or(0, |check| check.silence.days);
        let (calendar, now) = (self.calendars.of(&case.unit), tx.now());
        let until = calendar.days_after(now, days).end;
        self.tell_clock(&mut case, procedure, Event::Shown { at: now, until })?;
        let document = format!("draft-{}-{}", case.code, case.revision);
        case.course.draft = Some(ResultDraft {
            document: document.clone(),
            digest,
            at: now,
            until,
            answer: None,
            answered_at: None,
            note: String::new(),
        });
        let given = ResultRow {
            document,
            name: format!("Bản dự thảo {}", result::name(procedure, Outcome::Granted).vi),
            number: String::new(),
            digest,
            kind: GivenKind::Draft,
            with_seq: 0,
        };
        save_telling(tx, &case, procedure, Some(Notice::Draft { until }), vec![given]).await?;
        let fact = Fact::CaseResultDraftSent {
            case: case.code.clone(),
            draft: digest,
            until,
        };
        tx.fact(&subject(&case.code), fact).await?;
        let line = Payload {
            draft: digest,
            sent: now,
        };
        let line = serde_json::to_value(line).map_err(Problem::internal)?;
        tx.outbox_at(TOPIC, case.code.as_str(), &line, until).await
    }
}

#[cfg(test)]
mod tests {
    use kernel::time::iso;
    use serde_json::json;

    use crate::desk::testing::{CASE, Desk, MONDAY, code, handover, pack_templates};

    #[tokio::test]
    async fn the_draft_goes_to_the_applicant_unsigned_and_without_its_numbers() {
        let desk = Desk::with(pack_templates(), kernel::limits::Limits::default()).await;
        desk.receive(&handover()).await.expect("received");
        desk.to_draft().await;
        assert!(desk.deliver_topic("case-status").await.is_none());
        let told = desk.nation.asked_of("note-status");
        let told = told.last().expect("told");
        assert_eq!(
            (&told["status"], &told["notice"]["kind"]),
            (&json!(4), &json!("draft"))
        );
        assert_eq!(told["results"][0]["kind"], "draft");
        let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
        let (case, procedure) = desk
            .cases
            .opened_by_platform(&reader, &code())
            .await
            .expect("a case");
        let draft = case.course.draft.as_ref().expect("a draft");
        let pdf = desk.temp.store.blobs().get(&draft.digest).await.expect("kept");
        assert!(pdf.starts_with(b"%PDF") && seal::pdf::signature_parts(&pdf).is_none());
        let data = desk
            .cases
            .draft_data(&case, &procedure, MONDAY.date())
            .expect("data");
        assert_eq!(
            (&data["number"], &data["child"]["personal_number"]),
            (&json!(""), &json!(""))
        );
        assert_eq!(data["signer"], json!({"position": "", "name": ""}));
        assert_eq!(
            desk.facts_of(&format!("document/birth-{CASE}")).await,
            Vec::<String>::new()
        );
    }

    #[tokio::test]
    async fn silence_is_consent_when_the_term_has_ended_and_not_a_moment_before() {
        let desk = Desk::new().await;
        desk.to_draft().await;
        let early = desk.deliver_topic("case-draft").await.expect("too early");
        assert_eq!(early.code, "case-draft-open");
        let until = desk.row().await.case.course.draft.expect("a draft").until;
        assert_eq!(
            until,
            MONDAY.plus_ms(2 * 86_400_000),
            "eight working hours, Tuesday being a holiday"
        );
        assert!(desk.deliver_topic("case-status").await.is_none());
        desk.temp.clock.set(until);
        assert!(desk.deliver_topic("case-draft").await.is_none());
        assert_eq!(desk.state().await, "entering");
        let facts = desk.facts().await;
        assert_eq!(
            facts.last().map(String::as_str),
            Some("case-result-draft-answered")
        );
        // The look outlasted the day: the date is counted from its end, and the obligation follows.
        let due = desk.json().await["accepted"]["due"].clone();
        assert_eq!(due, "2026-11-25T10:00:00.000Z");
        assert_eq!(
            desk.facts_of(&format!("obligation/case/{CASE}")).await,
            ["obligation-opened", "obligation-lifted", "obligation-opened"]
        );
        desk.deliver().await;
        let body = &desk.nation.asked_of("enter-birth")[0];
        assert_eq!(body["registered_on"], iso(until.date()));
    }

    #[tokio::test]
    async fn nobody_is_silent_about_a_draft_that_has_not_reached_them() {
        let desk = Desk::new().await;
        desk.nation.cut(Some(MONDAY));
        desk.to_draft().await;
        let first = desk.row().await.case.course.draft.expect("a draft");
        desk.temp.clock.set(first.until);
        let unheard = desk
            .deliver_topic("case-draft")
            .await
            .expect("the portal is away");
        assert_eq!(unheard.code, "case-draft-unheard");
        assert_eq!(desk.state().await, "draft");
        // The line is back: the draft arrives, and once more with a term of its own.
        desk.nation.cut(None);
        assert!(desk.deliver_topic("case-status").await.is_none());
        let anew = desk.row().await.case.course.draft.expect("a draft");
        assert!(anew.until > first.until && anew.document != first.document);
        assert_eq!(anew.digest, first.digest, "it says the same");
        assert!(desk.deliver_topic("case-status").await.is_none());
        let told = desk.nation.asked_of("note-status");
        let until = &told.last().expect("told")["notice"]["until"];
        assert_eq!(*until, json!(anew.until.ms()));
        assert_eq!(
            desk.deliver_topic("case-draft").await.expect("not over").code,
            "case-draft-open"
        );
        assert_eq!(desk.state().await, "draft");
        desk.temp.clock.set(anew.until);
        assert!(desk.deliver_topic("case-draft").await.is_none());
        assert_eq!(desk.state().await, "entering", "now silence is consent");
    }

    #[tokio::test]
    async fn an_answer_within_the_day_moves_no_date() {
        let desk = Desk::new().await;
        desk.to_draft().await;
        let before = desk.json().await["accepted"]["due"].clone();
        desk.agree().await;
        assert_eq!(desk.json().await["accepted"]["due"], before);
        // The end of the term finds the draft answered.
        let line = desk.lines("case-draft").await.remove(0);
        let facts = desk.facts().await;
        desk.deliver_again(&line).await;
        assert_eq!(desk.facts().await, facts);
    }
}
