//! The asking side: a request, the token out of the answer, and the check of a token. Never
//! believes an answer that does not repeat the digest and the nonce that were sent.

use der::asn1::{Int, OctetString};
use der::{Any, Decode, Encode, Tag, Tagged};
use kernel::{Digest, Time};

use super::{ID_TST_INFO, MessageImprint, TimeStampReq, TimeStampResp, TokenInfo, TstInfo};
use crate::certificate::{Trust, Usage};
use crate::cms::{self, CmsFault, Opened};
use crate::error::SealError;

/// The DER of a request to stamp `imprint` (SHA-256), the authority's certificate wanted along.
#[must_use]
pub fn request(imprint: &Digest, nonce: u64) -> Vec<u8> {
    let make = || {
        TimeStampReq {
            version: 1,
            message_imprint: MessageImprint {
                hash_algorithm: cms::sha256(),
                hashed_message: OctetString::new(imprint.bytes().as_slice())?,
            },
            req_policy: None,
            nonce: Some(integer(nonce)?),
            cert_req: true,
            extensions: None,
        }
        .to_der()
    };
    make().expect("a digest and a number always encode")
}

/// The token out of a granted response, once its digest and nonce are those of the request. The
/// token's signature is for [`verify_token`] to check.
///
/// # Errors
/// When the authority refused, the response is malformed, or it answers another request.
pub fn token_of_response(der: &[u8], imprint: &Digest, nonce: u64) -> Result<Vec<u8>, SealError> {
    let response = TimeStampResp::from_der(der).map_err(|_| SealError::Timestamp("malformed response"))?;
    // 0 granted, 1 granted with modifications.
    if response.status.status > 1 {
        return Err(SealError::Timestamp("the authority refused"));
    }
    let token = response
        .time_stamp_token
        .ok_or(SealError::Timestamp("no token in the response"))?;
    let token = token
        .to_der()
        .map_err(|_| SealError::Timestamp("malformed response"))?;
    let (_, info) = open(&token, imprint)?;
    let sent = integer(nonce).map_err(|_| SealError::Timestamp("nonce"))?;
    if info.nonce != Some(sent) {
        return Err(SealError::Timestamp("another nonce"));
    }
    Ok(token)
}

/// Checks a token over the data with this digest: signature, digest, and the authority's path at
/// the stamped time.
///
/// # Errors
/// The first thing found wrong; [`SealError::Path`] when the authority is not trusted.
pub fn verify_token(token: &[u8], data_digest: &Digest, trust: &Trust) -> Result<TokenInfo, SealError> {
    let (opened, info) = open(token, data_digest)?;
    let time = general_time(&info.gen_time)?;
    trust.path(&opened.signer, &opened.others, time, Usage::Timestamp)?;
    Ok(TokenInfo {
        time,
        authority: opened.signer.common_name(),
        serial: decimal(info.serial_number.as_bytes()),
    })
}

fn open(token: &[u8], imprint: &Digest) -> Result<(Opened, TstInfo), SealError> {
    let opened = cms::open_encapsulated(token, ID_TST_INFO).map_err(|fault| {
        SealError::Timestamp(match fault {
            CmsFault::Format(what) => what,
            CmsFault::Algorithm => "algorithm",
            CmsFault::SignerCertificate => "the authority's certificate is missing",
            CmsFault::Hash | CmsFault::Signature => "the token's signature does not hold",
        })
    })?;
    let content = opened.content.as_deref().unwrap_or_default();
    let info = TstInfo::from_der(content).map_err(|_| SealError::Timestamp("malformed token"))?;
    if info.version != 1 {
        return Err(SealError::Timestamp("token version"));
    }
    if info.extensions.iter().flatten().any(|e| e.critical) {
        return Err(SealError::Timestamp("a critical extension"));
    }
    let stamped = &info.message_imprint;
    if !cms::is_sha256(&stamped.hash_algorithm) || stamped.hashed_message.as_bytes() != imprint.bytes() {
        return Err(SealError::Timestamp("another digest"));
    }
    Ok((opened, info))
}

/// `YYYYMMDDhhmmss[.f…]Z` (RFC 3161 section 2.4.2), read to the millisecond.
fn general_time(value: &Any) -> Result<Time, SealError> {
    let wrong = SealError::Timestamp("stamped time");
    let text = std::str::from_utf8(value.value())
        .ok()
        .and_then(|t| t.strip_suffix('Z'));
    let (Tag::GeneralizedTime, Some(text)) = (value.tag(), text) else {
        return Err(wrong);
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |t: &str| !t.is_empty() && t.len() <= 14 && t.bytes().all(|b| b.is_ascii_digit());
    if whole.len() != 14 || !digits(whole) || !digits(fraction) {
        return Err(wrong);
    }
    let (y, mo, d) = (&whole[..4], &whole[4..6], &whole[6..8]);
    let (h, mi, s) = (&whole[8..10], &whole[10..12], &whole[12..]);
    Time::parse_rfc3339(&format!("{y}-{mo}-{d}T{h}:{mi}:{s}.{fraction:0<3.3}Z")).ok_or(wrong)
}

/// A number as a DER INTEGER of any length.
pub(super) fn integer(number: u64) -> der::Result<Int> {
    Int::from_der(&number.to_der()?)
}

/// A positive big-endian number in decimal.
fn decimal(bytes: &[u8]) -> String {
    // Little-endian decimal digits; serial numbers are at most 20 bytes, so the square is small.
    let mut digits = vec![0_u8];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) * 256;
            *digit = u8::try_from(carry % 10).expect("a remainder of ten");
            carry /= 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).expect("a remainder of ten"));
            carry /= 10;
        }
    }
    digits.iter().rev().map(|d| char::from(b'0' + d)).collect()
}
