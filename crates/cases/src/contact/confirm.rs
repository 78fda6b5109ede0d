//! `POST /contact/{way}/confirm` and its twin: the code that was sent to an address makes it its citizen's. Few tries,
//! and a short time.

use axum::extract::{Path, State};
use axum::response::Response;
use kernel::{Kind, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Refusal};

use crate::citizen::Citizen;
use crate::contact::change::{back, known, note, wrong};
use crate::contact::page::json;
use crate::contact::{CODE_DIGITS, ContactJson, Way};
use crate::state::Cases;
use crate::store::contacts;

/// The code that came.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactCode {
    /// Six digits.
    #[schema(example = "012345")]
    code: String,
}

/// Confirms an address.
#[utoipa::path(post, path = "/contact/{way}/confirm", tag = "cases", security(("session" = ["citizen"])),
    params(("way" = String, Path, description = "`email` or `sms`")),
    request_body(content = ContactCode, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "to the addresses"), (status = 404),
              (status = 409, description = "no code, or one that is too old", content_type = "text/html"),
              (status = 422, description = "another code", content_type = "text/html")),
    extensions(("x-facts" = json!(["contact-changed"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    citizen: Citizen,
    Path(way): Path<String>,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let way = known(&way)?;
    match confirm(&cases, &citizen, way, fields.text("code").unwrap_or_default()).await {
        Ok(()) => Ok(back(way)),
        Err(problem) => Ok(wrong(&cases, &citizen, &page, (way, ""), problem).await?),
    }
}

/// Confirms an address.
#[utoipa::path(post, path = "/api/v1/contact/{way}/confirm", tag = "cases", security(("session" = ["citizen"])),
    params(("way" = String, Path, description = "`email` or `sms`")), request_body = ContactCode,
    responses((status = 200, description = "the addresses", body = ContactJson), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["contact-changed"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    citizen: Citizen,
    Path(way): Path<String>,
    Json(typed): Json<ContactCode>,
) -> Result<Json<ContactJson>, Refusal> {
    confirm(&cases, &citizen, known(&way)?, &typed.code).await?;
    Ok(Json(json(&cases, &citizen).await?))
}

/// Holds what was typed against the code; a wrong try is kept, also where it is refused.
async fn confirm(cases: &Cases, citizen: &Citizen, way: Way, typed: &str) -> Result<(), Problem> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    if typed.len() != CODE_DIGITS || !typed.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Problem::invalid("code", "contact-code-form").with("digits", CODE_DIGITS));
    }
    let account = &citizen.who.account;
    let code = cases.code_digest(account, way, &typed);
    let tries_max = cases.store.limits().contact_code_tries_max;
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let contact = contacts::contact(&tx, account, way).await?;
            let Some(mut contact) = contact else {
                return Ok(Err(Problem::new(Kind::Conflict, "contact-code-none")));
            };
            let told = contact.confirm(code, tx.now(), tries_max);
            contacts::save(&tx, account, &contact).await?;
            if told.is_ok() {
                note(&tx, account, way, "confirmed").await?;
            }
            Ok(told)
        })
        .await?
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Portal, lan, mai, officer};

    const ASK: [(&str, &str); 1] = [("address", "0912 345 678")];

    #[tokio::test]
    async fn a_code_that_came_confirms_the_address_once() {
        let portal = Portal::new().await;
        portal.post(Some(&lan()), "/contact/sms", &ASK).await;
        let code = portal.code("sms");
        assert!(portal.sent("sms")[0].text.contains(&code));
        let went = portal
            .post(Some(&lan()), "/contact/sms/confirm", &[("code", code.as_str())])
            .await;
        assert_eq!((went.status, went.location()), (303, "/contact#sms".to_owned()));
        let mine = portal.get(Some(&lan()), "/api/v1/contact").await.json();
        assert_eq!(mine["ways"][1]["address"], "+84912345678");
        let again = json!({"code": code});
        let told = portal
            .post_json(Some(&lan()), "/api/v1/contact/sms/confirm", &again)
            .await;
        assert_eq!(
            (told.status, told.problem()),
            (409, "contact-code-none".to_owned())
        );
        let facts = portal.facts("contact/lan").await;
        assert_eq!(facts, ["contact-changed", "contact-changed"]);
    }

    #[tokio::test]
    async fn a_wrong_code_is_counted_and_the_right_one_is_worth_nothing_after_too_many() {
        let portal = Portal::new().await;
        portal.post(Some(&lan()), "/contact/sms", &ASK).await;
        let code = portal.code("sms");
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let api = "/api/v1/contact/sms/confirm";
        for _ in 0..portal.cases.store.limits().contact_code_tries_max {
            let told = portal.post_json(Some(&lan()), api, &json!({"code": wrong})).await;
            assert_eq!(
                (told.status, told.problem()),
                (422, "contact-code-wrong".to_owned())
            );
        }
        let told = portal.post_json(Some(&lan()), api, &json!({"code": code})).await;
        assert_eq!(
            (told.status, told.problem()),
            (409, "contact-code-none".to_owned())
        );
        let short = portal
            .post(Some(&lan()), "/contact/sms/confirm", &[("code", "12")])
            .await;
        assert!(
            short.status == 422 && short.body.contains("href=\"#sms-code\""),
            "{}",
            short.body
        );
    }

    #[tokio::test]
    async fn a_code_is_its_citizens_alone() {
        let portal = Portal::new().await;
        portal.post(Some(&lan()), "/contact/sms", &ASK).await;
        let code = portal.code("sms");
        let fields = [("code", code.as_str())];
        let path = "/contact/sms/confirm";
        assert_eq!(portal.post(Some(&mai()), path, &fields).await.status, 409);
        assert_eq!(portal.post(Some(&officer()), path, &fields).await.status, 403);
        assert_eq!(portal.post(None, path, &fields).await.status, 303);
        let api = format!("/api/v1{path}");
        assert_eq!(
            portal.post_json(None, &api, &json!({"code": code})).await.status,
            401
        );
    }
}
