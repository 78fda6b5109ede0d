//! Time and chance as arguments: every function that needs one takes it from its caller. Holds the
//! one place of the house that reads the machine's clock and random source.

use std::sync::Arc;

use crate::time::Time;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Time;
}

/// Gives random bytes.
pub trait Chance: Send + Sync + 'static {
    /// Fills `out` with random bytes.
    fn fill(&self, out: &mut [u8]);
}

/// The two things every part of the house is handed: a clock and a source of chance.
#[derive(Clone)]
pub struct World {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives random bytes.
    pub chance: Arc<dyn Chance>,
}

impl World {
    /// The machine's own clock and random source: for binaries only, never for tests.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self {
            clock: Arc::new(MachineClock),
            chance: Arc::new(MachineChance),
        }
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// A new id: 48 bits of time then 80 of chance, 32 lowercase hex digits; sorts by time.
    #[must_use]
    pub fn id(&self) -> String {
        let mut bytes = [0_u8; 16];
        self.chance.fill(&mut bytes);
        let ms = self.now().ms().to_be_bytes();
        bytes[..6].copy_from_slice(&ms[2..]);
        hex::encode(bytes)
    }

    /// A secret of 32 random bytes, as 64 lowercase hex digits.
    #[must_use]
    pub fn secret(&self) -> String {
        hex::encode(self.random::<32>())
    }

    /// Some random bytes.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0_u8; N];
        self.chance.fill(&mut bytes);
        bytes
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

struct MachineClock;

impl Clock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "the one reader of the machine's clock")]
    fn now(&self) -> Time {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

struct MachineChance;

impl Chance for MachineChance {
    fn fill(&self, out: &mut [u8]) {
        aws_lc_rs::rand::fill(out).expect("the machine's random source answers");
    }
}
