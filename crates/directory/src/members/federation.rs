//! `GET /exchange/federation` and what programs do in its place: the other instances of the exchange that our
//! directory trusts, our own anchor to give to them, and theirs to look at, to trust and to withdraw. Never
//! trusts what an operator has not named by its hash.

use askama::Template;
use kernel::{Kind, Problem, Time};
use serde::{Deserialize, Serialize};
use web::axum::extract::{Path, State};
use web::axum::http::{StatusCode, header};
use web::axum::response::{Html, IntoResponse, Response};
use web::openapi::ToSchema;
use web::{Fields, Json, Operator, Page, Principal, Refusal};

use super::Age;
use super::reach::Keeper;
use crate::DirectoryState;
use crate::anchor::{self, Anchor};
use crate::instances::Followed;
use crate::registration::change::Change;

const PAGE: &str = "/exchange/federation";

/// What an anchor says.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AnchorSeen {
    /// The instance.
    #[schema(example = "LA")]
    instance: String,
    /// The organisation that publishes its directory.
    hub: String,
    /// Where its directory is asked for.
    urls: Vec<String>,
    /// The anchor's SHA-256.
    hash: String,
    /// The same in groups, to be compared by telephone.
    readable: String,
    /// Whose certificate signs the directory.
    certificate: String,
    /// From when that certificate holds, milliseconds.
    valid_from: i64,
    /// Until when, milliseconds.
    valid_to: i64,
    /// How many roots its instance has.
    roots: usize,
}

impl AnchorSeen {
    fn of(anchor: &Anchor) -> Result<Self, Problem> {
        let (certificate, hash) = (anchor.certificate()?, anchor.hash()?);
        Ok(Self {
            instance: anchor.instance.clone(),
            hub: anchor.hub.to_string(),
            urls: anchor.urls.clone(),
            hash: hash.hex(),
            readable: anchor::readable(&hash),
            certificate: certificate.common_name(),
            valid_from: certificate.not_before().ms(),
            valid_to: certificate.not_after().ms(),
            roots: anchor.roots.len(),
        })
    }

    fn until(&self, page: &Page) -> String {
        page.date(Time(self.valid_to).date())
    }
}

/// This instance's anchor.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AnchorGiven {
    /// The anchor as this hub signed it: the file that another hub's operator is given.
    anchor: String,
    /// What it says.
    seen: AnchorSeen,
}

/// An anchor that was given by another hub.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnchorBrought {
    /// The anchor as that hub signed it.
    anchor: String,
}

/// What comes of trusting an anchor.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AnchorChecked {
    /// What it says.
    seen: AnchorSeen,
    /// The hash of the anchor of the same instance whose place it would take.
    replaces: Option<String>,
}

/// An anchor that is trusted from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstanceWanted {
    /// The anchor as that hub signed it.
    anchor: String,
    /// Its hash, as it was compared with the other operator: 64 hexadecimal digits, in groups or not.
    hash: String,
    /// Why.
    reason: String,
}

/// Why an instance is trusted no more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstanceUnwanted {
    /// In words; everybody can read it.
    reason: String,
}

/// What a change did.
#[derive(Serialize, ToSchema)]
pub(crate) struct InstancePublished {
    /// The serial of the directory that says it first.
    serial: u64,
}

/// Another instance that is trusted, and what this node holds of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct InstanceSeen {
    /// What its anchor says.
    seen: AnchorSeen,
    /// Since when it is trusted, milliseconds.
    since: i64,
    /// Why.
    reason: String,
    /// The serial of its directory that this node holds; 0 when it has heard of none.
    serial: u64,
    /// How many members that directory has.
    members: usize,
    /// How long ago its hub confirmed that directory, in milliseconds; nothing before the first.
    age_ms: Option<i64>,
    /// True when that is longer ago than the node's bound, or when there is none; nothing stops for it.
    amber: bool,
}

