//! `check-draft`: the applicant looks at the draft of the result before it is entered and signed;
//! silence until the term ends is consent. Of a case from the counter the officer writes down what the
//! applicant said. Never for a refusal.

use ::store::{Deliver, OutboxLine, Tx};
use async_trait::async_trait;
use axum::response::Response;
use kernel::calendar::DAY_MINUTES;
use kernel::fact::{Channel, DraftAnswer, Outcome};
use kernel::{Actor, CaseCode, Digest, Fact, Kind, Problem, Time};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Principal, Refusal};

use crate::case::{Case, SentBack, passed_over};
use crate::clock;
use crate::course::ResultDraft;
use crate::desk::official::AtCase;
use crate::desk::step::{may, note, save, save_telling};
use crate::desk::view::{self, CaseView};
use crate::desk::{act, result};
use crate::notice::Notice;
use crate::procedure::{APPLICANT, PLATFORM, Procedure, Verb};
use crate::state::Cases;
use crate::store::{GivenKind, ResultRow, subject};

/// The outbox topic of the ends of terms; its keys are case codes.
pub const TOPIC: &str = "case-draft";

/// What an applicant said at the counter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Looked {
    /// The revision of the case the officer has seen.
    revision: i64,
    /// True when the draft is right.
    agreed: bool,
    /// What is wrong with it; needed when something is.
    #[serde(default)]
    note: String,
}

/// Writes down from the case's page what the applicant said of the draft.
#[utoipa::path(post, path = "/desk/cases/{code}/check-draft", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-result-draft-answered"]))))]
pub(crate) async fn by_form(at: AtCase, page: web::Page, fields: Fields) -> Result<Response, Refusal> {
    let looked = Looked {
        revision: view::revision(&fields)?,
        agreed: fields.text("agreed") == Some("yes"),
        note: fields.lines("note").unwrap_or_default(),
    };
    let done = at.cases.looked_at_counter(&at.who, &at.code, &looked).await;
    at.back_or_faults(&page, done, &fields).await
}

