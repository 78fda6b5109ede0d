//! `GET/POST /desk/intake`: which procedure is handed in, and its whole form on one page. Every fault is told at
//! once, at its field; what was typed and scanned stays.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use kernel::{Kind, Problem};
use web::openapi::utoipa;
use web::{Fields, Page, Principal, Refusal, SignedIn};

use super::asked::{Slip, blank};
use super::official;
use super::take::check_id;
use crate::answers::{self, Typed};
use crate::citizen::paper;
use crate::citizen::render;
use crate::citizen::view::{Field, labelled, term};
use crate::draft::Attached;
use crate::post::wish::{self, Boxes};
use crate::procedure::{Paper, Procedure, Question};
use crate::shown::say;
use crate::state::Cases;
use crate::store as rows;

#[derive(Template)]
#[template(path = "desk_intake_list.html")]
struct ListPage<'a> {
    page: &'a Page,
    /// Code, name, term in words.
    procedures: Vec<(String, String, String)>,
}

#[derive(Template)]
#[template(path = "desk_intake.html")]
struct FormPage<'a> {
    page: &'a Page,
    code: String,
    name: &'a str,
    terms: Vec<String>,
    /// True when a fee may be due.
    fee: bool,
    /// True where it can come by post.
    post: bool,
    /// How the result is wished, where it can be sent.
    boxes: Option<Boxes>,
    id: &'a str,
    slip: &'a Slip,
    sections: Vec<(&'a str, Vec<Field>)>,
    papers: Vec<Row<'a>>,
    megabytes: u64,
    errors: String,
    problems: &'a [Problem],
}

/// A paper of the form.
struct Row<'a> {
    paper: &'a Paper,
    name: &'a str,
    attached: Option<&'a Attached>,
    on_paper: bool,
    /// The message at it, HTML.
    error: String,
}

/// The form's own fields; the others are the procedure's questions and `paper-CODE`.
#[derive(web::openapi::ToSchema)]
#[expect(dead_code, reason = "describes the form for OpenAPI; `Fields` reads it")]
pub(crate) struct IntakeForm {
    /// The number the page was shown with: sent twice, it is one case.
    intake: String,
    /// The applicant's personal number.
    applicant_number: String,
    /// The applicant's name.
    applicant_name: String,
    /// `post` when it came by post.
    channel: Option<String>,
    /// Codes of the papers that are kept on paper.
    on_paper: Option<Vec<String>>,
    /// The number of the receipt for the fee.
    receipt: Option<String>,
    /// `post` when the result goes by post.
    return_by: Option<String>,
    /// Where to, in one piece; its boxes are `post_address-province`, `-commune`, `-line`.
    post_address: Option<String>,
    /// A telephone number for who brings it.
    post_phone: Option<String>,
}

/// The procedures that can be handed in here.
#[utoipa::path(get, path = "/desk/intake", tag = "desk", security(("session" = ["receptionist"])),
    responses((status = 200, description = "the procedures", content_type = "text/html"), (status = 403)))]
pub(crate) async fn choose(
    State(cases): State<Cases>,
    signed_in: SignedIn,
    page: Page,
) -> Result<Html<String>, Refusal> {
    let who = official(&cases, signed_in)?;
    who.require_any(&["receptionist"])?;
    let all = cases.all_taken_here(&who);
    let row = |procedure: &std::sync::Arc<Procedure>| {
        (
            procedure.code.to_string(),
            say(&procedure.name, page.lang).to_owned(),
            at_desk(&page, procedure).join("; "),
        )
    };
    let body = render(&ListPage {
        page: &page,
        procedures: all.iter().map(row).collect(),
    })?;
    Ok(page.html(&page.t("desk-intake"), body))
}

/// The form of a procedure.
#[utoipa::path(get, path = "/desk/intake/{procedure}", tag = "desk", security(("session" = ["receptionist"])),
    params(("procedure" = String, Path, description = "the procedure's code")),
    responses((status = 200, description = "the form", content_type = "text/html"), (status = 403), (status = 404)))]
