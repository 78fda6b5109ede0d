//! The rules of a procedure's document, by itself: states, transitions, form, prefill, act. Pure: tells
//! where by a pointer; which organisations, services and lists there are is for others to say.

mod charge;
mod consult;
mod cosign;
mod fee;
mod follow_ups;
mod kinds;
mod prefill;
mod publish;
mod represent;
mod rules;
mod terms;

use std::collections::{BTreeMap, BTreeSet};

use kernel::fact::Channel;
use kernel::fault::{Flaw, Names};
use kernel::time::parse_iso;
use serde_json::Value;

use crate::act;
use crate::procedure::{Clock, PLATFORM, Procedure, QuestionKind, Verb};

/// Who can have a step to do: the roles of accounts, the applicant, and the platform's own jobs.
pub const ROLES: [&str; 8] = [
    "receptionist",
    "officer",
    "chairman",
    "deputy-chairman",
    "clerk",
    "citizen",
    "applicant",
    "platform",
];

fn named(value: &str) -> Names {
    vec![("value", value.to_owned())]
}

/// Everything that is wrong with a procedure by itself.
#[must_use]
pub fn flaws(procedure: &Procedure) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    head(procedure, &mut flaws);
    course(procedure, &mut flaws);
    form(procedure, &mut flaws);
    prefill(procedure, &mut flaws);
    prefill::check(procedure, &mut flaws);
    bodies(procedure, &mut flaws);
    follow_ups::check(procedure, &mut flaws);
    publish::check(procedure, &mut flaws);
    consult::check(procedure, &mut flaws);
    charge::check(procedure, &mut flaws);
    cosign::check(procedure, &mut flaws);
    represent::check(procedure, &mut flaws);
    rules::check(procedure, &mut flaws);
    let json = serde_json::to_value(procedure).unwrap_or_default();
    texts(&json, "", &mut flaws);
    flaws
}

fn head(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    if parse_iso(&procedure.valid_from).is_none() {
        flaws.push(Flaw::new("/valid_from", "date-bad", named(&procedure.valid_from)));
    }
    if procedure.legal_basis.iter().all(|b| b.trim().is_empty()) {
        flaws.push(Flaw::new(
            "/legal_basis",
            "legal-basis-missing",
            named(procedure.code.as_str()),
        ));
    }
    if !["commune", "province"].contains(&procedure.level.as_str()) {
        let mut names = named(&procedure.level);
        names.push(("wanted", "commune, province".to_owned()));
        flaws.push(Flaw::new("/level", "value-unknown", names));
    }
    let receiver = procedure.question(&procedure.receiver);
    if receiver.is_none_or(|q| q.kind != QuestionKind::Commune || !q.required) {
        flaws.push(Flaw::new(
            "/receiver",
            "receiver-no-commune",
            named(&procedure.receiver),
        ));
    }
    fee::check(procedure, flaws);
    for (at, rule) in procedure.supplement_rules.iter().enumerate() {
        if parse_iso(&rule.valid_from).is_none() {
            let at = format!("/supplement_rules/{at}/valid_from");
            flaws.push(Flaw::new(at, "date-bad", named(&rule.valid_from)));
        }
    }
    let days = procedure.supplement_rules.iter().map(|r| r.valid_from.clone());
    twice(days, "/supplement_rules/{}/valid_from", "rules-overlap", flaws);
    let plain = procedure.terms.iter().enumerate().map(|(at, t)| match t.when {
        // Of terms that apply to some cases a channel can have several.
        Some(_) => format!("{:?} {at}", t.channel),
        None => format!("{:?}", t.channel),
    });
    twice(plain, "/terms/{}/channel", "term-twice", flaws);
    terms::check(procedure, flaws);
    let papers = procedure.papers.iter().map(|p| p.code.clone());
    twice(papers, "/papers/{}/code", "paper-twice", flaws);
    let pages = procedure.pages.iter().map(|p| p.code.clone());
    twice(pages, "/pages/{}/code", "page-twice", flaws);
}

/// What stands a second time; `{}` in the pointer is its position.
fn twice(all: impl Iterator<Item = String>, at: &str, rule: &'static str, flaws: &mut Vec<Flaw>) {
    let mut seen = BTreeSet::new();
    for (index, one) in all.enumerate() {
        if !seen.insert(one.clone()) {
            flaws.push(Flaw::new(at.replace("{}", &index.to_string()), rule, named(&one)));
        }
    }
}

