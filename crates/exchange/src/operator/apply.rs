//! `POST /api/v1/exchange/plan` and `…/apply`: what a file declares (what is trusted, members, systems,
//! groups, services, clients' certificates, delegations, offers to groups, requests for agreements and the
//! answers to them, a maintenance) against what is there; shown, or carried out by the very functions of the
//! pages. What is there and not declared stays: a file never removes a thing.

mod directory;
mod documents;
mod groups;
mod services;
mod things;

use ::directory::groups::LocalGroup;
use ::directory::registration::wanted::{WantedMember, WantedSystem, WantedTrust};
use kernel::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Json, Page, Principal, Refusal};

use super::Acting;
use super::clients::ClientCertificateText;
use super::connections::ClientConnection;
use super::delegations::DelegationText;
use super::draft::AgreementText;
use super::maintenance::MaintenanceText;
use crate::gateway::Exchange;
use services::DeclaredService;

/// Things that one file may declare, count.
const DECLARED_MAX: usize = 1_000;

/// What a file declares.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Declared {
    /// Roots and timestamp services; only at the hub.
    #[serde(default)]
    trust: Vec<WantedTrust>,
    /// Members; only at the hub.
    #[serde(default)]
    member: Vec<WantedMember>,
    /// Systems: published at the hub, elsewhere asked for.
    #[serde(default)]
    system: Vec<WantedSystem>,
    /// Groups of the directory, whole; only at the hub.
    #[serde(default)]
    global_group: Vec<LocalGroup>,
    /// Groups that this node keeps for itself, whole.
    #[serde(default)]
    local_group: Vec<LocalGroup>,
    /// Services of this node's organisations, and how they stand.
    #[serde(default)]
    service: Vec<DeclaredService>,
    /// Certificates with which information systems connect.
    #[serde(default)]
    client: Vec<ClientCertificateText>,
    /// How systems of this node have to connect.
    #[serde(default)]
    connection: Vec<ClientConnection>,
    /// Delegations: offered by who delegates, accepted by who acts.
    #[serde(default)]
    delegation: Vec<DelegationText>,
    /// Agreements that organisations of this node offer to groups; `consumer` names the group.
    #[serde(default)]
    group_offer: Vec<AgreementText>,
    /// Agreements that organisations of this node ask for.
    #[serde(default)]
    request: Vec<AgreementText>,
    /// Agreements that organisations of this node sign when the other party has asked for, or offered,
    /// these very words.
    #[serde(default)]
    accept: Vec<AgreementText>,
    /// A maintenance of the whole node, with its end.
    #[serde(default)]
    maintenance: Option<MaintenanceText>,
}

impl Declared {
    fn count(&self) -> usize {
        let directory = self.trust.len() + self.member.len() + self.system.len();
        let groups = directory + self.global_group.len() + self.local_group.len();
        let agreements =
            self.delegation.len() + self.group_offer.len() + self.request.len() + self.accept.len();
        let systems = self.service.len() + self.client.len() + self.connection.len();
        groups + systems + agreements + usize::from(self.maintenance.is_some())
    }
}

/// One thing that would be otherwise.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct DeclaredDifference {
    field: &'static str,
    /// What is there; nothing before a thing is there.
    now: String,
    /// What is declared.
    then: String,
}

/// Why a step cannot be done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeclaredProblem {
    code: String,
    field: Option<String>,
    /// In the reader's language, with what to do.
    words: String,
}

/// One declared thing, and what comes of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeclaredStep {
    /// `trust`, `member`, `system`, `global-group`, `local-group`, `service`, `client`, `connection`,
    /// `delegation`, `group-offer`, `request`, `accept` or `maintenance`.
    what: &'static str,
    /// Its name: a group's code, a service, a system with or without a certificate's thumbprint, a
    /// document's number, a member's code, a root's thumbprint, the node.
    name: String,
    /// `keep`, `wait` (for the other party, or the hub), `register`, `change`, `offer`, `ask`, `accept` or
    /// `begin`.
    does: &'static str,
    differences: Vec<DeclaredDifference>,
    /// True when it was carried out now.
    done: bool,
    problem: Option<DeclaredProblem>,
}

