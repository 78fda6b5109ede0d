//! `POST /contact/{way}` and its twin: a citizen says an address, of which steps it is told and in which language; an
//! address that is new gets a code. `POST /contact/{way}/remove`: it is forgotten. Codes are few in an hour, by account
//! and by address, so that nobody is told by them what somebody else typed.

use ::store::Tx;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Digest, Fact, Kind, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Refusal};

use crate::citizen::Citizen;
use crate::contact::page::{Wrong, json, shown};
use crate::contact::{CODE_DIGITS, Contact, ContactJson, Scope, State as Outcome, Telling, Way, lang};
use crate::state::Cases;
use crate::store::contacts;
use crate::telling::deliver::subject;
use crate::telling::words::moment;
use crate::track;

/// An address and what it is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactWish {
    /// An e-mail address, or a mobile number.
    #[schema(example = "lan@example.vn")]
    address: String,
    /// `all` steps, or those that `matters`: that ask something, or change the date or the outcome.
    #[serde(default)]
    scope: String,
    /// `vi` or `en`.
    #[serde(default)]
    lang: String,
}

/// Says an address.
#[utoipa::path(post, path = "/contact/{way}", tag = "cases", security(("session" = ["citizen"])),
    params(("way" = String, Path, description = "`email` or `sms`")),
    request_body(content = ContactWish, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "to the addresses; a new one waits for its code"), (status = 404),
              (status = 422, description = "no address", content_type = "text/html"),
              (status = 429, description = "too many codes", content_type = "text/html"),
              (status = 503, description = "nothing can be sent that way now", content_type = "text/html")),
    extensions(("x-facts" = json!(["contact-changed"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    citizen: Citizen,
    Path(way): Path<String>,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let way = known(&way)?;
    let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
    let wish = ContactWish {
        address: text("address"),
        scope: text("scope"),
        lang: text("lang"),
    };
    match change(&cases, &citizen, way, &wish).await {
        Ok(()) => Ok(back(way)),
        Err(problem) => Ok(wrong(&cases, &citizen, &page, (way, &wish.address), problem).await?),
    }
}

/// Says an address.
#[utoipa::path(post, path = "/api/v1/contact/{way}", tag = "cases", security(("session" = ["citizen"])),
    params(("way" = String, Path, description = "`email` or `sms`")), request_body = ContactWish,
    responses((status = 200, description = "the addresses; a new one waits for its code", body = ContactJson),
              (status = 404), (status = 422), (status = 429), (status = 503)),
    extensions(("x-facts" = json!(["contact-changed"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    citizen: Citizen,
    Path(way): Path<String>,
    Json(wish): Json<ContactWish>,
) -> Result<Json<ContactJson>, Refusal> {
    change(&cases, &citizen, known(&way)?, &wish).await?;
    Ok(Json(json(&cases, &citizen).await?))
}

/// Forgets an address.
#[utoipa::path(post, path = "/contact/{way}/remove", tag = "cases", security(("session" = ["citizen"])),
    params(("way" = String, Path, description = "`email` or `sms`")),
    responses((status = 303, description = "to the addresses"), (status = 404)),
    extensions(("x-facts" = json!(["contact-changed"]))))]
pub(crate) async fn remove_by_form(
    State(cases): State<Cases>,
    citizen: Citizen,
    Path(way): Path<String>,
) -> Result<Response, Refusal> {
    let way = known(&way)?;
    remove(&cases, &citizen, way).await?;
    Ok(back(way))
}

/// Forgets an address.
#[utoipa::path(post, path = "/api/v1/contact/{way}/remove", tag = "cases", security(("session" = ["citizen"])),
    params(("way" = String, Path, description = "`email` or `sms`")),
    responses((status = 200, description = "the addresses", body = ContactJson), (status = 404)),
    extensions(("x-facts" = json!(["contact-changed"]))))]
pub(crate) async fn remove_by_json(
    State(cases): State<Cases>,
    citizen: Citizen,
    Path(way): Path<String>,
) -> Result<Json<ContactJson>, Refusal> {
    remove(&cases, &citizen, known(&way)?).await?;
    Ok(Json(json(&cases, &citizen).await?))
}

/// A way by its word in an address; any other word is no page.
pub(crate) fn known(way: &str) -> Result<Way, Problem> {
    Way::of(way).ok_or_else(Problem::not_found)
}

/// To the way's place on the page.
pub(crate) fn back(way: Way) -> Response {
    Redirect::to(&format!("/contact#{}", way.word())).into_response()
}

/// What is wrong on the page; what is wrong with us as it is everywhere.
pub(crate) async fn wrong(
    cases: &Cases,
    citizen: &Citizen,
    page: &Page,
    (way, typed): (Way, &str),
    problem: Problem,
) -> Result<Response, Problem> {
    if matches!(problem.kind, Kind::Internal | Kind::Full | Kind::NotFound) {
        return Err(problem);
    }
    let wrong = Wrong { way, typed, problem };
    shown(cases, citizen, page, Some(&wrong)).await
}

/// Keeps what is wished; a new address waits for the code that goes to it now.
async fn change(cases: &Cases, citizen: &Citizen, way: Way, wish: &ContactWish) -> Result<(), Problem> {
    let address = &way.address(&wish.address)?;
    let scope = match wish.scope.as_str() {
        "" => Scope::default(),
        word => Scope::of(word).ok_or_else(|| Problem::invalid("scope", "contact-choice"))?,
    };
    let language = match wish.lang.as_str() {
        "" => web::Lang::default(),
        code => lang(code).ok_or_else(|| Problem::invalid("lang", "contact-choice"))?,
    };
    let gate = cases
        .messengers
        .of(way)
        .ok_or_else(|| Problem::new(Kind::Unavailable, "contact-way-off"))?;
    let account = &citizen.who.account;
    let (code, id) = (&new_code(cases), &format!("code/{}", cases.store.world().id()));
    let counted = &[
        cases
            .store
            .digest(&cases.tenant, &format!("contact/account/{account}")),
        cases
            .store
            .digest(&cases.tenant, &format!("contact/address/{address}")),
    ];
    let asked = cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let now = tx.now();
            let contact = contacts::contact(&tx, account, way).await?;
            let mut contact = contact.unwrap_or_else(|| Contact::none(way, now));
            (contact.scope, contact.lang) = (scope, language);
            let is_new = contact.address.as_ref() != Some(address);
            if is_new {
                for who in counted {
                    if let Some(minutes) =
                        track::take(&tx, who, cases.store.limits().contact_codes_max).await?
                    {
                        return Ok(Err(minutes));
                    }
                }
                let until = now.plus_ms(cases.store.limits().contact_code_ms_max);
                contact.ask(address.clone(), cases.code_digest(account, way, code), until);
                let telling = telling(way, id, now);
                contacts::insert_telling(&tx, account, &telling).await?;
            } else {
                contact.pending = None;
                contact.code = None;
            }
            contacts::save(&tx, account, &contact).await?;
            note(&tx, account, way, if is_new { "asked" } else { "changed" }).await?;
            Ok(Ok(is_new.then_some(contact)))
        })
        .await?;
    let too_many = |minutes: i64| Problem::new(Kind::TooMany, "contact-codes-many").with("minutes", minutes);
    let Some(contact) = asked.map_err(too_many)? else {
        return Ok(());
    };
    let until = contact.code_until.unwrap_or_else(|| cases.store.world().now());
    let places = [("confirm", code.clone()), ("until", moment(until, contact.lang))];
    let key = format!("telling/{account}/{}/{id}", way.word());
    let message = cases.written(&contact, ("code", &places), (address.clone(), &key, "contact"));
    let sent = gate.send(&message).await;
    let (state, why) = match &sent {
        Ok(()) => (Outcome::Sent, None),
        Err(problem) => (Outcome::Failed, Some(problem.code)),
    };
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            contacts::note_telling(&tx, account, (way, id), state, why).await
        })
        .await?;
    sent
}

