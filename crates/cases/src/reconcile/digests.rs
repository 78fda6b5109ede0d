//! Service `case-digests`: an owner asks what a portal shows of its cases, a page at a time or by their codes. Answers
//! codes, units, statuses and instants, and no person; nobody learns of another owner's case.

use async_trait::async_trait;
use exchange::{Answer, Call, Service, ServiceId};
use kernel::{CaseCode, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};

use super::Shown;
use super::store::{self as list, After, Whose};
use crate::state::Cases;
use crate::store::{self as rows, Held};

/// What the service is called.
pub(crate) const SERVICE: &str = "case-digests";

/// The body of `case-digests`: which cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Wanted {
    /// A page of those that are open.
    Open {
        /// The place in the list after which to go on.
        #[serde(default)]
        after: Option<After>,
    },
    /// A page of those that were decided or ended since an instant.
    Ended {
        /// That instant.
        since: Time,
        /// The place in the list after which to go on.
        #[serde(default)]
        after: Option<After>,
    },
    /// These, wherever they stand; those that the portal does not know are left out.
    Codes {
        /// Their codes.
        codes: Vec<CaseCode>,
    },
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digests {
    /// What is shown of each.
    pub rows: Vec<Shown>,
    /// The place in the list after which more come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<After>,
}

/// The service.
#[derive(Clone, Debug)]
pub struct CaseDigests(pub Cases);

#[async_trait]
impl Service for CaseDigests {
    fn id(&self) -> ServiceId {
        let system = &self.0.system;
        ServiceId {
            org: system.org.clone(),
            system: system.system.clone(),
            service: SERVICE.to_owned(),
        }
    }

    async fn call(&self, call: Call) -> Result<Answer, Problem> {
        let wanted: Wanted = call.json()?;
        Answer::json(&self.0.digests(&call.consumer.org, &wanted).await?)
    }
}

impl Cases {
    async fn digests(&self, org: &OrgCode, wanted: &Wanted) -> Result<Digests, Problem> {
        let owner = org.top();
        let limit = self.store.limits().reconcile_rows_max.max(1);
        let reader = self.store.read(&self.tenant).await?;
        let (held, order): (Vec<Held>, fn(&Held) -> Time) = match wanted {
            Wanted::Codes { codes } => return self.of_codes(&reader, org, codes, limit).await,
            Wanted::Open { after } => {
                let after = after.clone().unwrap_or_else(After::start);
                let held = list::open(&reader, Whose::Of(&owner), &after, limit).await?;
                (held, open_order)
            }
            Wanted::Ended { since, after } => {
                let first = After {
                    at: *since,
                    ..After::start()
                };
                let after = after.clone().unwrap_or(first);
                let held = list::ended(&reader, Whose::Of(&owner), &after, limit).await?;
                (held, ended_order)
            }
        };
        let mut answer = Digests {
            rows: Vec::with_capacity(held.len()),
            next: next(&held, limit, order),
        };
        for one in &held {
            let shown = self.shown(&reader, one).await?;
            // What was filed and has not reached its owner yet, as while its fee is not paid, is the portal's own.
            if shown.seq > 0 || one.handed_over_at.is_some() {
                answer.rows.push(shown);
            }
        }
        Ok(answer)
    }

    async fn of_codes(
        &self,
        reader: &::store::Reader,
        org: &OrgCode,
        codes: &[CaseCode],
        limit: usize,
    ) -> Result<Digests, Problem> {
        if codes.len() > limit {
            return Err(Problem::invalid("codes", "case-digests-many").with("max", limit));
        }
        let mut answer = Digests::default();
        for code in codes {
            let held = rows::case(reader, code).await?;
            if let Some(held) = held.filter(|held| self.is_owner(&held.case, org)) {
                answer.rows.push(self.shown(reader, &held).await?);
            }
        }
        Ok(answer)
    }
}

/// By what open cases are listed.
pub(crate) fn open_order(held: &Held) -> Time {
    held.due_at.unwrap_or(held.case.filed_at)
}

/// By what ended cases are listed.
pub(crate) fn ended_order(held: &Held) -> Time {
    held.ended_at.unwrap_or(held.case.filed_at)
}

/// The place after which a list goes on behind a page; `None` behind the last one.
pub(crate) fn next(page: &[Held], limit: usize, order: fn(&Held) -> Time) -> Option<After> {
    let last = page.last().filter(|_| page.len() == limit)?;
    Some(After {
        at: order(last),
        code: last.case.code.to_string(),
    })
}
