//! What is to be done about declared delegations and answers to requests, and doing it: by the functions of the
//! pages. A document is signed only when it is, word for word, the one that the file has. Never refuses, ends
//! or revokes one.

use kernel::{Kind, Problem};
use serde::Serialize;
use web::{Page, Principal};

use super::super::delegations::DelegationText;
use super::super::draft::AgreementText;
use super::super::first;
use super::{Declared, DeclaredStep, Meant, step, to_do};
use crate::agreement::Agreement;
use crate::delegation::{KnownDelegation, Stage};
use crate::gateway::Exchange;
use crate::life::{Known, State};

impl Exchange {
    pub(super) async fn declared_delegations(
        &self,
        page: &Page,
        declared: &Declared,
        who: Option<&Principal>,
        steps: &mut Vec<DeclaredStep>,
    ) {
        for text in &declared.delegation {
            let meant = self.delegation_meant(text).await;
            let done = match to_do(&meant, who) {
                Some((_, who)) => Some(self.do_delegation(text, who).await),
                None => None,
            };
            let named = ("delegation", text.id.clone());
            steps.push(step(page, named, meant, done.as_ref()));
        }
    }

    /// The one of the same number between the same two, also when it has ended: a file must not offer it
    /// again each time it is applied.
    async fn same_delegation(&self, text: &DelegationText) -> Result<Option<KnownDelegation>, Problem> {
        let (delegator, agent) = (text.delegator.trim(), text.agent.trim());
        let all = self.delegations().await?;
        Ok(all.into_iter().find(|known| {
            let d = &known.signed.delegation;
            d.id == text.id.trim() && d.delegator.to_string() == delegator && d.agent.to_string() == agent
        }))
    }

    async fn delegation_meant(&self, text: &DelegationText) -> Meant {
        let now = self.0.now();
        let Some(known) = self.same_delegation(text).await? else {
            let meant = text.meant(now).map_err(first)?;
            return match (self.voice(&meant.delegator), self.voice(&meant.agent)) {
                (Ok(_), _) => Ok(("offer", Vec::new())),
                // It is the other party's to offer.
                (Err(_), Ok(_)) => Ok(("wait", Vec::new())),
                (Err(problem), Err(_)) => Err(problem.at("delegator")),
            };
        };
        let d = &known.signed.delegation;
        if known.stage != Stage::Offered || d.valid_to <= now {
            return Ok(("keep", Vec::new()));
        }
        if self.voice(&d.agent).is_err() {
            return Ok(("wait", Vec::new()));
        }
        as_it_is(
            &DelegationText::of(d),
            &DelegationText::of(&text.meant(now).map_err(first)?),
        )?;
        Ok(("accept", Vec::new()))
    }

    async fn do_delegation(&self, text: &DelegationText, who: &Principal) -> Result<(), Problem> {
        let meant = text.meant(self.0.now()).map_err(first)?;
        let hash = match self.same_delegation(text).await? {
            Some(known) => known.hash,
            None => self.offer_delegation(meant.clone(), &who.actor).await?,
        };
        if self.voice(&meant.agent).is_ok() {
            self.accept_delegation(&hash, &who.actor).await?;
        }
        Ok(())
    }

    pub(super) async fn declared_answers(
        &self,
        page: &Page,
        declared: &Declared,
        who: Option<&Principal>,
        steps: &mut Vec<DeclaredStep>,
    ) -> Result<(), Problem> {
        // Read once more: what stands above may have been asked for just now.
        let known = if declared.accept.is_empty() {
            Vec::new()
        } else {
            self.overview().await?
        };
        for text in &declared.accept {
            let meant = self.answer_meant(text, &known);
            let done = match to_do(&meant, who) {
                Some((_, who)) => Some(self.do_answer(text, &known, who).await),
                None => None,
            };
            let named = ("accept", text.id.clone());
            steps.push(step(page, named, meant, done.as_ref()));
        }
        Ok(())
    }

    /// What was asked for under a number is answered once: signed by the provider as it was asked for, then
    /// by the consumer as it was offered.
    fn answer_meant(&self, text: &AgreementText, known: &[Known]) -> Meant {
        let wanted = text.agreement(self.0.now()).map_err(first)?;
        let (provider, consumer) = (self.voice(&wanted.provider), self.voice(&wanted.consumer.org));
        let Some(there) = same_number(&wanted, known) else {
            return match (provider, consumer) {
                (Err(problem), Err(_)) => Err(problem.at("service")),
                // Nobody has asked yet.
                _ => Ok(("wait", Vec::new())),
            };
        };
        let does = match there.state {
            State::Requested if provider.is_ok() => "offer",
            State::Offered if consumer.is_ok() => "accept",
            State::Requested | State::Offered => return Ok(("wait", Vec::new())),
            _ => return Ok(("keep", Vec::new())),
        };
        as_it_is(&AgreementText::of(&there.text), &AgreementText::of(&wanted))?;
        Ok((does, Vec::new()))
    }

    async fn do_answer(&self, text: &AgreementText, known: &[Known], who: &Principal) -> Result<(), Problem> {
        let wanted = text.agreement(self.0.now()).map_err(first)?;
        let there = same_number(&wanted, known).ok_or_else(Problem::not_found)?;
        let talk = there.talk.as_ref().ok_or_else(Problem::not_found)?;
        let mut hash = there.text.hash();
        if there.state == State::Requested {
            let as_asked = (*there.text).clone();
            hash = self.offer_agreement(&talk.request, as_asked, &who.actor).await?;
        }
        if self.voice(&wanted.consumer.org).is_ok() {
            self.accept_agreement(&talk.request, &hash, &who.actor).await?;
        }
        Ok(())
    }
}

/// What is known under a number between the two: what waits for an answer before what has had one.
fn same_number<'k>(wanted: &Agreement, known: &'k [Known]) -> Option<&'k Known> {
    let same = |known: &&Known| {
        let there = &known.text;
        there.id == wanted.id && there.consumer == wanted.consumer && there.service == wanted.service
    };
    let waits = |known: &&Known| matches!(known.state, State::Requested | State::Offered);
    let all = || known.iter().filter(same);
    all().find(waits).or_else(|| all().next())
}

/// Refuses to sign a document that is not the one that a file has.
///
/// # Errors
/// Conflict `declared-otherwise` at the first field that differs.
fn as_it_is<T: Serialize>(there: &T, wanted: &T) -> Result<(), Problem> {
    let there = serde_json::to_value(there).map_err(Problem::internal)?;
    let wanted = serde_json::to_value(wanted).map_err(Problem::internal)?;
    let fields = wanted.as_object().into_iter().flatten();
    let other: Vec<&str> = fields
        .filter(|(field, value)| there.get(field) != Some(value))
        .map(|(field, _)| field.as_str())
        .collect();
    let Some(first) = other.first() else {
        return Ok(());
    };
    let problem = Problem::new(Kind::Conflict, "declared-otherwise").at(first);
    Err(problem.with("fields", other.join(", ")))
}
