//! `GET /exchange/clients` and what can be done there: the certificates with which information systems
//! of this node's organisations connect over mutual TLS.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use kernel::{Digest, Kind, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{Fields, Json, Page, Refusal};

use super::Operator;
use crate::callers::Registered;
use crate::gateway::Exchange;
use crate::ids::SystemId;

const LIST: &str = "/exchange/clients";
/// What ends within this many milliseconds is told beforehand: thirty days.
const SOON_MS: i64 = 30 * 86_400_000;

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

/// Lists the certificates with which information systems connect.
#[utoipa::path(get, path = "/api/v1/exchange/clients", tag = "exchange",
    operation_id = "list_client_certificates",
    security(("session" = ["operator"])), responses((status = 200, body = Vec<ClientCertificate>)))]
async fn json(State(x): State<Exchange>, _: Operator) -> Result<axum::Json<Vec<ClientCertificate>>, Refusal> {
    let all = x.client_certificates().await?;
    Ok(axum::Json(all.iter().map(ClientCertificate::of).collect()))
}

#[derive(Template)]
#[template(path = "clients.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    rows: Vec<Row>,
    systems: Vec<String>,
    system: String,
    system_error: String,
    certificate: String,
    certificate_error: String,
}

struct Row {
    system: String,
    name: String,
    thumbprint: String,
    until: String,
    /// What the operator has to know, and its class.
    note: Option<(String, &'static str)>,
}

async fn body(x: &Exchange, page: &Page, sent: &Fields, problems: &[Problem]) -> Result<String, Problem> {
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
    let rows = x.client_certificates().await?;
    let snapshot = x.0.directory.snapshot();
    let ours = snapshot.systems.iter().filter(|system| x.is_here(&system.org));
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
        systems: ours
            .map(|system| format!("{}/{}", system.org, system.code))
            .collect(),
        system: sent.text("system").unwrap_or_default().to_owned(),
        system_error: page.field_error(problems, "system"),
        certificate: sent.lines("certificate").unwrap_or_default(),
        certificate_error: page.field_error(problems, "certificate"),
        page,
    };
    view.render().map_err(Problem::internal)
}

/// The certificates of information systems as a page.
#[utoipa::path(get, path = "/exchange/clients", tag = "exchange",
    operation_id = "client_certificates_page", security(("session" = ["operator"])),
    responses((status = 200, description = "the certificates", content_type = "text/html")))]
async fn page(State(x): State<Exchange>, _: Operator, page: Page) -> Result<Html<String>, Refusal> {
    let body = body(&x, &page, &Fields::default(), &[]).await?;
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
    State(x): State<Exchange>,
    Operator(who): Operator,
    Json(text): Json<ClientCertificateText>,
) -> Result<Response, Refusal> {
    let one = x.register_client((&text.system, &text.certificate), &who).await?;
    Ok((StatusCode::CREATED, axum::Json(ClientCertificate::of(&one))).into_response())
}

fn see() -> Response {
    Redirect::to(LIST).into_response()
}

/// Registers a certificate by the form.
#[utoipa::path(post, path = "/exchange/clients", tag = "exchange",
    operation_id = "register_client_certificate_by_form",
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["client-certificate-registered"]))),
    responses((status = 303, description = "to the list"),
              (status = 422, description = "the page again, with what is wrong")))]
async fn register_by_form(
    State(x): State<Exchange>,
    Operator(who): Operator,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let pem = fields.lines("certificate").unwrap_or_default();
    let system = fields.text("system").unwrap_or_default();
    match x.register_client((system, &pem), &who).await {
        Ok(_) => Ok(see()),
        Err(problem) if problem.kind == Kind::Invalid => {
            let body = body(&x, &page, &fields, &[problem]).await?;
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
    State(x): State<Exchange>,
    Operator(who): Operator,
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
async fn remove_by_form(
    State(x): State<Exchange>,
    Operator(who): Operator,
    fields: Fields,
) -> Result<Response, Refusal> {
    let text = |field: &str| fields.text(field).unwrap_or_default().to_owned();
    x.remove_client((&text("system"), &text("thumbprint")), &who)
        .await?;
    Ok(see())
}
