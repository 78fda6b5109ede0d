//! Cases of an older system for the sample nation: two years of synthetic birth registrations that ended,
//! in every commune of the province, and those that the sample commune is at work on. The same for the same
//! seed and counts; never a person who exists, and never a case of the sample citizen.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use cases::Procedure;
use cases::case::{Accepted, Applicant, Case, Course, Decided, EnteredAct, Proposal, Sealed};
use cases::course::Rating;
use cases::past::PastCase;
use directory::people::{self, Household, Person};
use directory::{Areas, Calendars};
use kernel::calendar::Calendar;
use kernel::fact::{Channel, Outcome};
use kernel::{AreaCode, CaseCode, Date, Digest, OrgCode, ProcedureCode, Time, World};

use super::nation::Place;
use super::node::{Country, Node};
use super::population::{self, PROVINCE, SEED};
use super::prepare::{self, Layout};
use crate::config::Config;

/// The file that keeps how many past cases a node of the folder has.
const COUNT_FILE: &str = "past-cases";
/// The procedure all of them have.
const PROCEDURE: &str = "1.001193";
/// The portal they were filed at: its numbers are theirs.
const PORTAL: &str = "G22";
/// How far back the ended ones go, in days.
const DAYS: i64 = 730;
/// How far back the open ones go, in days.
const OPEN_DAYS: i64 = 30;
/// People their applicants are taken from, at least.
const PEOPLE_MIN: usize = 100;
/// Between two lines that say how far a load is, in milliseconds.
const TELL_MS: i64 = 2_000;
/// Of a thousand cases, those that are decided on time.
const ON_TIME_PERMILLE: usize = 960;
/// Of a thousand cases, those that were rated.
const RATED_PERMILLE: usize = 300;
/// Scores as often as they are given, of ten.
const SCORES: [u8; 10] = [5, 5, 5, 5, 5, 4, 4, 4, 3, 2];
/// Who stands in their papers.
const DESK_NAME: &str = "Bộ phận Một cửa (hệ thống cũ)";
/// Who signed them.
const SIGNER_NAME: &str = "Chủ tịch (hệ thống cũ)";

/// Takes the ended and the open cases over at a node that has cases, once. `say` is told how far it is.
///
/// # Errors
/// When the pack has no communes or the store cannot be written.
pub(crate) async fn load(
    place: Place,
    config: &Config,
    country: &Country,
    node: &Node,
    (world, say): (&World, &(dyn Fn(&str) + Sync)),
) -> anyhow::Result<()> {
    let file = Layout::of(&config.data).node(place).join(COUNT_FILE);
    if let Some(count) = count(&file, config.past_cases)? {
        let people = population::count(config)?;
        let name = format!("synthetic-births-seed-{SEED}-people-{people}-count-{count}");
        let past = || Past::new(country, people, count, (DAYS, people::AS_OF));
        take_over(node, &name, past, Progress::new(place, "past", count, world), say).await?;
    }
    if config.open_cases > 0 {
        let (count, people) = (config.open_cases, population::count(config)?);
        let name = format!("synthetic-open-births-seed-{SEED}-people-{people}-count-{count}");
        let today = world.now().date();
        let open = || {
            let owner: OrgCode = PROVINCE.parse().expect("a code of the sample nation");
            let unit = owner.unit(people::SAMPLE_COMMUNE).expect("a code below it");
            let past = Past::new(country, people, count, (OPEN_DAYS, today))?;
            Ok(past.map(move |case| at_work(case, &unit)))
        };
        take_over(node, &name, open, Progress::new(place, "open", count, world), say).await?;
    }
    Ok(())
}

