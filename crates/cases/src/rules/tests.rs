//! Rules at work: what expressions come to, what a form asks and files by them, what a desk does and refuses.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::Catalogue;
use crate::case::Answers;
use crate::desk::testing::{API, CASE, Desk, handover};
use crate::procedure::{Procedure, Verb};
use crate::store as rows;
use crate::testing::{Portal, birth, lan, nouns};

fn text(vi: &str) -> Value {
    json!({"vi": vi, "en": vi})
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a part of a document")
}

/// A form with a question of each kind that rules tell apart.
fn form() -> Procedure {
    let choice = |value: &str| json!({"value": value, "label": text(value)});
    let ask = |code: &str, kind: &str| json!({"code": code, "label": text(code), "kind": kind});
    let chosen = |code: &str, kind: &str, values: &[&str]| {
        let mut question = ask(code, kind);
        question["choices"] = values.iter().copied().map(choice).collect();
        question
    };
    let mut why = ask("why", "text");
    why["show"] = json!("copies > 2");
    let first = [
        chosen("sex", "choice", &["male", "female"]),
        ask("born", "date"),
        ask("copies", "number"),
        ask("price", "money"),
        ask("name", "name"),
        ask("agreed", "yes-no"),
        chosen("about", "many-of", &["a", "b", "c"]),
    ];
    let pages = json!([
        {"code": "one", "title": text("Một"), "questions": first},
        {"code": "two", "title": text("Hai"), "show": "agreed", "questions": [why]},
    ]);
    let mut document = Procedure::clone(&birth());
    document.pages = read(pages);
    document
}

