//! The first story from end to end in the browser: a mother files on her phone, the desk decides, a
//! visitor without script checks what she was given. Every page on the way is looked at.

use anyhow::{Context as _, ensure};
use sen::up::nation::{PLACES, Place};
use testbed::birth;
use testbed::browser::eyes::Album;
use testbed::browser::{Browser, PHONE};
use testbed::ground::{PATIENCE, run};
use tokio::sync::Barrier;
use web::Lang;

use crate::cast::{LANGUAGES, album, answer_page, both, close, desk, mother, nation, paper, sign_in, told};

#[test]
fn a_birth_is_registered_in_the_browser_in_both_languages() {
    run(async {
        let nobody_filed = Barrier::new(LANGUAGES.len());
        let lived = both(async |lang| {
            let album = album("story", lang);
            let (mother, desk) = (mother(&album, lang).await, desk(&album, lang).await);
            live(&mother, &desk, &album, &nobody_filed).await?;
            close(vec![mother, desk]).await
        });
        told(lived.await);
    });
}

async fn live(mother: &Browser, desk: &Browser, album: &Album, nobody_filed: &Barrier) -> anyhow::Result<()> {
    let lang = mother.lang();
    find_and_sign_in(mother).await.context("sign in")?;
    mother.go(Place::National, "/cases").await?;
    mother.see("cases-none").await?;
    // It is the same mother in both languages: neither files before both have seen her empty list.
    let both_saw = tokio::time::timeout(2 * PATIENCE, nobody_filed.wait()).await;
    both_saw.context("the other language did not come this far")?;
    let code = file(mother).await.context("file")?;
    decide(mother, desk, &code).await.context("decide")?;
    let (certificate, document) = result(mother, &code).await.context("result")?;
    check(album, lang, &certificate, &document)
        .await
        .context("check")?;
    public(album, lang, &code).await.context("public")?;
    units(album, lang).await.context("units")?;
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
    mother.see("page-first").await?;
    mother.press("cases-save-continue").await?;
    mother.see("page-first-empty").await?;
    while mother.here().await?.contains("/pages/") {
        answer_page(mother).await?;
        let here = mother.here().await?;
        let page = here.rsplit('/').next().unwrap_or_default();
        mother.see(&format!("page-{page}")).await?;
        mother.save().await?;
    }
    // Behind the last page comes the paper that is missing.
    let here = mother.here().await?;
    ensure!(here.ends_with("/papers/GCS"), "{here}");
    // What the registers answered is not on the way, but can be looked at.
    let draft = here
        .split("/drafts/")
        .nth(1)
        .and_then(|rest| rest.split('/').next());
    let draft = draft.unwrap_or_default().to_owned();
    mother
        .go(Place::National, &format!("/drafts/{draft}/pages/parents"))
        .await?;
    mother.see("page-filled").await?;
    mother
        .go(Place::National, &format!("/drafts/{draft}/check"))
        .await?;
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
    crate::cast::enter(desk, role).await?;
    desk.see(&format!("desk-{role}")).await
}

/// A number is taken at the desk; it is called elsewhere.
async fn numbers(desk: &Browser) -> anyhow::Result<()> {
    let words = desk.words.clone();
    desk.go(Place::Province, "/desk/queue").await?;
    desk.see("desk-queue").await?;
    desk.press("desk-queue-call").await?;
    desk.see("desk-queue-empty").await?;
    desk.click(&words.t("desk-queue-public")).await?;
    desk.see("queue").await?;
    desk.press("queue-take").await?;
    desk.see("queue-ticket").await?;
    desk.click(&words.t("queue-title")).await?;
    desk.click(&words.t("queue-book")).await?;
    desk.see("queue-book").await?;
    desk.press("queue-book-make").await?;
    desk.see("queue-book-empty").await?;
    desk.go(Place::Province, "/desk/queue").await?;
    desk.click(&words.t("queue-screen")).await?;
    desk.see("queue-screen").await
}

