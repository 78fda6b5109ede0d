//! What goes wrong on an ordinary day: two windows, the back button, a session that ends, a network
//! that goes, words that do not fit. Nothing that was typed is lost, and nothing happens twice.

use anyhow::ensure;
use sen::up::nation::Place;
use testbed::browser::{Browser, PHONE};
use testbed::ground::run;
use web::Lang;

use crate::cast::{House, LANGUAGES, answer_page, both, close, house, told};

/// Starts a form and gives its address.
async fn start(house: &House, name: &str, lang: Lang) -> anyhow::Result<(Browser, String)> {
    let mother = house.mother(name, lang, PHONE).await;
    let draft = house.start(&mother).await?;
    Ok((mother, draft))
}

#[test]
fn a_form_in_two_windows_shows_the_later_one_what_changed_and_keeps_what_it_typed() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let lived = both(async |lang| {
            let (mother, draft) = start(house, "two-windows", lang).await?;
            let name = mother.words.question("child_name");
            let page = format!("{draft}/pages/child");
            mother.go(Place::National, &page).await?;
            let first = mother.new_tab().await?;
            mother.go(Place::National, &page).await?;
            answer_page(&mother).await?;
            mother.press("cases-save-continue").await?;
            mother.turn_to(first).await?;
            answer_page(&mother).await?;
            mother.fill(&name, "Lê Nguyễn Sen Tư").await?;
            mother.press("cases-save-continue").await?;
            mother.see("stale").await?;
            ensure!(mother.says(&mother.words.t("problem-draft-changed.rule")).await?);
            ensure!(
                mother.value(&name).await? == "Lê Nguyễn Sen Tư",
                "what was typed stays"
            );
            mother.press("cases-save-continue").await?;
            mother.go(Place::National, &page).await?;
            ensure!(
                mother.value(&name).await? == "Lê Nguyễn Sen Tư",
                "the later one counts"
            );
            close(vec![mother]).await
        });
        told(lived.await);
    });
}

#[test]
fn a_session_that_ends_in_the_middle_of_a_form_loses_nothing_that_was_typed() {
    run(async {
        let house = house().await;
        let _alone = house.nation.alone().await;
        let typed = both(async |lang| {
            let (mother, draft) = start(house, "session-ends", lang).await?;
            let page = format!("{draft}/pages/child");
            mother.go(Place::National, &page).await?;
            answer_page(&mother).await?;
            let name = mother.words.question("child_name");
            mother.fill(&name, "Lê Nguyễn Sen Năm").await?;
            Ok((mother, page))
        });
        let typed = told(typed.await);
        house
            .nation
            .shift_ms(kernel::limits::Limits::default().session_idle_ms_max + 1_000);
        for (mother, page) in typed {
            told(sent_after_all(house, mother, &page).await);
        }
    });
}

/// Sends what was typed although the session has ended meanwhile.
async fn sent_after_all(house: &House, mother: Browser, page: &str) -> anyhow::Result<()> {
    mother.press("cases-save-continue").await?;
    house.sign_in(&mother).await?;
    ensure!(
        mother.says(&mother.words.t("identity-kept-lead")).await?,
        "{}",
        mother.text().await?
    );
    mother.see("kept").await?;
    mother.press("identity-kept-send").await?;
    ensure!(!mother.here().await?.contains("/pages/child"), "the form goes on");
    mother.go(Place::National, page).await?;
    let name = mother.words.question("child_name");
    ensure!(mother.value(&name).await? == "Lê Nguyễn Sen Năm");
    close(vec![mother]).await
}

#[test]
fn a_network_that_goes_while_filing_and_a_second_press_make_one_case() {
    run(async {
        let house = house().await;
        // Nobody else files in her name meanwhile: her cases are counted.
        let _alone = house.nation.alone().await;
        for lang in LANGUAGES {
            told(file_once(house, lang).await);
        }
    });
}

