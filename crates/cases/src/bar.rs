//! The time of a case as a bar and as a table: before it was taken in, while its agency worked on it, while that
//! waited for the applicant, by when the result is owed and what is late. Drawn from instants and a calendar:
//! never says anything of a person.

use askama::Template;
use kernel::calendar::Calendar;
use kernel::{Problem, Time};
use web::Page;

use crate::citizen::course::{ENDED, PAUSED, hours};
use crate::citizen::render;
use crate::consult::Consult;
use crate::state::Cases;
use crate::store::{Held, StatusRow};

/// The width of a whole bar, in thousandths of the place it has.
const WIDTH: i64 = 1_000;
/// The width that every part has at least so that it is seen, in the same unit.
const WIDTH_MIN: i64 = 12;
/// Where a mark has its words to its right, and from where to its left: they stay within the bar at 320 px.
const WORDS_BESIDE: (i64, i64) = (330, 670);
/// What is later after the filing is drawn as if it were then, in milliseconds: some twenty years.
const DRAWN_MS_MAX: i64 = 20 * 366 * 86_400_000;

/// Whose turn it is in a part of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The case was filed and is not accepted yet.
    Filed,
    /// The agency works on it.
    Agency,
    /// The agency waits for the applicant: its clock stands still.
    Applicant,
    /// The agency works on it, and the result is owed already.
    Late,
    /// What is left until the result is owed.
    Left,
    /// What was left when it ended.
    Spare,
}

impl Turn {
    /// All of them, in the order in which they are explained.
    const ALL: [Self; 6] = [
        Self::Filed,
        Self::Agency,
        Self::Applicant,
        Self::Late,
        Self::Left,
        Self::Spare,
    ];

    /// Whose turn a national status makes it: the agency's while its clock runs. `None` for a status that
    /// changes nothing of that, and for one that ends the case.
    fn of(status: u8) -> Option<Self> {
        match status {
            2 | 4 => Some(Self::Agency),
            status if PAUSED.contains(&status) => Some(Self::Applicant),
            _ => None,
        }
    }

    /// Its words.
    const fn key(self) -> &'static str {
        match self {
            Self::Filed => "cases-bar-filed",
            Self::Agency => "cases-bar-agency",
            Self::Applicant => "cases-bar-applicant",
            Self::Late => "cases-bar-late",
            Self::Left => "cases-bar-left",
            Self::Spare => "cases-bar-spare",
        }
    }

    /// How it is filled, each with a pattern of its own: dots, dark, stripes, stripes the other way, nothing.
    const fn fill(self) -> &'static str {
        match self {
            Self::Filed => "url(#bar-filed)",
            Self::Agency => "#0b4a82",
            Self::Applicant => "url(#bar-applicant)",
            Self::Late => "url(#bar-late)",
            Self::Left | Self::Spare => "#fff",
        }
    }
}

/// A part of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    turn: Turn,
    from: Time,
    to: Time,
    /// True for the part that lasts.
    lasts: bool,
    /// The working minutes in it, by the agency's calendar.
    minutes: i64,
}

/// What a bar is drawn from.
struct Times<'a> {
    filed: Time,
    /// The changes of the national status, in order.
    changes: &'a [(Time, u8)],
    /// By when the result is owed.
    due: Option<Time>,
    /// When the case ended.
    ended: Option<Time>,
    now: Time,
}

impl<'a> Times<'a> {
    /// The times of a case, whose end is told by its changes where they reach so far.
    fn of(held: &Held, changes: &'a [(Time, u8)], now: Time) -> Self {
        let end = changes.iter().find(|(_, status)| ENDED.contains(status));
        let end = end.map(|(at, _)| *at).or(held.ended_at);
        Self {
            filed: held.case.filed_at,
            changes,
            due: due_of(held),
            ended: end.filter(|_| ENDED.contains(&held.status)),
            now,
        }
    }

    /// The turns, each with the instant at which it began.
    fn turns(&self) -> Vec<(Time, Turn)> {
        let last = self.last();
        let (mut since, mut turn) = (self.filed, Turn::Filed);
        let mut turns = vec![(since, turn)];
        for &(at, status) in self.changes {
            if let Some(next) = Turn::of(status).filter(|next| *next != turn) {
                since = at.clamp(since, last);
                turn = next;
                turns.push((since, turn));
            }
        }
        turns
    }

