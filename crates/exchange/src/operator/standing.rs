//! `GET /exchange/standing` and its twin: how the node stands, each thing with its light. The ways to others
//! are tried in `way`.

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use kernel::{Problem, Time};
use web::{Fields, Operator, Page, Refusal};

use super::traffic::number;
use super::way::{WayAsked, WayTried};
use crate::gateway::Exchange;
use crate::standing::{
    Light, StandingAgreement, StandingAuthority, StandingCircuit, StandingClock, StandingInstance,
    StandingQuota, StandingSample, StandingSeen,
};

/// Where the bar of a certificate's days ends.
const YEAR_DAYS: i64 = 365;

/// Tells how the node stands: directory, certificates, timestamps, clocks, circuits, quotas, room and
/// agreements, each with its light.
#[utoipa::path(get, path = "/api/v1/exchange/standing", tag = "exchange", operation_id = "see_standing",
    security(("session" = ["operator", "observer"])), responses((status = 200, body = StandingSeen)))]
pub(crate) async fn json(
    State(x): State<Exchange>,
    Operator(who): Operator,
) -> Result<axum::Json<StandingSeen>, Refusal> {
    let own = x.seen_by(&who);
    Ok(axum::Json(x.standing(own.as_ref()).await?))
}

#[derive(Template)]
#[template(path = "standing.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    sum: (String, &'static str),
    /// The operator looks after the whole node.
    keeps: bool,
    /// Why no call is made or answered, since when and until when.
    maintenance: Option<(String, String, String)>,
    notice: String,
    until: String,
    problems: &'a [Problem],
    sections: Vec<Section>,
    ways: Vec<(String, String)>,
    tried: Option<(String, WayTried)>,
    asked: &'a WayAsked,
}

impl View<'_> {
    fn error(&self, field: &str) -> String {
        self.page.field_error(self.problems, field)
    }
}

struct Section {
    id: &'static str,
    title: String,
    empty: String,
    rows: Vec<Row>,
}

#[derive(Clone)]
struct Row {
    name: String,
    href: Option<String>,
    is_code: bool,
    what: String,
    /// The last day as a line so small that it stands in the row.
    picture: String,
    /// Days until something ends, as a bar.
    days: Option<i64>,
    light: (String, &'static str),
}

/// How the node stands, as a page.
#[utoipa::path(get, path = "/exchange/standing", tag = "exchange", operation_id = "standing_page",
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "everything with its light", content_type = "text/html")))]
pub(crate) async fn page(
    State(x): State<Exchange>,
    Operator(who): Operator,
    page: Page,
) -> Result<Html<String>, Refusal> {
    let own = x.seen_by(&who);
    let seen = x.standing(own.as_ref()).await?;
    Ok(rendered(
        &page,
        (&seen, own.is_none()),
        None,
        &WayAsked::default(),
    )?)
}

/// The page, with what came of trying a way.
pub(super) fn rendered(
    page: &Page,
    seen: (&StandingSeen, bool),
    tried: Option<(String, WayTried)>,
    asked: &WayAsked,
) -> Result<Html<String>, Problem> {
    let body = body(page, seen, (tried, asked), (&Fields::default(), &[]))?;
    Ok(page.html(&page.t("exchange-standing"), body))
}

/// The page, with what was sent to put the node in maintenance and what is wrong with it. The forms for
/// that only for who looks after the whole node.
pub(super) fn body(
    page: &Page,
    (seen, keeps): (&StandingSeen, bool),
    (tried, asked): (Option<(String, WayTried)>, &WayAsked),
    (sent, problems): (&Fields, &[Problem]),
) -> Result<String, Problem> {
    let class = match seen.light {
        Light::Good => "notice notice-good",
        Light::Amber => "notice",
        Light::Red => "notice notice-warning",
    };
    let maintenance = seen.maintenance.as_ref().map(|m| {
        let since = page.tw(
            "exchange-maintenance-since",
            &[("since", page.time(Time(m.since)))],
        );
        let until = match m.until {
            Some(until) => page.tw("exchange-maintenance-until", &[("until", page.time(Time(until)))]),
            None => page.t("exchange-maintenance-open"),
        };
        (m.notice.clone(), since, until)
    });
    let view = View {
        errors: page.errors(problems),
        keeps,
        maintenance,
        notice: sent.lines("notice").unwrap_or_default(),
        until: sent.text("until").unwrap_or_default().to_owned(),
        problems,
        sum: (
            page.t(&format!("exchange-standing-sum-{}", seen.light.as_str())),
            class,
        ),
        sections: sections(page, seen),
        ways: seen
            .ways
            .iter()
            .map(|key| (key.clone(), way_words(page, key)))
            .collect(),
        tried,
        asked,
        page,
    };
    view.render().map_err(Problem::internal)
}

