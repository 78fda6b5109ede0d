//! Other units are asked for their opinion about a building permit, in the browser: the officer asks, an official of
//! another commune finds the question in the list and answers.

use kernel::Digest;
use sen::up::nation::Place;
use testbed::browser::{Browser, DESK};
use testbed::ground::run;
use testbed::people::Person;
use testbed::permit;

use crate::cast::{House, both, close, enter, house, told};

/// Phường Hạc Thành, another commune of the sample province.
const NEIGHBOUR: &str = "H56.14797";

#[test]
fn an_officer_asks_another_commune_which_answers() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let lived = both(async |lang| {
            let (album, site) = (house.album("consult", lang), &house.nation.site);
            let desk = Browser::open(site, &album, lang, DESK).await?;
            let mut receptionist = Person::official(site, "receptionist", Place::Province).await?;
            let intake = Digest::of(&house.nation.world.random::<8>()).hex();
            let code = permit::handed_in(&mut receptionist, &house.nation.world, &intake).await?;
            ask(&desk, &code).await?;
            answer(house, &desk, &code).await?;
            close(vec![desk]).await
        });
        told(lived.await);
    });
}

async fn ask(desk: &Browser, code: &str) -> anyhow::Result<()> {
    let words = desk.words.clone();
    enter(desk, "officer").await?;
    desk.go(Place::Province, &format!("/desk/cases/{code}/consults"))
        .await?;
    desk.see("consults-form").await?;
    desk.submit("desk-consult-send").await?;
    desk.see("consults-nobody").await?;
    desk.fill(&words.t("desk-consult-unit"), NEIGHBOUR).await?;
    desk.submit("desk-consult-send").await?;
    desk.see("consults-asked").await?;
    desk.go(Place::Province, &format!("/desk/cases/{code}")).await?;
    desk.see("desk-case-consulting").await
}

async fn answer(house: &House, desk: &Browser, code: &str) -> anyhow::Result<()> {
    let words = desk.words.clone();
    let user = format!("hoi-{}", code.to_lowercase());
    let neighbour = house.nation.another(Place::Province, &user, |account| {
        account.roles = vec!["officer".to_owned()];
        account.unit = NEIGHBOUR.parse().expect("a unit");
    });
    let neighbour = neighbour.await?;
    desk.press("web-sign-out").await?;
    desk.go(Place::Province, "/desk/consults").await?;
    desk.sign_in(&neighbour.user, &neighbour.password).await?;
    desk.see("asked-of-us").await?;
    desk.go(Place::Province, &format!("/desk/consults/{code}/1"))
        .await?;
    desk.see("asked").await?;
    desk.submit("desk-consult-answer-send").await?;
    desk.see("asked-empty").await?;
    desk.fill(&words.t("desk-consult-opinion"), &words.t("desk-consult-remarks"))
        .await?;
    desk.fill(
        &words.t("desk-consult-text"),
        "Giữ khoảng lùi ba mét theo quy hoạch (mẫu)",
    )
    .await?;
    desk.submit("desk-consult-answer-send").await?;
    desk.see("asked-answered").await
}
