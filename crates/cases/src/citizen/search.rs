//! `GET /procedures` and its twin: finding a procedure by words, by what happens in a life, and by what
//! procedures have in common. Public; never says who asked.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use kernel::Problem;
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::page::query_value;
use web::{Json, Page, Refusal};

use crate::catalogue::browse::{Browsed, Counted, Facet, Wanted};
use crate::catalogue::level::Level;
use crate::citizen::render;
use crate::pack::Entry;
use crate::shown::say;
use crate::state::Cases;

const PAGE: &str = "/procedures";
/// Entries on a page where nobody says how many, count.
const SHOWN: usize = 20;

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
pub struct Wish {
    /// Words, or a code.
    #[serde(default)]
    q: String,
    /// What happens in a life: `birth`.
    #[serde(default)]
    event: String,
    /// A field: `ho-tich`.
    #[serde(default)]
    field: String,
    /// The publishing agency: `G15`.
    #[serde(default)]
    agency: String,
    /// Where it is done: `bo`, `tinh`, `xa`, `khac`.
    #[serde(default)]
    level: String,
    /// Who may ask: `cong-dan-viet-nam`.
    #[serde(default)]
    audience: String,
    /// `online`, `counter` or `post`.
    #[serde(default)]
    channel: String,
    /// The last code of the page before.
    #[serde(default)]
    after: String,
    /// All of the catalogue, where nothing is chosen.
    #[serde(default)]
    all: String,
    /// How many at most.
    limit: Option<usize>,
}

impl Wish {
    fn value(&self, facet: Facet) -> &str {
        match facet {
            Facet::Event => &self.event,
            Facet::Field => &self.field,
            Facet::Agency => &self.agency,
            Facet::Level => &self.level,
            Facet::Audience => &self.audience,
            Facet::Channel => &self.channel,
        }
    }

    fn chosen(&self) -> Vec<(Facet, String)> {
        let all = Facet::ALL.map(|facet| (facet, self.value(facet).to_owned()));
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    fn wanted(&self, q: &str, rows_max: usize) -> Result<Wanted, Problem> {
        let malformed = |_| Problem::invalid("after", "malformed");
        let after = (!self.after.is_empty()).then(|| self.after.parse().map_err(malformed));
        Ok(Wanted {
            q: q.to_owned(),
            chosen: self.chosen(),
            after: after.transpose()?,
            limit: self.limit.unwrap_or(SHOWN).clamp(1, rows_max),
        })
    }

    /// The address with another value at a facet; none at it when that is empty.
    fn with(&self, q: &str, at: Facet, value: &str) -> String {
        let value_of = |facet| if facet == at { value } else { self.value(facet) };
        let chosen = Facet::ALL.map(|facet| (facet.key(), value_of(facet)));
        address(std::iter::once(("q", q)).chain(chosen))
    }

    /// The address of the page behind an entry.
    fn behind(&self, q: &str, code: &str) -> String {
        let chosen = Facet::ALL.map(|facet| (facet.key(), self.value(facet)));
        address(std::iter::once(("q", q)).chain(chosen).chain([("after", code)]))
    }
}

/// The address of a list, without what is empty.
fn address<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let given = fields.filter(|(_, value)| !value.is_empty());
    let pairs: Vec<String> = given
        .map(|(name, value)| format!("{name}={}", query_value(value)))
        .collect();
    if pairs.is_empty() {
        return format!("{PAGE}?all=yes");
    }
    format!("{PAGE}?{}", pairs.join("&"))
}

/// Procedures that fit, and what could be chosen next.
#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    /// The procedures: best first where words were given, else by name.
    items: Vec<ProcedureItem>,
    /// How many fit in all.
    total: usize,
    /// Where the next page begins: give it as `after`; none when this was all.
    next: Option<String>,
    /// What the procedures have in common; each count is what choosing the value would leave.
    facets: Vec<FacetItem>,
}

