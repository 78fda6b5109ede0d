//! Answers with which rules are tried when a document is held against its lints: every way of answering where
//! there are few, and else those around which a rule changes. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue};
use kernel::time::{iso, parse_iso};

use super::{Rule, Type, type_of};
use crate::case::Answers;
use crate::procedure::{Procedure, Question};

/// Ways of answering that are tried, count.
const TRIES_MAX: usize = 4_096;
/// Choices of which every selection is tried, count.
const SELECTED_MAX: usize = 5;

/// Ways of answering the fields that rules take.
pub(crate) struct Tries {
    /// Each of them.
    pub(crate) answers: Vec<Answers>,
    /// True when there is no other way that could matter.
    pub(crate) all: bool,
}

impl Tries {
    /// The ways of answering what some rules take; fields that are never asked are never answered.
    #[must_use]
    pub(crate) fn of(procedure: &Procedure, rules: &[&Rule], never: &BTreeSet<&str>) -> Self {
        let mut said = Said::default();
        let (mut reads, mut fields) = (BTreeSet::new(), BTreeSet::new());
        let mut all = true;
        for rule in rules {
            if let Ok(expression) = rule.expression() {
                said.part(&expression.root);
                all &= !expression.dated;
                reads.extend(expression.reads.iter().map(String::as_str));
                fields.extend(rule.fields());
            }
        }
        let mut ways = vec![Answers::new()];
        for field in fields {
            let Some(question) = procedure.question(field).filter(|_| !never.contains(field)) else {
                continue;
            };
            let (values, whole) = said.values(question, reads.contains(field));
            all &= whole;
            if ways.len().saturating_mul(values.len() + 1) > TRIES_MAX {
                all = false;
                continue;
            }
            let with = |way: &Answers, value: &String| {
                let mut way = way.clone();
                way.insert(field.to_owned(), value.clone());
                way
            };
            let more: Vec<Answers> = ways
                .iter()
                .flat_map(|way| values.iter().map(move |value| with(way, value)))
                .collect();
            ways.extend(more);
        }
        Self { answers: ways, all }
    }
}

/// What the rules say themselves: numbers and texts.
#[derive(Default)]
struct Said {
    numbers: BTreeSet<i64>,
    words: BTreeSet<String>,
}

impl Said {
    fn part(&mut self, part: &IdedExpr) {
        match &part.expr {
            Expr::Literal(LiteralValue::Int(number)) => {
                self.numbers.insert(*number.inner());
            }
            Expr::Literal(LiteralValue::String(text)) => {
                self.words.insert(text.inner().to_owned());
            }
            Expr::List(list) => list.elements.iter().for_each(|item| self.part(item)),
            Expr::Call(call) => {
                call.target.iter().for_each(|target| self.part(target));
                call.args.iter().for_each(|item| self.part(item));
            }
            Expr::Comprehension(over) => {
                self.part(&over.iter_range);
                self.part(&over.loop_step);
            }
            _ => {}
        }
    }

    /// Answers to a question that are worth trying, and whether no other could matter. Of what is only asked for
    /// being answered, one is enough.
    fn values(&self, question: &Question, is_read: bool) -> (Vec<String>, bool) {
        match type_of(question) {
            Type::YesNo => (vec!["yes".to_owned(), "no".to_owned()], true),
            Type::Choice(values) => (values, true),
            Type::List(of) => match *of {
                Type::Choice(values) => selections(&values),
                _ => (Vec::new(), false),
            },
            Type::Number => (self.numbers(question), !is_read),
            Type::Date => (self.days(), !is_read),
            Type::Text | Type::Words(_) | Type::Nothing => {
                let mut words: Vec<String> = self.words.iter().filter(|w| !w.is_empty()).cloned().collect();
                words.push("x".to_owned());
                (words, !is_read)
            }
        }
    }

    /// The numbers that are said and their neighbours, as far as the question takes them.
    fn numbers(&self, question: &Question) -> Vec<String> {
        let (least, greatest) = question.bounds();
        let said = self
            .numbers
            .iter()
            .flat_map(|n| [n.saturating_sub(1), *n, n.saturating_add(1)]);
        let said = said.filter_map(|n| u64::try_from(n).ok());
        let all: BTreeSet<u64> = said.chain([least, greatest]).collect();
        let within = all.into_iter().filter(|n| (least..=greatest).contains(n));
        within.map(|n| n.to_string()).collect()
    }

    /// The days that are said and their neighbours.
    fn days(&self) -> Vec<String> {
        let said = self.words.iter().filter_map(|word| parse_iso(word));
        let around = said.flat_map(|day| [day.previous_day(), Some(day), day.next_day()]);
        let all: BTreeMap<String, ()> = around.flatten().map(|day| (iso(day), ())).collect();
        match all.is_empty() {
            true => vec!["2000-01-01".to_owned()],
            false => all.into_keys().collect(),
        }
    }
}

/// Every selection of a few choices; of many, each alone and all together.
fn selections(values: &[String]) -> (Vec<String>, bool) {
    if values.len() > SELECTED_MAX {
        let mut some = values.to_vec();
        some.push(values.join(","));
        return (some, false);
    }
    let mut all = vec![Vec::new()];
    for value in values {
        let with: Vec<Vec<&str>> = all
            .iter()
            .map(|before: &Vec<&str>| before.iter().copied().chain([value.as_str()]).collect())
            .collect();
        all.extend(with);
    }
    let joined = all
        .iter()
        .map(|some| some.join(","))
        .filter(|some| !some.is_empty());
    (joined.collect(), true)
}
