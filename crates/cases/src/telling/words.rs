//! How each step of a case is said to its applicant: in the inbox, by e-mail, by SMS. The words are the pack's; this
//! fills their places. Pure, and never with more than a case's code, instants and counts.

use std::collections::BTreeMap;

use kernel::Time;
use serde::Deserialize;
use web::Lang;

use crate::procedure::Text;
use crate::shown::say;

/// What is said besides the steps of a case: the code that confirms an address, what a busy day leaves, the foot of
/// an e-mail.
pub const BESIDES: [&str; 3] = ["code", "digest", "footer"];

/// A place of a text and what fills it.
pub type Place = (&'static str, String);

/// One message in the languages of the portal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    /// The step's word, or one of [`BESIDES`].
    pub kind: String,
    /// The heading, and the subject of an e-mail.
    pub title: Text,
    /// The text.
    pub text: Text,
    /// The same as short as an SMS has to be.
    #[serde(default)]
    pub sms: Option<Text>,
}

/// A message in one language, its places filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The heading.
    pub title: String,
    /// The text.
    pub text: String,
    /// The SMS.
    pub sms: String,
}

/// All messages of a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(BTreeMap<String, Wording>);

impl Words {
    /// The messages of a pack; of two of one kind the first.
    #[must_use]
    pub fn of(all: Vec<Wording>) -> Self {
        let mut words = BTreeMap::new();
        for one in all {
            words.entry(one.kind.clone()).or_insert(one);
        }
        Self(words)
    }

    /// A message in a language. One that the pack does not have is the bare word of its kind, so that nobody is told
    /// nothing at all.
    #[must_use]
    pub fn say(&self, kind: &str, lang: Lang, places: &[Place]) -> Said {
        let Some(wording) = self.0.get(kind) else {
            let bare = match places.iter().find(|(name, _)| *name == "code") {
                Some((_, code)) => format!("{code}: {kind}"),
                None => kind.to_owned(),
            };
            return Said {
                title: kind.to_owned(),
                text: bare.clone(),
                sms: bare,
            };
        };
        let sms = wording.sms.as_ref().unwrap_or(&wording.title);
        Said {
            title: fill(say(&wording.title, lang), places),
            text: fill(say(&wording.text, lang), places),
            sms: fill(say(sms, lang), places),
        }
    }
}

/// Puts values where a text names their places; what is not named is left out.
fn fill(text: &str, places: &[Place]) -> String {
    let mut filled = text.to_owned();
    for (name, value) in places {
        filled = filled.replace(&format!("{{{name}}}"), value);
    }
    filled
}

/// The places that a text names, in order.
pub(crate) fn named_places(text: &str) -> Vec<&str> {
    let begun = text.split('{').skip(1);
    begun.filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
}

/// An instant as these texts say it, in Vietnam's time.
pub(crate) fn moment(time: Time, lang: Lang) -> String {
    let (day, minute) = (time.date(), time.minute_of_day());
    let clock = format!("{:02}:{:02}", minute / 60, minute % 60);
    match lang {
        Lang::Vi => format!(
            "{clock} ngày {:02}/{:02}/{}",
            day.day(),
            u8::from(day.month()),
            day.year()
        ),
        Lang::En => format!("{} {} {}, {clock}", day.day(), day.month(), day.year()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_its_places_filled_and_a_missing_one_says_its_kind() {
        let words = crate::testing::nouns().catalogue.words();
        let at = Time::parse_rfc3339("2026-11-24T08:00:00+07:00").expect("a time");
        let places = |lang| [("code", "G22-261121-0001".to_owned()), ("due", moment(at, lang))];
        let said = words.say("accepted", Lang::Vi, &places(Lang::Vi));
        let due = "Hẹn trả kết quả: 08:00 ngày 24/11/2026.";
        assert_eq!(
            said.text,
            format!("Hồ sơ G22-261121-0001 đã được tiếp nhận. {due}")
        );
        assert!(said.sms.contains("hẹn trả 08:00 ngày 24/11/2026"), "{}", said.sms);
        let said = words.say("accepted", Lang::En, &places(Lang::En));
        assert!(said.text.ends_with("24 November 2026, 08:00."), "{}", said.text);
        let bare = Words::default().say("accepted", Lang::Vi, &places(Lang::Vi));
        assert_eq!(
            (bare.title.as_str(), bare.sms.as_str()),
            ("accepted", "G22-261121-0001: accepted")
        );
    }

    #[test]
    fn the_places_of_a_text_are_found() {
        assert_eq!(named_places("a {code} b {due}."), ["code", "due"]);
        assert_eq!(named_places("a } b { c"), Vec::<&str>::new());
    }
}
