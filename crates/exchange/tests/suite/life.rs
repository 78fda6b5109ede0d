//! How an agreement comes to be, stops and goes on between two nodes, and what of a word that comes
//! twice, late, or from the wrong side.

use std::path::Path;
use std::sync::Arc;

use directory::Calendars;
use exchange::agreement::Agreement;
use exchange::life::Span;
use exchange::life::talk::Stage;
use exchange::life::words::{self, Said, Word};
use exchange::{Notices, State, Terms};
use kernel::limits::Limits;
use kernel::{Actor, Digest, Fact, OrgCode};
use obligations::{Which, list};
use store::outbox::Deliver;

use crate::nation::Nation;
use crate::node::Node;

const ACTOR: Actor = Actor::Platform;

fn org(code: &str) -> OrgCode {
    code.parse().expect("a code")
}

pub(crate) async fn nation() -> Nation {
    let nation = Nation::without_agreement(Limits::default()).await;
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn");
    let calendars = Arc::new(Calendars::load(&pack).expect("calendars"));
    for node in [&nation.national, &nation.ministry] {
        let terms = Terms::load(&pack, Arc::clone(&calendars)).expect("terms");
        node.exchange.agreements().keep_terms(terms);
    }
    nation
}

/// What waits at a node, as its lines carry it.
pub(crate) async fn waiting(node: &Node) -> Vec<String> {
    let mut words = Vec::new();
    for tenant in node.keyring.seals.keys() {
        let lines = node.temp.store.outbox_waiting(tenant).await.expect("reads");
        words.extend(
            lines
                .iter()
                .filter_map(|line| line.payload["notice"].as_str().map(str::to_owned)),
        );
    }
    words
}

/// Carries everything that waits at a node over the wire.
pub(crate) async fn carry(node: &Node) {
    let notices = Notices(node.exchange.clone());
    for tenant in node.keyring.seals.keys() {
        for line in node.temp.store.outbox_waiting(tenant).await.expect("reads") {
            notices.deliver(&line).await.expect("carried");
            node.temp.store.outbox_done(&line).await.expect("done");
        }
    }
}

/// Drops what waits at a node, and gives it.
async fn lose(node: &Node) -> Vec<String> {
    let lost = waiting(node).await;
    for tenant in node.keyring.seals.keys() {
        for line in node.temp.store.outbox_waiting(tenant).await.expect("reads") {
            node.temp.store.outbox_done(&line).await.expect("done");
        }
    }
    lost
}

async fn ask(nation: &Nation) -> Digest {
    let asked = nation
        .national
        .exchange
        .request_agreement(nation.agreement(), &ACTOR);
    let request = asked.await.expect("asked");
    carry(&nation.national).await;
    request
}

fn narrower(nation: &Nation, purpose: &str) -> Agreement {
    Agreement {
        fields: vec!["full_name".to_owned()],
        purpose: purpose.to_owned(),
        ..nation.agreement()
    }
}

async fn offer(nation: &Nation, request: &Digest, text: Agreement) -> Digest {
    let offered = nation.ministry.exchange.offer_agreement(request, text, &ACTOR);
    offered.await.expect("offered")
}

/// An agreement made from the request on; its hash.
async fn made(nation: &Nation) -> Digest {
    let request = ask(nation).await;
    let hash = offer(nation, &request, narrower(nation, "hẹp hơn")).await;
    carry(&nation.ministry).await;
    let accepted = nation.national.exchange.accept_agreement(&request, &hash, &ACTOR);
    accepted.await.expect("accepted");
    carry(&nation.national).await;
    hash
}

async fn state(node: &Node, name: &Digest) -> State {
    let known = node.exchange.look(name).await.expect("reads");
    known.expect("known").state
}

async fn facts(node: &Node, tenant: &str, name: &Digest) -> Vec<String> {
    let subject = format!("agreement/{name}");
    let facts = node.temp.store.facts_of(&org(tenant), &subject).await;
    facts
        .expect("reads")
        .into_iter()
        .map(|record| {
            let json = serde_json::to_value(&record.fact).expect("json");
            json["fact"].as_str().unwrap_or_default().to_owned()
        })
        .collect()
}

