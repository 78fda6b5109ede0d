//! All the SQL of delegations. Never a decision: rows in, rows out.

use kernel::{Digest, OrgCode, Problem, Time};
use store::{Reader, Row, Tx, params};

use super::SignedDelegation;

/// Where a delegation stands, apart from its term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The delegator signed it.
    Offered,
    /// Both signed it.
    Agreed,
    /// A party ended it, or did not want it.
    Ended,
}

impl Stage {
    /// Its key.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Agreed => "agreed",
            Self::Ended => "ended",
        }
    }

    fn parse(key: &str) -> Result<Self, Problem> {
        let all = [Self::Offered, Self::Agreed, Self::Ended];
        let found = all.into_iter().find(|stage| stage.as_str() == key);
        found.ok_or_else(|| Problem::internal("a stage of a delegation is one of three"))
    }
}

/// A delegation as an organisation of this node knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDelegation {
    /// Its hash.
    pub hash: Digest,
    /// The document and its signatures.
    pub signed: SignedDelegation,
    /// Where it stands.
    pub stage: Stage,
    /// When that changed last.
    pub changed_at: Time,
    /// Who ended it, and why.
    pub ended: Option<(OrgCode, String)>,
}

fn known(row: &Row) -> Result<KnownDelegation, Problem> {
    let by = row.opt_text("ended_by")?;
    let why = row.opt_text("ended_why")?.unwrap_or_default();
    let ended = by.map(|by| by.parse().map(|by| (by, why))).transpose();
    Ok(KnownDelegation {
        hash: row.digest("hash")?,
        signed: row.json("document")?,
        stage: Stage::parse(&row.text("stage")?)?,
        changed_at: row.time("changed_at")?,
        ended: ended.map_err(Problem::internal)?,
    })
}

/// Every delegation that a tenant knows.
pub(crate) async fn all(reader: &Reader) -> Result<Vec<KnownDelegation>, Problem> {
    let rows = reader
        .all(
            "select hash, document, stage, changed_at, ended_by, ended_why from exchange_delegations \
             where tenant = $1 order by number, hash",
            params![reader.tenant()],
        )
        .await?;
    rows.iter().map(known).collect()
}

/// One of them.
pub(crate) async fn read(reader: &Reader, hash: &Digest) -> Result<Option<KnownDelegation>, Problem> {
    let row = reader
        .one(
            "select hash, document, stage, changed_at, ended_by, ended_why from exchange_delegations \
             where tenant = $1 and hash = $2",
            params![reader.tenant(), hash],
        )
        .await?;
    row.as_ref().map(known).transpose()
}

/// The same, within a change.
pub(super) async fn one(tx: &Tx, hash: &Digest) -> Result<Option<KnownDelegation>, Problem> {
    let row = tx
        .one(
            "select hash, document, stage, changed_at, ended_by, ended_why from exchange_delegations \
             where tenant = $1 and hash = $2",
            params![tx.tenant(), hash],
        )
        .await?;
    row.as_ref().map(known).transpose()
}

/// Offers of a delegator to an agent that nobody has answered, count.
pub(super) async fn unanswered(tx: &Tx, delegator: &OrgCode, agent: &OrgCode) -> Result<u64, Problem> {
    let row = tx
        .one(
            "select count(*) as unanswered from exchange_delegations \
             where tenant = $1 and stage = 'offered' and delegator = $2 and agent = $3",
            params![tx.tenant(), delegator, agent],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("unanswered"))
}

/// Delegations to an agent, its units' among them, that both signed and whose term is not over, count.
pub(super) async fn agreed(tx: &Tx, agent: &OrgCode) -> Result<u64, Problem> {
    let row = tx
        .one(
            "select count(*) as agreed from exchange_delegations where tenant = $1 and stage = 'agreed' \
             and (agent = $2 or agent like $3) and valid_to > $4",
            params![tx.tenant(), agent, format!("{agent}.%"), tx.now()],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("agreed"))
}

/// Writes one as it stands now.
pub(super) async fn save(tx: &Tx, one: &KnownDelegation) -> Result<(), Problem> {
    let d = &one.signed.delegation;
    let document = serde_json::to_string(&one.signed).map_err(Problem::internal)?;
    tx.exec(
        "insert into exchange_delegations \
         (tenant, hash, stage, delegator, agent, number, valid_to, document, changed_at, ended_by, ended_why) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         on conflict (tenant, hash) do update set stage = excluded.stage, document = excluded.document, \
         changed_at = excluded.changed_at, ended_by = excluded.ended_by, ended_why = excluded.ended_why",
        params![
            tx.tenant(),
            &one.hash,
            one.stage.as_str(),
            &d.delegator,
            &d.agent,
            &d.id,
            d.valid_to,
            document,
            tx.now(),
            one.ended.as_ref().map(|(by, _)| by.to_string()),
            one.ended.as_ref().map(|(_, why)| why.clone())
        ],
    )
    .await?;
    Ok(())
}