pub(crate) async fn form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path(code): Path<String>,
) -> Result<Response, Refusal> {
    let procedure = cases.taken_here(&who, &code)?;
    let id = cases.store.world().id();
    Ok(show(
        &cases,
        &page,
        &procedure,
        (&id, &Slip::default()),
        None,
        &[],
        &[],
    )?)
}

/// Takes a case in from the form.
#[utoipa::path(post, path = "/desk/intake/{procedure}", tag = "desk", security(("session" = ["receptionist"])),
    params(("procedure" = String, Path, description = "the procedure's code")),
    request_body(content = IntakeForm, content_type = "multipart/form-data"),
    responses((status = 303, description = "to the case"), (status = 403), (status = 404), (status = 413, description = "too large"),
              (status = 422, description = "the form with every fault", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-received", "case-accepted", "fee-paid", "obligation-opened", "document-issued"]))))]
pub(crate) async fn take(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path(code): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let procedure = cases.taken_here(&who, &code)?;
    let id = check_id(fields.text("intake").unwrap_or_default())?;
    if let Some(code) = rows::intake(&cases.store.read(&cases.tenant).await?, &who.account, id).await? {
        return Ok(Redirect::to(&format!("/desk/cases/{code}")).into_response());
    }
    let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
    let slip = Slip {
        number: text("applicant_number"),
        name: text("applicant_name"),
        by_post: fields.text("channel") == Some("post"),
        on_paper: fields.texts("on_paper").map(str::to_owned).collect(),
        receipt: text("receipt"),
        wish: wish::typed(&fields),
    };
    let typed = answers::typed(procedure.pages.iter().flat_map(|form| &form.questions), &fields);
    let (papers, mut problems) = scanned(&cases, &who, &procedure, id, &fields).await?;
    match cases.sound(&procedure, &who.unit, &typed, &slip, &papers) {
        Ok(sound) if problems.is_empty() => {
            let code = cases.take_in(&who, id, &procedure, (&sound, &papers)).await?;
            Ok(Redirect::to(&format!("/desk/cases/{code}")).into_response())
        }
        sound => {
            // A file that is no good is told once: not as missing, too.
            for problem in sound.err().unwrap_or_default() {
                if problems.iter().all(|told| told.field != problem.field) {
                    problems.push(problem);
                }
            }
            let typed = Some(&typed);
            Ok(show(
                &cases,
                &page,
                &procedure,
                (id, &slip),
                typed,
                &papers,
                &problems,
            )?)
        }
    }
}

/// The scans of this sending put away beside earlier ones of the same intake, and what is wrong with them.
async fn scanned(
    cases: &Cases,
    who: &Principal,
    procedure: &Procedure,
    id: &str,
    fields: &Fields,
) -> Result<(Vec<Attached>, Vec<Problem>), Problem> {
    let held = cases.hold_papers(who, id, &[]).await?;
    let (new, problems) = checked(cases, procedure, &held, fields).await?;
    let papers = match new.is_empty() {
        true => held,
        false => cases.hold_papers(who, id, &new).await?,
    };
    Ok((papers, problems))
}

/// The scans that were sent, and what is wrong with them; together with those that are held they fit into one
/// message.
pub(super) async fn checked(
    cases: &Cases,
    procedure: &Procedure,
    held: &[Attached],
    fields: &Fields,
) -> Result<(Vec<Attached>, Vec<Problem>), Problem> {
    let (mut papers, mut new, mut problems) = (held.to_vec(), Vec::new(), Vec::new());
    for wanted in &procedure.papers {
        let field = format!("paper-{}", wanted.code);
        let Some(file) = fields.file(&field) else {
            continue;
        };
        match paper::check(cases, wanted, &papers, Some(file)).await {
            Ok(attached) => {
                papers.retain(|other| other.code != attached.code);
                papers.push(attached.clone());
                new.push(attached);
            }
            Err(problem) if problem.kind == Kind::Invalid => problems.push(problem.at(&field)),
            Err(problem) => return Err(problem),
        }
    }
    Ok((new, problems))
}

/// The terms for those who come to a desk, in words.
fn at_desk(page: &Page, procedure: &Procedure) -> Vec<String> {
    let terms = procedure.terms.iter();
    terms
        .filter(|one| one.channel != kernel::fact::Channel::Online)
        .map(|one| term(page, one))
        .collect()
}

/// What a field of the slip or a paper is called on the form: several of them can break one rule. A question is
/// named in its own problem.
fn called(page: &Page, procedure: &Procedure, field: &str) -> Option<String> {
    match field {
        "applicant_number" => Some(page.t("desk-number")),
        "applicant_name" => Some(page.t("desk-name")),
        wish::ADDRESS => Some(page.t("post-address")),
        wish::PHONE => Some(page.t("post-phone")),
        field => {
            let paper = procedure.paper(field.strip_prefix("paper-")?)?;
            Some(say(&paper.name, page.lang).to_owned())
        }
    }
}

/// What is said at the fields that are compared with a register which does not answer just now: since when, and what to
/// do meanwhile.
fn away<'p>(cases: &Cases, page: &Page, procedure: &'p Procedure) -> BTreeMap<&'p str, String> {
    let mut said = BTreeMap::new();
    for prefill in cases.checkable(procedure) {
        let Some(since) = cases.away_since(&prefill.service) else {
            continue;
        };
        let args = [
            ("source", say(&prefill.source, page.lang).to_owned()),
            ("since", page.time(since)),
        ];
        let words = page.tw("desk-intake-away", &args);
        for field in prefill.fills.keys() {
            said.entry(field.as_str()).or_insert_with(|| words.clone());
        }
    }
    said
}

