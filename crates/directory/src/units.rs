//! Pages and answers about one unit in time: what it is, where it went, who handles now what was
//! opened with it. What the pages share stands here; never a rule of succession: see
//! [`crate::succession`].

pub(crate) mod drawing;
pub(crate) mod handled;
pub(crate) mod list;
pub(crate) mod unit;

use kernel::text::fold;
use kernel::{AreaCode, Date, Kind, OrgCode, Problem};
use web::Page;

use crate::DirectoryState;
use crate::areas::{Act, Area, Areas, How};
use crate::succession::{Hole, Step, What};

/// Units offered when a code is not known, at most.
const SUGGESTIONS_MAX: usize = 8;

/// What a code in an address names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// An administrative unit.
    Area(AreaCode),
    /// An organisation that governs none.
    Organisation(OrgCode),
}

impl Named {
    /// Reads a code: of a unit, or of an organisation, which stands for the unit it governs.
    pub(crate) fn read(state: &DirectoryState, text: &str, on: Date) -> Option<Self> {
        let text = text.trim();
        if let Ok(area) = text.parse::<AreaCode>() {
            return (!state.areas.forms_of(&area).is_empty()).then_some(Self::Area(area));
        }
        let code: OrgCode = text.parse().ok()?;
        let forms = state.organisations.forms_of(&code);
        let form = forms.iter().find(|f| f.holds_on(on)).or_else(|| forms.last());
        if let Some(form) = form {
            return Some(form.area.clone().map_or(Self::Organisation(code), Self::Area));
        }
        let area: AreaCode = code.as_str().rsplit_once('.')?.1.parse().ok()?;
        let there = !state.areas.forms_of(&area).is_empty();
        there.then_some(Self::Area(area))
    }
}

/// Today in the country.
pub(crate) fn today(state: &DirectoryState) -> Date {
    state.directory.store().world().now().date()
}

/// A day that was asked for, ISO or as people write it; a fallback when none was.
///
/// # Errors
/// 422 at the field.
pub(crate) fn asked_day(text: Option<&str>, field: &'static str, or: Date) -> Result<Date, Problem> {
    let Some(text) = text.map(str::trim).filter(|t| !t.is_empty()) else {
        return Ok(or);
    };
    let written = || {
        let mut parts = text.split('/').map(|part| part.trim().parse::<i32>().ok());
        let (day, month, year) = (parts.next()??, parts.next()??, parts.next()??);
        kernel::time::civil_date(year, month.try_into().ok()?, day.try_into().ok()?)
    };
    kernel::time::parse_iso(text)
        .or_else(written)
        .ok_or_else(|| Problem::invalid(field, "directory-no-day"))
}

/// Units that somebody may have meant by a text that is no known code: by the beginning of the code,
/// or by the name, marks left out. In the order of their names.
pub(crate) fn suggestions<'a>(areas: &'a Areas, text: &str) -> Vec<&'a Area> {
    let text = text.trim();
    let last_group = text.rsplit('.').next().unwrap_or(text);
    let newest = |area: &&Area| areas.forms_of(&area.code).last() == Some(*area);
    let forms = areas.forms().iter().filter(newest);
    let mut found: Vec<&Area> = if last_group.len() >= 2 && last_group.bytes().all(|b| b.is_ascii_digit()) {
        let near = |area: &&Area| {
            let code = area.code.as_str();
            code.starts_with(last_group) || (code.len() == 5 && last_group.starts_with(&code[..4]))
        };
        forms.filter(near).take(SUGGESTIONS_MAX).collect()
    } else {
        let wanted = fold(text);
        if wanted.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<(bool, &Area)> = forms
            .filter_map(|area| {
                let name = fold(&area.full_name);
                name.contains(&wanted)
                    .then(|| (fold(area.name()) != wanted, area))
            })
            .collect();
        found.sort_by_key(|(whole, area)| (*whole, area.code.as_str().len()));
        found
            .into_iter()
            .map(|(_, area)| area)
            .take(SUGGESTIONS_MAX)
            .collect()
    };
    found.sort_by_cached_key(|area| crate::collate::key(area.name()));
    found
}

