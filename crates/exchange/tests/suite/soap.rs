//! SOAP services: a WSDL that an operator registers, what is read from it, what becomes of a newer one, and
//! a call whose body passes as it is.

use exchange::agreement::Agreement;
use serde_json::{Value, json};

use crate::face::{Face, Told, face};
use crate::life::nation;
use crate::nation::Nation;
use crate::offered::{PERSONS, System, persons};
use crate::operator::desk_at;
use crate::rest::agency;

const FINDS: &str = include_str!("../../../../docs/samples/persons.wsdl");

/// The sample with one operation more.
fn lists_too() -> String {
    let operation =
        "<operation name=\"listPersons\"><soap:operation soapAction=\"urn:list\"/></operation></binding>";
    FINDS.replacen("</binding>", operation, 1)
}

async fn get(face: &Face, path: &str) -> Told {
    let request = web::http::Request::get("/").header("x-road-client", "VN/GOV/G22/portal");
    face.send(request, &format!("/r1/VN/GOV/G01/population/{path}"), "")
        .await
}

async fn agree(nation: &Nation) {
    let agreement = Agreement {
        service: persons(),
        fields: Vec::new(),
        endpoints: vec!["POST /".parse().expect("one")],
        ..nation.agreement()
    };
    nation.agree(agreement).await;
}

#[tokio::test]
async fn a_soap_service_is_registered_by_its_wsdl_listed_described_and_called_byte_for_byte() {
    let nation = nation().await;
    let system = System::start(None).await;
    let taken = agency(&nation, &[], "/soap").await;
    let desk = desk_at(&nation.ministry).await;
    system.describe(FINDS.to_owned());
    let text = json!({"service": PERSONS, "url": taken.url, "wsdl": format!("{}/openapi.json", system.url)});
    let (status, told) = desk.post("services", &text).await;
    assert_eq!(status, 201, "{told}");
    let seen = desk.get(&format!("services/{PERSONS}")).await;
    assert_eq!(
        (&seen["text"]["wsdl_document"], &seen["text"]["endpoints"]),
        (&FINDS.into(), &json!(["POST /"]))
    );
    let (_, _, page) = desk.page(&format!("/exchange/services/{PERSONS}"), None).await;
    assert!(page.contains("findPerson (urn:vn:gov:persons:find)"), "{page}");
    agree(&nation).await;
    let face = face(&nation).await;
    // What is sent is no XML at all: nothing on the way reads it.
    let body = "<s:Envelope>\r\n\t<a>é</a>\u{0}</s:Envelope>";
    let request = web::http::Request::post("/")
        .header("x-road-client", "VN/GOV/G22/portal")
        .header("content-type", "text/xml; charset=utf-8")
        .header("soapaction", "\"urn:vn:gov:persons:find\"");
    let told = face.send(request, &format!("/r1/VN/GOV/{PERSONS}"), body).await;
    assert_eq!((told.status, &*told.body), (201, body.as_bytes()));
    let last = taken.last();
    assert_eq!((last.line.as_str(), &*last.body), ("POST /soap", body.as_bytes()));
    let has = |name: &str, value: &str| last.headers.iter().any(|(n, v)| n == name && v == value);
    assert!(
        has("soapaction", "\"urn:vn:gov:persons:find\"") && has("content-type", "text/xml; charset=utf-8")
    );
    let listed: Value = serde_json::from_slice(&get(&face, "listMethods").await.body).expect("json");
    let mine = listed["service"].as_array().expect("a list").iter();
    let mine = mine
        .clone()
        .find(|s| s["service_code"] == "persons")
        .expect("listed");
    assert_eq!(
        (&mine["service_type"], &mine["operation_list"]),
        (
            &"WSDL".into(),
            &json!([{"name": "findPerson", "soap_action": "urn:vn:gov:persons:find"}])
        )
    );
    let wsdl = get(&face, "getWsdl?serviceCode=persons").await;
    // Where the system is, is nobody's affair but its own node's.
    let shown = FINDS.replace("http://127.0.0.1:9000/soap", "http://example.org/xroad-endpoint");
    assert_eq!((wsdl.status, &*wsdl.body), (200, shown.as_bytes()));
    assert_eq!(wsdl.headers["content-type"], "text/xml; charset=utf-8");
    for (path, code) in [
        (
            "getWsdl?serviceCode=person-lookup",
            "Server.ServerProxy.InvalidServiceType",
        ),
        (
            "getOpenAPI?serviceCode=persons",
            "Server.ServerProxy.InvalidServiceType",
        ),
        ("getWsdl?serviceCode=nothing", "Server.ServerProxy.UnknownService"),
        ("getWsdl", "Client.BadRequest"),
    ] {
        let refused = get(&face, path).await;
        assert_eq!(refused.headers["x-road-error"], code, "{path}");
    }
    // The service that was asked about is named, not the one that describes.
    let unknown = get(&face, "getWsdl?serviceCode=nothing").await;
    let told = String::from_utf8_lossy(&unknown.body).into_owned();
    assert!(told.contains("G01/population/nothing"), "{told}");
}

