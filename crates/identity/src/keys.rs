//! API keys: with which a program calls the management API of the exchange and of the directory in an
//! operator's name, with no more roles than that operator has. Never keeps a key, only its digest: it is
//! shown once.
//!
//! | module | holds |
//! |---|---|
//! | [`api`], [`page`] | the operations, for programs and for people |
//! | [`uses`] | how many calls there may be in a minute |

pub(crate) mod api;
pub(crate) mod page;
/// The roles that somebody may give to a key: theirs, and to read what they may change.
fn may_give(who: &Principal) -> Vec<&str> {
    let reads = who.has(OPERATOR) && !who.has(OBSERVER);
    let own = who.roles.iter().map(String::as_str);
    own.chain(reads.then_some(OBSERVER)).collect()
}

#[cfg(test)]
mod tests;
mod uses;

use std::sync::PoisonError;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use kernel::{Digest, Fact, Kind, Problem, Time, text};
use web::auth::{OBSERVER, OPERATOR};
use web::{Peer, Principal};

use crate::accounts::Account;
use crate::sessions::{Sessions, TOUCH_MS};
use crate::store::keys::{self as rows, NewKey};

pub(crate) use uses::Counted;
use uses::{Uses, too_many};

/// Where keys are taken in place of a session; not where keys are made: a key makes no other.
const TAKEN: [&str; 2] = ["/api/v1/exchange", "/api/v1/directory"];
/// Length of a key's name, in letters.
const NAME_MAX: usize = 100;
/// Keys of a unit that are listed, count; an older one can still be revoked by its id.
const KEYS_LISTED: u64 = 1_000;
/// How long a key that has ended is listed still, in milliseconds; its facts stay.
const KEPT_MS: i64 = 400 * 86_400_000;

/// A key as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    /// What its maker calls it.
    pub(crate) name: String,
    pub(crate) roles: Vec<String>,
    pub(crate) made: Time,
    pub(crate) expires: Time,
    pub(crate) revoked: Option<Time>,
    /// Its last use, a minute behind at most.
    pub(crate) used: Option<Time>,
    /// In whose name it acts.
    pub(crate) maker: Account,
}

/// A key that somebody wants.
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) roles: Vec<String>,
    pub(crate) expires: Time,
}

impl Key {
    /// Why it does not count.
    fn fault(&self, now: Time) -> Option<Problem> {
        let code = match self.revoked {
            Some(_) => "api-key-revoked",
            None if self.expires <= now => "api-key-expired",
            None => return None,
        };
        Some(Problem::new(Kind::NotSignedIn, code).with("key", &self.name))
    }

    /// `good`, `expired` or `revoked`.
    pub(crate) const fn state(&self, now: Time) -> &'static str {
        match self.revoked {
            Some(_) => "revoked",
            None if self.expires.ms() <= now.ms() => "expired",
            None => "good",
        }
    }
}

/// The key that a request shows: `Bearer KEY`, or X-Road's `X-Road-ApiKey token=KEY`.
fn shown(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Some(rest),
        "x-road-apikey" => rest.strip_prefix("token="),
        _ => None,
    }
}

