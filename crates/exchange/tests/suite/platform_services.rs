//! Services of the platform itself, such as a register's lookup: their operator stops them, announces a stop
//! and enables them as any other, their callers hear of it, and nobody else may.

use bytes::Bytes;
use exchange::ServiceId;
use exchange::holdings::{Asked, Holdings};
use exchange::offered::Verb;
use kernel::{Actor, Time};
use serde_json::{Value, json};

use crate::face::{CLIENT, Face, face};
use crate::life::{carry, nation};
use crate::nation::{LOOKUP, Nation, PORTAL};
use crate::operator::desk_at;

fn lookup() -> ServiceId {
    LOOKUP.parse().expect("an id")
}

async fn agreed() -> Nation {
    let nation = nation().await;
    nation.agree(nation.agreement()).await;
    nation
}

/// What the portal is answered: status, and the code of a refusal.
async fn called(face: &Face) -> (u16, String) {
    let told = face.call(&[CLIENT], "{}").await;
    let code = if told.status == 200 {
        String::new()
    } else {
        told.code()
    };
    (told.status, code)
}

/// What the consumer's node has heard of the service.
async fn heard(nation: &Nation) -> Vec<exchange::offered::ServiceNotice> {
    carry(&nation.ministry).await;
    nation.national.exchange.service_notices().await.expect("reads")
}

#[tokio::test]
async fn a_service_of_the_platform_is_disabled_with_words_and_enabled_again_over_a_restart() {
    let mut nation = agreed().await;
    let face = face(&nation).await;
    let one = format!("services/{LOOKUP}");
    let desk = desk_at(&nation.ministry).await;
    let list = desk.get("services").await;
    assert_eq!(
        (&list[0]["service"], &list[0]["of_the_platform"], &list[0]["url"]),
        (&LOOKUP.into(), &true.into(), &"".into())
    );
    let seen = desk.get(&one).await;
    assert_eq!((&seen["text"], &seen["history"]), (&Value::Null, &json!([])));
    assert_eq!(
        (&seen["endpoints"], &seen["first_stop"]),
        (&1.into(), &"2026-12-03".into())
    );
    assert_eq!(called(&face).await.0, 200);
    let disable = json!({"do": "disable", "notice": "Nâng cấp cơ sở dữ liệu"});
    assert_eq!(desk.post(&format!("{one}/stand"), &disable).await.0, 204);
    let effects = nation.effects();
    let disabled = (503, "service-disabled".to_owned());
    assert_eq!(called(&face).await, disabled);
    let told = heard(&nation).await;
    assert_eq!(
        (told.len(), told[0].told.disabled.as_deref()),
        (1, Some("Nâng cấp cơ sở dữ liệu"))
    );
    let asked = format!("allowed?consumer=G22/portal&service={LOOKUP}");
    assert_eq!(desk.get(&asked).await["code"], "service-disabled");
    let store = &nation.ministry.temp.store;
    let reader = store.read(&"G01".parse().expect("a code")).await.expect("reads");
    let held = Holdings::read(&[reader]).await.expect("reads");
    let call = Asked {
        consumer: PORTAL.parse().expect("an id"),
        service: lookup(),
        rest: None,
        represented: None,
    };
    let refused = held.allows("ministry", &call, nation.ministry.now());
    assert_eq!(refused.expect_err("by the rows alone").code, "service-disabled");
    nation.restart_ministry().await;
    assert_eq!(
        called(&face).await,
        disabled,
        "what was said holds over a restart"
    );
    assert_eq!(nation.effects(), effects, "the register was not asked");
    let desk = desk_at(&nation.ministry).await;
    let seen = desk.get(&one).await;
    assert_eq!(
        (&seen["standing"], &seen["notice"]),
        (&"disabled".into(), &"Nâng cấp cơ sở dữ liệu".into())
    );
    assert_eq!(
        desk.post(&format!("{one}/stand"), &json!({"do": "enable"}))
            .await
            .0,
        204
    );
    assert_eq!(called(&face).await.0, 200);
    assert!(heard(&nation).await.is_empty(), "nothing matters any more");
    let seen = desk.get(&one).await;
    let kinds: Vec<&Value> = seen["history"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|e| &e["kind"])
        .collect();
    assert_eq!(kinds, ["service-disabled", "service-enabled"]);
    assert_eq!(seen["history"][0]["actor"], "official:o1");
}

