//! SQL of fees. A row is written with its case; only its order and that it was paid follow.

use ::store::{Row, Tx, params};
use kernel::{CaseCode, Problem, Time};

use crate::payment::{FEE, Order, Paid, Payment};
use crate::store::{Rows, json, number};

/// Writes a fee that is owed.
///
/// # Errors
/// Conflict `already-there`.
pub async fn insert_payment(tx: &Tx, payment: &Payment) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_payments (tenant, id, code, charge, dong, asked_at) values ($1, $2, $3, $4, $5, $6)",
        params![
            tx.tenant(),
            &payment.id,
            &payment.case,
            payment.charge,
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

/// Closes the charges of a case that nobody has paid: they are not owed any more.
///
/// # Errors
/// Unavailable.
pub async fn close_charges(tx: &Tx, code: &CaseCode) -> Result<(), Problem> {
    tx.exec(
        "update cases_payments set closed_at = $3
         where tenant = $1 and code = $2 and charge > 0 and paid_at is null and closed_at is null",
        params![tx.tenant(), code, tx.now()],
    )
    .await?;
    Ok(())
}

/// Notes that money goes back to who paid; false when it was noted before.
///
/// # Errors
/// Unavailable.
pub async fn note_return(tx: &Tx, id: &str) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update cases_payments set return_at = $3 where tenant = $1 and id = $2 and return_at is null",
            params![tx.tenant(), id, tx.now()],
        )
        .await?;
    Ok(changed == 1)
}

/// The fee of a case.
///
/// # Errors
/// As [`super::case`].
pub async fn payment_of(rows: &impl Rows, code: &CaseCode) -> Result<Option<Payment>, Problem> {
    charge_of(rows, code, FEE).await
}

/// One of the payments of a case: [`FEE`], or a charge by its number.
///
/// # Errors
/// As [`super::case`].
pub async fn charge_of(rows: &impl Rows, code: &CaseCode, charge: u32) -> Result<Option<Payment>, Problem> {
    rows.one(
        "select id, code, charge, dong, asked_at, bank_order, paid, closed_at from cases_payments
         where tenant = $1 and code = $2 and charge = $3",
        params![rows.tenant(), code, charge],
    )
    .await?
    .map(|row| read(&row))
    .transpose()
}

/// The newest of the payments of a case.
///
/// # Errors
/// As [`super::case`].
pub async fn last_payment(rows: &impl Rows, code: &CaseCode) -> Result<Option<Payment>, Problem> {
    rows.one(
        "select id, code, charge, dong, asked_at, bank_order, paid, closed_at from cases_payments
         where tenant = $1 and code = $2 order by charge desc limit 1",
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
        "select id, code, charge, dong, asked_at, bank_order, paid, closed_at from cases_payments
         where tenant = $1 and id = $2",
        params![rows.tenant(), id],
    )
    .await?
    .map(|row| read(&row))
    .transpose()
}

/// A page of the fees with an order that nobody has reported as paid, the oldest first, after one: by the
/// order's end and the fee's id.
///
/// # Errors
/// As [`super::case`].
pub async fn open_orders(
    rows: &impl Rows,
    (since, after): (Time, &str),
    limit: usize,
) -> Result<Vec<Payment>, Problem> {
    let rows = rows
        .all(
            "select id, code, charge, dong, asked_at, bank_order, paid, closed_at from cases_payments
             where tenant = $1 and paid_at is null and order_until >= $2 and (order_until > $2 or id > $3)
             order by order_until, id limit $4",
            params![rows.tenant(), since, after, limit],
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
        charge: number(row, "charge")?,
        dong: row.count("dong")?,
        asked_at: row.time("asked_at")?,
        order,
        paid,
        closed_at: row.opt_int("closed_at")?.map(Time),
    })
}

#[cfg(test)]
mod tests {
    use kernel::Actor;

    use super::*;
    use crate::testing::Portal;

    #[tokio::test]
    async fn open_orders_are_read_to_the_last_one_page_by_page() {
        let portal = Portal::new().await;
        let (store, tenant) = (&portal.cases.store, &portal.cases.tenant);
        let fee = |number: i64| {
            let order = Order {
                order: number.to_string(),
                pay_url: String::new(),
                qr: String::new(),
                // Two of them end at once.
                until: testkit::START.plus_ms(number / 2),
            };
            let payment = Payment {
                id: format!("{number:032}"),
                case: format!("G22-261121-{number:04}").parse().expect("a code"),
                charge: FEE,
                dong: 8_000,
                asked_at: testkit::START,
                order: None,
                paid: None,
                closed_at: None,
            };
            (payment, order)
        };
        store
            .write(tenant, &Actor::Platform, |tx| async move {
                for (payment, order) in (1..=5).map(fee) {
                    insert_payment(&tx, &payment).await?;
                    keep_order(&tx, &payment.id, &order).await?;
                }
                Ok(())
            })
            .await
            .expect("written");
        let reader = store.read(tenant).await.expect("a reader");
        let (mut after, mut seen) = ((testkit::START, String::new()), Vec::new());
        loop {
            let page = open_orders(&reader, (after.0, &after.1), 2).await.expect("read");
            let Some(last) = page.last() else { break };
            let until = last.order.as_ref().expect("an order").until;
            after = (until, last.id.clone());
            seen.extend(page.into_iter().map(|fee| fee.id));
        }
        let all: Vec<String> = (1..=5).map(|number: i64| format!("{number:032}")).collect();
        assert_eq!(seen, all);
    }
}
