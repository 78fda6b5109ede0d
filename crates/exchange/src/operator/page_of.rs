//! Lists that are searched by a text and given a page at a time. Never reads anything.

use web::page::query_value;

/// Length of what is searched for, in letters; what is longer is cut.
const SEARCHED_MAX: usize = 100;

/// What is searched for, ready to be compared; empty for everything.
pub(super) fn searched(q: Option<&str>) -> String {
    let q = q.unwrap_or_default().trim().chars().take(SEARCHED_MAX);
    q.collect::<String>().to_lowercase()
}

/// True when one of the texts has it.
pub(super) fn has(q: &str, texts: &[&str]) -> bool {
    q.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(q))
}

/// Leaves one page; true when there was more.
pub(super) fn cut<T>(all: &mut Vec<T>, rows_max: usize) -> bool {
    let more = all.len() > rows_max;
    all.truncate(rows_max);
    more
}

/// The address of the next page of a search.
pub(super) fn next_page(list: &str, q: &str, after: &str) -> String {
    format!("{list}?q={}&after={}", query_value(q), query_value(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_its_text_wherever_it_stands_and_in_small_or_capital_letters() {
        let q = searched(Some(" POPULATION/p "));
        assert!(has(&q, &["x", "G01/population/persons"]));
        assert!(!has(&q, &["G01/population/cars"]));
        assert!(has(&searched(None), &[]));
        let mut all = vec![1, 2, 3];
        assert!(cut(&mut all, 2) && !cut(&mut all, 2));
        assert_eq!(
            next_page("/l", "a b&c", "G01/x y"),
            "/l?q=a%20b%26c&after=G01/x%20y"
        );
    }
}
