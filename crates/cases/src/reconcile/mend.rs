//! `POST /desk/reconciliation/{code}/mend`: the portal is told again what it lacks of a case, by the outbox and in order; and
//! where it has something else, where the case stands. What is done is decided when the line is delivered, by what the portal
//! shows then. Never changes a case, and never what only the portal can bring back.

use ::store::{Deliver, OutboxLine};
use async_trait::async_trait;
use axum::response::{IntoResponse, Redirect, Response};
use exchange::{Ask, ServiceId, SystemId};
use kernel::{Actor, CaseCode, Fact, Kind, Problem};
use serde::Serialize;
use serde_json::json;
use web::openapi::{ToSchema, utoipa};
use web::{Json, Page, Principal, Refusal};

use super::restate::{self, Restatement};
use super::store::{self as list, Difference};
use super::{Shown, differs, page};
use crate::case_of;
use crate::desk::official::AtCase;
use crate::state::Cases;
use crate::store::{self as rows, Held, StatusRow, subject};

/// The outbox topic; its keys are case codes. Another than that of the statuses: a line that the portal refuses there holds
/// up what would mend it.
pub(crate) const TOPIC: &str = "case-mend";

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Mended {
    /// The case.
    code: String,
    /// Since when the portal is being told again, RFC 3339.
    mending_since: String,
}

/// Has the portal told again, by a form.
#[utoipa::path(post, path = "/desk/reconciliation/{code}/mend", tag = "desk", security(("session" = ["supervisor"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the list"), (status = 403), (status = 404),
              (status = 409, description = "the list again: the portal cannot be told of this case", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-mended"]))))]
pub(crate) async fn by_form(at: AtCase, page: Page) -> Result<Response, Refusal> {
    match at.cases.mend(&at.who, &at.code).await {
        Ok(_) => Ok(Redirect::to("/desk/reconciliation").into_response()),
        Err(problem) if problem.kind == Kind::Conflict => {
            page::with_fault(&at.cases, &at.who, &page, &problem).await
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Has the portal told again.
#[utoipa::path(post, path = "/api/v1/desk/reconciliation/{code}/mend", tag = "desk", security(("session" = ["supervisor"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "since when the portal is being told again", body = Mended), (status = 403),
              (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["case-mended"]))))]
pub(crate) async fn by_json(at: AtCase) -> Result<Json<Mended>, Refusal> {
    Ok(Json(at.cases.mend(&at.who, &at.code).await?))
}

/// Why a case cannot be mended from here; `None` when it can.
pub(crate) fn cannot(cases: &Cases, found: &Difference) -> Option<&'static str> {
    if found.ours.is_none() {
        Some("case-mend-not-here")
    } else if found.theirs.is_none() && !cases.gave(&found.code) {
        Some("case-mend-not-there")
    } else {
        None
    }
}

/// What the portal has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Our changes from this number on.
    From(u32),
    /// Where the case stands, above this number.
    Above(u32),
    /// Only the portal can bring the case back.
    None,
}

impl Cases {
    /// True for a code of this place's own: the portal hears of such a case with its first status.
    fn gave(&self, code: &CaseCode) -> bool {
        code.issuer().top() == self.tenant.top()
    }

    async fn mend(&self, who: &Principal, code: &CaseCode) -> Result<Mended, Problem> {
        self.may_reconcile(who)?;
        let since = self
            .store
            .write(&self.tenant, &who.actor, |tx| async move {
                let found = list::difference(&tx, code).await?;
                let found = found.ok_or_else(Problem::not_found)?;
                if let Some(since) = found.mending {
                    return Ok(since);
                }
                if let Some(why) = cannot(self, &found) {
                    return Err(Problem::new(Kind::Conflict, why).with("code", code));
                }
                list::set_mending(&tx, code, Some(tx.now())).await?;
                tx.outbox(TOPIC, code.as_str(), &json!({})).await?;
                let fact = Fact::CaseMended {
                    case: code.clone(),
                    what: list::words(&found.what),
                };
                tx.fact(&subject(code), fact).await?;
                Ok(tx.now())
            })
            .await?;
        Ok(Mended {
            code: code.to_string(),
            mending_since: since.rfc3339(),
        })
    }

