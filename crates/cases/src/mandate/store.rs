//! SQL of mandates and of the cases that were filed under them. A mandate is read by its id and then held against who asks,
//! or by its representative, or by the represented one's number.

use ::store::{Row, Tx, params};
use kernel::time::{iso, parse_iso};
use kernel::{CaseCode, Date, Problem, ProcedureCode, Time};

use super::{Mandate, MandatePaper, State};
use crate::case::{Applicant, Case};
use crate::procedure::{Proof, Whom};
use crate::store::{self as rows, Held, Rows};

/// Writes a new mandate.
pub(super) async fn insert(tx: &Tx, mandate: &Mandate) -> Result<(), Problem> {
    let paper = mandate.paper.as_ref().map(kernel::digest::canonical_json);
    let paper = paper.transpose().map_err(Problem::internal)?;
    tx.exec(
        "insert into cases_mandates (tenant, id, whom, represented, name, represented_account, account, number, representative,
             scope, from_day, to_day, proof, state, request, paper, made_at, changed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        params![
            tx.tenant(),
            &mandate.id,
            mandate.whom.word(),
            &mandate.represented,
            &mandate.name,
            mandate.represented_account.clone(),
            &mandate.representative.account,
            &mandate.representative.number,
            &mandate.representative.name,
            scope_text(&mandate.scope),
            iso(mandate.from),
            iso(mandate.to),
            mandate.proof.word(),
            mandate.state.word(),
            &mandate.request,
            paper,
            mandate.made_at,
            mandate.changed_at
        ],
    )
    .await?;
    Ok(())
}

/// Saves how a mandate stands, and what the represented person said of themselves with it.
pub(super) async fn save(tx: &Tx, mandate: &Mandate) -> Result<(), Problem> {
    tx.exec(
        "update cases_mandates set state = $3, name = $4, represented_account = $5, request = $6, changed_at = $7
         where tenant = $1 and id = $2",
        params![
            tx.tenant(),
            &mandate.id,
            mandate.state.word(),
            &mandate.name,
            mandate.represented_account.clone(),
            &mandate.request,
            tx.now()
        ],
    )
    .await?;
    Ok(())
}

/// A mandate.
pub(super) async fn one(rows: &impl Rows, id: &str) -> Result<Option<Mandate>, Problem> {
    let row = rows
        .one(
            "select id, whom, represented, name, represented_account, account, number, representative, scope, from_day, to_day,
                 proof, state, request, paper, made_at, changed_at
             from cases_mandates where tenant = $1 and id = $2",
            params![rows.tenant(), id],
        )
        .await?;
    row.map(|row| read(&row)).transpose()
}

