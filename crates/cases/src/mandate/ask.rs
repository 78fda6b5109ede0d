//! `POST /mandates` and its twin: a citizen says for whom they act. A register is asked at once about a child and a company;
//! a person confirms it in a session of their own, or signed a paper that is uploaded. Few in an hour, and never says
//! whether a number is somebody's.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kernel::time::{day_month_year, parse_iso};
use kernel::{Date, Fact, Kind, PersonalNumber, Problem, ProcedureCode, TaxCode};
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, JsonWithFiles, Page, Refusal, Upload};

use super::api::{MandateJson, MandateWish};
use super::rules::Rule;
use super::{Mandate, MandatePaper, State as Standing, list, prove, store, subject};
use crate::case::Applicant;
use crate::citizen::Citizen;
use crate::procedure::{Proof, Whom};
use crate::state::Cases;
use crate::track::take;

/// Length of a person's name, in characters.
const NAME_CHARS_MAX: usize = 200;
/// Length of a file name that is kept, in characters.
const FILE_CHARS_MAX: usize = 120;

/// The form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form for OpenAPI; `Fields` reads it")]
pub(crate) struct MandateForm {
    /// `child`, `company` or `person`.
    whom: String,
    /// The personal number of who is represented; of a company its tax code.
    number: String,
    /// A person's name.
    name: Option<String>,
    /// A procedure for which it holds, several times; every one when none is ticked.
    procedure: Option<String>,
    /// The last day; also as `to-day`, `to-month`, `to-year`.
    to: Option<String>,
    /// A person's authorisation on paper, a PDF.
    #[schema(format = Binary, content_media_type = "application/pdf")]
    file: Option<String>,
}

/// What is asked for.
pub(super) struct Wish {
    pub(super) whom: String,
    pub(super) number: String,
    pub(super) name: String,
    pub(super) procedures: Vec<String>,
    pub(super) to: Option<Date>,
    pub(super) paper: Option<Upload>,
}

