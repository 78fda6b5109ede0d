//! How far an operator acts in the directory: one of the node's home organisation for the node, all that it
//! hosts and, at the hub, everybody; one of a hosted organisation for that alone. Never a rule of a change.

use kernel::{OrgCode, Problem};
use web::axum::extract::FromRequestParts;
use web::axum::http::request::Parts;
use web::{Operator, Principal, Refusal};

use crate::DirectoryState;
use crate::registration::change::Change;

impl DirectoryState {
    /// The hosted organisation that an operator looks after; `None` for one of the whole node.
    pub(super) fn own(&self, who: &Principal) -> Option<OrgCode> {
        (!who.is_of_home(self.directory.tenant())).then(|| who.tenant.top())
    }

    /// True for who decides at the hub, and this is it.
    pub(super) fn decides(&self, who: &Principal) -> bool {
        self.registrar.is_hub() && self.own(who).is_none()
    }

    /// True for an organisation of this node that an operator speaks for.
    pub(super) fn speaks_for(&self, org: &OrgCode, who: &Principal) -> bool {
        let own = self.own(who);
        self.registrar.speaks_for(org) && own.is_none_or(|own| own.holds(org))
    }

    /// Refuses to ask for what is not an operator's own.
    ///
    /// # Errors
    /// 422 `directory-not-ours` at `org`; 403 `node-not-yours` for what is the node's.
    pub(super) fn may_ask(&self, change: &Change, who: &Principal) -> Result<(), Problem> {
        match (self.own(who), change.owner()) {
            (None, _) => Ok(()),
            (Some(own), Some(org)) if own.holds(org) => Ok(()),
            (Some(_), Some(_)) => Err(Problem::invalid("org", "directory-not-ours")),
            (Some(_), None) => who.require_home(self.directory.tenant()),
        }
    }
}

/// A signed-in operator of the node's home organisation: for what concerns the whole node.
pub(crate) struct Keeper(pub(crate) Principal);

impl FromRequestParts<DirectoryState> for Keeper {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &DirectoryState) -> Result<Self, Refusal> {
        let Operator(who) = Operator::from_request_parts(parts, state).await?;
        who.require_home(state.directory.tenant())?;
        Ok(Self(who))
    }
}

#[cfg(test)]
mod tests {
    use web::axum::Router;
    use web::axum::body::Body;
    use web::http::{Request, header};

    use crate::pages::tests::{portal, send};

