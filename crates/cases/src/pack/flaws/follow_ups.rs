//! The rules of what follows on a result: each stands once, and after one that stands before it. Pure.

use kernel::fault::Flaw;

use super::{named, twice};
use crate::procedure::Procedure;

pub(super) fn check(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    let codes = procedure.follow_ups.iter().map(|one| one.code.clone());
    twice(codes, "/follow_ups/{}/code", "follow-up-twice", flaws);
    for (at, one) in procedure.follow_ups.iter().enumerate() {
        let Some(after) = &one.after else { continue };
        let mut earlier = procedure.follow_ups.iter().take(at);
        if !earlier.any(|first| first.code == *after) {
            let at = format!("/follow_ups/{at}/after");
            flaws.push(Flaw::new(at, "follow-up-order", named(after)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::birth;

    fn told(change: impl FnOnce(&mut Procedure)) -> Vec<String> {
        let mut procedure = (*birth()).clone();
        let second = procedure.follow_ups[0].clone();
        procedure.follow_ups.push(second);
        procedure.follow_ups[1].code = "second".to_owned();
        change(&mut procedure);
        let mut flaws = Vec::new();
        check(&procedure, &mut flaws);
        flaws
            .iter()
            .map(|flaw| format!("{} {}", flaw.at, flaw.rule))
            .collect()
    }

    #[test]
    fn a_follow_up_comes_after_one_that_stands_before_it() {
        let after = |which: usize, of: &str| {
            let of = of.to_owned();
            told(move |p| p.follow_ups[which].after = Some(of))
        };
        assert_eq!(after(1, "health-card"), Vec::<String>::new());
        assert_eq!(after(0, "second"), ["/follow_ups/0/after follow-up-order"]);
        assert_eq!(after(1, "second"), ["/follow_ups/1/after follow-up-order"]);
        let twice = told(|p| p.follow_ups[1].code = "health-card".to_owned());
        assert_eq!(twice, ["/follow_ups/1/code follow-up-twice"]);
    }
}