async fn decide(mother: &Browser, desk: &Browser, code: &str) -> anyhow::Result<()> {
    let words = desk.words.clone();
    desk.go(Place::Province, "/").await?;
    desk.see("desk-sign-in").await?;
    enter(desk, "receptionist").await?;
    desk.wait_for(code).await?;
    look_for(desk, "qqqqzzzz", "desk-search-none").await?;
    let (who, _) = birth::couple()?;
    look_for(desk, &who.full_name, "desk-search-found").await?;
    desk.click(code).await?;
    desk.see("desk-case-received").await?;
    desk.press("desk-accept").await?;
    desk.see("desk-case-accepted").await?;
    at_intake(desk).await.context("the form of what is handed in")?;
    mother.click(code).await?;
    mother.wait_for(&words.t("cases-status-2")).await?;
    mother.press("cases-working-out").await?;
    mother.see("case-accepted").await?;
    enter(desk, "officer").await?;
    numbers(desk).await.context("numbers")?;
    for (path, page) in [
        (format!("/desk/cases/{code}/assign"), "desk-assign"),
        ("/desk/hand-over".to_owned(), "desk-hand-over"),
        ("/desk?state=mine".to_owned(), "desk-mine-none"),
        ("/desk".to_owned(), "desk-open"),
    ] {
        desk.go(Place::Province, &path).await?;
        desk.see(page).await?;
    }
    desk.click(code).await?;
    desk.see("desk-case-officer").await?;
    desk.press("desk-propose").await?;
    desk.see("desk-propose-empty").await?;
    desk.click(&words.t("desk-granted")).await?;
    desk.fill(&words.t("desk-note"), "Đủ điều kiện đăng ký khai sinh")
        .await?;
    desk.press("desk-propose").await?;
    desk.see("desk-proposed").await?;
    look_at_draft(mother).await.context("the draft")?;
    enter(desk, "chairman").await?;
    desk.click(code).await?;
    desk.wait_for(&words.t("desk-sign-hint")).await?;
    desk.see("desk-to-sign").await?;
    desk.press("desk-send-back").await?;
    desk.see("desk-send-back").await?;
    desk.press("desk-sign").await?;
    desk.see("desk-signed").await?;
    enter(desk, "clerk").await?;
    desk.click(code).await?;
    desk.see("desk-to-seal").await?;
    desk.press("desk-seal").await?;
    desk.see("desk-sealed").await?;
    let printed = desk.print("desk-sealed").await?;
    ensure!(printed.contains(code), "{printed}");
    enter(desk, "supervisor").await?;
    desk.go(Place::Province, "/desk?state=all").await?;
    desk.see("desk-supervisor-all").await?;
    desk.go(Place::Province, "/desk/escalations").await?;
    desk.see("desk-escalations").await?;
    desk.go(Place::Province, "/desk/line").await?;
    desk.see("desk-line").await?;
    desk.go(Place::Province, "/desk/checks").await?;
    desk.see("desk-checks").await?;
    desk.press("sen-nav-moves").await?;
    desk.see("desk-moves").await?;
    desk.press("sen-nav-reconcile").await?;
    desk.press("desk-reconcile-now").await?;
    desk.see("desk-reconcile").await
}

/// The receptionist opens the form of what is handed in, and sends it empty.
async fn at_intake(desk: &Browser) -> anyhow::Result<()> {
    desk.go(Place::Province, "/desk/intake").await?;
    desk.see("desk-intake").await?;
    desk.go(Place::Province, &format!("/desk/intake/{}", birth::PROCEDURE))
        .await?;
    desk.see("desk-intake-form").await?;
    desk.press("desk-intake-take").await?;
    desk.see("desk-intake-faults").await
}

/// Looks for cases by a name.
async fn look_for(desk: &Browser, text: &str, page: &str) -> anyhow::Result<()> {
    let words = &desk.words;
    desk.fill(&words.t("desk-search"), text).await?;
    desk.submit("desk-search-button").await?;
    desk.see(page).await
}

/// The mother looks at what will be signed, and finds it right.
async fn look_at_draft(mother: &Browser) -> anyhow::Result<()> {
    mother.wait_for(&mother.words.t("cases-draft-title")).await?;
    mother.see("case-draft").await?;
    mother.press("cases-draft-send").await?;
    mother.see("case-draft-unanswered").await?;
    mother.press("cases-draft-yes").await?;
    mother.press("cases-draft-send").await?;
    mother.see("case-draft-answered").await
}

/// The certificate as she gets it, and its id.
async fn result(mother: &Browser, code: &str) -> anyhow::Result<(Vec<u8>, String)> {
    mother.go(Place::National, &format!("/cases/{code}")).await?;
    mother.wait_for(&mother.words.t("cases-status-10")).await?;
    mother.see("case-done").await?;
    let printed = mother.print("case-done").await?;
    ensure!(printed.contains(code), "{printed}");
    mother.press("cases-score-5").await?;
    mother.press("cases-rate-send").await?;
    mother.see("case-rated").await?;
    let certificate = mother.link_below(&mother.words.t("cases-results")).await?;
    let (media, bytes) = mother.fetch(&certificate).await?;
    ensure!(
        media == "application/pdf" && bytes.starts_with(b"%PDF"),
        "the result is {media}"
    );
    mother.go(Place::Ministry, "/my/data-usage").await?;
    mother.see("data-usage").await?;
    let id = certificate.rsplit('/').next().unwrap_or_default();
    Ok((bytes, id.to_owned()))
}

