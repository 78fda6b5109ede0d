//! A nation whose owners ask and whose hub decides: the life of systems, addresses, certificates, members.

use super::*;
use crate::snapshot::tests::{Nation, issue};
use kernel::Actor;
use seal::Profile;
use testkit::TempStore;

const OPERATOR: &str = "operator-1";

fn operator() -> Actor {
    Actor::Official(OPERATOR.to_owned())
}

fn keyring(nation: &Nation, seals: &[(&str, &Identity)]) -> Arc<Keyring> {
    let seals = seals.iter().map(|(org, seal)| {
        let org: OrgCode = org.parse().expect("a code");
        (org, (*seal).clone())
    });
    Arc::new(Keyring {
        node: nation.node.clone(),
        seals: seals.collect(),
        signers: std::collections::BTreeMap::new(),
    })
}

/// A registrar at the hub's node.
pub(crate) fn registrar(hub: &Hub, nation: &Nation) -> Registrar {
    Registrar::new(Parts {
        directory: hub.directory().clone(),
        hub: Some(hub.clone()),
        keyring: keyring(nation, &[("G22", &nation.hub)]),
        node: "national".to_owned(),
        to_hub: None,
        peers: Client::plain(),
    })
}

/// A hub and a member's node, each with its own store; words are carried by hand.
struct Two {
    nation: Nation,
    hub_store: TempStore,
    owner_store: TempStore,
    hub: Registrar,
    owner: Registrar,
}

impl Two {
    async fn new() -> Self {
        let nation = Nation::new();
        let hub_store = testkit::store(&[crate::MIGRATIONS]).await;
        let owner_store = testkit::store(&[crate::MIGRATIONS]).await;
        let hub = crate::hub::tests::hub(&hub_store, &nation).await;
        hub.publish(&nation.snapshot(0)).await.expect("published");
        let directory = Directory::open(
            owner_store.store.clone(),
            "G01".parse().expect("a code"),
            nation.hub.certificate.clone(),
            owner_store.dir.path().join("directory.jws"),
        )
        .await
        .expect("open");
        let owner = Registrar::new(Parts {
            directory,
            hub: None,
            keyring: keyring(&nation, &[("G01", &nation.member)]),
            node: "ministry".to_owned(),
            to_hub: Some((Client::plain(), "http://127.0.0.1:1".to_owned())),
            peers: Client::plain(),
        });
        let two = Self {
            hub: registrar(&hub, &nation),
            nation,
            hub_store,
            owner_store,
            owner,
        };
        two.follow().await;
        two
    }

    /// The member's node pulls the directory.
    async fn follow(&self) {
        let (token, _) = self.hub.0.directory.token();
        self.owner.0.directory.adopt(&token).await.expect("adopted");
    }

    /// The words that wait at a node, taken away.
    async fn words(&self, at: &Registrar) -> Vec<String> {
        let (store, tenant) = (at.store(), at.0.directory.tenant());
        let mut words = Vec::new();
        for line in store.outbox_waiting(tenant).await.expect("read") {
            words.push(line.payload["word"].as_str().expect("a word").to_owned());
            store.outbox_done(&line).await.expect("taken");
        }
        words
    }

    /// Carries what waits, each word twice: a word may come again.
    async fn carry(&self) {
        for word in self.words(&self.owner).await {
            self.hub.hear(&word).await.expect("heard");
            self.hub.hear(&word).await.expect("heard again");
        }
        for word in self.words(&self.hub).await {
            self.owner.hear(&word).await.expect("heard");
            self.owner.hear(&word).await.expect("heard again");
        }
    }

    /// Asks, approves and brings the answer and the new directory home.
    async fn done(&self, change: Change) -> Digest {
        // The same words at the same instant would be the same request.
        self.owner_store.clock.advance_ms(1);
        let request = self
            .owner
            .propose(change, true, &operator())
            .await
            .expect("asked");
        self.carry().await;
        self.hub.approve(&request, &operator()).await.expect("approved");
        self.carry().await;
        self.follow().await;
        request
    }

    async fn facts(&self, at: &Registrar, request: &Digest) -> Vec<String> {
        let store = at.store();
        let facts = store.facts_of(at.0.directory.tenant(), &subject(request)).await;
        let name = |fact: &Fact| {
            let json = serde_json::to_value(fact).expect("json");
            json["fact"].as_str().expect("a name").to_owned()
        };
        facts.expect("read").iter().map(|f| name(&f.fact)).collect()
    }

    fn held(&self) -> Arc<crate::Snapshot> {
        self.owner.0.directory.snapshot()
    }
}