fn telling(way: Way, id: &str, at: kernel::Time) -> Telling {
    Telling {
        way,
        id: id.to_owned(),
        kind: "code".to_owned(),
        code: None,
        at,
        state: Outcome::Waiting,
        done_at: None,
        why: None,
    }
}

/// Forgets an address and what waits for it. What was sent stays written down, without the address.
async fn remove(cases: &Cases, citizen: &Citizen, way: Way) -> Result<(), Problem> {
    let account = &citizen.who.account;
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            if contacts::remove(&tx, account, way).await? {
                note(&tx, account, way, "removed").await?;
            }
            Ok(())
        })
        .await
}

/// The fact of a change: which way and what happened, never the address.
pub(crate) async fn note(tx: &Tx, account: &str, way: Way, change: &str) -> Result<(), Problem> {
    let fact = Fact::ContactChanged {
        channel: way.word().to_owned(),
        change: change.to_owned(),
    };
    tx.fact(&subject(account), fact).await?;
    Ok(())
}

/// A code of six digits.
pub(crate) fn new_code(cases: &Cases) -> String {
    let chance = u64::from_be_bytes(cases.store.world().random::<8>());
    let width = CODE_DIGITS;
    format!("{:0width$}", chance % 10_u64.pow(6))
}

impl Cases {
    /// A code as it is kept: whoever reads the row cannot read the code.
    pub(crate) fn code_digest(&self, account: &str, way: Way, code: &str) -> Digest {
        let text = format!("contact/code/{account}/{}/{code}", way.word());
        self.store.digest(&self.tenant, &text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Portal, foreign, lan, mai, officer};

    const MINE: [(&str, &str); 2] = [("address", "lan@example.vn"), ("scope", "matters")];

    #[tokio::test]
    async fn an_address_is_told_nothing_before_its_code_came_back() {
        let portal = Portal::new().await;
        let went = portal.post(Some(&lan()), "/contact/email", &MINE).await;
        assert_eq!((went.status, went.location()), (303, "/contact#email".to_owned()));
        let sent = portal.sent("email");
        assert_eq!((sent.len(), sent[0].to.as_str()), (1, "lan@example.vn"));
        let code = portal.filed(&lan()).await;
        let topics: Vec<String> = portal
            .waiting()
            .await
            .into_iter()
            .map(|(topic, _)| topic)
            .collect();
        assert_eq!(topics, ["case-handover"], "{code} is in the inbox alone");
        let mine = portal.get(Some(&lan()), "/api/v1/contact").await.json();
        assert_eq!(
            (&mine["ways"][0]["address"], &mine["ways"][0]["pending"]),
            (&json!(null), &json!("lan@example.vn"))
        );
        assert_eq!(portal.facts("contact/lan").await, ["contact-changed"]);
    }

    #[tokio::test]
    async fn what_is_no_address_and_who_is_no_citizen_is_refused() {
        let portal = Portal::new().await;
        for (way, address, problem) in [
            ("email", "lan", "contact-email-bad"),
            ("sms", "12", "contact-phone-bad"),
        ] {
            let wish = json!({"address": address});
            let told = portal
                .post_json(Some(&lan()), &format!("/api/v1/contact/{way}"), &wish)
                .await;
            assert_eq!((told.status, told.problem()), (422, problem.to_owned()));
            let told = portal
                .post(Some(&lan()), &format!("/contact/{way}"), &[("address", address)])
                .await;
            assert_eq!(told.status, 422);
            let linked = format!("href=\"#{way}-address\"");
            assert!(told.body.contains(&linked) && told.body.contains(&format!("value=\"{address}\"")));
        }
        for (who, status) in [(Some(officer()), 403), (Some(foreign()), 404), (None, 303)] {
            let told = portal.post(who.as_ref(), "/contact/email", &MINE).await;
            assert_eq!(told.status, status);
            let told = portal.post(who.as_ref(), "/contact/email/remove", &[]).await;
            assert_eq!(told.status, status);
        }
        assert_eq!(portal.post(Some(&lan()), "/contact/fax", &MINE).await.status, 404);
        assert_eq!(portal.sent("email").len(), 0);
    }

    #[tokio::test]
    async fn codes_are_few_in_an_hour_by_account_and_by_address() {
        let portal = Portal::new().await;
        let max = portal.cases.store.limits().contact_codes_max;
        for _ in 0..max {
            assert_eq!(
                portal.post(Some(&lan()), "/contact/email", &MINE).await.status,
                303
            );
        }
        let told = portal
            .post(Some(&lan()), "/contact/email", &[("address", "b@example.vn")])
            .await;
        assert_eq!(told.status, 429, "another address of the same account");
        let told = portal.post(Some(&mai()), "/contact/email", &MINE).await;
        assert_eq!(told.status, 429, "the same address of another account");
        assert_eq!(portal.sent("email").len(), usize::try_from(max).expect("few"));
    }

    #[tokio::test]
    async fn an_address_is_changed_and_forgotten_and_its_uses_stay_written_down() {
        let portal = Portal::new().await;
        portal.reached(&lan(), "email", "lan@example.vn").await;
        let other = [("address", "moi@example.vn")];
        assert_eq!(
            portal.post(Some(&lan()), "/contact/email", &other).await.status,
            303
        );
        let way = portal.get(Some(&lan()), "/api/v1/contact").await.json()["ways"][0].clone();
        assert_eq!(
            way["address"], "lan@example.vn",
            "the old one counts until the new one is confirmed"
        );
        assert_eq!(way["pending"], "moi@example.vn");
        let same = [
            ("address", "lan@example.vn"),
            ("scope", "matters"),
            ("lang", "en"),
        ];
        assert_eq!(
            portal.post(Some(&lan()), "/contact/email", &same).await.status,
            303
        );
        let way = portal.get(Some(&lan()), "/api/v1/contact").await.json()["ways"][0].clone();
        assert_eq!((&way["scope"], &way["lang"]), (&json!("matters"), &json!("en")));
        assert_eq!(way["pending"], json!(null));
        for _ in 0..2 {
            let went = portal.post(Some(&lan()), "/contact/email/remove", &[]).await;
            assert_eq!(went.status, 303);
        }
        let mine = portal.get(Some(&lan()), "/api/v1/contact").await.json();
        assert_eq!(mine["ways"][0]["address"], json!(null));
        assert_eq!(mine["uses"].as_array().map(Vec::len), Some(2));
        assert_eq!(
            portal.facts("contact/lan").await.len(),
            5,
            "asked, confirmed, asked, changed, removed"
        );
    }

    #[tokio::test]
    async fn a_gateway_that_is_away_is_said_at_once() {
        let portal = Portal::new().await;
        portal.gateway_away(true);
        let wish = json!({"address": "lan@example.vn"});
        let told = portal
            .post_json(Some(&lan()), "/api/v1/contact/email", &wish)
            .await;
        assert_eq!(
            (told.status, told.problem()),
            (503, "notice-gateway-away".to_owned())
        );
        let mine = portal.get(Some(&lan()), "/api/v1/contact").await.json();
        assert_eq!(mine["uses"][0]["state"], "failed");
    }
}
