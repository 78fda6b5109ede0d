//! The fixture: a hub, a node `national` (G22) and a node `ministry` (G01, G15), each with its own
//! store, clock, keys and peer listener, and a service that counts. Never shared between tests.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use directory::keyring::Keyring;
use directory::snapshot::{MemberEntry, NodeEntry, Revoked, Snapshot};
use exchange::agreement::{Agreement, SignedAgreement};
use exchange::{Ask, Heard, SystemId};
use kernel::limits::Limits;
use kernel::{OrgCode, Problem};
use seal::authority::{Authority, Profile};
use seal::certificate::Certificate;
use seal::key::Identity;
use testkit::START;

use crate::counting::Counting;
use crate::node::{Node, issue, node_identity};

pub(crate) const LOOKUP: &str = "G01/population/person-lookup";
pub(crate) const PORTAL: &str = "G22/portal";
/// Two nodes that know each other.
pub(crate) struct Nation {
    pub(crate) ca: Authority,
    pub(crate) hub: Identity,
    pub(crate) snapshot: Snapshot,
    pub(crate) national: Node,
    pub(crate) ministry: Node,
    pub(crate) service: Arc<Counting>,
}

impl Nation {
    /// The nation with an agreement in force for the portal to ask the population register.
    pub(crate) async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let nation = Self::without_agreement(limits).await;
        nation.agree(nation.agreement()).await;
        nation
    }

    pub(crate) async fn without_agreement(limits: Limits) -> Self {
        Self::of(limits.clone(), limits).await
    }

    /// Without an agreement, with the limits of the national node and those of the ministry's.
    pub(crate) async fn of(nationals: Limits, ministrys: Limits) -> Self {
        let ca = testkit::authority();
        let hub = issue(&ca, Profile::OrganisationSeal, "G22", 1);
        let keys = |seals: &[(&str, Identity)], serial| Keyring {
            node: node_identity(&ca, serial),
            seals: seals
                .iter()
                .map(|(org, seal)| (org.parse().expect("a code"), seal.clone()))
                .collect(),
            signers: Default::default(),
        };
        let national = keys(&[("G22", hub.clone())], 2);
        let ministry = keys(
            &[
                ("G01", issue(&ca, Profile::OrganisationSeal, "G01", 3)),
                ("G15", issue(&ca, Profile::OrganisationSeal, "G15", 4)),
            ],
            5,
        );
        let mut snapshot = Snapshot::empty("G22".parse().expect("a code"));
        snapshot.anchors = vec![ca.certificate().pem()];
        for (node, keyring) in [("national", &national), ("ministry", &ministry)] {
            for (org, seal) in &keyring.seals {
                snapshot.members.push(MemberEntry {
                    org: org.clone(),
                    name: org.to_string(),
                    node: node.to_owned(),
                    certificate_pem: seal.chain_pem(),
                });
            }
        }
        let (national, ministry) = (
            Node::open("national", national, &hub, nationals, &ca).await,
            Node::open("ministry", ministry, &hub, ministrys, &ca).await,
        );
        for node in [&national, &ministry] {
            snapshot.nodes.push(NodeEntry {
                id: node.id.to_owned(),
                peer: node.peer.clone(),
                certificate: node.keyring.node.certificate.thumbprint(),
            });
        }
        let service = Arc::new(Counting::default());
        ministry.exchange.provide(service.clone());
        let mut nation = Self {
            ca,
            hub,
            snapshot,
            national,
            ministry,
            service,
        };
        nation.publish(|_| ()).await;
        nation
    }

    /// Signs the next snapshot, and both nodes adopt it.
    pub(crate) async fn publish(&mut self, change: impl FnOnce(&mut Snapshot)) {
        let token = self.sign_next(change);
        for node in [&self.national, &self.ministry] {
            node.directory.adopt(&token).await.expect("adopted");
        }
    }

    pub(crate) fn sign_next(&mut self, change: impl FnOnce(&mut Snapshot)) -> String {
        change(&mut self.snapshot);
        self.snapshot.serial += 1;
        self.snapshot.issued = START;
        self.snapshot.sign(&self.hub).expect("signed")
    }

    /// The agreement of the tests, not signed yet.
    pub(crate) fn agreement(&self) -> Agreement {
        let text = |what: &str| format!("{what} (mẫu thử)");
        Agreement {
            id: "01/2026/TT-CSDL".to_owned(),
            provider: "G01".parse().expect("a code"),
            consumer: PORTAL.parse().expect("an id"),
            service: LOOKUP.parse().expect("an id"),
            fields: vec!["full_name".to_owned(), "asked".to_owned()],
            endpoints: Vec::new(),
            purpose: text("mục đích"),
            legal_basis: text("căn cứ"),
            place: text("nơi"),
            valid_from: START.plus_ms(-1_000),
            valid_to: START.plus_ms(86_400_000),
            sharing_method: text("phương thức"),
            handling: text("xử lý"),
            conditions: text("điều kiện"),
            rate_per_minute: 1_000_000,
            quota: exchange::Quota::default(),
            commitments: text("cam kết"),
            protection: text("bảo vệ"),
            storage: text("lưu trữ"),
            deletion: text("xóa"),
            other: String::new(),
            bodies: None,
            retention_days: None,
            sub_processing: None,
            group: None,
        }
    }

    pub(crate) fn signed(&self, agreement: Agreement) -> SignedAgreement {
        let key = |org: &OrgCode| {
            let seals = self
                .national
                .keyring
                .seals
                .iter()
                .chain(&self.ministry.keyring.seals);
            &seals.clone().find(|(o, _)| *o == org).expect("a member").1.key
        };
        SignedAgreement {
            provider_acceptance: agreement.accept(&agreement.provider, START, key(&agreement.provider)),
            consumer_acceptance: agreement.accept(
                &agreement.consumer.org,
                START,
                key(&agreement.consumer.org),
            ),
            agreement,
        }
    }

    /// Both nodes take the agreement over.
    pub(crate) async fn agree(&self, agreement: Agreement) {
        let signed = self.signed(agreement);
        for node in [&self.national, &self.ministry] {
            node.exchange
                .agreements()
                .adopt(signed.clone())
                .await
                .expect("adopted");
        }
    }

    pub(crate) async fn ask(&self, body: &str) -> Result<Heard, Problem> {
        self.national.exchange.ask(asking(body)).await
    }

    /// The code of a refusal.
    pub(crate) async fn refused(&self, body: &str) -> &'static str {
        self.ask(body).await.expect_err("refused").code
    }

    /// Time passes at both nodes.
    pub(crate) fn advance_ms(&self, ms: i64) {
        for node in [&self.national, &self.ministry] {
            node.temp.clock.advance_ms(ms);
        }
    }

    pub(crate) fn effects(&self) -> usize {
        self.service.effects.load(Ordering::SeqCst)
    }

    pub(crate) fn revoked(certificate: &Certificate) -> Revoked {
        Revoked {
            thumbprint: certificate.thumbprint(),
            at: START,
            reason: "mất khóa".to_owned(),
            source: None,
        }
    }

    /// The ministry's node stops and starts again, at another port.
    pub(crate) async fn restart_ministry(&mut self) {
        let peer = self.ministry.restart(&self.hub, &self.ca).await;
        self.ministry.exchange.provide(self.service.clone());
        self.publish(|s| s.nodes[1].peer = peer).await;
    }
}

pub(crate) fn asking(body: &str) -> Ask {
    Ask {
        consumer: PORTAL.parse().expect("an id"),
        service: LOOKUP.parse().expect("an id"),
        body: Bytes::copy_from_slice(body.as_bytes()),
        on_behalf: "citizen:a1".to_owned(),
        issue: Some("G22-261121-0001".to_owned()),
        idempotency: None,
    }
}

pub(crate) fn system(text: &str) -> SystemId {
    text.parse().expect("a system")
}
