//! One bit altered in every position of what is signed: the head with its agreement and its order of lines,
//! the digest of the body, the hash chain, the time, the certificate, the signature. No such message has an
//! effect, and none is evidence of what nobody said.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use exchange::envelope::{self, Message, Reply};
use seal::batch::Step;

use crate::forged::code_of;
use crate::nation::Nation;
use crate::node::frames;

/// Bytes of a message that are signed or are its signature, count.
fn positions(m: &Message) -> usize {
    m.head.len() + m.body.len() + 64 + 32 + 8 + 33 * m.sealed.path.len()
}

/// Alters one bit of one of those bytes.
fn alter(m: &mut Message, position: usize) {
    let bit = 1_u8 << (position % 8);
    let mut at = position;
    for part in [&mut m.head[..], &mut m.body[..]] {
        if at < part.len() {
            part[at] ^= bit;
            return;
        }
        at -= part.len();
    }
    for part in [&mut m.sealed.signature[..], &mut m.sealed.certificate[..]] {
        if at < part.len() {
            part[at] ^= bit;
            return;
        }
        at -= part.len();
    }
    if at < 8 {
        m.sealed.signing_time ^= 1 << (at * 8 + position % 8);
        return;
    }
    at -= 8;
    let step: &mut Step = &mut m.sealed.path[at / 33];
    match at % 33 {
        32 => step.left = !step.left,
        byte => step.digest[byte] ^= bit,
    }
}

#[tokio::test]
async fn a_request_altered_in_any_position_has_no_effect_and_is_no_evidence() {
    let nation = Nation::new().await;
    let good = nation.good();
    let from = &nation.national;
    let client = frames(&from.temp, &from.keyring.node, &from.directory, &nation.ca);
    let all = positions(&good.message);
    assert!(all > 400, "{all}");
    let mut codes = BTreeSet::new();
    for position in 0..all {
        let mut sent = good.clone();
        alter(&mut sent.message, position);
        let sent = Bytes::from(envelope::write(&sent));
        let told = client.send(&nation.ministry.peer, sent, 10_000).await;
        let reply: Reply = envelope::read(&told.expect("a reply")).expect("a reply");
        let code = code_of(&reply);
        assert!(
            reply.answer.is_none() && !code.is_empty(),
            "byte {position} passed"
        );
        codes.insert(code);
    }
    // A letter of the instance altered names another one, which nobody trusts.
    let known: BTreeSet<String> = ["head-bad", "seal-broken", "member-unknown", "instance-untrusted"]
        .map(str::to_owned)
        .into();
    assert!(codes.is_subset(&known), "{codes:?}");
    assert_eq!(nation.effects(), 0);
    assert!(nation.ministry.evidence().await.is_empty());
    assert_eq!(nation.told(&good).await, "", "unaltered it passes");
}

#[tokio::test]
async fn an_answer_altered_in_any_position_is_refused_and_never_handed_on() {
    let mut nation = Nation::new().await;
    let (at, all) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(usize::MAX)),
    );
    let (told, count) = (Arc::clone(&at), Arc::clone(&all));
    let stop = nation
        .between(move |bytes| {
            let mut reply: Reply = envelope::read(&bytes).expect("a reply");
            let mut answer = reply.answer.take().expect("an answer");
            count.store(positions(&answer), Ordering::SeqCst);
            alter(&mut answer, told.load(Ordering::SeqCst));
            reply.answer = Some(answer);
            envelope::write(&reply)
        })
        .await;
    let mut position = 0;
    while position < all.load(Ordering::SeqCst) {
        at.store(position, Ordering::SeqCst);
        assert_eq!(nation.refused("{}").await, "seal-broken", "byte {position}");
        // Should the circuit rest for so many bad answers, it tries again.
        nation.advance_ms(6_000);
        position += 1;
    }
    assert!(position > 300, "{position}");
    let faults = nation.national.faults().await;
    assert_eq!(faults.len(), position);
    assert!(faults.iter().all(|fault| fault == "seal-broken"));
    stop.send_replace(true);
}
