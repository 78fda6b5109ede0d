//! What a version of a procedure says otherwise than another: part by part, and how much it asks more or less
//! of who files and of who decides. Pure; a part that this release does not know is told all the same.

use kernel::fact::Channel;
use serde_json::{Map, Value};

use crate::procedure::{APPLICANT, PLATFORM, Procedure, Term, TermRule, Text};

/// What a change is about, in the order in which changes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The procedure as a whole: its name, its publisher, its result.
    Head,
    /// A paper to attach.
    Papers,
    /// How long it may take by a channel.
    Terms,
    /// What it costs.
    Fee,
    /// A question.
    Questions,
    /// A page of the form.
    Pages,
    /// What a register answers.
    Prefill,
    /// What is done in a state, and by whom.
    Steps,
    /// A state.
    States,
    /// What the law says about asking for what is missing.
    Supplements,
    /// What other agencies do afterwards.
    FollowUps,
    /// What the applicant should have at hand.
    Advice,
    /// An act it rests on.
    Basis,
}

impl Part {
    /// All parts, in the order in which they are told.
    pub const ALL: [Self; 13] = [
        Self::Head,
        Self::Papers,
        Self::Terms,
        Self::Fee,
        Self::Questions,
        Self::Pages,
        Self::Prefill,
        Self::Steps,
        Self::States,
        Self::Supplements,
        Self::FollowUps,
        Self::Advice,
        Self::Basis,
    ];

    /// Its word in texts and answers.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Papers => "papers",
            Self::Terms => "terms",
            Self::Fee => "fee",
            Self::Questions => "questions",
            Self::Pages => "pages",
            Self::Prefill => "prefill",
            Self::Steps => "steps",
            Self::States => "states",
            Self::Supplements => "supplements",
            Self::FollowUps => "follow-ups",
            Self::Advice => "advice",
            Self::Basis => "basis",
        }
    }
}

/// Something that one version has and the other has not, or has otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What it is about.
    pub part: Part,
    /// Its code within the part.
    pub code: String,
    /// As the older version has it; nothing where it is new.
    pub was: Option<Value>,
    /// As the newer version has it; nothing where it is gone.
    pub now: Option<Value>,
}

/// One thing that is otherwise about something that both versions have.
#[derive(Clone, Debug, PartialEq)]
pub struct Aspect<'c> {
    /// The key of the document; empty where the thing has no keys.
    pub key: &'c str,
    /// As it was.
    pub was: Option<&'c Value>,
    /// As it is.
    pub now: Option<&'c Value>,
}

impl Change {
    /// `added`, `gone` or `changed`.
    #[must_use]
    pub const fn how(&self) -> &'static str {
        match (&self.was, &self.now) {
            (None, _) => "added",
            (Some(_), None) => "gone",
            (Some(_), Some(_)) => "changed",
        }
    }

    /// What it is called, in its newer form where there is one.
    #[must_use]
    pub fn name(&self) -> Option<Text> {
        let of = self.now.as_ref().or(self.was.as_ref())?;
        let named = ["label", "name", "title", "source"];
        let own = named.into_iter().find_map(|key| text(of.get(key)?));
        own.or_else(|| text(of))
    }

    /// What is otherwise about it; nothing for what is new or gone.
    #[must_use]
    pub fn aspects(&self) -> Vec<Aspect<'_>> {
        let (Some(was), Some(now)) = (&self.was, &self.now) else {
            return Vec::new();
        };
        let (Some(old), Some(new)) = (keyed(was), keyed(now)) else {
            let whole = Aspect {
                key: "",
                was: Some(was),
                now: Some(now),
            };
            return vec![whole];
        };
        let gone = old.keys().filter(|key| !new.contains_key(*key));
        new.keys()
            .chain(gone)
            .filter(|key| old.get(*key) != new.get(*key))
            .map(|key| Aspect {
                key,
                was: old.get(key),
                now: new.get(key),
            })
            .collect()
    }
}

/// An object with keys of its own; a text in two languages is one value.
fn keyed(value: &Value) -> Option<&Map<String, Value>> {
    value.as_object().filter(|_| text(value).is_none())
}

/// A text in both languages, where a value is one.
#[must_use]
pub fn text(value: &Value) -> Option<Text> {
    let map = value.as_object().filter(|map| map.len() == 2)?;
    Some(Text {
        vi: map.get("vi")?.as_str()?.to_owned(),
        en: map.get("en")?.as_str()?.to_owned(),
    })
}

/// What a version says otherwise than an older one, by part.
#[must_use]
pub fn changes(was: &Procedure, now: &Procedure) -> Vec<Change> {
    let (before, after) = (items(was), items(now));
    let mut changes = Vec::new();
    for item in &after {
        let old = before.iter().find(|old| old.is_same(item));
        let old = old.map(|old| old.value.clone());
        if old.as_ref() != Some(&item.value) {
            changes.push(item.change(old, Some(item.value.clone())));
        }
    }
    let gone = before
        .iter()
        .filter(|old| !after.iter().any(|item| item.is_same(old)));
    changes.extend(gone.map(|old| old.change(Some(old.value.clone()), None)));
    changes.sort_by_key(|change| change.part);
    changes
}

