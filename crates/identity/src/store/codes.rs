//! Rows of the OpenID Connect provider's codes and the client's flows: their SQL. Secrets are kept
//! as their digests. Never decides whether a code is good.

use kernel::{Digest, Problem, Time};
use store::{Reader, Row, Tx, params};

use super::level_of;

/// A code the provider gave out, and what it was given for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodeRow {
    pub(crate) client: String,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    pub(crate) nonce: String,
    pub(crate) account: String,
    pub(crate) level: u8,
    /// When its owner signed in.
    pub(crate) signed_in: Time,
    pub(crate) expires: Time,
    pub(crate) used: bool,
    pub(crate) revoked: bool,
    /// When its access token ends; none before it was redeemed.
    pub(crate) access_expires: Option<Time>,
}

/// A sign-in the client has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FlowRow {
    /// Digest of the cookie of the browser that began it.
    pub(crate) browser: Digest,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
    pub(crate) next: String,
    pub(crate) expires: Time,
}

pub(crate) async fn insert_code(tx: &Tx, code: &Digest, row: &CodeRow) -> Result<(), Problem> {
    tx.exec(
        "insert into identity_codes (tenant, code, client, redirect_uri, challenge, nonce, account, \
         level, signed_in, expires, revoked) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)",
        params![
            tx.tenant(),
            code,
            &row.client,
            &row.redirect_uri,
            &row.challenge,
            &row.nonce,
            &row.account,
            row.level,
            row.signed_in,
            row.expires
        ],
    )
    .await?;
    Ok(())
}

pub(crate) async fn code(tx: &Tx, code: &Digest) -> Result<Option<CodeRow>, Problem> {
    let row = tx
        .one(
            "select client, redirect_uri, challenge, nonce, account, level, signed_in, expires, used, \
             revoked, access_expires from identity_codes where tenant = $1 and code = $2",
            params![tx.tenant(), code],
        )
        .await?;
    row.as_ref().map(code_of).transpose()
}

/// The code an access token came from.
pub(crate) async fn code_by_access(reader: &Reader, access: &Digest) -> Result<Option<CodeRow>, Problem> {
    let row = reader
        .one(
            "select client, redirect_uri, challenge, nonce, account, level, signed_in, expires, used, \
             revoked, access_expires from identity_codes where tenant = $1 and access = $2",
            params![reader.tenant(), access],
        )
        .await?;
    row.as_ref().map(code_of).transpose()
}

/// Marks a code as used and ties its access token to it; false when another was faster.
pub(crate) async fn use_code(
    tx: &Tx,
    code: &Digest,
    access: &Digest,
    expires: Time,
) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update identity_codes set used = $3, access = $4, access_expires = $5 \
             where tenant = $1 and code = $2 and used is null and revoked = 0",
            params![tx.tenant(), code, tx.now(), access, expires],
        )
        .await?;
    Ok(changed == 1)
}

/// Ends a code and the access token that came from it.
pub(crate) async fn revoke_code(tx: &Tx, code: &Digest) -> Result<(), Problem> {
    tx.exec(
        "update identity_codes set revoked = 1 where tenant = $1 and code = $2",
        params![tx.tenant(), code],
    )
    .await?;
    Ok(())
}

/// Sweeps codes that expired before an instant.
pub(crate) async fn sweep_codes(tx: &Tx, before: Time) -> Result<(), Problem> {
    tx.exec(
        "delete from identity_codes where tenant = $1 and expires <= $2",
        params![tx.tenant(), before],
    )
    .await?;
    Ok(())
}

pub(crate) async fn insert_flow(tx: &Tx, state: &Digest, row: &FlowRow) -> Result<(), Problem> {
    tx.exec(
        "delete from identity_flows where tenant = $1 and expires <= $2",
        params![tx.tenant(), tx.now()],
    )
    .await?;
    tx.exec(
        "insert into identity_flows (tenant, state, browser, nonce, verifier, next_path, expires) \
         values ($1, $2, $3, $4, $5, $6, $7)",
        params![
            tx.tenant(),
            state,
            row.browser,
            &row.nonce,
            &row.verifier,
            &row.next,
            row.expires
        ],
    )
    .await?;
    Ok(())
}

/// Takes a flow out: a state is good once.
pub(crate) async fn take_flow(tx: &Tx, state: &Digest) -> Result<Option<FlowRow>, Problem> {
    let row = tx
        .one(
            "select browser, nonce, verifier, next_path, expires \
             from identity_flows where tenant = $1 and state = $2",
            params![tx.tenant(), state],
        )
        .await?;
    let taken = tx
        .exec(
            "delete from identity_flows where tenant = $1 and state = $2",
            params![tx.tenant(), state],
        )
        .await?;
    if taken == 0 {
        return Ok(None);
    }
    row.as_ref().map(flow_of).transpose()
}

fn code_of(row: &Row) -> Result<CodeRow, Problem> {
    Ok(CodeRow {
        client: row.text("client")?,
        redirect_uri: row.text("redirect_uri")?,
        challenge: row.text("challenge")?,
        nonce: row.text("nonce")?,
        account: row.text("account")?,
        level: level_of(row.int("level")?)?,
        signed_in: Time(row.int("signed_in")?),
        expires: Time(row.int("expires")?),
        used: row.opt_int("used")?.is_some(),
        revoked: row.int("revoked")? == 1,
        access_expires: row.opt_int("access_expires")?.map(Time),
    })
}

fn flow_of(row: &Row) -> Result<FlowRow, Problem> {
    let browser = Digest::parse(&row.text("browser")?)
        .ok_or_else(|| Problem::internal("identity_flows.browser: not a digest"))?;
    Ok(FlowRow {
        browser,
        nonce: row.text("nonce")?,
        verifier: row.text("verifier")?,
        next: row.text("next_path")?,
        expires: Time(row.int("expires")?),
    })
}
