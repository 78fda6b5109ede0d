//! `GET /api/v1/exchange/delegations/{hash}` and `…/group-offers/{hash}`: one document with its very bytes
//! and the words that its parties signed, so that anybody can check it without this node. Never changes
//! anything.

use axum::extract::Path;
use kernel::Problem;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::Refusal;

use super::Acting;
use super::delegations::DelegationLine;
use super::group_offers::GroupOfferLine;
use crate::gateway::Exchange;
use crate::life::store as rows;

/// The operations on one document.
pub(super) fn router() -> OpenApiRouter<Exchange> {
    OpenApiRouter::new()
        .routes(routes!(delegation))
        .routes(routes!(group_offer))
}

/// What a party signed.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedWord {
    /// Whose.
    party: String,
    /// A JWS (ES256) that names the document's hash; its key is that of the party's seal.
    word: String,
}

/// A delegation with what its parties signed.
#[derive(Serialize, ToSchema)]
pub(crate) struct DelegationSeen {
    #[serde(flatten)]
    line: DelegationLine,
    /// Its canonical JSON (RFC 8785); the SHA-256 of these bytes is its hash.
    document: String,
    /// The delegator's word, and the agent's once it has accepted.
    signatures: Vec<SignedWord>,
}

/// Shows one delegation with both signed words.
#[utoipa::path(get, path = "/api/v1/exchange/delegations/{hash}", tag = "exchange",
    operation_id = "show_delegation", params(("hash" = String, Path,)),
    security(("session" = ["operator", "observer"])), responses((status = 200, body = DelegationSeen), (status = 404)))]
async fn delegation(
    Acting(x, _): Acting,
    Path(hash): Path<String>,
) -> Result<axum::Json<DelegationSeen>, Refusal> {
    let known = x.delegation(&super::name_of(&hash)?).await?;
    let known = known.ok_or_else(Problem::not_found)?;
    let signed = &known.signed;
    let word = |(party, word): (&kernel::OrgCode, &String)| SignedWord {
        party: party.to_string(),
        word: word.clone(),
    };
    let first = std::iter::once((&signed.delegation.delegator, &signed.delegator_acceptance));
    let second = signed
        .agent_acceptance
        .iter()
        .map(|word| (&signed.delegation.agent, word));
    Ok(axum::Json(DelegationSeen {
        line: DelegationLine::of(&x, &known),
        document: canonical(&signed.delegation)?,
        signatures: first.chain(second).map(word).collect(),
    }))
}

/// An agreement that was made of an offer to a group, with what both parties signed.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedText {
    /// Its hash.
    agreement: String,
    /// Its canonical JSON (RFC 8785); the SHA-256 of these bytes is its hash, and it names the offer's.
    document: String,
    /// The provider's word and the consumer's.
    signatures: Vec<SignedWord>,
}

/// An offer to a group with what was signed of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct GroupOfferSeen {
    #[serde(flatten)]
    line: GroupOfferLine,
    /// Its canonical JSON (RFC 8785); the SHA-256 of these bytes is its hash.
    document: String,
    /// The agreements made of it that are not over, with both signatures; a page of them at most.
    signed: Vec<SignedText>,
}

/// Shows one offer to a group with the signed agreements made of it.
#[utoipa::path(get, path = "/api/v1/exchange/group-offers/{hash}", tag = "exchange",
    operation_id = "show_group_offer", params(("hash" = String, Path,)),
    security(("session" = ["operator", "observer"])), responses((status = 200, body = GroupOfferSeen), (status = 404)))]
async fn group_offer(
    Acting(x, _): Acting,
    Path(hash): Path<String>,
) -> Result<axum::Json<GroupOfferSeen>, Refusal> {
    let hash = super::name_of(&hash)?;
    let mut all = x.group_offers().await?.into_iter();
    let found = all.find(|(known, _)| known.hash == hash);
    let (known, own) = found.ok_or_else(Problem::not_found)?;
    let rows_max = x.0.store.limits().page_rows_max;
    let mut signed = Vec::new();
    for (hash, _) in x.taken_up(&known).into_iter().take(rows_max) {
        signed.extend(x.signed_text(&hash).await?);
    }
    Ok(axum::Json(GroupOfferSeen {
        line: GroupOfferLine::of(&x, &known, own),
        document: canonical(&known.text)?,
        signed,
    }))
}

impl Exchange {
    /// An agreement with both signatures, as an organisation of this node keeps it.
    async fn signed_text(&self, hash: &kernel::Digest) -> Result<Option<SignedText>, Problem> {
        for tenant in self.own_tenants() {
            let reader = self.0.store.read(tenant).await?;
            if let Some(both) = rows::signed(&reader, hash).await? {
                let agreement = &both.agreement;
                let words = [
                    (&agreement.provider, both.provider_acceptance.clone()),
                    (&agreement.consumer.org, both.consumer_acceptance.clone()),
                ];
                return Ok(Some(SignedText {
                    agreement: hash.hex(),
                    document: canonical(agreement)?,
                    signatures: words
                        .into_iter()
                        .map(|(party, word)| SignedWord {
                            party: party.to_string(),
                            word,
                        })
                        .collect(),
                }));
            }
        }
        Ok(None)
    }
}

fn canonical(document: &impl Serialize) -> Result<String, Problem> {
    kernel::digest::canonical_json(document).map_err(Problem::internal)
}
