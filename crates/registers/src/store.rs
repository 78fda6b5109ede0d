//! All SQL of the registers. Every statement names the tenant of its write; nothing here decides
//! who may read what.

use kernel::{Digest, Problem, Time};
use serde_json::{Map, Value};
use store::{Migrations, Pair, Row, Tx, params};

use crate::record::{Change, Version};

pub(crate) mod changes;

/// The tables of this crate.
pub const MIGRATIONS: Migrations = Migrations {
    name: "registers",
    files: &[
        ("0001_records", include_str!("../migrations/0001_records.sql")),
        ("0002_claims", include_str!("../migrations/0002_claims.sql")),
        ("0003_changes", include_str!("../migrations/0003_changes.sql")),
    ],
};

/// Many first versions at once: a JSON array of `[register, key, valid_from, recorded_at, source, body]`.
/// A key that is there stays as it is, so that a load cut short can be run again.
pub(crate) const LOAD_RECORDS: Pair = Pair {
    sqlite: "insert into registers_records (tenant, register, record_key, version, state, valid_from, recorded_at, \
             source, basis, request, body) \
             select $1, value ->> 0, value ->> 1, 1, 'current', value ->> 2, value ->> 3, value ->> 4, \
             value ->> 4, '', value ->> 5 from json_each($2) where true on conflict do nothing",
    postgres: "insert into registers_records (tenant, register, record_key, version, state, valid_from, recorded_at, \
               source, basis, request, body) \
               select $1, value ->> 0, value ->> 1, 1, 'current', cast(value ->> 2 as bigint), \
               cast(value ->> 3 as bigint), value ->> 4, value ->> 4, '', value ->> 5 \
               from jsonb_array_elements($2::text::jsonb) as t(value) on conflict do nothing",
};

/// Many links at once: a JSON array of `[register, link, value, key]`.
pub(crate) const LOAD_LINKS: Pair = Pair {
    sqlite: "insert into registers_links (tenant, register, link, value, record_key) \
             select $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3 \
             from json_each($2) where true on conflict do nothing",
    postgres: "insert into registers_links (tenant, register, link, value, record_key) \
               select $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3 \
               from jsonb_array_elements($2::text::jsonb) as t(value) on conflict do nothing",
};

/// At which time a record is read: when it held, and what was known then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// When it held.
    pub as_of: Time,
    /// What was believed at this instant.
    pub as_known_at: Time,
}

/// The versions of a record that are believed now, and the number of its last version, 0 for none.
pub(crate) async fn believed(tx: &Tx, register: &str, key: &str) -> Result<(Vec<Version>, u32), Problem> {
    let rows = tx
        .all(
            "select record_key, version, state, valid_from, valid_to, recorded_at, source, basis, request, body \
             from registers_records where tenant = $1 and register = $2 and record_key = $3 \
             and superseded_at is null order by version",
            params![tx.tenant(), register, key],
        )
        .await?;
    let last = tx
        .one(
            "select cast(coalesce(max(version), 0) as bigint) as last from registers_records \
             where tenant = $1 and register = $2 and record_key = $3",
            params![tx.tenant(), register, key],
        )
        .await?
        .map_or(Ok(0), |row| row.count("last"))?;
    let versions = rows.iter().map(version).collect::<Result<_, _>>()?;
    Ok((versions, u32::try_from(last).map_err(Problem::internal)?))
}

/// How often a record was taken back so far.
pub(crate) async fn withdrawals(tx: &Tx, register: &str, key: &str) -> Result<u64, Problem> {
    let row = tx
        .one(
            "select cast(count(*) as bigint) as n from registers_records \
             where tenant = $1 and register = $2 and record_key = $3 and state = 'withdrawn'",
            params![tx.tenant(), register, key],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("n"))
}

