//! `POST /exchange/clients/connections` and its twin: how a system of this node has to connect; seen at
//! `/exchange/clients` and listed for programs. Never a rule of its own: see [`crate::callers`].

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::{Kind, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{Fields, Json, Operator, Page, Principal, Refusal};

use super::clients::{Wanted, body, see};
use super::page_of::{cut, has};
use crate::face::Connection;
use crate::gateway::Exchange;
use crate::ids::SystemId;

/// As the node's setting says.
const NODE: &str = "node";
/// All that may be said.
const KINDS: [&str; 4] = [NODE, "http", "https", "mutual"];

/// The operations on how systems connect.
pub(super) fn router() -> OpenApiRouter<Exchange> {
    OpenApiRouter::new()
        .routes(routes!(json))
        .routes(routes!(set_by_form))
        .routes(routes!(set_by_json))
}

/// A system and how it has to connect.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientConnection {
    /// The system, of an organisation of this node.
    #[schema(example = "G22/portal")]
    pub(super) system: String,
    /// `http`, `https`, `mutual` with a certificate that is registered for it; `node` for as the node's
    /// setting says.
    #[schema(example = "mutual")]
    pub(super) connection: String,
}

impl ClientConnection {
    /// What it says, read.
    ///
    /// # Errors
    /// 422 at `system` or `connection`.
    pub(super) fn read(&self) -> Result<(SystemId, Option<Connection>), Problem> {
        let system = self.system.trim().parse();
        let system = system.map_err(|_| Problem::invalid("system", "system-id"))?;
        let connection = Connection::parse(&self.connection);
        if connection.is_none() && self.connection != NODE {
            return Err(Problem::invalid("connection", "caller-connection"));
        }
        Ok((system, connection))
    }
}

/// What a page shows of how systems connect.
pub(super) struct Shown {
    pub(super) rows: Vec<(String, String)>,
    /// True when not all of them are shown.
    pub(super) more: bool,
    /// What stands in the form.
    pub(super) system: String,
    pub(super) kinds: Vec<(&'static str, String, bool)>,
}

impl Shown {
    pub(super) fn of(x: &Exchange, page: &Page, q: &str, sent: &Fields) -> Self {
        let word = |kind: &str| page.t(&format!("exchange-connection-{kind}"));
        let mut all = x.connections();
        all.retain(|(system, _)| has(q, &[&system.to_string()]));
        let more = cut(&mut all, x.0.store.limits().page_rows_max);
        let chosen = sent.text("connection").unwrap_or(NODE);
        Self {
            rows: all
                .into_iter()
                .map(|(system, one)| (system.to_string(), word(one.as_str())))
                .collect(),
            more,
            system: sent.text("connecting").unwrap_or_default().to_owned(),
            kinds: KINDS.map(|kind| (kind, word(kind), kind == chosen)).into(),
        }
    }
}

impl Exchange {
    pub(super) async fn connect_as(&self, text: &ClientConnection, who: &Principal) -> Result<(), Problem> {
        let (system, connection) = text.read()?;
        self.set_connection(&system, connection, &who.actor).await
    }
}

/// Lists the systems of this node that have to connect otherwise than the node's setting says.
#[utoipa::path(get, path = "/api/v1/exchange/clients/connections", tag = "exchange",
    operation_id = "list_client_connections", security(("session" = ["operator", "observer"])),
    responses((status = 200, body = Vec<ClientConnection>)))]
async fn json(State(x): State<Exchange>, _: Operator) -> axum::Json<Vec<ClientConnection>> {
    let all = x.connections().into_iter();
    let one = |(system, one): (SystemId, Connection)| ClientConnection {
        system: system.to_string(),
        connection: one.as_str().to_owned(),
    };
    axum::Json(all.map(one).collect())
}

/// Says how a system has to connect, from its next request on.
#[utoipa::path(post, path = "/api/v1/exchange/clients/connections", tag = "exchange",
    operation_id = "set_client_connection", request_body = ClientConnection,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["client-connection-set"]))),
    responses((status = 204), (status = 409, description = "It is so already"), (status = 422)))]
async fn set_by_json(
    State(x): State<Exchange>,
    Operator(who): Operator,
    Json(text): Json<ClientConnection>,
) -> Result<StatusCode, Refusal> {
    x.connect_as(&text, &who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same by the form.
#[utoipa::path(post, path = "/exchange/clients/connections", tag = "exchange",
    operation_id = "set_client_connection_by_form",
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["client-connection-set"]))),
    responses((status = 303, description = "to the list"), (status = 409, description = "It is so already"),
              (status = 422, description = "the page again, with what is wrong")))]
async fn set_by_form(
    State(x): State<Exchange>,
    Operator(who): Operator,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let text = |field: &str| fields.text(field).unwrap_or_default().to_owned();
    let said = ClientConnection {
        system: text("connecting"),
        connection: text("connection"),
    };
    match x.connect_as(&said, &who).await {
        Ok(()) => Ok(see()),
        Err(problem) if problem.kind == Kind::Invalid => {
            // The page has another box for a system.
            let problem = if problem.field.as_deref() == Some("system") {
                problem.at("connecting")
            } else {
                problem
            };
            let body = body(&x, &page, &Wanted::default(), (&fields, &[problem])).await?;
            Ok(page.html_status(422, &page.t("exchange-clients"), body))
        }
        Err(problem) => Err(problem.into()),
    }
}
