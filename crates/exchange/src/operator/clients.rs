//! `GET /exchange/clients` and what can be done there: the certificates with which information systems
//! of this node's organisations connect over mutual TLS; searched, and a page at a time.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use kernel::{Digest, Kind, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{Fields, Json, Page, Refusal};

use super::Acting;
use super::connections::Shown;
use super::page_of::{cut, has, next_page, searched};
use crate::callers::Registered;
use crate::gateway::Exchange;
use crate::ids::SystemId;
use crate::life::end::SOON_MS;

const LIST: &str = "/exchange/clients";

/// The operations on certificates of information systems.
pub(super) fn router() -> OpenApiRouter<Exchange> {
    OpenApiRouter::new()
        .routes(routes!(page))
        .routes(routes!(json))
        .routes(routes!(register_by_form))
        .routes(routes!(register_by_json))
        .routes(routes!(remove_by_form))
        .routes(routes!(remove_by_json))
}

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub(super) struct Wanted {
    /// Only certificates with this in their system, name or SHA-256.
    q: Option<String>,
    /// Go on after this one, `{system} {thumbprint}`: the next page.
    after: Option<String>,
}

/// A page of certificates by system, and the one after which the next page begins.
async fn found(x: &Exchange, wanted: &Wanted) -> Result<(Vec<Registered>, Option<String>), Problem> {
    let name = |one: &Registered| format!("{} {}", one.system, one.thumbprint);
    let mut all = x.client_certificates().await?;
    let q = searched(wanted.q.as_deref());
    all.retain(|one| has(&q, &[&name(one), &one.name]));
    if let Some(after) = &wanted.after {
        let at = all.iter().position(|one| name(one) == *after);
        all.drain(..at.map_or(0, |at| at + 1));
    }
    let more = cut(&mut all, x.0.store.limits().page_rows_max);
    let next = all.last().filter(|_| more).map(name);
    Ok((all, next))
}

/// A certificate with which a system connects.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientCertificate {
    /// The system.
    system: String,
    /// SHA-256 of the certificate, in hex.
    thumbprint: String,
    /// Whom the certificate names.
    name: String,
    /// From when it holds, milliseconds since 1970.
    valid_from: i64,
    /// Until when it holds, milliseconds since 1970.
    valid_to: i64,
    /// When it was registered, milliseconds since 1970.
    registered_at: i64,
}

impl ClientCertificate {
    fn of(one: &Registered) -> Self {
        Self {
            system: one.system.to_string(),
            thumbprint: one.thumbprint.hex(),
            name: one.name.clone(),
            valid_from: one.valid_from.ms(),
            valid_to: one.valid_to.ms(),
            registered_at: one.registered_at.ms(),
        }
    }
}

/// Lists the certificates with which information systems connect, a page at a time.
#[utoipa::path(get, path = "/api/v1/exchange/clients", tag = "exchange",
    operation_id = "list_client_certificates", params(Wanted),
    security(("session" = ["operator", "observer"])), responses((status = 200, body = Vec<ClientCertificate>)))]
async fn json(
    Acting(x, _): Acting,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Vec<ClientCertificate>>, Refusal> {
    let (all, _) = found(&x, &wanted).await?;
    Ok(axum::Json(all.iter().map(ClientCertificate::of).collect()))
}

#[derive(Template)]
#[template(path = "clients.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    rows: Vec<Row>,
    q: String,
    next: Option<String>,
    first: bool,
    systems: Vec<String>,
    system: String,
    system_error: String,
    certificate: String,
    certificate_error: String,
    connections: Shown,
    connecting_error: String,
    connection_error: String,
}

