//! `GET /designs/{id}` and its twin: a version on its way: its text, what is wrong with it by line, what it says
//! otherwise than the version in force, what begins when, how its sample citizens fare, and what can be done next.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use kernel::Problem;
use kernel::time::iso;
use serde::Serialize;
use web::auth::DESIGNER;
use web::openapi::{ToSchema, utoipa};
use web::{Json, Page, Principal, Refusal, SignedIn};

use crate::citizen::render;
use crate::design::list::{DesignItem, name};
use crate::design::read::{self, DesignFault};
use crate::design::{Design, Stage, Step, office};
use crate::state::Cases;
use crate::store as rows;
use crate::versions::told::{Group, Told, VersionChange};

/// A version on its way, as programs read it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DesignView {
    /// What it is and how far.
    design: DesignItem,
    /// Its document, TOML.
    document: String,
    /// Its sample citizens, TOML.
    samples: String,
    /// Why it went back, or was withdrawn.
    note: String,
    /// What is wrong with its text, and what came of its sample citizens otherwise than expected.
    faults: Vec<DesignFault>,
    /// Sample citizens, count.
    citizens: usize,
    /// What it says otherwise than the version in force.
    changes: Vec<VersionChange>,
    /// Which version begins when, itself among them.
    begins: Vec<DesignBegin>,
}

/// A first day.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DesignBegin {
    /// The day.
    from: String,
    /// The version.
    version: String,
    /// True for this one.
    own: bool,
    /// True for what is filed under today.
    in_force: bool,
}

/// Loads a design for somebody of the design office.
///
/// # Errors
/// 403 `role-missing`; 404.
pub(crate) async fn load(cases: &Cases, who: &Principal, id: &str) -> Result<Design, Problem> {
    office(cases, who)?;
    let reader = cases.store.read(&cases.tenant).await?;
    let found = rows::design(&reader, id).await?;
    found.ok_or_else(Problem::not_found)
}

/// All that there is to say about a design.
struct Looked {
    faults: Vec<DesignFault>,
    citizens: usize,
    changes: Vec<VersionChange>,
    balance: Vec<(String, String)>,
    groups: Vec<Group>,
    begins: Vec<(kernel::Date, DesignBegin)>,
}

fn look(cases: &Cases, page: &Page, design: &Design) -> Looked {
    let read = read::document(cases, &design.document);
    let tried = read::samples(cases, &design.samples, read.sound());
    let mut faults = read::told(&read.faults, page.lang);
    faults.extend(read::told(&tried.faults, page.lang));
    let before = match design.version {
        // Once published it is told from what was before it.
        Some(version) => {
            let all = cases.versions_of(&design.code);
            let at = all.iter().position(|(_, other, _)| *other == version);
            at.and_then(|at| at.checked_sub(1))
                .and_then(|at| all.get(at).map(|(_, _, before)| before.clone()))
        }
        None => cases.procedure_today(&design.code).ok(),
    };
    let told = before
        .as_ref()
        .zip(read.procedure.as_ref())
        .map(|(before, now)| Told::new(page, before, now));
    let today = cases.procedure_today(&design.code).ok();
    let today = today.map(|procedure| procedure.version());
    let begins = cases.versions_of(&design.code).into_iter();
    let begins = begins.map(|(from, version, _)| {
        let begin = DesignBegin {
            from: iso(from),
            version: version.to_string(),
            own: design.version == Some(version),
            in_force: today == Some(version),
        };
        (from, begin)
    });
    Looked {
        citizens: tried.citizens,
        changes: told.as_ref().map(Told::changes).unwrap_or_default(),
        balance: told.as_ref().map(Told::balance).unwrap_or_default(),
        groups: told.as_ref().map(Told::groups).unwrap_or_default(),
        begins: begins.collect(),
        faults,
    }
}

/// A design as programs read it.
pub(crate) fn view(cases: &Cases, page: &Page, design: &Design) -> DesignView {
    let looked = look(cases, page, design);
    DesignView {
        design: DesignItem::of(design),
        document: design.document.clone(),
        samples: design.samples.clone(),
        note: design.note.clone(),
        faults: looked.faults,
        citizens: looked.citizens,
        changes: looked.changes,
        begins: looked.begins.into_iter().map(|(_, begin)| begin).collect(),
    }
}

/// The page of a design.
#[derive(Template)]
#[template(path = "design.html")]
pub(crate) struct View<'a> {
    page: &'a Page,
    errors: String,
    problems: Vec<Problem>,
    /// Nothing for one that is begun.
    id: &'a str,
    code: String,
    name: String,
    stage: String,
    note: &'a str,
    document: &'a str,
    samples: &'a str,
    revision: i64,
    /// True for who may write it now.
    writes: bool,
    /// Where, and what.
    faults: Vec<(String, DesignFault)>,
    citizens: String,
    has_citizens: bool,
    compared: bool,
    balance: Vec<(String, String)>,
    groups: Vec<Group>,
    /// Day, version, whether it is this one, whether it is in force.
    begins: Vec<(String, DesignBegin)>,
    /// What the reader may do next: word and whether it asks for words, for a day.
    steps: Vec<NextStep>,
    today: String,
}