async fn file_once(house: &House, lang: Lang) -> anyhow::Result<()> {
    let (mother, draft) = start(house, "offline", lang).await?;
    house.fill(&mother, &draft).await?;
    mother.go(Place::National, "/cases").await?;
    let before = mother.text().await?.matches("G22-").count();
    mother.go(Place::National, &format!("{draft}/check")).await?;
    mother.offline(true).await?;
    mother.press("cases-file").await?;
    ensure!(
        mother.text().await?.contains("ERR_INTERNET_DISCONNECTED"),
        "the browser says that there is no network: {}",
        mother.text().await?
    );
    mother.offline(false).await?;
    mother.driver.back().await?;
    mother.press_twice("cases-file").await?;
    let code = testbed::birth::code(&mother.here().await?)?;
    mother.see("filed-after-all").await?;
    mother.driver.back().await?;
    if !mother.here().await?.contains(&code) {
        // The browser showed the page it still had: filing it again leads to the same case.
        mother.press("cases-file").await?;
    }
    ensure!(
        mother.here().await?.contains(&code),
        "back leads to the one case: {}",
        mother.here().await?
    );
    mother.go(Place::National, "/cases").await?;
    let after = mother.text().await?.matches("G22-").count();
    ensure!(after == before + 1, "{before} cases became {after}");
    close(vec![mother]).await
}

#[test]
fn words_that_do_not_fit_are_cleaned_or_refused_in_plain_words() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let lived = both(async |lang| {
            let (mother, draft) = start(house, "long-words", lang).await?;
            let name = mother.words.question("child_name");
            let page = format!("{draft}/pages/child");
            mother.go(Place::National, &page).await?;
            answer_page(&mother).await?;
            let long = "Nguyễn Thị Công Tằng Tôn Nữ ".repeat(8);
            mother.fill(&name, long.trim()).await?;
            mother.press("cases-save-continue").await?;
            mother.see("long-name").await?;
            if mother.here().await?.ends_with("/pages/child") {
                ensure!(
                    mother.says(&mother.words.t("web-error-summary")).await?,
                    "{}",
                    mother.text().await?
                );
                ensure!(mother.value(&name).await? == long.trim(), "it can be shortened");
            }
            mother.go(Place::National, &page).await?;
            answer_page(&mother).await?;
            mother
                .paste(&name, "Lê \u{7}Nguyễn\u{200b} Sen\u{202e} Sáu\n")
                .await?;
            mother.press("cases-save-continue").await?;
            mother.see("pasted").await?;
            mother.go(Place::National, &page).await?;
            ensure!(
                mother.value(&name).await? == "Lê Nguyễn Sen Sáu",
                "{:?}",
                mother.value(&name).await?
            );
            close(vec![mother]).await
        });
        told(lived.await);
    });
}

#[test]
fn a_register_that_does_not_answer_and_pages_that_are_not_there_say_so() {
    run(async {
        let house = house().await;
        let _alone = house.nation.alone().await;
        let begun = both(async |lang| start(house, "errors", lang).await);
        let begun = told(begun.await);
        house.nation.stop_node(Place::Ministry).await;
        let mut seen = Vec::new();
        for (mother, draft) in &begun {
            seen.push(see_errors(house, mother, draft).await);
        }
        house
            .nation
            .start_node(Place::Ministry)
            .await
            .expect("it starts again");
        for ((mother, _), seen) in begun.into_iter().zip(seen) {
            told(seen);
            told(close(vec![mother]).await);
        }
    });
}

async fn see_errors(house: &House, mother: &Browser, draft: &str) -> anyhow::Result<()> {
    mother.go(Place::National, draft).await?;
    mother.press("cases-prefill").await?;
    mother.see("register-silent").await?;
    ensure!(!mother.says(&mother.words.t("cases-prefill-done")).await?);
    mother.go(Place::National, "/khong-co").await?;
    mother.see("not-found").await?;
    mother.go(Place::National, "/procedures/9.999999").await?;
    mother.see("no-such-procedure").await?;
    mother.go(Place::Province, "/desk").await?;
    let operator = house.nation.site.sample("operator", Place::Province)?.clone();
    mother.sign_in(&operator.user, &operator.password).await?;
    mother.see("forbidden").await
}
