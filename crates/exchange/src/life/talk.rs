//! A request for an agreement and what became of it, as one party knows it. Pure: no clock, no row,
//! no signature is checked here.

use kernel::{Digest, Kind, Problem, Time};
use serde::{Deserialize, Serialize};

use super::State;
use crate::agreement::{Agreement, SignedAgreement};

/// A request for an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talk {
    /// Its name: the digest of what the consumer signed.
    pub request: Digest,
    /// When the consumer asked.
    pub asked_at: Time,
    /// By when the provider owes an answer, where a rule says so.
    pub due: Option<Time>,
    /// What was asked for.
    pub draft: Agreement,
    /// What became of it.
    pub stage: Stage,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "kebab-case")]
pub enum Stage {
    /// Nothing yet.
    Requested,
    /// The provider signed a text.
    Offered {
        /// The newest.
        offer: Offer,
    },
    /// The consumer signed it too.
    Accepted {
        /// What was accepted.
        offer: Offer,
        /// The consumer's acceptance.
        acceptance: String,
    },
    /// The provider will not share.
    Refused {
        /// Why.
        reason: String,
    },
    /// The consumer took it back.
    Withdrawn {
        /// Why.
        reason: String,
    },
}

/// A text that the provider signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Which of the provider's offers for the request: a newer one has a greater number.
    pub serial: i64,
    /// The text; what was asked for, or changed.
    pub agreement: Agreement,
    /// The provider's acceptance of it.
    pub acceptance: String,
}

impl Talk {
    /// A new request.
    #[must_use]
    pub const fn new(request: Digest, draft: Agreement, asked_at: Time, due: Option<Time>) -> Self {
        Self {
            request,
            asked_at,
            due,
            draft,
            stage: Stage::Requested,
        }
    }

    /// The provider offers, at first or anew.
    ///
    /// # Errors
    /// Conflict `agreement-answered` after an acceptance, a refusal or a withdrawal; conflict `stale`
    /// when there is a newer offer; 422 `agreement-parties-changed` when the text is for another service or system.
    pub fn offer(self, offer: Offer) -> Result<Self, Problem> {
        self.same_parties(&offer.agreement)?;
        match &self.stage {
            Stage::Requested => {}
            Stage::Offered { offer: last } if offer.serial > last.serial => {}
            Stage::Offered { .. } => return Err(Problem::stale()),
            Stage::Accepted { .. } | Stage::Refused { .. } | Stage::Withdrawn { .. } => {
                return Err(answered());
            }
        }
        Ok(self.at(Stage::Offered { offer }))
    }

    /// The consumer hears of an offer. One that is newer than an accepted one takes its place: the
    /// provider had not heard the acceptance when it was made. `None` when nothing changes.
    ///
    /// # Errors
    /// 422 `agreement-parties-changed`.
    pub fn hear_offer(self, offer: Offer) -> Result<Option<Self>, Problem> {
        self.same_parties(&offer.agreement)?;
        let newer = match &self.stage {
            Stage::Requested => true,
            Stage::Offered { offer: last } => offer.serial > last.serial,
            Stage::Accepted { offer: last, .. } => {
                offer.serial > last.serial && offer.agreement != last.agreement
            }
            Stage::Refused { .. } | Stage::Withdrawn { .. } => false,
        };
        Ok(newer.then(|| self.at(Stage::Offered { offer })))
    }

    /// The provider refuses.
    ///
    /// # Errors
    /// Conflict `agreement-answered` after an acceptance or a refusal.
    pub fn refuse(self, reason: &str) -> Result<Self, Problem> {
        match self.stage {
            Stage::Requested | Stage::Offered { .. } => self.hear_refusal(reason).ok_or_else(answered),
            Stage::Accepted { .. } | Stage::Refused { .. } | Stage::Withdrawn { .. } => Err(answered()),
        }
    }

    /// The consumer takes its request back.
    ///
    /// # Errors
    /// Conflict `agreement-answered` after an acceptance, a refusal or a withdrawal.
    pub fn withdraw(self, reason: &str) -> Result<Self, Problem> {
        self.hear_withdrawal(reason)?.ok_or_else(answered)
    }

    /// The provider hears that the request was taken back, also one that it has answered with an offer:
    /// nobody will accept it. `None` when that changes nothing; a refusal that crossed it stands.
    ///
    /// # Errors
    /// Conflict `agreement-answered` after an acceptance.
    pub fn hear_withdrawal(self, reason: &str) -> Result<Option<Self>, Problem> {
        match self.stage {
            Stage::Requested | Stage::Offered { .. } => {
                let reason = reason.to_owned();
                Ok(Some(self.at(Stage::Withdrawn { reason })))
            }
            Stage::Accepted { .. } => Err(answered()),
            Stage::Refused { .. } | Stage::Withdrawn { .. } => Ok(None),
        }
    }

