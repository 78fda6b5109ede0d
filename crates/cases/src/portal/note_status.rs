//! Service `note-status`: the owner of a case says where it stands; every change once and in order.
//! Never takes a word from anybody but the case's owner.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange::{Answer, Call, Service, ServiceId};
use kernel::fact::Channel;
use kernel::{Actor, CaseCode, Digest, Fact, Kind, OrgCode, PersonalNumber, Problem, ProcedureCode, Time};
use serde::{Deserialize, Serialize};

use crate::case::{Answers, Applicant, Case, Course};
use crate::citizen::course::ENDED;
use crate::clock::WorkingOut;
use crate::notice::Notice;
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store::{self as rows, GivenKind, ResultRow, StatusRow};

/// The national status of a filed case: `Mới đăng ký`.
const FILED: u8 = 1;
/// The most working time that a case can have taken, in minutes: every minute of ten years.
const WORKED_MINUTES_MAX: u64 = 10 * 366 * 24 * 60;

/// The body of `note-status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusNote {
    /// The case.
    pub code: CaseCode,
    /// The number of the change, from 1.
    pub seq: u32,
    /// The national status, 1 to 10.
    pub status: u8,
    /// When it changed.
    pub at: Time,
    /// By when the result is owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Time>,
    /// How that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_out: Option<WorkingOut>,
    /// What the applicant is told with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
    /// With the status of a decided case: the working minutes that its owner used for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worked: Option<u64>,
    /// The case itself, when it was handed in at a desk: the portal learns of it with its first status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<NotedCase>,
    /// What is given to the applicant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<GivenResult>,
}

/// A case that was handed in at a desk, in a [`StatusNote`]: what its applicant follows it by, and no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotedCase {
    /// Its procedure.
    pub procedure: ProcedureCode,
    /// The version it was taken in under.
    pub version: Digest,
    /// The unit that decides it.
    pub unit: OrgCode,
    /// How it was handed in.
    pub channel: Channel,
    /// The applicant's personal number.
    pub number: PersonalNumber,
    /// The applicant's name.
    pub name: String,
    /// When it was handed in.
    pub filed_at: Time,
}

/// A result in a [`StatusNote`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenResult {
    /// The document's id.
    pub document: String,
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: String,
    /// The file's digest.
    pub digest: Digest,
    /// What it is.
    #[serde(default)]
    pub kind: GivenKind,
    /// The PDF, signed unless it is a draft.
    pub pdf_base64: String,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// The number of the change that is noted.
    pub noted: u32,
}

/// The service.
#[derive(Clone, Debug)]
pub struct NoteStatus(pub Cases);

#[async_trait]
impl Service for NoteStatus {
    fn id(&self) -> ServiceId {
        let system = &self.0.system;
        ServiceId {
            org: system.org.clone(),
            system: system.system.clone(),
            service: "note-status".to_owned(),
        }
    }

    async fn call(&self, call: Call) -> Result<Answer, Problem> {
        let cases = &self.0;
        let note: StatusNote = call.json()?;
        let reader = cases.store.read(&cases.tenant).await?;
        // Whose the case is is checked before anything else is told about it.
        let held = rows::case(&reader, &note.code).await?;
        let head = match (&note.case, held) {
            (Some(told), None) => Some(head(cases, &note, told, &call)?),
            (_, held) => {
                cases.owned(held, &call.consumer.org)?;
                None
            }
        };
        if !(1..=10).contains(&note.status) || note.seq == 0 {
            return Err(Problem::invalid("status", "case-status-unknown").with("status", note.status));
        }
        if note.worked.is_some_and(|minutes| minutes > WORKED_MINUTES_MAX) {
            return Err(Problem::invalid("worked", "case-worked").with("max", WORKED_MINUTES_MAX));
        }
        crate::citizen::charge::check(&note)?;
        let results = keep_results(cases, &note).await?;
        let (note, head, results, call) = (&note, head.as_ref(), &results, &call);
        let noted = cases
            .store
            .write(
                &cases.tenant,
                &Actor::System(call.consumer.to_string()),
                |tx| async move {
                    let mut held = rows::case(&tx, &note.code).await?;
                    if let (Some(case), None) = (head, &held) {
                        insert_head(&tx, case).await?;
                        held = rows::case(&tx, &note.code).await?;
                    }
                    let held = cases.owned(held, &call.consumer.org)?;
                    note_once(cases, (&tx, &held), note, results, call).await
                },
            )
            .await?;
        Answer::json(&Noted { noted })
    }
}

