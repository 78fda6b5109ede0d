//! A part read from a document's text, and the text after a change: what is not changed stays as it was written,
//! comments and order too. Pure; never judges what a document says.

use kernel::{Kind, Problem};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, RawString, Table, TableLike, Value};

use super::value::{CODE, Values, entries, tell, write};
use super::{Act, List, Part};

/// A document that can be read as TOML.
#[derive(Clone, Debug)]
pub(crate) struct Document(DocumentMut);

/// The text after something was done with a part, and the part to look at then: itself at its new place, or what
/// it stood in.
///
/// # Errors
/// 404 for a part that is not there; `design-form-unread` (409) for a text that cannot be changed part by part; 422
/// at the field for a value that cannot stand there.
pub(crate) fn changed(text: &str, part: &Part, act: Act, values: &Values) -> Result<(String, Part), Problem> {
    let mut document = Document::read(text).ok_or_else(unread)?;
    let after = match act {
        Act::Save if part.is_new() => document.add(part, values)?,
        Act::Save => document.save(part, values)?,
        Act::Up | Act::Down => document.moved(part, act)?,
        Act::Remove => document.remove(part)?,
    };
    Ok((document.0.to_string(), after))
}

fn unread() -> Problem {
    Problem::new(Kind::Conflict, "design-form-unread")
}

impl Document {
    /// Reads a text; `None` when it is not TOML.
    pub(crate) fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// How many parts a list has.
    pub(crate) fn count(&self, list: List) -> usize {
        match self.list(list) {
            Some(Item::ArrayOfTables(all)) => all.len(),
            Some(Item::Value(Value::Array(all))) => all.len(),
            _ => 0,
        }
    }

    /// The codes of its states, in the order in which they are written.
    pub(crate) fn states(&self) -> Vec<String> {
        let states = self.0.get("states").and_then(Item::as_table_like);
        states.map_or_else(Vec::new, |all| {
            all.iter().map(|(code, _)| code.to_owned()).collect()
        })
    }

    /// What stands in a part's fields; `None` for a part that is not there.
    pub(crate) fn values(&self, part: &Part) -> Option<Values> {
        let table = self.part(part)?;
        let mut values = Values::new();
        for field in part.fields() {
            tell(table, field, &mut values);
        }
        if let Part::State(Some(code)) = part {
            values.insert(CODE.to_owned(), code.clone());
        }
        Some(values)
    }

    /// Where each part begins: its line, and the part; `None` for what is written in the text alone.
    pub(crate) fn lines(&self, text: &str) -> Vec<(u64, Option<Part>)> {
        let mut none = kernel::fault::Faults::new();
        let read = directory::pack::document::document_of::<serde::de::IgnoredAny>(
            "document",
            text,
            &mut none,
            |_, _, _| {},
        );
        let Some((_, places)) = read else {
            return Vec::new();
        };
        let mut lines = vec![(1, Some(Part::Head))];
        lines.extend(
            self.parts()
                .into_iter()
                .map(|part| (places.of(&part.pointer()).0, Some(part))),
        );
        for (key, item) in self.0.iter() {
            let own = key == "states" || key == "fee" || List::of(key).is_some();
            let count = match item {
                _ if own => 0,
                Item::Table(_) => 1,
                Item::ArrayOfTables(all) => all.len(),
                _ => 0,
            };
            for at in 0..count {
                let pointer = match item {
                    Item::ArrayOfTables(_) => format!("/{key}/{at}"),
                    _ => format!("/{key}"),
                };
                lines.push((places.of(&pointer).0, None));
            }
        }
        lines.sort_by_key(|(line, _)| *line);
        lines
    }

    /// All parts that are there, but for the head.
    fn parts(&self) -> Vec<Part> {
        let fee = self.0.contains_key("fee").then_some(Part::Fee);
        let states = self.states().into_iter().map(|code| Part::State(Some(code)));
        let mut parts: Vec<Part> = fee.into_iter().chain(states).collect();
        for list in List::OUTER {
            for at in 0..self.count(list) {
                parts.push(Part::Item(list, Some(at)));
                if list == List::Pages {
                    let questions = List::Questions(at);
                    let all = 0..self.count(questions);
                    parts.extend(all.map(|question| Part::Item(questions, Some(question))));
                }
            }
        }
        parts
    }

