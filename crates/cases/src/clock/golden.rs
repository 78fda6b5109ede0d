//! Dates as the articles have them, from `tests/golden/clock.toml`: a case of that file is a test of its name.

use std::collections::BTreeSet;

use kernel::{OrgCode, Time};
use serde::Deserialize;

use crate::clock::fold::{Event, Rules, reckon};
use crate::procedure::{Procedure, Term};
use crate::testing::{birth, nouns};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    golden: Vec<Golden>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    name: String,
    read: String,
    term: Term,
    accepted: String,
    #[serde(default)]
    asked: Option<String>,
    #[serde(default)]
    answered: Option<String>,
    #[serde(default)]
    letter: Option<Letter>,
    due: String,
    #[serde(default)]
    judged: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Letter {
    at: String,
    due: String,
}

fn all() -> Vec<Golden> {
    let text = include_str!("../../tests/golden/clock.toml");
    let file: File = toml::from_str(text).expect("the golden cases");
    file.golden
}

fn at(text: &str) -> Time {
    Time::parse_minute(text).expect("a time")
}

fn holds(name: &str) {
    let golden = all().into_iter().find(|golden| golden.name == name);
    let golden = golden.expect("a case of this name");
    assert!(!golden.read.is_empty(), "{name} says where its rule was read");
    let unit: OrgCode = "H56.15865".parse().expect("a code");
    let mut events = vec![Event::Accepted {
        at: at(&golden.accepted),
        unit: unit.clone(),
    }];
    events.extend(golden.letter.map(|letter| Event::Extended {
        at: at(&letter.at),
        due: at(&letter.due),
    }));
    events.extend(golden.asked.map(|asked| Event::Asked { at: at(&asked) }));
    events.extend(golden.answered.map(|answered| Event::Resumed {
        at: at(&answered),
        unit,
    }));
    let channel = golden.term.channel;
    let procedure = Procedure {
        terms: vec![golden.term],
        ..Procedure::clone(&birth())
    };
    let rules = Rules {
        procedure: &procedure,
        channel,
        filed: at(&golden.accepted).date(),
        answers: &crate::case::Answers::new(),
        calendars: &nouns().calendars,
    };
    let clock = reckon(&rules, &events).expect("a clock");
    assert_eq!(clock.due, at(&golden.due), "{name}");
    let judged = golden.judged.as_ref().unwrap_or(&golden.due);
    assert_eq!(clock.judged_by(), at(judged), "{name}");
}

macro_rules! golden {
    ($($name:ident,)*) => {
        $(#[test]
        fn $name() {
            holds(stringify!($name));
        })*

        #[test]
        fn every_golden_case_has_its_test() {
            let named: BTreeSet<String> = all().into_iter().map(|golden| golden.name).collect();
            let tested: BTreeSet<String> = [$(stringify!($name).to_owned()),*].into();
            assert_eq!(named, tested);
        }
    };
}

golden! {
    birth_registration_is_done_on_the_day_of_acceptance,
    birth_registration_received_after_15_00_is_done_on_the_next_working_day,
    birth_registration_received_after_15_00_before_tet_waits_for_the_first_working_day_after_it,
    decree_61_2018_article_19_clause_4_the_term_restarts_from_zero_after_full_documents,
    decree_61_2018_article_19_clause_9_a_letter_of_apology_does_not_move_the_date_that_is_judged,
    what_is_received_outside_hours_is_counted_from_the_next_opening,
    the_lunch_gap_is_skipped,
    a_saturday_worked_for_a_day_off_counts_and_that_day_does_not,
    a_term_of_days_counts_days_off_and_its_result_is_moved_off_them,
    a_joint_procedure_is_counted_from_the_next_day,
    a_month_from_the_end_of_january_ends_with_february,
}