/// The mandates that somebody holds before a place, newest first.
pub(super) async fn held(
    rows: &impl Rows,
    account: &str,
    (at, id): (Time, &str),
    limit: usize,
) -> Result<Vec<Mandate>, Problem> {
    let rows = rows
        .all(
            "select id, whom, represented, name, represented_account, account, number, representative, scope, from_day, to_day,
                 proof, state, request, paper, made_at, changed_at
             from cases_mandates
             where tenant = $1 and account = $2 and (made_at < $3 or (made_at = $3 and id < $4))
             order by made_at desc, id desc limit $5",
            params![rows.tenant(), account, at, id, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// The mandates in which somebody is the represented one, before a place, newest first.
pub(super) async fn given(
    rows: &impl Rows,
    number: &str,
    (at, id): (Time, &str),
    limit: usize,
) -> Result<Vec<Mandate>, Problem> {
    let rows = rows
        .all(
            "select id, whom, represented, name, represented_account, account, number, representative, scope, from_day, to_day,
                 proof, state, request, paper, made_at, changed_at
             from cases_mandates
             where tenant = $1 and represented = $2 and (made_at < $3 or (made_at = $3 and id < $4))
             order by made_at desc, id desc limit $5",
            params![rows.tenant(), number, at, id, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// The mandates of a representative that are not over on a day, newest first.
pub(super) async fn open_of(
    rows: &impl Rows,
    account: &str,
    on: Date,
    limit: u64,
) -> Result<Vec<Mandate>, Problem> {
    let rows = rows
        .all(
            "select id, whom, represented, name, represented_account, account, number, representative, scope, from_day, to_day,
                 proof, state, request, paper, made_at, changed_at
             from cases_mandates
             where tenant = $1 and account = $2 and state in ('asked', 'confirmed') and to_day >= $3
             order by made_at desc, id desc limit $4",
            params![rows.tenant(), account, iso(on), limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// The mandates of a representative for one represented that are not over on a day.
pub(super) async fn open_for(
    rows: &impl Rows,
    account: &str,
    (whom, represented): (Whom, &str),
    on: Date,
) -> Result<Vec<Mandate>, Problem> {
    let rows = rows
        .all(
            "select id, whom, represented, name, represented_account, account, number, representative, scope, from_day, to_day,
                 proof, state, request, paper, made_at, changed_at
             from cases_mandates
             where tenant = $1 and account = $2 and represented = $3 and whom = $4 and state in ('asked', 'confirmed')
                 and to_day >= $5",
            params![rows.tenant(), account, represented, whom.word(), iso(on)],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Notes for whom a case was filed, and by whom.
pub(super) async fn note_case(tx: &Tx, case: &Case, mandate: &Mandate) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_represented (tenant, code, mandate, whom, represented, account, filed_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        params![
            tx.tenant(),
            &case.code,
            &mandate.id,
            mandate.whom.word(),
            &mandate.represented,
            &mandate.representative.account,
            case.filed_at
        ],
    )
    .await?;
    Ok(())
}

/// The cases that were filed for somebody by others, before a place, newest first; without those that their account has
/// as its own.
pub(super) async fn cases_for(
    rows: &impl Rows,
    (number, account): (&str, &str),
    (at, code): (Time, &str),
    limit: usize,
) -> Result<Vec<Held>, Problem> {
    let found = rows
        .all(
            "select c.code, c.procedure, c.version, c.unit, c.channel, c.applicant, c.answers, c.state, c.status, c.revision,
                 c.filed_at, c.due_at, c.ended_at, c.details
             from cases_represented r
             join cases_cases c on c.tenant = r.tenant and c.code = r.code
             where r.tenant = $1 and r.represented = $2 and r.whom <> 'company' and c.account <> $3
                 and (r.filed_at < $4 or (r.filed_at = $4 and r.code < $5))
             order by r.filed_at desc, r.code desc limit $6",
            params![rows.tenant(), number, account, at, code, limit],
        )
        .await?;
    found.iter().map(rows::held).collect()
}

/// The cases of represented ones that somebody may see as their representative on a day, before a place, newest first: of
/// persons those that they filed themselves, of a company all that were filed for it.
pub(super) async fn cases_by(
    rows: &impl Rows,
    (account, on): (&str, Date),
    (at, code): (Time, &str),
    limit: usize,
) -> Result<Vec<Held>, Problem> {
    let found = rows
        .all(
            "select distinct c.code, c.procedure, c.version, c.unit, c.channel, c.applicant, c.answers, c.state, c.status,
                 c.revision, c.filed_at, c.due_at, c.ended_at, c.details
             from cases_mandates m
             join cases_represented r on r.tenant = m.tenant and r.represented = m.represented and r.whom = m.whom
             join cases_cases c on c.tenant = r.tenant and c.code = r.code
             where m.tenant = $1 and m.account = $2 and m.from_day <= $3 and m.to_day >= $3
                 and (m.state = 'confirmed' or (m.state = 'asked' and m.proof = 'paper'))
                 and (m.scope = '' or m.scope like '%|' || c.procedure || '|%')
                 and (r.account = $2 or r.whom = 'company')
                 and (r.filed_at < $4 or (r.filed_at = $4 and r.code < $5))
             order by c.filed_at desc, c.code desc limit $6",
            params![rows.tenant(), account, iso(on), at, code, limit],
        )
        .await?;
    found.iter().map(rows::held).collect()
}

/// The procedures of a mandate as the row has them: empty for every one, else codes between bars.
fn scope_text(scope: &[ProcedureCode]) -> String {
    if scope.is_empty() {
        return String::new();
    }
    let codes: Vec<&str> = scope.iter().map(ProcedureCode::as_str).collect();
    format!("|{}|", codes.join("|"))
}

fn scope(text: &str) -> Result<Vec<ProcedureCode>, Problem> {
    let codes = text.split('|').filter(|code| !code.is_empty());
    codes.map(|code| code.parse().map_err(|_| bad("scope"))).collect()
}

fn bad(column: &str) -> Problem {
    Problem::internal(format_args!("bad row: cases_mandates.{column}"))
}

fn read(row: &Row) -> Result<Mandate, Problem> {
    let day = |column: &str| parse_iso(&row.text(column)?).ok_or_else(|| bad(column));
    let paper: Option<MandatePaper> = match row.opt_text("paper")? {
        Some(text) => Some(serde_json::from_str(&text).map_err(|_| bad("paper"))?),
        None => None,
    };
    Ok(Mandate {
        id: row.text("id")?,
        whom: Whom::of(&row.text("whom")?).ok_or_else(|| bad("whom"))?,
        represented: row.text("represented")?,
        name: row.text("name")?,
        represented_account: row.opt_text("represented_account")?,
        representative: Applicant {
            account: row.text("account")?,
            number: row.parse("number")?,
            name: row.text("representative")?,
        },
        scope: scope(&row.text("scope")?)?,
        from: day("from_day")?,
        to: day("to_day")?,
        proof: Proof::of(&row.text("proof")?).ok_or_else(|| bad("proof"))?,
        state: State::of(&row.text("state")?).ok_or_else(|| bad("state"))?,
        request: row.text("request")?,
        paper,
        made_at: row.time("made_at")?,
        changed_at: row.time("changed_at")?,
    })
}

/// The place of a list that begins with the newest case.
pub(super) fn place(after: Option<&(Time, CaseCode)>) -> (Time, &str) {
    after.map_or((Time(i64::MAX), ""), |(at, code)| (*at, code.as_str()))
}
