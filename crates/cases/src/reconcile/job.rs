//! The comparison, once a day: our cases against what the portal shows of them, and what it shows as ours against what we
//! have. A page is a write of its own together with how far it has come, so that a restart goes on; a page that is done
//! twice changes nothing the second time. Never changes a case.

use ::store::Reader;
use exchange::{Ask, ServiceId, SystemId};
use kernel::time::iso;
use kernel::{Actor, CaseCode, Fact, Kind, Problem, Time};
use web::Principal;

use super::digests::{self, Digests, Wanted};
use super::store::{self as list, After, Difference, Part, Run, Whose};
use super::{Shown, differs};
use crate::case::Case;
use crate::state::Cases;
use crate::store::{self as rows, Held};

/// Pages of a comparison that whoever asks for it waits for, count; the job goes on with the rest.
const PAGES_ASKED: usize = 20;

/// Both sides of a case.
struct Pair {
    code: CaseCode,
    ours: Option<Shown>,
    theirs: Option<Shown>,
}

impl Pair {
    /// The last change of either side; what is later than a comparison's end is on its way.
    fn at(&self) -> Option<Time> {
        let at = |side: &Option<Shown>| side.as_ref().map(|shown| shown.at);
        at(&self.ours).max(at(&self.theirs))
    }
}

/// A page of pairs, and where the list goes on.
struct Page {
    pairs: Vec<Pair>,
    next: Option<After>,
}

