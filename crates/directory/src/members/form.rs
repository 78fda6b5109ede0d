//! `GET /exchange/registrations/new`, what its form sends, and the same for programs: one form for every
//! change, with the fields that the change has. Never decides: an owner asks, only the hub enacts.

use askama::Template;
use kernel::{Digest, Kind, OrgCode, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use web::axum::extract::State;
use web::axum::http::{StatusCode, header};
use web::axum::response::{Html, IntoResponse, Response};
use web::openapi::ToSchema;
use web::{Fields, Json, Operator, Page, Principal, Refusal};

use super::reach::Keeper;
use crate::DirectoryState;
use crate::authorities::Use;
use crate::registration::change::Change;

/// The fields of an owner's changes.
const OWNERS: [(&str, &[&str]); 10] = [
    ("register-system", &["org", "system", "name"]),
    ("rename-system", &["org", "system", "name"]),
    ("disable-system", &["org", "system"]),
    ("enable-system", &["org", "system"]),
    ("delete-system", &["org", "system"]),
    ("offer-services", &["org", "system", "services"]),
    ("move-node", &["node", "peer"]),
    ("certify-node", &["node", "certificate"]),
    ("drop-node-certificate", &["node", "thumbprint"]),
    ("certify-seal", &["org", "certificate"]),
];

/// The fields of what only the hub says.
const HUBS: [(&str, &[&str]); 18] = [
    (
        "join",
        &[
            "org",
            "name",
            "class",
            "certificate",
            "node",
            "peer",
            "node_certificate",
        ],
    ),
    ("rename-member", &["org", "name"]),
    ("class-member", &["org", "class"]),
    ("disable-member", &["org", "reason"]),
    ("enable-member", &["org"]),
    ("leave", &["org"]),
    ("name-class", &["class", "name"]),
    ("trust-root", &["certificate"]),
    ("withdraw-root", &["thumbprint"]),
    ("name-issuer", &["certificate"]),
    ("withdraw-issuer", &["thumbprint"]),
    (
        "describe-authority",
        &["thumbprint", "uses", "crl", "ocsp", "note"],
    ),
    ("add-timestamps", &["url", "certificate"]),
    ("withdraw-timestamps", &["url"]),
    ("name-group", &["group", "name"]),
    ("end-group", &["group"]),
    ("add-to-group", &["group", "system"]),
    ("remove-from-group", &["group", "system"]),
];

/// The fields of a change, and whether an owner may ask for it.
fn fields_of(kind: &str) -> Option<(&'static [&'static str], bool)> {
    let known = |table: &'static [(&str, &[&str])]| {
        let mut table = table.iter();
        table.find(|(name, _)| *name == kind).map(|(_, fields)| *fields)
    };
    known(&OWNERS)
        .map(|fields| (fields, true))
        .or_else(|| known(&HUBS).map(|fields| (fields, false)))
}

/// Fields with several lines.
fn is_long(field: &str) -> bool {
    matches!(field, "certificate" | "node_certificate" | "services")
}

/// A field's value as it was sent.
fn sent_value(sent: &Fields, field: &str) -> String {
    if is_long(field) {
        sent.lines(field).unwrap_or_default()
    } else {
        sent.text(field).unwrap_or_default().to_owned()
    }
}

/// Which change a form is for; the first one when it does not say.
fn kind_of(sent: &Fields) -> &str {
    let kind = sent.text("change").filter(|kind| !kind.is_empty());
    kind.unwrap_or(OWNERS[0].0)
}

/// The change that a form says.
fn read(sent: &Fields) -> Result<Change, Problem> {
    let kind = kind_of(sent);
    let (fields, _) = fields_of(kind).ok_or_else(|| Problem::invalid("change", "directory-no-entry"))?;
    let mut said = Map::new();
    said.insert("change".to_owned(), kind.into());
    for field in fields {
        let text = sent_value(sent, field);
        let good = match *field {
            "org" => text.parse::<OrgCode>().is_ok(),
            "thumbprint" => Digest::parse(&text).is_some(),
            _ => true,
        };
        if !good {
            return Err(Problem::invalid(field, "directory-no-entry"));
        }
        let value = if *field == "services" {
            text.lines()
                .filter(|line| !line.is_empty())
                .map(service)
                .collect()
        } else if *field == "uses" {
            read_uses(&text)?
        } else {
            Value::from(text)
        };
        said.insert((*field).to_owned(), value);
    }
    serde_json::from_value(Value::Object(said))
        .map_err(|e| Problem::new(Kind::Malformed, "malformed").because(e))
}

