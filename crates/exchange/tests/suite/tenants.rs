//! Two organisations on one node, each with an operator of its own: what the operator of the hosted one
//! (G15) can do for it, and that nothing can be done for the other (G01), whose node it is, or for the node.

use bytes::Bytes;
use exchange::delegation::{Delegation, Role};
use kernel::{Actor, Digest};
use seal::authority::Profile;
use serde_json::{Value, json};

use crate::grouped::{group_of, offered as offered_to_group};
use crate::life::{carry, nation};
use crate::nation::{LOOKUP, Nation, PORTAL};
use crate::node::issue;
use crate::offered::{PERSONS, System};
use crate::operator::{Desk, desk_at};

const ACTOR: Actor = Actor::Platform;

impl Desk {
    /// Sends something as an operator of a tenant: JSON, or a form where it is none.
    async fn post_as(&self, tenant: &str, path: &str, body: &str) -> (u16, String) {
        let kind = if body.starts_with('{') {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        let request = web::http::Request::post(format!("http://{}{path}", self.address))
            .header("origin", format!("http://{}", self.address))
            .header("content-type", kind)
            .header("role", "operator")
            .header("tenant", tenant)
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .expect("a request");
        let answer = web::Client::plain().send(request, 30_000, 1 << 20).await;
        let answer = answer.expect("an answer");
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        (answer.status().as_u16(), text)
    }

    /// As a program of a tenant.
    async fn act(&self, tenant: &str, path: &str, body: Value) -> (u16, Value) {
        let path = format!("/api/v1/exchange/{path}");
        let (status, text) = self.post_as(tenant, &path, &body.to_string()).await;
        (status, serde_json::from_str(&text).unwrap_or_default())
    }
}

/// The agreement of the tests as a program sends it, for another system and under another number.
fn text(nation: &Nation, consumer: &str, id: &str) -> Value {
    let mut text = serde_json::to_value(nation.agreement()).expect("json");
    text.as_object_mut().expect("an object").remove("provider");
    text["consumer"] = consumer.into();
    text["id"] = id.into();
    text
}

/// The key of a problem.
fn code_of(problem: &Value) -> &str {
    let kind = problem["type"].as_str().unwrap_or_default();
    kind.trim_start_matches("/problems/")
}

/// What G01 has at the node: an agreement, a request that waits, a delegation that it is offered, an
/// offer to a group, a service and a certificate of a system.
struct Of01 {
    nation: Nation,
    desk: Desk,
    held: Digest,
    request: Digest,
    delegation: Digest,
    offer: Digest,
    pem: String,
    thumbprint: Digest,
    _system: System,
}

async fn of_g01() -> Of01 {
    let mut nation = nation().await;
    group_of(&mut nation, &[PORTAL]).await;
    let offer = offered_to_group(&nation, "global/one-stops").await;
    nation.agree(nation.agreement()).await;
    let held = nation.agreement().hash();
    let mut asked = nation.agreement();
    asked.id = "02/2026/TT-CSDL".to_owned();
    let request = nation.national.exchange.request_agreement(asked, &ACTOR).await;
    let request = request.expect("asked");
    let now = nation.national.now();
    let delegation = Delegation {
        id: "03/UQ-G22-G01".to_owned(),
        delegator: "G22".parse().expect("a code"),
        agent: "G01".parse().expect("a code"),
        role: Role::Consumer,
        services: vec!["G15/civil/births".parse().expect("a service")],
        purpose: "mục đích".to_owned(),
        legal_basis: "căn cứ".to_owned(),
        valid_from: now.plus_ms(-1_000),
        valid_to: now.plus_ms(3_600_000),
    };
    let delegation = nation
        .national
        .exchange
        .offer_delegation(delegation, &ACTOR)
        .await;
    let delegation = delegation.expect("offered");
    carry(&nation.national).await;
    let desk = desk_at(&nation.ministry).await;
    let system = System::start(None).await;
    let service = json!({"service": PERSONS, "url": system.url});
    assert_eq!(desk.act("G01", "services", service).await.0, 201);
    let certificate = issue(&nation.ca, Profile::OrganisationSeal, "G01", 90).certificate;
    let client = json!({"system": "G01/desk", "certificate": certificate.pem()});
    assert_eq!(desk.act("G01", "clients", client).await.0, 201);
    Of01 {
        held,
        request,
        delegation,
        offer,
        pem: certificate.pem(),
        thumbprint: certificate.thumbprint(),
        desk,
        nation,
        _system: system,
    }
}

#[tokio::test]
async fn an_operator_of_another_organisation_of_the_node_changes_nothing_of_its_as_a_program() {
    let of = of_g01().await;
    let nobody = "0".repeat(64);
    let (held, request) = (
        format!("agreements/{}", of.held),
        format!("agreements/{}", of.request),
    );
    let (delegation, offer) = (
        format!("delegations/{}", of.delegation),
        format!("group-offers/{}", of.offer),
    );
    let service = format!("services/{PERSONS}");
    let mut foreign = text(&of.nation, "G01/desk", "04/2026");
    foreign["service"] = "G22/portal/status".into();
    let mut to_group = text(&of.nation, "global/one-stops", "05/2026");
    to_group["consumer"] = "global/one-stops".into();
    let other = json!({"service": "G01/population/other", "url": "http://127.0.0.1:9"});
    let delegating = json!({"id": "06", "delegator": "G01", "agent": "G22", "role": "consumer",
        "services": ["G22/portal/status"], "purpose": "x", "legal_basis": "x", "valid_from": 0,
        "valid_to": of.nation.ministry.now().ms() + 3_600_000});
    let refused: &[(&str, Value, u16, &str)] = &[
        ("agreements", foreign, 403, "member-not-yours"),
        (
            &format!("{request}/offer"),
            json!({"text": null}),
            404,
            "not-found",
        ),
        (
            &format!("{request}/refuse"),
            json!({"reason": "x"}),
            404,
            "not-found",
        ),
        (
            &format!("{request}/withdraw"),
            json!({"reason": "x"}),
            404,
            "not-found",
        ),
        (
            &format!("{request}/accept"),
            json!({"agreement": nobody}),
            404,
            "not-found",
        ),
        (
            &format!("{held}/suspend"),
            json!({"by": "G01", "reason": "x"}),
            404,
            "not-found",
        ),
        (
            &format!("{held}/suspend"),
            json!({"by": "G15", "reason": "x"}),
            404,
            "not-found",
        ),
        (&format!("{held}/resume"), json!({"by": "G01"}), 404, "not-found"),
        (
            &format!("{held}/revoke"),
            json!({"by": "G01", "reason": "x"}),
            404,
            "not-found",
        ),
        ("services", other, 422, "service-elsewhere"),
        (
            &service,
            json!({"service": PERSONS, "url": "http://127.0.0.1:9"}),
            404,
            "not-found",
        ),
        (
            &format!("{service}/stand"),
            json!({"do": "disable", "notice": "x"}),
            404,
            "not-found",
        ),
        (
            &format!("{service}/stand"),
            json!({"do": "remove"}),
            404,
            "not-found",
        ),
        (&format!("{service}/compare"), json!({}), 404, "not-found"),
        (
            &format!("{service}/endpoints"),
            json!({"seen": nobody}),
            404,
            "not-found",
        ),
        (&format!("{service}/try"), json!({}), 404, "not-found"),
        (
            "clients",
            json!({"system": "G01/desk", "certificate": of.pem}),
            422,
            "service-elsewhere",
        ),
        (
            "clients/remove",
            json!({"system": "G01/desk", "thumbprint": of.thumbprint.hex()}),
            404,
            "not-found",
        ),
        ("delegations", delegating, 422, "delegation-party"),
        (&format!("{delegation}/accept"), json!({}), 404, "not-found"),
        (
            &format!("{delegation}/end"),
            json!({"by": "G01", "reason": "x"}),
            404,
            "not-found",
        ),
        ("group-offers", to_group, 403, "member-not-yours"),
        (
            &format!("{offer}/take"),
            json!({"system": "G01/desk"}),
            404,
            "not-found",
        ),
        (&format!("{offer}/end"), json!({}), 404, "not-found"),
        ("maintenance", json!({"notice": "x"}), 403, "node-not-yours"),
        ("maintenance/end", json!({}), 403, "node-not-yours"),
    ];
    for (path, body, status, code) in refused {
        let (told, problem) = of.desk.act("G15", path, body.clone()).await;
        assert_eq!((told, code_of(&problem)), (*status, *code), "{path}: {problem}");
    }
    let declared = json!({"service": [{"service": "G01/population/other", "url": "http://127.0.0.1:9"}]});
    let (status, steps) = of.desk.act("G15", "apply", declared).await;
    assert_eq!((status, &steps["problems"]), (200, &1.into()), "{steps}");
    assert_eq!(steps["steps"][0]["done"], false);
    // What concerns the whole node is no more a hosted organisation's in a file than on a page.
    let until = of.nation.ministry.now().plus_ms(3_600_000).ms();
    let node = json!({
        "local_group": [{"code": "partners", "name": "Đối tác", "systems": []}],
        "maintenance": {"notice": "x", "until": until},
    });
    let (_, steps) = of.desk.act("G15", "apply", node).await;
    for step in [0, 1] {
        assert_eq!(
            steps["steps"][step]["problem"]["code"], "node-not-yours",
            "{steps}"
        );
    }
    assert_eq!(of.nation.ministry.exchange.maintenance(), None);
    untouched(&of).await;
}

#[tokio::test]
async fn an_operator_of_another_organisation_of_the_node_changes_nothing_of_its_by_a_form() {
    let of = of_g01().await;
    let nobody = "0".repeat(64);
    let (held, request) = (
        format!("agreements/{}", of.held),
        format!("agreements/{}", of.request),
    );
    let (delegation, offer) = (
        format!("delegations/{}", of.delegation),
        format!("group-offers/{}", of.offer),
    );
    let service = format!("services/{PERSONS}");
    let remove = format!("system=G01%2Fdesk&thumbprint={}", of.thumbprint);
    let pem = format!(
        "system=G01%2Fdesk&certificate={}",
        web::page::query_value(&of.pem)
    );
    let refused: &[(&str, &str, u16)] = &[
        (&format!("{request}/offer"), "", 404),
        (&format!("{request}/refuse"), "reason=x", 404),
        (&format!("{request}/withdraw"), "reason=x", 404),
        (&format!("{request}/accept"), &format!("agreement={nobody}"), 404),
        (&format!("{held}/suspend"), "by=G01&reason=x", 404),
        (&format!("{held}/resume"), "by=G01", 404),
        (&format!("{held}/revoke"), "by=G01&reason=x", 404),
        (
            "services",
            "service=G01%2Fpopulation%2Fother&url=http%3A%2F%2F127.0.0.1%3A9",
            422,
        ),
        (&service, "url=http%3A%2F%2F127.0.0.1%3A9", 404),
        (&format!("{service}/stand"), "do=disable&notice=x", 404),
        (&format!("{service}/compare"), "", 404),
        (&format!("{service}/endpoints"), &format!("seen={nobody}"), 404),
        (&format!("{service}/try"), "", 404),
        ("clients", &pem, 422),
        ("clients/remove", &remove, 404),
        (&format!("{delegation}/accept"), "", 404),
        (&format!("{delegation}/end"), "by=G01&reason=x", 404),
        (&format!("{offer}/take"), "system=G01%2Fdesk", 404),
        (&format!("{offer}/end"), "", 404),
        ("maintenance", "notice=x", 403),
        ("maintenance/end", "", 403),
    ];
    for (path, body, status) in refused {
        let (told, text) = of.desk.post_as("G15", &format!("/exchange/{path}"), body).await;
        assert_eq!(told, *status, "{path}: {text}");
    }
    untouched(&of).await;
}

/// Everything of G01 stands as it stood, and its own operator may go on.
async fn untouched(of: &Of01) {
    let at = |name: &Digest| format!("agreements/{name}");
    for (path, state) in [(at(&of.held), "in-force"), (at(&of.request), "requested")] {
        assert_eq!(of.desk.told("G01", &path).await.1["state"], state, "{path}");
    }
    let (_, service) = of.desk.told("G01", &format!("services/{PERSONS}")).await;
    assert_eq!(service["standing"], "enabled");
    let (_, clients) = of.desk.told("G01", "clients").await;
    assert_eq!(clients.as_array().map(Vec::len), Some(1));
    let (_, delegations) = of.desk.told("G01", "delegations").await;
    assert_eq!(delegations[0]["state"], "offered");
    let (_, offers) = of.desk.told("G01", "group-offers").await;
    assert_eq!(offers[0]["state"], "offered");
    let revoke = json!({"by": "G01", "reason": "hết nhu cầu"});
    assert_eq!(
        of.desk
            .act("G01", &format!("{}/revoke", at(&of.held)), revoke)
            .await
            .0,
        204
    );
}

#[tokio::test]
async fn an_operator_of_a_hosted_organisation_sees_nothing_of_the_other_one() {
    let of = of_g01().await;
    for list in ["agreements", "services", "clients", "delegations", "group-offers"] {
        assert_eq!(of.desk.told("G15", list).await, (200, json!([])), "{list}");
        let (_, own) = of.desk.told("G01", list).await;
        assert!(own.as_array().is_some_and(|all| !all.is_empty()), "{list}: {own}");
        let (status, page) = of.desk.seen("G15", &format!("/exchange/{list}")).await;
        assert_eq!(status, 200, "{list}");
        for foreign in ["02/2026/TT-CSDL", "G01/population/persons", "G01/desk", "03/UQ"] {
            assert!(!page.contains(foreign), "{list}: {foreign}");
        }
    }
    for one in [
        format!("agreements/{}", of.held),
        format!("agreements/{}", of.request),
        format!("services/{PERSONS}"),
    ] {
        assert_eq!(of.desk.told("G15", &one).await.0, 404, "{one}");
        assert_eq!(
            of.desk.seen("G15", &format!("/exchange/{one}")).await.0,
            404,
            "{one}"
        );
    }
    let asked = format!("allowed?consumer={PORTAL}&service={LOOKUP}");
    assert_eq!(of.desk.told("G15", &asked).await.0, 403);
    assert_eq!(of.desk.told("G01", &asked).await.1["allowed"], true);
}

#[tokio::test]
async fn an_operator_of_a_hosted_organisation_leads_its_agreement_with_the_one_whose_node_it_is() {
    let nation = nation().await;
    let desk = desk_at(&nation.ministry).await;
    let system = System::start(None).await;
    let service = json!({"service": "G15/civil/births", "url": system.url});
    assert_eq!(desk.act("G15", "services", service).await.0, 201);
    let (_, seen) = desk.told("G01", "services").await;
    let mut seen = seen.as_array().expect("services").iter();
    assert!(
        seen.any(|one| one["service"] == "G15/civil/births"),
        "who looks after the node sees all"
    );
    let asked = text(&nation, "G15/civil", "07/2026");
    let (status, asked) = desk.act("G15", "agreements", asked).await;
    assert_eq!(status, 201, "{asked}");
    let request = format!("agreements/{}", asked["request"].as_str().expect("a name"));
    carry(&nation.ministry).await;
    let offer = format!("{request}/offer");
    let (status, no) = desk.act("G15", &offer, json!({"text": null})).await;
    assert_eq!((status, code_of(&no)), (403, "member-not-yours"), "{no}");
    assert_eq!(desk.told("G15", &request).await.1["waits"], false);
    let (status, offered) = desk.act("G01", &offer, json!({"text": null})).await;
    assert_eq!(status, 200, "{offered}");
    carry(&nation.ministry).await;
    assert_eq!(desk.told("G15", &request).await.1["waits"], true);
    let accept = json!({"agreement": offered["agreement"]});
    let (status, told) = desk.act("G15", &format!("{request}/accept"), accept).await;
    assert_eq!(status, 204, "{told}");
    carry(&nation.ministry).await;
    let held = format!("agreements/{}", offered["agreement"].as_str().expect("a hash"));
    assert_eq!(desk.told("G15", &held).await.1["state"], "in-force");
    for verb in ["suspend", "revoke"] {
        let others = json!({"by": "G01", "reason": "x"});
        let (status, no) = desk.act("G15", &format!("{held}/{verb}"), others).await;
        assert_eq!((status, code_of(&no)), (403, "member-not-yours"), "{no}");
    }
    let own = json!({"by": "G15", "reason": "hết nhu cầu"});
    assert_eq!(desk.act("G15", &format!("{held}/revoke"), own).await.0, 204);
    assert_eq!(desk.told("G01", &held).await.1["state"], "revoked");
    // Its page offers to speak for it alone.
    let (_, page) = desk.seen("G15", "/exchange/agreements/new").await;
    assert!(!page.contains("value=\"G01/"), "no system of the other one");
}