fn show(
    cases: &Cases,
    page: &Page,
    procedure: &Procedure,
    (id, slip): (&str, &Slip),
    typed: Option<&Typed>,
    attached: &[Attached],
    problems: &[Problem],
) -> Result<Response, Problem> {
    let problems: &[Problem] = &problems
        .iter()
        .map(|problem| wish::named(page, &labelled(page, procedure, problem)))
        .collect::<Vec<_>>();
    let (draft, away) = (blank(procedure), away(cases, page, procedure));
    let section = |form: &crate::procedure::FormPage| {
        let field = |question: &Question| {
            let mut field = Field::new(cases, page, question, &draft, typed, problems);
            if form.show.is_some() || question.show.is_some() {
                // All of the form is on this page: what does not apply is left empty, and left out.
                field.hint = format!("{} {}", field.hint, page.t("desk-intake-if"))
                    .trim()
                    .to_owned();
            }
            if let Some(meanwhile) = away.get(question.code.as_str()) {
                field.hint = format!("{} {meanwhile}", field.hint).trim().to_owned();
            }
            field
        };
        form.questions.iter().map(field).collect()
    };
    let row = |paper| Row {
        paper,
        name: say(&paper.name, page.lang),
        attached: attached.iter().find(|one| one.code == paper.code),
        on_paper: slip.on_paper.contains(&paper.code),
        error: page.field_error(problems, &format!("paper-{}", paper.code)),
    };
    let title = say(&procedure.name, page.lang);
    let body = render(&FormPage {
        page,
        code: procedure.code.to_string(),
        name: title,
        terms: at_desk(page, procedure),
        fee: procedure.fee.is_some(),
        post: procedure.term(kernel::fact::Channel::Post).is_some(),
        boxes: cases
            .offers_post(procedure, cases.today())
            .then(|| Boxes::new(cases, page, procedure, (None, Some(&slip.wish)), problems)),
        id,
        slip,
        sections: procedure
            .pages
            .iter()
            .map(|form| (say(&form.title, page.lang), section(form)))
            .collect(),
        papers: procedure.papers.iter().map(row).collect(),
        errors: page.errors_named(problems, |field| called(page, procedure, field)),
        megabytes: paper::papers_bytes_max(cases) >> 20,
        problems,
    })?;
    Ok(match problems.is_empty() {
        true => page.html(title, body).into_response(),
        false => page.html_status(422, title, body),
    })
}
