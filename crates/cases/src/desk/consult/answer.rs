//! `POST /desk/consults/{code}/{number}/answer`: the asked unit gives its opinion, once, with words and a paper where
//! it has them. Too late it is still taken and marked so, as long as the officer has not gone on without it.

use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{CaseCode, Fact, Kind, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, JsonWithFiles, Page, Refusal, Upload};

use super::ask::ConsultView;
use super::{ANSWERERS, AtConsult, holder, obligation, store};
use crate::citizen::paper;
use crate::consult::{Answer, Consult, Opinion};
use crate::desk::step::save;
use crate::draft::Attached;
use crate::procedure::{Paper, Text};
use crate::state::Cases;
use crate::store::{self as rows, subject};
use crate::words::words;

/// The code of the paper that comes with an answer.
pub(super) const PAPER: &str = "opinion";

/// What the asked unit answers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsultAnswer {
    /// `agrees`, `remarks` or `objects`.
    #[schema(example = "agrees")]
    opinion: String,
    /// In words; needed for remarks and objections.
    #[serde(default)]
    text: String,
    /// A paper with it.
    #[serde(default)]
    paper: Option<ConsultPaper>,
}

/// A paper that comes with an answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsultPaper {
    /// The file's name.
    name: String,
    /// The PDF.
    pdf_base64: String,
}

/// The form's fields.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form for OpenAPI; `Fields` reads it")]
pub(crate) struct ConsultAnswerForm {
    /// `agrees`, `remarks` or `objects`.
    opinion: String,
    /// In words; needed for remarks and objections.
    text: Option<String>,
    /// The PDF.
    #[schema(format = Binary, content_media_type = "application/pdf")]
    paper: Option<String>,
}

/// What was given, before it is checked.
struct Given<'a> {
    opinion: &'a str,
    text: &'a str,
    paper: Option<&'a Upload>,
}

/// Answers by the form.
#[utoipa::path(post, path = "/desk/consults/{code}/{number}/answer", tag = "desk", security(("session" = ["officer", "chairman", "deputy-chairman"])),
    params(("code" = String, Path, description = "the case's code"), ("number" = u32, Path, description = "the consult's number")),
    request_body(content = ConsultAnswerForm, content_type = "multipart/form-data"),
    responses((status = 303, description = "back to the question"), (status = 403), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong")),
    extensions(("x-facts" = json!(["case-consult-answered", "obligation-met"]))))]
