//! The lints of a document's rules in CEL: each can be read, fits the form and holds for somebody; what is shown
//! depends on what comes before it, and terms do not overlap. Pure.

use std::collections::{BTreeMap, BTreeSet};

use kernel::fact::Channel;
use kernel::fault::{Flaw, Names};
use kernel::time::parse_iso;

use super::named;
use crate::procedure::{APPLICANT, PLATFORM, Procedure, Question};
use crate::rules::{
    BRACKETS_MAX, CHARS_MAX, DEPTH_MAX, Given, Misfit, Rule, STEPS_MAX, Tries, Type, Unusable, fits,
};

/// Rules of a document, count: each is tried with many ways of answering whenever somebody looks at a version.
const RULES_MAX: usize = 200;

/// What a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// Whether a page or a question is asked.
    Show,
    /// Whether an answer is right.
    Check,
    /// What is to be paid.
    Fee,
    /// Whether a step may be done.
    Guard,
    /// Which term applies.
    Duration,
}

/// A rule where it stands.
struct Place<'p> {
    /// By a pointer.
    at: String,
    /// What it is said of: a page, a question, a verb, a channel.
    of: String,
    rule: &'p Rule,
    used: Use,
    /// The fields that are asked by it.
    rules_over: Vec<&'p str>,
}

/// Everything that is wrong with the rules of a document.
pub(super) fn check(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    let places = places(procedure);
    if places.len() > RULES_MAX {
        let names = vec![
            ("value", places.len().to_string()),
            ("max", RULES_MAX.to_string()),
        ];
        flaws.push(Flaw::new("/pages", "rules-many", names));
        return;
    }
    if !readable(procedure, &places, flaws) {
        // What a rule takes is known only when all can be read.
        return;
    }
    always_answered(procedure, &places, flaws);
    order(procedure, &places, flaws);
    never(procedure, &places, flaws);
    for (at, step) in procedure.transitions.iter().enumerate() {
        if step.guard.is_some() && [PLATFORM, APPLICANT].contains(&step.role.as_str()) {
            flaws.push(Flaw::new(
                format!("/transitions/{at}/guard"),
                "guard-role",
                named(&step.role),
            ));
        }
    }
    overlaps(procedure, flaws);
}

/// All rules of a document, in its order.
fn places(procedure: &Procedure) -> Vec<Place<'_>> {
    let mut all = Vec::new();
    let mut put = |at: String, of: &str, rule, used, rules_over| {
        all.push(Place {
            at,
            of: of.to_owned(),
            rule,
            used,
            rules_over,
        });
    };
    for (page, form) in procedure.pages.iter().enumerate() {
        let at = format!("/pages/{page}");
        if let Some(rule) = &form.show {
            let over = form.questions.iter().map(|q| q.code.as_str()).collect();
            put(format!("{at}/show"), &form.code, rule, Use::Show, over);
        }
        for (n, check) in form.check.iter().enumerate() {
            put(
                format!("{at}/check/{n}/rule"),
                &form.code,
                &check.rule,
                Use::Check,
                Vec::new(),
            );
        }
        for (asked, question) in form.questions.iter().enumerate() {
            let (at, of) = (format!("{at}/questions/{asked}"), &question.code);
            if let Some(rule) = &question.show {
                put(format!("{at}/show"), of, rule, Use::Show, vec![of.as_str()]);
            }
            for (n, check) in question.check.iter().enumerate() {
                put(
                    format!("{at}/check/{n}/rule"),
                    of,
                    &check.rule,
                    Use::Check,
                    Vec::new(),
                );
            }
        }
    }
    if let Some(fee) = &procedure.fee {
        if let Some(rule) = &fee.amount {
            put("/fee/amount".to_owned(), "fee", rule, Use::Fee, Vec::new());
        }
        for (n, step) in fee.beyond.iter().enumerate() {
            if let Some(rule) = &step.amount {
                put(
                    format!("/fee/beyond/{n}/amount"),
                    "fee",
                    rule,
                    Use::Fee,
                    Vec::new(),
                );
            }
        }
    }
    for (n, step) in procedure.transitions.iter().enumerate() {
        if let Some(guard) = &step.guard {
            let at = format!("/transitions/{n}/guard/rule");
            put(at, &step.from, &guard.rule, Use::Guard, Vec::new());
        }
    }
    for (n, term) in procedure.terms.iter().enumerate() {
        if let Some(when) = &term.when {
            let at = format!("/terms/{n}/when/rule");
            put(at, term.rule.name(), &when.rule, Use::Duration, Vec::new());
        }
    }
    all
}

