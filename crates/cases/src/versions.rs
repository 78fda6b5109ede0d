//! Versions of procedures outlive the pack: each is kept as it was published, and a running case goes on
//! under its own, whatever the pack says by now. Never says which version is in force: see [`crate::catalogue`].

pub mod diff;
pub(crate) mod told;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use ::store::Tx;
use kernel::digest::canonical_json;
use kernel::time::{iso, parse_iso};
use kernel::{Actor, Date, Digest, Fact, Problem, ProcedureCode};

use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store as rows;

/// Versions read at once, count.
const PAGE: u32 = 200;

/// The versions that a place has kept and the pack has no longer.
#[derive(Debug, Default)]
pub(crate) struct Kept(RwLock<HashMap<Digest, Arc<Procedure>>>);

impl Kept {
    pub(crate) fn get(&self, version: &Digest) -> Option<Arc<Procedure>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(version).cloned()
    }

    pub(crate) fn put(&self, version: Digest, procedure: Procedure) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        kept.insert(version, Arc::new(procedure));
    }

    fn of(&self, code: &ProcedureCode) -> Vec<(Digest, Arc<Procedure>)> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let all = kept.iter().filter(|(_, procedure)| procedure.code == *code);
        all.map(|(version, procedure)| (*version, Arc::clone(procedure)))
            .collect()
    }
}

impl Cases {
    /// Keeps every version of the pack, and takes up again those that the pack has lost: at each start,
    /// before anything is asked. A row that is not what its name says is told and passed over: its cases
    /// wait, all others go on.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn keep_versions(&self) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                for procedure in self.catalogue.procedures() {
                    let (version, document) = (procedure.version(), written(procedure)?);
                    let from = parse_iso(&procedure.valid_from);
                    let from = from.ok_or_else(|| Problem::internal("a version without a first day"))?;
                    let named = (&procedure.code, from);
                    keep(&tx, &version, named, &document).await?;
                }
                Ok(())
            })
            .await?;
        self.take_up_versions().await?;
        self.take_up_designs().await
    }

    /// Takes up again the kept versions that the pack has not.
    ///
    /// # Errors
    /// Unavailable.
    pub(crate) async fn take_up_versions(&self) -> Result<(), Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let mut after = String::new();
        loop {
            let page = rows::versions(&reader, &after, PAGE).await?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = last.hex();
            for (version, document) in page {
                if self.catalogue.version(&version).is_some() {
                    continue;
                }
                match read(&version, &document) {
                    Some(procedure) => self.kept_versions().put(version, procedure),
                    None => tracing::error!(%version, "a kept version of a procedure cannot be read"),
                }
            }
        }
    }

    /// The text of a version that the pack has not, for whom it is told; nothing for one of the pack.
    ///
    /// # Errors
    /// As [`Cases::version`].
    pub(crate) fn document_beside(&self, version: &Digest) -> Result<Option<String>, Problem> {
        if self.catalogue.version(version).is_some() {
            return Ok(None);
        }
        let procedure = self.version(version)?;
        written(&procedure).map(Some)
    }

    /// Keeps a version that came with its first case, from where it was published; one that is known is left alone.
    ///
    /// # Errors
    /// 422 `case-version-unknown` for a text that is not what its name says, or that breaks a rule of documents.
    pub(crate) async fn adopt_version(
        &self,
        version: &Digest,
        code: &ProcedureCode,
        document: Option<&str>,
    ) -> Result<(), Problem> {
        let Some(document) = document.filter(|_| self.version(version).is_err()) else {
            return Ok(());
        };
        let unknown = || Problem::invalid("version", "case-version-unknown");
        let procedure = read(version, document)
            .filter(|procedure| procedure.code == *code && crate::pack::flaws(procedure).is_empty())
            .ok_or_else(unknown)?;
        let from = parse_iso(&procedure.valid_from).ok_or_else(unknown)?;
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                keep(&tx, version, (code, from), document).await
            })
            .await?;
        self.kept_versions().put(*version, procedure);
        Ok(())
    }

    /// The versions of a code with their first days, oldest first: those of the pack, and those that it
    /// has no longer.
    #[must_use]
    pub fn versions_of(&self, code: &ProcedureCode) -> Vec<(Date, Digest, Arc<Procedure>)> {
        let now = self.catalogue.versions_of(code).iter();
        let now = now.map(|(from, procedure)| (*from, procedure.version(), Arc::clone(procedure)));
        let before = self.kept_versions().of(code).into_iter();
        let before = before
            .filter_map(|(version, procedure)| Some((parse_iso(&procedure.valid_from)?, version, procedure)));
        let mut all: Vec<_> = now.chain(before).collect();
        all.sort_by_key(|(from, version, _)| (*from, *version));
        all
    }
}

