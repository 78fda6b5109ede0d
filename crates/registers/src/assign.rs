//! Giving out a new personal number: place, sex, year and chance, unique in the register for ever,
//! with a first, short record. The same request again gives the same number.

use exchange::Call;
use kernel::codes::Sex;
use kernel::time::parse_iso;
use kernel::{Date, Fact, Kind, PersonalNumber, Problem, Time};
use serde_json::{Map, Value, json};
use store::Tx;

use crate::check;
use crate::record::amend;
use crate::schema::Schema;
use crate::service::{Registers, actor, cause, need, request_digest};
use crate::store::{self as rows, Named};

/// How many numbers are tried before a place, sex and year count as used up.
const TRIES_MAX: u32 = 256;

/// What a first record has besides its number.
pub(crate) struct First<'a> {
    pub(crate) sex: &'a str,
    pub(crate) born: &'a str,
    pub(crate) defaults: &'a Map<String, Value>,
}

struct Request {
    place: String,
    sex: Sex,
    born: Date,
    basis: String,
    key: String,
}

impl Registers {
    /// Answers `{"personal_number": "…"}`.
    pub(crate) async fn assign(
        &self,
        schema: &Schema,
        service: &str,
        first: &First<'_>,
        call: &Call,
    ) -> Result<Value, Problem> {
        let body = check::object(&call.body)?;
        let request = Request::read(&body, call)?;
        let digest = request_digest(&body)?;
        let consumer = call.consumer.to_string();
        let (request, digest, consumer) = (&request, &digest, consumer.as_str());
        self.0
            .store
            .write(&schema.tenant, &actor(call), |tx| async move {
                let named = Named {
                    service,
                    consumer,
                    key: &request.key,
                };
                if let Some((before, answer)) = rows::done(&tx, &named).await? {
                    return same_request(&before == digest, answer);
                }
                let cause = cause(&tx, call, &request.basis, digest);
                let number = self.free_number(&tx, schema, request, first, &cause).await?;
                let (subject, hidden) = self.subject(schema, number.as_str());
                let (register, basis) = (schema.code.clone(), request.basis.clone());
                tx.fact(
                    &subject,
                    Fact::RecordWritten {
                        register,
                        subject: hidden,
                        version: 1,
                        basis,
                    },
                )
                .await?;
                let answer = json!({ "personal_number": number });
                rows::keep_done(&tx, &named, digest, &answer).await?;
                Ok(answer)
            })
            .await
    }

    /// Tries numbers until one was never given out, and takes it.
    async fn free_number(
        &self,
        tx: &Tx,
        schema: &Schema,
        request: &Request,
        first: &First<'_>,
        cause: &crate::record::Cause,
    ) -> Result<PersonalNumber, Problem> {
        for _ in 0..TRIES_MAX {
            let chance = u32::from_be_bytes(self.0.store.world().random()) % 1_000_000;
            let number = PersonalNumber::compose(&request.place, request.sex, request.born.year(), chance)
                .map_err(|_| Problem::invalid("place", "record-place-unknown"))?;
            let body = request.first_record(schema, &number, first);
            let change = amend(&[], 0, number.as_str(), Time::at(request.born, 0), body, cause);
            if rows::write(tx, &schema.code, &change).await? {
                return Ok(number);
            }
        }
        Err(Problem::new(Kind::Full, "record-numbers-used-up"))
    }
}

/// The answer given before, if the request is the same one.
pub(crate) fn same_request(same: bool, answer: Value) -> Result<Value, Problem> {
    if same {
        Ok(answer)
    } else {
        Err(Problem::new(Kind::Conflict, "record-key-reused"))
    }
}

impl Request {
    fn read(body: &Map<String, Value>, call: &Call) -> Result<Self, Problem> {
        let place = need(body, "place")?;
        if place.len() != 3 || !place.bytes().all(|b| b.is_ascii_digit()) || place == "000" {
            return Err(Problem::invalid("place", "record-place-unknown"));
        }
        let sex =
            check::sex(need(body, "sex")?).ok_or_else(|| Problem::invalid("sex", "record-code-unknown"))?;
        let born =
            parse_iso(need(body, "born")?).ok_or_else(|| Problem::invalid("born", "record-date-bad"))?;
        if born > call.at.date() {
            return Err(Problem::invalid("born", "record-date-future"));
        }
        let key = call.idempotency.clone().filter(|k| !k.is_empty());
        Ok(Self {
            place: place.to_owned(),
            sex,
            born,
            basis: need(body, "basis")?.to_owned(),
            key: key.ok_or(Problem::new(Kind::Malformed, "record-key-missing"))?,
        })
    }

