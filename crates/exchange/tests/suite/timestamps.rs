//! Timestamps off the hot path, and the container an auditor takes away: checked by our own reader
//! and by two judges not ours.

use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use directory::snapshot::TimestampEntry;
use exchange::STREAM;
use exchange::evidence::{Beside, Search};
use exchange::export::Which;
use kernel::Time;
use kernel::limits::Limits;
use seal::authority::Profile;
use seal::key::Identity;
use testkit::START;
use tokio::sync::watch;

use crate::nation::Nation;
use crate::node::issue;

const UP: u8 = 0;
const DOWN: u8 = 1;
const NOISE: u8 = 2;

/// A timestamp authority that can be turned off.
pub(crate) struct Authority {
    state: Arc<AtomicU8>,
    asked: Arc<AtomicU64>,
    now: Arc<AtomicI64>,
    _stop: watch::Sender<bool>,
}

impl Authority {
    /// It is down from now on.
    pub(crate) fn stop(&self) {
        self.state.store(DOWN, Ordering::SeqCst);
    }

    /// It is up again, and it is that time by its clock.
    pub(crate) fn go_on(&self, now: Time) {
        self.now.store(now.ms(), Ordering::SeqCst);
        self.state.store(UP, Ordering::SeqCst);
    }
}

pub(crate) async fn authority(nation: &mut Nation) -> Authority {
    let identity = issue(&nation.ca, Profile::TimestampAuthority, "TSA", 9);
    let (authority, entry) = serve(identity).await;
    nation.publish(|s| s.timestamp_authorities.push(entry)).await;
    authority
}