/// Something that a version says.
struct Item {
    part: Part,
    code: String,
    value: Value,
}

impl Item {
    fn is_same(&self, other: &Self) -> bool {
        self.part == other.part && self.code == other.code
    }

    fn change(&self, was: Option<Value>, now: Option<Value>) -> Change {
        Change {
            part: self.part,
            code: self.code.clone(),
            was,
            now,
        }
    }
}

/// All that a version says, thing by thing. Its first day is left out: every version has its own.
fn items(procedure: &Procedure) -> Vec<Item> {
    let mut items = Vec::new();
    let Ok(Value::Object(document)) = serde_json::to_value(procedure) else {
        return items;
    };
    for (key, value) in document {
        let listed = match key.as_str() {
            "papers" => Some((Part::Papers, &["code"][..])),
            "terms" => Some((Part::Terms, &["channel", "when"][..])),
            "prefill" => Some((Part::Prefill, &["service", "applicant", "key"][..])),
            "transitions" => Some((Part::Steps, &["verb", "from", "role"][..])),
            "supplement_rules" => Some((Part::Supplements, &["valid_from"][..])),
            "follow_ups" => Some((Part::FollowUps, &["code"][..])),
            "before_you_start" => Some((Part::Advice, &["vi"][..])),
            "legal_basis" => Some((Part::Basis, &[][..])),
            _ => None,
        };
        match (key.as_str(), value) {
            ("code" | "valid_from", _) | (_, Value::Null) => {}
            ("pages", Value::Array(pages)) => form(pages, &mut items),
            ("states", Value::Object(states)) => {
                items.extend(states.into_iter().map(|(code, value)| Item {
                    part: Part::States,
                    code,
                    value,
                }));
            }
            ("fee", value) => items.push(Item {
                part: Part::Fee,
                code: "fee".to_owned(),
                value,
            }),
            (_, Value::Array(list)) if listed.is_some() => {
                let (part, keys) = listed.unwrap_or((Part::Head, &[]));
                items.extend(list.into_iter().map(|value| Item {
                    part,
                    code: code_of(&value, keys),
                    value,
                }));
            }
            (key, value) => items.push(Item {
                part: Part::Head,
                code: key.to_owned(),
                value,
            }),
        }
    }
    items
}

/// The pages, and their questions apart: a question that goes to another page stays the same one.
fn form(pages: Vec<Value>, items: &mut Vec<Item>) {
    for mut page in pages {
        let code = code_of(&page, &["code"]);
        let questions = page.as_object_mut().and_then(|page| page.remove("questions"));
        let Some(Value::Array(questions)) = questions else {
            continue;
        };
        for mut question in questions {
            if let Some(map) = question.as_object_mut() {
                map.insert("page".to_owned(), Value::String(code.clone()));
            }
            items.push(Item {
                part: Part::Questions,
                code: code_of(&question, &["code"]),
                value: question,
            });
        }
        items.push(Item {
            part: Part::Pages,
            code,
            value: page,
        });
    }
}

/// What names a thing within its part.
fn code_of(value: &Value, keys: &[&str]) -> String {
    let word = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    if keys.is_empty() {
        return word(value);
    }
    let words: Vec<String> = keys.iter().filter_map(|key| value.get(key).map(word)).collect();
    words.join(" ").trim().to_owned()
}

/// How much a version asks more than an older one: what is below zero is saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Papers to attach.
    pub papers: i64,
    /// Questions to answer.
    pub questions: i64,
    /// Steps of officials.
    pub steps: i64,
    /// Dong; nothing where the two fees count by different things.
    pub dong: Option<i64>,
    /// The terms of channels that both have and that count the same: channel, rule, how many.
    pub terms: Vec<(Channel, &'static str, i64)>,
}

