//! Which national status of a case may follow which, on a day: a dated table, and what is said to who tells of another
//! move. Pure; which moves there are the pack says (`codes/status-moves.csv`).

use kernel::{Date, Kind, Problem};

/// That one status may follow another, for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The status before; nothing for a case that was not known.
    pub from: Option<u8>,
    /// The status after it.
    pub to: u8,
    /// First day.
    pub valid_from: Date,
    /// Last day; nothing while none is known.
    pub valid_to: Option<Date>,
}

impl Move {
    fn holds(&self, on: Date) -> bool {
        self.valid_from <= on && self.valid_to.is_none_or(|last| on <= last)
    }
}

/// All moves of all days; none of an empty table is legal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    table: Vec<Move>,
}

impl Moves {
    /// The moves of a pack.
    #[must_use]
    pub const fn of(table: Vec<Move>) -> Self {
        Self { table }
    }

    /// True when a status may follow another on a day; `None` is a case that was not known before. A word that leaves
    /// the status as it is moves nothing, and is always legal.
    #[must_use]
    pub fn legal(&self, from: Option<u8>, to: u8, on: Date) -> bool {
        let mut table = self.table.iter();
        from == Some(to) || table.any(|m| m.from == from && m.to == to && m.holds(on))
    }

    /// The same, with the refusal.
    ///
    /// # Errors
    /// `case-status-move` (409), which names both statuses in words.
    pub fn check(&self, from: Option<u8>, to: u8, on: Date) -> Result<(), Problem> {
        if self.legal(from, to, on) {
            return Ok(());
        }
        Err(Problem::new(Kind::Conflict, "case-status-move")
            .with("from", from.unwrap_or(0))
            .with("to", to))
    }
}

#[cfg(test)]
mod tests {
    use web::i18n::{Lang, Texts};

    use super::*;
    use crate::testing::nouns;

    fn moves() -> &'static Moves {
        nouns().catalogue.moves()
    }

    fn today() -> Date {
        testkit::START.date()
    }

    #[test]
    fn each_status_has_the_followers_of_the_table_and_no_others() {
        let followers: [(u8, &[u8]); 10] = [
            (1, &[1, 2, 3, 5, 6, 7]),
            (2, &[2, 4, 5, 6, 7, 8, 9]),
            (3, &[3]),
            (4, &[4, 5, 6, 7, 8, 9]),
            (5, &[2, 3, 4, 5, 7, 8]),
            (6, &[2, 3, 4, 6, 7, 8, 9]),
            (7, &[7]),
            (8, &[8]),
            (9, &[6, 9, 10]),
            (10, &[10]),
        ];
        for (from, wanted) in followers {
            let legal = |to: &u8| moves().legal(Some(from), *to, today());
            let found: Vec<u8> = (0..=12).filter(legal).collect();
            assert_eq!(found, wanted, "after {from}");
        }
        let first: Vec<u8> = (0..=12).filter(|to| moves().legal(None, *to, today())).collect();
        assert_eq!(
            first,
            (1..=10).collect::<Vec<u8>>(),
            "of a case that was not known"
        );
    }

    #[test]
    fn a_move_is_judged_by_its_day() {
        let day = |day: u8| kernel::time::civil_date(2026, 3, day).expect("a day");
        let moves = Moves::of(vec![Move {
            from: Some(9),
            to: 4,
            valid_from: day(2),
            valid_to: Some(day(3)),
        }]);
        let legal: Vec<u8> = (1..=5).filter(|d| moves.legal(Some(9), 4, day(*d))).collect();
        assert_eq!(legal, [2, 3]);
        assert!(!Moves::default().legal(Some(1), 2, today()));
    }

    #[test]
    fn every_procedure_of_the_pack_goes_by_legal_moves_only() {
        for procedure in nouns().catalogue.procedures() {
            let status = |state: &str| procedure.states[state].status;
            assert!(moves().legal(None, status(&procedure.first_state), today()));
            for t in &procedure.transitions {
                let (from, to) = (status(&t.from), status(&t.to));
                let legal = moves().legal(Some(from), to, today());
                assert!(legal, "{}: {} to {}", procedure.code, t.from, t.to);
            }
        }
    }

    #[test]
    fn a_refused_move_is_told_with_both_statuses_in_words() {
        let refused = moves().check(Some(10), 4, today()).expect_err("it is over");
        assert_eq!((refused.code, refused.kind.status()), ("case-status-move", 409));
        let texts = Texts::new(&[crate::TEXTS]).expect("both languages");
        let args: Vec<(&str, String)> = refused.args.clone();
        for (lang, words) in [
            (Lang::Vi, ["Đã trả kết quả", "Đang xử lý"]),
            (Lang::En, ["Result given", "Being worked on"]),
        ] {
            let rule = texts.get_with(lang, "problem-case-status-move.rule", &args);
            assert!(words.iter().all(|word| rule.contains(word)), "{rule}");
        }
        let unknown = moves().check(None, 11, today()).expect_err("no such status");
        assert_eq!(unknown.code, "case-status-move");
    }
}