/// Takes cases over at every place of a node.
async fn take_over<I: Iterator<Item = PastCase> + Send>(
    node: &Node,
    name: &str,
    all: impl Fn() -> anyhow::Result<I>,
    progress: Progress<'_>,
    say: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<()> {
    for cases in node.cases() {
        let tell = |done: u64| {
            if let Some(line) = progress.at(done) {
                say(&line);
            }
        };
        let loaded = cases.load_past(name, all()?, &tell).await?;
        if loaded > 0 {
            say(&progress.end(loaded));
        }
    }
    Ok(())
}

/// The same case when the work on it has just begun, at a commune; its number is the desk's own.
fn at_work(past: PastCase, unit: &OrgCode) -> PastCase {
    let mut case = past.case;
    let order = case.code.as_str().rsplit('-').next().and_then(|n| n.parse().ok());
    case.code = CaseCode::number(&unit.top(), case.filed_at.date(), order.unwrap_or_default());
    case.unit = unit.clone();
    "accepted".clone_into(&mut case.state);
    case.revision = 2;
    (case.proposal, case.act, case.decided, case.returned_at) = (None, None, None, None);
    case.course = Course::default();
    let statuses = past.statuses.into_iter().take(2).collect();
    PastCase { case, statuses }
}

/// How many past cases a node has: the first start that asks for some decides, as with its people.
fn count(file: &Path, asked: usize) -> anyhow::Result<Option<usize>> {
    let Ok(text) = std::fs::read_to_string(file) else {
        if asked > 0 {
            prepare::write(file, asked.to_string().as_bytes(), 0o600)?;
        }
        return Ok((asked > 0).then_some(asked));
    };
    let held = text
        .trim()
        .parse()
        .with_context(|| format!("{} is damaged", file.display()))?;
    if asked != held && asked > 0 {
        tracing::warn!(
            held,
            asked,
            "the node keeps its own past cases; --fresh begins anew"
        );
    }
    Ok(Some(held))
}

/// How far a load is.
struct Progress<'a> {
    place: Place,
    what: &'static str,
    all: usize,
    world: &'a World,
    began: Time,
    told: Mutex<Time>,
}

impl<'a> Progress<'a> {
    fn new(place: Place, what: &'static str, all: usize, world: &'a World) -> Self {
        let began = world.now();
        Self {
            place,
            what,
            all,
            world,
            began,
            told: Mutex::new(began),
        }
    }

    /// A line, when the last one is long enough ago.
    fn at(&self, done: u64) -> Option<String> {
        let now = self.world.now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if now.ms() - told.ms() < TELL_MS {
            return None;
        }
        *told = now;
        let (rate, all) = (self.rate(done, now), self.all as u64);
        let left = all.saturating_sub(done) / rate.max(1);
        let (place, what) = (self.place.id(), self.what);
        Some(format!(
            "  {place}: {done} of {all} {what} cases, {rate} a second, {left} s left"
        ))
    }

    fn end(&self, done: u64) -> String {
        let now = self.world.now();
        let (seconds, rate) = ((now.ms() - self.began.ms()) / 1_000, self.rate(done, now));
        let (place, what) = (self.place.id(), self.what);
        format!("  {place}: {done} {what} cases taken over in {seconds} s, {rate} a second")
    }

    fn rate(&self, done: u64, now: Time) -> u64 {
        let ms = u64::try_from(now.ms() - self.began.ms()).unwrap_or_default();
        done.saturating_mul(1_000) / ms.max(1)
    }
}

/// The cases, one after the other in the order in which they were filed.
struct Past {
    areas: Arc<Areas>,
    calendars: Arc<Calendars>,
    procedure: Arc<Procedure>,
    version: Digest,
    owner: OrgCode,
    portal: OrgCode,
    communes: Vec<AreaCode>,
    days: Vec<Date>,
    people: usize,
    households: Box<dyn Iterator<Item = Household> + Send>,
    /// The household before: its parents' names are given to children.
    before: Option<Household>,
    count: usize,
    next: usize,
}

impl Past {
    /// So many cases of the working days of so many days before a day.
    fn new(
        country: &Country,
        people: usize,
        count: usize,
        (days, until): (i64, Date),
    ) -> anyhow::Result<Self> {
        let code: ProcedureCode = PROCEDURE.parse().expect("a code");
        let procedure = country.catalogue.procedure(&code, people::AS_OF);
        let procedure =
            procedure.with_context(|| format!("the pack has no procedure {code} for past cases"))?;
        let owner: OrgCode = PROVINCE.parse().expect("a code of the sample nation");
        let sample: AreaCode = people::SAMPLE_COMMUNE.parse().expect("a code");
        let province = country.areas.province(&sample, people::AS_OF);
        let province = &province.context("the sample commune has no province")?.code;
        let communes = country.areas.communes(province, people::AS_OF);
        let calendar = country.calendars.of(&owner);
        let first = Time::at(until, 0).plus_ms(-days * 86_400_000).date();
        let days = std::iter::successors(Some(first), |day| day.next_day())
            .take_while(|day| *day < until)
            .filter(|day| calendar.works_on(*day));
        Ok(Self {
            version: procedure.version(),
            procedure,
            owner,
            portal: PORTAL.parse().expect("a code of the sample nation"),
            communes: communes.into_iter().map(|area| area.code.clone()).collect(),
            days: days.collect(),
            people: people.max(PEOPLE_MIN),
            households: Box::new(std::iter::empty()),
            before: None,
            areas: Arc::clone(&country.areas),
            calendars: Arc::clone(&country.calendars),
            count,
            next: 0,
        })
    }

