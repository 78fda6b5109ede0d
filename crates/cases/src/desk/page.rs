//! A case's page: what was answered and attached, what may be done now and by whom, by when it is
//! owed and how that was counted, what has happened. Never a button for what would be refused.

mod actions;
mod history;
pub(crate) mod now;
pub mod sheet;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use kernel::calendar::Line;
use kernel::fact::{Channel, DraftAnswer, Outcome};
use kernel::time::parse_iso;
use kernel::{CaseCode, Date, Problem};
use web::openapi::utoipa;
use web::{Fields, Json, Page, Refusal};

use self::actions::{not_now, why_not};
use self::history::{Event, names, timeline};
use self::now::Now;
use crate::case::{Accepted, Capacity, Case, Decided};
use crate::course::ResultDraft;
use crate::desk::intake::supplement::may_bring;
use crate::desk::official::AtCase;
use crate::desk::originals::may_return;
use crate::desk::store::{self as list_rows, near};
use crate::desk::view::{CaseView, is_decided};
use crate::desk::worklist::mark;
use crate::draft::Attached;
use crate::mandate::Representative;
use crate::procedure::{Clock, Procedure, Question, Verb};
use crate::rules::Asked;
use crate::shown::{UnitLink, counted_by, rated, say, shown, unannounced};
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
    /// What officials do with such cases and the reader cannot do now: its name, and why.
    not_now: Vec<(String, String)>,
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
    /// Why a case is stopped, as typed.
    why: String,
    /// The originals that were kept can be given back now.
    may_return: bool,
    /// The open cases of the unit before and after this one.
    near: (Option<CaseCode>, Option<CaseCode>),
    /// Where it can be passed on to, and its answer for everybody.
    public: String,
    /// That its result goes by post, and what can be done about that.
    post: String,
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
    /// Until when its step should be done, where that has a clock of its own; and whether that is late.
    step: String,
    step_late: bool,
    /// Working time used, without the time spent waiting for the applicant.
    spent: Option<String>,
    /// True when what was asked for was not given in time.
    over: bool,
    /// Its time as a bar: see [`crate::bar`].
    bar: String,
    /// The opinions that were asked for.
    consults: String,
    /// What was asked to be paid while it was handled, and how that is done.
    charges: String,
    /// What other agencies do once the result is there.
    follow_ups: String,
    /// What was compared with registers.
    checks: String,
    /// That it waits for a register which does not answer.
    register_away: Option<String>,
    /// The points of its rating by criterion.
    rated: Vec<(String, String)>,
    /// The day on which it is looked at.
    today: Date,
}

/// A page of the form with its answers.
struct Section<'a> {
    title: &'a str,
    rows: Vec<(&'a str, String)>,
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
    let step = cases.step_of(&reader, &held).await?.and_then(|step| step.due);
    let Held { case, due_at, .. } = &held;
    let state = procedure.states.get(&case.state);
    let running = state.is_some_and(|s| s.clock == Clock::Run);
    let now = cases.store.world().now();
    let urgency = due_at
        .filter(|_| running)
        .map(|due| cases.urgency(&case.unit, due, now));
    let calendar = cases.calendars.of(&case.unit);
    let before = Now {
        case,
        procedure: &procedure,
        who,
        calendar: &calendar,
        at: now,
    };
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
        may: elsewhere(before.verbs()),
        why_not: why_not(page, before),
        not_now: not_now(page, before),
        decided: is_decided(case, &procedure),
        timeline: timeline(page, case, &facts, &names(cases, &facts).await?),
        outcome: typed("outcome"),
        note: typed("note"),
        day: typed("day"),
        letter: fields.is_some_and(|f| f.text("day").is_some()),
        deputy: !who.has("chairman") && who.has("deputy-chairman"),
        items: typed("items"),
        reason: typed("reason"),
        why: typed("why"),
        may_return: may_return(case, held.status, &who.roles),
        near: near::of(&reader, &case.unit, &list_rows::place(&held)).await?,
        public: crate::published::section(cases, page, before, &reader, (faults, fields)).await?,
        post: crate::post::part::at_desk(cases, page, before, (faults, fields))?,
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
        step: step
            .map(|due| page.tw("desk-step-until", &[("time", page.time(due))]))
            .unwrap_or_default(),
        step_late: step.is_some_and(|due| now > due),
        spent: case
            .accepted
            .is_some()
            .then(|| working_time(page, cases.spent(&held, &statuses, now))),
        over: case.supplement_over(now),
        bar: crate::bar::body(cases, page, &held, &statuses)?,
        consults: crate::desk::consult::part::section(cases, page, before)?,
        charges: crate::desk::charge::section(page, before, (faults, fields))?,
        follow_ups: follow_ups(cases, page, before)?,
        today: now.date(),
        checks: crate::desk::checks::part::section(cases, page, before, &reader, (faults, fields)).await?,
        register_away: register_away(cases, page, case, &procedure),
        rated: case
            .course
            .rating
            .as_ref()
            .map(|rating| rated(cases, page, &rating.criteria, rating.at.date()))
            .unwrap_or_default(),
    }
    .render()
    .map_err(Problem::internal)
}