impl Cases {
    /// Begins the day's comparison, or goes on with it; nothing when it is done, and where no agreement lets us ask.
    ///
    /// # Errors
    /// The portal's and the store's own problems; what was compared before stays.
    pub async fn reconcile(&self) -> Result<(), Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let before = list::run(&reader).await?;
        drop(reader);
        let today = iso(self.today());
        let run = match before {
            Some(run) if run.day == today && run.part == Part::Done => return Ok(()),
            Some(run) if run.day == today => run,
            before => {
                let Some(portal) = self.compared_with()? else {
                    return Ok(());
                };
                let until = self
                    .store
                    .world()
                    .now()
                    .plus_ms(-self.store.limits().reconcile_settle_ms);
                self.begin_run(portal, before, until, &Actor::Platform, false)
                    .await?
            }
        };
        self.go_on(run, &Actor::Platform, usize::MAX).await.map(|_| ())
    }

    /// The day's comparison of a node that runs: from the day after it first ran, when there is something to compare.
    ///
    /// # Errors
    /// As [`Cases::reconcile`].
    pub async fn reconcile_daily(&self) -> Result<(), Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let before = list::run(&reader).await?;
        drop(reader);
        if before.is_some() {
            return self.reconcile().await;
        }
        let Some(portal) = self.compared_with()? else {
            return Ok(());
        };
        let now = self.store.world().now();
        let first = &Run {
            portal,
            day: iso(self.today()),
            part: Part::Done,
            after: After::start(),
            since: now,
            until: now,
            began: now,
            compared: 0,
            done: None,
        };
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                list::begin(&tx, first).await
            })
            .await
    }

    /// The portal that files for this place today; `None` while no agreement lets us ask it.
    ///
    /// # Errors
    /// As [`Cases::portal_for`].
    pub(crate) fn compared_with(&self) -> Result<Option<SystemId>, Problem> {
        let portal = self.portal_for(&self.tenant, self.today())?;
        let service = service(&portal);
        let may = self
            .exchange
            .may_ask(&self.system, &service, self.store.world().now());
        Ok(may.then_some(portal))
    }

    /// Somebody wants to know now: all over again, with what is on its way.
    pub(crate) async fn compare_now(&self, who: &Principal) -> Result<Run, Problem> {
        self.may_reconcile(who)?;
        let portal = self.compared_with()?;
        let portal = portal.ok_or_else(|| Problem::new(Kind::Unavailable, "case-compare-not-agreed"))?;
        let reader = self.store.read(&self.tenant).await?;
        let before = list::run(&reader).await?;
        drop(reader);
        let now = self.store.world().now();
        let run = self.begin_run(portal, before, now, &who.actor, true).await?;
        self.go_on(run, &who.actor, PAGES_ASKED).await
    }

    pub(super) async fn begin_run(
        &self,
        portal: SystemId,
        before: Option<Run>,
        until: Time,
        actor: &Actor,
        asked: bool,
    ) -> Result<Run, Problem> {
        let now = self.store.world().now();
        let done = before.and_then(|run| run.done);
        let last = done.map_or(now, |(at, _)| at);
        let run = Run {
            portal,
            day: iso(now.date()),
            part: Part::OursOpen,
            after: After::start(),
            since: last.plus_ms(-self.store.limits().reconcile_back_ms),
            until,
            began: now,
            compared: 0,
            done,
        };
        let begun = &run;
        self.store
            .write(&self.tenant, actor, |tx| async move {
                list::begin(&tx, begun).await?;
                if asked {
                    let fact = Fact::CasesCompareAsked {
                        portal: begun.portal.org.clone(),
                    };
                    tx.fact(&subject(&begun.portal), fact).await?;
                }
                Ok(())
            })
            .await?;
        Ok(run)
    }

    /// Goes on with a comparison for some pages; as far as it came.
    pub(super) async fn go_on(&self, mut run: Run, actor: &Actor, pages: usize) -> Result<Run, Problem> {
        for _ in 0..pages {
            let page = match run.part {
                Part::Done => break,
                Part::OursOpen | Part::OursEnded | Part::Listed => self.ours(&run).await?,
                Part::TheirsOpen | Part::TheirsEnded => self.theirs(&run).await?,
            };
            match self.keep(&run, page, actor).await? {
                Some(next) => run = next,
                // Somebody else goes on with it.
                None => break,
            }
        }
        Ok(run)
    }

    /// A page of ours, or of the list, with what the portal shows of them.
    async fn ours(&self, run: &Run) -> Result<Page, Problem> {
        let limit = self.store.limits().reconcile_rows_max.max(1);
        let reader = self.store.read(&self.tenant).await?;
        if run.part == Part::Listed {
            let found = list::list(&reader, &run.after.code, limit).await?;
            let last = found.last().filter(|_| found.len() == limit);
            let next = last.map(|last| After {
                at: Time(0),
                code: last.code.to_string(),
            });
            let mut ours = Vec::with_capacity(found.len());
            for one in found {
                let held = rows::case(&reader, &one.code).await?;
                ours.push((one.code, self.side(&reader, held.as_ref()).await?));
            }
            drop(reader);
            let pairs = self.beside(&run.portal, ours).await?;
            return Ok(Page { pairs, next });
        }
        let (held, next) = match run.part {
            Part::OursOpen => {
                let held = list::open(&reader, Whose::All, &run.after, limit).await?;
                let next = digests::next(&held, limit, digests::open_order);
                (held, next)
            }
            _ => {
                let held = list::ended(&reader, Whose::All, &run.begins(), limit).await?;
                let next = digests::next(&held, limit, digests::ended_order);
                (held, next)
            }
        };
        let mut ours = Vec::with_capacity(held.len());
        for one in held.iter().filter(|one| self.is_filed_at(&one.case, &run.portal)) {
            let shown = self.shown(&reader, one).await?;
            // A portal hears of what was handed in at a desk with its first status.
            if shown.seq > 0 || one.case.course.intake.is_none() {
                ours.push((shown.code.clone(), Some(shown)));
            }
        }
        drop(reader);
        let pairs = self.beside(&run.portal, ours).await?;
        Ok(Page { pairs, next })
    }

    /// A page of what the portal shows, with what we have.
    async fn theirs(&self, run: &Run) -> Result<Page, Problem> {
        let after = Some(&run.after).filter(|after| **after != After::start());
        let wanted = match run.part {
            Part::TheirsOpen => Wanted::Open {
                after: after.cloned(),
            },
            _ => Wanted::Ended {
                since: run.since,
                after: after.cloned(),
            },
        };
        let told = self.ask_digests(&run.portal, &wanted).await?;
        let reader = self.store.read(&self.tenant).await?;
        let mut pairs = Vec::with_capacity(told.rows.len());
        for theirs in told.rows {
            let held = rows::case(&reader, &theirs.code).await?;
            pairs.push(Pair {
                code: theirs.code.clone(),
                ours: self.side(&reader, held.as_ref()).await?,
                theirs: Some(theirs),
            });
        }
        Ok(Page {
            pairs,
            next: told.next,
        })
    }

    /// Our side of a case.
    pub(crate) async fn side(&self, reader: &Reader, held: Option<&Held>) -> Result<Option<Shown>, Problem> {
        match held {
            Some(held) => self.shown(reader, held).await.map(Some),
            None => Ok(None),
        }
    }

    fn is_filed_at(&self, case: &Case, portal: &SystemId) -> bool {
        let filed = self.portal_for(&case.unit, case.filed_at.date());
        filed.is_ok_and(|filed| filed == *portal)
    }

    /// What the portal shows of some cases, beside ours.
    async fn beside(
        &self,
        portal: &SystemId,
        ours: Vec<(CaseCode, Option<Shown>)>,
    ) -> Result<Vec<Pair>, Problem> {
        if ours.is_empty() {
            return Ok(Vec::new());
        }
        let codes = ours.iter().map(|(code, _)| code.clone()).collect();
        let told = self.ask_digests(portal, &Wanted::Codes { codes }).await?;
        let pair = |(code, ours): (CaseCode, Option<Shown>)| Pair {
            theirs: told.rows.iter().find(|theirs| theirs.code == code).cloned(),
            code,
            ours,
        };
        Ok(ours.into_iter().map(pair).collect())
    }

    /// What the portal shows of a case now.
    pub(crate) async fn theirs_of(
        &self,
        portal: &SystemId,
        code: &CaseCode,
    ) -> Result<Option<Shown>, Problem> {
        let codes = vec![code.clone()];
        let told = self.ask_digests(portal, &Wanted::Codes { codes }).await?;
        Ok(told.rows.into_iter().find(|theirs| theirs.code == *code))
    }

    async fn ask_digests(&self, portal: &SystemId, wanted: &Wanted) -> Result<Digests, Problem> {
        let ask = Ask {
            consumer: self.system.clone(),
            service: service(portal),
            body: serde_json::to_vec(wanted).map_err(Problem::internal)?.into(),
            on_behalf: format!("system:{}", self.system),
            issue: None,
            idempotency: None,
        };
        self.exchange.ask(ask).await?.json()
    }

    /// Keeps what a page brought and how far the comparison has come; `None` when somebody else went on meanwhile.
    async fn keep(&self, run: &Run, page: Page, actor: &Actor) -> Result<Option<Run>, Problem> {
        let now = self.store.world().now();
        let next = run.behind(&page, now);
        let (mut differing, mut equal) = (Vec::new(), Vec::new());
        let reader = self.store.read(&self.tenant).await?;
        for pair in page.pairs {
            let what = differs(pair.ours.as_ref(), pair.theirs.as_ref());
            if what.is_empty() {
                if list::difference(&reader, &pair.code).await?.is_some() {
                    equal.push(pair.code);
                }
            } else if pair.at().is_some_and(|at| at <= run.until) {
                differing.push(Difference {
                    code: pair.code,
                    what,
                    ours: pair.ours,
                    theirs: pair.theirs,
                    since: now,
                    compared: now,
                    mending: None,
                });
            }
        }
        drop(reader);
        let (to, differing, equal) = (&next, &differing, &equal);
        let kept = self
            .store
            .write(&self.tenant, actor, |tx| async move {
                if !list::advance(&tx, run, to).await? {
                    return Ok(false);
                }
                for found in differing {
                    list::put(&tx, found).await?;
                }
                for code in equal {
                    list::remove(&tx, code).await?;
                }
                if to.part == Part::Done {
                    let fact = Fact::CasesCompared {
                        portal: to.portal.org.clone(),
                        compared: to.compared,
                        differing: list::count(&tx).await?,
                    };
                    tx.fact(&subject(&to.portal), fact).await?;
                }
                Ok(true)
            })
            .await?;
        Ok(kept.then_some(next))
    }
}

impl Run {
    /// From where a part of what has ended is read.
    fn begins(&self) -> After {
        if self.after == After::start() {
            After {
                at: self.since,
                ..After::start()
            }
        } else {
            self.after.clone()
        }
    }

    /// As far as it has come behind a page. What is only looked at again is not counted again.
    fn behind(&self, page: &Page, now: Time) -> Self {
        let ours = matches!(self.part, Part::OursOpen | Part::OursEnded);
        let pairs = page.pairs.len() as u64;
        let mut next = Self {
            compared: self.compared + if ours { pairs } else { 0 },
            ..self.clone()
        };
        match &page.next {
            Some(after) => next.after = after.clone(),
            None => (next.part, next.after) = (self.part.next(), After::start()),
        }
        if next.part == Part::Done {
            next.done = Some((now, next.compared));
        }
        next
    }
}

fn service(portal: &SystemId) -> ServiceId {
    ServiceId {
        org: portal.org.clone(),
        system: portal.system.clone(),
        service: digests::SERVICE.to_owned(),
    }
}

/// The subject of a comparison's facts.
fn subject(portal: &SystemId) -> String {
    format!("reconciliation/{portal}")
}
