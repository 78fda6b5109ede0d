//! `POST /cases/{code}/rating` and its twin: after the end the applicant says how the case was handled (đánh giá sự
//! hài lòng), once, from 1 to 5, with words if they like. Never changes where the case stands.

use std::collections::BTreeMap;

use axum::response::Response;
use kernel::{Fact, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Refusal};

use crate::citizen::OwnCase;
use crate::citizen::course::ENDED;
use crate::citizen::withdraw::SentJson;
use crate::criteria::Points;
use crate::state::Cases;
use crate::store::subject;
use crate::submission::{self, Said};
use crate::words::note;

/// A rating.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rating {
    /// 1 (very dissatisfied) to 5 (very satisfied).
    #[schema(minimum = 1, maximum = 5)]
    score: u8,
    /// In the applicant's words; may be empty.
    #[serde(default)]
    note: String,
    /// Points by the numbers of the day's criteria, each as the applicant likes: `{"1": 2}`. In a form, `criteria.1=2`.
    #[serde(default)]
    criteria: BTreeMap<String, u8>,
}

/// Rates a case from its page.
#[utoipa::path(post, path = "/cases/{code}/rating", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")),
    request_body(content = Rating, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "back to the case"), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-submission-made", "case-rated"]))))]
pub(crate) async fn by_form(own: OwnCase, fields: Fields) -> Result<Response, Refusal> {
    let rating = Rating {
        score: fields.text("score").and_then(|s| s.parse().ok()).unwrap_or(0),
        note: fields.lines("note").unwrap_or_default(),
        criteria: chosen(&fields),
    };
    rate(&own, &rating).await?;
    Ok(own.back())
}

/// Rates a case.
#[utoipa::path(post, path = "/api/v1/cases/{code}/rating", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Rating,
    responses((status = 200, description = "on its way to the agency", body = SentJson), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-submission-made", "case-rated"]))))]
pub(crate) async fn by_json(own: OwnCase, Json(rating): Json<Rating>) -> Result<Json<SentJson>, Refusal> {
    rate(&own, &rating).await?;
    Ok(Json(SentJson {
        case: own.held.case.code.to_string(),
        sent: "rating",
    }))
}

/// The points chosen in a form. What is no number is kept as points that no criterion has, to be refused with the rest.
fn chosen(fields: &Fields) -> BTreeMap<String, u8> {
    let of = |(name, value): (&str, &str)| {
        let number = name.strip_prefix("criteria.").filter(|_| !value.is_empty())?;
        Some((number.to_owned(), value.parse().unwrap_or(u8::MAX)))
    };
    fields.all().filter_map(of).collect()
}

/// The points by number.
///
/// # Errors
/// `case-criterion-unknown` (422) at what is no number.
fn numbered(cases: &Cases, given: &BTreeMap<String, u8>) -> Result<Points, Problem> {
    let one = |(number, points): (&String, &u8)| match number.parse::<u8>() {
        Ok(number) => Ok((number, *points)),
        Err(_) => Err(cases.catalogue.criteria().unknown("criteria", cases.today())),
    };
    given.iter().map(one).collect()
}

/// Keeps a rating. Sent twice, the first one stands.
async fn rate(own: &OwnCase, rating: &Rating) -> Result<(), Problem> {
    let OwnCase { cases, citizen, held } = own;
    let (case, score) = (&held.case, rating.score);
    let criteria = &numbered(cases, &rating.criteria)?;
    cases.check_rating(score, criteria, cases.today())?;
    let said = &Said::Rating {
        score,
        note: note(&rating.note, false)?,
        criteria: criteria.clone(),
    };
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            if !submission::keep_once(&tx, &case.code, said, &ENDED).await? {
                return Ok(());
            }
            let fact = Fact::CaseRated {
                case: case.code.clone(),
                owner: case.unit.clone(),
                score,
                criteria: criteria.clone(),
            };
            tx.fact(&subject(&case.code), fact).await?;
            Ok(())
        })
        .await
}

#[cfg(test)]
mod tests {
    use kernel::Fact;
    use serde_json::json;

    use crate::criteria::Points;
    use crate::testing::{Portal, lan, mai};