#[tokio::test]
async fn a_stop_of_a_service_of_the_platform_is_announced_seven_working_days_before_and_told_with_each_answer()
 {
    let nation = agreed().await;
    let face = face(&nation).await;
    let x = &nation.ministry.exchange;
    let day = |text: &str| Time::at(kernel::time::parse_iso(text).expect("a day"), 0).ms();
    let announce = |from: &str| Verb::AnnounceStop {
        from: day(from),
        to: Some(day("2026-12-05")),
        reason: "Chuyển trung tâm dữ liệu".to_owned(),
    };
    let stand = async |verb: Verb| {
        let stood = x.stand_service(&lookup(), &verb, &Actor::Platform).await;
        stood.map_err(|problem| problem.code)
    };
    assert_eq!(stand(announce("2026-12-02")).await, Err("service-stop-soon"));
    assert_eq!(stand(Verb::LiftStop).await, Err("service-stands-so"));
    stand(announce("2026-12-03")).await.expect("announced");
    stand(Verb::Sunset {
        at: Some(day("2027-06-01")),
    })
    .await
    .expect("set");
    let told = face.call(&[CLIENT], "{}").await;
    assert_eq!(told.status, 200);
    assert_eq!(told.header("sunset"), "Mon, 31 May 2027 17:00:00 GMT");
    assert!(
        told.header("sen-planned-stop").starts_with("2026-12-02T17:00:00"),
        "{}",
        told.header("sen-planned-stop")
    );
    let notices = heard(&nation).await;
    let stop = notices[0].told.stop.as_ref().expect("a stop");
    assert_eq!(
        (stop.from.ms(), notices[0].told.sunset.map(Time::ms)),
        (day("2026-12-03"), Some(day("2027-06-01")))
    );
    nation.advance_ms(day("2026-12-03") - nation.ministry.now().ms());
    let agreement = nation.agreement();
    assert!(
        agreement.valid_to < nation.ministry.now(),
        "its own agreement is over by then"
    );
    let listed = x.listed_service(&lookup()).await.expect("there");
    assert_eq!(listed.stands.standing(nation.ministry.now()).as_str(), "stopped");
    stand(Verb::LiftStop).await.expect("lifted");
    let listed = x.listed_service(&lookup()).await.expect("there");
    assert_eq!(listed.stands.standing(nation.ministry.now()).as_str(), "enabled");
}

#[tokio::test]
async fn a_service_of_the_platform_is_never_taken_off_changed_or_registered_by_its_operator() {
    let nation = agreed().await;
    let desk = desk_at(&nation.ministry).await;
    let one = format!("services/{LOOKUP}");
    let stand = format!("{one}/stand");
    for (verb, status, code) in [
        (json!({"do": "remove"}), 409, "service-enabled"),
        (json!({"do": "enable"}), 409, "service-stands-so"),
        (json!({"do": "disable", "notice": " "}), 422, "field-missing"),
        (json!({"do": "sunset", "at": 1}), 422, "service-sunset-past"),
        (json!({"do": "disable", "notice": "Lỗi"}), 204, ""),
        (
            json!({"do": "disable", "notice": "Lỗi"}),
            409,
            "service-stands-so",
        ),
        (json!({"do": "disable", "notice": "Lỗi khác"}), 204, ""),
        (json!({"do": "remove"}), 409, "service-of-platform"),
    ] {
        let (got, told) = desk.post(&stand, &verb).await;
        assert_eq!(got, status, "{verb}");
        let kind = told["type"].as_str().unwrap_or_default();
        assert!(kind.ends_with(code), "{verb}: {told}");
    }
    let text = json!({"service": LOOKUP, "url": "http://127.0.0.1:9"});
    assert_eq!(desk.post("services", &text).await.0, 409, "the name is taken");
    for (path, body) in [
        (one.clone(), text),
        (format!("{one}/compare"), json!({})),
        (format!("{one}/try"), json!({})),
    ] {
        assert_eq!(desk.post(&path, &body).await.0, 404, "{path}");
    }
    let none = "services/G01/population/none".to_owned();
    assert_eq!(desk.send("GET", &none, Some("operator"), "").await.0, 404);
    let enable = json!({"do": "enable"});
    assert_eq!(desk.post(&format!("{none}/stand"), &enable).await.0, 404);
}