    /// The instant until which the case is told: its end, else now.
    fn last(&self) -> Time {
        self.within(self.ended.unwrap_or(self.now))
    }

    /// The due date as it is drawn. While the agency waits for the applicant one that is still to come is
    /// left out: it is counted again with the answer.
    fn owed(&self) -> Option<Time> {
        let due = self.within(self.due?);
        match self.turns().last() {
            Some((since, Turn::Applicant)) if self.ended.is_none() && due > *since => None,
            _ => Some(due),
        }
    }

    fn within(&self, at: Time) -> Time {
        let end = Time(self.filed.ms().saturating_add(DRAWN_MS_MAX));
        at.clamp(self.filed, end)
    }

    /// The parts of the time, in order and without a gap; at least one.
    fn parts(&self, calendar: &Calendar) -> Vec<Part> {
        let (turns, last, due) = (self.turns(), self.last(), self.owed());
        let ends = turns.iter().skip(1).map(|(at, _)| *at).chain([last]);
        let mut spans = Vec::new();
        for (&(from, turn), to) in turns.iter().zip(ends) {
            let late = match (turn, due) {
                (Turn::Agency, Some(due)) => due.clamp(from, to),
                _ => to,
            };
            spans.push((turn, from, late));
            spans.push((Turn::Late, late, to));
        }
        if let Some(due) = due {
            let left = self.ended.map_or(Turn::Left, |_| Turn::Spare);
            spans.push((left, last, due.max(last)));
        }
        spans.retain(|(_, from, to)| from < to);
        if spans.is_empty() {
            // Filed this moment: its first part is there, however short.
            spans.push((Turn::Filed, last, last));
        }
        let part = |(turn, from, to): (Turn, Time, Time)| Part {
            turn,
            from,
            to,
            lasts: self.ended.is_none() && to == last,
            minutes: calendar.between(from, to),
        };
        spans.into_iter().map(part).collect()
    }
}

/// The due date of a case. Nothing is owed of one that ended without a result; whether a result was on time is
/// judged by the end of its term, whatever a letter promised.
fn due_of(held: &Held) -> Option<Time> {
    let term = held.working_out.as_ref().map(|counted| counted.due);
    match held.status {
        3 | 7 | 8 => None,
        9 | 10 => term.or(held.due_at),
        _ => held.due_at,
    }
}

/// Where the parts begin, and where the last one ends: by their time, beside what each has at least.
fn edges(parts: &[Part]) -> Vec<i64> {
    let count = i64::try_from(parts.len()).unwrap_or(WIDTH).max(1);
    let least = WIDTH_MIN.min(WIDTH / 2 / count);
    let free = WIDTH - least * count;
    let length = |part: &Part| part.to.ms() - part.from.ms();
    let whole = parts.iter().map(length).sum::<i64>().max(1);
    let (mut edges, mut taken, mut before) = (vec![0], 0, 0);
    for part in parts {
        taken += least;
        before += length(part);
        edges.push(taken + free * before / whole);
    }
    if let Some(end) = edges.last_mut() {
        *end = WIDTH;
    }
    edges
}

/// Where an instant stands on the bar.
fn place(parts: &[Part], edges: &[i64], at: Time) -> i64 {
    let ends = edges.iter().zip(edges.iter().skip(1));
    let found = parts.iter().zip(ends).find(|(part, _)| at < part.to);
    found.map_or(WIDTH, |(part, (begin, end))| {
        let length = (part.to.ms() - part.from.ms()).max(1);
        let into = (at.ms() - part.from.ms()).max(0);
        begin + (end - begin) * into / length
    })
}

/// Thousandths in percent, as a number.
fn percent(thousandths: i64) -> String {
    format!("{}.{}", thousandths / 10, thousandths % 10)
}

#[derive(Template)]
#[template(path = "bar.html")]
struct BarPart<'a> {
    page: &'a Page,
    /// What the picture shows, in words.
    description: String,
    pieces: Vec<Piece>,
    due: Option<Mark>,
    /// Now, or the end.
    until: Mark,
    /// What each pattern means, and the working time in it.
    legend: Vec<(Turn, String)>,
    rows: Vec<Row>,
}

