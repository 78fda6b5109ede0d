//! The check of a container, from the signature down to the message, then the timestamp and the
//! signer's path. Never trusts what the container says of itself: digests are taken anew, and each
//! file must be byte for byte the one written for what it says.

use kernel::{Digest, Time};

use super::entries::{Entries, Place};
use super::known;
use super::{
    ASIC_MANIFEST, ATTACHMENT, MANIFEST, MESSAGE, SIG_CHAIN, SIG_RESULT, SIGNATURES, TIMESTAMP, TS_CHAIN,
    TS_RESULT, asic_manifest, manifest,
};
use crate::batch::SignatureFile;
use crate::certificate::{Trust, Usage};
use crate::error::SealError;
use crate::hashchain;
use crate::timestamp;
use crate::verdict::Verdict;

/// How far the signer's clock may be ahead of the timestamp's, in milliseconds.
const CLOCK_AHEAD_MS_MAX: i64 = 5 * 60 * 1000;

/// Checks a container against the given trust. With a timestamp the signer's certificate is judged
/// at the stamped time, without one at `now`.
///
/// TOTAL-FAILED names in `first_bad` the file that is wrong. A container without `attachment1`
/// passes on its head and its body's digest: what is not shown is not vouched for.
#[must_use]
pub fn verify(zip: &[u8], trust: &Trust, now: Time) -> Verdict {
    let entries = match Entries::read(zip) {
        Ok(entries) => entries,
        Err(place) => return Verdict::failed("FORMAT_FAILURE", place),
    };
    let file = match read_signatures(&entries) {
        Ok(file) => file,
        Err(place) => return Verdict::failed("FORMAT_FAILURE", place),
    };
    let (signer, claimed) = (file.certificate.common_name(), file.signing_time);
    let verdict = Verdict {
        stamped: Some(entries.get(TIMESTAMP).is_some()),
        ..judge(&entries, &file, trust, now)
    };
    if verdict.is_passed() {
        verdict
    } else {
        verdict.by(signer, Some(claimed))
    }
}

pub(super) fn read_signatures(entries: &Entries) -> Result<SignatureFile, Place> {
    SignatureFile::read(entries.text(SIGNATURES)?).ok_or_else(|| SIGNATURES.to_owned())
}

fn judge(entries: &Entries, file: &SignatureFile, trust: &Trust, now: Time) -> Verdict {
    if !file.holds() {
        return Verdict::failed("SIG_CRYPTO_FAILURE", SIGNATURES);
    }
    // The issuers sent along are not signed: each must at least be what it says.
    if !file.certificate.is_issued_along(&file.chain) {
        return Verdict::failed("FORMAT_FAILURE", SIGNATURES);
    }
    if let Err(verdict) = check_message(entries, file) {
        return verdict;
    }
    let stamped = match check_timestamp(entries, trust) {
        Ok(stamped) => stamped,
        Err(verdict) => return verdict,
    };
    if let Err(verdict) = known::check(entries) {
        return verdict;
    }
    let at = stamped.unwrap_or(now);
    if let Err(fault) = trust.path(&file.certificate, &file.chain, at, Usage::Seal) {
        return Verdict::of_path(&fault);
    }
    let claimed = file.signing_time;
    if stamped.is_some_and(|stamped| claimed > stamped.plus_ms(CLOCK_AHEAD_MS_MAX)) {
        return Verdict::indeterminate("TIMESTAMP_ORDER_FAILURE");
    }
    // A clock that claims a time before the certificate was, or after now, is not believed.
    if claimed < file.certificate.not_before() || claimed > now.plus_ms(CLOCK_AHEAD_MS_MAX) {
        return Verdict::indeterminate("NOT_YET_VALID");
    }
    Verdict::passed(file.certificate.common_name(), stamped.unwrap_or(claimed))
}

