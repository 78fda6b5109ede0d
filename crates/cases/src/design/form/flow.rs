//! The states and steps of a version as a drawing: boxes in the order in which a case comes to them, arrows between
//! them, each with its number in the table behind it. Pure: drawn from the document alone, never from a case.

use std::collections::BTreeMap;

use askama::Template;
use kernel::Problem;
use web::{Lang, Page};

use super::words::word;
use crate::citizen::render;
use crate::procedure::{Clock, Procedure, Verb};
use crate::shown::say;

/// A box: its width and height, and what is between two, in units of the drawing.
const BOX: (i64, i64) = (168, 72);
const GAP: (i64, i64) = (28, 58);
/// What is left free at the sides, for arrows that pass boxes.
const SIDE: i64 = 60;
/// The letters of a line in a box, and its lines, at most.
const LETTERS_MAX: usize = 22;
const LINES_MAX: usize = 3;
/// The height of a line.
const LINE: i64 = 17;

/// A drawing of states and steps.
#[derive(Debug)]
pub(crate) struct Flow {
    boxes: Vec<StateBox>,
    arrows: Vec<Arrow>,
    rows: Vec<StepRow>,
    width: i64,
    height: i64,
}

/// A state as it is drawn.
#[derive(Debug, PartialEq, Eq)]
struct StateBox {
    code: String,
    x: i64,
    y: i64,
    /// Its label, a line each with its place.
    lines: Vec<(i64, String)>,
    /// What the clock does there.
    clock: Clock,
}

impl StateBox {
    /// How its border is drawn: thick where the case ends, broken where its clock stands still.
    const fn dashes(&self) -> &'static str {
        match self.clock {
            Clock::Pause => "6 4",
            Clock::Off | Clock::Run | Clock::Stop => "none",
        }
    }

    const fn stroke(&self) -> i64 {
        match self.clock {
            Clock::Stop => 4,
            Clock::Off | Clock::Run | Clock::Pause => 2,
        }
    }

    const fn middle(&self) -> i64 {
        self.x + BOX.0 / 2
    }
}

/// An arrow: its path, its number, and where that stands.
#[derive(Debug, PartialEq, Eq)]
struct Arrow {
    path: String,
    number: usize,
    x: i64,
    y: i64,
}

/// A step as a line of the table.
#[derive(Debug, PartialEq, Eq)]
struct StepRow {
    number: usize,
    from: String,
    verb: String,
    to: String,
    role: String,
}

impl Flow {
    /// The drawing of a version.
    pub(crate) fn of(procedure: &Procedure, lang: Lang) -> Self {
        let layers = layers(procedure);
        let most = layers.iter().map(Vec::len).max().unwrap_or(0);
        let width = 2 * SIDE + span(most, BOX.0, GAP.0);
        let height = GAP.1 + span(layers.len(), BOX.1, GAP.1);
        let mut boxes = Vec::new();
        let mut places = BTreeMap::new();
        for (row, codes) in layers.iter().enumerate() {
            let left = (width - span(codes.len(), BOX.0, GAP.0)) / 2;
            for (column, code) in codes.iter().enumerate() {
                let state = procedure.states.get(*code);
                let label = state.map_or(*code, |state| say(&state.label, lang));
                let (x, y) = (
                    left + offset(column, BOX.0, GAP.0),
                    GAP.1 / 2 + offset(row, BOX.1, GAP.1),
                );
                places.insert(*code, (row, boxes.len()));
                boxes.push(StateBox {
                    code: (*code).to_owned(),
                    x,
                    y,
                    lines: lines(label, y),
                    clock: state.map_or(Clock::Run, |state| state.clock),
                });
            }
        }
        let mut flow = Self {
            boxes,
            arrows: Vec::new(),
            rows: Vec::new(),
            width,
            height,
        };
        flow.steps(procedure, lang, &places);
        flow
    }