    /// The consumer hears of a refusal; `None` when it was refused before.
    #[must_use]
    pub fn hear_refusal(self, reason: &str) -> Option<Self> {
        if matches!(self.stage, Stage::Refused { .. }) {
            return None;
        }
        let reason = reason.to_owned();
        Some(self.at(Stage::Refused { reason }))
    }

    /// The consumer accepts the offer of a hash; or the provider hears so. `None` when it is accepted
    /// already.
    ///
    /// # Errors
    /// Conflict: `agreement-not-offered`; `agreement-offer-superseded` when another text is offered
    /// now; `agreement-answered` after a refusal or a withdrawal.
    pub fn accept(self, hash: &Digest, acceptance: &str) -> Result<Option<Self>, Problem> {
        match &self.stage {
            Stage::Requested => Err(Problem::new(Kind::Conflict, "agreement-not-offered")),
            Stage::Refused { .. } | Stage::Withdrawn { .. } => Err(answered()),
            Stage::Offered { offer } | Stage::Accepted { offer, .. } if offer.agreement.hash() != *hash => {
                Err(Problem::new(Kind::Conflict, "agreement-offer-superseded"))
            }
            Stage::Accepted { .. } => Ok(None),
            Stage::Offered { offer } => {
                let stage = Stage::Accepted {
                    offer: offer.clone(),
                    acceptance: acceptance.to_owned(),
                };
                Ok(Some(self.at(stage)))
            }
        }
    }

    /// The agreement with both signatures, once there is one.
    #[must_use]
    pub fn signed(&self) -> Option<SignedAgreement> {
        match &self.stage {
            Stage::Accepted { offer, acceptance } => Some(SignedAgreement {
                agreement: offer.agreement.clone(),
                provider_acceptance: offer.acceptance.clone(),
                consumer_acceptance: acceptance.clone(),
            }),
            _ => None,
        }
    }

    /// The text it is about now: the newest offer, else what was asked for.
    #[must_use]
    pub const fn text(&self) -> &Agreement {
        match &self.stage {
            Stage::Offered { offer } | Stage::Accepted { offer, .. } => &offer.agreement,
            Stage::Requested | Stage::Refused { .. } | Stage::Withdrawn { .. } => &self.draft,
        }
    }

    /// The newest offer.
    #[must_use]
    pub const fn offered(&self) -> Option<&Offer> {
        match &self.stage {
            Stage::Offered { offer } | Stage::Accepted { offer, .. } => Some(offer),
            Stage::Requested | Stage::Refused { .. } | Stage::Withdrawn { .. } => None,
        }
    }

    /// Where it stands; an offer that nobody accepted ends with its term.
    #[must_use]
    pub fn state(&self, at: Time) -> State {
        match &self.stage {
            Stage::Refused { .. } => State::Refused,
            Stage::Withdrawn { .. } => State::Withdrawn,
            Stage::Requested => State::Requested,
            Stage::Offered { offer } if at >= offer.agreement.valid_to => State::Expired,
            Stage::Offered { .. } => State::Offered,
            Stage::Accepted { offer, .. } => State::of_held(&offer.agreement, false, false, at),
        }
    }

    /// How rows call its stage.
    #[must_use]
    pub(crate) const fn stage_key(&self) -> &'static str {
        match self.stage {
            Stage::Requested => "requested",
            Stage::Offered { .. } => "offered",
            Stage::Accepted { .. } => "accepted",
            Stage::Refused { .. } => "refused",
            Stage::Withdrawn { .. } => "withdrawn",
        }
    }

    fn same_parties(&self, text: &Agreement) -> Result<(), Problem> {
        if self.draft.same_parties(text) {
            Ok(())
        } else {
            Err(Problem::invalid("service", "agreement-parties-changed"))
        }
    }

    fn at(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }
}