impl InstanceSeen {
    fn of(state: &DirectoryState, followed: &Followed) -> Result<Self, Problem> {
        let store = state.directory.store();
        let age_ms = followed.age(store.world().now());
        let snapshot = followed.directory.snapshot();
        Ok(Self {
            seen: AnchorSeen::of(&followed.anchor)?,
            since: followed.entry.since.ms(),
            reason: followed.entry.reason.clone(),
            serial: snapshot.serial,
            members: snapshot.members.len(),
            age_ms,
            amber: age_ms.is_none_or(|age_ms| age_ms > store.limits().directory_age_ms_max),
        })
    }

    fn trusted(&self, page: &Page) -> String {
        page.time(Time(self.since))
    }

    fn confirmed(&self, page: &Page, now: &Time) -> String {
        self.age_ms
            .map_or_else(String::new, |age_ms| page.time(now.plus_ms(-age_ms)))
    }
}

/// Our own anchor; `None` elsewhere than at the hub.
fn own(state: &DirectoryState) -> Result<Option<AnchorGiven>, Problem> {
    let Some(hub) = &state.hub else {
        return Ok(None);
    };
    let (anchor, token) = hub.anchor(vec![state.base_url.clone()])?;
    let seen = AnchorSeen::of(&anchor)?;
    Ok(Some(AnchorGiven { anchor: token, seen }))
}

fn seen(state: &DirectoryState) -> Result<Vec<InstanceSeen>, Problem> {
    let others = state.directory.others();
    others
        .iter()
        .map(|other| InstanceSeen::of(state, other))
        .collect()
}

/// What an anchor says, when it may be trusted here.
fn checked(state: &DirectoryState, token: &str) -> Result<AnchorChecked, Problem> {
    state
        .registrar()
        .is_hub()
        .then_some(())
        .ok_or_else(Problem::not_found)?;
    let anchor = Anchor::read(token.trim())?;
    let now = state.directory.store().world().now();
    anchor.may_be_trusted(state.directory.instance(), now)?;
    let other = state.directory.other(&anchor.instance);
    Ok(AnchorChecked {
        seen: AnchorSeen::of(&anchor)?,
        replaces: other.map(|other| other.entry.hash.hex()),
    })
}

async fn trust(state: &DirectoryState, wanted: InstanceWanted, who: &Principal) -> Result<u64, Problem> {
    let hash = anchor::written(&wanted.hash).ok_or_else(|| Problem::invalid("hash", "anchor-hash"))?;
    let change = Change::TrustInstance {
        anchor: wanted.anchor.trim().to_owned(),
        hash,
        reason: kernel::text::clean(&wanted.reason),
    };
    state.registrar().enact(change, &who.actor).await
}

async fn untrust(
    state: &DirectoryState,
    instance: String,
    reason: &str,
    who: &Principal,
) -> Result<u64, Problem> {
    let reason = kernel::text::clean(reason);
    let change = Change::WithdrawInstance { instance, reason };
    state.registrar().enact(change, &who.actor).await
}

/// This instance's anchor, which its operator gives to the operator of another hub.
#[utoipa::path(get, path = "/api/v1/directory/anchor", tag = "directory", operation_id = "export_anchor",
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "The anchor, signed by this hub", body = AnchorGiven),
              (status = 404, description = "No hub here"), (status = 503, description = "Nothing was published yet")))]
pub(crate) async fn export(
    State(state): State<DirectoryState>,
    _: Keeper,
) -> Result<web::axum::Json<AnchorGiven>, Refusal> {
    let given = own(&state)?.ok_or_else(Problem::not_found)?;
    Ok(web::axum::Json(given))
}

/// The same as a file.
#[utoipa::path(get, path = "/exchange/federation/anchor", tag = "directory", operation_id = "download_anchor",
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "The anchor, signed by this hub", content_type = "application/jose", body = String),
              (status = 404, description = "No hub here")))]
