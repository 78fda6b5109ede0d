//! A fee of a case and how it is paid: the noun and what a bank says of it. The bank is asked outside
//! any write; whether something was paid is only ever taken from a notice that the bank signed.

mod bank;

use async_trait::async_trait;
use kernel::{CaseCode, Problem, Time};
use serde::{Deserialize, Serialize};

pub use bank::{HttpBank, NOTICE_TYPE};

/// The number among a case's payments of the fee that is owed before it goes to its owner; what its owner asked for while
/// handling it has the numbers of those charges, from 1.
pub const FEE: u32 = 0;

/// A fee owed for a case, or a charge that its owner asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id, 32 hex digits; the bank knows the order by it.
    pub id: String,
    /// The case.
    pub case: CaseCode,
    /// Which of the case's payments: [`FEE`], or the number of a charge.
    pub charge: u32,
    /// The amount in dong.
    pub dong: u64,
    /// When it was asked.
    pub asked_at: Time,
    /// The bank's order, when there is one that is still good.
    pub order: Option<Order>,
    /// That it was paid.
    pub paid: Option<Paid>,
    /// When it was not owed any more though nobody had paid here: what comes for it goes back.
    pub closed_at: Option<Time>,
}

/// An order at the bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The bank's number.
    pub order: String,
    /// Where the payer goes.
    pub pay_url: String,
    /// What the QR code says.
    pub qr: String,
    /// Until then the order can be paid.
    pub until: Time,
}

/// That a fee was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paid {
    /// The payment's id.
    pub payment: String,
    /// The amount in dong.
    pub dong: u64,
    /// When, as the bank says.
    pub at: Time,
    /// The bank's number of the transaction.
    pub bank_reference: String,
}

/// What the bank is asked to collect.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Our number: the same one is the same order.
    pub reference: String,
    /// The amount in dong.
    pub dong: u64,
    /// What the payer reads.
    pub description: String,
    /// Where the payer comes back to.
    pub return_url: String,
    /// Where the notice goes.
    pub notify_url: String,
}

/// What the bank says about an order; signed by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Our number.
    pub reference: String,
    /// For whom the bank collected.
    pub merchant: String,
    /// The amount in dong.
    pub dong: u64,
    /// `waiting`, `paid` or `expired`.
    pub state: OrderState,
    /// When it was paid.
    #[serde(default)]
    pub paid_at: Option<Time>,
    /// The bank's number of the transaction.
    #[serde(default)]
    pub bank_reference: Option<String>,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderState {
    /// Nobody has paid.
    Waiting,
    /// It was paid.
    Paid,
    /// It can no longer be paid.
    Expired,
}

/// A bank that collects fees.
#[async_trait]
pub trait Bank: Send + Sync + std::fmt::Debug {
    /// Makes an order, or gives the one that was made under this reference and is still good.
    ///
    /// # Errors
    /// `bank-unreachable` (503).
    async fn order(&self, wanted: &Wanted) -> Result<Order, Problem>;

    /// Asks where an order stands.
    ///
    /// # Errors
    /// `bank-unreachable` (503); `bank-notice-bad` (403).
    async fn state(&self, order: &str) -> Result<Notice, Problem>;

    /// Reads a notice that the bank sent.
    ///
    /// # Errors
    /// `bank-notice-bad` (403) unless it is the bank's, for us.
    fn read(&self, notice: &str) -> Result<Notice, Problem>;
}

/// An amount in dong as Vietnamese reads it: `8.000 ₫`.
#[must_use]
pub fn dong(amount: u64) -> String {
    let digits = amount.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 4);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('.');
        }
        out.push(digit);
    }
    out.push_str("\u{a0}₫");
    out
}

#[cfg(test)]
mod tests {
    use super::dong;

    #[test]
    fn an_amount_is_written_in_groups_of_three() {
        for (amount, text) in [(0, "0"), (8_000, "8.000"), (1_234_567, "1.234.567")] {
            assert_eq!(dong(amount), format!("{text}\u{a0}₫"));
        }
    }
}
