//! The first story from end to end in the browser: a mother files on her phone, the desk decides, a
//! visitor without script checks what she was given. Every page on the way is looked at.

use anyhow::{Context as _, ensure};
use sen::up::nation::Place;
use testbed::birth;
use testbed::browser::eyes::Album;
use testbed::browser::{Browser, PHONE};
use testbed::ground::run;
use web::Lang;

use crate::cast::{album, answer_page, close, desk, mother, nation, paper, sign_in};

/// The language of this run: Vietnamese on SQLite, English on PostgreSQL.
fn language() -> Lang {
    match testbed::browser::eyes::engine() {
        "postgres" => Lang::En,
        _ => Lang::Vi,
    }
}

#[test]
fn a_birth_is_registered_in_the_browser() {
    run(async {
        let lang = language();
        let album = album("story", lang);
        let (mother, desk) = (mother(&album, lang).await, desk(&album, lang).await);
        let lived = live(&mother, &desk, &album, lang).await;
        if let Err(cause) = lived {
            panic!("{cause:#}");
        }
        close(vec![mother, desk]).await;
    });
}

async fn live(mother: &Browser, desk: &Browser, album: &Album, lang: Lang) -> anyhow::Result<()> {
    find_and_sign_in(mother).await.context("sign in")?;
    let code = file(mother).await.context("file")?;
    decide(mother, desk, &code).await.context("decide")?;
    let certificate = result(mother, &code).await.context("result")?;
    check(album, lang, &certificate).await.context("check")?;
    figures(desk).await.context("figures")
}

async fn find_and_sign_in(mother: &Browser) -> anyhow::Result<()> {
    let words = &mother.words;
    mother.go(Place::National, "/").await?;
    mother.see("procedures").await?;
    mother.fill(&words.t("cases-search"), "qqqqzzzz").await?;
    mother.press("cases-search").await?;
    mother.see("nothing-found").await?;
    mother.fill(&words.t("cases-search"), "dang ky khai sinh").await?;
    mother.press("cases-search").await?;
    mother.see("found").await?;
    mother.go(Place::National, "/procedures/1.001193").await?;
    mother.see("procedure").await?;
    mother.press("cases-sign-in-to-start").await?;
    mother.see("sign-in").await?;
    mother.sign_in("", "").await?;
    mother.see("sign-in-empty").await?;
    mother.sign_in("me", "sai-mat-khau").await?;
    mother.see("sign-in-wrong").await?;
    sign_in(mother, "citizen", Place::Ministry).await?;
    ensure!(
        mother.here().await?.contains("/procedures/1.001193"),
        "she comes back to where she was: {}",
        mother.here().await?
    );
    mother.see("procedure-signed-in").await
}

async fn file(mother: &Browser) -> anyhow::Result<String> {
    let words = mother.words.clone();
    mother.go(Place::National, "/cases").await?;
    mother.see("cases-none").await?;
    mother.go(Place::National, "/procedures/1.001193").await?;
    mother.press("cases-start").await?;
    mother.see("tasks-new").await?;
    mother.press("cases-check-title").await?;
    mother.see("check-missing").await?;
    mother.press("web-back").await?;
    mother.press("cases-prefill").await?;
    ensure!(
        mother.says(&words.t("cases-prefill-done")).await?,
        "{}",
        mother.text().await?
    );
    mother.see("tasks-prefilled").await?;
    mother.click(&words.pages()[0].1).await?;
    for (at, (code, title)) in words.pages().iter().enumerate() {
        ensure!(
            mother.says(title).await?,
            "page {title}: {}",
            mother.text().await?
        );
        mother.see(&format!("page-{code}")).await?;
        if at == 0 {
            mother.press("cases-save-continue").await?;
            mother.see(&format!("page-{code}-empty")).await?;
        }
        answer_page(mother).await?;
        mother.see(&format!("page-{code}-answered")).await?;
        mother.press("cases-save-continue").await?;
    }
    mother.see("check-no-paper").await?;
    mother.press("web-back").await?;
    mother.click(&words.paper()).await?;
    mother.see("paper").await?;
    mother.press("cases-paper-upload").await?;
    mother.see("paper-none").await?;
    mother.attach(&paper()).await?;
    mother.press("cases-paper-upload").await?;
    mother.see("tasks-done").await?;
    mother.press("cases-check-title").await?;
    mother.see("check").await?;
    mother.press("cases-file").await?;
    mother.see("filed").await?;
    let printed = mother.print("filed").await?;
    let code = birth::code(&mother.here().await?)?;
    ensure!(
        printed.contains(&code),
        "the printed page has the code: {printed}"
    );
    ensure!(
        !printed.contains(&words.t("sen-nav-cases")),
        "the printed page has no navigation: {printed}"
    );
    mother.go(Place::National, "/cases").await?;
    mother.see("cases").await?;
    Ok(code)
}

