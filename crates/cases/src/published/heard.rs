//! Another system's agency tells the portal, by a national message, of an answer that everybody can read, or that it was
//! taken down. The later word about a number counts; a word about somebody else's number is refused.

use ::store::Tx;
use kernel::{OrgCode, Problem, Time};

use super::{Published, store};
use crate::national::message::{Refused, Why};
use crate::national::question::Heard;
use crate::procedure::Text;

/// It is there for everybody from now on, or in other words than before.
pub(crate) const TAKEN: &str = "taken";
/// It is there no longer.
pub(crate) const TAKEN_DOWN: &str = "taken-down";

/// Keeps what an owner's item says; what became of it.
///
/// # Errors
/// Unavailable; Internal for a row that cannot be read.
pub(crate) async fn heard(
    tx: &Tx,
    owner: &OrgCode,
    told: &Heard,
) -> Result<Result<&'static str, Refused>, Problem> {
    let held = store::published(tx, &told.number).await?;
    if held
        .as_ref()
        .is_some_and(|held| held.heard_from.as_ref() != Some(owner))
    {
        return Ok(Err(Refused::at("MaHoiDap", Why::NumberTaken)));
    }
    if let Some(held) = &held {
        if says(held, told) {
            return Ok(Ok("heard-before"));
        }
        if told.at().seconds() < at(held).seconds() {
            return Ok(Ok("late"));
        }
    }
    let published = Published {
        number: told.number.clone(),
        code: None,
        heard_from: Some(owner.clone()),
        unit: told.unit.clone(),
        about: Some(told.about.as_str())
            .filter(|about| !about.is_empty())
            .map(both),
        asked: told.asked.clone(),
        answer: told.answer.clone(),
        answered_at: told.answered,
        published_at: told.published,
        withdrawn: None,
    };
    store::publish(tx, &published, "owner").await?;
    let Some((at, reason)) = &told.withdrawn else {
        return Ok(Ok(TAKEN));
    };
    store::withdraw(tx, &told.number, (*at, "owner", reason)).await?;
    Ok(Ok(TAKEN_DOWN))
}

/// When what is held was so.
fn at(held: &Published) -> Time {
    held.withdrawn.as_ref().map_or(held.published_at, |(at, _)| *at)
}

/// True when what is held says the same.
fn says(held: &Published, told: &Heard) -> bool {
    held.withdrawn == told.withdrawn
        && held.unit == told.unit
        && held.asked == told.asked
        && held.answer == told.answer
        && held.published_at == told.published
}

/// What it is about, as it was told, in either language.
fn both(about: &str) -> Text {
    Text {
        vi: about.to_owned(),
        en: about.to_owned(),
    }
}