/// The problem of a code that no list has, naming what may have been meant.
pub(crate) fn unknown(areas: &Areas, text: &str, kind: Kind) -> Problem {
    let named: Vec<String> = suggestions(areas, text)
        .iter()
        .map(|area| format!("{} ({})", area.full_name, area.code))
        .collect();
    let code = if named.is_empty() {
        "directory-unit-unknown"
    } else {
        "directory-unit-unknown-near"
    };
    Problem::new(kind, code).at("unit").with("near", named.join(", "))
}

/// The address of a unit's page on a day.
#[must_use]
pub fn href(code: &str, on: Date) -> String {
    format!("/units/{code}?on={}", kernel::time::iso(on))
}

/// A link with its text.
pub(crate) struct Link {
    pub(crate) href: String,
    pub(crate) text: String,
    pub(crate) note: String,
}

/// An act in words.
pub(crate) fn act(page: &Page, act: &Act) -> String {
    if act.seen {
        return act.text.to_string();
    }
    page.tw("directory-act-unchecked", &[("act", act.text.to_string())])
}

/// How much of a unit, in words.
pub(crate) fn how(page: &Page, how: How) -> String {
    page.t(match how {
        How::Whole => "directory-whole",
        How::Part => "directory-part",
    })
}

/// A step in a sentence.
pub(crate) fn step(page: &Page, step: &Step) -> String {
    let key = match step.what {
        What::Whole => "directory-step-whole",
        What::Part => "directory-step-part",
        What::Changed => "directory-step-changed",
        What::TookOver => "directory-step-took-over",
    };
    let (from, to) = (step.from_name.clone(), step.to_name.clone());
    page.tw(key, &[("date", page.date(step.on)), ("from", from), ("to", to)])
}

/// Why nothing is known, in a sentence.
pub(crate) fn hole(page: &Page, hole: &Hole) -> String {
    match hole {
        Hole::BeforeFirstList { first } => page.tw("directory-hole-before", &[("date", page.date(*first))]),
        Hole::NotThere { on } => page.tw("directory-hole-not-there", &[("date", page.date(*on))]),
        Hole::NoSuccessor { unit, name, ended } => page.tw(
            "directory-hole-no-successor",
            &[
                ("name", name.clone()),
                ("code", unit.clone()),
                ("date", page.date(*ended)),
            ],
        ),
        Hole::NoOrganisation { unit, name } => page.tw(
            "directory-hole-no-organisation",
            &[("name", name.clone()), ("code", unit.clone())],
        ),
    }
}

/// The links to the page before and after, and what is shown.
pub(crate) struct Pages {
    pub(crate) shown: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// Cuts a page out of rows; pages count from 1, a page past the end is the last.
pub(crate) fn cut<T>(
    page: &Page,
    rows: Vec<T>,
    wanted: Option<usize>,
    size: usize,
    to: impl Fn(usize) -> String,
) -> (Vec<T>, Option<Pages>) {
    let total = rows.len();
    let count = total.div_ceil(size.max(1)).max(1);
    if count == 1 {
        return (rows, None);
    }
    let at = wanted.unwrap_or(1).clamp(1, count);
    let shown = [
        ("page", at.to_string()),
        ("count", count.to_string()),
        ("total", total.to_string()),
    ];
    let pages = Pages {
        shown: page.tw("directory-pages", &shown),
        before: (at > 1).then(|| to(at - 1)),
        after: (at < count).then(|| to(at + 1)),
    };
    (
        rows.into_iter().skip((at - 1) * size).take(size).collect(),
        Some(pages),
    )
}

#[cfg(test)]
mod tests {
    use crate::pages::tests::{get, portal};
    use serde_json::Value;

    async fn body(uri: &str) -> (u16, String) {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, _) = portal(&temp, None).await;
        let (status, body) = get(&router, uri).await;
        (status.as_u16(), body)
    }

    async fn json(uri: &str) -> Value {
        let (status, body) = body(uri).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("JSON")
    }