#[tokio::test]
async fn an_agreement_is_asked_for_offered_changed_accepted_and_the_same_at_both_nodes() {
    let nation = nation().await;
    let (national, ministry) = (&nation.national, &nation.ministry);
    let request = ask(&nation).await;
    assert_eq!(nation.refused("{}").await, "agreement-missing");
    for node in [national, ministry] {
        assert_eq!(state(node, &request).await, State::Requested);
    }
    let hash = offer(&nation, &request, narrower(&nation, "hẹp hơn")).await;
    carry(ministry).await;
    assert_ne!(hash, nation.agreement().hash(), "the provider changed the draft");
    for node in [national, ministry] {
        assert_eq!(state(node, &request).await, State::Offered);
    }
    assert_eq!(nation.refused("{}").await, "agreement-missing");
    let accepted = national.exchange.accept_agreement(&request, &hash, &ACTOR);
    accepted.await.expect("accepted");
    carry(national).await;
    for node in [national, ministry] {
        assert_eq!(state(node, &request).await, State::InForce);
        assert_eq!(state(node, &hash).await, State::InForce);
        let held = node.exchange.agreements().list();
        assert_eq!((held.len(), held[0].0), (1, hash));
    }
    nation.ask("{}").await.expect("an answer under the agreement");
    for (node, tenant) in [(national, "G22"), (ministry, "G01")] {
        assert_eq!(
            facts(node, tenant, &request).await,
            ["agreement-requested", "agreement-offered", "agreement-accepted"]
        );
        assert_eq!(facts(node, tenant, &hash).await, ["agreement-in-force"]);
    }
}

#[tokio::test]
async fn an_agreement_accepted_before_its_first_day_is_not_in_force_until_then() {
    let nation = nation().await;
    let begin = nation.national.now().plus_ms(3_600_000);
    let request = ask(&nation).await;
    let later = Agreement {
        valid_from: begin,
        ..nation.agreement()
    };
    let hash = offer(&nation, &request, later).await;
    carry(&nation.ministry).await;
    let accepted = nation.national.exchange.accept_agreement(&request, &hash, &ACTOR);
    accepted.await.expect("accepted");
    carry(&nation.national).await;
    assert_eq!(state(&nation.ministry, &hash).await, State::Accepted);
    assert_eq!(nation.refused("{}").await, "agreement-expired");
    for node in [&nation.national, &nation.ministry] {
        node.temp.clock.set(begin);
    }
    assert_eq!(state(&nation.ministry, &hash).await, State::InForce);
    nation.ask("{}").await.expect("its first instant");
}

#[tokio::test]
async fn a_provider_owes_an_answer_in_five_working_days_and_a_refusal_with_a_reason_is_one() {
    let nation = nation().await;
    let (national, ministry) = (&nation.national, &nation.ministry);
    let request = ask(&nation).await;
    let owed = || async {
        let reader = ministry.temp.store.read(&org("G01")).await.expect("reads");
        let open = list(&reader, &org("G01"), Which::Open, ministry.now()).await;
        open.expect("reads")
    };
    let open = owed().await;
    let talk = ministry.exchange.talk(&request).await.expect("reads");
    assert_eq!(Some(open[0].obligation.due), talk.expect("known").due);
    let days = (open[0].obligation.due.ms() - ministry.now().ms()) / 86_400_000;
    assert!((4..=14).contains(&days), "{days}");
    let refused = |reason: &'static str| ministry.exchange.refuse_agreement(&request, reason, &ACTOR);
    let without = refused("  ").await.expect_err("a reason is needed");
    assert_eq!(
        (without.code, without.field.as_deref()),
        ("field-missing", Some("reason"))
    );
    refused("Chưa có căn cứ pháp lý").await.expect("refused");
    carry(ministry).await;
    assert!(owed().await.is_empty(), "a refusal is an answer");
    for node in [national, ministry] {
        assert_eq!(state(node, &request).await, State::Refused);
        let talk = node.exchange.talk(&request).await.expect("reads").expect("known");
        let reason = "Chưa có căn cứ pháp lý".to_owned();
        assert_eq!(talk.stage, Stage::Refused { reason });
    }
    assert_eq!(
        refused("lần nữa").await.expect_err("once").code,
        "agreement-answered"
    );
}

