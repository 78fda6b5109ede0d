//! `POST /designs` and `POST /designs/{id}` with their twins: a version's text and its sample citizens are kept,
//! whatever is wrong with them; only whose procedure it is must be told. For who designs, until it is handed in.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Digest, Fact, Kind, Problem, ProcedureCode};
use serde::Deserialize;
use web::auth::DESIGNER;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal, SignedIn};

use crate::design::list::DesignItem;
use crate::design::show::{self, DesignView};
use crate::design::{Design, Stage, office};
use crate::desk::view::revision;
use crate::state::Cases;
use crate::store as rows;

/// The code of what is said of a text that is too long.
const TOO_LONG: &str = "design-too-long";

/// A version's text.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DesignText {
    /// The document: TOML, as a file of the pack's `procedures`.
    document: String,
    /// Its sample citizens: TOML, as a file `CODE.samples.toml`; empty while there are none.
    #[serde(default)]
    samples: String,
    /// The revision that is written over; not of a new one.
    #[serde(default)]
    revision: i64,
}

/// Text as it was typed or uploaded: a file before what stands in the box.
fn text(fields: &Fields, name: &str) -> Result<String, Problem> {
    let uploaded = fields.file(&format!("{name}-file"));
    let text = match uploaded {
        Some(upload) => {
            String::from_utf8(upload.bytes.to_vec()).map_err(|_| Problem::invalid(name, "design-not-text"))?
        }
        None => fields.raw(name).unwrap_or_default().to_owned(),
    };
    Ok(text.replace("\r\n", "\n"))
}

fn typed(fields: &Fields) -> Result<(String, String), Problem> {
    Ok((text(fields, "document")?, text(fields, "samples")?))
}

/// Which procedure a document is a version of, as far as its text says.
fn code_of(document: &str) -> Result<ProcedureCode, Problem> {
    let unknown = || Problem::invalid("document", "design-code");
    let line = document
        .lines()
        .find_map(|line| line.trim().strip_prefix("code")?.trim_start().strip_prefix('='));
    let code = line.ok_or_else(unknown)?.trim().trim_matches(['"', '\'']);
    code.parse().map_err(|_| unknown())
}

impl Cases {
    /// Refuses texts that are too long: whoever looks at a version has both read and tried.
    fn bounded(&self, document: &str, samples: &str) -> Result<(), Problem> {
        let max = self.store.limits().design_text_bytes_max;
        let mut texts = [("document", document), ("samples", samples)].into_iter();
        match texts.find(|(_, text)| text.len() > max) {
            Some((field, _)) => Err(Problem::invalid(field, TOO_LONG).with("max", max)),
            None => Ok(()),
        }
    }

    async fn new_design(
        &self,
        who: &Principal,
        (document, samples): (String, String),
    ) -> Result<Design, Problem> {
        office(self, who)?;
        who.require(DESIGNER)?;
        self.bounded(&document, &samples)?;
        let code = code_of(&document)?;
        self.catalogue
            .entry(&code)
            .ok_or_else(|| Problem::invalid("document", "design-code"))?;
        let (code, document, samples) = (&code, &document, &samples);
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let design = Design {
                    id: tx.id(),
                    code: code.clone(),
                    stage: Stage::Draft,
                    document: document.clone(),
                    samples: samples.clone(),
                    version: None,
                    valid_from: None,
                    authors: vec![who.account.clone()],
                    note: String::new(),
                    revision: 1,
                    at: tx.now(),
                };
                rows::insert_design(&tx, &design).await?;
                tx.fact(&Design::subject(&design.id), saved(&design)).await?;
                Ok(design)
            })
            .await
    }

    pub(crate) async fn save_design(
        &self,
        who: &Principal,
        id: &str,
        revision: i64,
        (document, samples): (String, String),
    ) -> Result<Design, Problem> {
        office(self, who)?;
        who.require(DESIGNER)?;
        self.bounded(&document, &samples)?;
        let code = code_of(&document)?;
        let (code, document, samples) = (&code, &document, &samples);
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let found = rows::design(&tx, id).await?;
                let mut design = found.ok_or_else(Problem::not_found)?;
                design.may_be_written(who)?;
                if design.code != *code {
                    return Err(Problem::invalid("document", "design-code-other").with("code", &design.code));
                }
                if design.revision != revision {
                    return Err(Problem::stale());
                }
                design.document.clone_from(document);
                design.samples.clone_from(samples);
                if !design.authors.contains(&who.account) {
                    design.authors.push(who.account.clone());
                }
                if !rows::save_design(&tx, &design).await? {
                    return Err(Problem::stale());
                }
                tx.fact(&Design::subject(id), saved(&design)).await?;
                design.revision += 1;
                Ok(design)
            })
            .await
    }
}

