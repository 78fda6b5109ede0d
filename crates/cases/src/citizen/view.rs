//! How a procedure's words, questions and answers read on a page. Never decides what is right.

mod address;

use askama::Template;
use kernel::time::parse_iso;
use kernel::{Problem, Time};
use web::Page;

use crate::answers::{Typed, YES_NO, picked};
use crate::citizen::render;
use crate::clock::WorkingOut;
use crate::draft::{Draft, Filled};
use crate::procedure::{Procedure, Question, QuestionKind, Starts, Term, TermRule, Text};
use crate::shown::{counted_by, say, shown, unannounced};
use crate::state::Cases;
use crate::store::Held;

/// More choices than this are a list to open, not a row of buttons.
const BUTTONS_MAX: usize = 6;

/// A term in words.
pub(crate) fn term(page: &Page, term: &Term) -> String {
    let channel = page.t(&format!(
        "cases-channel-{}",
        crate::store::channel_text(term.channel)
    ));
    let said = page.tw("cases-term", &[("channel", channel), ("rule", rule(page, term))]);
    match &term.when {
        Some(when) => {
            let when = say(&when.says, page.lang).to_owned();
            page.tw("cases-term-when", &[("term", said), ("when", when)])
        }
        None => said,
    }
}

/// How long a term is, in words.
fn rule(page: &Page, term: &Term) -> String {
    let count = |key: &str, count: i64| match term.starts {
        Starts::Acceptance => page.tw(key, &[("count", count.to_string())]),
        Starts::NextDay => page.tw(&format!("{key}-next-day"), &[("count", count.to_string())]),
    };
    match &term.rule {
        TermRule::WorkingDays { days } => count("cases-term-days", *days),
        TermRule::WorkingHours { hours } => count("cases-term-working-hours", *hours),
        TermRule::CalendarDays { days } => {
            page.tw("cases-term-calendar-days", &[("count", days.to_string())])
        }
        TermRule::Hours { hours } => page.tw("cases-term-hours", &[("count", hours.to_string())]),
        TermRule::Months { months } => page.tw("cases-term-months", &[("count", months.to_string())]),
        TermRule::SameDay { cutoff } => page.tw(
            "cases-term-same-day",
            &[("cutoff", format!("{:02}:{:02}", cutoff / 60, cutoff % 60))],
        ),
    }
}

/// Why a day of a count is not a plain one, in words.
pub(crate) fn line_reason(page: &Page, reason: &str) -> String {
    match reason {
        "weekend" => page.t("cases-weekend"),
        crate::clock::PAUSED => page.t("cases-line-paused"),
        crate::clock::UNPAID => page.t("cases-line-unpaid"),
        crate::clock::MOVED => page.t("cases-line-moved"),
        reason => reason.to_owned(),
    }
}

#[derive(Template)]
#[template(path = "working_out.html")]
struct WorkingOutPart<'a> {
    page: &'a Page,
    /// What was counted.
    title: String,
    /// How the due date was counted, in words.
    counted_by: String,
    /// The year of the due date, while its holidays are not announced.
    unannounced: Option<String>,
    /// The days of the count: the day, its minutes, why it differs.
    lines: Vec<(String, i64, String)>,
}

/// The part of a page that says line by line how a case's due date was counted; empty while there is none.
///
/// # Errors
/// Internal when it cannot be put together.
pub(crate) fn working_out(cases: &Cases, page: &Page, held: &Held) -> Result<String, Problem> {
    let Some(counted) = held.working_out.as_ref().filter(|w| !w.lines.is_empty()) else {
        return Ok(String::new());
    };
    let unannounced = held.due_at.and_then(|due| unannounced(cases, due));
    counted_out(page, page.t("cases-working-out"), counted, unannounced)
}

/// The part of a page that says line by line how something was counted.
///
/// # Errors
/// Internal when it cannot be put together.
pub(crate) fn counted_out(
    page: &Page,
    title: String,
    counted: &WorkingOut,
    unannounced: Option<String>,
) -> Result<String, Problem> {
    let lines = counted.lines.iter().map(|line| {
        let day = parse_iso(&line.date).map_or_else(|| line.date.clone(), |day| page.date(day));
        (day, line.minutes, line_reason(page, &line.reason))
    });
    render(&WorkingOutPart {
        page,
        title,
        counted_by: counted_by(page, &counted.rule),
        unannounced,
        lines: lines.collect(),
    })
}

/// A national status in words.
pub(crate) fn status(page: &Page, status: u8) -> String {
    page.t(&format!("cases-status-{status}"))
}

/// A day, or `–` when it is not known.
pub(crate) fn moment(page: &Page, time: Option<Time>) -> String {
    time.map_or_else(|| "–".to_owned(), |time| page.time(time))
}

/// A problem that names its question: in a list of problems several read alike.
pub(crate) fn labelled(page: &Page, procedure: &Procedure, problem: &Problem) -> Problem {
    let question = problem
        .field
        .as_deref()
        .and_then(|field| procedure.question(field));
    match question {
        Some(question) => problem.clone().with("label", say(&question.label, page.lang)),
        None => problem.clone(),
    }
}

