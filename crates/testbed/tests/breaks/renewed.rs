//! Certificates that were renewed: what was sealed and signed by the former ones still verifies, and a
//! certificate of nowhere, of another organisation or out of its term does not pass for one.

use std::fs;
use std::path::{Path, PathBuf};

use directory::keyring::Keyring;
use directory::snapshot::{self, Snapshot};
use exchange::STREAM;
use exchange::envelope;
use kernel::{OrgCode, World};
use seal::authority::{Authority, Profile, Subject};
use seal::certificate::Certificate;
use seal::jws;
use seal::key::Identity;
use seal::verdict::{Indication, Verdict};
use sen::up::nation::Place;
use sen::up::prepare::{Layout, prepare};
use store::{Blobs, Store};
use testbed::ground;

use crate::records::{open, record};

const DAY_MS: i64 = 86_400_000;

/// The national node of a prepared folder, and all that its certificates come from.
pub(crate) struct House {
    pub(crate) data: PathBuf,
    world: World,
    authority: Authority,
    ring: Keyring,
    hub: Identity,
    /// The seal of the ministry G01, which the other node has.
    pub(crate) other: Identity,
    pub(crate) store: Store,
    records: u64,
}

fn org(code: &str) -> OrgCode {
    code.parse().expect("a code")
}

impl House {
    pub(crate) async fn new(folder: &Path, world: &World) -> Self {
        let data = folder.join("data");
        prepare(&data, &sen::config::Config::default().pack, 30_080, world).expect("prepared");
        let layout = Layout::of(&data);
        let text = |name: &str| fs::read_to_string(data.join(name)).expect("a file");
        let authority = Authority::from_pem(&text("ca.key"), &text("ca.pem")).expect("an authority");
        let keys = |place| Keyring::read_folder(&layout.node(place).join("keys")).expect("keys");
        let (ring, ministry) = (keys(Place::National), keys(Place::Ministry));
        let store = open(&layout.node(Place::National), world).await;
        Self {
            hub: ring.seals[&org("G22")].clone(),
            other: ministry.seals[&org("G01")].clone(),
            world: world.clone(),
            records: 0,
            authority,
            store,
            ring,
            data,
        }
    }

    pub(crate) fn node(&self) -> PathBuf {
        Layout::of(&self.data).node(Place::National)
    }

    fn issue(
        &self,
        profile: Profile,
        name: &str,
        organisation: Option<&str>,
        from_days: i64,
        days: i64,
    ) -> Identity {
        let subject = Subject {
            common_name: name.to_owned(),
            organisation: organisation.map(str::to_owned),
            position: None,
        };
        let from = self.world.now().plus_ms(from_days * DAY_MS);
        let issued = self
            .authority
            .issue(profile, &subject, from, days, self.world.random());
        issued.expect("issued")
    }

    /// One exchange goes into the log, its answer sealed by `seal`, and a checkpoint over it.
    pub(crate) async fn exchange(&mut self, seal: &Identity) {
        for identity in [&self.hub, seal, &self.ring.node] {
            let kept = self.store.blobs().put(identity.certificate.der()).await;
            kept.expect("kept");
        }
        let evidence = record(self.records, &self.hub, seal, self.world.now());
        let log = self.store.log(STREAM).await.expect("a log");
        log.append(vec![envelope::write(&evidence)])
            .await
            .expect("appended");
        self.records += 1;
        let name = jws::thumbprint_text(&self.ring.node.certificate);
        let signed = self.store.checkpoint(STREAM, &self.ring.node.key, &name).await;
        signed.expect("a checkpoint");
    }

    /// The hub publishes another certificate of G01.
    fn publish(&self, change: impl FnOnce(&mut Snapshot)) {
        let file = self.node().join("directory.jws");
        let token = fs::read_to_string(&file).expect("a directory");
        let mut snapshot = snapshot::read(&token, &self.hub.certificate).expect("sound");
        change(&mut snapshot);
        snapshot.serial += 1;
        snapshot.issued = self.world.now();
        fs::write(file, snapshot.sign(&self.hub).expect("signed")).expect("written");
    }

    fn renew_other(&mut self) {
        self.other = self.issue(Profile::OrganisationSeal, "Bộ (mẫu)", Some("G01"), -1, 100);
        let pem = self.other.certificate.pem();
        self.publish(|s| {
            let member = s.members.iter_mut().find(|m| m.org == org("G01"));
            member.expect("a member").certificate_pem = pem;
        });
    }

    fn renew_node(&mut self) {
        let names = vec!["localhost".to_owned()];
        self.ring.node = self.issue(Profile::Node { names }, "national", None, -1, 100);
        self.ring
            .write_folder(&self.node().join("keys"))
            .expect("written");
    }

    async fn verdict(&self) -> Verdict {
        let trust = self.data.join("ca.pem");
        let verdict = sen::verify::verify(&self.data, Some(&trust), &self.world).await;
        verdict.expect("a verdict")
    }

    fn forget(&self, certificate: &Certificate) -> PathBuf {
        let hex = certificate.thumbprint().hex();
        let file = self.node().join("blobs").join(&hex[..2]).join(&hex[2..]);
        fs::remove_file(&file).expect("taken away");
        assert!(Blobs::look(&self.node().join("blobs"), &certificate.thumbprint()).is_none());
        file
    }
}