/// How much a version asks more than an older one.
#[must_use]
pub fn balance(was: &Procedure, now: &Procedure) -> Balance {
    let questions = |p: &Procedure| count(p.pages.iter().map(|page| page.questions.len()).sum());
    let plain = now.terms.iter().filter(|term| term.when.is_none());
    let terms = plain.filter_map(|term| {
        let old = was.term(term.channel).filter(|old| old.when.is_none())?;
        let ((rule, length), (old_rule, old_length)) = (length(term), length(old));
        (rule == old_rule && term.starts == old.starts).then_some((
            term.channel,
            rule,
            length.saturating_sub(old_length),
        ))
    });
    Balance {
        papers: count(now.papers.len()) - count(was.papers.len()),
        questions: questions(now) - questions(was),
        steps: count(steps(now)) - count(steps(was)),
        dong: dong(was, now),
        terms: terms.collect(),
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// How many different things officials do with a case.
fn steps(procedure: &Procedure) -> usize {
    let mut verbs = Vec::new();
    for step in &procedure.transitions {
        let official = !matches!(step.role.as_str(), PLATFORM | APPLICANT);
        if official && !verbs.contains(&step.verb) {
            verbs.push(step.verb);
        }
    }
    verbs.len()
}

/// How many of what a term counts by; a term within the day has none.
fn length(term: &Term) -> (&'static str, i64) {
    let length = match term.rule {
        TermRule::WorkingDays { days } | TermRule::CalendarDays { days } => days,
        TermRule::WorkingHours { hours } | TermRule::Hours { hours } => hours,
        TermRule::Months { months } => months,
        TermRule::SameDay { .. } => 0,
    };
    (term.rule.name(), length)
}

fn dong(was: &Procedure, now: &Procedure) -> Option<i64> {
    let amount = |dong: u64| i64::try_from(dong).ok();
    let by_rule = was
        .fee
        .iter()
        .chain(&now.fee)
        .any(|fee| fee.rules().next().is_some());
    if by_rule {
        return None;
    }
    match (&was.fee, &now.fee) {
        (None, None) => Some(0),
        (None, Some(fee)) if fee.per.is_none() => amount(fee.dong),
        (Some(fee), None) if fee.per.is_none() => amount(fee.dong).map(|dong| -dong),
        (Some(old), Some(new)) if old.per == new.per => Some(amount(new.dong)? - amount(old.dong)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procedure::{Paper, Procedure};
    use crate::testing::birth;

    fn told(changes: &[Change]) -> Vec<String> {
        let one = |change: &Change| {
            let aspects: Vec<&str> = change.aspects().iter().map(|a| a.key).collect();
            format!(
                "{} {} {} {}",
                change.part.key(),
                change.how(),
                change.code,
                aspects.join(",")
            )
            .trim()
            .to_owned()
        };
        changes.iter().map(one).collect()
    }

    /// A birth registration that asks for another paper, for one question less and for nothing twice.
    fn eased() -> Procedure {
        let mut now = Procedure::clone(&birth());
        now.valid_from = "2027-03-01".to_owned();
        now.papers.push(Paper {
            required: false,
            ..now.papers[0].clone()
        });
        now.papers[1].code = "KHAC".to_owned();
        now.pages[0].questions.remove(0);
        now.pages[1].questions[0].required = !now.pages[1].questions[0].required;
        now.legal_basis.push("Luật mẫu".to_owned());
        now
    }

    #[test]
    fn a_difference_names_each_thing_that_is_new_gone_or_otherwise() {
        let (was, now) = (birth(), eased());
        let parents = now.pages[1].questions[0].code.clone();
        let asked = was.pages[0].questions[0].code.clone();
        assert_eq!(
            told(&changes(&was, &now)),
            [
                "papers added KHAC".to_owned(),
                format!("questions changed {parents} required"),
                format!("questions gone {asked}"),
                "basis added Luật mẫu".to_owned(),
            ]
        );
        assert!(changes(&was, &was).is_empty(), "a version is as itself");
    }

    #[test]
    fn a_question_that_goes_to_another_page_is_the_same_question() {
        let mut now = Procedure::clone(&birth());
        let moved = now.pages[0].questions.remove(0);
        now.pages[1].questions.push(moved.clone());
        let told = told(&changes(&birth(), &now));
        assert_eq!(told, [format!("questions changed {} page", moved.code)]);
    }

    #[test]
    fn what_is_saved_is_below_zero_and_what_cannot_be_compared_is_not_counted() {
        let (was, now) = (birth(), eased());
        let told = balance(&was, &now);
        assert_eq!((told.papers, told.questions, told.steps), (1, -1, 0));
        assert_eq!(told.dong, Some(0));
        let mut slower = now.clone();
        for term in &mut slower.terms {
            term.rule = TermRule::WorkingDays { days: 3 };
        }
        let terms = balance(&now, &slower).terms;
        assert!(
            terms.is_empty(),
            "within the day and three days count by other rules"
        );
        let mut slowest = slower.clone();
        for term in &mut slowest.terms {
            term.rule = TermRule::WorkingDays { days: 5 };
        }
        let longer = balance(&slower, &slowest).terms;
        assert!(
            !longer.is_empty()
                && longer
                    .iter()
                    .all(|(_, rule, by)| (*rule, *by) == ("working-days", 2))
        );
    }

    #[test]
    fn every_part_of_a_document_is_told_whatever_it_is() {
        let was = birth();
        let mut now = Procedure::clone(&was);
        now.receiver = "child_birth_commune".to_owned();
        now.result.template = "other".to_owned();
        now.states.remove("withdrawn");
        now.prefill.pop();
        let parts: Vec<&str> = changes(&was, &now).iter().map(|c| c.part.key()).collect();
        assert_eq!(parts, ["head", "head", "prefill", "states"]);
    }
}