/// A part as it is drawn; numbers in percent of the width.
struct Piece {
    turn: Turn,
    x: String,
    width: String,
}

/// An instant as it is drawn: where, and on which side of it its words stand.
struct Mark {
    x: String,
    anchor: &'static str,
    text: String,
}

impl Mark {
    fn new(at: i64, text: String) -> Self {
        let (right, left) = WORDS_BESIDE;
        let anchor = match at {
            at if at < right => "start",
            at if at > left => "end",
            _ => "middle",
        };
        Self {
            x: percent(at),
            anchor,
            text,
        }
    }
}

/// A part as a line of the table.
struct Row {
    who: String,
    from: String,
    to: String,
    time: String,
}

impl Row {
    fn new(page: &Page, part: &Part) -> Self {
        Self {
            who: page.t(part.turn.key()),
            from: page.time(part.from),
            to: match part.lasts {
                true => page.t("cases-bar-so-far"),
                false => page.time(part.to),
            },
            time: hours(page, part.minutes),
        }
    }

    /// The line as a sentence.
    fn told(&self, page: &Page) -> String {
        let args = [
            ("what", self.who.clone()),
            ("from", self.from.clone()),
            ("to", self.to.clone()),
            ("time", self.time.clone()),
        ];
        page.tw("cases-bar-part", &args)
    }
}

/// The turns that a bar has, in words, with the working time of each.
fn legend(page: &Page, parts: &[Part]) -> Vec<(Turn, String)> {
    let told = |turn: Turn| {
        let args = [
            ("what", page.t(turn.key())),
            ("time", hours(page, minutes_of(parts, turn)?)),
        ];
        Some((turn, page.tw("cases-bar-sum", &args)))
    };
    Turn::ALL.into_iter().filter_map(told).collect()
}

/// The working minutes of a turn; `None` when it has no part.
fn minutes_of(parts: &[Part], turn: Turn) -> Option<i64> {
    let minutes = parts.iter().filter(|part| part.turn == turn);
    minutes.map(|part| part.minutes).reduce(|sum, more| sum + more)
}

/// The part of a page that shows the time of a case.
///
/// # Errors
/// Internal when it cannot be put together.
pub(crate) fn body(
    cases: &Cases,
    page: &Page,
    held: &Held,
    statuses: &[StatusRow],
) -> Result<String, Problem> {
    let changes: Vec<_> = statuses.iter().map(|row| (row.at, row.status)).collect();
    let calendar = cases.calendars.of(&held.case.unit);
    let times = Times::of(held, &changes, cases.store.world().now());
    let asked = held.case.course.consults.iter();
    let asked = asked.map(|one| asked_of(cases, page, one, times.now)).collect();
    drawn(page, &times, &calendar, asked)
}

/// An opinion that another unit was asked for, as a line of the table: its own time runs beside the case's.
fn asked_of(cases: &Cases, page: &Page, one: &Consult, now: Time) -> Row {
    let answered = one.answer.as_ref().map(|answer| answer.at);
    let end = answered.or(one.ended.as_ref().map(|ended| ended.at));
    let unit = cases.organisation_name(&one.unit);
    let minutes = cases.calendars.of(&one.unit).between(one.at, end.unwrap_or(now));
    Row {
        who: page.tw("desk-bar-consult", &[("unit", unit)]),
        from: page.time(one.at),
        to: end.map_or_else(|| page.t("cases-bar-so-far"), |end| page.time(end)),
        time: hours(page, minutes),
    }
}

