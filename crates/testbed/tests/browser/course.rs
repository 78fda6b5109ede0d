//! What can happen to a case on its way, in the browser: the desk asks for more, the mother gives it and a
//! deputy signs; and she takes a case back.

use anyhow::ensure;
use sen::up::nation::Place;
use testbed::browser::{Browser, DESK, PHONE};
use testbed::ground::run;

use crate::cast::{House, both, close, enter, house, told};

#[test]
fn a_mother_gives_what_the_desk_asks_for_and_takes_another_case_back() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let lived = both(async |lang| {
            let (album, site) = (house.album("course", lang), &house.nation.site);
            let mother = Browser::open(site, &album, lang, PHONE).await?;
            let desk = Browser::open(site, &album, lang, DESK).await?;
            let code = supplement(house, &mother, &desk).await?;
            by_deputy(&mother, &desk, &code).await?;
            take_back(house, &mother, &desk).await?;
            close(vec![mother, desk]).await
        });
        told(lived.await);
    });
}

async fn supplement(house: &House, mother: &Browser, desk: &Browser) -> anyhow::Result<String> {
    let words = mother.words.clone();
    let code = house.file(mother).await?;
    enter(desk, "receptionist").await?;
    desk.wait_for(&code).await?;
    desk.click(&code).await?;
    desk.press("desk-decline").await?;
    desk.submit("desk-decline").await?;
    desk.see("decline-empty").await?;
    desk.press("desk-accept").await?;
    enter(desk, "officer").await?;
    desk.click(&code).await?;
    desk.press("desk-apologise").await?;
    desk.submit("desk-apologise").await?;
    desk.see("apologise-empty").await?;
    desk.go(Place::Province, &format!("/desk/cases/{code}")).await?;
    desk.press("desk-ask-supplement").await?;
    desk.submit("desk-ask-supplement").await?;
    desk.see("ask-empty").await?;
    desk.fill(
        &words.t("desk-ask-items"),
        "Giấy chứng sinh có dấu của cơ sở y tế, bản quét rõ cả bốn góc",
    )
    .await?;
    desk.fill(&words.t("desk-ask-reason"), "Bản quét mờ, không đọc được số")
        .await?;
    desk.submit("desk-ask-supplement").await?;
    desk.see("asked").await?;
    mother.go(Place::National, &format!("/cases/{code}")).await?;
    mother.wait_for(&words.t("cases-asked")).await?;
    mother.see("case-asked").await?;
    mother.press("cases-supplement").await?;
    mother.see("supplement").await?;
    mother.click(&words.paper()).await?;
    mother.attach(&crate::cast::paper()).await?;
    mother.press("cases-paper-upload").await?;
    mother.press("cases-check-title").await?;
    mother.see("supplement-check").await?;
    mother.press("cases-supplement-send").await?;
    mother.see("supplement-sent").await?;
    Ok(code)
}

/// What she gave is enough: the officer proposes, she finds the draft right, and the deputy signs for the
/// chairman (KT.).
async fn by_deputy(mother: &Browser, desk: &Browser, code: &str) -> anyhow::Result<()> {
    let words = desk.words.clone();
    desk.go(Place::Province, &format!("/desk/cases/{code}")).await?;
    // What she sent comes over the exchange; a comment is asked for by the officer's form alone.
    desk.wait_for(&words.t("desk-note-hint")).await?;
    desk.press("desk-not-now").await?;
    ensure!(
        desk.says(&words.t("problem-case-supplement-once.rule")).await?,
        "a second supplement is refused: {}",
        desk.text().await?
    );
    desk.see("desk-not-now").await?;
    desk.click(&words.t("desk-granted")).await?;
    desk.press("desk-propose").await?;
    mother.go(Place::National, &format!("/cases/{code}")).await?;
    mother.wait_for(&words.t("cases-draft-title")).await?;
    mother.press("cases-draft-yes").await?;
    mother.press("cases-draft-send").await?;
    enter(desk, "deputy-chairman").await?;
    desk.wait_for(code).await?;
    desk.see("desk-deputy-chairman").await?;
    several(desk, code).await?;
    desk.click(code).await?;
    desk.wait_for(&words.t("desk-sign-deputy")).await?;
    desk.see("desk-deputy-to-sign").await?;
    desk.press("desk-sign").await?;
    desk.see("desk-deputy-signed").await?;
    enter(desk, "clerk").await?;
    desk.wait_for(code).await?;
    desk.click(code).await?;
    desk.press("desk-seal").await?;
    ensure!(
        desk.says(&words.t("desk-signed-deputy")).await?,
        "the page says for whom it was signed: {}",
        desk.text().await?
    );
    desk.see("desk-deputy-sealed").await
}

