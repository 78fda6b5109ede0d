//! Timestamps held against OpenSSL, both ways, and what must be refused.

use der::asn1::{Int, ObjectIdentifier, OctetString};
use der::{Decode, Encode};
use kernel::{Digest, Time};

use super::{TimeStampReq, TimeStampResp, request, respond, token_of_response, verify_token};
use crate::authority::{Authority, Profile, Subject};
use crate::certificate::{PathFault, Trust};
use crate::cms::trial::Folder;
use crate::error::SealError;
use crate::key::Identity;

const DATA: &[u8] = "biên bản giao nhận".as_bytes();

fn noon() -> Time {
    Time::parse_rfc3339("2026-01-10T05:00:00.750Z").expect("a time")
}

fn service() -> (Authority, Identity) {
    let from = noon().plus_ms(-86_400_000);
    let root = Authority::new("Timestamp root", from).expect("an authority");
    let subject = Subject {
        common_name: "Dịch vụ dấu thời gian".to_owned(),
        ..Subject::default()
    };
    let service = root
        .issue(Profile::TimestampAuthority, &subject, from, 3650, [9; 16])
        .expect("issued");
    (root, service)
}

#[test]
fn openssl_accepts_the_token_and_refuses_it_for_other_data() {
    let (root, service) = service();
    let folder = Folder::new("timestamp-token");
    let digest = Digest::of(DATA);
    let response = respond(&request(&digest, 77), &service, noon(), 4711);
    let token = token_of_response(&response, &digest, 77).expect("granted");
    folder.write("ca.pem", root.certificate().pem());
    folder.write("data", DATA);
    folder.write("other", b"other data");
    folder.write("token", &token);
    folder.write("response", &response);
    let at = noon().seconds().to_string();
    let verify = ["ts", "-verify", "-attime", &at, "-CAfile", "ca.pem"];
    let with = |more: &[&'static str]| folder.tell("openssl", &[&verify[..], more].concat()).is_ok();
    assert!(with(&["-data", "data", "-in", "token", "-token_in"]));
    assert!(with(&["-data", "data", "-in", "response"]));
    assert!(!with(&["-data", "other", "-in", "token", "-token_in"]));

    let text = folder
        .tell("openssl", &["ts", "-reply", "-in", "response", "-text"])
        .expect("reads");
    for line in [
        "Status: Granted.",
        "Policy OID: 1.3.6.1.4.1.99999.1.1",
        "Serial number: 0x1267",
        "Time stamp: Jan 10 05:00:00 2026 GMT",
        "Accuracy: 0x01 seconds",
        "Nonce: 0x4D",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let info = verify_token(&token, &digest, &Trust::of(vec![root.certificate()])).expect("verified");
    assert_eq!(
        (info.serial.as_str(), info.authority.as_str()),
        ("4711", "Dịch vụ dấu thời gian")
    );
    assert_eq!(info.time, noon().plus_ms(-750));
}

#[test]
fn requests_made_by_openssl_are_answered_to_its_satisfaction() {
    let (root, service) = service();
    let folder = Folder::new("timestamp-query");
    folder.write("ca.pem", root.certificate().pem());
    folder.write("service.pem", service.chain_pem());
    folder.write("data", DATA);
    let at = noon().seconds().to_string();
    for (digest, certificate) in [
        ("-sha256", true),
        ("-sha256", false),
        ("-sha384", true),
        ("-sha512", true),
    ] {
        let mut query = vec!["ts", "-query", "-data", "data", digest, "-out", "query"];
        let mut verify = vec![
            "ts",
            "-verify",
            "-queryfile",
            "query",
            "-in",
            "response",
            "-CAfile",
            "ca.pem",
            "-attime",
            &at,
        ];
        if certificate {
            query.push("-cert");
        } else {
            verify.extend(["-untrusted", "service.pem"]);
        }
        folder.tell("openssl", &query).expect("a query");
        let asked = folder.read("query");
        folder.write("response", respond(&asked, &service, noon(), u64::MAX));
        let checked = folder.tell("openssl", &verify);
        assert!(checked.is_ok(), "{digest} {certificate}: {checked:?}");
    }
}

#[test]
fn tokens_made_by_openssl_are_verified_here() {
    let (root, service) = service();
    let folder = Folder::new("timestamp-foreign");
    folder.write("data", DATA);
    folder.write("key.pem", service.key.to_pkcs8_pem());
    folder.write("signer.pem", service.certificate.pem());
    folder.write("serial", b"0A\n");
    let settings = "[tsa]\nserial = serial\ncrypto_device = builtin\nsigner_cert = signer.pem\nsigner_key = key.pem\n\
        signer_digest = sha256\ndefault_policy = 1.2.3.4\ndigests = sha256\nclock_precision_digits = 3\n\
        ess_cert_id_alg = sha256\n";
    folder.write("tsa.cnf", settings);
    let digest = Digest::of(DATA);
    folder.write("query", request(&digest, 5));
    let reply = "ts -reply -config tsa.cnf -section tsa -queryfile query -out response";
    folder
        .tell("openssl", &reply.split(' ').collect::<Vec<_>>())
        .expect("a response");
    let response = folder.read("response");
    let token = token_of_response(&response, &digest, 5).expect("granted");
    let info = verify_token(&token, &digest, &Trust::of(vec![root.certificate()])).expect("verified");
    assert_eq!(info.serial, "11");
    assert!(matches!(
        token_of_response(&response, &digest, 6),
        Err(SealError::Timestamp("another nonce"))
    ));
}

#[test]
fn what_cannot_be_stamped_is_refused_by_name() {
    let (_, service) = service();
    let good = TimeStampReq::from_der(&request(&Digest::of(DATA), 1)).expect("a request");
    let bits = |asked: &[u8]| {
        let response = TimeStampResp::from_der(&respond(asked, &service, noon(), 1)).expect("a response");
        assert_eq!((response.status.status, response.time_stamp_token), (2, None));
        let info = response.status.fail_info.expect("a reason");
        info.bits().position(|set| set).expect("one bit")
    };
    let changed = |change: &dyn Fn(&mut TimeStampReq)| {
        let mut asked = good.clone();
        change(&mut asked);
        bits(&asked.to_der().expect("encodes"))
    };
    let md5 = ObjectIdentifier::new_unwrap("1.2.840.113549.2.5");
    assert_eq!(changed(&|r| r.message_imprint.hash_algorithm.oid = md5), 0);
    assert_eq!(changed(&|r| r.version = 2), 2);
    assert_eq!(
        changed(&|r| r.nonce = Some(Int::new(&[1; 65]).expect("a number"))),
        2
    );
    let short = OctetString::new([0; 20]).expect("bytes");
    assert_eq!(changed(&|r| r.message_imprint.hashed_message = short.clone()), 5);
    assert_eq!(changed(&|r| r.req_policy = Some(md5)), 15);
    assert_eq!(bits(b""), 5);
    assert_eq!(bits(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), 5);
    let refused = respond(b"junk", &service, noon(), 1);
    assert_eq!(
        token_of_response(&refused, &Digest::of(DATA), 1),
        Err(SealError::Timestamp("the authority refused"))
    );
}

#[test]
fn a_token_holds_only_under_its_own_roots_for_its_own_data_and_unchanged() {
    let (root, service) = service();
    let trust = Trust::of(vec![root.certificate()]);
    let digest = Digest::of(DATA);
    let response = respond(&request(&digest, 1), &service, noon(), 1);
    let token = token_of_response(&response, &digest, 1).expect("granted");
    assert!(verify_token(&token, &digest, &trust).is_ok());
    assert!(verify_token(&token, &Digest::of(b"other"), &trust).is_err());
    assert_eq!(
        verify_token(&token, &digest, &Trust::default()),
        Err(SealError::Path(PathFault::NoChain))
    );
    let subject = Subject {
        common_name: "Con dấu".to_owned(),
        ..Subject::default()
    };
    let seal = root
        .issue(Profile::OrganisationSeal, &subject, noon(), 10, [3; 16])
        .expect("issued");
    let wrong = respond(&request(&digest, 1), &seal, noon(), 1);
    let wrong = token_of_response(&wrong, &digest, 1).expect("well formed");
    assert_eq!(
        verify_token(&wrong, &digest, &trust),
        Err(SealError::Path(PathFault::Constraints))
    );
    for at in 0..token.len() {
        let mut changed = token.clone();
        changed[at] ^= 1;
        assert!(verify_token(&changed, &digest, &trust).is_err(), "byte {at}");
        assert!(
            verify_token(&token[..at], &digest, &trust).is_err(),
            "cut at {at}"
        );
    }
}
