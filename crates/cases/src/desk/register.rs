//! `/desk/register`: the register of the cases that a unit took in on a day (Sổ theo dõi hồ sơ), on the page a part at a
//! time, whole as PDF for the binder and as CSV. It names the applicants: each look leaves a fact. Never another
//! unit's than the reader's own and those below it.

mod files;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use kernel::fact::Channel;
use kernel::time::{iso, parse_iso};
use kernel::{CaseCode, Date, Fact, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};
use web::openapi::{OpenApiRouter, ToSchema, routes, utoipa};
use web::page::query_value;
use web::{Json, Page, Principal, Refusal, SignedIn};

use crate::citizen::render;
use crate::desk::store::{Place, register};
use crate::desk::worklist::{place_of, text_of};
use crate::shown::UnitLink;
use crate::state::Cases;
use crate::store::Held;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(page))
        .routes(routes!(json))
        .routes(routes!(files::pdf))
        .routes(routes!(files::csv))
}

/// Which register.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct On {
    /// The day; today when left out.
    #[serde(default)]
    on: String,
    /// The unit; the reader's own when left out.
    #[serde(default)]
    unit: String,
    /// The place after which to go on.
    #[serde(default)]
    after: String,
}

/// A case in the register.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegisterEntry {
    /// Its code.
    #[schema(value_type = String)]
    code: CaseCode,
    /// Its procedure's name in Vietnamese.
    procedure: String,
    /// Who filed it.
    applicant: String,
    /// How it came in: `counter`, `online`, `post`.
    #[schema(value_type = String)]
    channel: Channel,
    /// When it came in, RFC 3339.
    filed_at: String,
    /// By when its result was promised, RFC 3339.
    due_at: Option<String>,
    /// When its result was given, RFC 3339.
    returned_at: Option<String>,
    /// Its national status, 1 to 10.
    status: u8,
    #[serde(skip)]
    times: Times,
}

/// The same instants, for pages and papers.
#[derive(Debug)]
struct Times {
    filed: Time,
    due: Option<Time>,
    returned: Option<Time>,
}

/// A part of a register.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegisterPart {
    /// The unit.
    #[schema(value_type = String)]
    unit: OrgCode,
    /// The day.
    on: String,
    /// The cases, in the order in which they came in.
    items: Vec<RegisterEntry>,
    /// The value of `after` for the next part.
    next: Option<String>,
}

/// A unit's day.
struct Day {
    unit: OrgCode,
    date: Date,
}

#[derive(Template)]
#[template(path = "desk_register.html")]
struct View<'a> {
    page: &'a Page,
    unit: UnitLink,
    /// The day and the unit, as addresses carry them.
    on: String,
    query: String,
    /// The day in words.
    day: String,
    part: &'a RegisterPart,
    first: bool,
    next: Option<String>,
}

/// The register of a day as a page.
#[utoipa::path(get, path = "/desk/register", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("on" = Option<String>, Query, description = "the day, `2026-11-23`; today when left out"),
           ("unit" = Option<String>, Query, description = "the unit's code; the own one when left out"),
           ("after" = Option<String>, Query, description = "go on after this place")),
    responses((status = 200, description = "what came in on the day", content_type = "text/html"), (status = 403), (status = 404),
              (status = 422, description = "no such day")),
    extensions(("x-facts" = json!(["case-register-viewed"]))))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Query(asked): Query<On>,
) -> Result<Html<String>, Refusal> {
    let day = cases.day_of(&who, &asked)?;
    let part = cases.part_of(&who, &day, &asked.after).await?;
    let query = format!("on={}&unit={}", part.on, query_value(part.unit.as_str()));
    let next = part.next.as_ref();
    let body = render(&View {
        page: &page,
        unit: UnitLink::new(&cases, &day.unit, day.date),
        on: part.on.clone(),
        day: page.date(day.date),
        part: &part,
        first: asked.after.is_empty(),
        next: next.map(|next| format!("/desk/register?{query}&after={}", query_value(next))),
        query,
    })?;
    Ok(page.html(&page.t("desk-register"), body))
}

/// The register of a day.
#[utoipa::path(get, path = "/api/v1/desk/register", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("on" = Option<String>, Query, description = "the day, `2026-11-23`; today when left out"),
           ("unit" = Option<String>, Query, description = "the unit's code; the own one when left out"),
           ("after" = Option<String>, Query, description = "go on after this place")),
    responses((status = 200, description = "what came in on the day", body = RegisterPart), (status = 403), (status = 404), (status = 422)),
    extensions(("x-facts" = json!(["case-register-viewed"]))))]
