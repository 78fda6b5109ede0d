//! Personal data stays where it belongs: a whole story with marked names, numbers and answers, and
//! not one of them in what the nodes log with everything switched on, in their metrics, in their logs
//! of facts, or in what they answer to somebody who asks wrongly.

use kernel::World;
use kernel::text::fold;
use sen::up::nation::{PLACES, Place};
use serde_json::json;
use testbed::birth::{self, Answers, Desk, at_portal};
use testbed::ground::run;
use testbed::people::Person;
use testbed::program::Program;
use testbed::raw::{Asked, multipart};
use testbed::site::Site;

/// What is looked for, and what it is.
struct Canary {
    what: &'static str,
    text: String,
}

/// Everything that must not be found.
#[derive(Default)]
struct Canaries(Vec<Canary>);

impl Canaries {
    fn add(&mut self, what: &'static str, text: &str) {
        assert!(
            text.chars().count() >= 6,
            "too short to be told from chance: {what}"
        );
        self.0.push(Canary {
            what,
            text: text.to_owned(),
        });
    }

    /// Which of them a text carries: as written, without marks, or as an address carries it.
    fn carried_by(&self, text: &str) -> Vec<&'static str> {
        let folded = fold(text);
        let carried = |c: &&Canary| {
            let plain = c.text.bytes().all(|b| b.is_ascii_alphanumeric());
            text.contains(&c.text)
                || text.contains(&web::page::query_value(&c.text))
                || (!plain && folded.contains(&fold(&c.text)))
        };
        self.0.iter().filter(carried).map(|c| c.what).collect()
    }
}

/// What the mother types and the officials write.
fn answers(world: &World, canaries: &mut Canaries) -> Answers {
    let mut answers = Answers::usual(world).expect("answers");
    for (what, field, text) in [
        ("the child's name", "child_name", "Trần Hoàng Yến Mười Ba"),
        (
            "the place of birth",
            "child_birth_place",
            "Trạm y tế Hoàng Yến Bảy",
        ),
        ("the hometown", "child_hometown", "Làng Hoàng Yến Năm"),
        ("the mother's address", "mother_line", "Ngõ Hoàng Yến Chín"),
    ] {
        canaries.add(what, text);
        answers = answers.with(field, text);
    }
    for (what, field) in [
        ("the mother's name", "mother_name"),
        ("the mother's number", "mother_number"),
        ("the father's name", "father_name"),
        ("the father's number", "father_number"),
    ] {
        canaries.add(what, answers.get(field));
    }
    answers
}