/// Notes a status that is the next one; one that was noted before is left as it is.
async fn note_once(
    cases: &Cases,
    (tx, held): (&::store::Tx, &rows::Held),
    note: &StatusNote,
    results: &[ResultRow],
    call: &Call,
) -> Result<u32, Problem> {
    let last = rows::last_status(tx, &note.code).await?;
    if note.seq <= last {
        return Ok(note.seq);
    }
    if note.seq != last + 1 {
        return Err(Problem::new(Kind::Conflict, "case-status-gap")
            .with("last", last)
            .with("seq", note.seq));
    }
    let row = StatusRow {
        seq: note.seq,
        status: note.status,
        at: note.at,
        due: note.due,
        notice: note.notice.clone(),
    };
    let (moves, before) = (cases.catalogue.moves(), held.status);
    moves.check(Some(before), note.status, note.at.date())?;
    let ended = ENDED.contains(&note.status);
    rows::note_status(tx, &note.code, &row, ended, note.working_out.as_ref()).await?;
    for result in results {
        rows::insert_result(tx, &note.code, result).await?;
    }
    crate::wallet::land::land(cases, tx, note, results).await?;
    crate::inbox::heard(tx, note, Some(before)).await?;
    crate::citizen::charge::heard(tx, held, (note.status, note.notice.as_ref())).await?;
    if let Some(moved) = moved(tx, note, call).await? {
        tx.fact(&rows::subject(&note.code), moved).await?;
        return Ok(note.seq);
    }
    let word = (&note.code, note.notice.as_ref());
    if let Some(told) = crate::published::noted(tx, word, (&call.consumer.org, note.at)).await? {
        tx.fact(&rows::subject(&note.code), told).await?;
        return Ok(note.seq);
    }
    let fact = Fact::CaseStatusNoted {
        case: note.code.clone(),
        owner: call.consumer.org.clone(),
        seq: note.seq,
        status: note.status,
        at: note.at,
        due: note.due,
        repeated: before == note.status,
        worked: note.worked,
    };
    tx.fact(&rows::subject(&note.code), fact).await?;
    Ok(note.seq)
}

/// A case that the portal hears of for the first time: of a code that its owner gave, for a unit of the owner's.
fn head(cases: &Cases, note: &StatusNote, told: &NotedCase, call: &Call) -> Result<Case, Problem> {
    let owner = call.consumer.org.top();
    if note.code.issuer().top() != owner || told.unit.top() != owner {
        return Err(Problem::not_found());
    }
    cases.files_for(&cases.system, &told.unit, told.filed_at.date())?;
    let version = cases.version(&told.version).ok();
    let procedure = version
        .filter(|procedure| procedure.code == told.procedure)
        .ok_or_else(|| Problem::invalid("version", "case-version-unknown"))?;
    if cases.organisations.get(&told.unit, cases.today()).is_none() {
        return Err(Problem::invalid("unit", "case-unit-unknown"));
    }
    Ok(case_of(note, told, &procedure))
}

/// The case is here as one that was handed in elsewhere: nothing is left to hand over.
async fn insert_head(tx: &::store::Tx, case: &Case) -> Result<(), Problem> {
    rows::insert_case(tx, case, FILED).await?;
    let filed = StatusRow {
        seq: 0,
        status: FILED,
        at: case.filed_at,
        due: None,
        notice: None,
    };
    rows::insert_status(tx, &case.code, &filed).await?;
    rows::note_handed_over(tx, &case.code, tx.now()).await?;
    let fact = Fact::CaseFiled {
        case: case.code.clone(),
        procedure: case.procedure.clone(),
        version: case.version,
        channel: case.channel,
        to: case.unit.clone(),
    };
    tx.fact(&rows::subject(&case.code), fact).await?;
    Ok(())
}

