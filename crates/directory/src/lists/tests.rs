//! Authorities that revoke, that are away and that give what nobody should take, asked over real HTTP.

use kernel::limits::Limits;
use seal::authority::{Authority, Profile};
use testkit::{Gives, ListAddress, START, TempStore};

use super::*;
use crate::authorities::Use;
use crate::registration::Enacted;
use crate::registration::change::Change;
use crate::snapshot::tests::{Nation, issue};

const HOUR_MS: i64 = 3_600_000;

fn at(hours: i64) -> Time {
    START.plus_ms(hours * HOUR_MS)
}

/// A hub of a nation whose root has an address of lists.
struct Place {
    temp: TempStore,
    nation: Nation,
    hub: Hub,
    address: ListAddress,
}

impl Place {
    async fn new() -> Self {
        Self::within(Limits::default().directory_list_ms_max).await
    }

    /// With so many milliseconds for an authority to give its list.
    async fn within(directory_list_ms_max: u64) -> Self {
        let limits = Limits {
            directory_list_bytes_max: 64 * 1024,
            directory_list_ms_max,
            ..Limits::default()
        };
        let temp = testkit::store_with(&[crate::MIGRATIONS], limits).await;
        let nation = Nation::new();
        let hub = crate::hub::tests::hub(&temp, &nation).await;
        let mut snapshot = nation.snapshot(0);
        snapshot.note_issued(&nation.node.certificate, &nation.node.chain);
        hub.publish(&snapshot).await.expect("published");
        let address = ListAddress::giving(Gives::Status(404)).await;
        let place = Self {
            temp,
            nation,
            hub,
            address,
        };
        place
            .describe(&place.root(), &[], &place.address.url)
            .await
            .expect("described");
        place
    }

    fn root(&self) -> Digest {
        self.nation.ca.certificate().thumbprint()
    }

    async fn enact(&self, change: Change) -> Result<u64, Problem> {
        // As the hub's operator does: it is made again on whatever is published from files later.
        let with = |serial| {
            let change = change.clone();
            let enacted = Enacted {
                change,
                serial,
                answers: None,
            };
            Ok(crate::hub::Also::Change(Box::new(enacted)))
        };
        self.hub.enact(&Actor::Platform, &change, with).await
    }

    async fn describe(&self, thumbprint: &Digest, uses: &[Use], crl: &str) -> Result<u64, Problem> {
        let change = Change::DescribeAuthority {
            thumbprint: *thumbprint,
            uses: uses.to_vec(),
            crl: crl.to_owned(),
            ocsp: String::new(),
            note: "miễn phí".to_owned(),
        };
        self.enact(change).await
    }

    /// A list of the root, made at an hour, good for two days.
    fn list(&self, revoked: &[&Certificate], hour: i64) -> Vec<u8> {
        list_of(&self.nation.ca, revoked, hour)
    }

    /// What the hub says after the next look, and why nothing was taken up.
    async fn read(&self) -> (Arc<Snapshot>, Option<&'static str>) {
        self.hub.read_lists().await.expect("a look");
        let asked = self.hub.directory().asked(&self.root()).expect("asked");
        let failure = asked.failure.map(ListFailure::as_str);
        (self.hub.directory().snapshot(), failure)
    }

    fn node_let_in(&self) -> Result<String, String> {
        let node = self.nation.node.certificate.der();
        self.hub.directory().node_certificate_ok(node)
    }
}

fn list_of(by: &Authority, revoked: &[&Certificate], hour: i64) -> Vec<u8> {
    let listed: Vec<_> = revoked.iter().map(|c| (*c, at(-1), "keyCompromise")).collect();
    let number = u64::try_from(hour + 100).expect("positive");
    by.revocation_list(&listed, (at(hour), at(hour + 48)), number)
        .expect("a list")
}

