//! What an act gets from another register: asked for under the attempt's key, so that asking twice
//! gives the same number, and given back when the act ends. Never writes a row of its own.

use bytes::Bytes;
use exchange::{Ask, ServiceId};
use kernel::time::parse_iso;
use kernel::{AreaCode, Kind, PersonalNumber, Problem};
use serde_json::{Map, Value, json};

use crate::check;
use crate::enter::{Acts, Attempt};
use crate::schema::text_at;
use crate::service::Registers;

impl Registers {
    /// Step 2 of entering: asks for the child's number, under the attempt's key.
    pub(crate) async fn obtain(
        &self,
        acts: &Acts<'_>,
        attempt: &Attempt,
        on_behalf: &str,
    ) -> Result<PersonalNumber, Problem> {
        let request = self.obtain_request(acts, &attempt.body)?;
        let answer = self
            .ask_other(acts, &acts.obtain.from, &request, attempt, ("", on_behalf))
            .await?;
        let number = answer
            .get(&acts.obtain.answer)
            .and_then(Value::as_str)
            .and_then(|n| n.parse().ok());
        number.ok_or_else(|| {
            Problem::new(Kind::Upstream, "record-number-refused").because("the answer has no number")
        })
    }

    /// Gives a number back; one that is not there was never given out.
    pub(crate) async fn release_number(
        &self,
        acts: &Acts<'_>,
        attempt: &Attempt,
        number: &PersonalNumber,
        on_behalf: &str,
    ) -> Result<(), Problem> {
        let request =
            json!({ "personal_number": number, "reason": format!("{} {}", acts.schema.code, attempt.case) });
        match self
            .ask_other(acts, &acts.obtain.undo, &request, attempt, ("/undo", on_behalf))
            .await
        {
            Err(problem) if !(refused_for_good(&problem) && problem.kind == Kind::NotFound) => Err(problem),
            _ => Ok(()),
        }
    }

    async fn ask_other(
        &self,
        acts: &Acts<'_>,
        service: &ServiceId,
        request: &Value,
        attempt: &Attempt,
        (suffix, on_behalf): (&str, &str),
    ) -> Result<Value, Problem> {
        let case = &attempt.case;
        let again = if attempt.number == 1 {
            String::new()
        } else {
            format!("/{}", attempt.number)
        };
        let ask = Ask {
            consumer: acts.schema.system_id(),
            service: service.clone(),
            body: Bytes::from(request.to_string()),
            on_behalf: on_behalf.to_owned(),
            issue: Some(case.clone()),
            idempotency: Some(format!("{case}{again}{suffix}")),
        };
        self.0.asks.ask(ask).await?.json()
    }

    /// What the number is asked for with.
    pub(crate) fn obtain_request(
        &self,
        acts: &Acts<'_>,
        body: &Map<String, Value>,
    ) -> Result<Value, Problem> {
        let o = acts.obtain;
        Ok(json!({
            "place": self.place(acts, body)?,
            "sex": text_at(body, &o.sex),
            "born": text_at(body, &o.born),
            "basis": text_at(body, &acts.schema.key),
        }))
    }

    /// The three digits of the place of birth: its province, else the province of the book.
    fn place(&self, acts: &Acts<'_>, body: &Map<String, Value>) -> Result<String, Problem> {
        let on = text_at(body, &acts.schema.since)
            .and_then(parse_iso)
            .ok_or_else(|| Problem::invalid(&acts.schema.since, "record-date-bad"))?;
        let province = |text: &str| {
            let area: AreaCode = text.parse().ok()?;
            (self.0.land.province)(&area, on)
        };
        let born_at = text_at(body, &acts.obtain.place).and_then(province);
        let book = || {
            text_at(body, &acts.numbering.book)
                .and_then(|b| b.rsplit('.').next())
                .and_then(province)
        };
        born_at
            .or_else(book)
            .map(|area| format!("{:0>3}", area.as_str()))
            .ok_or_else(|| Problem::invalid(&acts.obtain.place, "record-place-unknown"))
    }

    /// The number must be that of the child: its year and sex.
    pub(crate) fn fits(
        &self,
        acts: &Acts<'_>,
        body: &Map<String, Value>,
        number: &PersonalNumber,
    ) -> Result<(), Problem> {
        let born = text_at(body, &acts.obtain.born).and_then(parse_iso);
        let sex = text_at(body, &acts.obtain.sex).and_then(check::sex);
        // The other register's mistake, not the caller's: a bad answer, with the rule in the log.
        check::fits(number, born, sex, &acts.obtain.field)
            .map_err(|why| Problem::new(Kind::Upstream, "record-number-refused").because(why))
    }
}

/// True for a service's own 4xx but those that a later call may not get.
pub(crate) fn refused_for_good(problem: &Problem) -> bool {
    let status = problem
        .args
        .iter()
        .find(|(name, _)| *name == "status")
        .map_or("", |(_, value)| value);
    problem.code == "service-refused"
        && status.starts_with('4')
        && !matches!(status, "408" | "409" | "425" | "429")
}