struct Row {
    system: String,
    name: String,
    thumbprint: String,
    until: String,
    /// What the operator has to know, and its class.
    note: Option<(String, &'static str)>,
}

pub(super) async fn body(
    x: &Exchange,
    page: &Page,
    wanted: &Wanted,
    (sent, problems): (&Fields, &[Problem]),
) -> Result<String, Problem> {
    let now = x.0.now();
    let note = |one: &Registered| {
        if one.valid_to <= now {
            Some((page.t("exchange-client-over"), "tag tag-bad"))
        } else if one.valid_to.ms() - now.ms() <= SOON_MS {
            Some((page.t("exchange-ends-soon"), "tag tag-wait"))
        } else {
            None
        }
    };
    let (rows, next) = found(x, wanted).await?;
    let q = wanted.q.clone().unwrap_or_default();
    let connections = Shown::of(x, page, &searched(wanted.q.as_deref()), sent);
    let view = View {
        errors: page.errors(problems),
        rows: rows
            .iter()
            .map(|one| Row {
                system: one.system.to_string(),
                name: one.name.clone(),
                thumbprint: one.thumbprint.hex(),
                until: page.date(one.valid_to.date()),
                note: note(one),
            })
            .collect(),
        next: next.map(|next| next_page(LIST, &q, &next)),
        first: wanted.after.is_none(),
        q,
        systems: x.own_systems().into_iter().map(|(id, _)| id).collect(),
        system: sent.text("system").unwrap_or_default().to_owned(),
        system_error: page.field_error(problems, "system"),
        certificate: sent.lines("certificate").unwrap_or_default(),
        certificate_error: page.field_error(problems, "certificate"),
        connections,
        connecting_error: page.field_error(problems, "connecting"),
        connection_error: page.field_error(problems, "connection"),
        page,
    };
    view.render().map_err(Problem::internal)
}

/// The certificates of information systems as a page.
#[utoipa::path(get, path = "/exchange/clients", tag = "exchange",
    operation_id = "client_certificates_page", params(Wanted), security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the certificates", content_type = "text/html")))]
async fn page(
    Acting(x, _): Acting,
    page: Page,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, Refusal> {
    let body = body(&x, &page, &wanted, (&Fields::default(), &[])).await?;
    Ok(page.html(&page.t("exchange-clients"), body))
}

/// A certificate and the system that connects with it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientCertificateText {
    /// The system, of an organisation of this node.
    #[schema(example = "G22/portal")]
    pub(super) system: String,
    /// The certificate, PEM.
    pub(super) certificate: String,
}

impl Exchange {
    pub(super) async fn register_client(
        &self,
        (system, pem): (&str, &str),
        who: &web::Principal,
    ) -> Result<Registered, Problem> {
        let system: SystemId = system
            .trim()
            .parse()
            .map_err(|_| Problem::invalid("system", "system-id"))?;
        let added = self.register_certificate(&system, pem, &who.actor).await;
        added.map_err(|problem| match problem.code {
            "already-there" => Problem::invalid("certificate", "caller-registered"),
            _ => problem,
        })
    }

    async fn remove_client(
        &self,
        (system, thumbprint): (&str, &str),
        who: &web::Principal,
    ) -> Result<(), Problem> {
        let system: SystemId = system.parse().map_err(|_| Problem::not_found())?;
        let thumbprint = Digest::parse(thumbprint).ok_or_else(Problem::not_found)?;
        self.remove_certificate(&system, &thumbprint, &who.actor).await
    }
}

/// Registers a certificate for a system; it may connect with it from now on.
#[utoipa::path(post, path = "/api/v1/exchange/clients", tag = "exchange",
    operation_id = "register_client_certificate", request_body = ClientCertificateText,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["client-certificate-registered"]))),
    responses((status = 201, body = ClientCertificate), (status = 422)))]
async fn register_by_json(
    Acting(x, who): Acting,
    Json(text): Json<ClientCertificateText>,
) -> Result<Response, Refusal> {
    let one = x.register_client((&text.system, &text.certificate), &who).await?;
    Ok((StatusCode::CREATED, axum::Json(ClientCertificate::of(&one))).into_response())
}

pub(super) fn see() -> Response {
    Redirect::to(LIST).into_response()
}

/// Registers a certificate by the form.
#[utoipa::path(post, path = "/exchange/clients", tag = "exchange",
    operation_id = "register_client_certificate_by_form",
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["client-certificate-registered"]))),
    responses((status = 303, description = "to the list"),
              (status = 422, description = "the page again, with what is wrong")))]
async fn register_by_form(Acting(x, who): Acting, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let pem = fields.lines("certificate").unwrap_or_default();
    let system = fields.text("system").unwrap_or_default();
    match x.register_client((system, &pem), &who).await {
        Ok(_) => Ok(see()),
        Err(problem) if problem.kind == Kind::Invalid => {
            let body = body(&x, &page, &Wanted::default(), (&fields, &[problem])).await?;
            Ok(page.html_status(422, &page.t("exchange-clients"), body))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Which certificate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientCertificateNamed {
    /// The system.
    #[schema(example = "G22/portal")]
    system: String,
    /// SHA-256 of the certificate, in hex.
    thumbprint: String,
}

/// Takes a certificate away from a system; the next request with it is refused.
#[utoipa::path(post, path = "/api/v1/exchange/clients/remove", tag = "exchange",
    operation_id = "remove_client_certificate", request_body = ClientCertificateNamed,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["client-certificate-removed"]))),
    responses((status = 204), (status = 404)))]
async fn remove_by_json(
    Acting(x, who): Acting,
    Json(named): Json<ClientCertificateNamed>,
) -> Result<StatusCode, Refusal> {
    x.remove_client((&named.system, &named.thumbprint), &who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same by a form.
#[utoipa::path(post, path = "/exchange/clients/remove", tag = "exchange",
    operation_id = "remove_client_certificate_by_form",
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["client-certificate-removed"]))),
    responses((status = 303, description = "to the list"), (status = 404)))]
async fn remove_by_form(Acting(x, who): Acting, fields: Fields) -> Result<Response, Refusal> {
    let text = |field: &str| fields.text(field).unwrap_or_default().to_owned();
    x.remove_client((&text("system"), &text("thumbprint")), &who)
        .await?;
    Ok(see())
}
