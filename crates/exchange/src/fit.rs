//! What of a service's answer may leave: the fields the agreement grants, a status and a size that
//! the exchange carries. Whatever the service gave, and never more.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use kernel::{Kind, Problem};
use serde_json::{Map, Value};

use crate::agreement::Agreement;
use crate::message::HEAD_BYTES_MAX;
use crate::service::{Answer, WHOLE_BYTES_MAX};
use crate::spool::Spool;

/// Length of a media type, in bytes.
const MEDIA_BYTES_MAX: usize = 255;
/// What a head holds besides the service's headers, in bytes.
const REST_OF_HEAD_BYTES_MAX: usize = 2 * 1024;

/// The answer that may leave; a signed refusal when the service's cannot.
pub(crate) fn fit(answer: Answer, agreement: &Agreement, body_bytes_max: usize) -> Answer {
    let unusable = |why: String| {
        Answer::in_its_place(
            &Problem::new(Kind::Upstream, "answer-bad")
                .with("service", &agreement.service)
                .because(why),
        )
    };
    if !(200..600).contains(&answer.status) {
        return unusable(format!("status {}", answer.status));
    }
    let media_good = answer.media.len() <= MEDIA_BYTES_MAX && !answer.media.chars().any(char::is_control);
    if !media_good {
        return unusable("the media type is none".to_owned());
    }
    if answer.headers.bytes() + REST_OF_HEAD_BYTES_MAX > HEAD_BYTES_MAX {
        return unusable("the headers are larger than a head".to_owned());
    }
    if answer.body.len() > body_bytes_max {
        let too_large = Problem::new(Kind::TooLarge, "body-too-large").with("max", body_bytes_max);
        return Answer::in_its_place(&too_large);
    }
    // To HEAD, or with 204 and 304: there is nothing to be cut.
    if answer.body.is_empty() {
        return answer;
    }
    match cut(&answer.body, agreement) {
        Ok(None) => answer,
        Ok(Some(body)) => Answer {
            body,
            headers: answer.headers.of_changed_body(),
            ..answer
        },
        // What cannot be read cannot be cut: under an agreement of fields it stays here.
        Err(_) if agreement.fields.is_empty() || answer.status >= 300 => answer,
        Err(e) => unusable(e.to_string()),
    }
}

/// An answer that may leave, with its body where that is on disk.
pub(crate) type Fitted = (Answer, Option<Arc<Spool>>);

/// As [`fit`], for an answer whose body is on disk. What may hold a record is read into memory, or
/// stays here when it is too large for that.
pub(crate) async fn fit_large(
    answer: Answer,
    spool: Arc<Spool>,
    agreement: &Agreement,
    max: usize,
) -> Fitted {
    let in_its_place = |problem: Problem| (Answer::in_its_place(&problem), None);
    if spool.len() > max as u64 {
        return in_its_place(Problem::new(Kind::TooLarge, "body-too-large").with("max", max));
    }
    let first = match spool.piece(0).await {
        Ok(first) => first,
        Err(problem) => return in_its_place(problem),
    };
    let is_blank = |byte: &&u8| b" \t\r\n".contains(byte);
    let may_hold_record = first
        .iter()
        .find(|byte| !is_blank(byte))
        .is_none_or(|byte| *byte == b'{');
    let granted = agreement.fields.is_empty() || answer.status >= 300;
    if may_hold_record || !granted {
        return match spool.whole(max.min(WHOLE_BYTES_MAX)).await {
            Ok(body) => (fit(Answer { body, ..answer }, agreement, max), None),
            Err(problem) => in_its_place(problem),
        };
    }
    // All but the body is looked at as ever.
    let fitted = fit(answer, agreement, max);
    let spool = fitted.fault.is_none().then_some(spool);
    (fitted, spool)
}

/// Cuts the record of a JSON body; `None` when there is no record in it.
fn cut(body: &[u8], agreement: &Agreement) -> Result<Option<Bytes>, serde_json::Error> {
    let mut value: Value = serde_json::from_slice(body)?;
    let Some(record) = value.get_mut("record") else {
        return Ok(None);
    };
    let granted: BTreeSet<&str> = agreement.fields.iter().map(String::as_str).collect();
    match record {
        Value::Array(list) => list.iter_mut().for_each(|one| keep(one, &granted)),
        one => keep(one, &granted),
    }
    Ok(Some(value.to_string().into()))
}

/// A record is an object of fields; anything else in its place could say anything.
fn keep(record: &mut Value, granted: &BTreeSet<&str>) {
    match record {
        Value::Object(fields) => keep_in(fields, "", granted),
        other => *other = Value::Null,
    }
}

