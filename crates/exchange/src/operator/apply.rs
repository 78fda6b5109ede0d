//! `POST /api/v1/exchange/plan` and `…/apply`: what a file declares (services, clients' certificates,
//! requests for agreements) against what is there; shown, or carried out by the very functions of the
//! pages. What is there and not declared stays: a file never removes.

use axum::extract::State;
use kernel::{Digest, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Json, Operator, Page, Principal, Refusal};

use super::clients::ClientCertificateText;
use super::draft::AgreementText;
use super::services::ServiceText;
use crate::gateway::Exchange;
use crate::life::Known;
use crate::offered::Entry;

/// Things that one file may declare, count.
const DECLARED_MAX: usize = 1_000;

/// What a file declares.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Declared {
    /// Services of this node's organisations.
    #[serde(default)]
    service: Vec<ServiceText>,
    /// Certificates with which information systems connect.
    #[serde(default)]
    client: Vec<ClientCertificateText>,
    /// Agreements that organisations of this node ask for.
    #[serde(default)]
    request: Vec<AgreementText>,
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
    /// `service`, `client` or `request`.
    what: &'static str,
    /// Its name: a service, a system and a certificate's thumbprint, an agreement's number.
    name: String,
    /// `keep`, `register`, `change` or `ask`.
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
    State(x): State<Exchange>,
    _: Operator,
    page: Page,
    Json(declared): Json<Declared>,
) -> Result<axum::Json<DeclaredSteps>, Refusal> {
    Ok(axum::Json(x.declared(&page, &declared, None).await?))
}

/// Carries out what a file declares and is not so yet, step by step; a second time changes nothing.
#[utoipa::path(post, path = "/api/v1/exchange/apply", tag = "exchange", operation_id = "apply_declared",
    request_body = Declared, security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["service-registered", "service-changed",
        "client-certificate-registered", "agreement-requested"]))),
    responses((status = 200, body = DeclaredSteps), (status = 422)))]
pub(crate) async fn apply(
    State(x): State<Exchange>,
    Operator(who): Operator,
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
        let count = declared.service.len() + declared.client.len() + declared.request.len();
        if count > DECLARED_MAX {
            return Err(Problem::invalid("service", "declared-many").with("max", DECLARED_MAX));
        }
        let mut steps = Vec::with_capacity(count);
        for text in &declared.service {
            let meant = self.service_meant(text).await;
            let done = match (&meant, who) {
                (Ok((does, _)), Some(who)) if *does != "keep" => Some(self.do_service(text, does, who).await),
                _ => None,
            };
            steps.push(step(
                page,
                ("service", text.service.clone()),
                meant,
                done.as_ref(),
            ));
        }
        for text in &declared.client {
            let (name, meant) = self.client_meant(text).await;
            let done = match (&meant, who) {
                (Ok((does, _)), Some(who)) if *does != "keep" => {
                    let pair = (text.system.as_str(), text.certificate.as_str());
                    Some(self.register_client(pair, who).await.map(drop))
                }
                _ => None,
            };
            steps.push(step(page, ("client", name), meant, done.as_ref()));
        }
        let known = if declared.request.is_empty() {
            Vec::new()
        } else {
            self.overview().await?
        };
        for text in &declared.request {
            let meant = self.request_meant(text, &known);
            let done = match (&meant, who) {
                (Ok((does, _)), Some(who)) if *does != "keep" => Some(self.do_request(text, who).await),
                _ => None,
            };
            steps.push(step(page, ("request", text.id.clone()), meant, done.as_ref()));
        }
        Ok(DeclaredSteps {
            changes: steps
                .iter()
                .filter(|s| s.does != "keep" && s.problem.is_none())
                .count(),
            problems: steps.iter().filter(|s| s.problem.is_some()).count(),
            steps,
        })
    }

    async fn service_meant(&self, text: &ServiceText) -> Meant {
        let (id, _) = text.meant().read().map_err(super::first)?;
        match self.registered_service(&id).await {
            Ok(entry) => {
                let differences = of_service(&entry, text);
                let does = if differences.is_empty() { "keep" } else { "change" };
                Ok((does, differences))
            }
            Err(problem) if problem.kind == kernel::Kind::NotFound => Ok(("register", Vec::new())),
            Err(problem) => Err(problem),
        }
    }

    async fn do_service(&self, text: &ServiceText, does: &str, who: &Principal) -> Result<(), Problem> {
        let (id, setup) = text.meant().read().map_err(super::first)?;
        let done = if does == "register" {
            self.register_service(id, setup, &who.actor).await
        } else {
            self.change_service(&id, setup, &who.actor).await
        };
        done.map(drop).map_err(super::first)
    }

    async fn client_meant(&self, text: &ClientCertificateText) -> (String, Meant) {
        let system = text.system.trim();
        let meant = async {
            let id = system
                .parse()
                .map_err(|_| Problem::invalid("system", "system-id"))?;
            let one = crate::callers::read(&id, &text.certificate, self.0.now())?;
            let there = self.client_certificates().await?;
            let is_there = there
                .iter()
                .any(|c| c.system == id && c.thumbprint == one.thumbprint);
            Ok((one.thumbprint, if is_there { "keep" } else { "register" }))
        };
        match meant.await {
            Ok((thumbprint, does)) => {
                let print: Digest = thumbprint;
                (format!("{system} {}", print.hex()), Ok((does, Vec::new())))
            }
            Err(problem) => (system.to_owned(), Err(problem)),
        }
    }

    /// A request is there when anything bears its number between the two: also when it was refused or has
    /// ended, for a file must not ask again each time it is applied.
    fn request_meant(&self, text: &AgreementText, known: &[Known]) -> Meant {
        let draft = text.agreement(self.0.now()).map_err(super::first)?;
        let same = |known: &&Known| {
            let there = &known.text;
            there.id == draft.id && there.consumer == draft.consumer && there.service == draft.service
        };
        Ok(match known.iter().find(same) {
            Some(_) => ("keep", Vec::new()),
            None => ("ask", Vec::new()),
        })
    }

    async fn do_request(&self, text: &AgreementText, who: &Principal) -> Result<(), Problem> {
        let draft = text.agreement(self.0.now()).map_err(super::first)?;
        self.request_agreement(draft, &who.actor).await.map(drop)
    }
}

