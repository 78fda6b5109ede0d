//! A certificate authority for tests. Its key is the machine's own chance: never compare its bytes.

use seal::authority::Authority;

/// A root valid for ten years from a day before [`START`](crate::START).
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn authority() -> Authority {
    Authority::new("Sen Test Root", crate::START.plus_ms(-86_400_000)).expect("a test root can be made")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_root_is_an_authority_under_its_own_name() {
        let root = authority().certificate();
        assert!(root.is_authority());
        assert_eq!(root.common_name(), "Sen Test Root");
    }
}
