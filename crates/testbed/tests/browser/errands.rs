//! What stands beside a case, in the browser: for whom somebody acts, how a result is to come, what a desk has to post, and
//! a month's figures.

use anyhow::ensure;
use sen::up::nation::Place;
use testbed::browser::{Browser, DESK, PHONE};
use testbed::ground::run;

use crate::cast::{House, both, close, enter, house, sign_in, told};

/// A procedure that may be filed for somebody else.
const PETITION: &str = "9.000001";

#[test]
fn a_mother_says_for_whom_she_acts_and_how_a_result_is_to_come() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let lived = both(async |lang| {
            let mother = house.mother("beside", lang, PHONE).await;
            wishes(house, &mother).await?;
            close(vec![mother]).await
        });
        told(lived.await);
    });
}

async fn wishes(house: &House, mother: &Browser) -> anyhow::Result<()> {
    house.sign_in_at(mother, "/mandates").await?;
    mother.see("mandates").await?;
    mother.press("mandate-ask").await?;
    mother.see("mandates-wrong").await?;
    mother
        .go(Place::National, &format!("/procedures/{PETITION}"))
        .await?;
    mother.press("cases-start").await?;
    let here = mother.here().await?;
    let id = here.rsplit('/').next().unwrap_or_default().to_owned();
    mother.see("draft-beside").await?;
    mother
        .go(Place::National, &format!("/drafts/{id}/mandate"))
        .await?;
    mother.see("draft-mandate").await?;
    mother.press("cases-save-continue").await?;
    ensure!(
        mother.here().await?.contains(&id),
        "for herself she goes on with the form"
    );
    let draft = house.start(mother).await?;
    mother.go(Place::National, &format!("{draft}/post")).await?;
    mother.see("draft-post").await?;
    mother
        .fill(&mother.words.t("post-way"), &mother.words.t("post-way-post"))
        .await?;
    mother.press("post-keep").await?;
    mother.see("draft-post-wrong").await
}

#[test]
fn a_desk_sees_what_is_to_be_posted_and_an_operator_a_months_figures() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let lived = both(async |lang| {
            let site = &house.nation.site;
            let desk = Browser::open(site, &house.album("beside-desk", lang), lang, DESK).await?;
            let operator = Browser::open(site, &house.album("beside-operator", lang), lang, DESK).await?;
            enter(&desk, "receptionist").await?;
            desk.go(Place::Province, "/desk/post").await?;
            desk.see("desk-post").await?;
            operator.go(Place::National, "/sign-in?with=password").await?;
            sign_in(&operator, "operator", Place::National).await?;
            operator.go(Place::National, "/national/statistics").await?;
            operator.see("national-statistics").await?;
            close(vec![desk, operator]).await
        });
        told(lived.await);
    });
}
