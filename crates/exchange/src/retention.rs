//! The pack's dated retention classes: for how many days at least a record of an exchange stays in the live
//! log, and its archive file afterwards. What no law says is the operator's choice, and nobody's choice keeps
//! for good. Never removes anything.

use std::path::Path;

use directory::PackFault;
use directory::pack::document::document;
use kernel::fault::Faults;
use kernel::time::parse_iso;
use kernel::{Date, Time};
use serde::Deserialize;

use crate::ids::ServiceId;

/// The file within the pack; a pack without it has the one class of the operator's choice.
const FILE: &str = "exchange/retention.toml";
/// Days of a term, count at most: two hundred years.
const DAYS_MAX: i64 = 73_000;
const DAY_MS: i64 = 86_400_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    classes: Vec<ClassToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassToml {
    name: String,
    from: String,
    /// Organisations, systems or services whose exchanges it is about; all when there is none.
    #[serde(default)]
    services: Vec<String>,
    /// Words of an agreement's legal basis that make its exchanges this class.
    #[serde(default)]
    bases: Vec<String>,
    live_days: i64,
    archive_days: i64,
    #[serde(rename = "source")]
    _source: String,
}

/// One class from its day on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Class {
    name: String,
    from: Date,
    services: Vec<String>,
    bases: Vec<String>,
    live_days: i64,
    archive_days: i64,
}

impl Class {
    fn is_of(&self, service: &ServiceId, basis: &str) -> bool {
        let service = service.to_string();
        let within = |of: &String| {
            let rest = service.strip_prefix(of.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let everything = self.services.is_empty() && self.bases.is_empty();
        everything || self.services.iter().any(within) || self.bases.iter().any(|words| basis.contains(words))
    }
}

/// What the operator chose, beside what the law says at least: days, and 0 for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// In the live log.
    pub live_days: u32,
    /// In archive files, from their last record on.
    pub archive_days: u32,
}

/// How long records are kept: the longest of some classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The class that holds longest.
    pub class: String,
    /// Days in the live log at least; none for good.
    pub live_days: Option<i64>,
    /// Days in an archive file at least; none for good.
    pub archive_days: Option<i64>,
}

impl Kept {
    /// From when on a record of an instant may leave the live log; none for good.
    #[must_use]
    pub fn live_until(&self, at: Time) -> Option<Time> {
        self.live_days.map(|days| at.plus_ms(days * DAY_MS))
    }

    /// Until when the archive file with a record of an instant is to be kept; none for good.
    #[must_use]
    pub fn archive_until(&self, at: Time) -> Option<Time> {
        self.archive_days.map(|days| at.plus_ms(days * DAY_MS))
    }

    /// The longer of two, for each of both terms.
    #[must_use]
    pub fn longest(self, other: Self) -> Self {
        let longer = |a: Option<i64>, b: Option<i64>| Some(a?.max(b?));
        let holds = |kept: &Self| kept.live_days.unwrap_or(i64::MAX);
        Self {
            live_days: longer(self.live_days, other.live_days),
            archive_days: longer(self.archive_days, other.archive_days),
            class: if holds(&other) > holds(&self) {
                other.class
            } else {
                self.class
            },
        }
    }
}

/// The class of exchanges that the pack says nothing about.
const OTHERS: &str = "operator";

/// The retention classes of a pack with what the operator chose.
#[derive(Clone, Debug, Default)]
pub struct Retention {
    classes: Vec<Class>,
    chosen: Chosen,
}

impl Retention {
    /// Reads the classes of a pack.
    ///
    /// # Errors
    /// The first fault of the file.
    pub fn load(pack: &Path, chosen: Chosen) -> Result<Self, PackFault> {
        let classes = directory::pack::sound(pack, &[crate::pack::TEXTS], check)?;
        Ok(Self { classes, chosen })
    }

