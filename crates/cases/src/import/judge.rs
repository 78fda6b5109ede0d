//! What a line of another system becomes here, or the rule that it breaks. Reads no row: what is here already is asked
//! by the plan.

use kernel::fact::Channel;
use kernel::time::{civil_date, parse_iso};
use kernel::{CaseCode, Date, OrgCode, Time};

use super::table::{Mapped, Table};
use super::{Line, Promise};
use crate::answers::{TEXT_CHARS_MAX, chars_max};
use crate::case::{Applicant, Case, Course};
use crate::course::Intake;
use crate::national::case_item::CaseItem;
use crate::national::stamp;
use crate::procedure::{Procedure, Verb};
use crate::state::Cases;

/// The longest name, in characters.
const NAME_CHARS_MAX: usize = 200;

/// What a line becomes.
#[derive(Debug)]
pub enum Verdict {
    /// A running case.
    Ready(Box<Ready>),
    /// Nothing: it has ended.
    Ended(CaseCode),
}

/// A case that can be taken over.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The line.
    pub number: u64,
    /// The case, in its state here; its clock not told yet.
    pub case: Case,
    /// When it was received, and what was promised.
    pub promise: Promise,
}

/// A line that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The line.
    pub number: u64,
    /// The field, by the message's name.
    pub field: &'static str,
    /// What holds.
    pub rule: String,
    /// What to do.
    pub remedy: &'static str,
}

impl Refused {
    /// A case that stands in an earlier line.
    pub(super) fn twice(number: u64, first: u64) -> Self {
        let rule = format!("this case stands in line {first} already");
        Self::new(number, "MaHoSo", rule, "leave one line for a case")
    }

    fn new(number: u64, field: &'static str, rule: impl Into<String>, remedy: &'static str) -> Self {
        Self {
            number,
            field,
            rule: rule.into(),
            remedy,
        }
    }
}

impl Cases {
    /// What a line becomes at a moment.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub(super) fn judge(&self, line: &Line, table: &Table, now: Time) -> Result<Verdict, Refused> {
        let no = |field, rule: String, remedy| Refused::new(line.number, field, rule, remedy);
        let Some(item) = &line.item else {
            let rule = "the line cannot be read".to_owned();
            return Err(no(
                "MaHoSo",
                rule,
                "write every field as text, and TraLoi as a field for each answer",
            ));
        };
        let code = self.code_of(line.number, item, now)?;
        match item.status.as_str() {
            "1" | "2" | "4" => {}
            "3" | "7" | "8" | "9" | "10" => return Ok(Verdict::Ended(code)),
            "5" | "6" => {
                let rule = format!("status {} waits for the applicant", item.status);
                let remedy = "let the other system end the wait, then export it again";
                return Err(no("TrangThaiHoSo", rule, remedy));
            }
            other => {
                let rule = format!("`{other}` is none of the ten statuses");
                return Err(no("TrangThaiHoSo", rule, "write its number, 1 to 10"));
            }
        }
        let promise = promise(line.number, item, now)?;
        let (mapped, procedure) = self.version_named(line.number, item, table)?;
        let state = state(line.number, item, mapped, &procedure)?;
        let unit = self.unit_here(line.number, item, table, promise.at.date())?;
        check_answers(line, &procedure)?;
        let on_paper = procedure.papers.iter().map(|paper| paper.code.clone()).collect();
        let case = Case {
            code,
            procedure: procedure.code.clone(),
            version: procedure.version(),
            channel: channel(line.number, item)?,
            applicant: applicant(line.number, item)?,
            answers: line.answers.clone(),
            state,
            revision: 1,
            filed_at: promise.at,
            accepted: None,
            proposal: None,
            act: None,
            decided: None,
            returned_at: None,
            course: Course {
                intake: Some(Intake {
                    by: String::new(),
                    by_name: table.from.clone(),
                    at: unit.clone(),
                    on_paper,
                }),
                ..Course::default()
            },
            unit,
        };
        let number = line.number;
        Ok(Verdict::Ready(Box::new(Ready {
            number,
            case,
            promise,
        })))
    }

    /// A code of this place's own, of a day that is over: one of today could be given out a second time.
    fn code_of(&self, number: u64, item: &CaseItem, now: Time) -> Result<CaseCode, Refused> {
        let no = |rule: String, remedy| Refused::new(number, "MaHoSo", rule, remedy);
        let remedy = "write it as UNIT-YYMMDD-XXXX";
        let code: CaseCode = item
            .code
            .parse()
            .map_err(|_| no(format!("`{}` is no code of a case", item.code), remedy))?;
        if !self.tenant.holds(&code.issuer()) {
            let rule = format!("the code was not given out by {} or a unit of it", self.tenant);
            return Err(no(rule, "leave the line to the organisation whose code it is"));
        }
        if day_of(&code).is_none_or(|day| day >= now.date()) {
            let rule = "the code is of today or a day to come".to_owned();
            return Err(no(rule, "export it after the day, or let it be handed in anew"));
        }
        Ok(code)
    }

    fn version_named<'t>(
        &self,
        number: u64,
        item: &CaseItem,
        table: &'t Table,
    ) -> Result<(&'t Mapped, std::sync::Arc<Procedure>), Refused> {
        let no = |rule: String, remedy| Refused::new(number, "MaTTHC", rule, remedy);
        let mapped = item.procedure.parse().ok().and_then(|code| table.of(&code));
        let Some(mapped) = mapped else {
            let rule = format!("the table says nothing of the procedure `{}`", item.procedure);
            return Err(no(
                rule,
                "add a [[procedure]] to the table, or leave the line out",
            ));
        };
        let day = parse_iso(&mapped.version_of);
        let version = day.and_then(|day| self.procedure_on(&mapped.code, day));
        let version = version.filter(|procedure| procedure.term(Channel::Counter).is_some());
        version.map(|procedure| (mapped, procedure)).ok_or_else(|| {
            let rule = format!(
                "no version of {} was in force on {}",
                mapped.code, mapped.version_of
            );
            no(
                rule,
                "let `version_of` be a day on which one was that desks take in",
            )
        })
    }

    fn unit_here(&self, number: u64, item: &CaseItem, table: &Table, on: Date) -> Result<OrgCode, Refused> {
        let known = table.unit(&item.unit).filter(|unit| {
            let here = self.organisations.get(unit, self.today()).is_some();
            here && self.tenant.holds(unit) && self.takes_for(unit, on)
        });
        known.ok_or_else(|| {
            let rule = format!("`{}` is no unit of {} today", item.unit, self.tenant);
            Refused::new(
                number,
                "DonViXuLy",
                rule,
                "name the unit that has the case now under [units] of the table",
            )
        })
    }
}