    /// Asks, as an operator of an organisation; posts when there is a body.
    async fn ask(router: &Router, org: &str, path: &str, body: Option<&str>) -> (u16, String) {
        let kind = match body {
            Some(body) if body.starts_with('{') => "application/json",
            _ => "application/x-www-form-urlencoded",
        };
        let request = Request::builder()
            .method(if body.is_some() { "POST" } else { "GET" })
            .uri(path)
            .header(header::HOST, "x")
            .header("org", org)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(body.unwrap_or_default().to_owned()))
            .expect("a request");
        let (status, _, body) = send(router, request).await;
        (status.as_u16(), body)
    }

    #[tokio::test]
    async fn an_operator_of_a_hosted_organisation_decides_nothing_for_the_node_and_asks_for_nothing_of_others()
     {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, hub) = portal(&temp, Some("operator")).await;
        let post = async |path: &str, body: &str| ask(&router, "G15", path, Some(body)).await;
        let serial = hub.directory().snapshot().serial;
        let (print, node) = (
            "0".repeat(64),
            r#"{"change":"move-node","node":"national","peer":"x:1"}"#,
        );
        let not_theirs = r#"{"change":"register-system","org":"G22","system":"more","name":"Thêm"}"#;
        let proposal = |wanted: &str| format!(r#"{{"wanted":{wanted},"ask":true}}"#);
        for (path, body, status) in [
            ("/api/v1/directory/registrations", proposal(not_theirs), 422),
            ("/api/v1/directory/registrations", proposal(node), 403),
            (
                "/api/v1/directory/changes",
                format!(r#"{{"wanted":{not_theirs}}}"#),
                403,
            ),
            (
                "/exchange/registrations",
                "change=move-node&node=national&peer=x:1".to_owned(),
                403,
            ),
            (
                "/exchange/registrations",
                "change=register-system&org=G22&system=m&name=M".to_owned(),
                422,
            ),
            (
                "/exchange/registrations",
                "change=register-system&org=G22&system=m&name=M&do=publish".to_owned(),
                403,
            ),
            (
                "/api/v1/directory/automatic",
                r#"{"automatic":true}"#.to_owned(),
                403,
            ),
            (
                "/exchange/registrations/automatic",
                "automatic=on".to_owned(),
                403,
            ),
            (
                "/api/v1/directory/local-groups",
                r#"{"code":"a","name":"A","systems":[]}"#.to_owned(),
                403,
            ),
            ("/exchange/groups", "code=a&name=A".to_owned(), 403),
            ("/api/v1/directory/local-groups/a/end", "{}".to_owned(), 403),
            ("/exchange/groups/a/end", String::new(), 403),
            (
                "/api/v1/directory/instances",
                r#"{"anchor":"a","hash":"b","reason":"x"}"#.to_owned(),
                403,
            ),
            (
                "/api/v1/directory/instances/check",
                r#"{"anchor":"a"}"#.to_owned(),
                403,
            ),
            (
                "/api/v1/directory/instances/LA/withdraw",
                r#"{"reason":"x"}"#.to_owned(),
                403,
            ),
            ("/exchange/federation", "anchor=a&hash=b&reason=x".to_owned(), 403),
            ("/exchange/federation/check", "anchor=a".to_owned(), 403),
            ("/exchange/federation/LA/withdraw", "reason=x".to_owned(), 403),
            (
                "/exchange/certificates/revoke",
                format!("org=G01&thumbprint={print}&reason=x"),
                403,
            ),
        ] {
            let (told, text) = post(path, &body).await;
            assert_eq!(told, status, "{path} {body}: {text}");
        }
        let revoke = format!("/api/v1/directory/certificates/{print}/revoke");
        assert_eq!(post(&revoke, r#"{"reason":"x"}"#).await.0, 403);
        for act in ["ask", "drop"] {
            for path in ["/api/v1/directory/registrations", "/exchange/registrations"] {
                let path = format!("{path}/{print}/{act}");
                assert_eq!(post(&path, "{}").await.0, 404, "{path}");
            }
        }
        for (act, json) in [("approve", "{}"), ("decline", r#"{"reason":"x"}"#)] {
            let path = format!("/api/v1/directory/registrations/{print}/{act}");
            assert_eq!(post(&path, json).await.0, 403, "{path}");
            let path = format!("/exchange/registrations/{print}/{act}");
            assert_eq!(post(&path, "reason=x").await.0, 403, "{path}");
        }
        assert_eq!(hub.directory().snapshot().serial, serial, "nothing was published");
        assert!(hub.directory().local_groups().is_empty());
    }

    #[tokio::test]
    async fn an_operator_of_a_hosted_organisation_sees_no_request_of_others_and_no_form_for_the_node() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, _) = portal(&temp, Some("operator")).await;
        let form = "change=register-system&org=G22&system=more&name=M&do=save";
        let saved = ask(&router, "G22", "/exchange/registrations", Some(form)).await;
        assert_eq!(saved.0, 303, "{}", saved.1);
        let list = "/api/v1/directory/registrations?side=owner";
        let (_, all) = ask(&router, "G22", list, None).await;
        let request = all.split("\"request\":\"").nth(1).expect("one");
        let request = request.get(..64).expect("a name");
        let hubs = "/api/v1/directory/registrations?side=hub";
        for path in [list, "/api/v1/directory/registrations", hubs] {
            assert_eq!(ask(&router, "G15", path, None).await.1, "[]", "{path}");
        }
        for path in ["/api/v1/directory/registrations", "/exchange/registrations"] {
            let (status, _) = ask(&router, "G15", &format!("{path}/{request}"), None).await;
            assert_eq!(status, 404, "{path}");
        }
        for page in ["groups", "trust", "members/G22", "registrations"] {
            let (status, body) = ask(&router, "G15", &format!("/exchange/{page}"), None).await;
            assert_eq!(status, 200, "{page}");
            assert!(
                !body.contains("method=\"post\" action=\"/exchange/"),
                "{page}: {body}"
            );
        }
    }
}
