//! What a case's page says of the verbs: whose turn it is where nothing can be done, and why a verb cannot be
//! done now. Never decides what may be done: [`Now`] does.

use web::Page;

use crate::case::WhyNot;
use crate::desk::page::now::Now;
use crate::procedure::{APPLICANT, Procedure, Verb};
use crate::shown::say;

/// Why nothing, or not everything, may be done now.
pub(super) fn why_not(page: &Page, now: Now<'_>) -> Vec<String> {
    let (case, procedure, who) = (now.case, now.procedure, now.who);
    if case.not_own(who.subject.as_ref()).is_err() {
        return vec![page.t("problem-case-own.rule")];
    }
    if case.in_the_making(procedure) {
        return vec![page.t("problem-case-being-signed.rule")];
    }
    if now.has_ended() {
        return vec![page.t("desk-nothing-left")];
    }
    // An apology may be written while somebody else's turn lasts; it is not the next step.
    if now.verbs().iter().any(|verb| *verb != Verb::Apologise) {
        return Vec::new();
    }
    let waits = case.waits(procedure, now.at);
    // The applicant may take a case back in many states; it waits for them only where they are asked.
    let mut roles: Vec<&str> = procedure
        .transitions
        .iter()
        .filter(|t| t.from == case.state)
        .map(|t| t.role.as_str())
        .filter(|role| (*role == APPLICANT) == waits)
        .collect();
    roles.sort_unstable();
    roles.dedup();
    vec![page.tw("desk-waits-for", &[("who", named(page, &roles))])]
}

/// What officials do with such cases and the reader cannot do now: its name, and why. Nothing of a case of
/// their own: that is said once.
pub(super) fn not_now(page: &Page, now: Now<'_>) -> Vec<(String, String)> {
    if now.case.not_own(now.who.subject.as_ref()).is_err() {
        return Vec::new();
    }
    let line = |(verb, why): (Verb, WhyNot<'_>)| Some((page.t(name(verb)?), reason(page, now, &why)));
    now.not_now().into_iter().filter_map(line).collect()
}

/// What a verb is called on its button; nothing for what no official does.
fn name(verb: Verb) -> Option<&'static str> {
    Some(match verb {
        Verb::Accept => "desk-accept",
        Verb::Decline => "desk-decline",
        Verb::AskSupplement => "desk-ask-supplement",
        Verb::Consult => "desk-consult-ask",
        Verb::AskPayment => "desk-charge-ask",
        Verb::Pay => "desk-charge-pay",
        Verb::Propose => "desk-propose",
        Verb::CheckDraft => "desk-check-draft",
        Verb::SendBack => "desk-send-back",
        Verb::Sign => "desk-sign",
        Verb::Seal => "desk-seal",
        Verb::Apologise => "desk-apologise",
        Verb::Return => "desk-return",
        Verb::Stop => "desk-stop",
        Verb::Supplement | Verb::EnterAct | Verb::Withdraw => return None,
    })
}

/// A reason in words.
fn reason(page: &Page, now: Now<'_>, why: &WhyNot<'_>) -> String {
    match why {
        WhyNot::Role(roles) => page.tw("desk-not-now-role", &[("who", named(page, roles))]),
        WhyNot::State(states) => {
            let key = match now.case.waits(now.procedure, now.at) {
                true => "desk-not-now-waits",
                false => "desk-not-now-state",
            };
            page.tw(key, &[("states", labelled(page, now.procedure, states))])
        }
        WhyNot::Rule(problem) => page.problem_text(problem),
    }
}

/// Roles in words.
fn named(page: &Page, roles: &[&str]) -> String {
    let names = roles.iter().map(|role| page.t(&format!("desk-role-{role}")));
    names.collect::<Vec<_>>().join(", ")
}

