//! `GET /procedures/{code}` and its twin: what a procedure needs, how long it takes, what it costs, how far it
//! can be done online and why, and where to begin. Public.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;
use kernel::fact::Channel;
use kernel::{OrgCode, Problem, ProcedureCode};
use serde::Serialize;
use web::openapi::{ToSchema, utoipa};
use web::{Json, Page, Refusal};

use crate::catalogue::level::Level;
use crate::citizen::render;
use crate::citizen::view::term;
use crate::pack::{Entry, Offer};
use crate::payment::dong;
use crate::procedure::Fee;
use crate::shown::{UnitLink, say};
use crate::state::Cases;

#[derive(Template)]
#[template(path = "procedure.html")]
struct ProcedurePage<'a> {
    page: &'a Page,
    entry: &'a Entry,
    name: &'a str,
    /// The publishing agency, where the lists have it.
    agency: Option<UnitLink>,
    /// What can be filed here.
    document: Option<Document<'a>>,
    /// The catalogue's word on each channel: name, time, fee.
    channels: Vec<(String, String, String)>,
    /// How far it can be done online, the level of before, and the reasons.
    level: (String, String, Vec<String>),
    /// True for a signed-in citizen: the button begins a form; others sign in first.
    citizen: bool,
}

struct Document<'a> {
    needs: Vec<&'a str>,
    papers: Vec<(&'a str, bool)>,
    terms: Vec<String>,
    /// What it costs, and the act that sets it; none when it costs nothing.
    fee: Option<(String, &'a str)>,
    legal_basis: &'a [String],
    /// True when it may be filed online.
    online: bool,
}

/// Describes a procedure.
#[utoipa::path(get, path = "/procedures/{code}", tag = "cases", security(()),
    params(("code" = String, Path, description = "the procedure's code")),
    responses((status = 200, description = "the procedure", content_type = "text/html"), (status = 404)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    page: Page,
    Path(code): Path<String>,
) -> Result<Html<String>, Refusal> {
    let code: ProcedureCode = code.parse().map_err(|_| Problem::not_found())?;
    let entry = cases.catalogue.entry(&code).ok_or_else(Problem::not_found)?;
    let procedure = cases.procedure_today(&code).ok();
    let lang = page.lang;
    let document = procedure.as_deref().map(|p| Document {
        needs: p.before_you_start.iter().map(|t| say(t, lang)).collect(),
        papers: p
            .papers
            .iter()
            .map(|paper| (say(&paper.name, lang), paper.required))
            .collect(),
        terms: p.terms.iter().map(|t| term(&page, t)).collect(),
        fee: p
            .fee
            .as_ref()
            .map(|fee| (fee_words(&page, fee), fee.legal_basis.as_str())),
        legal_basis: &p.legal_basis,
        online: p.takes(Channel::Online),
    });
    let name = procedure
        .as_deref()
        .map_or(entry.name.as_str(), |p| say(&p.name, lang));
    let citizen = page.user.as_ref().is_some_and(|user| user.has("citizen"));
    let today = cases.today();
    let known = |code: &&OrgCode| cases.organisations.get(code, today).is_some();
    let agency = entry.agency_code.as_ref().filter(known);
    let body = render(&ProcedurePage {
        page: &page,
        entry,
        name,
        agency: agency.map(|code| UnitLink::new(&cases, code, today)),
        document,
        channels: entry.channels.iter().map(|offer| channel(&page, offer)).collect(),
        level: level_words(&page, &level_of(&cases, entry)),
        citizen,
    })?;
    Ok(page.html(name, body))
}

/// A procedure as programs read it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Described {
    /// Its code.
    code: String,
    /// Its name in the catalogue.
    name: String,
    /// The publishing agency.
    agency: String,
    /// Its field.
    field: String,
    /// Where it is done: `bo`, `tinh`, `xa`, `khac`.
    levels: Vec<String>,
    /// Who may ask for it.
    audience: Vec<String>,
    /// The decision that publishes it.
    decision: String,
    /// What it rests on.
    legal_basis: Vec<String>,
    /// Its channels, as the source writes of them.
    channels: Vec<ChannelSaid>,
    /// True when this portal takes it.
    filed_here: bool,
    /// How far it can be done online: `information`, `partial`, `full`.
    online: &'static str,
    /// The level of the scale before 2022, 1 to 4.
    old_level: u8,
    /// Why, those reasons first that hold it down: `fee-not-online`.
    why: Vec<&'static str>,
}

