//! What holds of every page that a person meets, looked at with a program's eyes; and its pictures,
//! kept for a person's. Every fault names the page and what to mend.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use serde_json::{Value, json};

use crate::browser::{Browser, DESK, NARROW, PHONE, Screen};

/// The most that the first load of a page may weigh, in bytes.
const FIRST_LOAD_BYTES_MAX: u64 = 100 * 1024;
/// The most of a page that is on its picture, in pixels.
const HEIGHT_MAX: u64 = 12_000;
/// What a browser needs around a file in an answer, in bytes: its headers.
const HEADERS_BYTES: u64 = 1_000;
/// The checker, as `cargo xtask test` fetches it.
const AXE: &str = "target/axe/node_modules/axe-core/axe.min.js";

/// Where the pictures of one run lie: `target/screens/<name>/NN-page-<width>.png`.
#[derive(Clone, Debug)]
pub struct Album {
    folder: Arc<PathBuf>,
    next: Arc<AtomicUsize>,
}

/// A page as faults name it.
fn at(name: &str, said: &Value) -> String {
    format!("{name} ({})", said["url"].as_str().unwrap_or_default())
}

/// The checker's text, read once.
fn checker() -> anyhow::Result<&'static str> {
    static TEXT: OnceLock<String> = OnceLock::new();
    if let Some(text) = TEXT.get() {
        return Ok(text);
    }
    let file = root().join(AXE);
    let text = std::fs::read_to_string(&file).with_context(|| {
        format!(
            "{} is missing: `cargo xtask test` fetches axe-core",
            file.display()
        )
    })?;
    Ok(TEXT.get_or_init(|| text))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The storage engine of this run, as pictures are filed under.
#[must_use]
pub fn engine() -> &'static str {
    if std::env::var_os("SEN_TEST_POSTGRES").is_some() {
        "postgres"
    } else {
        "sqlite"
    }
}

impl Album {
    /// An empty album.
    ///
    /// # Errors
    /// When its folder cannot be made.
    pub fn new(name: &str) -> anyhow::Result<Self> {
        let folder = root().join("target/screens").join(name);
        std::fs::remove_dir_all(&folder).ok();
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        Ok(Self {
            folder: Arc::new(folder),
            next: Arc::default(),
        })
    }

    fn number(&self) -> usize {
        self.next.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// What a page says of itself. Its mark is one of its structure and words: digits and identifiers, which
/// no two cases share, are left out.
const SELF: &str = r"
let mark = 0x811c9dc5;
for (const c of document.documentElement.outerHTML.replace(/[0-9a-f]{12,}|\d+/g, '#')) mark = Math.imul(mark ^ c.codePointAt(0), 0x01000193);
const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
const size = document.documentElement, wide = size.scrollWidth - size.clientWidth;
const out = wide <= 0 ? '' : [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > size.clientWidth + 1
  && !e.closest('.table-scroll,.visually-hidden')).slice(0, 4).map(e => e.tagName.toLowerCase() + '.' + e.className).join(', ');
return {
  url: location.pathname, title: document.title, lang: size.lang, wide, out, mark, height: size.scrollHeight,
  headings: document.querySelectorAll('h1').length,
  bytes: entries.reduce((sum, e) => sum + e.encodedBodySize, 0), files: entries.length,
  dangling: [...document.querySelectorAll('.error-summary a')].map(a => a.getAttribute('href'))
    .filter(h => h.startsWith('#') && !document.getElementById(h.slice(1))),
  ids: [...document.querySelectorAll('[id]')].map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i),
};";

impl Browser {
    /// Looks at the page as it is: pictures on a phone and on a desk, and everything that must hold.
    /// What does not is kept as a fault and told when the browser is closed.
    ///
    /// # Errors
    /// When the browser is gone, or the checker is missing.
    pub async fn see(&self, name: &str) -> anyhow::Result<()> {
        let said = self.said().await?;
        self.check(name, &said);
        self.shown(name, &said).await
    }

    /// Looks at a page of somebody else's, whose words and weight are not ours: pictures, whether it fits
    /// and whether everybody can use it.
    ///
    /// # Errors
    /// As [`Browser::see`].
    pub async fn glance(&self, name: &str) -> anyhow::Result<()> {
        let said = self.said().await?;
        self.shown(name, &said).await
    }

    async fn said(&self) -> anyhow::Result<Value> {
        self.look(SELF, Vec::new()).await
    }

    async fn shown(&self, name: &str, said: &Value) -> anyhow::Result<()> {
        let number = self.album.number();
        // The checker is a script: it runs where the page's own could.
        if self.script && self.is_new(said) {
            self.accessible(&at(name, said)).await?;
        }
        for screen in [NARROW, PHONE, DESK] {
            self.resize(screen).await?;
            let height = self.fits(name, screen).await?;
            if screen != NARROW {
                self.picture(number, name, screen, height).await?;
            }
        }
        self.resize(self.screen).await
    }