#[tokio::test]
async fn what_a_ca_revokes_is_refused_after_the_next_look_with_reason_and_source() {
    let place = Place::new().await;
    let (seal, node) = (&place.nation.member.certificate, &place.nation.node.certificate);
    place.address.gives(Gives::Bytes(place.list(&[], 0)));
    let (said, failure) = place.read().await;
    assert_eq!((said.revoked.len(), failure), (0, None));
    let list = said.authorities[0].list.clone().expect("read");
    assert_eq!(
        (list.this_update, list.next_update, list.listed),
        (at(0), at(48), 0)
    );
    assert!(place.node_let_in().is_ok());
    place.address.gives(Gives::Bytes(place.list(&[seal, node], 0)));
    let serial = said.serial;
    let (said, _) = place.read().await;
    assert_eq!((said.serial, said.revoked.len()), (serial + 1, 2));
    let one = said
        .revoked
        .iter()
        .find(|r| r.thumbprint == seal.thumbprint())
        .expect("revoked");
    assert_eq!((one.at, one.reason.as_str()), (at(-1), "keyCompromise"));
    assert_eq!(one.source.as_deref(), Some(place.address.url.as_str()));
    assert_eq!(place.node_let_in(), Err("node-revoked".to_owned()));
    let org = "G01".parse().expect("a code");
    assert!(place.hub.directory().seal_certificate(&org).is_none());
    let tenant = "G22".parse().expect("a code");
    let subject = format!("certificate/{}", seal.thumbprint());
    let facts = place.temp.store.facts_of(&tenant, &subject).await.expect("read");
    assert_eq!(facts.len(), 1);
    // Nothing new is published when nothing is new, and what was revoked stays so when it leaves the list.
    let (again, _) = place.read().await;
    assert_eq!(again.serial, said.serial);
    place.address.gives(Gives::Bytes(place.list(&[], 1)));
    place.temp.clock.advance_ms(HOUR_MS);
    assert_eq!(place.read().await.0.revoked.len(), 2);
}

#[tokio::test]
async fn what_no_authority_should_give_is_refused_with_its_reason_and_the_last_good_list_counts() {
    // Two of them take all of it.
    let place = Place::within(2_000).await;
    place.temp.clock.advance_ms(10 * HOUR_MS);
    let seal = &place.nation.member.certificate;
    place.address.gives(Gives::Bytes(place.list(&[seal], 8)));
    let (good, failure) = place.read().await;
    assert_eq!((good.revoked.len(), failure), (1, None));
    let namesake = Authority::new("Trial root", START).expect("an authority");
    let other = Authority::new("Khác", START).expect("an authority");
    let mut bent = place.list(&[], 9);
    let last = bent.len() - 1;
    bent[last] ^= 1;
    for (gives, why) in [
        (Gives::Bytes(list_of(&namesake, &[], 9)), "signature"),
        (Gives::Bytes(bent), "signature"),
        (Gives::Bytes(list_of(&other, &[], 9)), "issuer"),
        (Gives::Bytes(place.list(&[], -48)), "overdue"),
        (Gives::Bytes(place.list(&[], 7)), "older"),
        (Gives::Bytes(place.list(&[], 30)), "early"),
        (Gives::Bytes(b"garbage".to_vec()), "unreadable"),
        (Gives::Bytes(vec![0x30; 65 * 1024]), "large"),
        (Gives::Floods, "large"),
        (Gives::Drips, "slow"),
        (Gives::Silence, "slow"),
        (Gives::HangsUp, "unreachable"),
        (Gives::Status(503), "refused"),
        (Gives::Status(302), "refused"),
    ] {
        let told = format!("{gives:?}").chars().take(40).collect::<String>();
        place.address.gives(gives);
        let (said, failure) = place.read().await;
        assert_eq!(failure, Some(why), "{told}");
        assert!(said.says_the_same(&good), "{told}");
    }
    place.address.gives(Gives::Bytes(place.list(&[], 9)));
    let (said, failure) = place.read().await;
    assert_eq!(
        (
            said.authorities[0].list.as_ref().expect("read").this_update,
            failure
        ),
        (at(9), None)
    );
}

#[tokio::test]
async fn an_authority_that_is_away_stops_nothing_and_its_list_is_overdue_when_it_promised_a_newer_one() {
    let mut place = Place::new().await;
    let coming = issue(&place.nation.ca, Profile::OrganisationSeal, "G01", 9);
    place
        .address
        .gives(Gives::Bytes(place.list(&[&coming.certificate], 0)));
    place.read().await;
    place.address.gives(Gives::HangsUp);
    place.temp.clock.advance_ms(47 * HOUR_MS);
    let (said, failure) = place.read().await;
    assert_eq!(
        (said.authorities[0].state(at(47)), failure),
        (ListState::Good, Some("unreachable"))
    );
    place.temp.clock.advance_ms(2 * HOUR_MS);
    let (said, _) = place.read().await;
    assert_eq!(said.authorities[0].state(at(49)), ListState::Overdue);
    assert!(place.node_let_in().is_ok(), "who was good is good still");
    // The hub starts again while the authority is away: what counts was kept, and a seal that comes only now
    // is found on it.
    place.hub = crate::hub::tests::hub(&place.temp, &place.nation).await;
    place
        .hub
        .publish(&place.nation.snapshot(0))
        .await
        .expect("published");
    let (said, _) = place.read().await;
    let list = said.authorities[0].list.as_ref().expect("kept");
    assert_eq!((list.this_update, said.revoked.len()), (at(0), 0));
    let change = Change::CertifySeal {
        org: "G01".parse().expect("a code"),
        certificate: coming.chain_pem(),
    };
    place.enact(change).await.expect("certified");
    let (said, failure) = place.read().await;
    let found: Vec<_> = said.revoked.iter().map(|r| r.thumbprint).collect();
    assert_eq!(
        (found, failure),
        (vec![coming.certificate.thumbprint()], Some("unreachable"))
    );
}

