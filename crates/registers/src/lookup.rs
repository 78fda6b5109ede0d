//! A lookup: one record, the granted fields of it, and the trace of the read in the same
//! transaction, or nothing. Never a list, never a search by name; and where a register says who is told
//! all of a record, nobody else is.

use exchange::Call;
use kernel::time::parse_iso;
use kernel::{Digest, Fact, Kind, Problem, Time};
use serde_json::{Map, Value, json};
use store::Tx;

use crate::check;
use crate::record::Version;
use crate::schema::{Schema, WholeFor, text_at};
use crate::service::{Registers, actor, no_record};
use crate::store::{self as rows, Access, When};

/// What a caller asks for.
struct Question {
    field: String,
    value: String,
    /// Who asks, where the register tells somebody more than others.
    asker: Option<String>,
    as_of: Option<Time>,
    as_known_at: Option<Time>,
}

impl Registers {
    /// Answers `{"record": {…}}` with the fields that the agreement grants; with those of them that are open to
    /// everybody, where the record names somebody else than the asker as who is told all.
    pub(crate) async fn lookup(
        &self,
        schema: &Schema,
        by: &[String],
        whole_for: Option<&WholeFor>,
        call: &Call,
    ) -> Result<Value, Problem> {
        let question = Question::read(schema, by, whole_for, call)?;
        let granted = granted(schema, &call.agreement.fields)?;
        let (question, granted) = (&question, &granted);
        let record = self
            .0
            .store
            .write(&schema.tenant, &actor(call), |tx| async move {
                let found = question.find(&tx, schema).await?.ok_or_else(no_record)?;
                let told = question.told(&found, whole_for, granted)?;
                self.trace(&tx, schema, &found, call, &told).await?;
                Ok(check::cut(&found.body, &told))
            })
            .await?;
        Ok(json!({ "record": record }))
    }

    /// Leaves the trace of a read: a row for every person the record is about, and one fact.
    async fn trace(
        &self,
        tx: &Tx,
        schema: &Schema,
        found: &Version,
        call: &Call,
        granted: &[String],
    ) -> Result<(), Problem> {
        let agreement = call.agreement.hash();
        for subject in self.subjects(schema, found) {
            let access = Access {
                id: tx.id(),
                register: schema.code.clone(),
                at: tx.now(),
                consumer: call.consumer.to_string(),
                on_behalf: call.on_behalf.clone(),
                purpose: call.agreement.purpose.clone(),
                legal_basis: call.agreement.legal_basis.clone(),
                fields: granted.to_vec(),
                agreement,
                request: call.request.clone(),
                issue: call.issue.clone(),
            };
            rows::access(tx, &subject, &access).await?;
        }
        let (subject, digest) = self.subject(schema, &found.key);
        let fact = Fact::RecordRead {
            register: schema.code.clone(),
            subject: digest,
            consumer: call.consumer.org.clone(),
            purpose: call.agreement.purpose.clone(),
            legal_basis: call.agreement.legal_basis.clone(),
            fields: granted.to_vec(),
            agreement,
            request: call.request.clone(),
        };
        tx.fact(&subject, fact).await?;
        Ok(())
    }

    /// The persons a record is about; a record about nobody is itself the subject.
    fn subjects(&self, schema: &Schema, found: &Version) -> Vec<Digest> {
        let of = |text: &str| self.0.store.digest(&schema.tenant, text);
        let mut all: Vec<Digest> = schema
            .about
            .iter()
            .filter_map(|f| text_at(&found.body, f))
            .map(of)
            .collect();
        all.sort_unstable();
        all.dedup();
        if all.is_empty() {
            all.push(of(&found.key));
        }
        all
    }
}

