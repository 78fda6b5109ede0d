//! Who is signed in, as the handlers see it. Never how they proved it: see the `identity` crate.

use std::convert::Infallible;
use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use bytes::Bytes;
use kernel::{Actor, Kind, OrgCode, PersonalNumber, Problem, Tenant};
use tokio::sync::OnceCell;

use crate::problem::Refusal;
use crate::shared::Shared;

/// The roles of officials at a desk.
pub const DESK_ROLES: [&str; 6] = [
    "receptionist",
    "officer",
    "chairman",
    "deputy-chairman",
    "clerk",
    // Sees the cases of a whole province and assigns what a merger left open; no procedure has a step
    // for them.
    "supervisor",
];

/// The role of who writes versions of procedures.
pub const DESIGNER: &str = "designer";
/// The role of who tests, publishes and withdraws versions of procedures that somebody else wrote.
pub const PUBLISHER: &str = "publisher";
/// The roles of the two.
pub const DESIGN_ROLES: [&str; 2] = [DESIGNER, PUBLISHER];

/// The role of who looks after a node, or after an organisation that it hosts.
pub const OPERATOR: &str = "operator";
/// The role of who sees what an operator sees, and changes nothing.
pub const OBSERVER: &str = "observer";
/// Who reads what an operator does.
pub const SEEING: [&str; 2] = [OPERATOR, OBSERVER];

/// Finds who is signed in; the `identity` crate implements it.
#[async_trait]
pub trait Authenticate: Send + Sync {
    /// The signed-in party of a request, `None` when there is none.
    ///
    /// # Errors
    /// When the session cannot be looked up; a bad or expired session is `None`, not an error.
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Principal>, Problem>;

    /// Keeps a form that came after its sender's session had ended, for them alone. Gives the path
    /// where it waits for them after they have signed in again; `None` when it is not kept.
    async fn keep(&self, _parts: &Parts, _form: Bytes) -> Option<String> {
        None
    }
}

/// Nobody is ever signed in: for nodes and tests without accounts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

#[async_trait]
impl Authenticate for Nobody {
    async fn authenticate(&self, _: &Parts) -> Result<Option<Principal>, Problem> {
        Ok(None)
    }
}

/// A signed-in party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Account id.
    pub account: String,
    /// The organisation whose rows they touch.
    pub tenant: Tenant,
    /// How facts name them.
    pub actor: Actor,
    /// The name to greet them by. Personal data: never log it.
    pub name: String,
    /// A citizen's personal number. Personal data: never log it.
    pub subject: Option<PersonalNumber>,
    /// Assurance level of the sign-in, 1 or 2.
    pub level: u8,
    /// `citizen`, [`OPERATOR`], [`OBSERVER`], or some of [`DESK_ROLES`] and [`DESIGN_ROLES`].
    pub roles: Vec<String>,
    /// The unit of their position; the tenant for a citizen.
    pub unit: OrgCode,
    /// Session id.
    pub session: String,
}

impl Principal {
    /// True when they hold a role.
    #[must_use]
    pub fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|r| r == role)
    }

    /// True when they hold a role, or see what those see who hold it.
    #[must_use]
    pub fn sees(&self, role: &str) -> bool {
        self.has(role) || (role == OPERATOR && self.has(OBSERVER))
    }

    /// True for who sees and does nothing else.
    #[must_use]
    pub fn only_observes(&self) -> bool {
        !self.roles.is_empty() && self.roles.iter().all(|role| role == OBSERVER)
    }

    /// Refuses who does not hold a role.
    ///
    /// # Errors
    /// 403 `role-missing` with the role's name.
    pub fn require(&self, role: &str) -> Result<(), Problem> {
        self.require_any(&[role])
    }

    /// Refuses who holds none of some roles.
    ///
    /// # Errors
    /// 403 `role-missing` with the roles' names.
    pub fn require_any(&self, roles: &[&str]) -> Result<(), Problem> {
        if roles.iter().any(|role| self.has(role)) {
            return Ok(());
        }
        Err(Problem::new(Kind::Forbidden, "role-missing").with("role", roles.join(", ")))
    }

    /// True for who belongs to the organisation whose node this is, and not to one that it hosts.
    #[must_use]
    pub fn is_of_home(&self, home: &Tenant) -> bool {
        self.tenant.top() == home.top()
    }

    /// Refuses who belongs to an organisation that the node hosts: what concerns the whole node is for its
    /// home organisation.
    ///
    /// # Errors
    /// 403 `node-not-yours` with the home organisation's code.
    pub fn require_home(&self, home: &Tenant) -> Result<(), Problem> {
        if self.is_of_home(home) {
            return Ok(());
        }
        Err(Problem::new(Kind::Forbidden, "node-not-yours").with("home", home))
    }
}

/// The signed-in party; who is not signed in gets 401, or on pages a way to sign in and come back.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Principal);

