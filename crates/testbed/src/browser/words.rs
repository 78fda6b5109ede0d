//! The texts of one language as a person reads them on the pages: messages by key, and the pack's
//! own words by code. Never a text of its own.

use std::sync::Arc;

use anyhow::Context as _;
use sen::config::Config;
use toml::Table;
use web::{Lang, Texts};

use crate::birth::PROCEDURE;

/// What a person who reads one language looks for.
#[derive(Clone)]
pub struct Words {
    /// The language.
    pub lang: Lang,
    texts: Arc<Texts>,
    procedure: Arc<Table>,
}

impl Words {
    /// The words of a language.
    ///
    /// # Errors
    /// When the texts or the pack's procedure cannot be read.
    pub fn of(lang: Lang) -> anyhow::Result<Self> {
        let texts = Texts::new(&sen::wiring::texts()).map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
        Ok(Self {
            lang,
            texts: Arc::new(texts),
            procedure: Arc::new(procedure(PROCEDURE)?),
        })
    }

    /// The same words, and those of another procedure.
    ///
    /// # Errors
    /// When the pack has no such procedure.
    pub fn about(&self, code: &str) -> anyhow::Result<Self> {
        Ok(Self {
            procedure: Arc::new(procedure(code)?),
            ..self.clone()
        })
    }

    /// A message.
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        assert!(self.texts.has(key), "there is no text {key}");
        self.texts.get(self.lang, key)
    }

    /// A message with its places filled.
    #[must_use]
    pub fn tw(&self, key: &str, args: &[(&str, &str)]) -> String {
        let args: Vec<(&str, String)> = args.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        self.texts.get_with(self.lang, key, &args)
    }

    /// The procedure's name.
    #[must_use]
    pub fn procedure(&self) -> String {
        self.say(self.procedure.get("name"))
    }

    /// The pages of the form in order: code and title.
    #[must_use]
    pub fn pages(&self) -> Vec<(String, String)> {
        let pages = self.list("pages");
        pages
            .iter()
            .map(|page| (text(page, "code"), self.say(page.get("title"))))
            .collect()
    }

    /// The label of a question.
    #[must_use]
    pub fn question(&self, code: &str) -> String {
        self.find(code)
            .map(|q| self.say(q.get("label")))
            .unwrap_or_else(|| panic!("there is no question {code}"))
    }

    /// The kind of a question: `text`, `name`, `date`, `choice`, `commune`, `personal-number`.
    #[must_use]
    pub fn kind(&self, code: &str) -> String {
        self.find(code).map(|q| text(&q, "kind")).unwrap_or_default()
    }

    /// The label of a choice written in the procedure itself; `None` for choices from a list.
    #[must_use]
    pub fn choice(&self, code: &str, value: &str) -> Option<String> {
        let question = self.find(code)?;
        let choices = question.get("choices")?.as_array()?;
        let found = choices
            .iter()
            .find(|c| c.get("value").and_then(|v| v.as_str()) == Some(value))?;
        Some(self.say(found.get("label")))
    }

    /// The name of the first paper.
    #[must_use]
    pub fn paper(&self) -> String {
        let papers = self.list("papers");
        papers
            .first()
            .map(|p| self.say(p.get("name")))
            .unwrap_or_default()
    }

    fn list(&self, key: &str) -> Vec<Table> {
        let list = self.procedure.get(key).and_then(|l| l.as_array());
        list.into_iter()
            .flatten()
            .filter_map(|item| item.as_table().cloned())
            .collect()
    }

    fn find(&self, code: &str) -> Option<Table> {
        let pages = self.list("pages");
        let questions = pages
            .iter()
            .filter_map(|page| page.get("questions")?.as_array())
            .flatten();
        questions
            .filter_map(|q| q.as_table())
            .find(|q| text(q, "code") == code)
            .cloned()
    }

    fn say(&self, both: Option<&toml::Value>) -> String {
        both.and_then(|b| b.get(self.lang.code()))
            .and_then(|t| t.as_str())
            .unwrap_or_default()
            .to_owned()
    }
}

fn procedure(code: &str) -> anyhow::Result<Table> {
    let file = Config::default().pack.join(format!("procedures/{code}.toml"));
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    Ok(text.parse()?)
}

fn text(table: &Table, key: &str) -> String {
    table
        .get(key)
        .and_then(|v| v.as_str())
        .unwrap_or_default()
        .to_owned()
}
