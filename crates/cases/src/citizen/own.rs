//! Whom and what an address of the portal is about: the signed-in citizen, a draft of theirs, a case of
//! theirs. What is not theirs does not exist (404), and another tenant's session learns nothing.

use std::sync::Arc;

use ::store::Reader;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{CaseCode, Date, Kind, PersonalNumber, Problem};
use web::{Principal, Refusal, SignedIn};

use crate::draft::{Attached, Draft};
use crate::mandate;
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store::{self as rows, Held};

/// A citizen of this portal.
pub(crate) struct Citizen {
    pub(crate) who: Principal,
    pub(crate) number: PersonalNumber,
    /// The day on which they ask: mandates are held against it.
    pub(crate) today: Date,
}

impl FromRequestParts<Cases> for Citizen {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, cases: &Cases) -> Result<Self, Refusal> {
        let SignedIn(who) = SignedIn::from_request_parts(parts, cases).await?;
        if who.tenant != cases.tenant {
            return Err(Problem::not_found().into());
        }
        who.require("citizen")?;
        let missing = || Problem::new(Kind::Forbidden, "role-missing").with("role", "citizen");
        let number = who.subject.clone().ok_or_else(missing)?;
        let today = cases.today();
        Ok(Self { who, number, today })
    }
}

/// A citizen at a draft of theirs, `{id}` of the address.
pub(crate) struct OwnDraft {
    pub(crate) cases: Cases,
    pub(crate) citizen: Citizen,
    pub(crate) draft: Draft,
}

impl FromRequestParts<Cases> for OwnDraft {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, cases: &Cases) -> Result<Self, Refusal> {
        let citizen = Citizen::from_request_parts(parts, cases).await?;
        let id = named(parts, cases, "id").await?;
        let draft = own_draft(cases, &citizen, &id).await?;
        Ok(Self {
            cases: cases.clone(),
            citizen,
            draft,
        })
    }
}

impl OwnDraft {
    /// The version of the procedure that it was begun under.
    ///
    /// # Errors
    /// As [`Cases::version`].
    pub(crate) fn procedure(&self) -> Result<Arc<Procedure>, Problem> {
        self.cases.version(&self.draft.version)
    }

    /// What is attached to it.
    ///
    /// # Errors
    /// Unavailable.
    pub(crate) async fn papers(&self) -> Result<Vec<Attached>, Problem> {
        let reader = self.cases.store.read(&self.cases.tenant).await?;
        rows::papers(&reader, &Draft::subject(&self.draft.id)).await
    }

    /// The draft as it is now: another window may have changed it.
    ///
    /// # Errors
    /// Unavailable; 404 when it is gone.
    pub(crate) async fn newest(&self) -> Result<Draft, Problem> {
        own_draft(&self.cases, &self.citizen, &self.draft.id).await
    }
}

async fn own_draft(cases: &Cases, citizen: &Citizen, id: &str) -> Result<Draft, Problem> {
    let reader = cases.store.read(&cases.tenant).await?;
    let draft = rows::draft(&reader, &citizen.who.account, id).await?;
    let draft = draft.ok_or_else(Problem::not_found)?;
    // What supplements a case is its draft's as long as the case is theirs: a mandate may have ended.
    if let Some(code) = draft.supplements() {
        own_case(&reader, citizen, &code).await?;
    }
    Ok(draft)
}

/// A citizen at a draft of theirs that is not filed; a filed one leads to its case.
pub(crate) struct OpenDraft(pub(crate) OwnDraft);

impl FromRequestParts<Cases> for OpenDraft {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, cases: &Cases) -> Result<Self, Response> {
        let own = OwnDraft::from_request_parts(parts, cases).await;
        let own = own.map_err(IntoResponse::into_response)?;
        match &own.draft.filed_as {
            Some(code) => Err(Redirect::to(&format!("/cases/{code}")).into_response()),
            None => Ok(Self(own)),
        }
    }
}

/// A citizen at a case of theirs, `{code}` of the address.
pub(crate) struct OwnCase {
    pub(crate) cases: Cases,
    pub(crate) citizen: Citizen,
    pub(crate) held: Held,
}

impl FromRequestParts<Cases> for OwnCase {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, cases: &Cases) -> Result<Self, Refusal> {
        let citizen = Citizen::from_request_parts(parts, cases).await?;
        let code = named(parts, cases, "code").await?;
        let code = code.parse().map_err(|_| Problem::not_found())?;
        let reader = cases.store.read(&cases.tenant).await?;
        let held = own_case(&reader, &citizen, &code).await?;
        drop(reader);
        if parts.method == Method::GET {
            mandate::looked(cases, &citizen, &held.case).await?;
        }
        Ok(Self {
            cases: cases.clone(),
            citizen,
            held,
        })
    }
}

impl OwnCase {
    /// To the case's page.
    pub(crate) fn back(&self) -> Response {
        Redirect::to(&format!("/cases/{}", self.held.case.code)).into_response()
    }
}

/// A case of the signed-in citizen, one that was filed for them, or one that they may act in for its applicant now.
///
/// # Errors
/// 404 for any other.
pub(crate) async fn own_case(reader: &Reader, citizen: &Citizen, code: &CaseCode) -> Result<Held, Problem> {
    let held = rows::case(reader, code).await?;
    let held = held.ok_or_else(Problem::not_found)?;
    if mandate::is_theirs(reader, citizen, &held.case).await? {
        Ok(held)
    } else {
        Err(Problem::not_found())
    }
}

/// A part of the address by its name.
pub(crate) async fn named(parts: &mut Parts, cases: &Cases, name: &str) -> Result<String, Problem> {
    let all = RawPathParams::from_request_parts(parts, cases).await;
    let all = all.map_err(|_| Problem::not_found())?;
    let found = all.iter().find(|(known, _)| *known == name);
    let found = found.map(|(_, value)| value.to_owned());
    found.ok_or_else(Problem::not_found)
}