    /// How long an exchange is kept, by what is in force on a day: the longest of its classes, and never
    /// shorter than the operator chose. `basis` is its agreement's; an agreement that is not known any more may
    /// be of any class.
    #[must_use]
    pub fn of(&self, service: &ServiceId, basis: Option<&str>, on: Date) -> Kept {
        let classes = self.on(on).filter(|class| match basis {
            Some(basis) => class.is_of(service, basis),
            None => class.is_of(service, "") || !class.bases.is_empty(),
        });
        let held = classes.map(|class| Kept {
            class: class.name.clone(),
            live_days: at_least(class.live_days, self.chosen.live_days),
            archive_days: at_least(class.archive_days, self.chosen.archive_days),
        });
        let others = || Kept {
            class: OTHERS.to_owned(),
            live_days: at_least(0, self.chosen.live_days),
            archive_days: at_least(0, self.chosen.archive_days),
        };
        held.reduce(Kept::longest).unwrap_or_else(others)
    }

    /// Of each name the class that is in force on a day.
    fn on(&self, day: Date) -> impl Iterator<Item = &Class> {
        let newer = move |class: &Class| {
            let mut others = self.classes.iter();
            others.any(|other| other.name == class.name && other.from > class.from && other.from <= day)
        };
        let begun = self.classes.iter().filter(move |class| class.from <= day);
        begun.filter(move |class| !newer(class))
    }
}

/// The longer of what the law says at least and what the operator chose, whose 0 keeps for good.
fn at_least(law: i64, chosen: u32) -> Option<i64> {
    (chosen > 0).then(|| law.max(i64::from(chosen)))
}

/// Checks the file and gives its classes; none when there is no file.
fn check(pack: &Path, faults: &mut Faults) -> Vec<Class> {
    if !pack.join(FILE).exists() {
        return Vec::new();
    }
    let Some((file, places)) = document::<File>(pack, FILE, faults) else {
        return Vec::new();
    };
    let mut classes: Vec<Class> = Vec::new();
    for (at, class) in file.classes.into_iter().enumerate() {
        let mut bad = |key: &str, name: &'static str, value: String| {
            let names = vec![("value", value)];
            faults.add(places.fault(&format!("/classes/{at}/{key}"), name, names));
        };
        for (key, days) in [
            ("live_days", class.live_days),
            ("archive_days", class.archive_days),
        ] {
            if !(0..=DAYS_MAX).contains(&days) {
                bad(key, "retention-days", days.to_string());
            }
        }
        if class.name.trim().is_empty() || class.name == OTHERS {
            bad("name", "retention-name", class.name.clone());
        }
        let Some(from) = parse_iso(&class.from) else {
            bad("from", "date-bad", class.from.clone());
            continue;
        };
        if classes.iter().any(|c| c.from == from && c.name == class.name) {
            bad("from", "terms-twice", class.from.clone());
            continue;
        }
        classes.push(Class {
            from,
            name: class.name,
            services: class.services,
            bases: class.bases,
            live_days: class.live_days,
            archive_days: class.archive_days,
        });
    }
    classes
}