/// What can be done next.
struct NextStep {
    step: &'static str,
    label: String,
    asks_note: bool,
    asks_day: bool,
}

impl<'a> View<'a> {
    fn of(cases: &Cases, who: &Principal, page: &'a Page, design: &'a Design, problems: &[Problem]) -> Self {
        let looked = look(cases, page, design);
        let may = |step: &Step| design.after(*step, &who.account, &who.roles).is_ok();
        let next = |step: Step| NextStep {
            step: step.as_str(),
            label: page.t(&format!("design-step-{}", step.as_str())),
            asks_note: matches!(step, Step::Return | Step::Withdraw),
            asks_day: step == Step::Publish,
        };
        View {
            page,
            errors: page.errors(problems),
            problems: problems.to_vec(),
            id: &design.id,
            code: design.code.to_string(),
            name: name(cases, page, design),
            stage: page.t(&format!("design-stage-{}", design.stage.as_str())),
            note: &design.note,
            document: &design.document,
            samples: &design.samples,
            revision: design.revision,
            writes: who.has(DESIGNER) && design.stage == Stage::Draft,
            citizens: page.tw("design-citizens", &[("n", looked.citizens.to_string())]),
            has_citizens: looked.citizens > 0,
            faults: looked
                .faults
                .into_iter()
                .map(|fault| (place(page, &fault), fault))
                .collect(),
            compared: !looked.groups.is_empty(),
            balance: looked.balance,
            groups: looked.groups,
            begins: looked
                .begins
                .into_iter()
                .map(|(day, begin)| (page.date(day), begin))
                .collect(),
            steps: Step::ALL.into_iter().filter(may).map(next).collect(),
            today: iso(cases.today()),
        }
    }

    /// The page again, with what is wrong and what was typed.
    ///
    /// # Errors
    /// As [`load`].
    pub(crate) async fn again(
        cases: &Cases,
        who: &Principal,
        page: &Page,
        (id, words): (&str, Option<(String, String)>),
        problem: &Problem,
    ) -> Result<Response, Problem> {
        let mut design = load(cases, who, id).await?;
        if let Some((document, samples)) = words {
            design.document = document;
            design.samples = samples;
        }
        let body = render(&View::of(
            cases,
            who,
            page,
            &design,
            std::slice::from_ref(problem),
        ))?;
        let status = problem.kind.status();
        Ok(page.html_status(status, &page.t("design-one"), body))
    }
}

/// Where a fault is: which text, which line.
pub(crate) fn place(page: &Page, fault: &DesignFault) -> String {
    let text = page.t(&format!("design-text-{}", fault.text));
    page.tw("design-line", &[("text", text), ("line", fault.line.to_string())])
}

/// The form of a new version again, with what is wrong.
///
/// # Errors
/// Internal.
pub(crate) fn empty(
    page: &Page,
    (document, samples): &(String, String),
    problem: &Problem,
) -> Result<Response, Problem> {
    let body = render(&View {
        page,
        errors: page.errors(std::slice::from_ref(problem)),
        problems: vec![problem.clone()],
        id: "",
        code: String::new(),
        name: String::new(),
        stage: page.t("design-stage-draft"),
        note: "",
        document,
        samples,
        revision: 0,
        writes: true,
        faults: Vec::new(),
        citizens: String::new(),
        has_citizens: false,
        compared: false,
        balance: Vec::new(),
        groups: Vec::new(),
        begins: Vec::new(),
        steps: Vec::new(),
        today: String::new(),
    })?;
    Ok(page.html_status(422, &page.t("design-new"), body).into_response())
}

/// A version on its way, as a page.
#[utoipa::path(get, path = "/designs/{id}", tag = "designs", security(("session" = ["designer", "publisher"])),
    params(("id" = String, Path, description = "the version on its way")),
    responses((status = 200, description = "the version", content_type = "text/html"), (status = 403), (status = 404)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path(id): Path<String>,
) -> Result<Html<String>, Refusal> {
    let design = load(&cases, &who, &id).await?;
    let body = render(&View::of(&cases, &who, &page, &design, &[]))?;
    Ok(page.html(&page.t("design-one"), body))
}

/// A version on its way.
#[utoipa::path(get, path = "/api/v1/designs/{id}", tag = "designs", security(("session" = ["designer", "publisher"])),
    params(("id" = String, Path, description = "the version on its way")),
    responses((status = 200, body = DesignView), (status = 403), (status = 404)))]
pub(crate) async fn json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path(id): Path<String>,
) -> Result<Json<DesignView>, Refusal> {
    let design = load(&cases, &who, &id).await?;
    Ok(Json(view(&cases, &page, &design)))
}
