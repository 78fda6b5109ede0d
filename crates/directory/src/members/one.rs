//! `GET /exchange/members/{org}` and its twin: one member with its systems, services, node and
//! certificates, and, for who may, the ways to change them. Never changes a thing itself.

use std::collections::HashMap;

use askama::Template;
use kernel::{Digest, OrgCode, Problem};
use serde::Serialize;
use web::axum::Json;
use web::axum::extract::{Path, State};
use web::axum::response::Html;
use web::openapi::ToSchema;
use web::page::query_value;
use web::{Operator, Page, Principal, Refusal};

use super::{Age, Shown};
use crate::registration::State as Stands;
use crate::registration::change::Change;
use crate::snapshot::{self, MemberEntry, NodeEntry, ServiceEntry, Snapshot};
use crate::{DirectoryState, Registrar};

/// Registrations under way that a page looks through, count.
const UNDER_WAY_MAX: usize = 500;

/// Length of a list of services within a link, in bytes.
const ADDRESS_BYTES_MAX: usize = 4_000;

/// A system as programs read it.
#[derive(Serialize, ToSchema)]
pub(crate) struct SystemLine {
    /// Its code.
    system: String,
    /// Its name.
    name: String,
    /// `saved`, `asked`, `registered`, `disabled` or `deleted`.
    state: &'static str,
    /// The codes of what the directory says it offers.
    services: Vec<String>,
    /// The codes of what it offers at this node and the directory does not say.
    unannounced: Vec<String>,
}

/// A member as programs read it.
#[derive(Serialize, ToSchema)]
pub(crate) struct DirectoryMember {
    /// Its code.
    org: String,
    /// Its name.
    name: String,
    /// Its class.
    class: String,
    /// The node that hosts it.
    node: String,
    /// Where that is reached, `host:port`.
    peer: String,
    /// SHA-256 of the node's certificates, the newest first.
    node_certificates: Vec<String>,
    /// Its seal's certificates, PEM, the newest first.
    seal_certificates: Vec<String>,
    /// Its systems.
    systems: Vec<SystemLine>,
    /// Since when it takes part in no exchange, milliseconds since 1970; none when it does.
    disabled_since: Option<i64>,
    /// Why.
    disabled_why: Option<String>,
}

/// The systems of a member and where each stands in its life.
async fn systems(
    state: &DirectoryState,
    snapshot: &Snapshot,
    org: &OrgCode,
) -> Result<Vec<SystemLine>, Problem> {
    let mut services: HashMap<&str, Vec<&ServiceEntry>> = HashMap::new();
    for service in snapshot.services.iter().filter(|s| s.org == *org) {
        services.entry(&service.system).or_default().push(service);
    }
    let stopped = |system: &str| {
        let mut all = snapshot.stopped.iter();
        all.find(|s| s.org == *org && s.system == system)
    };
    let offers = (state.offers)();
    let offered = |system: &str| -> Vec<&String> {
        let of_this = offers.iter().filter(|(of, code, _)| of == org && code == system);
        of_this.map(|(.., service)| service).collect()
    };
    let mut lines: Vec<SystemLine> = snapshot
        .systems
        .iter()
        .filter(|s| s.org == *org)
        .map(|s| SystemLine {
            system: s.code.clone(),
            name: s.name.clone(),
            state: if stopped(&s.code).is_some() {
                "disabled"
            } else {
                "registered"
            },
            services: services
                .get(s.code.as_str())
                .map(|all| all.iter().map(|s| s.code.clone()).collect())
                .unwrap_or_default(),
            unannounced: offered(&s.code)
                .into_iter()
                .filter(|code| {
                    let told = services.get(s.code.as_str());
                    !told.is_some_and(|all| all.iter().any(|e| e.code == **code))
                })
                .cloned()
                .collect(),
        })
        .collect();
    for registration in state.registrar().under_way(UNDER_WAY_MAX).await? {
        if let Change::RegisterSystem {
            org: of,
            system,
            name,
        } = registration.change
            && of == *org
            && !lines.iter().any(|line| line.system == system)
        {
            lines.push(SystemLine {
                system,
                name,
                state: registration.state.as_str(),
                services: Vec::new(),
                unannounced: Vec::new(),
            });
        }
    }
    for gone in snapshot.stopped.iter().filter(|s| s.org == *org && s.deleted) {
        if !lines.iter().any(|line| line.system == gone.system) {
            lines.push(SystemLine {
                system: gone.system.clone(),
                name: String::new(),
                state: "deleted",
                services: Vec::new(),
                unannounced: Vec::new(),
            });
        }
    }
    lines.sort_by(|a, b| a.system.cmp(&b.system));
    Ok(lines)
}

