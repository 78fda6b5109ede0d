//! What may become known to be owed while a case is handled (nghĩa vụ tài chính): of which kinds, how much at most, and
//! what the law of a day says about the time in which it is waited for. Pure data; what was asked and paid stands in
//! [`crate::course`].

use serde::{Deserialize, Serialize};

use super::Text;

/// A kind of charge that an officer may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargeKind {
    /// Its code within the procedure.
    pub code: String,
    /// Its name: `Lệ phí cấp giấy phép xây dựng`.
    pub name: Text,
    /// The act that it rests on.
    pub legal_basis: String,
    /// The most that one notice may ask for, in dong.
    pub most: u64,
}

/// What the law in force from a day on says about charges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargeRule {
    /// First day, `2018-06-21`.
    pub valid_from: String,
    /// True where the time until it is paid counts towards the agency's term; else the clock stands still, and the term goes
    /// on with what was left of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts: bool,
    /// How long the applicant has, in working days.
    pub pay_days: i64,
    /// How often one case may be asked to pay, count.
    pub times: usize,
}