    fn list(&self, list: List) -> Option<&Item> {
        match list {
            List::Questions(page) => self.part(&Part::Item(List::Pages, Some(page)))?.get(list.key()),
            outer => self.0.get(outer.key()),
        }
    }

    fn part(&self, part: &Part) -> Option<&dyn TableLike> {
        match part {
            Part::Head => Some(self.0.as_table() as &dyn TableLike),
            Part::Fee => self.0.get("fee")?.as_table_like(),
            Part::State(Some(code)) => {
                let states = self.0.get("states")?.as_table_like()?;
                states.get(code)?.as_table_like()
            }
            Part::Item(list, Some(at)) => entries(self.list(*list)?).into_iter().nth(*at),
            Part::State(None) | Part::Item(_, None) => None,
        }
    }

    fn part_mut(&mut self, part: &Part) -> Option<&mut dyn TableLike> {
        match part {
            Part::Head => Some(self.0.as_table_mut() as &mut dyn TableLike),
            Part::Fee => self.0.get_mut("fee")?.as_table_like_mut(),
            Part::State(Some(code)) => {
                let states = self.0.get_mut("states")?.as_table_like_mut()?;
                states.get_mut(code)?.as_table_like_mut()
            }
            Part::Item(list, Some(at)) => {
                let item = match list {
                    List::Questions(page) => {
                        let page = self.part_mut(&Part::Item(List::Pages, Some(*page)))?;
                        page.get_mut(list.key())?
                    }
                    outer => self.0.get_mut(outer.key())?,
                };
                match item {
                    Item::ArrayOfTables(all) => all.get_mut(*at).map(|one| one as &mut dyn TableLike),
                    Item::Value(Value::Array(all)) => {
                        let one = all.get_mut(*at)?.as_inline_table_mut()?;
                        Some(one as &mut dyn TableLike)
                    }
                    _ => None,
                }
            }
            Part::State(None) | Part::Item(_, None) => None,
        }
    }

    /// Where a list stands.
    fn around(&mut self, list: List) -> Result<&mut Table, Problem> {
        match list {
            List::Questions(page) => {
                self.open(List::Pages)?;
                self.tables(List::Pages)?
                    .get_mut(page)
                    .ok_or_else(Problem::not_found)
            }
            _ => Ok(self.0.as_table_mut()),
        }
    }

    /// Makes a list one of tables, `[[papers]]`, where it is written otherwise or not at all. Gives the comment that
    /// stood above it.
    fn open(&mut self, list: List) -> Result<String, Problem> {
        let around = self.around(list)?;
        let key = list.key();
        if around.get(key).is_some_and(Item::is_array_of_tables) {
            return Ok(String::new());
        }
        let mut all = match around.get(key) {
            None => ArrayOfTables::new(),
            Some(item) if item.as_array().is_some_and(Array::is_empty) => ArrayOfTables::new(),
            Some(item) => item.clone().into_array_of_tables().map_err(|_| unread())?,
        };
        let mut said = String::new();
        if let Some(mut key) = around.key_mut(key) {
            let decor = key.leaf_decor_mut();
            let above = decor.prefix().and_then(RawString::as_str);
            above.unwrap_or_default().clone_into(&mut said);
            decor.clear();
        }
        for (at, table) in all.iter_mut().enumerate() {
            table.fmt();
            if at == 0 && !said.is_empty() {
                table.decor_mut().set_prefix(format!("\n{said}"));
            }
        }
        let carried = if all.is_empty() { said } else { String::new() };
        around.insert(key, Item::ArrayOfTables(all));
        Ok(carried)
    }

    fn tables(&mut self, list: List) -> Result<&mut ArrayOfTables, Problem> {
        let item = match list {
            List::Questions(page) => self
                .tables(List::Pages)?
                .get_mut(page)
                .ok_or_else(Problem::not_found)?
                .get_mut(list.key()),
            outer => self.0.get_mut(outer.key()),
        };
        item.and_then(Item::as_array_of_tables_mut)
            .ok_or_else(Problem::not_found)
    }

