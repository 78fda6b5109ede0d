//! `/desk/batch/sign`: what waits for the signer is read once more, result by result, and signed together: each by
//! the path of a single signature. Never signs what is not shown, and a second press changes nothing.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::fact::Outcome;
use kernel::{CaseCode, Kind, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal, SignedIn};

use super::{BatchDone, BatchLine, bounded, done_page, pick, picked};
use crate::case::Case;
use crate::citizen::render;
use crate::desk::official::code;
use crate::desk::step::may;
use crate::procedure::{Procedure, Verb};
use crate::shown::say;
use crate::state::Cases;

/// Who signs results.
pub(crate) const SIGNERS: [&str; 2] = ["chairman", "deputy-chairman"];

/// The cases to be signed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignChosen {
    /// Each once.
    cases: Vec<ChosenCase>,
}

/// A case and what was seen of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChosenCase {
    /// The case's code.
    #[schema(example = "G22-261121-0001")]
    code: String,
    /// The revision that was seen.
    revision: i64,
}

#[derive(Template)]
#[template(path = "desk_batch_sign.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    rows: Vec<Row>,
    /// What the button says; none where nothing can be signed.
    button: Option<String>,
}

/// A result before it is signed.
struct Row {
    code: CaseCode,
    /// As the form carries it; none for what cannot be signed.
    pick: Option<String>,
    /// What is called how, in reading order.
    facts: Vec<(String, String)>,
    /// There is a draft to read.
    draft: bool,
    /// What stands against it.
    why: String,
}

