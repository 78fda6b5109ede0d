//! The life of what stands in the directory: an owner puts a change into words and asks the hub, the
//! hub's operator approves or declines, the new directory goes out at once. Both sides keep what was
//! said, each step a fact. Never publishes by itself: see [`crate::Hub`].
//!
//! | module | holds |
//! |---|---|
//! | [`change`] | what may become of the directory |
//! | `apply`, `entries`, `authorities` | what each change does to a snapshot |
//! | `names` | how names, codes, addresses and certificates are written |
//! | [`words`] | what is said between owner and hub, signed |
//! | `ask`, `hear`, `decide`, `group` | the verbs |
//! | [`wanted`] | a system, a member, what is trusted, as a file has them |
//! | [`deliver`] | the way of a word to the other side |
//! | `store` | all the SQL |

mod apply;
mod ask;
mod authorities;
pub mod change;
mod decide;
pub mod deliver;
mod entries;
mod group;
mod hear;
pub(crate) mod names;
pub(crate) mod store;
pub mod wanted;
pub mod words;

use std::sync::Arc;

use ::store::Tx;
use kernel::{Digest, Fact, Kind, OrgCode, Problem, Time};
use seal::jws::PublicKey;
use seal::key::Identity;
use web::Client;

use crate::hub::Hub;
use crate::keyring::Keyring;
use crate::{Directory, DirectoryState};
use change::Change;
use words::Word;

/// Where a registration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In words at its owner's node; nobody was asked.
    Saved,
    /// The hub was asked and has not answered.
    Asked,
    /// The hub has published it.
    Approved,
    /// The hub will not.
    Declined,
    /// Dropped by its owner before anybody was asked.
    Dropped,
}

impl State {
    /// All, in the order of a life.
    pub const ALL: [Self; 5] = [
        Self::Saved,
        Self::Asked,
        Self::Approved,
        Self::Declined,
        Self::Dropped,
    ];

    /// As rows, addresses and texts call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Asked => "asked",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Dropped => "dropped",
        }
    }

    /// Reads what [`State::as_str`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// On which side of a request this node keeps a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where it was asked.
    Owner,
    /// Where it is decided.
    Hub,
}

impl Side {
    /// As rows, addresses and texts call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Hub => "hub",
        }
    }

    /// Reads what [`Side::as_str`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Owner, Self::Hub]
            .into_iter()
            .find(|side| side.as_str() == text)
    }
}

/// A change that was put into words, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Its name: the digest of its words.
    pub request: Digest,
    /// On which side this row is kept.
    pub side: Side,
    /// What is to change.
    pub change: Change,
    /// The organisation that asks.
    pub party: OrgCode,
    /// When it was put into words.
    pub made_at: Time,
    /// Where it stands.
    pub state: State,
    /// Why it was declined; empty otherwise.
    pub reason: String,
    /// When it came to stand there.
    pub changed_at: Time,
    /// Its order among the registrations of its side at this node.
    pub number: u64,
}

impl Registration {
    /// What its facts hang on.
    fn subject(&self) -> String {
        subject(&self.request)
    }

    /// The words to be signed.
    fn word(&self) -> Word {
        Word {
            party: self.party.clone(),
            at: self.made_at,
            said: words::Said::Request {
                wanted: self.change.clone(),
            },
        }
    }
}

pub(crate) fn subject(request: &Digest) -> String {
    format!("registration/{request}")
}

/// A change that is published: what is written with it.
pub(crate) struct Enacted {
    pub(crate) change: Change,
    pub(crate) serial: u64,
    /// The request it answers, and the answer.
    pub(crate) answers: Option<Answer>,
}

/// What the hub says to a request.
pub(crate) struct Answer {
    pub(crate) request: Digest,
    pub(crate) party: OrgCode,
    /// The signed word.
    pub(crate) token: String,
}

