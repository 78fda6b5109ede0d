//! `GET /exchange/members` and its twin: the members of the directory that this node holds, to search
//! and page through, and how old it is. Never what a member may do: that is in the agreements.

use std::collections::HashMap;

use askama::Template;
use kernel::text::fold;
use kernel::{OrgCode, Problem};
use serde::{Deserialize, Serialize};
use web::axum::Json;
use web::axum::extract::{Query, State};
use web::axum::response::Html;
use web::openapi::ToSchema;
use web::page::query_value;
use web::{Operator, Page, Refusal};

use super::{Age, Shown, age};
use crate::DirectoryState;
use crate::snapshot::{self, MemberEntry, Snapshot};

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Words in the code or the name of a member, or of one of its systems.
    q: Option<String>,
    /// Go on after this member's code: the next page.
    after: Option<String>,
}

/// A member as programs read it.
#[derive(Serialize, ToSchema)]
pub(crate) struct MemberLine {
    /// Its code.
    org: String,
    /// Its name.
    name: String,
    /// Its class.
    class: String,
    /// The node that hosts it.
    node: String,
    /// How many systems it has.
    systems: usize,
    /// True when this node speaks for it.
    ours: bool,
    /// True when it takes part in no exchange for a time.
    disabled: bool,
}

/// A page of members.
#[derive(Serialize, ToSchema)]
pub(crate) struct MembersPage {
    /// The serial of the directory held.
    serial: u64,
    /// How long ago the hub confirmed it, milliseconds.
    age_ms: i64,
    /// True when that is longer than the node's bound; nothing stops for it.
    amber: bool,
    /// How many members are found, on all pages.
    found: usize,
    /// The members, by code.
    members: Vec<MemberLine>,
    /// The code after which the next page begins.
    next: Option<String>,
}

/// What is found: a page of members, how many there are, and where the next page begins.
struct Found<'a> {
    members: Vec<&'a MemberEntry>,
    systems: HashMap<&'a OrgCode, usize>,
    all: usize,
    next: Option<String>,
}

fn found<'a>(snapshot: &'a Snapshot, wanted: &Wanted, rows_max: usize) -> Found<'a> {
    let words = fold(wanted.q.as_deref().unwrap_or_default().trim());
    let mut systems: HashMap<&OrgCode, usize> = HashMap::new();
    let mut named: Vec<&OrgCode> = Vec::new();
    for system in &snapshot.systems {
        *systems.entry(&system.org).or_default() += 1;
        if !words.is_empty() && (fold(&system.code).contains(&words) || fold(&system.name).contains(&words)) {
            named.push(&system.org);
        }
    }
    named.sort_unstable();
    let mut members: Vec<&MemberEntry> = snapshot
        .members
        .iter()
        .filter(|m| {
            words.is_empty()
                || fold(m.org.as_str()).contains(&words)
                || fold(&m.name).contains(&words)
                || named.binary_search(&&m.org).is_ok()
        })
        .collect();
    members.sort_by(|a, b| a.org.cmp(&b.org));
    let all = members.len();
    if let Some(after) = wanted.after.as_deref().filter(|after| !after.is_empty()) {
        members.retain(|m| m.org.as_str() > after);
    }
    let more = members.len() > rows_max;
    members.truncate(rows_max);
    let next = members.last().filter(|_| more).map(|m| m.org.to_string());
    Found {
        members,
        systems,
        all,
        next,
    }
}

/// Lists the members of the directory this node holds, a page at a time.
#[utoipa::path(get, path = "/api/v1/directory/members", tag = "directory", params(Wanted),
    operation_id = "list_members", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "A page of members", body = MembersPage)))]
pub(crate) async fn json(
    State(state): State<DirectoryState>,
    _: Operator,
    Query(wanted): Query<Wanted>,
) -> Json<MembersPage> {
    let snapshot = state.directory.snapshot();
    let found = found(&snapshot, &wanted, state.directory.store().limits().page_rows_max);
    let (age_ms, amber) = age(&state);
    let line = |m: &&MemberEntry| MemberLine {
        org: m.org.to_string(),
        name: m.name.clone(),
        class: snapshot.class_of(&m.org).to_owned(),
        node: m.node.clone(),
        systems: found.systems.get(&m.org).copied().unwrap_or_default(),
        ours: state.registrar().speaks_for(&m.org),
        disabled: snapshot.disabled_member(&m.org).is_some(),
    };
    Json(MembersPage {
        serial: snapshot.serial,
        age_ms,
        amber,
        found: found.all,
        members: found.members.iter().map(line).collect(),
        next: found.next,
    })
}

#[derive(Template)]
#[template(path = "members.html")]
struct View<'a> {
    page: &'a Page,
    age: Age,
    is_hub: bool,
    waiting: u64,
    q: String,
    count: String,
    rows: Vec<Row>,
    next: Option<String>,
    first: bool,
}

struct Row {
    org: String,
    name: String,
    class: String,
    node: String,
    systems: usize,
    seal: Option<Shown>,
    ours: bool,
    disabled: bool,
}

/// The members as a page.
#[utoipa::path(get, path = "/exchange/members", tag = "directory", params(Wanted),
    operation_id = "members_page", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the members", content_type = "text/html")))]
pub(crate) async fn page(
    State(state): State<DirectoryState>,
    Operator(who): Operator,
    page: Page,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, Refusal> {
    let snapshot = state.directory.snapshot();
    let store = state.directory.store();
    let now = store.world().now();
    let found = found(&snapshot, &wanted, store.limits().page_rows_max);
    let q = wanted.q.clone().unwrap_or_default();
    let row = |m: &&MemberEntry| Row {
        org: m.org.to_string(),
        name: m.name.clone(),
        class: snapshot.class_of(&m.org).to_owned(),
        node: m.node.clone(),
        systems: found.systems.get(&m.org).copied().unwrap_or_default(),
        seal: snapshot::certificate(&m.certificate_pem)
            .ok()
            .map(|seal| Shown::of(&page, &snapshot, &seal, now)),
        ours: state.speaks_for(&m.org, &who),
        disabled: snapshot.disabled_member(&m.org).is_some(),
    };
    let view = View {
        age: Age::of(&state, &page),
        is_hub: state.decides(&who),
        waiting: match state.own(&who) {
            Some(_) => 0,
            None => state.registrar().waiting().await?,
        },
        count: page.tw("directory-members-count", &[("count", found.all.to_string())]),
        rows: found.members.iter().map(row).collect(),
        next: found.next.as_ref().map(|next| {
            format!(
                "/exchange/members?q={}&after={}",
                query_value(&q),
                query_value(next)
            )
        }),
        first: wanted.after.as_deref().unwrap_or_default().is_empty(),
        q,
        page: &page,
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html(&page.t("directory-members"), body))
}
