//! A rule's text read once: bounded in length, nesting and cost, and made of nothing but what is offered. Never
//! holds it against a form: see [`super::types`].

use std::collections::BTreeSet;

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue};

/// Length of a rule, in characters.
pub const CHARS_MAX: usize = 600;
/// Opening brackets in a rule, count: what is nested is in brackets.
pub const BRACKETS_MAX: usize = 32;
/// How deep the parts of a rule lie within one another, count. Working one out takes about 40 KiB of the stack
/// with each, and a thread that answers requests has 2 MiB.
pub const DEPTH_MAX: usize = 16;
/// What working a rule out can take at most, in steps: each part is one, each part within `exists` or `all` one
/// for every item that a list may have.
pub const STEPS_MAX: usize = 5_000;
/// Items of a list, count.
pub const ITEMS_MAX: usize = 100;

/// Stack of the thread on which a rule is read, in bytes: the parser of the library goes down about a quarter of
/// a megabyte with each bracket, which a thread that answers requests does not have.
const STACK_BYTES: usize = 32 << 20;

/// What asks whether a field is answered.
const ANSWERED: &str = "answered";

/// Operators with the number of their operands, as the library names them.
const OPERATORS: [(&str, usize); 17] = [
    ("_&&_", 2),
    ("_||_", 2),
    ("!_", 1),
    ("_==_", 2),
    ("_!=_", 2),
    ("_<_", 2),
    ("_<=_", 2),
    ("_>_", 2),
    ("_>=_", 2),
    ("_+_", 2),
    ("_-_", 2),
    ("_*_", 2),
    ("_/_", 2),
    ("_%_", 2),
    ("-_", 1),
    ("_?_:_", 3),
    ("@in", 2),
];
/// Functions with the number of their arguments.
const FUNCTIONS: [(&str, usize); 7] = [
    ("today", 0),
    ("age", 2),
    ("days", 2),
    ("folded", 1),
    ("least", 2),
    ("greatest", 2),
    ("size", 1),
];
/// What is asked of a text, with a text in brackets.
const MEMBERS: [&str; 3] = ["startsWith", "endsWith", "contains"];

/// Why a rule cannot be used, whatever the form asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is this long, in characters.
    Long(usize),
    /// It is nested too deep.
    Deep,
    /// It cannot be read from this character on, counted from 1.
    Unreadable(usize),
    /// Working it out could take this many steps.
    Dear(usize),
    /// It uses what is not offered.
    NotOffered(String),
    /// No thread could be had to read it on: another time it can.
    NotNow,
}

/// A rule's text, read.
#[derive(Debug)]
pub struct Expression {
    pub(super) root: IdedExpr,
    /// The names whose values it takes.
    pub(super) reads: BTreeSet<String>,
    /// The names of which it only asks whether they are answered.
    pub(super) asks: BTreeSet<String>,
    /// True when it takes the day.
    pub(super) dated: bool,
}

impl Expression {
    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, Unusable> {
        let chars = text.chars().count();
        if chars > CHARS_MAX {
            return Err(Unusable::Long(chars));
        }
        let brackets = text.chars().filter(|c| matches!(c, '(' | '[' | '{')).count();
        if brackets > BRACKETS_MAX {
            return Err(Unusable::Deep);
        }
        std::thread::scope(|scope| {
            let reading = std::thread::Builder::new()
                .name("rule".to_owned())
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, || parsed(text))
                .map_err(|_| Unusable::NotNow)?;
            // A parser that gives up is a text that cannot be read.
            reading.join().unwrap_or(Err(Unusable::Unreadable(1)))
        })
    }
}

fn parsed(text: &str) -> Result<Expression, Unusable> {
    let program = cel::Program::compile(text).map_err(|faults| {
        let first = faults.errors.first().map_or(1, |fault| fault.pos.1);
        Unusable::Unreadable(usize::try_from(first).unwrap_or(1))
    })?;
    let mut root = program.expression().clone();
    let mut walk = Walk::default();
    let steps = walk.part(&mut root, 0)?;
    if steps > STEPS_MAX {
        return Err(Unusable::Dear(steps));
    }
    Ok(Expression {
        root,
        reads: walk.reads,
        asks: walk.asks,
        dated: walk.dated,
    })
}

/// The name under which it is kept whether a field is answered: no text can write it.
pub(super) fn answered(field: &str) -> String {
    format!("?{field}")
}

/// Goes through all parts once: what they take, what they cost, and whether all of it is offered.
#[derive(Default)]
struct Walk {
    reads: BTreeSet<String>,
    asks: BTreeSet<String>,
    dated: bool,
    /// The names that an `exists` or `all` around gives to items.
    items: Vec<String>,
}