#[tokio::test]
async fn only_the_provider_answers_and_only_the_consumer_accepts() {
    let nation = nation().await;
    let (national, ministry) = (&nation.national, &nation.ministry);
    let request = ask(&nation).await;
    let by_consumer = national
        .exchange
        .offer_agreement(&request, nation.agreement(), &ACTOR)
        .await;
    assert_eq!(
        by_consumer.expect_err("hosted elsewhere").code,
        "member-elsewhere"
    );
    let hash = offer(&nation, &request, nation.agreement()).await;
    let by_provider = ministry.exchange.accept_agreement(&request, &hash, &ACTOR).await;
    assert_eq!(
        by_provider.expect_err("hosted elsewhere").code,
        "member-elsewhere"
    );
    // The same with words of their own making, signed by the wrong side or by a stranger.
    let signed = nation.signed(nation.agreement());
    let (consumer, provider) = (&nation.hub.key, &ministry.seal("G01").key);
    let stranger = &ministry.seal("G15").key;
    let say = |party: &str, key, said: Said| {
        let (party, at) = (org(party), national.now());
        words::sign(Word { party, at, said }, key).token
    };
    let refusal = || Said::Refusal {
        request,
        reason: "x".to_owned(),
    };
    let acceptance = |acceptance: &str| Said::Acceptance {
        request,
        agreement: hash,
        acceptance: acceptance.to_owned(),
    };
    let heard = national.exchange.agreements();
    for word in [
        say("G22", consumer, refusal()),
        say("G15", stranger, refusal()),
        say("G01", stranger, refusal()),
    ] {
        assert_eq!(heard.hear(&word).await.expect_err("refused").code, "seal-broken");
    }
    let heard = ministry.exchange.agreements();
    for word in [
        say("G01", provider, acceptance(&signed.consumer_acceptance)),
        say("G15", stranger, acceptance(&signed.consumer_acceptance)),
        say("G22", consumer, acceptance(&signed.provider_acceptance)),
    ] {
        assert_eq!(heard.hear(&word).await.expect_err("refused").code, "seal-broken");
    }
    let asked_by_another = Said::Request {
        agreement: nation.agreement(),
    };
    let word = say("G15", stranger, asked_by_another);
    assert_eq!(heard.hear(&word).await.expect_err("refused").code, "seal-broken");
    assert!(heard.list().is_empty());
}

#[tokio::test]
async fn a_word_heard_again_or_out_of_order_changes_nothing() {
    let nation = nation().await;
    let (national, ministry) = (&nation.national, &nation.ministry);
    let draft = nation.agreement();
    let request = national
        .exchange
        .request_agreement(draft, &ACTOR)
        .await
        .expect("asked");
    let asked = waiting(national).await;
    carry(national).await;
    let first = offer(&nation, &request, narrower(&nation, "một")).await;
    let older = lose(ministry).await;
    let second = offer(&nation, &request, narrower(&nation, "hai")).await;
    let newer = waiting(ministry).await;
    carry(ministry).await;
    // The older offer arrives behind the newer one, and everything arrives twice.
    for word in older.iter().chain(&newer) {
        national.exchange.agreements().hear(word).await.expect("heard");
    }
    for word in &asked {
        ministry.exchange.agreements().hear(word).await.expect("heard");
    }
    let talk = national
        .exchange
        .talk(&request)
        .await
        .expect("reads")
        .expect("known");
    assert_eq!(talk.text().hash(), second);
    let of_first = national.exchange.accept_agreement(&request, &first, &ACTOR).await;
    assert_eq!(
        of_first.expect_err("superseded").code,
        "agreement-offer-superseded"
    );
    let accepted = national.exchange.accept_agreement(&request, &second, &ACTOR);
    accepted.await.expect("accepted");
    let acceptance = waiting(national).await;
    carry(national).await;
    for word in acceptance.iter().chain(&asked) {
        ministry.exchange.agreements().hear(word).await.expect("heard");
    }
    for (node, tenant) in [(national, "G22"), (ministry, "G01")] {
        assert_eq!(node.exchange.agreements().list().len(), 1);
        assert_eq!(facts(node, tenant, &second).await, ["agreement-in-force"]);
        assert_eq!(state(node, &second).await, State::InForce);
    }
}

