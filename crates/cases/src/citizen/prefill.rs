//! `POST /drafts/{id}/prefill`: the registers answer instead of the citizen, each answer kept with
//! its source and the exchange's request id. Never asks but through the exchange, and never stops
//! the citizen: what a register does not answer is typed by hand.

pub(crate) mod answered;

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use exchange::Ask;
use kernel::{Fact, Kind, PersonalNumber, Problem};
use serde_json::{Map, Value};
use web::openapi::utoipa;
use web::{Fields, Refusal};

use crate::case::Answers;
use crate::citizen::{Citizen, OpenDraft, OwnDraft};
use crate::draft::{Draft, Filled};
use crate::mandate;
use crate::procedure::{Prefill, Procedure};
use crate::state::Cases;
use crate::store as rows;

/// What the registers answered.
struct Heard {
    /// By field, with what was known before.
    fields: BTreeMap<String, Filled>,
    /// True when some of it is new.
    anything: bool,
    /// Why the first that did not answer did not.
    problem: Option<Problem>,
}

/// The form's field.
#[derive(web::openapi::ToSchema)]
#[expect(dead_code, reason = "describes the form for OpenAPI; `Fields` reads it")]
pub struct PrefillForm {
    /// Anything: takes the registers' answers out again.
    clear: Option<String>,
}

/// Asks the registers, or takes their answers out again.
#[utoipa::path(post, path = "/drafts/{id}/prefill", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    request_body(content = PrefillForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "back to the draft, which says what became of it"), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["case-draft-changed"]))))]
pub(crate) async fn prefill(OpenDraft(own): OpenDraft, fields: Fields) -> Result<Response, Refusal> {
    let OwnDraft {
        cases,
        citizen,
        draft,
    } = own;
    let procedure = cases.version(&draft.version)?;
    let (heard, told) = if fields.text("clear").is_some() {
        (BTreeMap::new(), "cleared".to_owned())
    } else {
        let asked: Vec<&Prefill> = procedure.prefill.iter().collect();
        let heard = ask_each(&cases, &citizen, &asked, &draft, BTreeMap::new()).await?;
        let told = told(heard.problem.as_ref(), !heard.anything);
        // Nothing new was heard: what was heard before is worth more.
        let before = || draft.prefilled.clone();
        (if heard.anything { heard.fields } else { before() }, told)
    };
    keep(&cases, &citizen, &procedure, &draft, &heard).await?;
    Ok(Redirect::to(&format!("/drafts/{}?prefill={told}", draft.id)).into_response())
}

/// The answers replace those of an earlier time; a page answered meanwhile loses nothing. What was asked by an answer
/// that has changed since, in another window, or of somebody for whom it is filed no more, is not kept.
async fn keep(
    cases: &Cases,
    citizen: &Citizen,
    procedure: &Procedure,
    asked: &Draft,
    heard: &BTreeMap<String, Filled>,
) -> Result<(), Problem> {
    let id = asked.id.as_str();
    let account = &citizen.who.account;
    let content = kernel::digest::canonical_json(heard).map_err(Problem::internal)?;
    let digest = cases.store.digest(&cases.tenant, &content);
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let mut draft = rows::draft(&tx, account, id)
                .await?
                .ok_or_else(Problem::not_found)?;
            if draft.mandate != asked.mandate || !procedure.asked_alike(&asked.answers, &draft.answers) {
                return Ok(());
            }
            draft.prefilled.clone_from(heard);
            rows::save_draft(&tx, &draft).await?;
            let fact = Fact::CaseDraftChanged {
                part: "prefill".to_owned(),
                digest,
            };
            tx.fact(&Draft::subject(id), fact).await?;
            Ok(())
        })
        .await
}

