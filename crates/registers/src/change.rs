//! Changing some fields of a record from a day on, because a case says so: where a person has their residence. Once a
//! case, however often it is asked; and its undo, for who made the change alone and only while nothing has changed
//! since. What we believed of the time before stays.

use exchange::Call;
use kernel::time::parse_iso;
use kernel::{AreaCode, CaseCode, Fact, Kind, Problem, Time};
use serde_json::{Map, Value, json};
use store::Tx;

use crate::assign::same_request;
use crate::check;
use crate::record::{Cause, State, Version, amend};
use crate::schema::{FieldChange, Schema, at, put, text_at};
use crate::service::{Registers, actor, cause, need, no_record, request_digest, standing};
use crate::store::changes::{self, Made};
use crate::store::{self as rows};

/// What a case asks to be changed.
struct Asked {
    case: String,
    key: String,
    from: Time,
    year: i32,
    place: String,
    /// The new values, as the record has them.
    values: Map<String, Value>,
}

impl Asked {
    fn read(
        schema: &Schema,
        rule: &FieldChange,
        body: &Map<String, Value>,
        call: &Call,
    ) -> Result<Self, Problem> {
        let today = call.at.date();
        let case = need(body, "case")?;
        case.parse::<CaseCode>()
            .map_err(|_| Problem::invalid("case", "record-code-unknown"))?;
        let key = need(body, &schema.key)?;
        let bad = |code| Problem::invalid(&rule.from, code);
        let from = parse_iso(need(body, &rule.from)?).ok_or_else(|| bad("record-date-bad"))?;
        if from > today {
            return Err(bad("record-date-future"));
        }
        let own = ["case", schema.key.as_str(), rule.from.as_str()];
        let parts = body.iter().filter(|(name, _)| !own.contains(&name.as_str()));
        let parts: Map<String, Value> = parts.map(|(name, value)| (name.clone(), value.clone())).collect();
        let values = check::part(schema, &parts, today)?;
        for name in values.keys() {
            let changes = |field: &String| field == name || field.starts_with(&format!("{name}."));
            if !rule.fields.iter().any(changes) {
                return Err(Problem::invalid(name, "record-field-unknown"));
            }
        }
        let place = text_at(&values, &rule.place)
            .ok_or_else(|| Problem::invalid(&rule.place, "record-field-required"))?;
        Ok(Self {
            case: case.to_owned(),
            key: key.to_owned(),
            from: Time::at(from, 0),
            year: from.year(),
            place: place.to_owned(),
            values,
        })
    }
}

impl Registers {
    /// Answers `{"number": "1/2026"}`, the same however often a case asks.
    pub(crate) async fn change(
        &self,
        s: &Schema,
        service: &str,
        rule: &FieldChange,
        call: &Call,
    ) -> Result<Value, Problem> {
        let body = check::object(&call.body)?;
        let asked = Asked::read(s, rule, &body, call)?;
        let unknown = || Problem::invalid(&rule.place, "record-place-unknown");
        let area: AreaCode = asked.place.parse().map_err(|_| unknown())?;
        (self.0.land.province)(&area, call.at.date()).ok_or_else(unknown)?;
        let digest = request_digest(&body)?;
        let (asked, digest) = (&asked, &digest);
        self.0
            .store
            .write(&s.tenant, &actor(call), |tx| async move {
                let name = (service, asked.case.as_str());
                if let Some(made) = changes::of(&tx, &s.code, name).await? {
                    made.by(call)?;
                    if made.undone_at.is_some() {
                        return Err(Problem::new(Kind::Conflict, "record-change-undone"));
                    }
                    return same_request(made.request == *digest, json!({ "number": made.number }));
                }
                let (believed, last) = rows::believed(&tx, &s.code, &asked.key).await?;
                let now = holding(&believed)?;
                let mut record = now.body.clone();
                let mut before = Map::new();
                for field in &rule.fields {
                    let was = at(&record, field).cloned().unwrap_or_default();
                    before.insert(field.clone(), was);
                    set(&mut record, field, at(&asked.values, field));
                }
                let series = format!("{}/{}/{}", rule.series, asked.place, asked.year);
                let number = format!("{}/{}", tx.next_number(&series).await?, asked.year);
                let made = Made {
                    key: asked.key.clone(),
                    consumer: call.consumer.to_string(),
                    request: *digest,
                    number: number.clone(),
                    // Nothing holds before the record itself does.
                    from: asked.from.max(now.valid_from),
                    before,
                    undone_at: None,
                };
                let cause = cause(&tx, call, &asked.case, digest);
                self.amended(&tx, s, (&believed, last), &made, record, &cause)
                    .await?;
                changes::keep(&tx, &s.code, name, &made).await?;
                Ok(json!({ "number": number }))
            })
            .await
    }