    fn add(&mut self, part: &Part, values: &Values) -> Result<Part, Problem> {
        let mut table = Table::new();
        write(&mut table, part, values)?;
        match part {
            Part::Item(list, None) => {
                let said = self.open(*list)?;
                if !said.is_empty() {
                    table.decor_mut().set_prefix(format!("\n{said}"));
                }
                if *list == List::Pages {
                    // A page without questions yet is still a page.
                    table.insert("questions", Item::Value(Value::Array(Array::new())));
                }
                let all = self.tables(*list)?;
                let at = all.len();
                all.push(table);
                Ok(Part::Item(*list, Some(at)))
            }
            Part::State(None) => {
                let code = state_code(values)?;
                let item = self.0.entry("states").or_insert_with(implicit);
                let states = item.as_table_mut().ok_or_else(unread)?;
                if states.contains_key(&code) {
                    return Err(Problem::invalid(CODE, "design-form-code-taken"));
                }
                states.insert(&code, Item::Table(table));
                Ok(Part::State(Some(code)))
            }
            _ => Err(Problem::not_found()),
        }
    }

    fn save(&mut self, part: &Part, values: &Values) -> Result<Part, Problem> {
        if *part == Part::Fee && !self.0.contains_key("fee") {
            self.0.insert("fee", Item::Table(Table::new()));
        }
        let table = self.part_mut(part).ok_or_else(Problem::not_found)?;
        write(table, part, values)?;
        Ok(part.clone())
    }

    fn moved(&mut self, part: &Part, act: Act) -> Result<Part, Problem> {
        let Part::Item(list, Some(at)) = part else {
            return Err(Problem::not_found());
        };
        self.open(*list)?;
        let all = self.tables(*list)?;
        if *at >= all.len() {
            return Err(Problem::not_found());
        }
        let to = match act {
            Act::Up => at.checked_sub(1),
            _ => Some(at + 1).filter(|to| *to < all.len()),
        };
        let Some(to) = to else {
            return Ok(part.clone());
        };
        let mut places = Vec::new();
        all.iter().for_each(|table| take_places(table, &mut places));
        places.sort_unstable();
        let table = all.remove(*at);
        all.insert(to, table);
        let mut places = places.into_iter();
        all.iter_mut().for_each(|table| give_places(table, &mut places));
        Ok(Part::Item(*list, Some(to)))
    }

    /// Takes a part out; what it stood in is looked at then.
    fn remove(&mut self, part: &Part) -> Result<Part, Problem> {
        match part {
            Part::Item(list, Some(at)) => {
                self.open(*list)?;
                let all = self.tables(*list)?;
                if *at >= all.len() {
                    return Err(Problem::not_found());
                }
                all.remove(*at);
                let is_empty = all.is_empty();
                if is_empty {
                    let none = Item::Value(Value::Array(Array::new()));
                    self.around(*list)?.insert(list.key(), none);
                }
                Ok(match list {
                    List::Questions(page) => Part::Item(List::Pages, Some(*page)),
                    _ => Part::Head,
                })
            }
            Part::State(Some(code)) => {
                let states = self.0.get_mut("states").and_then(Item::as_table_like_mut);
                let gone = states.and_then(|states| states.remove(code));
                gone.map(|_| Part::Head).ok_or_else(Problem::not_found)
            }
            Part::Fee => {
                let gone = self.0.remove("fee");
                gone.map(|_| Part::Head).ok_or_else(Problem::not_found)
            }
            _ => Err(Problem::not_found()),
        }
    }
}

fn implicit() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

fn state_code(values: &Values) -> Result<String, Problem> {
    let code = values.get(CODE).map(|code| code.trim()).unwrap_or_default();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match code {
        "" => Err(Problem::invalid(CODE, "field-missing")),
        code if code.chars().all(plain) => Ok(code.to_owned()),
        _ => Err(Problem::invalid(CODE, "design-form-code")),
    }
}

/// The places of a table and of those within it.
fn take_places(table: &Table, places: &mut Vec<isize>) {
    places.extend(table.position());
    for (_, item) in table.iter() {
        match item {
            Item::Table(inner) => take_places(inner, places),
            Item::ArrayOfTables(all) => all.iter().for_each(|inner| take_places(inner, places)),
            _ => {}
        }
    }
}