    /// The steps: one arrow for all that lead from a state to another.
    fn steps(&mut self, procedure: &Procedure, lang: Lang, places: &BTreeMap<&str, (usize, usize)>) {
        let mut numbers: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for step in &procedure.transitions {
            let (from, to) = (step.from.as_str(), step.to.as_str());
            let (Some(begin), Some(end)) = (places.get(from), places.get(to)) else {
                continue;
            };
            let next = numbers.len() + 1;
            let number = *numbers.entry((from, to)).or_insert(next);
            if number == next {
                let drawn = self.arrow(*begin, *end, number);
                self.arrows.extend(drawn);
            }
            let label = |code: &str| {
                let state = procedure.states.get(code);
                state.map_or_else(|| code.to_owned(), |state| say(&state.label, lang).to_owned())
            };
            self.rows.push(StepRow {
                number,
                from: label(from),
                verb: verb(step.verb),
                to: label(to),
                role: step.role.clone(),
            });
        }
        self.rows.sort_by_key(|row| row.number);
    }

    /// An arrow: straight to the row below, on the right past rows, on the left back or along a row.
    fn arrow(&self, begin: (usize, usize), end: (usize, usize), number: usize) -> Option<Arrow> {
        let (from, to) = (self.boxes.get(begin.1)?, self.boxes.get(end.1)?);
        if end.0 == begin.0 + 1 {
            let (x, y) = (from.middle(), from.y + BOX.1);
            let (to_x, to_y) = (to.middle(), to.y - 6);
            return Some(Arrow {
                path: format!("M{x} {y}L{to_x} {to_y}"),
                number,
                x: i64::midpoint(x, to_x),
                y: i64::midpoint(y, to_y),
            });
        }
        let down = end.0 > begin.0;
        let (x, to_x, by) = match down {
            true => (from.x + BOX.0, to.x + BOX.0 + 6, self.width - SIDE / 2),
            false => (from.x, to.x - 6, SIDE / 2),
        };
        let (y, to_y) = (from.y + BOX.1 / 2, to.y + BOX.1 / 2 + if down { -12 } else { 12 });
        Some(Arrow {
            path: format!("M{x} {y}C{by} {y} {by} {to_y} {to_x} {to_y}"),
            number,
            x: (x + 6 * by + to_x) / 8,
            y: i64::midpoint(y, to_y),
        })
    }

    /// The drawing with its table.
    ///
    /// # Errors
    /// Internal when it cannot be put together.
    pub(crate) fn html(self, page: &Page) -> Result<String, Problem> {
        let counts = [
            ("states", self.boxes.len().to_string()),
            ("steps", self.rows.len().to_string()),
        ];
        let description = page.tw("form-flow-text", &counts);
        let row = |row: StepRow| StepRow {
            verb: word(page, "verb", &row.verb),
            role: word(page, "role", &row.role),
            ..row
        };
        render(&FlowPart {
            page,
            description,
            rows: self.rows.into_iter().map(row).collect(),
            boxes: self.boxes,
            arrows: self.arrows,
            width: self.width,
            height: self.height,
        })
    }
}

#[derive(Template)]
#[template(path = "design_flow.html")]
struct FlowPart<'a> {
    page: &'a Page,
    /// What the picture shows, in words.
    description: String,
    boxes: Vec<StateBox>,
    arrows: Vec<Arrow>,
    rows: Vec<StepRow>,
    width: i64,
    height: i64,
}

/// The states by how many steps lead to them; those that none leads to are the last row.
fn layers(procedure: &Procedure) -> Vec<Vec<&str>> {
    let mut seen: Vec<&str> = Vec::new();
    let mut layers: Vec<Vec<&str>> = Vec::new();
    let mut row: Vec<&str> = match procedure.states.contains_key(&procedure.first_state) {
        true => vec![procedure.first_state.as_str()],
        false => Vec::new(),
    };
    while !row.is_empty() {
        seen.extend(&row);
        let mut next: Vec<&str> = Vec::new();
        for step in &procedure.transitions {
            let to = step.to.as_str();
            let is_new = !seen.contains(&to) && !next.contains(&to);
            if row.contains(&step.from.as_str()) && is_new && procedure.states.contains_key(to) {
                next.push(to);
            }
        }
        layers.push(std::mem::replace(&mut row, next));
    }
    let rest = procedure.states.keys().map(String::as_str);
    let rest: Vec<&str> = rest.filter(|code| !seen.contains(code)).collect();
    if !rest.is_empty() {
        layers.push(rest);
    }
    layers
}

