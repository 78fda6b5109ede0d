//! All the SQL of the life of agreements. Never a decision: rows in, rows out.

use kernel::{Digest, OrgCode, Problem, Time};
use store::{Reader, Row, Tx, params};

use super::span::Span;
use super::talk::{Stage, Talk};
use super::words::Signed;
use crate::agreement::{Agreement, SignedAgreement};

fn talk_of(row: &Row) -> Result<Talk, Problem> {
    row.json("document")
}

/// A request by its name, as the tenant knows it.
pub(crate) async fn talk(tx: &Tx, request: &Digest) -> Result<Option<Talk>, Problem> {
    let row = tx
        .one(
            "select document from exchange_agreement_talks where tenant = $1 and request = $2",
            params![tx.tenant(), request],
        )
        .await?;
    row.as_ref().map(talk_of).transpose()
}

/// The same, outside a change.
pub(crate) async fn read_talk(reader: &Reader, request: &Digest) -> Result<Option<Talk>, Problem> {
    let row = reader
        .one(
            "select document from exchange_agreement_talks where tenant = $1 and request = $2",
            params![reader.tenant(), request],
        )
        .await?;
    row.as_ref().map(talk_of).transpose()
}

/// The request that led to an agreement.
pub(crate) async fn talk_about(reader: &Reader, agreement: &Digest) -> Result<Option<Talk>, Problem> {
    let row = reader
        .one(
            "select document from exchange_agreement_talks \
             where tenant = $1 and agreement = $2 and stage = 'accepted' order by asked_at desc, request limit 1",
            params![reader.tenant(), agreement],
        )
        .await?;
    row.as_ref().map(talk_of).transpose()
}

/// The requests that have led to no agreement, the newest first.
pub(crate) async fn talks(reader: &Reader, limit: u64) -> Result<Vec<Talk>, Problem> {
    let rows = reader
        .all(
            "select document from exchange_agreement_talks \
             where tenant = $1 and stage <> 'accepted' order by asked_at desc, request limit $2",
            params![reader.tenant(), limit],
        )
        .await?;
    rows.iter().map(talk_of).collect()
}

/// How many requests of a consumer's organisation to a provider nobody has answered.
pub(crate) async fn unanswered(tx: &Tx, provider: &OrgCode, consumer: &OrgCode) -> Result<u64, Problem> {
    let row = tx
        .one(
            "select count(*) as unanswered from exchange_agreement_talks \
             where tenant = $1 and stage = 'requested' and provider = $2 and consumer = $3",
            params![tx.tenant(), provider, consumer],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("unanswered"))
}

/// The requests that wait for an answer or for their acceptance, between the two and for the service of a
/// draft; the newest first, so many as one may leave unanswered and more.
async fn open_talks(tx: &Tx, draft: &Agreement) -> Result<Vec<Talk>, Problem> {
    let rows = tx
        .all(
            "select document from exchange_agreement_talks \
             where tenant = $1 and stage in ('requested', 'offered') \
             and provider = $2 and consumer = $3 and service = $4 order by asked_at desc, request limit 1000",
            params![
                tx.tenant(),
                &draft.provider,
                &draft.consumer.org,
                draft.service.to_string()
            ],
        )
        .await?;
    rows.iter().map(talk_of).collect()
}

/// The request for the very same draft that waits for an answer or for its acceptance. Of an offer to a
/// group that is one of the same system, whenever it begins: its instant is that of the asking.
pub(crate) async fn open_talk(tx: &Tx, draft: &Agreement) -> Result<Option<Talk>, Problem> {
    let of_group = draft.group_offer().is_some();
    let same = |talk: &Talk| {
        let before = &talk.draft;
        before == draft || (of_group && before.same_parties(draft))
    };
    Ok(open_talks(tx, draft).await?.into_iter().find(same))
}

/// What a system was given of the offer to a group that a request is of, by another request: a text that
/// waits for its acceptance, or an agreement that runs.
pub(crate) async fn given_of_offer(tx: &Tx, asked: &Talk) -> Result<Option<Agreement>, Problem> {
    let draft = &asked.draft;
    let given = open_talks(tx, draft).await?.into_iter().find(|talk| {
        let waits = matches!(talk.stage, Stage::Offered { .. }) && tx.now() < talk.text().valid_to;
        waits && talk.request != asked.request && talk.draft.same_parties(draft)
    });
    if let Some(talk) = given {
        return Ok(Some(talk.text().clone()));
    }
    let held = tx
        .all(
            "select document from exchange_agreements \
             where tenant = $1 and consumer = $2 and service = $3 \
             and revoked_at is null and valid_to > $4 order by valid_from desc, hash limit 1000",
            params![
                tx.tenant(),
                draft.consumer.to_string(),
                draft.service.to_string(),
                tx.now()
            ],
        )
        .await?;
    for row in &held {
        let held: SignedAgreement = row.json("document")?;
        if held.agreement.same_parties(draft) {
            return Ok(Some(held.agreement));
        }
    }
    Ok(None)
}

