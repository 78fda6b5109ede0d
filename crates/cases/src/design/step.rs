//! `POST /designs/{id}/steps` and its twin: a version is handed in, given back, tried with its sample citizens,
//! published for a day, or withdrawn. Never by who wrote it but for the first.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use kernel::time::parse_iso;
use kernel::{Fact, Kind, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal, SignedIn};

use crate::design::show::{self, DesignView};
use crate::design::{Design, Step, office, publish, read};
use crate::desk::view::revision;
use crate::state::Cases;
use crate::store as rows;
use crate::words::note;

/// What is done with a version on its way.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DesignStep {
    /// `submit`, `return`, `test`, `publish` or `withdraw`.
    step: String,
    /// The revision that was looked at.
    revision: i64,
    /// For `publish`: the first day on which cases are filed under it, today or later.
    #[serde(default)]
    from: String,
    /// For `return` and `withdraw`: why.
    #[serde(default)]
    note: String,
}

impl Cases {
    /// Takes a step with a design.
    ///
    /// # Errors
    /// As [`Design::after`]; `stale`; 422 for a text with faults, for sample citizens that are missing or come
    /// otherwise, for a day that cannot be the first, for words that are missing.
    async fn design_step(&self, who: &Principal, id: &str, asked: &DesignStep) -> Result<Design, Problem> {
        office(self, who)?;
        let step = Step::of(&asked.step).ok_or_else(|| Problem::invalid("step", "design-step-unknown"))?;
        let before = show::load(self, who, id).await?;
        let stage = before.after(step, &who.account, &who.roles)?;
        if before.revision != asked.revision {
            return Err(Problem::stale());
        }
        let why = note(&asked.note, matches!(step, Step::Return | Step::Withdraw))?;
        let mut design = Design {
            stage,
            note: why,
            ..before
        };
        match step {
            Step::Submit => self.sound_to_submit(&design)?,
            Step::Test => self.comes_through(&design)?,
            Step::Publish => {
                let from = parse_iso(asked.from.trim());
                let from = from.ok_or_else(|| Problem::invalid("from", "date-bad"))?;
                self.comes_through(&design)?;
                let version = publish::version(self, &design, from)?;
                return publish::publish(self, who, design, version).await;
            }
            Step::Withdraw => return publish::withdraw(self, who, design).await,
            Step::Return => {}
        }
        let saved = &design;
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                if !rows::save_design(&tx, saved).await? {
                    return Err(Problem::stale());
                }
                tx.fact(&Design::subject(&saved.id), moved(saved)).await?;
                Ok(())
            })
            .await?;
        design.revision += 1;
        Ok(design)
    }

    fn sound_to_submit(&self, design: &Design) -> Result<(), Problem> {
        let read = read::document(self, &design.document);
        match read.sound() {
            Some(procedure) if procedure.code == design.code => Ok(()),
            // What looks like its code in the text is another than the one that it has.
            Some(_) => Err(Problem::invalid("document", "design-code-other").with("code", &design.code)),
            None => Err(Problem::invalid("document", "design-faults").with("count", read.faults.len())),
        }
    }

    /// Every sample citizen goes through the version as it is now.
    fn comes_through(&self, design: &Design) -> Result<(), Problem> {
        self.sound_to_submit(design)?;
        let read = read::document(self, &design.document);
        let tried = read::samples(self, &design.samples, read.sound());
        if tried.citizens == 0 && tried.faults.is_empty() {
            return Err(Problem::invalid("samples", "design-no-samples"));
        }
        if !read::is_sound(&tried.faults) {
            let failed = Problem::invalid("samples", "design-samples-failed");
            return Err(failed.with("count", tried.faults.len()));
        }
        Ok(())
    }
}

/// The fact of a design that went on or back.
pub(crate) fn moved(design: &Design) -> Fact {
    Fact::DesignMoved {
        design: design.id.clone(),
        procedure: design.code.clone(),
        stage: design.stage.as_str().to_owned(),
    }
}

/// Takes a step by the form.
#[utoipa::path(post, path = "/designs/{id}/steps", tag = "designs", security(("session" = ["designer", "publisher"])),
    params(("id" = String, Path, description = "the version on its way")),
    responses((status = 303, description = "back to the version"), (status = 403), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong")),
    extensions(("x-facts" = json!(["design-moved", "procedure-published", "procedure-withdrawn"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    office(&cases, &who)?;
    let day = fields.date("from");
    let asked = DesignStep {
        step: fields.text("step").unwrap_or_default().to_owned(),
        revision: revision(&fields)?,
        from: day.ok().flatten().map(kernel::time::iso).unwrap_or_default(),
        note: fields.lines("note").unwrap_or_default(),
    };
    match cases.design_step(&who, &id, &asked).await {
        Ok(design) => Ok(Redirect::to(&format!("/designs/{}", design.id)).into_response()),
        Err(problem) if problem.kind == Kind::Invalid => {
            let view = show::View::again(&cases, &who, &page, (&id, None), &problem);
            Ok(view.await?)
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Takes a step with a version on its way.
#[utoipa::path(post, path = "/api/v1/designs/{id}/steps", tag = "designs", security(("session" = ["designer", "publisher"])),
    params(("id" = String, Path, description = "the version on its way")), request_body = DesignStep,
    responses((status = 200, description = "the version", body = DesignView), (status = 403), (status = 404),
              (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["design-moved", "procedure-published", "procedure-withdrawn"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path(id): Path<String>,
    Json(asked): Json<DesignStep>,
) -> Result<Json<DesignView>, Refusal> {
    let design = cases.design_step(&who, &id, &asked).await?;
    Ok(Json(show::view(&cases, &page, &design)))
}