#[tokio::test]
async fn an_acceptance_of_an_earlier_offer_is_refused_and_both_nodes_end_with_the_newer_one() {
    let nation = nation().await;
    let (national, ministry) = (&nation.national, &nation.ministry);
    let request = ask(&nation).await;
    let first = offer(&nation, &request, narrower(&nation, "một")).await;
    carry(ministry).await;
    // The acceptance of the first offer and the second offer cross on the way.
    let second = offer(&nation, &request, narrower(&nation, "hai")).await;
    let accepted = national.exchange.accept_agreement(&request, &first, &ACTOR);
    accepted.await.expect("accepted");
    let replayed = waiting(national).await;
    carry(national).await;
    carry(ministry).await;
    assert!(ministry.exchange.agreements().list().is_empty());
    assert_eq!(state(national, &first).await, State::Revoked);
    assert_eq!(state(national, &request).await, State::Offered);
    let refused = ministry.exchange.agreements().hear(&replayed[0]).await;
    assert_eq!(refused.expect_err("too late").code, "agreement-offer-superseded");
    let accepted = national.exchange.accept_agreement(&request, &second, &ACTOR);
    accepted.await.expect("accepted");
    carry(national).await;
    for node in [national, ministry] {
        assert_eq!(state(node, &second).await, State::InForce);
    }
    let refused = ministry.exchange.agreements().hear(&replayed[0]).await;
    assert_eq!(refused.expect_err("too late").code, "agreement-offer-superseded");
    nation.ask("{}").await.expect("an answer under the second");
}

#[tokio::test]
async fn a_providers_acceptance_is_not_taken_for_the_consumers() {
    let nation = nation().await;
    let (national, ministry) = (&nation.national, &nation.ministry);
    let request = ask(&nation).await;
    let text = narrower(&nation, "hẹp hơn");
    let hash = offer(&nation, &request, text.clone()).await;
    carry(ministry).await;
    let at = national.now();
    let replayed = text.accept(&org("G01"), at, &ministry.seal("G01").key);
    let of_another = nation.agreement().accept(&org("G22"), at, &nation.hub.key);
    for acceptance in [replayed, of_another] {
        let said = Said::Acceptance {
            request,
            agreement: hash,
            acceptance,
        };
        let word = Word {
            party: org("G22"),
            at,
            said,
        };
        let notice =
            web::http::Request::post(format!("https://{}/exchange/v1/agreement-notices", ministry.peer))
                .body(words::sign(word, &nation.hub.key).token.into())
                .expect("a request");
        let answer = national.peers(&nation.ca).send(notice, 30_000, 1 << 16).await;
        let status = answer.expect("an answer").status().as_u16();
        assert!((400..500).contains(&status), "{status}");
        assert_eq!(state(ministry, &request).await, State::Offered);
        assert!(ministry.exchange.agreements().list().is_empty());
    }
}

#[tokio::test]
async fn a_suspension_holds_at_once_here_and_only_who_suspended_resumes() {
    let nation = nation().await;
    let (national, ministry) = (&nation.national, &nation.ministry);
    let hash = made(&nation).await;
    let by = org("G01");
    let suspend = || {
        ministry
            .exchange
            .suspend_agreement(&hash, &by, "Rà soát an toàn", &ACTOR)
    };
    let without = ministry.exchange.suspend_agreement(&hash, &by, " ", &ACTOR).await;
    assert_eq!(without.expect_err("a reason is needed").code, "field-missing");
    suspend().await.expect("suspended");
    // The consumer has not heard yet: the provider's gateway refuses.
    assert_eq!(nation.refused("{}").await, "agreement-suspended");
    assert_eq!(
        ministry.faults().await.last().map(String::as_str),
        Some("agreement-suspended")
    );
    let suspension = waiting(ministry).await;
    carry(ministry).await;
    let before = ministry.evidence().await.len();
    assert_eq!(nation.refused("{}").await, "agreement-suspended");
    assert_eq!(ministry.evidence().await.len(), before, "it does not even leave");
    assert_eq!(suspend().await.expect_err("twice").code, "stale");
    let by_other = national
        .exchange
        .resume_agreement(&hash, &org("G22"), &ACTOR)
        .await;
    assert_eq!(by_other.expect_err("not its own").code, "agreement-not-suspended");
    let by_stranger = ministry
        .exchange
        .resume_agreement(&hash, &org("G15"), &ACTOR)
        .await;
    assert_eq!(by_stranger.expect_err("no party").code, "not-found");
    ministry
        .exchange
        .resume_agreement(&hash, &by, &ACTOR)
        .await
        .expect("resumed");
    carry(ministry).await;
    nation.ask("{}").await.expect("it goes on");
    // The old word, heard again, stops nothing.
    national
        .exchange
        .agreements()
        .hear(&suspension[0])
        .await
        .expect("heard");
    nation.ask("{}").await.expect("it still goes on");
    for (node, tenant) in [(national, "G22"), (ministry, "G01")] {
        assert_eq!(
            facts(node, tenant, &hash).await,
            ["agreement-in-force", "agreement-suspended", "agreement-resumed"]
        );
    }
}