    /// Tells the portal what it lacks, and looks whether both say the same then.
    async fn mend_now(&self, code: &CaseCode) -> Result<(), Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let Some(held) = rows::case(&reader, code).await? else {
            drop(reader);
            return self.left(code).await;
        };
        let portal = self.portal_of(&reader, &held.case).await?;
        let ours = self.shown(&reader, &held).await?;
        let statuses = rows::statuses(&reader, code).await?;
        drop(reader);
        let theirs = self.theirs_of(&portal, code).await?;
        if differs(Some(&ours), theirs.as_ref()).is_empty() {
            return self.judged(code, Some(ours), theirs).await;
        }
        match self.way(code, &ours, theirs.as_ref(), &statuses) {
            Way::None => return self.judged(code, Some(ours), theirs).await,
            Way::From(first) => match self.tell_from(&portal, code, first, &statuses).await {
                // What the portal has before it does not let it be told: it is told where the case stands.
                Err(problem) if problem.kind == Kind::Conflict => {
                    let above = theirs.map_or(0, |theirs| theirs.seq);
                    self.restate(&portal, &held, above).await?;
                }
                told => told?,
            },
            Way::Above(seq) => self.restate(&portal, &held, seq).await?,
        }
        let theirs = self.theirs_of(&portal, code).await?;
        let reader = self.store.read(&self.tenant).await?;
        let held = rows::case(&reader, code).await?;
        let ours = self.side(&reader, held.as_ref()).await?;
        drop(reader);
        self.judged(code, ours, theirs).await
    }

    /// Nothing can be done from here: it stays on the list.
    async fn left(&self, code: &CaseCode) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                list::set_mending(&tx, code, None).await
            })
            .await
    }

    fn way(&self, code: &CaseCode, ours: &Shown, theirs: Option<&Shown>, statuses: &[StatusRow]) -> Way {
        let Some(theirs) = theirs else {
            return if self.gave(code) { Way::From(1) } else { Way::None };
        };
        let same = |row: &StatusRow| row.seq == theirs.seq && row.status == theirs.status;
        if theirs.seq < ours.seq && statuses.iter().any(same) {
            Way::From(theirs.seq + 1)
        } else {
            Way::Above(theirs.seq)
        }
    }

    /// Tells our changes of a case from a number on, in order.
    async fn tell_from(
        &self,
        portal: &SystemId,
        code: &CaseCode,
        first: u32,
        statuses: &[StatusRow],
    ) -> Result<(), Problem> {
        for row in statuses.iter().filter(|row| row.seq >= first) {
            let reader = self.store.read(&self.tenant).await?;
            let restated = list::is_restated(&reader, code, row.seq).await?;
            let held = rows::case(&reader, code).await?;
            drop(reader);
            match held.filter(|_| restated) {
                Some(held) => self.tell_restated(portal, &held, row).await?,
                None => self.tell_status(code, row.seq).await?,
            }
        }
        Ok(())
    }

    /// Says where a case stands, above what the portal has; said before and not heard, it is said again.
    async fn restate(&self, portal: &SystemId, held: &Held, above: u32) -> Result<(), Problem> {
        let code = &held.case.code;
        let row = self
            .store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                let held = rows::case(&tx, code).await?.ok_or_else(Problem::not_found)?;
                let statuses = rows::statuses(&tx, code).await?;
                let last = statuses.last().map_or(0, |row| row.seq);
                if last > above && list::is_restated(&tx, code, last).await? {
                    return statuses.into_iter().next_back().ok_or_else(Problem::not_found);
                }
                let procedure = self.procedure_of(&held.case)?;
                let row = StatusRow {
                    seq: last.max(above) + 1,
                    status: held.case.status(&procedure),
                    at: tx.now(),
                    due: self.shown(&tx, &held).await?.due,
                    notice: None,
                };
                rows::insert_status(&tx, code, &row).await?;
                list::insert_restated(&tx, code, row.seq, row.at).await?;
                if held.status != row.status {
                    // The row said something else than the state it belongs to.
                    list::set_shown(&tx, code, row.status, held.due_at, held.ended_at).await?;
                }
                Ok(row)
            })
            .await?;
        self.tell_restated(portal, held, &row).await
    }

    async fn tell_restated(&self, portal: &SystemId, held: &Held, row: &StatusRow) -> Result<(), Problem> {
        let code = &held.case.code;
        let said = Restatement {
            code: code.clone(),
            seq: row.seq,
            status: row.status,
            at: row.at,
            due: row.due,
            unit: held.case.unit.clone(),
        };
        let service = ServiceId {
            org: portal.org.clone(),
            system: portal.system.clone(),
            service: restate::SERVICE.to_owned(),
        };
        let ask = Ask {
            consumer: self.system.clone(),
            service,
            body: serde_json::to_vec(&said).map_err(Problem::internal)?.into(),
            on_behalf: format!("system:{}", self.system),
            issue: Some(code.to_string()),
            idempotency: Some(format!("{code}/again/{}", row.seq)),
        };
        let heard = self.exchange.ask(ask).await?;
        if (200..300).contains(&heard.status) {
            Ok(())
        } else {
            Err(heard.refusal())
        }
    }

    /// Takes the case off the list, or keeps on it what differs still.
    async fn judged(
        &self,
        code: &CaseCode,
        ours: Option<Shown>,
        theirs: Option<Shown>,
    ) -> Result<(), Problem> {
        let now = self.store.world().now();
        let found = &Difference {
            code: code.clone(),
            what: differs(ours.as_ref(), theirs.as_ref()),
            ours,
            theirs,
            since: now,
            compared: now,
            mending: None,
        };
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                if found.what.is_empty() {
                    return list::remove(&tx, code).await;
                }
                list::put(&tx, found).await?;
                list::set_mending(&tx, code, None).await
            })
            .await
    }
}

/// Delivers what mends a case.
#[derive(Debug)]
pub(crate) struct Mends(pub(crate) Cases);

#[async_trait]
impl Deliver for Mends {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        self.0.mend_now(&case_of(line)?).await
    }
}