/// What the catalogue says of a channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelSaid {
    /// `online`, `counter` or `post`.
    channel: &'static str,
    /// The time; empty when the source states none.
    time: String,
    /// `working_day`, `day`, `hour`, `month`, with `?` where the source is unclear.
    unit: String,
    /// The fee; empty when the source states none.
    fee: String,
    /// Its currency.
    currency: String,
}

/// Describes a procedure.
#[utoipa::path(get, path = "/api/v1/procedures/{code}", tag = "cases", security(()),
    params(("code" = String, Path, description = "the procedure's code")),
    responses((status = 200, body = Described), (status = 404)))]
pub(crate) async fn api(
    State(cases): State<Cases>,
    Path(code): Path<String>,
) -> Result<Json<Described>, Refusal> {
    let code: ProcedureCode = code.parse().map_err(|_| Problem::not_found())?;
    let entry = cases.catalogue.entry(&code).ok_or_else(Problem::not_found)?;
    let level = level_of(&cases, entry);
    let said = |offer: &Offer| ChannelSaid {
        channel: offer.channel,
        time: offer.time.clone(),
        unit: offer.unit.clone(),
        fee: offer.fee.clone(),
        currency: offer.currency.clone(),
    };
    Ok(Json(Described {
        code: entry.code.to_string(),
        name: entry.name.clone(),
        agency: entry.agency.clone(),
        field: entry.field.clone(),
        levels: entry.levels.clone(),
        audience: entry.audience.clone(),
        decision: entry.decision.clone(),
        legal_basis: entry.legal_basis.clone(),
        channels: entry.channels.iter().map(said).collect(),
        filed_here: cases
            .procedure_today(&code)
            .is_ok_and(|p| p.takes(Channel::Online)),
        online: level.online.key(),
        old_level: level.old,
        why: level.why,
    }))
}

fn level_of(cases: &Cases, entry: &Entry) -> Level {
    let document = cases.procedure_today(&entry.code).ok();
    Level::of(entry, document.as_deref(), cases.bank.is_some())
}

/// The level's name, the level of before, and the reasons in words.
fn level_words(page: &Page, level: &Level) -> (String, String, Vec<String>) {
    let why = level
        .why
        .iter()
        .map(|why| page.t(&format!("cases-online-why-{why}")));
    (
        page.t(&format!("cases-online-{}", level.online.key())),
        page.tw("cases-online-old", &[("level", level.old.to_string())]),
        why.collect(),
    )
}

/// What a fee comes to, in words.
pub(crate) fn fee_words(page: &Page, fee: &Fee) -> String {
    let name = say(&fee.name, page.lang).to_owned();
    let by_answers = match fee.rules().next() {
        Some(_) => page.t("cases-fee-by-answers"),
        None => String::new(),
    };
    if fee.per.is_none() {
        return page.tw("cases-fee-once", &[("name", name), ("dong", dong(fee.dong))]) + &by_answers;
    }
    let unit = fee.unit.as_ref().map_or_else(
        || page.t("cases-fee-copy"),
        |unit| say(unit, page.lang).to_owned(),
    );
    let mut words = page.tw(
        "cases-fee-per",
        &[("name", name), ("dong", dong(fee.dong)), ("unit", unit.clone())],
    );
    for step in &fee.beyond {
        let from = step.after.saturating_add(1).to_string();
        let step = [("from", from), ("dong", dong(step.dong)), ("unit", unit.clone())];
        words.push_str(&page.tw("cases-fee-beyond", &step));
    }
    if let Some(most) = fee.most {
        let key = if fee.times.is_some() {
            "cases-fee-most-each"
        } else {
            "cases-fee-most"
        };
        words.push_str(&page.tw(key, &[("dong", dong(most))]));
    }
    words + &by_answers
}