/// An authority that stamps with a certificate, and how a directory lists it.
pub(crate) async fn serve(identity: Identity) -> (Authority, TimestampEntry) {
    let (state, asked) = (Arc::new(AtomicU8::new(UP)), Arc::new(AtomicU64::new(0)));
    let now = Arc::new(AtomicI64::new(START.ms()));
    let (say, count, key) = (Arc::clone(&state), Arc::clone(&asked), identity.clone());
    let clock = Arc::clone(&now);
    let take = move |body: Bytes| {
        let serial = count.fetch_add(1, Ordering::SeqCst) + 1;
        let reply = match say.load(Ordering::SeqCst) {
            UP => (
                StatusCode::OK,
                seal::timestamp::respond(&body, &key, Time(clock.load(Ordering::SeqCst)), serial),
            ),
            NOISE => (StatusCode::OK, b"no token".to_vec()),
            _ => (StatusCode::SERVICE_UNAVAILABLE, Vec::new()),
        };
        async move { reply }
    };
    let listener = web::Listener::bind("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("a port");
    let url = format!("http://{}/", listener.local_addr());
    let (stop, shutdown) = watch::channel(false);
    let router = Router::new().route("/", post(take));
    tokio::spawn(async move { web::serve(listener, None, router, &Limits::default(), shutdown).await });
    let certificate_pem = identity.certificate.pem();
    let authority = Authority {
        state,
        asked,
        now,
        _stop: stop,
    };
    (authority, TimestampEntry { url, certificate_pem })
}

fn checkpoints(nation: &Nation, stream: &str) -> Vec<u64> {
    let dir = nation.national.temp.config.folder.join("logs").join(stream);
    let all = store::log::checkpoint::read(&dir);
    all.iter().map(|c| c.size).collect()
}

#[tokio::test]
async fn of_two_authorities_the_second_stamps_while_the_first_is_down_or_gives_no_good_token() {
    let mut nation = Nation::new().await;
    let (first, second) = (authority(&mut nation).await, authority(&mut nation).await);
    let x = nation.national.exchange.clone();
    let asked = || {
        (
            first.asked.swap(0, Ordering::SeqCst),
            second.asked.swap(0, Ordering::SeqCst),
        )
    };
    let stamp = async || {
        nation.ask("{}").await.expect("an answer");
        x.stamp_now().await
    };
    assert_eq!(stamp().await.expect("stamped"), 1);
    assert_eq!(asked(), (1, 0), "in the directory's order");
    for state in [DOWN, NOISE] {
        first.state.store(state, Ordering::SeqCst);
        assert_eq!(stamp().await.expect("by the second"), 1);
        assert_eq!(asked(), (1, 1), "the first was asked first");
        assert_eq!(stamp().await.expect("by the second"), 1);
        assert_eq!(asked(), (0, 1), "and not again at the next beat");
        first.state.store(UP, Ordering::SeqCst);
        nation.advance_ms(600_000);
        for tsa in [&first, &second] {
            tsa.now.fetch_add(600_000, Ordering::SeqCst);
        }
        assert_eq!(stamp().await.expect("by the first"), 1);
        assert_eq!(asked(), (1, 0), "ten minutes later it has its turn again");
    }
    // Who failed is still asked when nobody else gives a token.
    first.state.store(DOWN, Ordering::SeqCst);
    second.stop();
    let none = stamp().await.expect_err("nobody");
    assert_eq!((none.code, asked()), ("timestamp-unavailable", (1, 1)));
    first.state.store(UP, Ordering::SeqCst);
    assert_eq!(x.stamp_now().await.expect("the first is back"), 1);
    assert_eq!(asked().0, 1);
}

#[tokio::test]
async fn without_an_authority_the_exchange_goes_on_and_is_stamped_later() {
    let mut nation = Nation::new().await;
    let tsa = authority(&mut nation).await;
    let x = nation.national.exchange.clone();
    assert_eq!(x.stamp_now().await.expect("nothing to stamp"), 0);
    assert_eq!(tsa.asked.load(Ordering::SeqCst), 0);
    let first = nation.ask("{}").await.expect("an answer").request;
    for (state, n) in [(DOWN, 1), (NOISE, 2), (DOWN, 3)] {
        tsa.state.store(state, Ordering::SeqCst);
        let problem = x.stamp_now().await.expect_err("no token");
        assert_eq!(problem.code, "timestamp-unavailable");
        assert_eq!(tsa.asked.load(Ordering::SeqCst), n);
    }
    assert_eq!(
        checkpoints(&nation, STREAM),
        [1],
        "one checkpoint, however often it was tried"
    );
    assert!(checkpoints(&nation, "facts").is_empty());
    let second = nation.ask("{}").await.expect("amber, not red").request;
    x.fold_evidence().await.expect("folded");
    let trust = nation.national.directory.trust();
    let bare = x.container(&first, Which::Request).await.expect("a container");
    assert!(!has(&bare, "META-INF/timestamp.tst"));
    assert!(seal::asice::verify(&bare, &trust, nation.national.now()).is_passed());
    tsa.state.store(UP, Ordering::SeqCst);
    assert_eq!(x.stamp_now().await.expect("back-filled"), 2);
    assert_eq!(x.stamp_now().await.expect("all done"), 0);
    assert_eq!(checkpoints(&nation, STREAM), [1, 2]);
    assert_eq!(
        checkpoints(&nation, "facts").len(),
        1,
        "the facts are signed at the same beat"
    );
    for (request, which) in [(&first, Which::Request), (&second, Which::Answer)] {
        let stamped = x.container(request, which).await.expect("a container");
        assert!(has(&stamped, "META-INF/timestamp.tst"));
        let verdict = seal::asice::verify(&stamped, &trust, nation.national.now());
        assert!(verdict.is_passed(), "{verdict:?}");
    }
    // What comes afterwards is the next span's.
    nation.ask("{}").await.expect("an answer");
    let at_once = futures_util::future::join_all([x.stamp_now(), x.stamp_now()]).await;
    let stamped: usize = at_once.into_iter().map(|n| n.expect("stamped")).sum();
    assert_eq!(stamped, 1, "two at once do not stamp twice");
}

#[tokio::test]
async fn a_token_by_a_certificate_that_is_not_good_is_none_and_the_next_authority_is_asked() {
    const DAY_MS: i64 = 86_400_000;
    let strangers = seal::authority::Authority::new("Sen Test Root", START.plus_ms(-DAY_MS));
    let issued = |ca: &seal::authority::Authority, profile, from: i64| {
        let subject = seal::authority::Subject {
            common_name: "TSA".to_owned(),
            ..Default::default()
        };
        let identity = ca.issue(profile, &subject, START.plus_ms(from * DAY_MS), 8, [21; 16]);
        identity.expect("issued")
    };
    let strangers = strangers.expect("a root");
    for what in ["expired", "early", "root", "usage", "seal", "revoked"] {
        let mut nation = Nation::new().await;
        let stamps = Profile::TimestampAuthority;
        let names = vec!["127.0.0.1".to_owned()];
        let odd = match what {
            "expired" => issued(&nation.ca, stamps, -9),
            "early" => issued(&nation.ca, stamps, 1),
            "root" => issued(&strangers, stamps, -1),
            "usage" => issued(&nation.ca, Profile::Node { names }, -1),
            "seal" => issued(&nation.ca, Profile::OrganisationSeal, -1),
            _ => issued(&nation.ca, stamps, -1),
        };
        nation.ask("{}").await.expect("an answer");
        let revoked = Nation::revoked(&odd.certificate);
        let (first, entry) = serve(odd).await;
        let before = nation.snapshot.clone();
        let token = nation.sign_next(|s| {
            s.timestamp_authorities.push(entry);
            if what == "revoked" {
                s.revoked.push(revoked);
            }
        });
        if let Err(refused) = nation.national.directory.adopt(&token).await {
            assert_eq!(refused.code, "directory-unsound", "{what}");
            nation.snapshot = before;
        } else {
            let refused = nation.national.exchange.stamp_now().await;
            assert_eq!(refused.expect_err(what).code, "timestamp-unavailable", "{what}");
            assert_eq!(first.asked.load(Ordering::SeqCst), 1, "{what}");
        }
        let second = authority(&mut nation).await;
        let stamped = nation.national.exchange.stamp_now().await;
        assert_eq!(stamped.expect("stamped"), 1, "{what}");
        assert_eq!(second.asked.load(Ordering::SeqCst), 1, "{what}");
    }
}

#[tokio::test]
async fn the_light_is_amber_while_no_authority_answers_and_green_again_after() {
    let figures = crate::figures::figures();
    let mut nation = Nation::new().await;
    let tsa = authority(&mut nation).await;
    tsa.state.store(DOWN, Ordering::SeqCst);
    nation.ask("{}").await.expect("an answer");
    let (stop, shutdown) = watch::channel(false);
    let every = Duration::from_millis(5);
    let job = tokio::spawn(nation.national.exchange.clone().stamp_evidence(every, shutdown));
    let light = |amber| {
        tokio::time::timeout(Duration::from_secs(20), async move {
            while figures.amber() != amber {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
    };
    light(true).await.expect("amber");
    tsa.state.store(UP, Ordering::SeqCst);
    light(false).await.expect("green");
    stop.send_replace(true);
    job.await.expect("stops when told");
    assert_eq!(nation.national.exchange.stamp_now().await.expect("all done"), 0);
}

#[tokio::test]
async fn evidence_is_stamped_and_exported_after_its_certificate_was_renewed() {
    let mut nation = Nation::new().await;
    let tsa = authority(&mut nation).await;
    tsa.state.store(DOWN, Ordering::SeqCst);
    let request = nation.ask("{}").await.expect("an answer").request;
    let renewed = issue(&nation.ca, Profile::OrganisationSeal, "G01", 33);
    nation
        .publish(|s| {
            let member = s.members.iter_mut().find(|m| m.org.as_str() == "G01");
            member.expect("a member").certificate_pem = renewed.chain_pem();
        })
        .await;
    tsa.state.store(UP, Ordering::SeqCst);
    let trust = nation.national.directory.trust();
    for node in [&nation.national, &nation.ministry] {
        assert_eq!(node.exchange.stamp_now().await.expect("stamped"), 1);
        node.exchange.fold_evidence().await.expect("folded");
        let zip = node
            .exchange
            .container(&request, Which::Answer)
            .await
            .expect("a container");
        let verdict = seal::asice::verify(&zip, &trust, START);
        assert!(verdict.is_passed(), "{verdict:?}");
    }
}

#[tokio::test]
async fn the_directory_in_force_when_evidence_was_stamped_is_kept_as_the_hub_signed_it() {
    let mut nation = Nation::new().await;
    let _tsa = authority(&mut nation).await;
    let x = nation.national.exchange.clone();
    let mut said = Vec::new();
    for turn in 0..3 {
        nation.ask("{}").await.expect("an answer");
        // Signed anew with nothing else in it, then with a certificate of another member revoked.
        let revoked = Nation::revoked(&nation.ministry.seal("G15").certificate.clone());
        nation
            .publish(|s| {
                if turn == 2 {
                    s.revoked.push(revoked);
                }
            })
            .await;
        assert_eq!(x.stamp_now().await.expect("stamped"), 1);
        said.push(nation.snapshot.serial);
    }
    x.fold_evidence().await.expect("folded");
    let temp = &nation.national.temp;
    let tenants = ["G22".parse().expect("a code")];
    let beside = Beside::open(&temp.config.database, &temp.config.folder, &tenants).await;
    let beside = beside.expect("opened");
    let found = beside.search(&Search::default(), 10).await.expect("found");
    let mut kept = Vec::new();
    for exchange in found.exchanges.iter().rev() {
        let (digest, token) = beside
            .directory_of(exchange)
            .await
            .expect("reads")
            .expect("stamped");
        assert_eq!(kernel::Digest::of(&token), digest);
        let token = String::from_utf8(token).expect("text");
        let read = directory::snapshot::read(&token, &nation.hub.certificate).expect("the hub's");
        kept.push((read.serial, read.revoked.len()));
    }
    assert_eq!(
        kept,
        [(said[0], 0), (said[0], 0), (said[2], 1)],
        "what says the same is kept once"
    );
}

#[tokio::test]
async fn an_exchange_that_one_side_refused_exports_what_that_side_has() {
    let nation = Nation::new().await;
    nation.ministry.temp.clock.advance_ms(600_000);
    assert_eq!(nation.refused("{}").await, "clock-skew");
    let x = &nation.national.exchange;
    x.fold_evidence().await.expect("folded");
    let records = nation.national.evidence().await;
    let head = exchange::message::RequestHead::parse(&records[0].request.head).expect("a head");
    let zip = x
        .container(&head.request, Which::Request)
        .await
        .expect("the request");
    assert!(seal::asice::verify(&zip, &nation.national.directory.trust(), START).is_passed());
    let answer = x.container(&head.request, Which::Answer).await;
    assert_eq!(answer.expect_err("there is none").code, "not-found");
}

#[tokio::test]
async fn xmlsec1_and_openssl_accept_what_the_gateway_exports() {
    let mut nation = Nation::new().await;
    let _tsa = authority(&mut nation).await;
    let mut requests = Vec::new();
    for heard in futures_util::future::join_all([nation.ask("{}"), nation.ask("{}"), nation.ask("{}")]).await
    {
        requests.push(heard.expect("an answer").request);
    }
    let x = &nation.national.exchange;
    x.fold_evidence().await.expect("folded");
    assert_eq!(x.stamp_now().await.expect("stamped"), 3);
    let ca = nation.ca.certificate().pem();
    for (request, which) in requests
        .iter()
        .flat_map(|r| [(r, Which::Request), (r, Which::Answer)])
    {
        let zip = x.container(request, which).await.expect("a container");
        let folder = testkit::TempDir::new();
        unpack(&zip, folder.path());
        std::fs::write(folder.path().join("ca.pem"), &ca).expect("written");
        let id = "http://uri.etsi.org/01903/v1.3.2#:SignedProperties";
        let map = ["--url-map:/sig-hashchainresult.xml", "sig-hashchainresult.xml"];
        let file = "META-INF/signatures.xml";
        let at = ["--verification-gmt-time", "2026-11-21+02:30:00"];
        let head = [
            "--verify",
            "--trusted-pem",
            "ca.pem",
            "--id-attr:Id",
            id,
            map[0],
            map[1],
        ];
        let judge = [&head[..], &at, &[file]].concat();
        assert_eq!(
            run(folder.path(), "xmlsec1", &judge),
            Ok(()),
            "{which:?} of {request}"
        );
        let at = START.seconds().to_string();
        let judge = [
            "ts",
            "-verify",
            "-token_in",
            "-in",
            "META-INF/timestamp.tst",
            "-data",
            "ts-hashchainresult.xml",
            "-CAfile",
            "ca.pem",
            "-attime",
            &at,
        ];
        assert_eq!(
            run(folder.path(), "openssl", &judge),
            Ok(()),
            "{which:?} of {request}"
        );
    }
}

/// Whether a tool of the test environment is content.
pub(crate) fn run(folder: &Path, program: &str, arguments: &[&str]) -> Result<(), String> {
    let run = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|cause| panic!("{program} is installed where the tests run: {cause}"));
    if run.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&run.stderr).into_owned())
    }
}

