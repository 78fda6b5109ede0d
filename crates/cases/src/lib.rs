//! Procedures and cases: catalogue, forms, filing, desk, clock, results and status sync. Asks
//! registers only through the exchange: this crate has no way to read one.
//!
//! | read | for |
//! |---|---|
//! | [`procedure`], [`case`], [`course`], [`criteria`], [`clock`], [`draft`], [`answers`], [`act`] | the nouns, pure |
//! | [`rules`] | rules in CEL over answers: what is asked, what must hold, what it costs, when |
//! | [`catalogue`], [`places`], [`pack`] | what the pack says, in memory |
//! | [`versions`] | what the pack said when running cases were filed, and how two versions differ |
//! | [`design`] | a version on its way to publication, and off it again |
//! | [`migration`] | running cases go on under another version |
//! | [`import`] | running cases of another system go on here |
//! | [`rehearsal`] | made-up citizens go through a version before anybody real does |
//! | [`export`] | what a version asks, as others' tools read it |
//! | [`citizen`] | the portal: search, form, prefill, papers, check, file, my cases |
//! | [`filing`] | which portal files for whom, on a day |
//! | [`handover`] | the filed case goes to the agency that owns it from then on |
//! | [`submission`] | what the applicant sends about a running case |
//! | [`consult`] | the opinions that other units are asked for |
//! | [`escalation`] | who above is told that a case is late |
//! | `follow_ups` | what other agencies do once the result is there, as a chain |
//! | [`payment`] | fees, and what a bank says of them |
//! | [`post`] | the result by post |
//! | [`portal`] | the owner's statuses, notices and results come back |
//! | [`desk`] | the owner: receive, accept, propose, enter the act, send back, sign, give |
//! | [`status`] | which national status may follow which |
//! | [`inbox`], [`contact`], [`telling`] | a citizen is told of each step: at the portal, and by e-mail and SMS where they wish |
//! | [`sync`], [`notice`] | the owner tells the portal each change of status, and what it asks of the applicant |
//! | [`reconcile`] | the owner's cases are compared with what its portal shows, and put right there |
//! | [`merger`] | running cases of merged units go to who took over |
//! | [`national`] | the national messages by their own names, at a portal and at an owner |
//! | `shown` | how words, answers and units read on a page |
//! | `wallet` | a citizen's own documents: kept, attached, shared by a link |
//! | `cosign` | who signs a draft besides its citizen |
//! | [`mandate`] | who acts for whom: mandates, and the cases that are filed under them |
//! | `bar` | the time of a case as a picture and a table |
//! | [`track`] | where a case stands, without signing in |
//! | `published` | answers that everybody can read |
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
pub mod consult;
pub mod contact;
pub mod cosign;
pub mod course;
pub mod criteria;
pub mod design;
pub mod desk;
pub mod draft;
pub mod escalation;
pub mod export;
pub mod filing;
mod follow_ups;
pub mod handover;
pub mod import;
pub mod inbox;
pub mod mandate;
pub mod merger;
pub mod migration;
pub mod national;
pub mod notice;
pub mod pack;
pub mod past;
pub mod payment;
pub mod places;
pub mod portal;
pub mod post;
pub mod procedure;
mod published;
pub mod reconcile;
pub mod rehearsal;
pub mod rules;
mod shown;
pub mod state;
pub mod status;
pub mod store;
pub mod submission;
pub mod sync;
pub mod telling;
#[cfg(test)]
pub(crate) mod testing;
pub mod track;
pub mod versions;
mod wallet;
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
        ("0015_national", include_str!("../migrations/0015_national.sql")),
        (
            "0016_reconciliation",
            include_str!("../migrations/0016_reconciliation.sql"),
        ),
        ("0017_consults", include_str!("../migrations/0017_consults.sql")),
        ("0018_published", include_str!("../migrations/0018_published.sql")),
        ("0019_inbox", include_str!("../migrations/0019_inbox.sql")),
        ("0020_desk_day", include_str!("../migrations/0020_desk_day.sql")),
        ("0021_designs", include_str!("../migrations/0021_designs.sql")),
        ("0022_citizen", include_str!("../migrations/0022_citizen.sql")),
        (
            "0024_escalations",
            include_str!("../migrations/0024_escalations.sql"),
        ),
        ("0025_steps", include_str!("../migrations/0025_steps.sql")),
        ("0026_charges", include_str!("../migrations/0026_charges.sql")),
        ("0027_mandates", include_str!("../migrations/0027_mandates.sql")),
        ("0028_post", include_str!("../migrations/0028_post.sql")),
        ("0029_checks", include_str!("../migrations/0029_checks.sql")),
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

/// The texts of versions of procedures, of their differences and of their way to publication.
pub const TEXTS_DESIGN: web::i18n::Source = web::i18n::Source {
    name: "cases-design",
    vi: include_str!("../i18n/design-vi.ftl"),
    en: include_str!("../i18n/design-en.ftl"),
};

/// The texts of the inbox and of how citizens are told besides.
pub const TEXTS_INBOX: web::i18n::Source = web::i18n::Source {
    name: "cases-inbox",
    vi: include_str!("../i18n/inbox-vi.ftl"),
    en: include_str!("../i18n/inbox-en.ftl"),
};

/// The texts of citizens' own documents and of second signatures.
pub const TEXTS_WALLET: web::i18n::Source = web::i18n::Source {
    name: "cases-wallet",
    vi: include_str!("../i18n/wallet-vi.ftl"),
    en: include_str!("../i18n/wallet-en.ftl"),
};

/// The routes of the place.
pub fn router(cases: Cases) -> OpenApiRouter {
    let routes = match cases.place() {
        Place::Portal => citizen::routes()
            .merge(wallet::routes())
            .merge(cosign::routes())
            .merge(mandate::routes())
            .merge(national::statistics::pages())
            .merge(post::routes()),
        Place::Desk => desk::routes().merge(migration::routes()),
    };
    let public = track::routes().merge(published::routes());
    routes.merge(public).merge(design::routes()).with_state(cases)
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
            Place::Portal => {
                let mut all: Vec<Arc<dyn exchange::Service>> =
                    vec![Arc::new(portal::NoteStatus(self.clone()))];
                all.extend(national::services(self));
                all.push(Arc::new(reconcile::digests::CaseDigests(self.clone())));
                all.push(Arc::new(reconcile::restate::RestateCase(self.clone())));
                all
            }
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
                Arc::new(telling::Tell::new(self, contact::Way::Email)),
                Arc::new(telling::Tell::new(self, contact::Way::Sms)),
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
        let national = crate::national::message::NAMES.len();
        assert_eq!(portal.cases.services().len(), 3 + national);
        assert_eq!(portal.cases.deliverers().len(), 4);
    }
}
