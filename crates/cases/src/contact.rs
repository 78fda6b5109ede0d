//! Where a citizen wants to be told of their cases besides the inbox (nơi nhận thông báo): an e-mail address, a mobile
//! number, each confirmed by a code that was sent to it. The noun, pure. Kept apart from every case: an address is its
//! owner's, no agency reads it, and each use of it is written down.

mod api;
pub mod change;
pub mod confirm;
pub mod page;

use kernel::{Digest, Problem, Time};
use web::Lang;

use crate::inbox::Step;

pub(crate) use api::{ContactJson, ContactUseJson, ContactWayJson};

/// The longest e-mail address, in bytes (RFC 5321, section 4.5.3.1).
const EMAIL_BYTES_MAX: usize = 254;
/// Digits of a telephone number with its country, count (ITU-T E.164): at least, at most.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 9..=15;
/// What stands for the first 0 of a number that is written without its country.
const COUNTRY: &str = "84";
/// Digits of a code that confirms an address, count.
pub(crate) const CODE_DIGITS: usize = 6;

/// A way by which somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// By e-mail.
    Email,
    /// By SMS.
    Sms,
}

impl Way {
    /// All ways, as pages list them.
    pub const ALL: [Self; 2] = [Self::Email, Self::Sms];

    /// The way's word in rows, facts and addresses.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }

    /// The outbox topic of what goes this way.
    #[must_use]
    pub const fn topic(self) -> &'static str {
        match self {
            Self::Email => "notice-email",
            Self::Sms => "notice-sms",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.word() == word)
    }

    /// An address as it is kept.
    ///
    /// # Errors
    /// `contact-email-bad`, `contact-phone-bad` (422) at `address`.
    pub fn address(self, typed: &str) -> Result<String, Problem> {
        match self {
            Self::Email => email(typed).ok_or_else(|| Problem::invalid("address", "contact-email-bad")),
            Self::Sms => phone(typed).ok_or_else(|| Problem::invalid("address", "contact-phone-bad")),
        }
    }
}

/// Of which steps somebody wants to be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Of each.
    #[default]
    All,
    /// Of those that ask something of them or change the date or the outcome.
    Matters,
}

impl Scope {
    /// The scope's word in rows and forms.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Matters => "matters",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::All, Self::Matters]
            .into_iter()
            .find(|scope| scope.word() == word)
    }

    /// True when somebody of this scope is told of a step.
    #[must_use]
    pub const fn wants(self, step: &Step) -> bool {
        match self {
            Self::All => true,
            Self::Matters => step.matters(),
        }
    }
}

/// A citizen's address by one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// By which way.
    pub way: Way,
    /// The address that was confirmed. Personal data: never log it.
    pub address: Option<String>,
    /// When it was.
    pub confirmed_at: Option<Time>,
    /// The address that waits for its code.
    pub pending: Option<String>,
    /// The salted digest of that code.
    pub code: Option<Digest>,
    /// Until when the code holds.
    pub code_until: Option<Time>,
    /// Wrong codes typed since it was sent, count.
    pub tries: u32,
    /// Of which steps.
    pub scope: Scope,
    /// In which language.
    pub lang: Lang,
    /// When any of this was changed last.
    pub changed_at: Time,
}

impl Contact {
    /// No address yet.
    #[must_use]
    pub fn none(way: Way, now: Time) -> Self {
        Self {
            way,
            address: None,
            confirmed_at: None,
            pending: None,
            code: None,
            code_until: None,
            tries: 0,
            scope: Scope::default(),
            lang: Lang::default(),
            changed_at: now,
        }
    }

    /// The address waits for a code.
    pub fn ask(&mut self, address: String, code: Digest, until: Time) {
        self.pending = Some(address);
        self.code = Some(code);
        self.code_until = Some(until);
        self.tries = 0;
    }

    /// Holds a typed code against the one that was sent; the right one confirms the address.
    ///
    /// # Errors
    /// `contact-code-none` (409) when none was sent, it is too old or was typed wrongly too often; `contact-code-wrong`
    /// (422), and the try is counted.
    pub fn confirm(&mut self, typed: Digest, now: Time, tries_max: u32) -> Result<(), Problem> {
        let none = || Problem::new(kernel::Kind::Conflict, "contact-code-none");
        let code = self.code.ok_or_else(none)?;
        if self.code_until.is_none_or(|until| now > until) || self.tries >= tries_max {
            return Err(none());
        }
        if code != typed {
            self.tries += 1;
            let left = tries_max.saturating_sub(self.tries);
            return Err(Problem::invalid("code", "contact-code-wrong").with("left", left));
        }
        self.address = self.pending.take();
        self.confirmed_at = Some(now);
        self.code = None;
        self.code_until = None;
        self.tries = 0;
        Ok(())
    }
}