#[tokio::test]
async fn a_suspension_outlives_a_restart_and_ends_with_the_agreement() {
    let mut nation = nation().await;
    let hash = made(&nation).await;
    let by = org("G01");
    let suspended = nation
        .ministry
        .exchange
        .suspend_agreement(&hash, &by, "x", &ACTOR);
    suspended.await.expect("suspended");
    nation.restart_ministry().await;
    assert_eq!(state(&nation.ministry, &hash).await, State::Suspended);
    assert_eq!(nation.refused("{}").await, "agreement-suspended");
    let key = nation.ministry.seal("G01").key.clone();
    let held = nation.ministry.exchange.agreements();
    held.revoke(hash, &by, "chấm dứt", &ACTOR, &key)
        .await
        .expect("revoked");
    let resumed = nation
        .ministry
        .exchange
        .resume_agreement(&hash, &by, &ACTOR)
        .await;
    assert_eq!(resumed.expect_err("it is over").code, "agreement-over");
}

#[tokio::test]
async fn an_agreement_adopted_from_a_folder_begins_in_force_and_can_be_suspended() {
    let nation = Nation::new().await;
    let hash = nation.agreement().hash();
    for node in [&nation.national, &nation.ministry] {
        assert_eq!(state(node, &hash).await, State::InForce);
    }
    let by = org("G22");
    let suspended = nation
        .national
        .exchange
        .suspend_agreement(&hash, &by, "x", &ACTOR);
    suspended.await.expect("suspended");
    assert_eq!(nation.refused("{}").await, "agreement-suspended");
    carry(&nation.national).await;
    assert_eq!(state(&nation.ministry, &hash).await, State::Suspended);
}

#[tokio::test]
async fn the_very_same_request_is_asked_for_once_and_an_agreement_that_stands_not_at_all() {
    let nation = nation().await;
    let request = ask(&nation).await;
    nation.advance_ms(5);
    let again = || {
        let national = &nation.national.exchange;
        national.request_agreement(nation.agreement(), &ACTOR)
    };
    assert_eq!(again().await.expect("it stands"), request);
    assert!(waiting(&nation.national).await.is_empty(), "nobody is told again");
    let hash = offer(&nation, &request, nation.agreement()).await;
    carry(&nation.ministry).await;
    assert_eq!(again().await.expect("it waits to be accepted"), request);
    let accepted = nation.national.exchange.accept_agreement(&request, &hash, &ACTOR);
    accepted.await.expect("accepted");
    let held = again().await.expect_err("it is an agreement already");
    assert_eq!((held.code, held.field.as_deref()), ("agreement-held", Some("id")));
}

#[tokio::test]
async fn a_request_for_what_its_provider_does_not_offer_is_refused_where_that_can_be_known() {
    let nation = nation().await;
    let asked = async |service: &str, endpoints: &[&str]| {
        let draft = Agreement {
            service: service.parse().expect("an id"),
            endpoints: endpoints.iter().map(|e| e.parse().expect("one")).collect(),
            ..nation.agreement()
        };
        let asked = nation.national.exchange.request_agreement(draft, &ACTOR).await;
        asked
            .map(drop)
            .map_err(|p| (p.code, p.field.unwrap_or_default(), p.args))
    };
    let lookup = "G01/population/person-lookup";
    let (code, field, args) = asked("G01/population/persons", &[]).await.expect_err("none");
    assert_eq!((code, field.as_str()), ("agreement-service-none", "service"));
    assert!(
        args.contains(&("offered", "person-lookup".to_owned())),
        "{args:?}"
    );
    let (code, field, args) = asked(lookup, &["GET /persons/{id}"]).await.expect_err("none");
    assert_eq!((code, field.as_str()), ("agreement-endpoint-none", "endpoints"));
    assert!(args.contains(&("offered", "POST /".to_owned())), "{args:?}");
    asked(lookup, &["POST /"]).await.expect("it is offered");
    // Where nobody tells, the provider answers the request itself.
    nation.ministry.halt().await;
    asked("G01/population/persons", &["GET /a"])
        .await
        .expect("not known");
}

