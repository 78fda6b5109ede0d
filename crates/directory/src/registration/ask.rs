//! The owner's half: putting a change into words, asking the hub, dropping what was not asked yet.
//! Never changes the directory this node holds: that is the hub's.

use kernel::{Actor, Digest, Fact, Problem};

use super::change::Change;
use super::words::{self, Word};
use super::{Registrar, Registration, Side, State, decided, deliver, store};
use crate::snapshot::Snapshot;

impl Registrar {
    /// Puts a change of this node's own into words, and asks the hub for it if `ask`; the request's name.
    ///
    /// # Errors
    /// `directory-not-ours`, `directory-hub-only`; what [`Change::apply`] refuses on the directory held
    /// here; 413 `directory-word-large`.
    pub async fn propose(&self, change: Change, ask: bool, actor: &Actor) -> Result<Digest, Problem> {
        let mut next = (*self.0.directory.snapshot()).clone();
        self.propose_on(&mut next, change, ask, actor).await
    }

    /// As [`Registrar::propose`], on top of what was proposed before.
    pub(super) async fn propose_on(
        &self,
        next: &mut Snapshot,
        change: Change,
        ask: bool,
        actor: &Actor,
    ) -> Result<Digest, Problem> {
        let party = self.party(&change)?;
        let now = self.now();
        // What would be refused there is told here, at its field.
        change.apply(next, now)?;
        let (kind, about) = (change.kind(), change.about());
        let said = words::Said::Request {
            wanted: change.clone(),
        };
        let word = Word {
            party: party.clone(),
            at: now,
            said,
        };
        let request = words::name_of(&word)?;
        let registration = &Registration {
            request,
            side: Side::Owner,
            change,
            party,
            made_at: now,
            state: State::Saved,
            reason: String::new(),
            changed_at: now,
            number: 0,
        };
        // Signed also when it is only saved: a word that is too large is told now.
        let token = &self.sign(registration)?;
        let (kind, about) = (&kind, &about);
        self.store()
            .write(self.0.directory.tenant(), actor, |tx| async move {
                if !store::insert(&tx, registration, "").await? {
                    return Ok(());
                }
                let fact = Fact::RegistrationSaved {
                    request,
                    change: kind.clone(),
                    about: about.clone(),
                };
                tx.fact(&registration.subject(), fact).await?;
                if ask {
                    bring(&tx, registration, token).await?;
                }
                Ok(())
            })
            .await?;
        Ok(request)
    }

    /// Asks the hub for what was put into words.
    ///
    /// # Errors
    /// 404; conflict `directory-decided` when it was asked or dropped before.
    pub async fn ask(&self, request: &Digest, actor: &Actor) -> Result<(), Problem> {
        let registration = &self.one(Side::Owner, request).await?;
        let token = &self.sign(registration)?;
        self.store()
            .write(self.0.directory.tenant(), actor, |tx| async move {
                bring(&tx, registration, token).await
            })
            .await
    }

    /// Drops what was put into words and not asked yet.
    ///
    /// # Errors
    /// 404; conflict `directory-decided` when it was asked or dropped before.
    pub async fn drop_saved(&self, request: &Digest, actor: &Actor) -> Result<(), Problem> {
        let registration = &self.one(Side::Owner, request).await?;
        self.store()
            .write(self.0.directory.tenant(), actor, |tx| async move {
                let request = registration.request;
                if !store::drop_saved(&tx, &request).await? {
                    return Err(decided());
                }
                let fact = Fact::RegistrationDropped { request };
                tx.fact(&registration.subject(), fact).await.map(drop)
            })
            .await
    }

    fn sign(&self, registration: &Registration) -> Result<String, Problem> {
        let voice = self.voice(&registration.party);
        let (_, seal) = voice.ok_or_else(|| Problem::invalid("org", "directory-not-ours"))?;
        Ok(words::sign(registration.word(), &seal.key)?.token)
    }
}

async fn bring(tx: &::store::Tx, registration: &Registration, token: &str) -> Result<(), Problem> {
    let request = registration.request;
    if !store::bring(tx, &request, token).await? {
        return Err(decided());
    }
    let fact = Fact::RegistrationAsked {
        request,
        change: registration.change.kind(),
        about: registration.change.about(),
        by: registration.party.clone(),
    };
    tx.fact(&registration.subject(), fact).await?;
    let payload = serde_json::json!({ "word": token, "request": request });
    tx.outbox(deliver::TOPIC, &request.hex(), &payload).await
}
