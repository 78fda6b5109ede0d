//! Byte templates: immutable texts with holes, filled without building a tree. Never escapes by
//! itself: what goes into a hole is already fit for its place ([`xml_text`]).

use std::sync::LazyLock;

/// A text with holes, cut into its pieces once.
pub(crate) struct Template {
    /// The literal pieces: one more than there are holes.
    pieces: Vec<&'static str>,
    holes: Vec<&'static str>,
}

impl Template {
    /// Cuts a template at its `{holes}`. The newline that ends a text file is no part of it.
    fn cut(text: &'static str) -> Self {
        let mut rest = text.strip_suffix('\n').unwrap_or(text);
        let (mut pieces, mut holes) = (Vec::new(), Vec::new());
        while let Some((piece, after)) = rest.split_once('{') {
            let (hole, after) = after.split_once('}').expect("a hole that opens closes");
            pieces.push(piece);
            holes.push(hole);
            rest = after;
        }
        pieces.push(rest);
        Self { pieces, holes }
    }

    /// Fills the holes in their order.
    pub(crate) fn fill(&self, values: &[(&str, &str)]) -> String {
        assert_eq!(
            values.len(),
            self.holes.len(),
            "every hole of a template is filled once"
        );
        let literal: usize = self.pieces.iter().map(|p| p.len()).sum();
        let mut out = String::with_capacity(literal + values.iter().map(|(_, v)| v.len()).sum::<usize>());
        for ((piece, hole), (name, value)) in self.pieces.iter().zip(&self.holes).zip(values) {
            assert_eq!(name, hole, "holes are filled in their order");
            out.push_str(piece);
            out.push_str(value);
        }
        out.push_str(self.pieces.last().expect("a template has a last piece"));
        out
    }

    /// Reads what stands in the holes at the beginning of a text, and what follows. Each hole ends
    /// where the next piece first begins. **The caller fills the template again and compares**:
    /// only that makes a reading strict.
    pub(crate) fn read<'t>(&self, text: &'t str) -> Option<(Vec<&'t str>, &'t str)> {
        let (first, others) = self.pieces.split_first()?;
        let mut rest = text.strip_prefix(first)?;
        let mut values = Vec::with_capacity(others.len());
        for piece in others {
            let (value, after) = rest.split_once(piece)?;
            values.push(value);
            rest = after;
        }
        Some((values, rest))
    }

    /// As [`Self::read`], with nothing following.
    pub(crate) fn read_whole<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        self.read(text)
            .filter(|(_, rest)| rest.is_empty())
            .map(|(values, _)| values)
    }
}

macro_rules! templates {
    ($($name:ident = $file:literal;)+) => {
        $(pub(crate) static $name: LazyLock<Template> =
            LazyLock::new(|| Template::cut(include_str!(concat!("../templates/0001/", $file))));)+

        /// Every file of the folder with its text, for the test that holds them still.
        #[cfg(test)]
        const FILES: &[(&str, &str)] =
            &[$(($file, include_str!(concat!("../templates/0001/", $file)))),+];
    };
}

templates! {
    ASIC_MANIFEST = "asic_manifest.xml";
    CERTIFICATE = "certificate.xml";
    HASH_CHAIN = "hash_chain.xml";
    HASH_CHAIN_RESULT = "hash_chain_result.xml";
    HASH_STEP_MESSAGE = "hash_step_message.xml";
    HASH_STEP_SIBLING_LEFT = "hash_step_sibling_left.xml";
    HASH_STEP_SIBLING_RIGHT = "hash_step_sibling_right.xml";
    HASH_STEP_SIGNATURES = "hash_step_signatures.xml";
    MANIFEST = "manifest.xml";
    MANIFEST_ENTRY = "manifest_entry.xml";
    SIGNATURES = "signatures.xml";
    SIGNED_INFO = "signed_info.xml";
    SIGNED_PROPERTIES = "signed_properties.xml";
}

/// Text between tags in canonical form (C14N 1.0 section 2.3). Characters that XML cannot carry
/// are replaced, so that no certificate's name can break a signature file.
pub(crate) fn xml_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            '\t' | '\n' => out.push(letter),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Digest;

    #[test]
    fn the_templates_of_number_1_never_change() {
        let digests: Vec<String> = FILES
            .iter()
            .map(|(name, text)| format!("{} {name}", &Digest::of(text.as_bytes()).hex()[..16]))
            .collect();
        assert_eq!(
            digests,
            GOLDEN.lines().collect::<Vec<_>>(),
            "{}",
            digests.join("\n")
        );
    }

    /// A line changes never; a new form of evidence is a new folder.
    const GOLDEN: &str = "\
11ae7894137493e8 asic_manifest.xml
09bd22a70da57f31 certificate.xml
f325c79cccc4b972 hash_chain.xml
4d15902fc84b8fa6 hash_chain_result.xml
5fae3f70fd42b374 hash_step_message.xml
a5359c301cb50e7d hash_step_sibling_left.xml
762c7a9e31d6cc21 hash_step_sibling_right.xml
afab76e74afa22b5 hash_step_signatures.xml
b3c1bdb3d9e33648 manifest.xml
3dafc60bf04b9078 manifest_entry.xml
fb1bf4386abb5bdd signatures.xml
fc32691085623d17 signed_info.xml
c56da86b7c029202 signed_properties.xml";

    #[test]
    fn a_template_reads_what_it_was_filled_with_and_nothing_else() {
        let template = Template::cut("<a>{x}</a><b>{y}</b>\n");
        let text = template.fill(&[("x", "1"), ("y", "2")]);
        assert_eq!(text, "<a>1</a><b>2</b>");
        assert_eq!(template.read_whole(&text), Some(vec!["1", "2"]));
        assert_eq!(template.read("<a>1</a><b>2</b>!"), Some((vec!["1", "2"], "!")));
        assert_eq!(template.read_whole("<a>1</a><b>2</b>!"), None);
        assert_eq!(template.read_whole("<a>1</a><c>2</c>"), None);
    }

    #[test]
    fn names_are_written_as_canonical_text() {
        assert_eq!(
            xml_text("CN=A&B <c>\r\n\u{1}"),
            "CN=A&amp;B &lt;c&gt;&#xD;\n\u{fffd}"
        );
    }
}