fn answers(all: &[(&str, &str)]) -> Answers {
    all.iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

fn answered() -> Answers {
    answers(&[
        ("sex", "female"),
        ("born", "2000-02-29"),
        ("copies", "3"),
        ("price", "2000"),
        ("name", "Lê Thị Hà"),
        ("agreed", "yes"),
        ("about", "a,c"),
    ])
}

/// The day on which the rules of the tables are worked out.
fn today() -> kernel::Date {
    testkit::START.date()
}

#[test]
fn an_expression_says_yes_no_or_nothing() {
    let (form, answers) = (form(), answered());
    for (rule, wanted) in [
        ("sex == 'female'", Some(true)),
        ("sex in ['male', 'female']", Some(true)),
        ("born < '2005-01-01'", Some(true)),
        ("age(born, '2026-02-28') == 25", Some(true)),
        ("age(born, '2026-03-01') == 26", Some(true)),
        ("days(born, '2000-03-01') == 1", Some(true)),
        ("today() == '2026-11-21'", Some(true)),
        ("folded(name) == 'le thi ha'", Some(true)),
        ("name.startsWith('Lê') && size(name) == 9", Some(true)),
        ("copies * price == 6000", Some(true)),
        ("least(copies, 2) + greatest(copies, 5) == 7", Some(true)),
        ("'a' in about && !('b' in about)", Some(true)),
        ("about.exists(x, x == 'b')", Some(false)),
        ("about.all(x, x in ['a', 'c'])", Some(true)),
        ("agreed ? sex == 'male' : true", Some(false)),
        // What was not answered has no value, unless the rest decides.
        ("why == 'x'", None),
        ("why == 'x' || agreed", Some(true)),
        ("why == 'x' && sex == 'male'", Some(false)),
        ("answered(why)", Some(false)),
        ("answered(name)", Some(true)),
        // What cannot be counted has none either.
        ("copies / 0 == 1", None),
        ("copies + 9223372036854775807 > 0", None),
        ("age(today(), born) > 1", None),
    ] {
        let rule = Rule::new(rule);
        let expression = rule.expression().expect("readable");
        assert_eq!(fits(expression, &form, false, &Type::YesNo), Ok(()), "{rule:?}");
        assert_eq!(
            rule.holds(&Given::new(&form, &answers, today())),
            wanted,
            "{rule:?}"
        );
    }
}

#[test]
fn an_amount_is_whole_and_not_below_nothing() {
    let (form, answers) = (form(), answered());
    let given = Given::new(&form, &answers, today());
    for (rule, wanted) in [
        ("copies > 2 ? price : 0", Some(2_000)),
        ("price * count", Some(8_000)),
        ("price - 5000", None),
        ("copies / 0", None),
    ] {
        assert_eq!(Rule::new(rule).amount(&given.counting(4)), wanted, "{rule}");
    }
}

#[test]
fn what_is_not_offered_is_too_long_too_deep_or_too_dear_is_not_read() {
    let nested = |n: usize| format!("{}copies{} == 3", "-(".repeat(n), ")".repeat(n));
    let sum = |n: usize| format!("copies{} == 3", " + 1".repeat(n));
    let not_offered = |what: &str| Some(Unusable::NotOffered(what.to_owned()));
    for (rule, wanted) in [
        ("1.5 > 1", not_offered("1.5")),
        ("null == name", not_offered("null")),
        ("name.matches('a+')", not_offered("matches")),
        ("string(copies) == '3'", not_offered("string")),
        ("about[0] == 'a'", not_offered("[ ]")),
        ("has(a.b)", not_offered(".b")),
        (
            "about.map(x, x) == []",
            not_offered("map(), filter(), exists_one()"),
        ),
        ("copies >", Some(Unusable::Unreadable(9))),
        ("", Some(Unusable::Unreadable(1))),
        (
            "about.exists(x, about.exists(y, x == y))",
            Some(Unusable::Dear(60_401)),
        ),
        (&nested(BRACKETS_MAX + 1), Some(Unusable::Deep)),
        (&sum(DEPTH_MAX + 1), Some(Unusable::Deep)),
        (&sum(DEPTH_MAX - 2), None),
        (&"a".repeat(CHARS_MAX + 1), Some(Unusable::Long(CHARS_MAX + 1))),
    ] {
        assert_eq!(Rule::new(rule).expression().err(), wanted, "{rule}");
    }
}

#[test]
fn what_is_not_asked_counts_as_not_answered() {
    let form = form();
    let mut all = answered();
    all.insert("why".to_owned(), "Vì sao".to_owned());
    let pages = |all: &Answers| Asked::of(&form, all, today()).pages(&form).count();
    assert_eq!(pages(&all), 2);
    for (field, value) in [("agreed", "no"), ("agreed", ""), ("copies", "2")] {
        let mut other = all.clone();
        other.insert(field.to_owned(), value.to_owned());
        assert_eq!(pages(&other), 1, "{field} {value:?}");
        let asked = Asked::of(&form, &other, today());
        assert!(!asked.has("why") && asked.has("sex"));
        asked.keep(&mut other);
        assert_eq!(other.get("why"), None);
    }
}

#[test]
fn a_check_is_told_at_what_it_takes_once_it_can_be_judged() {
    let mut form = form();
    let says = json!({"vi": "Giá quá thấp.", "en": "Too cheap."});
    form.pages[0].check = read(json!([{"rule": "price >= copies * 1000", "says": says}]));
    let told = |price: &str| {
        let mut all = answered();
        all.insert("price".to_owned(), price.to_owned());
        let problems = broken(&form, &form.pages[0], &all, today());
        let told = problems
            .into_iter()
            .map(|p| (p.field.unwrap_or_default(), p.code));
        told.collect::<Vec<_>>()
    };
    assert_eq!(told("2000"), [("copies".to_owned(), "answer-check")]);
    assert_eq!(told("3000"), []);
    assert_eq!(told(""), [], "not answered is not wrong");
}

#[test]
fn a_rule_is_read_once_for_all_who_hold_its_version() {
    let rule = Rule::new("copies > 2");
    let first = std::ptr::from_ref(rule.expression().expect("readable"));
    assert_eq!(first, std::ptr::from_ref(rule.expression().expect("readable")));
    let copy = rule.clone();
    assert_eq!(first, std::ptr::from_ref(copy.expression().expect("readable")));
    assert_eq!(serde_json::to_value(&rule).expect("json"), json!("copies > 2"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn every_rule_comes_to_something_whatever_was_answered(
        values in proptest::collection::vec("[ -~éà]{0,12}|[0-9]{1,20}|[0-9]{4}-[0-9]{2}-[0-9]{2}|yes|a,c", 8),
        count in any::<u64>(),
    ) {
        let form = form();
        let fields = ["sex", "born", "copies", "price", "name", "agreed", "about", "why"];
        let all: Answers = fields.into_iter().map(str::to_owned).zip(values).collect();
        let given = Given::new(&form, &all, today()).counting(count);
        for rule in [
            "sex == 'male' && age(born, today()) > 18 && (copies > 2 || 'a' in about)",
            "days(born, today()) / copies > 3 || folded(name).contains(name)",
            "about.all(x, x == why) ? agreed : answered(price)",
        ] {
            let _said: Option<bool> = Rule::new(rule).holds(&given);
        }
        let _dong: Option<u64> = Rule::new("copies * price * count - copies % price").amount(&given);
        let asked = Asked::of(&form, &all, today());
        prop_assert!(asked.has("sex"), "it has no rule");
    }

    #[test]
    fn whatever_is_written_as_a_rule_is_read_or_refused(text in "[a-c0-9 ().,'\"<>=!&|?:+*/%\\[\\]{}-]{0,60}") {
        let form = form();
        let rule = Rule::new(&text);
        if let Ok(expression) = rule.expression() {
            let _fits: Result<(), Misfit> = fits(expression, &form, false, &Type::YesNo);
            let _said: Option<bool> = rule.holds(&Given::new(&form, &answered(), today()));
        }
    }
}

/// The registration of a birth as no law has it: who cares for the child says since when and why, is given three
/// days, and no case without a parent's number is proposed.
fn carers() -> Arc<Catalogue> {
    let mut document = Procedure::clone(&birth());
    document.apology = None;
    let declarant = document.pages.iter_mut().find(|form| form.code == "declarant");
    let since = json!({
        "code": "carer_since", "label": text("Nuôi dưỡng từ ngày"), "kind": "date", "required": true,
        "show": "declarant_relation == 'carer'",
        "check": [{
            "rule": "days(carer_since, today()) >= 30",
            "says": {"vi": "Phải nuôi dưỡng từ 30 ngày.", "en": "At least 30 days of care are needed."},
        }],
    });
    declarant.expect("a page").questions.push(read(since));
    let why =
        json!({"code": "carer_why", "label": text("Lý do nuôi dưỡng"), "kind": "text", "required": true});
    document.pages.push(read(json!({
        "code": "carer", "title": text("Người nuôi dưỡng"),
        "show": "declarant_relation in ['carer', 'relative']", "questions": [why],
    })));
    let says =
        json!({"vi": "Hồ sơ chưa có số định danh của cha hoặc mẹ.", "en": "No parent’s number is known."});
    for step in document
        .transitions
        .iter_mut()
        .filter(|step| step.verb == Verb::Propose)
    {
        let rule = "answered(mother_number) || answered(father_number)";
        step.guard = Some(read(json!({ "rule": rule, "says": says })));
    }
    document.terms.push(read(json!({
        "channel": "online", "rule": "working-days", "days": 3,
        "when": {"rule": "declarant_relation == 'carer'", "says": text("khi người nuôi dưỡng yêu cầu")},
    })));
    assert_eq!(crate::pack::flaws(&document), []);
    let all = Catalogue::of(Vec::new(), vec![document], Vec::new()).expect("days");
    Arc::new(all.dated_as(&nouns().catalogue))
}

/// The worked example of the guide, as somebody would copy it.
#[test]
fn the_example_of_the_guide_is_sound() {
    let guide = crate::testing::pack().join("../../docs/adding-a-procedure.md");
    let guide = std::fs::read_to_string(guide).expect("the guide");
    let (_, example) = guide.split_once("### A worked example").expect("the example");
    let mut blocks = example
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let mut block = || blocks.next().expect("a block of the example");
    let title = "title = { vi = \"Một\", en = \"One\" }";
    let form = format!("[[pages]]\ncode = \"one\"\n{title}\n{}", block());
    let form: toml::Table = toml::from_str(&form).expect("the form");
    let more: toml::Table = toml::from_str(block()).expect("terms, fee and guard");
    let of = |table: &toml::Table, key: &str| serde_json::to_value(&table[key]).expect("a part");
    let mut document = Procedure::clone(&birth());
    document.pages = read(of(&form, "pages"));
    document.terms.push(read(of(&more, "terms")[0].clone()));
    let mut fee = of(&more, "fee");
    fee["name"] = text("Phí");
    fee["legal_basis"] = json!("1/2020/NĐ-MẪU");
    document.fee = Some(read(fee));
    let step = document
        .transitions
        .iter_mut()
        .find(|step| step.verb == Verb::Propose);
    step.expect("a step").guard = Some(read(of(&more, "transitions")[0]["guard"].clone()));
    let of_rules = |rule: &str| {
        let families = ["rule-", "show-", "terms-", "guard-"];
        families.iter().any(|family| rule.starts_with(family))
    };
    let told: Vec<_> = crate::pack::flaws(&document)
        .into_iter()
        .filter(|flaw| of_rules(flaw.rule))
        .collect();
    assert_eq!(told, []);
    let said = |all: &[(&str, &str)]| {
        let all = answers(all);
        let asked = Asked::of(&document, &all, today());
        let fields = ["married_on", "ended", "ended_on"];
        let asked: Vec<&str> = fields.into_iter().filter(|field| asked.has(field)).collect();
        (asked, document.dong(&all, today()))
    };
    assert_eq!(said(&[("married_before", "no")]), (vec![], 8_000));
    let divorced = [("married_before", "yes"), ("ended", "divorce")];
    assert_eq!(said(&divorced), (vec!["married_on", "ended", "ended_on"], 16_000));
}

const RECEIVED_AT: (&str, &str) = ("receive_at", "xã Hoằng Hóa, tỉnh Thanh Hóa");

#[tokio::test]
async fn a_form_asks_what_the_answers_make_it_ask_and_files_no_more() {
    let portal = Portal::new().await.with_catalogue(carers());
    let path = portal.whole(&lan()).await;
    let send = async |page: &str, fields: &[(&str, &str)]| {
        let revision = portal.revision(&lan(), &path).await;
        portal.page(&lan(), &path, page, revision, fields).await
    };
    let relation = |of: &'static str| [("declarant_relation", of), RECEIVED_AT];
    let since = |day: &'static str, month: &'static str| {
        let day = [
            ("carer_since-day", day),
            ("carer_since-month", month),
            ("carer_since-year", "2026"),
        ];
        [&relation("carer")[..], &day[..]].concat()
    };

    // The answer asks for more: the same page, with it.
    let page = format!("{path}/pages/declarant");
    let went = send("declarant", &relation("carer")).await;
    assert_eq!((went.status, went.location()), (303, page.clone()));
    let shown = portal.get(Some(&lan()), &page).await.body;
    assert!(
        shown.contains("carer_since-day") && shown.contains("Phần 3 trên 5"),
        "{shown}"
    );
    let told = send("declarant", &relation("carer")).await;
    assert!(
        told.status == 422 && told.body.contains("#carer_since"),
        "it was there to be answered"
    );
    let told = send("declarant", &since("20", "11")).await;
    assert_eq!(told.status, 422);
    assert!(told.body.contains("Phải nuôi dưỡng từ 30 ngày."), "{}", told.body);
    let went = send("declarant", &since("1", "10")).await;
    assert_eq!(went.location(), format!("{path}/pages/carer"));
    let told = portal.file(&lan(), &path).await;
    assert!(
        told.status == 422 && told.body.contains("pages/carer#carer_why"),
        "{}",
        told.body
    );
    let went = send("carer", &[("carer_why", "Cha mẹ đi làm xa")]).await;
    assert_eq!(went.location(), format!("{path}/check"));
    let check = portal.get(Some(&lan()), &format!("{path}/check")).await.body;
    assert!(check.contains("Nuôi dưỡng từ ngày") && check.contains("Cha mẹ đi làm xa"));

    // What is not asked any more is not shown, and not filed.
    let went = send("declarant", &relation("mother")).await;
    assert_eq!(went.location(), format!("{path}/check"));
    for place in ["", "/check"] {
        let shown = portal.get(Some(&lan()), &format!("{path}{place}")).await.body;
        assert!(
            !shown.contains("Nuôi dưỡng từ ngày") && !shown.contains("Người nuôi dưỡng"),
            "{place}"
        );
    }
    assert_eq!(portal.file(&lan(), &path).await.status, 303);
    let reader = portal
        .cases
        .store
        .read(&portal.cases.tenant)
        .await
        .expect("a reader");
    let held = rows::case(&reader, &CASE.parse().expect("a code"))
        .await
        .expect("read");
    let filed = held.expect("a case").case.answers;
    assert_eq!(
        filed.get("declarant_relation").map(String::as_str),
        Some("mother")
    );
    assert!(!filed.contains_key("carer_why") && !filed.contains_key("carer_since"));
}

/// A desk with one case of the made-up document, with other answers.
async fn handed(change: &Value, without: &[&str]) -> Desk {
    let desk = Desk::empty().await.with_catalogue(carers());
    let mut body = handover();
    body["version"] = json!(
        desk.cases
            .procedure_today(&birth().code)
            .expect("in force")
            .version()
    );
    let all = body["answers"].as_object_mut().expect("answers");
    all.extend(change.as_object().expect("an object").clone());
    all.retain(|field, _| !without.contains(&field.as_str()));
    desk.receive(&body).await.expect("received");
    desk.accept().await;
    desk
}

#[tokio::test]
async fn the_answers_say_which_term_a_case_has() {
    let carer =
        json!({"declarant_relation": "carer", "carer_since": "2026-01-01", "carer_why": "Cha mẹ đi xa"});
    for (change, wanted) in [(&json!({}), "same-day"), (&carer, "working-days")] {
        let desk = handed(change, &[]).await;
        let accepted = desk.row().await.case.accepted.expect("accepted");
        assert_eq!(accepted.working_out.rule, wanted);
    }
    let procedure = carers().procedure(&birth().code, today()).expect("in force");
    assert!(
        procedure.is_fixed("declarant_relation"),
        "a supplement changes no term"
    );
}

#[tokio::test]
async fn a_guard_keeps_a_step_back_and_says_why() {
    let propose = json!({"outcome": "refused", "note": "Không đúng thẩm quyền"});
    let desk = handed(&json!({}), &["mother_number", "father_number"]).await;
    let refused = desk.verb("tich", "propose", propose.clone()).await;
    assert_eq!((refused.status, refused.problem().as_str()), (409, "case-guard"));
    let case = desk.get("tich", API).await.json();
    let told = case["not_now"].as_array().expect("a list").iter();
    let why: Vec<&Value> = told
        .filter(|told| told["verb"] == "propose")
        .map(|told| &told["why"])
        .collect();
    assert_eq!(why, ["case-guard"]);
    let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
    assert!(
        page.contains("Hồ sơ chưa có số định danh của cha hoặc mẹ."),
        "{page}"
    );

    let desk = handed(&json!({}), &["father_number"]).await;
    assert_eq!(desk.verb("tich", "propose", propose).await.status, 200);
}

#[tokio::test]
async fn a_desk_asks_by_the_same_rules_as_the_portal() {
    use base64::Engine as _;
    let desk = Desk::empty().await.with_catalogue(carers());
    let pdf = base64::engine::general_purpose::STANDARD.encode(crate::testing::PDF);
    let sent = async |number: &str, change: Value| {
        let mut answers = json!(crate::testing::case(&birth()).answers);
        let all = answers.as_object_mut().expect("answers");
        all.extend(change.as_object().expect("an object").clone());
        let body = json!({
            "intake": number, "procedure": "1.001193", "applicant_number": "038196000001",
            "applicant_name": "Lê Thị Lan", "answers": answers,
            "papers": [{"code": "GCS", "name": "giay.pdf", "pdf_base64": pdf}],
        });
        desk.post("tiep", "/api/v1/desk/intakes", &body).await
    };
    let form = desk.get("tiep", "/desk/intake/1.001193").await.body;
    assert!(
        form.contains("carer_since-day") && form.contains("Chỉ điền khi có áp dụng"),
        "{form}"
    );
    let missing = sent("a-1", json!({"declarant_relation": "carer"})).await;
    assert_eq!(
        (missing.status, missing.problem().as_str()),
        (422, "answer-missing")
    );
    assert!(missing.body.contains("carer_since"), "{}", missing.body);
    let early =
        json!({"declarant_relation": "carer", "carer_since": "2026-11-20", "carer_why": "Cha mẹ đi xa"});
    let early = sent("a-2", early).await;
    assert!(
        early.status == 422 && early.body.contains("answer-check"),
        "{}",
        early.body
    );
    let taken = sent("a-3", json!({"carer_why": "không áp dụng"})).await;
    assert_eq!(taken.status, 201, "{}", taken.body);
    let code = taken.json()["case"]
        .as_str()
        .expect("a code")
        .parse()
        .expect("a code");
    let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
    let held = rows::case(&reader, &code).await.expect("read").expect("a case");
    assert_eq!(held.case.answers.get("carer_why"), None);
}
