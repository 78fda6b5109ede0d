//! Giving a document out: to its owner and to officials of its unit and above, each time a fact.

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use kernel::{Fact, Problem};
use web::auth::{DESK_ROLES, Principal, SignedIn};
use web::problem::Refusal;

use crate::Documents;
use crate::store::{self as rows, Held};

/// Gives out a document as PDF.
#[utoipa::path(get, path = "/documents/{id}", tag = "documents", params(("id" = String, Path,)),
    security(("session" = ["citizen", "receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    extensions(("x-facts" = json!(["document-delivered"]))),
    responses((status = 200, content_type = "application/pdf"), (status = 404)))]
pub(crate) async fn download(
    State(documents): State<Documents>,
    SignedIn(who): SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let store = &documents.0.store;
    let held = rows::find(&store.read(&who.tenant).await?, &id)
        .await?
        .ok_or_else(Problem::not_found)?;
    may_have(&who, &held)?;
    let (id, to) = (&held.id, who.actor.to_string());
    let to = &to;
    store
        .write(&who.tenant, &who.actor, |tx| async move {
            let fact = Fact::DocumentDelivered {
                document: id.clone(),
                to: to.clone(),
            };
            tx.fact(&format!("document/{id}"), fact).await
        })
        .await?;
    let pdf = documents.bytes(&held.digest).await?;
    let name = format!("inline; filename=\"{}.pdf\"", held.kind);
    Ok((
        [
            (CONTENT_TYPE, "application/pdf".to_owned()),
            (CONTENT_DISPOSITION, name),
        ],
        pdf,
    )
        .into_response())
}

/// To anybody else the document does not exist.
fn may_have(who: &Principal, held: &Held) -> Result<(), Problem> {
    let owner = held.owner.is_some() && who.subject == held.owner;
    let office = DESK_ROLES.iter().any(|role| who.has(role))
        && held.unit.as_ref().is_some_and(|unit| who.unit.holds(unit));
    if owner || office {
        Ok(())
    } else {
        Err(Problem::not_found())
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Actor, Digest, Time};

    use super::*;

    fn who(role: &str, unit: &str, number: Option<&str>) -> Principal {
        Principal {
            account: "a".to_owned(),
            tenant: "H56".parse().unwrap(),
            actor: Actor::Official("a".to_owned()),
            name: String::new(),
            subject: number.map(|n| n.parse().unwrap()),
            level: 2,
            roles: vec![role.to_owned()],
            unit: unit.parse().unwrap(),
            session: String::new(),
        }
    }

    #[test]
    fn a_document_exists_for_its_owner_its_unit_and_those_above() {
        let held = Held {
            id: "d".to_owned(),
            unit: "H56.14857".parse().ok(),
            kind: "receipt".to_owned(),
            number: "1".to_owned(),
            owner: "038198004726".parse().ok(),
            digest: Digest::default(),
            issued_at: Time(0),
            sealed: false,
        };
        let may = |who: &Principal| may_have(who, &held).is_ok();
        assert!(may(&who("citizen", "H56", Some("038198004726"))));
        assert!(may(&who("officer", "H56.14857", None)) && may(&who("chairman", "H56", None)));
        assert!(!may(&who("citizen", "H56", Some("038192000017"))));
        assert!(!may(&who("officer", "H56.14797", None)) && !may(&who("operator", "H56", None)));
    }
}
