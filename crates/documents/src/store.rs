//! All the SQL of documents.

use kernel::{Digest, OrgCode, PersonalNumber, Problem, Time};
use store::{Reader, Row, Tx, params};

use crate::document::Issued;

/// A document's row.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) unit: Option<OrgCode>,
    pub(crate) kind: String,
    pub(crate) number: String,
    pub(crate) owner: Option<PersonalNumber>,
    pub(crate) digest: Digest,
    pub(crate) issued_at: Time,
    pub(crate) sealed: bool,
}

impl From<Held> for Issued {
    fn from(held: Held) -> Self {
        Self {
            id: held.id,
            kind: held.kind,
            number: held.number,
            digest: held.digest,
        }
    }
}

fn held(row: &Row) -> Result<Held, Problem> {
    Ok(Held {
        id: row.text("id")?,
        unit: row.text("unit")?.parse().ok(),
        kind: row.text("kind")?,
        number: row.text("number")?,
        owner: row.opt_text("owner")?.and_then(|n| n.parse().ok()),
        digest: row.digest("digest")?,
        issued_at: row.time("issued_at")?,
        sealed: row.opt_int("sealed_at")?.is_some(),
    })
}

const FIND: &str = "select id, unit, kind, number, owner, digest, issued_at, sealed_at from documents_documents \
                    where tenant = $1 and id = $2";

pub(crate) async fn find(reader: &Reader, id: &str) -> Result<Option<Held>, Problem> {
    let row = reader.one(FIND, params![reader.tenant(), id]).await?;
    row.as_ref().map(held).transpose()
}

pub(crate) async fn find_in(tx: &Tx, id: &str) -> Result<Option<Held>, Problem> {
    let row = tx.one(FIND, params![tx.tenant(), id]).await?;
    row.as_ref().map(held).transpose()
}

/// What a new row says.
pub(crate) struct NewRow<'a> {
    pub(crate) id: &'a str,
    pub(crate) unit: &'a OrgCode,
    pub(crate) kind: &'a str,
    pub(crate) number: &'a str,
    pub(crate) about: &'a str,
    pub(crate) owner: Option<&'a PersonalNumber>,
    pub(crate) digest: Digest,
    pub(crate) signer: &'a str,
}

pub(crate) async fn insert(tx: &Tx, row: &NewRow<'_>) -> Result<(), Problem> {
    tx.exec(
        "insert into documents_documents (tenant, id, unit, kind, number, about, owner, digest, signer, issued_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            tx.tenant(),
            row.id,
            row.unit,
            row.kind,
            row.number,
            row.about,
            row.owner.map(|n| n.as_str().to_owned()),
            &row.digest,
            row.signer,
            tx.now()
        ],
    )
    .await?;
    Ok(())
}

/// Notes that the agency's signature was added; what the person signed stays named.
pub(crate) async fn seal(
    tx: &Tx,
    held: &Held,
    number: &str,
    digest: Digest,
    by: &str,
) -> Result<(), Problem> {
    let changed = tx
        .exec(
            "update documents_documents set number = $3, digest = $4, signed_digest = $5, sealed_by = $6, \
                 sealed_at = $7 \
             where tenant = $1 and id = $2 and sealed_at is null",
            params![tx.tenant(), &held.id, number, digest, held.digest, by, tx.now()],
        )
        .await?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Problem::stale())
    }
}