    /// True for a page that was not met before in this language and on this screen: one check of a state
    /// is enough, however many ways lead to it.
    fn is_new(&self, said: &Value) -> bool {
        static MET: Mutex<BTreeSet<(String, u32, String)>> = Mutex::new(BTreeSet::new());
        let state = (
            self.lang().code().to_owned(),
            self.screen.width,
            said["mark"].to_string(),
        );
        MET.lock().expect("no panic holds it").insert(state)
    }

    fn check(&self, name: &str, said: &Value) {
        let page = at(name, said);
        let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
        if text("lang") != self.lang().code() {
            self.fault(format!(
                "{page}: says it is in {:?}, not in {}",
                text("lang"),
                self.lang().code()
            ));
        }
        if said["headings"] != 1 {
            self.fault(format!("{page}: has {} first headings", said["headings"]));
        }
        if !text("title").contains(" – ") {
            self.fault(format!(
                "{page}: its title {:?} does not name page and site",
                text("title")
            ));
        }
        for (what, list) in [
            ("links to no field", &said["dangling"]),
            ("has the id twice", &said["ids"]),
        ] {
            if list.as_array().is_some_and(|l| !l.is_empty()) {
                self.fault(format!("{page}: {what}: {list}"));
            }
        }
        let bytes = said["bytes"].as_u64().unwrap_or_default()
            + HEADERS_BYTES * said["files"].as_u64().unwrap_or_default();
        if bytes > FIRST_LOAD_BYTES_MAX {
            self.fault(format!("{page}: the first load weighs {bytes} bytes"));
        }
    }

    /// No part of the page is cut off or needs sideways scrolling. Gives the page's height in pixels.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn fits(&self, name: &str, screen: Screen) -> anyhow::Result<u64> {
        let said = self.said().await?;
        if said["wide"].as_i64().unwrap_or_default() > 0 {
            self.fault(format!(
                "{name}: {} px too wide at {} px: {}",
                said["wide"], screen.width, said["out"]
            ));
        }
        Ok(said["height"].as_u64().unwrap_or_default())
    }

    /// Every rule of axe-core, none excepted.
    async fn accessible(&self, page: &str) -> anyhow::Result<()> {
        const RUN: &str = r"
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations.map(v =>
  ({rule: v.id, help: v.help, at: v.nodes.map(n => [n.target.join(' '), n.any.concat(n.all, n.none).map(c => c.message).join('; ')])}))),
  e => done([{rule: 'axe', help: String(e), at: []}]));";
        self.look(checker()?, Vec::new()).await?;
        let found = self.driver.execute_async(RUN, Vec::<Value>::new()).await?;
        for violation in found.json().as_array().into_iter().flatten() {
            self.fault(format!(
                "{page}: {} ({}) at {}",
                violation["rule"].as_str().unwrap_or_default(),
                violation["help"].as_str().unwrap_or_default(),
                violation["at"]
            ));
        }
        Ok(())
    }

    /// The whole page as a picture.
    async fn picture(&self, number: usize, name: &str, screen: Screen, height: u64) -> anyhow::Result<()> {
        let height = height.clamp(u64::from(screen.height), HEIGHT_MAX);
        let clip = json!({"x": 0, "y": 0, "width": screen.width, "height": height, "scale": 1});
        let wanted =
            json!({"format": "png", "optimizeForSpeed": true, "captureBeyondViewport": true, "clip": clip});
        let taken = self.devtools("Page.captureScreenshot", wanted).await?;
        let png =
            base64::engine::general_purpose::STANDARD.decode(taken["data"].as_str().context("a picture")?)?;
        let file = format!("{number:02}-{name}-{}.png", screen.width);
        std::fs::write(self.album.folder.join(file), png)?;
        Ok(())
    }

    /// Prints the page as a PDF beside its pictures, and gives its text as a reader of PDF finds it.
    ///
    /// # Errors
    /// When it cannot be printed or read.
    pub async fn print(&self, name: &str) -> anyhow::Result<String> {
        let wanted = json!({"preferCSSPageSize": true, "printBackground": false, "paperWidth": 8.27, "paperHeight": 11.69});
        let printed = self.devtools("Page.printToPDF", wanted).await?;
        let pdf =
            base64::engine::general_purpose::STANDARD.decode(printed["data"].as_str().context("a PDF")?)?;
        let file = self
            .album
            .folder
            .join(format!("{:02}-{name}.pdf", self.album.number()));
        std::fs::write(&file, pdf)?;
        let mut reader = tokio::process::Command::new("pdftotext");
        let read = reader.args(["-layout"]).arg(&file).arg("-").output().await?;
        ensure!(read.status.success(), "pdftotext cannot read {}", file.display());
        Ok(String::from_utf8_lossy(&read.stdout).into_owned())
    }
}