/// Asks one register after the other: a later one may need what an earlier one answered.
async fn ask_each(
    cases: &Cases,
    citizen: &Citizen,
    asked: &[&Prefill],
    draft: &Draft,
    known: BTreeMap<String, Filled>,
) -> Result<Heard, Problem> {
    let (mut heard, mut anything, mut first) = (known, false, None);
    let applicant = mandate::choose::applicant(cases, citizen, draft).await?;
    let applicant = applicant.as_ref();
    let sex = applicant.map(PersonalNumber::sex);
    for prefill in asked
        .iter()
        .filter(|p| p.applicant.is_none_or(|wanted| sex == Some(wanted)))
    {
        match ask(cases, citizen, prefill, (applicant, &draft.answers), &heard).await {
            Ok(answers) => {
                anything |= !answers.is_empty();
                heard.extend(answers);
            }
            Err(problem) => {
                // The inner cause is for the log alone; ids only, no personal data.
                tracing::warn!(service = prefill.service, cause = %problem, "a register did not answer for a form");
                first.get_or_insert(problem);
            }
        }
    }
    Ok(Heard {
        fields: heard,
        anything,
        problem: first,
    })
}

/// One question: what it fills, or nothing when the register has no such record.
async fn ask(
    cases: &Cases,
    citizen: &Citizen,
    prefill: &Prefill,
    (applicant, answers): (Option<&PersonalNumber>, &Answers),
    heard: &BTreeMap<String, Filled>,
) -> Result<Vec<(String, Filled)>, Problem> {
    let mut body = Map::new();
    for (name, key) in &prefill.key {
        let value = match key.strip_prefix('@') {
            Some("applicant") => applicant.map(PersonalNumber::as_str),
            Some(name) => match name.strip_prefix("answer:") {
                Some(field) => answers.get(field).map(String::as_str).filter(|v| !v.is_empty()),
                None => heard.get(name).map(|f| f.value.as_str()),
            },
            None => Some(key.as_str()),
        };
        let Some(value) = value else { return Ok(Vec::new()) };
        body.insert(name.clone(), value.into());
    }
    let ask = Ask {
        consumer: cases.system.clone(),
        service: prefill.service.parse().map_err(Problem::internal)?,
        body: Bytes::from(Value::Object(body).to_string()),
        on_behalf: citizen.who.actor.to_string(),
        issue: None,
        idempotency: None,
    };
    let answer = cases.exchange.ask(ask).await?;
    if answer.status == 404 {
        return Ok(Vec::new());
    }
    let told: Value = answer.json()?;
    let record = told
        .get("record")
        .and_then(Value::as_object)
        .ok_or(Problem::new(Kind::Upstream, "answer-bad"))?;
    let filled = |(ours, theirs): (&String, &String)| {
        let value = text_at(record, theirs)?;
        let filled = Filled {
            value,
            source: prefill.source.clone(),
            service: prefill.service.clone(),
            request: answer.request.clone(),
        };
        Some((ours.clone(), filled))
    };
    Ok(prefill.fills.iter().filter_map(filled).collect())
}

