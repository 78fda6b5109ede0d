//! A form's fields and files, bounded and cleaned. Never writes a file, never trusts a file name.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use kernel::{Date, Problem};

use crate::problem::Refusal;

/// One uploaded file, in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The last part of the sender's file name, cleaned; never empty.
    pub name: String,
    /// The media type the sender claims; check the bytes before believing it.
    pub media: String,
    /// The content.
    pub bytes: Bytes,
}

/// The fields of an urlencoded or multipart form, in the order sent.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    texts: Vec<(String, String, String)>,
    files: Vec<(String, Upload)>,
}

impl Fields {
    /// The first value of a field, cleaned (one line); `Some("")` when sent empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|t| t.0 == name).map(|t| t.1.as_str())
    }

    /// Every value of a field, cleaned: tick boxes.
    pub fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.texts
            .iter()
            .filter(move |t| t.0 == name)
            .map(|t| t.1.as_str())
    }

    /// The first value as sent, not cleaned: passwords.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|t| t.0 == name).map(|t| t.2.as_str())
    }

    /// The first value with each line cleaned and line breaks kept: text areas.
    #[must_use]
    pub fn lines(&self, name: &str) -> Option<String> {
        let raw = self.raw(name)?;
        Some(
            raw.lines()
                .map(kernel::text::clean)
                .collect::<Vec<_>>()
                .join("\n")
                .trim()
                .to_owned(),
        )
    }

    /// All fields with their cleaned values, in the order sent.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|t| (t.0.as_str(), t.1.as_str()))
    }

    /// The first non-empty file of a field.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&Upload> {
        self.files.iter().find(|f| f.0 == name).map(|f| &f.1)
    }

    /// Every non-empty file of a field.
    pub fn files<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Upload> {
        self.files.iter().filter(move |f| f.0 == name).map(|f| &f.1)
    }

    /// The cleaned value of a field that must not be empty.
    ///
    /// # Errors
    /// 422 `field-missing` at the field.
    pub fn need(&self, name: &str) -> Result<&str, Problem> {
        self.text(name)
            .filter(|t| !t.is_empty())
            .ok_or_else(|| Problem::invalid(name, "field-missing"))
    }

    /// The day in the three boxes `NAME-day`, `NAME-month`, `NAME-year`, or in `NAME` as
    /// `2026-11-21` or `21/11/2026`; `None` when all are empty.
    ///
    /// # Errors
    /// 422 `date-bad` at the field when there is no such day.
    pub fn date(&self, _name: &str) -> Result<Option<Date>, Problem> {
        unimplemented!()
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Refusal;

    async fn from_request(_request: Request, _: &S) -> Result<Self, Refusal> {
        unimplemented!()
    }
}
