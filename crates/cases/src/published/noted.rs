//! The portal hears from a case's owner that its answer can be read by everybody, or no longer. Whose case it is was
//! checked before; which number and which unit an owner may name is checked here.

use ::store::Tx;
use kernel::{CaseCode, Fact, OrgCode, Problem, Time};

use super::{Published, forget_words, is_number_of, store};
use crate::notice::Notice;
use crate::store as rows;
use crate::words::words;

/// Keeps what the notice says; the fact of it, or nothing for another notice.
///
/// # Errors
/// 422 `case-unit-unknown` for a unit of somebody else, `case-public-number-bad` for a number of somebody else or
/// another case, `case-note-too-long` for what no owner could have published.
pub(crate) async fn noted(
    tx: &Tx,
    (code, notice): (&CaseCode, Option<&Notice>),
    (owner, at): (&OrgCode, Time),
) -> Result<Option<Fact>, Problem> {
    match notice {
        Some(Notice::AnswerPublished {
            number,
            unit,
            about,
            asked,
            answer,
            answered,
        }) => {
            let unknown = || Problem::invalid("unit", "case-unit-unknown");
            let unit: OrgCode = unit.parse().map_err(|_| unknown())?;
            if unit.top() != owner.top() {
                return Err(unknown());
            }
            let published = Published {
                number: own_number(tx, number, code, owner).await?,
                code: Some(code.clone()),
                heard_from: None,
                unit,
                about: about.clone(),
                asked: words("asked", asked, true)?,
                answer: words("answer", answer, true)?,
                answered_at: *answered,
                published_at: at,
                withdrawn: None,
            };
            store::publish(tx, &published, "owner").await?;
            // The words that were there before are there no longer; these stand with the last status.
            forget_words(tx, code, rows::last_status(tx, code).await?).await?;
            Ok(Some(Fact::CaseAnswerPublished {
                case: code.clone(),
                number: number.clone(),
            }))
        }
        Some(Notice::AnswerUnpublished { number, reason }) => {
            let number = own_number(tx, number, code, owner).await?;
            let reason = words("reason", reason, true)?;
            store::withdraw(tx, &number, (at, "owner", &reason)).await?;
            forget_words(tx, code, u32::MAX).await?;
            Ok(Some(Fact::CaseAnswerUnpublished {
                case: code.clone(),
                number,
            }))
        }
        _ => Ok(None),
    }
}

/// A number that begins with the owner's code, and is no other case's.
async fn own_number(tx: &Tx, number: &str, code: &CaseCode, owner: &OrgCode) -> Result<String, Problem> {
    let bad = || Problem::invalid("number", "case-public-number-bad");
    if !is_number_of(number, owner) {
        return Err(bad());
    }
    let held = store::published(tx, number).await?;
    if held.is_some_and(|held| held.code.as_ref() != Some(code)) {
        return Err(bad());
    }
    Ok(number.to_owned())
}
