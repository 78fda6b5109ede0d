//! The check of a signature (kiểm tra chữ ký số) for anyone: by the document's QR or by upload. Shows
//! who signed and when and what is wrong, and nothing of what the document says.

use ::seal::verdict::{Indication, Verdict};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use directory::unit_href;
use kernel::{Kind, Problem};
use web::form::Fields;
use web::page::Page;
use web::problem::Refusal;

use crate::Documents;
use crate::store as rows;

#[derive(Template)]
#[template(path = "verdict.html")]
struct VerdictPage<'a> {
    p: &'a Page,
    known: Option<Known>,
    verdict: Verdict,
}

struct Known {
    kind: String,
    number: String,
    issued_at: String,
    /// The address of the unit's page on the day of issue, and its name then.
    unit: Option<(String, String)>,
}

/// The kinds of documents that have a name of their own on the page.
const KINDS: [&str; 15] = [
    "apology-letter",
    "birth-certificate",
    "birth-extract",
    "building-permit",
    "certified-copy",
    "charge-notice",
    "decline-slip",
    "fee-receipt",
    "marital-status",
    "petition-answer",
    "receipt",
    "refusal",
    "stop-notice",
    "supplement-slip",
    "transport-licence",
];

impl Known {
    fn of(documents: &Documents, page: &Page, held: &rows::Held) -> Self {
        let kind = KINDS.iter().find(|kind| **kind == held.kind).unwrap_or(&"other");
        let on = held.issued_at.date();
        let organisations = &documents.0.organisations;
        Self {
            kind: page.t(&format!("documents-kind-{kind}")),
            number: held.number.clone(),
            issued_at: page.time(held.issued_at),
            unit: held
                .unit
                .as_ref()
                .map(|unit| (unit_href(unit.as_str(), on), organisations.name(unit, on))),
        }
    }
}

#[derive(Template)]
#[template(path = "upload.html")]
struct UploadPage<'a> {
    p: &'a Page,
    problems: &'a [Problem],
}

impl VerdictPage<'_> {
    fn heading(&self) -> String {
        self.p.t(match self.verdict.indication {
            // A file that nobody signed is not a forged one.
            Indication::TotalFailed if self.is_unsigned() => "documents-verdict-none",
            Indication::TotalPassed => "documents-verdict-passed",
            Indication::TotalFailed => "documents-verdict-failed",
            Indication::Indeterminate => "documents-verdict-indeterminate",
        })
    }

    /// A file from outside that carries no signature; one that was issued here must carry its own.
    fn is_unsigned(&self) -> bool {
        let first = self.verdict.first_bad.as_deref();
        self.known.is_none() && matches!(first, Some("no signature" | "no PDF header"))
    }

    fn tone(&self) -> &'static str {
        match self.verdict.indication {
            Indication::TotalPassed => "notice-good",
            Indication::Indeterminate => "notice-warning",
            Indication::TotalFailed if self.is_unsigned() => "notice-warning",
            Indication::TotalFailed => "notice-bad",
        }
    }

    /// What is wrong, in words; empty for what has none but its code.
    fn why(&self) -> String {
        let key = match (self.verdict.reason.as_str(), self.verdict.first_bad.as_deref()) {
            ("FORMAT_FAILURE", Some("no signature")) => "documents-why-unsigned",
            ("FORMAT_FAILURE", Some("no PDF header")) => "documents-why-no-pdf",
            ("FORMAT_FAILURE", _) => "documents-why-format",
            (
                "HASH_FAILURE" | "changed after it was signed" | "signature does not cover the whole file",
                _,
            ) => "documents-why-changed",
            ("SIG_CRYPTO_FAILURE", _) => "documents-why-signature",
            (
                "NO_CERTIFICATE_CHAIN_FOUND" | "NO_SIGNING_CERTIFICATE_FOUND" | "CHAIN_CONSTRAINTS_FAILURE",
                _,
            ) => "documents-why-stranger",
            ("OUT_OF_BOUNDS_NO_POE", _) => "documents-why-expired",
            ("REVOKED_NO_POE", _) => "documents-why-revoked",
            ("CRYPTO_CONSTRAINTS_FAILURE", _) => "documents-why-algorithm",
            _ => return String::new(),
        };
        self.p.t(key)
    }

    fn time(&self, at: &Option<kernel::Time>) -> String {
        at.map(|at| self.p.time(at)).unwrap_or_default()
    }
}

