//! What the other side said, taken over: requests at the hub, answers at the owner. Hearing a word
//! again changes nothing. Never believes a word that its party's seal is not on.

use kernel::{Actor, Digest, Fact, Kind, OrgCode, Problem};

use super::change::Change;
use super::words::{self, Said, Signed};
use super::{Registrar, Registration, Side, State, store};

impl Registrar {
    /// Takes over a word of another node, or of this one.
    ///
    /// # Errors
    /// 422 `directory-word`; 403 `directory-not-ours` for a change of what is another's; 404 at a node
    /// that it is not for; 429 `directory-requests-many`.
    pub async fn hear(&self, token: &str) -> Result<(), Problem> {
        let heard = words::read(token, &|org| self.key_of(org))?;
        match &heard.word.said {
            Said::Request { wanted } => self.hear_request(&heard, wanted).await,
            Said::Approval { request, serial } => self.hear_answer(&heard, request, Ok(*serial)).await,
            Said::Refusal { request, reason } => self.hear_answer(&heard, request, Err(reason)).await,
        }
    }

    async fn hear_request(&self, heard: &Signed, wanted: &Change) -> Result<(), Problem> {
        self.hub()?;
        self.owns(&heard.word.party, wanted)?;
        let registration = &Registration {
            request: heard.digest,
            side: Side::Hub,
            change: wanted.clone(),
            party: heard.word.party.clone(),
            made_at: heard.word.at,
            state: State::Asked,
            reason: String::new(),
            changed_at: heard.word.at,
            number: 0,
        };
        let undecided_max = self.store().limits().directory_requests_max;
        let actor = Actor::System(heard.word.party.to_string());
        let new = self
            .store()
            .write(self.0.directory.tenant(), &actor, |tx| async move {
                if store::one(&tx, Side::Hub, &registration.request).await?.is_some() {
                    return Ok(false);
                }
                if store::undecided(&tx, &registration.party).await? >= undecided_max {
                    let many = Problem::new(Kind::TooMany, "directory-requests-many");
                    return Err(many.with("max", undecided_max));
                }
                store::insert(&tx, registration, &heard.token).await?;
                let fact = Fact::RegistrationAsked {
                    request: registration.request,
                    change: registration.change.kind(),
                    about: registration.change.about(),
                    by: registration.party.clone(),
                };
                tx.fact(&registration.subject(), fact).await?;
                Ok(true)
            })
            .await?;
        if new && wanted.may_be_automatic() && self.is_automatic().await? {
            // What cannot be done now stays for a person.
            if let Err(problem) = self.approve(&registration.request, &Actor::Platform).await {
                tracing::info!(%problem, request = %registration.request, "a registration waits for an operator");
            }
        }
        Ok(())
    }

    /// Refuses a change of what is another's.
    fn owns(&self, party: &OrgCode, wanted: &Change) -> Result<(), Problem> {
        let snapshot = self.0.directory.snapshot();
        let own = match (wanted.owner(), wanted.node()) {
            (Some(org), _) => party.holds(org),
            (None, Some(node)) => snapshot.members.iter().any(|m| m.org == *party && m.node == node),
            (None, None) => false,
        };
        own.then_some(())
            .ok_or_else(|| Problem::new(Kind::Forbidden, "directory-not-ours"))
    }

    async fn hear_answer(
        &self,
        heard: &Signed,
        request: &Digest,
        answer: Result<u64, &String>,
    ) -> Result<(), Problem> {
        if heard.word.party != self.0.directory.snapshot().hub {
            return Err(Problem::new(Kind::Forbidden, "directory-not-ours"));
        }
        let known = self.one(Side::Owner, request).await?;
        let actor = Actor::System(heard.word.party.to_string());
        self.end(&known, answer.map_err(String::as_str), &actor).await
    }

    /// Ends a request at its owner's side; nothing when it is ended.
    pub(super) async fn end(
        &self,
        known: &Registration,
        answer: Result<u64, &str>,
        actor: &Actor,
    ) -> Result<(), Problem> {
        let request = known.request;
        let (change, about) = (&known.change.kind(), &known.change.about());
        self.store()
            .write(self.0.directory.tenant(), actor, |tx| async move {
                let (state, reason) = match answer {
                    Ok(_) => (State::Approved, ""),
                    Err(reason) => (State::Declined, reason),
                };
                if !store::settle(&tx, Side::Owner, &request, state, reason).await? {
                    return Ok(());
                }
                let (change, about) = (change.clone(), about.clone());
                let fact = match answer {
                    Ok(serial) => Fact::RegistrationApproved {
                        request,
                        change,
                        about,
                        serial,
                    },
                    Err(_) => Fact::RegistrationDeclined {
                        request,
                        change,
                        about,
                    },
                };
                tx.fact(&known.subject(), fact).await.map(drop)
            })
            .await
    }
}
