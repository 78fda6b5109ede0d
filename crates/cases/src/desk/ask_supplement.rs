//! `ask-supplement`: the officer asks the applicant, once and in full, for what is missing or wrong (yêu
//! cầu bổ sung). A slip says what and why; the clock stands still until it is given. Never a second time.

use axum::response::Response;
use kernel::{CaseCode, Fact, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Principal, Refusal};

use crate::case::Case;
use crate::clock::fold::Event;
use crate::course::Supplement;
use crate::desk::official::AtCase;
use crate::desk::step::{may, save_telling};
use crate::desk::view::{self, CaseView};
use crate::notice::Notice;
use crate::procedure::Verb;
use crate::state::Cases;
use crate::store::subject;
use crate::words::words;

/// Things one slip may ask for, count.
const ITEMS_MAX: usize = 20;
/// Length of one of them, in characters.
const ITEM_CHARS_MAX: usize = 300;

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The revision of the case the officer has seen.
    revision: i64,
    /// What is missing or wrong, one sentence each.
    items: Vec<String>,
    /// Why it is needed.
    reason: String,
}

/// Asks from the case's page; one line of `items` is one thing.
#[utoipa::path(post, path = "/desk/cases/{code}/ask-supplement", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-supplement-asked", "obligation-lifted", "document-issued"]))))]
pub(crate) async fn by_form(at: AtCase, page: web::Page, fields: Fields) -> Result<Response, Refusal> {
    let lines = |name: &str| fields.lines(name).unwrap_or_default();
    let asked = Asked {
        revision: view::revision(&fields)?,
        items: lines("items").lines().map(str::to_owned).collect(),
        reason: lines("reason"),
    };
    let done = at.cases.ask_supplement(&at.who, &at.code, &asked).await;
    at.back_or_faults(&page, done, &fields).await
}

/// Asks the applicant for what is missing.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/ask-supplement", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Asked,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-supplement-asked", "obligation-lifted", "document-issued"]))))]
pub(crate) async fn by_json(at: AtCase, Json(asked): Json<Asked>) -> Result<Json<CaseView>, Refusal> {
    at.cases.ask_supplement(&at.who, &at.code, &asked).await?;
    at.view().await
}

impl Cases {
    /// Asks for a supplement. Pressed twice, it is asked once.
    async fn ask_supplement(&self, who: &Principal, code: &CaseCode, asked: &Asked) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code, Verb::AskSupplement).await?;
                if is_done(&case, who, asked.revision) {
                    return Ok(());
                }
                let step = may(&case, &procedure, Verb::AskSupplement, who, asked.revision)?;
                let (items, reason) = (items(&asked.items)?, words("reason", &asked.reason, true)?);
                let calendar = self.calendars.of(&case.unit);
                let until = case.supplement_until(&procedure, &calendar, tx.now())?;
                let mut case = case.moved(step);
                self.tell_clock(&mut case, &procedure, Event::Asked { at: tx.now() })?;
                let slip = format!("supplement-{code}");
                case.course.supplement = Some(Supplement {
                    items: items.clone(),
                    reason: reason.clone(),
                    by: who.account.clone(),
                    at: tx.now(),
                    until,
                    slip: slip.clone(),
                    given_at: None,
                });
                let notice = Notice::Supplement {
                    items: items.clone(),
                    reason: reason.clone(),
                    until,
                };
                save_telling(&tx, &case, &procedure, Some(notice), Vec::new()).await?;
                // Nothing is owed while the agency waits: the obligation is taken up again with the answer.
                obligations::lift(&tx, &subject(code), "supplement").await?;
                let fact = Fact::CaseSupplementAsked {
                    case: code.clone(),
                    slip,
                    items: u32::try_from(items.len()).map_err(Problem::internal)?,
                    until,
                };
                tx.fact(&subject(code), fact).await?;
                Ok(())
            })
            .await?;
        self.slips_now(code).await;
        Ok(())
    }
}

