//! `/desk/line`: who does not answer and since when, what waits for them, and what goes on at the desk meanwhile. Shows
//! organisations, counts and instants: no case and no person.

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use kernel::{OrgCode, Problem, Time};
use serde::Serialize;
use web::openapi::{ToSchema, utoipa};
use web::{Json, Page, Principal, Refusal, SignedIn};

use super::{Line, Stands, counted};
use crate::citizen::render;
use crate::desk::checks::store as checks;
use crate::state::Cases;

/// Where it is.
pub(super) const HREF: &str = "/desk/line";
/// Names that are said in one sentence, count; what is beyond is `…`.
const NAMES_MAX: usize = 3;

/// How a desk's line to other nodes stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeskLine {
    /// `whole`; `cut` while somebody does not answer; `behind` while what waited for them is on its way.
    stands: &'static str,
    /// Since when it is not whole, RFC 3339.
    since: Option<String>,
    /// Messages that wait, count; of one topic 10,000 at most are counted.
    waiting: u64,
    /// The nodes that do not answer.
    away: Vec<AwayView>,
    /// What waits, by topic of the outbox.
    topics: Vec<WaitingView>,
    /// Answers of the reader's unit that wait to be compared with a register, count; 1,001 stands for more.
    checks_waiting: u64,
    /// Those that an official has to look at, counted so too.
    checks_open: u64,
}

/// A node that does not answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AwayView {
    /// Its id in the directory.
    node: String,
    /// The organisations that live there.
    members: Vec<String>,
    /// The first call that failed, RFC 3339.
    since: String,
}

/// What waits under one topic.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WaitingView {
    /// The topic.
    topic: &'static str,
    /// Messages, count.
    waiting: u64,
    /// Those that were tried while nobody answered, count.
    unheard: u64,
    /// When the oldest of those was written, RFC 3339.
    since: Option<String>,
}

#[derive(Template)]
#[template(path = "desk_line.html")]
struct View<'a> {
    page: &'a Page,
    /// How it stands, in words.
    stands: String,
    whole: bool,
    /// Whom a node keeps away, and since when.
    away: Vec<(String, String)>,
    /// What waits: in words, how much, since when.
    waits: Vec<(String, String, String)>,
    open: String,
    waiting: String,
}

/// How the line stands, as a page.
#[utoipa::path(get, path = "/desk/line", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    responses((status = 200, description = "who does not answer and what waits", content_type = "text/html"), (status = 403), (status = 404)))]
pub(crate) async fn show(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
) -> Result<Html<String>, Refusal> {
    let (line, waiting, open) = seen(&cases, &who).await?;
    let since = |time: Time| [("since", page.time(time))];
    let body = render(&View {
        page: &page,
        stands: match line.stands() {
            Stands::Whole => page.t("desk-line-whole"),
            Stands::Cut(time) => page.tw("desk-line-is-cut", &since(time)),
            Stands::Behind(time) => page.tw("desk-line-is-behind", &since(time)),
        },
        whole: line.stands() == Stands::Whole,
        away: line
            .away
            .iter()
            .map(|away| (names(&cases, &away.members), page.time(away.since)))
            .collect(),
        waits: line
            .waits
            .iter()
            .map(|waits| {
                let since = waits.since.map(|since| page.time(since));
                let what = page.t(&format!("desk-line-{}", waits.topic));
                (what, counted(waits.lines), since.unwrap_or_default())
            })
            .collect(),
        open: checks_counted(open),
        waiting: checks_counted(waiting),
    })?;
    Ok(page.html(&page.t("desk-line-title"), body))
}

/// How the line stands.
#[utoipa::path(get, path = "/api/v1/desk/line", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    responses((status = 200, description = "who does not answer and what waits", body = DeskLine), (status = 403), (status = 404)))]
pub(crate) async fn show_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
) -> Result<Json<DeskLine>, Refusal> {
    let (line, checks_waiting, checks_open) = seen(&cases, &who).await?;
    let (stands, since) = match line.stands() {
        Stands::Whole => ("whole", None),
        Stands::Cut(since) => ("cut", Some(since)),
        Stands::Behind(since) => ("behind", Some(since)),
    };
    Ok(Json(DeskLine {
        stands,
        since: since.map(Time::rfc3339),
        waiting: line.lines(),
        away: line
            .away
            .iter()
            .map(|away| AwayView {
                node: away.node.clone(),
                members: away.members.iter().map(ToString::to_string).collect(),
                since: away.since.rfc3339(),
            })
            .collect(),
        topics: line
            .waits
            .iter()
            .map(|waits| WaitingView {
                topic: waits.topic,
                waiting: waits.lines,
                unheard: waits.unheard,
                since: waits.since.map(Time::rfc3339),
            })
            .collect(),
        checks_waiting,
        checks_open,
    }))
}

/// The line, and how many answers of the reader's unit wait for a register and for a look.
async fn seen(cases: &Cases, who: &Principal) -> Result<(Line, u64, u64), Problem> {
    cases.official(who)?;
    let line = cases.line().await?;
    let reader = cases.store.read(&cases.tenant).await?;
    let waiting = checks::count(&reader, &who.unit, checks::Part::Waits).await?;
    let open = checks::count(&reader, &who.unit, checks::Part::Open).await?;
    Ok((line, waiting, open))
}

/// A count of answers, as pages write it.
fn checks_counted(count: u64) -> String {
    crate::desk::checks::list::counted(count)
}

/// Organisations by their names, in one sentence.
pub(super) fn names<'o>(cases: &Cases, orgs: impl IntoIterator<Item = &'o OrgCode>) -> String {
    let mut all: Vec<String> = orgs.into_iter().map(|org| cases.organisation_name(org)).collect();
    all.dedup();
    let more = all.len() > NAMES_MAX;
    all.truncate(NAMES_MAX);
    let said = all.join(", ");
    if more { format!("{said}…") } else { said }
}