    /// The next household: of the whole country, over and over, without the sample citizen's.
    fn household(&mut self) -> Option<Household> {
        if let Some(next) = self.households.next() {
            return Some(next);
        }
        self.households = Box::new(people::people(&self.areas, SEED, self.people).skip(1));
        self.households.next()
    }

    /// The day of a case, and its place among those of that day, from 1.
    fn day_of(&self, index: usize) -> Option<(Date, u32)> {
        let at = index * self.days.len() / self.count;
        let first = (at * self.count).div_ceil(self.days.len());
        Some((*self.days.get(at)?, u32::try_from(index - first + 1).ok()?))
    }

    fn case(&mut self, index: usize) -> Option<PastCase> {
        let (day, order) = self.day_of(index)?;
        let mut chance = Chance::of(index);
        let household = self.household()?;
        let commune = self.communes.get(chance.below(self.communes.len()))?.clone();
        let unit = self.owner.unit(commune.as_str()).ok()?;
        let calendar = self.calendars.of(&self.owner);
        let filed_at = Time::at(day, 360).plus_ms(chance.ms(720));
        let way = Way::of(&mut chance, &self.procedure, &calendar, filed_at)?;
        let girl = chance.below(2) == 0;
        let other = self.before.as_ref().unwrap_or(&household);
        let namesake = if girl { &other.mother } else { &other.father };
        let birth = Birth {
            name: child_name(&household.father, namesake),
            sex: if girl { "female" } else { "male" },
            born: filed_at
                .plus_ms(-86_400_000 * (3 + chance.ms(30) / 60_000))
                .date(),
            commune,
            by_mother: chance.below(3) > 0,
        };
        let code = CaseCode::number(&self.portal, day, order);
        let past = way.case(code, &household, &birth, (&self.procedure, self.version, unit));
        self.before = Some(household);
        Some(past)
    }
}

impl Iterator for Past {
    type Item = PastCase;

    fn next(&mut self) -> Option<PastCase> {
        if self.next >= self.count {
            return None;
        }
        let case = self.case(self.next);
        self.next += 1;
        case
    }
}

/// A family name and the rest of a namesake's.
fn child_name(father: &Person, namesake: &Person) -> String {
    let family = father.full_name.split(' ').next().unwrap_or_default();
    let rest = namesake.full_name.split_once(' ').map_or("", |(_, rest)| rest);
    format!("{family} {rest}")
}

/// Chance of one case, the same for the same number.
struct Chance {
    bytes: Digest,
    at: usize,
}

impl Chance {
    fn of(index: usize) -> Self {
        let bytes = Digest::of_parts(&[&SEED.to_be_bytes(), &index.to_be_bytes()]);
        Self { bytes, at: 0 }
    }

    /// A number below a bound.
    fn below(&mut self, bound: usize) -> usize {
        if self.at >= self.bytes.0.len() {
            (self.bytes, self.at) = (Digest::of(&self.bytes.0), 0);
        }
        let four = self.bytes.0.get(self.at..self.at + 4).unwrap_or(&[0; 4]);
        self.at += 4;
        let number = four.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
        usize::try_from((number * bound as u64) >> 32).expect("below a bound of the same size")
    }

    /// Some milliseconds within some minutes.
    fn ms(&mut self, minutes: usize) -> i64 {
        i64::try_from(self.below(minutes * 60_000)).expect("less than a day")
    }
}

/// What is registered.
struct Birth {
    name: String,
    sex: &'static str,
    born: Date,
    commune: AreaCode,
    by_mother: bool,
}

/// When a case was where.
struct Way {
    filed_at: Time,
    accepted: Accepted,
    proposed_at: Time,
    decided_at: Time,
    returned_at: Time,
    score: Option<u8>,
}

