//! `/answers` and `/answers/{number}`: published answers for everybody, the latest first, found by words. Never the
//! case, never who asked. What was taken down says so, when and why.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Html;
use kernel::text::fold;
use kernel::{Problem, Time};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::page::query_value;
use web::{Json, Page, Refusal};

use super::{Published, store};
use crate::citizen::render;
use crate::shown::{UnitLink, say};
use crate::state::Cases;

/// Length of words that are looked for, in characters.
const WORDS_CHARS_MAX: usize = 100;
/// How much of what was asked a list shows, in characters.
const SHOWN_CHARS_MAX: usize = 200;

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wish {
    /// Words.
    #[serde(default)]
    q: String,
    /// The last number of the page before.
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "answers.html")]
struct ListPage<'a> {
    page: &'a Page,
    q: &'a str,
    items: Vec<Line>,
    next: Option<String>,
    /// The first page, from a later one.
    first: Option<String>,
}

/// An answer in a list.
struct Line {
    number: String,
    about: String,
    asked: String,
    unit: UnitLink,
    day: String,
}

#[derive(Template)]
#[template(path = "answer.html")]
struct AnswerPage<'a> {
    page: &'a Page,
    answer: &'a Published,
    about: String,
    unit: UnitLink,
    /// That another system's agency told of it.
    heard: Option<String>,
    /// That it was taken down and when, and why.
    down: Option<(String, &'a str)>,
    answered: String,
    published: String,
}

/// Published answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnswersJson {
    /// The latest first.
    items: Vec<AnswerJson>,
    /// Where the next page begins: give it as `after`; none when this was all.
    next: Option<String>,
}

/// A published answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnswerJson {
    /// Its number.
    number: String,
    /// The code of the unit that answered, or of the organisation above it.
    unit: String,
    /// The organisation that published it on a system of its own and told of it; none for an answer to a case of here.
    heard_from: Option<String>,
    /// What it is about, in Vietnamese, where that was said.
    about: Option<String>,
    /// What was asked; none once it was taken down.
    asked: Option<String>,
    /// What was answered; none once it was taken down.
    answer: Option<String>,
    /// When it was answered, RFC 3339.
    answered_at: String,
    /// When it was published, RFC 3339.
    published_at: String,
    /// When it was taken down, RFC 3339.
    withdrawn_at: Option<String>,
    /// Why it was taken down.
    reason: Option<String>,
}

/// Published answers, as a page.
#[utoipa::path(get, path = "/answers", tag = "cases", security(()),
    params(("q" = Option<String>, Query, description = "words"), ("after" = Option<String>, Query, description = "where the list goes on")),
    responses((status = 200, description = "the answers", content_type = "text/html"), (status = 422)))]
pub(crate) async fn list(
    State(cases): State<Cases>,
    page: Page,
    Query(wish): Query<Wish>,
) -> Result<Html<String>, Refusal> {
    let (found, next) = cases.answers(&wish).await?;
    let words = query_value(&wish.q);
    let line = |answer: &Published| Line {
        number: answer.number.clone(),
        about: about(&page, answer),
        asked: beginning(&answer.asked),
        unit: UnitLink::new(&cases, &answer.unit, answer.published_at.date()),
        day: page.date(answer.published_at.date()),
    };
    let body = render(&ListPage {
        page: &page,
        q: &wish.q,
        items: found.iter().map(line).collect(),
        next: next.map(|next| format!("/answers?q={words}&after={}", query_value(&next))),
        first: (!wish.after.is_empty()).then(|| format!("/answers?q={words}")),
    })?;
    Ok(page.html(&page.t("answers-title"), body))
}

/// Published answers.
#[utoipa::path(get, path = "/api/v1/answers", tag = "cases", security(()),
    params(("q" = Option<String>, Query, description = "words"), ("after" = Option<String>, Query, description = "where the list goes on")),
    responses((status = 200, body = AnswersJson), (status = 422)))]
