//! The rules of what a register is asked by answers: they are asked for, and before what they bring is. And a result that
//! has an end is good for a year at least. Pure.

use kernel::fault::Flaw;

use super::named;
use crate::procedure::Procedure;

pub(super) fn check(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    let page_of = |field: &str| {
        let mut pages = procedure.pages.iter();
        pages.position(|page| page.questions.iter().any(|q| q.code == field))
    };
    for (at, prefill) in procedure.prefill.iter().enumerate() {
        let mut last = None;
        for (name, key) in &prefill.key {
            let Some(field) = key.strip_prefix("@answer:") else {
                continue;
            };
            match page_of(field) {
                None => flaws.push(Flaw::new(
                    format!("/prefill/{at}/key/{name}"),
                    "field-not-asked",
                    named(field),
                )),
                page => last = last.max(page),
            }
        }
        let Some(last) = last else { continue };
        for field in prefill.fills.keys() {
            if page_of(field).is_some_and(|page| page <= last) {
                let at = format!("/prefill/{at}/fills/{field}");
                flaws.push(Flaw::new(at, "prefill-early", named(field)));
            }
        }
    }
    if let Some(valid) = procedure.result.valid
        && valid.years < 1
    {
        flaws.push(Flaw::new(
            "/result/valid/years",
            "days-none",
            named(&valid.years.to_string()),
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::birth;

    fn told(key: &str, fills: &str) -> Vec<String> {
        let mut procedure = (*birth()).clone();
        procedure.prefill.truncate(1);
        let prefill = &mut procedure.prefill[0];
        prefill.key = [("personal_number".to_owned(), key.to_owned())].into();
        prefill.fills = [(fills.to_owned(), "full_name".to_owned())].into();
        crate::pack::flaws(&procedure)
            .iter()
            .map(|flaw| format!("{} {}", flaw.at, flaw.rule))
            .collect()
    }

    #[test]
    fn what_a_register_is_asked_by_is_asked_for_before_what_it_answers() {
        let early = "/prefill/0/fills/child_name prefill-early";
        assert_eq!(told("@answer:child_hometown", "child_name"), [early]);
        assert_eq!(told("@answer:mother_number", "child_name"), [early]);
        assert_eq!(
            told("@answer:child_hometown", "mother_name"),
            Vec::<String>::new()
        );
        let unasked = "/prefill/0/key/personal_number field-not-asked";
        assert_eq!(told("@answer:nobody", "mother_name"), [unasked]);
    }
}