    /// A case that ended.
    async fn ended() -> (Portal, String) {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        let notice = json!({"kind": "declined", "reason": "Sai nơi nộp"});
        let declined = json!({"seq": 1, "status": 3, "notice": notice});
        portal.note(&code, declined).await.expect("noted");
        (portal, code)
    }

    #[tokio::test]
    async fn the_criteria_of_the_day_are_asked_kept_once_and_shown() {
        let (portal, code) = ended().await;
        let path = format!("/cases/{code}");
        let page = portal.get(Some(&lan()), &path).await.body;
        for number in [1, 3, 4, 7] {
            let group = format!("id=\"criteria-{number}\"><legend>");
            assert!(page.contains(&group), "{group}");
        }
        assert!(page.contains("Thái độ của cán bộ, công chức, viên chức") && page.contains("Không trả lời"));
        assert!(
            !page.contains("criteria.2") && !page.contains("\" checked"),
            "nothing is chosen"
        );
        let first = [
            ("score", "4"),
            ("criteria.1", "2"),
            ("criteria.3", ""),
            ("criteria.7", "0"),
        ];
        let second = [("score", "1"), ("criteria.4", "1")];
        for fields in [&first[..], &second[..]] {
            let went = portal.post(Some(&lan()), &format!("{path}/rating"), fields).await;
            assert_eq!((went.status, went.location()), (303, path.clone()));
        }
        let page = portal.get(Some(&lan()), &path).await.body;
        for shown in [
            "4/5",
            "2/2: Nhanh hơn thời gian cho phép",
            "0/2: Có điều phải phản ánh về thái độ",
        ] {
            assert!(page.contains(shown), "{shown}");
        }
        assert!(!page.contains("name=\"criteria.") && !page.contains("Số cơ quan phải liên hệ"));
        let case = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
        assert_eq!(case["sent"][0]["criteria"], json!({"1": 2, "7": 0}));
        let store = &portal.cases.store;
        let facts = store
            .facts_of(&portal.cases.tenant, &format!("case/{code}"))
            .await;
        let facts = facts.expect("facts");
        let rated = facts.iter().filter_map(|record| match &record.fact {
            Fact::CaseRated { criteria, .. } => Some(criteria.clone()),
            _ => None,
        });
        assert_eq!(rated.collect::<Vec<_>>(), [Points::from([(1, 2), (7, 0)])]);
    }

    #[tokio::test]
    async fn points_for_what_is_not_asked_or_of_no_answer_are_refused_and_nothing_is_kept() {
        let (portal, code) = ended().await;
        let api = format!("/api/v1/cases/{code}/rating");
        for (criteria, problem, field) in [
            (json!({"2": 1}), "case-criterion-unknown", "criteria.2"),
            (json!({"10": 1}), "case-criterion-unknown", "criteria.10"),
            (json!({"x": 1}), "case-criterion-unknown", "criteria"),
            (json!({"1": 2, "3": 3}), "case-criterion-points", "criteria.3"),
        ] {
            let rating = json!({"score": 5, "criteria": criteria});
            let answer = portal.post_json(Some(&lan()), &api, &rating).await;
            assert_eq!(
                (answer.status, answer.problem()),
                (422, problem.to_owned()),
                "{criteria}"
            );
            assert_eq!(answer.json()["field"], field);
        }
        let path = format!("/cases/{code}/rating");
        for points in ["3", "x", "-1"] {
            let fields = [("score", "5"), ("criteria.1", points)];
            let answer = portal.post(Some(&lan()), &path, &fields).await;
            assert!(answer.status == 422 && answer.body.contains("Tiêu chí 1 chỉ có các mức điểm 2, 1, 0"));
            assert!(answer.body.contains("Chọn một mức trong đó"), "{points}");
        }
        let others = json!({"score": 5, "criteria": {"1": 2}});
        assert_eq!(portal.post_json(Some(&mai()), &api, &others).await.status, 404);
        let facts = portal.facts(&format!("case/{code}")).await;
        assert!(!facts.contains(&"case-rated".to_owned()));
        let without = json!({"score": 5});
        assert_eq!(portal.post_json(Some(&lan()), &api, &without).await.status, 200);
    }
}