pub(crate) async fn list_json(
    State(cases): State<Cases>,
    Query(wish): Query<Wish>,
) -> Result<Json<AnswersJson>, Refusal> {
    let (found, next) = cases.answers(&wish).await?;
    let items = found.iter().map(AnswerJson::from).collect();
    Ok(Json(AnswersJson { items, next }))
}

/// A published answer, as a page.
#[utoipa::path(get, path = "/answers/{number}", tag = "cases", security(()),
    params(("number" = String, Path, description = "the answer's number")),
    responses((status = 200, description = "the answer, or that it was taken down", content_type = "text/html"), (status = 404)))]
pub(crate) async fn show(
    State(cases): State<Cases>,
    page: Page,
    Path(number): Path<String>,
) -> Result<Html<String>, Refusal> {
    let answer = &cases.answer(&number).await?;
    let down = answer.withdrawn.as_ref();
    let body = render(&AnswerPage {
        page: &page,
        answer,
        about: about(&page, answer),
        unit: UnitLink::new(&cases, &answer.unit, answer.published_at.date()),
        heard: answer.heard_from.as_ref().map(|from| {
            let from = cases.organisation_name(from);
            page.tw("answers-heard", &[("from", from)])
        }),
        down: down.map(|(at, why)| (page.tw("answers-down", &[("time", page.time(*at))]), why.as_str())),
        answered: page.time(answer.answered_at),
        published: page.time(answer.published_at),
    })?;
    Ok(page.html(&page.tw("answers-one", &[("number", number)]), body))
}

/// A published answer.
#[utoipa::path(get, path = "/api/v1/answers/{number}", tag = "cases", security(()),
    params(("number" = String, Path, description = "the answer's number")),
    responses((status = 200, body = AnswerJson), (status = 404)))]
pub(crate) async fn show_json(
    State(cases): State<Cases>,
    Path(number): Path<String>,
) -> Result<Json<AnswerJson>, Refusal> {
    Ok(Json(AnswerJson::from(&cases.answer(&number).await?)))
}

impl From<&Published> for AnswerJson {
    fn from(answer: &Published) -> Self {
        let there = |text: &String| answer.withdrawn.is_none().then(|| text.clone());
        Self {
            number: answer.number.clone(),
            unit: answer.unit.to_string(),
            heard_from: answer.heard_from.as_ref().map(ToString::to_string),
            about: answer.about.as_ref().map(|about| about.vi.clone()),
            asked: there(&answer.asked),
            answer: there(&answer.answer),
            answered_at: answer.answered_at.rfc3339(),
            published_at: answer.published_at.rfc3339(),
            withdrawn_at: answer.withdrawn.as_ref().map(|(at, _)| at.rfc3339()),
            reason: answer.withdrawn.as_ref().map(|(_, reason)| reason.clone()),
        }
    }
}

fn about(page: &Page, answer: &Published) -> String {
    let about = answer.about.as_ref();
    about.map_or_else(
        || page.t("answers-about-none"),
        |text| say(text, page.lang).to_owned(),
    )
}

/// The beginning of a text.
fn beginning(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

impl Cases {
    /// A page of answers and where the next one begins.
    async fn answers(&self, wish: &Wish) -> Result<(Vec<Published>, Option<String>), Problem> {
        let length = wish.q.chars().count();
        if length > WORDS_CHARS_MAX {
            return Err(Problem::invalid("q", "answers-words-long").with("max", WORDS_CHARS_MAX));
        }
        let reader = self.store.read(&self.tenant).await?;
        let place = match wish.after.as_str() {
            "" => (Time(i64::MAX), String::new()),
            after => {
                let last = store::published(&reader, after).await?;
                let last = last.ok_or_else(|| Problem::invalid("after", "malformed"))?;
                (last.published_at, last.number)
            }
        };
        let limit = self.store.limits().page_rows_max;
        let words = fold(&wish.q);
        let mut found = store::latest(&reader, &words, (place.0, &place.1), limit + 1).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| last.number.clone());
        Ok((found, next))
    }

    /// An answer by its number, also one that was taken down.
    async fn answer(&self, number: &str) -> Result<Published, Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let found = store::published(&reader, number).await?;
        found.ok_or_else(Problem::not_found)
    }
}