pub(crate) async fn by_form(at: AtConsult, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let text = fields.lines("text").unwrap_or_default();
    let given = Given {
        opinion: fields.text("opinion").unwrap_or_default(),
        text: &text,
        paper: fields.file("paper"),
    };
    match at.cases.answer_consult(&at, &given).await {
        Ok(()) => Ok(Redirect::to(&format!("/desk/consults/{}/{}", at.code, at.number)).into_response()),
        Err(problem) if problem.kind == Kind::Invalid => {
            super::page::with_faults(&at, &page, &[problem], (given.opinion, given.text)).await
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Answers.
#[utoipa::path(post, path = "/api/v1/desk/consults/{code}/{number}/answer", tag = "desk", security(("session" = ["officer", "chairman", "deputy-chairman"])),
    params(("code" = String, Path, description = "the case's code"), ("number" = u32, Path, description = "the consult's number")),
    request_body = ConsultAnswer,
    responses((status = 200, description = "the question with its answer", body = ConsultView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-consult-answered", "obligation-met"]))))]
pub(crate) async fn by_json(
    at: AtConsult,
    sent: JsonWithFiles<ConsultAnswer>,
) -> Result<Json<ConsultView>, Refusal> {
    let (cases, answer) = (&at.cases, &sent.value);
    // Who is not asked learns nothing of what is wrong with what they send.
    let reader = cases.store.read(&cases.tenant).await?;
    cases.to_answer(&reader, &at).await?;
    drop(reader);
    let upload = answer.paper.as_ref().map(decoded).transpose()?;
    let given = Given {
        opinion: answer.opinion.trim(),
        text: &answer.text,
        paper: upload.as_ref(),
    };
    cases.answer_consult(&at, &given).await?;
    let reader = cases.store.read(&cases.tenant).await?;
    let (_, consult) = cases.asked(&reader, &at.who, &at.code, at.number).await?;
    Ok(Json(ConsultView::new(&consult, cases.store.world().now())))
}

/// The file of a program.
fn decoded(paper: &ConsultPaper) -> Result<Upload, Problem> {
    let bytes = STANDARD.decode(&paper.pdf_base64);
    let bytes = bytes.map_err(|_| Problem::invalid("paper", "case-paper-damaged"))?;
    Ok(Upload {
        name: kernel::text::clean(&paper.name),
        media: "application/pdf".to_owned(),
        bytes: bytes.into(),
    })
}

impl Cases {
    /// What somebody may answer: asked of their unit, theirs by role, not asked by themselves.
    async fn to_answer(
        &self,
        rows: &impl rows::Rows,
        at: &AtConsult,
    ) -> Result<(crate::store::Held, Consult), Problem> {
        let who = &at.who;
        who.require_any(&ANSWERERS)?;
        let (held, consult) = self.asked(rows, who, &at.code, at.number).await?;
        if consult.by == who.account {
            return Err(Problem::new(Kind::Forbidden, "consult-own"));
        }
        Ok((held, consult))
    }

    /// Answers. Pressed twice, it is answered once.
    async fn answer_consult(&self, at: &AtConsult, given: &Given<'_>) -> Result<(), Problem> {
        let reader = self.store.read(&self.tenant).await?;
        self.to_answer(&reader, at).await?;
        drop(reader);
        let opinion = Opinion::of(given.opinion);
        let opinion = opinion.ok_or_else(|| Problem::invalid("opinion", "consult-opinion"))?;
        let text = &words("text", given.text, opinion != Opinion::Agrees)?;
        let paper = &self.opinion_paper(given.paper).await?;
        self.store
            .write(&self.tenant, &at.who.actor, |tx| async move {
                let (held, consult) = self.to_answer(&tx, at).await?;
                if is_done(at.who.account.as_str(), &consult, opinion, text) {
                    return Ok(());
                }
                if consult.answer.is_some() {
                    return Err(Problem::new(Kind::Conflict, "consult-answered"));
                }
                if consult.ended.is_some() {
                    return Err(Problem::new(Kind::Conflict, "consult-ended"));
                }
                let answer = Answer {
                    opinion,
                    text: text.clone(),
                    paper: paper.is_some(),
                    by: at.who.account.clone(),
                    by_name: at.who.name.clone(),
                    at: tx.now(),
                };
                self.save_answer(&tx, held.case, (&at.code, at.number), answer, paper.as_ref())
                    .await
            })
            .await
    }

    /// The answer in the case, its paper, the obligation and the fact at once.
    async fn save_answer(
        &self,
        tx: &::store::Tx,
        mut case: crate::case::Case,
        (code, number): (&CaseCode, u32),
        answer: Answer,
        paper: Option<&Attached>,
    ) -> Result<(), Problem> {
        let procedure = self.procedure_of(&case)?;
        case.revision += 1;
        if let Some(consult) = case.course.consults.iter_mut().find(|one| one.number == number) {
            consult.answer = Some(answer);
        }
        save(tx, &case, &procedure).await?;
        if let Some(paper) = paper {
            rows::attach(tx, &holder(code, number), paper).await?;
        }
        store::end(tx, code, number).await?;
        let in_time = obligations::meet(tx, &obligation(code, number)).await?;
        let fact = Fact::CaseConsultAnswered {
            case: code.clone(),
            consult: number,
            late: !in_time,
        };
        tx.fact(&subject(code), fact).await?;
        Ok(())
    }

    /// The paper that came with an answer: a PDF by its content.
    async fn opinion_paper(&self, file: Option<&Upload>) -> Result<Option<Attached>, Problem> {
        let Some(file) = file.filter(|file| !file.bytes.is_empty()) else {
            return Ok(None);
        };
        let name = || "Văn bản trả lời".to_owned();
        let wanted = Paper {
            code: PAPER.to_owned(),
            name: Text {
                vi: name(),
                en: name(),
            },
            required: false,
        };
        let attached = paper::check(self, &wanted, &[], Some(file)).await;
        attached.map(Some).map_err(|problem| match problem.kind {
            Kind::Invalid => problem.at("paper"),
            _ => problem,
        })
    }
}

/// The second click of the one who has just answered the same.
fn is_done(account: &str, consult: &Consult, opinion: Opinion, text: &str) -> bool {
    let answer = consult.answer.as_ref();
    answer.is_some_and(|answer| answer.by == account && answer.opinion == opinion && answer.text == text)
}
