//! A system behind the provider's gateway that gives no answer is asked once more, elsewhere or after a
//! short wait; never for what may have had an effect and would have a second one.

use std::time::Duration;

use exchange::Hop;
use exchange::offered::{Setup, Way};

use crate::between::{Between, Mode};
use crate::face::{CLIENT, Face, Told, face};
use crate::life::nation;
use crate::nation::Nation;
use crate::offered::{PERSONS, System, agree, operator, persons};
use crate::rest::{Agency, agency};

/// An address at which nobody takes a connection.
const NOBODY: &str = "http://127.0.0.1:1";

fn beside(url: &str) -> Way {
    Way {
        url: url.to_owned(),
        weight: 1,
    }
}

/// Time for a system that works, in milliseconds: nobody waits for it, however busy the machine is.
const AMPLE_MS: u64 = 10_000;

/// The ministry offers the service of the tests at some addresses.
async fn offered_at(nation: &Nation, urls: &[&str], timeout_ms: u64) {
    let none = System::start(None).await;
    let setup = Setup {
        url: urls[0].to_owned(),
        others: urls[1..].iter().map(|url| beside(url)).collect(),
        timeout_ms,
        ..none.setup()
    };
    let exchange = &nation.ministry.exchange;
    exchange
        .register_service(persons(), setup, &operator())
        .await
        .expect("registered");
    agree(nation).await;
}

async fn ask(face: &Face, method: &str, headers: &[(&str, &str)]) -> Told {
    let mut request = web::http::Request::builder()
        .method(method)
        .header(CLIENT.0, CLIENT.1);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    face.send(request, &format!("/exchange/v1/call/{PERSONS}/a"), "")
        .await
}

/// Behind what may fail, an agency that works.
async fn failing(nation: &Nation) -> (Agency, Between, String) {
    let agency = agency(nation, &[], "").await;
    let between = Between::new(agency.url.trim_start_matches("http://").to_owned()).await;
    let url = format!("http://{}", between.address);
    (agency, between, url)
}

async fn calls(face: &Face, method: &str, times: usize) -> Vec<Told> {
    let mut told = Vec::new();
    for _ in 0..times {
        told.push(ask(face, method, &[]).await);
    }
    told
}

#[tokio::test]
async fn a_system_that_takes_no_connection_is_left_for_its_other_address_whatever_is_asked() {
    let nation = nation().await;
    let agency = agency(&nation, &[], "").await;
    offered_at(&nation, &[NOBODY, &agency.url], AMPLE_MS).await;
    let face = face(&nation).await;
    // A POST too: nothing was sent to the first.
    let told = calls(&face, "POST", 4).await;
    assert!(told.iter().all(|told| told.status == 201));
    assert_eq!(agency.calls(), 4, "each once");
    let circuits = nation.ministry.exchange.circuits();
    assert_eq!((circuits.len(), circuits[0].hop), (1, Hop::Service));
    assert_eq!(
        (circuits[0].address.as_str(), circuits[0].failures),
        (NOBODY, 2),
        "as often as its turn came"
    );
}

#[tokio::test]
async fn a_system_that_takes_connections_again_after_a_moment_is_asked_once_more_at_its_one_address() {
    let nation = nation().await;
    let agency = agency(&nation, &[], "").await;
    // Nobody else gets the port, and who connects is refused as long as nobody listens.
    let port = tokio::net::TcpSocket::new_v4().expect("a socket");
    port.bind("127.0.0.1:0".parse().expect("an address"))
        .expect("a port");
    let address = port.local_addr().expect("an address").to_string();
    let url = format!("http://{address}");
    let to = agency.url.trim_start_matches("http://").to_owned();
    offered_at(&nation, &[&url], AMPLE_MS).await;
    let face = face(&nation).await;
    let refused = ask(&face, "POST", &[]).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (502, "service-unreachable")
    );
    let failures = nation.ministry.exchange.circuits()[0].failures;
    assert_eq!(failures, 1, "one call, one failure");
    // The wait is 50 to 100 ms.
    let (told, ()) = tokio::join!(ask(&face, "POST", &[]), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Between::at(port.listen(8).expect("it listens"), to);
    });
    assert_eq!((told.status, agency.calls()), (201, 1));
    assert!(nation.ministry.exchange.circuits().is_empty());
}

#[tokio::test]
async fn what_may_have_had_an_effect_is_asked_again_only_when_that_does_the_same() {
    let nation = nation().await;
    let (agency, between, url) = failing(&nation).await;
    offered_at(&nation, &[&url], AMPLE_MS).await;
    let face = face(&nation).await;
    between.set(Mode::LosesAnswer);
    let told = ask(&face, "POST", &[]).await;
    assert_eq!(
        (told.status, told.code().as_str()),
        (502, "service-outcome-unknown")
    );
    assert_eq!(agency.calls(), 1, "a POST is not sent twice");
    between.set(Mode::LosesAnswer);
    assert_eq!(ask(&face, "GET", &[]).await.status, 201);
    assert_eq!(agency.calls(), 3);
    between.set(Mode::LosesAnswer);
    let keyed = ask(&face, "POST", &[("idempotency-key", "k1")]).await;
    assert_eq!((keyed.status, agency.calls()), (201, 5));
}

#[tokio::test]
async fn a_system_that_says_nothing_in_its_time_is_left_for_another_and_not_asked_again_itself() {
    let nation = nation().await;
    let (agency, between, url) = failing(&nation).await;
    between.set(Mode::Silent);
    offered_at(&nation, &[&url], 500).await;
    let face = face(&nation).await;
    let told = ask(&face, "GET", &[]).await;
    assert_eq!((told.status, told.code().as_str()), (504, "timeout"));
    between.is_asked(1).await;
    assert_eq!(between.asked(), 1, "it waits for its time once");
    // The other is to answer in this time, and two calls wait for it.
    let both = Setup {
        url: url.clone(),
        others: vec![beside(&agency.url)],
        timeout_ms: 2_000,
        ..System::start(None).await.setup()
    };
    let (id, by) = (persons(), operator());
    let changed = nation.ministry.exchange.change_service(&id, both, &by).await;
    changed.expect("changed");
    assert!(calls(&face, "GET", 2).await.iter().all(|told| told.status == 201));
    let told = calls(&face, "POST", 2).await;
    let mut codes: Vec<u16> = told.iter().map(|told| told.status).collect();
    codes.sort_unstable();
    assert_eq!(
        codes,
        [201, 504],
        "what may have had an effect stays where it went"
    );
    between.is_asked(3).await;
    assert_eq!(between.asked(), 3, "each call asked it once");
    assert_eq!(agency.calls(), 3);
}
