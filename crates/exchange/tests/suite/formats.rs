//! The formats of the wire and of the log, held to their bytes: what one release writes, every later
//! one reads. And what is not such bytes does not pass, whatever it is.

use exchange::envelope::{
    self, Beside, CONSUMER, Evidence, Fault, Kept, Message, PROVIDER, Piece, Reply, Sent, Stored,
};
use exchange::message::{AnswerHead, RequestHead, request_hash};
use exchange::{Headers, Rest};
use kernel::{Digest, Time};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use seal::batch::{Sealed, Step};

use crate::forged::code_of;
use crate::nation::Nation;

fn sealed(byte: u8) -> Sealed {
    Sealed {
        template: 1,
        signing_time: 1_795_228_200_000,
        certificate: [byte; 32],
        path: vec![
            Step {
                left: true,
                digest: [byte + 1; 32],
            },
            Step {
                left: false,
                digest: [byte + 2; 32],
            },
        ],
        signature: [byte + 3; 64],
    }
}

fn request_head() -> RequestHead {
    RequestHead {
        consumer: "G22/portal".parse().expect("id"),
        service: "G01/population/person-lookup".parse().expect("id"),
        request: "0123456789abcdef0123456789abcdef".to_owned(),
        agreement: Digest([0xa1; 32]),
        sent: Time(1_795_228_200_123),
        on_behalf: "citizen:a1".to_owned(),
        issue: Some("G22-261121-0001".to_owned()),
        idempotency: Some("k/1".to_owned()),
        rest: Rest::default(),
    }
}

fn answer_head() -> AnswerHead {
    AnswerHead {
        status: 200,
        media: "application/json".to_owned(),
        headers: Headers::default(),
        fault: None,
        id: None,
        consumer: request_head().consumer,
        service: request_head().service,
        request: request_head().request,
        request_hash: request_hash(&Digest([1; 32]), &Digest([2; 32])),
    }
}

fn message(head: &[u8], body: &[u8], byte: u8) -> Message {
    Message {
        head: head.to_vec().into(),
        body: body.to_vec().into(),
        sealed: sealed(byte),
        spool: None,
    }
}

fn kept(head: &[u8], byte: u8) -> Kept {
    Kept {
        head: head.to_vec().into(),
        body: [byte; 32],
        size: 300,
        sealed: sealed(byte),
        stored: None,
    }
}

/// Compares with what the first release wrote, and reads it back.
fn golden(name: &str, bytes: &[u8], golden: &str) {
    assert_eq!(
        hex::encode(bytes),
        golden.replace(['\n', ' '], ""),
        "{name} has another form than before"
    );
}

#[test]
fn heads_are_written_byte_for_byte_as_before() {
    let request = String::from_utf8(request_head().to_bytes()).expect("text");
    assert_eq!(
        request,
        "POST\r\n/r1/VN/GOV/G01/population/person-lookup\r\nContent-Type:application/json\r\n\
         X-Road-Client:VN/GOV/G22/portal\r\nX-Road-UserId:citizen:a1\r\nX-Road-Issue:G22-261121-0001\r\n\
         X-Road-Request-Id:0123456789abcdef0123456789abcdef\r\n\
         Sen-Agreement:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1\r\n\
         Sen-Sent:2026-11-21T02:30:00.123Z\r\nIdempotency-Key:k/1\r\n"
    );
    let answer = String::from_utf8(answer_head().to_bytes()).expect("text");
    assert_eq!(
        answer,
        "200\r\nOK\r\nContent-Type:application/json\r\nx-road-client:VN/GOV/G22/portal\r\n\
         x-road-service:VN/GOV/G01/population/person-lookup\r\n\
         x-road-request-id:0123456789abcdef0123456789abcdef\r\n\
         x-road-request-hash:+Biv03ptw7yS+0RzEBEncAbbTvpukCPNdGjAIzXSKk0=\r\n"
    );
}

