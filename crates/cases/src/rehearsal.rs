//! A rehearsal: made-up citizens go through a version of a procedure before anybody real does, from their
//! answers to the end, and what comes of it is held against what was expected. Pure: nothing is filed, nothing
//! kept; which files there are is for [`crate::pack`] to say.

use std::collections::BTreeMap;

use kernel::calendar::Calendar;
use kernel::fact::{Channel, Outcome};
use kernel::fault::{Flaw, Names};
use kernel::{AreaCode, Digest, Problem, ProcedureCode, Time};
use serde::{Deserialize, Serialize};

use crate::answers::{Rules, faults};
use crate::case::passed_over;
use crate::draft::{Attached, Draft};
use crate::places::Places;
use crate::procedure::{APPLICANT, PLATFORM, Procedure, Text, Transition, Verb};
use crate::rules::Given;

/// The sample citizens of a procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Samples {
    /// The procedure.
    pub procedure: ProcedureCode,
    /// The citizens.
    pub citizens: Vec<SampleCitizen>,
}

/// A made-up citizen and what should become of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleCitizen {
    /// What they stand for.
    pub name: Text,
    /// How they file.
    pub channel: Channel,
    /// When, in Vietnam's time: `2026-11-20T09:00`.
    pub filed: String,
    /// When they are taken in; the moment of filing when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
    /// The papers they attach.
    #[serde(default)]
    pub papers: Vec<String>,
    /// Their answers, as they are kept.
    pub answers: BTreeMap<String, String>,
    /// What should come of it.
    pub expects: Expects,
}

/// What should come of a rehearsal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expects {
    /// What the form should refuse: the field and the rule, `child_born date-future`. Then nothing follows.
    #[serde(default)]
    pub refused: Vec<String>,
    /// What it should cost, in dong.
    #[serde(default)]
    pub dong: u64,
    /// By when the result should be owed: `2026-11-20T17:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// What is done, by whom: `officer propose`.
    #[serde(default)]
    pub path: Vec<String>,
    /// How it should end; granted when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// In which state it should end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// What answers and terms are held against.
#[derive(Clone, Copy)]
pub struct Footing<'a> {
    /// The communes.
    pub places: &'a Places,
    /// The working calendar.
    pub calendar: &'a Calendar,
}

impl std::fmt::Debug for Footing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Footing")
    }
}

fn flaw(at: &str, rule: &'static str, names: Names) -> Flaw {
    Flaw::new(at, rule, names)
}

/// One citizen's way through a version: everything that comes otherwise than expected. The pointers lead into
/// the citizen.
#[must_use]
pub fn rehearse(procedure: &Procedure, citizen: &SampleCitizen, footing: &Footing<'_>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let bad = |text: &str| vec![("value", text.to_owned())];
    let Some(filed) = Time::parse_minute(&citizen.filed) else {
        return vec![flaw("/filed", "sample-time", bad(&citizen.filed))];
    };
    let taken_in = citizen.accepted.as_ref().unwrap_or(&citizen.filed);
    let Some(accepted) = Time::parse_minute(taken_in).filter(|at| *at >= filed) else {
        return vec![flaw("/accepted", "sample-time", bad(taken_in))];
    };
    if !procedure.takes(citizen.channel) {
        let names = bad(crate::store::channel_text(citizen.channel));
        return vec![flaw("/channel", "sample-channel", names)];
    }
    let told = refusals(procedure, citizen, footing, filed);
    let surplus = told.iter().filter(|one| !citizen.expects.refused.contains(one));
    flaws.extend(surplus.map(|one| {
        let field = one.split(' ').next().unwrap_or_default();
        flaw(&format!("/answers/{field}"), "sample-refused", bad(one))
    }));
    for (at, one) in citizen.expects.refused.iter().enumerate() {
        if !told.contains(one) {
            flaws.push(flaw(
                &format!("/expects/refused/{at}"),
                "sample-not-refused",
                bad(one),
            ));
        }
    }
    if !citizen.expects.refused.is_empty() || !flaws.is_empty() {
        return flaws;
    }
    fee(procedure, citizen, filed, &mut flaws);
    due(procedure, citizen, footing, accepted, &mut flaws);
    course(procedure, citizen, &mut flaws);
    flaws
}

