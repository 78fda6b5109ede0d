//! `sen pack check`: a pack held against every rule, at once. Never changes a pack.
//!
//! | module | holds |
//! |---|---|
//! | [`check`] | the parts of all crates, in their order |
//! | `cross` | the rules between the parts: agreements, services, procedures |
//! | `papers` | the templates against what they are given |
//! | [`told`] | the faults in words, or as JSON |

pub mod check;
mod cross;
mod papers;
pub mod told;

/// The words of the rules between the parts; not for pages.
pub const TEXTS: web::Source = web::Source {
    name: "sen/pack",
    vi: include_str!("../../i18n/pack-vi.ftl"),
    en: include_str!("../../i18n/pack-en.ftl"),
};