#[test]
fn heads_of_calls_by_other_methods_with_headers_read_as_before() {
    let request = "PUT\r\n/r1/VN/GOV/G01/population/persons/1/a%2Fb?x=%20\r\nContent-Type:text/csv\r\n\
        X-Road-Client:VN/GOV/G22/portal\r\nX-Road-UserId:citizen:a1\r\n\
        X-Road-Request-Id:0123456789abcdef0123456789abcdef\r\n\
        Sen-Agreement:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1\r\n\
        Sen-Sent:2026-11-21T02:30:00.123Z\r\nX-Road-Id:VN-1\r\nX-Road-Represented-Party:COM/0101\r\n\
        X-Road-Security-Server:VN/GOV/G01/ministry\r\naccept:text/csv\r\nx-mine:1\r\nx-mine:2\r\n";
    let head = RequestHead::parse(request.as_bytes()).expect("a head");
    assert_eq!(head.to_bytes(), request.as_bytes());
    let rest = &head.rest;
    assert_eq!(
        (head.service.service.as_str(), rest.method.as_str()),
        ("persons", "PUT")
    );
    assert_eq!(
        (rest.path(), rest.query(), rest.media.as_str()),
        ("/1/a%2Fb", "x=%20", "text/csv")
    );
    assert_eq!(rest.id.as_deref(), Some("VN-1"));
    assert_eq!(rest.headers.iter().count(), 3);
    let answer = "504\r\nServer Error\r\nContent-Type:application/problem+json\r\nallow:GET\r\nsen-fault:timeout\r\n\
        x-road-id:VN-1\r\nx-road-client:VN/GOV/G22/portal\r\nx-road-service:VN/GOV/G01/population/persons\r\n\
        x-road-request-id:0123456789abcdef0123456789abcdef\r\nx-road-request-hash:AA==\r\n";
    let head = AnswerHead::parse(answer.as_bytes()).expect("a head");
    assert_eq!(head.to_bytes(), answer.as_bytes());
    assert_eq!(
        (head.fault.as_deref(), head.id.as_deref()),
        (Some("timeout"), Some("VN-1"))
    );
    assert_eq!(head.headers.get("allow"), Some("GET"));
}

/// What every sealed value of the goldens looks like, from its first byte on.
fn sealed_hex(byte: u8) -> String {
    let run = |b: u8, n: usize| format!("{b:02x}").repeat(n);
    format!(
        "85011b000001a1fbf06c405820{}8282f55820{}82f45820{}5840{}",
        run(byte, 32),
        run(byte + 1, 32),
        run(byte + 2, 32),
        run(byte + 3, 64)
    )
}

#[test]
fn large_bodies_go_beside_their_message_in_pieces_of_a_form_of_their_own() {
    let piece = Piece {
        version: 1,
        id: "ab".to_owned(),
        offset: 3,
        bytes: Some(b"x".to_vec().into()),
        last: true,
    };
    let asked = Piece {
        bytes: None,
        last: false,
        ..piece.clone()
    };
    for (piece, form) in [
        (piece, "85 01 626162 03 4178 f5"),
        (asked, "85 01 626162 03 f6 f4"),
    ] {
        let bytes = envelope::write(&piece);
        golden("Piece", &bytes, form);
        assert!(Piece::is_one(&bytes));
        assert_eq!(envelope::read::<Piece>(&bytes).expect("our own"), piece);
    }
    let beside = Some(Beside {
        id: "ab".to_owned(),
        size: 300,
    });
    let sent = envelope::write(&Sent {
        version: 1,
        message: message(b"h\r\n", b"", 0x10),
        beside: beside.clone(),
    });
    let form = format!("8301 83 43680d0a 40 {} 82 626162 19012c", sealed_hex(0x10));
    golden("Sent with a large body", &sent, &form);
    assert!(!Piece::is_one(&sent));
    let reply = envelope::write(&Reply {
        version: 1,
        answer: Some(message(b"h\r\n", b"", 0x20)),
        fault: None,
        beside,
        piece: None,
    });
    let form = format!("8401 83 43680d0a 40 {} f6 82 626162 19012c", sealed_hex(0x20));
    golden("Reply with a large body", &reply, &form);
    let reply = envelope::write(&Reply {
        version: 1,
        answer: None,
        fault: None,
        beside: None,
        piece: Some(b"x".to_vec().into()),
    });
    golden("Reply with a piece", &reply, "85 01 f6 f6 f6 4178");
}

