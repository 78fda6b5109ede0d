//! What a register says of who speaks for somebody, asked through the exchange under an agreement for that purpose: as a
//! mandate is asked for, and again as a case is filed under it. Tells whether it is the signed-in citizen, and never whom the
//! register names instead.

use bytes::Bytes;
use exchange::Ask;
use kernel::time::parse_iso;
use kernel::{Date, Kind, Problem};
use serde_json::{Map, Value};

use super::rules::{Register, Rule};
use crate::citizen::Citizen;
use crate::citizen::prefill::text_at;
use crate::state::Cases;

/// What a register said for a mandate.
pub(super) struct Proven {
    /// The name of the represented one.
    pub(super) name: String,
    /// A child's day of birth.
    pub(super) born: Option<Date>,
    /// The exchange's request id.
    pub(super) request: String,
}

/// The problems by which a register denies a mandate: what rests on it ends.
pub(super) const DENIALS: [&str; 3] = ["mandate-register", "mandate-company-over", "mandate-of-age"];

/// Asks the register of a rule whether the signed-in citizen speaks for somebody on a day.
///
/// # Errors
/// 422 at `number`: `mandate-register` when it does not say so, `mandate-company-over` for a company that is no more,
/// `mandate-of-age` for who is no child any more. The gateway's refusals when nobody answers.
pub(super) async fn ask(
    cases: &Cases,
    citizen: &Citizen,
    (rule, register): (&Rule, &Register),
    represented: &str,
) -> Result<Proven, Problem> {
    let mut body = Map::new();
    body.insert(register.by.clone(), represented.into());
    if let Some(asker) = &register.asker {
        body.insert(asker.clone(), citizen.number.as_str().into());
    }
    let asked = Ask {
        consumer: cases.system.clone(),
        service: register.service.parse().map_err(Problem::internal)?,
        body: Bytes::from(Value::Object(body).to_string()),
        on_behalf: citizen.who.actor.to_string(),
        issue: None,
        idempotency: None,
    };
    let heard = cases.exchange.ask(asked).await?;
    if heard.status == 404 {
        return Err(Problem::invalid("number", "mandate-register"));
    }
    let told: Value = heard.json()?;
    let bad = || Problem::new(Kind::Upstream, "answer-bad");
    let record = told.get("record").and_then(Value::as_object).ok_or_else(bad)?;
    judge(record, (rule, register), citizen, &heard.request)
}

fn judge(
    record: &Map<String, Value>,
    (rule, register): (&Rule, &Register),
    citizen: &Citizen,
    request: &str,
) -> Result<Proven, Problem> {
    let bad = || Problem::new(Kind::Upstream, "answer-bad");
    let text = |path: &String| text_at(record, path);
    let speaks = |path: &String| text(path).is_some_and(|number| number == citizen.number.as_str());
    // Who does not speak for it learns nothing of it, not even that it is no more.
    if !register.representatives.iter().any(speaks) {
        return Err(Problem::invalid("number", "mandate-register"));
    }
    let status = register.status.as_ref().and_then(text);
    if status.is_some_and(|status| register.over.contains(&status)) {
        return Err(Problem::invalid("number", "mandate-company-over"));
    }
    let born = match &register.born {
        Some(path) => Some(text(path).and_then(|day| parse_iso(&day)).ok_or_else(bad)?),
        None => None,
    };
    if born.is_some() && rule.last_day(citizen.today, born)? < citizen.today {
        return Err(Problem::invalid("number", "mandate-of-age"));
    }
    Ok(Proven {
        name: text(&register.name).ok_or_else(bad)?,
        born,
        request: request.to_owned(),
    })
}
