//! `POST /desk/cases/{code}/publish`: the words of an answer that everybody can read. An officer puts them together
//! from what was asked and answered, and confirms that they name nobody. Sent twice, it is published once; in other
//! words, in the same place.

use axum::response::Response;
use kernel::{CaseCode, Fact, OrgCode, Problem};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal};

use super::{Published, forget_words, obligation, personal, publishable, store, tell};
use crate::case::Case;
use crate::desk::official::AtCase;
use crate::notice::Notice;
use crate::procedure::{Procedure, Publish, Text};
use crate::state::Cases;
use crate::store::subject;
use crate::words::words;

/// Who publishes.
pub(super) const PUBLISHER: &str = "officer";

/// The words for everybody.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublicWords {
    /// What was asked, in words that name nobody.
    pub(super) asked: String,
    /// What was answered, in words that name nobody.
    pub(super) answer: String,
    /// True: read, and nobody can be known by them.
    pub(super) confirmed: bool,
}

/// A published answer as its desk sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublishedView {
    /// Its number; its page is `/answers/{number}`.
    number: String,
    /// When it was published, RFC 3339.
    published_at: String,
    /// When it was taken down, RFC 3339.
    withdrawn_at: Option<String>,
}

/// Publishes an answer from the case's page.
#[utoipa::path(post, path = "/desk/cases/{code}/publish", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")),
    request_body(content = PublicWords, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-answer-published", "obligation-met"]))))]
pub(crate) async fn by_form(at: AtCase, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let done = at
        .cases
        .publish(&at.who, &at.code, &PublicWords::of(&fields))
        .await;
    at.back_or_faults(&page, done.map(|_| ()), &fields).await
}

/// Publishes an answer.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/publish", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")), request_body = PublicWords,
    responses((status = 200, description = "published", body = PublishedView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-answer-published", "obligation-met"]))))]
pub(crate) async fn by_json(
    at: AtCase,
    Json(words): Json<PublicWords>,
) -> Result<Json<PublishedView>, Refusal> {
    let published = at.cases.publish(&at.who, &at.code, &words).await?;
    Ok(Json(PublishedView::from(&published)))
}

impl From<&Published> for PublishedView {
    fn from(published: &Published) -> Self {
        Self {
            number: published.number.clone(),
            published_at: published.published_at.rfc3339(),
            withdrawn_at: published.withdrawn.as_ref().map(|(at, _)| at.rfc3339()),
        }
    }
}

impl PublicWords {
    /// The words as a form sends them.
    pub(super) fn of(fields: &Fields) -> Self {
        Self {
            asked: fields.lines("asked").unwrap_or_default(),
            answer: fields.lines("answer").unwrap_or_default(),
            confirmed: fields.text("confirmed") == Some("yes"),
        }
    }

    /// What the officer begins with: what is there for everybody, else what was asked and answered.
    pub(super) fn begin(case: &Case, publish: &Publish, now: Option<&Published>) -> Self {
        let (asked, answer) = match now.filter(|now| now.withdrawn.is_none()) {
            Some(now) => (Some(&now.asked), Some(&now.answer)),
            None => {
                let note = case.proposal.as_ref().map(|proposal| &proposal.note);
                (case.answers.get(&publish.asked), note)
            }
        };
        Self {
            asked: asked.cloned().unwrap_or_default(),
            answer: answer.cloned().unwrap_or_default(),
            confirmed: false,
        }
    }
}

/// What the case is about, by the label of the choice that says it.
pub(super) fn about<'p>(case: &Case, procedure: &'p Procedure, publish: &Publish) -> Option<&'p Text> {
    let field = publish.about.as_ref()?;
    let answer = case.answers.get(field)?;
    let choices = &procedure.question(field)?.choices;
    choices.iter().find(|c| c.value == *answer).map(|c| &c.label)
}

/// The unit that is told as having answered.
pub(super) fn told_unit(case: &Case, publish: &Publish) -> OrgCode {
    let unnamed = publish.unnamed.as_ref().and_then(|field| case.answers.get(field));
    match unnamed.map(String::as_str) {
        Some("yes") => case.unit.top(),
        _ => case.unit.clone(),
    }
}

/// What the procedure says of publishing this answer, for who may.
///
/// # Errors
/// `role-missing`, `case-own` (403); `case-publish-never`, `case-publish-early` (409).
pub(super) fn may_publish<'p>(
    who: &Principal,
    case: &Case,
    procedure: &'p Procedure,
) -> Result<&'p Publish, Problem> {
    who.require(PUBLISHER)?;
    case.not_own(who.subject.as_ref())?;
    publishable(case, procedure)
}

impl Cases {
    async fn publish(
        &self,
        who: &Principal,
        code: &CaseCode,
        text: &PublicWords,
    ) -> Result<Published, Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let case = self.seen(&tx, who, code).await?.case;
                let procedure = self.procedure_of(&case)?;
                let publish = may_publish(who, &case, &procedure)?;
                let asked = words("asked", &text.asked, true)?;
                let answer = words("answer", &text.answer, true)?;
                personal::check("asked", &asked, &case, &procedure)?;
                personal::check("answer", &answer, &case, &procedure)?;
                if !text.confirmed {
                    return Err(Problem::invalid("confirmed", "case-publish-confirm"));
                }
                let published = Published {
                    number: self.public_number(code),
                    code: Some(code.clone()),
                    heard_from: None,
                    unit: told_unit(&case, publish),
                    about: about(&case, &procedure, publish).cloned(),
                    asked,
                    answer,
                    answered_at: case.decided.as_ref().map_or(case.filed_at, |decided| decided.at),
                    published_at: tx.now(),
                    withdrawn: None,
                };
                let before = store::published(&tx, &published.number).await?;
                if before
                    .as_ref()
                    .is_some_and(|before| before.code.as_ref() != Some(code))
                {
                    // Ten digits may meet once in very many answers: never write over what is another case's.
                    let number = &published.number;
                    return Err(Problem::internal(format_args!("the number {number} is taken")));
                }
                if let Some(before) = before.filter(|before| is_same(before, &published)) {
                    return Ok(before);
                }
                store::publish(&tx, &published, &who.account).await?;
                forget_words(&tx, code, u32::MAX).await?;
                obligations::meet(&tx, &obligation(code)).await?;
                tell(&tx, &case, &procedure, notice(&published)).await?;
                let fact = Fact::CaseAnswerPublished {
                    case: code.clone(),
                    number: published.number.clone(),
                };
                tx.fact(&subject(code), fact).await?;
                Ok(published)
            })
            .await
    }
}

/// The second press of the same.
fn is_same(before: &Published, published: &Published) -> bool {
    before.withdrawn.is_none() && before.asked == published.asked && before.answer == published.answer
}

fn notice(published: &Published) -> Notice {
    Notice::AnswerPublished {
        number: published.number.clone(),
        unit: published.unit.to_string(),
        about: published.about.clone(),
        asked: published.asked.clone(),
        answer: published.answer.clone(),
        answered: published.answered_at,
    }
}