/// A granted name keeps its field whole; a dot in it leads into an object.
fn keep_in(fields: &mut Map<String, Value>, under: &str, granted: &BTreeSet<&str>) {
    fields.retain(|name, value| {
        let path = format!("{under}{name}");
        if granted.contains(path.as_str()) {
            return true;
        }
        let below = format!("{path}.");
        match value {
            Value::Object(inner) if granted.iter().any(|g| g.starts_with(&below)) => {
                keep_in(inner, &below, granted);
                true
            }
            _ => false,
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::tests::sample;
    use crate::rest::{Headers, Way};
    use serde_json::json;

    fn leaves(body: &Value, fields: &[&str]) -> Value {
        let agreement = Agreement {
            fields: fields.iter().map(|&f| f.to_owned()).collect(),
            ..sample()
        };
        let fitted = fit(Answer::json(body).expect("json"), &agreement, 1_000);
        assert_eq!(fitted.status, 200);
        serde_json::from_slice(&fitted.body).expect("json")
    }

    #[test]
    fn only_granted_fields_leave_whatever_the_service_gave() {
        let record = json!({"full_name": "A", "residence": {"commune": "14857"}});
        let two = json!({"record": [record, record], "more": 1});
        let name = json!({"full_name": "A"});
        let checks = [
            (
                json!({"record": record}),
                vec!["full_name"],
                json!({"record": name}),
            ),
            (two, vec!["full_name"], json!({"record": [name, name], "more": 1})),
            (json!({"record": record}), vec![], json!({"record": {}})),
            (
                json!({"record": "A, 14857"}),
                vec!["full_name"],
                json!({"record": null}),
            ),
            (
                json!({"record": ["A", [record]]}),
                vec!["full_name"],
                json!({"record": [null, null]}),
            ),
            (
                json!({"act_number": "1/2026"}),
                vec![],
                json!({"act_number": "1/2026"}),
            ),
        ];
        for (given, fields, left) in checks {
            assert_eq!(leaves(&given, &fields), left, "{given}");
        }
    }

    #[test]
    fn a_grant_may_reach_into_an_object_and_takes_no_neighbour_along() {
        let body = json!({"record": {
            "child": {"full_name": "A", "sex": "female", "father": {"full_name": "B", "number": "1"}},
            "child.sex": "x", "mother": {"full_name": "C"}, "childish": 1,
        }});
        assert_eq!(
            leaves(&body, &["child.full_name", "child.father.full_name"]),
            json!({"record": {"child": {"full_name": "A", "father": {"full_name": "B"}}}})
        );
        assert_eq!(
            leaves(&body, &["mother"]),
            json!({"record": {"mother": {"full_name": "C"}}})
        );
        assert_eq!(
            leaves(&body, &["chi", "mother.full"]),
            json!({"record": {"mother": {}}})
        );
    }

    #[test]
    fn a_record_hidden_behind_a_second_name_or_another_spelling_is_cut_too() {
        let agreement = sample();
        for sly in [
            r#"{"record":{"full_name":"A"},"record":{"residence":"B"}}"#,
            r#"{"\u0072ecord":{"residence":"B"}}"#,
        ] {
            let answer = Answer {
                status: 200,
                media: "application/json".into(),
                headers: Headers::default(),
                fault: None,
                body: sly.into(),
            };
            let body = fit(answer, &agreement, 1_000).body;
            assert_eq!(body, r#"{"record":{}}"#);
        }
    }

    #[test]
    fn a_record_that_was_cut_leaves_without_what_named_its_bytes_and_an_empty_answer_passes() {
        let agreement = sample();
        let with_headers = |body: &str| {
            let mut headers = Headers::default();
            for (name, value) in [("etag", "\"1\""), ("x-page", "1"), ("digest", "x")] {
                assert!(headers.read(name, value, Way::Answer));
            }
            let answer = Answer {
                status: 200,
                media: "application/json".into(),
                headers,
                fault: None,
                body: body.to_owned().into(),
            };
            let fitted = fit(answer, &agreement, 1_000);
            let names: Vec<String> = fitted.headers.iter().map(|(name, _)| name.to_owned()).collect();
            (fitted.status, names)
        };
        assert_eq!(
            with_headers(r#"{"record":{"full_name":"A"}}"#),
            (200, vec!["x-page".to_owned()])
        );
        assert_eq!(with_headers("").1.len(), 3, "an answer to HEAD");
        assert_eq!(with_headers(r#"{"act":1}"#).1.len(), 3, "nothing was cut");
    }

    #[test]
    fn an_answer_that_cannot_be_carried_becomes_a_refusal() {
        let agreement = sample();
        let answer = |status, media: &str, body: &str| Answer {
            status,
            media: media.to_owned(),
            headers: Headers::default(),
            fault: None,
            body: body.to_owned().into(),
        };
        let told = |given: Answer, max| {
            let fitted = fit(given, &agreement, max);
            let body: Value = serde_json::from_slice(&fitted.body).expect("problem+json");
            (fitted.status, body["code"].as_str().expect("a code").to_owned())
        };
        let bad = (502, "answer-bad".to_owned());
        assert_eq!(told(answer(200, "application/json", "<html>"), 100), bad);
        assert_eq!(told(answer(101, "application/json", "{}"), 100), bad);
        assert_eq!(told(answer(999, "application/json", "{}"), 100), bad);
        assert_eq!(
            told(answer(200, "text/plain\r\nx-road-client: y", "{}"), 100),
            bad
        );
        assert_eq!(told(answer(200, &"a".repeat(256), "{}"), 100), bad);
        let large = (413, "body-too-large".to_owned());
        assert_eq!(
            told(answer(200, "application/json", &"1".repeat(101)), 100),
            large
        );
        let mut many = Headers::default();
        assert!(many.read("x-long", &"a".repeat(15_000), Way::Answer));
        let long = Answer {
            headers: many,
            ..answer(200, "application/json", "{}")
        };
        assert_eq!(told(long, 100), bad);
        let refusal = fit(answer(500, "text/plain", "no"), &agreement, 100);
        assert_eq!((refusal.status, &refusal.body[..]), (500, &b"no"[..]));
    }
}
