//! Proof key for code exchange (RFC 7636), method S256 only. Never `plain`: it proves nothing to
//! who saw the request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::Digest;

/// The challenge of a verifier.
pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Digest::of(verifier.as_bytes()).bytes())
}

/// True for a text that can be an S256 challenge: base64url of 32 bytes.
pub(crate) fn is_challenge(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// True when the verifier is well formed and its challenge is the one kept.
pub(crate) fn fits(verifier: &str, kept: &str) -> bool {
    let well_formed = (43..=128).contains(&verifier.len())
        && verifier
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    let computed = challenge(verifier);
    let equal = aws_lc_rs::constant_time::verify_slices_are_equal(computed.as_bytes(), kept.as_bytes());
    well_formed && equal.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_standard_fits() {
        assert_eq!(challenge(VERIFIER), CHALLENGE);
        assert!(fits(VERIFIER, CHALLENGE) && is_challenge(CHALLENGE));
    }

    #[test]
    fn a_challenge_is_no_verifier_and_a_short_verifier_is_none() {
        assert!(!fits(CHALLENGE, CHALLENGE), "that would be the method plain");
        let short = "a".repeat(42);
        assert!(!fits(&short, &challenge(&short)));
        assert!(!is_challenge("abc") && !is_challenge(&format!("{CHALLENGE}=")));
    }
}