/// The first version of a record: who wrote it first.
pub(crate) async fn first(tx: &Tx, register: &str, key: &str) -> Result<Option<Version>, Problem> {
    let row = tx
        .one(
            "select record_key, version, state, valid_from, valid_to, recorded_at, source, basis, request, body \
             from registers_records where tenant = $1 and register = $2 and record_key = $3 and version = 1",
            params![tx.tenant(), register, key],
        )
        .await?;
    row.as_ref().map(version).transpose()
}

/// The current record of a key at two times.
pub(crate) async fn by_key(
    tx: &Tx,
    register: &str,
    key: &str,
    when: When,
) -> Result<Option<Version>, Problem> {
    let row = tx
        .one(
            "select record_key, version, state, valid_from, valid_to, recorded_at, source, basis, request, body \
             from registers_records where tenant = $1 and register = $2 and record_key = $3 and state = 'current' \
             and valid_from <= $4 and (valid_to is null or valid_to > $4) \
             and recorded_at <= $5 and (superseded_at is null or superseded_at > $5) \
             order by version desc limit 1",
            params![tx.tenant(), register, key, when.as_of, when.as_known_at],
        )
        .await?;
    row.as_ref().map(version).transpose()
}

/// The latest current record that a link leads to at two times.
pub(crate) async fn by_link(
    tx: &Tx,
    register: &str,
    link: &str,
    value: &str,
    when: When,
) -> Result<Option<Version>, Problem> {
    let row = tx
        .one(
            "select r.record_key, r.version, r.state, r.valid_from, r.valid_to, r.recorded_at, r.source, r.basis, \
             r.request, r.body from registers_links l join registers_records r \
             on r.tenant = l.tenant and r.register = l.register and r.record_key = l.record_key \
             where l.tenant = $1 and l.register = $2 and l.link = $3 and l.value = $4 and r.state = 'current' \
             and r.valid_from <= $5 and (r.valid_to is null or r.valid_to > $5) \
             and r.recorded_at <= $6 and (r.superseded_at is null or r.superseded_at > $6) \
             order by r.valid_from desc, r.record_key desc, r.version desc limit 1",
            params![tx.tenant(), register, link, value, when.as_of, when.as_known_at],
        )
        .await?;
    row.as_ref().map(version).transpose()
}

/// The keys of records whose taking back was begun and not ended.
pub(crate) async fn withdrawing(tx: &Tx, register: &str) -> Result<Vec<String>, Problem> {
    let rows = tx
        .all(
            "select record_key from registers_records where tenant = $1 and register = $2 \
             and state = 'withdrawing' and superseded_at is null order by record_key limit 1000",
            params![tx.tenant(), register],
        )
        .await?;
    rows.iter().map(|row| row.text("record_key")).collect()
}

