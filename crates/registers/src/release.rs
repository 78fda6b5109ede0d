//! Taking back a personal number: the undo of giving it out, only for who was given it. The number
//! stays taken for ever.

use exchange::Call;
use kernel::{Fact, PersonalNumber, Problem};
use serde_json::{Value, json};

use crate::check;
use crate::record::{State, replace};
use crate::schema::Schema;
use crate::service::{Registers, actor, cause, need, no_record, request_digest, standing};
use crate::store as rows;

impl Registers {
    /// Answers `{"personal_number": "…", "released": true}`, however often it is asked.
    pub(crate) async fn release(&self, schema: &Schema, call: &Call) -> Result<Value, Problem> {
        let body = check::object(&call.body)?;
        let number: PersonalNumber = need(&body, "personal_number")?
            .parse()
            .map_err(|_| Problem::invalid("personal_number", "record-number-bad"))?;
        need(&body, "reason")?;
        let digest = request_digest(&body)?;
        let (number, digest) = (&number, &digest);
        self.0
            .store
            .write(&schema.tenant, &actor(call), |tx| async move {
                let key = number.as_str();
                let first = rows::first(&tx, &schema.code, key).await?.ok_or_else(no_record)?;
                // Whoever was not given the number may not even learn that it exists.
                if first.source != call.consumer.to_string() {
                    return Err(no_record());
                }
                let answer = json!({ "personal_number": number, "released": true });
                let (believed, last) = rows::believed(&tx, &schema.code, key).await?;
                let Some(now) = standing(&believed).filter(|v| v.state != State::Withdrawn) else {
                    return Ok(answer);
                };
                let cause = cause(&tx, call, &first.basis, digest);
                let to = (State::Withdrawn, now.valid_from);
                let change = replace(&believed, last, key, to, now.body.clone(), &cause);
                if !rows::write(&tx, &schema.code, &change).await? {
                    return Err(Problem::stale());
                }
                let (subject, hidden) = self.subject(schema, key);
                let (register, basis) = (schema.code.clone(), first.basis);
                let fact = Fact::RecordWithdrawn {
                    register,
                    subject: hidden,
                    version: last + 1,
                    basis,
                };
                tx.fact(&subject, fact).await?;
                Ok(answer)
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{House, MOTHER};
    use kernel::Kind;

    #[tokio::test]
    async fn a_released_number_names_nobody_and_can_be_released_again() {
        let house = House::new().await;
        let ask = json!({"place": "038", "sex": "male", "born": "2026-11-19", "basis": "x"});
        let given = house
            .call("assign-number", &[], Some("a"), ask)
            .await
            .expect("a number");
        let number = given["personal_number"].clone();
        let release = json!({"personal_number": number, "reason": "thu hồi"});
        let first = house
            .call("release-number", &[], None, release.clone())
            .await
            .expect("released");
        let again = house
            .call("release-number", &[], None, release)
            .await
            .expect("released");
        assert_eq!(first, again);
        let gone = house
            .call(
                "person-lookup",
                &["sex"],
                None,
                json!({"personal_number": number}),
            )
            .await;
        assert_eq!(gone.expect_err("nobody").code, "record-not-found");
    }

    #[tokio::test]
    async fn nobody_releases_a_number_they_were_not_given() {
        let house = House::new().await;
        let release = json!({"personal_number": MOTHER, "reason": "x"});
        let problem = house
            .call("release-number", &[], None, release)
            .await
            .expect_err("not yours");
        assert_eq!((problem.code, problem.kind), ("record-not-found", Kind::NotFound));
        assert!(
            house.lookup(&["full_name"], json!({})).await.is_ok(),
            "the record stands"
        );
    }
}