/// The chosen results and cases before they are signed or passed on; nothing is pressed.
async fn several(desk: &Browser, code: &str) -> anyhow::Result<()> {
    for (verb, name) in [("sign", "desk-batch-sign"), ("assign", "desk-batch-assign")] {
        let path = format!("/desk/batch/{verb}");
        desk.go(Place::Province, &path).await?;
        desk.see(&format!("{name}-empty")).await?;
        desk.go(Place::Province, &format!("{path}?pick={code}.0")).await?;
        desk.see(name).await?;
    }
    desk.go(Place::Province, "/desk/filters?state=soon").await?;
    desk.see("desk-filters").await?;
    desk.go(Place::Province, "/desk/register").await?;
    desk.see("desk-register").await?;
    desk.go(Place::Province, "/desk").await
}

async fn take_back(house: &House, mother: &Browser, desk: &Browser) -> anyhow::Result<()> {
    let words = mother.words.clone();
    let code = house.file(mother).await?;
    mother.press("cases-withdraw").await?;
    mother.see("withdraw").await?;
    mother
        .fill(&words.t("cases-withdraw-reason"), "Khai nhầm nơi nộp")
        .await?;
    mother.submit("cases-withdraw").await?;
    mother.see("withdrawn").await?;
    desk.go(Place::Province, "/desk?state=all").await?;
    desk.wait_for(&code).await?;
    desk.see("desk-all").await
}

#[test]
fn a_mother_pays_a_fee_at_her_bank_and_comes_back_to_her_case() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let lived = both(async |lang| {
            let mut mother = house.mother("fee", lang, PHONE).await;
            mother.words = mother.words.about(COPY)?;
            pay(house, &mother).await?;
            close(vec![mother]).await
        });
        told(lived.await);
    });
}

/// A certified copy of a civil-status entry.
const COPY: &str = "2.000635";

async fn pay(house: &House, mother: &Browser) -> anyhow::Result<()> {
    let (who, _) = testbed::birth::couple()?;
    house.sign_in_at(mother, &format!("/procedures/{COPY}")).await?;
    mother.see("fee-procedure").await?;
    mother.press("cases-start").await?;
    mother.see("fee-tasks").await?;
    mother.click(&mother.words.pages()[0].1).await?;
    mother.see("fee-page-empty").await?;
    while mother.here().await?.contains("/pages/") {
        for (code, value) in [
            ("person_name", who.full_name.as_str()),
            ("person_number", who.personal_number.as_str()),
            ("relation", "self"),
            ("copies", "2"),
            ("receive_at", "Trung Lý, Thanh Hóa"),
        ] {
            mother.answer(code, value).await?;
        }
        mother.save().await?;
    }
    mother.see("fee-check").await?;
    mother.press("cases-file").await?;
    mother.see("fee-due").await?;
    mother.press("cases-pay-start").await?;
    mother.see("fee-order").await?;
    let case = mother.here().await?.replace("/pay", "");
    mother.press("cases-pay-at-bank").await?;
    mother.glance("bank").await?;
    mother.click("Pay").await?;
    ensure!(
        mother.here().await?.starts_with(&case),
        "the bank leads back to {}",
        mother.here().await?
    );
    mother.see("fee-paid").await
}
