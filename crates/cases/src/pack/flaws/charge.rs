//! The rules of what may become known to be owed while a case is handled: kinds, limits, and a state in which the case waits
//! for its applicant's money. A procedure that has a part of that and not the others is half done. Pure.

use kernel::fault::Flaw;
use kernel::time::parse_iso;

use super::{named, twice};
use crate::procedure::{APPLICANT, ChargeRule, Clock, Procedure, Transition, Verb};

/// The longest time an applicant can have to pay, in working days.
const PAY_DAYS_MAX: i64 = 250;
/// How often one case can be asked to pay, count: each charge stands on the case's page.
const TIMES_MAX: usize = 20;
/// The greatest amount of one notice, in dong: that of a question about money.
const DONG_MAX: u64 = 1_000_000_000_000_000;
/// The national status of a case that waits for its applicant's money.
const PAYMENT: u8 = 6;

pub(super) fn check(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    let of = |verb: Verb| procedure.transitions.iter().position(|t| t.verb == verb);
    let parts = [
        ("/charges".to_owned(), !procedure.charges.is_empty()),
        ("/charge_rules".to_owned(), !procedure.charge_rules.is_empty()),
        (place(of(Verb::AskPayment)), of(Verb::AskPayment).is_some()),
        (place(of(Verb::Pay)), of(Verb::Pay).is_some()),
    ];
    if parts.iter().all(|(_, there)| !there) {
        return;
    }
    if parts.iter().any(|(_, there)| !there) {
        let first = parts.into_iter().find(|(_, there)| *there);
        flaws.extend(first.map(|(at, _)| Flaw::new(at, "charges-half", vec![])));
    }
    kinds(procedure, flaws);
    for (at, rule) in procedure.charge_rules.iter().enumerate() {
        bounds(at, rule, flaws);
    }
    let days = procedure.charge_rules.iter().map(|r| r.valid_from.clone());
    twice(days, "/charge_rules/{}/valid_from", "rules-overlap", flaws);
    for (at, step) in procedure.transitions.iter().enumerate() {
        if !leads(procedure, step) {
            let at = format!("/transitions/{at}");
            flaws.push(Flaw::new(at, "charge-state", named(&step.from)));
        }
    }
}

/// Where a transition stands; the list of them where there is none.
fn place(at: Option<usize>) -> String {
    at.map_or_else(|| "/transitions".to_owned(), |at| format!("/transitions/{at}"))
}

fn kinds(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    let codes = procedure.charges.iter().map(|kind| kind.code.clone());
    twice(codes, "/charges/{}/code", "charge-twice", flaws);
    for (at, kind) in procedure.charges.iter().enumerate() {
        if kind.legal_basis.trim().is_empty() {
            let at = format!("/charges/{at}/legal_basis");
            flaws.push(Flaw::new(at, "legal-basis-missing", named(&kind.code)));
        }
        if !(1..=DONG_MAX).contains(&kind.most) {
            let at = format!("/charges/{at}/most");
            flaws.push(limit(at, &kind.most.to_string(), &DONG_MAX.to_string()));
        }
    }
}

fn bounds(at: usize, rule: &ChargeRule, flaws: &mut Vec<Flaw>) {
    let here = |key: &str| format!("/charge_rules/{at}/{key}");
    if parse_iso(&rule.valid_from).is_none() {
        flaws.push(Flaw::new(here("valid_from"), "date-bad", named(&rule.valid_from)));
    }
    if !(1..=PAY_DAYS_MAX).contains(&rule.pay_days) {
        let (value, max) = (rule.pay_days.to_string(), PAY_DAYS_MAX.to_string());
        flaws.push(limit(here("pay_days"), &value, &max));
    }
    if !(1..=TIMES_MAX).contains(&rule.times) {
        let (value, max) = (rule.times.to_string(), TIMES_MAX.to_string());
        flaws.push(limit(here("times"), &value, &max));
    }
}

fn limit(at: String, value: &str, max: &str) -> Flaw {
    let mut names = named(value);
    names.push(("max", max.to_owned()));
    Flaw::new(at, "charge-limit", names)
}

/// True for a step that asks while the agency's time runs and leads where the applicant is waited for and can pay, and for
/// one that pays what is waited for; and for any other.
fn leads(procedure: &Procedure, step: &Transition) -> bool {
    let waits = |code: &str| {
        let state = procedure.states.get(code);
        state.is_some_and(|state| state.clock == Clock::Pause && state.status == PAYMENT)
    };
    match step.verb {
        Verb::AskPayment => {
            let mut steps = procedure.transitions.iter();
            let pays = |t: &Transition| t.verb == Verb::Pay && t.from == step.to && t.role == APPLICANT;
            procedure.clock(&step.from) == Clock::Run && waits(&step.to) && steps.any(pays)
        }
        Verb::Pay => waits(&step.from),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::nouns;

    /// The permit, changed: the rules it breaks then, and where.
    fn told(change: impl FnOnce(&mut Procedure)) -> Vec<(String, &'static str)> {
        let code = "1.013225".parse().expect("a code");
        let procedure = nouns().catalogue.procedure(&code, testkit::START.date());
        let mut procedure = Procedure::clone(&procedure.expect("in force"));
        change(&mut procedure);
        let flaws = crate::pack::flaws(&procedure).into_iter();
        flaws.map(|flaw| (flaw.at, flaw.rule)).collect()
    }

    #[test]
    fn asking_for_money_is_whole_or_not_there_at_all() {
        assert_eq!(told(|_| {}), []);
        let none = told(|p| p.charges.clear());
        assert_eq!(none, [("/charge_rules".to_owned(), "charges-half")]);
        let rules = told(|p| p.charge_rules.clear());
        assert_eq!(rules, [("/charges".to_owned(), "charges-half")]);
    }

    #[test]
    fn a_charge_has_a_code_of_its_own_a_ground_in_law_and_limits() {
        let twice = told(|p| p.charges.push(p.charges[0].clone()));
        assert_eq!(twice, [("/charges/1/code".to_owned(), "charge-twice")]);
        let lawless = told(|p| p.charges[0].legal_basis.clear());
        assert_eq!(
            lawless,
            [("/charges/0/legal_basis".to_owned(), "legal-basis-missing")]
        );
        let most = told(|p| p.charges[0].most = 0);
        assert_eq!(most, [("/charges/0/most".to_owned(), "charge-limit")]);
        let days = told(|p| p.charge_rules[0].pay_days = 0);
        assert_eq!(days, [("/charge_rules/0/pay_days".to_owned(), "charge-limit")]);
        let times = told(|p| p.charge_rules[0].times = 21);
        assert_eq!(times, [("/charge_rules/0/times".to_owned(), "charge-limit")]);
    }

    #[test]
    fn what_is_asked_for_leads_where_the_applicant_is_waited_for_and_can_pay() {
        let runs = told(|p| p.states.get_mut("payment").expect("a state").clock = Clock::Run);
        assert!(runs.iter().any(|(_, rule)| *rule == "charge-state"), "{runs:?}");
        let nobody = told(|p| {
            let pays = |t: &Transition| t.verb == Verb::Pay && t.role == APPLICANT;
            p.transitions.retain(|t| !pays(t));
        });
        assert!(
            nobody.iter().all(|(_, rule)| *rule == "charge-state") && !nobody.is_empty(),
            "{nobody:?}"
        );
    }
}