fn org(code: &str) -> OrgCode {
    code.parse().expect("a code")
}

fn register(system: &str) -> Change {
    Change::RegisterSystem {
        org: org("G01"),
        system: system.to_owned(),
        name: "Hệ thống mẫu".to_owned(),
    }
}

fn of_system(system: &str) -> (OrgCode, String) {
    (org("G01"), system.to_owned())
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Problem>) -> &'static str {
    answer.expect_err("refused").code
}

#[tokio::test]
async fn a_system_lives_from_saved_over_registered_and_disabled_to_deleted_each_step_a_fact_on_both_sides() {
    let two = Two::new().await;
    let request = two
        .owner
        .propose(register("sample"), false, &operator())
        .await
        .expect("saved");
    assert_eq!(
        two.owner.one(Side::Owner, &request).await.expect("there").state,
        State::Saved
    );
    assert!(two.words(&two.owner).await.is_empty(), "nobody is asked yet");
    two.owner.ask(&request, &operator()).await.expect("asked");
    assert_eq!(
        refused(two.owner.ask(&request, &operator()).await),
        "directory-decided"
    );
    two.carry().await;
    let waits = two
        .hub
        .list(Side::Hub, (Some(State::Asked), None), None, 10)
        .await
        .expect("read");
    assert_eq!((waits.len(), waits[0].request), (1, request));
    assert!(
        two.held().system(&org("G01"), "sample").is_none(),
        "not before it is approved"
    );
    two.hub.approve(&request, &operator()).await.expect("approved");
    assert_eq!(
        refused(two.hub.approve(&request, &operator()).await),
        "directory-decided"
    );
    two.carry().await;
    two.follow().await;
    assert!(two.held().system(&org("G01"), "sample").is_some());
    let ended = two.owner.one(Side::Owner, &request).await.expect("there");
    assert_eq!(ended.state, State::Approved);
    assert_eq!(
        two.facts(&two.owner, &request).await,
        [
            "registration-saved",
            "registration-asked",
            "registration-approved"
        ]
    );
    assert_eq!(
        two.facts(&two.hub, &request).await,
        ["registration-asked", "registration-approved"]
    );

    let (org, system) = of_system("sample");
    two.done(Change::DisableSystem { org, system }).await;
    assert!(two.owner.0.directory.is_stopped(&self::org("G01"), "sample"));
    let (org, system) = of_system("sample");
    two.done(Change::EnableSystem { org, system }).await;
    assert!(!two.owner.0.directory.is_stopped(&self::org("G01"), "sample"));
    let (org, system) = of_system("sample");
    two.done(Change::DeleteSystem { org, system }).await;
    assert!(two.held().system(&self::org("G01"), "sample").is_none());
    assert!(
        two.owner.0.directory.is_stopped(&self::org("G01"), "sample"),
        "what is gone calls no more"
    );
    two.done(register("sample")).await;
    assert!(!two.owner.0.directory.is_stopped(&self::org("G01"), "sample"));
}

#[tokio::test]
async fn the_hub_declines_with_a_reason_that_the_owner_reads() {
    let two = Two::new().await;
    let request = two
        .owner
        .propose(register("sample"), true, &operator())
        .await
        .expect("asked");
    two.carry().await;
    assert_eq!(
        refused(two.hub.decline(&request, "  ", &operator()).await),
        "reason-missing"
    );
    two.hub
        .decline(&request, "thiếu văn bản", &operator())
        .await
        .expect("declined");
    assert_eq!(
        refused(two.hub.approve(&request, &operator()).await),
        "directory-decided"
    );
    two.carry().await;
    let ended = two.owner.one(Side::Owner, &request).await.expect("there");
    assert_eq!(
        (ended.state, ended.reason.as_str()),
        (State::Declined, "thiếu văn bản")
    );
    assert_eq!(two.hub.0.directory.snapshot().serial, 1, "nothing was published");
}

