//! `GET /exchange/groups`: the groups of systems in the directory this node holds, and those that it keeps
//! for itself, which its operator makes, changes and ends here and as programs do. Programs read the
//! global ones at `/api/v1/directory`. Never a right by itself: see [`crate::groups`].

use std::collections::BTreeSet;

use askama::Template;
use kernel::{Kind, Problem};
use web::axum::extract::{Path, Query, State};
use web::axum::http::{StatusCode, header};
use web::axum::response::{Html, IntoResponse, Response};
use web::{Fields, Json, Operator, Page, Principal, Refusal};

use super::Age;
use super::reach::Keeper;
use crate::DirectoryState;
use crate::groups::LocalGroup;
use crate::snapshot::GroupEntry;

const PAGE: &str = "/exchange/groups";

#[derive(Template)]
#[template(path = "groups.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    age: Age,
    is_hub: bool,
    /// The local groups are theirs to change.
    keeps: bool,
    groups: &'a [GroupEntry],
    local: Vec<LocalGroup>,
    /// What stands in the form.
    code: String,
    name: String,
    systems: String,
    problems: &'a [Problem],
}

impl View<'_> {
    fn error(&self, field: &str) -> String {
        self.page.field_error(self.problems, field)
    }
}

fn body(
    state: &DirectoryState,
    page: &Page,
    (sent, problems): (&LocalGroup, &[Problem]),
    who: &Principal,
) -> Result<String, Problem> {
    let snapshot = state.directory.snapshot();
    let view = View {
        errors: page.errors(problems),
        age: Age::of(state, page),
        is_hub: state.decides(who),
        keeps: state.own(who).is_none(),
        groups: &snapshot.groups,
        local: state.directory.local_groups(),
        code: sent.code.clone(),
        name: sent.name.clone(),
        systems: lines(&sent.systems),
        problems,
        page,
    };
    view.render().map_err(Problem::internal)
}

fn lines(systems: &BTreeSet<String>) -> String {
    let all: Vec<&str> = systems.iter().map(String::as_str).collect();
    all.join("\n")
}

/// Which local group the form is filled with.
#[derive(serde::Deserialize)]
pub(crate) struct Filled {
    group: Option<String>,
}

/// The groups of systems as a page.
#[utoipa::path(get, path = "/exchange/groups", tag = "directory", operation_id = "groups_page",
    params(("group" = Option<String>, Query, description = "The local group that the form is filled with")),
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the groups", content_type = "text/html")))]
pub(crate) async fn page(
    State(state): State<DirectoryState>,
    Operator(who): Operator,
    page: Page,
    Query(filled): Query<Filled>,
) -> Result<Html<String>, Refusal> {
    let mut local = state.directory.local_groups().into_iter();
    let group = filled
        .group
        .and_then(|code| local.find(|group| group.code == code));
    let body = body(&state, &page, (&group.unwrap_or_default(), &[]), &who)?;
    Ok(page.html(&page.t("directory-groups"), body))
}

/// Lists the local groups of this node.
#[utoipa::path(get, path = "/api/v1/directory/local-groups", tag = "directory",
    operation_id = "list_local_groups", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "The local groups, by their codes", body = Vec<LocalGroup>)))]
pub(crate) async fn json(
    State(state): State<DirectoryState>,
    _: Operator,
) -> web::axum::Json<Vec<LocalGroup>> {
    web::axum::Json(state.directory.local_groups())
}

/// Makes a local group, or puts it in the place of the one of its code.
#[utoipa::path(post, path = "/api/v1/directory/local-groups", tag = "directory",
    operation_id = "save_local_group", request_body = LocalGroup, security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["group-saved"]))),
    responses((status = 204, description = "Kept"), (status = 409, description = "It is so already"), (status = 422)))]
pub(crate) async fn save_by_json(
    State(state): State<DirectoryState>,
    Keeper(who): Keeper,
    Json(group): Json<LocalGroup>,
) -> Result<StatusCode, Refusal> {
    state.directory.save_local_group(group, &who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same by the form.
#[utoipa::path(post, path = "/exchange/groups", tag = "directory", operation_id = "save_local_group_by_form",
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["group-saved"]))),
    responses((status = 303, description = "to the groups"), (status = 409, description = "It is so already"),
              (status = 422, description = "the page again, with what is wrong")))]
