//! Which officials see a case: those of its unit and of the organisations above it. To everybody
//! else the case does not exist. Never which verb they may do: the procedure says that.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use kernel::{CaseCode, OrgCode, Problem};
use web::auth::DESK_ROLES;
use web::{Principal, Refusal, SignedIn};

use crate::state::Cases;
use crate::store::{self as rows, Held, Rows};

/// An official of this place and the case that an address names. Whether they may see it is asked when it
/// is opened; who works at no desk learns nothing before.
pub(crate) struct AtCase {
    pub(crate) cases: Cases,
    pub(crate) who: Principal,
    pub(crate) code: CaseCode,
}

impl FromRequestParts<Cases> for AtCase {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, cases: &Cases) -> Result<Self, Refusal> {
        let SignedIn(who) = SignedIn::from_request_parts(parts, cases).await?;
        cases.official(&who)?;
        let path = Path::<String>::from_request_parts(parts, cases).await;
        let Path(path) = path.map_err(|_| Problem::not_found())?;
        Ok(Self {
            cases: cases.clone(),
            who,
            code: code(&path)?,
        })
    }
}

impl Cases {
    /// Refuses who does not work at one of this place's desks.
    ///
    /// # Errors
    /// 404 for another tenant's people, 403 `role-missing` for who holds no desk role.
    pub(crate) fn official(&self, who: &Principal) -> Result<(), Problem> {
        if who.tenant != self.tenant {
            return Err(Problem::not_found());
        }
        who.require_any(&DESK_ROLES)
    }

    /// A case that the official may see.
    ///
    /// # Errors
    /// As [`Cases::official`]; 404 for a case of another unit.
    pub(crate) async fn seen(
        &self,
        rows: &impl Rows,
        who: &Principal,
        code: &CaseCode,
    ) -> Result<Held, Problem> {
        self.official(who)?;
        rows::case(rows, code)
            .await?
            .filter(|held| sees(who, &held.case.unit))
            .ok_or_else(Problem::not_found)
    }
}

/// True for the official's own unit and those below it.
fn sees(who: &Principal, unit: &OrgCode) -> bool {
    who.unit.holds(unit)
}

/// A case code from an address.
///
/// # Errors
/// 404 for what is no code.
pub(crate) fn code(text: &str) -> Result<CaseCode, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::desk::testing::{API, CASE, Desk};

    #[tokio::test]
    async fn a_case_of_another_unit_does_not_exist() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        for path in [
            API.to_owned(),
            format!("/desk/cases/{CASE}"),
            format!("/desk/cases/{CASE}/receipt"),
            format!("/desk/cases/{CASE}/papers/GCS"),
        ] {
            assert_eq!(desk.get("ban", &path).await.status, 404, "{path}");
            assert_eq!(desk.get("xa", &path).await.status, 404, "{path}");
            assert_eq!(desk.get("tinh", &path).await.status, 200, "{path}");
        }
        let more = json!({"outcome": "granted"});
        for who in ["ban", "xa"] {
            assert_eq!(desk.verb(who, "propose", more.clone()).await.status, 404);
            assert_eq!(desk.verb(who, "sign", json!({})).await.status, 404);
        }
        assert_eq!(
            desk.get("tinh", "/api/v1/desk/cases/G22-261121-9999")
                .await
                .status,
            404
        );
        assert_eq!(desk.get("tinh", "/api/v1/desk/cases/nonsense").await.status, 404);
    }
}
