//! `POST /api/v1/desk/intakes`: a case handed in at a desk, for programs: another one-stop system, an import.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{CaseCode, Problem};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::{Json, JsonWithFiles, Refusal, SignedIn, Upload};

use super::asked::Slip;
use super::official;
use super::take::check_id;
use crate::answers::cleaned;
use crate::citizen::paper;
use crate::draft::Attached;
use crate::post::wish::WishJson;
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store as rows;

/// A case that is handed in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandedIn {
    /// The caller's number of it, 1 to 64 letters, digits or `-`: sent twice, it is one case.
    intake: String,
    /// The procedure's code.
    #[schema(example = "1.001193")]
    procedure: String,
    /// The applicant's personal number.
    applicant_number: String,
    /// The applicant's name.
    applicant_name: String,
    /// True when it came by post.
    #[serde(default)]
    by_post: bool,
    /// The answers, by field: days as `2026-11-19`, communes by code or full name.
    answers: BTreeMap<String, String>,
    /// The scans.
    #[serde(default)]
    papers: Vec<Scan>,
    /// Codes of the papers that are kept on paper.
    #[serde(default)]
    on_paper: Vec<String>,
    /// The number of the receipt for the fee, where one is due.
    #[serde(default)]
    receipt: String,
    /// How the result is wished; the ordinary way when left out.
    #[serde(default)]
    result: Option<WishJson>,
}

/// A scanned paper.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scan {
    /// Its code in the procedure.
    code: String,
    /// The file's name.
    name: String,
    /// The PDF.
    pdf_base64: String,
}

/// What it became.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TakenIn {
    /// The case's code.
    #[schema(value_type = String)]
    case: CaseCode,
}

/// Takes a case in. Of several faults the first one is told.
#[utoipa::path(post, path = "/api/v1/desk/intakes", tag = "desk", security(("session" = ["receptionist"])), request_body = HandedIn,
    responses((status = 201, description = "taken in", body = TakenIn), (status = 403), (status = 404), (status = 422)),
    extensions(("x-facts" = json!(["case-received", "case-accepted", "fee-paid", "obligation-opened", "document-issued"]))))]
pub(crate) async fn take(
    State(cases): State<Cases>,
    signed_in: SignedIn,
    sent: JsonWithFiles<HandedIn>,
) -> Result<Response, Refusal> {
    let (who, handed) = (official(&cases, signed_in)?, &sent.value);
    let procedure = cases.taken_here(&who, &handed.procedure)?;
    let id = check_id(&handed.intake)?;
    let before = rows::intake(&cases.store.read(&cases.tenant).await?, &who.account, id).await?;
    let case = match before {
        Some(code) => code,
        None => {
            let unknown = |field: &&String| procedure.question(field).is_none();
            if let Some(field) = handed.answers.keys().find(unknown) {
                return Err(Problem::invalid(field, "case-answer-unknown").into());
            }
            let papers = scans(&cases, &procedure, &handed.papers).await?;
            let slip = Slip {
                number: kernel::text::clean(&handed.applicant_number),
                name: kernel::text::clean(&handed.applicant_name),
                by_post: handed.by_post,
                on_paper: handed.on_paper.clone(),
                receipt: kernel::text::clean(&handed.receipt),
                wish: handed.result.as_ref().map(WishJson::typed).unwrap_or_default(),
            };
            let answers = handed
                .answers
                .iter()
                .map(|(field, answer)| (field.clone(), cleaned(&procedure, field, answer)))
                .collect();
            let sound = cases.sound(&procedure, &who.unit, &answers, &slip, &papers);
            let sound = sound.map_err(|problems| {
                let first = problems.into_iter().next();
                first.unwrap_or_else(|| Problem::internal("refused without a reason"))
            })?;
            cases.take_in(&who, id, &procedure, (&sound, &papers)).await?
        }
    };
    Ok((axum::http::StatusCode::CREATED, Json(TakenIn { case })).into_response())
}

/// The scans that were sent: each once, a PDF, of this procedure.
async fn scans(cases: &Cases, procedure: &Procedure, sent: &[Scan]) -> Result<Vec<Attached>, Problem> {
    let mut papers: Vec<Attached> = Vec::with_capacity(sent.len());
    for scan in sent {
        let field = format!("paper-{}", scan.code);
        let paper = procedure
            .paper(&scan.code)
            .ok_or_else(|| Problem::invalid(&field, "case-paper-unknown"))?;
        if papers.iter().any(|other| other.code == scan.code) {
            return Err(Problem::invalid(&field, "case-paper-twice"));
        }
        let bytes = STANDARD
            .decode(&scan.pdf_base64)
            .map_err(|_| Problem::invalid(&field, "case-paper-damaged"))?;
        let upload = Upload {
            name: kernel::text::clean(&scan.name),
            media: "application/pdf".to_owned(),
            bytes: bytes.into(),
        };
        let attached = paper::check(cases, paper, &papers, Some(&upload)).await;
        papers.push(attached.map_err(|problem| problem.at(&field))?);
    }
    Ok(papers)
}
