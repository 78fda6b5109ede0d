//! Signed containers (ASiC-E, EN 319 162-1) of exchanged messages, in X-Road's layout: written for
//! an auditor, and checked from their bytes alone. Never reads what it would not have written: an
//! unknown file, a second entry of a name, a byte between entries end the reading.

mod check;
mod entries;
mod known;

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::batch::{self, Parts, RootCache, Sealed, Step};
use crate::certificate::Certificate;
use crate::error::SealError;
use crate::hashchain;
use crate::template;

pub use check::verify;
pub use known::{DIRECTORY_TYPE, Known, Said, said};

/// The type of the container, and the content of its first file.
pub const MIME_TYPE: &str = "application/vnd.etsi.asic-e+zip";

const MIMETYPE: &str = "mimetype";
const MESSAGE: &str = "message.xml";
const ATTACHMENT: &str = "attachment1";
const SIGNATURES: &str = "META-INF/signatures.xml";
const SIG_RESULT: &str = "sig-hashchainresult.xml";
const SIG_CHAIN: &str = "sig-hashchain.xml";
const TS_RESULT: &str = "ts-hashchainresult.xml";
const TS_CHAIN: &str = "ts-hashchain.xml";
const TIMESTAMP: &str = "META-INF/timestamp.tst";
const ASIC_MANIFEST: &str = "META-INF/ASiCManifest.xml";
const MANIFEST: &str = "META-INF/manifest.xml";
const KNOWN: &str = "META-INF/directory.json";

/// Everything a container is made of.
#[derive(Clone, Debug)]
pub struct ContainerInput {
    /// The message's head, verbatim.
    pub head: Vec<u8>,
    /// The message's body; `None` when it is not stored: the container then holds its digest only.
    pub body: Option<Vec<u8>>,
    /// The digests of both.
    pub parts: Parts,
    /// The message's seal.
    pub sealed: Sealed,
    /// The signer's certificate.
    pub certificate: Certificate,
    /// Its issuers.
    pub chain: Vec<Certificate>,
    /// The timestamp over the batch's signature file, once there is one.
    pub timestamp: Option<TimestampProof>,
    /// What was known when it was stamped; left out of a container without a timestamp.
    pub known: Option<Known>,
}

/// A timestamp and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimestampProof {
    /// The RFC 3161 token, over `ts-hashchainresult.xml`.
    pub token: Vec<u8>,
    /// The steps from the digest of `signatures.xml` to the stamped root.
    pub path: Vec<Step>,
}

/// Writes the container. The same input gives the same bytes.
///
/// # Errors
/// When head or body are not those of the digests, or the seal does not hold: a container that
/// would not pass is not written.
pub fn export(input: &ContainerInput) -> Result<Vec<u8>, SealError> {
    let body_differs = input
        .body
        .as_ref()
        .is_some_and(|body| kernel::Digest::of(body) != input.parts.body);
    if kernel::Digest::of(&input.head) != input.parts.head || body_differs {
        return Err(SealError::Container(
            "head or body are not those that were sealed",
        ));
    }
    batch::verify(
        &input.parts,
        &input.sealed,
        &input.certificate,
        &RootCache::new(1),
    )
    .map_err(|_| SealError::Container("the seal does not hold"))?;
    if !input.certificate.is_issued_along(&input.chain) {
        return Err(SealError::Container(
            "the issuers are not those of the certificate, in order",
        ));
    }
    let files = files_of(input);
    check_known(input)?;
    pack(&files).map_err(|_| SealError::Container("the archive cannot be written"))
}

/// What was known must be under the timestamp where it says so.
fn check_known(input: &ContainerInput) -> Result<(), SealError> {
    let (Some(known), Some(proof)) = (&input.known, &input.timestamp) else {
        return Ok(());
    };
    let Some(path) = &known.path else {
        return Ok(());
    };
    let signatures = batch::signatures_xml(&input.sealed, &input.parts, &input.certificate, &input.chain);
    let stamped = hashchain::signatures_leaf(&kernel::Digest::of(signatures.as_bytes()));
    let directory = hashchain::signatures_leaf(&kernel::Digest::of(known.directory.as_bytes()));
    if hashchain::climb(stamped, &proof.path) != hashchain::climb(directory, path) {
        return Err(SealError::Container("the directory is not under the timestamp"));
    }
    Ok(())
}

/// The files in their order.
fn files_of(input: &ContainerInput) -> Vec<(&'static str, Vec<u8>)> {
    let ContainerInput {
        parts,
        sealed,
        certificate,
        chain,
        ..
    } = input;
    let signatures = batch::signatures_xml(sealed, parts, certificate, chain);
    let root = hashchain::climb(hashchain::message_leaf(parts), &sealed.path);
    let mut files = vec![
        (MIMETYPE, MIME_TYPE.as_bytes().to_vec()),
        (MESSAGE, input.head.clone()),
    ];
    if let Some(body) = &input.body {
        files.push((ATTACHMENT, body.clone()));
    }
    files.push((SIG_RESULT, hashchain::sig_hashchainresult_xml(&root).into_bytes()));
    files.push((
        SIG_CHAIN,
        hashchain::sig_hashchain_xml(parts, &sealed.path).into_bytes(),
    ));
    if let Some(proof) = &input.timestamp {
        let leaf = kernel::Digest::of(signatures.as_bytes());
        let root = hashchain::climb(hashchain::signatures_leaf(&leaf), &proof.path);
        let result = hashchain::ts_hashchainresult_xml(&root);
        files.push((ASIC_MANIFEST, asic_manifest(&result).into_bytes()));
        files.push((TS_RESULT, result.into_bytes()));
        files.push((
            TS_CHAIN,
            hashchain::ts_hashchain_xml(&leaf, &proof.path).into_bytes(),
        ));
        files.push((TIMESTAMP, proof.token.clone()));
        if let Some(known) = &input.known {
            files.push((KNOWN, known::text(known).into_bytes()));
        }
    }
    files.push((SIGNATURES, signatures.into_bytes()));
    files.push((MANIFEST, manifest(input.body.is_some()).into_bytes()));
    files
}

fn asic_manifest(ts_result: &str) -> String {
    let digest = kernel::Digest::of(ts_result.as_bytes());
    template::ASIC_MANIFEST.fill(&[("result", &hashchain::base64(digest.bytes()))])
}

fn manifest(with_attachment: bool) -> String {
    let mut entries = String::new();
    let mut names = vec![MESSAGE];
    if with_attachment {
        names.push(ATTACHMENT);
    }
    for path in names {
        let media_type = "application/octet-stream";
        entries.push_str(&template::MANIFEST_ENTRY.fill(&[("path", path), ("media_type", media_type)]));
        entries.push('\n');
    }
    template::MANIFEST.fill(&[("entries", &entries)])
}

fn pack(files: &[(&str, Vec<u8>)]) -> zip::result::ZipResult<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        // The type stands first and uncompressed, so that it is seen at a fixed place of the file.
        let method = if *name == MIMETYPE {
            CompressionMethod::Stored
        } else {
            CompressionMethod::Deflated
        };
        // No time of writing: the same evidence exports as the same bytes.
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(zip::DateTime::default());
        writer.start_file(*name, options)?;
        writer.write_all(bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tool_tests;
