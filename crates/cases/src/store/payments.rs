//! SQL of fees. A row is written with its case; only its order and that it was paid follow.

use ::store::{Row, Tx, params};
use kernel::{CaseCode, Problem, Time};

use crate::payment::{Order, Paid, Payment};
use crate::store::{Rows, json};

/// Writes a fee that is owed.
///
/// # Errors
/// Conflict `already-there`.
pub async fn insert_payment(tx: &Tx, payment: &Payment) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_payments (tenant, id, code, dong, asked_at) values ($1, $2, $3, $4, $5)",
        params![
            tx.tenant(),
            &payment.id,
            &payment.case,
            payment.dong,
            payment.asked_at
        ],
    )
    .await?;
    Ok(())
}

/// Keeps the bank's order of a fee.
///
/// # Errors
/// Unavailable.
pub async fn keep_order(tx: &Tx, id: &str, order: &Order) -> Result<(), Problem> {
    tx.exec(
        "update cases_payments set bank_order = $3, order_until = $4 where tenant = $1 and id = $2 and paid_at is null",
        params![tx.tenant(), id, json(order)?, order.until],
    )
    .await?;
    Ok(())
}

/// Notes that a fee was paid; false when it was noted before.
///
/// # Errors
/// Unavailable.
pub async fn note_paid(tx: &Tx, paid: &Paid) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update cases_payments set paid_at = $3, paid = $4 where tenant = $1 and id = $2 and paid_at is null",
            params![tx.tenant(), &paid.payment, paid.at, json(paid)?],
        )
        .await?;
    Ok(changed == 1)
}

/// The fee of a case.
///
/// # Errors
/// As [`super::case`].
pub async fn payment_of(rows: &impl Rows, code: &CaseCode) -> Result<Option<Payment>, Problem> {
    rows.one(
        "select id, code, dong, asked_at, bank_order, paid from cases_payments where tenant = $1 and code = $2",
        params![rows.tenant(), code],
    )
    .await?
    .map(|row| read(&row))
    .transpose()
}

/// True for a case whose fee is still owed: it is with nobody but the portal yet.
///
/// # Errors
/// As [`super::case`].
pub async fn is_unpaid(rows: &impl Rows, code: &CaseCode) -> Result<bool, Problem> {
    let fee = payment_of(rows, code).await?;
    Ok(fee.is_some_and(|fee| fee.paid.is_none()))
}

/// A fee by its id.
///
/// # Errors
/// As [`super::case`].
pub async fn payment(rows: &impl Rows, id: &str) -> Result<Option<Payment>, Problem> {
    rows.one(
        "select id, code, dong, asked_at, bank_order, paid from cases_payments where tenant = $1 and id = $2",
        params![rows.tenant(), id],
    )
    .await?
    .map(|row| read(&row))
    .transpose()
}

/// Fees with an order that nobody has reported as paid, the oldest first.
///
/// # Errors
/// As [`super::case`].
pub async fn open_orders(rows: &impl Rows, since: Time, limit: usize) -> Result<Vec<Payment>, Problem> {
    let rows = rows
        .all(
            "select id, code, dong, asked_at, bank_order, paid from cases_payments
             where tenant = $1 and paid_at is null and order_until >= $2 order by order_until, id limit $3",
            params![rows.tenant(), since, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Payment, Problem> {
    let order = match row.opt_text("bank_order")? {
        Some(_) => Some(row.json("bank_order")?),
        None => None,
    };
    let paid = match row.opt_text("paid")? {
        Some(_) => Some(row.json("paid")?),
        None => None,
    };
    Ok(Payment {
        id: row.text("id")?,
        case: row.parse("code")?,
        dong: row.count("dong")?,
        asked_at: row.time("asked_at")?,
        order,
        paid,
    })
}
