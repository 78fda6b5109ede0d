//! Who acts in the browser tests, and the nation they share: one for the whole file.

use std::path::PathBuf;

use kernel::World;
use sen::up::nation::Place;
use testbed::birth::{self, Answers};
use testbed::browser::eyes::{Album, engine};
use testbed::browser::{Browser, DESK, PHONE, Screen};
use testbed::ground;
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
pub(crate) async fn close(browsers: Vec<Browser>) {
    let mut faults = Vec::new();
    for browser in browsers {
        faults.extend(browser.close().await.expect("it closes"));
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
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
