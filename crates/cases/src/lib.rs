//! Procedures and cases: catalogue, forms, filing, desk, clock, results and status sync. Asks
//! registers only through the exchange: this crate has no way to read one.
//!
//! | read | for |
//! |---|---|
//! | [`procedure`], [`case`], [`course`], [`criteria`], [`clock`], [`draft`], [`answers`], [`act`] | the nouns, pure |
//! | [`catalogue`], [`places`], [`pack`] | what the pack says, in memory |
//! | [`versions`] | what the pack said when running cases were filed |
//! | [`citizen`] | the portal: search, form, prefill, papers, check, file, my cases |
//! | [`handover`] | the filed case goes to the agency that owns it from then on |
//! | [`submission`] | what the applicant sends about a running case |
//! | [`payment`] | fees, and what a bank says of them |
//! | [`portal`] | the owner's statuses, notices and results come back |
//! | [`desk`] | the owner: receive, accept, propose, enter the act, send back, sign, give |
//! | [`sync`], [`notice`] | the owner tells the portal each change of status, and what it asks of the applicant |
//! | [`merger`] | running cases of merged units go to who took over |
//! | `shown` | how words, answers and units read on a page |
//! | `bar` | the time of a case as a picture and a table |
//! | [`track`] | where a case stands, without signing in |
//! | `words` | reasons and notes, bounded |
//! | [`store`] | all SQL |
//! | [`state`] | what every verb is handed |

pub mod act;
pub mod answers;
mod bar;
pub mod case;
pub mod catalogue;
pub mod citizen;
pub mod clock;
pub mod course;
pub mod criteria;
pub mod desk;
pub mod draft;
pub mod handover;
pub mod merger;
pub mod notice;
pub mod pack;
pub mod past;
pub mod payment;
pub mod places;
pub mod portal;
pub mod procedure;
mod shown;
pub mod state;
pub mod store;
pub mod submission;
pub mod sync;
#[cfg(test)]
pub(crate) mod testing;
pub mod track;
pub mod versions;
mod words;

use std::sync::Arc;

use ::store::{Deliver, Migrations, OutboxLine};
use kernel::{CaseCode, Problem};
use web::openapi::OpenApiRouter;

pub use crate::case::Case;
pub use crate::catalogue::Catalogue;
pub use crate::procedure::Procedure;
pub use crate::state::{Asker, Cases, Parts, Place};

/// This crate's schema.
pub const MIGRATIONS: Migrations = Migrations {
    name: "cases",
    files: &[
        ("0001_cases", include_str!("../migrations/0001_cases.sql")),
        ("0002_course", include_str!("../migrations/0002_course.sql")),
        ("0003_merger", include_str!("../migrations/0003_merger.sql")),
        ("0004_payments", include_str!("../migrations/0004_payments.sql")),
        ("0005_track", include_str!("../migrations/0005_track.sql")),
        ("0006_large", include_str!("../migrations/0006_large.sql")),
        (
            "0007_names_by_unit",
            include_str!("../migrations/0007_names_by_unit.sql"),
        ),
        ("0008_lists", include_str!("../migrations/0008_lists.sql")),
        (
            "0009_full_names",
            include_str!("../migrations/0009_full_names.sql"),
        ),
        ("0010_tries", include_str!("../migrations/0010_tries.sql")),
        ("0011_versions", include_str!("../migrations/0011_versions.sql")),
        ("0012_worklist", include_str!("../migrations/0012_worklist.sql")),
        ("0013_recounts", include_str!("../migrations/0013_recounts.sql")),
        ("0014_intakes", include_str!("../migrations/0014_intakes.sql")),
    ],
};

/// The portal's texts and those of this crate's common problems.
pub const TEXTS: web::i18n::Source = web::i18n::Source {
    name: "cases",
    vi: include_str!("../i18n/vi.ftl"),
    en: include_str!("../i18n/en.ftl"),
};

/// The desk's texts and those of its problems.
pub const TEXTS_DESK: web::i18n::Source = web::i18n::Source {
    name: "cases-desk",
    vi: include_str!("../i18n/desk-vi.ftl"),
    en: include_str!("../i18n/desk-en.ftl"),
};

/// The routes of the place.
pub fn router(cases: Cases) -> OpenApiRouter {
    let routes = match cases.place() {
        Place::Portal => citizen::routes(),
        Place::Desk => desk::routes(),
    };
    routes.merge(track::routes()).with_state(cases)
}

/// The case that a line of the outbox is about: all topics of this crate have cases for keys.
///
/// # Errors
/// Internal for any other key.
pub(crate) fn case_of(line: &OutboxLine) -> Result<CaseCode, Problem> {
    line.key.parse().map_err(Problem::internal)
}

impl Cases {
    /// What the place offers on the exchange.
    #[must_use]
    pub fn services(&self) -> Vec<Arc<dyn exchange::Service>> {
        match self.place() {
            Place::Portal => vec![Arc::new(portal::NoteStatus(self.clone()))],
            Place::Desk => desk::services(self),
        }
    }

    /// What the place does with lines of the outbox.
    #[must_use]
    pub fn deliverers(&self) -> Vec<Arc<dyn Deliver>> {
        match self.place() {
            Place::Portal => vec![
                Arc::new(handover::HandOver(self.clone())),
                Arc::new(submission::Submit(self.clone())),
            ],
            Place::Desk => desk::deliverers(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Portal;

    #[tokio::test]
    async fn every_operation_says_who_may_call_it_and_what_it_changes() {
        let portal = Portal::new().await;
        let (_, api) = crate::router(portal.cases.clone()).split_for_parts();
        assert_eq!(web::openapi::faults(&api), Vec::<String>::new());
        assert_eq!(portal.cases.services().len(), 1);
        assert_eq!(portal.cases.deliverers().len(), 2);
    }
}
