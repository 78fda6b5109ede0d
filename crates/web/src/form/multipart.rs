//! Files and fields of a multipart form, read chunk by chunk and cut off at their limits. Never
//! keeps a byte beyond them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request};
use bytes::Bytes;
use http_body_util::Limited;
use kernel::limits::Limits;
use kernel::{Kind, Problem, text};

use super::budget::Hold;
use super::{Fields, Upload, too_many_fields};

/// Files of full size that one form may carry together, count.
const FULL_FILES_MAX: usize = 4;
/// A file name's length, in characters; longer ones lose their middle, never their ending.
const NAME_CHARS_MAX: usize = 120;

/// Reads a multipart form.
///
/// # Errors
/// 413 `upload-too-large` (with `max` in MB) at the field, `body-too-large` or `too-many-fields`;
/// 503 `busy` when the process holds too many uploads; 400 `malformed`.
pub(super) async fn read(request: Request, limits: &Limits) -> Result<Fields, Problem> {
    let whole_max = limits.upload_bytes_max * FULL_FILES_MAX + limits.body_bytes_max;
    let mut request = request.map(|body| Body::new(Limited::new(body, whole_max)));
    // Ours above replaces axum's own limit, which knows nothing of uploads.
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|e| Problem::new(Kind::Malformed, "malformed").because(e.body_text()))?;

    let (mut fields, mut hold) = (Fields::default(), Hold::default());
    while let Some(field) = form.next_field().await.map_err(|e| broken(&e, whole_max))? {
        if fields.count() == limits.form_fields_max {
            return Err(too_many_fields(limits.form_fields_max));
        }
        let name = text::clean(field.name().unwrap_or_default());
        let Some(file_name) = field.file_name().map(last_part) else {
            let too_large = || {
                Problem::new(Kind::TooLarge, "body-too-large")
                    .with("max", limits.body_bytes_max)
                    .at(&name)
            };
            let bytes = gather(field, limits.body_bytes_max, whole_max, &mut hold, too_large).await?;
            let raw = String::from_utf8(bytes.into())
                .map_err(|e| Problem::new(Kind::Malformed, "malformed").because(e))?;
            fields.push(&name, raw);
            continue;
        };
        let media = field
            .content_type()
            .map_or_else(|| "application/octet-stream".to_owned(), text::clean);
        let max = limits.upload_bytes_max;
        let too_large = || {
            Problem::new(Kind::TooLarge, "upload-too-large")
                .with("max", max >> 20)
                .at(&name)
        };
        let bytes = gather(field, max, whole_max, &mut hold, too_large).await?;
        // An untouched file box sends an empty file without a name.
        if !bytes.is_empty() {
            fields.files.push((
                name,
                Upload {
                    name: file_name,
                    media,
                    bytes,
                },
            ));
        }
    }
    fields._hold = Some(Arc::new(hold));
    Ok(fields)
}

async fn gather(
    mut field: Field<'_>,
    max: usize,
    whole_max: usize,
    hold: &mut Hold,
    too_large: impl Fn() -> Problem,
) -> Result<Bytes, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|e| broken(&e, whole_max))? {
        if bytes.len() + chunk.len() > max {
            return Err(too_large());
        }
        if !hold.take(chunk.len()) {
            return Err(Problem::new(Kind::Unavailable, "busy"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

fn broken(error: &MultipartError, whole_max: usize) -> Problem {
    if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(Kind::TooLarge, "body-too-large").with("max", whole_max);
    }
    Problem::new(Kind::Malformed, "malformed").because(error.body_text())
}

/// The last part of a file name in either system's writing, cleaned, without a leading dot, of
/// bounded length; `tep` (file) when nothing is left.
fn last_part(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_safe = |c: &char| !c.is_control() && !"<>:\"|?*".contains(*c) && !is_hidden_mark(*c);
    let safe: String = last.chars().filter(is_safe).collect();
    let clean = text::clean(&safe);
    let clean = clean.trim_start_matches('.').trim();
    let count = clean.chars().count();
    match count {
        0 => "tep".to_owned(),
        1..=NAME_CHARS_MAX => clean.to_owned(),
        _ => {
            let head = clean.chars().take(NAME_CHARS_MAX - 20);
            head.chain(clean.chars().skip(count - 20)).collect()
        }
    }
}

/// Marks that turn the writing direction or take no room: they make `gpj.exe` read as `exe.jpg`.
fn is_hidden_mark(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_keeps_only_its_last_part() {
        for (sent, kept) in [
            ("../x", "x"),
            ("..\\..\\etc\\passwd", "passwd"),
            ("/tmp/a.pdf", "a.pdf"),
            ("C:\\fakepath\\Gia\u{0302}\u{0301}y.pdf", "Giấy.pdf"),
            ("..", "tep"),
            ("", "tep"),
            ("a\u{0}b\r\n.pdf", "ab.pdf"),
            (".htaccess", "htaccess"),
            ("a\u{202e}fdp.exe", "afdp.exe"),
        ] {
            assert_eq!(last_part(sent), kept, "{sent:?}");
        }
        let long = last_part(&format!("{}.pdf", "á".repeat(500)));
        assert!(long.ends_with(".pdf") && long.chars().count() == NAME_CHARS_MAX);
    }
}