/// Whether a request is for what keys are taken for.
fn is_taken(path: &str) -> bool {
    let mut below = TAKEN.iter().filter_map(|taken| path.strip_prefix(taken));
    below.any(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Sessions {
    /// Who a request's key stands for; `None` when it shows none, or where none is taken.
    ///
    /// # Errors
    /// 401 `api-key-wrong`, `api-key-expired`, `api-key-revoked`; 429 `api-key-calls`.
    pub(crate) async fn by_key(&self, parts: &Parts) -> Result<Option<Principal>, Problem> {
        let Some(key) = shown(&parts.headers).filter(|_| is_taken(parts.uri.path())) else {
            return Ok(None);
        };
        let now = self.store.world().now();
        let limits = self.store.limits();
        let digest = Digest::of(key.as_bytes());
        let reader = self.store.read(&self.tenant).await?;
        let found = rows::key_by_digest(&reader, &digest).await?;
        drop(reader);
        let Some(found) = found else {
            // Looked up first: who guesses must not lock out the good keys of the same address.
            let address = parts.extensions.get::<Peer>().map(|peer| peer.addr.ip());
            let max = limits.api_key_wrong_max;
            if !self.uses(|uses| uses.unknown_from(address, max, now)) {
                return Err(too_many(max, now));
            }
            return Err(Problem::new(Kind::NotSignedIn, "api-key-wrong"));
        };
        if let Some(fault) = found.fault(now) {
            return Err(fault);
        }
        if !self.uses(|uses| uses.of_key(&found.id, limits.api_key_calls_max, now)) {
            return Err(too_many(limits.api_key_calls_max, now));
        }
        if found.used.is_none_or(|used| used.plus_ms(TOUCH_MS) <= now) {
            self.note_use(&found).await;
        }
        let level = found.maker.level;
        let mut who = found.maker.principal(&self.tenant, level, &digest);
        // What its maker may not do any more, the key may not either.
        let reads = found.roles.iter().any(|role| role == OBSERVER) && who.sees(OPERATOR);
        who.roles
            .retain(|role| role != OBSERVER && found.roles.contains(role));
        who.roles.extend(reads.then(|| OBSERVER.to_owned()));
        Ok(Some(who))
    }

    fn uses<T>(&self, of: impl FnOnce(&mut Uses) -> T) -> T {
        of(&mut self.uses.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A store that cannot write must not refuse a good key.
    async fn note_use(&self, key: &Key) {
        let touched = self
            .store
            .write(&self.tenant, &key.maker.actor(), |tx| async move {
                rows::touch_key(&tx, &key.id).await
            })
            .await;
        if let Err(problem) = touched {
            tracing::warn!(cause = %problem, "the use of an API key could not be noted");
        }
    }

    /// Makes a key in somebody's name; gives it with its id. It is nowhere else from then on.
    ///
    /// # Errors
    /// 422, every fault at its field: `field-missing`, `api-key-name`, `api-key-roles`, `api-key-end`,
    /// `api-key-many`.
    pub(crate) async fn make_key(
        &self,
        who: &Principal,
        wanted: &Wanted,
    ) -> Result<(String, String), Vec<Problem>> {
        let world = self.store.world();
        let faults = self.faults(who, wanted, world.now());
        if !faults.is_empty() {
            return Err(faults);
        }
        let (id, key) = (world.id(), world.secret());
        let new = &NewKey {
            id: &id,
            digest: &Digest::of(key.as_bytes()),
            account: &who.account,
            name: wanted.name.trim(),
            roles: &wanted.roles,
            expires: wanted.expires,
        };
        let max = self.store.limits().api_keys_max;
        let made = self
            .store
            .write(&self.tenant, &who.actor, |tx| async move {
                rows::sweep_keys(&tx, tx.now().plus_ms(-KEPT_MS)).await?;
                if rows::live_keys(&tx, new.account).await? >= max {
                    return Err(Problem::invalid("name", "api-key-many").with("max", max));
                }
                rows::insert_key(&tx, new).await?;
                let fact = Fact::ApiKeyMade {
                    key: new.id.to_owned(),
                    account: new.account.to_owned(),
                    roles: new.roles.to_vec(),
                    expires: new.expires,
                };
                tx.fact(&subject(new.id), fact).await?;
                Ok(())
            })
            .await;
        made.map_err(|problem| vec![problem])?;
        Ok((id, key))
    }

    fn faults(&self, who: &Principal, wanted: &Wanted, now: Time) -> Vec<Problem> {
        let mut faults = Vec::new();
        let name = wanted.name.trim();
        if name.is_empty() {
            faults.push(Problem::invalid("name", "field-missing").with("field", "name"));
        } else if name.chars().count() > NAME_MAX || text::clean(name) != name {
            faults.push(Problem::invalid("name", "api-key-name").with("max", NAME_MAX));
        }
        if wanted.roles.is_empty()
            || !wanted
                .roles
                .iter()
                .all(|role| may_give(who).contains(&role.as_str()))
        {
            let own = Problem::invalid("roles", "api-key-roles");
            faults.push(own.with("own", may_give(who).join(", ")));
        }
        let most = self.store.limits().api_key_ms_max;
        if wanted.expires <= now || wanted.expires > now.plus_ms(most) {
            let days = most / 86_400_000;
            faults.push(Problem::invalid("expires", "api-key-end").with("max", days));
        }
        faults
    }

    /// The keys that an operator looks after: those of their own unit, the newest first.
    pub(crate) async fn keys_of(&self, who: &Principal) -> Result<Vec<Key>, Problem> {
        let reader = self.store.read(&self.tenant).await?;
        rows::keys(&reader, &who.unit, KEYS_LISTED).await
    }

    /// Revokes a key; nothing when it is revoked already.
    ///
    /// # Errors
    /// 404 for a key of another unit, or none.
    pub(crate) async fn revoke_key(&self, who: &Principal, id: &str) -> Result<(), Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let found = rows::key(&reader, id).await?;
        drop(reader);
        let own = found.filter(|key| key.maker.unit == who.unit);
        let key = &own.ok_or_else(Problem::not_found)?;
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                if rows::revoke_key(&tx, &key.id).await? {
                    let fact = Fact::ApiKeyRevoked {
                        key: key.id.clone(),
                        account: key.maker.id.clone(),
                    };
                    tx.fact(&subject(&key.id), fact).await?;
                }
                Ok(())
            })
            .await
    }
}

/// What the facts of a key hang on.
fn subject(id: &str) -> String {
    format!("api-key/{id}")
}
