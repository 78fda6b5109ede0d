//! What a person does with a browser. Everything is found by the words that stand on the page, never
//! by an id or a class that nobody can see.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use sen::up::nation::Place;
use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::browser::Browser;
use crate::ground::until;

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

/// The field of a label: the control itself, or the boxes of a fieldset.
const BY_LABEL: &str = r"
const [words] = arguments, plain = t => (t || '').replace(/\s+/g, ' ').trim();
const starts = e => { const t = plain(e.textContent); return t === words || t.startsWith(words + ' ('); };
const label = [...document.querySelectorAll('label')].find(l => l.checkVisibility() && starts(l));
if (label) return [label.control];
const legend = [...document.querySelectorAll('legend')].find(l => l.checkVisibility() && starts(l));
return legend ? [...legend.parentElement.querySelectorAll('input,select,textarea')] : [];";

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
    async fn click_on(&self, found: &WebElement) -> anyhow::Result<()> {
        const LEADS: &str = r"
const e = arguments[0]; window.wasHere = true;
return e.tagName === 'A' ? e.pathname + e.search !== location.pathname + location.search || !e.hash : e.tagName === 'BUTTON';";
        let leads = self.look(LEADS, vec![found.to_json()?]).await?;
        found.click().await?;
        if leads == true {
            self.arrive().await?;
        }
        Ok(())
    }

    /// Waits for the next page.
    async fn arrive(&self) -> anyhow::Result<()> {
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

    /// Puts text into a field as pasting does, with characters that no key types.
    ///
    /// # Errors
    /// When no field has the label.
    pub async fn paste(&self, label: &str, text: &str) -> anyhow::Result<()> {
        let controls = self.controls(label).await?;
        let control = controls.first().with_context(|| format!("no field {label:?}"))?;
        let args = vec![control.to_json()?, json!(text)];
        self.look("arguments[0].value = arguments[1];", args).await?;
        Ok(())
    }

    /// The questions that the page asks, by code, in their order.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn asked(&self) -> anyhow::Result<Vec<String>> {
        const NAMES: &str = r"
return [...document.querySelectorAll('main input:not([type=hidden]),main select,main textarea')].map(e => e.name.replace(/-(day|month|year|choice)$/, ''));";
        let names = self.look(NAMES, Vec::new()).await?;
        let mut asked: Vec<String> = serde_json::from_value(names)?;
        asked.dedup();
        Ok(asked)
    }

    /// The controls of a label or of a fieldset's legend; empty when there are none.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn controls(&self, label: &str) -> anyhow::Result<Vec<WebElement>> {
        Ok(self
            .driver
            .execute(BY_LABEL, vec![json!(label)])
            .await?
            .elements()?)
    }

    /// Fills the field of a label: a text, a day `2026-11-19`, the words of a choice.
    ///
    /// # Errors
    /// When no field has the label, or the choice is not there.
    pub async fn fill(&self, label: &str, value: &str) -> anyhow::Result<()> {
        let controls = self.controls(label).await?;
        let Some(first) = controls.first() else {
            bail!(
                "no field is called {label:?} on {}: {}",
                self.here().await?,
                self.text().await?
            );
        };
        if controls.len() == 3 && first.attr("inputmode").await?.is_some() {
            let mut parts: Vec<&str> = value.split('-').collect();
            parts.reverse();
            for (control, part) in controls.iter().zip(parts) {
                retype(control, part.trim_start_matches('0')).await?;
            }
            return Ok(());
        }
        match first.tag_name().await?.as_str() {
            "select" => self.choose(first, value).await,
            "input" if first.attr("type").await?.as_deref() == Some("radio") => {
                for control in &controls {
                    let id = control.id().await?.unwrap_or_default();
                    let label = self.driver.find(By::Css(format!("label[for='{id}']"))).await?;
                    if label.text().await? == value {
                        return Ok(label.click().await?);
                    }
                }
                bail!("{label:?} has no choice {value:?}")
            }
            _ => retype(first, value).await,
        }
    }

    async fn choose(&self, list: &WebElement, words: &str) -> anyhow::Result<()> {
        for option in list.find_all(By::Tag("option")).await? {
            // A list from the pack's codes is chosen by code: its names are many.
            if option.text().await?.trim() == words || option.value().await?.as_deref() == Some(words) {
                return Ok(option.click().await?);
            }
        }
        bail!("the list has no {words:?}")
    }

    /// Chooses a file for the only file field of the page.
    ///
    /// # Errors
    /// When there is none.
    pub async fn attach(&self, file: &Path) -> anyhow::Result<()> {
        let field = self.driver.find(By::Css("input[type=file]")).await?;
        field.send_keys(file.to_string_lossy().as_ref()).await?;
        Ok(())
    }

    /// What stands in the field of a label now.
    ///
    /// # Errors
    /// When no field has the label.
    pub async fn value(&self, label: &str) -> anyhow::Result<String> {
        let controls = self.controls(label).await?;
        let control = controls.first().with_context(|| format!("no field {label:?}"))?;
        Ok(control.value().await?.unwrap_or_default())
    }

    /// Presses keys where the focus is.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn keys(&self, keys: impl Into<TypingData>) -> anyhow::Result<()> {
        self.driver.action_chain().send_keys(keys).perform().await?;
        Ok(())
    }

    /// Presses Enter where the focus is, and waits for the page that it leads to.
    ///
    /// # Errors
    /// When it leads nowhere within patience.
    pub async fn enter(&self) -> anyhow::Result<()> {
        self.look("window.wasHere = true;", Vec::new()).await?;
        self.keys(Key::Enter).await?;
        self.arrive().await
    }

    /// Presses Tab until the focus stands on something that says or is labelled with the words.
    ///
    /// # Errors
    /// When the focus went once round without meeting it, or stood where nobody sees it.
    pub async fn tab_to(&self, words: &str) -> anyhow::Result<()> {
        const STOPS_MAX: usize = 120;
        const STOP: &str = r"
const e = document.activeElement, plain = t => (t || '').replace(/\s+/g, ' ').trim();
if (!e || e === document.body) return ['', true];
const style = getComputedStyle(e), box = e.getBoundingClientRect();
const said = [e.innerText, e.getAttribute('aria-label'), ...[...(e.labels || [])].map(l => l.textContent)].map(plain);
const legend = e.closest('fieldset')?.querySelector('legend');
if (legend) said.push(plain(legend.textContent));
const shown = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== 'none';
return [said.join(' | '), shown && box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight];";
        for _ in 0..STOPS_MAX {
            self.keys(Key::Tab).await?;
            let stop = self.look(STOP, Vec::new()).await?;
            let said = stop[0].as_str().unwrap_or_default();
            ensure!(
                stop[1] == true,
                "the focus cannot be seen on {said:?} at {}",
                self.here().await?
            );
            if said
                .split(" | ")
                .any(|s| s == words || s.starts_with(&format!("{words} (")))
            {
                return Ok(());
            }
        }
        bail!("Tab does not reach {words:?} on {}", self.here().await?)
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

    /// Loses the session of a place, as when it has ended.
    ///
    /// # Errors
    /// When there was none.
    pub async fn lose_session(&self, place: Place) -> anyhow::Result<()> {
        let name = format!("sen_{}", place.id());
        self.driver
            .get_named_cookie(&name)
            .await
            .context("nobody is signed in")?;
        self.driver.delete_cookie(&name).await?;
        Ok(())
    }

    /// Fetches what a link leads to, as the browser would: media type and bytes.
    ///
    /// # Errors
    /// When no link says it, or it leads to an error.
    pub async fn fetch(&self, words: &str) -> anyhow::Result<(String, Vec<u8>)> {
        let link = self.by_words("a[href]", words).await?;
        let href = link.prop("href").await?.unwrap_or_default();
        self.fetch_from(&href).await
    }

    /// Fetches what the first link below a heading leads to: media type and bytes.
    ///
    /// # Errors
    /// When there is no such heading or link, or it leads to an error.
    pub async fn fetch_below(&self, heading: &str) -> anyhow::Result<(String, Vec<u8>)> {
        const BELOW: &str = r"
const heading = [...document.querySelectorAll('h2')].find(h => h.textContent.trim() === arguments[0]);
let next = heading?.nextElementSibling;
while (next && !next.querySelector('a[href]')) next = next.nextElementSibling;
return next?.querySelector('a[href]').href ?? null;";
        let href = self.look(BELOW, vec![json!(heading)]).await?;
        let href = href
            .as_str()
            .with_context(|| format!("there is no link below {heading:?}"))?;
        self.fetch_from(href).await
    }

    async fn fetch_from(&self, href: &str) -> anyhow::Result<(String, Vec<u8>)> {
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

    /// Signs in on the form that is shown.
    ///
    /// # Errors
    /// When the form is not there.
    pub async fn sign_in(&self, user: &str, password: &str) -> anyhow::Result<()> {
        self.fill(&self.words.t("identity-user"), user).await?;
        self.fill(&self.words.t("identity-password"), password).await?;
        let button = self.driver.find(By::Css("main form button")).await?;
        self.click_on(&button).await
    }

    /// Saves the page of the form that is shown and goes on.
    ///
    /// # Errors
    /// When there is no such button.
    pub async fn save(&self) -> anyhow::Result<()> {
        let asks = self.says(&self.words.t("cases-save-continue")).await?;
        self.press(if asks {
            "cases-save-continue"
        } else {
            "web-continue"
        })
        .await
    }

    /// Answers a question of the form if it is asked; `false` when a register has answered it.
    ///
    /// # Errors
    /// When the field refuses what is typed.
    pub async fn answer(&self, code: &str, value: &str) -> anyhow::Result<bool> {
        let label = self.words.question(code);
        if self.controls(&label).await?.is_empty() {
            return Ok(false);
        }
        let choice = self.words.choice(code, value);
        self.fill(&label, choice.as_deref().unwrap_or(value)).await?;
        Ok(true)
    }
}

async fn retype(control: &WebElement, value: &str) -> anyhow::Result<()> {
    control.clear().await?;
    control.send_keys(value).await?;
    Ok(())
}
