//! The answering side: a timestamp authority as a pure function of request, identity, time and
//! serial number. Never stamps what it cannot name: unknown digests and broken requests are refused.

use der::asn1::{BitString, GeneralizedTime, ObjectIdentifier, OctetString};
use der::{Any, Decode, Encode};
use kernel::Time;

use super::ask::integer;
use super::{
    Accuracy, DEVELOPMENT_POLICY, ID_TST_INFO, MessageImprint, PkiStatusInfo, TimeStampReq, TimeStampResp,
    TstInfo,
};
use crate::cms::{self, CmsSigning};
use crate::key::Identity;

const ID_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const ID_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
/// How far the stamped time may be off, in seconds.
const ACCURACY_S: u32 = 1;
/// Longest nonce echoed, in bytes.
const NONCE_BYTES_MAX: usize = 64;

/// `PKIFailureInfo` of RFC 3161 section 2.4.2, with the sentence that goes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    BadAlg = 0,
    BadRequest = 2,
    BadDataFormat = 5,
    UnacceptedPolicy = 15,
    UnacceptedExtension = 16,
    SystemFailure = 25,
}

impl Refusal {
    const fn sentence(self) -> &'static str {
        match self {
            Self::BadAlg => "digest algorithm not accepted",
            Self::BadRequest => "request not accepted",
            Self::BadDataFormat => "malformed request",
            Self::UnacceptedPolicy => "policy not offered",
            Self::UnacceptedExtension => "extension not supported",
            Self::SystemFailure => "the token could not be made",
        }
    }
}

/// Answers a request: the DER of a `TimeStampResp`, granted or refused. `at` is stamped in whole
/// seconds; `serial` must be new for this authority.
#[must_use]
pub fn respond(request: &[u8], authority: &Identity, at: Time, serial: u64) -> Vec<u8> {
    let answer = read(request)
        .and_then(|asked| stamp(asked, authority, at, serial).map_err(|_| Refusal::SystemFailure));
    let response = match answer {
        Ok(token) => TimeStampResp {
            status: PkiStatusInfo {
                status: 0,
                status_string: None,
                fail_info: None,
            },
            time_stamp_token: Some(token),
        },
        Err(refusal) => TimeStampResp {
            status: PkiStatusInfo {
                status: 2,
                status_string: Some(vec![refusal.sentence().to_owned()]),
                fail_info: Some(bit(refusal)),
            },
            time_stamp_token: None,
        },
    };
    response
        .to_der()
        .expect("a response is built from values that encode")
}

fn read(request: &[u8]) -> Result<TimeStampReq, Refusal> {
    let asked = TimeStampReq::from_der(request).map_err(|_| Refusal::BadDataFormat)?;
    if asked.version != 1 {
        return Err(Refusal::BadRequest);
    }
    let imprint = &asked.message_imprint;
    let length = match imprint.hash_algorithm.oid {
        cms::ID_SHA256 => 32,
        ID_SHA384 => 48,
        ID_SHA512 => 64,
        _ => return Err(Refusal::BadAlg),
    };
    if !imprint
        .hash_algorithm
        .parameters
        .as_ref()
        .is_none_or(Any::is_null)
    {
        return Err(Refusal::BadAlg);
    }
    if imprint.hashed_message.as_bytes().len() != length {
        return Err(Refusal::BadDataFormat);
    }
    if asked
        .req_policy
        .is_some_and(|policy| policy != DEVELOPMENT_POLICY)
    {
        return Err(Refusal::UnacceptedPolicy);
    }
    if asked.extensions.as_ref().is_some_and(|all| !all.is_empty()) {
        return Err(Refusal::UnacceptedExtension);
    }
    if asked
        .nonce
        .as_ref()
        .is_some_and(|nonce| nonce.as_bytes().len() > NONCE_BYTES_MAX)
    {
        return Err(Refusal::BadRequest);
    }
    Ok(asked)
}

fn stamp(asked: TimeStampReq, authority: &Identity, at: Time, serial: u64) -> der::Result<Any> {
    let since_1970 = std::time::Duration::from_secs(u64::try_from(at.seconds()).unwrap_or(0));
    let info = TstInfo {
        version: 1,
        policy: DEVELOPMENT_POLICY,
        message_imprint: MessageImprint {
            hashed_message: OctetString::new(asked.message_imprint.hashed_message.as_bytes())?,
            hash_algorithm: asked.message_imprint.hash_algorithm,
        },
        serial_number: integer(serial)?,
        gen_time: Any::encode_from(&GeneralizedTime::from_unix_duration(since_1970)?)?,
        accuracy: Some(Accuracy {
            seconds: Some(ACCURACY_S),
            millis: None,
            micros: None,
        }),
        ordering: false,
        nonce: asked.nonce,
        tsa: None,
        extensions: None,
    };
    let how = CmsSigning {
        identity: authority,
        signing_time: None,
        certificates: asked.cert_req,
    };
    let token = cms::sign_encapsulated(&how, ID_TST_INFO, &info.to_der()?);
    Any::from_der(&token.map_err(|_| der::ErrorKind::Failed)?)
}

/// A named bit list with one bit set, its trailing zeros cut as DER asks.
fn bit(refusal: Refusal) -> BitString {
    let position = refusal as u8;
    let mut bytes = vec![0; usize::from(position / 8) + 1];
    bytes[usize::from(position / 8)] = 0x80 >> (position % 8);
    BitString::new(7 - position % 8, bytes).expect("fewer than eight unused bits")
}