/// Procedure, place and text of a rule, for the words of a flaw.
fn names(procedure: &Procedure, place: &Place<'_>) -> Names {
    vec![
        ("procedure", procedure.code.to_string()),
        ("field", place.of.clone()),
        ("value", place.rule.text().to_owned()),
    ]
}

/// True when each rule can be used and fits the form.
fn readable(procedure: &Procedure, places: &[Place<'_>], flaws: &mut Vec<Flaw>) -> bool {
    let before = flaws.len();
    for place in places {
        let mut tell = |rule: &'static str, more: Names| {
            let mut names = names(procedure, place);
            names.extend(more);
            flaws.push(Flaw::new(place.at.clone(), rule, names));
        };
        let expression = match place.rule.expression() {
            Ok(expression) => expression,
            Err(why) => {
                let (rule, more) = unusable(&why);
                tell(rule, more);
                continue;
            }
        };
        let wanted = match place.used {
            Use::Fee => Type::Number,
            Use::Show | Use::Check | Use::Guard | Use::Duration => Type::YesNo,
        };
        let counts = place.used == Use::Fee;
        if let Err(misfit) = fits(expression, procedure, counts, &wanted) {
            let (rule, more) = unfit(misfit);
            tell(rule, more);
        }
    }
    flaws.len() == before
}

fn unusable(why: &Unusable) -> (&'static str, Names) {
    let max = |max: usize| ("max", max.to_string());
    match why {
        Unusable::Long(chars) => ("rule-long", vec![("count", chars.to_string()), max(CHARS_MAX)]),
        Unusable::Deep => (
            "rule-deep",
            vec![max(DEPTH_MAX), ("brackets", BRACKETS_MAX.to_string())],
        ),
        Unusable::Unreadable(at) => ("rule-unreadable", vec![("at", at.to_string())]),
        Unusable::Dear(steps) => ("rule-dear", vec![("count", steps.to_string()), max(STEPS_MAX)]),
        Unusable::NotOffered(part) => ("rule-not-offered", vec![("part", part.clone())]),
        Unusable::NotNow => ("rule-unreadable", vec![("at", "1".to_owned())]),
    }
}

fn unfit(misfit: Misfit) -> (&'static str, Names) {
    match misfit {
        Misfit::Field(name) => ("rule-field", vec![("part", name)]),
        Misfit::Choice(choice, wanted) => ("rule-choice", vec![("part", choice), ("wanted", wanted)]),
        Misfit::Type(part, wanted, got) => (
            "rule-type",
            vec![("part", part), ("wanted", wanted), ("got", got)],
        ),
    }
}

/// True for a question that everybody has to answer.
fn is_always_answered(procedure: &Procedure, question: &Question) -> bool {
    let mut pages = procedure.pages.iter();
    let page = pages.find(|form| form.questions.iter().any(|q| q.code == question.code));
    question.required && question.show.is_none() && page.is_some_and(|form| form.show.is_none())
}