fn member_of<'a>(snapshot: &'a Snapshot, org: &str) -> Result<(&'a MemberEntry, &'a NodeEntry), Problem> {
    let org: OrgCode = org.parse().map_err(|_| Problem::not_found())?;
    let member = snapshot.member(&org).ok_or_else(Problem::not_found)?;
    let node = snapshot.node(&member.node).ok_or_else(Problem::not_found)?;
    Ok((member, node))
}

/// Tells one member of the directory this node holds.
#[utoipa::path(get, path = "/api/v1/directory/members/{org}", tag = "directory",
    operation_id = "show_member", params(("org" = String, Path, description = "Its code")),
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "The member", body = DirectoryMember), (status = 404, description = "No such member")))]
pub(crate) async fn json(
    State(state): State<DirectoryState>,
    _: Operator,
    Path(org): Path<String>,
) -> Result<Json<DirectoryMember>, Refusal> {
    let snapshot = state.directory.snapshot();
    let (member, node) = member_of(&snapshot, &org)?;
    let further = snapshot.further_of_node(&node.id).map(Digest::hex);
    let seals = snapshot.further_of_seal(&member.org).map(str::to_owned);
    let disabled = snapshot.disabled_member(&member.org);
    Ok(Json(DirectoryMember {
        org: member.org.to_string(),
        name: member.name.clone(),
        class: snapshot.class_of(&member.org).to_owned(),
        node: node.id.clone(),
        peer: node.peer.clone(),
        node_certificates: std::iter::once(node.certificate.hex()).chain(further).collect(),
        seal_certificates: std::iter::once(member.certificate_pem.clone())
            .chain(seals)
            .collect(),
        systems: systems(&state, &snapshot, &member.org).await?,
        disabled_since: disabled.map(|entry| entry.since.ms()),
        disabled_why: disabled.map(|entry| entry.reason.clone()),
    }))
}

#[derive(Template)]
#[template(path = "member.html")]
struct View<'a> {
    page: &'a Page,
    age: Age,
    errors: String,
    reason_error: String,
    org: String,
    name: String,
    class: String,
    class_name: String,
    node: &'a NodeEntry,
    node_revoked: bool,
    node_further: Vec<String>,
    seals: Vec<Shown>,
    groups: Vec<String>,
    /// That it is disabled, since when and why.
    disabled: Option<String>,
    systems: Vec<Row>,
    /// This node speaks for it.
    ours: bool,
    /// This is its node.
    at_home: bool,
    is_hub: bool,
    /// What runs here and the directory does not have: the change to ask for, and what is wrong.
    unknown: Vec<(String, String)>,
    /// What it asked and is not ended.
    under_way: Vec<(String, String, String, &'static str)>,
}

struct Row {
    line: SystemLine,
    state: String,
    class: &'static str,
    /// What can be asked for it: the address of the form, and its title.
    ways: Vec<(String, String)>,
}

/// The class of a tag for where a registration stands.
pub(super) const fn class_of(state: Stands) -> &'static str {
    match state {
        Stands::Saved => "tag tag-none",
        Stands::Asked => "tag tag-wait",
        Stands::Approved => "tag tag-good",
        Stands::Declined => "tag tag-bad",
        Stands::Dropped => "tag",
    }
}

/// The services of a system as the form of an announcement has them: those that the directory has, then
/// those that it does not have yet.
fn announcement(snapshot: &Snapshot, org: &OrgCode, line: &SystemLine) -> String {
    let told = snapshot.services.iter();
    let told = told.filter(|s| s.org == *org && s.system == line.system);
    let mut lines: Vec<String> = told.map(|s| format!("{} {}", s.code, s.title)).collect();
    lines.extend(line.unannounced.iter().cloned());
    lines.join("\n")
}

/// What of a member runs at this node and is not in the directory: nobody lets it in.
fn unknown(registrar: &Registrar, page: &Page, member: &MemberEntry) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let form = |query: String| format!("/exchange/registrations/new?change={query}");
    if member.node == registrar.node() && registrar.unknown_node_certificate().is_some() {
        let href = form(format!("certify-node&node={}", query_value(&member.node)));
        all.push((href, page.t("directory-node-unknown")));
    }
    if registrar.unknown_seal_certificate(&member.org).is_some() {
        let href = form(format!("certify-seal&org={}", member.org));
        all.push((href, page.t("directory-seal-unknown")));
    }
    all
}

