//! `GET /exchange/group-offers` and what can be done there: agreements that providers of this node offer
//! to groups, and those that organisations of this node may take up; made, taken up and ended through the
//! page and as programs do; searched, and a page at a time.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use kernel::{Digest, Kind, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{Fields, Json, Page, Principal, Refusal};

use super::Acting;
use super::draft::{self, AgreementText};
use super::page_of::{cut, has, next_page, searched};
use super::request::{AgreementRequested, View as Form, first};
use crate::gateway::Exchange;
use crate::grouped::KnownGroupOffer;

const LIST: &str = "/exchange/group-offers";

/// The operations on offers to groups.
pub(super) fn router() -> OpenApiRouter<Exchange> {
    OpenApiRouter::new()
        .routes(routes!(page))
        .routes(routes!(json))
        .routes(routes!(form))
        .routes(routes!(offer_by_form))
        .routes(routes!(offer_by_json))
        .routes(routes!(take_by_form))
        .routes(routes!(take_by_json))
        .routes(routes!(end_by_form))
        .routes(routes!(end_by_json))
}

/// An offer to a group and where it stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct GroupOfferLine {
    /// Its hash: what agreements made of it name.
    hash: String,
    /// The twelve items; the group stands in `consumer`.
    text: AgreementText,
    /// True when an organisation of this node offers it.
    own: bool,
    /// `offered`, `ended` or `expired`.
    state: &'static str,
    /// The systems of this node that may take it up and have not.
    systems: Vec<String>,
    /// The agreements made of it that are not over, as this node holds them.
    agreements: Vec<String>,
}

impl GroupOfferLine {
    pub(super) fn of(x: &Exchange, known: &KnownGroupOffer, own: bool) -> Self {
        let taken = x.taken_up(known);
        let state = if known.ended {
            "ended"
        } else if known.text.valid_to <= x.0.now() {
            "expired"
        } else {
            "offered"
        };
        let open = known.systems.iter().filter(|_| state == "offered");
        let open = open.filter(|system| !taken.iter().any(|(_, by)| by == *system));
        Self {
            hash: known.hash.hex(),
            text: AgreementText::of(&known.text),
            own,
            state,
            systems: open.map(ToString::to_string).collect(),
            agreements: taken.iter().map(|(hash, _)| hash.hex()).collect(),
        }
    }
}

impl Exchange {
    /// Every offer to a group that this node knows: its own first, then those of others, each with
    /// whether it is its own.
    pub(super) async fn group_offers(&self) -> Result<Vec<(KnownGroupOffer, bool)>, Problem> {
        let own = self.own_group_offers().await?.into_iter();
        let heard = self.heard_group_offers().await?.into_iter();
        let mut all: Vec<_> = own.map(|known| (known, true)).collect();
        // Several organisations of this node may have been told of one.
        for (_, known) in heard {
            match all.iter_mut().find(|(one, own)| one.hash == known.hash && !own) {
                Some((one, _)) => {
                    one.systems.extend(known.systems);
                    one.ended &= known.ended;
                }
                None => all.push((known, false)),
            }
        }
        Ok(all)
    }

    async fn take(&self, hash: &str, system: &str, who: &Principal) -> Result<Digest, Problem> {
        let system = system
            .trim()
            .parse()
            .map_err(|_| Problem::invalid("system", "system-id"))?;
        self.take_up(&super::name_of(hash)?, &system, &who.actor).await
    }
}

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
struct WantedOffers {
    /// Only offers with this in their number, group or service, or in their provider's name.
    q: Option<String>,
    /// Go on after this one, by its hash: the next page.
    after: Option<String>,
}

/// A page of offers, and the one after which the next page begins.
async fn found(
    x: &Exchange,
    wanted: &WantedOffers,
) -> Result<(Vec<(KnownGroupOffer, bool)>, Option<String>), Problem> {
    let mut all = x.group_offers().await?;
    let q = searched(wanted.q.as_deref());
    all.retain(|(known, _)| {
        let (text, group) = (&known.text, known.text.group.as_ref());
        let group = group.map(|under| under.name.to_string()).unwrap_or_default();
        let (service, provider) = (text.service.to_string(), x.organisation(&text.provider));
        has(&q, &[&text.id, &group, &service, &provider])
    });
    if let Some(after) = &wanted.after {
        let at = all.iter().position(|(known, _)| known.hash.hex() == *after);
        all.drain(..at.map_or(0, |at| at + 1));
    }
    let more = cut(&mut all, x.0.store.limits().page_rows_max);
    let next = all.last().filter(|_| more).map(|(known, _)| known.hash.hex());
    Ok((all, next))
}

