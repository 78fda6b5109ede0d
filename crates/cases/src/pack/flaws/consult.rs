//! The rules of asking other units for an opinion: what can be asked about, how long that takes, and what of the case
//! is shown. A procedure that says how and lets nobody ask, or the other way round, is half done. Pure.

use kernel::fault::Flaw;

use super::terms::length;
use super::{named, twice};
use crate::procedure::{Procedure, Verb};

/// Opinions of one case that a procedure can allow, count: each stands on the case's page.
const OPINIONS_MAX: usize = 20;

pub(super) fn check(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    let asks = procedure.transitions.iter().position(|t| t.verb == Verb::Consult);
    let Some(rule) = &procedure.consult else {
        if let Some(at) = asks {
            flaws.push(Flaw::new(format!("/transitions/{at}"), "consult-half", vec![]));
        }
        return;
    };
    if asks.is_none() {
        flaws.push(Flaw::new("/consult", "consult-half", vec![]));
    }
    if !(1..=OPINIONS_MAX).contains(&rule.most) {
        let mut names = named(&rule.most.to_string());
        names.push(("max", OPINIONS_MAX.to_string()));
        flaws.push(Flaw::new("/consult/most", "consult-most", names));
    }
    if rule.topics.is_empty() {
        let name = named(procedure.code.as_str());
        flaws.push(Flaw::new("/consult/topics", "consult-topics-none", name));
    }
    let codes = rule.topics.iter().map(|topic| topic.code.clone());
    twice(codes, "/consult/topics/{}/code", "consult-topic-twice", flaws);
    for (at, topic) in rule.topics.iter().enumerate() {
        length(&format!("/consult/topics/{at}"), &topic.rule, flaws);
    }
    for (at, code) in rule.pages.iter().enumerate() {
        if procedure.page(code).is_none() {
            flaws.push(Flaw::new(
                format!("/consult/pages/{at}"),
                "page-unknown",
                named(code),
            ));
        }
    }
    for (at, code) in rule.papers.iter().enumerate() {
        if procedure.paper(code).is_none() {
            flaws.push(Flaw::new(
                format!("/consult/papers/{at}"),
                "paper-unknown",
                named(code),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procedure::{ConsultRule, TermRule};
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

    fn rule(procedure: &mut Procedure) -> &mut ConsultRule {
        procedure.consult.as_mut().expect("opinions are asked for")
    }

    #[test]
    fn asking_is_whole_or_not_there_at_all() {
        assert_eq!(told(|_| {}), []);
        let none = told(|p| p.consult = None);
        assert_eq!(none.first().map(|(_, rule)| *rule), Some("consult-half"));
        let nobody = told(|p| {
            p.transitions.retain(|t| t.verb != Verb::Consult);
            p.transitions.retain(|t| t.from != "consulting");
            p.states.remove("consulting");
        });
        assert_eq!(nobody, [("/consult".to_owned(), "consult-half")]);
    }

    #[test]
    fn a_topic_has_a_code_of_its_own_and_a_time_that_can_be_counted() {
        let twice = told(|p| {
            let first = rule(p).topics[0].clone();
            rule(p).topics[1].code = first.code;
        });
        assert_eq!(
            twice,
            [("/consult/topics/1/code".to_owned(), "consult-topic-twice")]
        );
        let never = told(|p| rule(p).topics[0].rule = TermRule::WorkingDays { days: 0 });
        assert_eq!(never, [("/consult/topics/0/days".to_owned(), "term-length")]);
        let none = told(|p| rule(p).topics.clear());
        assert_eq!(none, [("/consult/topics".to_owned(), "consult-topics-none")]);
        let most = told(|p| rule(p).most = 21);
        assert_eq!(most, [("/consult/most".to_owned(), "consult-most")]);
    }

    #[test]
    fn what_is_shown_to_who_is_asked_is_a_part_of_the_case() {
        let page = told(|p| rule(p).pages.push("nowhere".to_owned()));
        assert_eq!(page.first().map(|(_, rule)| *rule), Some("page-unknown"));
        let paper = told(|p| rule(p).papers.push("XX".to_owned()));
        assert_eq!(paper.first().map(|(_, rule)| *rule), Some("paper-unknown"));
    }
}
