//! What follows on a registered birth: the child's health-insurance card from the social insurance, and
//! a certified copy of the entry whose fee is paid at a bank. On PostgreSQL when `SEN_TEST_POSTGRES`
//! names a server.

use kernel::World;
use sen::up::nation::SIMULATORS;
use serde_json::json;
use testbed::birth::{self, Answers, Desk, act, at_desk, at_portal, code};
use testbed::ground::{run, until};
use testbed::nation::Nation;
use testbed::people::Person;

const COPY: &str = "/procedures/2.000635/start";

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
    let begun = mother.post(COPY, &[]).await.expect("begun");
    let draft = begun.url.rsplit("/drafts/").next().expect("a draft").to_owned();
    let person = [
        ("person_name", name),
        ("person_number", number),
        ("relation", "parent"),
    ];
    let commune = "Trung Lý, Thanh Hóa";
    let copies = [("copies", "2"), ("receive_at", commune)];
    for (page, answers) in [("person", &person[..]), ("copies", &copies[..])] {
        let path = format!("/drafts/{draft}/pages/{page}");
        let form = mother.get(&path).await.expect("a page").text();
        let revision = sen::story::http::hidden(&form, "revision").expect("a revision");
        let mut fields = vec![("revision", revision.as_str())];
        fields.extend_from_slice(answers);
        let told = mother.post(&path, &fields).await.expect("answered");
        assert!(!told.url.ends_with(page), "{page}: {}", told.text());
    }
    let revision = birth::check(mother, &draft).await.expect("a check");
    let told = mother
        .post(&format!("/drafts/{draft}/file"), &[("revision", &revision)])
        .await
        .expect("filed");
    assert!(told.url.ends_with("/pay"), "{}", told.url);
    assert!(told.text().contains("16.000"), "two copies");
    code(&told.url).expect("a case")
}

/// She pays on the bank's own page, and comes back to her case.
async fn paid(mother: &mut Person, code: &str) {
    let order = mother
        .post(&format!("/cases/{code}/pay"), &[])
        .await
        .expect("an order")
        .text();
    let bank = format!("http://127.0.0.1:{}/pay/", mother.site().port + SIMULATORS + 1);
    let at = order.find(&bank).expect("the way to the bank");
    let url: String = order[at..].chars().take_while(|c| *c != '"').collect();
    let page = mother.browser.get(&url).await.expect("the bank's page").text();
    assert!(page.contains("SIMULATOR"), "it says what it is");
    let back = mother.browser.post(&url, &[]).await.expect("paid");
    assert!(back.url.ends_with(&format!("/cases/{code}")), "{}", back.url);
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
    let accepted = act(&mut desk.receptionist, &seen, "accept", &json!({}))
        .await
        .expect("accepted");
    let granted = json!({"outcome": "granted", "note": ""});
    act(&mut desk.officer, &accepted, "propose", &granted)
        .await
        .expect("proposed");
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
