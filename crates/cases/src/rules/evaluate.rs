//! Works a rule out over answers and a day. Total: whatever the answers are there is a value, or none; what was
//! not answered, and what cannot be counted (a division by nothing), has none. Never a value by guess.

use std::sync::{Arc, LazyLock};

use cel::{Context, Env, ExecutionError, Value};
use kernel::Date;
use kernel::time::{iso, parse_iso};

use super::expression::{Expression, ITEMS_MAX, answered};
use super::types::{self, COUNT, Type};
use crate::answers::picked;
use crate::case::Answers;
use crate::procedure::Procedure;

/// The library's own functions: made once.
static LIBRARY: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// What a rule is worked out over.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    procedure: &'a Procedure,
    answers: &'a Answers,
    today: Date,
    count: Option<u64>,
}

impl<'a> Given<'a> {
    /// A form's answers, on a day: that of filing, or that on which the form is looked at.
    #[must_use]
    pub const fn new(procedure: &'a Procedure, answers: &'a Answers, today: Date) -> Self {
        Self {
            procedure,
            answers,
            today,
            count: None,
        }
    }

    /// The same with the number that a fee counts.
    #[must_use]
    pub const fn counting(self, count: u64) -> Self {
        Self {
            count: Some(count),
            ..self
        }
    }

    fn answer(&self, field: &str) -> Option<&'a str> {
        let answer = self.answers.get(field).map(String::as_str);
        answer.filter(|answer| !answer.is_empty())
    }

    /// A name's value; none for what was not answered.
    fn value(&self, name: &str) -> Option<Value> {
        if name == COUNT
            && let Some(count) = self.count
        {
            return i64::try_from(count).ok().map(Value::Int);
        }
        let question = self.procedure.question(name)?;
        value(&types::of(question), self.answer(name)?)
    }
}

/// An answer as a value of its kind; none for one that is none of the kind.
fn value(of: &Type, answer: &str) -> Option<Value> {
    let text = || Value::String(Arc::new(answer.to_owned()));
    match of {
        Type::YesNo => match answer {
            "yes" => Some(Value::Bool(true)),
            "no" => Some(Value::Bool(false)),
            _ => None,
        },
        Type::Number => answer.parse().ok().map(Value::Int),
        Type::Date => parse_iso(answer).map(|_| text()),
        Type::List(of) => {
            let items: Option<Vec<Value>> = picked(answer).map(|item| value(of, item)).collect();
            let items = items.filter(|items| items.len() <= ITEMS_MAX)?;
            Some(Value::List(Arc::new(items)))
        }
        Type::Text | Type::Choice(_) | Type::Words(_) => Some(text()),
        Type::Nothing => None,
    }
}

/// A rule's value; none when it takes something that was not answered.
#[must_use]
pub(super) fn worked_out(expression: &Expression, given: &Given<'_>) -> Option<Value> {
    let mut context = Context::with_env(Arc::clone(&LIBRARY));
    functions(&mut context, given.today).ok()?;
    for name in &expression.reads {
        // One that has no value has no name either: what takes it has no value, unless the rest decides.
        if let Some(value) = given.value(name) {
            context.add_variable_from_value(name.as_str(), value);
        }
    }
    for field in &expression.asks {
        let is_answered = Value::Bool(given.answer(field).is_some());
        context.add_variable_from_value(answered(field), is_answered);
    }
    Value::resolve(&expression.root, &context).ok()
}

fn functions(context: &mut Context<'_, '_>, today: Date) -> Result<(), cel::DeclarationError> {
    let today = iso(today);
    context.add_function("today", move || today.clone())?;
    context.add_function("age", age)?;
    context.add_function("days", days)?;
    context.add_function("folded", |text: Arc<String>| kernel::text::fold(&text))?;
    context.add_function("least", |a: i64, b: i64| a.min(b))?;
    context.add_function("greatest", |a: i64, b: i64| a.max(b))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that the library calls")]
fn age(born: Arc<String>, on: Arc<String>) -> Result<i64, ExecutionError> {
    let (born, on) = (day("age", &born)?, day("age", &on)?);
    let had = (u8::from(on.month()), on.day()) >= (u8::from(born.month()), born.day());
    let years = i64::from(on.year()) - i64::from(born.year()) - i64::from(!had);
    match born > on {
        true => Err(ExecutionError::function_error("age", "not born yet")),
        false => Ok(years),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that the library calls")]
fn days(from: Arc<String>, to: Arc<String>) -> Result<i64, ExecutionError> {
    Ok((day("days", &to)? - day("days", &from)?).whole_days())
}

fn day(function: &str, text: &str) -> Result<Date, ExecutionError> {
    parse_iso(text).ok_or_else(|| ExecutionError::function_error(function, "no day"))
}