pub(crate) async fn download(State(state): State<DirectoryState>, _: Keeper) -> Result<Response, Refusal> {
    let given = own(&state)?.ok_or_else(Problem::not_found)?;
    let name = format!("attachment; filename=\"anchor-{}.jws\"", given.seen.instance);
    let head = [
        (header::CONTENT_TYPE, "application/jose".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((head, given.anchor).into_response())
}

/// Lists the other instances that are trusted, with what this node holds of each.
#[utoipa::path(get, path = "/api/v1/directory/instances", tag = "directory", operation_id = "list_instances",
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "By their names", body = Vec<InstanceSeen>)))]
pub(crate) async fn json(
    State(state): State<DirectoryState>,
    _: Operator,
) -> Result<web::axum::Json<Vec<InstanceSeen>>, Refusal> {
    Ok(web::axum::Json(seen(&state)?))
}

/// Says what an anchor is, and whether it may be trusted here; trusts nothing.
#[utoipa::path(post, path = "/api/v1/directory/instances/check", tag = "directory",
    operation_id = "check_anchor", request_body = AnchorBrought, security(("session" = ["operator"])),
    extensions(("x-changes-nothing" = json!(true))),
    responses((status = 200, description = "What it says", body = AnchorChecked), (status = 404, description = "No hub here"),
              (status = 409, description = "Of this instance"), (status = 422, description = "No anchor, or over")))]
pub(crate) async fn check_by_json(
    State(state): State<DirectoryState>,
    _: Keeper,
    Json(brought): Json<AnchorBrought>,
) -> Result<web::axum::Json<AnchorChecked>, Refusal> {
    Ok(web::axum::Json(checked(&state, &brought.anchor)?))
}

/// Trusts another instance by its anchor and the hash that was compared.
#[utoipa::path(post, path = "/api/v1/directory/instances", tag = "directory",
    operation_id = "trust_instance", request_body = InstanceWanted, security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["instance-trusted", "directory-published", "directory-adopted"]))),
    responses((status = 200, description = "Published", body = InstancePublished), (status = 404, description = "No hub here"),
              (status = 409, description = "Of this instance, or trusted already"), (status = 422)))]
pub(crate) async fn trust_by_json(
    State(state): State<DirectoryState>,
    Keeper(who): Keeper,
    Json(wanted): Json<InstanceWanted>,
) -> Result<web::axum::Json<InstancePublished>, Refusal> {
    let serial = trust(&state, wanted, &who).await?;
    Ok(web::axum::Json(InstancePublished { serial }))
}

/// Trusts another instance no more: no call passes from or to it.
#[utoipa::path(post, path = "/api/v1/directory/instances/{instance}/withdraw", tag = "directory",
    operation_id = "withdraw_instance", request_body = InstanceUnwanted, security(("session" = ["operator"])),
    params(("instance" = String, Path, description = "Its name, `LA`")),
    extensions(("x-facts" = json!(["instance-withdrawn", "directory-published", "directory-adopted"]))),
    responses((status = 200, description = "Published", body = InstancePublished), (status = 404, description = "No hub here"),
              (status = 422, description = "No such instance, or no reason")))]
pub(crate) async fn withdraw_by_json(
    State(state): State<DirectoryState>,
    Keeper(who): Keeper,
    Path(instance): Path<String>,
    Json(unwanted): Json<InstanceUnwanted>,
) -> Result<web::axum::Json<InstancePublished>, Refusal> {
    let serial = untrust(&state, instance, &unwanted.reason, &who).await?;
    Ok(web::axum::Json(InstancePublished { serial }))
}

#[derive(Template)]
#[template(path = "federation.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    problems: &'a [Problem],
    age: Age,
    now: Time,
    home: &'a str,
    is_hub: bool,
    own: Option<AnchorGiven>,
    instances: Vec<InstanceSeen>,
    sent: &'a Sent,
    checked: Option<AnchorChecked>,
}

