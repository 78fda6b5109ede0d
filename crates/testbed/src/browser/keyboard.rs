//! The keyboard alone: Tab, Enter and what is typed, with the focus always to be seen. Never a mouse.

use anyhow::{bail, ensure};
use thirtyfour::prelude::*;

use crate::browser::Browser;

impl Browser {
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
}