#[tokio::test]
async fn nobody_asks_for_a_change_of_what_is_anothers() {
    let two = Two::new().await;
    let others = Change::DeleteSystem {
        org: org("G22"),
        system: "portal".to_owned(),
    };
    assert_eq!(
        refused(two.owner.propose(others.clone(), true, &operator()).await),
        "directory-not-ours"
    );
    let moved = |node: &str| Change::MoveNode {
        node: node.to_owned(),
        peer: "127.0.0.1:9".to_owned(),
    };
    assert_eq!(
        refused(two.owner.propose(moved("national"), true, &operator()).await),
        "directory-not-ours"
    );
    let leave = Change::Leave { org: org("G01") };
    assert_eq!(
        refused(two.owner.propose(leave.clone(), true, &operator()).await),
        "directory-hub-only"
    );
    assert_eq!(
        refused(two.owner.enact(leave.clone(), &operator()).await),
        "not-found"
    );
    // Nor by a word that its own node would not have made.
    let say = |wanted: Change, party: &str, seal: &Identity| {
        let word = Word {
            party: org(party),
            at: testkit::START,
            said: words::Said::Request { wanted },
        };
        words::sign(word, &seal.key).expect("signed").token
    };
    let member = &two.nation.member;
    for wanted in [others.clone(), leave, moved("national")] {
        let told = two.hub.hear(&say(wanted, "G01", member)).await;
        assert_eq!(refused(told), "directory-not-ours");
    }
    assert_eq!(
        refused(two.hub.hear(&say(others, "G22", member)).await),
        "directory-word"
    );
    assert_eq!(two.hub.waiting().await.expect("read"), 0);
}

#[tokio::test]
async fn a_node_whose_certificate_was_revoked_is_given_a_new_one() {
    let two = Two::new().await;
    let old = two.nation.node.certificate.clone();
    let hub = two.hub.hub().expect("the hub").clone();
    hub.revoke(&operator(), old.thumbprint(), "mất khóa")
        .await
        .expect("revoked");
    two.follow().await;
    assert_eq!(
        two.owner.0.directory.node_certificate_ok(old.der()),
        Err("node-revoked".to_owned())
    );
    let names = vec!["localhost".to_owned()];
    let new = issue(&two.nation.ca, Profile::Node { names }, "G01", 9);
    let certify = |certificate: String| Change::CertifyNode {
        node: "ministry".to_owned(),
        certificate,
    };
    let seal = two.nation.member.chain_pem();
    assert_eq!(
        refused(two.owner.propose(certify(seal), true, &operator()).await),
        "directory-certificate",
        "a seal is no certificate of a node"
    );
    two.done(certify(new.chain_pem())).await;
    let directory = &two.owner.0.directory;
    assert_eq!(
        directory.node_certificate_ok(new.certificate.der()),
        Ok("ministry".to_owned())
    );
    assert_eq!(
        directory.node_certificate_ok(old.der()),
        Err("node-revoked".to_owned())
    );
    // The next one comes beside it: the node changes over when it likes.
    let names = vec!["localhost".to_owned()];
    let next = issue(&two.nation.ca, Profile::Node { names }, "G01", 10);
    two.done(certify(next.chain_pem())).await;
    for good in [&new, &next] {
        assert!(directory.node_certificate_ok(good.certificate.der()).is_ok());
    }
    two.done(Change::DropNodeCertificate {
        node: "ministry".to_owned(),
        thumbprint: new.certificate.thumbprint(),
    })
    .await;
    assert_eq!(
        directory.node_certificate_ok(new.certificate.der()),
        Err("node-unknown".to_owned())
    );
}

#[tokio::test]
async fn a_member_seals_with_its_old_and_its_new_certificate_until_the_old_one_is_revoked() {
    let two = Two::new().await;
    let (old, new) = (
        two.nation.member.certificate.clone(),
        issue(&two.nation.ca, Profile::OrganisationSeal, "G01", 11),
    );
    let foreign = issue(&two.nation.ca, Profile::OrganisationSeal, "G15", 12);
    let certify = |identity: &Identity| Change::CertifySeal {
        org: org("G01"),
        certificate: identity.chain_pem(),
    };
    assert_eq!(
        refused(two.owner.propose(certify(&foreign), true, &operator()).await),
        "directory-certificate"
    );
    two.done(certify(&new)).await;
    let directory = &two.owner.0.directory;
    let called = |thumbprint| {
        directory
            .seal_called(&org("G01"), &thumbprint)
            .map(|c| c.thumbprint())
    };
    assert_eq!(called(old.thumbprint()), Some(old.thumbprint()));
    assert_eq!(
        called(new.certificate.thumbprint()),
        Some(new.certificate.thumbprint())
    );
    assert_eq!(
        directory.certificate_by_thumbprint(&old.thumbprint()),
        Some(old.clone())
    );
    let hub = two.hub.hub().expect("the hub").clone();
    hub.revoke(&operator(), old.thumbprint(), "mất khóa")
        .await
        .expect("revoked");
    two.follow().await;
    assert_eq!(called(old.thumbprint()), None);
    assert!(called(new.certificate.thumbprint()).is_some());
}

