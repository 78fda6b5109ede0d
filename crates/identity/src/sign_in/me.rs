//! `GET /api/v1/me`: who am I. Never the personal number: the caller knows it.

use kernel::OrgCode;
use serde::Serialize;
use web::openapi::utoipa;
use web::{Json, Principal, SignedIn};

/// The signed-in party as it sees itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Me {
    /// Account id.
    account: String,
    /// The organisation whose account it is.
    #[schema(value_type = String)]
    tenant: OrgCode,
    /// The name to greet by.
    name: String,
    /// Assurance level of the sign-in.
    level: u8,
    /// What the account may do.
    roles: Vec<String>,
    /// The unit of the position.
    #[schema(value_type = String)]
    unit: OrgCode,
}

impl From<Principal> for Me {
    fn from(principal: Principal) -> Self {
        Self {
            account: principal.account,
            tenant: principal.tenant,
            name: principal.name,
            level: principal.level,
            roles: principal.roles,
            unit: principal.unit,
        }
    }
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/me", tag = "identity",
    security(("session" = ["citizen", "receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor", "designer", "publisher", "operator", "observer"])),
    responses((status = 200, description = "the signed-in party", body = Me),
              (status = 401, description = "nobody is signed in")))]
pub(crate) async fn me(SignedIn(principal): SignedIn) -> Json<Me> {
    Json(principal.into())
}
