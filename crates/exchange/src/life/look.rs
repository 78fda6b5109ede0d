//! One agreement, or a request for one, with where it stands and all that was said about it. Never
//! changes anything.

use std::collections::BTreeSet;
use std::sync::Arc;

use kernel::{Digest, OrgCode, Problem, Time};

use super::State;
use super::span::Span;
use super::store::{self as rows, Told};
use super::talk::Talk;
use crate::agreement::{Agreement, signed_at};
use crate::gateway::Exchange;
use crate::held::Standing;

/// What there is to see of an agreement or of a request for one.
#[derive(Clone, Debug)]
pub struct Known {
    /// The agreement's hash; the request's name before there is one.
    pub name: Digest,
    /// The text: the agreement's, the newest offer's, or what was asked for.
    pub text: Arc<Agreement>,
    /// Where it stands now.
    pub state: State,
    /// True for an agreement that both have signed.
    pub signed_by_both: bool,
    /// The parties that suspend it now.
    pub suspended_by: Vec<OrgCode>,
    /// All suspensions that are not over, planned ones too.
    pub stops: Vec<(OrgCode, Span)>,
    /// The request that led to it; none for an agreement that was adopted with both signatures.
    pub talk: Option<Talk>,
}

/// One thing that happened to an agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Happened {
    /// `request`, `withdrawal`, `offer`, `refusal`, `acceptance`, `signature`, `suspension`,
    /// `resumption`, `revocation`, `expiry`.
    pub(crate) kind: String,
    /// By whom.
    pub(crate) party: OrgCode,
    /// When it was said.
    pub(crate) at: Time,
    /// Why; empty where no reason is needed.
    pub(crate) reason: String,
    /// For how long; of a suspension only.
    pub(crate) span: Span,
}

