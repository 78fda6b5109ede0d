//! Which questions of a form are asked, by the `show` rules of pages and questions. What is not asked counts as not
//! answered, in every other rule too. Pure.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Date;

use super::{Given, Rule};
use crate::case::Answers;
use crate::procedure::{FormPage, Procedure, Question};

/// What of a form is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    hidden: BTreeSet<String>,
}

impl Asked {
    /// What of a procedure's form is asked of somebody with these answers, on a day.
    #[must_use]
    pub fn of(procedure: &Procedure, answers: &Answers, today: Date) -> Self {
        let ruled = |form: &FormPage| form.show.is_some() || form.questions.iter().any(|q| q.show.is_some());
        if !procedure.pages.iter().any(ruled) {
            return Self::default();
        }
        let mut look = Look {
            procedure,
            today,
            answers: answers.clone(),
            known: BTreeMap::new(),
        };
        let questions = procedure.pages.iter().flat_map(|form| &form.questions);
        let hidden = questions.filter(|question| !look.is_asked(&question.code));
        Self {
            hidden: hidden.map(|question| question.code.clone()).collect(),
        }
    }

    /// True for a question that is asked.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        !self.hidden.contains(field)
    }

    /// The questions of a page that are asked.
    pub fn on<'p>(&self, form: &'p FormPage) -> impl Iterator<Item = &'p Question> {
        form.questions.iter().filter(|question| self.has(&question.code))
    }

    /// The pages on which something is asked.
    pub fn pages<'p>(&self, procedure: &'p Procedure) -> impl Iterator<Item = &'p FormPage> {
        procedure.pages.iter().filter(|form| self.page(form))
    }

    /// True for a page on which something is asked, and for one that never asks anything.
    #[must_use]
    pub fn page(&self, form: &FormPage) -> bool {
        form.questions.is_empty() || self.on(form).next().is_some()
    }

    /// Takes away the answers to what is not asked.
    pub fn keep(&self, answers: &mut Answers) {
        answers.retain(|field, _| self.has(field));
    }
}

/// One look at a form: what is known of its questions so far.
struct Look<'p> {
    procedure: &'p Procedure,
    today: Date,
    /// Without those to what is known not to be asked.
    answers: Answers,
    /// By field; false while it is looked at, so that a ring of rules ends.
    known: BTreeMap<&'p str, bool>,
}

impl<'p> Look<'p> {
    fn is_asked(&mut self, field: &str) -> bool {
        if let Some(known) = self.known.get(field) {
            return *known;
        }
        let procedure = self.procedure;
        let mut pages = procedure.pages.iter();
        let found = pages.find_map(|form| Some((form, form.questions.iter().find(|q| q.code == field)?)));
        let Some((form, question)) = found else {
            return true;
        };
        self.known.insert(&question.code, false);
        let asked = self.shows(form.show.as_ref()) && self.shows(question.show.as_ref());
        if !asked {
            self.answers.remove(field);
        }
        self.known.insert(&question.code, asked);
        asked
    }

    /// What cannot be said yet is not shown: a question comes once what it depends on is answered.
    fn shows(&mut self, rule: Option<&'p Rule>) -> bool {
        let Some(rule) = rule else { return true };
        for field in rule.fields() {
            self.is_asked(field);
        }
        rule.holds(&Given::new(self.procedure, &self.answers, self.today)) == Some(true)
    }
}
