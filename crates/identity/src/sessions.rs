//! Sessions: a random token in a cookie, its digest in a row, an idle life and a whole life. Never
//! keeps a token: who reads the rows cannot sign in with them.

use async_trait::async_trait;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use kernel::{Actor, Digest, Fact, Problem, Tenant};
use store::{Store, Tx};
use web::{Authenticate, Principal};

use crate::accounts::{Account, subject};
use crate::keys::Counted;

/// How far behind a session's last use may be written, in milliseconds: a row a minute, not a row
/// a request.
pub(crate) const TOUCH_MS: i64 = 60_000;

/// The sessions of one tenant at one node.
#[derive(Clone, Debug)]
pub struct Sessions {
    pub(crate) store: Store,
    pub(crate) tenant: Tenant,
    cookie: String,
    secure: bool,
    /// How often API keys were used.
    pub(crate) uses: Counted,
}

/// A session just begun.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    pub(crate) principal: Principal,
    /// The cookie to set.
    pub(crate) cookie: HeaderValue,
}

impl Sessions {
    /// The sessions of a tenant at a node; the cookie is `sen_<node>`, because browsers share
    /// cookies between the ports of one host.
    #[must_use]
    pub fn new(store: Store, tenant: Tenant, node: &str) -> Self {
        Self {
            store,
            tenant,
            cookie: format!("sen_{node}"),
            secure: false,
            uses: Counted::default(),
        }
    }

    /// With cookies that browsers send over TLS only: for nodes behind TLS.
    #[must_use]
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// The digest of the session token a request carries, good or not.
    pub(crate) fn token_of(&self, headers: &HeaderMap) -> Option<Digest> {
        cookie_of(headers, &self.cookie).map(|token| Digest::of(token.as_bytes()))
    }

    /// A new secret and the cookie that carries it.
    pub(crate) fn fresh(&self) -> (Digest, HeaderValue) {
        let token = self.store.world().secret();
        (
            Digest::of(token.as_bytes()),
            self.cookie_value(&self.cookie, &token, None),
        )
    }

    /// The cookie that tells the browser to forget its session.
    pub(crate) fn forget(&self) -> HeaderValue {
        self.cookie_value(&self.cookie, "", Some(0))
    }

    /// The cookie that binds a sign-in begun here to this browser.
    pub(crate) fn flow_cookie(&self, secret: &str, age_s: i64) -> HeaderValue {
        self.cookie_value(&self.flow_name(), secret, Some(age_s))
    }

    /// The secret of the sign-in this browser began.
    pub(crate) fn flow_of(&self, headers: &HeaderMap) -> Option<String> {
        cookie_of(headers, &self.flow_name())
    }

    fn flow_name(&self) -> String {
        format!("{}_flow", self.cookie)
    }