/// A target as a person reads it.
pub(super) fn way_words(page: &Page, key: &str) -> String {
    let (kind, name) = key.split_once('/').unwrap_or((key, ""));
    let name = match (kind, name.parse::<usize>()) {
        ("authority", Ok(place)) => (place + 1).to_string(),
        _ => name.to_owned(),
    };
    page.tw(&format!("exchange-way-{kind}"), &[("name", name)])
}

fn light(page: &Page, light: Light) -> (String, &'static str) {
    let class = match light {
        Light::Good => "tag tag-good",
        Light::Amber => "tag tag-wait",
        Light::Red => "tag tag-bad",
    };
    (page.t(&format!("exchange-light-{}", light.as_str())), class)
}

/// Some values of the last day as a small line; nothing while all are 0.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a day")]
fn line(seen: &StandingSeen, of: impl Fn(&StandingSample) -> i64) -> String {
    let values: Vec<Option<f64>> = seen.samples.iter().map(|one| Some(of(one) as f64)).collect();
    if values.iter().flatten().all(|value| *value <= 0.0) {
        return String::new();
    }
    web::chart::spark(&values)
}

/// The largest of some values of the last day.
fn most(seen: &StandingSeen, of: impl Fn(&StandingSample) -> i64) -> i64 {
    seen.samples.iter().map(of).max().unwrap_or_default()
}

/// How long something lasts, in its largest unit.
pub(super) fn lasted(page: &Page, ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    let (unit, n) = match seconds {
        ..120 => ("seconds", seconds),
        120..7_200 => ("minutes", seconds / 60),
        7_200..172_800 => ("hours", seconds / 3_600),
        _ => ("days", seconds / 86_400),
    };
    page.tw(&format!("exchange-lasted-{unit}"), &[("n", n.to_string())])
}

fn megabytes(page: &Page, bytes: Option<u64>) -> String {
    bytes.map_or_else(
        || "–".to_owned(),
        |bytes| format!("{} MB", number(page, bytes >> 20)),
    )
}

fn sections(page: &Page, seen: &StandingSeen) -> Vec<Section> {
    let section = |id: &'static str, rows: Vec<Row>| Section {
        id,
        title: page.t(&format!("exchange-standing-{id}")),
        empty: page.t(&format!("exchange-standing-{id}-none")),
        rows,
    };
    let plain = |name: String, what: String, of: Light| Row {
        name,
        href: None,
        is_code: false,
        picture: String::new(),
        days: None,
        what,
        light: light(page, of),
    };
    let agreements = |list: &[StandingAgreement]| -> Vec<Row> {
        let row = |a: &StandingAgreement| Row {
            href: Some(format!("/exchange/agreements/{}", a.name)),
            ..plain(
                a.number.clone(),
                page.tw(
                    &format!("exchange-standing-agreement-{}", a.state),
                    &[
                        ("provider", a.provider.clone()),
                        ("consumer", a.consumer.clone()),
                        (
                            "by",
                            a.by.map_or_else(|| "–".to_owned(), |at| page.time(Time(at))),
                        ),
                    ],
                ),
                a.light,
            )
        };
        list.iter().map(row).collect()
    };
    vec![
        section(
            "node",
            [
                vec![directory(page, seen), stamps(page, seen), room(page, seen)],
                machine(page, seen),
            ]
            .concat(),
        ),
        section(
            "instances",
            seen.instances.iter().map(|i| instance(page, i)).collect(),
        ),
        section(
            "authorities",
            seen.authorities.iter().map(|a| authority(page, a)).collect(),
        ),
        section("waiting", agreements(&seen.waiting)),
        section("circuits", circuits(page, seen)),
        section("clocks", clocks(page, seen)),
        section(
            "certificates",
            seen.certificates
                .iter()
                .map(|c| {
                    let name = format!(
                        "{}: {}",
                        page.t(&format!("exchange-certificate-{}", c.what)),
                        c.whose
                    );
                    let key = if c.days < 0 { "over" } else { "until" };
                    let args = [
                        ("day", page.date(Time(c.valid_to).date())),
                        ("days", c.days.unsigned_abs().to_string()),
                    ];
                    let what = page.tw(&format!("exchange-certificate-{key}"), &args);
                    Row {
                        days: Some(c.days.clamp(0, YEAR_DAYS)),
                        ..plain(name, what, c.light)
                    }
                })
                .collect(),
        ),
        section("quotas", quotas(page, seen)),
        section("ending", agreements(&seen.ending)),
    ]
}

