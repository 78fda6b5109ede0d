//! Forms and JSON that nobody typed, and answers that cannot be.

use sen::up::nation::Place;
use testbed::birth::{self, Answers};
use testbed::ground::run;
use testbed::people::Person;
use testbed::raw::Asked;

use crate::house::{house, mother, world};

async fn revision(mother: &mut Person, draft: &str) -> i64 {
    let draft = mother
        .get(&format!("/api/v1/drafts/{draft}"))
        .await
        .expect("an answer")
        .json()
        .expect("a draft");
    draft["revision"].as_i64().expect("a revision")
}

#[test]
fn ten_thousand_fields_are_too_many() {
    run(async {
        let (site, _shared) = house().await.shared().await;
        let mut mother = mother(&site).await;
        let draft = birth::start(&mut mother).await.expect("a draft");
        let fields: String = (0..10_000).map(|n| format!("field{n}=x&")).collect();
        let url = site.url(Place::National, &format!("/drafts/{draft}/pages/child"));
        let told = Asked::by(&mother)
            .form(format!("revision=1&{fields}"))
            .send("POST", &url)
            .await
            .expect("an answer");
        assert_eq!(told.status, 413);
        assert!(
            told.text().contains("500"),
            "it says how many there may be: {}",
            told.text()
        );
        assert_eq!(revision(&mut mother, &draft).await, 1, "nothing was changed");
    });
}

#[test]
fn json_ten_thousand_deep_is_refused_and_the_node_goes_on() {
    run(async {
        let (site, _shared) = house().await.shared().await;
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        for place in [Place::National, Place::Ministry, Place::Province] {
            let url = site.url(place, "/api/v1/sign-in");
            for body in [deep.clone(), format!("{{\"user\":{deep}}}"), "[".repeat(10_000)] {
                let told = Asked::default()
                    .json(body)
                    .send("POST", &url)
                    .await
                    .expect("an answer");
                assert_eq!(
                    (told.status, told.problem().as_str()),
                    (400, "json-too-deep"),
                    "{}",
                    place.id()
                );
            }
            let alive = Asked::default()
                .send("GET", &site.url(place, "/boards"))
                .await
                .expect("an answer");
            assert_eq!(alive.status, 200);
        }
    });
}

#[test]
fn a_day_that_does_not_exist_is_refused_and_what_was_typed_stays() {
    run(async {
        let (site, _shared) = house().await.shared().await;
        let mut mother = mother(&site).await;
        let draft = birth::start(&mut mother).await.expect("a draft");
        let usual = Answers::usual(&world()).expect("answers");
        for (day, month) in [("31", "2"), ("0", "1"), ("1", "13"), ("29", "2")] {
            let answers = usual
                .clone()
                .with("child_born-day", day)
                .with("child_born-month", month);
            let told = birth::answer(&mut mother, &draft, "child", &answers)
                .await
                .expect("an answer");
            assert_eq!(told.status, 422, "{day}/{month}");
            let page = told.text();
            assert!(
                page.contains("href=\"#child_born"),
                "the error leads to the field"
            );
            assert!(
                page.contains(usual.get("child_name")),
                "the name stays: {day}/{month}"
            );
            assert!(
                page.contains(&format!("value=\"{day}\"")),
                "the day stays as typed: {day}/{month}"
            );
        }
        assert_eq!(
            revision(&mut mother, &draft).await,
            1,
            "nothing was kept of a page with faults"
        );
    });
}

#[test]
fn a_personal_number_of_another_century_or_sex_is_refused() {
    run(async {
        let (site, _shared) = house().await.shared().await;
        let mut mother = mother(&site).await;
        let draft = birth::start(&mut mother).await.expect("a draft");
        let usual = Answers::usual(&world()).expect("answers");
        let number = usual.get("father_number").to_owned();
        // The fourth digit tells sex and century: 0 and 1 the 1900s, 2 and 3 the 2000s.
        for digit in ["2", "1"] {
            let wrong = format!("{}{digit}{}", &number[..3], &number[4..]);
            let answers = usual.clone().with("father_number", &wrong);
            let told = birth::answer(&mut mother, &draft, "parents", &answers)
                .await
                .expect("an answer");
            assert_eq!(told.status, 422, "{digit}");
            assert!(
                told.text().contains("href=\"#father_number\""),
                "the error leads to the number: {digit}"
            );
        }
        let told = birth::answer(&mut mother, &draft, "parents", &usual)
            .await
            .expect("an answer");
        told.ok().expect("the right numbers are taken");
    });
}