pub(crate) async fn save_by_form(
    State(state): State<DirectoryState>,
    Keeper(who): Keeper,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let text = |field: &str| fields.text(field).unwrap_or_default().to_owned();
    let systems = fields.lines("systems").unwrap_or_default();
    let systems = systems.lines().map(str::trim).filter(|line| !line.is_empty());
    let group = LocalGroup {
        code: text("code"),
        name: text("name"),
        systems: systems.map(str::to_owned).collect(),
    };
    match state.directory.save_local_group(group.clone(), &who.actor).await {
        Ok(()) => Ok(see()),
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Conflict) => {
            let status = problem.kind.status();
            let body = body(&state, &page, (&group, &[problem]), &who)?;
            Ok(page.html_status(status, &page.t("directory-groups"), body))
        }
        Err(problem) => Err(problem.into()),
    }
}

fn see() -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, PAGE)]).into_response()
}

/// Ends a local group; what was agreed with its members under it ends too.
#[utoipa::path(post, path = "/api/v1/directory/local-groups/{group}/end", tag = "directory",
    operation_id = "end_local_group", params(("group" = String, Path, description = "Its code")),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["group-ended"]))),
    responses((status = 204, description = "Ended"), (status = 404)))]
pub(crate) async fn end_by_json(
    State(state): State<DirectoryState>,
    Keeper(who): Keeper,
    Path(group): Path<String>,
) -> Result<StatusCode, Refusal> {
    state.directory.end_local_group(&group, &who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same by a form.
#[utoipa::path(post, path = "/exchange/groups/{group}/end", tag = "directory",
    operation_id = "end_local_group_by_form", params(("group" = String, Path, description = "Its code")),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["group-ended"]))),
    responses((status = 303, description = "to the groups"), (status = 404)))]
pub(crate) async fn end_by_form(
    State(state): State<DirectoryState>,
    Keeper(who): Keeper,
    Path(group): Path<String>,
) -> Result<Response, Refusal> {
    state.directory.end_local_group(&group, &who.actor).await?;
    Ok(see())
}

#[cfg(test)]
mod tests {
    use crate::pages::tests::{get, portal, send};
    use web::axum::body::Body;
    use web::http::{Request, StatusCode, header};

    async fn post(router: &web::axum::Router, path: &str, form: &str) -> (StatusCode, String) {
        let request = Request::post(path)
            .header(header::HOST, "x")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()));
        let (status, _, body) = send(router, request.expect("a request")).await;
        (status, body)
    }

    #[tokio::test]
    async fn an_operator_keeps_a_local_group_by_the_page_and_nobody_else_does() {
        for (role, status) in [
            (None, StatusCode::UNAUTHORIZED),
            (Some("officer"), StatusCode::FORBIDDEN),
            (Some("operator"), StatusCode::SEE_OTHER),
        ] {
            let temp = testkit::store(&[crate::MIGRATIONS]).await;
            let (router, hub) = portal(&temp, role).await;
            let form = "code=partners&name=B%E1%BA%A1n&systems=G01%2Fpopulation";
            let (answer, _) = post(&router, "/exchange/groups", form).await;
            assert!(
                answer == status || (role.is_none() && answer == StatusCode::SEE_OTHER),
                "{role:?}"
            );
            let kept = hub.directory().in_local_group("partners", "G01/population");
            assert_eq!(kept, role == Some("operator"));
            let (answer, _) = post(&router, "/exchange/groups/partners/end", "").await;
            assert_eq!(hub.directory().local_groups().len(), 0, "{role:?} {answer}");
        }
    }

    #[tokio::test]
    async fn the_page_shows_both_kinds_of_groups_and_what_is_wrong_at_its_field() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, _) = portal(&temp, Some("operator")).await;
        let wrong = "code=partners&name=B%E1%BA%A1n&systems=G01%2Fnone";
        let (status, body) = post(&router, "/exchange/groups", wrong).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            body.contains("systems-error") && body.contains("G01/none"),
            "{body}"
        );
        let right = wrong.replace("none", "population");
        let (status, _) = post(&router, "/exchange/groups", &right).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let (_, body) = get(&router, "/exchange/groups?group=partners").await;
        assert!(body.contains("/exchange/groups/partners/end") && body.contains("value=\"partners\""));
        assert!(!body.contains("directory-"), "a text without words");
        let (_, body) = get(&router, "/api/v1/directory/local-groups").await;
        assert_eq!(
            body,
            r#"[{"code":"partners","name":"Bạn","systems":["G01/population"]}]"#
        );
        let (status, _) = post(&router, "/exchange/groups", &right).await;
        assert_eq!(status, StatusCode::CONFLICT, "nothing new is said");
    }
}