impl Way {
    fn of(chance: &mut Chance, procedure: &Procedure, calendar: &Calendar, filed_at: Time) -> Option<Self> {
        let at = calendar.opening(filed_at.plus_ms(60_000 + chance.ms(40)));
        let working_out = cases::clock::due(procedure.term(Channel::Online), calendar, at).ok()?;
        let due = working_out.due;
        let on_time = chance.below(1_000) < ON_TIME_PERMILLE;
        let part = |minutes: i64, of: usize| minutes * i64::try_from(of).unwrap_or_default() / 100;
        let used = part(calendar.between(at, due), 20 + chance.below(70));
        let late = 1 + part(600, chance.below(100));
        let decided_at = match on_time {
            true => calendar.count(at, used).end,
            false => calendar.count(due, late).end,
        };
        let rated = chance.below(1_000);
        Some(Self {
            filed_at,
            accepted: Accepted {
                at,
                by: "past-receptionist".to_owned(),
                by_name: DESK_NAME.to_owned(),
                due,
                working_out,
            },
            proposed_at: calendar.count(at, used / 2).end.min(decided_at),
            decided_at,
            returned_at: decided_at.plus_ms(60_000),
            score: (rated < RATED_PERMILLE).then(|| SCORES[rated % SCORES.len()]),
        })
    }

    fn case(
        self,
        code: CaseCode,
        household: &Household,
        birth: &Birth,
        (procedure, version, unit): (&Procedure, Digest, OrgCode),
    ) -> PastCase {
        let by = if birth.by_mother {
            &household.mother
        } else {
            &household.father
        };
        let number = code.as_str().rsplit('-').next().unwrap_or_default();
        let act_number = format!("{}-{number}/{}", birth.commune, self.decided_at.date().year());
        let case = Case {
            procedure: procedure.code.clone(),
            version,
            unit,
            channel: Channel::Online,
            applicant: Applicant {
                account: account_of(by),
                number: by.personal_number.clone(),
                name: by.full_name.clone(),
            },
            answers: answers(household, birth),
            state: "returned".to_owned(),
            revision: 8,
            filed_at: self.filed_at,
            proposal: Some(Proposal {
                outcome: Outcome::Granted,
                note: String::new(),
                by: "past-officer".to_owned(),
                at: self.proposed_at,
                sent_back: None,
            }),
            act: Some(EnteredAct {
                act_number: act_number.clone(),
                personal_number: None,
                at: self.proposed_at,
            }),
            decided: Some(Decided {
                outcome: Outcome::Granted,
                at: self.decided_at,
                by: "past-chairman".to_owned(),
                by_name: SIGNER_NAME.to_owned(),
                document: String::new(),
                capacity: cases::case::Capacity::Chairman,
                seal: Some(Sealed {
                    by: "past-clerk".to_owned(),
                    by_name: DESK_NAME.to_owned(),
                    at: self.decided_at,
                    number: act_number,
                }),
            }),
            returned_at: Some(self.returned_at),
            course: Course {
                rating: self.score.map(|score| Rating {
                    score,
                    note: String::new(),
                    criteria: std::collections::BTreeMap::new(),
                    at: self.returned_at.plus_ms(3_600_000),
                }),
                ..Course::default()
            },
            code,
            accepted: None,
        };
        let statuses = vec![
            (0, 1, self.filed_at),
            (1, 2, self.accepted.at),
            (2, 4, self.proposed_at),
            (3, 9, self.decided_at),
            (4, 10, self.returned_at),
        ];
        let accepted = Some(self.accepted);
        PastCase {
            case: Case { accepted, ..case },
            statuses,
        }
    }
}

/// An account of the older system: nobody signs in with it.
fn account_of(person: &Person) -> String {
    let digest = Digest::of_parts(&[b"past-account", person.personal_number.as_str().as_bytes()]).hex();
    format!("past-{}", digest.get(..20).unwrap_or_default())
}