fn case_of(note: &StatusNote, told: &NotedCase, procedure: &Procedure) -> Case {
    Case {
        code: note.code.clone(),
        procedure: told.procedure.clone(),
        version: told.version,
        unit: told.unit.clone(),
        channel: told.channel,
        applicant: Applicant {
            account: String::new(),
            number: told.number.clone(),
            name: kernel::text::clean(&told.name),
        },
        answers: Answers::new(),
        state: procedure.first_state.clone(),
        revision: 1,
        filed_at: told.filed_at,
        accepted: None,
        proposal: None,
        act: None,
        decided: None,
        returned_at: None,
        course: Course::default(),
    }
}

/// The owner gave the case to another of its units: no change of status, so none is counted.
async fn moved(tx: &::store::Tx, note: &StatusNote, call: &Call) -> Result<Option<Fact>, Problem> {
    let Some(crate::notice::Notice::Moved { unit }) = &note.notice else {
        return Ok(None);
    };
    let unknown = || Problem::invalid("unit", "case-unit-unknown");
    let to: kernel::OrgCode = unit.parse().map_err(|_| unknown())?;
    if to.top() != call.consumer.org.top() {
        return Err(unknown());
    }
    let held = rows::case(tx, &note.code).await?.ok_or_else(Problem::not_found)?;
    crate::merger::store::note_unit(tx, &note.code, &to).await?;
    crate::merger::store::insert_move(tx, &note.code, note.seq, &held.case.unit, &to, (note.at, "owner"))
        .await?;
    Ok(Some(Fact::CaseMoved {
        case: note.code.clone(),
        from: held.case.unit,
        to,
    }))
}

