//! The hub's half: its operator approves or declines what was asked, and changes the directory without
//! being asked. Never decides a thing twice.

use kernel::{Actor, Digest, Fact, Problem};

use super::change::Change;
use super::words::{self, REASON_CHARS_MAX, Said, Word};
use super::{Answer, Enacted, Registrar, Registration, Side, State, decided, store};
use crate::hub::Also;

impl Registrar {
    /// Publishes what was asked for; the serial of the directory that says it first.
    ///
    /// # Errors
    /// 404 elsewhere than at the hub; conflict `directory-decided`; what [`Change::apply`] refuses by
    /// now.
    pub async fn approve(&self, request: &Digest, actor: &Actor) -> Result<u64, Problem> {
        let hub = self.hub()?;
        let asked = self.undecided(request).await?;
        let with = |serial| {
            let said = Said::Approval {
                request: *request,
                serial,
            };
            Ok(Also::Change(Box::new(Enacted {
                change: asked.change.clone(),
                serial,
                answers: Some(self.answer(&asked, said)?),
            })))
        };
        hub.enact(actor, &asked.change, with).await
    }

    /// Declines what was asked for, with a reason for its owner.
    ///
    /// # Errors
    /// 404 elsewhere than at the hub; 422 `reason-missing`; conflict `directory-decided`.
    pub async fn decline(&self, request: &Digest, reason: &str, actor: &Actor) -> Result<(), Problem> {
        self.hub()?;
        let reason = kernel::text::clean(reason);
        if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
            return Err(Problem::invalid("reason", "reason-missing").with("max", REASON_CHARS_MAX));
        }
        let asked = &self.undecided(request).await?;
        let said = Said::Refusal {
            request: *request,
            reason: reason.clone(),
        };
        let (answer, reason) = (&self.answer(asked, said)?, reason.as_str());
        self.store()
            .write(self.0.directory.tenant(), actor, |tx| async move {
                let request = asked.request;
                if !store::settle(&tx, Side::Hub, &request, State::Declined, reason).await? {
                    return Err(decided());
                }
                let fact = Fact::RegistrationDeclined {
                    request,
                    change: asked.change.kind(),
                    about: asked.change.about(),
                };
                tx.fact(&asked.subject(), fact).await?;
                answer.send(&tx).await
            })
            .await
    }

    /// Changes the directory without being asked; the serial that says it first.
    ///
    /// # Errors
    /// 404 elsewhere than at the hub; what [`Change::apply`] refuses.
    pub async fn enact(&self, change: Change, actor: &Actor) -> Result<u64, Problem> {
        let with = |serial| {
            Ok(Also::Change(Box::new(Enacted {
                change: change.clone(),
                serial,
                answers: None,
            })))
        };
        self.hub()?.enact(actor, &change, with).await
    }

    /// Says whether the hub approves changes of systems by itself from now on.
    ///
    /// # Errors
    /// 404 elsewhere than at the hub.
    pub async fn set_automatic(&self, automatic: bool, actor: &Actor) -> Result<(), Problem> {
        self.hub()?;
        self.store()
            .write(self.0.directory.tenant(), actor, |tx| async move {
                store::set_automatic(&tx, automatic).await?;
                let fact = Fact::RegistrationsAutomatic { automatic };
                tx.fact("directory-setting/automatic", fact).await.map(drop)
            })
            .await
    }

    async fn undecided(&self, request: &Digest) -> Result<Registration, Problem> {
        let asked = self.one(Side::Hub, request).await?;
        if asked.state == State::Asked {
            Ok(asked)
        } else {
            Err(decided())
        }
    }

    fn answer(&self, asked: &Registration, said: Said) -> Result<Answer, Problem> {
        let word = Word {
            party: self.0.directory.snapshot().hub.clone(),
            at: self.now(),
            said,
        };
        Ok(Answer {
            request: asked.request,
            party: asked.party.clone(),
            token: words::sign(word, self.hub()?.key())?.token,
        })
    }
}