impl Question {
    fn read(
        schema: &Schema,
        by: &[String],
        whole_for: Option<&WholeFor>,
        call: &Call,
    ) -> Result<Self, Problem> {
        let body = check::object(&call.body)?;
        let keys = || by.join(", ");
        let mut asked = by.iter().filter(|name| body.contains_key(*name));
        let field = asked.next().ok_or_else(|| {
            let first = by.first().map_or("", String::as_str);
            Problem::invalid(first, "record-lookup-key").with("keys", keys())
        })?;
        if let Some(second) = asked.next() {
            return Err(Problem::invalid(second, "record-lookup-key").with("keys", keys()));
        }
        let names_asker = |k: &str| whole_for.is_some_and(|whole| whole.field == k);
        let extra = |k: &&String| *k != field && !names_asker(k) && *k != "as_of" && *k != "as_known_at";
        if let Some(extra) = body.keys().find(extra) {
            return Err(Problem::invalid(extra, "record-field-unknown"));
        }
        let declared = schema
            .field(field)
            .ok_or_else(|| Problem::internal("a lookup by no field"))?;
        let value = check::one(declared, body.get(field).unwrap_or(&Value::Null), call.at.date())?;
        let value = value
            .as_str()
            .ok_or_else(|| Problem::invalid(field, "record-lookup-key").with("keys", keys()))?;
        Ok(Self {
            field: field.clone(),
            value: value.to_owned(),
            asker: asker(schema, whole_for, &body, call)?,
            as_of: time(&body, "as_of")?,
            as_known_at: time(&body, "as_known_at")?,
        })
    }

    async fn find(&self, tx: &Tx, schema: &Schema) -> Result<Option<Version>, Problem> {
        let when = When {
            as_of: self.as_of.unwrap_or_else(|| tx.now()),
            as_known_at: self.as_known_at.unwrap_or_else(|| tx.now()),
        };
        match schema.link_of(&self.field) {
            Some(link) => rows::by_link(tx, &schema.code, link, &self.value, when).await,
            None => rows::by_key(tx, &schema.code, &self.value, when).await,
        }
    }
}

impl Question {
    /// What this asker is told of a record: all that is granted, or what is open to everybody. Of another time only
    /// the latter: who spoke for somebody then need not speak for them today.
    fn told(
        &self,
        found: &Version,
        whole_for: Option<&WholeFor>,
        granted: &[String],
    ) -> Result<Vec<String>, Problem> {
        let Some(whole) = whole_for else {
            return Ok(granted.to_vec());
        };
        let today = self.as_of.is_none() && self.as_known_at.is_none();
        let own = self
            .asker
            .as_deref()
            .is_some_and(|asker| text_at(&found.body, &whole.field) == Some(asker));
        if own && today {
            return Ok(granted.to_vec());
        }
        let open = granted.iter().filter(|field| whole.open.contains(field));
        let told: Vec<String> = open.cloned().collect();
        if told.is_empty() {
            return Err(Problem::new(Kind::Forbidden, "record-no-field"));
        }
        Ok(told)
    }
}

/// Who asks, as the caller says under the name of the register's field.
fn asker(
    schema: &Schema,
    whole_for: Option<&WholeFor>,
    body: &Map<String, Value>,
    call: &Call,
) -> Result<Option<String>, Problem> {
    let Some((whole, given)) = whole_for.and_then(|whole| Some((whole, body.get(&whole.field)?))) else {
        return Ok(None);
    };
    let declared = schema
        .field(&whole.field)
        .ok_or_else(|| Problem::internal("told whole for no field"))?;
    let value = check::one(declared, given, call.at.date())?;
    Ok(value.as_str().map(str::to_owned))
}

/// What the agreement grants and the register has.
fn granted(schema: &Schema, fields: &[String]) -> Result<Vec<String>, Problem> {
    let granted: Vec<String> = fields
        .iter()
        .filter(|f| schema.field(f).is_some())
        .cloned()
        .collect();
    if granted.is_empty() {
        Err(Problem::new(Kind::Forbidden, "record-no-field"))
    } else {
        Ok(granted)
    }
}