/// Checks an issued document by the id in its QR code.
#[utoipa::path(get, path = "/verify/{id}", tag = "documents", params(("id" = String, Path,)), security(()),
    responses((status = 200, content_type = "text/html"), (status = 404)))]
pub(crate) async fn by_id(
    State(documents): State<Documents>,
    Path(id): Path<String>,
    page: Page,
) -> Result<Html<String>, Refusal> {
    for tenant in &documents.0.tenants {
        let reader = documents.0.store.read(tenant).await?;
        if let Some(held) = rows::find(&reader, &id).await? {
            let pdf = documents.bytes(&held.digest).await?;
            return show(&documents, &page, &pdf, Some(Known::of(&documents, &page, &held)));
        }
    }
    Err(Problem::not_found().into())
}

/// The page on which a PDF is handed in for a check.
#[utoipa::path(get, path = "/verify", tag = "documents", security(()), responses((status = 200, content_type = "text/html")))]
pub(crate) async fn upload_page(page: Page) -> Result<Html<String>, Refusal> {
    let body = UploadPage {
        p: &page,
        problems: &[],
    }
    .render()
    .map_err(Problem::internal)?;
    Ok(page.html(&page.t("documents-check-title"), body))
}

/// Checks a PDF that somebody hands in; it is not kept.
#[utoipa::path(post, path = "/verify", tag = "documents", security(()),
    extensions(("x-changes-nothing" = json!(true))),
    responses((status = 200, content_type = "text/html"), (status = 413), (status = 422)))]
pub(crate) async fn by_upload(
    State(documents): State<Documents>,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let Some(file) = fields.file("file").filter(|f| !f.bytes.is_empty()) else {
        let problems = &[Problem::new(Kind::Invalid, "document-file-missing").at("file")];
        let body = UploadPage { p: &page, problems }
            .render()
            .map_err(Problem::internal)?;
        return Ok(page.html_status(422, &page.t("documents-check-title"), body));
    };
    Ok(show(&documents, &page, &file.bytes, None)?.into_response())
}

fn show(
    documents: &Documents,
    page: &Page,
    pdf: &[u8],
    known: Option<Known>,
) -> Result<Html<String>, Refusal> {
    let now = documents.0.store.world().now();
    let verdict = ::seal::pdf::verify(pdf, &documents.0.directory.trust(), now);
    let view = VerdictPage {
        p: page,
        known,
        verdict,
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html(&page.t("documents-check-title"), body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_document_has_a_name_on_the_page_where_it_is_checked() {
        let texts = web::Texts::new(&[web::TEXTS, crate::TEXTS]).expect("whole texts");
        for kind in KINDS.iter().chain(&["other"]) {
            assert!(texts.has(&format!("documents-kind-{kind}")), "{kind}");
        }
        let pack = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn/templates");
        for file in std::fs::read_dir(pack).expect("the pack's templates") {
            let name = file
                .expect("a file")
                .file_name()
                .to_string_lossy()
                .replace(".typ", "");
            // What is laid over, shared or only printed is no document of its own.
            let part = name.starts_with('_')
                || [
                    "process-sheet",
                    "queue-ticket",
                    "register",
                    "seal-mark",
                    "shipping-slip",
                ]
                .contains(&name.as_str());
            assert!(part || KINDS.contains(&name.as_str()), "{name}");
        }
    }
}