/// The story, from search to verified result; gives the case and its document.
async fn live(site: &Site, mother: &mut Person, canaries: &mut Canaries) -> (String, String, Vec<u8>) {
    let world = World::of_this_machine();
    let (answers, paper) = (answers(&world, canaries), birth::paper(&world).expect("a paper"));
    canaries.add("what was searched for", "tìm Hoàng Yến Hai");
    let search = format!("/procedures?q={}", web::page::query_value("tìm Hoàng Yến Hai"));
    mother
        .get(&search)
        .await
        .expect("an answer")
        .ok()
        .expect("found or not");
    let draft = birth::start(mother).await.expect("a draft");
    birth::prefill(mother, &draft).await.expect("prefilled");
    // Some answers of the registers are shown and not asked again: take them out to type our own.
    mother
        .post(&format!("/drafts/{draft}/prefill"), &[("clear", "1")])
        .await
        .expect("an answer")
        .ok()
        .expect("cleared");
    birth::fill(mother, &draft, &answers, &paper)
        .await
        .expect("filled");
    canaries.add("the file's name", "hoang-yen-sau.pdf");
    birth::attach(mother, &draft, "hoang-yen-sau.pdf", &paper)
        .await
        .expect("an answer")
        .ok()
        .expect("attached");
    let case = birth::file(mother, &draft).await.expect("filed");
    let mut desk = Desk::of(site).await.expect("the officials");
    for person in [&desk.receptionist, &desk.officer, &desk.chairman] {
        for session in person.browser.cookies().values() {
            canaries.add("an official's session", session);
        }
    }
    canaries.add("the officer's words", "Ý kiến Hoàng Yến Bốn");
    let entered = desk.enter(&case).await.expect("entered");
    let back = json!({"note": "Ý kiến Hoàng Yến Bốn"});
    let returned = birth::act(&mut desk.chairman, &entered, "send-back", &back)
        .await
        .expect("sent back");
    assert!(returned["code"].is_string());
    let free = |c: &serde_json::Value| {
        c["verbs"]
            .as_array()
            .is_some_and(|v| v.iter().any(|v| v == "propose"))
    };
    let seen = birth::at_desk(&mut desk.officer, &case, free)
        .await
        .expect("to be proposed again");
    let again = json!({"outcome": "granted", "note": "Ý kiến Hoàng Yến Bốn"});
    birth::act(&mut desk.officer, &seen, "propose", &again)
        .await
        .expect("proposed");
    birth::agree(mother, &case).await.expect("looked at");
    let entered = birth::at_desk(&mut desk.chairman, &case, |c| c["state"] == "to-sign")
        .await
        .expect("entered");
    canaries.add(
        "the child's number",
        entered["act"]["personal_number"].as_str().expect("a number"),
    );
    desk.sign_and_seal(&entered).await.expect("signed and sealed");
    let done = at_portal(mother, &case, |c| c["status"] == 10)
        .await
        .expect("returned");
    let document = done["results"][0]["document"]
        .as_str()
        .expect("a result")
        .to_owned();
    let pdf = mother
        .get(&format!("/cases/{case}/results/{document}"))
        .await
        .expect("an answer");
    mother
        .browser
        .get(&site.url(Place::Ministry, "/my/data-usage"))
        .await
        .expect("an answer")
        .ok()
        .expect("shown");
    (case, document, pdf.body.to_vec())
}

