//! What programs read of second signatures, at either side.

use serde::{Deserialize, Serialize};
use web::openapi::ToSchema;

use super::Cosign;

/// Who is asked to sign.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CosignerWish {
    /// The personal number.
    #[schema(example = "038096000002")]
    pub(super) number: String,
}

/// Those who were asked to sign a draft.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CosignersJson {
    /// By when they were asked.
    pub(super) items: Vec<CosignerJson>,
    /// How many signatures filing still waits for.
    pub(super) missing: usize,
}

/// One who was asked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CosignerJson {
    /// The personal number.
    number: String,
    /// When they were asked, RFC 3339.
    asked_at: String,
    /// `waiting`, `signed`, `undone` by a change, or `refused`.
    standing: &'static str,
}

impl CosignerJson {
    pub(super) fn new(cosign: &Cosign, revision: i64) -> Self {
        Self {
            number: cosign.number.as_str().to_owned(),
            asked_at: cosign.asked_at.rfc3339(),
            standing: cosign.standing(revision).word(),
        }
    }
}

/// What a citizen is asked to sign.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CosignAskedJson {
    /// Newest first.
    pub(super) items: Vec<CosignAskedLine>,
    /// `after` of the next page.
    pub(super) next: Option<String>,
}

/// A draft that a citizen is asked to sign.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CosignAskedLine {
    /// The draft.
    pub(super) draft: String,
    /// The procedure's code.
    pub(super) procedure: String,
    /// The name of who asks.
    pub(super) asker: String,
    /// When, RFC 3339.
    pub(super) asked_at: String,
    /// `waiting`, `signed`, `undone`, `refused`, or `over` once it is filed.
    pub(super) standing: &'static str,
}

/// A draft as it is shown to who is asked to sign it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CosignDraftJson {
    /// The draft.
    pub(super) draft: String,
    /// The procedure's code.
    pub(super) procedure: String,
    /// The name of who asks.
    pub(super) asker: String,
    /// The revision that is shown: what is signed.
    pub(super) revision: i64,
    /// What is answered, by field.
    pub(super) answers: std::collections::BTreeMap<String, String>,
    /// The names of the files that are attached, by paper.
    pub(super) papers: std::collections::BTreeMap<String, String>,
    /// `waiting`, `signed`, `undone` or `refused`.
    pub(super) standing: &'static str,
}

/// What is signed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CosignWish {
    /// The revision that was shown.
    pub(super) revision: i64,
}

/// How it stands now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CosignDone {
    /// The draft.
    pub(super) draft: String,
    /// `signed` or `refused`.
    pub(super) standing: &'static str,
}