pub(crate) async fn json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Query(asked): Query<On>,
) -> Result<Json<RegisterPart>, Refusal> {
    let day = cases.day_of(&who, &asked)?;
    Ok(Json(cases.part_of(&who, &day, &asked.after).await?))
}

impl Cases {
    /// The day and unit that are asked for, where the reader may see them.
    fn day_of(&self, who: &Principal, asked: &On) -> Result<Day, Problem> {
        self.official(who)?;
        let unit = match asked.unit.trim() {
            "" => who.unit.clone(),
            code => code.parse().map_err(|_| Problem::not_found())?,
        };
        if !who.unit.holds(&unit) {
            return Err(Problem::not_found());
        }
        let date = match asked.on.trim() {
            "" => self.today(),
            day => parse_iso(day).ok_or_else(|| Problem::invalid("on", "date-bad"))?,
        };
        Ok(Day { unit, date })
    }

    /// A part of a day's register, and the fact that it was read.
    async fn part_of(&self, who: &Principal, day: &Day, after: &str) -> Result<RegisterPart, Problem> {
        let limit = self.store.limits().page_rows_max;
        let after = place_of(after)?;
        let reader = self.store.read(&self.tenant).await?;
        let mut held = register::of_day(&reader, &day.unit, day.span(), after.as_ref(), limit + 1).await?;
        drop(reader);
        let more = held.len() > limit;
        held.truncate(limit);
        let next = held
            .last()
            .filter(|_| more)
            .map(|last| text_of(&register::place(last)));
        self.note_register(who, day, held.len()).await?;
        Ok(RegisterPart {
            unit: day.unit.clone(),
            on: iso(day.date),
            items: held.into_iter().map(|held| self.entry(held)).collect(),
            next,
        })
    }

    /// The whole register of a day, and the fact that it was read.
    async fn whole_of(&self, who: &Principal, day: &Day) -> Result<Vec<RegisterEntry>, Problem> {
        let limits = self.store.limits();
        let (max, step) = (limits.desk_register_rows_max, limits.page_rows_max.max(1));
        let mut after: Option<Place> = None;
        let mut all = Vec::new();
        loop {
            let reader = self.store.read(&self.tenant).await?;
            let held = register::of_day(&reader, &day.unit, day.span(), after.as_ref(), step).await?;
            drop(reader);
            let last = held.len() < step;
            after = held.last().map(register::place);
            all.extend(held.into_iter().map(|held| self.entry(held)));
            if all.len() > max {
                return Err(Problem::new(kernel::Kind::TooLarge, "register-long").with("max", max));
            }
            if last {
                break;
            }
        }
        self.note_register(who, day, all.len()).await?;
        Ok(all)
    }

    async fn note_register(&self, who: &Principal, day: &Day, rows: usize) -> Result<(), Problem> {
        let fact = Fact::CaseRegisterViewed {
            unit: day.unit.clone(),
            day: iso(day.date),
            rows: u64::try_from(rows).unwrap_or(u64::MAX),
        };
        let (subject, fact) = (&format!("register/{}", day.unit), &fact);
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                tx.fact(subject, fact.clone()).await.map(drop)
            })
            .await
    }

    fn entry(&self, held: Held) -> RegisterEntry {
        let procedure = self.procedure_of(&held.case).ok();
        let case = held.case;
        let times = Times {
            filed: case.filed_at,
            due: held.due_at,
            returned: case.returned_at,
        };
        RegisterEntry {
            procedure: procedure.map_or_else(|| case.procedure.to_string(), |p| p.name.vi.clone()),
            applicant: case.applicant.name,
            channel: case.channel,
            filed_at: times.filed.rfc3339(),
            due_at: times.due.map(Time::rfc3339),
            returned_at: times.returned.map(Time::rfc3339),
            status: held.status,
            code: case.code,
            times,
        }
    }
}

impl Day {
    /// Its first instant, and that of the next day.
    fn span(&self) -> (Time, Time) {
        let from = Time::at(self.date, 0);
        (from, from.plus_ms(86_400_000))
    }
}

