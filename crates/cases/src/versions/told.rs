//! How the difference of two versions reads, in the reader's language. Never decides what is different: see
//! `diff`.

use serde::Serialize;
use serde_json::Value;
use web::Page;
use web::openapi::{ToSchema, utoipa};

use crate::citizen::describe::fee_words;
use crate::citizen::view::term;
use crate::payment::dong;
use crate::procedure::{Fee, Procedure, Term, Text};
use crate::shown::say;
use crate::store::channel_text;
use crate::versions::diff::{Aspect, Change, Part, balance, changes, text};

/// Keys of a document that have a name of their own on pages; all others are "another rule".
const NAMED: [&str; 43] = [
    "name",
    "label",
    "title",
    "heading",
    "hint",
    "kind",
    "required",
    "page",
    "choices",
    "least",
    "greatest",
    "role",
    "status",
    "clock",
    "to",
    "valid_from",
    "rule",
    "ask_days",
    "answer_days",
    "publisher",
    "level",
    "receiver",
    "first_state",
    "act",
    "draft_check",
    "apology",
    "result",
    "template",
    "service",
    "fills",
    "source",
    "body",
    "answer",
    "born",
    "show",
    "check",
    "guard",
    "unit",
    "consult",
    "charges",
    "charge_rules",
    "forward",
    "publish",
];

/// What one version says otherwise than another, in words.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct VersionChange {
    /// What it is about: `papers`, `terms`, `fee`, `questions`, `steps` and others.
    pub(crate) part: &'static str,
    /// `added`, `gone` or `changed`.
    pub(crate) how: &'static str,
    /// Its code within the part.
    pub(crate) code: String,
    /// What it is called.
    pub(crate) name: String,
    /// What is otherwise about it, a sentence each.
    pub(crate) details: Vec<String>,
}

/// Changes of one part, under its heading.
pub(crate) struct Group {
    pub(crate) part: &'static str,
    pub(crate) title: String,
    /// The word for what was done, and the change.
    pub(crate) changes: Vec<(String, VersionChange)>,
}

/// Two versions beside each other.
pub(crate) struct Told<'a> {
    page: &'a Page,
    was: &'a Procedure,
    now: &'a Procedure,
}

impl<'a> Told<'a> {
    pub(crate) const fn new(page: &'a Page, was: &'a Procedure, now: &'a Procedure) -> Self {
        Self { page, was, now }
    }

    /// Every change in words.
    pub(crate) fn changes(&self) -> Vec<VersionChange> {
        let all = changes(self.was, self.now);
        all.iter().map(|change| self.change(change)).collect()
    }

    /// Every change, by part.
    pub(crate) fn groups(&self) -> Vec<Group> {
        let mut all = self.changes();
        let mut groups = Vec::new();
        for part in Part::ALL {
            let (own, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|c| c.part == part.key());
            all = rest;
            if !own.is_empty() {
                let how = |change: VersionChange| (self.page.t(&format!("diff-{}", change.how)), change);
                groups.push(Group {
                    part: part.key(),
                    title: self.page.t(&format!("diff-part-{}", part.key())),
                    changes: own.into_iter().map(how).collect(),
                });
            }
        }
        groups
    }

    /// How much is asked more or less: what of, and how much.
    pub(crate) fn balance(&self) -> Vec<(String, String)> {
        let told = balance(self.was, self.now);
        let page = self.page;
        let mut lines = vec![
            (page.t("diff-papers"), self.more(told.papers, None)),
            (page.t("diff-questions"), self.more(told.questions, None)),
            (page.t("diff-steps"), self.more(told.steps, None)),
        ];
        let fee = match told.dong {
            Some(by) => self.more(by, Some(dong(by.unsigned_abs()))),
            None => page.t("diff-other-count"),
        };
        lines.push((page.t("diff-fee"), fee));
        for (channel, rule, by) in told.terms {
            let unit = [("n", by.unsigned_abs().to_string())];
            let by_unit = page.tw(&format!("diff-unit-{rule}"), &unit);
            let channel = page.t(&format!("cases-channel-{}", channel_text(channel)));
            lines.push((
                page.tw("diff-term", &[("channel", channel)]),
                self.more(by, Some(by_unit)),
            ));
        }
        lines
    }

    /// How much more or less, in words; `amount` is written instead of the number.
    fn more(&self, by: i64, amount: Option<String>) -> String {
        let amount = amount.unwrap_or_else(|| by.unsigned_abs().to_string());
        match by {
            0 => self.page.t("diff-same"),
            1.. => self.page.tw("diff-more", &[("amount", amount)]),
            _ => self.page.tw("diff-less", &[("amount", amount)]),
        }
    }

