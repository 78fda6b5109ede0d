//! Which of many words about cases move them: each word once, none that is older than what is known, and none that may
//! not follow. Pure; the rows say where the cases stood, the pack which moves there are.

use std::collections::{HashMap, HashSet};

use kernel::{CaseCode, Digest, Time};

use super::message::{Refused, Why};
use super::told::Word;
use crate::status::moves::Moves;

/// Where a case stands at the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its status.
    pub status: u8,
    /// Since when.
    pub since: Time,
}

/// What is known of a word before it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Where its case stands; nothing for a case that is not here, or none of the sender's.
    pub head: Option<Head>,
    /// True when this very word was heard before.
    pub heard: bool,
    /// True when a case that is not here may be made of it.
    pub may_begin: bool,
}

/// What becomes of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A case that was not known is here now.
    Begun,
    /// The status changed.
    Moved,
    /// The status is as it was; what else it says counts.
    Told,
    /// It is older than what is known: kept, and moves nothing.
    Late,
    /// It was heard before.
    Heard,
}

impl Outcome {
    /// Its word in answers.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Moved => "moved",
            Self::Told => "told",
            Self::Late => "late",
            Self::Heard => "heard-before",
        }
    }
}

/// A judged word: what becomes of it, and when it counts from.
pub type Judged = Result<(Outcome, Time), Refused>;

/// The places of words in the order in which they count: by their time, those of one second as they were sent.
#[must_use]
pub fn order(words: &[Word], now: Time) -> Vec<usize> {
    let mut order: Vec<usize> = (0..words.len()).collect();
    // A word without a time of its own speaks of now.
    order.sort_by_key(|at| words.get(*at).map(|word| word.at.unwrap_or(now).seconds()));
    order
}

/// Judges words by the time they speak of, however they were sent; gives the outcomes in the order of the words.
#[must_use]
pub fn judge(words: &[Word], known: &[Known], moves: &Moves, now: Time) -> Vec<Judged> {
    let mut heads: HashMap<&CaseCode, Head> = HashMap::new();
    let mut heard: HashSet<Digest> = HashSet::new();
    let mut judged: Vec<Option<Judged>> = vec![None; words.len()];
    for at in order(words, now) {
        let (Some(word), Some(known)) = (words.get(at), known.get(at)) else {
            continue;
        };
        let again = known.heard || heard.contains(&word.digest);
        let head = heads.get(&word.code).copied().or(known.head);
        let one = match head {
            Some(head) if again => Ok((Outcome::Heard, head.since)),
            Some(head) => follows(word, head, moves, now),
            None => begins(word, known.may_begin),
        };
        // One that was not taken may be said again when it may follow.
        if one.is_ok() {
            heard.insert(word.digest);
        }
        if let Ok((outcome, since)) = one
            && let Some(next) = after(head, outcome, word.status, since)
        {
            heads.insert(&word.code, next);
        }
        if let Some(place) = judged.get_mut(at) {
            *place = Some(one);
        }
    }
    judged.into_iter().flatten().collect()
}

/// Where a case stands after a word; nothing when it stands as before. What is said of the same status later than it was
/// known keeps older words from counting.
#[must_use]
pub fn after(head: Option<Head>, outcome: Outcome, status: u8, since: Time) -> Option<Head> {
    match outcome {
        Outcome::Begun | Outcome::Moved => Some(Head { status, since }),
        Outcome::Told => Some(Head {
            status,
            since: head.map_or(since, |head| head.since.max(since)),
        }),
        Outcome::Late | Outcome::Heard => None,
    }
}

/// A case that is not here begins with the word that tells all of it. One that names no instant leaves room for
/// every later word.
fn begins(word: &Word, may_begin: bool) -> Judged {
    if may_begin && word.whole.is_some() {
        Ok((Outcome::Begun, word.at.unwrap_or_default()))
    } else {
        Err(Refused::at("MaHoSo", Why::UnknownCase))
    }
}