/// What an authority vouches for, as it is written in one line: `seal, tls`.
fn read_uses(text: &str) -> Result<Value, Problem> {
    let words = text.split([',', ' ']).filter(|word| !word.is_empty());
    let uses: Result<Vec<Use>, _> = words.map(|word| serde_json::from_value(word.into())).collect();
    let uses = uses.map_err(|_| Problem::invalid("uses", "directory-uses"))?;
    serde_json::to_value(uses).map_err(Problem::internal)
}

/// A line of services: the code, then what it does; the code alone serves as both.
fn service(line: &str) -> Value {
    let (code, title) = line.split_once(' ').unwrap_or((line, line));
    json!({ "code": code, "title": title.trim() })
}

#[derive(Template)]
#[template(path = "registration_form.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    kind: String,
    title: String,
    about: String,
    fields: Vec<Field>,
    /// The owner's operator may ask from here.
    asks: bool,
    /// The hub's operator may publish it without being asked.
    enacts: bool,
    grave: bool,
}

struct Field {
    name: &'static str,
    label: String,
    hint: String,
    value: String,
    error: String,
    long: bool,
}

fn body(state: &DirectoryState, page: &Page, sent: &Fields, problems: &[Problem]) -> Result<String, Problem> {
    let kind = kind_of(sent);
    let (fields, of_owner) = fields_of(kind).ok_or_else(Problem::not_found)?;
    let registrar = state.registrar();
    let enacts = registrar.is_hub();
    if !of_owner && !enacts {
        return Err(Problem::not_found());
    }
    let field = |name: &&'static str| {
        // A system in a group is named with its organisation.
        let key = match (*name, kind) {
            ("system", "add-to-group" | "remove-from-group") => "system-in-group",
            (name, _) => name,
        };
        let mut value = sent_value(sent, name);
        if *name == "class" && value.is_empty() && sent.text("class").is_none() {
            crate::snapshot::GOVERNMENT.clone_into(&mut value);
        }
        if value.is_empty() && kind == "describe-authority" {
            value = said_already(state, sent, name);
        }
        if *name == "certificate" && sent.text("certificate").is_none() {
            value = shown_here(state, kind, sent).unwrap_or_default();
        }
        Field {
            name,
            label: page.t(&format!("directory-field-{}", key.replace('_', "-"))),
            hint: page.t(&format!("directory-hint-{}", key.replace('_', "-"))),
            value,
            error: page.field_error(problems, name),
            long: is_long(name),
        }
    };
    let ours = match (sent.text("org").map(str::parse::<OrgCode>), sent.text("node")) {
        (Some(Ok(org)), _) => registrar.speaks_for(&org),
        (_, Some(node)) if !node.is_empty() => node == registrar.node(),
        _ => true,
    };
    let view = View {
        errors: page.errors(problems),
        title: page.t(&format!("directory-change-{kind}")),
        about: page.t(&format!("directory-about-{kind}")),
        fields: fields.iter().map(field).collect(),
        asks: of_owner && (ours || !enacts),
        enacts,
        grave: matches!(
            kind,
            "delete-system"
                | "disable-member"
                | "leave"
                | "withdraw-root"
                | "withdraw-issuer"
                | "withdraw-timestamps"
                | "end-group"
        ),
        kind: kind.to_owned(),
        page,
    };
    view.render().map_err(Problem::internal)
}

/// What the directory says of an authority, to be changed; nothing when the field was sent empty.
fn said_already(state: &DirectoryState, sent: &Fields, field: &str) -> String {
    let thumbprint = sent.text("thumbprint").and_then(Digest::parse);
    let snapshot = state.directory.snapshot();
    let known = thumbprint.and_then(|thumbprint| snapshot.authority(&thumbprint));
    let Some(known) = known.filter(|_| sent.text(field).is_none()) else {
        return String::new();
    };
    let uses: Vec<&str> = known.uses.iter().map(|one| one.as_str()).collect();
    match field {
        "uses" => uses.join(", "),
        "crl" => known.crl.clone().unwrap_or_default(),
        "ocsp" => known.ocsp.clone().unwrap_or_default(),
        "note" => known.note.clone(),
        _ => String::new(),
    }
}