/// One question on a page.
pub(crate) struct Field {
    pub(crate) code: String,
    /// The heading of the group that begins here; empty when none does.
    pub(crate) heading: String,
    pub(crate) label: String,
    pub(crate) hint: String,
    pub(crate) required: bool,
    /// `text`, `lines`, `number`, `tel`, `email`, `date`, `buttons`, `list`, `ticks`, `address`, `filled`.
    pub(crate) form: &'static str,
    /// What stands behind the box: `m²`, `đồng`; empty when nothing does.
    pub(crate) unit: String,
    /// Of an address: its provinces, the names of the communes of the one that is chosen, and its line.
    pub(crate) provinces: Vec<Pick>,
    pub(crate) communes: Vec<String>,
    pub(crate) line: String,
    pub(crate) value: String,
    pub(crate) day: String,
    pub(crate) month: String,
    pub(crate) year: String,
    pub(crate) choices: Vec<Pick>,
    /// Communes of the same name, to pick one.
    pub(crate) candidates: Vec<Pick>,
    /// Where the answer comes from, when a register gave it.
    pub(crate) source: String,
    /// The message at the field, HTML.
    pub(crate) error: String,
}

/// One choice.
pub(crate) struct Pick {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) picked: bool,
}

impl Field {
    /// A question with what was typed for it, else what the draft has.
    pub(crate) fn new(
        cases: &Cases,
        page: &Page,
        question: &Question,
        draft: &Draft,
        typed: Option<&Typed>,
        problems: &[Problem],
    ) -> Self {
        let lang = page.lang;
        let text = |name: &str| typed.and_then(|t| t.get(name)).cloned().unwrap_or_default();
        let optional =
            |text: &Option<Text>| text.as_ref().map(|t| say(t, lang).to_owned()).unwrap_or_default();
        let code = &question.code;
        let kept = draft.value(code).unwrap_or_default();
        let mut field = Self {
            code: code.clone(),
            label: say(&question.label, lang).to_owned(),
            heading: optional(&question.heading),
            hint: optional(&question.hint),
            required: question.required,
            form: form(question),
            unit: match question.kind {
                QuestionKind::Money => page.t("cases-dong"),
                _ => optional(&question.unit),
            },
            provinces: Vec::new(),
            communes: Vec::new(),
            line: String::new(),
            value: if typed.is_some() {
                text(code)
            } else {
                kept.to_owned()
            },
            day: text(&format!("{code}-day")),
            month: text(&format!("{code}-month")),
            year: text(&format!("{code}-year")),
            choices: Vec::new(),
            candidates: Vec::new(),
            source: String::new(),
            error: page.field_error(problems, code),
        };
        if let Some(filled) = draft.prefilled.get(code) {
            field.fill(cases, page, question, filled);
        } else if question.kind == QuestionKind::Date {
            field.boxes(typed.is_none().then_some(kept));
        } else if question.kind == QuestionKind::Commune {
            field.commune(cases, page, question, &text(&format!("{code}-choice")));
        } else if question.kind == QuestionKind::Address {
            field.address(cases, typed);
        }
        let many = question.kind == QuestionKind::ManyOf;
        let is_picked = |value: &str| match many {
            true => picked(&field.value).any(|one| one == value),
            false => field.value == value,
        };
        let pick = |c: &crate::procedure::Choice| Pick {
            picked: is_picked(&c.value),
            value: c.value.clone(),
            label: say(&c.label, lang).to_owned(),
        };
        let yes_no = |value: &&str| Pick {
            picked: is_picked(value),
            value: (*value).to_owned(),
            label: page.t(&format!("cases-{value}")),
        };
        field.choices = match question.kind {
            QuestionKind::YesNo => YES_NO.iter().map(yes_no).collect(),
            _ => question.choices.iter().map(pick).collect(),
        };
        field
    }

    fn fill(&mut self, cases: &Cases, page: &Page, question: &Question, filled: &Filled) {
        self.form = "filled";
        self.value = shown(cases, page, question, &filled.value, cases.today());
        say(&filled.source, page.lang).clone_into(&mut self.source);
    }

    /// A day that was kept, or typed in one piece, goes into the boxes.
    fn boxes(&mut self, kept: Option<&str>) {
        let whole = kept.map_or_else(|| self.value.clone(), str::to_owned);
        if let Some(date) = parse_iso(&whole) {
            self.day = date.day().to_string();
            self.month = u8::from(date.month()).to_string();
            self.year = date.year().to_string();
        }
    }

    /// A commune is shown by its name; of several with the same name, one is picked.
    fn commune(&mut self, cases: &Cases, page: &Page, question: &Question, choice: &str) {
        let found = cases.places().find(&self.value, cases.today());
        if found.len() > 1 {
            let pick = |code: &kernel::AreaCode| Pick {
                picked: code.as_str() == choice,
                label: cases.places().full_name(code, cases.today()),
                value: code.to_string(),
            };
            self.candidates = found.iter().map(pick).collect();
        }
        self.value = shown(cases, page, question, &self.value, cases.today());
    }
}

fn form(question: &Question) -> &'static str {
    match question.kind {
        QuestionKind::Text | QuestionKind::Name | QuestionKind::Commune | QuestionKind::BusinessId => "text",
        QuestionKind::LongText => "lines",
        QuestionKind::PersonalNumber | QuestionKind::Number | QuestionKind::Money => "number",
        QuestionKind::Phone => "tel",
        QuestionKind::Email => "email",
        QuestionKind::Date => "date",
        QuestionKind::YesNo => "buttons",
        QuestionKind::ManyOf => "ticks",
        QuestionKind::Address => "address",
        QuestionKind::Choice if question.choices.len() <= BUTTONS_MAX => "buttons",
        QuestionKind::Choice => "list",
    }
}