fn row(page: &Page, snapshot: &Snapshot, (org, may): (&OrgCode, bool), line: SystemLine) -> Row {
    let kinds: &[&str] = match (may, line.state) {
        (true, "registered") => &[
            "offer-services",
            "rename-system",
            "disable-system",
            "delete-system",
        ],
        (true, "disabled") => &["enable-system", "rename-system", "delete-system"],
        (true, "deleted") => &["register-system"],
        _ => &[],
    };
    let way = |kind: &&str| {
        let mut href = format!(
            "/exchange/registrations/new?change={kind}&org={org}&system={}",
            query_value(&line.system)
        );
        if matches!(*kind, "rename-system" | "register-system") {
            href.push_str("&name=");
            href.push_str(&query_value(&line.name));
        }
        if *kind == "offer-services" {
            let text = query_value(&announcement(snapshot, org, &line));
            // A list that is too long for an address is typed.
            if text.len() <= ADDRESS_BYTES_MAX {
                href.push_str("&services=");
                href.push_str(&text);
            }
        }
        (href, page.t(&format!("directory-change-{kind}")))
    };
    Row {
        state: page.t(&format!("directory-system-{}", line.state)),
        class: match line.state {
            "registered" => "tag tag-good",
            "asked" | "disabled" => "tag tag-wait",
            _ => "tag tag-none",
        },
        ways: kinds.iter().map(way).collect(),
        line,
    }
}

/// One member as a page.
#[utoipa::path(get, path = "/exchange/members/{org}", tag = "directory",
    operation_id = "member_page", params(("org" = String, Path, description = "Its code")),
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the member", content_type = "text/html"), (status = 404)))]
pub(crate) async fn page(
    State(state): State<DirectoryState>,
    Operator(who): Operator,
    page: Page,
    Path(org): Path<String>,
) -> Result<Html<String>, Refusal> {
    let (name, body) = body(&state, &page, (&org, &[]), &who).await?;
    Ok(page.html(&name, body))
}

/// The name of a member and the body of its page, with what is wrong with a form that was sent there.
pub(super) async fn body(
    state: &DirectoryState,
    page: &Page,
    (org, problems): (&str, &[Problem]),
    who: &Principal,
) -> Result<(String, String), Problem> {
    let snapshot = state.directory.snapshot();
    let (member, node) = member_of(&snapshot, org)?;
    let registrar = state.registrar();
    let (org, now) = (&member.org, state.directory.store().world().now());
    let ours = state.speaks_for(org, who);
    let may = ours || state.decides(who);
    let first = std::iter::once(member.certificate_pem.as_str());
    let seals = first.chain(snapshot.further_of_seal(org));
    let class = snapshot.class_of(org).to_owned();
    let named = snapshot.classes.iter().find(|c| c.code == class);
    let of_this = |group: &&snapshot::GroupEntry| {
        let of = |system: &String| system.split('/').next() == Some(org.as_str());
        group.systems.iter().any(of)
    };
    let under_way = if ours {
        registrar.under_way(UNDER_WAY_MAX).await?
    } else {
        Vec::new()
    };
    let home = format!("node/{}", node.id);
    let view = View {
        age: Age::of(state, page),
        errors: page.errors(problems),
        reason_error: page.field_error(problems, "reason"),
        name: member.name.clone(),
        class_name: named.map_or_else(|| page.t("directory-class-gov"), |c| c.name.clone()),
        class,
        node_revoked: state.directory.is_revoked(&node.certificate),
        node_further: snapshot.further_of_node(&node.id).map(Digest::hex).collect(),
        seals: seals
            .filter_map(|pem| snapshot::certificate(pem).ok())
            .map(|seal| Shown::of(page, &snapshot, &seal, now))
            .collect(),
        groups: snapshot
            .groups
            .iter()
            .filter(of_this)
            .map(|g| g.name.clone())
            .collect(),
        disabled: snapshot.disabled_member(org).map(|entry| {
            let (at, why) = (page.time(entry.since), entry.reason.clone());
            page.tw("directory-member-disabled", &[("at", at), ("why", why)])
        }),
        systems: systems(state, &snapshot, org)
            .await?
            .into_iter()
            .map(|line| row(page, &snapshot, (org, may), line))
            .collect(),
        ours,
        at_home: node.id == registrar.node() && state.own(who).is_none(),
        is_hub: state.decides(who),
        unknown: if may {
            unknown(registrar, page, member)
        } else {
            Vec::new()
        },
        under_way: under_way
            .iter()
            .filter(|one| one.change.owner() == Some(org) || one.change.about() == home)
            .map(|one| {
                (
                    one.request.hex(),
                    page.t(&format!("directory-change-{}", one.change.kind())),
                    page.t(&format!("directory-state-{}", one.state.as_str())),
                    class_of(one.state),
                )
            })
            .collect(),
        org: org.to_string(),
        node,
        page,
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok((member.name.clone(), body))
}