#[tokio::test]
async fn a_newer_wsdl_is_taken_over_only_as_an_operator_saw_it() {
    let nation = nation().await;
    let system = System::start(None).await;
    let desk = desk_at(&nation.ministry).await;
    system.describe(FINDS.to_owned());
    let address = format!("{}/openapi.json", system.url);
    let text = json!({"service": PERSONS, "url": system.url, "wsdl": address});
    assert_eq!(desk.post("services", &text).await.0, 201);
    let one = format!("services/{PERSONS}");
    let (compare, accept) = (format!("{one}/compare"), format!("{one}/endpoints"));
    let operations = async || {
        let entry = nation.ministry.exchange.registered_service(&persons()).await;
        let wsdl = entry.expect("there").setup.wsdl.expect("a WSDL");
        wsdl.operations.into_iter().map(|o| o.name).collect::<Vec<_>>()
    };
    for nothing in ["", "null", "{}"] {
        let (status, _) = desk.send("POST", &compare, Some("operator"), nothing).await;
        assert_eq!(status, 200, "{nothing}");
    }
    let (_, same) = desk.post(&compare, &json!({})).await;
    assert_eq!((&same["added"], &same["is_other"]), (&json!([]), &false.into()));
    system.describe(lists_too());
    let (status, difference) = desk.post(&compare, &json!({})).await;
    assert_eq!(
        (status, &difference["added"], &difference["is_other"]),
        (200, &json!(["listPersons (urn:list)"]), &true.into())
    );
    assert_eq!(operations().await, ["findPerson"], "looking changes nothing");
    // A change of something else takes no newer document along.
    assert_eq!(desk.post(&one, &text).await.0, 200);
    assert_eq!(operations().await, ["findPerson"]);
    system.describe(FINDS.replace("findPerson", "seekPerson"));
    assert_eq!(
        desk.post(&accept, &json!({"seen": difference["seen"]})).await.0,
        409
    );
    system.describe(lists_too());
    assert_eq!(
        desk.post(&accept, &json!({"seen": difference["seen"]})).await.0,
        204
    );
    assert_eq!(operations().await, ["findPerson", "listPersons"]);
    // Uploaded in place of the one at its address, by the page.
    let page = format!("/exchange/{one}");
    let sent = [("wsdl_document", FINDS)];
    let (status, _, shown) = desk.page(&format!("{page}/compare"), Some(&sent)).await;
    assert!(status == 200 && shown.contains("− listPersons"), "{shown}");
    let seen = kernel::Digest::of(FINDS.as_bytes()).hex();
    let taken = [("seen", seen.as_str()), ("document", FINDS)];
    assert_eq!(desk.page(&format!("{page}/endpoints"), Some(&taken)).await.0, 303);
    assert_eq!(operations().await, ["findPerson"]);
    let (status, _, refused) = desk
        .page(&format!("{page}/compare"), Some(&[("wsdl_document", "<a>")]))
        .await;
    assert!(
        status == 422 && refused.contains("href=\"#wsdl_document\""),
        "{refused}"
    );
}