impl Exchange {
    /// What is known of an agreement by its hash, or of a request by its name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn look(&self, name: &Digest) -> Result<Option<Known>, Problem> {
        let now = self.0.now();
        if let Some(standing) = self.0.agreements.standing(name, now) {
            if !self.1.is_party(&standing.agreement) {
                return Ok(None);
            }
            let mut talk = None;
            for tenant in self.own_tenants() {
                let reader = self.0.store.read(tenant).await?;
                talk = talk.or(rows::talk_about(&reader, name).await?);
            }
            return Ok(Some(Known::of_held(standing, talk)));
        }
        let Some(talk) = self.talk(name).await? else {
            return Ok(None);
        };
        let hash = talk.signed().map(|both| both.agreement.hash());
        if let Some(standing) = hash.and_then(|hash| self.0.agreements.standing(&hash, now)) {
            return Ok(Some(Known::of_held(standing, Some(talk))));
        }
        Ok(Some(Known::of_talk(talk, now)))
    }

    /// A page of what is known: requests that wait for an answer first, then agreements by the
    /// parties' numbers. Gives one more than `limit` when there are more.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn page_of(
        &self,
        state: Option<State>,
        after: Option<&Digest>,
        limit: usize,
    ) -> Result<Vec<Known>, Problem> {
        let now = self.0.now();
        let held = &self.0.agreements;
        let after_held = after.filter(|hash| held.standing(hash, now).is_some());
        let mut page = match after_held {
            Some(_) => Vec::new(),
            None => self.talks_of(state, after).await?,
        };
        let room = (limit + 1).saturating_sub(page.len());
        let standings = held.standings(now, (state, after_held, self.1.organisation()), room);
        page.truncate(limit + 1);
        page.extend(
            standings
                .into_iter()
                .map(|standing| Known::of_held(standing, None)),
        );
        Ok(page)
    }

    /// All of it, for who counts or compares; lists read a page.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn overview(&self) -> Result<Vec<Known>, Problem> {
        self.page_of(None, None, usize::MAX - 1).await
    }

    /// Requests that have led to no agreement, behind one of them.
    async fn talks_of(&self, state: Option<State>, after: Option<&Digest>) -> Result<Vec<Known>, Problem> {
        let now = self.0.now();
        let mut all: Vec<Known> = Vec::new();
        let mut seen = BTreeSet::new();
        for tenant in self.own_tenants() {
            let reader = self.0.store.read(tenant).await?;
            let talks = rows::talks(&reader, TALKS_MAX).await?.into_iter();
            all.extend(talks.map(|talk| Known::of_talk(talk, now)));
        }
        // Both parties may be of this node; each knows of the request.
        all.retain(|known| seen.insert(known.name) && state.is_none_or(|state| known.state == state));
        all.sort_by_cached_key(|known| {
            let due = known.talk.as_ref().and_then(|talk| talk.due);
            (known.state, due, known.name)
        });
        let at = all.iter().position(|known| Some(&known.name) == after);
        all.drain(..at.map_or(0, |at| at + 1));
        Ok(all)
    }

    /// What happened to it, the oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn history(&self, known: &Known) -> Result<Vec<Happened>, Problem> {
        let mut subjects = vec![known.name];
        subjects.extend(known.talk.as_ref().map(|talk| talk.request));
        subjects.dedup();
        let mut history: Vec<Happened> = Vec::new();
        for tenant in self.own_tenants() {
            let reader = self.0.store.read(tenant).await?;
            for subject in &subjects {
                let told = rows::told(&reader, subject).await?.into_iter().map(Happened::of);
                history.extend(told);
            }
            if let Some((party, at, reason)) = rows::revocation(&reader, &known.name).await? {
                let kind = "revocation".to_owned();
                history.push(Happened {
                    kind,
                    party,
                    at,
                    reason,
                    span: Span::AT_ONCE,
                });
            }
        }
        if known.state == State::Expired && known.signed_by_both {
            history.push(Happened {
                kind: "expiry".to_owned(),
                party: known.text.provider.clone(),
                at: known.text.valid_to,
                reason: String::new(),
                span: Span::AT_ONCE,
            });
        }
        if known.talk.is_none() {
            let signed = |(party, at)| Happened {
                kind: "signature".to_owned(),
                party,
                at,
                reason: String::new(),
                span: Span::AT_ONCE,
            };
            history.extend(self.signatures(known).await?.into_iter().map(signed));
        }
        history.sort_by(|a, b| (a.at, a.rank(), &a.party).cmp(&(b.at, b.rank(), &b.party)));
        history.dedup();
        Ok(history)
    }

    /// Which parties have signed the text, and when.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn signatures(&self, known: &Known) -> Result<Vec<(OrgCode, Time)>, Problem> {
        if !known.signed_by_both {
            let offer = known.talk.as_ref().and_then(Talk::offered);
            let provider = &known.text.provider;
            let signed = offer.and_then(|offer| signed_at(&offer.acceptance));
            return Ok(signed.map(|at| (provider.clone(), at)).into_iter().collect());
        }
        for tenant in self.own_tenants() {
            let reader = self.0.store.read(tenant).await?;
            if let Some(both) = rows::signed(&reader, &known.name).await? {
                let (provider, consumer) = (&both.agreement.provider, &both.agreement.consumer.org);
                let words = [
                    (provider, &both.provider_acceptance),
                    (consumer, &both.consumer_acceptance),
                ];
                let at = |(party, word): (&OrgCode, &String)| Some((party.clone(), signed_at(word)?));
                return Ok(words.into_iter().filter_map(at).collect());
            }
        }
        Ok(Vec::new())
    }
}

/// Requests that are shown at most, of one organisation, count.
const TALKS_MAX: u64 = 1_000;

impl Known {
    fn of_held(standing: Standing, talk: Option<Talk>) -> Self {
        Self {
            name: standing.hash,
            text: standing.agreement,
            state: standing.state,
            signed_by_both: true,
            suspended_by: standing.suspended_by,
            stops: standing.stops,
            talk,
        }
    }

    fn of_talk(talk: Talk, now: Time) -> Self {
        Self {
            signed_by_both: false,
            name: talk.request,
            text: Arc::new(talk.text().clone()),
            state: talk.state(now),
            suspended_by: Vec::new(),
            stops: Vec::new(),
            talk: Some(talk),
        }
    }
}

impl Happened {
    /// Its place among what happened in the same millisecond: the order of a life.
    fn rank(&self) -> usize {
        let order = [
            "request",
            "withdrawal",
            "offer",
            "refusal",
            "acceptance",
            "signature",
            "suspension",
            "resumption",
        ];
        let place = order.iter().position(|kind| *kind == self.kind);
        place.unwrap_or(order.len())
    }

    fn of(told: Told) -> Self {
        Self {
            kind: told.kind,
            party: told.party,
            at: told.said_at,
            reason: told.reason,
            span: told.span,
        }
    }
}