/// The things asked for: some, and each short enough to be read on a phone.
fn items(lines: &[String]) -> Result<Vec<String>, Problem> {
    let clean = lines.iter().map(|line| kernel::text::clean(line));
    let items: Vec<String> = clean.filter(|line| !line.is_empty()).collect();
    if items.is_empty() {
        return Err(Problem::invalid("items", "case-supplement-empty"));
    }
    if items.len() > ITEMS_MAX || items.iter().any(|i| i.chars().count() > ITEM_CHARS_MAX) {
        return Err(Problem::invalid("items", "case-supplement-long")
            .with("lines", ITEMS_MAX)
            .with("max", ITEM_CHARS_MAX));
    }
    Ok(items)
}

/// The second click of the one who has just asked.
fn is_done(case: &Case, who: &Principal, revision: i64) -> bool {
    let asked = case.course.supplement.as_ref();
    asked.is_some_and(|s| s.by == who.account && s.given_at.is_none()) && revision + 1 == case.revision
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::desk::testing::{API, CASE, Desk, MONDAY};

    fn slip() -> Value {
        json!({"items": ["Giấy chứng sinh bị mờ ở trang 1", "  ", "Ngày sinh của cha"], "reason": "Không đọc được"})
    }

    #[tokio::test]
    async fn an_officer_asks_once_and_the_slip_travels_with_the_status() {
        let desk = Desk::new().await;
        desk.accept().await;
        let answer = desk.verb("tich", "ask-supplement", slip()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let case = answer.json();
        assert_eq!(
            (&case["state"], &case["status"]),
            (&json!("supplement"), &json!(5))
        );
        assert_eq!(desk.state().await, "supplement");
        assert_eq!(
            desk.facts_of(&format!("document/supplement-{CASE}")).await,
            ["document-issued"]
        );
        assert!(desk.deliver().await.is_empty());
        let told = desk.nation.asked_of("note-status").pop().expect("told");
        assert_eq!(told["status"], 5);
        assert_eq!(
            told["notice"]["items"],
            json!(["Giấy chứng sinh bị mờ ở trang 1", "Ngày sinh của cha"])
        );
        assert_eq!(told["results"][0]["kind"], "slip");
        let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
        assert!(
            page.contains("Ngày sinh của cha") && page.contains(&format!("/documents/supplement-{CASE}"))
        );
        assert!(
            !page.contains("/propose\""),
            "nothing to do while the applicant has time"
        );
    }

    #[tokio::test]
    async fn a_second_supplement_is_refused_by_rule() {
        let desk = Desk::new().await;
        desk.accept().await;
        assert_eq!(desk.verb("tich", "ask-supplement", slip()).await.status, 200);
        let (revision, again) = (
            desk.revision().await,
            desk.verb("tich", "ask-supplement", slip()).await,
        );
        assert_eq!(
            (again.status, again.problem().as_str()),
            (409, "case-verb-not-now")
        );
        let double = desk.verb_at("tich", "ask-supplement", revision - 1, slip()).await;
        assert_eq!(double.status, 200, "a double click");
        desk.supply(1, &json!([])).await;
        let again = desk.verb("tich", "ask-supplement", slip()).await;
        assert_eq!(
            (again.status, again.problem().as_str()),
            (409, "case-supplement-once")
        );
        let verbs = desk.get("tich", API).await.json()["verbs"].clone();
        let offered = verbs
            .as_array()
            .is_some_and(|all| all.contains(&json!("ask-supplement")));
        assert!(!offered, "the page does not offer it either");
        let asked = desk
            .facts()
            .await
            .iter()
            .filter(|f| *f == "case-supplement-asked")
            .count();
        assert_eq!(asked, 1);
    }

    #[tokio::test]
    async fn only_an_officer_asks_in_time_and_says_what_and_why() {
        let desk = Desk::new().await;
        let early = desk.verb("tich", "ask-supplement", slip()).await;
        assert_eq!(early.problem(), "case-verb-not-now", "not before acceptance");
        desk.accept().await;
        for who in ["tiep", "chu"] {
            let answer = desk.verb(who, "ask-supplement", slip()).await;
            assert_eq!((answer.status, answer.problem().as_str()), (403, "role-missing"));
        }
        assert_eq!(
            desk.verb("nam", "ask-supplement", slip()).await.problem(),
            "case-own"
        );
        for (field, value, code) in [
            ("items", json!([" "]), "case-supplement-empty"),
            ("items", json!(["a".repeat(301)]), "case-supplement-long"),
            ("items", json!(vec!["a"; 21]), "case-supplement-long"),
            ("reason", json!(""), "case-note-missing"),
        ] {
            let mut bad = slip();
            bad[field] = value;
            let answer = desk.verb("tich", "ask-supplement", bad).await;
            assert_eq!((answer.status, answer.problem().as_str()), (422, code));
        }
        let path = format!("/desk/cases/{CASE}/ask-supplement");
        let page = desk
            .form(
                "tich",
                &path,
                &[("revision", "2"), ("items", ""), ("reason", "Vì mờ")],
            )
            .await;
        assert!(page.status == 422 && page.body.contains("href=\"#items\"") && page.body.contains("Vì mờ"));
        desk.temp.clock.set(MONDAY.plus_ms(8 * 86_400_000));
        let late = desk.verb("tich", "ask-supplement", slip()).await;
        assert_eq!(
            (late.status, late.problem().as_str()),
            (409, "case-supplement-late")
        );
        assert_eq!(desk.state().await, "accepted");
    }

    #[tokio::test]
    async fn a_paused_case_is_not_overdue_and_nothing_is_owed_meanwhile() {
        let desk = Desk::new().await;
        desk.accept().await;
        assert_eq!(desk.verb("tich", "ask-supplement", slip()).await.status, 200);
        desk.temp.clock.set(MONDAY.plus_ms(7 * 86_400_000));
        let list = desk.get("tich", "/api/v1/desk/cases").await.json();
        assert_eq!(list["items"][0]["urgency"], "none");
        assert_eq!(
            desk.facts_of(&format!("obligation/case/{CASE}")).await,
            ["obligation-opened", "obligation-lifted"]
        );
    }

    #[tokio::test]
    async fn what_was_not_given_in_time_can_only_be_refused() {
        let desk = Desk::new().await;
        desk.accept().await;
        assert_eq!(desk.verb("tich", "ask-supplement", slip()).await.status, 200);
        let early = desk
            .verb(
                "tich",
                "propose",
                json!({"outcome": "refused", "note": "Không bổ sung"}),
            )
            .await;
        assert_eq!(
            (early.status, early.problem().as_str()),
            (409, "case-supplement-waits")
        );
        desk.temp.clock.set(MONDAY.plus_ms(40 * 86_400_000));
        let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
        assert!(page.contains("/propose\"") && page.contains("chưa bổ sung"));
        let late = desk.supply(1, &json!([])).await;
        assert_eq!(late["why"], "case-supplement-over");
        let granted = desk.verb("tich", "propose", json!({"outcome": "granted"})).await;
        assert_eq!(granted.problem(), "case-supplement-waits");
        desk.propose("refused", "Không bổ sung").await;
        assert_eq!(desk.state().await, "to-sign");
        assert_eq!(desk.sign_and_seal().await.status, 200);
        assert_eq!(
            desk.facts_of(&format!("obligation/case/{CASE}")).await,
            [
                "obligation-opened",
                "obligation-lifted",
                "obligation-opened",
                "obligation-met"
            ]
        );
    }

    #[tokio::test]
    async fn the_packs_own_slips_are_whole() {
        let desk = Desk::with(
            crate::desk::testing::pack_templates(),
            kernel::limits::Limits::default(),
        )
        .await;
        desk.receive(&crate::desk::testing::handover())
            .await
            .expect("received");
        desk.accept().await;
        assert_eq!(desk.verb("tich", "ask-supplement", slip()).await.status, 200);
        assert_eq!(
            desk.facts_of(&format!("document/supplement-{CASE}")).await,
            ["document-issued"]
        );
    }
}
