//! The rules of what a procedure publishes and passes on: the questions are asked and of the right kind. Pure.

use kernel::fault::Flaw;

use super::named;
use crate::procedure::{Procedure, QuestionKind};

pub(super) fn check(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    if let Some(publish) = &procedure.publish {
        let texts: &[QuestionKind] = &[QuestionKind::Text, QuestionKind::LongText];
        let choice: &[QuestionKind] = &[QuestionKind::Choice];
        let yes_no: &[QuestionKind] = &[QuestionKind::YesNo];
        let fields = [
            ("asked", Some(&publish.asked), texts),
            ("about", publish.about.as_ref(), choice),
            ("unnamed", publish.unnamed.as_ref(), yes_no),
        ];
        for (key, field, kinds) in fields {
            let Some(field) = field else { continue };
            let at = format!("/publish/{key}");
            match procedure.question(field) {
                None => flaws.push(Flaw::new(at, "field-not-asked", named(field))),
                Some(question) if !kinds.contains(&question.kind) => {
                    flaws.push(Flaw::new(at, "publish-kind", named(field)));
                }
                Some(_) => {}
            }
        }
        days("/publish/days", publish.days, flaws);
    }
    if let Some(forward) = &procedure.forward {
        days("/forward/days", forward.days, flaws);
    }
}

fn days(at: &str, days: i64, flaws: &mut Vec<Flaw>) {
    if days < 1 {
        flaws.push(Flaw::new(at, "days-none", named(&days.to_string())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procedure::{Forward, Publish};
    use crate::testing::birth;

    fn told(change: impl FnOnce(&mut Procedure, &mut Publish)) -> String {
        let mut procedure = (*birth()).clone();
        let mut publish = Publish {
            asked: "child_birth_place".to_owned(),
            about: Some("child_sex".to_owned()),
            unnamed: None,
            days: 2,
        };
        change(&mut procedure, &mut publish);
        procedure.publish = Some(publish);
        let mut flaws = Vec::new();
        check(&procedure, &mut flaws);
        let told = flaws.iter().map(|flaw| format!("{} {}", flaw.at, flaw.rule));
        told.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn what_is_published_is_asked_and_its_days_are_some() {
        assert_eq!(told(|_, _| {}), "");
        assert_eq!(
            told(|_, p| p.asked = "nothing".to_owned()),
            "/publish/asked field-not-asked"
        );
        assert_eq!(
            told(|_, p| p.asked = "child_sex".to_owned()),
            "/publish/asked publish-kind"
        );
        assert_eq!(
            told(|_, p| p.unnamed = Some("child_sex".to_owned())),
            "/publish/unnamed publish-kind"
        );
        assert_eq!(told(|_, p| p.days = 0), "/publish/days days-none");
        let forward = Forward { days: 0 };
        assert_eq!(told(|p, _| p.forward = Some(forward)), "/forward/days days-none");
    }
}