/// What came of a use of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits.
    Waiting,
    /// The other side took it.
    Sent,
    /// It was too much for one day: it is counted in the day's one message.
    Gathered,
    /// It could not be delivered.
    Failed,
}

impl State {
    /// The state's word in rows and answers.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Gathered => "gathered",
            Self::Failed => "failed",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Waiting, Self::Sent, Self::Gathered, Self::Failed]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

/// A use of an address. It never holds the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// By which way.
    pub way: Way,
    /// The inbox entry that is told, or what else goes out: `code/…`, `digest/2026-11-23`.
    pub id: String,
    /// The step's word, `code` or `digest`.
    pub kind: String,
    /// The case.
    pub code: Option<kernel::CaseCode>,
    /// When it was put in line.
    pub at: Time,
    /// What came of it.
    pub state: State,
    /// When that was.
    pub done_at: Option<Time>,
    /// Why it could not be delivered: the key of the problem.
    pub why: Option<String>,
}

/// A language by its code.
pub(crate) fn lang(code: &str) -> Option<Lang> {
    [Lang::Vi, Lang::En].into_iter().find(|lang| lang.code() == code)
}

/// An e-mail address as an answer to a form is read: its domain in small letters.
fn email(typed: &str) -> Option<String> {
    let typed = typed.trim();
    let read = crate::answers::email("address", typed).ok();
    read.filter(|_| typed.len() <= EMAIL_BYTES_MAX)
}

/// A telephone number with its country: `+84912345678`.
fn phone(typed: &str) -> Option<String> {
    let typed = typed.trim();
    let (abroad, rest) = match typed.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, typed),
    };
    if !rest.chars().all(|c| c.is_ascii_digit() || " .-()".contains(c)) {
        return None;
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    let whole = if abroad {
        digits
    } else {
        format!("{COUNTRY}{}", digits.strip_prefix('0')?)
    };
    let good = PHONE_DIGITS.contains(&whole.len()) && !whole.starts_with('0');
    good.then(|| format!("+{whole}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_one_form() {
        for (typed, kept) in [
            (" Lan.Le@Example.VN ", Some("Lan.Le@example.vn")),
            ("a@b", None),
            ("a@b.1", None),
            ("a..b@example.vn", None),
            (".a@example.vn", None),
            ("a b@example.vn", None),
            ("a@-example.vn", None),
            ("a@example.vn\r\nRCPT TO:<b@example.vn>", None),
            ("\"a\"@example.vn", None),
            ("lê@example.vn", None),
            ("", None),
        ] {
            assert_eq!(email(typed).as_deref(), kept, "{typed}");
        }
        assert_eq!(email(&format!("{}@example.vn", "a".repeat(65))), None);
        for (typed, kept) in [
            ("0912 345 678", Some("+84912345678")),
            ("+84 912.345.678", Some("+84912345678")),
            ("+1 (202) 555-0100", Some("+12025550100")),
            ("912345678", None),
            ("0912", None),
            ("+0912345678", None),
            ("0912x45678", None),
            ("09123456789012345", None),
        ] {
            assert_eq!(phone(typed).as_deref(), kept, "{typed}");
        }
    }

    #[test]
    fn a_code_confirms_once_in_time_and_with_few_tries() {
        let (now, right, wrong) = (testkit::START, Digest::of(b"1"), Digest::of(b"2"));
        let fresh = || {
            let mut contact = Contact::none(Way::Email, now);
            contact.ask("a@example.vn".to_owned(), right, now.plus_ms(1_000));
            contact
        };
        let code = |told: Result<(), Problem>| told.expect_err("refused").code;
        let mut contact = fresh();
        assert_eq!(code(contact.confirm(wrong, now, 2)), "contact-code-wrong");
        contact.confirm(right, now, 2).expect("confirmed");
        assert_eq!(contact.address.as_deref(), Some("a@example.vn"));
        assert_eq!(code(contact.confirm(right, now, 2)), "contact-code-none", "once");
        let mut contact = fresh();
        assert_eq!(
            code(contact.confirm(right, now.plus_ms(1_001), 2)),
            "contact-code-none"
        );
        for _ in 0..2 {
            assert_eq!(code(contact.confirm(wrong, now, 2)), "contact-code-wrong");
        }
        assert_eq!(
            code(contact.confirm(right, now, 2)),
            "contact-code-none",
            "used up"
        );
        assert_eq!(contact.address, None);
    }
}