#[tokio::test]
async fn an_uploaded_wsdl_stays_until_another_takes_its_place_or_it_is_dropped() {
    let nation = nation().await;
    let system = System::start(None).await;
    let desk = desk_at(&nation.ministry).await;
    let address = system.url.clone();
    let form = |more: &[(&'static str, &'static str)]| {
        let mut fields = vec![
            ("url".to_owned(), address.clone()),
            ("timeout_ms".to_owned(), "1000".to_owned()),
        ];
        fields.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        fields
    };
    let send = async |path: String, fields: Vec<(String, String)>| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        desk.page(&path, Some(&fields)).await
    };
    let list = "/exchange/services".to_owned();
    let one = format!("{list}/{PERSONS}");
    let (status, to, told) = send(
        list.clone(),
        form(&[("service", PERSONS), ("wsdl_document", FINDS)]),
    )
    .await;
    assert_eq!((status, to), (303, one.clone()), "{told}");
    let wsdl = async || {
        let entry = nation.ministry.exchange.registered_service(&persons()).await;
        entry.expect("there").setup.wsdl
    };
    assert_eq!(wsdl().await.expect("uploaded").document, FINDS);
    let (status, _, told) = desk.page(&format!("{one}/compare"), Some(&[])).await;
    assert!(
        status == 422 && told.contains("Chọn tệp của tài liệu mới"),
        "{told}"
    );
    let (_, _, change) = desk.page(&format!("{one}/change"), None).await;
    assert!(change.contains("name=\"wsdl_drop\"") && change.contains("multipart/form-data"));
    assert_eq!(send(one.clone(), form(&[])).await.0, 303);
    assert_eq!(wsdl().await.expect("it stays").document, FINDS);
    assert_eq!(send(one.clone(), form(&[("wsdl_drop", "true")])).await.0, 303);
    assert_eq!(wsdl().await, None);
    // As JSON, too.
    let said = |more: (&str, serde_json::Value)| {
        let mut text = json!({"service": PERSONS, "url": address});
        text[more.0] = more.1;
        text
    };
    let one = format!("services/{PERSONS}");
    for (more, stays) in [
        (("wsdl_document", json!(FINDS)), true),
        (("timeout_ms", json!(900)), true),
        (("wsdl_drop", json!(true)), false),
    ] {
        let text = said(more);
        assert_eq!(desk.post(&one, &text).await.0, 200, "{text}");
        assert_eq!(wsdl().await.is_some(), stays, "{text}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_wsdl_is_told_at_its_field() {
    let nation = nation().await;
    let system = System::start(None).await;
    let desk = desk_at(&nation.ministry).await;
    let at = format!("{}/openapi.json", system.url);
    let large = "x".repeat(600 << 10);
    let bomb = "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>";
    for (field, text, document) in [
        ("wsdl", json!({"wsdl": "x.wsdl"}), FINDS),
        ("wsdl", json!({"wsdl": at, "openapi": at}), FINDS),
        ("wsdl", json!({"wsdl": "http://127.0.0.1:1/x"}), FINDS),
        ("wsdl", json!({"wsdl": at}), "<html/>"),
        ("wsdl", json!({"wsdl": at}), bomb),
        ("wsdl", json!({"wsdl": at}), &large),
        ("wsdl_document", json!({"wsdl_document": bomb}), FINDS),
        ("wsdl_document", json!({"wsdl_document": large}), FINDS),
        ("wsdl_document", json!({"wsdl_document": "{}"}), FINDS),
    ] {
        system.describe(document.to_owned());
        let mut bad = json!({"service": PERSONS, "url": system.url});
        for (name, value) in text.as_object().expect("an object") {
            bad[name] = value.clone();
        }
        let (status, told) = desk.post("services", &bad).await;
        assert_eq!((status, &told["field"]), (422, &field.into()), "{told}");
        assert!(told["remedy"].is_string(), "{told}");
    }
    assert_eq!(desk.registered().await, json!([]));
}
