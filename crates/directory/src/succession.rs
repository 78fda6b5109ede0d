//! What became of a unit between two days, step by step, and who handles today what was opened with
//! it then. Pure, over the pack's dated tables; where they have a hole the answer says which, and
//! never guesses.

use kernel::{AreaCode, Date, OrgCode};
use serde::Serialize;

use crate::areas::{Act, Area, Areas, How, Level, Successor};
use crate::organisations::{Organisation, Organisations};

/// One thing that happened to a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The day it took effect.
    #[serde(serialize_with = "crate::areas::iso")]
    pub on: Date,
    /// The unit before, by code.
    pub from: String,
    /// Its name then, with what it lay in.
    pub from_name: String,
    /// The unit after, by code.
    pub to: String,
    /// Its name then, with what it lies in.
    pub to_name: String,
    /// What happened.
    pub what: What,
    /// The legal act, where the pack names one.
    pub act: Option<Act>,
}

/// What a [`Step`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// All of it went to the other unit.
    Whole,
    /// A part of it went to the other unit.
    Part,
    /// It went on with another name, kind or unit above.
    Changed,
    /// The organisation named another one that took over.
    TookOver,
}

/// Why the tables do not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Hole {
    /// The day lies before the first list.
    BeforeFirstList {
        /// The first list's day.
        #[serde(serialize_with = "crate::areas::iso")]
        first: Date,
    },
    /// No list of that day has the unit.
    NotThere {
        /// The day.
        #[serde(serialize_with = "crate::areas::iso")]
        on: Date,
    },
    /// The unit ended, and no source names its successor.
    NoSuccessor {
        /// The unit that ended.
        unit: String,
        /// Its name.
        name: String,
        /// Its last day.
        #[serde(serialize_with = "crate::areas::iso")]
        ended: Date,
    },
    /// The pack has no organisation for the unit that is there now.
    NoOrganisation {
        /// That unit.
        unit: String,
        /// Its name.
        name: String,
    },
}

/// Where (a part of) a unit is at the end of a [`Trace`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The last unit known.
    pub area: AreaCode,
    /// How much of the first unit went there.
    pub how: How,
    /// True when it is the one to take by default.
    pub default: bool,
    /// Set when the unit is gone and nothing says where to.
    pub hole: Option<Hole>,
}

/// The way of a unit from one day to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What happened, in order of days.
    pub steps: Vec<Step>,
    /// Where it ends: one end, or several after a split; the default one first.
    pub ends: Vec<End>,
}

impl Areas {
    /// Follows a unit from a day to a later one.
    ///
    /// # Errors
    /// A [`Hole`] when the first day's list does not have the unit.
    pub fn trace(&self, code: &AreaCode, from: Date, to: Date) -> Result<Trace, Hole> {
        if self.area(code, from).is_none() {
            let first = self.editions().first().copied().unwrap_or(from);
            return Err(match from < first {
                true => Hole::BeforeFirstList { first },
                false => Hole::NotThere { on: from },
            });
        }
        let mut trace = Trace {
            steps: Vec::new(),
            ends: Vec::new(),
        };
        self.follow(&mut trace, code, from, to, (How::Whole, true));
        trace.steps.sort_by(|a, b| (a.on, &a.from).cmp(&(b.on, &b.from)));
        trace.steps.dedup();
        merge_ends(&mut trace.ends);
        Ok(trace)
    }

    /// One unit onwards. Every call moves to a later day, of which there are as many as editions.
    fn follow(&self, trace: &mut Trace, code: &AreaCode, from: Date, to: Date, as_what: (How, bool)) {
        let (how, default) = as_what;
        let mut end = |hole| {
            trace.ends.push(End {
                area: code.clone(),
                how,
                default,
                hole,
            });
        };
        let Some(area) = self.area(code, from) else {
            return end(Some(Hole::NotThere { on: from }));
        };
        let after = area.valid_to.and_then(Date::next_day);
        let heirs = self.successors(code, from);
        let change = heirs.first().map(|heir| heir.from);
        match (change, after) {
            (Some(day), after) if day <= to && after.is_none_or(|after| day <= after) => {
                for heir in &heirs {
                    let step = self.step(area, &heir.area, day, What::of(heir, code, self, day));
                    trace.steps.extend(step);
                    let part = match (how, heir.how) {
                        (How::Whole, How::Whole) => How::Whole,
                        _ => How::Part,
                    };
                    self.follow(trace, &heir.area, day, to, (part, default && heir.default));
                }
            }
            (_, Some(after)) if after <= to => {
                if self.area(code, after).is_none() {
                    let ended = area.valid_to.unwrap_or(from);
                    return end(Some(Hole::NoSuccessor {
                        unit: code.to_string(),
                        name: self.full_path(code, ended),
                        ended,
                    }));
                }
                trace.steps.extend(self.step(area, code, after, What::Changed));
                self.follow(trace, code, after, to, as_what);
            }
            _ => end(None),
        }
    }