impl Answer {
    /// Leaves the word for delivery.
    async fn send(&self, tx: &Tx) -> Result<(), Problem> {
        let payload = serde_json::json!({ "to": self.party, "word": self.token });
        tx.outbox(deliver::TOPIC, &self.request.hex(), &payload).await
    }
}

impl Enacted {
    pub(crate) async fn write(&self, tx: &Tx) -> Result<(), Problem> {
        store::keep_change(tx, &self.change, self.serial).await?;
        let (change, about, serial) = (self.change.kind(), self.change.about(), self.serial);
        let Some(answer) = &self.answers else {
            let fact = match &self.change {
                Change::TrustInstance { hash, reason, .. } => Fact::InstanceTrusted {
                    instance: instance_of(&about),
                    anchor: *hash,
                    reason: reason.clone(),
                    serial,
                },
                Change::WithdrawInstance { instance, reason } => Fact::InstanceWithdrawn {
                    instance: instance.clone(),
                    reason: reason.clone(),
                    serial,
                },
                _ => Fact::DirectoryChanged {
                    change,
                    about: about.clone(),
                    serial,
                },
            };
            return tx.fact(&format!("directory-entry/{about}"), fact).await.map(drop);
        };
        let request = answer.request;
        if !store::settle(tx, Side::Hub, &request, State::Approved, "").await? {
            return Err(decided());
        }
        let fact = Fact::RegistrationApproved {
            request,
            change,
            about,
            serial,
        };
        tx.fact(&subject(&request), fact).await?;
        answer.send(tx).await
    }
}

/// `LA` of `instance/LA`.
fn instance_of(about: &str) -> String {
    about.trim_start_matches("instance/").to_owned()
}

/// Somebody else was quicker.
const fn decided() -> Problem {
    Problem::new(Kind::Conflict, "directory-decided")
}

/// What a node needs to ask, and a hub to decide.
pub struct Parts {
    /// The directory it holds.
    pub directory: Directory,
    /// The hub, on the one node that publishes.
    pub hub: Option<Hub>,
    /// Whose seals this node has.
    pub keyring: Arc<Keyring>,
    /// Its id in the directory.
    pub node: String,
    /// How the hub is reached, and its node-to-node address, `https://host:port`; `None` at the hub.
    pub to_hub: Option<(Client, String)>,
    /// How other nodes are reached. It must let in a node whose certificate is revoked, too: that is who
    /// waits for an answer most, and an answer is signed and no secret.
    pub peers: Client,
}

/// Asks for changes of the directory, hears of them and decides them; cheap to clone.
#[derive(Clone)]
pub struct Registrar(Arc<Parts>);

impl std::fmt::Debug for Registrar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registrar({})", self.0.node)
    }
}

