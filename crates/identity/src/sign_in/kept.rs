//! `GET /sign-in/kept`: a form that came after its sender's session had ended, to be sent again by who
//! sent it. Never shown to another account, and never sent without a press of the button.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use kernel::Problem;
use web::openapi::utoipa;
use web::{Fields, Page, Refusal, SignedIn};

use crate::Site;

/// Where a kept form waits.
pub(crate) const PATH: &str = "/sign-in/kept";

#[derive(Template)]
#[template(path = "kept.html")]
struct KeptPage<'a> {
    page: &'a Page,
    /// Where the form goes; empty when none is kept.
    path: &'a str,
    fields: Vec<(&'a str, &'a str)>,
}

/// Shows the form that waits for the reader, as a button that sends it.
#[utoipa::path(get, path = "/sign-in/kept", tag = "identity",
    security(("session" = ["citizen", "receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor", "designer", "publisher", "operator", "observer"])),
    responses((status = 200, description = "what was typed, to be sent again", content_type = "text/html"),
              (status = 303, description = "nobody is signed in")))]
pub(crate) async fn show(
    State(site): State<Arc<Site>>,
    SignedIn(who): SignedIn,
    page: Page,
) -> Result<Html<String>, Refusal> {
    let limits = site.store.limits();
    let since = site.store.world().now().plus_ms(-limits.kept_form_ms_max);
    let reader = site.store.read(&site.tenant).await?;
    let kept = crate::store::kept_form(&reader, &who.account, since).await?;
    let (path, form) = kept.unwrap_or_default();
    let fields = Fields::of_body(&form, limits.form_fields_max)?;
    let body = KeptPage {
        page: &page,
        path: &path,
        fields: fields.typed().collect(),
    }
    .render()
    .map_err(Problem::internal)?;
    Ok(page.html(&page.t("identity-kept-title"), body))
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use crate::testing::{Browser, Node, PASSWORD, official};

    const TYPED: [(&str, &str); 2] = [("name", "Lê Nguyễn Sen \"Ba\""), ("note", "dòng một\r\ndòng hai")];

    async fn node() -> Node {
        let node = Node::passwords().await;
        node.open(&official("o1", "lan")).await;
        node.open(&official("o2", "hoa")).await;
        node
    }

    /// Somebody whose session has ended sends a form.
    async fn late(node: &Node) -> Browser {
        let mut browser = Browser::default();
        browser.sign_in(node, "lan", PASSWORD).await;
        node.temp
            .clock
            .advance_ms(node.temp.store.limits().session_idle_ms_max + 1);
        let late = browser.post(node, "/work?step=2", &TYPED).await;
        assert_eq!(
            (late.status, late.location()),
            (303, "/sign-in?next=/sign-in/kept")
        );
        browser
    }

    #[tokio::test]
    async fn what_was_typed_when_the_session_ended_is_there_after_signing_in_again() {
        let node = node().await;
        let mut browser = late(&node).await;
        browser.sign_in(&node, "lan", PASSWORD).await;
        let kept = browser.get(&node, super::PATH).await;
        assert_eq!(kept.status, 200);
        for piece in [
            "action=\"/work?step=2\"",
            "name=\"name\"",
            "Lê Nguyễn Sen &#34;Ba&#34;",
            "dòng một\r\ndòng hai",
        ] {
            assert!(kept.body.contains(piece), "{piece} is not in {}", kept.body);
        }
        assert_eq!(browser.post(&node, "/work?step=2", &TYPED).await.body, "done");
    }

    #[tokio::test]
    async fn what_somebody_typed_is_not_shown_to_another_account() {
        let node = node().await;
        let mut browser = late(&node).await;
        browser.sign_in(&node, "hoa", PASSWORD).await;
        let other = browser.get(&node, super::PATH).await;
        assert!(!other.body.contains("Nguyễn Sen") && !other.body.contains("/work"));
        let stranger = Browser::default().get(&node, super::PATH).await;
        assert_eq!(stranger.status, 303);
    }

    #[tokio::test]
    async fn what_was_typed_is_forgotten_by_signing_out_and_after_its_time() {
        let node = node().await;
        let mut browser = late(&node).await;
        browser.sign_in(&node, "lan", PASSWORD).await;
        browser.post(&node, "/sign-out", &[]).await;
        browser.sign_in(&node, "lan", PASSWORD).await;
        assert!(!browser.get(&node, super::PATH).await.body.contains("Nguyễn Sen"));
        let mut browser = late(&node).await;
        node.temp
            .clock
            .advance_ms(node.temp.store.limits().kept_form_ms_max + 1);
        browser.sign_in(&node, "lan", PASSWORD).await;
        assert!(!browser.get(&node, super::PATH).await.body.contains("Nguyễn Sen"));
    }

    #[tokio::test]
    async fn a_form_without_a_session_is_not_kept_and_leads_back_to_its_page() {
        let node = node().await;
        let mut browser = Browser::default();
        let request = axum::http::Request::post("/work")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::REFERER, "http://127.0.0.1/drafts/7/pages/child?a=1");
        let told = browser
            .send(&node, request, axum::body::Body::from("name=Sen"))
            .await;
        assert_eq!(told.location(), "/sign-in?next=/drafts/7/pages/child%3Fa%3D1");
        let request = axum::http::Request::post("/work")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::REFERER, "http://elsewhere.example/drafts");
        let told = browser
            .send(&node, request, axum::body::Body::from("name=Sen"))
            .await;
        assert_eq!(told.location(), "/sign-in?next=/");
    }
}