    fn step(&self, area: &Area, to: &AreaCode, on: Date, what: What) -> Option<Step> {
        let eve = on.previous_day()?;
        Some(Step {
            on,
            from: area.code.to_string(),
            from_name: self.full_path(&area.code, eve),
            to: to.to_string(),
            to_name: self.full_path(to, on),
            what,
            act: self.act(area.level(), on).cloned(),
        })
    }

    /// The last day before a change that concerns a unit or what lies in it: the day from which to
    /// ask what became of it. The unit's own last day when it has ended; none when nothing changed.
    #[must_use]
    pub fn eve_of_change(&self, code: &AreaCode, to: Date) -> Option<Date> {
        let forms = self.forms_of(code);
        if !forms.iter().any(|form| form.holds_on(to)) {
            return forms
                .iter()
                .filter_map(|form| form.valid_to)
                .rfind(|day| *day < to);
        }
        let there = |day: &Date| self.area(code, *day).is_some();
        let eves = self.editions().iter().rev().filter(|day| **day <= to);
        eves.filter_map(|day| day.previous_day())
            .filter(there)
            .find(|eve| {
                let moved = |area: &&Area| area.valid_to == Some(*eve);
                self.area(code, *eve).is_some_and(|a| moved(&a)) || self.lies_in(code, *eve).iter().any(moved)
            })
    }

    /// The communes in a unit on a day; the unit itself when it is one.
    #[must_use]
    pub fn lies_in(&self, code: &AreaCode, on: Date) -> Vec<&Area> {
        match self.area(code, on).map(Area::level) {
            None => Vec::new(),
            Some(Level::Province) => self.communes(code, on),
            Some(Level::District) => self.children(Some(code), on),
            Some(Level::Commune) => self.area(code, on).into_iter().collect(),
        }
    }
}

impl What {
    fn of(heir: &Successor, code: &AreaCode, areas: &Areas, day: Date) -> Self {
        let alone = areas.predecessors(code, day).len() == 1;
        match heir.how {
            // Only the unit itself goes on: another name, or another unit above.
            How::Whole if heir.area == *code && alone => Self::Changed,
            How::Whole => Self::Whole,
            How::Part => Self::Part,
        }
    }
}

/// One end a unit: what came there by two ways is there once.
fn merge_ends(ends: &mut Vec<End>) {
    ends.sort_by(|a, b| {
        (!a.default, &a.area, a.hole.is_some()).cmp(&(!b.default, &b.area, b.hole.is_some()))
    });
    let all_in_one = ends
        .windows(2)
        .all(|p| p.first().map(|e| (&e.area, &e.hole)) == p.last().map(|e| (&e.area, &e.hole)));
    ends.dedup_by(|b, a| a.area == b.area && a.hole == b.hole);
    if let ([only], true) = (&mut ends[..], all_in_one) {
        only.how = How::Whole;
    }
}

/// The organisation that handles something now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Handler {
    /// Its code.
    pub organisation: OrgCode,
    /// Its name.
    pub name: String,
    /// Its organisation of level 1, at whose gateway it is reached.
    pub top: OrgCode,
    /// Its area, when it governs one.
    pub area: Option<AreaCode>,
    /// The area with what it lies in.
    pub place: String,
    /// True when the pack has no code for the commune's own committee, and its province stands for it.
    pub above: bool,
    /// How much of the first unit it took over.
    pub how: How,
    /// The one to take when nothing but the unit is known.
    pub default: bool,
}

/// Who handles now what was opened then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// One organisation.
    Known {
        /// It.
        handler: Handler,
    },
    /// The unit was split: it depends on the place within it.
    Split {
        /// The organisations, the default one first.
        handlers: Vec<Handler>,
    },
    /// The tables have a hole.
    Unknown {
        /// Which.
        why: Hole,
    },
}

/// The answer and how it was come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Handling {
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
    /// What happened between the two days.
    pub steps: Vec<Step>,
}