impl View<'_> {
    fn error(&self, field: &str) -> String {
        self.page.field_error(self.problems, field)
    }
}

/// What stands in the forms.
#[derive(Default)]
struct Sent {
    anchor: String,
    hash: String,
    reason: String,
}

impl Sent {
    fn of(fields: &Fields) -> Self {
        let text = |field: &str| fields.text(field).unwrap_or_default().to_owned();
        let file = fields.file("file");
        let file = file.and_then(|upload| String::from_utf8(upload.bytes.to_vec()).ok());
        Self {
            anchor: file.map_or_else(|| text("anchor"), |text| text.trim().to_owned()),
            hash: text("hash"),
            reason: text("reason"),
        }
    }
}

fn body(
    state: &DirectoryState,
    page: &Page,
    is_hub: bool,
    (sent, checked): (&Sent, Option<AnchorChecked>),
    problems: &[Problem],
) -> Result<String, Problem> {
    let view = View {
        errors: page.errors(problems),
        problems,
        age: Age::of(state, page),
        now: state.directory.store().world().now(),
        home: state.directory.instance(),
        is_hub,
        own: if is_hub { own(state)? } else { None },
        instances: seen(state)?,
        sent,
        checked,
        page,
    };
    view.render().map_err(Problem::internal)
}

/// The other instances, our anchor and theirs, as a page.
#[utoipa::path(get, path = "/exchange/federation", tag = "directory", operation_id = "federation_page",
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "instances and anchors", content_type = "text/html")))]
pub(crate) async fn page(
    State(state): State<DirectoryState>,
    Operator(who): Operator,
    page: Page,
) -> Result<Html<String>, Refusal> {
    let body = body(&state, &page, state.decides(&who), (&Sent::default(), None), &[])?;
    Ok(page.html(&page.t("directory-federation"), body))
}

/// What an uploaded anchor says, and the form by which it is trusted.
#[utoipa::path(post, path = "/exchange/federation/check", tag = "directory", operation_id = "check_anchor_by_form",
    security(("session" = ["operator"])), extensions(("x-changes-nothing" = json!(true))),
    responses((status = 200, description = "what it says", content_type = "text/html"), (status = 404, description = "No hub here"),
              (status = 409, description = "Of this instance"), (status = 422, description = "the page, with what is wrong")))]
pub(crate) async fn check_by_form(
    State(state): State<DirectoryState>,
    _: Keeper,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let sent = Sent::of(&fields);
    let told = checked(&state, &sent.anchor);
    answered(&state, &page, &sent, told.map(Some))
}

/// Trusts the instance of an anchor that was looked at.
#[utoipa::path(post, path = "/exchange/federation", tag = "directory", operation_id = "trust_instance_by_form",
    security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["instance-trusted", "directory-published", "directory-adopted"]))),
    responses((status = 303, description = "to the page"), (status = 404, description = "No hub here"),
              (status = 409, description = "Of this instance, or trusted already"),
              (status = 422, description = "the page, with what is wrong")))]
pub(crate) async fn trust_by_form(
    State(state): State<DirectoryState>,
    Keeper(who): Keeper,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let sent = Sent::of(&fields);
    let wanted = InstanceWanted {
        anchor: sent.anchor.clone(),
        hash: sent.hash.clone(),
        reason: sent.reason.clone(),
    };
    let done = trust(&state, wanted, &who).await;
    answered(&state, &page, &sent, done.map(|_| None))
}

/// Trusts an instance no more, by the form.
#[utoipa::path(post, path = "/exchange/federation/{instance}/withdraw", tag = "directory",
    operation_id = "withdraw_instance_by_form", security(("session" = ["operator"])),
    params(("instance" = String, Path, description = "Its name, `LA`")),
    extensions(("x-facts" = json!(["instance-withdrawn", "directory-published", "directory-adopted"]))),
    responses((status = 303, description = "to the page"), (status = 404, description = "No hub here"),
              (status = 422, description = "the page, with what is wrong")))]