/// The certificate that this node or a seal here has and the directory does not: what its owner will ask
/// for.
fn shown_here(state: &DirectoryState, kind: &str, sent: &Fields) -> Option<String> {
    let registrar = state.registrar();
    match kind {
        "certify-node" if sent.text("node") == Some(registrar.node()) => registrar.unknown_node_certificate(),
        "certify-seal" => registrar.unknown_seal_certificate(&sent.text("org")?.parse().ok()?),
        _ => None,
    }
}

/// The form of a change; the query fills it.
#[utoipa::path(get, path = "/exchange/registrations/new", tag = "directory",
    operation_id = "registration_form", security(("session" = ["operator", "observer"])),
    params(("change" = Option<String>, Query, description = "Which change, `register-system`; the fields' values beside it")),
    responses((status = 200, description = "the form", content_type = "text/html"), (status = 404)))]
pub(crate) async fn page(
    State(state): State<DirectoryState>,
    _: Operator,
    page: Page,
    fields: Fields,
) -> Result<Html<String>, Refusal> {
    let body = body(&state, &page, &fields, &[])?;
    let kind = kind_of(&fields);
    Ok(page.html(&page.t(&format!("directory-change-{kind}")), body))
}

/// What came of a form.
enum Done {
    /// A request, by its name.
    Proposed(Digest),
    /// A change that is published.
    Enacted(Change),
}

async fn run(state: &DirectoryState, fields: &Fields, who: &Principal) -> Result<Done, Problem> {
    let (change, registrar) = (read(fields)?, state.registrar());
    match fields.text("do") {
        Some("publish") => {
            who.require_home(state.directory.tenant())?;
            registrar.enact(change.clone(), &who.actor).await?;
            Ok(Done::Enacted(change))
        }
        done => {
            state.may_ask(&change, who)?;
            let ask = done != Some("save");
            Ok(Done::Proposed(registrar.propose(change, ask, &who.actor).await?))
        }
    }
}

/// The page on which an enacted change is seen.
fn seen_at(change: &Change) -> String {
    match change.about().split_once('/') {
        Some(("root" | "authority" | "timestamps" | "class", _)) => "/exchange/trust".to_owned(),
        Some(("instance", _)) => "/exchange/federation".to_owned(),
        Some(("group", _)) => "/exchange/groups".to_owned(),
        Some(("member", org)) if !matches!(change, Change::Leave { .. }) => {
            format!("/exchange/members/{org}")
        }
        Some(("system", system)) => {
            let org = system.split('/').next().unwrap_or_default();
            format!("/exchange/members/{org}")
        }
        _ => "/exchange/members".to_owned(),
    }
}

/// Saves a change, asks for it or, at the hub, publishes it, by the form.
#[utoipa::path(post, path = "/exchange/registrations", tag = "directory",
    operation_id = "change_directory_by_form", security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["registration-saved", "registration-asked", "directory-changed", "directory-published",
        "directory-adopted"]))),
    responses((status = 303, description = "to the registration, or to what changed"),
              (status = 422, description = "the form again, with what is wrong")))]
pub(crate) async fn by_form(
    State(state): State<DirectoryState>,
    Operator(who): Operator,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let to = match run(&state, &fields, &who).await {
        Ok(Done::Proposed(request)) => format!("/exchange/registrations/{request}"),
        Ok(Done::Enacted(change)) => seen_at(&change),
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Conflict) => {
            let kind = kind_of(&fields);
            if fields_of(kind).is_none() {
                return Err(problem.into());
            }
            let body = body(&state, &page, &fields, &[problem])?;
            return Ok(page.html_status(422, &page.t(&format!("directory-change-{kind}")), body));
        }
        Err(problem) => return Err(problem.into()),
    };
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
}

/// A change of this node's own part of the directory.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeProposal {
    /// What is to change.
    wanted: Change,
    /// True to ask the hub at once; false only to save it.
    ask: bool,
}

/// What was put into words.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangeProposed {
    /// The request's name.
    request: String,
}

/// Puts a change of this node's own part of the directory into words, and asks the hub for it.
#[utoipa::path(post, path = "/api/v1/directory/registrations", tag = "directory",
    operation_id = "propose_change", request_body = ChangeProposal, security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["registration-saved", "registration-asked"]))),
    responses((status = 201, description = "In words", body = ChangeProposed), (status = 403), (status = 409), (status = 422)))]
