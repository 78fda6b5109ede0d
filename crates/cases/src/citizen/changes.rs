//! `GET /procedures/{code}/versions/{version}/changes` and its twin: what a version of a procedure says
//! otherwise than the one before it, in plain words, and how much is saved or added. Public; never an answer
//! of anybody.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Html;
use kernel::time::iso;
use kernel::{Date, Digest, Problem, ProcedureCode};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::{Json, Page, Refusal};

use crate::citizen::render;
use crate::procedure::Procedure;
use crate::shown::say;
use crate::state::Cases;
use crate::versions::told::{Group, Told, VersionChange};

/// With which version it is compared.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Than {
    /// Its name; the version before when nothing is said.
    #[serde(default)]
    than: String,
}

/// A version with its first day and its name.
type Named = (Date, Digest, Arc<Procedure>);

/// A version and the one that it is compared with.
struct Pair {
    now: Named,
    was: Option<Named>,
}

/// What a version says otherwise than another.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionDifference {
    /// The version: the SHA-256 of its document.
    version: String,
    /// First day on which cases are filed under it.
    valid_from: String,
    /// The version that it is compared with; none for the first.
    than: Option<String>,
    /// The first day of that one.
    than_from: Option<String>,
    /// How much is asked more or less: what of, and how much.
    balance: Vec<BalanceLine>,
    /// Every change.
    items: Vec<VersionChange>,
}

/// How much of one thing is asked more or less.
#[derive(Debug, Serialize, ToSchema)]
pub struct BalanceLine {
    /// What of.
    what: String,
    /// How much.
    by: String,
}

#[derive(Template)]
#[template(path = "changes.html")]
struct View<'a> {
    page: &'a Page,
    code: &'a ProcedureCode,
    name: &'a str,
    from: String,
    /// The first day of the version before; none for the first version.
    than: Option<String>,
    balance: Vec<(String, String)>,
    groups: Vec<Group>,
}

fn pair(cases: &Cases, code: &str, version: &str, than: &Than) -> Result<Pair, Problem> {
    let code: ProcedureCode = code.parse().map_err(|_| Problem::not_found())?;
    let versions = cases.versions_of(&code);
    let at = |name: &str| {
        let name = Digest::parse(name)?;
        versions.iter().position(|(_, version, _)| *version == name)
    };
    let now = at(version).ok_or_else(Problem::not_found)?;
    let was = match than.than.as_str() {
        "" => now.checked_sub(1),
        name => Some(at(name).ok_or_else(|| Problem::invalid("than", "version-unknown"))?),
    };
    let take = |at: usize| versions.get(at).cloned().ok_or_else(Problem::not_found);
    Ok(Pair {
        now: take(now)?,
        was: was.map(take).transpose()?,
    })
}

/// What changed with a version.
#[utoipa::path(get, path = "/procedures/{code}/versions/{version}/changes", tag = "cases", security(()),
    params(("code" = String, Path, description = "the procedure's code"),
           ("version" = String, Path, description = "the version"),
           ("than" = Option<String>, Query, description = "another version to compare it with")),
    responses((status = 200, description = "what changed", content_type = "text/html"), (status = 404), (status = 422)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    page: Page,
    Path((code, version)): Path<(String, String)>,
    Query(than): Query<Than>,
) -> Result<Html<String>, Refusal> {
    let pair = pair(&cases, &code, &version, &than)?;
    let (from, _, now) = &pair.now;
    let told = pair.was.as_ref().map(|(_, _, was)| Told::new(&page, was, now));
    let body = render(&View {
        page: &page,
        code: &now.code,
        name: say(&now.name, page.lang),
        from: page.date(*from),
        than: pair.was.as_ref().map(|(from, ..)| page.date(*from)),
        balance: told.as_ref().map(Told::balance).unwrap_or_default(),
        groups: told.as_ref().map(Told::groups).unwrap_or_default(),
    })?;
    Ok(page.html(&page.t("diff-title"), body))
}

/// What changed with a version.
#[utoipa::path(get, path = "/api/v1/procedures/{code}/versions/{version}/changes", tag = "cases", security(()),
    params(("code" = String, Path, description = "the procedure's code"),
           ("version" = String, Path, description = "the version"),
           ("than" = Option<String>, Query, description = "another version to compare it with")),
    responses((status = 200, body = VersionDifference), (status = 404), (status = 422)))]