/// The chosen results, before they are signed.
#[utoipa::path(get, path = "/desk/batch/sign", tag = "desk", security(("session" = ["chairman", "deputy-chairman"])),
    params(("pick" = Vec<String>, Query, description = "the chosen cases with the revisions that were seen, `CODE.REVISION`")),
    responses((status = 200, description = "what each result says", content_type = "text/html"), (status = 403), (status = 404),
              (status = 422, description = "none were chosen, or too many", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    signer(&cases, &who)?;
    shown(&cases, &who, &page, &fields).await
}

/// Signs the chosen results.
#[utoipa::path(post, path = "/desk/batch/sign", tag = "desk", security(("session" = ["chairman", "deputy-chairman"])),
    responses((status = 200, description = "how it went with each", content_type = "text/html"), (status = 403), (status = 404),
              (status = 422, description = "none were chosen, or too many", content_type = "text/html")),
    extensions(("x-facts" = json!(["document-issued", "case-signed", "case-decided", "obligation-met", "case-returned"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    signer(&cases, &who)?;
    let Ok(picks) = picked(&fields, cases.store.limits().desk_batch_max) else {
        return shown(&cases, &who, &page, &fields).await;
    };
    let picks: Vec<_> = picks
        .into_iter()
        .map(|(code, revision)| (code.to_string(), revision))
        .collect();
    let done = cases.sign_all(&who, &picks).await;
    let title = page.t("desk-batch-sign");
    let body = done_page(&page, &title, &page.t("desk-batch-signed"), &done)?;
    Ok(page.html(&title, body).into_response())
}

/// Signs some results.
#[utoipa::path(post, path = "/api/v1/desk/batch/sign", tag = "desk", security(("session" = ["chairman", "deputy-chairman"])),
    request_body = SignChosen,
    responses((status = 200, description = "how it went with each", body = BatchDone), (status = 403), (status = 404), (status = 422)),
    extensions(("x-facts" = json!(["document-issued", "case-signed", "case-decided", "obligation-met", "case-returned"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Json(chosen): Json<SignChosen>,
) -> Result<Json<BatchDone>, Refusal> {
    signer(&cases, &who)?;
    let picks = chosen.cases.into_iter().map(|case| (case.code, case.revision));
    let picks = bounded(picks.collect(), cases.store.limits().desk_batch_max)?;
    Ok(Json(cases.sign_all(&who, &picks).await))
}

/// Refuses who signs nothing here.
fn signer(cases: &Cases, who: &Principal) -> Result<(), Problem> {
    cases.official(who)?;
    who.require_any(&SIGNERS)
}

/// The page with the chosen results, or with what is wrong with the choice.
async fn shown(cases: &Cases, who: &Principal, page: &Page, fields: &Fields) -> Result<Response, Refusal> {
    let title = page.t("desk-batch-sign");
    let mut rows = Vec::new();
    match picked(fields, cases.store.limits().desk_batch_max) {
        Ok(picks) => {
            for (code, revision) in picks {
                rows.push(cases.to_be_signed(who, page, code, revision).await?);
            }
            Ok(page.html(&title, body(page, rows, &[])?).into_response())
        }
        Err(problem) if problem.kind == Kind::Invalid => {
            let body = body(page, rows, &[problem])?;
            Ok(page.html_status(422, &title, body))
        }
        Err(problem) => Err(problem.into()),
    }
}

fn body(page: &Page, rows: Vec<Row>, problems: &[Problem]) -> Result<String, Problem> {
    let count = rows.iter().filter(|row| row.pick.is_some()).count();
    render(&View {
        page,
        errors: page.errors(problems),
        button: (count > 0).then(|| page.tw("desk-batch-sign-button", &[("n", count.to_string())])),
        rows,
    })
}

/// What stands against signing a case: the same as [`Cases::sign`] would say.
fn against(case: &Case, procedure: &Procedure, who: &Principal, revision: i64) -> Result<(), Problem> {
    case.not_own(who.subject.as_ref())?;
    may(case, procedure, Verb::Sign, who, revision)?;
    case.not_proposed_by(&who.account)?;
    match case.proposal {
        Some(_) => Ok(()),
        None => Err(Problem::new(Kind::Conflict, "case-no-proposal")),
    }
}

/// What a result says, as its signer reads it.
fn facts(page: &Page, case: &Case, procedure: &Procedure) -> Vec<(String, String)> {
    let mut facts = vec![
        (
            page.t("desk-procedure"),
            say(&procedure.name, page.lang).to_owned(),
        ),
        (page.t("desk-applicant"), case.applicant.name.clone()),
    ];
    if let Some(proposal) = &case.proposal {
        let outcome = match proposal.outcome {
            Outcome::Granted => page.t("desk-granted"),
            Outcome::Refused => page.t("desk-refused"),
        };
        facts.push((page.t("desk-proposal"), outcome));
        if !proposal.note.is_empty() {
            facts.push((page.t("desk-note"), proposal.note.clone()));
        }
    }
    if let Some(act) = &case.act {
        facts.push((page.t("desk-act-number"), act.act_number.clone()));
    }
    if let Some(accepted) = &case.accepted {
        facts.push((page.t("desk-due"), page.time(accepted.due)));
    }
    facts
}

impl Cases {
    /// A chosen case as its signer reads it before: reading it leaves a fact.
    async fn to_be_signed(
        &self,
        who: &Principal,
        page: &Page,
        code: CaseCode,
        revision: i64,
    ) -> Result<Row, Problem> {
        let (held, procedure) = match self.looked(who, &code).await {
            Ok(looked) => looked,
            Err(problem) if problem.kind == Kind::NotFound => {
                return Ok(Row {
                    code,
                    pick: None,
                    facts: Vec::new(),
                    draft: false,
                    why: page.problem_text(&problem),
                });
            }
            Err(problem) => return Err(problem),
        };
        let case = &held.case;
        let why = against(case, &procedure, who, revision).err();
        Ok(Row {
            pick: why.is_none().then(|| pick(&code, revision)),
            facts: facts(page, case, &procedure),
            draft: case.course.draft.is_some(),
            why: why.map(|problem| page.problem_text(&problem)).unwrap_or_default(),
            code,
        })
    }

    /// Signs one after the other; what is refused for one is no reason to leave the others.
    async fn sign_all(&self, who: &Principal, picks: &[(String, i64)]) -> BatchDone {
        let mut items = Vec::with_capacity(picks.len());
        for (text, revision) in picks {
            let done = match code(text) {
                Ok(code) => self.sign(who, &code, *revision).await,
                Err(problem) => Err(problem),
            };
            items.push(BatchLine::of(text, done));
        }
        BatchDone { items }
    }
}

#[cfg(test)]
mod tests {
    use kernel::limits::Limits;
    use serde_json::{Value, json};

    use crate::desk::testing::{CASE, Desk, handover, plain_templates};

    const API: &str = "/api/v1/desk/batch/sign";
    const PAGE: &str = "/desk/batch/sign";
    const OTHER: &str = "G22-261121-0002";

    /// Two cases: one that can be signed, one that has only come in.
    async fn two() -> (Desk, String) {
        let desk = Desk::new().await;
        desk.to_sign().await;
        let mut other = handover();
        other["code"] = json!(OTHER);
        desk.receive(&other).await.expect("received");
        let pick = format!("{CASE}.{}", desk.revision().await);
        (desk, pick)
    }

    #[tokio::test]
    async fn the_chosen_results_are_signed_one_by_one_and_each_has_its_outcome() {
        let (desk, pick) = two().await;
        let other = format!("{OTHER}.0");
        let list = desk.get("chu", "/desk?state=to-sign").await.body;
        assert!(
            list.contains(&format!("value=\"{pick}\"")) && list.contains("formaction=\"/desk/batch/sign\""),
            "{list}"
        );
        let before = desk.get("chu", &format!("{PAGE}?pick={pick}&pick={other}")).await;
        assert_eq!(before.status, 200, "{}", before.body);
        let page = before.body;
        assert!(
            page.contains("Đồng ý giải quyết") && page.contains("Ký 1 kết quả"),
            "{page}"
        );
        assert!(page.contains(&format!("value=\"{pick}\"")) && !page.contains(&format!("value=\"{other}\"")));
        let fields = [("pick", pick.as_str()), ("pick", other.as_str())];
        let done = desk.form("chu", PAGE, &fields).await;
        assert!(done.status == 200 && done.body.contains("Đã ký"), "{}", done.body);
        assert_eq!(desk.state().await, "to-seal");
        let signed = async || {
            let all = desk.facts().await;
            all.iter().filter(|fact| *fact == "case-signed").count()
        };
        assert_eq!(signed().await, 1);
        let again = desk.form("chu", PAGE, &fields).await;
        assert!(
            again.status == 200 && again.body.contains("Đã ký"),
            "a second press: {}",
            again.body
        );
        assert_eq!((signed().await, desk.state().await.as_str()), (1, "to-seal"));
    }

    #[tokio::test]
    async fn a_batch_is_refused_to_who_signs_nothing_and_says_what_is_wrong_with_each_case() {
        let (desk, pick) = two().await;
        let body = json!({"cases": [{"code": CASE, "revision": 1}]});
        for (who, status) in [
            ("tiep", 403),
            ("tich", 403),
            ("giam", 403),
            ("xa", 404),
            ("", 401),
        ] {
            assert_eq!(desk.post(who, API, &body).await.status, status, "{who}");
            if !who.is_empty() {
                let page = desk.get(who, &format!("{PAGE}?pick={pick}")).await;
                assert_eq!(page.status, status, "{who}");
            }
        }
        let why = async |who: &str, code: &str, revision: i64| {
            let body = json!({"cases": [{"code": code, "revision": revision}]});
            let told: Value = desk.post(who, API, &body).await.json();
            told["items"][0]["why"].as_str().unwrap_or_default().to_owned()
        };
        assert_eq!(
            why("chu", CASE, 1).await,
            "stale",
            "an older page says nothing about what is signed"
        );
        assert_eq!(why("chu", "nonsense", 1).await, "not-found");
        let own = desk.form("chu", PAGE, &[("pick", "nonsense")]).await;
        assert_eq!(own.status, 400);
        assert_eq!(desk.state().await, "to-sign");
    }

    #[tokio::test]
    async fn none_chosen_and_too_many_chosen_are_told_and_nothing_is_signed() {
        let limits = Limits {
            desk_batch_max: 1,
            ..Limits::default()
        };
        let desk = Desk::with(plain_templates(), limits).await;
        desk.receive(&handover()).await.expect("received");
        let none = desk.get("chu", PAGE).await;
        assert!(
            none.status == 422 && none.body.contains("error-summary"),
            "{}",
            none.body
        );
        let two = json!({"cases": [{"code": CASE, "revision": 1}, {"code": OTHER, "revision": 1}]});
        let told = desk.post("chu", API, &two).await;
        assert_eq!((told.status, told.problem().as_str()), (422, "batch-long"));
        let empty = desk.post("chu", API, &json!({"cases": []})).await;
        assert_eq!((empty.status, empty.problem().as_str()), (422, "batch-empty"));
    }
}
