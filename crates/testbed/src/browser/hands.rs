//! What a person does with a browser: go, click, wait, turn to another window. Everything is found by
//! the words that stand on the page, never by an id or a class that nobody can see.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use sen::up::nation::Place;
use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::browser::Browser;
use crate::ground::until;

/// Between two loads of a page that is waited for.
const BETWEEN_LOADS: Duration = Duration::from_millis(150);

/// What can be clicked.
const CLICKABLE: &str = "a[href],button,summary,label,input[type=submit]";

/// The visible element of a kind with these words: the one that has them whole, else the one that says
/// the least besides.
const BY_WORDS: &str = r"
const [kinds, words] = arguments, plain = t => (t || '').replace(/\s+/g, ' ').trim();
const all = [...document.querySelectorAll(kinds)].filter(e => e.checkVisibility() && !e.matches('.visually-hidden')
  && plain(e.textContent).includes(words));
const last = e => (e.tagName === 'LABEL' ? 1e6 : 0) + plain(e.textContent).length;
all.sort((a, b) => last(a) - last(b));
return all.find(e => plain(e.innerText) === words) || all[0] || null;";

impl Browser {
    /// Types an address.
    ///
    /// # Errors
    /// When the page does not open.
    pub async fn go(&self, place: Place, path: &str) -> anyhow::Result<()> {
        let url = self.url(place, path);
        self.driver.goto(&url).await.with_context(|| url)
    }

    /// Runs a script in the page and gives what it returns: the tests' own eyes, which a page's content
    /// security policy does not bind.
    pub(crate) async fn look(&self, script: &str, args: Vec<Value>) -> anyhow::Result<Value> {
        Ok(self.driver.execute(script, args).await?.json().clone())
    }

    async fn by_words(&self, kinds: &str, words: &str) -> anyhow::Result<WebElement> {
        let found = self
            .driver
            .execute(BY_WORDS, vec![json!(kinds), json!(words)])
            .await?;
        if found.json().is_null() {
            bail!(
                "nothing says {words:?} on {}: {}",
                self.here().await?,
                self.text().await?
            );
        }
        Ok(found.element()?)
    }

    /// Clicks the link, button or label that says something, and waits for the page.
    ///
    /// # Errors
    /// When nothing says it.
    pub async fn click(&self, words: &str) -> anyhow::Result<()> {
        let found = self.by_words(CLICKABLE, words).await?;
        self.click_on(&found)
            .await
            .with_context(|| format!("click {words:?}"))
    }

    /// Clicks, and waits until what leads somewhere has led there.
    pub(super) async fn click_on(&self, found: &WebElement) -> anyhow::Result<()> {
        const LEADS: &str = r"
const e = arguments[0]; window.wasHere = true;
e.scrollIntoView({block: 'center', behavior: 'instant'}); // as a reader does: of a button at the edge a press may move it from under the finger
return e.tagName === 'A' ? e.pathname + e.search !== location.pathname + location.search || !e.hash : e.tagName === 'BUTTON';";
        let leads = self.look(LEADS, vec![found.to_json()?]).await?;
        found.click().await?;
        if leads == true {
            let arrived = self.arrive().await;
            if let Err(cause) = arrived {
                return Err(cause.context(format!(
                    "still on {}: {}",
                    self.here().await?,
                    self.text().await?
                )));
            }
        }
        Ok(())
    }

    /// Waits for the next page.
    pub(super) async fn arrive(&self) -> anyhow::Result<()> {
        until("a click leads to a page", async || {
            let new = self
                .look(
                    "return !window.wasHere && document.readyState === 'complete'",
                    Vec::new(),
                )
                .await?;
            Ok((new == true).then_some(()))
        })
        .await
    }

    /// Clicks what a message says.
    ///
    /// # Errors
    /// As [`Browser::click`].
    pub async fn press(&self, key: &str) -> anyhow::Result<()> {
        self.click(&self.words.t(key)).await
    }

    /// Presses the button that a message names, also where a heading that opens says the same.
    ///
    /// # Errors
    /// When there is no such button.
    pub async fn submit(&self, key: &str) -> anyhow::Result<()> {
        let found = self.by_words("button", &self.words.t(key)).await?;
        self.click_on(&found)
            .await
            .with_context(|| format!("button {key}"))
    }