pub(crate) async fn withdraw_by_form(
    State(state): State<DirectoryState>,
    Keeper(who): Keeper,
    page: Page,
    Path(instance): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let sent = Sent::of(&fields);
    let done = untrust(&state, instance, &sent.reason, &who).await;
    answered(&state, &page, &sent, done.map(|_| None))
}

/// The page with what came of a form: what was looked at, or what is wrong; after a change the page anew.
fn answered(
    state: &DirectoryState,
    page: &Page,
    sent: &Sent,
    done: Result<Option<AnchorChecked>, Problem>,
) -> Result<Response, Refusal> {
    let title = page.t("directory-federation");
    let is_hub = state.registrar().is_hub();
    match done {
        Ok(None) => Ok((StatusCode::SEE_OTHER, [(header::LOCATION, PAGE)]).into_response()),
        Ok(Some(told)) => Ok(page
            .html(&title, body(state, page, is_hub, (sent, Some(told)), &[])?)
            .into_response()),
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Conflict) => {
            let status = problem.kind.status();
            // Who was about to trust an anchor goes on where they were.
            let looked_at = checked(state, &sent.anchor).ok();
            let body = body(state, page, is_hub, (sent, looked_at), &[problem])?;
            Ok(page.html_status(status, &title, body))
        }
        Err(problem) => Err(problem.into()),
    }
}

#[cfg(test)]
mod tests {
    use crate::anchor::readable;
    use crate::anchor::tests::anchor;
    use crate::pages::tests::{get, portal, send};
    use crate::snapshot::tests::Nation;
    use web::axum::Router;
    use web::axum::body::Body;
    use web::http::{Request, StatusCode, header};

