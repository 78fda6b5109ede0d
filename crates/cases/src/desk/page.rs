//! A case's page: what was answered and attached, what may be done now and by whom, by when it is
//! owed and how that was counted, what has happened. Never a button for what would be refused.

use std::collections::HashMap;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use identity::Accounts;
use kernel::calendar::Line;
use kernel::fact::{Channel, DraftAnswer, Outcome};
use kernel::time::parse_iso;
use kernel::{Actor, Fact, FactRecord, Problem};
use web::openapi::utoipa;
use web::{Fields, Json, Page, Principal, Refusal};

use crate::case::{Accepted, Capacity, Case, Decided};
use crate::course::ResultDraft;
use crate::desk::intake::supplement::may_bring;
use crate::desk::official::AtCase;
use crate::desk::view::{CaseView, is_decided, verbs};
use crate::desk::worklist::mark;
use crate::draft::Attached;
use crate::procedure::{Clock, Procedure, Question, Verb};
use crate::shown::{UnitLink, counted_by, say, shown, unannounced};
use crate::state::Cases;
use crate::store::{self as rows, Held, subject};
use crate::submission::Said;

#[derive(Template)]
#[template(path = "desk_case.html")]
struct View<'a> {
    page: &'a Page,
    case: &'a Case,
    errors: String,
    faults: &'a [Problem],
    procedure: &'a str,
    state: &'a str,
    unit: UnitLink,
    mark: Option<(&'static str, String)>,
    sections: Vec<Section<'a>>,
    papers: Vec<(String, Attached)>,
    /// What the reader may do now.
    may: Vec<Verb>,
    /// Why nothing, or not everything, may be done now.
    why_not: Vec<String>,
    decided: bool,
    timeline: Vec<Event>,
    outcome: String,
    note: String,
    /// The day typed for a letter of apology.
    day: String,
    /// True when what was typed is such a letter: its reason is not that of another form.
    letter: bool,
    /// True when the reader signs for the chairman.
    deputy: bool,
    /// What was typed of a supplement, and why one is asked for or a case is not taken in.
    items: String,
    reason: String,
    /// What was asked for can be brought to this desk.
    may_bring: bool,
    /// The papers a supplement may replace, by code and name.
    wanted: Vec<(String, String)>,
    /// Names of the papers that are kept on paper.
    on_paper: Vec<String>,
    /// What was said with the supplement.
    said: String,
    /// The papers that a supplement took the place of.
    earlier: Vec<(String, Attached)>,
    /// The year of the date, while its holidays are not announced.
    unannounced: Option<String>,
    /// Working time used, without the time spent waiting for the applicant.
    spent: Option<String>,
    /// True when what was asked for was not given in time.
    over: bool,
}

/// A page of the form with its answers.
struct Section<'a> {
    title: &'a str,
    rows: Vec<(&'a str, String)>,
}

/// Something that happened to the case.
struct Event {
    at: String,
    time: String,
    text: String,
    by: String,
}

/// A case as a page.
#[utoipa::path(get, path = "/desk/cases/{code}", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "the case", content_type = "text/html"), (status = 404)),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn show(at: AtCase, page: Page) -> Result<Html<String>, Refusal> {
    let body = body(&at, &page, &[], None).await?;
    Ok(page.html(&title(&at, &page), body))
}

/// A case.
#[utoipa::path(get, path = "/api/v1/desk/cases/{code}", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "the case", body = CaseView), (status = 404)),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn show_json(at: AtCase) -> Result<Json<CaseView>, Refusal> {
    at.view().await
}

/// The page again with what is wrong with its form, and what was typed.
///
/// # Errors
/// As [`show`].
pub(crate) async fn with_faults(
    at: &AtCase,
    page: &Page,
    faults: &[Problem],
    fields: &Fields,
) -> Result<Response, Refusal> {
    let body = body(at, page, faults, Some(fields)).await?;
    Ok(page.html_status(422, &title(at, page), body).into_response())
}

fn title(at: &AtCase, page: &Page) -> String {
    page.tw("desk-case-title", &[("code", at.code.to_string())])
}

