//! Who acts in the browser tests, and the nation they share: one for the whole file.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use kernel::World;
use sen::up::nation::Place;
use testbed::birth::{self, Answers};
use testbed::browser::eyes::{Album, engine};
use testbed::browser::{Browser, DESK, PHONE, Screen};
use testbed::ground;
use testbed::nation::Nation;
use testbed::program::Program;
use tokio::sync::OnceCell;
use web::Lang;

pub(crate) fn world() -> World {
    World::of_this_machine()
}

/// The nation, run by the program itself.
pub(crate) async fn nation() -> &'static Program {
    static ONE: OnceCell<Program> = OnceCell::const_new();
    ONE.get_or_init(|| async { Program::up("browser", &world()).await.expect("sen up") })
        .await
}

/// An empty album for a run in a language.
pub(crate) fn album(name: &str, lang: Lang) -> Album {
    Album::new(&format!("{}-{}-{name}", engine(), lang.code())).expect("a folder")
}

/// A person's browser.
pub(crate) async fn person(album: &Album, lang: Lang, screen: Screen) -> Browser {
    let site = &nation().await.site;
    Browser::open(site, album, lang, screen).await.expect("a browser")
}

/// The sample mother with her phone.
pub(crate) async fn mother(album: &Album, lang: Lang) -> Browser {
    person(album, lang, PHONE).await
}

/// An official's desk.
pub(crate) async fn desk(album: &Album, lang: Lang) -> Browser {
    person(album, lang, DESK).await
}

/// Signs the sample account of a role in, on the form that is shown.
pub(crate) async fn sign_in(browser: &Browser, role: &str, place: Place) -> anyhow::Result<()> {
    let sample = browser.site().sample(role, place)?.clone();
    browser.sign_in(&sample.user, &sample.password).await
}

/// Closes browsers; fails with everything that was wrong with their pages.
pub(crate) async fn close(browsers: Vec<Browser>) -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for browser in browsers {
        faults.extend(browser.close().await?);
    }
    ensure!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    Ok(())
}

/// The languages of every story.
pub(crate) const LANGUAGES: [Lang; 2] = [Lang::Vi, Lang::En];

/// Lives something in Vietnamese and in English, side by side; tells what went wrong in either.
pub(crate) async fn both<T>(live: impl AsyncFn(Lang) -> anyhow::Result<T>) -> anyhow::Result<[T; 2]> {
    let lived = tokio::join!(Box::pin(lived(&live, Lang::Vi)), Box::pin(lived(&live, Lang::En)));
    match (lived.0.context("in Vietnamese"), lived.1.context("in English")) {
        (Ok(vi), Ok(en)) => Ok([vi, en]),
        (Err(vi), Err(en)) => bail!("{vi:#}\n{en:#}"),
        (Err(one), Ok(_)) | (Ok(_), Err(one)) => Err(one),
    }
}

/// Lives something; once more, with new browsers, when one of them no longer answers its driver. That
/// is a fault of the browser (a picture that is never drawn on a busy machine), and none of a page.
async fn lived<T>(live: &impl AsyncFn(Lang) -> anyhow::Result<T>, lang: Lang) -> anyhow::Result<T> {
    match live(lang).await {
        Err(cause) if format!("{cause:#}").contains("webdriver: no answer in time") => {
            eprintln!("once more: {cause:#}");
            live(lang).await
        }
        lived => lived,
    }
}

/// What was lived; the test fails with the whole cause when it broke off.
pub(crate) fn told<T>(lived: anyhow::Result<T>) -> T {
    lived.unwrap_or_else(|cause| panic!("{cause:#}"))
}

/// A paper to attach, as a file on the person's machine.
pub(crate) fn paper() -> PathBuf {
    let file = ground::folder("paper", &world())
        .expect("a folder")
        .join("giay-chung-sinh.pdf");
    std::fs::write(&file, birth::paper(&world()).expect("a PDF")).expect("a file");
    file
}

/// Where the sample mother lives, as she types it.
pub(crate) fn commune() -> String {
    let areas = directory::Areas::load(&sen::config::Config::default().pack).expect("areas");
    let code = directory::people::SAMPLE_COMMUNE.parse().expect("an area");
    areas.full_path(&code, world().now().date())
}

