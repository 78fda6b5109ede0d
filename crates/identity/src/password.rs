//! Passwords: how they are hashed and checked. Never logs one, and never lets a check run on a
//! thread that serves requests.

use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use kernel::{Problem, World};
use tokio::sync::Semaphore;

/// Memory of one hash, in KiB: the first choice of the OWASP password storage cheat sheet for
/// argon2id (19 MiB, two passes, one lane).
const MEMORY_KIB: u32 = 19_456;
/// Passes over that memory, count.
const PASSES: u32 = 2;
/// Lanes, count.
const LANES: u32 = 1;
/// Hashes computed at the same time, count: bounds their memory, whatever the number of requests.
const AT_ONCE_MAX: usize = 4;
/// The longest password looked at, in bytes; a longer one is wrong without a look.
const BYTES_MAX: usize = 256;
/// The shortest password an account may be opened with, in characters.
const CHARACTERS_MIN: usize = 8;

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Hashes a password with a salt into the PHC text that is stored: the parameters travel with it.
///
/// # Errors
/// 422 `password-short` or `password-long` at `password`.
pub(crate) async fn hash(password: String, salt: [u8; 16]) -> Result<String, Problem> {
    if password.chars().count() < CHARACTERS_MIN {
        return Err(Problem::invalid("password", "password-short").with("min", CHARACTERS_MIN));
    }
    if password.len() > BYTES_MAX {
        return Err(Problem::invalid("password", "password-long").with("max", BYTES_MAX));
    }
    tokio::task::spawn_blocking(move || hash_now(&password, &salt))
        .await
        .map_err(Problem::internal)?
}

fn hash_now(password: &str, salt: &[u8; 16]) -> Result<String, Problem> {
    let hash: PasswordHash = argon2()
        .hash_password_with_salt(password.as_bytes(), salt)
        .map_err(|_| Problem::internal("argon2 refused to hash"))?;
    Ok(hash.to_string())
}

/// Checks passwords, a few at a time, and takes as long for an account that does not exist.
#[derive(Debug)]
pub struct Checker {
    decoy: String,
    room: Semaphore,
    checked: AtomicU64,
}

impl Checker {
    /// A checker; computes the decoy's hash, so it takes as long as one check.
    ///
    /// # Panics
    /// Never with the parameters above.
    #[must_use]
    pub fn new(world: &World) -> Self {
        let decoy = hash_now(&world.secret(), &world.random()).expect("a random secret can be hashed");
        Self {
            decoy,
            room: Semaphore::new(AT_ONCE_MAX),
            checked: AtomicU64::new(0),
        }
    }

    /// True when the password fits the stored hash. Without a hash the decoy is checked and the
    /// answer is no: who asks cannot tell by the time it took whether the account exists.
    ///
    /// # Errors
    /// Internal, when the stored hash cannot be read or the work was cut off.
    pub async fn fits(&self, password: &str, stored: Option<String>) -> Result<bool, Problem> {
        let known = stored.is_some() && password.len() <= BYTES_MAX;
        // A too long password is cut, not skipped: the same work is done for it.
        let password: Vec<u8> = password.bytes().take(BYTES_MAX).collect();
        let stored = stored.unwrap_or_else(|| self.decoy.clone());
        let room = self.room.acquire().await.map_err(Problem::internal)?;
        let fits = tokio::task::spawn_blocking(move || {
            let hash = PasswordHash::new(&stored)
                .map_err(|_| Problem::internal("identity_accounts.password: not a PHC text"))?;
            Ok::<_, Problem>(argon2().verify_password(&password, &hash).is_ok())
        })
        .await
        .map_err(Problem::internal)??;
        drop(room);
        self.checked.fetch_add(1, Ordering::Relaxed);
        Ok(fits && known)
    }

    /// How many checks were made: the same for accounts that exist and those that do not.
    #[must_use]
    pub fn checked(&self) -> u64 {
        self.checked.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_and_no_other() {
        let (world, _) = testkit::world(1);
        let checker = Checker::new(&world);
        let stored = hash("hoa sen nở sớm".to_owned(), world.random()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(
            checker
                .fits("hoa sen nở sớm", Some(stored.clone()))
                .await
                .unwrap()
        );
        assert!(!checker.fits("hoa sen nở muộn", Some(stored)).await.unwrap());
    }

    #[tokio::test]
    async fn the_decoy_costs_what_a_stored_hash_costs_and_never_fits() {
        let (world, _) = testkit::world(1);
        let checker = Checker::new(&world);
        let parameters = |phc: &str| phc.split('$').take(4).collect::<Vec<_>>().join("$");
        let stored = hash("hoa sen nở sớm".to_owned(), world.random()).await.unwrap();
        assert_eq!(parameters(&checker.decoy), parameters(&stored));
        assert!(!checker.fits("anything at all", None).await.unwrap());
        assert_eq!(checker.checked(), 1);
    }

    #[tokio::test]
    async fn a_short_password_opens_no_account() {
        let refused = hash("ngắn".to_owned(), [0; 16]).await.unwrap_err();
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            ("password-short", Some("password"))
        );
    }
}