#[tokio::test]
async fn only_systems_are_approved_automatically_and_only_when_the_hub_says_so() {
    let two = Two::new().await;
    two.hub.set_automatic(true, &operator()).await.expect("set");
    let system = two
        .owner
        .propose(register("sample"), true, &operator())
        .await
        .expect("asked");
    let moved = Change::MoveNode {
        node: "ministry".to_owned(),
        peer: "127.0.0.1:9".to_owned(),
    };
    let address = two.owner.propose(moved, true, &operator()).await.expect("asked");
    two.carry().await;
    two.carry().await;
    let state = async |request| two.owner.one(Side::Owner, &request).await.expect("there").state;
    assert_eq!(state(system).await, State::Approved);
    assert_eq!(state(address).await, State::Asked);
    assert_eq!(
        refused(two.owner.set_automatic(true, &operator()).await),
        "not-found"
    );
}

#[tokio::test]
async fn what_was_approved_outlives_a_publication_from_files() {
    let two = Two::new().await;
    two.done(register("sample")).await;
    let hub = two.hub.hub().expect("the hub").clone();
    hub.publish(&two.nation.snapshot(0)).await.expect("published");
    assert!(hub.directory().snapshot().system(&org("G01"), "sample").is_some());
    let rows = two
        .hub_store
        .store
        .facts_of(&org("G22"), "directory/3")
        .await
        .expect("read");
    assert!(rows.is_empty(), "nothing new was said");
    drop(two.owner_store);
}

#[tokio::test]
async fn an_organisation_leaves_only_so_many_requests_undecided() {
    let two = Two::new().await;
    let max = two.hub.store().limits().directory_requests_max;
    for number in 0..=max {
        let change = register(&format!("s{number}"));
        two.owner.propose(change, true, &operator()).await.expect("asked");
    }
    let words = two.words(&two.owner).await;
    let mut told = Vec::new();
    for word in &words {
        told.push(two.hub.hear(word).await.is_ok());
    }
    let taken = told.iter().filter(|ok| **ok).count();
    assert_eq!((words.len() as u64, taken as u64), (max + 1, max));
}

#[tokio::test]
async fn the_hubs_operator_changes_members_roots_and_groups() {
    let two = Two::new().await;
    let names = vec!["localhost".to_owned()];
    let (seal, node) = (
        issue(&two.nation.ca, Profile::OrganisationSeal, "H56", 20),
        issue(&two.nation.ca, Profile::Node { names }, "H56", 21),
    );
    let enact = async |change: Change| two.hub.enact(change, &operator()).await;
    let text = str::to_owned;
    let join = Change::Join {
        org: org("H56"),
        name: text("Tỉnh mẫu"),
        class: text("COM"),
        certificate: seal.chain_pem(),
        node: text("province"),
        peer: text("127.0.0.1:8102"),
        node_certificate: node.chain_pem(),
    };
    assert_eq!(
        refused(enact(join.clone()).await),
        "directory-no-entry",
        "an unknown class"
    );
    let class = Change::NameClass {
        class: text("COM"),
        name: text("Doanh nghiệp"),
    };
    enact(class).await.expect("made");
    enact(join.clone()).await.expect("joined");
    assert_eq!(refused(enact(join).await), "directory-there");
    two.follow().await;
    assert_eq!(two.held().class_of(&org("H56")), "COM");
    assert_eq!(two.held().class_of(&org("G01")), "GOV");
    enact(Change::NameGroup {
        group: text("land"),
        name: text("Đất đai"),
    })
    .await
    .expect("made");
    let add = |system: &str| Change::AddToGroup {
        group: text("land"),
        system: system.to_owned(),
    };
    assert_eq!(refused(enact(add("G01/none")).await), "directory-no-entry");
    enact(add("G01/population")).await.expect("added");
    let root = two.nation.ca.certificate().thumbprint();
    let withdraw = Change::WithdrawRoot { thumbprint: root };
    assert_eq!(refused(enact(withdraw).await), "directory-needed");
    let other = seal::Authority::new("Another root", testkit::START).expect("a root");
    let trust = Change::TrustRoot {
        certificate: other.certificate().pem(),
    };
    enact(trust).await.expect("trusted");
    assert_eq!(
        refused(enact(Change::Leave { org: org("G22") }).await),
        "directory-needed"
    );
    enact(Change::Leave { org: org("H56") }).await.expect("left");
    two.follow().await;
    let held = two.held();
    assert_eq!(
        (held.members.len(), held.nodes.len(), held.anchors.len()),
        (2, 1, 2)
    );
    assert_eq!(held.groups[0].systems, ["G01/population"]);
    let (org, system) = of_system("population");
    two.done(Change::DeleteSystem { org, system }).await;
    assert!(two.held().groups[0].systems.is_empty());
}