/// The day that a code bears.
fn day_of(code: &CaseCode) -> Option<Date> {
    let digits = code.as_str().rsplit('-').nth(1)?;
    let (year, rest) = match digits.len() {
        6 => (2000 + digits.get(..2)?.parse::<i32>().ok()?, digits.get(2..)?),
        8 => (digits.get(..4)?.parse().ok()?, digits.get(4..)?),
        _ => return None,
    };
    civil_date(year, rest.get(..2)?.parse().ok()?, rest.get(2..)?.parse().ok()?)
}

/// When it was received, on a day that is over, and what was promised: always, once it was accepted.
fn promise(number: u64, item: &CaseItem, now: Time) -> Result<Promise, Refused> {
    let remedy = "write it as yyyyMMddHHmmss";
    let at = stamp::read(&item.accepted);
    let at = at.filter(|at| at.date() < now.date()).ok_or_else(|| {
        let rule = format!("`{}` is no moment of a day that is over", item.accepted);
        Refused::new(number, "NgayTiepNhan", rule, remedy)
    })?;
    if item.status == "1" {
        return Ok(Promise { at, due: None });
    }
    let due = stamp::read(&item.due).filter(|due| *due > at);
    match due {
        Some(due) => Ok(Promise { at, due: Some(due) }),
        None => {
            let rule = format!("`{}` is no moment after NgayTiepNhan", item.due);
            Err(Refused::new(number, "NgayHenTra", rule, remedy))
        }
    }
}

/// The state in which it goes on: the first one before acceptance, after it one in which an officer proposes.
fn state(number: u64, item: &CaseItem, mapped: &Mapped, procedure: &Procedure) -> Result<String, Refused> {
    let no = |rule: String, remedy| Refused::new(number, "TrangThaiHoSo", rule, remedy);
    let Some(state) = mapped.states.get(&item.status) else {
        let rule = format!(
            "the table names no state of {} for status {}",
            mapped.code, item.status
        );
        return Err(no(rule, "add it to `states` of the procedure"));
    };
    let Some(about) = procedure.states.get(state) else {
        let rule = format!("the version has no state `{state}`");
        return Err(no(rule, "name a state of the version"));
    };
    let fits = match item.status.as_str() {
        "1" => *state == procedure.first_state,
        _ => matches!(about.status, 2 | 4) && procedure.verb_from(Verb::Propose, state).is_some(),
    };
    if fits {
        return Ok(state.clone());
    }
    let rule = format!("a case of status {} cannot go on in `{state}`", item.status);
    let remedy = "name the first state for status 1, and one in which an officer proposes for 2 and 4";
    Err(no(rule, remedy))
}

fn channel(number: u64, item: &CaseItem) -> Result<Channel, Refused> {
    match item.way.as_str() {
        "" | "0" => Ok(Channel::Counter),
        "1" => Ok(Channel::Post),
        "2" => Ok(Channel::Online),
        other => {
            let rule = format!("`{other}` is no way of handing in");
            Err(Refused::new(
                number,
                "HinhThuc",
                rule,
                "write 0 at the counter, 1 by post, 2 online",
            ))
        }
    }
}

fn applicant(person: u64, item: &CaseItem) -> Result<Applicant, Refused> {
    let name = item.applicant.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        let rule = format!("a name has 1 to {NAME_CHARS_MAX} characters");
        return Err(Refused::new(
            person,
            "ChuHoSo",
            rule,
            "write the applicant's full name",
        ));
    }
    let number = item.applicant_number.trim().parse().map_err(|_| {
        // Nothing of what stands there is said again: it may be a part of somebody's number.
        let rule = "the applicant's personal number has twelve digits";
        let remedy =
            "write the number of the person who answers for the case, of a business its representative's";
        Refused::new(person, "MaDoiTuong", rule, remedy)
    })?;
    Ok(Applicant {
        account: String::new(),
        number,
        name: name.to_owned(),
    })
}

/// Answers belong to questions of the version and keep their length.
fn check_answers(line: &Line, procedure: &Procedure) -> Result<(), Refused> {
    for (field, answer) in &line.answers {
        let question = procedure.question(field);
        let asked = question.is_some() || procedure.source_of(field).is_some();
        if !asked {
            let rule = format!("the form of the version asks nothing called `{field}`");
            return Err(Refused::new(line.number, "TraLoi", rule, "leave it out"));
        }
        if answer.chars().count() > question.map_or(TEXT_CHARS_MAX, chars_max) {
            let rule = format!("the answer to `{field}` is too long");
            return Err(Refused::new(
                line.number,
                "TraLoi",
                rule,
                "shorten it as the form would",
            ));
        }
    }
    Ok(())
}