/// What is asked on all pages, answered: the code of a question and what is typed.
pub(crate) fn answers() -> Vec<(&'static str, String)> {
    let usual = Answers::usual(&world()).expect("the sample couple");
    let born = ["child_born-year", "child_born-month", "child_born-day"];
    let born: Vec<&str> = born.iter().map(|part| usual.get(part)).collect();
    let mut all: Vec<(&'static str, String)> = [
        "child_name",
        "child_sex",
        "child_birth_place",
        "child_birth_commune",
        "child_hometown",
        "child_ethnicity",
        "child_nationality",
        "mother_ethnicity",
        "mother_nationality",
        "mother_line",
        "father_ethnicity",
        "father_nationality",
        "father_line",
        "declarant_relation",
    ]
    .map(|code| (code, usual.get(code).to_owned()))
    .to_vec();
    all.push(("child_born", born.join("-")));
    all.push(("receive_at", commune()));
    all
}

/// Answers whatever the page that is shown asks.
pub(crate) async fn answer_page(browser: &Browser) -> anyhow::Result<()> {
    for (code, value) in answers() {
        browser.answer(code, &value).await?;
    }
    Ok(())
}

/// A nation inside the test, whose nodes stop and whose clock moves: for what goes wrong.
pub(crate) struct House {
    pub(crate) nation: Nation,
}

/// The house of this file.
pub(crate) async fn house() -> &'static House {
    static ONE: OnceCell<House> = OnceCell::const_new();
    ONE.get_or_init(|| async {
        let nation = Nation::start("browser").await.expect("a nation");
        House { nation }
    })
    .await
}

impl House {
    pub(crate) fn album(&self, name: &str, lang: Lang) -> Album {
        album(name, lang)
    }

    /// A browser of the sample mother.
    pub(crate) async fn mother(&self, name: &str, lang: Lang, screen: Screen) -> Browser {
        Browser::open(&self.nation.site, &self.album(name, lang), lang, screen)
            .await
            .expect("a browser")
    }

    /// Signs the mother in on the form that is shown.
    pub(crate) async fn sign_in(&self, mother: &Browser) -> anyhow::Result<()> {
        sign_in(mother, "citizen", Place::Ministry).await
    }

    /// Signs the mother in on her way to a page.
    pub(crate) async fn sign_in_at(&self, mother: &Browser, path: &str) -> anyhow::Result<()> {
        mother
            .go(Place::National, &format!("/sign-in?next={path}"))
            .await?;
        // Who is still signed in at the provider comes straight back.
        if mother.here().await?.ends_with(path) {
            return Ok(());
        }
        self.sign_in(mother).await
    }

    /// Signs the mother in and starts a form; gives its path.
    pub(crate) async fn start(&self, mother: &Browser) -> anyhow::Result<String> {
        self.sign_in_at(mother, "/procedures/1.001193").await?;
        mother.press("cases-start").await?;
        let here = mother.here().await?;
        let id = here.rsplit('/').next().unwrap_or_default();
        Ok(format!("/drafts/{id}"))
    }

    /// Starts, fills and files; gives the case's code.
    pub(crate) async fn file(&self, mother: &Browser) -> anyhow::Result<String> {
        let draft = self.start(mother).await?;
        self.fill(mother, &draft).await?;
        mother.go(Place::National, &format!("{draft}/check")).await?;
        mother.press("cases-file").await?;
        birth::code(&mother.here().await?)
    }

    /// Fills what the form asks, the registers first, and attaches the paper.
    pub(crate) async fn fill(&self, mother: &Browser, draft: &str) -> anyhow::Result<()> {
        mother.go(Place::National, draft).await?;
        if mother.says(&mother.words.t("cases-prefill-offer")).await? {
            mother.press("cases-prefill").await?;
        }
        for (code, _) in mother.words.pages() {
            mother
                .go(Place::National, &format!("{draft}/pages/{code}"))
                .await?;
            answer_page(mother).await?;
            mother.save().await?;
        }
        mother.go(Place::National, &format!("{draft}/papers/GCS")).await?;
        mother.attach(&paper()).await?;
        mother.press("cases-paper-upload").await
    }
}

/// Signs whoever sits at the desk out, and an official in.
pub(crate) async fn enter(desk: &Browser, role: &str) -> anyhow::Result<()> {
    desk.go(Place::Province, "/desk").await?;
    if desk.says(&desk.words.t("web-sign-out")).await? {
        desk.press("web-sign-out").await?;
        desk.go(Place::Province, "/desk").await?;
    }
    sign_in(desk, role, Place::Province).await
}
