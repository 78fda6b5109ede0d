//! `POST /designs/{id}/form/{part}` and its twin: a part is written, added, moved or taken out. What is kept is the
//! document's text, as if it had been typed. For who designs, until it is handed in.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Kind, Problem};
use serde::Deserialize;
use web::auth::DESIGNER;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal, SignedIn};

use super::field::Input;
use super::show::{self, DesignForm};
use super::text::changed;
use super::value::Values;
use super::{Act, Part, part};
use crate::design::{Design, office};
use crate::desk::view::revision;
use crate::state::Cases;

/// What is done with a part of a version's document.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DesignChange {
    /// `save`, `up`, `down` or `remove`.
    act: String,
    /// The revision that was looked at.
    revision: i64,
    /// For `save`: what stands in its fields; those that are not named stay.
    #[serde(default)]
    values: BTreeMap<String, String>,
}

impl Cases {
    /// Does something with a part of a design's document. Gives the part to look at then.
    ///
    /// # Errors
    /// As [`Design::may_be_written`] and [`changed`]; `stale`; 413 for a document that grew too long.
    async fn change_design(
        &self,
        who: &Principal,
        (id, part): (&str, &Part),
        asked: &DesignChange,
    ) -> Result<(Design, Part), Problem> {
        office(self, who)?;
        who.require(DESIGNER)?;
        let before = crate::design::show::load(self, who, id).await?;
        before.may_be_written(who)?;
        if before.revision != asked.revision {
            return Err(Problem::stale());
        }
        let act = Act::of(&asked.act).ok_or_else(|| Problem::invalid("act", "design-form-act"))?;
        let (document, after) = changed(&before.document, part, act, &asked.values)?;
        let most = self.store.limits().body_bytes_max;
        if document.len() > most {
            return Err(Problem::new(Kind::TooLarge, "body-too-large").with("max", most));
        }
        let text = (document, before.samples);
        let design = self.save_design(who, id, asked.revision, text).await?;
        Ok((design, after))
    }
}

/// What a form says of a part's fields. A box that is not ticked is not sent.
fn typed(part: &Part, fields: &Fields) -> Values {
    let mut values = Values::new();
    for field in part.fields() {
        let key = field.key;
        let typed = |name: &str| fields.text(name).unwrap_or_default().to_owned();
        match field.input {
            Input::Words => {
                for name in ["vi", "en"].map(|lang| format!("{key}-{lang}")) {
                    let words = typed(&name);
                    values.insert(name, words);
                }
            }
            Input::Lines | Input::Pairs | Input::Choices => {
                values.insert(key.to_owned(), fields.lines(key).unwrap_or_default());
            }
            _ => {
                values.insert(key.to_owned(), typed(key));
            }
        }
    }
    values
}

/// The part of an address.
pub(super) fn part_of(address: &str) -> Result<Part, Problem> {
    Part::of(address).ok_or_else(Problem::not_found)
}

/// Changes a part by the form.
#[utoipa::path(post, path = "/designs/{id}/form/{part}", tag = "designs", security(("session" = ["designer"])),
    params(("id" = String, Path, description = "the version on its way"),
           ("part" = String, Path, description = "the part: `papers.0`, `pages.0.questions.new`, `states.accepted`")),
    responses((status = 303, description = "back to the document as a form"), (status = 403), (status = 404),
              (status = 409), (status = 422, description = "the part again, with what is wrong")),
    extensions(("x-facts" = json!(["design-saved"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path((id, address)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Refusal> {
    office(&cases, &who)?;
    who.require(DESIGNER)?;
    let part = part_of(&address)?;
    let asked = DesignChange {
        act: fields.text("act").unwrap_or_default().to_owned(),
        revision: revision(&fields)?,
        values: typed(&part, &fields),
    };
    match cases.change_design(&who, (&id, &part), &asked).await {
        Ok((design, after)) => {
            let to = format!("/designs/{}/form#{}", design.id, after.anchor());
            Ok(Redirect::to(&to).into_response())
        }
        Err(problem) if problem.kind == Kind::Invalid => {
            let again = part::again(&cases, &who, &page, (&id, &part), asked.values, &problem);
            Ok(again.await?)
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Changes a part of a version's document.
#[utoipa::path(post, path = "/api/v1/designs/{id}/form/{part}", tag = "designs", security(("session" = ["designer"])),
    params(("id" = String, Path, description = "the version on its way"),
           ("part" = String, Path, description = "the part: `papers.0`, `pages.0.questions.new`, `states.accepted`")),
    request_body = DesignChange,
    responses((status = 200, description = "the document as a form", body = DesignForm), (status = 403),
              (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["design-saved"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path((id, address)): Path<(String, String)>,
    Json(asked): Json<DesignChange>,
) -> Result<Json<DesignForm>, Refusal> {
    office(&cases, &who)?;
    let part = part_of(&address)?;
    let (design, _) = cases.change_design(&who, (&id, &part), &asked).await?;
    Ok(Json(show::view(&cases, &page, &design)))
}
