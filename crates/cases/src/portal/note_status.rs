//! Service `note-status`: the owner of a case says where it stands; every change once and in order.
//! Never takes a word from anybody but the case's owner.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange::{Answer, Call, Service, ServiceId};
use kernel::{Actor, CaseCode, Digest, Fact, Kind, Problem, Time};
use serde::{Deserialize, Serialize};

use crate::citizen::course::ENDED;
use crate::clock::WorkingOut;
use crate::notice::Notice;
use crate::state::Cases;
use crate::store::{self as rows, GivenKind, ResultRow, StatusRow};

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
    /// What is given to the applicant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<GivenResult>,
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
        owned(cases, &reader, &note, &call).await?;
        if !(1..=10).contains(&note.status) || note.seq == 0 {
            return Err(Problem::invalid("status", "case-status-unknown").with("status", note.status));
        }
        let results = keep_results(cases, &note).await?;
        let (note, results, call) = (&note, &results, &call);
        let noted = cases
            .store
            .write(
                &cases.tenant,
                &Actor::System(call.consumer.to_string()),
                |tx| async move {
                    owned(cases, &tx, note, call).await?;
                    let last = rows::last_status(&tx, &note.code).await?;
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
                    let before = rows::case(&tx, &note.code).await?.map(|held| held.status);
                    let ended = ENDED.contains(&note.status);
                    rows::note_status(&tx, &note.code, &row, ended, note.working_out.as_ref()).await?;
                    for result in results {
                        rows::insert_result(&tx, &note.code, result).await?;
                    }
                    if let Some(moved) = moved(&tx, note, call).await? {
                        tx.fact(&rows::subject(&note.code), moved).await?;
                        return Ok(note.seq);
                    }
                    let fact = Fact::CaseStatusNoted {
                        case: note.code.clone(),
                        owner: call.consumer.org.clone(),
                        seq: note.seq,
                        status: note.status,
                        at: note.at,
                        due: note.due,
                        repeated: before == Some(note.status),
                    };
                    tx.fact(&rows::subject(&note.code), fact).await?;
                    Ok(note.seq)
                },
            )
            .await?;
        Answer::json(&Noted { noted })
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

/// A case that is not the caller's does not exist for it.
async fn owned(cases: &Cases, rows: &impl rows::Rows, note: &StatusNote, call: &Call) -> Result<(), Problem> {
    let held = rows::case(rows, &note.code).await?;
    held.filter(|h| cases.is_owner(&h.case, &call.consumer.org))
        .map(|_| ())
        .ok_or_else(Problem::not_found)
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
    use serde_json::json;

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
}