#[tokio::test]
async fn one_organisation_leaves_only_so_many_requests_unanswered() {
    let limits = Limits {
        agreement_requests_max: 1,
        ..Limits::default()
    };
    let nation = Nation::without_agreement(limits).await;
    ask(&nation).await;
    nation.national.temp.clock.advance_ms(1);
    let again = nation
        .national
        .exchange
        .request_agreement(narrower(&nation, "khác"), &ACTOR)
        .await;
    assert_eq!(again.expect_err("one waits").code, "agreement-requests");
}

#[tokio::test]
async fn a_fact_of_an_agreement_names_the_word_it_rests_on_and_no_reason() {
    let nation = nation().await;
    let request = ask(&nation).await;
    let refused = nation
        .ministry
        .exchange
        .refuse_agreement(&request, "lý do riêng", &ACTOR);
    refused.await.expect("refused");
    let token = &waiting(&nation.ministry).await[0];
    let payload = seal::jws::peek(token).expect("a token");
    let store = &nation.ministry.temp.store;
    let facts = store.facts_of(&org("G01"), &format!("agreement/{request}")).await;
    let last = facts.expect("reads").pop().expect("a fact");
    assert!(!last.to_json().expect("json").contains("riêng"));
    let word = Digest::of(&payload);
    let by = org("G01");
    assert_eq!(last.fact, Fact::AgreementRefused { request, by, word });
}

#[tokio::test]
async fn a_request_is_taken_back_by_who_asked_and_no_answer_is_owed_any_more() {
    let nation = nation().await;
    let (national, ministry) = (&nation.national, &nation.ministry);
    let request = ask(&nation).await;
    let by_provider = ministry.exchange.withdraw_request(&request, "x", &ACTOR).await;
    assert_eq!(by_provider.expect_err("not its own").code, "member-elsewhere");
    let without = national.exchange.withdraw_request(&request, " ", &ACTOR).await;
    assert_eq!(without.expect_err("a reason is needed").code, "field-missing");
    let taken = national
        .exchange
        .withdraw_request(&request, "Hết nhu cầu", &ACTOR);
    taken.await.expect("taken back");
    let word = waiting(national).await;
    carry(national).await;
    // Heard again it changes nothing, and from another side it is nobody's word.
    ministry
        .exchange
        .agreements()
        .hear(&word[0])
        .await
        .expect("heard");
    let stranger = Word {
        party: org("G15"),
        at: ministry.now(),
        said: Said::Withdrawal {
            request,
            reason: "x".to_owned(),
        },
    };
    let forged = words::sign(stranger, &ministry.seal("G15").key).token;
    let refused = ministry.exchange.agreements().hear(&forged).await;
    assert_eq!(refused.expect_err("no party").code, "seal-broken");
    for (node, tenant) in [(national, "G22"), (ministry, "G01")] {
        assert_eq!(state(node, &request).await, State::Withdrawn);
        assert_eq!(
            facts(node, tenant, &request).await,
            ["agreement-requested", "agreement-withdrawn"]
        );
    }
    let reader = ministry.temp.store.read(&org("G01")).await.expect("reads");
    let open = list(&reader, &org("G01"), Which::Open, ministry.now()).await;
    assert!(open.expect("reads").is_empty(), "nothing is owed");
    let offered = ministry
        .exchange
        .offer_agreement(&request, nation.agreement(), &ACTOR)
        .await;
    assert_eq!(offered.expect_err("too late").code, "agreement-answered");
    let again = national.exchange.withdraw_request(&request, "x", &ACTOR).await;
    assert_eq!(again.expect_err("once").code, "agreement-answered");
}