/// The length of so many boxes with what is between them.
fn span(count: usize, length: i64, gap: i64) -> i64 {
    match count {
        0 => 0,
        count => offset(count, length, gap) - gap,
    }
}

/// Where a box begins, by how many are before it.
fn offset(before: usize, length: i64, gap: i64) -> i64 {
    i64::try_from(before).unwrap_or(0) * (length + gap)
}

/// A label in the lines of a box that begins at a height.
fn lines(label: &str, top: i64) -> Vec<(i64, String)> {
    let mut lines: Vec<String> = Vec::new();
    for word in label.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= LETTERS_MAX => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    if lines.len() > LINES_MAX {
        lines.truncate(LINES_MAX);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    let count = i64::try_from(lines.len()).unwrap_or(0);
    let first = top + BOX.1 / 2 - (count - 1) * LINE / 2 + LINE / 3;
    let placed = lines.into_iter().zip(0..);
    placed.map(|(line, at)| (first + at * LINE, line)).collect()
}

/// A verb as documents have it.
fn verb(verb: Verb) -> String {
    let word = serde_json::to_value(verb).ok();
    let word = word.as_ref().and_then(serde_json::Value::as_str);
    word.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::birth;

    #[test]
    fn every_state_has_its_box_and_every_step_its_row_and_no_two_boxes_touch() {
        let procedure = birth();
        let flow = Flow::of(&procedure, Lang::Vi);
        assert_eq!(flow.boxes.len(), procedure.states.len());
        assert_eq!(flow.rows.len(), procedure.transitions.len());
        for (at, one) in flow.boxes.iter().enumerate() {
            assert!(one.x >= SIDE && one.x + BOX.0 <= flow.width - SIDE, "{one:?}");
            assert!(one.y >= 0 && one.y + BOX.1 <= flow.height, "{one:?}");
            assert!(one.lines.len() <= LINES_MAX && !one.lines.is_empty(), "{one:?}");
            for other in flow.boxes.iter().skip(at + 1) {
                let beside = (one.x - other.x).abs() >= BOX.0;
                assert!(beside || (one.y - other.y).abs() >= BOX.1, "{one:?} {other:?}");
            }
        }
        let first = flow.boxes.first().map(|first| first.code.as_str());
        assert_eq!(first, Some("received"), "a case begins at the top");
    }

    #[test]
    fn steps_between_the_same_states_share_an_arrow_and_its_number() {
        let procedure = birth();
        let flow = Flow::of(&procedure, Lang::En);
        let signs: Vec<_> = flow.rows.iter().filter(|row| row.verb == "sign").collect();
        assert!(signs.len() > 1, "the chairman and the deputy");
        assert!(signs.windows(2).all(|two| two[0].number == two[1].number));
        let mut numbers: Vec<usize> = flow.arrows.iter().map(|arrow| arrow.number).collect();
        numbers.dedup();
        assert_eq!(numbers, (1..=flow.arrows.len()).collect::<Vec<_>>());
    }

    #[test]
    fn a_state_to_which_nothing_leads_is_drawn_last() {
        let mut procedure = Procedure::clone(&birth());
        let lost = procedure.states.get("accepted").cloned().expect("there");
        procedure.states.insert("lost".to_owned(), lost);
        let flow = Flow::of(&procedure, Lang::En);
        assert_eq!(flow.boxes.last().map(|last| last.code.as_str()), Some("lost"));
    }

    #[test]
    fn a_long_label_is_cut_into_lines() {
        let told = lines(
            "Chờ người yêu cầu xem bản dự thảo của kết quả trước khi ghi vào sổ hộ tịch",
            0,
        );
        assert_eq!(told.len(), LINES_MAX);
        assert!(
            told.iter()
                .all(|(_, line)| line.chars().count() <= LETTERS_MAX + 1)
        );
        assert!(told.last().is_some_and(|(_, line)| line.ends_with('…')));
    }
}