/// Lists what is offered to groups by or to organisations of this node, a page at a time.
#[utoipa::path(get, path = "/api/v1/exchange/group-offers", tag = "exchange",
    operation_id = "list_group_offers", params(WantedOffers), security(("session" = ["operator", "observer"])),
    responses((status = 200, body = Vec<GroupOfferLine>)))]
async fn json(
    Acting(x, _): Acting,
    Query(wanted): Query<WantedOffers>,
) -> Result<axum::Json<Vec<GroupOfferLine>>, Refusal> {
    let (all, _) = found(&x, &wanted).await?;
    let line = |(known, own): &(KnownGroupOffer, bool)| GroupOfferLine::of(&x, known, *own);
    Ok(axum::Json(all.iter().map(line).collect()))
}

#[derive(Template)]
#[template(path = "group_offers.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    rows: Vec<Row>,
    q: String,
    next: Option<String>,
    first: bool,
}

struct Row {
    line: GroupOfferLine,
    provider: String,
    state: String,
    class: &'static str,
    term: String,
    items: Vec<(&'static str, String, String)>,
}

async fn body(
    x: &Exchange,
    page: &Page,
    wanted: &WantedOffers,
    problems: &[Problem],
) -> Result<String, Problem> {
    let row = |(known, own): (KnownGroupOffer, bool)| {
        let (line, text) = (GroupOfferLine::of(x, &known, own), &known.text);
        let term = [
            ("from", page.date(text.valid_from.date())),
            ("to", page.date(text.valid_to.plus_ms(-1).date())),
        ];
        Row {
            provider: x.organisation(&text.provider),
            state: page.t(&format!("exchange-group-offer-{}", line.state)),
            class: match line.state {
                "offered" if line.systems.is_empty() => "tag tag-good",
                "offered" => "tag tag-wait",
                "ended" => "tag tag-bad",
                _ => "tag tag-none",
            },
            term: page.tw("exchange-term", &term),
            items: draft::shown(page, text),
            line,
        }
    };
    let (offers, next) = found(x, wanted).await?;
    let q = wanted.q.clone().unwrap_or_default();
    let view = View {
        errors: page.errors(problems),
        rows: offers.into_iter().map(row).collect(),
        next: next.map(|next| next_page(LIST, &q, &next)),
        first: wanted.after.is_none(),
        q,
        page,
    };
    view.render().map_err(Problem::internal)
}

/// What is offered to groups as a page.
#[utoipa::path(get, path = "/exchange/group-offers", tag = "exchange",
    operation_id = "group_offers_page", params(WantedOffers), security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the offers", content_type = "text/html")))]
async fn page(
    Acting(x, _): Acting,
    page: Page,
    Query(wanted): Query<WantedOffers>,
) -> Result<Html<String>, Refusal> {
    let body = body(&x, &page, &wanted, &[]).await?;
    Ok(page.html(&page.t("exchange-group-offers"), body))
}

fn form_body(x: &Exchange, page: &Page, fields: &Fields, problems: &[Problem]) -> Result<String, Problem> {
    let snapshot = x.0.directory.snapshot();
    let global = snapshot.groups.iter();
    let global = global.map(|group| (format!("global/{}", group.code), group.name.clone()));
    let local = x.0.directory.local_groups().into_iter();
    let local = local.map(|group| (format!("local/{}", group.code), group.name));
    let services = snapshot.services.iter().filter(|s| x.is_here(&s.org));
    let view = Form {
        errors: draft::errors(page, problems),
        title: "exchange-group-offer-title",
        lead: "exchange-group-offer-lead",
        send: "exchange-group-offer-send",
        back: LIST.to_owned(),
        action: LIST.to_owned(),
        items: draft::boxes_for_a_group(page, fields, problems),
        fixed: false,
        systems: global.chain(local).collect(),
        services: services
            .map(|s| (format!("{}/{}/{}", s.org, s.system, s.code), s.title.clone()))
            .collect(),
        page,
    };
    view.render().map_err(Problem::internal)
}

/// The form of an offer to a group.
#[utoipa::path(get, path = "/exchange/group-offers/new", tag = "exchange",
    operation_id = "group_offer_form", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the form", content_type = "text/html")))]
async fn form(Acting(x, _): Acting, page: Page) -> Result<Html<String>, Refusal> {
    let body = form_body(&x, &page, &Fields::default(), &[])?;
    Ok(page.html(&page.t("exchange-group-offer-title"), body))
}

fn see() -> Response {
    Redirect::to(LIST).into_response()
}

/// What was offered.
#[derive(Serialize, ToSchema)]
pub(crate) struct GroupOffered {
    /// The hash of the text.
    offer: String,
}

/// Offers an agreement to a group: `consumer` names it, `global/one-stops` or `local/partners`.
#[utoipa::path(post, path = "/api/v1/exchange/group-offers", tag = "exchange",
    operation_id = "offer_to_group", request_body = AgreementText,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["group-offered"]))),
    responses((status = 201, body = GroupOffered), (status = 403), (status = 409), (status = 422)))]
