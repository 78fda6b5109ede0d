//! Which records of registers a citizen may keep of their own (`codes/own-records.toml`): the service that is asked, by
//! which field, and what of its answer is kept. Pure; never asks.

use serde::Deserialize;

use crate::procedure::Text;

/// A record that a citizen may ask for of their own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnRecord {
    /// Its word in addresses.
    pub(crate) code: String,
    /// The service that is asked.
    pub(crate) service: String,
    /// The field that names whose record it is: the citizen's own personal number is sent in it.
    pub(crate) by: String,
    /// What the document is called.
    pub(crate) title: Text,
    /// The field with its number.
    #[serde(default)]
    pub(crate) number: Option<String>,
    /// The field with the day it bears.
    #[serde(default)]
    pub(crate) dated: Option<String>,
    /// What is kept, in order.
    pub(crate) fields: Vec<OwnField>,
}

/// A field that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnField {
    /// Where it stands in the record.
    pub(crate) path: String,
    /// What it is called.
    pub(crate) label: Text,
}