/// What is declared otherwise than it is.
fn of_service(entry: &Entry, then: &ServiceText) -> Vec<DeclaredDifference> {
    let now = ServiceText::of(entry);
    let others = now.other_ways();
    let list = |endpoints: &[String]| endpoints.join(", ");
    let mut pairs = vec![
        ("url", now.url, then.url.clone()),
        (
            "timeout_ms",
            now.timeout_ms.to_string(),
            then.timeout_ms.to_string(),
        ),
        ("openapi", now.openapi, then.openapi.clone()),
        ("wsdl", now.wsdl, then.wsdl.clone()),
        ("roots", now.roots.trim().to_owned(), then.roots.trim().to_owned()),
        (
            "shows_node",
            now.shows_node.to_string(),
            then.shows_node.to_string(),
        ),
        (
            "publishes_for",
            now.publishes_for.clone().unwrap_or_default(),
            then.publishes_for.clone().unwrap_or_default(),
        ),
        ("weight", now.weight.to_string(), then.weight.to_string()),
        ("others", others, then.other_ways()),
        ("health", now.health.clone(), then.health.clone()),
        (
            "health_every_s",
            now.health_every_s.to_string(),
            then.health_every_s.to_string(),
        ),
    ];
    // Left out, it stays as it is.
    if !then.wsdl_document.is_empty() {
        let digest = |text: &str| Digest::of(text.as_bytes()).hex();
        pairs.push((
            "wsdl_document",
            digest(&now.wsdl_document),
            digest(&then.wsdl_document),
        ));
    }
    // Left out beside a document, they are read from it.
    let described = !then.openapi.is_empty() || !then.wsdl.is_empty() || !then.wsdl_document.is_empty();
    if !then.endpoints.is_empty() || !described {
        pairs.push(("endpoints", list(&now.endpoints), list(&then.endpoints)));
    }
    pairs
        .into_iter()
        .filter(|(_, now, then)| now != then)
        .map(|(field, now, then)| DeclaredDifference { field, now, then })
        .collect()
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