/// What becomes of a word about a case that is here. The messages know no part of a second.
fn follows(word: &Word, head: Head, moves: &Moves, now: Time) -> Judged {
    let older = word.at.is_some_and(|at| at.seconds() < head.since.seconds());
    let since = word.at.unwrap_or(head.since);
    if word.status == head.status {
        // A whole case says the same status with an older day as long as nothing else of it is known.
        let late = older && word.whole.is_none();
        return Ok((if late { Outcome::Late } else { Outcome::Told }, since));
    }
    if older {
        return Ok((Outcome::Late, since));
    }
    let on = word.at.unwrap_or(now).date();
    if !moves.legal(Some(head.status), word.status, on) {
        let field = match &word.whole {
            Some(_) => "TrangThaiHoSo",
            None => "TrangThai",
        };
        return Err(Refused::at(field, Why::IllegalMove));
    }
    Ok((Outcome::Moved, since))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::national::told::Whole;

    const NOW: Time = testkit::START;

    fn at(seconds: i64) -> Time {
        NOW.plus_ms(seconds * 1_000 - 86_400_000)
    }

    fn word(number: u32, status: u8, seconds: i64) -> Word {
        let said = format!("{number}/{status}/{seconds}");
        Word {
            code: CaseCode::number(&"H56".parse().expect("a code"), NOW.date(), number),
            digest: Digest::of(said.as_bytes()),
            said,
            status,
            at: Some(at(seconds)),
            due: None,
            whole: None,
        }
    }

    fn whole(number: u32, status: u8, seconds: i64) -> Word {
        let whole = Whole {
            procedure: "1.001193".parse().expect("a code"),
            digits: "0001".to_owned(),
            began: None,
            ended: None,
        };
        Word {
            whole: Some(whole),
            ..word(number, status, seconds)
        }
    }

    /// What becomes of words about cases that stand at a status since a second, or are not here.
    fn outcomes(words: &[Word], head: Option<(u8, i64)>) -> Vec<&'static str> {
        let known = Known {
            head: head.map(|(status, seconds)| Head {
                status,
                since: at(seconds),
            }),
            heard: false,
            may_begin: true,
        };
        let known = vec![known; words.len()];
        let moves = crate::testing::nouns().catalogue.moves();
        judge(words, &known, moves, NOW)
            .into_iter()
            .map(|one| one.map_or_else(|refused| refused.why.word(), |(outcome, _)| outcome.word()))
            .collect()
    }

    #[test]
    fn words_count_in_the_order_of_their_time_however_they_were_sent() {
        let words = [word(1, 9, 30), word(1, 4, 20), word(1, 2, 10)];
        assert_eq!(outcomes(&words, Some((1, 0))), ["moved", "moved", "moved"]);
        let words = [word(1, 4, 20), word(1, 9, 20)];
        assert_eq!(
            outcomes(&words, Some((2, 20))),
            ["moved", "moved"],
            "of one second as sent"
        );
    }

    #[test]
    fn an_older_word_that_comes_late_is_kept_and_does_not_move_the_case_back() {
        assert_eq!(outcomes(&[word(1, 4, 10)], Some((9, 20))), ["late"]);
        assert_eq!(outcomes(&[word(1, 9, 10)], Some((9, 20))), ["late"]);
        assert_eq!(outcomes(&[whole(1, 4, 10)], Some((9, 20))), ["late"]);
        assert_eq!(outcomes(&[whole(1, 9, 10)], Some((9, 20))), ["told"]);
        let words = [word(1, 4, 30), word(1, 5, 40)];
        assert_eq!(outcomes(&words, Some((4, 20))), ["told", "moved"]);
    }

    #[test]
    fn a_word_is_heard_once() {
        let words = [word(1, 2, 10), word(1, 2, 10)];
        assert_eq!(outcomes(&words, Some((1, 0))), ["moved", "heard-before"]);
    }

    #[test]
    fn a_status_that_may_not_follow_is_refused_and_the_words_after_it_are_judged_without_it() {
        let words = [word(1, 10, 10), word(1, 4, 20)];
        assert_eq!(outcomes(&words, Some((2, 0))), ["status-move", "moved"]);
        let words = [word(1, 10, 10), word(1, 10, 10)];
        let twice = outcomes(&words, Some((2, 0)));
        assert_eq!(twice, ["status-move", "status-move"], "nothing was heard of it");
    }

    #[test]
    fn a_word_without_an_instant_keeps_no_later_word_from_counting() {
        let undated = Word {
            at: None,
            ..whole(1, 5, 0)
        };
        let words = [undated.clone(), word(2, 4, 10)];
        assert_eq!(outcomes(&words, None), ["begun", "case-unknown"]);
        let known = Known {
            head: None,
            heard: false,
            may_begin: true,
        };
        let moves = crate::testing::nouns().catalogue.moves();
        let judged = judge(&[undated], &[known], moves, NOW);
        assert_eq!(judged, [Ok((Outcome::Begun, Time(0)))]);
    }

    #[test]
    fn only_a_whole_case_begins_one() {
        assert_eq!(outcomes(&[word(1, 2, 10)], None), ["case-unknown"]);
        let words = [whole(1, 2, 10), word(1, 4, 20), word(2, 4, 20)];
        assert_eq!(outcomes(&words, None), ["begun", "moved", "case-unknown"]);
    }
}
