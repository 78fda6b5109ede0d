//! What programs read of mandates, on either side of them.

use kernel::ProcedureCode;
use kernel::time::iso;
use serde::{Deserialize, Serialize};
use web::openapi::ToSchema;

use super::{Mandate, Side};
use crate::citizen::Citizen;

/// The wish to act for somebody.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MandateWish {
    /// `child`, `company` or `person`.
    #[schema(example = "person")]
    pub(super) whom: String,
    /// The personal number of who is represented; of a company its tax code.
    #[schema(example = "038192000003")]
    pub(super) number: String,
    /// A person's name; of a child and a company the register says it.
    #[serde(default)]
    pub(super) name: String,
    /// The procedures for which it holds; every one when none is named.
    #[serde(default)]
    pub(super) procedures: Vec<String>,
    /// The last day, `2026-12-31`; without, the last one that the law allows.
    #[serde(default)]
    pub(super) to: Option<String>,
    /// A person's authorisation on paper, a PDF.
    #[serde(default)]
    pub(super) pdf_base64: Option<String>,
}

/// A citizen's mandates on both sides.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MandatesJson {
    /// Newest first.
    pub(super) items: Vec<MandateJson>,
    /// `after` of the next page.
    pub(super) next: Option<String>,
}

/// A mandate.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MandateJson {
    /// Its id.
    id: String,
    /// On which side the reader is: `representative` or `represented`.
    side: &'static str,
    /// `child`, `company` or `person`.
    whom: &'static str,
    /// The personal number of who is represented; of a company its tax code.
    represented: String,
    /// Their name.
    name: String,
    /// The representative's name.
    representative: String,
    /// The procedures for which it holds; every one when empty.
    procedures: Vec<String>,
    /// First day.
    from: String,
    /// Last day.
    to: String,
    /// `register`, `word` or `paper`.
    proof: &'static str,
    /// `asked`, `confirmed`, `refused`, `revoked` or `ended`.
    standing: &'static str,
    /// True when its representative may act under it today.
    in_force: bool,
    /// True when a paper was uploaded for it.
    paper: bool,
    /// When it was asked for, RFC 3339.
    made_at: String,
}

impl MandateJson {
    pub(super) fn new(mandate: &Mandate, citizen: &Citizen) -> Self {
        let side = mandate.side(citizen).unwrap_or(Side::Represented);
        Self {
            id: mandate.id.clone(),
            side: side.word(),
            whom: mandate.whom.word(),
            represented: mandate.represented.clone(),
            name: mandate.name.clone(),
            representative: mandate.representative.name.clone(),
            procedures: mandate.scope.iter().map(ProcedureCode::to_string).collect(),
            from: iso(mandate.from),
            to: iso(mandate.to),
            proof: mandate.proof.word(),
            standing: mandate.standing(citizen.today).word(),
            in_force: mandate.is_in_force(citizen.today),
            paper: mandate.paper.is_some(),
            made_at: mandate.made_at.rfc3339(),
        }
    }
}
