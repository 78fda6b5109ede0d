//! An obligation that is not yet met goes from one debtor to another: a unit was merged, and who took over owes
//! now. Never changes what is owed or by when; what was met stays where it was.

use kernel::{OrgCode, Problem};
use store::{Tx, params};

/// Hands what a debtor still owes about something to another; says how many obligations went over.
/// One that was lifted goes too, for it may be taken up again. Done twice, it changes nothing. The fact is the caller's, which knows why.
///
/// # Errors
/// The store's own problems.
pub async fn transfer(tx: &Tx, about: &str, from: &OrgCode, to: &OrgCode) -> Result<u64, Problem> {
    tx.exec(
        "update obligations_owed set debtor = $4 \
         where tenant = $1 and about = $2 and debtor = $3 and state <> 'met'",
        params![tx.tenant(), about, from, to],
    )
    .await
}
