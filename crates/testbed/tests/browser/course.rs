//! What can happen to a case on its way, in the browser: the desk asks for more, the mother gives it,
//! and she takes a case back.

use sen::up::nation::Place;
use testbed::browser::{Browser, DESK, PHONE};
use testbed::ground::run;
use web::Lang;

use crate::cast::{House, close, enter, house};

#[test]
fn a_mother_gives_what_the_desk_asks_for_and_takes_another_case_back() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let album = house.album("course", Lang::En);
        let site = &house.nation.site;
        let mother = Browser::open(site, &album, Lang::En, PHONE)
            .await
            .expect("a browser");
        let desk = Browser::open(site, &album, Lang::En, DESK)
            .await
            .expect("a browser");
        let done: anyhow::Result<()> = async {
            supplement(house, &mother, &desk).await?;
            take_back(house, &mother, &desk).await
        }
        .await;
        done.expect("the course");
        close(vec![mother, desk]).await;
    });
}

async fn supplement(house: &House, mother: &Browser, desk: &Browser) -> anyhow::Result<()> {
    let words = mother.words.clone();
    let code = house.file(mother).await?;
    enter(desk, "receptionist").await?;
    desk.wait_for(&code).await?;
    desk.click(&code).await?;
    desk.press("desk-accept").await?;
    enter(desk, "officer").await?;
    desk.click(&code).await?;
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
    mother.see("supplement-sent").await
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