async fn body(
    at: &AtCase,
    page: &Page,
    faults: &[Problem],
    fields: Option<&Fields>,
) -> Result<String, Problem> {
    let AtCase { cases, who, code } = at;
    let (held, procedure) = cases.looked(who, code).await?;
    let reader = cases.store.read(&cases.tenant).await?;
    let papers = rows::papers(&reader, &subject(code)).await?;
    let facts = cases.store.facts_of(&cases.tenant, &subject(code)).await?;
    let earlier = rows::papers(&reader, &super::supplement::earlier(&subject(code))).await?;
    let statuses = rows::statuses(&reader, code).await?;
    let Held { case, due_at, .. } = &held;
    let state = procedure.states.get(&case.state);
    let running = state.is_some_and(|s| s.clock == Clock::Run);
    let now = cases.store.world().now();
    let urgency = due_at
        .filter(|_| running)
        .map(|due| cases.urgency(&case.unit, due, now));
    let typed = |name: &str| fields.and_then(|f| f.lines(name)).unwrap_or_default();
    View {
        page,
        case,
        errors: page.errors(faults),
        faults,
        procedure: say(&procedure.name, page.lang),
        state: state.map_or(case.state.as_str(), |s| say(&s.label, page.lang)),
        unit: UnitLink::new(cases, &case.unit, held.day(now)),
        mark: urgency.and_then(|urgency| mark(page, urgency)),
        sections: sections(cases, page, case, &procedure),
        papers: papers
            .into_iter()
            .map(|paper| (paper_name(&procedure, &paper, page), paper))
            .collect(),
        may: verbs(case, &procedure, who, now),
        why_not: why_not(page, case, &procedure, who),
        decided: is_decided(case, &procedure),
        timeline: timeline(page, case, &facts, &names(cases, &facts).await?),
        outcome: typed("outcome"),
        note: typed("note"),
        day: typed("day"),
        letter: fields.is_some_and(|f| f.text("day").is_some()),
        deputy: !who.has("chairman") && who.has("deputy-chairman"),
        items: typed("items"),
        reason: typed("reason"),
        may_bring: may_bring(case, &who.roles),
        wanted: procedure
            .papers
            .iter()
            .map(|paper| (paper.code.clone(), say(&paper.name, page.lang).to_owned()))
            .collect(),
        on_paper: on_paper(case, &procedure, page),
        said: said(&rows::submissions(&reader, code).await?),
        earlier: earlier
            .into_iter()
            .map(|paper| (paper_name(&procedure, &paper, page), paper))
            .collect(),
        unannounced: case
            .accepted
            .as_ref()
            .and_then(|accepted| unannounced(cases, accepted.due)),
        spent: case
            .accepted
            .is_some()
            .then(|| working_time(page, cases.spent(&held, &statuses, now))),
        over: case.supplement_over(now),
    }
    .render()
    .map_err(Problem::internal)
}

fn sections<'a>(cases: &Cases, page: &'a Page, case: &Case, procedure: &'a Procedure) -> Vec<Section<'a>> {
    let row = |q: &'a Question| {
        let answer = case.answers.get(&q.code).filter(|a| !a.is_empty())?;
        let shown = shown(cases, page, q, answer, case.filed_at.date());
        Some((say(&q.label, page.lang), shown))
    };
    procedure
        .pages
        .iter()
        .map(|form| Section {
            title: say(&form.title, page.lang),
            rows: form.questions.iter().filter_map(row).collect(),
        })
        .collect()
}

fn paper_name(procedure: &Procedure, paper: &Attached, page: &Page) -> String {
    let known = procedure.paper(&paper.code);
    known.map_or_else(|| paper.code.clone(), |p| say(&p.name, page.lang).to_owned())
}

/// The applicant's words with what was asked for.
fn said(sent: &[rows::SubmissionRow]) -> String {
    let words = sent.iter().rev().find_map(|sent| match &sent.said {
        Said::Supplement { note, .. } if sent.outcome.as_deref() == Some("taken") => Some(note.clone()),
        _ => None,
    });
    words.unwrap_or_default()
}

/// The names of the papers that are kept on paper.
fn on_paper(case: &Case, procedure: &Procedure, page: &Page) -> Vec<String> {
    let kept = case.course.intake.iter().flat_map(|intake| &intake.on_paper);
    let name = |code: &String| {
        procedure
            .paper(code)
            .map(|paper| say(&paper.name, page.lang).to_owned())
    };
    kept.filter_map(name).collect()
}