/// Writes down what the applicant said of the draft at the counter.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/check-draft", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Looked,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-result-draft-answered"]))))]
pub(crate) async fn by_json(at: AtCase, Json(looked): Json<Looked>) -> Result<Json<CaseView>, Refusal> {
    at.cases.looked_at_counter(&at.who, &at.code, &looked).await?;
    at.view().await
}

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
        let code: &CaseCode = &line.key.parse().map_err(Problem::internal)?;
        let of: &Payload = &serde_json::from_value(line.payload.clone()).map_err(Problem::internal)?;
        let cases = &self.0;
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
    /// Takes what the applicant says about the draft.
    ///
    /// # Errors
    /// `case-verb-not-now` when no draft waits; 422 for a fault that is not named.
    pub(crate) async fn draft_answered(
        &self,
        tx: &Tx,
        case: Case,
        procedure: &Procedure,
        (agreed, draft): (bool, &str),
        words: &str,
    ) -> Result<(), Problem> {
        let waits = case.course.draft.as_ref().map(|waits| waits.document.as_str());
        if !draft.is_empty() && waits != Some(draft) {
            return Err(Problem::new(Kind::Conflict, "case-draft-none"));
        }
        let said = (answer(agreed), words);
        self.settle(tx, case, procedure, APPLICANT, said).await
    }

    /// What the officer writes down for an applicant at the counter. Pressed twice, it is written once.
    async fn looked_at_counter(
        &self,
        who: &Principal,
        code: &CaseCode,
        looked: &Looked,
    ) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code, Verb::CheckDraft).await?;
                let said = case.course.draft.as_ref().and_then(|draft| draft.answer);
                if said == Some(answer(looked.agreed)) && looked.revision < case.revision {
                    return Ok(());
                }
                let step = may(&case, &procedure, Verb::CheckDraft, who, looked.revision)?;
                if case.channel == Channel::Online {
                    return Err(Problem::new(Kind::Conflict, "case-draft-online"));
                }
                let role = step.role.clone();
                let said = (answer(looked.agreed), looked.note.as_str());
                self.settle(&tx, case, &procedure, &role, said).await
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
        let (calendar, now) = (self.calendars.of(&case.unit, tx.now().date()), tx.now());
        let until = calendar.count(now, days * DAY_MINUTES).end;
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

    /// What came of the draft: on to the register, or back to the officer.
    async fn settle(
        &self,
        tx: &Tx,
        case: Case,
        procedure: &Procedure,
        role: &str,
        (answer, words): (DraftAnswer, &str),
    ) -> Result<(), Problem> {
        let step = case
            .transition(procedure, Verb::CheckDraft, &[role.to_owned()])?
            .clone();
        let words = note(words, answer == DraftAnswer::Objected)?;
        let step = match answer {
            // Whoever writes it down, it is the applicant who sends it back.
            DraftAnswer::Objected => case
                .transition(procedure, Verb::SendBack, &[APPLICANT.to_owned()])?
                .clone(),
            DraftAnswer::Agreed | DraftAnswer::Silent => step,
        };
        let mut case = case.moved(&step);
        let later = self.look_took(&case, procedure, tx.now());
        if let Some(draft) = &mut case.course.draft {
            draft.answer = Some(answer);
            draft.answered_at = Some(tx.now());
            draft.note.clone_from(&words);
        }
        if answer == DraftAnswer::Objected
            && let Some(proposal) = &mut case.proposal
        {
            proposal.sent_back = Some(SentBack {
                note: words,
                by: None,
                by_applicant: true,
                at: tx.now(),
            });
        }
        let due = later.as_ref().map(|working_out| working_out.due);
        if let (Some(accepted), Some(working_out)) = (&mut case.accepted, later) {
            accepted.due = working_out.due;
            accepted.working_out = working_out;
        }
        save(tx, &case, procedure).await?;
        if let Some(due) = due {
            obligations::lift(tx, &subject(&case.code), "draft-looked-at").await?;
            obligations::reopen(tx, &subject(&case.code), due).await?;
        }
        let fact = Fact::CaseResultDraftAnswered {
            case: case.code.clone(),
            answer,
            due,
        };
        tx.fact(&subject(&case.code), fact).await?;
        if answer == DraftAnswer::Objected {
            return Ok(());
        }
        go_on(tx, case, procedure).await
    }

    /// The later date, when the look at the draft took longer than the term of the day.
    fn look_took(&self, case: &Case, procedure: &Procedure, now: Time) -> Option<clock::WorkingOut> {
        let (accepted, draft) = (case.accepted.as_ref()?, case.course.draft.as_ref()?);
        let calendar = self.calendars.of(&case.unit, now.date());
        // Who is silent has looked until the term ended, whenever the node gets to say so.
        let answered = now.min(draft.until);
        clock::after_look(
            procedure.term(case.channel),
            &calendar,
            accepted.due,
            draft.at,
            answered,
        )
    }
}

fn answer(agreed: bool) -> DraftAnswer {
    if agreed {
        DraftAnswer::Agreed
    } else {
        DraftAnswer::Objected
    }
}

/// What follows on a granted proposal: its act, or what comes after when there is none to enter.
///
/// # Errors
/// As [`save`].
pub(crate) async fn go_on(tx: &Tx, case: Case, procedure: &Procedure) -> Result<(), Problem> {
    if procedure.act.is_some() {
        return act::enqueue_enter(tx, &case.code).await;
    }
    let state = passed_over(procedure, case.state.clone(), Outcome::Granted);
    if state == case.state {
        return Ok(());
    }
    let revision = case.revision + 1;
    let case = Case {
        state,
        revision,
        ..case
    };
    save(tx, &case, procedure).await
}

#[cfg(test)]
mod tests {
    use kernel::time::iso;
    use serde_json::json;

    use crate::desk::testing::{CASE, Desk, MONDAY, code, handover, pack_templates};
    use crate::store as rows;

    async fn to_draft(desk: &Desk) {
        desk.accept().await;
        desk.propose("granted", "").await;
        assert_eq!(desk.state().await, "draft");
    }

