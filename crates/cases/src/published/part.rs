//! The part of a case's page from which it is passed on, and from which its answer is published and taken down. Never
//! a form that would be refused.

use ::store::Reader;
use askama::Template;
use kernel::{CaseCode, Problem};
use web::{Fields, Page};

use super::publish::{PublicWords, about, may_publish, told_unit};
use super::{Published, store};
use crate::citizen::render;
use crate::desk::forward::may_forward;
use crate::desk::page::now::Now;
use crate::shown::say;
use crate::state::Cases;

#[derive(Template)]
#[template(path = "desk_public.html")]
struct Part<'a> {
    page: &'a Page,
    faults: &'a [Problem],
    code: &'a CaseCode,
    revision: i64,
    forward: Option<Forwarding>,
    publish: Option<Publishing>,
}

/// Where a case can go.
struct Forwarding {
    /// Where it is, and by when it should have gone on, in words.
    lead: String,
    /// The units it can go to, by code and name, and whether it is the one that was chosen.
    units: Vec<(String, String, bool)>,
}

/// What can be published.
struct Publishing {
    words: PublicWords,
    about: String,
    unit: String,
    /// How it stands, or by when it should be there.
    stands: String,
    /// The number of the published answer; empty before there is one.
    number: String,
    /// True while everybody can read it.
    there: bool,
    /// Why it is taken down, as typed.
    down: String,
}

/// The part; empty when nothing of it can be done now.
///
/// # Errors
/// Unavailable; Internal when it cannot be put together.
pub(crate) async fn section(
    cases: &Cases,
    page: &Page,
    before: Now<'_>,
    reader: &Reader,
    (faults, fields): (&[Problem], Option<&Fields>),
) -> Result<String, Problem> {
    let Now {
        case, procedure, who, ..
    } = before;
    let typed = |name: &str| fields.and_then(|f| f.lines(name)).unwrap_or_default();
    let forward = may_forward(who, case, procedure).ok().map(|forward| {
        let until = before.calendar.days_after(case.filed_at, forward.days).end;
        let args = [
            ("unit", cases.organisation_name(&case.unit)),
            ("until", page.time(until)),
        ];
        let chosen = typed("to");
        let units = cases.units_beside(case).into_iter();
        Forwarding {
            lead: page.tw("desk-forward-lead", &args),
            units: units
                .map(|(code, name)| {
                    let is_chosen = code.as_str() == chosen;
                    (code.to_string(), name, is_chosen)
                })
                .collect(),
        }
    });
    let publish = match may_publish(who, case, procedure) {
        Err(_) => None,
        Ok(publish) => {
            let now = store::published(reader, &cases.public_number(&case.code)).await?;
            let sent = fields.filter(|f| f.text("asked").is_some()).map(PublicWords::of);
            let answered = case.decided.as_ref().map_or(case.filed_at, |decided| decided.at);
            let until = before.calendar.days_after(answered, publish.days).end;
            let about = about(case, procedure, publish);
            Some(Publishing {
                words: sent.unwrap_or_else(|| PublicWords::begin(case, publish, now.as_ref())),
                about: about.map_or_else(
                    || page.t("answers-about-none"),
                    |text| say(text, page.lang).to_owned(),
                ),
                unit: cases.organisation_name(&told_unit(case, publish)),
                stands: match &now {
                    Some(now) => stands(page, now),
                    None => page.tw("desk-publish-until", &[("until", page.time(until))]),
                },
                number: now.as_ref().map(|now| now.number.clone()).unwrap_or_default(),
                there: now.is_some_and(|now| now.withdrawn.is_none()),
                down: typed("down"),
            })
        }
    };
    if forward.is_none() && publish.is_none() {
        return Ok(String::new());
    }
    render(&Part {
        page,
        faults,
        code: &case.code,
        revision: case.revision,
        forward,
        publish,
    })
}

/// How a published answer stands.
fn stands(page: &Page, now: &Published) -> String {
    match &now.withdrawn {
        Some((at, why)) => {
            let down = page.tw("desk-publish-down", &[("time", page.time(*at))]);
            format!("{down} {why}")
        }
        None => page.tw("desk-publish-there", &[("time", page.time(now.published_at))]),
    }
}

impl Part<'_> {
    fn fault(&self, field: &str) -> String {
        self.page.field_error(self.faults, field)
    }

    fn has_fault(&self, field: &str) -> bool {
        self.faults.iter().any(|p| p.field.as_deref() == Some(field))
    }
}
