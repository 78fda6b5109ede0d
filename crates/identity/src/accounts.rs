//! Accounts: who may sign in here, with which roles and at which level. Never a session: see
//! [`crate::sessions`].

use kernel::{Actor, Date, Digest, Fact, OrgCode, PersonalNumber, Problem, Tenant};
use store::{Store, Tx};
use web::Principal;
use web::auth::SEEING;

use crate::password;

pub use web::auth::{OBSERVER, OPERATOR};

/// The role every citizen has.
pub const CITIZEN: &str = "citizen";

/// An account to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    /// Unique within the tenant; appears in facts, so no personal data.
    pub id: String,
    /// What its owner types to sign in.
    pub user: String,
    /// `None` for who signs in elsewhere.
    pub password: Option<String>,
    /// The name to greet its owner by.
    pub name: String,
    /// A citizen's personal number.
    pub subject: Option<PersonalNumber>,
    /// A citizen's date of birth, for the identity provider's claims.
    pub born: Option<Date>,
    /// Assurance level: 1 or 2 for citizens, 0 for officials and systems.
    pub level: u8,
    /// `citizen`, `receptionist`, `officer`, `chairman`, `operator`, `observer`.
    pub roles: Vec<String>,
    /// The unit of the owner's position; the tenant for a citizen. An operator or observer of an organisation
    /// that the node hosts has that one.
    pub unit: OrgCode,
}

/// An account as kept; without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Unique within the tenant.
    pub id: String,
    /// The name to greet its owner by. Personal data.
    pub name: String,
    /// A citizen's personal number. Personal data.
    pub subject: Option<PersonalNumber>,
    /// A citizen's date of birth. Personal data.
    pub born: Option<Date>,
    /// Assurance level of the account itself.
    pub level: u8,
    /// What its owner may do.
    pub roles: Vec<String>,
    /// The unit of the owner's position.
    pub unit: OrgCode,
}

impl Account {
    /// How facts name the owner.
    #[must_use]
    pub fn actor(&self) -> Actor {
        if self.roles.iter().any(|r| r == CITIZEN) {
            Actor::Citizen(self.id.clone())
        } else {
            Actor::Official(self.id.clone())
        }
    }

    /// The organisation whose rows its owner touches: the node's own, but for an operator or observer of one
    /// that the node hosts, whose unit says which.
    fn organisation(&self, home: &Tenant) -> Tenant {
        let own = self.unit.top();
        let hosted = own != home.top() && self.roles.iter().any(|r| SEEING.contains(&r.as_str()));
        if hosted { own } else { home.clone() }
    }

    /// The signed-in party of a session at a level.
    #[must_use]
    pub fn principal(self, home: &Tenant, level: u8, session: &Digest) -> Principal {
        Principal {
            actor: self.actor(),
            tenant: self.organisation(home),
            account: self.id,
            name: self.name,
            subject: self.subject,
            level,
            roles: self.roles,
            unit: self.unit,
            session: session.hex(),
        }
    }
}

/// The subject an account's facts hang on.
#[must_use]
pub fn subject(id: &str) -> String {
    format!("account/{id}")
}

/// A user name as it is compared: no outer space, no difference of case.
#[must_use]
pub(crate) fn user_key(user: &str) -> String {
    user.trim().to_lowercase()
}

/// Opens an account within a write. Hashing takes tens of milliseconds and the writer waits for
/// it: outside a set-up of a few accounts use [`Accounts::open`], which hashes before it writes.
///
/// # Errors
/// Conflict `already-there` for an id or user name that is taken; 422 for a password that is too
/// short; the store's own problems.
pub async fn open(tx: &Tx, account: &NewAccount) -> Result<(), Problem> {
    let mut salt = [0; 16];
    let chance = Digest::of_parts(&[tx.id().as_bytes(), tx.id().as_bytes()]);
    salt.copy_from_slice(&chance.0[..16]);
    let hash = match &account.password {
        Some(password) => Some(password::hash(password.clone(), salt).await?),
        None => None,
    };
    open_hashed(tx, account, hash).await
}

async fn open_hashed(tx: &Tx, account: &NewAccount, hash: Option<String>) -> Result<(), Problem> {
    crate::store::insert_account(tx, account, hash).await?;
    let fact = Fact::AccountOpened {
        account: account.id.clone(),
        level: account.level,
    };
    tx.fact(&subject(&account.id), fact).await?;
    Ok(())
}