/// Puts the files away; the rows that point to them come with the status.
async fn keep_results(cases: &Cases, note: &StatusNote) -> Result<Vec<ResultRow>, Problem> {
    let mut kept = Vec::new();
    for result in &note.results {
        let bad = |code| Problem::invalid("results", code);
        let bytes = STANDARD
            .decode(&result.pdf_base64)
            .map_err(|_| bad("result-not-base64"))?;
        if Digest::of(&bytes) != result.digest {
            return Err(bad("result-digest"));
        }
        if !bytes.starts_with(b"%PDF-") {
            return Err(bad("paper-not-pdf"));
        }
        cases.store.blobs().put(&bytes).await?;
        kept.push(ResultRow {
            document: kernel::text::clean(&result.document),
            name: kernel::text::clean(&result.name),
            number: kernel::text::clean(&result.number),
            digest: result.digest,
            kind: result.kind,
            with_seq: note.seq,
        });
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use crate::testing::{PDF, Portal, lan};
    use serde_json::{Value, json};

    #[tokio::test]
    async fn statuses_are_noted_in_order_and_once() {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        let due = testkit::START.plus_ms(3_600_000);
        let gap = portal
            .note(&code, json!({"seq": 2, "status": 4}))
            .await
            .expect_err("1 is missing");
        assert_eq!((gap.code, gap.kind.status()), ("case-status-gap", 409));
        let working_out = json!({"from": testkit::START.ms(), "term_minutes": 60, "rule": "same-day",
            "lines": [{"date": "2026-11-21", "minutes": 60, "reason": ""}], "due": due.ms()});
        let first = json!({"seq": 1, "status": 2, "due": due.ms(), "working_out": working_out});
        assert_eq!(
            portal.note(&code, first.clone()).await.expect("noted"),
            json!({"noted": 1})
        );
        assert_eq!(
            portal.note(&code, first).await.expect("again"),
            json!({"noted": 1})
        );
        let results = json!([portal.result("doc1", PDF.as_bytes())]);
        portal
            .note(&code, json!({"seq": 2, "status": 9, "results": results}))
            .await
            .expect("noted");
        let case = portal
            .get(Some(&lan()), &format!("/api/v1/cases/{code}"))
            .await
            .json();
        let seqs: Vec<i64> = case["statuses"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|s| s["seq"].as_i64())
            .collect();
        assert_eq!(seqs, [0, 1, 2]);
        assert_eq!(
            (case["status"].clone(), case["due_at"].clone()),
            (9.into(), due.rfc3339().into())
        );
        assert_eq!(case["results"][0]["document"], "doc1");
        let facts = portal.facts(&format!("case/{code}")).await;
        assert_eq!(facts, ["case-filed", "case-status-noted", "case-status-noted"]);
        let page = portal.get(Some(&lan()), &format!("/cases/{code}")).await.body;
        assert!(
            page.contains("21/11/2026") && page.contains("60"),
            "the working-out is shown"
        );
    }

    #[tokio::test]
    async fn only_the_owner_of_a_case_may_say_where_it_stands() {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        let note = json!({"seq": 1, "status": 2});
        assert_eq!(
            portal
                .note_by("H01/one-stop", &code, note.clone())
                .await
                .expect_err("not theirs")
                .kind
                .status(),
            404
        );
        assert_eq!(
            portal
                .note("G22-261121-0099", note)
                .await
                .expect_err("no such case")
                .kind
                .status(),
            404
        );
        assert_eq!(portal.facts(&format!("case/{code}")).await, ["case-filed"]);
    }

    #[tokio::test]
    async fn a_status_that_is_none_and_a_result_that_is_not_the_signed_one_are_refused() {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        let mut changed = portal.result("doc1", PDF.as_bytes());
        changed["digest"] = json!(kernel::Digest::of(b"another").hex());
        for (note, wanted) in [
            (json!({"seq": 1, "status": 11}), "case-status-unknown"),
            (json!({"seq": 0, "status": 2}), "case-status-unknown"),
            (
                json!({"seq": 1, "status": 9, "results": [changed]}),
                "result-digest",
            ),
            (
                json!({"seq": 1, "status": 9, "results": [portal.result("d", b"<html>")]}),
                "paper-not-pdf",
            ),
            (json!({"seq": 1, "status": 2, "extra": 1}), "json-bad"),
        ] {
            assert_eq!(portal.note(&code, note).await.expect_err("refused").code, wanted);
        }
        assert_eq!(portal.facts(&format!("case/{code}")).await, ["case-filed"]);
    }

    #[tokio::test]
    async fn a_status_that_cannot_follow_the_last_one_is_refused_and_leaves_nothing() {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        let skipped = portal.note(&code, json!({"seq": 1, "status": 10})).await;
        let skipped = skipped.expect_err("nobody has accepted it");
        assert_eq!((skipped.code, skipped.kind.status()), ("case-status-move", 409));
        let both = [("from", "1".to_owned()), ("to", "10".to_owned())];
        assert_eq!(skipped.args, both);
        assert_eq!(portal.facts(&format!("case/{code}")).await, ["case-filed"]);
        for (seq, status) in [(1, 2), (2, 7), (3, 7)] {
            let note = json!({"seq": seq, "status": status});
            portal.note(&code, note).await.expect("noted");
        }
        let again = portal.note(&code, json!({"seq": 4, "status": 4})).await;
        assert_eq!(again.expect_err("it was taken back").code, "case-status-move");
        let early = json!({"seq": 4, "status": 4, "at": 0});
        let early = portal.note(&code, early).await.expect_err("no table of 1970");
        assert_eq!(early.code, "case-status-move");
        let case = portal
            .get(Some(&lan()), &format!("/api/v1/cases/{code}"))
            .await
            .json();
        assert_eq!(case["status"], 7);
    }

    const AT_DESK: &str = "H56-261123-0001";

    /// The first word of a case that was handed in at a desk.
    fn first_word() -> Value {
        json!({"seq": 1, "status": 2, "case": {
            "procedure": "1.001193", "version": crate::testing::birth().version(), "unit": "H56.15865",
            "channel": "counter", "number": "038196000001", "name": "Lê Thị Lan",
            "filed_at": testkit::START.ms()}})
    }

    #[tokio::test]
    async fn a_case_handed_in_at_a_desk_is_here_with_its_first_status_and_once() {
        let portal = Portal::new().await;
        let subject = format!("case/{AT_DESK}");
        for _ in 0..2 {
            let noted = portal.note(AT_DESK, first_word()).await.expect("noted");
            assert_eq!(noted, json!({"noted": 1}));
            assert_eq!(portal.facts(&subject).await, ["case-filed", "case-status-noted"]);
        }
        portal
            .note(AT_DESK, json!({"seq": 2, "status": 4}))
            .await
            .expect("goes on");
        assert_eq!(portal.waiting().await, [], "nothing is handed over");
        let track = [("code", AT_DESK), ("digits", "0001")];
        let page = portal.post(None, "/track", &track).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.body.contains(AT_DESK), "{}", page.body);
        let other = portal.get(Some(&lan()), &format!("/cases/{AT_DESK}")).await;
        assert_eq!(other.status, 404, "it is no account's");
    }

    #[tokio::test]
    async fn only_who_gave_a_code_makes_a_case_of_it_known() {
        let portal = Portal::new().await;
        let other = portal.note_by("H01/one-stop", AT_DESK, first_word()).await;
        assert_eq!(other.expect_err("not theirs").kind.status(), 404);
        let mut elsewhere = first_word();
        elsewhere["case"]["unit"] = json!("H01");
        let other = portal.note_by("H01/one-stop", AT_DESK, elsewhere.clone()).await;
        assert_eq!(other.expect_err("not their code").kind.status(), 404);
        let other = portal.note(AT_DESK, elsewhere).await;
        assert_eq!(other.expect_err("not their unit").kind.status(), 404);
        // The portal's own code, of a case that it filed and of one that it did not.
        let filed = portal.filed(&lan()).await;
        let before = portal.get(Some(&lan()), &format!("/api/v1/cases/{filed}")).await;
        for (consumer, code) in [
            ("H01/one-stop", filed.as_str()),
            ("H56/one-stop", "G22-261121-0099"),
        ] {
            let made = portal.note_by(consumer, code, first_word()).await;
            assert_eq!(made.expect_err("the portal's own").kind.status(), 404, "{code}");
        }
        let after = portal.get(Some(&lan()), &format!("/api/v1/cases/{filed}")).await;
        assert_eq!(before.json(), after.json());
        assert_eq!(
            portal.facts(&format!("case/{AT_DESK}")).await,
            Vec::<String>::new()
        );
    }

    #[tokio::test]
    async fn a_first_word_that_is_wrong_leaves_nothing() {
        let portal = Portal::new().await;
        let changed = |key: &str, value: Value| {
            let mut word = first_word();
            word["case"][key] = value;
            word
        };
        let mut gap = first_word();
        gap["seq"] = json!(2);
        let mut status = first_word();
        status["status"] = json!(11);
        for (word, wanted) in [
            (changed("version", json!("0".repeat(64))), "case-version-unknown"),
            (changed("procedure", json!("1.000656")), "case-version-unknown"),
            (changed("unit", json!("H56.99999")), "case-unit-unknown"),
            (changed("answers", json!({})), "json-bad"),
            (
                changed("filed_at", json!(1_700_000_000_000_i64)),
                "case-portal-not-then",
            ),
            (status, "case-status-unknown"),
            (gap, "case-status-gap"),
        ] {
            let refused = portal.note(AT_DESK, word).await.expect_err("refused");
            assert_eq!(refused.code, wanted);
            assert_eq!(
                portal.facts(&format!("case/{AT_DESK}")).await,
                Vec::<String>::new()
            );
        }
    }
}
