//! The opinions of a case as its officials see them: on the case's own page, and on the page where more are asked
//! for. Never the case's content: that page has it.

use std::collections::BTreeMap;

use askama::Template;
use kernel::{CaseCode, Problem, Time};
use web::{Fields, Page};

use super::ASKERS;
use crate::case::Case;
use crate::citizen::render;
use crate::consult::{Consult, Opinion, Why};
use crate::desk::official::AtCase;
use crate::desk::page::now::Now;
use crate::desk::worklist::{Urgency, mark};
use crate::procedure::{ConsultRule, Procedure, TermRule, Verb};
use crate::shown::{UnitLink, say};
use crate::state::Cases;

/// An opinion as a page shows it.
pub(super) struct Shown {
    pub(super) number: u32,
    pub(super) topic: String,
    pub(super) unit: UnitLink,
    pub(super) question: String,
    pub(super) asked: String,
    pub(super) due: String,
    /// Tag class and text, when there is something to say of its date.
    pub(super) mark: Option<(&'static str, String)>,
    /// What came of it so far, in a few words.
    pub(super) status: String,
    /// What was answered, when and by whom; nothing while it is open.
    pub(super) answered: Option<(String, String)>,
    pub(super) text: String,
    /// True when a paper came with the answer.
    pub(super) paper: bool,
    /// Why no answer is wanted any more, and the officer's words for it.
    pub(super) ended: Option<(String, String)>,
    pub(super) open: bool,
}

impl Shown {
    /// A consult as it stands now.
    pub(super) fn new(cases: &Cases, page: &Page, procedure: &Procedure, one: &Consult, now: Time) -> Self {
        let topic = procedure.consult.as_ref().and_then(|rule| rule.topic(&one.topic));
        let answered = one.answer.as_ref().map(|answer| {
            let args = [("name", answer.by_name.clone()), ("time", page.time(answer.at))];
            (
                page.t(opinion_key(answer.opinion)),
                page.tw("desk-consult-answered", &args),
            )
        });
        let ended = one.ended.as_ref();
        let ended = ended.map(|ended| (page.t(ended_key(ended.why)), ended.note.clone()));
        let status = answered
            .as_ref()
            .or(ended.as_ref())
            .map(|(words, _)| words.clone());
        let until = || page.tw("desk-consult-due", &[("time", page.time(one.due))]);
        Self {
            number: one.number,
            topic: topic.map_or_else(
                || one.topic.clone(),
                |topic| say(&topic.name, page.lang).to_owned(),
            ),
            unit: UnitLink::new(cases, &one.unit, one.at.date()),
            question: one.question.clone(),
            asked: page.time(one.at),
            due: page.time(one.due),
            mark: marked(cases, page, procedure, one, now),
            status: status.unwrap_or_else(until),
            answered,
            text: one
                .answer
                .as_ref()
                .map(|answer| answer.text.clone())
                .unwrap_or_default(),
            paper: one.answer.as_ref().is_some_and(|answer| answer.paper),
            ended,
            open: one.is_open(),
        }
    }
}

/// What is to be said of a consult's date: late, soon, or silence that counts.
fn marked(
    cases: &Cases,
    page: &Page,
    procedure: &Procedure,
    one: &Consult,
    now: Time,
) -> Option<(&'static str, String)> {
    if one.answer.is_some() {
        let late = one.is_late(now);
        return late.then(|| ("tag-bad", page.t("desk-consult-answered-late")));
    }
    if one.ended.is_some() {
        return None;
    }
    let silence = procedure.consult.as_ref().is_some_and(|rule| rule.silence_agrees);
    match cases.urgency(&one.unit, one.due, now) {
        Urgency::Overdue if silence => Some(("tag-bad", page.t("desk-consult-silent"))),
        urgency => mark(page, urgency),
    }
}

/// The words for an opinion.
pub(super) const fn opinion_key(opinion: Opinion) -> &'static str {
    match opinion {
        Opinion::Agrees => "desk-consult-agrees",
        Opinion::Remarks => "desk-consult-remarks",
        Opinion::Objects => "desk-consult-objects",
    }
}

const fn ended_key(why: Why) -> &'static str {
    match why {
        Why::Withdrawn => "desk-consult-ended-withdrawn",
        Why::TakenBack => "desk-consult-ended-taken-back",
        Why::GoneOn => "desk-consult-ended-gone-on",
        Why::Stopped => "desk-consult-ended-stopped",
        Why::UnitGone => "desk-consult-ended-unit-gone",
    }
}

#[derive(Template)]
#[template(path = "desk_consults_part.html")]
struct Part<'a> {
    page: &'a Page,
    code: &'a CaseCode,
    items: Vec<Shown>,
    can_ask: bool,
}

/// The opinions on the case's own page; nothing where none can be asked for.
///
/// # Errors
/// Internal when it cannot be put together.
pub(crate) fn section(cases: &Cases, page: &Page, now: Now<'_>) -> Result<String, Problem> {
    let (case, procedure) = (now.case, now.procedure);
    if procedure.consult.is_none() && case.course.consults.is_empty() {
        return Ok(String::new());
    }
    render(&Part {
        page,
        code: &case.code,
        items: all(cases, page, case, procedure, now.at),
        can_ask: now.verbs().contains(&Verb::Consult),
    })
}

