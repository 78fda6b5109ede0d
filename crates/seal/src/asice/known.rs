//! What was known when a message was stamped: the signed directory of that time, which says what was revoked,
//! as one more file of the container. Never part of what X-Road's own check reads: it passes over names that
//! it does not know. Never trusts the hub: whoever asks does.

use kernel::{Digest, Time};
use serde::{Deserialize, Serialize};

use super::check::read_signatures;
use super::entries::{Entries, Place};
use super::{KNOWN, TIMESTAMP, TS_CHAIN, TS_RESULT};
use crate::certificate::Certificate;
use crate::hashchain::{self, PATH_STEPS_MAX, Step};
use crate::jws::{self, PublicKey};
use crate::verdict::Verdict;

/// The type of a signed directory's token.
pub const DIRECTORY_TYPE: &str = "sen-directory";

/// The form of the file.
const FORM: &str = "sen-known/1";

/// What was known when a message was stamped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The directory in force, as its hub signed it.
    pub directory: String,
    /// The certificate of the hub's seal.
    pub hub: Certificate,
    /// The steps from the directory to the stamped root; none when the stamp does not cover it.
    pub path: Option<Vec<Step>>,
}

/// What a container says was known, its signature and its place under the timestamp checked.
#[derive(Clone, Debug)]
pub struct Said {
    /// What the directory says.
    pub payload: Vec<u8>,
    /// Who signed it, as the container tells.
    pub hub: Certificate,
    /// True when the timestamp covers it: then it is the one that was in force, and no other.
    pub bound: bool,
    /// The certificate of the message's seal.
    pub signer: Certificate,
    /// When the message says that it was signed.
    pub claimed: Time,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    form: String,
    directory: String,
    hub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<Vec<FileStep>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileStep {
    left: bool,
    digest: Digest,
}

/// The file's text; the same things give the same bytes.
pub(super) fn text(known: &Known) -> String {
    let steps = |path: &Vec<Step>| {
        let steps = path.iter().map(|step| FileStep {
            left: step.left,
            digest: Digest(step.digest),
        });
        steps.collect()
    };
    let file = File {
        form: FORM.to_owned(),
        directory: known.directory.clone(),
        hub: known.hub.pem(),
        path: known.path.as_ref().map(steps),
    };
    serde_json::to_string_pretty(&file).expect("texts are JSON") + "\n"
}

/// Reads exactly what [`text`] writes.
fn read(text: &str) -> Option<Known> {
    let file: File = serde_json::from_str(text).ok()?;
    let steps = |path: Vec<FileStep>| {
        let steps = path.into_iter().map(|step| Step {
            left: step.left,
            digest: step.digest.0,
        });
        steps.collect::<Vec<_>>()
    };
    let known = Known {
        hub: Certificate::from_pem(&file.hub).ok()?,
        path: file.path.map(steps),
        directory: file.directory,
    };
    let short = known
        .path
        .as_ref()
        .is_none_or(|path| path.len() <= PATH_STEPS_MAX);
    (short && file.form == FORM && self::text(&known) == text).then_some(known)
}

/// The directory of a container that has one: signed by the hub that it names, and under the timestamp when it
/// says so.
pub(super) fn check(entries: &Entries) -> Result<Option<(Known, Vec<u8>)>, Verdict> {
    if entries.get(KNOWN).is_none() {
        return Ok(None);
    }
    let malformed = |place: Place| Verdict::failed("FORMAT_FAILURE", place);
    let known = read(entries.text(KNOWN).map_err(malformed)?);
    // Without a timestamp there is no time of which it could speak.
    let known = known.filter(|_| entries.get(TIMESTAMP).is_some());
    let known = known.ok_or_else(|| malformed(KNOWN.to_owned()))?;
    if let Some(path) = &known.path {
        let result = entries.text(TS_RESULT).map_err(malformed)?;
        let leaf = hashchain::signatures_leaf(&Digest::of(known.directory.as_bytes()));
        let root = hashchain::root_of_result(result, TS_CHAIN);
        if root != Some(hashchain::climb(leaf, path)) {
            return Err(Verdict::failed("HASH_FAILURE", KNOWN));
        }
    }
    let name = jws::thumbprint_text(&known.hub);
    let key = PublicKey::from_certificate(&known.hub).ok();
    let payload = jws::verify(&known.directory, DIRECTORY_TYPE, |asked| {
        key.clone().filter(|_| asked == name)
    });
    match payload {
        Ok(payload) => Ok(Some((known, payload.to_vec()))),
        Err(_) => Err(Verdict::failed("SIG_CRYPTO_FAILURE", KNOWN)),
    }
}

/// What a container says was known when its message was stamped; none when it does not say, or is not sound:
/// [`super::verify`] tells that.
#[must_use]
pub fn said(zip: &[u8]) -> Option<Said> {
    let entries = Entries::read(zip).ok()?;
    let file = read_signatures(&entries).ok()?;
    let (known, payload) = check(&entries).ok()??;
    Some(Said {
        payload,
        hub: known.hub,
        bound: known.path.is_some(),
        signer: file.certificate,
        claimed: file.signing_time,
    })
}
