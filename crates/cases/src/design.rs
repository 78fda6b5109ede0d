//! A design: a version of a procedure on its way to publication, and off it again. One person writes it, another
//! tries it with sample citizens and publishes it for a day. Pure: reading, rows and pages stand below.
//!
//! | read | for |
//! |---|---|
//! | `read` | the text of a document and of its sample citizens, and what is wrong with them |
//! | [`editions`] | the published designs in memory, swapped whole |
//! | `list`, `save`, `show`, `step` | the verbs, as pages and for programs |
//! | `form` | the document part by part as a form, a preview, states and steps as a drawing |
//! | `publish` | what a publication does, and a withdrawal |

pub mod editions;
pub(crate) mod form;
pub(crate) mod list;
pub(crate) mod publish;
pub(crate) mod read;
pub(crate) mod save;
pub(crate) mod show;
pub(crate) mod step;

use kernel::{Date, Digest, Kind, Problem, ProcedureCode, Time};
use web::Principal;
use web::auth::{DESIGN_ROLES, DESIGNER, PUBLISHER};
use web::openapi::{OpenApiRouter, routes};

use crate::state::Cases;

/// How far a design is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its author writes it.
    Draft,
    /// It waits for somebody else to look at it.
    Review,
    /// Its sample citizens came through.
    Tested,
    /// Cases are filed under it from its first day on.
    Published,
    /// Nothing is filed under it any more.
    Withdrawn,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [
        Self::Draft,
        Self::Review,
        Self::Tested,
        Self::Published,
        Self::Withdrawn,
    ];

    /// Its word in rows, texts and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Review => "review",
            Self::Tested => "tested",
            Self::Published => "published",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The stage of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }
}

/// What is done with a design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its author has done with it.
    Submit,
    /// It goes back to its author.
    Return,
    /// Its sample citizens go through it.
    Test,
    /// Cases are filed under it from a day on.
    Publish,
    /// Nothing is filed under it any more.
    Withdraw,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Submit,
        Self::Return,
        Self::Test,
        Self::Publish,
        Self::Withdraw,
    ];

    /// Its word in forms, texts and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Return => "return",
            Self::Test => "test",
            Self::Publish => "publish",
            Self::Withdraw => "withdraw",
        }
    }

    /// The step of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == word)
    }

    /// Whose work it is.
    #[must_use]
    pub const fn role(self) -> &'static str {
        match self {
            Self::Submit => DESIGNER,
            Self::Return | Self::Test | Self::Publish | Self::Withdraw => PUBLISHER,
        }
    }
}

/// A version of a procedure on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Design {
    /// Its id.
    pub id: String,
    /// The procedure.
    pub code: ProcedureCode,
    /// How far it is.
    pub stage: Stage,
    /// Its document as it was typed, TOML as a file of the pack.
    pub document: String,
    /// Its sample citizens, TOML as a file of the pack; empty while there are none.
    pub samples: String,
    /// Once published: its version.
    pub version: Option<Digest>,
    /// Once published: its first day.
    pub valid_from: Option<Date>,
    /// The accounts that wrote it.
    pub authors: Vec<String>,
    /// Why it went back or was withdrawn.
    pub note: String,
    /// How often it has changed.
    pub revision: i64,
    /// When it last changed.
    pub at: Time,
}

impl Design {
    /// The subject of its facts.
    #[must_use]
    pub fn subject(id: &str) -> String {
        format!("design/{id}")
    }

    /// The stage after a step that somebody takes.
    ///
    /// # Errors
    /// `role-missing` and `design-own` (403), `design-step-not-now` (409).
    pub fn after(&self, step: Step, account: &str, roles: &[String]) -> Result<Stage, Problem> {
        if !roles.iter().any(|role| role == step.role()) {
            return Err(Problem::new(Kind::Forbidden, "role-missing").with("role", step.role()));
        }
        if step.role() == PUBLISHER && self.authors.iter().any(|author| author == account) {
            return Err(Problem::new(Kind::Forbidden, "design-own"));
        }
        match (self.stage, step) {
            (Stage::Draft, Step::Submit) => Ok(Stage::Review),
            (Stage::Review | Stage::Tested, Step::Return) => Ok(Stage::Draft),
            (Stage::Review, Step::Test) => Ok(Stage::Tested),
            (Stage::Tested, Step::Publish) => Ok(Stage::Published),
            (Stage::Published, Step::Withdraw) => Ok(Stage::Withdrawn),
            (stage, step) => Err(Problem::new(Kind::Conflict, "design-step-not-now")
                .with("step", step.as_str())
                .with("stage", stage.as_str())),
        }
    }