fn drawn(page: &Page, times: &Times<'_>, calendar: &Calendar, asked: Vec<Row>) -> Result<String, Problem> {
    let parts = times.parts(calendar);
    let edges = edges(&parts);
    let steps = edges.iter().zip(edges.iter().skip(1));
    let piece = |(part, (begin, end)): (&Part, (&i64, &i64))| Piece {
        turn: part.turn,
        x: percent(*begin),
        width: percent(end - begin),
    };
    let mark = |at: Time, text: String| Mark::new(place(&parts, &edges, at), text);
    let until = match times.ended {
        Some(_) => "cases-bar-ended",
        None => "cases-bar-now",
    };
    let due = |due: Time| mark(due, page.tw("cases-bar-due", &[("time", page.time(due))]));
    let rows: Vec<Row> = parts.iter().map(|part| Row::new(page, part)).collect();
    let told: Vec<String> = rows.iter().map(|row| row.told(page)).collect();
    render(&BarPart {
        page,
        description: told.join("; "),
        pieces: parts.iter().zip(steps).map(piece).collect(),
        due: times.owed().map(due),
        until: mark(times.last(), page.t(until)),
        legend: legend(page, &parts),
        rows: rows.into_iter().chain(asked).collect(),
    })
}

#[cfg(test)]
mod tests {
    use kernel::OrgCode;
    use kernel::fact::Channel;
    use serde_json::json;

