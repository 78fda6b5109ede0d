//! All the SQL of registrations. Never a decision: rows in, rows out.

use ::store::{Reader, Row, Tx, params};
use kernel::{Digest, OrgCode, Problem};

use super::change::Change;
use super::{Registration, Side, State};

fn one_of(row: &Row) -> Result<Registration, Problem> {
    let known = |what: &str| Problem::internal(format!("directory_registrations.{what} is not known"));
    Ok(Registration {
        request: row.digest("request")?,
        side: Side::parse(&row.text("side")?).ok_or_else(|| known("side"))?,
        change: row.json("document")?,
        party: row.parse("party")?,
        made_at: row.time("made_at")?,
        state: State::parse(&row.text("state")?).ok_or_else(|| known("state"))?,
        reason: row.text("reason")?,
        changed_at: row.time("changed_at")?,
        number: row.count("number")?,
    })
}

/// Writes a new registration; false when there is one of this name.
pub(super) async fn insert(tx: &Tx, one: &Registration, token: &str) -> Result<bool, Problem> {
    let number = tx
        .next_number(&format!("directory-registrations/{}", one.side.as_str()))
        .await?;
    let document = serde_json::to_string(&one.change).map_err(Problem::internal)?;
    let written = tx
        .exec(
            "insert into directory_registrations \
             (tenant, side, request, kind, about, party, state, document, token, reason, made_at, changed_at, number) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', $10, $11, $12) \
             on conflict (tenant, side, request) do nothing",
            params![
                tx.tenant(),
                one.side.as_str(),
                &one.request,
                one.change.kind(),
                one.change.about(),
                &one.party,
                one.state.as_str(),
                document,
                token,
                one.made_at,
                tx.now(),
                number
            ],
        )
        .await?;
    Ok(written == 1)
}

/// A registration by its name, within a change.
pub(super) async fn one(tx: &Tx, side: Side, request: &Digest) -> Result<Option<Registration>, Problem> {
    let row = tx
        .one(
            "select request, side, document, party, made_at, state, reason, changed_at, number \
             from directory_registrations where tenant = $1 and side = $2 and request = $3",
            params![tx.tenant(), side.as_str(), request],
        )
        .await?;
    row.as_ref().map(one_of).transpose()
}

/// The same, outside one.
pub(super) async fn read_one(
    reader: &Reader,
    side: Side,
    request: &Digest,
) -> Result<Option<Registration>, Problem> {
    let row = reader
        .one(
            "select request, side, document, party, made_at, state, reason, changed_at, number \
             from directory_registrations where tenant = $1 and side = $2 and request = $3",
            params![reader.tenant(), side.as_str(), request],
        )
        .await?;
    row.as_ref().map(one_of).transpose()
}

/// Brings a saved registration before the hub; false when it is not saved any more.
pub(super) async fn bring(tx: &Tx, request: &Digest, token: &str) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update directory_registrations set state = 'asked', token = $3, changed_at = $4 \
             where tenant = $1 and side = 'owner' and request = $2 and state = 'saved'",
            params![tx.tenant(), request, token, tx.now()],
        )
        .await?;
    Ok(changed == 1)
}

/// Drops a saved registration; false when it is not saved any more.
pub(super) async fn drop_saved(tx: &Tx, request: &Digest) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update directory_registrations set state = 'dropped', changed_at = $3 \
             where tenant = $1 and side = 'owner' and request = $2 and state = 'saved'",
            params![tx.tenant(), request, tx.now()],
        )
        .await?;
    Ok(changed == 1)
}