    async fn post(router: &Router, path: &str, media: &str, body: String) -> (StatusCode, String) {
        let request = Request::post(path)
            .header(header::HOST, "x")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, media)
            .body(Body::from(body));
        let (status, _, body) = send(router, request.expect("a request")).await;
        (status, body)
    }

    async fn form(router: &Router, path: &str, pairs: &[(&str, &str)]) -> (StatusCode, String) {
        let text: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", web::page::query_value(value)))
            .collect();
        post(router, path, "application/x-www-form-urlencoded", text.join("&")).await
    }

    #[tokio::test]
    async fn only_an_operator_sees_and_changes_whom_the_exchange_trusts() {
        let (_, token) = anchor(&Nation::of("LA"), "http://127.0.0.1:1");
        for (role, status) in [
            (None, StatusCode::UNAUTHORIZED),
            (Some("officer"), StatusCode::FORBIDDEN),
        ] {
            let temp = testkit::store(&[crate::MIGRATIONS]).await;
            let (router, hub) = portal(&temp, role).await;
            for path in ["anchor", "instances"] {
                let path = format!("/api/v1/directory/{path}");
                assert_eq!(get(&router, &path).await.0, status, "{path}");
            }
            for path in ["/exchange/federation", "/exchange/federation/anchor"] {
                assert_ne!(get(&router, path).await.0, StatusCode::OK, "{path}");
            }
            let body = serde_json::json!({ "anchor": token }).to_string();
            let path = "/api/v1/directory/instances/check";
            assert_eq!(post(&router, path, "application/json", body).await.0, status);
            let body = serde_json::json!({ "anchor": token, "hash": "x", "reason": "x" }).to_string();
            let path = "/api/v1/directory/instances";
            assert_eq!(post(&router, path, "application/json", body).await.0, status);
            let body = r#"{"reason":"x"}"#.to_owned();
            let path = "/api/v1/directory/instances/LA/withdraw";
            assert_eq!(post(&router, path, "application/json", body).await.0, status);
            for path in ["", "/check", "/LA/withdraw"] {
                let path = format!("/exchange/federation{path}");
                let (answer, _) = form(&router, &path, &[("anchor", &token), ("reason", "x")]).await;
                assert_ne!(answer, StatusCode::OK, "{path}");
            }
            assert!(hub.directory().others().is_empty());
        }
    }

    #[tokio::test]
    async fn an_instance_is_trusted_by_the_hash_that_was_compared_and_withdrawn_at_once() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, hub) = portal(&temp, Some("operator")).await;
        let (told, token) = anchor(&Nation::of("LA"), "http://127.0.0.1:1");
        let hash = readable(&told.hash().expect("a hash"));
        let (_, body) = get(&router, "/exchange/federation").await;
        assert!(!body.contains("directory-"), "a text without words: {body}");
        // A dry run shows what there is to compare, and trusts nothing.
        let (status, body) = form(&router, "/exchange/federation/check", &[("anchor", &token)]).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert!(body.contains(&hash) && !body.contains("directory-"), "{body}");
        assert!(hub.directory().others().is_empty());
        let wrong = readable(&kernel::Digest::of(b"another"));
        for (hash, reason, field) in [
            (wrong.as_str(), "Hiệp định", "hash-error"),
            (&hash, "", "reason-error"),
        ] {
            let sent = [("anchor", token.as_str()), ("hash", hash), ("reason", reason)];
            let (status, body) = form(&router, "/exchange/federation", &sent).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(
                body.contains(field) && hub.directory().others().is_empty(),
                "{body}"
            );
        }
        let sent = [
            ("anchor", token.as_str()),
            ("hash", &hash),
            ("reason", "Hiệp định"),
        ];
        let (status, body) = form(&router, "/exchange/federation", &sent).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{body}");
        assert!(hub.directory().knows("LA"));
        let (status, _) = form(&router, "/exchange/federation", &sent).await;
        assert_eq!(status, StatusCode::CONFLICT, "it is trusted already");
        let (_, body) = get(&router, "/exchange/federation").await;
        assert!(
            body.contains(&hash) && body.contains("Hiệp định") && !body.contains("directory-"),
            "{body}"
        );
        let (_, body) = get(&router, "/api/v1/directory/instances").await;
        assert!(
            body.contains("\"instance\":\"LA\"") && body.contains("\"amber\":true"),
            "{body}"
        );
        let tenant = "G22".parse().expect("a code");
        let path = "/exchange/federation/LA/withdraw";
        let (status, body) = form(&router, path, &[("reason", "")]).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let (status, _) = form(&router, path, &[("reason", "Hết hạn")]).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert!(!hub.directory().knows("LA"));
        let facts = temp
            .store
            .facts_of(&tenant, "directory-entry/instance/LA")
            .await
            .expect("read");
        assert_eq!(facts.len(), 2, "both are facts, with their reasons");
        let told = serde_json::to_string(&facts[1].fact).expect("json");
        assert!(
            told.contains("instance-withdrawn") && told.contains("Hết hạn"),
            "{told}"
        );
    }

    #[tokio::test]
    async fn an_anchor_of_our_own_instance_is_refused() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, _) = portal(&temp, Some("operator")).await;
        let (status, token, body) = {
            let (status, body) = get(&router, "/api/v1/directory/anchor").await;
            let json: serde_json::Value = serde_json::from_str(&body).expect("json");
            (status, json["anchor"].as_str().expect("a token").to_owned(), body)
        };
        assert!(
            status == StatusCode::OK && body.contains("\"instance\":\"VN\""),
            "{body}"
        );
        let sent = serde_json::json!({ "anchor": token }).to_string();
        let (status, body) = post(
            &router,
            "/api/v1/directory/instances/check",
            "application/json",
            sent,
        )
        .await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(body.contains("anchor-own-instance"), "{body}");
        let (status, body) = get(&router, "/exchange/federation/anchor").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            crate::anchor::Anchor::read(&body).expect("read"),
            crate::anchor::Anchor::read(&token).expect("read")
        );
    }
}
