//! The rules of a procedure's fee: what it counts by can be counted, and its steps rise. Pure.

use kernel::fault::Flaw;

use super::named;
use crate::procedure::{Fee, Procedure, Question, QuestionKind};

pub(super) fn check(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    let Some(fee) = &procedure.fee else { return };
    if fee.dong == 0 {
        flaws.push(Flaw::new("/fee/dong", "fee-nothing", named("0")));
    }
    if fee.legal_basis.trim().is_empty() {
        let name = named(procedure.code.as_str());
        flaws.push(Flaw::new("/fee/legal_basis", "legal-basis-missing", name));
    }
    for (key, field) in [("per", &fee.per), ("times", &fee.times)] {
        let Some(field) = field else { continue };
        let at = format!("/fee/{key}");
        match procedure.question(field) {
            None => flaws.push(Flaw::new(at, "field-not-asked", named(field))),
            Some(question) if !counts(question) => flaws.push(Flaw::new(at, "fee-count", named(field))),
            Some(_) => {}
        }
    }
    steps(fee, flaws);
}

/// Always answered, and always with a whole number of one or more.
fn counts(question: &Question) -> bool {
    let whole = |value: &str| value.parse::<u64>().is_ok_and(|n| n > 0);
    question.required
        && match question.kind {
            QuestionKind::Number => question.bounds().0 > 0,
            QuestionKind::Choice => question.choices.iter().all(|c| whole(&c.value)),
            _ => false,
        }
}

fn steps(fee: &Fee, flaws: &mut Vec<Flaw>) {
    if fee.per.is_none() && !(fee.beyond.is_empty() && fee.unit.is_none() && fee.most.is_none()) {
        flaws.push(Flaw::new("/fee", "fee-no-count", named(&fee.dong.to_string())));
    }
    let mut before = 0;
    for (at, step) in fee.beyond.iter().enumerate() {
        if step.after <= before {
            let at = format!("/fee/beyond/{at}/after");
            flaws.push(Flaw::new(at, "fee-steps", named(&step.after.to_string())));
        }
        before = step.after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procedure::Beyond;
    use crate::testing::nouns;

    fn told(change: impl FnOnce(&mut Fee, &mut Question)) -> Vec<String> {
        let code = "2.000635".parse().expect("a code");
        let document = nouns().catalogue.procedure(&code, testkit::START.date());
        let mut document = (*document.expect("in force")).clone();
        let per = document
            .fee
            .as_ref()
            .and_then(|fee| fee.per.clone())
            .expect("it counts");
        let mut fee = document.fee.take().expect("a fee");
        let asked = document.pages.iter_mut().flat_map(|page| &mut page.questions);
        let question = asked.into_iter().find(|q| q.code == per).expect("asked");
        change(&mut fee, question);
        document.fee = Some(fee);
        let mut flaws = Vec::new();
        check(&document, &mut flaws);
        flaws
            .iter()
            .map(|flaw| format!("{} {}", flaw.at, flaw.rule))
            .collect()
    }

    #[test]
    fn a_fee_counts_by_what_is_always_answered_with_a_whole_number() {
        let none: [&str; 0] = [];
        assert_eq!(told(|_, _| {}), none);
        assert_eq!(told(|_, q| q.required = false), ["/fee/per fee-count"]);
        assert_eq!(
            told(|_, q| q.choices[0].value = "many".to_owned()),
            ["/fee/per fee-count"]
        );
        assert_eq!(told(|_, q| q.kind = QuestionKind::Text), ["/fee/per fee-count"]);
        assert_eq!(
            told(|_, q| q.kind = QuestionKind::Number),
            ["/fee/per fee-count"],
            "it may be 0"
        );
        let number = |q: &mut Question| (q.kind, q.least) = (QuestionKind::Number, Some(1));
        assert_eq!(told(|_, q| number(q)), none);
        assert_eq!(
            told(|fee, _| fee.times = Some("nobody".to_owned())),
            ["/fee/times field-not-asked"]
        );
    }

    #[test]
    fn a_fee_is_something_rests_on_an_act_and_its_steps_rise() {
        assert_eq!(told(|fee, _| fee.dong = 0), ["/fee/dong fee-nothing"]);
        assert_eq!(
            told(|fee, _| fee.legal_basis = " ".to_owned()),
            ["/fee/legal_basis legal-basis-missing"]
        );
        let step = |after| Beyond {
            after,
            dong: 1_000,
            amount: None,
        };
        assert_eq!(
            told(|fee, _| fee.beyond = vec![step(2), step(2)]),
            ["/fee/beyond/1/after fee-steps"]
        );
        let once = |fee: &mut Fee| (fee.per, fee.beyond) = (None, vec![step(2)]);
        assert_eq!(told(|fee, _| once(fee)), ["/fee fee-no-count"]);
    }
}
