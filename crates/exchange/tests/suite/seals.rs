//! What is altered on the way does not pass: a request at the provider, an answer at the consumer,
//! whichever byte of whichever part it is.

use std::sync::Mutex;

use directory::snapshot::MemberEntry;
use exchange::envelope::{self, Fault, Message, Reply, Sent};
use exchange::message::{AnswerHead, RequestHead};
use kernel::Time;
use seal::authority::{Profile, Subject};
use testkit::START;

use crate::forged::code_of;
use crate::nation::{Nation, system};
use crate::node::issue;

/// A way to alter a message.
type Change = (&'static str, fn(&mut Message, &Nation));

/// Everything that a message is made of.
const CHANGES: [Change; 11] = [
    ("head", |m, _| *m.head.last_mut().expect("bytes") ^= 1),
    ("head lost", |m, _| m.head.clear()),
    ("body", |m, _| m.body[0] ^= 1),
    ("body longer", |m, _| m.body.push(b' ')),
    ("signature", |m, _| m.sealed.signature[40] ^= 1),
    ("signing time", |m, _| m.sealed.signing_time += 1),
    ("certificate", |m, _| m.sealed.certificate[0] ^= 1),
    ("another's certificate", |m, n| {
        m.sealed.certificate = n.ministry.seal("G15").certificate.thumbprint().0;
    }),
    ("path", |m, _| {
        m.sealed.path.pop();
        m.sealed.path.push(seal::batch::Step {
            left: true,
            digest: [7; 32],
        });
    }),
    ("path too long", |m, _| {
        m.sealed.path = vec![
            seal::batch::Step {
                left: true,
                digest: [7; 32]
            };
            1_000
        ];
    }),
    ("template", |m, _| m.sealed.template = 2),
];

#[tokio::test]
async fn an_altered_request_is_refused_and_is_no_evidence() {
    let nation = Nation::new().await;
    let good = nation.good();
    for (what, change) in CHANGES {
        let mut sent = good.clone();
        change(&mut sent.message, &nation);
        let code = nation.told(&sent).await;
        // A head that no longer reads as one is refused before anybody asks for its seal.
        let expected = if what.starts_with("head") {
            "head-bad"
        } else {
            "seal-broken"
        };
        assert_eq!(code, expected, "{what}");
    }
    let mut smooth = nation.head();
    smooth.on_behalf = "citizen:a2".to_owned();
    let mut sent = good.clone();
    sent.message.head = smooth.to_bytes().into();
    assert_eq!(
        nation.told(&sent).await,
        "seal-broken",
        "a head for another person"
    );
    assert_eq!(nation.effects(), 0);
    assert!(
        nation.ministry.evidence().await.is_empty(),
        "nobody is proven to have said it"
    );
    assert_eq!(nation.told(&good).await, "", "the very same unaltered");
    assert_eq!(nation.effects(), 1);
}

#[tokio::test]
async fn an_altered_answer_is_refused_and_the_refusal_is_evidence() {
    for (what, change) in CHANGES {
        // The nation the change may look at has other keys: it only needs a foreign certificate.
        let (mut nation, other) = (Nation::new().await, Nation::new().await);
        let stop = nation
            .between(move |bytes| {
                let mut reply: Reply = envelope::read(&bytes).expect("a reply");
                let mut answer = reply.answer.take().expect("an answer");
                if what == "path" {
                    answer.sealed.path.push(seal::batch::Step {
                        left: true,
                        digest: [7; 32],
                    });
                } else {
                    change(&mut answer, &other);
                }
                reply.answer = Some(answer);
                envelope::write(&reply)
            })
            .await;
        let problem = nation.ask("{}").await.expect_err("refused");
        assert_eq!(
            (problem.code, problem.kind.status()),
            ("seal-broken", 502),
            "{what}"
        );
        assert_eq!(nation.national.faults().await, ["seal-broken"]);
        assert_eq!(nation.ministry.faults().await, [""], "the provider did answer");
        stop.send_replace(true);
    }
}

#[tokio::test]
async fn an_answer_to_another_request_is_refused() {
    let mut nation = Nation::new().await;
    let first: Mutex<Option<Vec<u8>>> = Mutex::default();
    let stop = nation
        .between(move |bytes| {
            let mut first = first.lock().expect("a lock");
            first.get_or_insert(bytes).clone()
        })
        .await;
    nation.ask("{}").await.expect("the first answer");
    let problem = nation.ask("{}").await.expect_err("the first answer again");
    assert_eq!(problem.code, "seal-broken");
    assert_eq!(problem.cause.as_deref(), Some("an answer to another request"));
    stop.send_replace(true);
}

#[tokio::test]
async fn an_answer_by_another_member_or_of_another_time_is_refused() {
    // The ministry's node hosts G15 too: its seal must not do for G01's answers.
    for (seal, late_ms, expected) in [
        ("G15", 0, "seal-broken"),
        ("G01", -90_000, "clock-skew"),
        ("G01", 0, ""),
    ] {
        let mut nation = Nation::new().await;
        let identity = nation.ministry.seal(seal).clone();
        let at = Time(nation.ministry.now().ms() + late_ms);
        let stop = nation
            .between(move |bytes| {
                let mut reply: Reply = envelope::read(&bytes).expect("a reply");
                let answer = reply.answer.as_mut().expect("an answer");
                let parts = answer.parts();
                answer.sealed = seal::batch::seal_batch(&identity, &[parts], at).remove(0);
                envelope::write(&reply)
            })
            .await;
        let code = nation.ask("{}").await.map_or_else(|p| p.code, |_| "");
        assert_eq!(code, expected);
        assert_eq!(nation.national.faults().await, [expected]);
        stop.send_replace(true);
    }
}

#[tokio::test]
async fn a_reply_is_an_answer_or_a_refusal_of_this_version_and_nothing_else() {
    let refusal = |code: &str| {
        let code = code.to_owned();
        Some(Fault {
            code,
            status: 418,
            told: None,
        })
    };
    // Version, whether the answer stays, and the refusal beside or in place of it.
    let bends = [
        (2, true, None, "envelope-version"),
        (1, false, None, "seal-broken"),
        (1, true, refusal("replayed"), "seal-broken"),
        (1, false, refusal("replayed"), "replayed"),
        (1, false, refusal("of-2030"), "gateway-fault"),
        (1, false, refusal("<b>"), "gateway-fault"),
    ];
    for (version, answered, fault, expected) in bends {
        let mut nation = Nation::new().await;
        let stop = nation
            .between(move |bytes| {
                let reply: Reply = envelope::read(&bytes).expect("a reply");
                let answer = reply.answer.filter(|_| answered);
                let fault = fault.clone();
                envelope::write(&Reply {
                    version,
                    answer,
                    fault,
                    beside: None,
                    piece: None,
                })
            })
            .await;
        let problem = nation.ask("{}").await.expect_err("refused");
        assert_eq!(problem.code, expected);
        assert!(
            problem.args.iter().all(|(_, value)| !value.contains('<')),
            "{problem:?}"
        );
        stop.send_replace(true);
    }
}

#[tokio::test]
async fn a_node_that_answers_with_noise_is_told_apart() {
    for noise in [&b"\xff\xff\xff"[..], b""] {
        let mut nation = Nation::new().await;
        let stop = nation.between(move |_| noise.to_vec()).await;
        assert_eq!(nation.refused("{}").await, "envelope-bad");
        assert_eq!(nation.national.faults().await, ["envelope-bad"]);
        stop.send_replace(true);
    }
}

#[tokio::test]
async fn another_version_and_noise_are_refused_by_the_provider() {
    let nation = Nation::new().await;
    let later = Sent {
        version: 2,
        ..nation.good()
    };
    assert_eq!(nation.told(&later).await, "envelope-version");
    for noise in [
        vec![],
        vec![0xff; 100],
        b"{}".to_vec(),
        [envelope::write(&nation.good()), vec![0]].concat(),
    ] {
        let reply: Reply = envelope::read(&nation.carry(noise).await).expect("a reply");
        assert_eq!(code_of(&reply), "envelope-bad");
    }
    assert_eq!(nation.effects(), 0);
}

#[tokio::test]
async fn a_revoked_seal_is_refused_on_either_side() {
    let mut nation = Nation::new().await;
    let certificate = nation.ministry.seal("G01").certificate.clone();
    let token = nation.sign_next(|s| s.revoked.push(Nation::revoked(&certificate)));
    nation.national.directory.adopt(&token).await.expect("adopted");
    assert_eq!(
        nation.refused("{}").await,
        "seal-broken",
        "the provider's, at the consumer"
    );
    let good = nation.good();
    let certificate = nation.hub.certificate.clone();
    let token = nation.sign_next(|s| s.revoked.push(Nation::revoked(&certificate)));
    nation.ministry.directory.adopt(&token).await.expect("adopted");
    assert_eq!(
        nation.told(&good).await,
        "seal-broken",
        "the consumer's, at the provider"
    );
    assert_eq!(nation.effects(), 1);
}

#[tokio::test]
async fn a_seal_is_good_within_the_term_of_its_certificate() {
    let mut nation = Nation::new().await;
    let subject = Subject {
        common_name: "Cơ quan ngắn hạn".to_owned(),
        organisation: Some("G30".to_owned()),
        position: None,
    };
    let short = nation
        .ca
        .issue(
            Profile::OrganisationSeal,
            &subject,
            START.plus_ms(-3_600_000),
            1,
            [8; 16],
        )
        .expect("issued");
    let certificate_pem = short.chain_pem();
    nation
        .publish(|s| {
            s.members.push(MemberEntry {
                org: "G30".parse().expect("a code"),
                name: "G30".to_owned(),
                node: "national".to_owned(),
                certificate_pem,
            });
        })
        .await;
    let head = RequestHead {
        consumer: system("G30/portal"),
        ..nation.head()
    };
    let sent = nation.sealed(&head, b"{}", &short, nation.national.now());
    assert_eq!(
        nation.told(&sent).await,
        "agreement-missing",
        "the seal itself is good"
    );
    nation.ministry.temp.clock.advance_ms(86_400_000);
    assert_eq!(nation.told(&sent).await, "seal-broken");
}

#[tokio::test]
async fn a_reply_on_the_wire_says_which_request_it_answers() {
    let nation = Nation::new().await;
    let sent = nation.good();
    let bytes = nation.carry(envelope::write(&sent)).await;
    let reply: Reply = envelope::read(&bytes).expect("a reply");
    assert_eq!(code_of(&reply), "");
    let head = AnswerHead::parse(&reply.answer.expect("an answer").head).expect("a head");
    let parts = sent.message.parts();
    assert_eq!(
        head.request_hash,
        exchange::message::request_hash(&parts.head, &parts.body)
    );
}

#[tokio::test]
async fn a_certificate_for_something_else_seals_no_message_and_is_listed_in_no_directory() {
    let mut nation = Nation::new().await;
    let names = vec!["127.0.0.1".to_owned()];
    for profile in [Profile::Node { names }, Profile::TimestampAuthority] {
        let other = issue(&nation.ca, profile, "G22", 9);
        let now = nation.national.now();
        let sent = nation.sealed(&nation.head(), b"{}", &other, now);
        let told = nation.told(&sent).await;
        assert!(
            ["seal-broken", "member-unknown"].contains(&told.as_str()),
            "{told}"
        );
        // A hub of ill will lists it as the member's: no node takes that directory over.
        let before = nation.snapshot.clone();
        let pem = other.certificate.pem();
        let token = nation.sign_next(|s| {
            let member = s.members.iter_mut().find(|m| m.org.as_str() == "G22");
            member.expect("a member").certificate_pem = pem;
        });
        let refused = nation.ministry.directory.adopt(&token).await;
        assert_eq!(refused.expect_err("refused").code, "directory-unsound");
        nation.snapshot = before;
    }
    assert_eq!(nation.effects(), 0);
}