#[test]
fn the_wire_is_written_byte_for_byte_as_before_and_reads_back() {
    let sent = Sent {
        version: 1,
        message: message(b"h\r\n", b"{}", 0x10),
        beside: None,
    };
    let bytes = envelope::write(&sent);
    golden(
        "Sent",
        &bytes,
        &format!("8201 83 43680d0a 427b7d {}", sealed_hex(0x10)),
    );
    let read: Sent = envelope::read(&bytes).expect("our own");
    assert_eq!(
        (envelope::write(&read), read.message.sealed),
        (bytes, sent.message.sealed)
    );

    let reply = Reply {
        version: 1,
        answer: Some(message(b"h\r\n", b"", 0x20)),
        fault: None,
        beside: None,
        piece: None,
    };
    let bytes = envelope::write(&reply);
    golden(
        "Reply",
        &bytes,
        &format!("8201 83 43680d0a 40 {}", sealed_hex(0x20)),
    );
    assert_eq!(
        envelope::write(&envelope::read::<Reply>(&bytes).expect("our own")),
        bytes
    );

    let fault = Some(Fault {
        code: "replayed".to_owned(),
        status: 409,
        told: None,
    });
    let bytes = envelope::write(&Reply {
        version: 1,
        answer: None,
        fault,
        beside: None,
        piece: None,
    });
    golden(
        "Reply with a fault",
        &bytes,
        "8301f6 82 687265706c61796564 190199",
    );
    assert_eq!(
        envelope::write(&envelope::read::<Reply>(&bytes).expect("our own")),
        bytes
    );
}

#[test]
fn evidence_is_written_byte_for_byte_as_before_and_reads_back() {
    let answered = Evidence {
        version: 1,
        side: PROVIDER,
        began: 1_795_228_200_000,
        ended: 1_795_228_200_007,
        request: kept(b"q\r\n", 0x30),
        answer: Some(kept(b"a\r\n", 0x40)),
        fault: String::new(),
        forwarded: None,
        returned: None,
    };
    let kept_hex = |head: &str, b: u8| {
        let body = format!("{b:02x}").repeat(32);
        format!("84 43{head}0d0a 5820{body} 19012c {}", sealed_hex(b))
    };
    let bytes = envelope::write(&answered);
    golden(
        "Evidence",
        &bytes,
        &format!(
            "870101 1b000001a1fbf06c40 1b000001a1fbf06c47 {} {} 60",
            kept_hex("71", 0x30),
            kept_hex("61", 0x40)
        ),
    );
    assert_eq!(
        envelope::write(&envelope::read::<Evidence>(&bytes).expect("our own")),
        bytes
    );
    // With the times of the next hop, behind room for what other releases put there.
    let timed = Evidence {
        forwarded: Some(1_795_228_200_002),
        returned: Some(1_795_228_200_005),
        ..answered.clone()
    };
    let bytes = envelope::write(&timed);
    golden(
        "Evidence with the times of the next hop",
        &bytes,
        &format!(
            "960101 1b000001a1fbf06c40 1b000001a1fbf06c47 {} {} 60 {} 1b000001a1fbf06c42 1b000001a1fbf06c45",
            kept_hex("71", 0x30),
            kept_hex("61", 0x40),
            "f6".repeat(13)
        ),
    );
    let read = envelope::read::<Evidence>(&bytes).expect("our own");
    assert_eq!((read.forwarded, read.returned), (timed.forwarded, timed.returned));
    let refused = Evidence {
        side: CONSUMER,
        answer: None,
        fault: "clock-skew".to_owned(),
        ..answered
    };
    let bytes = envelope::write(&refused);
    golden(
        "Evidence of a refusal",
        &bytes,
        &format!(
            "870100 1b000001a1fbf06c40 1b000001a1fbf06c47 {} f6 6a636c6f636b2d736b6577",
            kept_hex("71", 0x30)
        ),
    );
    assert_eq!(
        envelope::write(&envelope::read::<Evidence>(&bytes).expect("our own")),
        bytes
    );
}

#[test]
fn a_record_says_where_a_body_is_kept_and_who_knows_of_none_passes_over_it() {
    /// Of a kept message what a release read before bodies were kept.
    #[derive(minicbor::Decode)]
    struct Before {
        #[n(2)]
        size: u64,
    }
    let stored = Some(Stored {
        until: 1_795_228_200_000,
        at: 1_024,
    });
    let message = Kept {
        stored,
        ..kept(b"q\r\n", 0x30)
    };
    let bytes = envelope::write(&message);
    let (body, seal) = ("30".repeat(32), sealed_hex(0x30));
    golden(
        "Kept with a body",
        &bytes,
        &format!("85 43710d0a 5820{body} 19012c {seal} 82 1b000001a1fbf06c40 190400"),
    );
    assert_eq!(envelope::read::<Kept>(&bytes).expect("our own").stored, stored);
    assert_eq!(envelope::read::<Before>(&bytes).expect("passed over").size, 300);
}