    fn cookie_value(&self, name: &str, value: &str, age_s: Option<i64>) -> HeaderValue {
        let age = age_s.map(|s| format!("; Max-Age={s}")).unwrap_or_default();
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}");
        HeaderValue::from_str(&text).expect("node ids and hex digits are visible ASCII")
    }

    /// Begins a session within a write and ends the one the browser came with: a token planted
    /// before the sign-in is worth nothing after it.
    pub(crate) async fn begin(
        &self,
        tx: &Tx,
        account: &Account,
        level: u8,
        token: &Digest,
        old: Option<&Digest>,
    ) -> Result<(), Problem> {
        let limits = self.store.limits();
        // A session that has ended still tells for a while whose form comes late.
        let late = limits.kept_form_ms_max;
        let idle = tx.now().plus_ms(-limits.session_idle_ms_max - late);
        let whole = tx.now().plus_ms(-limits.session_ms_max - late);
        crate::store::sweep_sessions(tx, idle, whole).await?;
        crate::store::sweep_forms(tx, tx.now().plus_ms(-late)).await?;
        if let Some(old) = old {
            crate::store::end_session(tx, old).await?;
        }
        crate::store::insert_session(tx, token, &account.id, level).await?;
        let fact = Fact::SignedIn {
            account: account.id.clone(),
            level,
        };
        tx.fact(&subject(&account.id), fact).await?;
        Ok(())
    }

    /// Ends a session; nothing happens when there is none.
    ///
    /// # Errors
    /// The store's own problems.
    pub(crate) async fn end(&self, principal: &Principal, token: Digest) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &principal.actor, |tx| async move {
                if let Some(account) = crate::store::end_session(&tx, &token).await? {
                    let late = tx.now().plus_ms(-self.store.limits().kept_form_ms_max);
                    crate::store::forget_forms(&tx, &account, late).await?;
                    tx.fact(
                        &subject(&account),
                        Fact::SignedOut {
                            account: account.clone(),
                        },
                    )
                    .await?;
                }
                Ok(())
            })
            .await
    }

    /// The session of a token with the moment it began.
    pub(crate) async fn find(&self, token: &Digest) -> Result<Option<(Principal, kernel::Time)>, Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let (now, limits) = (self.store.world().now(), self.store.limits());
        let Some(row) = crate::store::session(&reader, token, now).await? else {
            return Ok(None);
        };
        if row.seen.plus_ms(limits.session_idle_ms_max) <= now
            || row.started.plus_ms(limits.session_ms_max) <= now
        {
            return Ok(None);
        }
        if row.seen.plus_ms(TOUCH_MS) <= now {
            self.touch(&row.account.actor(), *token).await;
        }
        let started = row.started;
        Ok(Some((
            row.account.principal(&self.tenant, row.level, token),
            started,
        )))
    }

    async fn keep_for_owner(&self, token: &Digest, path: &str, form: &[u8]) -> Result<bool, Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let now = self.store.world().now();
        let Some(row) = crate::store::session(&reader, token, now).await? else {
            return Ok(false);
        };
        drop(reader);
        let account = &row.account;
        self.store
            .write(&self.tenant, &account.actor(), |tx| async move {
                crate::store::keep_form(&tx, &account.id, path, form).await
            })
            .await?;
        Ok(true)
    }

    /// Notes that a session was used. A store that cannot write must not sign people out, so a
    /// failure is logged and the session stays as it was.
    async fn touch(&self, actor: &Actor, token: Digest) {
        let touched = self
            .store
            .write(&self.tenant, actor, |tx| async move {
                crate::store::touch_session(&tx, &token).await
            })
            .await;
        if let Err(problem) = touched {
            tracing::warn!(cause = %problem, "the use of a session could not be noted");
        }
    }
}

#[async_trait]
impl Authenticate for Sessions {
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Principal>, Problem> {
        // Who shows a key means it: the session of a browser that does so too is not looked for.
        if let Some(principal) = self.by_key(parts).await? {
            return Ok(Some(principal));
        }
        let Some(token) = self.token_of(&parts.headers) else {
            return Ok(None);
        };
        Ok(self.find(&token).await?.map(|(principal, _)| principal))
    }

    /// Whose form it is, the ended session says; one that was ended by signing out says nothing, and
    /// what comes after it is not kept.
    async fn keep(&self, parts: &Parts, form: Bytes) -> Option<String> {
        let token = self.token_of(&parts.headers)?;
        let path = crate::next::local(parts.uri.path_and_query().map(PathAndQuery::as_str));
        match self.keep_for_owner(&token, path, &form).await {
            Ok(true) => Some(crate::sign_in::kept::PATH.to_owned()),
            Ok(false) => None,
            Err(problem) => {
                tracing::error!(cause = %problem, "a late form could not be kept");
                None
            }
        }
    }
}

/// A cookie that holds one of our secrets: 64 hex digits, else it is not ours. With two of one
/// name neither counts: one of them was planted.
fn cookie_of(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value);
    let value = found.next()?;
    let ours = value.len() == 64
        && value
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        && found.next().is_none();
    ours.then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookie).unwrap())])
    }

    #[test]
    fn only_one_well_formed_cookie_of_this_node_counts() {
        let token = "ab".repeat(32);
        let found = |cookie: &str| cookie_of(&headers(cookie), "sen_national");
        assert_eq!(
            found(&format!("lang=vi; sen_national={token}")),
            Some(token.clone())
        );
        assert_eq!(found(&format!("sen_ministry={token}")), None);
        assert_eq!(
            found(&format!("sen_national={token}; sen_national={token}")),
            None
        );
        assert_eq!(found("sen_national=' or 1=1"), None);
        assert_eq!(found(&format!("sen_national={}", token.to_uppercase())), None);
    }
}
