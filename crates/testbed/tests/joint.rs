//! What follows on a registered birth: the child's health-insurance card from the social insurance, and
//! a certified copy of the entry whose fee is paid at a bank. On PostgreSQL when `SEN_TEST_POSTGRES`
//! names a server.

use kernel::World;
use sen::up::nation::Place;
use serde_json::json;
use testbed::birth::{self, Answers, Desk, act, at_desk, at_portal, code};
use testbed::fee;
use testbed::ground::{run, until};
use testbed::nation::Nation;
use testbed::people::Person;
use testbed::raw;
use testbed::site::Site;

#[test]
fn a_birth_brings_a_health_card_and_its_entry_is_copied_for_a_fee() {
    run(async {
        let world = World::of_this_machine();
        let nation = Nation::start("joint").await.expect("a nation");
        let mut mother = Person::mother(&nation.site).await.expect("signed in");
        let answers = Answers::usual(&world).expect("answers");
        let paper = birth::paper(&world).expect("a paper");
        let born = birth::whole(&mut mother, &answers, &paper).await.expect("filed");
        let mut desk = Desk::of(&nation.site).await.expect("officials");
        let decided = desk.decide(&born).await.expect("decided");
        card(&mut mother, &born).await;
        let number = decided["act"]["personal_number"]
            .as_str()
            .expect("a number")
            .to_owned();
        let copy = filed(&mut mother, answers.get("child_name"), &number).await;
        paid(&mut mother, &copy).await;
        decided_copy(&mut desk, &copy).await;
        given(&mut mother, &copy).await;
        told_by_name(&nation.site, &copy).await;
    });
}

/// The card's number comes to the mother's page without anybody asking for it.
async fn card(mother: &mut Person, code: &str) {
    let page = until("the health card's number", async || {
        let text = mother.get(&format!("/cases/{code}")).await?.text();
        Ok(text.contains("TE138").then_some(text))
    });
    assert!(page.await.expect("a card").contains("Thẻ bảo hiểm y tế"));
}

/// A copy asked for; nothing goes to the commune before its fee is paid.
async fn filed(mother: &mut Person, name: &str, number: &str) -> String {
    let told = fee::ask(mother, name, number).await.expect("filed");
    assert!(told.text().contains("16.000"), "two copies");
    code(&told.url).expect("a case")
}

/// She pays on the bank's own page, and comes back to her case.
async fn paid(mother: &mut Person, code: &str) {
    let at = fee::order(mother, code).await.expect("an order");
    fee::pay(mother, code, &at).await.expect("paid");
    let again = mother
        .get(&format!("/cases/{code}/pay"))
        .await
        .expect("the back button");
    assert!(again.url.ends_with(&format!("/cases/{code}")), "paid is paid");
}

/// The desk finds the entry in the register; nothing is entered.
async fn decided_copy(desk: &mut Desk, code: &str) {
    let seen = at_desk(&mut desk.receptionist, code, |_| true)
        .await
        .expect("handed over");
    act(&mut desk.receptionist, &seen, "accept", &json!({}))
        .await
        .expect("accepted");
    // The receipt of the fee, which the platform adds, may come between reading and proposing.
    let granted = json!({"outcome": "granted", "note": ""});
    let proposed = until("a proposal", async || {
        let seen = at_desk(&mut desk.officer, code, |c| !c["accepted"].is_null()).await?;
        act(&mut desk.officer, &seen, "propose", &granted).await.map(Some)
    });
    proposed.await.expect("proposed");
    let found = at_desk(&mut desk.chairman, code, |c| c["state"] == "to-sign")
        .await
        .expect("found");
    desk.sign_and_seal(&found).await.expect("sealed");
}

/// The copy and the money receipt are on her page.
async fn given(mother: &mut Person, code: &str) {
    let case = at_portal(mother, code, |c| c["status"] == 10)
        .await
        .expect("returned");
    let names: Vec<&str> = case["results"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|r| r["name"].as_str())
        .collect();
    assert!(names.contains(&"Trích lục khai sinh (bản sao)"), "{case:#}");
    let page = mother
        .get(&format!("/cases/{code}"))
        .await
        .expect("the page")
        .text();
    assert!(page.contains(&format!("fee-receipt-{code}")), "the money receipt");
    let document = mother
        .get(&format!("/cases/{code}/results/extract-{code}"))
        .await
        .expect("the copy");
    assert!(document.body.starts_with(b"%PDF-"));
}

/// A system of the province looks the case up by the portal's own message, and tells of a case of its own.
async fn told_by_name(site: &Site, code: &str) {
    let say = async |service: &str, name: &str, item: serde_json::Value| {
        let body = json!({"madonvi": "H56", "service": name, "data": [item]});
        let service = format!("G22/portal/{service}");
        let told = raw::ask(site, Place::Province, "H56/one-stop", &service, &body).await;
        let told = told.expect("an answer");
        assert_eq!(told.status, 200, "{}", told.text());
        told.json()
    };
    let found = say("tra-cuu-ho-so", "TraCuuHoSo", json!({"MaHoSo": code})).await;
    assert_eq!(found["data"][0]["TrangThaiHoSo"], "10", "{found:#}");
    let whole = json!({"MaHoSo": "H56-20260105-0000001", "MaTTHC": "1.001193", "TrangThaiHoSo": "2",
        "MaDoiTuong": "038198000001", "NgayTiepNhan": "20260105080000"});
    let begun = say("dong-bo-ho-so-mc", "DongBoHoSoMC", whole).await;
    assert_eq!(begun["data"][0]["message"], "begun", "{begun:#}");
}
