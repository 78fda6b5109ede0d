//! People at work while nodes die: citizens file, officials decide, and each remembers what was
//! acknowledged. A refusal or a silence is answered as people answer it: by trying again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use kernel::World;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::birth::{self, Answers, Desk};
use crate::people::Person;
use crate::site::Site;

/// Between two tries.
const REST: Duration = Duration::from_millis(60);
/// Cases that may wait for the desk before citizens file no more, count.
const WAITING_MAX: usize = 12;
/// Every so many-th citizen's form is filled from the registers.
const PREFILL_EVERY: usize = 2;
/// Every so many-th case is sent back once before it is signed.
const SEND_BACK_EVERY: usize = 5;

/// What the platform acknowledged, as its people remember it.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    filed: BTreeSet<String>,
    signed: BTreeSet<String>,
    /// Codes of cases that were found signed: the answer to a signature may have died with a node.
    past: BTreeSet<String>,
    /// Request ids of exchanges whose answers a citizen has seen.
    exchanges: BTreeSet<String>,
    drafts: BTreeSet<String>,
    /// How often each reason to try again was given.
    again: BTreeMap<String, usize>,
}

impl Ledger {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Codes of cases whose filing was acknowledged.
    #[must_use]
    pub fn filed(&self) -> BTreeSet<String> {
        self.kept().filed.clone()
    }

    /// Codes of cases whose signature was acknowledged.
    #[must_use]
    pub fn signed(&self) -> BTreeSet<String> {
        self.kept().signed.clone()
    }

    /// Request ids of exchanges whose answers were seen.
    #[must_use]
    pub fn exchanges(&self) -> BTreeSet<String> {
        self.kept().exchanges.clone()
    }

    /// Why people had to try again, and how often.
    #[must_use]
    pub fn again(&self) -> BTreeMap<String, usize> {
        self.kept().again.clone()
    }

    fn waiting(&self) -> usize {
        let kept = self.kept();
        let open = |code: &&String| !kept.signed.contains(*code) && !kept.past.contains(*code);
        kept.filed.iter().filter(open).count()
    }

    /// Notes why something has to be done again, by the innermost cause, and rests.
    async fn rest(&self, what: &str, cause: &anyhow::Error) {
        let reason: String = cause.root_cause().to_string().chars().take(80).collect();
        *self.kept().again.entry(format!("{what}: {reason}")).or_default() += 1;
        tokio::time::sleep(REST).await;
    }
}

/// What every citizen fills in.
#[derive(Clone, Debug)]
pub struct Form {
    /// The answers.
    pub answers: Answers,
    /// The paper.
    pub paper: Arc<Vec<u8>>,
    /// Where the chance comes from by which each case is another child's.
    pub world: World,
}

/// Files cases until told to stop; the one that was begun is brought to its end.
pub async fn citizen(
    number: usize,
    site: Site,
    ledger: Arc<Ledger>,
    form: Form,
    stop: watch::Receiver<bool>,
) {
    let mut me = loop {
        match Person::mother(&site).await {
            Ok(me) => break me,
            Err(cause) => ledger.rest("sign in", &cause).await,
        }
    };
    let mut turn = number;
    while !*stop.borrow() {
        if ledger.waiting() >= WAITING_MAX {
            tokio::time::sleep(REST).await;
            continue;
        }
        let Some(draft) = begin(&mut me, &ledger).await else {
            continue;
        };
        let prefilled = turn.is_multiple_of(PREFILL_EVERY);
        loop {
            match file(&mut me, &draft, &form, prefilled, &ledger).await {
                Ok(code) => {
                    ledger.kept().filed.insert(code);
                    break;
                }
                Err(cause) => ledger.rest("file", &cause).await,
            }
        }
        turn += 1;
    }
}

/// A draft of one's own: a new one, or one whose beginning was never acknowledged.
async fn begin(me: &mut Person, ledger: &Ledger) -> Option<String> {
    let begun = match birth::start(me).await {
        Ok(draft) => Ok(draft),
        Err(cause) => orphan(me, ledger).await.map_err(|_| cause),
    };
    match begun {
        Ok(draft) => ledger.kept().drafts.insert(draft.clone()).then_some(draft),
        Err(cause) => {
            ledger.rest("begin", &cause).await;
            None
        }
    }
}

async fn orphan(me: &mut Person, ledger: &Ledger) -> anyhow::Result<String> {
    let page = me.get("/cases").await?;
    let text = page.ok()?.text();
    let ids = text
        .split("\"/drafts/")
        .skip(1)
        .filter_map(|rest| rest.split(['"', '/', '?']).next());
    let kept = ledger.kept();
    let free = ids.into_iter().find(|id| !kept.drafts.contains(*id));
    free.map(str::to_owned)
        .context("there is no draft without an owner")
}