/// The accounts of one tenant.
#[derive(Clone, Debug)]
pub struct Accounts {
    store: Store,
    tenant: Tenant,
}

impl Accounts {
    /// The accounts of a tenant in a store.
    #[must_use]
    pub const fn new(store: Store, tenant: Tenant) -> Self {
        Self { store, tenant }
    }

    /// Opens an account: hashes first, writes then.
    ///
    /// # Errors
    /// As [`open`].
    pub async fn open(&self, actor: &Actor, account: &NewAccount) -> Result<(), Problem> {
        let hash = match &account.password {
            Some(password) => {
                let salt = self.store.world().random();
                Some(password::hash(password.clone(), salt).await?)
            }
            None => None,
        };
        self.store
            .write(&self.tenant, actor, |tx| {
                let (account, hash) = (account.clone(), hash.clone());
                async move { open_hashed(&tx, &account, hash).await }
            })
            .await
    }

    /// An account by its id.
    ///
    /// # Errors
    /// The store's own problems.
    pub async fn get(&self, id: &str) -> Result<Option<Account>, Problem> {
        crate::store::account(&self.store.read(&self.tenant).await?, id).await
    }

    /// The accounts of a unit's positions that are in force, by id; the first two hundred.
    ///
    /// # Errors
    /// The store's own problems.
    pub async fn of_unit(&self, unit: &OrgCode) -> Result<Vec<Account>, Problem> {
        let now = self.store.world().now();
        crate::store::of_unit(&self.store.read(&self.tenant).await?, unit, now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TENANT, official};

    async fn accounts() -> (testkit::TempStore, Accounts) {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let accounts = Accounts::new(temp.store.clone(), TENANT.parse().unwrap());
        (temp, accounts)
    }

    #[tokio::test]
    async fn an_opened_account_is_a_fact_without_a_name() {
        let (temp, accounts) = accounts().await;
        accounts
            .open(&Actor::Platform, &official("o1", "lan"))
            .await
            .unwrap();
        let facts = temp
            .store
            .facts_of(&TENANT.parse().unwrap(), "account/o1")
            .await
            .unwrap();
        assert_eq!(facts.len(), 1);
        let json = facts[0].to_json().unwrap();
        assert!(!json.contains("Lan") && !json.contains("lan\""), "{json}");
        assert_eq!(accounts.get("o1").await.unwrap().unwrap().name, "Trần Thị Lan");
    }

    #[tokio::test]
    async fn an_operator_of_a_hosted_organisation_acts_for_that_one_and_nobody_else_does() {
        let (_temp, accounts) = accounts().await;
        let home: Tenant = TENANT.parse().unwrap();
        let hosted: OrgCode = "G15".parse().unwrap();
        for (id, role, tenant) in [
            ("o1", OPERATOR, &hosted),
            ("o2", "officer", &home),
            ("o3", OBSERVER, &hosted),
        ] {
            let account = NewAccount {
                roles: vec![role.to_owned()],
                unit: hosted.clone(),
                ..official(id, id)
            };
            accounts.open(&Actor::Platform, &account).await.unwrap();
            let account = accounts.get(id).await.unwrap().unwrap();
            let who = account.principal(&home, 0, &Digest::of(b"s"));
            assert_eq!((&who.tenant, &who.unit), (tenant, &hosted), "{role}");
        }
    }

    #[tokio::test]
    async fn two_accounts_cannot_share_a_user_name_in_any_case() {
        let (_temp, accounts) = accounts().await;
        accounts
            .open(&Actor::Platform, &official("o1", "lan"))
            .await
            .unwrap();
        let taken = accounts.open(&Actor::Platform, &official("o2", " LAN ")).await;
        assert_eq!(taken.unwrap_err().code, "already-there");
    }

    #[tokio::test]
    async fn an_account_opened_within_a_write_signs_in_like_any_other() {
        let (temp, accounts) = accounts().await;
        let new = official("o1", "lan");
        temp.store
            .write(&TENANT.parse().unwrap(), &Actor::Platform, |tx| {
                let new = new.clone();
                async move { open(&tx, &new).await }
            })
            .await
            .unwrap();
        let stored = accounts.get("o1").await.unwrap().unwrap();
        assert_eq!(stored.actor(), Actor::Official("o1".to_owned()));
    }
}
