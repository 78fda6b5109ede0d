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
        hex::encode(self.ordered())
    }

    /// A new UUID of version 7 (RFC 9562, section 5.7) as text; sorts by time.
    #[must_use]
    pub fn uuid(&self) -> String {
        let mut bytes = self.ordered();
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        let mut text = hex::encode(bytes);
        for at in [20, 16, 12, 8] {
            text.insert(at, '-');
        }
        text
    }

    /// 48 bits of time, in milliseconds since 1970, then 80 of chance.
    fn ordered(&self) -> [u8; 16] {
        let mut bytes = self.random::<16>();
        let ms = self.now().ms().to_be_bytes();
        bytes[..6].copy_from_slice(&ms[2..]);
        bytes
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

#[cfg(test)]
mod tests {
    use super::*;

    struct At(Time);

    impl Clock for At {
        fn now(&self) -> Time {
            self.0
        }
    }

    struct Ones;

    impl Chance for Ones {
        fn fill(&self, out: &mut [u8]) {
            out.fill(0xff);
        }
    }

    #[test]
    fn an_id_and_a_uuid_begin_with_their_time_and_a_uuid_names_its_version() {
        let world = World {
            clock: Arc::new(At(Time(0x0192_3456_789a))),
            chance: Arc::new(Ones),
        };
        assert_eq!(world.id(), "01923456789affffffffffffffffffff");
        assert_eq!(world.uuid(), "01923456-789a-7fff-bfff-ffffffffffff");
    }
}