/// What is paid for, and where a case goes, is known of every case.
fn always_answered(procedure: &Procedure, places: &[Place<'_>], flaws: &mut Vec<Flaw>) {
    let open = |field: &str| {
        let question = procedure.question(field);
        question.is_some_and(|question| !is_always_answered(procedure, question))
    };
    for place in places.iter().filter(|place| place.used == Use::Fee) {
        let asked = place.rule.asks();
        for field in place.rule.reads() {
            if open(field) && !asked.contains(&field) {
                let mut names = names(procedure, place);
                names.push(("part", field.to_owned()));
                flaws.push(Flaw::new(place.at.clone(), "rule-not-always", names));
            }
        }
    }
    let counted = procedure.fee.iter().flat_map(|fee| {
        let keys = [("per", &fee.per), ("times", &fee.times)];
        keys.map(|(key, field)| (format!("/fee/{key}"), field.as_deref()))
    });
    let receiver = ("/receiver".to_owned(), Some(procedure.receiver.as_str()));
    for (at, field) in counted.chain([receiver]) {
        let shown = places
            .iter()
            .any(|p| field.is_some_and(|f| p.rules_over.contains(&f)));
        if let Some(field) = field.filter(|_| shown) {
            flaws.push(Flaw::new(at, "show-needed", named(field)));
        }
    }
}

/// Nothing that is shown depends on itself, or on a page that comes after it.
fn order(procedure: &Procedure, places: &[Place<'_>], flaws: &mut Vec<Flaw>) {
    let shows = || places.iter().filter(|place| place.used == Use::Show);
    let mut needs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for place in shows() {
        for field in &place.rules_over {
            needs.entry(field).or_default().extend(place.rule.fields());
        }
    }
    let page_of = |field: &str| {
        let mut pages = procedure.pages.iter();
        pages.position(|form| form.questions.iter().any(|q| q.code == field))
    };
    for place in shows() {
        let all = reached(&needs, place.rule.fields());
        if let Some(own) = place.rules_over.iter().find(|field| all.contains(*field)) {
            let mut names = names(procedure, place);
            names.push(("part", (*own).to_owned()));
            flaws.push(Flaw::new(place.at.clone(), "show-cycle", names));
            continue;
        }
        let here = place.rules_over.first().and_then(|field| page_of(field));
        let later = |field: &&str| page_of(field) > here;
        if let Some(field) = place.rule.fields().into_iter().find(later) {
            let mut names = names(procedure, place);
            names.push(("part", field.to_owned()));
            flaws.push(Flaw::new(place.at.clone(), "show-later", names));
        }
    }
}

/// The fields that some depend on, directly or by others.
fn reached<'p>(needs: &BTreeMap<&str, BTreeSet<&'p str>>, from: Vec<&'p str>) -> BTreeSet<&'p str> {
    let (mut all, mut open) = (BTreeSet::new(), from);
    while let Some(field) = open.pop() {
        if all.insert(field) {
            open.extend(needs.get(field).into_iter().flatten().copied());
        }
    }
    all
}

/// Every rule that has to hold for something holds for somebody, as far as all ways of answering can be tried.
fn never(procedure: &Procedure, places: &[Place<'_>], flaws: &mut Vec<Flaw>) {
    let mut hidden: BTreeSet<&str> = BTreeSet::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = told.len();
        for place in places {
            let has_to = matches!(place.used, Use::Show | Use::Guard | Use::Duration);
            if !has_to || told.contains(place.at.as_str()) || !holds_never(procedure, place.rule, &hidden) {
                continue;
            }
            told.insert(&place.at);
            hidden.extend(place.rules_over.iter().copied());
            flaws.push(Flaw::new(place.at.clone(), "rule-never", names(procedure, place)));
        }
        if told.len() == before {
            return;
        }
    }
}

fn holds_never(procedure: &Procedure, rule: &Rule, hidden: &BTreeSet<&str>) -> bool {
    let Some(first_day) = parse_iso(&procedure.valid_from) else {
        return false;
    };
    let tries = Tries::of(procedure, &[rule], hidden);
    let holds = |answers| rule.holds(&Given::new(procedure, answers, first_day)) == Some(true);
    tries.all && !tries.answers.iter().any(holds)
}

/// A channel has one term for all cases, or one for the rest of them and others that never apply together.
fn overlaps(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    let Some(first_day) = parse_iso(&procedure.valid_from) else {
        return;
    };
    for channel in [Channel::Online, Channel::Counter, Channel::Post] {
        let terms = procedure.terms.iter().enumerate();
        let terms: Vec<_> = terms.filter(|(_, term)| term.channel == channel).collect();
        if let Some((at, _)) = terms.first()
            && terms.iter().all(|(_, term)| term.when.is_some())
        {
            let name = named(&format!("{channel:?}"));
            flaws.push(Flaw::new(format!("/terms/{at}/when"), "terms-no-rest", name));
        }
        let ruled: Vec<_> = terms
            .iter()
            .filter_map(|(at, term)| Some((*at, &term.when.as_ref()?.rule)))
            .collect();
        for (place, (at, rule)) in ruled.iter().enumerate() {
            let both = |other: &Rule| {
                let tries = Tries::of(procedure, &[rule, other], &BTreeSet::new());
                let holds =
                    |one: &Rule, answers| one.holds(&Given::new(procedure, answers, first_day)) == Some(true);
                tries
                    .answers
                    .iter()
                    .any(|way| holds(rule, way) && holds(other, way))
            };
            let mut before = ruled.iter().take(place);
            if let Some((_, other)) = before.find(|(_, other)| both(other)) {
                let mut names = named(rule.text());
                names.push(("other", other.text().to_owned()));
                flaws.push(Flaw::new(
                    format!("/terms/{at}/when/rule"),
                    "terms-overlap",
                    names,
                ));
            }
        }
    }
}