/// Writes a change of a record. False when its first version was there before: the key is taken.
pub(crate) async fn write(tx: &Tx, register: &str, change: &Change) -> Result<bool, Problem> {
    let Some(key) = change.written.first().map(|v| v.key.clone()) else {
        return Ok(true);
    };
    for old in &change.superseded {
        tx.exec(
            "update registers_records set superseded_at = $5 \
             where tenant = $1 and register = $2 and record_key = $3 and version = $4 and superseded_at is null",
            params![tx.tenant(), register, &key, *old, tx.now()],
        )
        .await?;
    }
    for new in &change.written {
        let body = kernel::digest::canonical_json(&new.body).map_err(Problem::internal)?;
        let written = tx
            .exec(
                "insert into registers_records (tenant, register, record_key, version, state, valid_from, valid_to, \
                 recorded_at, source, basis, request, body) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing",
                params![
                    tx.tenant(),
                    register,
                    &new.key,
                    new.version,
                    new.state.word(),
                    new.valid_from,
                    new.valid_to,
                    new.recorded_at,
                    &new.source,
                    &new.basis,
                    &new.request,
                    body
                ],
            )
            .await?;
        if written == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The key of the record that a link leads to, whatever its state.
pub(crate) async fn linked(
    tx: &Tx,
    register: &str,
    link: &str,
    value: &str,
) -> Result<Option<String>, Problem> {
    let row = tx
        .one(
            "select record_key from registers_links where tenant = $1 and register = $2 and link = $3 and value = $4",
            params![tx.tenant(), register, link, value],
        )
        .await?;
    row.map(|row| row.text("record_key")).transpose()
}

/// Takes a claim for a record; the key of who has it: that record, or the one that came first.
pub(crate) async fn claim(
    tx: &Tx,
    register: &str,
    (name, value): (&str, &Digest),
    key: &str,
) -> Result<String, Problem> {
    tx.exec(
        "insert into registers_claims (tenant, register, claim, value, record_key) values ($1, $2, $3, $4, $5) \
         on conflict do nothing",
        params![tx.tenant(), register, name, value, key],
    )
    .await?;
    let row = tx
        .one(
            "select record_key from registers_claims \
             where tenant = $1 and register = $2 and claim = $3 and value = $4",
            params![tx.tenant(), register, name, value],
        )
        .await?;
    row.ok_or_else(|| Problem::internal("a claim that was taken is not there"))?
        .text("record_key")
}

/// Gives a claim to another record.
pub(crate) async fn pass_claim(
    tx: &Tx,
    register: &str,
    (name, value): (&str, &Digest),
    key: &str,
) -> Result<(), Problem> {
    tx.exec(
        "update registers_claims set record_key = $5 \
         where tenant = $1 and register = $2 and claim = $3 and value = $4",
        params![tx.tenant(), register, name, value, key],
    )
    .await?;
    Ok(())
}

/// Lets go of all that a record claimed.
pub(crate) async fn release_claims(tx: &Tx, register: &str, key: &str) -> Result<(), Problem> {
    tx.exec(
        "delete from registers_claims where tenant = $1 and register = $2 and record_key = $3",
        params![tx.tenant(), register, key],
    )
    .await?;
    Ok(())
}

/// Lets a record be found by a link.
pub(crate) async fn link(tx: &Tx, register: &str, link: &str, value: &str, key: &str) -> Result<(), Problem> {
    tx.exec(
        "insert into registers_links (tenant, register, link, value, record_key) values ($1, $2, $3, $4, $5) \
         on conflict do nothing",
        params![tx.tenant(), register, link, value, key],
    )
    .await?;
    Ok(())
}

/// One read of one person's data, as the person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) id: String,
    pub(crate) register: String,
    pub(crate) at: Time,
    pub(crate) consumer: String,
    pub(crate) on_behalf: String,
    pub(crate) purpose: String,
    pub(crate) legal_basis: String,
    pub(crate) fields: Vec<String>,
    pub(crate) agreement: Digest,
    pub(crate) request: String,
    pub(crate) issue: Option<String>,
}

/// Writes the trace of a read for one person, named by their salted digest.
pub(crate) async fn access(tx: &Tx, subject: &Digest, a: &Access) -> Result<(), Problem> {
    let fields = kernel::digest::canonical_json(&a.fields).map_err(Problem::internal)?;
    tx.exec(
        "insert into registers_access (tenant, subject, id, register, at, consumer, on_behalf, purpose, legal_basis, \
         fields, agreement, request, issue) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        params![
            tx.tenant(),
            subject,
            &a.id,
            &a.register,
            a.at,
            &a.consumer,
            &a.on_behalf,
            &a.purpose,
            &a.legal_basis,
            fields,
            a.agreement,
            &a.request,
            a.issue.as_deref()
        ],
    )
    .await?;
    Ok(())
}