    /// Presses a button twice, as an impatient finger does.
    ///
    /// # Errors
    /// As [`Browser::click`].
    pub async fn press_twice(&self, key: &str) -> anyhow::Result<()> {
        let found = self.by_words("button", &self.words.t(key)).await?;
        self.look("window.wasHere = true;", Vec::new()).await?;
        self.driver
            .action_chain()
            .double_click_element(&found)
            .perform()
            .await?;
        self.arrive().await
    }

    /// The address now.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn here(&self) -> anyhow::Result<String> {
        Ok(self.driver.current_url().await?.to_string())
    }

    /// What the page says.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn text(&self) -> anyhow::Result<String> {
        // A page that is just being left is looked at again.
        let mut seen = Ok(Value::Null);
        for _ in 0..5 {
            seen = self
                .look("return document.body ? document.body.innerText : ''", Vec::new())
                .await;
            if seen.is_ok() {
                break;
            }
        }
        Ok(seen?.as_str().unwrap_or_default().to_owned())
    }

    /// True when the page says it somewhere.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn says(&self, words: &str) -> anyhow::Result<bool> {
        let plain = |t: &str| t.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(plain(&self.text().await?).contains(&plain(words)))
    }

    /// Reloads until the page says something.
    ///
    /// # Errors
    /// When it does not within patience.
    pub async fn wait_for(&self, words: &str) -> anyhow::Result<()> {
        until(&format!("the page says {words:?}"), async || {
            if self.says(words).await? {
                return Ok(Some(()));
            }
            // Whoever waits does not press reload all the time.
            tokio::time::sleep(BETWEEN_LOADS).await;
            self.driver.refresh().await?;
            Ok(None)
        })
        .await
    }

    /// Opens another tab and turns to it; gives the tab that was in front.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn new_tab(&self) -> anyhow::Result<WindowHandle> {
        let old = self.driver.window().await?;
        let new = self.driver.new_tab().await?;
        self.driver.switch_to_window(new).await?;
        self.resize(self.screen).await?;
        Ok(old)
    }

    /// Turns to a tab and gives the one that was in front.
    ///
    /// # Errors
    /// When there is no such tab.
    pub async fn turn_to(&self, tab: WindowHandle) -> anyhow::Result<WindowHandle> {
        let old = self.driver.window().await?;
        self.driver.switch_to_window(tab).await?;
        Ok(old)
    }

    /// Where the first link below a heading leads.
    ///
    /// # Errors
    /// When there is no such heading or link.
    pub async fn link_below(&self, heading: &str) -> anyhow::Result<String> {
        const BELOW: &str = r"
const heading = [...document.querySelectorAll('h2')].find(h => h.textContent.trim() === arguments[0]);
let next = heading?.nextElementSibling;
while (next && !next.querySelector('a[href]')) next = next.nextElementSibling;
return next?.querySelector('a[href]').href ?? null;";
        let href = self.look(BELOW, vec![json!(heading)]).await?;
        let href = href.as_str().map(str::to_owned);
        href.with_context(|| format!("there is no link below {heading:?}"))
    }

    /// Fetches an address, as the browser would: media type and bytes.
    ///
    /// # Errors
    /// When it leads to an error.
    pub async fn fetch(&self, href: &str) -> anyhow::Result<(String, Vec<u8>)> {
        use base64::Engine as _;
        const FETCH: &str = r"
const [href, done] = arguments;
fetch(href).then(async r => {
  const bytes = new Uint8Array(await r.arrayBuffer()); let text = '';
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  done([r.status, r.headers.get('content-type'), btoa(text)]);
}, e => done([0, String(e), '']));";
        let got = self.driver.execute_async(FETCH, vec![json!(href)]).await?;
        let got = got.json();
        ensure!(got[0] == 200, "{href}: {} {}", got[0], got[1]);
        let bytes = base64::engine::general_purpose::STANDARD.decode(got[2].as_str().unwrap_or_default())?;
        Ok((got[1].as_str().unwrap_or_default().to_owned(), bytes))
    }
}