/// What the catalogue says of a channel, in words: its name, its time, its fee.
fn channel(page: &Page, offer: &Offer) -> (String, String, String) {
    let name = page.t(&format!("cases-channel-{}", offer.channel));
    let time = match (offer.time.as_str(), offer.unit.trim_end_matches('?')) {
        ("", _) => page.t("cases-offer-unstated"),
        (time, "") => time.to_owned(),
        (time, unit) => page.tw(
            &format!("cases-offer-{}", unit.replace('_', "-")),
            &[("n", time.to_owned())],
        ),
    };
    let time = if offer.unit.ends_with('?') && !offer.time.is_empty() {
        page.tw("cases-offer-unclear", &[("time", time)])
    } else {
        time
    };
    let fee = match (offer.fee.as_str(), offer.fee.parse::<u64>()) {
        ("", _) => page.t("cases-offer-unstated"),
        (_, Ok(0)) => page.t("cases-offer-free"),
        (_, Ok(amount)) if offer.currency == "VND" => dong(amount),
        (fee, _) => format!("{fee} {}", offer.currency),
    };
    (name, time, fee)
}

#[cfg(test)]
mod tests {
    use crate::testing::{Portal, lan};

    #[tokio::test]
    async fn a_procedure_says_what_it_needs_and_where_to_begin() {
        let portal = Portal::new().await;
        let page = portal.get(None, "/procedures/1.001193").await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("Giấy chứng sinh") && page.body.contains("15:00"));
        assert!(
            page.body.contains("/units/G15?on=2026-11-21"),
            "the agency as it is today: {}",
            page.body
        );
        assert!(
            page.body.contains("/sign-in?next=/procedures/1.001193"),
            "who is not signed in signs in first"
        );
        assert!(
            portal
                .get(Some(&lan()), "/procedures/1.001193")
                .await
                .body
                .contains("/procedures/1.001193/start")
        );
        let other = portal.get(Some(&lan()), "/procedures/1.000005").await;
        assert!(
            other.status == 200 && !other.body.contains("/start"),
            "described, and not filed here"
        );
        for path in ["/procedures", "/api/v1/procedures"] {
            for code in ["9.999999", "x"] {
                assert_eq!(portal.get(None, &format!("{path}/{code}")).await.status, 404);
            }
        }
    }

    #[tokio::test]
    async fn a_procedure_says_the_time_and_the_fee_of_each_channel_and_how_far_it_is_online_and_why() {
        let portal = Portal::new().await;
        let copy = portal.get(None, "/procedures/2.000635").await.body;
        assert!(copy.contains("8.000\u{a0}₫"), "{copy}");
        let other = portal.get(None, "/procedures/1.000894").await.body;
        for part in [
            "Nộp trực tiếp",
            "Không thu",
            "Cung cấp thông tin",
            "chưa nộp được tại Cổng này",
        ] {
            assert!(other.contains(part), "{part}: {other}");
        }
        let unclear = portal.get(None, "/procedures/1.000005").await.body;
        assert!(
            unclear.contains("120.000") && unclear.contains("nguồn ghi không rõ"),
            "{unclear}"
        );
        let birth = portal.get(None, "/api/v1/procedures/1.001193").await.json();
        assert_eq!(
            (&birth["online"], &birth["old_level"], &birth["filed_here"]),
            (&"full".into(), &4.into(), &true.into())
        );
        assert_eq!(birth["why"][0], "filed-online");
        assert_eq!(birth["channels"][0]["channel"], "counter");
    }
}
