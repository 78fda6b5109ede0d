//! `/drafts/{id}/post` and its twin: before filing, the applicant chooses to get the result by post, or no longer. Kept
//! beside the draft, so that nobody who signed it has to sign anew; it goes with the case.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{AreaCode, Fact, Problem};
use web::openapi::utoipa;
use web::{Fields, Json, Page, Refusal};

use super::rates::{Rate, Zone};
use super::wish::{self, Boxes, PostJson, WishForm, WishJson};
use super::{Wish, store};
use crate::answers::Typed;
use crate::citizen::{OpenDraft, OwnDraft, render};
use crate::draft::Draft;
use crate::procedure::Procedure;
use crate::shown::say;

/// The page of a draft and of a case.
#[derive(Template)]
#[template(path = "post.html")]
pub(super) struct PostPage<'a> {
    pub(super) page: &'a Page,
    /// The address of the page itself, and of what it leads back to.
    pub(super) here: String,
    pub(super) back: String,
    pub(super) name: &'a str,
    pub(super) errors: String,
    pub(super) boxes: Boxes,
    /// What the post takes, in words.
    pub(super) takes: Vec<String>,
}

/// Shows how the result is wished.
#[utoipa::path(get, path = "/drafts/{id}/post", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    responses((status = 200, description = "the choice", content_type = "text/html"), (status = 404)))]
pub(crate) async fn show(OpenDraft(own): OpenDraft, page: Page) -> Result<Response, Refusal> {
    let procedure = own.offering()?;
    Ok(own.shown(&page, &procedure, None, &[]).await?)
}

/// Keeps how the result is wished.
#[utoipa::path(post, path = "/drafts/{id}/post", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    request_body(content = WishForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "to the check"), (status = 404),
              (status = 422, description = "the choice with what is wrong", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-draft-changed"]))))]
pub(crate) async fn by_form(
    OpenDraft(own): OpenDraft,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let procedure = own.offering()?;
    let typed = wish::typed(&fields);
    match wish::read(&own.cases, &typed) {
        Ok(wish) => {
            own.keep_wish(wish.as_ref()).await?;
            Ok(Redirect::to(&format!("/drafts/{}/check", own.draft.id)).into_response())
        }
        Err(problems) => Ok(own.shown(&page, &procedure, Some(&typed), &problems).await?),
    }
}

/// How the result of a draft is wished.
#[utoipa::path(get, path = "/api/v1/drafts/{id}/post", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    responses((status = 200, body = PostJson), (status = 401), (status = 404)))]
pub(crate) async fn show_json(own: OwnDraft) -> Result<Json<PostJson>, Refusal> {
    let procedure = own.offering()?;
    Ok(Json(own.wished(&procedure).await?))
}

/// Keeps how the result of a draft is wished. Of several faults the first one is told.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/post", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")), request_body = WishJson,
    responses((status = 200, body = PostJson), (status = 401), (status = 404), (status = 409, description = "it is filed"), (status = 422)),
    extensions(("x-facts" = json!(["case-draft-changed"]))))]
pub(crate) async fn by_json(own: OwnDraft, Json(wish): Json<WishJson>) -> Result<Json<PostJson>, Refusal> {
    let procedure = own.offering()?;
    let wish = wish::read(&own.cases, &wish.typed()).map_err(first)?;
    own.keep_wish(wish.as_ref()).await?;
    Ok(Json(own.wished(&procedure).await?))
}

/// The first of several faults.
pub(super) fn first(problems: Vec<Problem>) -> Problem {
    let first = problems.into_iter().next();
    first.unwrap_or_else(|| Problem::internal("refused without a reason"))
}

impl OwnDraft {
    /// The version of the procedure, where its result can go by post. What only answers a request of the agency has its
    /// choice with the case.
    fn offering(&self) -> Result<std::sync::Arc<Procedure>, Problem> {
        let procedure = self.procedure()?;
        let offered = self.cases.offers_post(&procedure, self.cases.today());
        match offered && self.draft.supplements().is_none() {
            true => Ok(procedure),
            false => Err(Problem::not_found()),
        }
    }