impl View<'_> {
    fn channel(&self, channel: Channel) -> String {
        self.page.t(channel_key(channel))
    }

    fn status(&self, status: u8) -> String {
        self.page.t(&format!("cases-status-{status}"))
    }

    fn at(&self, time: Option<Time>) -> String {
        time.map(|time| self.page.time(time)).unwrap_or_default()
    }
}

/// The words for a channel.
const fn channel_key(channel: Channel) -> &'static str {
    match channel {
        Channel::Counter => "cases-channel-counter",
        Channel::Online => "cases-channel-online",
        Channel::Post => "cases-channel-post",
    }
}

#[cfg(test)]
mod tests {
    use kernel::limits::Limits;
    use serde_json::json;

    use crate::desk::testing::{CASE, Desk, UNIT, handover, pack_templates};

    const API: &str = "/api/v1/desk/register?on=2026-11-21";

    /// Three cases of a day, two on a page.
    async fn three() -> Desk {
        let limits = Limits {
            page_rows_max: 2,
            desk_register_rows_max: 3,
            ..Limits::default()
        };
        let desk = Desk::with(pack_templates(), limits).await;
        for number in 1..=3 {
            let mut body = handover();
            body["code"] = json!(format!("G22-261121-{number:04}"));
            desk.receive(&body).await.expect("received");
        }
        desk
    }

    #[tokio::test]
    async fn the_register_of_a_day_has_each_case_once_and_each_look_leaves_a_fact() {
        let desk = three().await;
        let first = desk.get("tiep", API).await;
        assert_eq!(first.status, 200, "{}", first.body);
        let first = first.json();
        assert_eq!(first["items"].as_array().map(Vec::len), Some(2));
        assert_eq!(
            (&first["items"][0]["code"], &first["items"][0]["channel"]),
            (&json!(CASE), &json!("online"))
        );
        let after = first["next"].as_str().expect("more");
        let rest = desk.get("tiep", &format!("{API}&after={after}")).await.json();
        assert_eq!(rest["items"].as_array().map(Vec::len), Some(1));
        assert_eq!(rest["next"], json!(null));
        let page = desk.get("tiep", "/desk/register?on=2026-11-21").await.body;
        assert!(
            page.contains("Lê Thị Lan") && page.contains("rel=\"next\""),
            "{page}"
        );
        let empty = desk.get("tiep", "/desk/register?on=2026-11-20").await.body;
        assert!(empty.contains("Không có hồ sơ nào"), "{empty}");
        let facts = desk.facts_of(&format!("register/{UNIT}")).await;
        assert_eq!(facts.len(), 4, "{facts:?}");
    }

    #[tokio::test]
    async fn the_register_is_printed_and_saved_whole() {
        let desk = three().await;
        let file = desk.get("tiep", "/desk/register.csv?on=2026-11-21").await;
        assert_eq!(file.status, 200, "{}", file.body);
        assert_eq!(
            file.body.lines().count(),
            4,
            "a head and three cases: {}",
            file.body
        );
        assert!(file.body.contains(CASE) && file.body.contains("Lê Thị Lan"));
        let paper = desk.get("tiep", "/desk/register.pdf?on=2026-11-21").await;
        assert!(
            paper.status == 200 && paper.bytes.starts_with(b"%PDF"),
            "{}",
            paper.body
        );
        let mut body = handover();
        body["code"] = json!("G22-261121-0004");
        desk.receive(&body).await.expect("received");
        let long = desk.get("tiep", "/desk/register.csv?on=2026-11-21").await;
        assert_eq!(long.status, 413, "more than fits is told, not cut off");
    }

    #[tokio::test]
    async fn nobody_reads_the_register_of_another_unit() {
        let desk = three().await;
        let of = |unit: &str| format!("{API}&unit={unit}");
        assert_eq!(desk.get("giam", &of(UNIT)).await.status, 200, "the province");
        for (who, path, status) in [
            ("ban", of(UNIT), 404),
            ("tiep", of("H56"), 404),
            ("tiep", of("nonsense unit"), 404),
            ("xa", API.to_owned(), 404),
            ("", API.to_owned(), 401),
            ("tiep", "/api/v1/desk/register?on=31-31-2026".to_owned(), 422),
        ] {
            let path = path.replace(' ', "%20");
            assert_eq!(desk.get(who, &path).await.status, status, "{who} {path}");
        }
    }
}
