//! Reads what applicants are told, `messages/*.toml`, and holds it against its rules: every kind once and in both
//! languages, places that the platform fills, an SMS that fits. Never sends anything.

use std::collections::HashMap;
use std::path::Path;

use directory::pack::document::document;
use directory::pack::listed;
use kernel::fault::{Fault, Faults, Flaw};
use serde::Deserialize;

use super::named;
use crate::inbox::Step;
use crate::procedure::Text;
use crate::telling::words::{BESIDES, Wording, named_places};

const FOLDER: &str = "messages";
/// The longest text of an SMS before its places are filled, in characters: two parts of Unicode with its code and date.
const SMS_CHARS_MAX: usize = 90;

/// A file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Messages {
    message: Vec<Wording>,
}

/// The messages of a pack; none when it has no such folder.
pub(crate) fn read(pack: &Path, faults: &mut Faults) -> Vec<Wording> {
    let mut all: Vec<Wording> = Vec::new();
    let mut first: HashMap<String, String> = HashMap::new();
    let files = listed(pack, FOLDER, "toml");
    for file in &files {
        let Some((messages, places)) = document::<Messages>(pack, file, faults) else {
            continue;
        };
        for (at, message) in messages.message.iter().enumerate() {
            for flaw in flaws(at, message) {
                faults.add(places.flaw(flaw));
            }
            if let Some(other) = first.insert(message.kind.clone(), file.clone()) {
                let names = vec![("value", message.kind.clone()), ("first", other)];
                let at = format!("/message/{at}/kind");
                faults.add(places.flaw(Flaw::new(at, "message-twice", names)));
            }
        }
        all.extend(messages.message);
    }
    if let Some(file) = files.last() {
        for kind in kinds().filter(|kind| !first.contains_key(*kind)) {
            faults.add(Fault::new(file, 1, "message-missing", named(kind)));
        }
    }
    all
}

/// Every kind that is said.
fn kinds() -> impl Iterator<Item = &'static str> {
    Step::KINDS.into_iter().chain(BESIDES)
}

/// What the platform fills in a message of a kind.
fn filled(kind: &str) -> &'static [&'static str] {
    match kind {
        "code" => &["confirm", "until"],
        "digest" => &["count"],
        "footer" => &["link", "contact"],
        "supplement" | "draft" | "charge" => &["code", "until"],
        "accepted" | "resumed" | "apology" => &["code", "due"],
        "recounted" => &["code", "was", "due"],
        "posted" => &["code", "parcel"],
        _ => &["code"],
    }
}

fn flaws(at: usize, message: &Wording) -> Vec<Flaw> {
    let here = format!("/message/{at}");
    let mut flaws = Vec::new();
    if !kinds().any(|kind| kind == message.kind) {
        flaws.push(Flaw::new(
            format!("{here}/kind"),
            "message-unknown",
            named(&message.kind),
        ));
    }
    let places = filled(&message.kind);
    text(&format!("{here}/title"), &message.title, &[], &mut flaws);
    text(&format!("{here}/text"), &message.text, places, &mut flaws);
    match &message.sms {
        Some(sms) => {
            text(&format!("{here}/sms"), sms, places, &mut flaws);
            for (language, words) in [("vi", &sms.vi), ("en", &sms.en)] {
                let chars = words.chars().count();
                if chars > SMS_CHARS_MAX {
                    let names = vec![("value", chars.to_string()), ("max", SMS_CHARS_MAX.to_string())];
                    flaws.push(Flaw::new(format!("{here}/sms/{language}"), "message-long", names));
                }
            }
        }
        None if message.kind == "footer" => {}
        None => flaws.push(Flaw::new(
            format!("{here}/kind"),
            "message-sms-missing",
            named(&message.kind),
        )),
    }
    flaws
}

/// A text has both languages, and names only what is filled.
fn text(here: &str, text: &Text, places: &[&str], flaws: &mut Vec<Flaw>) {
    for (language, words) in [("vi", &text.vi), ("en", &text.en)] {
        let at = format!("{here}/{language}");
        if words.trim().is_empty() {
            flaws.push(Flaw::new(at.clone(), "language-missing", named(language)));
        }
        for place in named_places(words) {
            if !places.contains(&place) {
                let names = vec![("value", place.to_owned()), ("wanted", places.join(", "))];
                flaws.push(Flaw::new(at.clone(), "message-place", names));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules that a file breaks, by line, without those of the kinds that are missing.
    fn told(text: &str) -> Vec<(u64, &'static str)> {
        let folder = testkit::TempDir::new();
        std::fs::create_dir(folder.path().join(FOLDER)).expect("made");
        std::fs::write(folder.path().join("messages/a.toml"), text).expect("written");
        let mut faults = Faults::new();
        read(folder.path(), &mut faults);
        let faults = faults.sorted();
        let own = faults.iter().filter(|f| f.rule != "message-missing");
        own.map(|f| (f.line, f.rule)).collect()
    }

    #[test]
    fn a_fault_of_a_message_is_told_where_it_stands() {
        let long = "a".repeat(91);
        let text = format!(
            "[[message]]\nkind = \"filed\"\ntitle = {{ vi = \"A\", en = \" \" }}\n\
             text = {{ vi = \"{{code}}\", en = \"{{name}}\" }}\nsms = {{ vi = \"{long}\", en = \"B\" }}\n\n\
             [[message]]\nkind = \"filed\"\ntitle = {{ vi = \"A\", en = \"A\" }}\ntext = {{ vi = \"B\", en = \"B\" }}\n\n\
             [[message]]\nkind = \"none\"\ntitle = {{ vi = \"A\", en = \"A\" }}\ntext = {{ vi = \"B\", en = \"B\" }}\n\
             sms = {{ vi = \"B\", en = \"B\" }}\n"
        );
        let expected = [
            (3, "language-missing"),
            (4, "message-place"),
            (5, "message-long"),
            (8, "message-sms-missing"),
            (8, "message-twice"),
            (13, "message-unknown"),
        ];
        assert_eq!(told(&text), expected);
    }

    #[test]
    fn the_pack_of_vietnam_says_every_step() {
        let mut faults = Faults::new();
        let all = read(&crate::testing::pack(), &mut faults);
        assert_eq!(faults.sorted(), []);
        assert_eq!(all.len(), kinds().count());
    }

    #[test]
    fn a_pack_without_the_folder_says_nothing() {
        let mut faults = Faults::new();
        assert!(read(testkit::TempDir::new().path(), &mut faults).is_empty());
        assert!(faults.sorted().is_empty());
    }
}