/// Gives a table and those within it the next places: what moves takes along what it has.
fn give_places(table: &mut Table, places: &mut std::vec::IntoIter<isize>) {
    if table.position().is_some() {
        table.set_position(places.next());
    }
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(inner) => give_places(inner, places),
            Item::ArrayOfTables(all) => all.iter_mut().for_each(|inner| give_places(inner, places)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pack;

    fn birth() -> String {
        let file = pack().join("procedures/1.001193.toml");
        std::fs::read_to_string(file).expect("a file of the pack")
    }

    fn done(text: &str, part: &str, act: Act, values: &[(&str, &str)]) -> (String, Part) {
        let part = Part::of(part).expect("an address");
        let values = values.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        changed(text, &part, act, &values.collect()).expect("changed")
    }

    fn refused(part: &str, act: Act, values: &[(&str, &str)]) -> (&'static str, Option<String>) {
        let part = Part::of(part).expect("an address");
        let values = values.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let problem = changed(&birth(), &part, act, &values.collect()).expect_err("refused");
        (problem.code, problem.field)
    }

    /// The lines that one text has otherwise than another.
    fn differing(before: &str, after: &str) -> Vec<String> {
        let old: std::collections::BTreeSet<&str> = before.lines().collect();
        let lines = after.lines().filter(|line| !old.contains(line));
        lines.map(str::to_owned).collect()
    }

    fn comments(text: &str) -> Vec<&str> {
        let mut all: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn saving_what_stands_there_changes_no_byte() {
        let text = birth();
        let document = Document::read(&text).expect("TOML");
        let mut parts = document.parts();
        parts.push(Part::Head);
        for part in parts {
            let values = document.values(&part).expect("there");
            let (after, _) = changed(&text, &part, Act::Save, &values).expect("saved");
            assert_eq!(after, text, "{part}");
        }
    }

    #[test]
    fn a_changed_question_changes_its_own_line_alone() {
        let text = birth();
        let (after, _) = done(
            &text,
            "pages.0.questions.0",
            Act::Save,
            &[("label-en", "The child’s name")],
        );
        assert_eq!(
            differing(&text, &after),
            ["label = { vi = \"Họ, chữ đệm và tên của trẻ\", en = \"The child’s name\" }"]
        );
        let (after, _) = done(
            &text,
            "terms.0",
            Act::Save,
            &[("rule", "working-days"), ("amount", "2")],
        );
        assert_eq!(differing(&text, &after), ["rule = \"working-days\"", "days = 2"]);
    }

    #[test]
    fn a_part_moves_with_its_questions_and_comments_and_back_again() {
        let text = birth();
        for part in ["pages.0", "pages.1.questions.6", "transitions.4"] {
            let (down, now) = done(&text, part, Act::Down, &[]);
            assert_ne!(down, text);
            assert_eq!(comments(&down), comments(&text));
            let before = Document::read(&text).expect("TOML");
            let after = Document::read(&down).expect("TOML");
            let was = Part::of(part).expect("an address");
            assert_eq!(before.values(&was), after.values(&now));
            let (up, back) = done(&down, &now.to_string(), Act::Up, &[]);
            assert_eq!((up.as_str(), back), (text.as_str(), was));
        }
        let (still, _) = done(&text, "pages.0", Act::Up, &[]);
        assert_eq!(still, text, "the first one stays");
    }

    #[test]
    fn what_is_added_and_taken_out_again_leaves_the_text_as_it_was() {
        let text = birth();
        let words = [
            ("code", "CCCD"),
            ("name-vi", "Thẻ căn cước"),
            ("name-en", "Identity card"),
        ];
        let (more, paper) = done(&text, "papers.new", Act::Save, &words);
        assert_eq!(paper.to_string(), "papers.1");
        assert_eq!(Document::read(&more).map(|d| d.count(List::Papers)), Some(2));
        let (less, _) = done(&more, "papers.1", Act::Remove, &[]);
        assert_eq!(less, text);
        let state = [
            ("code", "paying"),
            ("label-vi", "Chờ nộp phí"),
            ("label-en", "Waiting for the fee"),
            ("status", "6"),
            ("clock", "pause"),
        ];
        let (more, part) = done(&text, "new-state", Act::Save, &state);
        assert_eq!(part.to_string(), "states.paying");
        let (less, _) = done(&more, "states.paying", Act::Remove, &[]);
        assert_eq!(less, text);
    }

    #[test]
    fn a_state_is_given_a_clock_of_its_own_and_loses_it_again() {
        let text = birth();
        let clock = [("step_rule", "working-hours"), ("step_amount", "8")];
        let (more, part) = done(&text, "states.accepted", Act::Save, &clock);
        assert_eq!(
            differing(&text, &more),
            ["term = { hours = 8, rule = \"working-hours\" }"]
        );
        let values = Document::read(&more)
            .and_then(|d| d.values(&part))
            .expect("there");
        assert_eq!(values.get("step_amount").map(String::as_str), Some("8"));
        let (less, _) = done(&more, "states.accepted", Act::Save, &[("step_rule", "")]);
        assert_eq!(less, text);
        let half = refused(
            "states.accepted",
            Act::Save,
            &[("step_rule", "working-days"), ("step_amount", "")],
        );
        assert_eq!(half, ("field-missing", Some("step_amount".to_owned())));
    }

    #[test]
    fn a_list_without_parts_stays_a_list() {
        let (none, _) = done(&birth(), "papers.0", Act::Remove, &[]);
        assert!(none.lines().any(|line| line == "papers = []"), "{none}");
        let words = [("code", "GCS"), ("name-vi", "Giấy"), ("name-en", "Paper")];
        let (one, _) = done(&none, "papers.new", Act::Save, &words);
        assert!(one.contains("[[papers]]") && !one.contains("papers = []"));
        assert!(one.contains("required = false"));
    }

    #[test]
    fn choices_are_a_line_each() {
        let lines = "mother | Mẹ | Mother\nfather | Cha | Father";
        let (after, part) = done(&birth(), "pages.2.questions.0", Act::Save, &[("choices", lines)]);
        let values = Document::read(&after)
            .and_then(|d| d.values(&part))
            .expect("there");
        assert_eq!(values.get("choices").map(String::as_str), Some(lines));
        let wrong = refused("pages.2.questions.0", Act::Save, &[("choices", "mother | Mẹ")]);
        assert_eq!(wrong, ("design-form-line", Some("choices".to_owned())));
    }

    #[test]
    fn what_cannot_stand_there_is_refused_at_its_field() {
        for (part, values, code, field) in [
            ("papers.new", &[][..], "field-missing", "code"),
            ("papers.0", &[("name-en", "")][..], "field-missing", "name-en"),
            (
                "states.accepted",
                &[("status", "two")][..],
                "design-form-number",
                "status",
            ),
            (
                "new-state",
                &[("code", "To Sign")][..],
                "field-missing",
                "label-vi",
            ),
        ] {
            assert_eq!(
                refused(part, Act::Save, values),
                (code, Some(field.to_owned())),
                "{part}"
            );
        }
        assert_eq!(refused("papers.7", Act::Remove, &[]).0, "not-found");
        assert_eq!(refused("head", Act::Remove, &[]).0, "not-found");
        let part = Part::of("head").expect("an address");
        let unread = changed("code = ", &part, Act::Save, &Values::new()).expect_err("refused");
        assert_eq!(unread.code, "design-form-unread");
    }

    #[test]
    fn a_line_of_the_text_belongs_to_the_part_that_began_before_it() {
        let text = birth();
        let lines = Document::read(&text).expect("TOML").lines(&text);
        let wanted = text
            .lines()
            .position(|line| line == "code = \"child_sex\"")
            .expect("a line") as u64
            + 1;
        let before = lines.iter().rev().find(|(line, _)| *line <= wanted);
        let part = before.and_then(|(_, part)| part.clone()).expect("a part");
        assert_eq!(part.to_string(), "pages.0.questions.1");
        assert!(
            lines.iter().any(|(_, part)| part.is_none()),
            "prefill is in the text alone"
        );
    }
}