pub(crate) async fn by_json(
    State(state): State<DirectoryState>,
    Operator(who): Operator,
    Json(proposal): Json<ChangeProposal>,
) -> Result<Response, Refusal> {
    let registrar = state.registrar();
    state.may_ask(&proposal.wanted, &who)?;
    let request = registrar
        .propose(proposal.wanted, proposal.ask, &who.actor)
        .await?;
    let proposed = ChangeProposed {
        request: request.hex(),
    };
    Ok((StatusCode::CREATED, web::axum::Json(proposed)).into_response())
}

/// A change that the hub's operator makes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeWanted {
    /// What is to change.
    wanted: Change,
}

/// What a change did.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangePublished {
    /// The serial of the directory that says it first.
    serial: u64,
}

/// Changes the directory without a request, at the hub.
#[utoipa::path(post, path = "/api/v1/directory/changes", tag = "directory",
    operation_id = "change_directory", request_body = ChangeWanted, security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["directory-changed", "directory-published", "directory-adopted"]))),
    responses((status = 200, description = "Published", body = ChangePublished), (status = 404, description = "No hub here"),
              (status = 409), (status = 422)))]
pub(crate) async fn enact_by_json(
    State(state): State<DirectoryState>,
    Keeper(who): Keeper,
    Json(wanted): Json<ChangeWanted>,
) -> Result<web::axum::Json<ChangePublished>, Refusal> {
    let serial = state.registrar().enact(wanted.wanted, &who.actor).await?;
    Ok(web::axum::Json(ChangePublished { serial }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_every_change_has_the_fields_that_the_change_has() {
        let digest = Digest::of(b"x").hex();
        for (kind, fields) in OWNERS.iter().chain(&HUBS) {
            let mut sent = vec![("change", *kind)];
            for field in *fields {
                sent.push((
                    field,
                    match *field {
                        "org" => "H56",
                        "thumbprint" => &digest,
                        "uses" => "seal, tls",
                        _ => "x",
                    },
                ));
            }
            let change = read(&Fields::of(&sent)).expect("reads");
            assert_eq!(change.kind(), *kind);
            let json = serde_json::to_value(&change).expect("json");
            assert_eq!(json.as_object().map(Map::len), Some(fields.len() + 1), "{kind}");
        }
    }

    #[test]
    fn every_change_field_and_state_has_words() {
        let texts = web::Texts::new(&[web::TEXTS, crate::TEXTS]).expect("texts of one length");
        let mut keys = Vec::new();
        for (kind, fields) in OWNERS.iter().chain(&HUBS) {
            keys.push(format!("directory-change-{kind}"));
            keys.push(format!("directory-about-{kind}"));
            for field in fields.iter().chain(&["system-in-group"]) {
                keys.push(format!("directory-field-{}", field.replace('_', "-")));
                keys.push(format!("directory-hint-{}", field.replace('_', "-")));
            }
        }
        for state in crate::registration::State::ALL {
            keys.push(format!("directory-state-{}", state.as_str()));
        }
        for state in ["saved", "asked", "registered", "disabled", "deleted"] {
            keys.push(format!("directory-system-{state}"));
        }
        for code in [
            "no-entry",
            "there",
            "name",
            "code",
            "address",
            "url",
            "certificate",
            "many",
            "needed",
            "not-ours",
            "hub-only",
            "decided",
            "requests-many",
            "word",
            "word-large",
            "not-taken",
            "unreachable",
            "hub-seal",
            "uses",
        ] {
            for part in ["", ".rule", ".remedy"] {
                keys.push(format!("problem-directory-{code}{part}"));
            }
        }
        for key in keys {
            assert!(texts.has(&key), "{key} has no words");
        }
    }

    #[test]
    fn a_line_of_services_is_a_code_and_a_title() {
        let sent = [
            ("change", "offer-services"),
            ("org", "H56"),
            ("system", "x"),
            ("services", "one Một dịch vụ\n\ntwo"),
        ];
        let Change::OfferServices { services, .. } = read(&Fields::of(&sent)).expect("reads") else {
            panic!("another change");
        };
        let told: Vec<_> = services
            .iter()
            .map(|s| (s.code.as_str(), s.title.as_str()))
            .collect();
        assert_eq!(told, [("one", "Một dịch vụ"), ("two", "two")]);
    }
}
