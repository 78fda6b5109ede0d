//! What the answers to a form are to a rule, and whether a rule's parts fit together. Pure; says the part that is
//! wrong. Never works a rule out: see [`super::evaluate`].

use std::fmt;

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue};
use kernel::time::parse_iso;

use super::expression::{Expression, spoken};
use crate::procedure::{Procedure, Question, QuestionKind};

/// What a part of a rule is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// True or false.
    YesNo,
    /// A whole number; an amount of dong is one.
    Number,
    /// A text.
    Text,
    /// A day.
    Date,
    /// One of these values.
    Choice(Vec<String>),
    /// Several of one kind.
    List(Box<Type>),
    /// A text as the rule has it: it stands for a text, for a day when it is one, for a choice that there is.
    Words(String),
    /// The items of a list that has none.
    Nothing,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::YesNo => "yes-no",
            Self::Number => "number",
            Self::Text | Self::Words(_) => "text",
            Self::Date => "date",
            Self::Choice(_) => "choice",
            Self::List(_) | Self::Nothing => "list",
        })
    }
}

/// Why a rule does not fit a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// No page asks for this.
    Field(String),
    /// No such choice: the one that is written, and those that there are.
    Choice(String, String),
    /// A part is of another kind than is needed: the part, what is needed, what it is.
    Type(String, String, String),
}

/// What answers to a question are to a rule.
#[must_use]
pub fn of(question: &Question) -> Type {
    match question.kind {
        QuestionKind::Text
        | QuestionKind::LongText
        | QuestionKind::Name
        | QuestionKind::PersonalNumber
        | QuestionKind::BusinessId
        | QuestionKind::Phone
        | QuestionKind::Email
        | QuestionKind::Commune
        | QuestionKind::Address => Type::Text,
        QuestionKind::Number | QuestionKind::Money => Type::Number,
        QuestionKind::Date => Type::Date,
        QuestionKind::YesNo => Type::YesNo,
        QuestionKind::Choice => Type::Choice(values(question)),
        QuestionKind::ManyOf => Type::List(Box::new(Type::Choice(values(question)))),
    }
}

fn values(question: &Question) -> Vec<String> {
    question.choices.iter().map(|c| c.value.clone()).collect()
}

/// The name by which the rules of a fee take the number that is counted.
pub(super) const COUNT: &str = "count";

/// Holds an expression against a form: every name is asked for, and the whole is what is wanted.
///
/// # Errors
/// The first part that does not fit.
pub fn fits(
    expression: &Expression,
    procedure: &Procedure,
    counts: bool,
    wanted: &Type,
) -> Result<(), Misfit> {
    for field in &expression.asks {
        if procedure.question(field).is_none() {
            return Err(Misfit::Field(field.clone()));
        }
    }
    let mut scope = Scope {
        procedure,
        counts,
        items: Vec::new(),
    };
    let got = scope.part(&expression.root)?;
    match got == *wanted {
        true => Ok(()),
        false => Err(wrong("…", wanted, &got)),
    }
}

fn wrong(part: &str, wanted: &dyn fmt::Display, got: &Type) -> Misfit {
    Misfit::Type(part.to_owned(), wanted.to_string(), got.to_string())
}

struct Scope<'p> {
    procedure: &'p Procedure,
    counts: bool,
    items: Vec<(String, Type)>,
}