#[tokio::test]
async fn an_operator_leads_a_service_of_the_platform_by_its_page() {
    let nation = agreed().await;
    let desk = desk_at(&nation.ministry).await;
    let (_, _, list) = desk.page("/exchange/services", None).await;
    assert!(list.contains(LOOKUP) && list.contains("của nền tảng"), "{list}");
    let one = format!("/exchange/services/{LOOKUP}");
    let (status, _, page) = desk.page(&one, None).await;
    assert!(
        status == 200 && page.contains("Ở bên trong nền tảng") && page.contains("03/12/2026"),
        "{page}"
    );
    assert!(
        !page.contains(&format!("{one}/try")) && !page.contains(&format!("{one}/change")),
        "{page}"
    );
    let stand = format!("{one}/stand");
    let (status, _, bad) = desk
        .page(&stand, Some(&[("do", "disable"), ("notice", "")]))
        .await;
    assert!(status == 422 && bad.contains("href=\"#notice\""), "{bad}");
    let words = [("do", "disable"), ("notice", "Nâng cấp <b>")];
    let (status, to, told) = desk.page(&stand, Some(&words)).await;
    assert_eq!((status, &to), (303, &one), "{told}");
    let (_, _, page) = desk.page(&one, None).await;
    assert!(
        page.contains("Nâng cấp &#60;b&#62;") && page.contains("tạm dừng"),
        "{page}"
    );
    assert!(!page.contains("Gỡ khỏi nút"), "it cannot be taken off: {page}");
    let (status, _, told) = desk.page(&stand, Some(&[("do", "enable")])).await;
    assert_eq!(status, 303, "{told}");
}

#[tokio::test]
async fn nobody_but_the_operator_of_its_organisation_sees_or_stops_a_service_of_the_platform() {
    let nation = agreed().await;
    let desk = desk_at(&nation.ministry).await;
    let one = format!("services/{LOOKUP}");
    let body = r#"{"do":"disable","notice":"x"}"#;
    for (method, path, body) in [("GET", one.clone(), ""), ("POST", format!("{one}/stand"), body)] {
        assert_eq!(desk.send(method, &path, None, body).await.0, 401, "{path}");
        for role in ["citizen", "officer", "chairman"] {
            assert_eq!(
                desk.send(method, &path, Some(role), body).await.0,
                403,
                "{path} {role}"
            );
        }
        // The operator of another organisation that this node hosts.
        let request = web::http::Request::builder()
            .method(method)
            .uri(format!("http://{}/api/v1/exchange/{path}", desk.address))
            .header("origin", format!("http://{}", desk.address))
            .header("content-type", "application/json")
            .header("role", "operator")
            .header("tenant", "G15")
            .body(Bytes::from(body))
            .expect("a request");
        let answer = web::Client::plain().send(request, 30_000, 1 << 20).await;
        assert_eq!(answer.expect("an answer").status().as_u16(), 404, "{path}");
    }
    nation.ask("{}").await.expect("it answers");
}