/// A signed-in operator of the node, or an observer for what is only read (GET): who else is signed in
/// gets 403.
#[derive(Clone, Debug)]
pub struct Operator(pub Principal);

/// The signed-in party, if any.
#[derive(Clone, Debug)]
pub struct MaybeSignedIn(pub Option<Principal>);

/// One look-up a request, shared by all extractors and by the problem page; one that fails is not done
/// again either.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<OnceCell<Result<Option<Principal>, Problem>>>);

impl Known {
    /// Who was found, when someone has looked; never looks itself.
    pub(crate) fn seen(&self) -> Option<Principal> {
        self.0.get()?.as_ref().ok()?.clone()
    }
}

/// Finds the signed-in party once a request.
///
/// # Errors
/// When the session cannot be looked up.
pub async fn find(parts: &Parts) -> Result<Option<Principal>, Problem> {
    let shared = Shared::of(parts);
    match parts.extensions.get::<Known>() {
        Some(known) => known
            .0
            .get_or_init(|| shared.authenticate.authenticate(parts))
            .await
            .clone(),
        None => shared.authenticate.authenticate(parts).await,
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        match find(parts).await? {
            Some(principal) => Ok(Self(principal)),
            None => Err(Problem::new(Kind::NotSignedIn, "not-signed-in").into()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Operator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let SignedIn(who) = SignedIn::from_request_parts(parts, state).await?;
        if matches!(parts.method, Method::GET | Method::HEAD) {
            who.require_any(&SEEING)?;
        } else {
            who.require(OPERATOR)?;
        }
        Ok(Self(who))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MaybeSignedIn {
    type Rejection = Infallible;

    /// A session that cannot be looked up is no session here: public pages must stay readable.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(find(parts).await.unwrap_or_else(|problem| {
            // Who shows a wrong key, or calls too often, is no fault of this node's.
            if !matches!(problem.kind, Kind::NotSignedIn | Kind::TooMany) {
                tracing::error!(cause = %problem, "session could not be looked up");
            }
            None
        })))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::http::Request;
    use kernel::limits::Limits;

    use super::*;

    /// Refuses everybody, and counts how often it was asked.
    #[derive(Default)]
    struct Refusing(AtomicUsize);

    #[async_trait]
    impl Authenticate for Refusing {
        async fn authenticate(&self, _: &Parts) -> Result<Option<Principal>, Problem> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Err(Problem::new(Kind::NotSignedIn, "not-signed-in"))
        }
    }

    /// Signs everybody in with some roles.
    struct As(Vec<String>);

    #[async_trait]
    impl Authenticate for As {
        async fn authenticate(&self, _: &Parts) -> Result<Option<Principal>, Problem> {
            let unit: OrgCode = "G01".parse().expect("a code");
            Ok(Some(Principal {
                account: "o1".to_owned(),
                tenant: unit.clone(),
                actor: Actor::Official("o1".to_owned()),
                name: "x".to_owned(),
                subject: None,
                level: 0,
                roles: self.0.clone(),
                unit,
                session: "s".to_owned(),
            }))
        }
    }

    #[tokio::test]
    async fn an_observer_reads_what_an_operator_reads_and_changes_nothing() {
        for (roles, method, may) in [
            (vec![OPERATOR], Method::GET, true),
            (vec![OPERATOR], Method::POST, true),
            (vec![OBSERVER], Method::GET, true),
            (vec![OBSERVER], Method::POST, false),
            (vec![OBSERVER], Method::DELETE, false),
            (vec![OBSERVER, OPERATOR], Method::POST, true),
            (vec!["officer"], Method::GET, false),
        ] {
            let shared = Shared {
                authenticate: Arc::new(As(roles.iter().map(|role| (*role).to_owned()).collect())),
                ..crate::testing::shared(Limits::default())
            };
            let (mut parts, ()) = Request::new(()).into_parts();
            parts.method = method.clone();
            parts.extensions.insert(shared);
            let admitted = Operator::from_request_parts(&mut parts, &()).await.is_ok();
            assert_eq!(admitted, may, "{roles:?} {method}");
        }
    }

    #[tokio::test]
    async fn who_is_refused_is_looked_up_once_a_request() {
        let refusing = Arc::new(Refusing::default());
        let shared = Shared {
            authenticate: refusing.clone(),
            ..crate::testing::shared(Limits::default())
        };
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.extensions.insert(shared);
        parts.extensions.insert(Known::default());
        let Ok(MaybeSignedIn(nobody)) = MaybeSignedIn::from_request_parts(&mut parts, &()).await;
        assert_eq!(nobody, None);
        assert!(SignedIn::from_request_parts(&mut parts, &()).await.is_err());
        assert_eq!(refusing.0.load(Ordering::SeqCst), 1);
    }
}
