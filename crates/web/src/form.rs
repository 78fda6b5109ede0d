//! A form's fields and files, bounded and cleaned. Never writes a file, never trusts a file name.

pub(crate) mod budget;
mod multipart;
mod urlencoded;

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::Method;
use bytes::Bytes;
use kernel::time::{civil_date, parse_iso};
use kernel::{Date, Kind, Problem, text};

use crate::body;
use crate::problem::Refusal;
use crate::shared::Shared;

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

/// The fields of a form in the order sent: urlencoded, multipart, or the query of a GET.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    texts: Vec<Text>,
    files: Vec<(String, Upload)>,
    /// Gives the memory of the files back to the node's budget when dropped.
    _hold: Option<Arc<budget::Hold>>,
}

#[derive(Clone, Debug)]
struct Text {
    name: String,
    clean: String,
    raw: String,
}

impl Fields {
    fn push(&mut self, name: &str, raw: String) {
        self.texts.push(Text {
            name: text::clean(name),
            clean: text::clean(&raw),
            raw,
        });
    }

    fn count(&self) -> usize {
        self.texts.len() + self.files.len()
    }

    /// The fields of an urlencoded body that was kept.
    ///
    /// # Errors
    /// As the extractor: 413 `too-many-fields`, 400 `malformed`.
    pub fn of_body(body: &[u8], fields_max: usize) -> Result<Self, Problem> {
        urlencoded::read(body, fields_max)
    }

    /// Every field with its value as it was typed, in the order sent.
    pub fn typed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|t| (t.name.as_str(), t.raw.as_str()))
    }

    /// Fields from pairs: for tests of handlers' parts.
    #[must_use]
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        let mut fields = Self::default();
        for (name, value) in pairs {
            fields.push(name, (*value).to_owned());
        }
        fields
    }

    /// The first value of a field, cleaned (one line); `Some("")` when sent empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts
            .iter()
            .find(|t| t.name == name)
            .map(|t| t.clean.as_str())
    }

    /// Every value of a field, cleaned: tick boxes.
    pub fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.texts
            .iter()
            .filter(move |t| t.name == name)
            .map(|t| t.clean.as_str())
    }

    /// The first value as sent, not cleaned: passwords.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|t| t.name == name).map(|t| t.raw.as_str())
    }

    /// The first value with each line cleaned and line breaks kept: text areas.
    #[must_use]
    pub fn lines(&self, name: &str) -> Option<String> {
        let lines: Vec<String> = self.raw(name)?.lines().map(text::clean).collect();
        Some(lines.join("\n").trim().to_owned())
    }

    /// All fields with their cleaned values, in the order sent.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|t| (t.name.as_str(), t.clean.as_str()))
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
    pub fn date(&self, name: &str) -> Result<Option<Date>, Problem> {
        let bad = || Problem::invalid(name, "date-bad");
        let boxed =
            ["day", "month", "year"].map(|part| self.text(&format!("{name}-{part}")).unwrap_or_default());
        let whole = self.text(name).unwrap_or_default();
        if boxed.iter().any(|part| !part.is_empty()) {
            return day_of(boxed).map(Some).ok_or_else(bad);
        }
        if whole.is_empty() {
            return Ok(None);
        }
        let parts: Vec<&str> = whole.split(['/', '-', '.', ' ']).collect();
        let slashed = <[&str; 3]>::try_from(parts).ok().and_then(day_of);
        parse_iso(whole).or(slashed).map(Some).ok_or_else(bad)
    }
}

/// A day from its three parts; a year needs its four digits: two would leave the century to us.
fn day_of([day, month, year]: [&str; 3]) -> Option<Date> {
    let digits = |text: &str, most: usize| text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(day, 2) || !digits(month, 2) || !digits(year, 4) || year.len() != 4 {
        return None;
    }
    civil_date(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, content) = request.into_parts();
        let limits = Shared::of(&parts).limits;
        if matches!(parts.method, Method::GET | Method::HEAD) {
            let query = parts.uri.query().unwrap_or_default();
            return Ok(urlencoded::read(query.as_bytes(), limits.form_fields_max)?);
        }
        match body::media(&parts).as_str() {
            "application/x-www-form-urlencoded" => {
                let bytes = body::read(content, limits.body_bytes_max).await?;
                Ok(urlencoded::read(&bytes, limits.form_fields_max)?)
            }
            "multipart/form-data" => Ok(multipart::read(Request::from_parts(parts, content), &limits).await?),
            _ => Err(body::wrong_media("application/x-www-form-urlencoded, multipart/form-data").into()),
        }
    }
}

/// 413 with how many fields a form may have.
fn too_many_fields(max: usize) -> Problem {
    Problem::new(Kind::TooLarge, "too-many-fields").with("max", max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::time::iso;

    #[test]
    fn a_day_is_read_from_three_boxes_or_one() {
        let read = |pairs: &[(&str, &str)]| {
            Fields::of(pairs)
                .date("born")
                .map(|d| d.map(iso))
                .map_err(|p| (p.code, p.field.unwrap()))
        };
        let boxes = |d, m, y| [("born-day", d), ("born-month", m), ("born-year", y)];
        let day = || Ok(Some("2026-11-02".to_owned()));
        assert_eq!(read(&boxes("2", "11", "2026")), day());
        assert_eq!(read(&[("born", "2/11/2026")]), day());
        assert_eq!(read(&[("born", "2026-11-02")]), day());
        assert_eq!(read(&boxes("", "", "")), Ok(None));
        assert_eq!(read(&[]), Ok(None));
        for bad in [
            boxes("31", "2", "2026"),
            boxes("1", "", "2026"),
            boxes("1", "1", "26"),
            boxes("+1", "1", "2026"),
        ] {
            assert_eq!(read(&bad), Err(("date-bad", "born".to_owned())), "{bad:?}");
        }
    }

    #[test]
    fn a_name_typed_in_pieces_arrives_composed_and_a_password_as_typed() {
        let fields = Fields::of(&[
            ("name", " Nguye\u{0302}\u{0303}n \u{7}Thi\u{0323}\n"),
            ("note", "a  b\r\n c "),
        ]);
        assert_eq!(fields.need("name").unwrap(), "Nguyễn Thị");
        assert_eq!(fields.raw("note"), Some("a  b\r\n c "));
        assert_eq!(fields.lines("note").as_deref(), Some("a b\nc"));
        assert_eq!(
            fields.need("sex").unwrap_err(),
            Problem::invalid("sex", "field-missing")
        );
    }
}