/// Why nothing, or not everything, may be done now.
fn why_not(page: &Page, case: &Case, procedure: &Procedure, who: &Principal) -> Vec<String> {
    if case.not_own(who.subject.as_ref()).is_err() {
        return vec![page.t("problem-case-own.rule")];
    }
    if super::step::in_the_making(case, procedure) {
        return vec![page.t("problem-case-being-signed.rule")];
    }
    let here: Vec<_> = procedure
        .transitions
        .iter()
        .filter(|t| t.from == case.state)
        .collect();
    if here.is_empty() {
        return vec![page.t("desk-nothing-left")];
    }
    let now = page.shared.world.now();
    // An apology may be written while somebody else's turn lasts; it is not the next step.
    let may = verbs(case, procedure, who, now);
    if may.iter().any(|verb| *verb != Verb::Apologise) {
        return Vec::new();
    }
    let asked = procedure.clock(&case.state) == Clock::Pause && !case.supplement_over(now);
    let paused = asked || procedure.verb_from(Verb::CheckDraft, &case.state).is_some();
    // The applicant may take a case back in many states; it waits for them only where they are asked.
    let mut roles: Vec<&str> = here
        .iter()
        .map(|t| t.role.as_str())
        .filter(|role| (*role == crate::procedure::APPLICANT) == paused)
        .collect();
    roles.sort_unstable();
    roles.dedup();
    let names: Vec<String> = roles
        .iter()
        .map(|role| page.t(&format!("desk-role-{role}")))
        .collect();
    vec![page.tw("desk-waits-for", &[("who", names.join(", "))])]
}

/// The officials of a case's facts by name; who has left and has no account any more stays an id.
async fn names(cases: &Cases, facts: &[FactRecord]) -> Result<HashMap<String, String>, Problem> {
    let accounts = Accounts::new(cases.store.clone(), cases.tenant.clone());
    let mut names: HashMap<String, String> = HashMap::new();
    let ids = facts.iter().flat_map(|record| {
        let by = match &record.actor {
            Actor::Official(id) => Some(id),
            _ => None,
        };
        let to = match &record.fact {
            Fact::CaseAssigned { to, .. } => Some(to),
            _ => None,
        };
        by.into_iter().chain(to)
    });
    let ids: Vec<&String> = ids.collect();
    for id in ids {
        if !names.contains_key(id)
            && let Some(account) = accounts.get(id).await?
        {
            names.insert(id.clone(), account.name);
        }
    }
    Ok(names)
}

fn timeline(page: &Page, case: &Case, facts: &[FactRecord], names: &HashMap<String, String>) -> Vec<Event> {
    let event = |at: kernel::Time, text: String, by: String| Event {
        at: at.rfc3339(),
        time: page.time(at),
        text,
        by,
    };
    let filed = event(case.filed_at, page.t("desk-fact-filed"), String::new());
    let told = facts.iter().filter_map(|record| {
        let text = happened(page, &record.fact, names)?;
        Some(event(record.at, text, by(page, &record.actor, names)))
    });
    std::iter::once(filed).chain(told).collect()
}

/// A fact in words; looks are left out, the log of reads has them.
fn happened(page: &Page, fact: &Fact, names: &HashMap<String, String>) -> Option<String> {
    let with_number = |key, number: &String| page.tw(key, &[("number", number.clone())]);
    Some(match fact {
        Fact::CaseReceived {
            from,
            unit: Some(unit),
            ..
        } if from.top() == unit.top() => page.t("desk-fact-handed-in"),
        Fact::CaseReceived { .. } => page.t("desk-fact-received"),
        Fact::CaseAccepted { .. } => page.t("desk-fact-accepted"),
        Fact::CaseProposed { outcome, .. } => match outcome {
            Outcome::Granted => page.t("desk-fact-proposed-granted"),
            Outcome::Refused => page.t("desk-fact-proposed-refused"),
        },
        Fact::CaseActEntered { number, .. } => with_number("desk-fact-act-entered", number),
        Fact::CaseActFound { number, .. } => with_number("desk-fact-act-found", number),
        Fact::CaseActWithdrawn { number, .. } => with_number("desk-fact-act-withdrawn", number),
        Fact::CaseSentBack { .. } => page.t("desk-fact-sent-back"),
        Fact::CaseResultDraftSent { .. } => page.t("desk-fact-draft-sent"),
        Fact::CaseResultDraftAnswered { answer, .. } => match answer {
            DraftAnswer::Agreed => page.t("desk-fact-draft-agreed"),
            DraftAnswer::Silent => page.t("desk-fact-draft-silent"),
            DraftAnswer::Objected => page.t("desk-fact-draft-objected"),
        },
        Fact::CaseSigned { .. } => page.t("desk-fact-signed"),
        Fact::CaseApologised { .. } => page.t("desk-fact-apologised"),
        Fact::CaseRecounted { due, .. } => page.tw("desk-fact-recounted", &[("due", page.time(*due))]),
        Fact::CaseDeclined { .. } => page.t("desk-fact-declined"),
        Fact::CaseSupplementAsked { .. } => page.t("desk-fact-supplement-asked"),
        Fact::CaseSupplemented { .. } => page.t("desk-fact-supplemented"),
        Fact::CaseWithdrawn { .. } => page.t("desk-fact-withdrawn"),
        Fact::CaseRated { score, .. } => page.tw("desk-fact-rated", &[("score", score.to_string())]),
        Fact::CaseAssigned { to, .. } => {
            let name = names.get(to).unwrap_or(to).clone();
            page.tw("desk-fact-assigned", &[("name", name)])
        }
        Fact::CaseMoved { from, to, .. } => {
            let units = [("from", from.to_string()), ("to", to.to_string())];
            page.tw("desk-fact-moved", &units)
        }
        Fact::CaseDecided { .. } => page.t("desk-fact-decided"),
        Fact::CaseReturned { .. } => page.t("desk-fact-returned"),
        _ => return None,
    })
}

