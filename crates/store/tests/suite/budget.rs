//! One SQL for both engines: statements that cannot be shared are counted.

use std::path::Path;

/// Statements with a text for each engine, in all crates.
const PAIRS_MAX: usize = 14;

fn pairs_in(folder: &Path) -> usize {
    let mut pairs = 0;
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            pairs += pairs_in(&path);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            // A pair is a constant; other crates have types of that name.
            pairs += text.matches(": Pair = Pair {").count();
        }
    }
    pairs
}

#[test]
fn few_statements_need_a_text_for_each_engine() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the folder of crates");
    let pairs: usize = std::fs::read_dir(crates)
        .expect("the crates")
        .map(|entry| entry.expect("an entry").path().join("src"))
        .filter(|src| src.is_dir())
        .map(|src| pairs_in(&src))
        .sum();
    assert!(
        pairs <= PAIRS_MAX,
        "{pairs} statements have a text for each engine, {PAIRS_MAX} may"
    );
}