/// Somebody without script, who has only the file.
async fn check(album: &Album, lang: Lang, certificate: &[u8], document: &str) -> anyhow::Result<()> {
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
    // What its QR code leads to.
    visitor
        .go(Place::Province, &format!("/verify/{document}"))
        .await?;
    visitor.see("verify-by-code").await?;
    close(vec![visitor]).await
}

/// What everybody may look at: a case by its code, a document by its own, the boards.
async fn public(album: &Album, lang: Lang, code: &str) -> anyhow::Result<()> {
    let site = &nation().await.site;
    let visitor = Browser::open(site, album, lang, PHONE).await?;
    let words = visitor.words.clone();
    visitor.go(Place::National, "/track").await?;
    visitor.see("track").await?;
    visitor.fill(&words.t("cases-code"), "G22-261121-9999").await?;
    visitor.fill(&words.t("track-digits"), "0000").await?;
    visitor.press("track-look").await?;
    visitor.see("track-unknown").await?;
    let (mother, _) = birth::couple()?;
    visitor.fill(&words.t("cases-code"), code).await?;
    visitor
        .fill(&words.t("track-digits"), &mother.personal_number.as_str()[8..])
        .await?;
    visitor.press("track-look").await?;
    ensure!(
        !visitor.says(&mother.full_name).await?,
        "nobody's name is shown to a visitor"
    );
    visitor.see("tracked").await?;
    visitor.go(Place::National, "/procedures").await?;
    visitor.see("procedures-all").await?;
    for (path, page) in [
        ("/procedures?event=birth", "procedures-event"),
        (
            "/procedures?field=ho-tich&level=xa&all=yes",
            "procedures-narrowed",
        ),
        ("/procedures?level=none", "procedures-wrong"),
        ("/procedures/1.000894", "procedure-elsewhere"),
        ("/procedures/1.001193/versions", "procedure-versions"),
    ] {
        visitor.go(Place::National, path).await?;
        visitor.see(page).await?;
    }
    visitor
        .go(Place::National, "/procedures/1.001193/versions")
        .await?;
    visitor.click("2025").await?;
    visitor.see("procedure-changes").await?;
    visitor.go(Place::National, "/problems/stale").await?;
    visitor.see("problem-meaning").await?;
    for (path, page) in [
        ("/boards/published", "boards-published"),
        ("/boards/H56", "boards-of-province"),
        ("/boards/figures/on-time-share?org=H56", "figure"),
        ("/boards/figures/exchanges-per-minute", "figure-live"),
    ] {
        visitor.go(Place::National, path).await?;
        visitor.see(page).await?;
    }
    visitor.go(Place::National, "/verify").await?;
    visitor.press("documents-check-button").await?;
    visitor.see("verify-nothing").await?;
    for place in PLACES {
        visitor.go(place, "/boards").await?;
        visitor.see(&format!("boards-{}", place.id())).await?;
    }
    close(vec![visitor]).await
}

/// Units as of a day, what became of them, and who handles what was opened with them.
async fn units(album: &Album, lang: Lang) -> anyhow::Result<()> {
    let visitor = Browser::open(&nation().await.site, album, lang, PHONE).await?;
    for (path, page) in [
        ("/tra-cuu/don-vi", "areas"),
        ("/tra-cuu/don-vi?on=2024-06-01&province=38", "areas-then"),
        ("/units/H56", "unit"),
        ("/units/H56.14857", "unit-commune"),
        ("/units/02?on=2024-06-01", "unit-then"),
        ("/units/02?on=31-02-2024", "unit-no-day"),
        ("/units/02/succession?from=2025-06-30", "succession"),
        (
            "/units/02/succession?from=2025-06-30&q=khongco",
            "succession-none",
        ),
        ("/units/02/drawing?from=2025-06-30", "succession-drawing"),
        ("/units/handled-by", "handled-empty"),
        ("/units/handled-by?unit=14857&opened=2024-06-01", "handled"),
    ] {
        visitor.go(Place::Province, path).await?;
        visitor.see(page).await?;
    }
    close(vec![visitor]).await
}

/// What an operator and a supervisor look at.
async fn figures(desk: &Browser) -> anyhow::Result<()> {
    for (place, role) in [(Place::Province, "supervisor"), (Place::National, "operator")] {
        desk.go(place, "/sign-in?with=password").await?;
        sign_in(desk, role, place).await?;
        desk.go(place, "/boards").await?;
        desk.see(&format!("boards-{role}")).await?;
    }
    desk.go(Place::National, "/boards/figures/cases-received/rows?org=all")
        .await?;
    desk.see("figure-rows").await?;
    agreements(desk).await?;
    designs(desk).await
}