/// The states and transitions: every state is declared, can be reached and left, and has a status.
fn course(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    let mut known = |at: String, state: &str| {
        if !procedure.states.contains_key(state) {
            flaws.push(Flaw::new(at, "state-unknown", named(state)));
        }
    };
    known("/first_state".to_owned(), &procedure.first_state);
    for (at, t) in procedure.transitions.iter().enumerate() {
        known(format!("/transitions/{at}/from"), &t.from);
        known(format!("/transitions/{at}/to"), &t.to);
    }
    let looks = procedure
        .transitions
        .iter()
        .position(|t| t.verb == Verb::CheckDraft);
    match (looks, &procedure.draft_check) {
        (Some(at), None) => flaws.push(Flaw::new(
            format!("/transitions/{at}"),
            "draft-check-half",
            vec![],
        )),
        (None, Some(_)) => flaws.push(Flaw::new("/draft_check", "draft-check-half", vec![])),
        _ => {}
    }
    let given = |t: &crate::procedure::Transition| t.verb == Verb::Return && t.role != PLATFORM;
    let at_desk = procedure.takes(Channel::Counter) || procedure.takes(Channel::Post);
    if at_desk && !procedure.transitions.iter().any(given) {
        flaws.push(Flaw::new(
            "/transitions",
            "return-by-nobody",
            named(procedure.code.as_str()),
        ));
    }
    let reached = reached(procedure);
    for (code, state) in &procedure.states {
        let at = format!("/states/{code}");
        if !reached.contains(code.as_str()) {
            flaws.push(Flaw::new(at.clone(), "state-unreachable", named(code)));
        }
        if state.clock != Clock::Stop && !procedure.transitions.iter().any(|t| t.from == *code) {
            flaws.push(Flaw::new(at.clone(), "state-dead", named(code)));
        }
        if !(1..=10).contains(&state.status) {
            flaws.push(Flaw::new(
                format!("{at}/status"),
                "status-unknown",
                named(&state.status.to_string()),
            ));
        }
        if !state.role.is_empty() {
            role(format!("{at}/role"), &state.role, flaws);
        }
    }
    let mut seen = BTreeSet::new();
    for (at, t) in procedure.transitions.iter().enumerate() {
        role(format!("/transitions/{at}/role"), &t.role, flaws);
        if !seen.insert((format!("{:?}", t.verb), &t.from, &t.role)) {
            flaws.push(Flaw::new(
                format!("/transitions/{at}/verb"),
                "transition-twice",
                named(&t.from),
            ));
        }
    }
}

fn role(at: String, role: &str, flaws: &mut Vec<Flaw>) {
    if !ROLES.contains(&role) {
        let mut names = named(role);
        names.push(("wanted", ROLES.join(", ")));
        flaws.push(Flaw::new(at, "role-unknown", names));
    }
}

/// The states that some way of transitions leads to from the first.
fn reached(procedure: &Procedure) -> BTreeSet<&str> {
    let mut reached = BTreeSet::from([procedure.first_state.as_str()]);
    loop {
        let before = reached.len();
        for t in &procedure.transitions {
            if reached.contains(t.from.as_str()) {
                reached.insert(&t.to);
            }
        }
        if reached.len() == before {
            return reached;
        }
    }
}

fn form(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (page, p) in procedure.pages.iter().enumerate() {
        for (at, question) in p.questions.iter().enumerate() {
            let here = |key: &str| format!("/pages/{page}/questions/{at}/{key}");
            if first.insert(&question.code, page).is_some() {
                flaws.push(Flaw::new(
                    here("code"),
                    "field-asked-twice",
                    named(&question.code),
                ));
            }
            kinds::check(question, &here, flaws);
            let values = question.choices.iter().map(|c| c.value.clone());
            twice(values, &here("choices/{}/value"), "choice-twice", flaws);
            if let Some(born) = &question.born
                && procedure
                    .question(born)
                    .is_none_or(|q| q.kind != QuestionKind::Date)
            {
                flaws.push(Flaw::new(here("born"), "born-no-date", named(born)));
            }
        }
    }
}

/// Keys come from the applicant or an earlier answer; what is filled is asked, or is a later key.
fn prefill(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    for (at, prefill) in procedure.prefill.iter().enumerate() {
        let (earlier, later) = procedure.prefill.split_at(at);
        for (name, key) in &prefill.key {
            let Some(key) = key.strip_prefix('@') else {
                continue;
            };
            if key.starts_with("answer:") {
                continue;
            }
            if key != "applicant" && !earlier.iter().any(|p| p.fills.contains_key(key)) {
                flaws.push(Flaw::new(
                    format!("/prefill/{at}/key/{name}"),
                    "prefill-key-unknown",
                    named(key),
                ));
            }
        }
        for field in prefill.fills.keys() {
            let key = |p: &crate::procedure::Prefill| {
                p.key
                    .values()
                    .any(|k| k.strip_prefix('@').is_some_and(|k| k == field))
            };
            if procedure.question(field).is_none() && !later.iter().any(key) {
                flaws.push(Flaw::new(
                    format!("/prefill/{at}/fills/{field}"),
                    "field-not-asked",
                    named(field),
                ));
            }
        }
    }
}

/// The bodies sent to registers take what is asked, or the case's own values.
fn bodies(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    let act = procedure.act.iter().map(|act| ("/act".to_owned(), &act.body));
    let follow = procedure.follow_ups.iter().enumerate();
    let follow = follow.map(|(at, f)| (format!("/follow_ups/{at}"), &f.body));
    for (at, body) in act.chain(follow) {
        for (part, source) in body {
            for field in act::sources(source).filter(|f| !act::OWN.contains(f)) {
                if procedure.question(field).is_none() {
                    flaws.push(Flaw::new(
                        format!("{at}/body/{part}"),
                        "field-not-asked",
                        named(field),
                    ));
                }
            }
        }
    }
}

/// A text has both languages, and neither is empty.
fn texts(json: &Value, at: &str, flaws: &mut Vec<Flaw>) {
    match json {
        Value::Object(map) => {
            for language in ["vi", "en"] {
                let empty = map
                    .get(language)
                    .and_then(Value::as_str)
                    .is_some_and(|t| t.trim().is_empty());
                if map.contains_key("vi") && empty {
                    flaws.push(Flaw::new(
                        format!("{at}/{language}"),
                        "language-missing",
                        named(language),
                    ));
                }
            }
            for (key, value) in map {
                texts(value, &format!("{at}/{key}"), flaws);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                texts(item, &format!("{at}/{index}"), flaws);
            }
        }
        _ => {}
    }
}