/// A day (its last instant counts) or an instant.
fn time(body: &Map<String, Value>, field: &str) -> Result<Option<Time>, Problem> {
    let Some(value) = body.get(field).filter(|v| !v.is_null()) else {
        return Ok(None);
    };
    let text = value.as_str().unwrap_or_default();
    let day = || parse_iso(text).map(|date| Time::at(date, 24 * 60).plus_ms(-1));
    match Time::parse_rfc3339(text).or_else(day) {
        Some(time) => Ok(Some(time)),
        None => Err(Problem::invalid(field, "record-date-bad")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{FATHER, House, MOTHER};

    #[tokio::test]
    async fn only_granted_fields_come_back() {
        let house = House::new().await;
        let answer = house
            .lookup(&["full_name", "residence.commune", "shoe_size"], json!({}))
            .await
            .expect("an answer");
        assert_eq!(
            answer,
            json!({"record": {"full_name": "Lê Thị Mẫu", "residence": {"commune": "14857"}}})
        );
    }

    #[tokio::test]
    async fn every_read_leaves_a_row_and_a_fact_without_the_number() {
        let house = House::new().await;
        house.lookup(&["full_name"], json!({})).await.expect("an answer");
        let (subject, digest) = house.person_subject(MOTHER);
        let facts = house
            .store()
            .facts_of(&house.g01(), &subject)
            .await
            .expect("facts");
        let last = facts.last().expect("a fact");
        assert!(matches!(
            &last.fact,
            Fact::RecordRead { register, subject, fields, .. }
                if register == "population" && *subject == digest && fields == &["full_name".to_owned()]
        ));
        assert!(!last.to_json().expect("json").contains(MOTHER));
        assert_eq!(house.reads_of(MOTHER).await, 1);
    }

    #[tokio::test]
    async fn nothing_is_answered_when_the_trace_cannot_be_written() {
        let house = House::new().await;
        house.sql("drop table registers_access").await;
        let problem = house
            .lookup(&["full_name"], json!({}))
            .await
            .expect_err("no trace, no data");
        assert!(
            matches!(problem.kind, Kind::Internal | Kind::Unavailable),
            "{problem}"
        );
        let (subject, _) = house.person_subject(MOTHER);
        let facts = house
            .store()
            .facts_of(&house.g01(), &subject)
            .await
            .expect("facts");
        assert!(
            !facts.iter().any(|f| matches!(f.fact, Fact::RecordRead { .. })),
            "nothing was read"
        );
    }

    #[tokio::test]
    async fn an_agreement_that_grants_no_field_answers_nothing() {
        let house = House::new().await;
        let problem = house
            .lookup(&["shoe_size"], json!({}))
            .await
            .expect_err("nothing granted");
        assert_eq!((problem.code, problem.kind), ("record-no-field", Kind::Forbidden));
        assert_eq!(house.reads_of(MOTHER).await, 0);
    }

    #[tokio::test]
    async fn only_a_companys_own_representative_is_told_more_than_its_name() {
        let house = House::new().await;
        house.company().await;
        let code = directory::people::SAMPLE_COMPANY;
        let fields = ["tax_code", "name", "representative", "address.commune"];
        let ask = async |more: Value| {
            let mut body = json!({ "tax_code": code });
            for (name, value) in more.as_object().expect("an object") {
                body[name] = value.clone();
            }
            house.call("business-lookup", &fields, None, body).await
        };
        let open = json!({"record": {"tax_code": code, "name": "Công ty TNHH Vận tải Mẫu"}});
        assert_eq!(
            ask(json!({})).await.expect("its name"),
            open,
            "nobody says who asks"
        );
        let other = json!({"representative.personal_number": FATHER});
        assert_eq!(ask(other).await.expect("its name"), open, "somebody else asks");
        let own = json!({"representative.personal_number": MOTHER});
        let whole = ask(own).await.expect("all that is granted");
        assert_eq!(whole["record"]["representative"]["full_name"], "Lê Thị Mẫu");
        assert_eq!(whole["record"]["address"]["commune"], "14857");
        let then = json!({"representative.personal_number": MOTHER, "as_of": "2026-11-01"});
        assert_eq!(ask(then).await.expect("its name"), open, "of another time");
        assert_eq!(
            house.business_reads_of(MOTHER).await,
            4,
            "whom the record is about sees every read"
        );
    }

    #[tokio::test]
    async fn a_tax_code_that_cannot_be_one_and_an_asker_who_is_none_are_refused_by_name() {
        let house = House::new().await;
        house.company().await;
        let code = directory::people::SAMPLE_COMPANY;
        for (ask, problem, field) in [
            (
                json!({"tax_code": "9900000017"}),
                "record-business-bad",
                "tax_code",
            ),
            (
                json!({"tax_code": code, "representative.personal_number": "12"}),
                "record-number-bad",
                "personal_number",
            ),
            (
                json!({"tax_code": code, "name": "x"}),
                "record-field-unknown",
                "name",
            ),
        ] {
            let refused = house
                .call("business-lookup", &["name"], None, ask)
                .await
                .expect_err(problem);
            assert_eq!((refused.code, refused.field.as_deref()), (problem, Some(field)));
        }
        let refused = house
            .call(
                "business-lookup",
                &["industries"],
                None,
                json!({ "tax_code": code }),
            )
            .await
            .expect_err("nothing open is granted");
        assert_eq!(refused.code, "record-no-field");
        assert_eq!(house.business_reads_of(MOTHER).await, 0);
    }

    #[tokio::test]
    async fn a_person_who_is_not_there_is_told_so() {
        let house = House::new().await;
        let ask = json!({"personal_number": "038190999999"});
        let problem = house
            .call("person-lookup", &["full_name"], None, ask)
            .await
            .expect_err("nobody");
        assert_eq!((problem.code, problem.kind), ("record-not-found", Kind::NotFound));
    }

    #[tokio::test]
    async fn a_lookup_names_exactly_one_key() {
        let house = House::new().await;
        for (ask, field) in [
            (json!({}), "husband_number"),
            (
                json!({"husband_number": MOTHER, "wife_number": MOTHER}),
                "wife_number",
            ),
        ] {
            let problem = house
                .call("marriage-lookup", &["wife_name"], None, ask)
                .await
                .expect_err("refused");
            assert_eq!(
                (problem.code, problem.field.as_deref()),
                ("record-lookup-key", Some(field))
            );
        }
        let ask = json!({"personal_number": MOTHER, "full_name": "Lê"});
        let problem = house
            .call("person-lookup", &["full_name"], None, ask)
            .await
            .expect_err("refused");
        assert_eq!(problem.code, "record-field-unknown");
    }

    #[tokio::test]
    async fn a_marriage_is_found_by_either_spouse() {
        let house = House::new().await;
        for ask in [
            json!({"wife_number": MOTHER}),
            json!({"husband_number": crate::fixtures::FATHER}),
        ] {
            let answer = house
                .call("marriage-lookup", &["marriage_number"], None, ask)
                .await
                .expect("an answer");
            assert_eq!(answer, json!({"record": {"marriage_number": "12/2019"}}));
        }
        assert_eq!(
            house.marriage_reads_of(MOTHER).await,
            2,
            "both spouses see both reads"
        );
    }

    #[tokio::test]
    async fn another_tenant_of_the_node_has_no_such_rows() {
        let house = House::new().await;
        let elsewhere = house.rows_in(&"G15".parse().expect("code"), "population").await;
        assert_eq!(
            (elsewhere, house.rows_in(&house.g01(), "population").await),
            (0, 3)
        );
    }

    #[tokio::test]
    async fn a_record_is_read_as_it_held_and_as_it_was_known() {
        let house = House::new().await;
        let moved_on = "2026-11-01";
        let known_before = house.now();
        house.clock.advance_ms(60_000);
        house.move_person(MOTHER, moved_on, "14870").await;
        house.clock.advance_ms(60_000);
        let commune = |answer: Value| answer["record"]["residence"]["commune"].clone();
        let fields = ["residence.commune"];
        let now = house.lookup(&fields, json!({})).await.expect("now");
        let before = house
            .lookup(&fields, json!({"as_of": "2026-10-31"}))
            .await
            .expect("before the move");
        let believed = json!({"as_of": "2026-11-10", "as_known_at": known_before.rfc3339()});
        let believed = house.lookup(&fields, believed).await.expect("as known before");
        assert_eq!(
            [commune(now), commune(before), commune(believed)],
            ["14870", "14857", "14857"]
        );
        let problem = house
            .lookup(&fields, json!({"as_of": "2026-02-31"}))
            .await
            .expect_err("no such day");
        assert_eq!(
            (problem.code, problem.field.as_deref()),
            ("record-date-bad", Some("as_of"))
        );
    }
}