/// Answers to who asks wrongly, and what everybody may ask; each with what it was.
async fn wrong_questions(
    site: &Site,
    case: &str,
    document: &str,
    pdf: &[u8],
    canaries: &Canaries,
) -> Vec<(String, String)> {
    let operator = Person::official(site, "operator", Place::Province)
        .await
        .expect("an operator");
    let officer = Person::official(site, "officer", Place::Province)
        .await
        .expect("an officer");
    let (child, number) = (&canaries.0[0].text, &canaries.0[5].text);
    let typed = web::page::query_value(child);
    let desk = format!("/api/v1/desk/cases/{case}");
    let body =
        |text: &str| json!({"revision": 1, "outcome": "granted", "note": text, "more": number}).to_string();
    let (media, upload) = multipart("file", "hoang-yen-sau.pdf", pdf);
    let verify = Asked {
        media,
        body: upload,
        same_site: true,
        ..Asked::default()
    };
    let lookup = json!({"personal_number": number}).to_string();
    let client = |name: &str| vec![("x-road-client", format!("VN/GOV/{name}"))];
    let face = format!(
        "http://127.0.0.1:{}/r1/VN/GOV",
        Place::Province.ports(site.port).face
    );
    let mut told = Vec::new();
    for (method, url, asked) in [
        ("GET", site.url(Place::Province, &desk), Asked::by(&operator)),
        ("GET", site.url(Place::Province, &desk), Asked::default()),
        (
            "POST",
            site.url(Place::Province, &format!("{desk}/propose")),
            Asked::by(&officer).json(body(child)),
        ),
        (
            "POST",
            site.url(Place::Province, &format!("{desk}/propose")),
            Asked::by(&officer).json(format!("{{\"{child}")),
        ),
        (
            "POST",
            site.url(Place::Province, &format!("{desk}/sign")),
            Asked::by(&officer).json(r#"{"revision":1}"#),
        ),
        (
            "GET",
            site.url(Place::National, &format!("/cases/{case}")),
            Asked::default(),
        ),
        (
            "GET",
            site.url(Place::National, &format!("/api/v1/cases/{typed}")),
            Asked::default(),
        ),
        (
            "GET",
            site.url(Place::National, &format!("/khong-co/{typed}")),
            Asked::default(),
        ),
        (
            "GET",
            site.url(Place::Province, &format!("/verify/{document}")),
            Asked::default(),
        ),
        ("POST", site.url(Place::Province, "/verify"), verify),
        (
            "POST",
            site.url(Place::Ministry, "/api/v1/sign-in"),
            Asked::default().json(json!({"user": child, "password": number}).to_string()),
        ),
        (
            "POST",
            format!("{face}/G12/business/business-lookup"),
            Asked {
                headers: client("H56/one-stop"),
                ..Asked::default()
            }
            .json(lookup.clone()),
        ),
        (
            "POST",
            format!("{face}/G01/population/person-lookup"),
            Asked {
                headers: client("G22/portal"),
                ..Asked::default()
            }
            .json(lookup),
        ),
    ] {
        let answer = asked.send(method, &url).await.expect("an answer");
        // A page links to itself in the other language: its own address stands in it, for who typed it.
        if !url.contains("/khong-co/") {
            told.push((format!("{method} {url} ({})", answer.status), answer.text()));
        }
    }
    told
}

/// The bytes of a node's log of facts, as text.
fn facts(site: &Site, place: Place) -> String {
    let folder = site.layout().node(place).join("logs").join("facts");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
    {
        all.extend(std::fs::read(entry.path()).expect("a segment"));
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[test]
fn no_name_number_or_answer_leaves_its_place() {
    run(async {
        let world = World::of_this_machine();
        let program = Program::up("canary", &world).await.expect("sen up");
        let site = program.site.clone();
        let mut canaries = Canaries::default();
        let mut mother = Person::mother(&site).await.expect("the mother");
        let (case, document, pdf) = live(&site, &mut mother, &mut canaries).await;
        for session in mother.browser.cookies().values() {
            canaries.add("the mother's session", session);
        }
        for sample in &site.samples {
            canaries.add("a password", &sample.password);
        }
        let mut found = Vec::new();
        for (question, answer) in wrong_questions(&site, &case, &document, &pdf, &canaries).await {
            found.extend(
                canaries
                    .carried_by(&answer)
                    .into_iter()
                    .map(|what| format!("{what} in the answer to {question}")),
            );
        }
        for place in PLACES {
            let metrics = program.metrics(place).await.expect("metrics");
            assert!(metrics.contains("# TYPE"), "{} counts something", place.id());
            found.extend(
                canaries
                    .carried_by(&metrics)
                    .into_iter()
                    .map(|what| format!("{what} in the metrics of {}", place.id())),
            );
            if std::env::var("SEN_TEST_POSTGRES").is_err() {
                let facts = facts(&site, place);
                assert!(facts.contains("\"fact\""), "{} has facts", place.id());
                found.extend(
                    canaries
                        .carried_by(&facts)
                        .into_iter()
                        .map(|what| format!("{what} in the facts of {}", place.id())),
                );
            }
        }
        let log = program.log().expect("a log");
        let logged = |part: &str| log.lines().filter(|l| l.contains(part)).count();
        assert!(logged("\"level\":\"DEBUG\"") > 10, "everything is logged");
        assert!(logged("\"target\":\"access\"") > 40, "every request is logged");
        for line in log.lines() {
            found.extend(
                canaries
                    .carried_by(line)
                    .into_iter()
                    .map(|what| format!("{what} in the log: {line}")),
            );
        }
        program.stop().await.expect("stopped");
        assert!(
            found.is_empty(),
            "{} found: {:#?}",
            found.len(),
            &found[..found.len().min(20)]
        );
    });
}

#[test]
fn a_canary_that_sings_is_heard() {
    let mut canaries = Canaries::default();
    canaries.add("a name", "Hoàng Yến Mười");
    canaries.add("a number", "038198004726");
    for text in [
        "x Hoàng Yến Mười",
        "q=Ho%C3%A0ng+Y%E1%BA%BFn",
        "/hoang-yen-muoi/",
        "HOÀNG  YẾN MƯỜI",
    ] {
        let heard = canaries.carried_by(text);
        assert_eq!(
            heard.is_empty(),
            text.starts_with("q="),
            "{text}: half of a name is none"
        );
    }
    assert_eq!(canaries.carried_by("n=038198004726;"), ["a number"]);
    assert!(canaries.carried_by("Hoàng Mười").is_empty());
}