/// What the form refuses: field and rule of each.
fn refusals(
    procedure: &Procedure,
    citizen: &SampleCitizen,
    footing: &Footing<'_>,
    filed: Time,
) -> Vec<String> {
    let receives = |_: &AreaCode| Ok(());
    let rules = Rules {
        today: filed.date(),
        places: footing.places,
        receives: &receives,
    };
    let draft = Draft {
        id: String::new(),
        account: String::new(),
        procedure: procedure.code.clone(),
        version: procedure.version(),
        answers: citizen.answers.clone(),
        prefilled: BTreeMap::new(),
        revision: 1,
        filed_as: None,
        mandate: None,
        created_at: filed,
        changed_at: filed,
    };
    let said = |problem: &Problem| {
        let field = problem.field.as_deref().unwrap_or_default();
        format!("{field} {}", problem.code)
    };
    let mut told: Vec<String> = faults(procedure, &draft, &rules)
        .iter()
        .map(|(_, problem)| said(problem))
        .collect();
    let asked = |field: &&String| procedure.question(field).is_none();
    let unasked = citizen.answers.keys().filter(asked);
    told.extend(unasked.map(|field| format!("{field} answer-unknown")));
    let attached: Vec<Attached> = citizen.papers.iter().map(|code| attached(code)).collect();
    let missing = Draft::missing_papers(procedure, &attached);
    told.extend(missing.map(|paper| format!("{} paper-missing", paper.code)));
    told
}

fn attached(code: &str) -> Attached {
    Attached {
        code: code.to_owned(),
        name: String::new(),
        media: String::new(),
        size: 0,
        digest: Digest::of(&[]),
    }
}

fn fee(procedure: &Procedure, citizen: &SampleCitizen, filed: Time, flaws: &mut Vec<Flaw>) {
    let dong = procedure.dong(&citizen.answers, filed.date());
    if dong != citizen.expects.dong {
        let names = vec![
            ("value", dong.to_string()),
            ("wanted", citizen.expects.dong.to_string()),
        ];
        flaws.push(flaw("/expects/dong", "sample-fee", names));
    }
}

fn due(
    procedure: &Procedure,
    citizen: &SampleCitizen,
    footing: &Footing<'_>,
    accepted: Time,
    flaws: &mut Vec<Flaw>,
) {
    let Some(wanted) = &citizen.expects.due else {
        return;
    };
    let filed = Time::parse_minute(&citizen.filed).unwrap_or(accepted);
    let term = procedure.term_for(citizen.channel, &citizen.answers, filed.date());
    let counted = crate::clock::due(term, footing.calendar, accepted);
    let due = counted.map_or_else(|problem| problem.code.to_owned(), |counted| minute(counted.due));
    if due != *wanted {
        let names = vec![("value", due), ("wanted", wanted.clone())];
        flaws.push(flaw("/expects/due", "sample-due", names));
    }
}

/// A moment as the samples write it.
fn minute(time: Time) -> String {
    let minute = time.minute_of_day();
    let day = kernel::time::iso(time.date());
    format!("{day}T{:02}:{:02}", minute / 60, minute % 60)
}

fn course(procedure: &Procedure, citizen: &SampleCitizen, flaws: &mut Vec<Flaw>) {
    let mut state = procedure.first_state.clone();
    for (at, step) in citizen.expects.path.iter().enumerate() {
        match next(procedure, citizen, &state, step) {
            Some(after) => state = after,
            None => {
                let names = vec![("value", step.clone()), ("state", state)];
                flaws.push(flaw(&format!("/expects/path/{at}"), "sample-step", names));
                return;
            }
        }
    }
    if let Some(wanted) = &citizen.expects.state
        && *wanted != state
    {
        let names = vec![("value", state), ("wanted", wanted.clone())];
        flaws.push(flaw("/expects/state", "sample-state", names));
    }
}