/// Somebody begins a version of a procedure and is told what is wrong with it; somebody else sees it.
async fn designs(desk: &Browser) -> anyhow::Result<()> {
    let words = desk.words.clone();
    desk.go(Place::National, "/sign-in?with=password").await?;
    sign_in(desk, "designer", Place::National).await?;
    desk.go(Place::National, "/designs").await?;
    desk.see("designs").await?;
    desk.click(&words.t("design-type-it")).await?;
    desk.fill(&words.t("design-document"), "code = \"1.004873\"")
        .await?;
    desk.press("design-save").await?;
    desk.see("design-faults").await?;
    design_form(desk).await?;
    desk.go(Place::National, "/sign-in?with=password").await?;
    sign_in(desk, "publisher", Place::National).await?;
    desk.go(Place::National, "/designs").await?;
    desk.see("designs-publisher").await?;
    desk.click("1.004873").await?;
    desk.see("design-read").await?;
    desk.go(Place::Province, "/sign-in?with=password").await?;
    sign_in(desk, "designer", Place::Province).await?;
    desk.go(Place::Province, "/migrations").await?;
    desk.see("migrations").await?;
    desk.press("migration-plan").await?;
    desk.see("migrations-wrong").await
}

/// The same designer writes the document as a form: an empty one, then one of the pack.
async fn design_form(desk: &Browser) -> anyhow::Result<()> {
    let words = desk.words.clone();
    desk.click(&words.t("form-title")).await?;
    desk.see("design-form-empty").await?;
    desk.go(Place::National, "/designs").await?;
    desk.click(&words.t("design-type-it")).await?;
    let eased = |text: &str| text.replacen("Confirmation of marital status", "Confirmation, eased", 1);
    let (_, document) = testbed::pack::edited("procedures/1.004873.toml", eased)?;
    desk.paste(&words.t("design-document"), &document).await?;
    desk.press("design-save").await?;
    desk.click(&words.t("form-title")).await?;
    desk.see("design-form").await?;
    desk.click(&words.t("form-add-page")).await?;
    desk.see("design-part").await?;
    desk.press("form-save").await?;
    desk.see("design-part-wrong").await?;
    desk.click(&words.t("form-title")).await?;
    desk.click(&words.t("form-preview")).await?;
    desk.see("design-preview").await
}

/// An agreement of the sample: the portal asks the population register.
const AGREEMENT: &str = "01/TT-G01-G22";

/// What an operator sees and asks of the agreements.
async fn agreements(desk: &Browser) -> anyhow::Result<()> {
    desk.go(Place::National, "/exchange/agreements").await?;
    desk.see("agreements").await?;
    desk.click(AGREEMENT).await?;
    desk.see("agreement").await?;
    for (path, page) in [
        ("/exchange/agreements?state=refused", "agreements-none"),
        ("/exchange/allowed", "allowed-ask"),
        ("/exchange/allowed?consumer=x&service=y", "allowed-wrong"),
        (
            "/exchange/allowed?consumer=G22/portal&service=G01/population/person-lookup",
            "allowed-yes",
        ),
        (
            "/exchange/allowed?consumer=G22/portal&service=G15/civil-status/none",
            "allowed-no",
        ),
        ("/exchange/services", "services-none"),
        ("/exchange/services/new", "service-new"),
        ("/exchange/clients", "clients-none"),
        ("/exchange/evidence?case=G22-000000-0000", "evidence-none"),
        ("/exchange/evidence?from=2026-02-31", "evidence-wrong"),
        ("/exchange/traffic", "traffic"),
        ("/exchange/traffic?from=2026-02-31", "traffic-wrong"),
        ("/exchange/monitoring", "monitoring"),
        ("/exchange/refusals", "refusals-none"),
        ("/exchange/standing", "standing"),
        ("/exchange/outbox", "outbox"),
        ("/exchange/outbox?org=G22&topic=case-status", "outbox-lines-none"),
        ("/exchange/audit", "audit"),
        ("/exchange/members", "members"),
        ("/exchange/members/G01", "member"),
        ("/exchange/registrations", "registrations-none"),
        ("/exchange/registrations/new", "registration-new"),
        ("/exchange/trust", "trust"),
        ("/exchange/groups", "groups"),
        ("/exchange/federation", "federation"),
        ("/exchange/delegations", "delegations-none"),
        ("/exchange/agreements/new", "agreement-new"),
    ] {
        desk.go(Place::National, path).await?;
        desk.see(page).await?;
    }
    desk.submit("exchange-request-send").await?;
    desk.see("agreement-new-empty").await?;
    desk.go(Place::National, "/exchange/evidence").await?;
    desk.see("evidence").await?;
    // What opens an exchange is the day and time at which it began.
    desk.click(":").await?;
    desk.see("evidence-proof").await
}
