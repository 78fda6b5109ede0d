//! What the provider says about somebody to a client. Never more than sign-in needs, and never the
//! same subject identifier to two clients.

use kernel::time::iso;
use kernel::{Problem, Time};
use serde_json::{Value, json};

use super::{ID_TOKEN_S, Provider};
use crate::Site;
use crate::accounts::Account;
use crate::store::codes::CodeRow;

/// The subject identifier of an account towards one client (pairwise, OpenID Connect Core 8.1).
fn sub(site: &Site, client: &str, account: &str) -> String {
    site.store
        .digest(&site.tenant, &format!("sub/{client}/{account}"))
        .hex()
}

/// Who it is: the claims of `userinfo`, and part of the ID token's.
pub(crate) fn person(site: &Site, code: &CodeRow, account: &Account) -> Result<Value, Problem> {
    let number = account
        .subject
        .as_ref()
        .ok_or_else(|| Problem::internal("a code for an account without a personal number"))?;
    let mut claims = json!({
        "sub": sub(site, &code.client, &code.account),
        "loAs": code.level.to_string(),
        "SoDinhDanh": number.as_str(),
        "HoVaTen": account.name,
    });
    if let Some(born) = account.born {
        claims["NgayThangNamSinh"] = json!(iso(born));
    }
    Ok(claims)
}

/// The signed ID token of a redeemed code.
pub(crate) fn id_token(
    site: &Site,
    provider: &Provider,
    code: &CodeRow,
    account: &Account,
    now: Time,
) -> Result<String, Problem> {
    let mut claims = person(site, code, account)?;
    claims["iss"] = json!(provider.issuer);
    claims["aud"] = json!(code.client);
    claims["iat"] = json!(now.seconds());
    claims["exp"] = json!(now.seconds() + ID_TOKEN_S);
    claims["nonce"] = json!(code.nonce);
    claims["auth_time"] = json!(code.signed_in.seconds());
    claims["acr"] = claims["loAs"].clone();
    let payload = serde_json::to_vec(&claims).map_err(Problem::internal)?;
    Ok(seal::jws::sign("JWT", &provider.kid(), &payload, &provider.key))
}