/// Signs out, and another official signs in at the desk.
async fn enter(desk: &Browser, role: &str) -> anyhow::Result<()> {
    desk.go(Place::Province, "/desk").await?;
    if desk.says(&desk.words.t("web-sign-out")).await? {
        desk.press("web-sign-out").await?;
        desk.go(Place::Province, "/desk").await?;
    }
    sign_in(desk, role, Place::Province).await?;
    desk.see(&format!("desk-{role}")).await
}

async fn decide(mother: &Browser, desk: &Browser, code: &str) -> anyhow::Result<()> {
    let words = desk.words.clone();
    desk.go(Place::Province, "/").await?;
    desk.see("desk-sign-in").await?;
    enter(desk, "receptionist").await?;
    desk.wait_for(code).await?;
    desk.click(code).await?;
    desk.see("desk-case-received").await?;
    desk.press("desk-accept").await?;
    desk.see("desk-case-accepted").await?;
    mother.click(code).await?;
    mother.wait_for(&words.t("cases-status-2")).await?;
    mother.press("cases-working-out").await?;
    mother.see("case-accepted").await?;
    enter(desk, "officer").await?;
    desk.click(code).await?;
    desk.see("desk-case-officer").await?;
    desk.press("desk-propose").await?;
    desk.see("desk-propose-empty").await?;
    desk.click(&words.t("desk-granted")).await?;
    desk.fill(&words.t("desk-note"), "Đủ điều kiện đăng ký khai sinh")
        .await?;
    desk.press("desk-propose").await?;
    desk.see("desk-proposed").await?;
    enter(desk, "chairman").await?;
    desk.click(code).await?;
    desk.wait_for(&words.t("desk-sign-hint")).await?;
    desk.see("desk-to-sign").await?;
    desk.press("desk-sign").await?;
    desk.see("desk-signed").await?;
    desk.print("desk-signed").await?;
    Ok(())
}

async fn result(mother: &Browser, code: &str) -> anyhow::Result<Vec<u8>> {
    mother.go(Place::National, &format!("/cases/{code}")).await?;
    mother.wait_for(&mother.words.t("cases-status-10")).await?;
    mother.see("case-done").await?;
    let printed = mother.print("case-done").await?;
    ensure!(printed.contains(code), "{printed}");
    let (media, bytes) = mother.fetch("(PDF)").await?;
    ensure!(
        media == "application/pdf" && bytes.starts_with(b"%PDF"),
        "the result is {media}"
    );
    mother.go(Place::Ministry, "/my/data-usage").await?;
    mother.see("data-usage").await?;
    Ok(bytes)
}

/// Somebody without script, who has only the file.
async fn check(album: &Album, lang: Lang, certificate: &[u8]) -> anyhow::Result<()> {
    let site = &nation().await.site;
    let visitor = Browser::without_script(site, album, lang, PHONE).await?;
    let folder = testbed::ground::folder("certificate", &crate::cast::world())?;
    let whole = folder.join("khai-sinh.pdf");
    std::fs::write(&whole, certificate)?;
    let mut altered = certificate.to_vec();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    let broken = folder.join("khai-sinh-sua.pdf");
    std::fs::write(&broken, altered)?;
    visitor.go(Place::National, "/verify").await?;
    visitor.see("verify").await?;
    for (name, file) in [("verify-passed", whole), ("verify-failed", broken)] {
        visitor.go(Place::National, "/verify").await?;
        visitor.attach(&file).await?;
        visitor.press("documents-check-button").await?;
        visitor.see(name).await?;
    }
    close(vec![visitor]).await;
    Ok(())
}

async fn figures(desk: &Browser) -> anyhow::Result<()> {
    desk.go(Place::Province, "/figures").await?;
    desk.see("figures").await?;
    for place in [Place::National, Place::Ministry] {
        desk.go(place, "/figures").await?;
        desk.see(&format!("figures-{}", place.id())).await?;
    }
    Ok(())
}