#[tokio::test]
async fn the_hubs_own_seal_is_not_its_own_to_revoke() {
    let place = Place::new().await;
    let own = &place.nation.hub.certificate;
    place.address.gives(Gives::Bytes(place.list(&[own], 0)));
    let (said, failure) = place.read().await;
    assert_eq!((said.revoked.len(), failure), (0, None));
    assert_eq!(said.authorities[0].list.as_ref().expect("read").listed, 1);
}

#[tokio::test]
async fn below_an_authority_that_is_revoked_itself_nothing_is_good() {
    let place = Place::new().await;
    let middle = place.nation.ca.below("Giữa", START).expect("an authority");
    let change = Change::NameIssuer {
        certificate: middle.certificate().pem(),
    };
    place.enact(change).await.expect("named");
    let seal = issue(&middle, Profile::OrganisationSeal, "G01", 9);
    let change = Change::CertifySeal {
        org: "G01".parse().expect("a code"),
        certificate: seal.chain_pem(),
    };
    place.enact(change).await.expect("certified");
    // Its own list first: one address of its own.
    let own = ListAddress::giving(Gives::Bytes(list_of(&middle, &[], 0))).await;
    place
        .describe(&middle.certificate().thumbprint(), &[Use::Seal], &own.url)
        .await
        .expect("described");
    place.address.gives(Gives::Bytes(place.list(&[], 0)));
    let (said, _) = place.read().await;
    assert_eq!(
        (
            said.revoked.len(),
            said.authorities.iter().filter(|a| a.list.is_some()).count()
        ),
        (0, 2)
    );
    place
        .address
        .gives(Gives::Bytes(place.list(&[&middle.certificate()], 0)));
    let (said, _) = place.read().await;
    let reason = |c: &Certificate| {
        let found = said.revoked.iter().find(|r| r.thumbprint == c.thumbprint());
        found.map(|r| r.reason.clone())
    };
    assert_eq!(reason(&middle.certificate()).as_deref(), Some("keyCompromise"));
    assert_eq!(
        reason(&seal.certificate).as_deref(),
        Some("issuer: keyCompromise")
    );
    assert_eq!(
        reason(&place.nation.member.certificate),
        None,
        "under the root itself"
    );
}

#[tokio::test]
async fn an_authority_is_described_by_the_hub_within_its_bounds() {
    let place = Place::new().await;
    let code = |answer: Result<u64, Problem>| answer.expect_err("refused").code;
    let root = place.root();
    let nobody = Digest::of(b"nobody");
    assert_eq!(code(place.describe(&nobody, &[], "").await), "directory-no-entry");
    assert_eq!(
        code(place.describe(&root, &[], "ldap://x").await),
        "directory-url"
    );
    assert_eq!(
        code(place.describe(&root, &[], &place.address.url).await),
        "directory-there"
    );
    // Members' seals rest on it: it cannot be for timestamps alone.
    assert_eq!(
        code(place.describe(&root, &[Use::Timestamp], "").await),
        "directory-needed"
    );
    place
        .describe(&root, &[Use::Seal, Use::Seal], "")
        .await
        .expect("described");
    let said = place.hub.directory().snapshot();
    assert_eq!(
        (said.authorities[0].uses.as_slice(), &said.authorities[0].crl),
        (&[Use::Seal][..], &None)
    );
    // A node's certificate under a root that is for seals is refused.
    let names = vec!["localhost".to_owned()];
    let change = Change::CertifyNode {
        node: "ministry".to_owned(),
        certificate: issue(&place.nation.ca, Profile::Node { names }, "G01", 8).chain_pem(),
    };
    assert_eq!(code(place.enact(change).await), "directory-certificate");
    let stranger = Authority::new("Khác", START).expect("an authority");
    for pem in [
        stranger.certificate().pem(),
        place.nation.member.certificate.pem(),
    ] {
        let change = Change::NameIssuer { certificate: pem };
        assert_eq!(code(place.enact(change).await), "directory-certificate");
    }
    let change = Change::WithdrawIssuer { thumbprint: root };
    assert_eq!(code(place.enact(change).await), "directory-no-entry");
}
