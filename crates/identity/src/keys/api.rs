//! `GET` and `POST /api/v1/keys`, and a key's end: for programs of an operator who is signed in. A key makes
//! no other: it is not taken here.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Problem, Time};
use serde::{Deserialize, Serialize};
use web::auth::OPERATOR;
use web::openapi::utoipa;
use web::{Json, Operator, Refusal};

use super::{Key, Wanted};
use crate::Site;

/// A key as it is listed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ApiKeyLine {
    /// Its id; not the key.
    key: String,
    /// What its maker calls it.
    name: String,
    /// The account in whose name it acts.
    account: String,
    /// What it may do, as long as its maker may.
    roles: Vec<String>,
    /// When it was made, milliseconds since 1970.
    made: i64,
    /// When it ends, milliseconds since 1970.
    expires: i64,
    /// `good`, `expired` or `revoked`.
    state: &'static str,
    /// Its last use, milliseconds since 1970, a minute behind at most; none when there was none.
    used: Option<i64>,
}

impl ApiKeyLine {
    fn of(key: Key, now: Time) -> Self {
        Self {
            state: key.state(now),
            key: key.id,
            name: key.name,
            account: key.maker.id,
            roles: key.roles,
            made: key.made.ms(),
            expires: key.expires.ms(),
            used: key.used.map(Time::ms),
        }
    }
}

/// A key to make.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyWanted {
    /// What it is called.
    #[schema(example = "nightly report")]
    name: String,
    /// What it may do: some of the roles of who makes it, or `observer` for one that only reads.
    #[schema(example = json!(["operator"]))]
    roles: Vec<String>,
    /// When it ends, milliseconds since 1970.
    expires: i64,
}

/// A key that was made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ApiKeyMade {
    /// Its id.
    key: String,
    /// The key itself; told this once.
    secret: String,
}

/// Lists the API keys of the operator's unit, the newest first.
#[utoipa::path(get, path = "/api/v1/keys", tag = "identity", operation_id = "list_api_keys",
    security(("session" = ["operator"])), responses((status = 200, body = Vec<ApiKeyLine>)))]
pub(crate) async fn list(
    State(site): State<Arc<Site>>,
    Operator(who): Operator,
) -> Result<Json<Vec<ApiKeyLine>>, Refusal> {
    who.require(OPERATOR)?;
    let now = site.store.world().now();
    let all = site.sessions.keys_of(&who).await?.into_iter();
    Ok(Json(all.map(|key| ApiKeyLine::of(key, now)).collect()))
}

/// Makes an API key in the name of who is signed in; the answer is the only place where it stands.
#[utoipa::path(post, path = "/api/v1/keys", tag = "identity", operation_id = "make_api_key",
    request_body = ApiKeyWanted,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["api-key-made"]))),
    responses((status = 201, body = ApiKeyMade),
              (status = 422, description = "the first fault, at its field")))]
pub(crate) async fn make(
    State(site): State<Arc<Site>>,
    Operator(who): Operator,
    Json(asked): Json<ApiKeyWanted>,
) -> Result<Response, Refusal> {
    let wanted = Wanted {
        name: asked.name,
        roles: asked.roles,
        expires: Time(asked.expires),
    };
    let first = |faults: Vec<Problem>| {
        let first = faults.into_iter().next();
        first.unwrap_or_else(|| Problem::internal("a key is refused without a fault"))
    };
    let (key, secret) = site.sessions.make_key(&who, &wanted).await.map_err(first)?;
    let told = Json(ApiKeyMade { key, secret });
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], told).into_response())
}

/// Revokes an API key of the operator's unit; it counts no more at once.
#[utoipa::path(post, path = "/api/v1/keys/{key}/revoke", tag = "identity", operation_id = "revoke_api_key",
    params(("key" = String, Path, description = "its id")),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["api-key-revoked"]))),
    responses((status = 204), (status = 404)))]
pub(crate) async fn revoke(
    State(site): State<Arc<Site>>,
    Operator(who): Operator,
    Path(key): Path<String>,
) -> Result<StatusCode, Refusal> {
    site.sessions.revoke_key(&who, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}
