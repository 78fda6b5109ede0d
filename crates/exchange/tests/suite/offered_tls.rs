//! A registered service over TLS: known by the roots its operator named, shown the node's certificate
//! where that was said; and the way to a service tried step by step.

use std::sync::Arc;

use exchange::offered::Setup;
use kernel::limits::Limits;
use seal::authority::{Authority, Profile};
use web::probe::{Broken, Hop};
use web::tls::TlsIdentity;

use crate::face::face;
use crate::life::nation;
use crate::nation::Nation;
use crate::node::issue;
use crate::offered::{System, agree, operator, persons};

fn identity(ca: &Authority, name: &str) -> TlsIdentity {
    let names = vec![name.to_owned()];
    let issued = issue(ca, Profile::Node { names }, "", 9);
    TlsIdentity {
        chain: vec![issued.certificate.der().to_vec()],
        key_pkcs8: issued.key.to_pkcs8_der(),
    }
}

/// A service over TLS with a certificate of an authority of its own.
async fn secure(nation: &Nation, ca: &Authority, name: &str) -> System {
    let world = nation.ministry.temp.store.world();
    let config = web::tls::systems_config(world, &identity(ca, name), true).expect("a configuration");
    System::start(Some(config)).await
}

fn setup(system: &System, roots: &str) -> Setup {
    Setup {
        roots: roots.to_owned(),
        ..system.setup()
    }
}

#[tokio::test]
async fn a_service_over_tls_is_known_by_its_roots_and_shown_who_calls_where_that_was_said() {
    let nation = nation().await;
    let ca = testkit::authority();
    let system = secure(&nation, &ca, "127.0.0.1").await;
    agree(&nation).await;
    let (face, x) = (face(&nation).await, &nation.ministry.exchange);
    let roots = ca.certificate().pem();
    let good = setup(&system, &roots);
    x.register_service(persons(), good.clone(), &operator())
        .await
        .expect("registered");
    let shown = async || {
        let told = face.persons("/r1/VN/GOV/", "/").await;
        let body: serde_json::Value = serde_json::from_slice(&told.body).expect("json");
        (told.status, body["shown"].clone())
    };
    assert_eq!(shown().await, (200, false.into()));
    let showing = Setup {
        shows_node: true,
        ..good.clone()
    };
    x.change_service(&persons(), showing, &operator())
        .await
        .expect("changed");
    assert_eq!(shown().await, (200, true.into()));
    // Roots of somebody else: nothing of a call reaches it.
    let other = setup(&system, &testkit::authority().certificate().pem());
    x.change_service(&persons(), other, &operator())
        .await
        .expect("changed");
    let told = face.persons("/exchange/v1/call/", "/").await;
    assert_eq!((told.status, told.code().as_str()), (502, "service-unreachable"));
    for roots in [
        "",
        "no certificate",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    ] {
        let faults = x
            .change_service(&persons(), setup(&system, roots), &operator())
            .await;
        assert_eq!(faults.expect_err("refused")[0].code, "service-roots");
    }
}

#[tokio::test]
async fn trying_a_service_names_the_step_that_fails() {
    let nation = nation().await;
    let ca = testkit::authority();
    let x = &nation.ministry.exchange;
    let good = secure(&nation, &ca, "127.0.0.1").await;
    let named = secure(&nation, &ca, "other.example.vn").await;
    let plain = System::start(None).await;
    let roots = ca.certificate().pem();
    let strange = testkit::authority().certificate().pem();
    x.register_service(persons(), good.setup_with(&roots), &operator())
        .await
        .expect("registered");
    let tried = async |setup: Setup| {
        x.change_service(&persons(), setup, &operator())
            .await
            .expect("changed");
        x.try_service(&persons()).await.expect("tried")
    };
    let found = tried(good.setup_with(&roots)).await;
    assert_eq!(
        (found.status, found.broken(), found.steps.len()),
        (Some(200), None, 4)
    );
    let wrong = Setup {
        url: plain.url.replace("http", "https"),
        ..good.setup_with(&roots)
    };
    for (setup, broken) in [
        (good.setup_with(&strange), (Hop::Tls, Broken::Untrusted)),
        (named.setup_with(&roots), (Hop::Tls, Broken::OtherName)),
        (wrong, (Hop::Tls, Broken::NoTls)),
    ] {
        let found = tried(setup).await;
        assert_eq!((found.broken(), found.status), (Some(broken), None));
    }
    let found = tried(plain.setup()).await;
    assert_eq!(
        (found.status, found.steps.len()),
        (Some(200), 3),
        "no TLS, no step of it"
    );
    nation.ministry.temp.clock.advance_ms(400 * 86_400_000);
    let found = tried(good.setup_with(&roots)).await;
    assert_eq!(found.broken(), Some((Hop::Tls, Broken::Expired)));
}

impl System {
    fn setup_with(&self, roots: &str) -> Setup {
        setup(self, roots)
    }
}

#[tokio::test]
async fn the_longest_time_of_a_service_leaves_room_for_both_gateways() {
    let limits = Limits {
        exchange_call_ms_max: 1_000,
        ..Limits::default()
    };
    let nation = Nation::with(limits).await;
    let x = Arc::new(nation.ministry.exchange.clone());
    assert_eq!(x.service_ms_max(), 800);
}