/// All declared things in the order in which they are carried out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeclaredSteps {
    steps: Vec<DeclaredStep>,
    /// Steps that would change something, or did.
    changes: usize,
    /// Steps with a problem.
    problems: usize,
}

/// Shows what a file would change; changes nothing.
#[utoipa::path(post, path = "/api/v1/exchange/plan", tag = "exchange", operation_id = "plan_declared",
    request_body = Declared, security(("session" = ["operator"])),
    extensions(("x-changes-nothing" = json!(true))),
    responses((status = 200, body = DeclaredSteps), (status = 422)))]
pub(crate) async fn plan(
    Acting(x, _): Acting,
    page: Page,
    Json(declared): Json<Declared>,
) -> Result<axum::Json<DeclaredSteps>, Refusal> {
    Ok(axum::Json(x.declared(&page, &declared, None).await?))
}

/// Carries out what a file declares and is not so yet, step by step; a second time changes nothing.
#[utoipa::path(post, path = "/api/v1/exchange/apply", tag = "exchange", operation_id = "apply_declared",
    request_body = Declared, security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["directory-changed", "directory-published", "directory-adopted", "group-saved",
        "service-registered", "service-changed", "service-disabled", "service-enabled", "service-sunset-set",
        "service-stop-announced", "service-stop-lifted", "client-certificate-registered", "client-connection-set",
        "registration-saved", "registration-asked", "delegation-offered", "delegation-in-force", "group-offered",
        "agreement-requested", "agreement-offered", "agreement-accepted", "agreement-in-force",
        "node-maintenance-began"]))),
    responses((status = 200, body = DeclaredSteps), (status = 422)))]
pub(crate) async fn apply(
    Acting(x, who): Acting,
    page: Page,
    Json(declared): Json<Declared>,
) -> Result<axum::Json<DeclaredSteps>, Refusal> {
    Ok(axum::Json(x.declared(&page, &declared, Some(&who)).await?))
}