/// The state after a step, by the rules that a running case goes by; nothing when it cannot be done.
fn next(procedure: &Procedure, citizen: &SampleCitizen, state: &str, step: &str) -> Option<String> {
    let (role, verb) = step.split_once(' ')?;
    let verb: Verb = serde_json::from_value(serde_json::Value::String(verb.to_owned())).ok()?;
    let fits = |t: &&Transition| t.verb == verb && t.from == state && t.role == role;
    let transition = procedure.transitions.iter().find(fits)?;
    let filed = Time::parse_minute(&citizen.filed)?.date();
    let given = Given::new(procedure, &citizen.answers, filed);
    let guard = transition.guard.as_ref();
    if guard.is_some_and(|guard| guard.rule.holds(&given) != Some(true)) {
        return None;
    }
    let outcome = citizen.expects.outcome.unwrap_or(Outcome::Granted);
    let online = citizen.channel == Channel::Online;
    match verb {
        // Who filed online looks at the draft themselves; of any other the desk writes down what they said.
        Verb::CheckDraft if online != matches!(role, APPLICANT | PLATFORM) => None,
        // The platform gives what was filed online, the desk what was handed in there.
        Verb::Return if role == PLATFORM && !online => None,
        Verb::Propose => Some(passed_over(procedure, transition.to.clone(), outcome)),
        Verb::CheckDraft => Some(passed_over(procedure, transition.to.clone(), Outcome::Granted)),
        _ => Some(transition.to.clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::procedure::TermRule;
    use crate::testing::{birth, case, nouns};

    fn mother() -> SampleCitizen {
        let path = [
            "receptionist accept",
            "officer propose",
            "applicant check-draft",
            "platform enter-act",
            "chairman sign",
            "clerk seal",
            "platform return",
        ];
        SampleCitizen {
            name: Text {
                vi: "Người mẹ".to_owned(),
                en: "A mother".to_owned(),
            },
            channel: Channel::Online,
            filed: "2026-11-20T09:00".to_owned(),
            accepted: Some("2026-11-20T09:30".to_owned()),
            papers: vec!["GCS".to_owned()],
            answers: case(&birth()).answers,
            expects: Expects {
                due: Some("2026-11-20T17:00".to_owned()),
                path: path.map(str::to_owned).to_vec(),
                state: Some("returned".to_owned()),
                ..Expects::default()
            },
        }
    }

    fn told(procedure: &Procedure, citizen: &SampleCitizen) -> Vec<String> {
        let nouns = nouns();
        let places = Places::new(Arc::clone(&nouns.areas));
        let calendar = nouns.calendars.of(&procedure.publisher);
        let footing = Footing {
            places: &places,
            calendar: &calendar,
        };
        let flaws = rehearse(procedure, citizen, &footing);
        flaws
            .iter()
            .map(|flaw| format!("{} {}", flaw.at, flaw.rule))
            .collect()
    }

    #[test]
    fn a_sample_citizen_goes_the_whole_way_and_nothing_comes_otherwise() {
        let mut citizen = mother();
        citizen
            .answers
            .insert("child_born".to_owned(), "2026-11-19".to_owned());
        assert_eq!(told(&birth(), &citizen), Vec::<String>::new());
    }

    #[test]
    fn a_term_a_fee_a_step_or_an_end_that_is_otherwise_is_told_with_its_place() {
        let mut slower = Procedure::clone(&birth());
        for term in &mut slower.terms {
            term.rule = TermRule::WorkingDays { days: 2 };
        }
        assert_eq!(told(&slower, &mother()), ["/expects/due sample-due"]);
        let mut citizen = mother();
        citizen.expects.dong = 5_000;
        citizen.expects.path[1] = "chairman propose".to_owned();
        assert_eq!(
            told(&birth(), &citizen),
            ["/expects/dong sample-fee", "/expects/path/1 sample-step"]
        );
        let mut citizen = mother();
        citizen.expects.path.pop();
        assert_eq!(told(&birth(), &citizen), ["/expects/state sample-state"]);
        let mut citizen = mother();
        citizen.channel = Channel::Counter;
        assert_eq!(
            told(&birth(), &citizen),
            ["/expects/path/2 sample-step"],
            "at the desk the officer writes down what was said"
        );
    }

    #[test]
    fn what_the_form_refuses_is_expected_or_told() {
        let mut citizen = mother();
        citizen
            .answers
            .insert("child_born".to_owned(), "2027-01-01".to_owned());
        citizen.papers.clear();
        let said = told(&birth(), &citizen);
        assert!(
            said.contains(&"/answers/child_born sample-refused".to_owned()),
            "{said:?}"
        );
        assert!(
            said.contains(&"/answers/GCS sample-refused".to_owned()),
            "{said:?}"
        );
        citizen.papers.push("GCS".to_owned());
        citizen.expects.refused.push("child_born date-future".to_owned());
        assert_eq!(told(&birth(), &citizen), Vec::<String>::new());
        let mut right = mother();
        right.expects.refused.push("child_born date-future".to_owned());
        assert_eq!(told(&birth(), &right), ["/expects/refused/0 sample-not-refused"]);
    }

    #[test]
    fn a_refusal_passes_over_what_has_nothing_to_do() {
        let mut citizen = mother();
        citizen.expects.outcome = Some(Outcome::Refused);
        let path = [
            "receptionist accept",
            "officer propose",
            "deputy-chairman sign",
            "clerk seal",
            "platform return",
        ];
        citizen.expects.path = path.map(str::to_owned).to_vec();
        assert_eq!(told(&birth(), &citizen), Vec::<String>::new());
    }
}