    async fn keep_wish(&self, wish: Option<&Wish>) -> Result<(), Problem> {
        let Self {
            cases,
            citizen,
            draft,
        } = self;
        let said = match wish {
            Some(wish) => kernel::digest::canonical_json(wish).map_err(Problem::internal)?,
            None => String::new(),
        };
        let digest = cases.store.digest(&cases.tenant, &said);
        let holder = &Draft::subject(&draft.id);
        cases
            .store
            .write(&cases.tenant, &citizen.who.actor, |tx| async move {
                let newest = crate::store::draft(&tx, &citizen.who.account, &draft.id).await?;
                if newest.ok_or_else(Problem::not_found)?.filed_as.is_some() {
                    return Err(Problem::stale());
                }
                store::set_wish(&tx, holder, wish).await?;
                let fact = Fact::CaseDraftChanged {
                    part: "post".to_owned(),
                    digest,
                };
                tx.fact(holder, fact).await?;
                Ok(())
            })
            .await
    }

    /// What is wished.
    async fn wish(&self) -> Result<Option<Wish>, Problem> {
        let reader = self.cases.store.read(&self.cases.tenant).await?;
        store::wish(&reader, &Draft::subject(&self.draft.id)).await
    }

    /// What the post takes, once it is known who handles the case.
    fn rate(&self, procedure: &Procedure, wish: &Wish) -> Option<Rate> {
        let at: AreaCode = self.draft.value(&procedure.receiver)?.parse().ok()?;
        let unit = self.cases.unit_of(procedure, &at).ok()?;
        self.cases
            .post_rate(&unit, &wish.address, self.cases.today())
            .ok()
    }

    async fn wished(&self, procedure: &Procedure) -> Result<PostJson, Problem> {
        let wish = self.wish().await?;
        let rate = wish.as_ref().and_then(|wish| self.rate(procedure, wish));
        Ok(PostJson::of(
            &self.cases,
            (true, self.draft.filed_as.is_none()),
            wish.as_ref(),
            rate,
        ))
    }

    async fn shown(
        &self,
        page: &Page,
        procedure: &Procedure,
        typed: Option<&Typed>,
        problems: &[Problem],
    ) -> Result<Response, Problem> {
        let (cases, id) = (&self.cases, &self.draft.id);
        let wish = self.wish().await?;
        let named: Vec<Problem> = problems
            .iter()
            .map(|problem| wish::named(page, problem))
            .collect();
        let body = render(&PostPage {
            page,
            here: format!("/drafts/{id}/post"),
            back: format!("/drafts/{id}/check"),
            name: say(&procedure.name, page.lang),
            errors: page.errors(&named),
            boxes: Boxes::new(cases, page, procedure, (wish.as_ref(), typed), problems),
            takes: rates(cases, page),
        })?;
        Ok(page.html_status(
            if problems.is_empty() { 200 } else { 422 },
            &page.t("post-title"),
            body,
        ))
    }
}

/// What the post takes for each distance, in words.
pub(super) fn rates(cases: &crate::Cases, page: &Page) -> Vec<String> {
    let rates = cases.catalogue.postal().on(cases.today());
    let line = |zone: Zone| {
        let rate = rates.and_then(|rates| rates.of(zone))?;
        let name = page.t(&format!("post-zone-{}", zone.word()));
        Some(format!("{name}: {}", wish::takes(page, rate)))
    };
    Zone::ALL.into_iter().filter_map(line).collect()
}

/// The wish of a draft for its check: in words, or that there is none.
///
/// # Errors
/// Unavailable.
pub(crate) async fn for_check(own: &OwnDraft, page: &Page) -> Result<Option<String>, Problem> {
    if own.offering().is_err() {
        return Ok(None);
    }
    Ok(Some(match own.wish().await? {
        Some(wish) => page.tw("post-to", &[("address", wish::in_words(&own.cases, &wish))]),
        None => page.t("post-not"),
    }))
}

impl PostJson {
    /// What is wished, whether it is offered and open, and what the post takes where that is known.
    pub(super) fn of(
        cases: &crate::Cases,
        (offered, open): (bool, bool),
        wish: Option<&Wish>,
        rate: Option<Rate>,
    ) -> Self {
        Self {
            offered,
            open,
            by_post: wish.is_some(),
            address: wish.map(|wish| wish::in_words(cases, wish)),
            phone: wish
                .map(|wish| wish.phone.clone())
                .filter(|phone| !phone.is_empty()),
            dong: rate.map(|rate| rate.dong),
            days: rate.map(|rate| rate.days),
        }
    }
}
