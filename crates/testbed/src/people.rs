//! Somebody signed in, with a browser. Never a way round the pages.

use anyhow::{Context as _, ensure};
use sen::story::http::{self, Browser, Reply};
use sen::up::accounts::Sample;
use sen::up::nation::Place;
use serde_json::Value;

use crate::site::Site;

/// A person with a browser, at the portal where they work or live.
pub struct Person {
    /// The browser.
    pub browser: Browser,
    /// Where they are.
    pub place: Place,
    /// Of a citizen: of which household of the sample population they are the mother, from 0.
    pub household: usize,
    site: Site,
}

impl Person {
    /// Somebody without a session.
    #[must_use]
    pub fn stranger(site: &Site, place: Place) -> Self {
        Self {
            browser: Browser::default(),
            place,
            household: 0,
            site: site.clone(),
        }
    }

    /// A citizen at the national portal, signed in through the identity provider.
    ///
    /// # Errors
    /// When the way through the provider fails.
    pub async fn citizen(site: &Site, sample: &Sample) -> anyhow::Result<Self> {
        Self::citizen_with(Browser::default(), site, sample).await
    }

    /// As [`Person::citizen`], with a browser of their own.
    ///
    /// # Errors
    /// As [`Person::citizen`].
    pub async fn citizen_with(browser: Browser, site: &Site, sample: &Sample) -> anyhow::Result<Self> {
        let mut me = Self {
            browser,
            household: sample.household,
            ..Self::stranger(site, Place::National)
        };
        let page = me
            .browser
            .get(&site.url(Place::National, "/sign-in?next=/procedures"))
            .await?;
        let next =
            http::hidden(&page.ok()?.text(), "next").context("the provider's form says where to go")?;
        let fields = [
            ("user", sample.user.as_str()),
            ("password", sample.password.as_str()),
            ("next", next.as_str()),
        ];
        let back = me
            .browser
            .post(&site.url(Place::Ministry, "/sign-in"), &fields)
            .await?;
        back.ok()?;
        ensure!(
            back.url.starts_with(&site.url(Place::National, "")),
            "came back to {}",
            back.url
        );
        Ok(me)
    }

    /// The sample mother.
    ///
    /// # Errors
    /// As [`Person::citizen`].
    pub async fn mother(site: &Site) -> anyhow::Result<Self> {
        Self::citizen(site, site.sample("citizen", Place::Ministry)?).await
    }

    /// Somebody who signs in with a password where they are.
    ///
    /// # Errors
    /// When the sign-in is refused.
    pub async fn here(site: &Site, sample: &Sample) -> anyhow::Result<Self> {
        let place = Place::parse(&sample.node).context("a place")?;
        let mut me = Self::stranger(site, place);
        let fields = [
            ("user", sample.user.as_str()),
            ("password", sample.password.as_str()),
            ("next", "/boards"),
        ];
        me.post("/sign-in", &fields).await?.ok()?;
        Ok(me)
    }

    /// The sample official of a role at a place.
    ///
    /// # Errors
    /// As [`Person::here`].
    pub async fn official(site: &Site, role: &str, place: Place) -> anyhow::Result<Self> {
        Self::here(site, site.sample(role, place)?).await
    }

    /// The nation they live in.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The session's cookie as a request carries it; empty for a stranger.
    #[must_use]
    pub fn cookie(&self) -> String {
        let pairs: Vec<String> = self
            .browser
            .cookies()
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        pairs.join("; ")
    }

    /// Opens a page of their portal.
    ///
    /// # Errors
    /// As [`Browser::get`].
    pub async fn get(&mut self, path: &str) -> anyhow::Result<Reply> {
        self.browser.get(&self.site.url(self.place, path)).await
    }

    /// Sends a form to their portal.
    ///
    /// # Errors
    /// As [`Browser::post`].
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Reply> {
        self.browser.post(&self.site.url(self.place, path), fields).await
    }

    /// Sends JSON to their portal and reads JSON.
    ///
    /// # Errors
    /// As [`Browser::post_json`].
    pub async fn post_json(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.browser
            .post_json(&self.site.url(self.place, path), body)
            .await
    }
}
