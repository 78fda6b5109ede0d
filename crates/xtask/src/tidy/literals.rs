//! The string literals of a Rust source, with the macro they stand in. Knows just enough of the
//! language to leave out comments and characters; never a parser.

/// A string literal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Literal<'t> {
    /// Where its text begins, in bytes.
    pub(crate) at: usize,
    /// Its text as written, escapes included.
    pub(crate) text: &'t str,
    /// The macro whose first argument it is, such as `format`.
    pub(crate) of_macro: Option<&'t str>,
}

/// All literals of a source, in order.
pub(crate) fn literals(source: &str) -> Vec<Literal<'_>> {
    let bytes = source.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = source.get(at..).unwrap_or_default();
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            at += rest.find("*/").map_or(rest.len(), |end| end + 2);
        } else if byte(at) == b'\'' {
            at += character(rest);
        } else if let Some((open, end, close)) = raw(source, at).or_else(|| plain(rest)) {
            let text = source.get(at + open..at + end).unwrap_or_default();
            found.push(Literal {
                at: at + open,
                text,
                of_macro: macro_before(source, at),
            });
            at += end + close;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

/// `"…"`: where its text begins and ends, and how long its closing is.
fn plain(rest: &str) -> Option<(usize, usize, usize)> {
    let inner = rest.strip_prefix('"')?;
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            '"' if !escaped => return Some((1, at + 1, 1)),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

/// `r"…"`, `r#"…"#`: not part of a longer name.
fn raw(source: &str, at: usize) -> Option<(usize, usize, usize)> {
    let before = source.get(..at)?.chars().next_back();
    if before.is_some_and(|c| (c.is_alphanumeric() && c != 'b') || c == '_') {
        return None;
    }
    let after = source.get(at..)?.strip_prefix('r')?;
    let marks = after.bytes().take_while(|b| *b == b'#').count();
    let inner = after.get(marks..)?.strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(marks));
    let end = inner.find(&close)?;
    Some((marks + 2, marks + 2 + end, close.len()))
}

/// The length of a character literal, or of the mark of a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest
            .get(3..)
            .and_then(|tail| tail.find('\''))
            .map_or(1, |end| end + 4),
        Some(_) => match chars.next() {
            Some((close, '\'')) => close + 1,
            _ => 1,
        },
        None => 1,
    }
}

fn macro_before(source: &str, at: usize) -> Option<&str> {
    let head = source
        .get(..at)?
        .trim_end()
        .strip_suffix('(')?
        .strip_suffix('!')?;
    let start = head
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
        .map_or(0, |before| before + 1);
    head.get(start..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expect: &[(&str, Option<&str>)]) {
        let found: Vec<_> = literals(source).iter().map(|l| (l.text, l.of_macro)).collect();
        assert_eq!(found, expect, "{source}");
    }

    #[test]
    fn literals_are_told_from_comments_characters_and_lifetimes() {
        check(r#"let a = "one"; // "two""#, &[("one", None)]);
        check(r#"/* "no" */ f('"', "yes")"#, &[("yes", None)]);
        check(r#"fn f<'a>(x: &'a str) { g("x\"y") }"#, &[(r#"x\"y"#, None)]);
        check(
            r##"let a = r#"raw "inner" text"#; let b = "é";"##,
            &[(r#"raw "inner" text"#, None), ("é", None)],
        );
        check(
            r#"match c { '\'' => "q", '\\' => "b", _ => "" }"#,
            &[("q", None), ("b", None), ("", None)],
        );
    }

    #[test]
    fn the_macro_of_a_literal_is_known() {
        check(
            r#"let a = format!("select {x}");"#,
            &[("select {x}", Some("format"))],
        );
        check("let a = std::format!(\n    \"x\"\n);", &[("x", Some("format"))]);
        check(r#"call("x")"#, &[("x", None)]);
    }
}