    fn change(&self, change: &Change) -> VersionChange {
        VersionChange {
            part: change.part.key(),
            how: change.how(),
            code: change.code.clone(),
            name: self.name(change),
            details: self.details(change),
        }
    }

    fn name(&self, change: &Change) -> String {
        let page = self.page;
        let value = change.now.as_ref().or(change.was.as_ref());
        match change.part {
            Part::Steps => value.map_or_else(|| change.code.clone(), |step| self.step(step)),
            Part::Terms => {
                let channel = value.and_then(|term| term.get("channel")?.as_str());
                page.t(&format!("cases-channel-{}", channel.unwrap_or_default()))
            }
            Part::Supplements => page.tw("diff-supplement-from", &[("day", self.day(&change.code))]),
            Part::Fee => page.t("diff-fee"),
            Part::Head => self.key(&change.code),
            _ => change
                .name()
                .map_or_else(|| change.code.clone(), |name| self.say(&name)),
        }
    }

    fn say(&self, words: &Text) -> String {
        say(words, self.page.lang).to_owned()
    }

    /// What a key of the document is called.
    fn key(&self, key: &str) -> String {
        let known = NAMED.contains(&key);
        let key = if known { key } else { "other" };
        self.page.t(&format!("diff-key-{}", key.replace('_', "-")))
    }

    /// A step in words: what is done, by whom, and in which state.
    fn step(&self, step: &Value) -> String {
        let word = |key: &str| step.get(key).and_then(Value::as_str).unwrap_or_default();
        let args = [
            ("verb", self.word("verb", word("verb"))),
            ("role", self.word("role", word("role"))),
            ("from", self.state(word("from"))),
        ];
        self.page.tw("diff-step", &args)
    }

    /// What an applicant reads of a state.
    fn state(&self, code: &str) -> String {
        let known = self.now.states.get(code).or_else(|| self.was.states.get(code));
        known.map_or_else(|| code.to_owned(), |state| self.say(&state.label))
    }

    /// A word of the document as pages have it; the word itself where they have none.
    fn word(&self, kind: &str, word: &str) -> String {
        let key = format!("diff-{kind}-{word}");
        if self.page.shared.texts.has(&key) {
            self.page.t(&key)
        } else {
            word.to_owned()
        }
    }

    fn day(&self, day: &str) -> String {
        kernel::time::parse_iso(day).map_or_else(|| day.to_owned(), |day| self.page.date(day))
    }

    fn details(&self, change: &Change) -> Vec<String> {
        let whole = |value: &Option<Value>| value.as_ref().map(|value| self.whole(change.part, value));
        match (whole(&change.was), whole(&change.now)) {
            (Some(Some(was)), Some(Some(now))) => vec![self.change_of(&was, &now)],
            (None, Some(Some(only))) | (Some(Some(only)), None) => vec![only],
            _ => change
                .aspects()
                .iter()
                .map(|aspect| self.aspect(aspect))
                .collect(),
        }
    }

    /// What is told in one sentence: a term, a fee.
    fn whole(&self, part: Part, value: &Value) -> Option<String> {
        match part {
            Part::Terms => {
                let read: Term = serde_json::from_value(value.clone()).ok()?;
                Some(term(self.page, &read))
            }
            Part::Fee => {
                let read: Fee = serde_json::from_value(value.clone()).ok()?;
                Some(fee_words(self.page, &read))
            }
            _ => None,
        }
    }

    fn change_of(&self, was: &str, now: &str) -> String {
        let args = [("was", was.to_owned()), ("now", now.to_owned())];
        self.page.tw("diff-from-to", &args)
    }

    fn aspect(&self, aspect: &Aspect<'_>) -> String {
        let page = self.page;
        let shown = |value: Option<&Value>| self.value(aspect.key, value);
        let told = match (shown(aspect.was), shown(aspect.now)) {
            (Some(was), Some(now)) => self.change_of(&was, &now),
            _ => page.t("diff-otherwise"),
        };
        if aspect.key.is_empty() {
            return told;
        }
        let name = self.key(aspect.key);
        page.tw("diff-aspect", &[("name", name), ("told", told)])
    }

    /// A value in words; nothing for one that is too long to write out.
    fn value(&self, key: &str, value: Option<&Value>) -> Option<String> {
        match value {
            None | Some(Value::Null) => Some(self.page.t("diff-none")),
            Some(Value::Bool(true)) => Some(self.page.t("diff-yes")),
            Some(Value::Bool(false)) => Some(self.page.t("diff-no")),
            Some(Value::Number(number)) if key == "status" => {
                Some(self.page.t(&format!("cases-status-{number}")))
            }
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::String(word)) if key == "to" || key == "first_state" => Some(self.state(word)),
            Some(Value::String(word)) => Some(self.word(key, word)),
            Some(other) => text(other).map(|words| self.say(&words)),
        }
    }
}