pub(crate) async fn api(
    State(cases): State<Cases>,
    page: Page,
    Path((code, version)): Path<(String, String)>,
    Query(than): Query<Than>,
) -> Result<Json<VersionDifference>, Refusal> {
    let pair = pair(&cases, &code, &version, &than)?;
    let (from, version, now) = &pair.now;
    let told = pair.was.as_ref().map(|(_, _, was)| Told::new(&page, was, now));
    let balance = told.as_ref().map(Told::balance).unwrap_or_default();
    Ok(Json(VersionDifference {
        version: version.to_string(),
        valid_from: iso(*from),
        than: pair.was.as_ref().map(|(_, version, _)| version.to_string()),
        than_from: pair.was.as_ref().map(|(from, ..)| iso(*from)),
        balance: balance
            .into_iter()
            .map(|(what, by)| BalanceLine { what, by })
            .collect(),
        items: told.as_ref().map(Told::changes).unwrap_or_default(),
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::Catalogue;
    use crate::procedure::{Procedure, TermRule};
    use crate::testing::{Portal, birth, nouns};

    /// The pack with a second version of the birth registration, in force from 1 November 2026.
    fn two_versions() -> Arc<Catalogue> {
        let mut now = Procedure::clone(&birth());
        now.valid_from = "2026-11-01".to_owned();
        now.papers.clear();
        now.pages[0].questions[0].label.vi = "Tên <em>đầy đủ</em> của trẻ".to_owned();
        for term in &mut now.terms {
            term.rule = TermRule::WorkingDays { days: 2 };
        }
        let entry = nouns().catalogue.entry(&now.code).expect("an entry").clone();
        let old = Procedure::clone(&birth());
        Arc::new(Catalogue::of(vec![entry], vec![old, now], Vec::new()).expect("days"))
    }

    async fn names(portal: &Portal) -> Vec<String> {
        let listed = portal.get(None, "/api/v1/procedures/1.001193/versions").await;
        let items = listed.json()["items"].as_array().expect("versions").clone();
        let name = |item: &serde_json::Value| item["version"].as_str().expect("a name").to_owned();
        items.iter().map(name).collect()
    }

    #[tokio::test]
    async fn anyone_reads_in_plain_words_what_a_new_version_of_a_procedure_asks_otherwise() {
        let portal = Portal::new().await.with_catalogue(two_versions());
        let versions = names(&portal).await;
        let [old, new] = &versions[..] else {
            panic!("two versions")
        };
        let list = portal.get(None, "/procedures/1.001193/versions").await;
        assert_eq!(list.status, 200);
        assert!(
            list.body
                .contains(&format!("/procedures/1.001193/versions/{new}/changes"))
        );
        let page = portal
            .get(None, &format!("/procedures/1.001193/versions/{new}/changes"))
            .await;
        assert_eq!(page.status, 200);
        for words in ["bớt 1", "Giấy chứng sinh", "2 ngày làm việc", "đầy đủ"] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        assert!(!page.body.contains("<em>"), "a text is shown as text");
        let told = portal
            .get(
                None,
                &format!("/api/v1/procedures/1.001193/versions/{new}/changes"),
            )
            .await
            .json();
        assert_eq!(told["than"], old.as_str());
        assert_eq!(told["valid_from"], "2026-11-01");
        let items = told["items"].as_array().expect("changes");
        assert!(
            items
                .iter()
                .any(|item| item["part"] == "papers" && item["how"] == "gone" && item["code"] == "GCS")
        );
        let back = portal
            .get(
                None,
                &format!("/api/v1/procedures/1.001193/versions/{old}/changes?than={new}"),
            )
            .await
            .json();
        assert_eq!(
            back["items"][0]["how"], "added",
            "seen from the other side: {back}"
        );
    }

    #[tokio::test]
    async fn the_first_version_has_none_before_it_and_what_is_no_version_is_refused() {
        let portal = Portal::new().await;
        let version = birth().version();
        let path = format!("/procedures/1.001193/versions/{version}/changes");
        let first = portal.get(None, &path).await;
        assert!(
            first.status == 200 && first.body.contains("bản đầu tiên"),
            "{}",
            first.body
        );
        let told = portal.get(None, &format!("/api/v1{path}")).await.json();
        assert!(told["than"].is_null() && told["items"] == serde_json::json!([]));
        for begin in ["", "/api/v1"] {
            let than = portal.get(None, &format!("{begin}{path}?than=x")).await;
            assert_eq!(than.status, 422);
            for unknown in ["1.001193/versions/x", "9.999999/versions/x", "x/versions/x"] {
                let refused = portal
                    .get(None, &format!("{begin}/procedures/{unknown}/changes"))
                    .await;
                assert_eq!(refused.status, 404, "{unknown}");
            }
        }
        assert_eq!(portal.get(None, "/procedures/x/versions").await.status, 404);
    }
}
