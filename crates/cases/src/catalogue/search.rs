//! Searching entries by folded words, tolerant of marks and typing errors. Never touches a disk.

use std::collections::{BTreeMap, HashMap};

use kernel::ProcedureCode;
use kernel::text::fold;

use crate::pack::Entry;

/// The longest query looked at, in characters.
const QUERY_CHARS_MAX: usize = 200;
/// Least share of a query's trigrams that an entry must have, in hundredths.
const SHARED_HUNDREDTHS_MIN: usize = 50;

/// What is searched.
#[derive(Debug)]
pub(super) struct Index {
    rows: Vec<Row>,
    by_code: HashMap<String, usize>,
    /// Rows that have a trigram in their name, in order.
    trigrams: HashMap<[char; 3], Vec<u32>>,
}

#[derive(Debug)]
struct Row {
    /// ` thu tuc dang ky khai sinh `: a blank on both sides, so that ` dang ` is a whole word.
    name: String,
    /// Name, field and agency.
    all: String,
    filed_here: bool,
}

/// How good a row fits: higher is better, compared from left to right.
type Rank = (bool, bool, usize, bool, std::cmp::Reverse<usize>);

impl Index {
    pub(super) fn new(entries: &[Entry], filed_here: impl Fn(&ProcedureCode) -> bool) -> Self {
        let mut index = Self {
            rows: Vec::new(),
            by_code: HashMap::new(),
            trigrams: HashMap::new(),
        };
        for (at, entry) in entries.iter().enumerate() {
            let name = format!(" {} ", fold(&entry.name));
            let all = format!("{name}{} {} ", fold(&entry.field), fold(&entry.agency));
            index.by_code.insert(fold(entry.code.as_str()), at);
            for trigram in distinct(&name).into_keys() {
                index
                    .trigrams
                    .entry(trigram)
                    .or_default()
                    .push(u32::try_from(at).unwrap_or(u32::MAX));
            }
            index.rows.push(Row {
                name,
                all,
                filed_here: filed_here(&entry.code),
            });
        }
        index
    }

    pub(super) fn find(&self, text: &str, limit: usize) -> Vec<usize> {
        let query = fold(&text.chars().take(QUERY_CHARS_MAX).collect::<String>());
        if let Some(at) = self.by_code.get(&query) {
            return vec![*at];
        }
        let mut found = self.all_words(&query);
        if found.is_empty() {
            found = self.alike(&query);
        }
        found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        found.truncate(limit);
        found.into_iter().map(|(_, at)| at).collect()
    }

    /// Rows that have every word, whole or as the beginning of one.
    fn all_words(&self, query: &str) -> Vec<(Rank, usize)> {
        let words: Vec<String> = query.split(' ').map(|w| format!(" {w}")).collect();
        let phrase = format!(" {query} ");
        let fits = |row: &&(usize, &Row)| words.iter().all(|w| row.1.all.contains(w.as_str()));
        let rank = |(at, row): (usize, &Row)| {
            let in_name = words.iter().filter(|w| row.name.contains(w.as_str())).count();
            let rank = (
                row.name.contains(&phrase),
                row.filed_here,
                in_name,
                true,
                std::cmp::Reverse(row.name.len()),
            );
            (rank, at)
        };
        self.rows
            .iter()
            .enumerate()
            .filter(|row| fits(&row))
            .map(rank)
            .collect()
    }

    /// Rows that share enough of the query's trigrams.
    fn alike(&self, query: &str) -> Vec<(Rank, usize)> {
        let wanted = distinct(&format!(" {query} "));
        let mut shared = vec![0_usize; self.rows.len()];
        for trigram in wanted.keys() {
            for at in self.trigrams.get(trigram).into_iter().flatten() {
                if let Some(count) = shared.get_mut(*at as usize) {
                    *count += 1;
                }
            }
        }
        let enough = |count: usize| count * 100 >= wanted.len() * SHARED_HUNDREDTHS_MIN && count >= 2;
        let rows = self
            .rows
            .iter()
            .zip(shared)
            .enumerate()
            .filter(|(_, (_, count))| enough(*count));
        // A typing error spoils three trigrams: rows closer than that are equally good, and then
        // the shorter name says the query more exactly.
        let best = |count: usize| count.div_ceil(3);
        rows.map(|(at, (row, count))| {
            let rank = (
                false,
                false,
                best(count),
                row.filed_here,
                std::cmp::Reverse(row.name.len()),
            );
            (rank, at)
        })
        .collect()
    }
}

fn distinct(text: &str) -> BTreeMap<[char; 3], ()> {
    let chars: Vec<char> = text.chars().collect();
    chars
        .windows(3)
        .filter_map(|w| <[char; 3]>::try_from(w).ok())
        .map(|w| (w, ()))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::Catalogue;
    use crate::testing::nouns;

    fn first(catalogue: &Catalogue, text: &str) -> String {
        catalogue
            .search(text, 10)
            .first()
            .map(|e| e.code.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn a_procedure_is_found_by_code_by_name_without_marks_and_with_typing_errors() {
        let catalogue = &nouns().catalogue;
        assert_eq!(
            catalogue.entries.len(),
            2_626,
            "the national catalogue and one of our own"
        );
        for query in [
            "1.001193",
            "đăng ký khai sinh",
            "dang ky khai sinh",
            "KHAI SINH",
            "đăng ký khia sinh",
            "dang ki khai sih",
        ] {
            assert_eq!(first(catalogue, query), "1.001193", "{query}");
        }
        assert!(catalogue.search("qwxz vvvv", 10).is_empty());
        assert_eq!(catalogue.search("thủ tục", 7).len(), 7);
        assert!(
            !catalogue.search("Bộ Tư pháp hộ tịch", 5).is_empty(),
            "field and agency are searched too"
        );
    }

    #[test]
    fn an_overlong_or_strange_query_is_just_a_query() {
        let catalogue = &nouns().catalogue;
        for query in ["%", "' or 1=1 --", "<script>", &"khai sinh ".repeat(5_000)] {
            assert!(catalogue.search(query, 10).len() <= 10);
        }
    }
}