    #[tokio::test]
    async fn a_unit_page_says_where_an_ended_province_went_and_by_which_act() {
        let (status, body) = body("/units/02?on=2024-06-01").await;
        assert_eq!(status, 200);
        for words in [
            "Từ ngày 01/07/2025, toàn bộ Tỉnh Hà Giang thuộc Tỉnh Tuyên Quang.",
            "202/2025/QH15",
            "chưa đối chiếu",
            "/units/02/succession?from=2025-06-30",
            "/units/024?on=2024-06-01",
        ] {
            assert!(body.contains(words), "{words}");
        }
    }

    #[tokio::test]
    async fn a_unit_that_is_not_there_on_the_day_is_shown_as_it_last_was() {
        let (status, body) = body("/units/02?on=2026-01-01").await;
        assert_eq!(status, 200);
        assert!(body.contains("Ngày 01/01/2026 không có Tỉnh Hà Giang"));
        assert!(body.contains("Tỉnh Tuyên Quang"));
    }

    #[tokio::test]
    async fn an_organisation_code_leads_to_the_unit_it_governs() {
        let (_, commune) = body("/units/H56.14857").await;
        assert!(
            commune.contains("Xã Trung Lý, Tỉnh Thanh Hóa")
                && commune.contains("UBND xã Trung Lý (H56.14857)")
        );
        let (_, ministry) = body("/units/G14?on=2026-01-01").await;
        assert!(
            ministry.contains("Bộ Thông tin và Truyền thông")
                && ministry.contains("/units/G06?on=2025-03-01")
        );
    }

    #[tokio::test]
    async fn an_unknown_code_is_not_found_and_what_was_meant_is_named() {
        let (status, found) = body("/units/14859").await;
        assert_eq!(status, 404);
        assert!(found.contains("14857"), "{found}");
        let (status, found) = body("/units/nonsense").await;
        assert_eq!(status, 404);
        assert!(found.contains("tra cứu đơn vị"));
        let (status, found) = body("/units/02?on=31-02-2024").await;
        assert_eq!(status, 422);
        assert!(found.contains("on-error"));
    }

    #[tokio::test]
    async fn every_old_commune_of_ha_giang_is_listed_with_what_it_has_become() {
        let list = json("/api/v1/areas/02/succession?from=2024-06-01&to=2026-11-21").await;
        assert_eq!(list["counts"]["all"], 193);
        assert_eq!(list["counts"]["unknown"], 0);
        let items = list["items"].as_array().expect("items");
        assert_eq!(items.len(), 193);
        let all = items
            .iter()
            .flat_map(|i| i["successors"].as_array().expect("a list"));
        assert!(all.into_iter().all(|s| {
            s["name"]
                .as_str()
                .is_some_and(|n| n.ends_with("Tỉnh Tuyên Quang"))
        }));
        let found = json("/api/v1/areas/02/succession?from=2024-06-01&q=dong%20van").await;
        let found = found["items"].as_array().expect("items").len();
        assert!((1..20).contains(&found), "{found} of 193");
        let (_, csv) = body("/api/v1/areas/02/succession?from=2024-06-01&format=csv").await;
        assert!(csv.starts_with("\u{feff}old_code,old_name") && csv.lines().count() > 193);
    }

    #[tokio::test]
    async fn the_list_pages_prints_whole_and_says_plainly_what_is_not_known() {
        let (_, first) = body("/units/36/succession?from=2024-01-01").await;
        assert!(first.contains("Với 51 đơn vị, nguồn dữ liệu không nêu đơn vị kế thừa"));
        assert!(first.contains("rel=\"next\""));
        let (_, lost) = body("/units/36/succession?from=2024-01-01&only=unknown&all=1").await;
        assert_eq!(lost.matches("<tr><th scope=\"row\">").count(), 51);
        assert!(!lost.contains("rel=\"next\""));
        let (_, none) = body("/units/36/succession?from=2024-01-01&q=khongco").await;
        assert!(none.contains("Không có đơn vị nào phù hợp"));
    }