/// The reads of a person's data older than `before` (an id; ids sort by time), newest first.
pub(crate) async fn accesses(
    tx: &Tx,
    subject: &Digest,
    before: &str,
    limit: usize,
) -> Result<Vec<Access>, Problem> {
    let rows = tx
        .all(
            "select id, register, at, consumer, on_behalf, purpose, legal_basis, fields, agreement, request, issue \
             from registers_access where tenant = $1 and subject = $2 and id < $3 order by id desc limit $4",
            params![tx.tenant(), subject, before, limit],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Access {
                id: row.text("id")?,
                register: row.text("register")?,
                at: row.time("at")?,
                consumer: row.text("consumer")?,
                on_behalf: row.text("on_behalf")?,
                purpose: row.text("purpose")?,
                legal_basis: row.text("legal_basis")?,
                fields: row.json("fields")?,
                agreement: row.digest("agreement")?,
                request: row.text("request")?,
                issue: row.opt_text("issue")?,
            })
        })
        .collect()
}

/// What a change was called by its caller: service, caller, key.
pub(crate) struct Named<'a> {
    pub(crate) service: &'a str,
    pub(crate) consumer: &'a str,
    pub(crate) key: &'a str,
}

/// The answer given to this change before, with the digest of its request.
pub(crate) async fn done(tx: &Tx, named: &Named<'_>) -> Result<Option<(Digest, Value)>, Problem> {
    let row = tx
        .one(
            "select request, answer from registers_done \
             where tenant = $1 and service = $2 and consumer = $3 and request_key = $4",
            params![tx.tenant(), named.service, named.consumer, named.key],
        )
        .await?;
    row.map(|row| Ok((row.digest("request")?, row.json("answer")?)))
        .transpose()
}

/// Remembers the answer given to a change.
pub(crate) async fn keep_done(
    tx: &Tx,
    named: &Named<'_>,
    request: &Digest,
    answer: &Value,
) -> Result<(), Problem> {
    tx.exec(
        "insert into registers_done (tenant, service, consumer, request_key, request, answer, at) \
         values ($1, $2, $3, $4, $5, $6, $7)",
        params![
            tx.tenant(),
            named.service,
            named.consumer,
            named.key,
            request,
            answer.to_string(),
            tx.now()
        ],
    )
    .await?;
    Ok(())
}

/// How many records a source wrote first.
pub(crate) async fn count_of_source(tx: &Tx, register: &str, source: &str) -> Result<u64, Problem> {
    let row = tx
        .one(
            "select cast(count(*) as bigint) as n from registers_records \
             where tenant = $1 and register = $2 and source = $3 and version = 1",
            params![tx.tenant(), register, source],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("n"))
}

/// The rows and root of a load done before.
pub(crate) async fn loaded(tx: &Tx, register: &str, name: &str) -> Result<Option<(u64, Digest)>, Problem> {
    let row = tx
        .one(
            "select records, root from registers_loads where tenant = $1 and register = $2 and name = $3",
            params![tx.tenant(), register, name],
        )
        .await?;
    row.map(|row| Ok((row.count("records")?, row.digest("root")?)))
        .transpose()
}

/// Remembers a load.
pub(crate) async fn keep_loaded(
    tx: &Tx,
    register: &str,
    name: &str,
    rows: u64,
    root: &Digest,
) -> Result<(), Problem> {
    tx.exec(
        "insert into registers_loads (tenant, register, name, records, root, at) values ($1, $2, $3, $4, $5, $6)",
        params![tx.tenant(), register, name, rows, root, tx.now()],
    )
    .await?;
    Ok(())
}

fn version(row: &Row) -> Result<Version, Problem> {
    Ok(Version {
        key: row.text("record_key")?,
        version: u32::try_from(row.count("version")?).map_err(Problem::internal)?,
        state: row.parse("state")?,
        valid_from: row.time("valid_from")?,
        valid_to: row.opt_int("valid_to")?.map(Time),
        recorded_at: row.time("recorded_at")?,
        source: row.text("source")?,
        basis: row.text("basis")?,
        request: row.text("request")?,
        body: row.json::<Map<String, Value>>("body")?,
    })
}
