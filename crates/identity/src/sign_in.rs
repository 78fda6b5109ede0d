//! Signing in with a user name and a password: the verb that the form and its JSON twin share.
//! Never tells whether an account exists: not by words, not by status, not by time.

pub mod api;
pub mod form;
pub mod kept;
pub mod me;
pub mod out;

use axum::http::HeaderMap;
use kernel::{Actor, Digest, Fact, Kind, Problem};

use crate::Site;
use crate::accounts::{Account, subject, user_key};
use crate::sessions::Started;
use crate::store;

/// The longest user name looked at, in bytes.
const USER_BYTES_MAX: usize = 200;

/// Signs in, or refuses: 401 `wrong-password`, 429 `too-many-tries`.
pub(crate) async fn sign_in(
    site: &Site,
    headers: &HeaderMap,
    user: &str,
    password: &str,
) -> Result<Started, Problem> {
    let user = user_key(user);
    let user = if user.len() > USER_BYTES_MAX {
        String::new()
    } else {
        user
    };
    let who = site.store.digest(&site.tenant, &format!("sign-in/{user}"));
    // The reader goes back before the password is hashed: hashing is slow, and readers are few.
    let now = site.store.world().now();
    let found = store::account_by_user(&site.store.read(&site.tenant).await?, &user, now).await?;
    // An unknown name leaves a fact under its salted digest, so that guessing names shows too.
    let named = match &found {
        Some((account, _)) => account.id.clone(),
        None => format!("unknown-{}", &who.hex()[..16]),
    };
    take_try(site, &who, &named).await?;
    let (account, stored) = found.map_or((None, None), |(account, stored)| (Some(account), stored));
    let fits = site.checker.fits(password, stored).await?;
    match account {
        Some(account) if fits => begin(site, headers, account, &who).await,
        _ => {
            refuse(site, &who, &named, "wrong-password").await?;
            Err(Problem::new(Kind::NotSignedIn, "wrong-password"))
        }
    }
}

/// Counts the try before the password is looked at: a hundred tries sent at once are a hundred
/// tries.
async fn take_try(site: &Site, who: &Digest, named: &str) -> Result<(), Problem> {
    let max = site.store.limits().sign_in_tries_max;
    let _queued = site.queue(who).await;
    let refused = site
        .store
        .write(&site.tenant, &Actor::Platform, |tx| {
            let (who, named) = (*who, named.to_owned());
            async move {
                let (mut tries, told) = store::tries(&tx, &who).await?;
                let allowed = tries.take(tx.now(), max);
                // One fact when the limit is reached, not one for every try after it.
                if !allowed && !told {
                    let fact = Fact::SignInRefused {
                        account: named.clone(),
                        reason: "too-many-tries".to_owned(),
                    };
                    tx.fact(&subject(&named), fact).await?;
                }
                if allowed || !told {
                    store::save_tries(&tx, &who, &tries, !allowed).await?;
                }
                Ok((!allowed).then(|| tries.wait_minutes(tx.now())))
            }
        })
        .await?;
    match refused {
        None => Ok(()),
        Some(minutes) => Err(Problem::new(Kind::TooMany, "too-many-tries")
            .with("minutes", minutes)
            .with("seconds", minutes * 60)),
    }
}

async fn begin(site: &Site, headers: &HeaderMap, account: Account, who: &Digest) -> Result<Started, Problem> {
    let (token, cookie) = site.sessions.fresh();
    let _queued = site.queue(who).await;
    let old = site.sessions.token_of(headers);
    site.store
        .write(&site.tenant, &account.actor(), |tx| {
            let (account, who) = (account.clone(), *who);
            async move {
                store::clear_tries(&tx, &who).await?;
                let level = account.level;
                site.sessions
                    .begin(&tx, &account, level, &token, old.as_ref())
                    .await
            }
        })
        .await?;
    let level = account.level;
    let principal = account.principal(&site.tenant, level, &token);
    Ok(Started { principal, cookie })
}

async fn refuse(site: &Site, who: &Digest, named: &str, reason: &'static str) -> Result<(), Problem> {
    let _queued = site.queue(who).await;
    site.store
        .write(&site.tenant, &Actor::Platform, |tx| {
            let named = named.to_owned();
            async move {
                let fact = Fact::SignInRefused {
                    account: named.clone(),
                    reason: reason.to_owned(),
                };
                tx.fact(&subject(&named), fact).await?;
                Ok(())
            }
        })
        .await
}

#[cfg(test)]
mod tests;