impl Handling {
    fn unknown(why: Hole, steps: Vec<Step>) -> Self {
        Self {
            answer: Answer::Unknown { why },
            steps,
        }
    }
}

/// Who handles on a day what was opened with an area's unit on an earlier one.
#[must_use]
pub fn handled_by_area(
    areas: &Areas,
    organisations: &Organisations,
    area: &AreaCode,
    opened: Date,
    on: Date,
) -> Handling {
    let Trace { steps, ends } = match areas.trace(area, opened, on) {
        Ok(trace) => trace,
        Err(why) => return Handling::unknown(why, Vec::new()),
    };
    let mut handlers: Vec<Handler> = Vec::new();
    for end in ends {
        if let Some(why) = end.hole {
            return Handling::unknown(why, steps);
        }
        match handler(areas, organisations, &end, on) {
            // Communes of before July 2025 share their province's committee here.
            Some(one) => match handlers.iter_mut().find(|h| h.organisation == one.organisation) {
                Some(same) => same.how = How::Whole,
                None => handlers.push(one),
            },
            None => {
                let (unit, name) = (end.area.to_string(), areas.full_path(&end.area, on));
                return Handling::unknown(Hole::NoOrganisation { unit, name }, steps);
            }
        }
    }
    let answer = match <[Handler; 1]>::try_from(handlers) {
        Ok([handler]) => Answer::Known { handler },
        Err(handlers) => Answer::Split { handlers },
    };
    Handling { answer, steps }
}

fn handler(areas: &Areas, organisations: &Organisations, end: &End, on: Date) -> Option<Handler> {
    let own = organisations.of_area(&end.area, on);
    let above = || organisations.of_area(&areas.province(&end.area, on)?.code, on);
    let organisation = own.or_else(above)?;
    Some(Handler {
        organisation: organisation.code.clone(),
        name: organisation.name.to_string(),
        top: organisation.code.top(),
        area: Some(end.area.clone()),
        place: areas.full_path(&end.area, on),
        above: own.is_none(),
        how: end.how,
        default: end.default,
    })
}

/// Who handles on a day what was opened with an organisation on an earlier one.
#[must_use]
pub fn handled_by(
    areas: &Areas,
    organisations: &Organisations,
    unit: &OrgCode,
    opened: Date,
    on: Date,
) -> Handling {
    if let Some(area) = area_of(areas, organisations, unit, opened) {
        return handled_by_area(areas, organisations, &area, opened, on);
    }
    let Some(mut held) = organisations.get(unit, opened) else {
        return Handling::unknown(Hole::NotThere { on: opened }, Vec::new());
    };
    let mut steps = Vec::new();
    while let Some(ended) = held.valid_to.filter(|to| *to < on) {
        let after = ended.next_day().unwrap_or(on);
        let heir = held.successor.as_ref().and_then(|s| organisations.get(s, after));
        let Some(heir) = heir else {
            let (unit, name) = (held.code.to_string(), held.name.to_string());
            return Handling::unknown(Hole::NoSuccessor { unit, name, ended }, steps);
        };
        steps.push(Step {
            on: after,
            from: held.code.to_string(),
            from_name: held.name.to_string(),
            to: heir.code.to_string(),
            to_name: heir.name.to_string(),
            what: if heir.code == held.code {
                What::Changed
            } else {
                What::TookOver
            },
            act: areas.central_act(after).cloned(),
        });
        held = heir;
    }
    Handling {
        answer: Answer::Known {
            handler: Handler {
                organisation: held.code.clone(),
                name: held.name.to_string(),
                top: held.code.top(),
                area: None,
                place: String::new(),
                above: false,
                how: How::Whole,
                default: true,
            },
        },
        steps,
    }
}

/// The area an organisation governed on a day. A unit whose last group is a commune's code is that
/// commune's, also before July 2025, when the pack has no organisation for it.
fn area_of(areas: &Areas, organisations: &Organisations, unit: &OrgCode, on: Date) -> Option<AreaCode> {
    let known: Option<&Organisation> = organisations.get(unit, on);
    if let Some(known) = known {
        return known.area.clone();
    }
    let (above, last) = unit.as_str().rsplit_once('.')?;
    let area: AreaCode = last.parse().ok()?;
    let province = organisations.get(&above.parse().ok()?, on)?.area.clone();
    let lies_in = areas.province(&area, on).map(|p| p.code.clone());
    (province == lies_in || lies_in.is_none()).then_some(area)
}