impl Registrar {
    /// A registrar of a node.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The id of this node in the directory.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.0.node
    }

    /// True at the one node that publishes.
    #[must_use]
    pub fn is_hub(&self) -> bool {
        self.0.hub.is_some()
    }

    /// True when this node has the seal that speaks for an organisation.
    #[must_use]
    pub fn speaks_for(&self, org: &OrgCode) -> bool {
        self.voice(org).is_some()
    }

    /// The certificate that this node shows to others, with its issuers, when the directory does not have
    /// it: then nobody lets the node in.
    #[must_use]
    pub fn unknown_node_certificate(&self) -> Option<String> {
        let (directory, shown) = (&self.0.directory, &self.0.keyring.node);
        let known = directory.node_certificate_ok(shown.certificate.der());
        let unknown = known.is_err() && directory.snapshot().node(&self.0.node).is_some();
        unknown.then(|| shown.chain_pem())
    }

    /// The certificate of a seal here, with its issuers, when the directory does not have it: then nobody
    /// believes what it seals.
    #[must_use]
    pub fn unknown_seal_certificate(&self, org: &OrgCode) -> Option<String> {
        let (own, seal) = self.voice(org)?;
        let directory = &self.0.directory;
        let shown = seal.certificate.thumbprint();
        let known = directory.seal_called(own, &shown);
        (own == org && known.is_none_or(|known| known.thumbprint() != shown)).then(|| seal.chain_pem())
    }

    fn hub(&self) -> Result<&Hub, Problem> {
        self.0.hub.as_ref().ok_or_else(Problem::not_found)
    }

    fn store(&self) -> &::store::Store {
        self.0.directory.store()
    }

    fn now(&self) -> Time {
        self.store().world().now()
    }

    /// The organisation of this node that speaks for another, and its seal.
    fn voice(&self, org: &OrgCode) -> Option<(&OrgCode, &Identity)> {
        self.0.keyring.seals.iter().find(|(own, _)| own.holds(org))
    }

    /// Who asks for a change: its owner, if that is here.
    ///
    /// # Errors
    /// 422 `directory-not-ours` at the field that names another's; `directory-hub-only` for what only
    /// the hub says.
    fn party(&self, change: &Change) -> Result<OrgCode, Problem> {
        let home = self.0.directory.tenant();
        let not_ours = |field: &str| Problem::invalid(field, "directory-not-ours");
        match (change.owner(), change.node()) {
            (Some(org), _) => {
                let voice = self.voice(org).ok_or_else(|| not_ours("org"))?;
                Ok(voice.0.clone())
            }
            (None, Some(node)) if node == self.0.node && self.voice(home).is_some() => Ok(home.clone()),
            (None, Some(_)) => Err(not_ours("node")),
            (None, None) => Err(Problem::new(Kind::Forbidden, "directory-hub-only")),
        }
    }

    /// The key of a seal that is good now.
    fn key_of(&self, org: &OrgCode) -> Option<PublicKey> {
        // The directory is its own instance's: nobody of another one has a say in it.
        if org.instance() != self.0.directory.instance() {
            return None;
        }
        let seal = if *org == self.0.directory.snapshot().hub {
            self.0.directory.hub_certificate().clone()
        } else {
            self.0.directory.seal_certificate(org)?
        };
        let now = self.now();
        let holds = seal.not_before() <= now && now <= seal.not_after();
        holds.then(|| PublicKey::from_certificate(&seal).ok()).flatten()
    }

    /// A registration by its name.
    ///
    /// # Errors
    /// 404 when this side knows none.
    pub async fn one(&self, side: Side, request: &Digest) -> Result<Registration, Problem> {
        let reader = self.store().read(self.0.directory.tenant()).await?;
        let found = store::read_one(&reader, side, request).await?;
        found.ok_or_else(Problem::not_found)
    }

    /// Registrations of a side, newest first, from below a number; those of a state, and those of one
    /// organisation, when such is named.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list(
        &self,
        side: Side,
        of: (Option<State>, Option<&OrgCode>),
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Registration>, Problem> {
        let reader = self.store().read(self.0.directory.tenant()).await?;
        store::list(&reader, side, of, before, limit).await
    }

    /// What this node's organisations have in words or have asked about a thing, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn under_way(&self, limit: usize) -> Result<Vec<Registration>, Problem> {
        let reader = self.store().read(self.0.directory.tenant()).await?;
        store::under_way(&reader, limit).await
    }

    /// How many requests wait for the hub's operator.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn waiting(&self) -> Result<u64, Problem> {
        let reader = self.store().read(self.0.directory.tenant()).await?;
        store::waiting(&reader).await
    }

    /// Whether the hub approves changes of systems by itself.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn is_automatic(&self) -> Result<bool, Problem> {
        let reader = self.store().read(self.0.directory.tenant()).await?;
        store::is_automatic(&reader).await
    }
}

impl DirectoryState {
    /// The registrar of this node.
    pub(crate) const fn registrar(&self) -> &Registrar {
        &self.registrar
    }
}

#[cfg(test)]
pub(crate) mod tests;