    #[tokio::test]
    async fn the_566_communes_without_known_successor_are_listed_for_the_country() {
        let list = json("/api/v1/areas/vn/succession?from=2024-01-01&to=2026-11-21&only=unknown").await;
        let unknown = list["counts"]["unknown"].as_u64().expect("a number");
        assert_eq!(unknown, 566);
        assert_eq!(list["items"].as_array().map(Vec::len), Some(566));
        assert_eq!(list["items"][0]["why"]["code"], "no-successor");
    }

    #[tokio::test]
    async fn days_that_make_no_sense_are_told_at_their_field() {
        for (query, field) in [
            ("from=x", "from"),
            ("to=2026-13-01", "to"),
            ("from=2026-01-01&to=2025-01-01", "from"),
            ("from=2019-01-01", "from"),
        ] {
            let (status, answer) = body(&format!("/api/v1/areas/02/succession?{query}")).await;
            let answer: Value = serde_json::from_str(&answer).expect("JSON");
            assert_eq!((status, &answer["field"]), (422, &Value::from(field)), "{query}");
        }
    }

    #[tokio::test]
    async fn a_case_of_2024_in_a_province_that_is_gone_is_handled_by_its_successor() {
        let asked = json("/api/v1/units/handled-by?unit=H22&opened=2024-06-01&on=2026-11-21").await;
        assert_eq!(
            (&asked["answer"], &asked["handler"]["organisation"]),
            (&"known".into(), &"H60".into())
        );
        assert_eq!(asked["steps"][0]["on"], "2025-07-01");
        let commune = json("/api/v1/units/handled-by?unit=14857&opened=2024-06-01&on=2026-11-21").await;
        assert_eq!(commune["handler"]["organisation"], "H56.14857");
        let then = json("/api/v1/units/handled-by?unit=14857&opened=2024-06-01&on=2025-01-01").await;
        assert_eq!(
            (&then["handler"]["organisation"], &then["handler"]["above"]),
            (&"H56".into(), &true.into())
        );
        let ministry = json("/api/v1/units/handled-by?unit=G14&opened=2024-06-01").await;
        assert_eq!(ministry["handler"]["organisation"], "G06");
        assert!(
            ministry["steps"][0]["act"]["text"]
                .as_str()
                .is_some_and(|t| t.contains("176/2025/QH15"))
        );
    }

    #[tokio::test]
    async fn where_the_data_has_a_hole_the_answer_is_unknown_and_why() {
        let lost = json("/api/v1/units/handled-by?unit=00184&opened=2022-01-01").await;
        assert_eq!(
            (&lost["answer"], &lost["why"]["code"]),
            (&"unknown".into(), &"no-successor".into())
        );
        let early = json("/api/v1/units/handled-by?unit=14857&opened=2019-06-01").await;
        assert_eq!(early["why"]["code"], "before-first-list");
        let (status, page) = body("/units/handled-by?unit=00184&opened=2022-01-01").await;
        assert_eq!(status, 200);
        assert!(page.contains("Chưa biết cơ quan nào xử lý"));
        for query in [
            "opened=2022-01-01",
            "unit=14857&opened=",
            "unit=14859&opened=2024-01-01",
            "unit=02&opened=2030-01-01",
        ] {
            let (status, page) = body(&format!("/units/handled-by?{query}")).await;
            assert_eq!(status, 422, "{query}");
            assert!(page.contains("error-summary"), "{query}");
        }
    }

    #[tokio::test]
    async fn the_drawing_has_a_box_for_every_unit_and_no_style_of_its_own() {
        let (status, body) = body("/units/02/drawing?from=2024-06-01").await;
        assert_eq!(status, 200);
        let drawings: Vec<&str> = body.split("<svg ").skip(1).collect();
        assert!(!drawings.is_empty());
        for drawing in drawings {
            let drawing = drawing.split("</svg>").next().expect("an end");
            assert!(!drawing.contains("style") && drawing.contains("aria-label"));
            assert!(drawing.matches("<rect").count() >= 2);
        }
        assert!(body.contains("rel=\"next\""), "not all on one page");
    }
}
