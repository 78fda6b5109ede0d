//! The rule of who signs a draft too: each is named by a question for a personal number. Pure.

use kernel::fault::Flaw;

use super::named;
use crate::procedure::{Procedure, QuestionKind};

pub(super) fn check(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    for (at, field) in procedure.cosign.iter().enumerate() {
        let question = procedure.question(field);
        if question.is_none_or(|question| question.kind != QuestionKind::PersonalNumber) {
            flaws.push(Flaw::new(format!("/cosign/{at}"), "cosign-kind", named(field)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::birth;

    #[test]
    fn who_signs_too_is_named_by_a_question_for_a_personal_number() {
        let mut procedure = (*birth()).clone();
        let mut told = |fields: &[&str]| {
            procedure.cosign = fields.iter().map(|field| (*field).to_owned()).collect();
            let mut flaws = Vec::new();
            check(&procedure, &mut flaws);
            flaws.iter().map(|flaw| flaw.at.clone()).collect::<Vec<_>>()
        };
        assert_eq!(told(&["mother_number", "father_number"]), Vec::<String>::new());
        assert_eq!(
            told(&["father_number", "child_name", "nobody"]),
            ["/cosign/1", "/cosign/2"]
        );
    }
}
