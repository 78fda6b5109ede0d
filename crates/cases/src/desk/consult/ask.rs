//! `/desk/cases/{code}/consults`: the opinions of a case; the officer asks one or more units at once, each about a
//! topic of the procedure and with a question of its own. Never the case's own unit, and never twice about the same.

use axum::response::{Html, IntoResponse, Response};
use kernel::{CaseCode, Fact, Kind, OrgCode, Problem};
use obligations::Obligation;
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal};

use super::part::{self, Typed};
use super::{ASKERS, obligation, store};
use crate::case::Case;
use crate::consult::Consult;
use crate::desk::official::AtCase;
use crate::desk::step::{may, save};
use crate::desk::view;
use crate::procedure::{ConsultRule, Topic, Verb};
use crate::state::Cases;
use crate::store::subject;
use crate::words::words;

/// Questions that are asked in one go, count.
const AT_ONCE_MAX: usize = 20;

/// What is asked of whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsultAsk {
    /// The revision of the case the officer has seen.
    revision: i64,
    /// The questions.
    asks: Vec<ConsultQuestion>,
}

/// One question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsultQuestion {
    /// The code of the unit that is asked: one of this place, not the case's own.
    #[schema(example = "H56.14797")]
    unit: String,
    /// The topic, by its code in the procedure.
    topic: String,
    /// What is asked.
    question: String,
}

/// The opinions of a case.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsultsView {
    /// The case.
    code: String,
    /// To be sent with the next question.
    revision: i64,
    /// The opinions, in the order in which they were asked for.
    items: Vec<ConsultView>,
}

/// An opinion that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsultView {
    /// Its number within the case, from 1.
    number: u32,
    /// The unit that is asked.
    unit: String,
    /// About what.
    topic: String,
    /// What is asked.
    question: String,
    /// When it was asked, RFC 3339.
    at: String,
    /// By when an answer is in time, RFC 3339.
    due: String,
    /// `open`, `answered` or `ended`.
    state: &'static str,
    /// True when it was answered too late, or is late by now.
    late: bool,
    /// `agrees`, `remarks` or `objects`, once it is answered.
    opinion: Option<&'static str>,
    /// The answer in words.
    text: Option<String>,
    /// When it was answered, RFC 3339.
    answered_at: Option<String>,
    /// True when a paper came with the answer.
    paper: bool,
    /// Why no answer is wanted any more: `withdrawn`, `stopped`, `taken-back`, `gone-on`, `unit-gone`.
    ended: Option<&'static str>,
}

impl ConsultView {
    /// A consult as programs read it.
    pub(crate) fn new(consult: &Consult, now: kernel::Time) -> Self {
        let answer = consult.answer.as_ref();
        Self {
            number: consult.number,
            unit: consult.unit.to_string(),
            topic: consult.topic.clone(),
            question: consult.question.clone(),
            at: consult.at.rfc3339(),
            due: consult.due.rfc3339(),
            state: match (answer, &consult.ended) {
                (Some(_), _) => "answered",
                (None, Some(_)) => "ended",
                (None, None) => "open",
            },
            late: consult.is_late(now),
            opinion: answer.map(|answer| answer.opinion.as_str()),
            text: answer.map(|answer| answer.text.clone()),
            answered_at: answer.map(|answer| answer.at.rfc3339()),
            paper: answer.is_some_and(|answer| answer.paper),
            ended: consult.ended.as_ref().map(|ended| ended.why.as_str()),
        }
    }
}

/// The opinions of a case, and the form to ask for more, as a page.
#[utoipa::path(get, path = "/desk/cases/{code}/consults", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "the opinions", content_type = "text/html"), (status = 403), (status = 404)),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn page(at: AtCase, page: Page) -> Result<Html<String>, Refusal> {
    let body = part::page(&at, &page, &[], None).await?;
    Ok(page.html(&page.t("desk-consults"), body))
}