fn by(page: &Page, actor: &Actor, names: &HashMap<String, String>) -> String {
    match actor {
        Actor::Platform => page.t("desk-role-platform"),
        Actor::Anonymous => page.t("desk-role-anonymous"),
        Actor::Official(id) => names.get(id).unwrap_or(id).clone(),
        Actor::Citizen(_) => page.t("desk-applicant"),
        Actor::System(id) => id.clone(),
    }
}

/// Working minutes in words.
fn working_time(page: &Page, minutes: i64) -> String {
    let args = [
        ("hours", (minutes / 60).to_string()),
        ("minutes", (minutes % 60).to_string()),
    ];
    page.tw("desk-working-time", &args)
}

impl View<'_> {
    fn can(&self, verb: Verb) -> bool {
        self.may.contains(&verb)
    }

    fn fault(&self, field: &str) -> String {
        self.page.field_error(self.faults, field)
    }

    fn draft_said(&self, draft: &ResultDraft) -> Option<String> {
        let key = match draft.answer? {
            DraftAnswer::Agreed => "desk-draft-agreed",
            DraftAnswer::Silent => "desk-draft-silent",
            DraftAnswer::Objected => "desk-draft-objected",
        };
        Some(self.page.t(key))
    }

    #[expect(clippy::unused_self, reason = "templates call methods of the view")]
    fn by_deputy(&self, decided: &Decided) -> bool {
        decided.capacity == Capacity::ForChairman
    }

    /// The field with which a paper is brought.
    fn paper_field(&self, code: &str) -> String {
        format!("paper-{code}")
    }

    fn has_fault(&self, field: &str) -> bool {
        self.faults.iter().any(|p| p.field.as_deref() == Some(field))
    }

    fn outcome_text(&self, outcome: &Outcome) -> String {
        self.page.t(match outcome {
            Outcome::Granted => "desk-granted",
            Outcome::Refused => "desk-refused",
        })
    }

    /// How it was handed in, and who typed it in.
    fn handed_in(&self, intake: &crate::course::Intake) -> String {
        let key = match self.case.channel {
            Channel::Post => "desk-intake-by-post",
            _ => "desk-intake-by",
        };
        self.page.tw(key, &[("name", intake.by_name.clone())])
    }

    /// When a supplement was given.
    fn given(&self, asked: &crate::course::Supplement) -> String {
        asked.given_at.map(|at| self.page.time(at)).unwrap_or_default()
    }

    /// How the date was counted, in words.
    fn counted_by(&self, accepted: &Accepted) -> String {
        counted_by(self.page, &accepted.working_out.rule)
    }

    /// One line of the working-out: the day, the working time, why a day has none.
    fn line(&self, line: &Line) -> (String, String) {
        let day = parse_iso(&line.date).map_or_else(|| line.date.clone(), |day| self.page.date(day));
        let time = working_time(self.page, line.minutes);
        let reason = match line.reason.as_str() {
            "weekend" => self.page.t("desk-weekend"),
            crate::clock::PAUSED => self.page.t("desk-line-paused"),
            crate::clock::MOVED => self.page.t("desk-line-moved"),
            reason => reason.to_owned(),
        };
        (
            day,
            if line.minutes > 0 || reason.is_empty() {
                time
            } else {
                reason
            },
        )
    }

    fn size(&self, paper: &Attached) -> String {
        self.page
            .tw("desk-size", &[("kb", paper.size.div_ceil(1024).to_string())])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use identity::{Accounts, NewAccount};
    use kernel::Actor;

    use crate::desk::testing::{API, CASE, Desk};

    #[tokio::test]
    async fn what_happened_names_the_officials_and_nobody_by_an_account() {
        let desk = Desk::new().await;
        desk.verb("tiep", "accept", json!({})).await;
        let path = format!("/desk/cases/{CASE}");
        let before = desk.get("tich", &path).await.body;
        assert!(!before.contains("Hoàng Thị Tiếp"), "she has no account here yet");
        let account = NewAccount {
            id: "tiep".to_owned(),
            user: "tiep".to_owned(),
            password: None,
            name: "Hoàng Thị Tiếp".to_owned(),
            subject: None,
            born: None,
            level: 0,
            roles: vec!["receptionist".to_owned()],
            unit: "H56.14857".parse().expect("a code"),
        };
        let accounts = Accounts::new(desk.temp.store.clone(), desk.cases.tenant.clone());
        accounts.open(&Actor::Platform, &account).await.expect("opened");
        let page = desk.get("tich", &path).await.body;
        assert!(page.contains("Hoàng Thị Tiếp"));
    }

    #[tokio::test]
    async fn a_page_shows_the_case_and_only_the_buttons_that_would_work() {
        let desk = Desk::new().await;
        let path = format!("/desk/cases/{CASE}");
        let accept = format!("{path}/accept\"");
        let page = desk.get("tiep", &path).await.body;
        for said in [
            "Nguyễn Minh Anh",
            "Kinh",
            "19/11/2026",
            "Giấy chứng sinh",
            "Lê Thị Lan",
            &accept,
        ] {
            assert!(page.contains(said), "{said}");
        }
        assert!(!page.contains("/propose\"") && !page.contains("/sign\""));
        let officer = desk.get("tich", &path).await.body;
        assert!(
            !officer.contains(&accept) && officer.contains("cán bộ tiếp nhận"),
            "says whose turn it is"
        );
        desk.to_sign().await;
        let chairman = desk.get("chu", &path).await.body;
        assert!(
            chairman.contains("/sign\"") && chairman.contains("/send-back\"") && chairman.contains("1/2026")
        );
        assert!(chairman.contains("Cách tính hạn") && chairman.contains("17:00 ngày 23/11/2026"));
        assert_eq!(
            desk.get("chu", API).await.json()["verbs"],
            json!(["send-back", "sign", "apologise"])
        );
        assert_eq!(desk.get("tich", API).await.json()["verbs"], json!(["apologise"]));
    }

    #[tokio::test]
    async fn every_look_at_a_case_and_its_papers_leaves_a_fact() {
        let desk = Desk::new().await;
        let subject = format!("case/{CASE}");
        let looks = async || {
            desk.facts_of(&subject)
                .await
                .iter()
                .filter(|f| *f == "case-viewed")
                .count()
        };
        for path in [
            format!("/desk/cases/{CASE}"),
            API.to_owned(),
            format!("/desk/cases/{CASE}/papers/GCS"),
        ] {
            let before = looks().await;
            assert_eq!(desk.get("tich", &path).await.status, 200);
            assert_eq!(looks().await, before + 1, "{path}");
        }
        let paper = desk.get("tich", &format!("/desk/cases/{CASE}/papers/GCS")).await;
        assert_eq!(paper.bytes, crate::testing::PDF.as_bytes());
        let before = looks().await;
        assert_eq!(
            desk.get("tich", &format!("/desk/cases/{CASE}/papers/XYZ"))
                .await
                .status,
            404
        );
        assert_eq!(desk.get("ban", API).await.status, 404);
        assert_eq!(looks().await, before + 1, "only who may see the case has looked");
    }

    #[tokio::test]
    async fn every_operation_of_the_desk_says_who_may_call_it_and_what_it_changes() {
        let desk = Desk::empty().await;
        let (_, api) = crate::router(desk.cases.clone()).split_for_parts();
        assert_eq!(web::openapi::faults(&api), Vec::<String>::new());
        assert_eq!(
            (desk.cases.services().len(), desk.cases.deliverers().len()),
            (2, 7)
        );
        assert_eq!(api.paths.paths.len(), 41);
    }
}
