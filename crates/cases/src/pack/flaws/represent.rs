//! The rule of whom a case may be filed for by somebody else: each kind once, by proofs that there are for it. Pure.

use kernel::fault::Flaw;

use super::named;
use crate::procedure::{Procedure, Proof, QuestionKind, Represent, Whom};

pub(super) fn check(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    for (at, one) in procedure.represent.iter().enumerate() {
        let here = |key: &str| format!("/represent/{at}/{key}");
        let word = one.whom.word();
        if procedure
            .represent
            .iter()
            .take(at)
            .any(|other| other.whom == one.whom)
        {
            flaws.push(Flaw::new(here("whom"), "represent-twice", named(word)));
        }
        if one.proofs.is_empty() || one.proofs.iter().any(|proof| !is_proof_of(one.whom, *proof)) {
            flaws.push(Flaw::new(here("proofs"), "represent-proof", named(word)));
        }
        if let Some(field) = one
            .field
            .as_deref()
            .filter(|field| !asks_for(procedure, one, field))
        {
            flaws.push(Flaw::new(here("field"), "represent-field", named(field)));
        }
    }
}

/// The law itself lets parents and legal representatives act, and a register says who they are; whom somebody authorised
/// says that person or a paper.
fn is_proof_of(whom: Whom, proof: Proof) -> bool {
    (whom == Whom::Person) == (proof != Proof::Register)
}

fn asks_for(procedure: &Procedure, one: &Represent, field: &str) -> bool {
    let wanted = match one.whom {
        Whom::Company => QuestionKind::BusinessId,
        Whom::Child | Whom::Person => QuestionKind::PersonalNumber,
    };
    procedure
        .question(field)
        .is_some_and(|question| question.kind == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::birth;

    #[test]
    fn each_kind_of_represented_stands_once_with_its_proofs_and_its_question() {
        let mut procedure = (*birth()).clone();
        let mut told = |all: &[(Whom, &[Proof], Option<&str>)]| {
            let one = |(whom, proofs, field): &(Whom, &[Proof], Option<&str>)| Represent {
                whom: *whom,
                proofs: proofs.to_vec(),
                field: field.map(str::to_owned),
            };
            procedure.represent = all.iter().map(one).collect();
            let mut flaws = Vec::new();
            check(&procedure, &mut flaws);
            flaws.iter().map(|flaw| flaw.at.clone()).collect::<Vec<_>>()
        };
        let sound: [(Whom, &[Proof], Option<&str>); 2] = [
            (Whom::Person, &[Proof::Word, Proof::Paper], Some("mother_number")),
            (Whom::Child, &[Proof::Register], None),
        ];
        assert_eq!(told(&sound), Vec::<String>::new());
        let wrong: [(Whom, &[Proof], Option<&str>); 4] = [
            (Whom::Person, &[], None),
            (Whom::Person, &[Proof::Register], None),
            (Whom::Child, &[Proof::Paper], Some("child_name")),
            (Whom::Company, &[Proof::Register], Some("mother_number")),
        ];
        let places = [
            "/represent/0/proofs",
            "/represent/1/whom",
            "/represent/1/proofs",
            "/represent/2/proofs",
            "/represent/2/field",
            "/represent/3/field",
        ];
        assert_eq!(told(&wrong), places);
    }
}