    /// Refuses a change of what is looked at, published or withdrawn, and by who does not design.
    ///
    /// # Errors
    /// `role-missing` (403), `design-step-not-now` (409).
    pub fn may_be_written(&self, who: &Principal) -> Result<(), Problem> {
        who.require(DESIGNER)?;
        match self.stage {
            Stage::Draft => Ok(()),
            stage => Err(Problem::new(Kind::Conflict, "design-step-not-now")
                .with("step", "save")
                .with("stage", stage.as_str())),
        }
    }
}

/// Who designs or publishes here.
///
/// # Errors
/// 404 for another tenant's people, 403 `role-missing`.
pub(crate) fn office(cases: &Cases, who: &Principal) -> Result<(), Problem> {
    if who.tenant != cases.tenant {
        return Err(Problem::not_found());
    }
    who.require_any(&DESIGN_ROLES)
}

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(list::page, save::new_by_form))
        .routes(routes!(list::json, save::new_by_json))
        .routes(routes!(show::page, save::by_form))
        .routes(routes!(show::json, save::by_json))
        .routes(routes!(step::by_form))
        .routes(routes!(step::by_json))
        .routes(routes!(form::show::page))
        .routes(routes!(form::show::json))
        .routes(routes!(form::part::page, form::save::by_form))
        .routes(routes!(form::save::by_json))
        .routes(routes!(form::preview::page))
}

#[cfg(test)]
mod trials;

#[cfg(test)]
mod tests {
    use super::*;

    fn design(stage: Stage) -> Design {
        Design {
            id: "d".to_owned(),
            code: "1.001193".parse().expect("a code"),
            stage,
            document: String::new(),
            samples: String::new(),
            version: None,
            valid_from: None,
            authors: vec!["thiet".to_owned()],
            note: String::new(),
            revision: 1,
            at: testkit::START,
        }
    }

    fn after(stage: Stage, step: Step, who: &str, role: &str) -> Result<Stage, &'static str> {
        let told = design(stage).after(step, who, &[role.to_owned()]);
        told.map_err(|problem| problem.code)
    }

    #[test]
    fn who_wrote_a_version_never_tests_publishes_or_withdraws_it() {
        for (stage, step) in [
            (Stage::Review, Step::Test),
            (Stage::Review, Step::Return),
            (Stage::Tested, Step::Publish),
            (Stage::Published, Step::Withdraw),
        ] {
            assert_eq!(after(stage, step, "thiet", PUBLISHER), Err("design-own"));
            assert_eq!(after(stage, step, "thiet", DESIGNER), Err("role-missing"));
            assert!(after(stage, step, "cong", PUBLISHER).is_ok());
        }
    }

    #[test]
    fn a_version_is_published_only_after_its_sample_citizens_came_through() {
        for stage in Stage::ALL {
            let told = after(stage, Step::Publish, "cong", PUBLISHER);
            assert_eq!(told.is_ok(), stage == Stage::Tested, "{stage:?}");
        }
        assert_eq!(
            after(Stage::Draft, Step::Submit, "thiet", DESIGNER),
            Ok(Stage::Review)
        );
        assert_eq!(
            after(Stage::Published, Step::Submit, "thiet", DESIGNER),
            Err("design-step-not-now")
        );
    }

    #[test]
    fn a_stage_and_a_step_are_read_back_from_their_words() {
        for stage in Stage::ALL {
            assert_eq!(Stage::of(stage.as_str()), Some(stage));
        }
        for step in Step::ALL {
            assert_eq!(Step::of(step.as_str()), Some(step));
        }
        assert_eq!((Stage::of("x"), Step::of("x")), (None, None));
    }
}
