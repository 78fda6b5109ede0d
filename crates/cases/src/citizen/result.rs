//! `GET /cases/{code}/results/{document}`: a result as its owner signed it, byte for byte. Never
//! another citizen's.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use kernel::{Fact, Problem};
use web::Refusal;
use web::openapi::utoipa;

use crate::citizen::OwnCase;
use crate::store as rows;

/// Gives a result out.
#[utoipa::path(get, path = "/cases/{code}/results/{document}", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code"), ("document" = String, Path, description = "the document's id")),
    responses((status = 200, description = "the signed PDF", content_type = "application/pdf"), (status = 404)),
    extensions(("x-facts" = json!(["document-delivered"]))))]
pub(crate) async fn download(
    own: OwnCase,
    Path((_code, document)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let OwnCase { cases, citizen, held } = &own;
    let reader = cases.store.read(&cases.tenant).await?;
    let results = rows::results(&reader, &held.case.code).await?;
    let result = results
        .into_iter()
        .find(|r| r.document == document)
        .ok_or_else(Problem::not_found)?;
    let bytes = cases.store.blobs().get(&result.digest).await?;
    let (document, to, subject) = (
        &result.document,
        &citizen.who.actor.to_string(),
        &rows::subject(&held.case.code),
    );
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let fact = Fact::DocumentDelivered {
                document: document.clone(),
                to: to.clone(),
            };
            tx.fact(subject, fact).await
        })
        .await?;
    // The name is made of codes alone: nothing to escape, nothing personal in a download folder.
    let name = format!("inline; filename=\"{}.pdf\"", held.case.code);
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

#[cfg(test)]
mod tests {
    use crate::testing::{PDF, Portal, foreign, lan, mai, officer};
    use serde_json::json;

    #[tokio::test]
    async fn a_result_is_given_to_its_citizen_and_leaves_a_fact() {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        portal
            .note(&code, json!({"seq": 1, "status": 2}))
            .await
            .expect("noted");
        portal
            .note(
                &code,
                json!({"seq": 2, "status": 9, "results": [portal.result("doc1", PDF.as_bytes())]}),
            )
            .await
            .expect("noted");
        let path = format!("/cases/{code}/results/doc1");
        assert!(
            portal
                .get(Some(&lan()), &format!("/cases/{code}"))
                .await
                .body
                .contains(&path)
        );
        let got = portal.get(Some(&lan()), &path).await;
        assert_eq!((got.status, got.body.as_str()), (200, PDF));
        assert!(
            portal
                .facts(&format!("case/{code}"))
                .await
                .contains(&"document-delivered".to_owned())
        );
        for (who, status) in [(mai(), 404), (foreign(), 404), (officer(), 403)] {
            assert_eq!(portal.get(Some(&who), &path).await.status, status);
        }
        assert_eq!(
            portal
                .get(Some(&lan()), &format!("/cases/{code}/results/doc2"))
                .await
                .status,
            404
        );
        assert_eq!(portal.get(None, &path).await.status, 303);
    }
}
