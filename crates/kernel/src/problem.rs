//! What is told to the outside when something is refused: the field, the rule and the remedy, by
//! key, in whatever language the reader has. Never an inner error's text: that goes to the log.

use std::fmt;

/// The family of a problem; decides the HTTP status (RFC 9110).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be read (400).
    Malformed,
    /// Nobody is signed in (401).
    NotSignedIn,
    /// Signed in, may see the thing, may not do this (403).
    Forbidden,
    /// No such thing, or none the caller may know of (404).
    NotFound,
    /// The thing has moved on since the caller saw it (409).
    Conflict,
    /// More than a limit allows (413).
    TooLarge,
    /// A form of content that is not taken here (415).
    WrongMedia,
    /// Read, understood, and against a rule (422).
    Invalid,
    /// Too many in too short a time (429).
    TooMany,
    /// Our fault (500).
    Internal,
    /// A party we asked gave no usable answer (502).
    Upstream,
    /// Not now; trying again later may work (503).
    Unavailable,
    /// A party we asked did not answer in time (504).
    Timeout,
    /// No room left to write (507).
    Full,
}

impl Kind {
    /// The HTTP status code.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::NotSignedIn => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::WrongMedia => 415,
            Self::Invalid => 422,
            Self::TooMany => 429,
            Self::Internal => 500,
            Self::Upstream => 502,
            Self::Unavailable => 503,
            Self::Timeout => 504,
            Self::Full => 507,
        }
    }
}

/// One refusal. `code` names a text `problem-<code>` with attributes `.rule` and `.remedy` in
/// every language; `args` fill its places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The family, and so the status.
    pub kind: Kind,
    /// The text's key without `problem-`; kebab-case, stable.
    pub code: &'static str,
    /// The field of the input that is at fault, as the input names it.
    pub field: Option<String>,
    /// Values for the places in the text; never personal data.
    pub args: Vec<(&'static str, String)>,
    /// What went wrong inside: for the log alone, never for the answer.
    pub cause: Option<String>,
}

impl Problem {
    /// A problem of a family with its text's key.
    #[must_use]
    pub const fn new(kind: Kind, code: &'static str) -> Self {
        Self {
            kind,
            code,
            field: None,
            args: Vec::new(),
            cause: None,
        }
    }

    /// Against a rule, at a field (422).
    #[must_use]
    pub fn invalid(field: &str, code: &'static str) -> Self {
        Self {
            field: Some(field.to_owned()),
            ..Self::new(Kind::Invalid, code)
        }
    }

    /// No such thing, or none the caller may know of (404).
    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(Kind::NotFound, "not-found")
    }

    /// The thing has moved on since the caller saw it (409).
    #[must_use]
    pub const fn stale() -> Self {
        Self::new(Kind::Conflict, "stale")
    }

    /// Our fault; the cause goes to the log (500).
    #[must_use]
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(Kind::Internal, "internal")
        }
    }

    /// With a value for a place in the text.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    /// With the field at fault.
    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// With an inner cause, for the log alone.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.code, self.kind.status())?;
        if let Some(field) = &self.field {
            write!(f, " at {field}")?;
        }
        match &self.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}
