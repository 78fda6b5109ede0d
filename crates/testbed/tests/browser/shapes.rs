//! The shapes a page must take: without script, by keyboard alone, at 320 px, at 400 %.

use sen::up::nation::Place;
use testbed::browser::{Browser, DESK, NARROW, PHONE, ZOOMED};
use testbed::ground::run;
use thirtyfour::prelude::*;

use crate::cast::{answers, both, close, house, told};

#[test]
fn a_citizen_files_without_any_script() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let lived = both(async |lang| {
            let album = house.album("no-script", lang);
            let mother = Browser::without_script(&house.nation.site, &album, lang, PHONE).await?;
            let draft = house.start(&mother).await?;
            mother.press("cases-prefill").await?;
            house.fill(&mother, &draft).await?;
            mother.go(Place::National, &format!("{draft}/check")).await?;
            mother.press("cases-file").await?;
            mother.see("filed").await?;
            testbed::birth::code(&mother.here().await?)?;
            close(vec![mother]).await
        });
        told(lived.await);
    });
}

#[test]
fn a_citizen_files_with_the_keyboard_alone() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let lived = both(async |lang| {
            let mother = house.mother("keyboard", lang, DESK).await;
            house.sign_in_at(&mother, "/procedures/1.001193").await?;
            enter(&mother, &mother.words.t("cases-start")).await?;
            enter(&mother, &mother.words.t("cases-prefill")).await?;
            enter(&mother, &mother.words.pages()[0].1).await?;
            while mother.here().await?.contains("/pages/") {
                by_keys(&mother).await?;
                enter(&mother, &mother.words.t("cases-save-continue")).await?;
            }
            // The paper is asked for behind the last page. What the machine's own file dialog does is not ours.
            mother.attach(&crate::cast::paper()).await?;
            enter(&mother, &mother.words.t("cases-paper-upload")).await?;
            enter(&mother, &mother.words.t("cases-check-title")).await?;
            enter(&mother, &mother.words.t("cases-file")).await?;
            testbed::birth::code(&mother.here().await?)?;
            close(vec![mother]).await
        });
        told(lived.await);
    });
}

/// Goes to something by Tab and presses Enter.
async fn enter(mother: &Browser, words: &str) -> anyhow::Result<()> {
    mother.tab_to(words).await?;
    mother.enter().await
}

/// Answers the page that is shown: every answer typed where Tab leads.
async fn by_keys(mother: &Browser) -> anyhow::Result<()> {
    let all = answers();
    for code in mother.asked().await? {
        let Some((_, value)) = all.iter().find(|(known, _)| *known == code) else {
            continue;
        };
        mother.tab_to(&mother.words.question(&code)).await?;
        match mother.words.kind(&code).as_str() {
            "date" => {
                let mut parts: Vec<&str> = value.split('-').collect();
                parts.reverse();
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        mother.keys(Key::Tab).await?;
                    }
                    mother.keys(*part).await?;
                }
            }
            "choice" => match mother.words.choice(&code, value) {
                // Space takes the first of a group, the arrows go on.
                Some(_) => mother.keys(" ").await?,
                None => mother.keys(Key::Down).await?,
            },
            _ => mother.keys(value.as_str()).await?,
        }
    }
    Ok(())
}

#[test]
fn no_page_scrolls_sideways_at_320_px_or_at_400_percent() {
    run(async {
        let house = house().await;
        let _shared = house.nation.shared().await;
        let lived = both(async |lang| {
            let mother = house.mother("narrow", lang, NARROW).await;
            let draft = house.start(&mother).await?;
            mother.press("cases-prefill").await?;
            for path in [
                "/procedures",
                "/procedures/1.001193",
                "/cases",
                &draft,
                &format!("{draft}/pages/child"),
                &format!("{draft}/pages/parents"),
                &format!("{draft}/check"),
                "/verify",
                "/boards",
            ] {
                mother.go(Place::National, path).await?;
                for screen in [NARROW, ZOOMED] {
                    mother.resize(screen).await?;
                    mother.fits(path, screen).await?;
                }
            }
            close(vec![mother]).await
        });
        told(lived.await);
    });
}