/// Some places and what is done there: a bit turned, or everything behind cut off.
fn bent(bytes: &[u8], places: &[(prop::sample::Index, u8)], cut: bool) -> Vec<u8> {
    let mut bent = bytes.to_vec();
    for (at, bit) in places {
        bent[at.index(bytes.len())] ^= 1 << bit;
    }
    if cut && let Some((at, _)) = places.first() {
        bent.truncate(at.index(bytes.len()));
    }
    bent
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    })
}

fn places() -> impl Strategy<Value = (Vec<(prop::sample::Index, u8)>, bool)> {
    let place = (any::<prop::sample::Index>(), 0_u8..8);
    (prop::collection::vec(place, 1..4), any::<bool>())
}

#[test]
fn no_bent_request_passes_a_gateway() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let nation = runtime.block_on(Nation::new());
    let good = envelope::write(&nation.good());
    let outcome = runner(300).run(&places(), |(places, cut)| {
        let bytes = bent(&good, &places, cut);
        prop_assume!(bytes != good);
        let reply = runtime.block_on(nation.carry(bytes));
        let told = code_of(&envelope::read(&reply).expect("a reply"));
        prop_assert!(!told.is_empty() && nation.effects() == 0, "{told}");
        Ok(())
    });
    outcome.expect("nothing passes");
    runtime.block_on(async {
        nation.carry(good).await;
        assert_eq!(nation.effects(), 1, "the unbent one does pass");
    });
}

#[test]
fn no_bent_reply_passes_a_gateway() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut nation = runtime.block_on(Nation::new());
    let how = std::sync::Arc::new(std::sync::Mutex::new((Vec::new(), false)));
    let bend = std::sync::Arc::clone(&how);
    let stop = runtime.block_on(nation.between(move |bytes| {
        let (places, cut) = &*bend.lock().expect("a lock");
        bent(&bytes, places, *cut)
    }));
    let outcome = runner(200).run(&places(), |(places, cut)| {
        // The same bit turned twice is no change at all.
        let probe = vec![0_u8; 1_009];
        prop_assume!(cut || bent(&probe, &places, false) != probe);
        *how.lock().expect("a lock") = (places, cut);
        // Longer than a node that speaks garbage rests.
        nation.advance_ms(5_000);
        let heard = runtime.block_on(nation.ask("{}"));
        let code = heard.as_ref().err().map(|problem| problem.code);
        prop_assert!(code.is_some_and(|code| code != "node-circuit-open"), "{heard:?}");
        Ok(())
    });
    outcome.expect("nothing passes");
    nation.advance_ms(5_000);
    *how.lock().expect("a lock") = (Vec::new(), false);
    runtime.block_on(nation.ask("{}")).expect("the unbent one passes");
    stop.send_replace(true);
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        // Most are refused; the few that are read must be written as they came, or shorter.
        drop(envelope::read::<Sent>(&bytes));
        drop(envelope::read::<Reply>(&bytes));
        drop(envelope::read::<Evidence>(&bytes));
        if let Ok(head) = RequestHead::parse(&bytes) {
            prop_assert_eq!(head.to_bytes(), bytes.clone());
        }
        if let Ok(head) = AnswerHead::parse(&bytes) {
            prop_assert_eq!(head.to_bytes(), bytes);
        }
    }

    #[test]
    fn whatever_a_caller_says_a_head_reads_back_as_one_line_each(
        behalf in "\\PC{0,40}|.{0,40}|[\r\n:a-z]{0,40}", issue in prop::option::of(".{0,40}"),
        key in prop::option::of("[\r\n :X-]{0,40}"), media in ".{0,40}",
    ) {
        let rest = Rest { id: issue.clone(), media, ..Rest::default() };
        let said = RequestHead { on_behalf: behalf, issue, idempotency: key, rest, ..request_head() };
        let read = RequestHead::parse(&said.to_bytes()).expect("what we write, we read");
        prop_assert_eq!(&read.agreement, &said.agreement);
        prop_assert_eq!(&read.consumer, &said.consumer);
        prop_assert_eq!(read.issue.is_some(), said.issue.is_some());
        prop_assert_eq!(read.idempotency.is_some(), said.idempotency.is_some());
        prop_assert_eq!(read.rest.id.is_some(), said.rest.id.is_some());
        let plain: String = said.on_behalf.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        prop_assert_eq!(read.on_behalf, plain);
    }
}