/// The same for whoever checks the whole pack.
pub(crate) fn check_file(pack: &Path, faults: &mut Faults) {
    drop(check(pack, faults));
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::time::civil_date;

    const CLASSES: &str = r#"
[[classes]]
name = "usual"
from = "2020-05-25"
live_days = 30
archive_days = 365
source = "x"

[[classes]]
name = "civil status"
from = "2020-05-25"
services = ["G15/civil-status", "G01"]
live_days = 90
archive_days = 3650
source = "x"

[[classes]]
name = "by law"
from = "2020-05-25"
bases = ["Luật Hộ tịch"]
live_days = 200
archive_days = 100
source = "x"

[[classes]]
name = "usual"
from = "2027-01-01"
live_days = 60
archive_days = 365
source = "y"
"#;

    fn of(text: &str, live_days: u32, archive_days: u32) -> Retention {
        let dir = testkit::TempDir::new();
        std::fs::create_dir(dir.path().join("exchange")).expect("a folder");
        std::fs::write(dir.path().join(FILE), text).expect("written");
        let chosen = Chosen {
            live_days,
            archive_days,
        };
        Retention::load(dir.path(), chosen).expect("classes")
    }

    fn day(year: i32) -> Date {
        civil_date(year, 3, 1).expect("a day")
    }

    fn kept(
        retention: &Retention,
        service: &str,
        basis: Option<&str>,
        year: i32,
    ) -> (String, Option<i64>, Option<i64>) {
        let kept = retention.of(&service.parse().expect("an id"), basis, day(year));
        (kept.class, kept.live_days, kept.archive_days)
    }

    #[test]
    fn the_class_that_keeps_longest_counts_and_the_operator_may_only_keep_longer() {
        let one = of(CLASSES, 1, 1);
        let usual = |days| ("usual".to_owned(), Some(days), Some(365));
        assert_eq!(kept(&one, "G22/portal/x", Some("x"), 2026), usual(30));
        assert_eq!(kept(&one, "G22/portal/x", Some("x"), 2027), usual(60), "dated");
        let civil = ("civil status".to_owned(), Some(90), Some(3_650));
        assert_eq!(kept(&one, "G15/civil-status/birth", Some("x"), 2026), civil);
        assert_eq!(
            kept(&one, "G15/civil-status-old/birth", Some("x"), 2026),
            usual(30)
        );
        assert_eq!(kept(&one, "G01/a/b", Some("x"), 2026), civil);
        let by_law = ("by law".to_owned(), Some(200), Some(3_650));
        assert_eq!(
            kept(&one, "G01/a/b", Some("Luật Hộ tịch 60/2014/QH13"), 2026),
            by_law
        );
        assert_eq!(
            kept(&one, "G01/a/b", None, 2026),
            by_law,
            "of an agreement nobody knows"
        );
        let longer = of(CLASSES, 1_000, 1);
        assert_eq!(kept(&longer, "G22/portal/x", Some("x"), 2026).1, Some(1_000));
    }

    #[test]
    fn where_neither_law_nor_operator_says_a_number_everything_is_kept_for_good() {
        let for_good = of(CLASSES, 0, 0);
        let (_, live, archive) = kept(&for_good, "G22/portal/x", Some("x"), 2026);
        assert_eq!((live, archive), (None, None));
        let others = kept(&Retention::default(), "G22/portal/x", Some("x"), 2026);
        assert_eq!(others, ("operator".to_owned(), None, None));
        let at = Time(5);
        let nothing = Retention::default().of(&"G22/portal/x".parse().expect("an id"), None, day(2026));
        assert_eq!((nothing.live_until(at), nothing.archive_until(at)), (None, None));
    }

    #[test]
    fn vietnams_pack_names_no_number_that_no_decree_says() {
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn");
        let vn = Retention::load(&pack, Chosen::default()).expect("classes");
        let kept = vn.of(
            &"G01/population/person-lookup".parse().expect("an id"),
            Some("x"),
            day(2026),
        );
        assert_eq!(
            (kept.class.as_str(), kept.live_days, kept.archive_days),
            ("exchange", None, None)
        );
        assert!(
            vn.classes
                .iter()
                .all(|class| class.live_days == 0 && class.archive_days == 0)
        );
    }

    #[test]
    fn classes_of_the_past_or_the_end_of_days_or_without_a_name_are_refused_with_their_line() {
        let dir = testkit::TempDir::new();
        std::fs::create_dir(dir.path().join("exchange")).expect("a folder");
        let class = "[[classes]]\nname = \"a\"\nfrom = \"2020-05-25\"\nlive_days = 0\narchive_days = 0\nsource = \"x\"\n";
        let text = [
            class,
            &class
                .replace("live_days = 0", "live_days = -1")
                .replace("2020", "2021"),
            &class.replace("name = \"a\"", "name = \"operator\""),
            class,
        ];
        std::fs::write(dir.path().join(FILE), text.concat()).expect("written");
        let mut faults = Faults::new();
        check_file(dir.path(), &mut faults);
        let told: Vec<(u64, &str)> = faults.sorted().iter().map(|f| (f.line, f.rule)).collect();
        assert_eq!(
            told,
            [
                (10, "retention-days"),
                (14, "retention-name"),
                (21, "terms-twice")
            ]
        );
    }
}