    /// Answers `{"case": "…", "restored": true}`, however often it is asked; `false` when the case changed nothing, so
    /// that an undo never fails for having nothing to undo.
    pub(crate) async fn restore(&self, s: &Schema, undoes: &str, call: &Call) -> Result<Value, Problem> {
        let body = check::object(&call.body)?;
        let case = need(&body, "case")?;
        need(&body, "reason")?;
        let digest = request_digest(&body)?;
        let digest = &digest;
        self.0
            .store
            .write(&s.tenant, &actor(call), |tx| async move {
                let answer = |restored: bool| json!({ "case": case, "restored": restored });
                let Some(made) = changes::of(&tx, &s.code, (undoes, case)).await? else {
                    return Ok(answer(false));
                };
                made.by(call)?;
                if made.undone_at.is_some() {
                    return Ok(answer(true));
                }
                let (believed, last) = rows::believed(&tx, &s.code, &made.key).await?;
                let now = holding(&believed)?;
                if now.basis != case {
                    return Err(Problem::new(Kind::Conflict, "record-changed-since"));
                }
                let mut record = now.body.clone();
                for (field, was) in &made.before {
                    set(&mut record, field, Some(was).filter(|was| !was.is_null()));
                }
                let cause = cause(&tx, call, case, digest);
                self.amended(&tx, s, (&believed, last), &made, record, &cause)
                    .await?;
                changes::undone(&tx, &s.code, (undoes, case)).await?;
                Ok(answer(true))
            })
            .await
    }

    /// Writes a record's new body from the day of a change on, with the fact of it.
    async fn amended(
        &self,
        tx: &Tx,
        s: &Schema,
        (believed, last): (&[Version], u32),
        made: &Made,
        record: Map<String, Value>,
        cause: &Cause,
    ) -> Result<(), Problem> {
        let change = amend(believed, last, &made.key, made.from, record, cause);
        let version = change.written.last().map_or(last, |new| new.version);
        if !rows::write(tx, &s.code, &change).await? {
            return Err(Problem::stale());
        }
        let (subject, hidden) = self.subject(s, &made.key);
        let fact = Fact::RecordWritten {
            register: s.code.clone(),
            subject: hidden,
            version,
            basis: cause.basis.clone(),
        };
        tx.fact(&subject, fact).await.map(drop)
    }
}

impl Made {
    /// Whoever did not make a change may not even learn of it.
    fn by(&self, call: &Call) -> Result<(), Problem> {
        if self.consumer == call.consumer.to_string() {
            Ok(())
        } else {
            Err(no_record())
        }
    }
}

/// The version that holds now.
fn holding(believed: &[Version]) -> Result<&Version, Problem> {
    standing(believed)
        .filter(|now| now.state == State::Current)
        .ok_or_else(no_record)
}