/// A text of a record, `residence.commune`; nothing when the agreement does not grant it.
pub(crate) fn text_at(record: &Map<String, Value>, path: &str) -> Option<String> {
    let value = match path.split_once('.') {
        Some((first, rest)) => return text_at(record.get(first)?.as_object()?, rest),
        None => record.get(path)?,
    };
    let text = match value {
        Value::String(text) => kernel::text::clean(text),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// What the draft's page is to say, as a query.
fn told(problem: Option<&Problem>, nothing: bool) -> String {
    let Some(problem) = problem else {
        return (if nothing { "none" } else { "done" }).to_owned();
    };
    let hop = problem
        .args
        .iter()
        .find(|(name, _)| *name == "hop")
        .map_or("", |(_, hop)| hop.as_str());
    let word = match problem.kind {
        Kind::Unavailable | Kind::Timeout | Kind::Upstream => "unreachable",
        _ => "refused",
    };
    format!("{word}&from={}", web::page::query_value(hop))
}

#[cfg(test)]
mod tests {
    use kernel::{Kind, Problem};
    use serde_json::json;

    use crate::testing::{Portal, lan, mai, nam};

    #[tokio::test]
    async fn the_mothers_and_fathers_particulars_come_from_their_registers() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        let went = portal.post(Some(&lan()), &format!("{path}/prefill"), &[]).await;
        assert_eq!(
            (went.status, went.location()),
            (303, format!("{path}?prefill=done"))
        );
        let draft = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
        let filled = &draft["prefilled"];
        assert_eq!(filled["mother_name"]["value"], "Lê Thị Lan");
        assert_eq!(filled["mother_commune"]["value"], "15865");
        assert_eq!(filled["mother_name"]["service"], "G01/population/person-lookup");
        assert_eq!(filled["mother_name"]["request"].as_str().map(str::len), Some(32));
        assert_eq!(
            filled["father_number"]["value"], "038096000002",
            "from the marriage, then the father's own record"
        );
        assert_eq!(filled["father_born"]["value"], "1996-05-06");
        let asked = portal.asked();
        let services: Vec<&str> = asked.iter().map(|(service, _)| service.as_str()).collect();
        assert_eq!(
            services,
            [
                "G01/population/person-lookup",
                "G15/civil-status/marriage-lookup",
                "G01/population/person-lookup"
            ]
        );
        assert_eq!(asked[1].1, json!({"wife_number": "038198000001"}));
        assert_eq!(asked[2].1, json!({"personal_number": "038096000002"}));
    }

    #[tokio::test]
    async fn a_father_who_files_is_asked_for_the_other_way_round() {
        let portal = Portal::new().await;
        let path = portal.start(&nam()).await;
        portal.post(Some(&nam()), &format!("{path}/prefill"), &[]).await;
        let draft = portal.get(Some(&nam()), &format!("/api/v1{path}")).await.json();
        assert_eq!(draft["prefilled"]["father_name"]["value"], "Nguyễn Văn Nam");
        assert_eq!(draft["prefilled"]["mother_name"]["value"], "Lê Thị Lan");
    }

    #[tokio::test]
    async fn a_register_that_is_down_does_not_stop_the_citizen() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        portal.answer(
            "G01",
            Err(Problem::new(Kind::Unavailable, "provider-unreachable").with("hop", "G01")),
        );
        let went = portal.post(Some(&lan()), &format!("{path}/prefill"), &[]).await;
        assert_eq!(went.location(), format!("{path}?prefill=unreachable&from=G01"));
        let told = portal.get(Some(&lan()), &went.location()).await;
        assert!(
            told.body.contains("Bộ Công an") && told.body.contains("/pages/child"),
            "she goes on by hand"
        );
        let draft = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
        assert_eq!(
            draft["prefilled"]["father_name"]["value"], "Nguyễn Văn Nam",
            "the marriage register did answer"
        );
        assert_eq!(draft["prefilled"].get("mother_name"), None);
    }

    #[tokio::test]
    async fn only_granted_fields_are_kept_and_no_record_is_no_answer() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        portal.answer(
            "G01",
            Ok((
                200,
                json!({"record": {"full_name": "Lê Thị Lan", "marital_status": "married"}}),
            )),
        );
        portal.answer("G15", Ok((404, json!({"code": "record-not-found"}))));
        portal.post(Some(&lan()), &format!("{path}/prefill"), &[]).await;
        let draft = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
        let fields: Vec<&String> = draft["prefilled"]
            .as_object()
            .expect("an object")
            .keys()
            .collect();
        assert_eq!(fields, ["mother_name"]);
        portal.answer("G01", Ok((404, json!({"code": "record-not-found"}))));
        let went = portal
            .post(Some(&lan()), &format!("{path}/prefill"), &[("clear", "1")])
            .await;
        assert!(went.location().ends_with("cleared"));
        assert!(
            portal
                .post(Some(&lan()), &format!("{path}/prefill"), &[])
                .await
                .location()
                .ends_with("none")
        );
        assert_eq!(
            portal
                .post(Some(&mai()), &format!("{path}/prefill"), &[])
                .await
                .status,
            404
        );
    }
}