/// What procedures are told apart by.
#[derive(Debug, Serialize, ToSchema)]
pub struct FacetItem {
    /// The parameter: `event`, `field`, `agency`, `level`, `audience`, `channel`.
    facet: &'static str,
    /// Its values.
    values: Vec<FacetValue>,
}

/// One value.
#[derive(Debug, Serialize, ToSchema)]
pub struct FacetValue {
    /// What the parameter is given.
    value: String,
    /// What it is called.
    name: String,
    /// Procedures it would leave under the choices made elsewhere.
    count: usize,
    /// True when it is chosen.
    chosen: bool,
}

/// One procedure.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProcedureItem {
    /// Its code.
    code: String,
    /// Its name.
    name: String,
    /// The publishing agency.
    agency: String,
    /// Its field.
    field: String,
    /// True when the catalogue says it may be filed online.
    online: bool,
    /// True when this portal takes it.
    filed_here: bool,
    /// How far it can be done online here: `information`, `partial`, `full`.
    level: &'static str,
}

#[derive(Template)]
#[template(path = "procedures.html")]
struct ProceduresPage<'a> {
    page: &'a Page,
    q: &'a str,
    /// The choices made, to be sent along with words.
    kept: Vec<(&'static str, String)>,
    /// The choices made: name of the facet, of the value, and the page without it.
    chosen: Vec<(String, String, String)>,
    /// Nothing was asked for: what is filed here.
    is_door: bool,
    /// Each with how far it can be done online.
    items: Vec<(ProcedureItem, String)>,
    total: String,
    next: Option<String>,
    first: Option<String>,
    facets: Vec<FacetLinks>,
}

struct FacetLinks {
    name: String,
    is_open: bool,
    /// The value's name, its count, and the page under it.
    links: Vec<(String, usize, String)>,
}

/// Searches and browses the catalogue.
#[utoipa::path(get, path = "/procedures", tag = "cases", security(()),
    params(("q" = Option<String>, Query, description = "words or a code"),
           ("event" = Option<String>, Query, description = "a life event"),
           ("field" = Option<String>, Query, description = "a field"),
           ("agency" = Option<String>, Query, description = "the publishing agency"),
           ("level" = Option<String>, Query, description = "where it is done"),
           ("audience" = Option<String>, Query, description = "who may ask"),
           ("channel" = Option<String>, Query, description = "how it is filed"),
           ("after" = Option<String>, Query, description = "the last code of the page before")),
    responses((status = 200, description = "what fits", content_type = "text/html"), (status = 422)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    page: Page,
    Query(wish): Query<Wish>,
) -> Result<Html<String>, Refusal> {
    let q: String = kernel::text::clean(&wish.q).chars().take(200).collect();
    let rows_max = cases.store.limits().page_rows_max;
    let browsed = cases
        .catalogue
        .browse(&wish.wanted(&q, rows_max)?, cases.today())?;
    let made = wish.chosen();
    let is_door = q.is_empty() && made.is_empty() && wish.after.is_empty() && wish.all.is_empty();
    let entries = if is_door {
        let mut filed = cases.catalogue.search("", SHOWN);
        filed.extend(cases.filed_beside());
        filed
    } else {
        browsed.entries.clone()
    };
    let items = entries.into_iter().map(|entry| {
        let item = item(&cases, entry, Some(&page));
        let level = page.t(&format!("cases-online-{}", item.level));
        (item, level)
    });
    let last = browsed.entries.last().filter(|_| browsed.more && !is_door);
    let body = render(&ProceduresPage {
        page: &page,
        q: &q,
        kept: made
            .iter()
            .map(|(facet, value)| (facet.key(), value.clone()))
            .collect(),
        chosen: chosen(&page, &browsed, &wish, &q),
        is_door,
        total: page.tw("cases-browse-total", &[("n", browsed.total.to_string())]),
        next: last.map(|entry| wish.behind(&q, entry.code.as_str())),
        first: (!wish.after.is_empty()).then(|| wish.behind(&q, "")),
        facets: Facet::ALL
            .into_iter()
            .map(|facet| links(&page, &browsed, &wish, (&q, facet, is_door)))
            .filter(|facet| !facet.links.is_empty())
            .collect(),
        items: items.collect(),
    })?;
    Ok(page.html(&page.t("cases-procedures-title"), body))
}