    #[tokio::test]
    async fn the_draft_goes_to_the_applicant_unsigned_and_without_its_numbers() {
        let desk = Desk::with(pack_templates(), kernel::limits::Limits::default()).await;
        desk.receive(&handover()).await.expect("received");
        to_draft(&desk).await;
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
    async fn what_the_applicant_finds_wrong_goes_back_to_the_officer() {
        let desk = Desk::new().await;
        to_draft(&desk).await;
        desk.answer_draft(false, "Sai tên đệm của cháu").await;
        let case = desk.json().await;
        assert_eq!(case["state"], "reworking");
        assert_eq!(case["proposal"]["sent_back"]["note"], "Sai tên đệm của cháu");
        assert_eq!(desk.state().await, "reworking");
        assert_eq!(desk.lines("case-act").await, [], "nothing was entered");
        let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await;
        assert!(page.body.contains("Sai tên đệm") && page.body.contains("có chỗ chưa đúng"));
        // A new draft, a new look.
        desk.temp.clock.advance_ms(60_000);
        desk.propose("granted", "Đã sửa").await;
        assert_eq!(desk.state().await, "draft");
        desk.agree().await;
        assert_eq!(desk.state().await, "entering");
    }

    #[tokio::test]
    async fn an_objection_without_a_word_is_refused_and_the_draft_waits_on() {
        let desk = Desk::new().await;
        to_draft(&desk).await;
        let said = json!({"kind": "draft-answer", "agreed": false, "note": " "});
        let taken = desk.submit(1, said, &json!([])).await;
        assert_eq!(
            (&taken["taken"], &taken["why"]),
            (&json!(false), &json!("case-note-missing"))
        );
        assert_eq!(desk.state().await, "draft");
    }

    #[tokio::test]
    async fn silence_is_consent_when_the_term_has_ended_and_not_a_moment_before() {
        let desk = Desk::new().await;
        to_draft(&desk).await;
        let early = desk.deliver_topic("case-draft").await.expect("too early");
        assert_eq!(early.code, "case-draft-open");
        let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
        let held = rows::case(&reader, &code()).await.expect("read").expect("a case");
        drop(reader);
        let until = held.case.course.draft.expect("a draft").until;
        assert_eq!(
            until,
            MONDAY.plus_ms(2 * 86_400_000),
            "eight working hours, Tuesday being a holiday"
        );
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
    async fn an_answer_within_the_day_moves_no_date() {
        let desk = Desk::new().await;
        to_draft(&desk).await;
        let before = desk.json().await["accepted"]["due"].clone();
        desk.agree().await;
        assert_eq!(desk.json().await["accepted"]["due"], before);
        // The end of the term finds the draft answered.
        let line = desk.lines("case-draft").await.remove(0);
        let handlers = desk.cases.deliverers();
        let silences = handlers
            .iter()
            .find(|h| h.topic() == "case-draft")
            .expect("a handler");
        let facts = desk.facts().await;
        silences.deliver(&line).await.expect("nothing to do");
        assert_eq!(desk.facts().await, facts);
    }

    #[tokio::test]
    async fn the_officer_answers_for_the_counter_only() {
        let desk = Desk::new().await;
        to_draft(&desk).await;
        let answer = desk.verb("tich", "check-draft", json!({"agreed": true})).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (409, "case-draft-online")
        );
        assert_eq!(
            desk.get("tich", crate::desk::testing::API).await.json()["verbs"],
            json!(["apologise"])
        );

        let desk = Desk::empty().await;
        let mut body = handover();
        body["channel"] = json!("counter");
        desk.receive(&body).await.expect("received");
        to_draft(&desk).await;
        for who in ["tiep", "chu"] {
            let answer = desk.verb(who, "check-draft", json!({"agreed": true})).await;
            assert_eq!((answer.status, answer.problem().as_str()), (403, "role-missing"));
        }
        let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await;
        assert!(page.body.contains("/check-draft\""), "the officer's form");
        let revision = desk.revision().await.to_string();
        let path = format!("/desk/cases/{CASE}/check-draft");
        let none = desk
            .form(
                "tich",
                &path,
                &[("revision", &revision), ("agreed", "no"), ("note", "")],
            )
            .await;
        assert_eq!(none.status, 422, "what is wrong must be said");
        let fields = [("revision", revision.as_str()), ("agreed", "yes"), ("note", "")];
        let (one, two) = tokio::join!(
            desk.form("tich", &path, &fields),
            desk.form("tich", &path, &fields)
        );
        assert_eq!((one.status, two.status), (303, 303), "{} {}", one.body, two.body);
        assert_eq!(desk.lines("case-act").await.len(), 1);
        assert_eq!(desk.state().await, "entering");
        // What is done already is no way past the role.
        for who in ["tiep", "chu"] {
            let answer = desk.verb_at(who, "check-draft", 1, json!({"agreed": true})).await;
            assert_eq!((answer.status, answer.problem().as_str()), (403, "role-missing"));
        }
    }
}