/// Says for whom I act.
#[utoipa::path(post, path = "/mandates", tag = "cases", security(("session" = ["citizen"])),
    request_body(content = MandateForm, content_type = "multipart/form-data"),
    responses((status = 303, description = "to my mandates"), (status = 413, description = "too large"),
              (status = 422, description = "the list with what is wrong", content_type = "text/html"),
              (status = 429, description = "asked for too often", content_type = "text/html"),
              (status = 503, description = "the register gives no answer")),
    extensions(("x-facts" = json!(["mandate-asked", "mandate-confirmed"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    citizen: Citizen,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
    let (to, wrong) = match fields.date("to") {
        Ok(to) => (to, None),
        Err(problem) => (None, Some(problem)),
    };
    let wish = Wish {
        whom: text("whom"),
        number: text("number"),
        name: text("name"),
        procedures: fields.texts("procedure").map(str::to_owned).collect(),
        to,
        paper: fields.file("file").cloned(),
    };
    let done = match wrong {
        Some(problem) => Err(problem),
        None => ask(&cases, &citizen, &wish).await.map(drop),
    };
    match done {
        Ok(()) => Ok(Redirect::to("/mandates").into_response()),
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::TooMany) => {
            Ok(list::shown(&cases, &citizen, &page, ("", &[problem], Some(&wish))).await?)
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Says for whom I act.
#[utoipa::path(post, path = "/api/v1/mandates", tag = "cases", security(("session" = ["citizen"])), request_body = MandateWish,
    responses((status = 200, description = "the mandate", body = MandateJson), (status = 401), (status = 413), (status = 422),
              (status = 429), (status = 503)),
    extensions(("x-facts" = json!(["mandate-asked", "mandate-confirmed"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    citizen: Citizen,
    sent: JsonWithFiles<MandateWish>,
) -> Result<Json<MandateJson>, Refusal> {
    let sent = &sent.value;
    let bad = || Problem::invalid("to", "date-bad");
    let to = match sent.to.as_deref() {
        None | Some("") => None,
        Some(day) => Some(parse_iso(day).ok_or_else(bad)?),
    };
    let damaged = |_| Problem::invalid("pdf_base64", "case-paper-damaged");
    let paper = match &sent.pdf_base64 {
        Some(text) => Some(Upload {
            name: "uy-quyen.pdf".to_owned(),
            media: "application/pdf".to_owned(),
            bytes: Bytes::from(STANDARD.decode(text).map_err(damaged)?),
        }),
        None => None,
    };
    let wish = Wish {
        whom: sent.whom.clone(),
        number: kernel::text::clean(&sent.number),
        name: kernel::text::clean(&sent.name),
        procedures: sent.procedures.clone(),
        to,
        paper,
    };
    let mandate = ask(&cases, &citizen, &wish).await?;
    Ok(Json(MandateJson::new(&mandate, &citizen)))
}

/// Asks for a mandate; what a register says is confirmed at once.
async fn ask(cases: &Cases, citizen: &Citizen, wish: &Wish) -> Result<Mandate, Problem> {
    let today = citizen.today;
    let none = || Problem::invalid("whom", "mandate-whom");
    let whom = Whom::of(&wish.whom).ok_or_else(none)?;
    let rule = cases.catalogue.mandates().rule(whom, today).ok_or_else(none)?;
    let represented = number(whom, &wish.number)?;
    if whom != Whom::Company && represented == citizen.number.as_str() {
        return Err(Problem::invalid("number", "mandate-self"));
    }
    let scope = scope(cases, whom, &wish.procedures)?;
    counted(cases, citizen).await?;
    let now = cases.store.world().now();
    let mut mandate = Mandate {
        id: String::new(),
        whom,
        represented,
        name: String::new(),
        represented_account: None,
        representative: Applicant {
            account: citizen.who.account.clone(),
            number: citizen.number.clone(),
            name: citizen.who.name.clone(),
        },
        scope,
        from: today,
        to: today,
        proof: Proof::Word,
        state: Standing::Asked,
        request: String::new(),
        paper: None,
        made_at: now,
        changed_at: now,
    };
    let born = match &rule.register {
        Some(register) => {
            let proven = prove::ask(cases, citizen, (rule, register), &mandate.represented).await?;
            mandate.name = proven.name;
            mandate.request = proven.request;
            mandate.proof = Proof::Register;
            mandate.state = Standing::Confirmed;
            proven.born
        }
        None => {
            mandate.name = name(&wish.name)?;
            mandate.paper = paper(cases, wish.paper.as_ref()).await?;
            if mandate.paper.is_some() {
                mandate.proof = Proof::Paper;
            }
            None
        }
    };
    mandate.to = last_day(rule, today, born, wish.to)?;
    keep(cases, citizen, mandate).await
}

/// The personal number or the tax code, as it was typed.
fn number(whom: Whom, typed: &str) -> Result<String, Problem> {
    let plain: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    match whom {
        Whom::Company => {
            let bad = |_| Problem::invalid("number", "mandate-tax-code");
            let code: TaxCode = plain.parse().map_err(bad)?;
            Ok(code.as_str().to_owned())
        }
        Whom::Child | Whom::Person => {
            let bad = |_| Problem::invalid("number", "cosign-number");
            let number: PersonalNumber = plain.parse().map_err(bad)?;
            Ok(number.as_str().to_owned())
        }
    }
}

fn name(typed: &str) -> Result<String, Problem> {
    if typed.is_empty() {
        return Err(Problem::invalid("name", "field-missing"));
    }
    if typed.chars().count() > NAME_CHARS_MAX {
        return Err(Problem::invalid("name", "wallet-words-long").with("max", NAME_CHARS_MAX));
    }
    Ok(typed.to_owned())
}

/// The procedures that were named, each once; each takes a mandate of this kind.
fn scope(cases: &Cases, whom: Whom, named: &[String]) -> Result<Vec<ProcedureCode>, Problem> {
    let mut scope = Vec::new();
    for text in named.iter().filter(|text| !text.is_empty()) {
        let wrong = || Problem::invalid("procedure", "mandate-procedure");
        let code: ProcedureCode = text.parse().map_err(|_| wrong())?;
        let procedure = cases.procedure_today(&code).map_err(|_| wrong())?;
        procedure.represents(whom).ok_or_else(wrong)?;
        if !scope.contains(&code) {
            scope.push(code);
        }
    }
    Ok(scope)
}

/// The last day that was asked for, within what the law allows.
fn last_day(rule: &Rule, from: Date, born: Option<Date>, wanted: Option<Date>) -> Result<Date, Problem> {
    let latest = rule.last_day(from, born)?;
    match wanted {
        None => Ok(latest),
        Some(to) if from <= to && to <= latest => Ok(to),
        Some(_) => Err(Problem::invalid("to", "mandate-to").with("latest", day_month_year(latest))),
    }
}

/// The paper is a PDF by its content, and kept before the row that points to it.
async fn paper(cases: &Cases, file: Option<&Upload>) -> Result<Option<MandatePaper>, Problem> {
    let Some(file) = file.filter(|file| !file.bytes.is_empty()) else {
        return Ok(None);
    };
    let max = cases.store.limits().upload_bytes_max;
    if file.bytes.len() > max {
        return Err(Problem::invalid("file", "wallet-file-large").with("max", max >> 20));
    }
    let bytes = file.bytes.clone();
    let pdf = tokio::task::spawn_blocking(move || seal::pdf::looks_like_pdf(&bytes)).await;
    if !pdf.map_err(Problem::internal)? {
        return Err(Problem::invalid("file", "paper-not-pdf"));
    }
    Ok(Some(MandatePaper {
        name: file.name.chars().take(FILE_CHARS_MAX).collect(),
        size: file.bytes.len() as u64,
        digest: cases.store.blobs().put(&file.bytes).await?,
    }))
}

/// A citizen asks for a few mandates an hour: each may have a register asked about somebody else.
async fn counted(cases: &Cases, citizen: &Citizen) -> Result<(), Problem> {
    let text = format!("mandates/{}", citizen.who.account);
    let who = &cases.store.digest(&cases.tenant, &text);
    let max = cases.store.limits().mandate_asks_max;
    let full = cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            take(&tx, who, max).await
        })
        .await?;
    match full {
        Some(minutes) => Err(Problem::new(Kind::TooMany, "mandate-asks-many").with("minutes", minutes)),
        None => Ok(()),
    }
}

async fn keep(cases: &Cases, citizen: &Citizen, mandate: Mandate) -> Result<Mandate, Problem> {
    let max = cases.store.limits().mandates_max;
    let (account, asked) = (&citizen.who.account, &mandate);
    let id = cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let open = store::open_of(&tx, account, tx.now().date(), max).await?;
            if open.len() as u64 >= max {
                return Err(Problem::invalid("number", "mandates-many").with("max", max));
            }
            let mandate = Mandate {
                id: tx.id(),
                ..asked.clone()
            };
            store::insert(&tx, &mandate).await?;
            let fact = Fact::MandateAsked {
                mandate: mandate.id.clone(),
                whom: mandate.whom.word().to_owned(),
                proof: mandate.proof.word().to_owned(),
            };
            tx.fact(&subject(&mandate.id), fact).await?;
            if mandate.state == Standing::Confirmed {
                let fact = Fact::MandateConfirmed {
                    mandate: mandate.id.clone(),
                };
                tx.fact(&subject(&mandate.id), fact).await?;
            }
            Ok(mandate.id)
        })
        .await?;
    Ok(Mandate { id, ..mandate })
}