/// With the most of the last day behind, when it was something.
fn of_day(page: &Page, what: String, most_ms: i64) -> String {
    if most_ms <= 0 {
        return what;
    }
    what + " " + &page.tw("exchange-standing-most", &[("most", lasted(page, most_ms))])
}

fn instance(page: &Page, seen: &StandingInstance) -> Row {
    let key = seen.age_ms.map_or("none", |_| "age");
    let args = [
        ("serial", seen.serial.to_string()),
        ("members", seen.members.to_string()),
        ("age", lasted(page, seen.age_ms.unwrap_or_default())),
    ];
    Row {
        name: seen.instance.clone(),
        href: Some("/exchange/federation".to_owned()),
        is_code: true,
        what: page.tw(&format!("exchange-standing-instance-{key}"), &args),
        picture: String::new(),
        days: None,
        light: light(page, seen.light),
    }
}

fn authority(page: &Page, seen: &StandingAuthority) -> Row {
    let time = |at: Option<i64>| at.map_or_else(|| "–".to_owned(), |at| page.time(Time(at)));
    let key = match (seen.made, seen.light) {
        (None, _) => "unread",
        (Some(_), Light::Good) => "good",
        (Some(_), _) => "overdue",
    };
    let args = [
        ("source", seen.source.clone()),
        ("made", time(seen.made)),
        ("next", time(seen.next)),
    ];
    Row {
        name: seen.name.clone(),
        href: Some("/exchange/trust".to_owned()),
        is_code: false,
        what: page.tw(&format!("exchange-standing-authority-{key}"), &args),
        picture: String::new(),
        days: None,
        light: light(page, seen.light),
    }
}

fn directory(page: &Page, seen: &StandingSeen) -> Row {
    let d = &seen.directory;
    let key = match (d.serial, d.is_hub) {
        (0, _) => "none",
        (_, true) => "hub",
        (_, false) => "age",
    };
    let args = [
        ("serial", d.serial.to_string()),
        ("issued", page.time(Time(d.issued))),
        ("age", lasted(page, d.age_ms)),
        ("members", d.members.to_string()),
        ("nodes", d.nodes.to_string()),
    ];
    Row {
        name: page.t("exchange-standing-directory"),
        href: None,
        is_code: false,
        picture: line(seen, |one| one.age_ms),
        days: None,
        what: of_day(
            page,
            page.tw(&format!("exchange-standing-directory-{key}"), &args),
            most(seen, |one| one.age_ms),
        ),
        light: light(page, d.light),
    }
}

fn stamps(page: &Page, seen: &StandingSeen) -> Row {
    let t = &seen.timestamps;
    let key = match (t.authorities, t.waiting) {
        (0, _) => "nobody",
        (_, 0) => "done",
        _ => "lag",
    };
    let args = [
        ("waiting", number(page, t.waiting)),
        ("lag", lasted(page, t.lag_ms)),
    ];
    Row {
        name: page.t("exchange-standing-stamps"),
        href: None,
        is_code: false,
        picture: line(seen, |one| one.lag_ms),
        days: None,
        what: of_day(
            page,
            page.tw(&format!("exchange-standing-stamps-{key}"), &args),
            most(seen, |one| one.lag_ms),
        ),
        light: light(page, t.light),
    }
}

fn room(page: &Page, seen: &StandingSeen) -> Row {
    let r = &seen.room;
    let args = [
        ("records", number(page, r.records)),
        ("log", megabytes(page, r.log_bytes)),
        ("free", megabytes(page, r.free_bytes)),
        ("disk", megabytes(page, r.disk_bytes)),
    ];
    Row {
        name: page.t("exchange-standing-room"),
        href: None,
        is_code: false,
        picture: String::new(),
        days: None,
        what: page.tw("exchange-standing-room-says", &args),
        light: light(page, r.light),
    }
}

