//! Issuing a record under a number of the register's own: a card for a person who has none yet. One
//! person, one record, however often and by whomever it is asked for. Never a number given twice.

use exchange::Call;
use kernel::time::parse_iso;
use kernel::{AreaCode, Fact, Kind, Problem, Time};
use serde_json::{Map, Value, json};

use crate::check;
use crate::record::amend;
use crate::schema::{Schema, Series, put, text_at};
use crate::service::{Registers, actor, cause, need, request_digest};
use crate::store as rows;

impl Registers {
    /// Answers `{"number": "TE1380000000001"}`.
    pub(crate) async fn issue(
        &self,
        schema: &Schema,
        series: &Series,
        call: &Call,
    ) -> Result<Value, Problem> {
        let body = check::whole(schema, &check::object(&call.body)?, call.at.date())?;
        let holder = need(&body, &series.once)?.to_owned();
        let link = schema
            .link_of(&series.once)
            .ok_or_else(|| Problem::internal("a holder is found by a link"))?;
        let since = text_at(&body, &schema.since).and_then(parse_iso);
        let since = since.ok_or_else(|| Problem::invalid(&schema.since, "record-date-bad"))?;
        let province = self.province_at(&body, series, call)?;
        let digest = request_digest(&body)?;
        let (s, body, holder, province, digest) = (schema, &body, &holder, &province, &digest);
        self.0
            .store
            .write(&s.tenant, &actor(call), |tx| async move {
                let now = tx.now();
                if let Some(before) = rows::linked(&tx, &s.code, link, holder).await? {
                    return Ok(json!({ "number": before }));
                }
                let order = tx.next_number(&format!("{}/{province}", series.name)).await?;
                let number = series.number(province, order)?;
                let mut record = body.clone();
                put(&mut record, &s.key, number.clone().into());
                let basis = call.issue.clone().unwrap_or_else(|| call.request.clone());
                let cause = cause(&tx, call, &basis, digest);
                let change = amend(&[], 0, &number, Time::at(since, 0).min(now), record, &cause);
                if !rows::write(&tx, &s.code, &change).await? {
                    return Err(Problem::stale());
                }
                rows::link(&tx, &s.code, link, holder, &number).await?;
                let (subject, hidden) = self.subject(s, &number);
                let fact = Fact::RecordWritten {
                    register: s.code.clone(),
                    subject: hidden,
                    version: 1,
                    basis,
                };
                tx.fact(&subject, fact).await?;
                Ok(json!({ "number": number }))
            })
            .await
    }

    /// The province whose part the number carries.
    fn province_at(
        &self,
        body: &Map<String, Value>,
        series: &Series,
        call: &Call,
    ) -> Result<String, Problem> {
        let unknown = || Problem::invalid(&series.place, "record-place-unknown");
        let area: AreaCode = need(body, &series.place)?.parse().map_err(|_| unknown())?;
        let province = (self.0.land.province)(&area, call.at.date()).ok_or_else(unknown)?;
        Ok(province.to_string())
    }
}

impl Series {
    /// `TE1` + `38` + `0000000001`.
    ///
    /// # Errors
    /// `record-numbers-used-up` when the order has more digits than the series.
    fn number(&self, province: &str, order: u64) -> Result<String, Problem> {
        let digits = order.to_string();
        if digits.len() > self.digits {
            return Err(Problem::new(Kind::Full, "record-numbers-used-up"));
        }
        Ok(format!(
            "{}{province}{digits:0>width$}",
            self.prefix,
            width = self.digits
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::House;

    fn card(number: &str) -> Value {
        json!({"personal_number": number, "full_name": "Lê Thị Mẫu Con", "date_of_birth": "2026-11-19",
               "sex": "female", "residence_commune": "14857"})
    }

    #[tokio::test]
    async fn a_child_gets_a_card_number_with_its_province_and_only_one() {
        let house = House::new().await;
        let first = house
            .call("issue-card", &[], Some("a"), card("038326000001"))
            .await;
        assert_eq!(first.expect("a card"), json!({"number": "TE1380000000001"}));
        for key in ["a", "b"] {
            let again = house
                .call("issue-card", &[], Some(key), card("038326000001"))
                .await;
            assert_eq!(
                again.expect("the same card"),
                json!({"number": "TE1380000000001"})
            );
        }
        let other = house
            .call("issue-card", &[], Some("c"), card("038326000002"))
            .await;
        assert_eq!(other.expect("another card"), json!({"number": "TE1380000000002"}));
        let found = house
            .call(
                "card-lookup",
                &["card_number"],
                None,
                json!({"personal_number": "038326000002"}),
            )
            .await;
        assert_eq!(
            found.expect("found"),
            json!({"record": {"card_number": "TE1380000000002"}})
        );
    }

    #[tokio::test]
    async fn a_card_is_refused_with_the_field_at_fault() {
        let house = House::new().await;
        for (field, value, code) in [
            ("personal_number", "12", "record-number-bad"),
            ("residence_commune", "99999", "record-place-unknown"),
            ("date_of_birth", "2027-01-01", "record-date-future"),
            ("card_number", "TE1", "record-field-assigned"),
        ] {
            let mut body = card("038326000001");
            body[field] = value.into();
            let problem = house
                .call("issue-card", &[], Some("k"), body)
                .await
                .expect_err(field);
            assert_eq!((problem.code, problem.field.as_deref()), (code, Some(field)));
        }
    }
}
