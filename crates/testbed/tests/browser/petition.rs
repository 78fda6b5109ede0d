//! What people tell an agency, in the browser: a petition with lines, choices and an address is filed, answered, and its
//! answer published for everybody.

use anyhow::ensure;
use sen::up::nation::Place;
use testbed::browser::{Browser, DESK, PHONE};
use testbed::ground::run;

use crate::cast::{House, both, close, enter, house, told};

const PETITION: &str = "9.000001";

#[test]
fn a_petition_is_answered_and_everybody_reads_the_answer() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let lived = both(async |lang| {
            let mut mother = house.mother("petition", lang, PHONE).await;
            mother.words = mother.words.about(PETITION)?;
            let (album, site) = (house.album("petition-desk", lang), &house.nation.site);
            let desk = Browser::open(site, &album, lang, DESK).await?;
            let code = petition(house, &mother).await?;
            answer(&desk, &code).await?;
            publish(&desk, &code).await?;
            read(&mother).await?;
            close(vec![mother, desk]).await
        });
        told(lived.await);
    });
}

/// Fills in the form: first nothing, then all of it; the case's code.
async fn petition(house: &House, mother: &Browser) -> anyhow::Result<String> {
    let words = mother.words.clone();
    house
        .sign_in_at(mother, &format!("/procedures/{PETITION}"))
        .await?;
    mother.see("petition-procedure").await?;
    mother.press("cases-start").await?;
    mother.click(&words.pages()[0].1).await?;
    mother.see("petition-page").await?;
    mother.save().await?;
    mother.see("petition-page-empty").await?;
    mother.answer("about", "place").await?;
    mother.answer("field", "transport").await?;
    mother
        .answer("content", "Đường thôn hỏng nặng (mẫu). Mong được sửa.")
        .await?;
    mother.save().await?;
    mother.save().await?;
    mother.see("petition-you-empty").await?;
    mother
        .fill(&words.t("cases-address-province"), "Tỉnh Thanh Hóa")
        .await?;
    mother
        .fill(&words.t("cases-address-commune"), "Nơi không có")
        .await?;
    mother.answer("phone", "0900 000 000").await?;
    mother
        .fill(&words.question("unnamed"), &words.t("cases-no"))
        .await?;
    mother.answer("receive_at", "Trung Lý, Thanh Hóa").await?;
    mother.save().await?;
    // The province that was chosen gives the names of its communes.
    mother.see("petition-you-names").await?;
    mother.fill(&words.t("cases-address-commune"), "Trung Lý").await?;
    mother
        .fill(&words.t("cases-address-line"), "Số 1, thôn Mẫu")
        .await?;
    mother.save().await?;
    mother.see("petition-check").await?;
    mother.press("cases-file").await?;
    testbed::birth::code(&mother.here().await?)
}

/// Accepted, proposed, signed and sealed.
async fn answer(desk: &Browser, code: &str) -> anyhow::Result<()> {
    let words = desk.words.clone();
    enter(desk, "receptionist").await?;
    desk.wait_for(code).await?;
    desk.click(code).await?;
    desk.press("desk-forward").await?;
    desk.submit("desk-forward-do").await?;
    desk.see("petition-forward-empty").await?;
    desk.press("desk-accept").await?;
    enter(desk, "officer").await?;
    desk.click(code).await?;
    desk.click(&words.t("desk-granted")).await?;
    desk.fill(&words.t("desk-note"), "Đã giao sửa trong tháng (mẫu).")
        .await?;
    desk.press("desk-propose").await?;
    enter(desk, "chairman").await?;
    desk.click(code).await?;
    desk.press("desk-sign").await?;
    enter(desk, "clerk").await?;
    desk.click(code).await?;
    desk.press("desk-seal").await
}

/// The officer confirms the words: first without the tick.
async fn publish(desk: &Browser, code: &str) -> anyhow::Result<()> {
    let words = desk.words.clone();
    let case = format!("/desk/cases/{code}");
    enter(desk, "officer").await?;
    desk.go(Place::Province, &case).await?;
    desk.press("desk-publish-words").await?;
    desk.see("publish").await?;
    desk.submit("desk-publish-do").await?;
    desk.see("publish-unconfirmed").await?;
    desk.click(&words.t("desk-publish-confirm")).await?;
    desk.submit("desk-publish-do").await?;
    desk.see("published").await?;
    desk.press("desk-unpublish").await?;
    desk.see("unpublish").await
}

/// Everybody finds it at the portal, once the word has come there.
async fn read(visitor: &Browser) -> anyhow::Result<()> {
    let words = visitor.words.clone();
    visitor.go(Place::National, "/answers?q=khong+co+gi+ca").await?;
    visitor.see("answers-none").await?;
    visitor.go(Place::National, "/answers").await?;
    visitor.wait_for("Đường thôn hỏng nặng").await?;
    visitor.see("answers").await?;
    visitor
        .click(&words.choice("field", "transport").unwrap_or_default())
        .await?;
    ensure!(
        visitor.says("Đã giao sửa trong tháng").await?,
        "the answer is there: {}",
        visitor.text().await?
    );
    visitor.see("answer").await
}