#[tokio::test]
async fn the_hub_disables_a_member_with_a_reason_that_everybody_reads_and_enables_it_again() {
    let two = Two::new().await;
    let enact = async |change: Change| two.hub.enact(change, &operator()).await;
    let disable = |code: &str, reason: &str| Change::DisableMember {
        org: org(code),
        reason: reason.to_owned(),
    };
    let enable = |code: &str| Change::EnableMember { org: org(code) };
    for (change, code) in [
        (disable("G01", " "), "reason-missing"),
        (disable("H56", "x"), "directory-no-entry"),
        (disable("G22", "x"), "directory-needed"),
        (enable("G01"), "directory-there"),
        (enable("H56"), "directory-no-entry"),
    ] {
        assert_eq!(refused(enact(change).await), code);
    }
    let unasked = two.owner.propose(disable("G01", "x"), true, &operator()).await;
    assert_eq!(refused(unasked), "directory-hub-only", "no owner asks for it");
    enact(disable("G01", "Lộ khóa")).await.expect("disabled");
    assert_eq!(refused(enact(disable("G01", "Lộ khóa")).await), "directory-there");
    let directory = &two.owner.0.directory;
    assert!(
        !directory.is_disabled(&org("G01")),
        "the member's node has not heard"
    );
    two.follow().await;
    assert!(directory.is_disabled(&org("G01")) && directory.is_disabled(&org("G01.02")));
    assert!(!directory.is_disabled(&org("G22")));
    let since = two.held().disabled[0].since;
    assert_eq!(two.held().disabled[0].reason, "Lộ khóa");
    // What files say does not enable it, and its time stays.
    two.hub_store.clock.advance_ms(60_000);
    let hub = two.hub.hub().expect("a hub");
    hub.publish(&two.nation.snapshot(0)).await.expect("published");
    two.follow().await;
    assert_eq!(two.held().disabled.first().map(|entry| entry.since), Some(since));
    enact(enable("G01")).await.expect("enabled");
    two.follow().await;
    assert!(!directory.is_disabled(&org("G01")));
    let facts = two
        .hub
        .store()
        .facts_of(&org("G22"), "directory-entry/member/G01")
        .await;
    let facts: Vec<String> = facts
        .expect("read")
        .iter()
        .map(|record| serde_json::to_value(&record.fact).expect("json")["change"].to_string())
        .collect();
    assert_eq!(facts, ["\"disable-member\"", "\"enable-member\""]);
    enact(disable("G01", "Lộ khóa")).await.expect("disabled again");
    enact(Change::Leave { org: org("G01") }).await.expect("left");
    two.follow().await;
    assert!(two.held().disabled.is_empty());
}

#[tokio::test]
async fn what_a_file_asks_for_is_asked_once_each_on_top_of_the_one_before() {
    let two = Two::new().await;
    let (of, system) = of_system("desk");
    let offer = Change::OfferServices {
        org: of,
        system,
        services: vec![change::ToldService {
            code: "a".to_owned(),
            title: "Một".to_owned(),
        }],
    };
    let changes = vec![register("desk"), offer.clone()];
    let would_take = |changes: &[Change], decides| {
        let mut next = (*two.held()).clone();
        two.owner.would_take(&mut next, changes, decides)
    };
    would_take(&changes, false).expect("ours");
    assert!(two.owner.said_of(&offer).await.expect("read").is_none());
    two.owner.ask_all(changes, &operator()).await.expect("asked");
    let said = async || {
        two.owner
            .said_of(&offer)
            .await
            .expect("read")
            .map(|one| one.state)
    };
    assert_eq!(said().await, Some(State::Asked));
    two.carry().await;
    let waiting = two
        .hub
        .list(Side::Hub, (Some(State::Asked), None), None, 10)
        .await;
    let waiting = waiting.expect("read");
    assert_eq!(waiting.len(), 2);
    for one in &waiting {
        let (request, by) = (&one.request, operator());
        if one.change == offer {
            two.hub.decline(request, "để sau", &by).await.expect("declined");
        } else {
            two.hub.approve(request, &by).await.expect("approved");
        }
    }
    two.carry().await;
    assert_eq!(said().await, Some(State::Declined));
    two.follow().await;
    assert_eq!(
        refused(would_take(&[Change::Leave { org: org("G22") }], false)),
        "directory-hub-only"
    );
    assert_eq!(
        refused(would_take(std::slice::from_ref(&offer), true)),
        "not-found",
        "no hub is here"
    );
}
