//! Which registers are asked by what was typed, and which have to be asked anew when that changes. Pure.

use std::collections::BTreeMap;

use super::{Prefill, Procedure};

/// What a key begins with that is an answer of the form.
const ANSWER: &str = "@answer:";

impl Prefill {
    /// The fields of the form whose answers are part of the key.
    pub fn answered(&self) -> impl Iterator<Item = &str> {
        self.key.values().filter_map(|key| key.strip_prefix(ANSWER))
    }

    /// The names of the key that an earlier prefill puts there.
    fn earlier(&self) -> impl Iterator<Item = &str> {
        let own = self.key.values().filter(|key| !key.starts_with(ANSWER));
        own.filter_map(|key| key.strip_prefix('@'))
    }
}

impl Procedure {
    /// What has to be asked anew when answers have changed: what is asked by one that did, and what is asked by what
    /// that one filled.
    #[must_use]
    pub fn asked_anew(
        &self,
        before: &BTreeMap<String, String>,
        now: &BTreeMap<String, String>,
    ) -> Vec<&Prefill> {
        let mut anew: Vec<&Prefill> = Vec::new();
        for prefill in &self.prefill {
            let changed = prefill
                .answered()
                .any(|field| before.get(field) != now.get(field));
            let follows = prefill
                .earlier()
                .any(|name| anew.iter().any(|first| first.fills.contains_key(name)));
            if changed || follows {
                anew.push(prefill);
            }
        }
        anew
    }

    /// True when registers were asked by the same answers.
    #[must_use]
    pub fn asked_alike(&self, before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> bool {
        let mut fields = self.prefill.iter().flat_map(Prefill::answered);
        fields.all(|field| before.get(field) == now.get(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::birth;

    #[test]
    fn what_is_asked_by_a_changed_answer_is_asked_anew_and_so_is_what_follows_from_it() {
        let mut procedure = (*birth()).clone();
        procedure.prefill.truncate(3);
        let key = |of: &str| BTreeMap::from([("personal_number".to_owned(), of.to_owned())]);
        procedure.prefill[1].key = key("@answer:mother_number");
        procedure.prefill[2].key = key("@father_name");
        let given = |number: &str| BTreeMap::from([("mother_number".to_owned(), number.to_owned())]);
        let (none, one, other) = (BTreeMap::new(), given("038198000001"), given("038192000003"));
        let anew = |before, now| procedure.asked_anew(before, now).len();
        assert_eq!((anew(&none, &none), anew(&one, &one)), (0, 0));
        assert_eq!(
            (anew(&none, &one), anew(&one, &other), anew(&one, &none)),
            (2, 2, 2)
        );
        assert!(procedure.asked_alike(&one, &one) && !procedure.asked_alike(&one, &other));
        assert!(
            birth().asked_alike(&one, &other),
            "nothing there is asked by an answer"
        );
    }
}