/// What the form asks, as these parents would answer it.
fn answers(household: &Household, birth: &Birth) -> cases::case::Answers {
    let (mother, father) = (&household.mother, &household.father);
    let iso = kernel::time::iso;
    let text = |text: &str| text.to_owned();
    let commune = text(birth.commune.as_str());
    [
        ("child_name", birth.name.clone()),
        ("child_sex", text(birth.sex)),
        ("child_born", iso(birth.born)),
        ("child_birth_place", text("Trạm y tế")),
        ("child_birth_commune", commune.clone()),
        ("child_hometown", text(&father.hometown)),
        ("child_ethnicity", text(father.ethnicity)),
        ("child_nationality", text(father.nationality)),
        ("mother_name", mother.full_name.clone()),
        ("mother_number", text(mother.personal_number.as_str())),
        ("mother_born", iso(mother.date_of_birth)),
        ("mother_ethnicity", text(mother.ethnicity)),
        ("mother_nationality", text(mother.nationality)),
        ("mother_commune", commune.clone()),
        ("mother_line", mother.residence.line.clone()),
        ("father_name", father.full_name.clone()),
        ("father_number", text(father.personal_number.as_str())),
        ("father_born", iso(father.date_of_birth)),
        ("father_ethnicity", text(father.ethnicity)),
        ("father_nationality", text(father.nationality)),
        ("father_commune", commune.clone()),
        ("father_line", father.residence.line.clone()),
        (
            "declarant_relation",
            text(if birth.by_mother { "mother" } else { "father" }),
        ),
        ("receive_at", commune),
    ]
    .map(|(code, answer)| (code.to_owned(), answer))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::LazyLock;

    static COUNTRY: LazyLock<Country> =
        LazyLock::new(|| Country::read(&Config::default().pack).expect("the pack"));

    fn past(count: usize) -> Past {
        Past::new(&COUNTRY, 400, count, (DAYS, people::AS_OF)).expect("a province")
    }

    #[test]
    fn two_years_of_cases_are_the_same_for_the_same_seed_and_fit_the_form() {
        let first: Vec<_> = past(3_000).collect();
        let again = past(3_000).map(|one| one.case);
        assert_eq!(first.len(), 3_000);
        assert!(
            first
                .iter()
                .map(|one| &one.case)
                .eq(again.collect::<Vec<_>>().iter())
        );
        let (mut codes, mut units, mut late, mut rated) = (HashSet::new(), HashSet::new(), 0, 0);
        let asked: HashSet<_> = past(1)
            .procedure
            .pages
            .iter()
            .flat_map(|p| &p.questions)
            .map(|q| q.code.clone())
            .collect();
        for one in &first {
            let case = &one.case;
            assert!(codes.insert(case.code.clone()) && case.code.as_str().parse::<CaseCode>().is_ok());
            units.insert(case.unit.clone());
            let accepted = case.accepted.as_ref().expect("accepted");
            let decided = case.decided.as_ref().expect("decided").at;
            assert!(case.filed_at < accepted.at && accepted.at <= decided);
            assert!(one.statuses.windows(2).all(|two| two[0].2 <= two[1].2));
            late += usize::from(decided > accepted.due);
            rated += usize::from(case.course.rating.is_some());
            assert!(
                case.answers.keys().all(|code| asked.contains(code)),
                "questions of the form"
            );
            assert!(case.applicant.number.as_str() != people::SAMPLE_MOTHER);
            assert!(COUNTRY.organisations.get(&case.unit, people::AS_OF).is_some());
        }
        assert!(units.len() > 150, "every commune: {}", units.len());
        assert!((60..180).contains(&late), "about four in a hundred: {late}");
        assert!((750..1_050).contains(&rated), "some are rated: {rated}");
    }

    #[test]
    fn a_million_cases_have_a_million_codes_of_working_days() {
        let past = past(1_000_000);
        let mut last = (Date::MIN, 0);
        for index in 0..1_000_000 {
            let (day, order) = past.day_of(index).expect("a day");
            let follows = if day == last.0 {
                order == last.1 + 1
            } else {
                day > last.0 && order == 1
            };
            assert!(follows, "{day} {order} after {last:?}");
            last = (day, order);
        }
        assert!(last.0 < people::AS_OF && last.1 < 9_999);
    }

    #[test]
    fn a_node_keeps_its_past_when_another_number_is_asked_for() {
        let file = std::env::temp_dir().join(format!("sen-past-{}", World::of_this_machine().id()));
        assert_eq!(count(&file, 0).expect("none yet"), None);
        assert_eq!(count(&file, 50).expect("the first decides"), Some(50));
        assert_eq!(count(&file, 90).expect("a later one"), Some(50));
        assert_eq!(count(&file, 0).expect("none asked"), Some(50));
        std::fs::remove_file(&file).expect("the file goes");
    }
}