/// What is to be done about one thing, before it is.
type Meant = Result<(&'static str, Vec<DeclaredDifference>), Problem>;

impl Exchange {
    /// What a file declares against what is there, carried out by somebody when one is named.
    async fn declared(
        &self,
        page: &Page,
        declared: &Declared,
        who: Option<&Principal>,
    ) -> Result<DeclaredSteps, Problem> {
        let count = declared.count();
        if count > DECLARED_MAX {
            return Err(Problem::invalid("service", "declared-many").with("max", DECLARED_MAX));
        }
        let mut steps = Vec::with_capacity(count);
        // In this order: what stands below may name what stands above.
        self.declared_directory(page, declared, who, &mut steps).await;
        self.declared_groups(page, declared, who, &mut steps).await;
        // Before the services: one may be published in another's name.
        self.declared_delegations(page, declared, who, &mut steps).await;
        self.declared_systems(page, declared, who, &mut steps).await;
        self.declared_agreements(page, declared, who, &mut steps).await?;
        self.declared_answers(page, declared, who, &mut steps).await?;
        if let Some(text) = &declared.maintenance {
            let meant = self.maintenance_meant(text);
            let done = match to_do(&meant, who) {
                Some((_, who)) => Some(self.do_maintenance(text, who).await),
                None => None,
            };
            let name = self.0.node.clone();
            steps.push(step(page, ("maintenance", name), meant, done.as_ref()));
        }
        Ok(DeclaredSteps {
            changes: steps
                .iter()
                .filter(|s| is_to_do(s.does) && s.problem.is_none())
                .count(),
            problems: steps.iter().filter(|s| s.problem.is_some()).count(),
            steps,
        })
    }

    async fn declared_groups(
        &self,
        page: &Page,
        declared: &Declared,
        who: Option<&Principal>,
        steps: &mut Vec<DeclaredStep>,
    ) {
        for group in &declared.global_group {
            let meant = self.global_group_meant(group);
            let done = match to_do(&meant, who) {
                Some((_, who)) => Some(self.do_global_group(group, who).await),
                None => None,
            };
            let name = ("global-group", group.code.clone());
            steps.push(step(page, name, meant, done.as_ref()));
        }
        for group in &declared.local_group {
            let meant = self.local_group_meant(group);
            let done = match to_do(&meant, who) {
                Some((_, who)) => Some(self.do_local_group(group, who).await),
                None => None,
            };
            let name = ("local-group", group.code.clone());
            steps.push(step(page, name, meant, done.as_ref()));
        }
    }

    async fn declared_systems(
        &self,
        page: &Page,
        declared: &Declared,
        who: Option<&Principal>,
        steps: &mut Vec<DeclaredStep>,
    ) {
        for text in &declared.service {
            let meant = self.service_meant(text).await;
            let done = match to_do(&meant, who) {
                Some((_, who)) => Some(self.do_service(text, who).await),
                None => None,
            };
            let name = ("service", text.name());
            steps.push(step(page, name, meant, done.as_ref()));
        }
        for text in &declared.client {
            let (name, meant) = self.client_meant(text).await;
            let done = match to_do(&meant, who) {
                Some((_, who)) => {
                    let pair = (text.system.as_str(), text.certificate.as_str());
                    Some(self.register_client(pair, who).await.map(drop))
                }
                None => None,
            };
            steps.push(step(page, ("client", name), meant, done.as_ref()));
        }
        for text in &declared.connection {
            let meant = self.connection_meant(text);
            let done = match to_do(&meant, who) {
                Some((_, who)) => Some(self.connect_as(text, who).await),
                None => None,
            };
            let name = ("connection", text.system.clone());
            steps.push(step(page, name, meant, done.as_ref()));
        }
    }

    async fn declared_agreements(
        &self,
        page: &Page,
        declared: &Declared,
        who: Option<&Principal>,
        steps: &mut Vec<DeclaredStep>,
    ) -> Result<(), Problem> {
        let offers = if declared.group_offer.is_empty() {
            Vec::new()
        } else {
            self.own_group_offers().await?
        };
        for text in &declared.group_offer {
            let meant = self.group_offer_meant(text, declared, &offers);
            let done = match to_do(&meant, who) {
                Some((_, who)) => Some(self.do_group_offer(text, who).await),
                None => None,
            };
            let name = ("group-offer", text.id.clone());
            steps.push(step(page, name, meant, done.as_ref()));
        }
        let known = if declared.request.is_empty() {
            Vec::new()
        } else {
            self.overview().await?
        };
        for text in &declared.request {
            let meant = self.request_meant(text, &known);
            let done = match to_do(&meant, who) {
                Some((_, who)) => Some(self.do_request(text, who).await),
                None => None,
            };
            let name = ("request", text.id.clone());
            steps.push(step(page, name, meant, done.as_ref()));
        }
        Ok(())
    }
}

/// False for what is as it is declared, and for what waits for others.
fn is_to_do(does: &str) -> bool {
    !matches!(does, "keep" | "wait")
}

/// What is to be done and by whom, when somebody is named and something is to be done.
fn to_do<'m>(meant: &'m Meant, who: Option<&'m Principal>) -> Option<(&'static str, &'m Principal)> {
    match (meant, who) {
        (Ok((does, _)), Some(who)) if is_to_do(does) => Some((*does, who)),
        _ => None,
    }
}

fn step(
    page: &Page,
    (what, name): (&'static str, String),
    meant: Meant,
    done: Option<&Result<(), Problem>>,
) -> DeclaredStep {
    let told = |problem: &Problem| DeclaredProblem {
        code: problem.code.to_owned(),
        field: problem.field.clone(),
        words: page.problem_text(problem),
    };
    let (does, differences, problem) = match (meant, done) {
        (Ok((does, differences)), Some(Err(problem))) => (does, differences, Some(told(problem))),
        (Ok((does, differences)), _) => (does, differences, None),
        (Err(problem), _) => ("keep", Vec::new(), Some(told(&problem))),
    };
    DeclaredStep {
        what,
        name,
        does,
        differences,
        done: matches!(done, Some(Ok(()))),
        problem,
    }
}
