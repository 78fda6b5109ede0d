//! A second person signs a draft too before it is filed (ký cùng): asked by their personal number, they sign in their own
//! session what they were shown. The noun; one file an operation below. Any change of the draft undoes it, and nobody is
//! told whether a number is somebody's.

mod api;
mod ask;
mod asked;
mod show;
mod sign;
pub(crate) mod store;
#[cfg(test)]
mod tests;

use ::store::Tx;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kernel::{Kind, PersonalNumber, Problem, Time};
use serde::{Deserialize, Serialize};
use web::Refusal;
use web::openapi::{OpenApiRouter, routes};

use crate::case::Answers;
use crate::citizen::file::filed;
use crate::citizen::{Citizen, named};
use crate::draft::Draft;
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store::{self as rows, Rows};

/// Somebody who was asked to sign a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cosign {
    /// The draft.
    pub(crate) draft: String,
    /// Whose draft it is.
    pub(crate) account: String,
    /// The name of who asks.
    pub(crate) asker: String,
    /// The personal number of who is asked.
    pub(crate) number: PersonalNumber,
    /// When they were asked.
    pub(crate) asked_at: Time,
    /// Which revision of the draft they were shown last.
    pub(crate) seen: Option<i64>,
    /// What they signed.
    pub(crate) signed: Option<Signed>,
    /// When they refused.
    pub(crate) refused_at: Option<Time>,
}

/// A signature below a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// Which revision.
    pub(crate) revision: i64,
    /// When.
    pub(crate) at: Time,
    /// The signer's name.
    pub(crate) name: String,
}

/// How it stands with who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// They have not answered.
    Waiting,
    /// They signed the draft as it is.
    Signed,
    /// They signed it as it was before a change.
    Undone,
    /// They refused.
    Refused,
}

impl Standing {
    /// The standing's word in answers and texts.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Signed => "signed",
            Self::Undone => "undone",
            Self::Refused => "refused",
        }
    }
}

impl Cosign {
    /// How it stands with a revision of the draft.
    pub(crate) fn standing(&self, revision: i64) -> Standing {
        match (&self.signed, self.refused_at) {
            (_, Some(_)) => Standing::Refused,
            (Some(signed), None) if signed.revision == revision => Standing::Signed,
            (Some(_), None) => Standing::Undone,
            (None, None) => Standing::Waiting,
        }
    }
}

/// A second signature, as it goes with the case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosigned {
    /// The signer's personal number.
    pub number: PersonalNumber,
    /// The signer's name.
    pub name: String,
    /// When they signed.
    pub at: Time,
}

/// The numbers of those whose signature a procedure waits for: what the named questions are answered with, but for the
/// applicant's own.
pub(crate) fn wanted(procedure: &Procedure, answers: &Answers, own: &PersonalNumber) -> Vec<PersonalNumber> {
    let named = procedure.cosign.iter().filter_map(|field| answers.get(field));
    let mut wanted: Vec<PersonalNumber> = named
        .filter_map(|number| number.parse().ok())
        .filter(|number| number != own)
        .collect();
    wanted.dedup();
    wanted
}

/// The signatures that go with a draft as it is filed.
///
/// # Errors
/// `cosign-missing` (422) when one that the procedure waits for is not there.
pub(crate) async fn signatures(
    tx: &Tx,
    (procedure, draft): (&Procedure, &Draft),
    own: &PersonalNumber,
) -> Result<Vec<Cosigned>, Problem> {
    let all = store::of_draft(tx, &draft.id).await?;
    let good: Vec<Cosigned> = all
        .into_iter()
        .filter(|one| one.standing(draft.revision) == Standing::Signed)
        .filter_map(|one| {
            let signed = one.signed?;
            Some(Cosigned {
                number: one.number,
                name: signed.name,
                at: signed.at,
            })
        })
        .collect();
    let signed = |number: &PersonalNumber| good.iter().any(|one| one.number == *number);
    let missing = wanted(procedure, &filed(procedure, draft, tx.now().date()), own)
        .iter()
        .filter(|number| !signed(number))
        .count();
    if missing > 0 {
        return Err(Problem::invalid("cosigners", "cosign-missing").with("count", missing));
    }
    Ok(good)
}

/// A citizen at a draft that they were asked to sign, `{id}` of the address.
pub(crate) struct AskedDraft {
    pub(crate) cases: Cases,
    pub(crate) citizen: Citizen,
    pub(crate) cosign: Cosign,
    pub(crate) draft: Draft,
}

impl FromRequestParts<Cases> for AskedDraft {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, cases: &Cases) -> Result<Self, Refusal> {
        let citizen = Citizen::from_request_parts(parts, cases).await?;
        let id = named(parts, cases, "id").await?;
        let reader = cases.store.read(&cases.tenant).await?;
        let (cosign, draft) = at(&reader, &id, &citizen.number).await?;
        Ok(Self {
            cases: cases.clone(),
            citizen,
            cosign,
            draft,
        })
    }
}

/// What somebody was asked to sign.
///
/// # Errors
/// 404 for whoever was not asked; `cosign-over` (409) for what is filed.
pub(crate) async fn at(
    rows: &impl Rows,
    id: &str,
    number: &PersonalNumber,
) -> Result<(Cosign, Draft), Problem> {
    let cosign = store::one(rows, id, number)
        .await?
        .ok_or_else(Problem::not_found)?;
    let draft = rows::draft(rows, &cosign.account, id).await?;
    let draft = draft.ok_or_else(Problem::not_found)?;
    if draft.filed_as.is_some() {
        return Err(Problem::new(Kind::Conflict, "cosign-over"));
    }
    Ok((cosign, draft))
}

/// The routes of the portal.
pub(crate) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(ask::page, ask::by_form))
        .routes(routes!(ask::api, ask::by_json))
        .routes(routes!(ask::remove_by_form))
        .routes(routes!(ask::remove_by_json))
        .routes(routes!(asked::page))
        .routes(routes!(asked::api))
        .routes(routes!(show::page))
        .routes(routes!(show::api))
        .routes(routes!(sign::sign_by_form))
        .routes(routes!(sign::sign_by_json))
        .routes(routes!(sign::refuse_by_form))
        .routes(routes!(sign::refuse_by_json))
}