pub(crate) fn archive(zip: &[u8]) -> zip::ZipArchive<std::io::Cursor<&[u8]>> {
    zip::ZipArchive::new(std::io::Cursor::new(zip)).expect("an archive")
}

fn has(zip: &[u8], name: &str) -> bool {
    archive(zip).index_for_name(name).is_some()
}

pub(crate) fn unpack(zip: &[u8], folder: &Path) {
    let mut archive = archive(zip);
    for i in 0..archive.len() {
        let mut file = archive.by_index(i).expect("a file");
        let place = folder.join(file.name().expect("a name").as_ref());
        std::fs::create_dir_all(place.parent().expect("inside")).expect("a folder");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("reads");
        std::fs::write(place, bytes).expect("written");
    }
}

#[tokio::test]
async fn what_was_revoked_when_an_exchange_was_stamped_goes_along_in_its_container() {
    let mut nation = Nation::new().await;
    let _tsa = authority(&mut nation).await;
    let x = nation.national.exchange.clone();
    let container = async |nation: &Nation| {
        let request = nation.ask("{}").await.expect("an answer").request;
        x.fold_evidence().await.expect("folded");
        x.stamp_now().await.expect("stamped");
        x.container(&request, Which::Answer).await.expect("a container")
    };
    let zip = container(&nation).await;
    let said = seal::asice::said(&zip).expect("says what was known");
    let known: directory::Snapshot = serde_json::from_slice(&said.payload).expect("a directory");
    assert_eq!((&known, said.bound), (&nation.snapshot, true));
    assert_eq!(said.hub, nation.hub.certificate);
    // A revocation that comes later is in the containers of later exchanges, not in what was known before.
    let thumbprint = kernel::Digest::of(b"somebody's");
    nation
        .publish(|s| {
            s.revoked.push(directory::snapshot::Revoked {
                thumbprint,
                at: START,
                reason: "keyCompromise".to_owned(),
                source: Some("http://ca.example/ca.crl".to_owned()),
            });
        })
        .await;
    for (zip, revoked) in [(zip, 0), (container(&nation).await, 1)] {
        assert!(
            seal::asice::verify(&zip, &nation.national.directory.trust(), nation.national.now()).is_passed()
        );
        let said = seal::asice::said(&zip).expect("says what was known");
        let known: directory::Snapshot = serde_json::from_slice(&said.payload).expect("a directory");
        assert_eq!(known.revoked.len(), revoked);
    }
    // Beside the node the same file stands in the same container.
    let other = nation.ask("{}").await.expect("an answer").request;
    x.fold_evidence().await.expect("folded");
    let zip = x.container(&other, Which::Request).await.expect("a container");
    assert!(
        seal::asice::said(&zip).is_none(),
        "not stamped yet: there is no time of which it could speak"
    );
}
