//! Every refusal the crate's source names has its words, rule and remedy in both languages, and no
//! word is left for a refusal nobody gives.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use exchange::TEXTS;
use kernel::limits::Limits;
use web::{Lang, Texts};

use crate::nation::Nation;

/// The keys in a source: the text right behind `Kind::Something,` or behind `invalid(_,`, and the
/// first of a pair with a kind.
fn codes(source: &str) -> BTreeSet<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let joined: String = source.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_key = |text: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        text.len() > 2 && text.contains(|c: char| c.is_ascii_lowercase()) && text.bytes().all(plain)
    };
    let pieces: Vec<&str> = joined.split('"').collect();
    let mut found = BTreeSet::new();
    for (i, text) in pieces.iter().enumerate().skip(1).step_by(2) {
        let before = pieces[i - 1].trim_end();
        let after = pieces.get(i + 1).map_or("", |p| p.trim_start());
        // `Problem::new(Kind::X, "…"`, `(Kind::X, "…"`, `Problem::new(kind, "…"`.
        let word = |c: char| c.is_alphanumeric() || "_*:".contains(c);
        let kind_before = ["Kind::", "Problem::new(", "Problem::invalid("]
            .iter()
            .any(|opening| {
                let rest = before
                    .rsplit_once(opening)
                    .map(|(_, rest)| rest.strip_suffix(','));
                matches!(rest, Some(Some(kind)) if kind.chars().all(word))
            });
        let second_of_invalid = i >= 3 && before == "," && pieces[i - 3].trim_end().ends_with("invalid(");
        let of_a_pair = before.ends_with('(') && after.starts_with(", Kind::");
        if (kind_before || second_of_invalid || of_a_pair) && is_key(text) {
            found.insert((*text).to_owned());
        }
    }
    found
}

fn named_in_the_sources() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    sources(&folder)
        .iter()
        .map(|file| std::fs::read_to_string(file).expect("text"))
        .flat_map(|source| codes(&source))
        .collect()
}

/// Every file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the sources");
    entries
        .map(|entry| entry.expect("an entry").path())
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .collect()
}

#[test]
fn every_refusal_has_its_words_rule_and_remedy_in_both_languages() {
    let texts = Texts::new(&[web::TEXTS, directory::TEXTS, TEXTS]).expect("both languages have every key");
    let codes = named_in_the_sources();
    for known in [
        "agreement-missing",
        "too-many",
        "clock-skew",
        "client-header",
        "node-revoked",
        "answer-bad",
        "rest-version",
        "party-header",
    ] {
        assert!(codes.contains(known), "the search finds {known}");
    }
    for code in &codes {
        for part in ["", ".rule", ".remedy"] {
            assert!(
                texts.has(&format!("problem-{code}{part}")),
                "problem-{code}{part} has no words"
            );
        }
    }
    let ours = TEXTS.vi.lines().filter_map(|l| l.strip_prefix("problem-"));
    for key in ours.filter_map(|l| l.split(" =").next()) {
        assert!(codes.contains(key), "problem-{key} is said by nobody");
    }
}

#[tokio::test]
async fn the_words_of_a_refusal_from_over_there_have_every_place_filled() {
    let texts = Texts::new(&[web::TEXTS, TEXTS]).expect("texts");
    let nation = Nation::without_agreement(Limits::default()).await;
    let signed = nation.signed(nation.agreement());
    let held = nation.national.exchange.agreements();
    held.adopt(signed.clone()).await.expect("adopted");
    let missing = nation.ask("{}").await.expect_err("only one side holds it");
    nation
        .ministry
        .exchange
        .agreements()
        .adopt(signed)
        .await
        .expect("adopted");
    nation.ministry.temp.clock.advance_ms(600_000);
    let skewed = nation.ask("{}").await.expect_err("clocks");
    nation.ministry.temp.clock.set(nation.agreement().valid_to);
    nation
        .national
        .temp
        .clock
        .set(nation.agreement().valid_to.plus_ms(-1));
    let expired = nation.ask("{}").await.expect_err("over there it has ended");
    let words = |lang, problem: &kernel::Problem, part: &str| {
        texts.get_with(lang, &format!("problem-{}{part}", problem.code), &problem.args)
    };
    for problem in [&missing, &skewed, &expired] {
        for (lang, part) in [Lang::Vi, Lang::En]
            .into_iter()
            .flat_map(|l| ["", ".rule", ".remedy"].map(|p| (l, p)))
        {
            let said = words(lang, problem, part);
            assert!(!said.contains('$') && !said.contains('{'), "{said}");
        }
    }
    assert_eq!(
        words(Lang::Vi, &expired, ""),
        "Thỏa thuận chia sẻ dữ liệu 01/2026/TT-CSDL đã hết hạn hoặc chưa có hiệu lực."
    );
}