/// A value's name for a reader.
fn value_name(page: &Page, counted: &Counted<'_>) -> String {
    match counted.value.facet {
        facet @ (Facet::Level | Facet::Channel) => {
            page.t(&format!("cases-browse-{}-{}", facet.key(), counted.value.key))
        }
        _ => say(&counted.value.name, page.lang).to_owned(),
    }
}

fn chosen(page: &Page, browsed: &Browsed<'_>, wish: &Wish, q: &str) -> Vec<(String, String, String)> {
    let made = browsed.values.iter().filter(|counted| counted.is_chosen);
    made.map(|counted| {
        let facet = counted.value.facet;
        (
            page.t(&format!("cases-browse-{}", facet.key())),
            value_name(page, counted),
            wish.with(q, facet, ""),
        )
    })
    .collect()
}

fn links(
    page: &Page,
    browsed: &Browsed<'_>,
    wish: &Wish,
    (q, facet, is_door): (&str, Facet, bool),
) -> FacetLinks {
    let own =
        |counted: &&Counted<'_>| counted.value.facet == facet && counted.count > 0 && !counted.is_chosen;
    FacetLinks {
        name: page.t(&format!("cases-browse-{}", facet.key())),
        is_open: is_door && facet == Facet::Event,
        links: browsed
            .values
            .iter()
            .filter(own)
            .map(|counted| {
                let href = wish.with(q, facet, &counted.value.key);
                (value_name(page, counted), counted.count, href)
            })
            .collect(),
    }
}

/// Searches and browses the catalogue.
#[utoipa::path(get, path = "/api/v1/procedures", tag = "cases", security(()),
    params(("q" = Option<String>, Query, description = "words or a code"),
           ("event" = Option<String>, Query, description = "a life event: birth"),
           ("field" = Option<String>, Query, description = "a field: ho-tich"),
           ("agency" = Option<String>, Query, description = "the publishing agency: G15"),
           ("level" = Option<String>, Query, description = "where it is done: bo, tinh, xa, khac"),
           ("audience" = Option<String>, Query, description = "who may ask: cong-dan-viet-nam"),
           ("channel" = Option<String>, Query, description = "how it is filed: online, counter, post"),
           ("after" = Option<String>, Query, description = "next of the page before"),
           ("limit" = Option<usize>, Query, description = "how many at most")),
    responses((status = 200, body = Found), (status = 422)))]
pub(crate) async fn api(
    State(cases): State<Cases>,
    page: Page,
    Query(wish): Query<Wish>,
) -> Result<Json<Found>, Refusal> {
    let rows_max = cases.store.limits().page_rows_max;
    let browsed = cases
        .catalogue
        .browse(&wish.wanted(&wish.q, rows_max)?, cases.today())?;
    let value = |counted: &Counted<'_>| FacetValue {
        value: counted.value.key.clone(),
        name: value_name(&page, counted),
        count: counted.count,
        chosen: counted.is_chosen,
    };
    let facet = |facet: Facet| FacetItem {
        facet: facet.key(),
        values: browsed
            .values
            .iter()
            .filter(|counted| counted.value.facet == facet)
            .map(value)
            .collect(),
    };
    let last = browsed.entries.last().filter(|_| browsed.more);
    Ok(Json(Found {
        items: browsed
            .entries
            .iter()
            .map(|entry| item(&cases, entry, None))
            .collect(),
        total: browsed.total,
        next: last.map(|entry| entry.code.to_string()),
        facets: Facet::ALL.into_iter().map(facet).collect(),
    }))
}