fn saved(design: &Design) -> Fact {
    Fact::DesignSaved {
        design: design.id.clone(),
        procedure: design.code.clone(),
        document: Digest::of(design.document.as_bytes()),
    }
}

fn to(design: &Design) -> Response {
    Redirect::to(&format!("/designs/{}", design.id)).into_response()
}

/// Begins a version by the form.
#[utoipa::path(post, path = "/designs", tag = "designs", security(("session" = ["designer"])),
    responses((status = 303, description = "to the new version"), (status = 403),
              (status = 422, description = "the form again, with what is wrong")),
    extensions(("x-facts" = json!(["design-saved"]))))]
pub(crate) async fn new_by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    office(&cases, &who)?;
    let done = match typed(&fields) {
        Ok(text) => cases.new_design(&who, text).await,
        Err(problem) => Err(problem),
    };
    match done {
        Ok(design) => Ok(to(&design)),
        Err(problem) if problem.kind == Kind::Invalid => {
            let words = typed(&fields).unwrap_or_default();
            Ok(show::empty(&page, &words, &problem)?)
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Begins a version.
#[utoipa::path(post, path = "/api/v1/designs", tag = "designs", security(("session" = ["designer"])),
    request_body = DesignText,
    responses((status = 200, description = "the new version", body = DesignItem), (status = 403), (status = 422)),
    extensions(("x-facts" = json!(["design-saved"]))))]
pub(crate) async fn new_by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Json(asked): Json<DesignText>,
) -> Result<Json<DesignItem>, Refusal> {
    let design = cases.new_design(&who, (asked.document, asked.samples)).await?;
    Ok(Json(DesignItem::of(&design)))
}

/// Saves a version's text by the form.
#[utoipa::path(post, path = "/designs/{id}", tag = "designs", security(("session" = ["designer"])),
    params(("id" = String, Path, description = "the version on its way")),
    responses((status = 303, description = "back to the version"), (status = 403), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong")),
    extensions(("x-facts" = json!(["design-saved"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    office(&cases, &who)?;
    who.require(DESIGNER)?;
    let (revision, words) = (revision(&fields)?, typed(&fields));
    let done = match words.clone() {
        Ok(text) => cases.save_design(&who, &id, revision, text).await,
        Err(problem) => Err(problem),
    };
    match done {
        Ok(design) => Ok(to(&design)),
        Err(problem) if problem.kind == Kind::Invalid => {
            // What is too long to be kept is too long to be read, too.
            let words = words.ok().filter(|_| problem.code != TOO_LONG);
            let view = show::View::again(&cases, &who, &page, (&id, words), &problem);
            Ok(view.await?)
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Saves a version's text.
#[utoipa::path(post, path = "/api/v1/designs/{id}", tag = "designs", security(("session" = ["designer"])),
    params(("id" = String, Path, description = "the version on its way")), request_body = DesignText,
    responses((status = 200, description = "the version", body = DesignView), (status = 403), (status = 404),
              (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["design-saved"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path(id): Path<String>,
    Json(asked): Json<DesignText>,
) -> Result<Json<DesignView>, Refusal> {
    let text = (asked.document, asked.samples);
    let design = cases.save_design(&who, &id, asked.revision, text).await?;
    Ok(Json(show::view(&cases, &page, &design)))
}