    use super::*;
    use crate::clock::fold::{Event, Rules, reckon};
    use crate::desk::testing::{CASE, Desk, MONDAY};
    use crate::testing::{Portal, birth, lan, nouns};

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(&format!("2026-11-{text}:00+07:00")).expect("a time")
    }

    /// A case that was filed on Monday, 2 November 2026, at 8 o'clock.
    fn times<'a>(changes: &'a [(Time, u8)], due: Option<&str>, now: &str) -> Times<'a> {
        let end = changes.iter().find(|(_, status)| ENDED.contains(status));
        Times {
            filed: at("02T08:00"),
            changes,
            due: due.map(at),
            ended: end.map(|(at, _)| *at),
            now: at(now),
        }
    }

    /// The parts of a case with their working minutes; the widths of every bar are looked at on the way.
    fn told(times: &Times<'_>) -> Vec<(Turn, i64)> {
        let parts = times.parts(&Calendar::standard());
        let edges = edges(&parts);
        let widths: Vec<i64> = edges.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(widths.iter().sum::<i64>(), WIDTH, "the widths are the whole");
        assert_eq!(widths.len(), parts.len());
        assert!(widths.iter().all(|width| *width >= WIDTH_MIN), "{widths:?}");
        for pair in parts.windows(2) {
            assert_eq!(pair[0].to, pair[1].from, "without a gap");
        }
        parts.iter().map(|part| (part.turn, part.minutes)).collect()
    }

    #[test]
    fn a_case_that_ran_straight_has_its_agencys_time_and_what_was_left_of_it() {
        let changes = [
            (at("02T08:00"), 1),
            (at("02T09:00"), 2),
            (at("02T10:00"), 4),
            (at("03T09:00"), 9),
            (at("03T16:00"), 10),
        ];
        let times = times(&changes, Some("04T09:00"), "20T09:00");
        assert_eq!(
            told(&times),
            [(Turn::Filed, 60), (Turn::Agency, 480), (Turn::Spare, 480)]
        );
        let parts = times.parts(&Calendar::standard());
        assert!(parts.iter().all(|part| !part.lasts), "it has ended");
    }

    #[test]
    fn time_that_waits_for_the_applicant_stands_apart_and_the_rest_is_what_the_agency_used() {
        let changes = [(at("02T09:00"), 2), (at("03T09:00"), 5), (at("05T14:00"), 2)];
        let times = times(&changes, Some("09T09:00"), "06T09:00");
        assert_eq!(
            told(&times),
            [
                (Turn::Filed, 60),
                (Turn::Agency, 480),
                (Turn::Applicant, 1_140),
                (Turn::Agency, 300),
                (Turn::Left, 480),
            ]
        );
        let parts = times.parts(&Calendar::standard());
        let spent = crate::clock::spent(&Calendar::standard(), &changes, times.now);
        assert_eq!(minutes_of(&parts, Turn::Agency), Some(spent));
        let lasting: Vec<Turn> = parts.iter().filter(|p| p.lasts).map(|p| p.turn).collect();
        assert_eq!(lasting, [Turn::Agency]);
        let edges = edges(&parts);
        assert_eq!(place(&parts, &edges, times.last()), edges[4], "now");
        assert_eq!(place(&parts, &edges, at("09T09:00")), WIDTH, "the due date");
    }

    #[test]
    fn what_is_late_begins_where_the_result_was_owed() {
        let changes = [(at("02T09:00"), 2)];
        let running = times(&changes, Some("02T17:00"), "03T10:00");
        let late = [(Turn::Filed, 60), (Turn::Agency, 360), (Turn::Late, 180)];
        assert_eq!(told(&running), late);
        let changes = [(at("02T09:00"), 2), (at("03T10:00"), 9)];
        let ended = times(&changes, Some("02T17:00"), "20T10:00");
        assert_eq!(told(&ended), late);
    }

    #[test]
    fn while_the_applicant_is_waited_for_no_date_to_come_is_drawn() {
        let changes = [(at("02T09:00"), 2), (at("03T09:00"), 5), (at("03T10:00"), 5)];
        let waits = times(&changes, Some("04T09:00"), "05T09:00");
        assert_eq!(waits.owed(), None);
        let parts = [(Turn::Filed, 60), (Turn::Agency, 480), (Turn::Applicant, 960)];
        assert_eq!(told(&waits), parts);
        let late = times(&changes, Some("02T17:00"), "03T10:00");
        assert_eq!(
            told(&late),
            [
                (Turn::Filed, 60),
                (Turn::Agency, 360),
                (Turn::Late, 120),
                (Turn::Applicant, 60),
            ],
            "what was late before stays so"
        );
    }

    #[test]
    fn a_case_that_nobody_accepted_has_its_first_part_alone() {
        let new = [(at("02T08:00"), 1)];
        assert_eq!(told(&times(&[], None, "02T08:00")), [(Turn::Filed, 0)]);
        assert_eq!(told(&times(&new, None, "02T08:00")), [(Turn::Filed, 0)]);
        assert_eq!(told(&times(&new, None, "02T10:00")), [(Turn::Filed, 120)]);
        for ended in [3, 7] {
            let changes = [(at("02T08:00"), 1), (at("02T10:00"), ended)];
            let ended = times(&changes, None, "20T10:00");
            assert_eq!(told(&ended), [(Turn::Filed, 120)], "it ends there");
        }
    }

    #[test]
    fn instants_out_of_order_or_out_of_reach_are_drawn_where_they_can_be() {
        let changes = [(Time(i64::MIN), 2), (at("01T09:00"), 5), (Time(i64::MAX), 4)];
        let mut wild = times(&changes, None, "03T08:00");
        assert_eq!(told(&wild), [(Turn::Applicant, 480)]);
        wild.due = Some(Time(i64::MAX));
        assert_eq!(told(&wild).len(), 2);
        let parts = wild.parts(&Calendar::standard());
        let years = parts.iter().map(|part| part.to.ms() - part.from.ms());
        assert_eq!(years.sum::<i64>(), DRAWN_MS_MAX);
    }

    #[test]
    fn the_turns_of_a_case_are_the_spans_of_its_clock() {
        let unit: OrgCode = "H56.15865".parse().expect("a code");
        let (accepted, asked, given) = (at("02T09:00"), at("03T09:00"), at("05T14:00"));
        let events = [
            Event::Accepted {
                at: accepted,
                unit: unit.clone(),
            },
            Event::Asked { at: asked },
            Event::Resumed { at: given, unit },
        ];
        let rules = Rules {
            procedure: &birth(),
            channel: Channel::Online,
            filed: at("02T08:00").date(),
            answers: &crate::case::Answers::new(),
            calendars: &nouns().calendars,
        };
        let clock = reckon(&rules, &events).expect("a clock");
        let spans: Vec<_> = clock.spans.iter().map(|span| (span.from, span.runs)).collect();
        let changes = [(accepted, 2), (asked, 5), (given, 2)];
        let turns = times(&changes, None, "06T09:00").turns();
        let runs = turns
            .iter()
            .skip(1)
            .map(|(at, turn)| (*at, *turn == Turn::Agency));
        assert_eq!(runs.collect::<Vec<_>>(), spans);
    }

    /// The part of a page between the bar's beginning and its end.
    fn bar(page: &str) -> &str {
        let from = page.find("<section class=\"case-bar\"").expect("a bar");
        let bar = page.get(from..).unwrap_or_default();
        bar.split("</section>").next().unwrap_or_default()
    }

    fn has(page: &str, all: &[&str]) {
        for part in all {
            assert!(page.contains(part), "{part} in {page}");
        }
        for person in ["Lê Thị", "Nguyễn", "Minh Anh", "038198000001"] {
            assert!(!page.contains(person), "{person}");
        }
        assert!(!page.contains("style="), "the content policy forbids it");
    }

    /// A case that was accepted on Monday, waited from then to Tuesday and ended there, as its owner told.
    async fn followed() -> (Portal, String) {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        let hour = |hours: i64| testkit::START.plus_ms(hours * 3_600_000).ms();
        let counted = json!({"from": hour(48), "term_minutes": 60, "rule": "same-day",
            "lines": [{"date": "2026-11-23", "minutes": 57, "reason": ""}], "due": hour(80)});
        for (seq, status, at) in [(1, 2, 48), (2, 5, 50), (3, 2, 72), (4, 9, 74)] {
            let note = json!({"seq": seq, "status": status, "at": hour(at), "due": hour(80),
                "working_out": counted});
            portal.note(&code, note).await.expect("noted");
        }
        (portal, code)
    }

    #[tokio::test]
    async fn the_applicant_sees_for_whom_the_case_waited_in_both_languages() {
        let (portal, code) = followed().await;
        let page = portal.get(Some(&lan()), &format!("/cases/{code}")).await.body;
        has(
            bar(&page),
            &[
                "role=\"img\"",
                "<title id=\"bar-title\">",
                "Chờ người nộp",
                "<caption>",
                "11:30 ngày 23/11/2026",
                "Kết thúc",
                "url(#bar-applicant)",
            ],
        );
        assert!(page.contains("Cách tính hạn trả kết quả"));
        let english = portal
            .get(Some(&lan()), &format!("/cases/{code}?lang=en"))
            .await
            .body;
        has(
            bar(&english),
            &["Waiting for the applicant", "23 November 2026, 11:30"],
        );
    }

    #[tokio::test]
    async fn who_tracks_a_case_sees_its_bar_and_how_the_date_was_counted_and_no_person() {
        let (portal, code) = followed().await;
        let fields = [("code", code.as_str()), ("digits", "0001")];
        let page = portal.post(None, "/track", &fields).await.body;
        has(bar(&page), &["role=\"img\"", "<caption>", "Cơ quan giải quyết"]);
        has(&page, &["Cách tính hạn trả kết quả", "23/11/2026", ">57<"]);
        let new = Portal::new().await;
        let code = new.filed(&lan()).await;
        let fields = [("code", code.as_str()), ("digits", "0001")];
        let page = new.post(None, "/track", &fields).await.body;
        has(bar(&page), &["Trước khi tiếp nhận", "Hiện nay"]);
        assert!(!page.contains("Cách tính hạn"), "nothing is counted yet");
    }

    #[tokio::test]
    async fn an_official_sees_the_bar_of_a_case_and_what_is_late_of_it() {
        let desk = Desk::new().await;
        let path = format!("/desk/cases/{CASE}");
        let page = desk.get("tich", &path).await.body;
        has(bar(&page), &["Trước khi tiếp nhận", "<caption>"]);
        assert!(!bar(&page).contains("Cơ quan giải quyết"), "not accepted yet");
        desk.accept().await;
        desk.temp.clock.set(MONDAY.plus_ms(86_400_000));
        let page = desk.get("tich", &path).await.body;
        has(bar(&page), &["Hạn 17:00 ngày 23/11/2026", "đã quá hạn"]);
    }

    #[tokio::test]
    async fn the_bar_of_a_case_that_was_not_taken_in_ends_there() {
        let desk = Desk::new().await;
        let why = json!({"reason": "Không thuộc thẩm quyền của xã"});
        assert_eq!(desk.verb("tiep", "decline", why).await.status, 200);
        let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
        has(bar(&page), &["Trước khi tiếp nhận", "Kết thúc"]);
        for later in ["Cơ quan giải quyết", "Hạn ", "Còn lại"] {
            assert!(!bar(&page).contains(later), "{later}");
        }
    }
}
