//! How many connections a listener holds, in all and for one address. Never holds the connections.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// The seats of one listener.
#[derive(Debug)]
pub(super) struct Seats {
    all_max: usize,
    each_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    each: HashMap<IpAddr, usize>,
}

/// One taken seat; given back when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    address: IpAddr,
}

impl Seats {
    pub(super) fn new(all_max: usize, each_max: usize) -> Arc<Self> {
        Arc::new(Self {
            all_max,
            each_max,
            taken: Mutex::default(),
        })
    }

    /// A seat, or `None` when the listener or the address has all it may.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Seat> {
        let address = household(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.all_max {
            return None;
        }
        let own = taken.each.entry(address).or_default();
        if *own >= self.each_max {
            return None;
        }
        *own += 1;
        taken.all += 1;
        Some(Seat {
            seats: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(own) = taken.each.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                taken.each.remove(&self.address);
            }
        }
    }
}

/// One subscriber's address: in version 6 they have a whole /64 to call from.
#[must_use]
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            let s = v6.segments();
            Ipv6Addr::new(s[0], s[1], s[2], s[3], 0, 0, 0, 0).into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_comes_back_and_a_household_counts_as_one() {
        let seats = Seats::new(3, 2);
        let (a, b): (IpAddr, IpAddr) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        let first = seats.take(a).unwrap();
        let _second = seats.take(b).unwrap();
        assert!(seats.take(a).is_none(), "two from one /64 are all it may have");
        let _other = seats.take("10.0.0.1".parse().unwrap()).unwrap();
        assert!(
            seats.take("10.0.0.2".parse().unwrap()).is_none(),
            "three are all there are"
        );
        drop(first);
        assert!(seats.take("::ffff:10.0.0.1".parse().unwrap()).is_some());
    }
}