/// Keeps a version with its fact, once; false when it was there.
pub(crate) async fn keep(
    tx: &Tx,
    version: &Digest,
    (code, from): (&ProcedureCode, Date),
    document: &str,
) -> Result<bool, Problem> {
    let is_new = rows::insert_version(tx, version, (code, from), document).await?;
    if is_new {
        let fact = Fact::ProcedurePublished {
            procedure: code.clone(),
            version: *version,
            from: iso(from),
        };
        tx.fact(&format!("procedure/{code}"), fact).await?;
    }
    Ok(is_new)
}

/// A version as it is kept: the very text its name is the digest of.
pub(crate) fn written(procedure: &Procedure) -> Result<String, Problem> {
    canonical_json(procedure).map_err(Problem::internal)
}

/// A kept version, when it is still what its name says. Its name is that of the kept text: a later
/// release may write the same document with another one.
fn read(version: &Digest, document: &str) -> Option<Procedure> {
    let whole = Digest::of(document.as_bytes()) == *version;
    whole.then(|| serde_json::from_str(document).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::Catalogue;
    use crate::desk::testing::{CASE, Desk, handover};
    use crate::procedure::{Resumption, SupplementRule, TermRule};
    use crate::testing::{birth, nouns};

    /// A later release keeps reading what this one has written: a field that every document gets would
    /// change these names, and every running case would lose its procedure. A field that is new is left
    /// out where it says nothing.
    #[test]
    fn the_versions_of_the_pack_have_the_names_that_running_cases_know_them_by() {
        let names: Vec<(String, String)> = nouns()
            .catalogue
            .procedures()
            .map(|p| (p.code.to_string(), p.version().to_string()))
            .collect();
        let golden: Vec<(String, String)> = include_str!("../tests/golden/versions.txt")
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(code, version)| (code.to_owned(), version.to_owned()))
            .collect();
        assert_eq!(names, golden);
    }

    /// The pack after somebody has mended a word of the birth registration in its file.
    fn mended() -> Arc<Catalogue> {
        let mut procedures = Vec::new();
        for procedure in nouns().catalogue.procedures() {
            let mut procedure = Procedure::clone(procedure);
            procedure.name.en.push_str(" (mended)");
            procedures.push(procedure);
        }
        let mended = Catalogue::of(Vec::new(), procedures, Vec::new()).expect("days");
        Arc::new(mended.dated_as(&nouns().catalogue))
    }

    #[tokio::test]
    async fn a_running_case_keeps_its_version_when_the_pack_has_lost_it() {
        let desk = Desk::new().await;
        desk.cases.keep_versions().await.expect("kept");
        let lost = desk.with_catalogue(mended());
        let page = lost.get("tich", &format!("/desk/cases/{CASE}")).await;
        assert_eq!(page.status, 500, "nothing is guessed: {}", page.body);
        lost.cases.keep_versions().await.expect("kept");
        let of_code = lost.cases.versions_of(&birth().code);
        assert_eq!(of_code.len(), 2, "the old one and the mended one");
        assert!(
            of_code
                .iter()
                .any(|(_, version, _)| *version == birth().version())
        );
        let page = lost.get("tich", &format!("/desk/cases/{CASE}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        lost.to_sign().await;
        assert_eq!(
            lost.facts_of(&format!("document/receipt-{CASE}")).await,
            ["document-issued"]
        );
        assert_eq!(lost.sign_and_seal().await.status, 200);
        assert!(lost.facts().await.contains(&"case-decided".to_owned()));
    }

    #[tokio::test]
    async fn a_version_is_published_once_however_often_the_node_starts() {
        let desk = Desk::new().await;
        for _ in 0..2 {
            desk.cases.keep_versions().await.expect("kept");
        }
        assert_eq!(desk.facts_of("procedure/1.001193").await, ["procedure-published"]);
        let newer = desk.with_catalogue(mended());
        newer.cases.keep_versions().await.expect("kept");
        assert_eq!(
            newer.facts_of("procedure/1.001193").await,
            ["procedure-published", "procedure-published"]
        );
    }

    #[tokio::test]
    async fn what_is_filed_under_the_new_version_goes_beside_what_runs_under_the_old() {
        let desk = Desk::new().await;
        desk.cases.keep_versions().await.expect("kept");
        let desk = desk.with_catalogue(mended());
        desk.cases.keep_versions().await.expect("kept");
        let today = desk.cases.procedure_today(&birth().code).expect("in force");
        assert_ne!(today.version(), birth().version());
        let mut body = handover();
        body["code"] = json!("G22-261121-0002");
        body["version"] = json!(today.version());
        desk.receive(&body).await.expect("received under the new version");
        let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
        for (code, version) in [(CASE, birth().version()), ("G22-261121-0002", today.version())] {
            let code = code.parse().expect("a code");
            let held = rows::case(&reader, &code).await.expect("read").expect("a case");
            assert_eq!(held.case.version, version);
        }
    }

    #[test]
    fn a_kept_version_that_was_altered_is_not_taken_up() {
        let document = written(&birth()).expect("json");
        let version = birth().version();
        assert!(read(&version, &document).is_some());
        let altered = document.replace("commune", "province");
        assert!(read(&version, &altered).is_none());
    }

    /// Birth registration by the law of today, and by one from 1 March 2027 that this test makes up: only the
    /// day on which the new Civil Status Law is said to apply is known.
    fn two_laws() -> Arc<Catalogue> {
        let pause = SupplementRule {
            valid_from: "2027-03-01".to_owned(),
            rule: Resumption::Pause,
            ask_days: 3,
            answer_days: 20,
        };
        let mut old = Procedure::clone(&birth());
        old.supplement_rules.push(pause);
        let mut new = old.clone();
        new.valid_from = "2027-03-01".to_owned();
        for term in &mut new.terms {
            term.rule = TermRule::WorkingDays { days: 3 };
        }
        let both = Catalogue::of(Vec::new(), vec![old, new], Vec::new()).expect("days");
        Arc::new(both.dated_as(&nouns().catalogue))
    }

    fn at(text: &str) -> kernel::Time {
        kernel::Time::parse_minute(text).expect("a time")
    }

    #[tokio::test]
    async fn a_case_filed_under_the_civil_status_law_of_2014_ends_under_it_after_01_03_2027() {
        let desk = Desk::empty().await.with_catalogue(two_laws());
        desk.cases.keep_versions().await.expect("kept");
        let filed = at("2027-02-26T09:00");
        desk.temp.clock.set(filed);
        let law = |desk: &Desk| {
            desk.cases
                .procedure_today(&birth().code)
                .expect("in force")
                .version()
        };
        let old = law(&desk);
        let mut body = handover();
        body["version"] = json!(old);
        body["filed_at"] = json!(filed);
        desk.receive(&body).await.expect("received");
        desk.accept().await;
        desk.temp.clock.set(at("2027-02-26T16:00"));
        let slip = json!({"items": ["Giấy chứng sinh bị mờ"], "reason": "Không đọc được"});
        assert_eq!(desk.verb("tich", "ask-supplement", slip).await.status, 200);
        desk.temp.clock.set(at("2027-03-03T09:00"));
        assert_ne!(law(&desk), old, "another law is in force");
        assert_eq!(desk.supply(1, &json!([])).await["taken"], true);
        let row = desk.row().await;
        assert_eq!(row.case.version, old);
        assert_eq!(
            row.due_at,
            Some(at("2027-03-03T17:00")),
            "the old term, and anew as the old law has it"
        );
        assert_eq!(desk.state().await, "accepted");

        // What is filed under the new law beside it has the new term.
        let code = "G22-270302-0001";
        let mut body = handover();
        body["code"] = json!(code);
        body["version"] = json!(law(&desk));
        body["filed_at"] = json!(at("2027-03-03T08:00"));
        desk.receive(&body).await.expect("received");
        let path = format!("/api/v1/desk/cases/{code}/accept");
        let accepted = desk.post("tiep", &path, &json!({"revision": 1})).await;
        assert_eq!(accepted.status, 200, "{}", accepted.body);
        let due = at("2027-03-08T09:00").rfc3339();
        assert_eq!(accepted.json()["accepted"]["due"], due);

        desk.granted("").await;
        desk.deliver().await;
        assert_eq!(desk.sign_and_seal().await.status, 200);
        assert!(desk.facts().await.contains(&"case-decided".to_owned()));
    }
}