    fn first_record(
        &self,
        schema: &Schema,
        number: &PersonalNumber,
        first: &First<'_>,
    ) -> Map<String, Value> {
        let mut body = first.defaults.clone();
        let sex = if self.sex == Sex::Male { "male" } else { "female" };
        body.insert(schema.key.clone(), number.as_str().into());
        body.insert(first.sex.to_owned(), sex.into());
        body.insert(first.born.to_owned(), kernel::time::iso(self.born).into());
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::House;

    fn ask() -> Value {
        json!({"place": "038", "sex": "female", "born": "2026-11-19", "basis": "H56.14857-261121-0001"})
    }

    #[tokio::test]
    async fn a_new_number_carries_place_sex_and_year() {
        let house = House::new().await;
        let answer = house
            .call("assign-number", &[], Some("a"), ask())
            .await
            .expect("a number");
        let number: PersonalNumber =
            serde_json::from_value(answer["personal_number"].clone()).expect("a number");
        assert_eq!(
            (number.place(), number.sex(), number.birth_year()),
            ("038", Sex::Female, 2026)
        );
        let found = house
            .call(
                "person-lookup",
                &["sex", "date_of_birth"],
                None,
                json!({"personal_number": number}),
            )
            .await
            .expect("a first record");
        assert_eq!(
            found,
            json!({"record": {"sex": "female", "date_of_birth": "2026-11-19"}})
        );
    }

    #[tokio::test]
    async fn the_same_request_again_gives_the_same_number() {
        let house = House::new().await;
        let first = house
            .call("assign-number", &[], Some("a"), ask())
            .await
            .expect("a number");
        let again = house
            .call("assign-number", &[], Some("a"), ask())
            .await
            .expect("a number");
        let other = house
            .call("assign-number", &[], Some("b"), ask())
            .await
            .expect("a number");
        assert_eq!(first, again);
        assert_ne!(first, other);
        let mut changed = ask();
        changed["sex"] = "male".into();
        let problem = house
            .call("assign-number", &[], Some("a"), changed)
            .await
            .expect_err("another request");
        assert_eq!(
            (problem.code, problem.kind),
            ("record-key-reused", Kind::Conflict)
        );
    }

    #[tokio::test]
    async fn a_number_that_is_taken_is_never_given_out_again() {
        let house = House::unlucky().await;
        let first = house
            .call("assign-number", &[], Some("a"), ask())
            .await
            .expect("a number");
        let second = house
            .call("assign-number", &[], Some("b"), ask())
            .await
            .expect_err("the same chance");
        assert_eq!((second.code, second.kind), ("record-numbers-used-up", Kind::Full));
        let release = json!({"personal_number": first["personal_number"], "reason": "x"});
        house
            .call("release-number", &[], None, release)
            .await
            .expect("released");
        let third = house
            .call("assign-number", &[], Some("c"), ask())
            .await
            .expect_err("released, yet taken");
        assert_eq!(third.code, "record-numbers-used-up");
    }

    #[tokio::test]
    async fn a_request_names_its_field_at_fault() {
        let house = House::new().await;
        for (field, value, code) in [
            ("place", "38", "record-place-unknown"),
            ("sex", "x", "record-code-unknown"),
            ("born", "2026-02-31", "record-date-bad"),
            ("born", "2027-01-01", "record-date-future"),
            ("basis", "", "record-field-required"),
        ] {
            let mut body = ask();
            body[field] = value.into();
            let problem = house
                .call("assign-number", &[], Some("k"), body)
                .await
                .expect_err(field);
            assert_eq!((problem.code, problem.field.as_deref()), (code, Some(field)));
        }
        let problem = house
            .call("assign-number", &[], None, ask())
            .await
            .expect_err("no key");
        assert_eq!(problem.code, "record-key-missing");
    }
}