fn all(cases: &Cases, page: &Page, case: &Case, procedure: &Procedure, now: Time) -> Vec<Shown> {
    let all = case.course.consults.iter();
    all.map(|one| Shown::new(cases, page, procedure, one, now))
        .collect()
}

/// What was typed into the form, by field.
#[derive(Debug, Default)]
pub(super) struct Typed(BTreeMap<String, String>);

impl Typed {
    /// The fields of a form, lines kept.
    pub(super) fn of(fields: &Fields) -> Self {
        let names = fields.all().map(|(name, _)| name.to_owned());
        let kept = names.filter_map(|name| {
            let value = fields.lines(&name)?;
            Some((name, value))
        });
        Self(kept.collect())
    }

    fn value(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }
}

#[derive(Template)]
#[template(path = "desk_consults.html")]
struct View<'a> {
    page: &'a Page,
    code: &'a CaseCode,
    revision: i64,
    errors: String,
    problems: &'a [Problem],
    items: Vec<Shown>,
    /// The topics that can be asked about now; none for who cannot ask.
    topics: Vec<TopicRow>,
    /// The units that can be asked, by code and name.
    units: Vec<(String, String)>,
    /// The reader may want no answer any more.
    takes_back: bool,
    /// True where nothing is proposed before the opinions are there.
    waits: bool,
}

/// A topic as the form asks for it.
struct TopicRow {
    code: String,
    name: String,
    term: String,
    /// The unit chosen.
    unit: String,
    question: String,
}

/// The page of a case's opinions, with the form for who may ask for more.
///
/// # Errors
/// As [`Cases::looked`].
pub(super) async fn page(
    at: &AtCase,
    page: &Page,
    problems: &[Problem],
    typed: Option<&Typed>,
) -> Result<String, Problem> {
    let AtCase { cases, who, code } = at;
    let (held, procedure) = cases.looked(who, code).await?;
    let case = &held.case;
    let calendar = cases.calendars.of(&case.unit);
    let now = Now {
        case,
        procedure: &procedure,
        who,
        calendar: &calendar,
        at: cases.store.world().now(),
    };
    let rule = procedure.consult.as_ref();
    let asks = rule.filter(|_| now.verbs().contains(&Verb::Consult));
    let topics = asks.map(|rule| topics(page, rule, typed)).unwrap_or_default();
    let units = match topics.is_empty() {
        true => Vec::new(),
        false => cases.units_beside(case),
    };
    let named = |field: &str| {
        let topic = field
            .strip_prefix("unit-")
            .or_else(|| field.strip_prefix("question-"))?;
        let topic = rule?.topic(topic)?;
        Some(say(&topic.name, page.lang).to_owned())
    };
    render(&View {
        page,
        code,
        revision: case.revision,
        errors: page.errors_named(problems, named),
        problems,
        items: all(cases, page, case, &procedure, now.at),
        topics,
        units: units
            .into_iter()
            .map(|(code, name)| (code.to_string(), name))
            .collect(),
        takes_back: ASKERS.iter().any(|role| who.has(role)) && case.not_own(who.subject.as_ref()).is_ok(),
        waits: rule.is_some_and(|rule| rule.waits),
    })
}

fn topics(page: &Page, rule: &ConsultRule, typed: Option<&Typed>) -> Vec<TopicRow> {
    let kept = |field: String| typed.and_then(|typed| typed.value(&field)).map(str::to_owned);
    let row = |topic: &crate::procedure::Topic| TopicRow {
        code: topic.code.clone(),
        name: say(&topic.name, page.lang).to_owned(),
        term: time(page, &topic.rule),
        unit: kept(format!("unit-{}", topic.code)).unwrap_or_default(),
        question: kept(format!("question-{}", topic.code))
            .unwrap_or_else(|| say(&topic.question, page.lang).to_owned()),
    };
    rule.topics.iter().map(row).collect()
}

/// How long an asked unit has, in words.
fn time(page: &Page, rule: &TermRule) -> String {
    let count = match rule {
        TermRule::WorkingDays { days } | TermRule::CalendarDays { days } => days.to_string(),
        TermRule::WorkingHours { hours } | TermRule::Hours { hours } => hours.to_string(),
        TermRule::Months { months } => months.to_string(),
        TermRule::SameDay { cutoff } => format!("{:02}:{:02}", cutoff / 60, cutoff % 60),
    };
    page.tw(&format!("desk-consult-time-{}", rule.name()), &[("count", count)])
}

impl View<'_> {
    fn fault(&self, name: &str, topic: &TopicRow) -> String {
        self.page
            .field_error(self.problems, &format!("{name}-{}", topic.code))
    }

    fn field_fault(&self, field: &str) -> String {
        self.page.field_error(self.problems, field)
    }
}