impl Walk {
    /// The steps that a part takes at most.
    fn part(&mut self, part: &mut IdedExpr, depth: usize) -> Result<usize, Unusable> {
        if depth > DEPTH_MAX {
            return Err(Unusable::Deep);
        }
        if let Some(field) = asked_of(&part.expr) {
            if self.items.contains(&field) {
                return Err(not_offered("answered()"));
            }
            part.expr = Expr::Ident(answered(&field));
            self.asks.insert(field);
            return Ok(1);
        }
        match &mut part.expr {
            Expr::Literal(LiteralValue::Boolean(_) | LiteralValue::Int(_) | LiteralValue::String(_)) => Ok(1),
            Expr::Literal(other) => Err(not_offered(literal(other))),
            Expr::Ident(name) => {
                if !self.items.contains(name) {
                    self.reads.insert(name.clone());
                }
                Ok(1)
            }
            Expr::List(list) if list.elements.len() <= ITEMS_MAX && list.optional_indices.is_empty() => {
                self.parts(&mut list.elements, depth)
            }
            Expr::List(_) => Err(not_offered("[…]")),
            Expr::Call(call) => self.call(call, depth),
            Expr::Comprehension(over) => self.over(over, depth),
            Expr::Select(select) => Err(not_offered(&format!(".{}", select.field))),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => Err(not_offered("{…}")),
        }
    }

    fn parts(&mut self, parts: &mut [IdedExpr], depth: usize) -> Result<usize, Unusable> {
        parts.iter_mut().try_fold(1, |steps: usize, part| {
            Ok(steps.saturating_add(self.part(part, depth + 1)?))
        })
    }

    fn call(&mut self, call: &mut CallExpr, depth: usize) -> Result<usize, Unusable> {
        let (name, count) = (call.func_name.as_str(), call.args.len());
        let known = match call.target {
            None => OPERATORS.contains(&(name, count)) || FUNCTIONS.contains(&(name, count)),
            Some(_) => MEMBERS.contains(&name) && count == 1,
        };
        if !known {
            return Err(not_offered(spoken(name)));
        }
        self.dated |= name == "today";
        let target = match &mut call.target {
            Some(target) => self.part(target, depth + 1)?,
            None => 0,
        };
        Ok(target.saturating_add(self.parts(&mut call.args, depth)?))
    }

    /// `exists` and `all`, which the parser writes out as a loop.
    fn over(&mut self, over: &mut ComprehensionExpr, depth: usize) -> Result<usize, Unusable> {
        let range = self.part(&mut over.iter_range, depth + 1)?;
        let item = over.iter_var.clone();
        let body = body(over).ok_or_else(|| not_offered("map(), filter(), exists_one()"))?;
        self.items.push(item);
        let each = self.part(body, depth + 3)?;
        self.items.pop();
        Ok(each
            .saturating_add(3)
            .saturating_mul(ITEMS_MAX)
            .saturating_add(range))
    }
}

/// What `exists` or `all` asks of each item; none for any other loop.
fn body(over: &mut ComprehensionExpr) -> Option<&mut IdedExpr> {
    let Expr::Literal(LiteralValue::Boolean(begins)) = &over.accu_init.expr else {
        return None;
    };
    let joined = match begins.inner() {
        true => "_&&_",
        false => "_||_",
    };
    let is_so_far = |part: &IdedExpr| matches!(&part.expr, Expr::Ident(name) if *name == over.accu_var);
    let ends_so = over.iter_var2.is_none() && is_so_far(&over.result);
    match &mut over.loop_step.expr {
        Expr::Call(step) if ends_so && step.func_name == joined => match step.args.as_mut_slice() {
            [so_far, body] if matches!(&so_far.expr, Expr::Ident(name) if *name == over.accu_var) => {
                Some(body)
            }
            _ => None,
        },
        _ => None,
    }
}

/// The field of `answered(field)`.
fn asked_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Call(call) if call.func_name == ANSWERED && call.target.is_none() => match call.args.as_slice()
        {
            [
                IdedExpr {
                    expr: Expr::Ident(field),
                    ..
                },
            ] => Some(field.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn not_offered(what: &str) -> Unusable {
    Unusable::NotOffered(what.to_owned())
}

/// An operator as it is written, a function by its name.
pub(super) fn spoken(name: &str) -> &str {
    match name {
        "_?_:_" => "? :",
        "_[_]" => "[ ]",
        "@in" => "in",
        "-_" => "-",
        name => name.trim_matches('_'),
    }
}

fn literal(value: &LiteralValue) -> &'static str {
    match value {
        LiteralValue::Double(_) => "1.5",
        LiteralValue::UInt(_) => "1u",
        LiteralValue::Bytes(_) => "b\"…\"",
        LiteralValue::Null => "null",
        LiteralValue::Boolean(_) | LiteralValue::Int(_) | LiteralValue::String(_) => "…",
    }
}