/// Brings a draft to its case from wherever it stands.
async fn file(
    me: &mut Person,
    draft: &str,
    form: &Form,
    prefilled: bool,
    ledger: &Ledger,
) -> anyhow::Result<String> {
    let stands = me.get(&format!("/drafts/{draft}")).await?;
    if stands.ok()?.url.contains("/cases/") {
        // It was filed, and the answer never came.
        return birth::code(&stands.url);
    }
    if prefilled {
        birth::prefill(me, draft).await?;
        let seen = me.get(&format!("/api/v1/drafts/{draft}")).await?.json()?;
        let filled = seen["prefilled"].as_object().into_iter().flatten();
        let requests = filled.filter_map(|(_, field)| field["request"].as_str().map(str::to_owned));
        ledger.kept().exchanges.extend(requests);
    }
    birth::fill(me, draft, &form.answers.another(&form.world), &form.paper).await?;
    birth::file(me, draft).await
}

/// Decides whatever comes to the desk, until told to stop.
pub async fn officials(site: Site, ledger: Arc<Ledger>, stop: watch::Receiver<bool>) {
    let mut desk = loop {
        match Desk::of(&site).await {
            Ok(desk) => break desk,
            Err(cause) => ledger.rest("sign in", &cause).await,
        }
    };
    let mut sent_back = BTreeSet::new();
    while !*stop.borrow() {
        match open_cases(&mut desk.receptionist).await {
            Ok(codes) if codes.is_empty() => tokio::time::sleep(REST).await,
            Ok(codes) => {
                for code in codes {
                    if let Err(cause) = step(&mut desk, &code, &ledger, &mut sent_back).await {
                        ledger.rest("decide", &cause).await;
                    }
                }
                tokio::time::sleep(REST).await;
            }
            Err(cause) => ledger.rest("list", &cause).await,
        }
    }
}

async fn open_cases(official: &mut Person) -> anyhow::Result<Vec<String>> {
    let list = official.get("/api/v1/desk/cases").await?.json()?;
    let items = list["items"].as_array().context("a list of cases")?;
    Ok(items
        .iter()
        .filter_map(|item| item["code"].as_str().map(str::to_owned))
        .collect())
}

/// The next thing to be done with a case, by whose turn it is.
async fn step(
    desk: &mut Desk,
    code: &str,
    ledger: &Ledger,
    sent_back: &mut BTreeSet<String>,
) -> anyhow::Result<()> {
    let path = format!("/api/v1/desk/cases/{code}");
    let seen = desk.receptionist.get(&path).await?.json()?;
    match seen["state"].as_str().context("a case has a state")? {
        "received" => birth::act(&mut desk.receptionist, &seen, "accept", &json!({}))
            .await
            .map(drop),
        "accepted" | "reworking" => {
            let granted = json!({"outcome": "granted", "note": "Đủ điều kiện"});
            birth::act(&mut desk.officer, &seen, "propose", &granted)
                .await
                .map(drop)
        }
        // The draft may still be on its way to the portal, or the answer on its way back.
        "draft" => {
            let case = desk
                .applicant
                .get(&format!("/api/v1/cases/{code}"))
                .await?
                .json()?;
            if case["draft"].is_null() {
                return Ok(());
            }
            let path = format!("/api/v1/cases/{code}/draft-answer");
            let agreed = json!({"agreed": true});
            desk.applicant.post_json(&path, &agreed).await.map(drop)
        }
        "to-seal" => {
            ledger.kept().past.insert(code.to_owned());
            birth::act(&mut desk.clerk, &seen, "seal", &json!({}))
                .await
                .map(drop)
        }
        "to-sign" if is_sent_back(code) && sent_back.insert(code.to_owned()) => {
            let note = json!({"note": "Kiểm tra lại"});
            birth::act(&mut desk.chairman, &seen, "send-back", &note)
                .await
                .map(drop)
        }
        "to-sign" => {
            let done: Value = birth::act(&mut desk.chairman, &seen, "sign", &json!({})).await?;
            if done["code"] != code {
                bail!("the answer to a signature is of another case");
            }
            ledger.kept().signed.insert(code.to_owned());
            Ok(())
        }
        // The platform's own steps come about by themselves.
        _ => Ok(()),
    }
}

/// Told by the code's number, so that a seed gives the same again.
fn is_sent_back(code: &str) -> bool {
    let number = code.rsplit('-').next().and_then(|n| n.parse::<usize>().ok());
    number.is_some_and(|n| n.is_multiple_of(SEND_BACK_EVERY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_found_signed_keeps_nobody_waiting_though_the_answer_was_lost() {
        let ledger = Ledger::default();
        for code in ["a", "b", "c"] {
            ledger.kept().filed.insert(code.to_owned());
        }
        ledger.kept().signed.insert("a".to_owned());
        ledger.kept().past.extend(["a".to_owned(), "b".to_owned()]);
        assert_eq!(ledger.waiting(), 1);
        assert_eq!(ledger.signed().len(), 1, "only what was acknowledged is audited");
    }

    #[test]
    fn every_fifth_case_is_sent_back_once() {
        let back: Vec<bool> = (1..=10)
            .map(|n| is_sent_back(&format!("G22-261121-{n:04}")))
            .collect();
        assert_eq!(back.iter().filter(|b| **b).count(), 2);
        assert!(!is_sent_back("G22"));
    }
}
