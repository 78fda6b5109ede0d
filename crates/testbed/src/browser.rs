//! A real browser at a nation's portals: Chromium, driven by WebDriver, with the hands of a person.
//! Nothing here knows a route that a page does not show, and no check looks away.
//!
//! | read | for |
//! |---|---|
//! | [`driver`] | chromedriver as a process of ours |
//! | [`hands`] | what a person does: go, click, wait, turn to another window |
//! | [`fields`], [`keyboard`] | forms, by their labels; Tab and Enter alone |
//! | [`eyes`] | what holds of every page: accessible, light, no sideways scrolling; pictures and print |
//! | [`words`] | the texts of a language, as the person reads them |

pub mod driver;
pub mod eyes;
pub mod fields;
pub mod hands;
pub mod keyboard;
pub mod words;

use std::sync::Mutex;

use anyhow::Context as _;
use sen::up::nation::Place;
use serde_json::{Value, json};
use thirtyfour::WebDriver;
use thirtyfour::common::capabilities::chrome::ChromeCapabilities;
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities as _;
use web::Lang;

use crate::browser::driver::Driver;
use crate::browser::words::Words;
use crate::site::Site;

/// A screen, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
    /// Device pixels in a CSS pixel: 4 is a page zoomed to 400 %.
    pub scale: u32,
}

/// A phone of today.
pub const PHONE: Screen = Screen {
    width: 390,
    height: 844,
    scale: 1,
};
/// The narrowest phone that counts.
pub const NARROW: Screen = Screen {
    width: 320,
    height: 568,
    scale: 1,
};
/// A desk.
pub const DESK: Screen = Screen {
    width: 1280,
    height: 900,
    scale: 1,
};
/// A desk's screen at 400 %: as many CSS pixels as the narrowest phone, and a quarter of the height.
pub const ZOOMED: Screen = Screen {
    width: 320,
    height: 225,
    scale: 4,
};

/// One person's browser, with a profile of its own.
pub struct Browser {
    /// The session.
    pub driver: WebDriver,
    /// What its owner reads.
    pub words: Words,
    /// The screen it is looked at by default.
    pub screen: Screen,
    site: Site,
    script: bool,
    album: eyes::Album,
    faults: Mutex<Vec<String>>,
}

impl Browser {
    /// Opens a browser for a person who reads a language; `album` names the folder of its pictures.
    ///
    /// # Errors
    /// When there is no browser, or it does not start.
    pub async fn open(site: &Site, album: &eyes::Album, lang: Lang, screen: Screen) -> anyhow::Result<Self> {
        Self::with(site, album, lang, screen, true).await
    }

    /// A browser that runs no script of any page.
    ///
    /// # Errors
    /// As [`Browser::open`].
    pub async fn without_script(
        site: &Site,
        album: &eyes::Album,
        lang: Lang,
        screen: Screen,
    ) -> anyhow::Result<Self> {
        Self::with(site, album, lang, screen, false).await
    }

    async fn with(
        site: &Site,
        album: &eyes::Album,
        lang: Lang,
        screen: Screen,
        script: bool,
    ) -> anyhow::Result<Self> {
        let driver = Driver::shared().await?;
        let session = WebDriver::builder(driver.url(), capabilities(lang, script)?)
            .client(driver.client())
            .await
            .context("Chromium does not start")?;
        let browser = Self {
            driver: session,
            words: Words::of(lang)?,
            screen,
            site: site.clone(),
            script,
            album: album.clone(),
            faults: Mutex::default(),
        };
        browser.resize(screen).await?;
        Ok(browser)
    }

    /// The nation's site.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The language of its owner.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.words.lang
    }

    /// Gives the page another screen.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn resize(&self, screen: Screen) -> anyhow::Result<()> {
        let metrics = json!({
            "width": screen.width,
            "height": screen.height,
            "deviceScaleFactor": screen.scale,
            "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await?;
        Ok(())
    }

    /// Cuts the network off, or joins it again.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn offline(&self, offline: bool) -> anyhow::Result<()> {
        self.devtools("Network.enable", json!({})).await?;
        let conditions =
            json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.devtools("Network.emulateNetworkConditions", conditions)
            .await?;
        Ok(())
    }

    /// Asks the browser's own tools.
    pub(crate) async fn devtools(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.driver
            .cdp()
            .send_raw(method, params)
            .await
            .with_context(|| method.to_owned())
    }

    /// An address at a place.
    #[must_use]
    pub fn url(&self, place: Place, path: &str) -> String {
        self.site.url(place, path)
    }

    /// Notes something that is wrong with a page; told at the end, all at once.
    pub fn fault(&self, what: impl Into<String>) {
        self.faults.lock().expect("no panic holds it").push(what.into());
    }

    /// Closes the browser and gives what was wrong with its pages.
    ///
    /// # Errors
    /// When it does not close.
    pub async fn close(self) -> anyhow::Result<Vec<String>> {
        self.driver.quit().await?;
        Ok(self.faults.into_inner().expect("no panic holds it"))
    }
}

fn capabilities(lang: Lang, script: bool) -> anyhow::Result<ChromeCapabilities> {
    let mut wanted = ChromeCapabilities::new();
    let code = lang.code();
    for flag in [
        "--headless=new",
        "--no-first-run",
        // A container's root has no other choice, and it visits our own pages only.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-extensions",
        "--disable-sync",
        "--disable-component-update",
        "--disable-background-networking",
        // Several browsers share the machine: none is behind another, and each goes on drawing.
        "--disable-backgrounding-occluded-windows",
        "--disable-renderer-backgrounding",
        "--disable-background-timer-throttling",
        "--disable-features=Translate,OptimizationHints,MediaRouter,PaintHolding",
        "--hide-scrollbars",
        "--force-color-profile=srgb",
        &format!("--lang={code}"),
    ] {
        wanted.add_arg(flag)?;
    }
    let mut wishes = json!({
        "intl.accept_languages": code,
        "credentials_enable_service": false,
        "plugins.always_open_pdf_externally": true,
    });
    if !script {
        wishes["profile.managed_default_content_settings.javascript"] = json!(2);
    }
    wanted.add_experimental_option("prefs", wishes)?;
    Ok(wanted)
}