const fn answered() -> Problem {
    Problem::new(Kind::Conflict, "agreement-answered")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::tests::sample;

    fn talk() -> Talk {
        Talk::new(Digest::of(b"r"), sample(), Time(1), None)
    }

    fn offer(serial: i64, purpose: &str) -> Offer {
        Offer {
            serial,
            agreement: Agreement {
                purpose: purpose.to_owned(),
                ..sample()
            },
            acceptance: "p".to_owned(),
        }
    }

    fn code<T: std::fmt::Debug>(answer: Result<T, Problem>) -> &'static str {
        answer.expect_err("refused").code
    }

    #[test]
    fn an_agreement_is_made_by_a_request_an_offer_and_an_acceptance_of_that_offer() {
        let asked = talk();
        assert_eq!(
            code(asked.clone().accept(&asked.draft.hash(), "c")),
            "agreement-not-offered"
        );
        let offered = asked.offer(offer(1, "narrower")).expect("offered");
        assert_eq!(offered.state(Time(5)), State::Offered);
        let hash = offered.text().hash();
        let accepted = offered.accept(&hash, "c").expect("may").expect("changes");
        let signed = accepted.signed().expect("both signed");
        assert_eq!(
            (signed.agreement.hash(), signed.consumer_acceptance.as_str()),
            (hash, "c")
        );
        assert_eq!(accepted.state(Time(5)), State::InForce);
        assert_eq!(accepted.clone().accept(&hash, "d"), Ok(None), "heard again");
        assert_eq!(code(accepted.clone().refuse("x")), "agreement-answered");
        assert_eq!(code(accepted.offer(offer(9, "y"))), "agreement-answered");
    }

    #[test]
    fn an_acceptance_of_an_earlier_offer_is_refused() {
        let (first, second) = (offer(1, "first"), offer(2, "second"));
        let hash = first.agreement.hash();
        let offered = talk().offer(first.clone()).expect("offered");
        let anew = offered.offer(second).expect("offered anew");
        assert_eq!(
            code(anew.clone().accept(&hash, "c")),
            "agreement-offer-superseded"
        );
        assert_eq!(code(anew.offer(first)), "stale");
    }

    #[test]
    fn an_acceptance_that_crossed_a_newer_offer_gives_way_to_it() {
        let (first, second) = (offer(1, "first"), offer(2, "second"));
        let hash = first.agreement.hash();
        let offered = talk().hear_offer(first.clone()).expect("may").expect("changes");
        let accepted = offered.accept(&hash, "c").expect("may").expect("changes");
        assert_eq!(accepted.clone().hear_offer(first), Ok(None), "heard again");
        let heard = accepted
            .hear_offer(second.clone())
            .expect("may")
            .expect("changes");
        assert_eq!(heard.text(), &second.agreement);
        assert!(heard.signed().is_none());
    }

    #[test]
    fn what_was_refused_stays_refused() {
        let refused = talk().refuse("không có căn cứ").expect("may");
        assert_eq!(refused.state(Time(1)), State::Refused);
        assert_eq!(code(refused.clone().refuse("x")), "agreement-answered");
        assert_eq!(code(refused.clone().offer(offer(1, "x"))), "agreement-answered");
        assert_eq!(refused.clone().hear_offer(offer(1, "x")), Ok(None));
        assert_eq!(refused.hear_refusal("x"), None);
    }

    #[test]
    fn a_request_is_taken_back_until_it_is_accepted_and_a_refusal_that_crossed_stands() {
        let taken = talk().withdraw("hết nhu cầu").expect("may");
        assert_eq!(taken.state(Time(1)), State::Withdrawn);
        assert_eq!(code(taken.clone().withdraw("x")), "agreement-answered");
        assert_eq!(code(taken.clone().offer(offer(1, "x"))), "agreement-answered");
        assert_eq!(code(taken.clone().refuse("x")), "agreement-answered");
        let hash = taken.draft.hash();
        assert_eq!(code(taken.clone().accept(&hash, "c")), "agreement-answered");
        assert_eq!(taken.clone().hear_offer(offer(1, "x")), Ok(None), "it crossed");
        let refused = taken.clone().hear_refusal("x").expect("the provider's word");
        assert_eq!(refused.state(Time(1)), State::Refused);
        assert_eq!(refused.hear_withdrawal("x"), Ok(None));
        assert_eq!(taken.hear_withdrawal("x"), Ok(None), "heard again");
        let offered = talk().offer(offer(1, "x")).expect("offered");
        let heard = offered
            .clone()
            .hear_withdrawal("x")
            .expect("may")
            .expect("changes");
        assert_eq!(heard.state(Time(1)), State::Withdrawn);
        let hash = offered.text().hash();
        let accepted = offered.accept(&hash, "c").expect("may").expect("changes");
        assert_eq!(code(accepted.withdraw("x")), "agreement-answered");
    }

    #[test]
    fn an_offer_may_change_the_text_but_not_the_parties() {
        let mut other = offer(1, "x");
        other.agreement.consumer = "G22/other".parse().expect("an id");
        assert_eq!(code(talk().offer(other.clone())), "agreement-parties-changed");
        assert_eq!(code(talk().hear_offer(other)), "agreement-parties-changed");
    }

    #[test]
    fn an_offer_that_nobody_accepts_ends_with_its_term() {
        let offered = talk().offer(offer(1, "x")).expect("offered");
        assert_eq!(offered.state(Time(999)), State::Offered);
        assert_eq!(offered.state(Time(1_000)), State::Expired);
    }
}