/// Writes a request as it stands now.
pub(crate) async fn save_talk(tx: &Tx, talk: &Talk) -> Result<(), Problem> {
    let document = serde_json::to_string(talk).map_err(Problem::internal)?;
    tx.exec(
        "insert into exchange_agreement_talks \
         (tenant, request, stage, provider, consumer, service, agreement, asked_at, document) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         on conflict (tenant, request) do update set stage = excluded.stage, \
         agreement = excluded.agreement, document = excluded.document",
        params![
            tx.tenant(),
            &talk.request,
            talk.stage_key(),
            &talk.draft.provider,
            &talk.draft.consumer.org,
            talk.draft.service.to_string(),
            talk.offered().map(|offer| offer.agreement.hash()),
            talk.asked_at,
            document
        ],
    )
    .await?;
    Ok(())
}

/// Keeps a word; false when it is kept already.
pub(crate) async fn keep_word(tx: &Tx, subject: &Digest, signed: &Signed) -> Result<bool, Problem> {
    let word = &signed.word;
    let span = word.said.span().unwrap_or_default();
    let kept = tx
        .exec(
            "insert into exchange_agreement_words \
             (tenant, subject, kind, party, serial, said_at, heard_at, reason, word, stops_from, stops_to) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             on conflict (tenant, subject, kind, party, serial) do nothing",
            params![
                tx.tenant(),
                subject,
                word.said.kind(),
                &word.party,
                word.order(),
                word.at,
                tx.now(),
                word.said.reason(),
                &signed.token,
                span.from,
                span.to
            ],
        )
        .await?;
    Ok(kept == 1)
}

fn stop_of(row: &Row) -> Result<Option<Span>, Problem> {
    if row.text("kind")? != "suspension" {
        return Ok(None);
    }
    Ok(Some(span_of(row)?))
}

fn span_of(row: &Row) -> Result<Span, Problem> {
    Ok(Span {
        from: row.opt_int("stops_from")?.map(Time),
        to: row.opt_int("stops_to")?.map(Time),
    })
}

/// The last word of a party on suspension: its serial, and for how long it suspends.
pub(crate) async fn last_word(
    tx: &Tx,
    agreement: &Digest,
    party: &OrgCode,
) -> Result<Option<(i64, Option<Span>)>, Problem> {
    let row = tx
        .one(
            "select serial, kind, stops_from, stops_to from exchange_agreement_words \
             where tenant = $1 and subject = $2 and party = $3 and kind in ('suspension', 'resumption') \
             order by serial desc limit 1",
            params![tx.tenant(), agreement, party],
        )
        .await?;
    row.map(|row| Ok((row.int("serial")?, stop_of(&row)?)))
        .transpose()
}

/// A party's word on suspension, as a row has it.
#[derive(Clone, Debug)]
pub(crate) struct StandingRow {
    pub(crate) agreement: Digest,
    pub(crate) party: OrgCode,
    pub(crate) serial: i64,
    pub(crate) stop: Option<Span>,
}

/// Every party's words on suspension, the older ones first.
pub(crate) async fn standings(reader: &Reader) -> Result<Vec<StandingRow>, Problem> {
    let rows = reader
        .all(
            "select subject, party, serial, kind, stops_from, stops_to from exchange_agreement_words \
             where tenant = $1 and kind in ('suspension', 'resumption') order by serial",
            params![reader.tenant()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(StandingRow {
                agreement: row.digest("subject")?,
                party: row.parse("party")?,
                serial: row.int("serial")?,
                stop: stop_of(row)?,
            })
        })
        .collect()
}

/// A word as the timeline shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) kind: String,
    pub(crate) party: OrgCode,
    pub(crate) said_at: Time,
    pub(crate) heard_at: Time,
    pub(crate) reason: String,
    pub(crate) word: String,
    pub(crate) span: Span,
}

/// What was said about an agreement or a request, in the order in which it was.
pub(crate) async fn told(reader: &Reader, subject: &Digest) -> Result<Vec<Told>, Problem> {
    let rows = reader
        .all(
            "select kind, party, said_at, heard_at, reason, word, stops_from, stops_to \
             from exchange_agreement_words \
             where tenant = $1 and subject = $2 order by said_at, serial, kind",
            params![reader.tenant(), subject],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Told {
                kind: row.text("kind")?,
                party: row.parse("party")?,
                said_at: row.time("said_at")?,
                heard_at: row.time("heard_at")?,
                reason: row.text("reason")?,
                word: row.text("word")?,
                span: span_of(row)?,
            })
        })
        .collect()
}

/// An agreement with both signatures.
pub(crate) async fn signed(reader: &Reader, hash: &Digest) -> Result<Option<SignedAgreement>, Problem> {
    let row = reader
        .one(
            "select document from exchange_agreements where tenant = $1 and hash = $2",
            params![reader.tenant(), hash],
        )
        .await?;
    row.map(|row| row.json("document")).transpose()
}

/// Who ended an agreement, when and why.
pub(crate) async fn revocation(
    reader: &Reader,
    hash: &Digest,
) -> Result<Option<(OrgCode, Time, String)>, Problem> {
    let row = reader
        .one(
            "select revoked_by, revoked_at, revoked_why from exchange_agreements \
             where tenant = $1 and hash = $2 and revoked_at is not null",
            params![reader.tenant(), hash],
        )
        .await?;
    row.map(|row| {
        Ok((
            row.parse("revoked_by")?,
            row.time("revoked_at")?,
            row.text("revoked_why")?,
        ))
    })
    .transpose()
}