impl Scope<'_> {
    fn part(&mut self, part: &IdedExpr) -> Result<Type, Misfit> {
        match &part.expr {
            Expr::Literal(LiteralValue::Boolean(_)) => Ok(Type::YesNo),
            Expr::Literal(LiteralValue::String(text)) => Ok(Type::Words(text.inner().to_owned())),
            Expr::Literal(_) => Ok(Type::Number),
            Expr::Ident(name) => self.name(name),
            Expr::List(list) => self.list(&list.elements),
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(over) => self.over(over),
            // Not offered: the text was not read as far as this.
            _ => Ok(Type::Nothing),
        }
    }

    fn name(&self, name: &str) -> Result<Type, Misfit> {
        let item = self.items.iter().rev().find(|(item, _)| item == name);
        if let Some((_, of)) = item {
            return Ok(of.clone());
        }
        if name.starts_with('?') {
            return Ok(Type::YesNo);
        }
        if self.counts && name == COUNT {
            return Ok(Type::Number);
        }
        let question = self.procedure.question(name);
        question.map(of).ok_or_else(|| Misfit::Field(name.to_owned()))
    }

    /// All items are of one kind.
    fn list(&mut self, items: &[IdedExpr]) -> Result<Type, Misfit> {
        let mut all = Type::Nothing;
        let mut words = Vec::new();
        for item in items {
            let one = self.part(item)?;
            if let Type::Words(word) = &one {
                words.push(word.clone());
            }
            all = match (&all, one) {
                (Type::Nothing, one) => one,
                (before, one) => {
                    same("[…]", before, &one)?;
                    before.clone()
                }
            };
        }
        // Texts as the rule has them are choices, so that each is held against those that there are.
        Ok(Type::List(Box::new(match all {
            Type::Words(_) => Type::Choice(words),
            all => all,
        })))
    }

    fn call(&mut self, call: &CallExpr) -> Result<Type, Misfit> {
        let name = call.func_name.as_str();
        if let (Some(target), [text]) = (&call.target, call.args.as_slice()) {
            for part in [&**target, text] {
                self.need(name, part, &Type::Text)?;
            }
            return Ok(Type::YesNo);
        }
        let shown = spoken(name);
        match (name, call.args.as_slice()) {
            ("_&&_" | "_||_" | "!_", parts) => self.all(shown, parts, &Type::YesNo, Type::YesNo),
            ("_==_" | "_!=_", [a, b]) => {
                let (a, b) = (self.part(a)?, self.part(b)?);
                same(shown, &a, &b)?;
                Ok(Type::YesNo)
            }
            ("_<_" | "_<=_" | "_>_" | "_>=_", [a, b]) => self.compared(shown, a, b),
            ("_+_" | "_-_" | "_*_" | "_/_" | "_%_" | "-_" | "least" | "greatest", parts) => {
                self.all(shown, parts, &Type::Number, Type::Number)
            }
            ("_?_:_", [when, then, other]) => {
                self.need(shown, when, &Type::YesNo)?;
                let (then, other) = (self.part(then)?, self.part(other)?);
                same(shown, &then, &other)?;
                Ok(then)
            }
            ("@in", [item, list]) => {
                let (item, list) = (self.part(item)?, self.part(list)?);
                let Type::List(of) = list else {
                    return Err(wrong(shown, &"list", &list));
                };
                within(shown, &item, &of)?;
                Ok(Type::YesNo)
            }
            ("today", []) => Ok(Type::Date),
            ("age" | "days", parts) => self.all(shown, parts, &Type::Date, Type::Number),
            ("folded", parts) => self.all(shown, parts, &Type::Text, Type::Text),
            ("size", [one]) => match self.part(one)? {
                Type::List(_) | Type::Text | Type::Choice(_) | Type::Words(_) => Ok(Type::Number),
                other => Err(wrong(shown, &"list, text", &other)),
            },
            _ => Ok(Type::Nothing),
        }
    }

    fn over(&mut self, over: &ComprehensionExpr) -> Result<Type, Misfit> {
        let of = match self.part(&over.iter_range)? {
            Type::List(of) => *of,
            other => return Err(wrong("exists, all", &"list", &other)),
        };
        self.items.push((over.iter_var.clone(), of));
        let body = match &over.loop_step.expr {
            Expr::Call(step) => step.args.get(1),
            _ => None,
        };
        let asked = body.map_or(Ok(()), |body| self.need("exists, all", body, &Type::YesNo));
        self.items.pop();
        asked.map(|()| Type::YesNo)
    }

    /// Numbers and days have an order; texts have none that people would agree on.
    fn compared(&mut self, shown: &str, a: &IdedExpr, b: &IdedExpr) -> Result<Type, Misfit> {
        let (a, b) = (self.part(a)?, self.part(b)?);
        let ordered = |one: &Type| matches!(one, Type::Number | Type::Date | Type::Words(_));
        let both_words = matches!((&a, &b), (Type::Words(_), Type::Words(_)));
        if let Some(other) = [&a, &b].into_iter().find(|one| !ordered(one)) {
            return Err(wrong(shown, &"number, date", other));
        }
        if both_words {
            return Err(wrong(shown, &"number, date", &a));
        }
        same(shown, &a, &b)?;
        Ok(Type::YesNo)
    }

    fn all(&mut self, shown: &str, parts: &[IdedExpr], wanted: &Type, is: Type) -> Result<Type, Misfit> {
        for part in parts {
            self.need(shown, part, wanted)?;
        }
        Ok(is)
    }

    fn need(&mut self, shown: &str, part: &IdedExpr, wanted: &Type) -> Result<(), Misfit> {
        let got = self.part(part)?;
        let fits = match (wanted, &got) {
            (Type::Text, Type::Choice(_) | Type::Words(_)) => true,
            (Type::Date, Type::Words(day)) => parse_iso(day).is_some(),
            (wanted, got) => wanted == got,
        };
        match fits {
            true => Ok(()),
            false => Err(wrong(shown, wanted, &got)),
        }
    }
}

/// Two parts that are held against each other are of one kind.
fn same(shown: &str, a: &Type, b: &Type) -> Result<(), Misfit> {
    match (a, b) {
        (Type::Choice(values), Type::Words(one)) | (Type::Words(one), Type::Choice(values)) => {
            match values.contains(one) {
                true => Ok(()),
                false => Err(Misfit::Choice(one.clone(), values.join(", "))),
            }
        }
        (Type::Date, Type::Words(day)) | (Type::Words(day), Type::Date) if parse_iso(day).is_some() => Ok(()),
        (Type::Text, Type::Words(_) | Type::Choice(_))
        | (Type::Words(_) | Type::Choice(_), Type::Text)
        | (Type::Words(_), Type::Words(_))
        | (Type::Choice(_), Type::Choice(_)) => Ok(()),
        (Type::List(a), Type::List(b)) => same(shown, a, b),
        (Type::Nothing, _) | (_, Type::Nothing) => Ok(()),
        (a, b) if a == b => Ok(()),
        (a, b) => Err(wrong(shown, a, b)),
    }
}

/// An item that is looked for in a list is of the kind of its items; of texts that the rule lists, each is a
/// choice that there is.
fn within(shown: &str, item: &Type, of: &Type) -> Result<(), Misfit> {
    match (item, of) {
        (Type::Choice(values), Type::Choice(listed)) => match listed.iter().find(|one| !values.contains(one))
        {
            Some(one) => Err(Misfit::Choice(one.clone(), values.join(", "))),
            None => Ok(()),
        },
        (Type::Date, Type::Choice(days)) => match days.iter().all(|day| parse_iso(day).is_some()) {
            true => Ok(()),
            false => Err(wrong(shown, item, of)),
        },
        (item, of) => same(shown, item, of),
    }
}