/// Puts a value where it belongs, or takes what stands there away.
fn set(record: &mut Map<String, Value>, path: &str, value: Option<&Value>) {
    if let Some(value) = value {
        put(record, path, value.clone());
        return;
    }
    match path.split_once('.') {
        None => {
            record.remove(path);
        }
        Some((first, rest)) => {
            if let Some(Value::Object(inner)) = record.get_mut(first) {
                set(inner, rest, None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{House, MOTHER};

    const CASE: &str = "H56.14857-261121-0001";

    fn moved(case: &str, commune: &str) -> Value {
        json!({"case": case, "personal_number": MOTHER, "registered_on": "2026-11-20",
               "residence": {"commune": commune}})
    }

    async fn register(house: &House, body: Value) -> Result<Value, Problem> {
        house.call("register-residence", &[], None, body).await
    }

    async fn withdraw(house: &House, case: &str) -> Result<Value, Problem> {
        let body = json!({"case": case, "reason": "Ghi nhầm"});
        house.call("withdraw-residence", &[], None, body).await
    }

    async fn lives(house: &House, more: Value) -> Value {
        let found = house.lookup(&["residence"], more).await.expect("a record");
        found["record"]["residence"].clone()
    }

    #[tokio::test]
    async fn a_residence_is_registered_once_a_case_from_a_day_on_and_the_time_before_stays() {
        let house = House::new().await;
        for _ in 0..2 {
            let answer = register(&house, moved(CASE, "14870")).await;
            assert_eq!(answer.expect("registered"), json!({"number": "1/2026"}));
        }
        assert_eq!(
            lives(&house, json!({})).await,
            json!({"commune": "14870"}),
            "the line of the earlier address went with it"
        );
        let before = lives(&house, json!({"as_of": "2026-11-19"})).await;
        assert_eq!(before, json!({"commune": "14857", "line": "Thôn 1"}));
        let other = register(&house, moved(CASE, "14857"))
            .await
            .expect_err("another body");
        assert_eq!((other.code, other.kind), ("record-key-reused", Kind::Conflict));
        let next = register(&house, moved("H56.14857-261121-0002", "14870")).await;
        assert_eq!(next.expect("the next")["number"], "2/2026");
    }

    #[tokio::test]
    async fn a_registration_is_taken_back_by_who_made_it_and_only_while_it_is_the_last_change() {
        let house = House::new().await;
        assert_eq!(
            withdraw(&house, CASE).await.expect("nothing to undo")["restored"],
            false
        );
        register(&house, moved(CASE, "14870")).await.expect("registered");
        for _ in 0..2 {
            assert_eq!(withdraw(&house, CASE).await.expect("undone")["restored"], true);
        }
        let now = lives(&house, json!({})).await;
        assert_eq!(now, json!({"commune": "14857", "line": "Thôn 1"}));
        let again = register(&house, moved(CASE, "14870"))
            .await
            .expect_err("it was undone");
        assert_eq!(again.code, "record-change-undone");
        let (second, third) = ("H56.14857-261121-0002", "H56.14857-261121-0003");
        register(&house, moved(second, "14870"))
            .await
            .expect("registered");
        register(&house, moved(third, "14857")).await.expect("registered");
        let late = withdraw(&house, second).await.expect_err("changed since");
        assert_eq!((late.code, late.kind), ("record-changed-since", Kind::Conflict));
    }

    #[tokio::test]
    async fn what_cannot_be_a_residence_is_refused_with_the_field_at_fault() {
        let house = House::new().await;
        for (part, value, code, field) in [
            ("personal_number", json!("038190999999"), "record-not-found", None),
            ("case", json!("x"), "record-code-unknown", Some("case")),
            (
                "registered_on",
                json!("2027-01-01"),
                "record-date-future",
                Some("registered_on"),
            ),
            (
                "residence",
                json!({"commune": "99999"}),
                "record-place-unknown",
                Some("residence.commune"),
            ),
            (
                "residence",
                json!({"line": "Thôn 1"}),
                "record-field-required",
                Some("residence.commune"),
            ),
            (
                "full_name",
                json!("Lê Thị Khác"),
                "record-field-unknown",
                Some("full_name"),
            ),
        ] {
            let mut body = moved(CASE, "14870");
            body[part] = value;
            let refused = register(&house, body).await.expect_err(code);
            assert_eq!((refused.code, refused.field.as_deref()), (code, field), "{part}");
        }
        assert_eq!(lives(&house, json!({})).await["commune"], "14857");
    }
}