/// The verbs without those that have a part of the page of their own.
fn elsewhere(verbs: Vec<Verb>) -> Vec<Verb> {
    let own = |verb: &Verb| matches!(verb, Verb::AskPayment | Verb::Pay);
    verbs.into_iter().filter(|verb| !own(verb)).collect()
}

/// What follows on the result, with a way to ask again for an officer.
fn follow_ups(cases: &Cases, page: &Page, now: Now<'_>) -> Result<String, Problem> {
    let steps = crate::follow_ups::at_desk(now.procedure, now.case);
    let holders = now.procedure.holders(Verb::Propose);
    let may = holders.iter().any(|role| now.who.has(role));
    crate::follow_ups::part::section(cases, page, now.case, &steps, may)
}

/// That a case waits for its register, which does not answer: its act is entered by itself once it does.
fn register_away(cases: &Cases, page: &Page, case: &Case, procedure: &Procedure) -> Option<String> {
    let act = procedure.act.as_ref()?;
    procedure.verb_from(Verb::EnterAct, &case.state)?;
    let since = cases.away_since(&act.service)?;
    Some(page.tw("desk-register-away", &[("since", page.time(since))]))
}

fn sections<'a>(cases: &Cases, page: &'a Page, case: &Case, procedure: &'a Procedure) -> Vec<Section<'a>> {
    let row = |q: &'a Question| {
        let answer = case.answers.get(&q.code).filter(|a| !a.is_empty())?;
        let shown = shown(cases, page, q, answer, case.filed_at.date());
        Some((say(&q.label, page.lang), shown))
    };
    Asked::of(procedure, &case.answers, case.filed_at.date())
        .pages(procedure)
        .map(|form| Section {
            title: say(&form.title, page.lang),
            rows: form.questions.iter().filter_map(row).collect(),
        })
        .collect()
}

fn paper_name(procedure: &Procedure, paper: &Attached, page: &Page) -> String {
    if paper.code == crate::mandate::PAPER {
        return page.t("mandate-paper");
    }
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

    /// By what right somebody filed it for its applicant, and whether that still holds today.
    fn mandate(&self, by: &Representative) -> String {
        let proof = match by.confirmed {
            true => by.proof.word(),
            false => "unconfirmed",
        };
        let args = [
            ("kind", self.page.t(&format!("mandate-whom-{}", by.whom.word()))),
            ("proof", self.page.t(&format!("mandate-proof-{proof}"))),
            (
                "to",
                by.last_day()
                    .map_or_else(|| by.to.clone(), |to| self.page.date(to)),
            ),
        ];
        self.page.tw("mandate-of-case", &args)
    }

    /// True when the mandate's last day is over.
    fn mandate_over(&self, by: &Representative) -> bool {
        by.last_day().is_some_and(|to| to < self.today)
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
            crate::clock::UNPAID => self.page.t("desk-line-unpaid"),
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

    use crate::desk::testing::{API, CASE, Desk};

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
            (2, 10)
        );
        assert_eq!(api.paths.paths.len(), 142);
    }
}