/// What the node stands on: rows, outbox, memory, backups.
fn machine(page: &Page, seen: &StandingSeen) -> Vec<Row> {
    let row = |key: &str, says: &str, args: &[(&str, String)], of: Light| Row {
        name: page.t(&format!("exchange-standing-{key}")),
        href: None,
        is_code: false,
        picture: String::new(),
        days: None,
        what: page.tw(&format!("exchange-standing-{key}-{says}"), args),
        light: light(page, of),
    };
    let (d, o, m) = (&seen.database, &seen.outbox, &seen.memory);
    let database = [
        ("size", megabytes(page, d.bytes)),
        ("ms", number(page, d.read_ms.max(0).unsigned_abs())),
    ];
    let outbox = [
        ("lines", number(page, o.lines)),
        ("attempts", number(page, o.attempts)),
        ("waited", lasted(page, o.waited_ms)),
    ];
    let memory = [
        ("resident", megabytes(page, m.resident_bytes)),
        ("available", megabytes(page, m.available_bytes)),
        ("total", megabytes(page, m.total_bytes)),
    ];
    let waits = match (o.lines, o.waited_ms) {
        (0, _) => "none",
        (_, 0) => "tried",
        _ => "late",
    };
    let mut rows = vec![
        row("database", d.engine, &database, d.light),
        Row {
            href: Some("/exchange/outbox".to_owned()),
            ..row("outbox", waits, &outbox, o.light)
        },
        row("memory", "says", &memory, m.light),
    ];
    rows.extend(seen.backups.iter().map(|b| match b.at {
        Some(at) => row(b.what, "at", &[("at", page.time(Time(at)))], b.light),
        None => row(b.what, "never", &[], b.light),
    }));
    rows
}

fn circuits(page: &Page, seen: &StandingSeen) -> Vec<Row> {
    let row = |c: &StandingCircuit| {
        let args = [
            ("failures", c.failures.to_string()),
            (
                "since",
                c.since.map_or_else(String::new, |at| page.time(Time(at))),
            ),
            ("why", page.t(&format!("exchange-circuit-why-{}", c.why))),
            ("address", c.address.clone()),
        ];
        Row {
            name: format!("{}: {}", page.t(&format!("exchange-circuit-{}", c.hop)), c.name),
            href: (c.hop == "service").then(|| format!("/exchange/services/{}", c.name)),
            is_code: false,
            picture: String::new(),
            days: None,
            what: page.tw(&format!("exchange-circuit-is-{}", c.state), &args),
            light: light(page, c.light),
        }
    };
    seen.circuits.iter().map(row).collect()
}

fn clocks(page: &Page, seen: &StandingSeen) -> Vec<Row> {
    let row = |c: &StandingClock| {
        let (key, off) = match c.ahead_ms {
            None => ("unread", 0),
            Some(ms) if ms < 0 => ("behind", ms.abs()),
            Some(ms) => ("ahead", ms),
        };
        let count = |ms: i64| number(page, ms.unsigned_abs());
        let args = [
            ("off", count(off)),
            ("within", count(c.within_ms.unwrap_or_default())),
            ("at", c.read_at.map_or_else(String::new, |at| page.time(Time(at)))),
            ("allowed", lasted(page, c.allowed_ms)),
        ];
        Row {
            name: c.node.clone(),
            href: None,
            is_code: true,
            picture: String::new(),
            days: None,
            what: page.tw(&format!("exchange-clock-{key}"), &args),
            light: light(page, c.light),
        }
    };
    seen.clocks.iter().map(row).collect()
}

fn quotas(page: &Page, seen: &StandingSeen) -> Vec<Row> {
    let row = |q: &StandingQuota| {
        let args = [
            ("used", number(page, q.used.into())),
            ("max", number(page, q.max.into())),
            ("frees", page.time(Time(q.frees))),
            ("consumer", q.consumer.clone()),
            ("service", q.service.clone()),
        ];
        Row {
            name: q.number.clone(),
            href: Some(format!("/exchange/agreements/{}", q.agreement)),
            is_code: false,
            picture: String::new(),
            days: None,
            what: page.tw(&format!("exchange-quota-used-{}", q.per), &args),
            light: light(page, q.light),
        }
    };
    seen.quotas.iter().map(row).collect()
}