async fn offer_by_json(Acting(x, who): Acting, Json(text): Json<AgreementText>) -> Result<Response, Refusal> {
    let text = text.for_a_group(x.0.now()).map_err(first)?;
    let offer = x.offer_to_group(text, &who.actor).await?.hex();
    Ok((StatusCode::CREATED, axum::Json(GroupOffered { offer })).into_response())
}

/// Offers an agreement to a group by the form.
#[utoipa::path(post, path = "/exchange/group-offers", tag = "exchange",
    operation_id = "offer_to_group_by_form",
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["group-offered"]))),
    responses((status = 303, description = "to the list"), (status = 409),
              (status = 422, description = "the form again, with what is wrong")))]
async fn offer_by_form(Acting(x, who): Acting, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let problems = match draft::read_for_a_group(&fields, x.0.now()) {
        Err(problems) => problems,
        Ok(text) => match x.offer_to_group(text, &who.actor).await {
            Ok(_) => return Ok(see()),
            Err(problem) if problem.kind == Kind::Invalid => vec![problem],
            Err(problem) if matches!(problem.code, "member-elsewhere" | "member-not-yours") => {
                vec![problem.at("service")]
            }
            Err(problem) => return Err(problem.into()),
        },
    };
    let body = form_body(&x, &page, &fields, &problems)?;
    Ok(page.html_status(422, &page.t("exchange-group-offer-title"), body))
}

/// For which system an offer is taken up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupOfferTaking {
    /// A system of this node that is in the group.
    #[schema(example = "H56/one-stop")]
    system: String,
}

/// Takes an offer to a group up for a system: the provider's node answers by itself, and both signatures
/// are there.
#[utoipa::path(post, path = "/api/v1/exchange/group-offers/{hash}/take", tag = "exchange",
    operation_id = "take_group_offer", params(("hash" = String, Path,)), request_body = GroupOfferTaking,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-requested"]))),
    responses((status = 201, body = AgreementRequested), (status = 404), (status = 409), (status = 422)))]
async fn take_by_json(
    Acting(x, who): Acting,
    Path(hash): Path<String>,
    Json(taking): Json<GroupOfferTaking>,
) -> Result<Response, Refusal> {
    let request = x.take(&hash, &taking.system, &who).await?.hex();
    Ok((StatusCode::CREATED, axum::Json(AgreementRequested { request })).into_response())
}

/// The same by a form.
#[utoipa::path(post, path = "/exchange/group-offers/{hash}/take", tag = "exchange",
    operation_id = "take_group_offer_by_form", params(("hash" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-requested"]))),
    responses((status = 303, description = "to the agreement"), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong")))]
async fn take_by_form(
    Acting(x, who): Acting,
    page: Page,
    Path(hash): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let system = fields.text("system").unwrap_or_default();
    match x.take(&hash, system, &who).await {
        Ok(request) => Ok(super::see(&request)),
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Conflict) => {
            let status = problem.kind.status();
            let body = body(&x, &page, &WantedOffers::default(), &[problem]).await?;
            Ok(page.html_status(status, &page.t("exchange-group-offers"), body))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Ends an offer to a group: nobody takes it up any more; agreements made of it go on.
#[utoipa::path(post, path = "/api/v1/exchange/group-offers/{hash}/end", tag = "exchange",
    operation_id = "end_group_offer", params(("hash" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["group-offer-ended"]))),
    responses((status = 204), (status = 404), (status = 409)))]
async fn end_by_json(Acting(x, who): Acting, Path(hash): Path<String>) -> Result<StatusCode, Refusal> {
    x.end_group_offer(&super::name_of(&hash)?, &who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same by a form.
#[utoipa::path(post, path = "/exchange/group-offers/{hash}/end", tag = "exchange",
    operation_id = "end_group_offer_by_form", params(("hash" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["group-offer-ended"]))),
    responses((status = 303, description = "to the list"), (status = 404), (status = 409)))]
async fn end_by_form(Acting(x, who): Acting, Path(hash): Path<String>) -> Result<Response, Refusal> {
    x.end_group_offer(&super::name_of(&hash)?, &who.actor).await?;
    Ok(see())
}