#[tokio::test]
async fn a_withdrawal_and_an_offer_that_cross_end_the_same_at_both_nodes() {
    let nation = nation().await;
    let (national, ministry) = (&nation.national, &nation.ministry);
    let request = ask(&nation).await;
    let taken = national.exchange.withdraw_request(&request, "x", &ACTOR);
    taken.await.expect("taken back");
    let hash = offer(&nation, &request, nation.agreement()).await;
    carry(national).await;
    carry(ministry).await;
    for node in [national, ministry] {
        assert_eq!(state(node, &request).await, State::Withdrawn);
    }
    let accepted = national.exchange.accept_agreement(&request, &hash, &ACTOR).await;
    assert_eq!(accepted.expect_err("taken back").code, "agreement-answered");
    assert!(ministry.exchange.agreements().list().is_empty());
}

#[tokio::test]
async fn a_planned_suspension_is_told_before_holds_within_its_days_and_outlives_a_restart() {
    let mut nation = nation().await;
    let request = ask(&nation).await;
    let long = Agreement {
        valid_to: nation.national.now().plus_ms(90 * 86_400_000),
        ..nation.agreement()
    };
    let hash = offer(&nation, &request, long).await;
    carry(&nation.ministry).await;
    let accepted = nation.national.exchange.accept_agreement(&request, &hash, &ACTOR);
    accepted.await.expect("accepted");
    carry(&nation.national).await;
    let by = org("G01");
    let in_days = |days: i64| nation.national.now().plus_ms(days * 86_400_000);
    let span = Span {
        from: Some(in_days(20)),
        to: Some(in_days(30)),
    };
    let soon = Span {
        from: Some(in_days(2)),
        ..span
    };
    let plan = async |nation: &Nation, span| {
        let words = ("Nâng cấp hệ thống", span);
        let planned = nation
            .ministry
            .exchange
            .plan_suspension(&hash, &by, words, &ACTOR);
        planned.await
    };
    let refused = plan(&nation, soon).await.expect_err("seven working days");
    assert_eq!(
        (refused.code, refused.field.as_deref()),
        ("agreement-stop-soon", Some("from"))
    );
    plan(&nation, span).await.expect("announced");
    carry(&nation.ministry).await;
    let known = nation
        .national
        .exchange
        .look(&hash)
        .await
        .expect("reads")
        .expect("known");
    assert_eq!(
        (known.state, known.stops),
        (State::InForce, vec![(by.clone(), span)])
    );
    nation.ask("{}").await.expect("it has not begun");
    nation.restart_ministry().await;
    nation.advance_ms(20 * 86_400_000);
    for node in [&nation.national, &nation.ministry] {
        assert_eq!(state(node, &hash).await, State::Suspended);
    }
    assert_eq!(nation.refused("{}").await, "agreement-suspended");
    nation.advance_ms(10 * 86_400_000);
    for node in [&nation.national, &nation.ministry] {
        assert_eq!(state(node, &hash).await, State::InForce, "it is over by itself");
    }
    nation.ask("{}").await.expect("it goes on");
    let resumed = nation
        .ministry
        .exchange
        .resume_agreement(&hash, &org("G01"), &ACTOR)
        .await;
    assert_eq!(resumed.expect_err("it is over").code, "agreement-not-suspended");
}

#[tokio::test]
async fn the_end_of_a_term_is_a_fact_at_both_nodes_once() {
    let nation = Nation::new().await;
    let hash = nation.agreement().hash();
    let noted = async |node: &Node| node.exchange.note_ends().await.expect("noted");
    assert_eq!(noted(&nation.national).await, 0, "it has not ended");
    for (node, tenant) in [(&nation.national, "G22"), (&nation.ministry, "G01")] {
        node.temp.clock.set(nation.agreement().valid_to);
        assert_eq!((noted(node).await, noted(node).await), (1, 0));
        assert_eq!(
            facts(node, tenant, &hash).await,
            ["agreement-in-force", "agreement-expired"]
        );
    }
}

#[tokio::test]
async fn an_agreement_that_was_ended_before_is_not_noted_as_expired() {
    let nation = Nation::new().await;
    let (hash, by) = (nation.agreement().hash(), org("G01"));
    let key = &nation.ministry.seal("G01").key;
    let held = nation.ministry.exchange.agreements();
    held.revoke(hash, &by, "x", &ACTOR, key).await.expect("revoked");
    nation.ministry.temp.clock.set(nation.agreement().valid_to);
    assert_eq!(nation.ministry.exchange.note_ends().await.expect("noted"), 0);
}