/// An entry; what is filed here is called on a page as on its own, in the reader's language: the catalogue has
/// one.
fn item(cases: &Cases, entry: &Entry, page: Option<&Page>) -> ProcedureItem {
    let document = cases.procedure_today(&entry.code).ok();
    let own = document.as_deref().zip(page);
    ProcedureItem {
        code: entry.code.to_string(),
        name: own
            .map_or(entry.name.as_str(), |(p, page)| say(&p.name, page.lang))
            .to_owned(),
        agency: entry.agency.clone(),
        field: entry.field.clone(),
        online: entry.online(),
        filed_here: document
            .as_ref()
            .is_some_and(|p| p.takes(kernel::fact::Channel::Online)),
        level: Level::of(entry, document.as_deref(), cases.bank.is_some())
            .online
            .key(),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Portal, lan};

    #[tokio::test]
    async fn anyone_finds_a_procedure_by_its_name() {
        let portal = Portal::new().await;
        let found = portal
            .get(None, "/api/v1/procedures?q=dang+ky+khai+sinh&limit=3")
            .await
            .json();
        assert_eq!(found["items"][0]["code"], "1.001193");
        assert_eq!(found["items"][0]["filed_here"], true);
        assert_eq!(found["items"][0]["level"], "full");
        assert_eq!(found["items"].as_array().map(Vec::len), Some(3));
        let page = portal.get(None, "/procedures?q=khai%20sinh%20%3Cscript%3E").await;
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("<script>"), "what was asked is shown escaped");
        assert!(
            portal
                .get(Some(&lan()), "/procedures")
                .await
                .body
                .contains("/procedures/1.001193")
        );
    }

    #[tokio::test]
    async fn anyone_looks_through_the_catalogue_by_life_event_and_what_procedures_have_in_common() {
        let portal = Portal::new().await;
        let door = portal.get(None, "/procedures").await;
        assert!(door.body.contains("/procedures?event=birth") && door.body.contains("Sinh con"));
        let api = "/api/v1/procedures?event=birth&agency=G15&limit=4";
        let first = portal.get(None, api).await.json();
        let next = first["next"].as_str().expect("another page");
        assert_eq!(next, first["items"][3]["code"]);
        let second = portal.get(None, &format!("{api}&after={next}")).await.json();
        assert_ne!(first["items"], second["items"]);
        assert_eq!(first["total"], second["total"]);
        let agencies = &first["facets"][2];
        let values = agencies["values"].as_array().expect("values");
        let chosen = values
            .iter()
            .find(|v| v["chosen"] == true)
            .expect("the chosen one");
        assert_eq!(
            (&chosen["value"], &chosen["count"], &agencies["facet"]),
            (&"G15".into(), &first["total"], &"agency".into())
        );
        let list = portal.get(None, "/procedures?event=birth&agency=G15").await;
        assert!(list.status == 200 && list.body.contains("Bộ Tư pháp"));
        assert!(
            list.body.contains("/procedures?agency=G15"),
            "a choice is taken back by a link: {}",
            list.body
        );
        let all = portal.get(None, "/procedures?all=yes").await;
        assert!(all.body.contains("rel=\"next\""), "{}", all.body);
        assert!(all.body.len() < 100_000, "{} bytes", all.body.len());
    }

    #[tokio::test]
    async fn what_no_procedure_has_is_refused_and_so_is_a_page_behind_nothing() {
        let portal = Portal::new().await;
        for query in [
            "field=nothing",
            "event=%3Cb%3E",
            "after=x",
            "after=9.999999",
            "level=quan",
        ] {
            for path in ["/api/v1/procedures", "/procedures"] {
                let refused = portal.get(None, &format!("{path}?{query}")).await;
                assert_eq!(refused.status, 422, "{path}?{query}");
            }
        }
        let none = portal.get(None, "/procedures?q=qwxz+vvvv").await;
        assert!(none.status == 200 && none.body.contains("Không tìm thấy"));
    }
}
