//! Filling forms, by the labels that stand at their fields. Never sends anything that a person could
//! not have typed, chosen or pasted.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::json;
use thirtyfour::prelude::*;

use crate::browser::Browser;

/// The field of a label: the control itself, or the boxes of a fieldset.
const BY_LABEL: &str = r"
const [words] = arguments, plain = t => (t || '').replace(/\s+/g, ' ').trim();
const starts = e => { const t = plain(e.textContent); return t === words || t.startsWith(words + ' ('); };
const label = [...document.querySelectorAll('label')].find(l => l.checkVisibility() && starts(l));
if (label) return [label.control];
const legend = [...document.querySelectorAll('legend')].find(l => l.checkVisibility() && starts(l));
return legend ? [...legend.parentElement.querySelectorAll('input,select,textarea')] : [];";

impl Browser {
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