/// From the signed digest down: the result, the chain, the head, the body, the list of files.
fn check_message(entries: &Entries, file: &SignatureFile) -> Result<(), Verdict> {
    let malformed = |place: Place| Verdict::failed("FORMAT_FAILURE", place);
    let differs = |place: &str| Err(Verdict::failed("HASH_FAILURE", place));
    let result = entries.text(SIG_RESULT).map_err(malformed)?;
    if Digest::of(result.as_bytes()) != file.result {
        return differs(SIG_RESULT);
    }
    let root =
        hashchain::root_of_result(result, SIG_CHAIN).ok_or_else(|| malformed(SIG_RESULT.to_owned()))?;
    let chain = entries.text(SIG_CHAIN).map_err(malformed)?;
    let (parts, path) =
        hashchain::read_sig_hashchain(chain).ok_or_else(|| malformed(SIG_CHAIN.to_owned()))?;
    if hashchain::climb(hashchain::message_leaf(&parts), &path) != root {
        return differs(SIG_CHAIN);
    }
    if Digest::of(entries.need(MESSAGE).map_err(malformed)?) != parts.head {
        return differs(MESSAGE);
    }
    let body = entries.get(ATTACHMENT);
    if body.is_some_and(|body| Digest::of(body) != parts.body) {
        return differs(ATTACHMENT);
    }
    if entries.text(MANIFEST).map_err(malformed)? != manifest(body.is_some()) {
        return Err(malformed(MANIFEST.to_owned()));
    }
    Ok(())
}

/// The stamped time, when there is a timestamp: all four of its files, or none.
fn check_timestamp(entries: &Entries, trust: &Trust) -> Result<Option<Time>, Verdict> {
    let files = [TIMESTAMP, TS_RESULT, TS_CHAIN, ASIC_MANIFEST];
    if files.iter().all(|name| entries.get(name).is_none()) {
        return Ok(None);
    }
    let malformed = |place: Place| Verdict::failed("FORMAT_FAILURE", place);
    let differs = |place: &str| Verdict::failed("HASH_FAILURE", place);
    let token = entries.need(TIMESTAMP).map_err(malformed)?;
    let result = entries.text(TS_RESULT).map_err(malformed)?;
    let stamped = match timestamp::verify_token(token, &Digest::of(result.as_bytes()), trust) {
        Ok(info) => info.time,
        Err(SealError::Path(fault)) => {
            let first_bad = Some(TIMESTAMP.to_owned());
            return Err(Verdict {
                first_bad,
                ..Verdict::of_path(&fault)
            });
        }
        Err(_) => return Err(Verdict::failed("SIG_CRYPTO_FAILURE", bad_half(entries, result))),
    };
    let root = hashchain::root_of_result(result, TS_CHAIN).ok_or_else(|| malformed(TS_RESULT.to_owned()))?;
    let chain = entries.text(TS_CHAIN).map_err(malformed)?;
    let (leaf, path) = hashchain::read_ts_hashchain(chain).ok_or_else(|| malformed(TS_CHAIN.to_owned()))?;
    let climbs = hashchain::climb(hashchain::signatures_leaf(&leaf), &path) == root;
    if !climbs {
        return Err(differs(TS_CHAIN));
    }
    if Digest::of(entries.need(SIGNATURES).map_err(malformed)?) != leaf {
        return Err(differs(SIGNATURES));
    }
    if entries.text(ASIC_MANIFEST).map_err(malformed)? != asic_manifest(result) {
        return Err(differs(ASIC_MANIFEST));
    }
    Ok(Some(stamped))
}

/// A token that does not fit its result: the result is the wrong one when the chain and the
/// manifest, which both name its root, speak against it.
fn bad_half(entries: &Entries, result: &str) -> &'static str {
    let named = |chain: &str| {
        let (leaf, path) = hashchain::read_ts_hashchain(chain)?;
        let root = hashchain::climb(hashchain::signatures_leaf(&leaf), &path);
        Some(hashchain::ts_hashchainresult_xml(&root))
    };
    let expected = entries.text(TS_CHAIN).ok().and_then(named);
    if expected.is_some_and(|expected| expected != result) {
        TS_RESULT
    } else {
        TIMESTAMP
    }
}