/// Ends an asked registration; false when it was ended before.
pub(super) async fn settle(
    tx: &Tx,
    side: Side,
    request: &Digest,
    state: State,
    reason: &str,
) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update directory_registrations set state = $4, reason = $5, changed_at = $6 \
             where tenant = $1 and side = $2 and request = $3 and state = 'asked'",
            params![
                tx.tenant(),
                side.as_str(),
                request,
                state.as_str(),
                reason,
                tx.now()
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// Registrations of a side, newest first, from below a number.
pub(super) async fn list(
    reader: &Reader,
    side: Side,
    (state, party): (Option<State>, Option<&OrgCode>),
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Registration>, Problem> {
    let party = party.map_or("", OrgCode::as_str);
    let before = before.map_or(i64::MAX, |n| i64::try_from(n).unwrap_or(i64::MAX));
    let rows = if let Some(state) = state {
        reader
            .all(
                "select request, side, document, party, made_at, state, reason, changed_at, number \
                 from directory_registrations where tenant = $1 and side = $2 and state = $3 and number < $4 \
                 and ($6 = '' or party = $6) order by number desc limit $5",
                params![
                    reader.tenant(),
                    side.as_str(),
                    state.as_str(),
                    before,
                    limit,
                    party
                ],
            )
            .await?
    } else {
        reader
            .all(
                "select request, side, document, party, made_at, state, reason, changed_at, number \
                 from directory_registrations where tenant = $1 and side = $2 and number < $3 \
                 and ($5 = '' or party = $5) order by number desc limit $4",
                params![reader.tenant(), side.as_str(), before, limit, party],
            )
            .await?
    };
    rows.iter().map(one_of).collect()
}

/// What the owner's side has not ended, the newest first.
pub(super) async fn under_way(reader: &Reader, limit: usize) -> Result<Vec<Registration>, Problem> {
    let rows = reader
        .all(
            "select request, side, document, party, made_at, state, reason, changed_at, number \
             from directory_registrations where tenant = $1 and side = 'owner' and state in ('saved', 'asked') \
             order by number desc limit $2",
            params![reader.tenant(), limit],
        )
        .await?;
    rows.iter().map(one_of).collect()
}

/// How many requests the hub has not decided.
pub(super) async fn waiting(reader: &Reader) -> Result<u64, Problem> {
    let row = reader
        .one(
            "select count(*) as waiting from directory_registrations \
             where tenant = $1 and side = 'hub' and state = 'asked'",
            params![reader.tenant()],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("waiting"))
}

/// How many requests of an organisation the hub has not decided.
pub(super) async fn undecided(tx: &Tx, party: &OrgCode) -> Result<u64, Problem> {
    let row = tx
        .one(
            "select count(*) as undecided from directory_registrations \
             where tenant = $1 and side = 'hub' and state = 'asked' and party = $2",
            params![tx.tenant(), party],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("undecided"))
}

/// Keeps a published change, to be made again on whatever is published from files later.
pub(super) async fn keep_change(tx: &Tx, change: &Change, serial: u64) -> Result<(), Problem> {
    let number = tx.next_number("directory-changes").await?;
    let document = serde_json::to_string(change).map_err(Problem::internal)?;
    tx.exec(
        "insert into directory_changes (tenant, number, document, serial, at) values ($1, $2, $3, $4, $5)",
        params![tx.tenant(), number, document, serial, tx.now()],
    )
    .await?;
    Ok(())
}

/// Every published change, the oldest first.
pub(crate) async fn changes(reader: &Reader) -> Result<Vec<Change>, Problem> {
    let rows = reader
        .all(
            "select document from directory_changes where tenant = $1 order by number",
            params![reader.tenant()],
        )
        .await?;
    rows.iter().map(|row| row.json("document")).collect()
}

/// Whether the hub approves changes of systems by itself.
pub(super) async fn is_automatic(reader: &Reader) -> Result<bool, Problem> {
    let row = reader
        .one(
            "select value from directory_settings where tenant = $1 and name = 'automatic'",
            params![reader.tenant()],
        )
        .await?;
    row.map_or(Ok(false), |row| Ok(row.int("value")? == 1))
}

/// Says whether it does from now on.
pub(super) async fn set_automatic(tx: &Tx, automatic: bool) -> Result<(), Problem> {
    tx.exec(
        "insert into directory_settings (tenant, name, value) values ($1, 'automatic', $2) \
         on conflict (tenant, name) do update set value = excluded.value",
        params![tx.tenant(), automatic],
    )
    .await?;
    Ok(())
}