#[test]
fn evidence_from_before_a_renewal_passes_by_the_certificates_of_its_time() {
    ground::run(async {
        let world = World::of_this_machine();
        let folder = ground::folder("renewed", &world).expect("a folder");
        let mut house = House::new(&folder, &world).await;
        let first = house.other.clone();
        house.exchange(&first).await;
        assert!(house.verdict().await.is_passed(), "before");
        house.renew_other();
        house.renew_node();
        let second = house.other.clone();
        house.exchange(&second).await;
        let verdict = house.verdict().await;
        assert!(verdict.is_passed(), "after: {verdict:?}");
        // Revoked since: it was good when it was used.
        let thumbprint = first.certificate.thumbprint();
        let revoked = |ms: i64| {
            let at = world.now().plus_ms(ms);
            house.publish(|s| {
                s.revoked = vec![snapshot::Revoked {
                    thumbprint,
                    at,
                    reason: "thử".to_owned(),
                    source: None,
                }];
            });
        };
        revoked(1);
        assert!(house.verdict().await.is_passed());
        revoked(-DAY_MS);
        let verdict = house.verdict().await;
        assert_eq!(
            (verdict.indication, verdict.reason.as_str()),
            (Indication::Indeterminate, "REVOKED_NO_POE")
        );
        assert!(
            verdict
                .first_bad
                .is_some_and(|bad| bad.ends_with("evidence-0 record 0"))
        );
        // Without the certificate nothing speaks for the seal.
        let file = house.forget(&first.certificate);
        let verdict = house.verdict().await;
        assert_eq!(verdict.indication, Indication::TotalFailed);
        assert!(
            verdict
                .first_bad
                .is_some_and(|bad| bad.ends_with("evidence-0 record 0"))
        );
        fs::write(&file, b"another").expect("written");
        assert_eq!(house.verdict().await.indication, Indication::TotalFailed);
        house.store.close().await;
        fs::remove_dir_all(&folder).ok();
    });
}

#[test]
fn a_kept_certificate_passes_only_for_its_organisation_within_its_term_and_by_its_root() {
    ground::run(async {
        let world = World::of_this_machine();
        let folder = ground::folder("kept", &world).expect("a folder");
        let strangers = Authority::new("Sen Development CA", world.now().plus_ms(-DAY_MS)).expect("a root");
        let subject = Subject {
            common_name: "Bộ (mẫu)".to_owned(),
            organisation: Some("G01".to_owned()),
            position: None,
        };
        let stranger = strangers.issue(
            Profile::OrganisationSeal,
            &subject,
            world.now().plus_ms(-DAY_MS),
            9,
            [7; 16],
        );
        let stranger = stranger.expect("issued");
        for (what, wanted, reason) in [
            ("expired", Indication::Indeterminate, "OUT_OF_BOUNDS_NO_POE"),
            (
                "stranger",
                Indication::Indeterminate,
                "NO_CERTIFICATE_CHAIN_FOUND",
            ),
            ("node", Indication::Indeterminate, "CHAIN_CONSTRAINTS_FAILURE"),
            (
                "another organisation",
                Indication::TotalFailed,
                "a message of G01 is sealed by another organisation",
            ),
        ] {
            let mut house = House::new(&folder.join(what), &world).await;
            let seal = match what {
                "expired" => house.issue(Profile::OrganisationSeal, "Bộ (mẫu)", Some("G01"), -9, 1),
                "stranger" => stranger.clone(),
                "node" => {
                    let names = vec!["localhost".to_owned()];
                    house.issue(Profile::Node { names }, "national", Some("G01"), -1, 9)
                }
                _ => house.issue(Profile::OrganisationSeal, "Bộ (mẫu)", Some("G15"), -1, 9),
            };
            house.exchange(&seal).await;
            let verdict = house.verdict().await;
            assert_eq!(
                (verdict.indication, verdict.reason.as_str()),
                (wanted, reason),
                "{what}"
            );
            let named = verdict.first_bad.unwrap_or_default();
            assert!(named.ends_with("evidence-0 record 0"), "{what}: {named}");
            house.store.close().await;
        }
        fs::remove_dir_all(&folder).ok();
    });
}

#[test]
fn a_checkpoint_by_another_node_or_a_forged_one_does_not_pass() {
    ground::run(async {
        let world = World::of_this_machine();
        let folder = ground::folder("signers", &world).expect("a folder");
        for (what, name, wanted) in [
            ("neighbour", "ministry", Indication::Indeterminate),
            ("itself", "national", Indication::TotalPassed),
        ] {
            let mut house = House::new(&folder.join(what), &world).await;
            let seal = house.other.clone();
            let names = vec!["localhost".to_owned()];
            let own = house.ring.node.clone();
            house.ring.node = house.issue(Profile::Node { names }, name, None, -1, 9);
            house.exchange(&seal).await;
            let former = std::mem::replace(&mut house.ring.node, own);
            let verdict = house.verdict().await;
            assert_eq!(verdict.indication, wanted, "{what}: {verdict:?}");
            // Signed by one key and naming the certificate of another.
            let name = jws::thumbprint_text(&former.certificate);
            let forged = house.store.checkpoint(STREAM, &house.ring.node.key, &name).await;
            forged.expect("a checkpoint");
            let verdict = house.verdict().await;
            assert_eq!(verdict.indication, Indication::TotalFailed, "{what}");
            let named = verdict.first_bad.unwrap_or_default();
            assert!(named.ends_with("checkpoints.jws line 2"), "{named}");
            house.store.close().await;
        }
        fs::remove_dir_all(&folder).ok();
    });
}
