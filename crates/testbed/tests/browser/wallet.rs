//! A mother looks after her own documents in the browser: a file that she keeps, a link with a code that somebody meets
//! who is not signed in. And a neighbour signs what she is asked to sign.

use anyhow::{Context as _, ensure};
use sen::up::nation::Place;
use testbed::browser::{Browser, DESK, PHONE};
use testbed::ground::run;
use web::Lang;

use crate::cast::{House, both, close, house, paper, told};

#[test]
fn a_mother_keeps_shares_and_removes_a_document_of_her_own() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let lived = both(async |lang| {
            let mother = house.mother("wallet", lang, PHONE).await;
            let neighbour = house.mother("wallet-shared", lang, DESK).await;
            keep(house, &mother, &neighbour, lang).await?;
            close(vec![mother, neighbour]).await
        });
        told(lived.await);
    });
}

async fn keep(house: &House, mother: &Browser, neighbour: &Browser, lang: Lang) -> anyhow::Result<()> {
    let words = mother.words.clone();
    let title = format!("Bằng tốt nghiệp (mẫu, {})", lang.code());
    house.sign_in_at(mother, "/wallet").await?;
    mother.see("wallet").await?;
    mother.press("wallet-add-save").await?;
    mother.see("wallet-wrong").await?;
    mother.fill(&words.t("wallet-add-title"), &title).await?;
    mother.attach(&paper()).await?;
    mother.press("wallet-add-save").await?;
    mother.see("wallet-entry").await?;
    // In the other language the same file may have been kept a moment ago: it is one document.
    mother.press("wallet-share-make").await?;
    mother.see("wallet-share").await?;
    let (link, code) = (
        below(mother, &words.t("wallet-share-link")).await?,
        below(mother, &words.t("wallet-share-code")).await?,
    );
    let shared = link
        .find("/shared/")
        .and_then(|at| link.get(at..))
        .context("a link")?;
    neighbour.go(Place::National, shared).await?;
    neighbour.see("shared").await?;
    neighbour.fill(&words.t("wallet-share-code"), "000").await?;
    neighbour.press("shared-look").await?;
    neighbour.see("shared-wrong").await?;
    ensure!(code.len() == 6, "a code of six digits: {code}");
    mother.press("wallet-share-back").await?;
    mother.see("wallet-entry-shared").await?;
    mother.go(Place::National, "/wallet").await?;
    mother.see("wallet-filled").await
}

#[test]
fn a_neighbour_signs_what_a_mother_asks_her_to_sign() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let lived = both(async |lang| {
            let mother = house.mother("cosign", lang, PHONE).await;
            let neighbour = house.mother("cosign-asked", lang, PHONE).await;
            sign(house, &mother, &neighbour, lang).await?;
            close(vec![mother, neighbour]).await
        });
        told(lived.await);
    });
}

async fn sign(house: &House, mother: &Browser, neighbour: &Browser, lang: Lang) -> anyhow::Result<()> {
    let words = mother.words.clone();
    let number = match lang {
        Lang::Vi => "038192000025",
        Lang::En => "038192000033",
    };
    let user = format!("cungky-{}", lang.code());
    let account = house.nation.another(Place::Ministry, &user, |account| {
        account.subject = number.parse().ok();
        account.born = kernel::time::civil_date(1992, 3, 1);
        account.level = 2;
        account.roles = vec!["citizen".to_owned()];
    });
    let account = account.await?;
    let draft = house.start(mother).await?;
    mother.go(Place::National, &format!("{draft}/cosigners")).await?;
    mother.see("cosigners-before").await?;
    mother.fill(&words.t("cosign-number"), "1").await?;
    mother.press("cosign-ask").await?;
    mother.see("cosigners-wrong").await?;
    mother.fill(&words.t("cosign-number"), number).await?;
    mother.press("cosign-ask").await?;
    mother.see("cosigners").await?;
    neighbour.go(Place::National, "/sign-in?next=/asked").await?;
    neighbour.sign_in(&account.user, &account.password).await?;
    neighbour.see("asked").await?;
    let asked = draft.replace("/drafts/", "/asked/");
    neighbour.go(Place::National, &asked).await?;
    neighbour.see("cosign").await?;
    neighbour.press("cosign-sign").await?;
    neighbour.see("asked-signed").await?;
    ensure!(
        neighbour.says(&words.t("cosign-signed")).await?,
        "what was signed is said: {}",
        neighbour.text().await?
    );
    mother.go(Place::National, &format!("{draft}/cosigners")).await?;
    mother.see("cosigners-signed").await
}

/// What stands on the line after a name.
async fn below(mother: &Browser, name: &str) -> anyhow::Result<String> {
    let text = mother.text().await?;
    let mut lines = text.lines().map(str::trim);
    lines
        .find(|line| *line == name)
        .with_context(|| format!("no {name:?}"))?;
    let line = lines.next().context("nothing below")?;
    Ok(line.to_owned())
}
