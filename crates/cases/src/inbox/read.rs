//! `POST /inbox/read` and its twin: the signed-in citizen has read one entry, or all that were shown. Marked twice, the
//! first time stands.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Fact, Problem, Time};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Refusal};

use crate::citizen::Citizen;
use crate::inbox::page::{InboxJson, json};
use crate::state::Cases;
use crate::store::inbox;
use crate::telling::deliver::subject;

/// What was read.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InboxRead {
    /// One entry by its id; left out for all.
    #[serde(default)]
    id: String,
    /// Without an id: until when what came is read, in milliseconds since 1970; left out for now.
    #[serde(default)]
    until: Option<i64>,
}

/// Marks as read from the page.
#[utoipa::path(post, path = "/inbox/read", tag = "cases", security(("session" = ["citizen"])),
    request_body(content = InboxRead, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "to the inbox"), (status = 404)),
    extensions(("x-facts" = json!(["notices-read"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    citizen: Citizen,
    fields: Fields,
) -> Result<Response, Refusal> {
    let read = InboxRead {
        id: fields.text("id").unwrap_or_default().to_owned(),
        until: fields.text("until").and_then(|until| until.parse().ok()),
    };
    mark(&cases, &citizen, &read).await?;
    Ok(Redirect::to("/inbox").into_response())
}

/// Marks as read.
#[utoipa::path(post, path = "/api/v1/inbox/read", tag = "cases", security(("session" = ["citizen"])),
    request_body = InboxRead,
    responses((status = 200, description = "the first page of the inbox", body = InboxJson), (status = 401), (status = 404)),
    extensions(("x-facts" = json!(["notices-read"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    citizen: Citizen,
    Json(read): Json<InboxRead>,
) -> Result<Json<InboxJson>, Refusal> {
    mark(&cases, &citizen, &read).await?;
    Ok(Json(json(&cases, &citizen, "").await?))
}

/// One entry, or all until an instant.
async fn mark(cases: &Cases, citizen: &Citizen, read: &InboxRead) -> Result<(), Problem> {
    let account = &citizen.who.account;
    if !read.id.is_empty() {
        let reader = cases.store.read(&cases.tenant).await?;
        let entry = inbox::entry(&reader, account, &read.id).await?;
        entry.ok_or_else(Problem::not_found)?;
    }
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let count = if read.id.is_empty() {
                let until = read.until.map_or_else(|| tx.now(), Time);
                inbox::mark_all(&tx, account, until).await?
            } else {
                inbox::mark_one(&tx, account, &read.id).await?
            };
            if count > 0 {
                tx.fact(&subject(account), Fact::NoticesRead { count }).await?;
            }
            Ok(())
        })
        .await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Portal, lan, mai, officer};

    #[tokio::test]
    async fn an_entry_is_marked_once_and_the_rest_together() {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        portal.later(1_000);
        portal
            .note(&code, json!({"seq": 1, "status": 2}))
            .await
            .expect("noted");
        let id = format!("{code}/0");
        for _ in 0..2 {
            let went = portal
                .post(Some(&lan()), "/inbox/read", &[("id", id.as_str())])
                .await;
            assert_eq!((went.status, went.location()), (303, "/inbox".to_owned()));
        }
        let inbox = portal.get(Some(&lan()), "/api/v1/inbox").await.json();
        assert_eq!(inbox["unread"], 1);
        let first = inbox["items"][0]["at"].clone();
        portal.later(1_000);
        portal
            .note(&code, json!({"seq": 2, "status": 9}))
            .await
            .expect("noted");
        let until = kernel::Time::parse_rfc3339(first.as_str().expect("text")).expect("a time");
        let until = json!({"until": until.ms()});
        let inbox = portal
            .post_json(Some(&lan()), "/api/v1/inbox/read", &until)
            .await
            .json();
        assert_eq!(
            inbox["unread"], 1,
            "what came after the page was shown is not read"
        );
        let inbox = portal
            .post_json(Some(&lan()), "/api/v1/inbox/read", &json!({}))
            .await
            .json();
        assert_eq!(inbox["unread"], 0);
        let read = ["notices-read"; 3];
        assert_eq!(portal.facts("contact/lan").await, read);
    }

    #[tokio::test]
    async fn somebody_elses_entry_is_none() {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        let id = format!("{code}/0");
        let fields = [("id", id.as_str())];
        assert_eq!(
            portal.post(Some(&mai()), "/inbox/read", &fields).await.status,
            404
        );
        assert_eq!(
            portal.post(Some(&officer()), "/inbox/read", &fields).await.status,
            403
        );
        assert_eq!(portal.post(None, "/inbox/read", &fields).await.status, 303);
        let read = json!({"id": id});
        assert_eq!(
            portal
                .post_json(Some(&mai()), "/api/v1/inbox/read", &read)
                .await
                .status,
            404
        );
        assert_eq!(
            portal.post_json(None, "/api/v1/inbox/read", &read).await.status,
            401
        );
        let all = portal
            .post_json(Some(&mai()), "/api/v1/inbox/read", &json!({}))
            .await;
        assert_eq!(all.status, 200);
        let inbox = portal.get(Some(&lan()), "/api/v1/inbox").await.json();
        assert_eq!(inbox["unread"], 1);
    }
}
