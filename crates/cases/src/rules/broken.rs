//! Which `check` of a page or a question does not hold: a problem with the sentence of the document. Pure.

use kernel::{Date, Kind, Problem};

use super::{Asked, Condition, Given};
use crate::case::Answers;
use crate::procedure::{FormPage, Procedure};

/// Every check of a page that does not hold, each at the question it is about. What cannot be judged yet, as
/// something it takes was not answered, is not wrong.
pub(crate) fn broken(procedure: &Procedure, form: &FormPage, answers: &Answers, today: Date) -> Vec<Problem> {
    let checks = form.check.len() + form.questions.iter().map(|q| q.check.len()).sum::<usize>();
    if checks == 0 {
        return Vec::new();
    }
    let asked = Asked::of(procedure, answers, today);
    let mut answers = answers.clone();
    asked.keep(&mut answers);
    let given = Given::new(procedure, &answers, today);
    let fails = |check: &&Condition| check.rule.holds(&given) == Some(false);
    let mut problems = Vec::new();
    for question in asked.on(form) {
        let broken = question.check.iter().filter(fails);
        problems.extend(broken.map(|check| at(check, &question.code)));
    }
    for check in form.check.iter().filter(fails) {
        if let Some(field) = place(&asked, form, check) {
            problems.push(at(check, field));
        }
    }
    problems
}

fn at(check: &Condition, field: &str) -> Problem {
    check.problem(Kind::Invalid, "answer-check").at(field)
}

/// Where a page's check is told: at the first question of the page that it takes, else at the page's first.
fn place<'p>(asked: &Asked, form: &'p FormPage, check: &Condition) -> Option<&'p str> {
    let fields = check.rule.fields();
    let taken = asked
        .on(form)
        .find(|question| fields.contains(&question.code.as_str()));
    taken
        .or_else(|| asked.on(form).next())
        .map(|question| question.code.as_str())
}
