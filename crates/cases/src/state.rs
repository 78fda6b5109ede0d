//! What every verb of the crate is handed: the place's store, its name on the exchange, the pack's
//! nouns. Never anything of one request.

use std::ops::Deref;
use std::sync::Arc;

use ::store::Store;
use async_trait::async_trait;
use directory::areas::Areas;
use directory::calendars::Calendars;
use directory::organisations::Organisations;
use documents::Documents;
use exchange::{Ask, Away, Exchange, Heard, ServiceId, SystemId};
use kernel::{Date, Digest, Kind, Problem, ProcedureCode, Tenant};

use crate::case::Case;
use crate::catalogue::Catalogue;
use crate::places::Places;
use crate::procedure::Procedure;

/// On which side of the hand-over a node's cases stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Citizens file here and follow what becomes of it.
    Portal,
    /// Officials decide here.
    Desk,
}

/// Asks services on the exchange; in tests something else answers.
#[async_trait]
pub trait Asker: Send + Sync {
    /// One question and its verified answer; a service's own refusal is an answer.
    ///
    /// # Errors
    /// The gateway's refusals.
    async fn ask(&self, ask: Ask) -> Result<Heard, Problem>;

    /// True when an agreement in force lets a system ask a service now.
    fn may_ask(&self, consumer: &SystemId, service: &ServiceId, now: kernel::Time) -> bool;

    /// The other nodes that do not answer just now; none where nothing is known of them.
    fn away(&self) -> Vec<Away> {
        Vec::new()
    }
}

#[async_trait]
impl Asker for Exchange {
    async fn ask(&self, ask: Ask) -> Result<Heard, Problem> {
        Self::ask(self, ask).await
    }

    fn may_ask(&self, consumer: &SystemId, service: &ServiceId, now: kernel::Time) -> bool {
        self.agreements().find(consumer, service, now).is_ok()
    }

    fn away(&self) -> Vec<Away> {
        Self::away(self)
    }
}

/// What a place's cases are made of.
pub struct Parts {
    /// The node's store.
    pub store: Store,
    /// Whose cases they are.
    pub tenant: Tenant,
    /// Portal or desk.
    pub place: Place,
    /// The place's name on the exchange: `G22/portal`, `H56/one-stop`.
    pub system: SystemId,
    /// The node's gateway.
    pub exchange: Arc<dyn Asker>,
    /// Issues and keeps results; a portal only passes on what owners issued.
    pub documents: Option<Documents>,
    /// Collects fees; procedures with a fee cannot be filed where there is none.
    pub bank: Option<Arc<dyn crate::payment::Bank>>,
    /// Who carries notices to citizens by e-mail and SMS.
    pub messengers: crate::telling::Messengers,
    /// Administrative units.
    pub areas: Arc<Areas>,
    /// Organisations.
    pub organisations: Arc<Organisations>,
    /// Working hours and holidays.
    pub calendars: Arc<Calendars>,
    /// The procedures.
    pub catalogue: Arc<Catalogue>,
    /// How the node's pages are reached from outside, `http://127.0.0.1:8080`, without a last slash.
    pub base_url: String,
}

/// The cases of a place. Cheap to clone.
#[derive(Clone)]
pub struct Cases(Arc<Inner>);

struct Inner {
    parts: Parts,
    places: Places,
    kept: crate::versions::Kept,
    editions: crate::design::editions::Editions,
    turns: [tokio::sync::Mutex<()>; TURNS],
}

/// Locks that share the case codes among them, count.
const TURNS: usize = 64;

impl std::fmt::Debug for Cases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cases({})", self.system)
    }
}

impl Deref for Cases {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

impl Cases {
    /// The cases of a place.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let places = Places::new(Arc::clone(&parts.areas));
        let turns = std::array::from_fn(|_| tokio::sync::Mutex::new(()));
        Self(Arc::new(Inner {
            parts,
            places,
            kept: crate::versions::Kept::default(),
            editions: crate::design::editions::Editions::default(),
            turns,
        }))
    }

    /// The versions of procedures that the pack has no longer.
    pub(crate) fn kept_versions(&self) -> &crate::versions::Kept {
        &self.0.kept
    }

    /// What is published here beside the pack.
    pub(crate) fn editions(&self) -> &crate::design::editions::Editions {
        &self.0.editions
    }

    /// Portal or desk.
    #[must_use]
    pub fn place(&self) -> Place {
        self.0.parts.place
    }

    /// Communes by the name a person types.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.0.places
    }

    /// Waits until nobody else in this process makes the result of a case; a few cases share a lock.
    /// Saves work and nothing more: what is right is settled by the rows.
    pub(crate) async fn turn(&self, code: &kernel::CaseCode) -> tokio::sync::MutexGuard<'_, ()> {
        let [first, ..] = Digest::of(code.as_str().as_bytes()).0;
        let at = usize::from(first) % TURNS;
        self.0
            .turns
            .get(at)
            .expect("a remainder is below the count")
            .lock()
            .await
    }

    /// The civil day.
    #[must_use]
    pub fn today(&self) -> Date {
        self.store.world().now().date()
    }

    /// The version of a procedure for what is begun today.
    ///
    /// # Errors
    /// 404 when it cannot be filed here.
    pub fn procedure_today(&self, code: &ProcedureCode) -> Result<Arc<Procedure>, Problem> {
        self.procedure_on(code, self.today())
            .ok_or_else(Problem::not_found)
    }

    /// The version a case was filed under.
    ///
    /// # Errors
    /// `case-version-unknown` when the pack has lost it and it was never kept: an operator's fault, so 500.
    pub fn procedure_of(&self, case: &Case) -> Result<Arc<Procedure>, Problem> {
        self.version(&case.version)
    }

    /// A procedure's version by its digest.
    ///
    /// # Errors
    /// As [`Cases::procedure_of`].
    pub fn version(&self, version: &kernel::Digest) -> Result<Arc<Procedure>, Problem> {
        self.catalogue
            .version(version)
            .or_else(|| self.kept_versions().get(version))
            .ok_or_else(|| Problem::new(Kind::Internal, "case-version-unknown").because(version))
    }

    /// The working minutes that the agency has used for a case, without those spent waiting for the
    /// applicant (Decision 766/QĐ-TTg).
    #[must_use]
    pub(crate) fn spent(
        &self,
        held: &crate::store::Held,
        statuses: &[crate::store::StatusRow],
        now: kernel::Time,
    ) -> i64 {
        let changes: Vec<_> = statuses.iter().map(|row| (row.at, row.status)).collect();
        let calendar = self.calendars.of(&held.case.unit);
        crate::clock::spent(&calendar, &changes, held.ended_at.unwrap_or(now))
    }

    /// The same of a case that was decided, in minutes; none when its clock never ran.
    ///
    /// # Errors
    /// Unavailable.
    pub(crate) async fn worked(
        &self,
        rows: &impl crate::store::Rows,
        code: &kernel::CaseCode,
    ) -> Result<Option<u64>, Problem> {
        let Some(held) = crate::store::case(rows, code).await? else {
            return Ok(None);
        };
        let (Some(_), Some(end)) = (&held.case.accepted, held.ended_at) else {
            return Ok(None);
        };
        let statuses = crate::store::statuses(rows, code).await?;
        let minutes = self.spent(&held, &statuses, end);
        Ok(u64::try_from(minutes).ok())
    }

    /// The name of an organisation today, or the last it had; its code when it never had one.
    #[must_use]
    pub fn organisation_name(&self, code: &kernel::OrgCode) -> String {
        self.organisations.name(code, self.today())
    }
}