/// The opinions of a case.
#[utoipa::path(get, path = "/api/v1/desk/cases/{code}/consults", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "the opinions", body = ConsultsView), (status = 403), (status = 404)),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn json(at: AtCase) -> Result<Json<ConsultsView>, Refusal> {
    Ok(Json(at.cases.consults_view(&at.who, &at.code).await?))
}

/// Asks one or more units for their opinion, by the form.
#[utoipa::path(post, path = "/desk/cases/{code}/consults", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the opinions"), (status = 403), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong")),
    extensions(("x-facts" = json!(["case-consulted", "obligation-opened"]))))]
pub(crate) async fn by_form(at: AtCase, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let asked = typed(&fields, view::revision(&fields)?);
    match at.cases.consult(&at.who, &at.code, &asked).await {
        Ok(()) => Ok(back(&at.code)),
        Err(problem) if problem.kind == Kind::Invalid => {
            let typed = Typed::of(&fields);
            let body = part::page(&at, &page, &[problem], Some(&typed)).await?;
            Ok(page
                .html_status(422, &page.t("desk-consults"), body)
                .into_response())
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Asks one or more units for their opinion.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/consults", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")), request_body = ConsultAsk,
    responses((status = 200, description = "the opinions", body = ConsultsView), (status = 403), (status = 404),
              (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-consulted", "obligation-opened"]))))]
pub(crate) async fn by_json(
    at: AtCase,
    Json(asked): Json<ConsultAsk>,
) -> Result<Json<ConsultsView>, Refusal> {
    at.cases.consult(&at.who, &at.code, &asked).await?;
    Ok(Json(at.cases.consults_view(&at.who, &at.code).await?))
}

/// Back to the opinions of a case.
pub(super) fn back(code: &CaseCode) -> Response {
    axum::response::Redirect::to(&format!("/desk/cases/{code}/consults")).into_response()
}

/// What was typed: a question for each topic that has a unit.
fn typed(fields: &Fields, revision: i64) -> ConsultAsk {
    let named = fields.all().filter(|(_, unit)| !unit.is_empty());
    let asks = named.filter_map(|(name, unit)| {
        let topic = name.strip_prefix("unit-")?;
        Some(ConsultQuestion {
            unit: unit.to_owned(),
            topic: topic.to_owned(),
            question: fields.lines(&format!("question-{topic}")).unwrap_or_default(),
        })
    });
    ConsultAsk {
        revision,
        asks: asks.collect(),
    }
}

/// A question that can be asked.
struct Sound<'p> {
    unit: OrgCode,
    topic: &'p Topic,
    question: String,
}

impl Cases {
    pub(super) async fn consults_view(
        &self,
        who: &Principal,
        code: &CaseCode,
    ) -> Result<ConsultsView, Problem> {
        let (held, _) = self.looked(who, code).await?;
        let now = self.store.world().now();
        let items = held.case.course.consults.iter();
        Ok(ConsultsView {
            code: code.to_string(),
            revision: held.case.revision,
            items: items.map(|one| ConsultView::new(one, now)).collect(),
        })
    }

    /// Asks for opinions. Pressed twice, each is asked once.
    async fn consult(&self, who: &Principal, code: &CaseCode, asked: &ConsultAsk) -> Result<(), Problem> {
        who.require_any(&ASKERS)?;
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code, Verb::Consult).await?;
                if is_done(&case, who, asked) {
                    return Ok(());
                }
                let step = may(&case, &procedure, Verb::Consult, who, asked.revision)?;
                let rule = case.may_consult(&procedure, asked.asks.len())?;
                let sound = self.sound_questions(&case, rule, asked)?;
                let mut case = case.moved(step);
                let mut new = Vec::new();
                for one in sound {
                    new.push(self.question(&case, who, one, tx.now())?);
                    case.course.consults.extend(new.last().cloned());
                }
                save(&tx, &case, &procedure).await?;
                for consult in &new {
                    store::insert(&tx, code, consult).await?;
                    let owed = Obligation {
                        id: obligation(code, consult.number),
                        kind: "case-consult".to_owned(),
                        debtor: consult.unit.clone(),
                        about: code.to_string(),
                        due: consult.due,
                    };
                    obligations::open(&tx, &owed).await?;
                    let fact = Fact::CaseConsulted {
                        case: code.clone(),
                        consult: consult.number,
                        unit: consult.unit.clone(),
                        due: consult.due,
                    };
                    tx.fact(&subject(code), fact).await?;
                }
                Ok(())
            })
            .await
    }

    /// A question with its number and its date: the asked unit's own calendar counts it.
    fn question(
        &self,
        case: &Case,
        who: &Principal,
        sound: Sound<'_>,
        now: kernel::Time,
    ) -> Result<Consult, Problem> {
        let Sound {
            unit,
            topic,
            question,
        } = sound;
        let term = topic.term(case.channel);
        let counted = crate::clock::due(Some(&term), &self.calendars.of(&unit), now)?;
        let last = case.course.consults.last().map_or(0, |one| one.number);
        Ok(Consult {
            number: last + 1,
            unit,
            topic: topic.code.clone(),
            question,
            by: who.account.clone(),
            by_name: who.name.clone(),
            at: now,
            due: counted.due,
            rule: counted.rule,
            answer: None,
            ended: None,
        })
    }

    /// Everything that is asked, when it can be.
    fn sound_questions<'p>(
        &self,
        case: &Case,
        rule: &'p ConsultRule,
        asked: &ConsultAsk,
    ) -> Result<Vec<Sound<'p>>, Problem> {
        if asked.asks.is_empty() {
            return Err(Problem::invalid("asks", "consult-nothing"));
        }
        if asked.asks.len() > AT_ONCE_MAX {
            return Err(Problem::invalid("asks", "consult-at-once").with("max", AT_ONCE_MAX));
        }
        let mut sound: Vec<Sound<'p>> = Vec::with_capacity(asked.asks.len());
        for ask in &asked.asks {
            let topic = rule.topic(&ask.topic);
            let topic = topic.ok_or_else(|| Problem::invalid("asks", "consult-topic"))?;
            let unit = self.unit_to_ask(case, ask)?;
            let open = case.course.consults.iter().filter(|one| one.is_open());
            let before = open.map(|one| (&one.unit, one.topic.as_str()));
            let here = sound.iter().map(|one| (&one.unit, one.topic.code.as_str()));
            if before.chain(here).any(|one| one == (&unit, topic.code.as_str())) {
                return Err(Problem::invalid(&unit_field(ask), "consult-asked"));
            }
            let question = words("question", &ask.question, true);
            let question = question.map_err(|problem| problem.at(&format!("question-{}", ask.topic)))?;
            sound.push(Sound {
                unit,
                topic,
                question,
            });
        }
        Ok(sound)
    }

    /// The unit that a question names, when it can be asked.
    fn unit_to_ask(&self, case: &Case, ask: &ConsultQuestion) -> Result<OrgCode, Problem> {
        let unknown = || Problem::invalid(&unit_field(ask), "consult-unit");
        let unit: OrgCode = ask.unit.trim().parse().map_err(|_| unknown())?;
        if unit == case.unit {
            return Err(Problem::invalid(&unit_field(ask), "consult-unit-own"));
        }
        let is_here = self.tenant.holds(&unit) && self.organisations.get(&unit, self.today()).is_some();
        is_here.then_some(unit).ok_or_else(unknown)
    }
}

fn unit_field(ask: &ConsultQuestion) -> String {
    format!("unit-{}", ask.topic)
}

/// The second click of the one who has just asked the same.
fn is_done(case: &Case, who: &Principal, asked: &ConsultAsk) -> bool {
    let is_asked = |ask: &ConsultQuestion| {
        case.course.consults.iter().any(|one| {
            one.by == who.account
                && one.unit.as_str() == ask.unit.trim()
                && one.topic == ask.topic
                && one.question == ask.question.trim()
        })
    };
    asked.revision < case.revision && !asked.asks.is_empty() && asked.asks.iter().all(is_asked)
}