/// States in words, as the page calls them.
fn labelled(page: &Page, procedure: &Procedure, states: &[&str]) -> String {
    let label = |code: &&str| {
        let state = procedure.states.get(*code);
        format!("“{}”", state.map_or(*code, |state| say(&state.label, page.lang)))
    };
    states.iter().map(label).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::desk::testing::{API, CASE, Desk};

    /// What the page says in its list of what cannot be done now.
    async fn listed(desk: &Desk, who: &str) -> String {
        let page = desk.get(who, &format!("/desk/cases/{CASE}")).await.body;
        let list = page.split_once("Chưa làm được bây giờ</summary>");
        let list = list.and_then(|(_, rest)| rest.split_once("</details>"));
        list.map(|(list, _)| list.to_owned()).unwrap_or_default()
    }

    /// The code with which the JSON twin explains a verb; null for one that can be done.
    async fn why(desk: &Desk, who: &str, verb: &str) -> Value {
        let case = desk.get(who, API).await.json();
        let all = case["not_now"].as_array().expect("a list").clone();
        let told = all.into_iter().find(|told| told["verb"] == verb);
        told.map_or(Value::Null, |told| told["why"].clone())
    }

    fn slip() -> Value {
        json!({"items": ["Giấy chứng sinh bị mờ"], "reason": "Không đọc được"})
    }

    #[tokio::test]
    async fn a_receptionist_sees_whose_work_signing_is() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        let list = listed(&desk, "tiep").await;
        assert!(
            list.contains("Ký số kết quả") && list.contains("lãnh đạo ký, cấp phó ký thay"),
            "{list}"
        );
        assert!(
            list.contains("Tiếp nhận hồ sơ") && list.contains("“Đã gửi, chờ tiếp nhận”"),
            "her own verb, in another state: {list}"
        );
        assert_eq!(why(&desk, "tiep", "sign").await, "role-missing");
        assert_eq!(why(&desk, "tiep", "accept").await, "case-verb-not-now");
        assert_eq!(why(&desk, "chu", "sign").await, Value::Null);
        assert!(!listed(&desk, "chu").await.contains("Ký số kết quả"));
    }

    #[tokio::test]
    async fn an_officer_sees_that_a_second_supplement_is_refused_and_why() {
        let desk = Desk::new().await;
        desk.accept().await;
        assert_eq!(why(&desk, "tich", "ask-supplement").await, Value::Null);
        assert_eq!(desk.verb("tich", "ask-supplement", slip()).await.status, 200);
        desk.supply(1, &json!([])).await;
        let list = listed(&desk, "tich").await;
        assert!(list.contains("Chỉ được yêu cầu bổ sung một lần"), "{list}");
        let refused = desk.verb("tich", "ask-supplement", slip()).await.problem();
        assert_eq!(why(&desk, "tich", "ask-supplement").await, refused.as_str());
    }

    #[tokio::test]
    async fn what_is_too_late_has_no_button_and_the_reason_it_is_refused_with() {
        let desk = Desk::new().await;
        desk.accept().await;
        desk.temp.clock.advance_ms(8 * 86_400_000);
        let case = desk.get("tich", API).await.json();
        assert_eq!(case["verbs"], json!(["propose"]));
        let letter = json!({"reason": "Cần xác minh", "day": "2026-12-02"});
        for (verb, body) in [("ask-supplement", slip()), ("apologise", letter)] {
            let refused = desk.verb("tich", verb, body).await;
            assert_eq!(refused.status, 409, "{}", refused.body);
            assert_eq!(
                why(&desk, "tich", verb).await,
                refused.problem().as_str(),
                "{verb}"
            );
        }
    }

    #[tokio::test]
    async fn a_case_that_waits_for_its_applicant_says_so() {
        let desk = Desk::new().await;
        desk.accept().await;
        assert_eq!(desk.verb("tich", "ask-supplement", slip()).await.status, 200);
        let list = listed(&desk, "tich").await;
        assert!(list.contains("Trong khi chờ bổ sung không thể đề xuất"), "{list}");
        assert_eq!(why(&desk, "tich", "propose").await, "case-supplement-waits");
        let list = listed(&desk, "chu").await;
        assert!(
            list.contains("Hồ sơ đang chờ người nộp") && list.contains("“Chờ ký Giấy khai sinh”"),
            "{list}"
        );
    }

    #[tokio::test]
    async fn while_a_result_is_made_nobody_else_does_anything() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        desk.claim("chu").await;
        assert_eq!(why(&desk, "chu-2", "sign").await, "case-being-signed");
        assert_eq!(why(&desk, "tiep", "sign").await, "role-missing");
        assert!(listed(&desk, "chu-2").await.contains("Lãnh đạo đã quyết định"));
    }

    #[tokio::test]
    async fn of_a_case_of_ones_own_the_page_says_it_once_and_the_list_each_time() {
        let desk = Desk::new().await;
        desk.accept().await;
        assert_eq!(listed(&desk, "nam").await, "");
        assert_eq!(why(&desk, "nam", "propose").await, "case-own");
    }
}
