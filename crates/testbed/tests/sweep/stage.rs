//! The stage of the sweep: one nation, everybody who could knock, and things that are somebody's.

use std::collections::BTreeMap;

use sen::up::nation::{PLACES, Place};
use testbed::api::{self, Operation};
use testbed::nation::Nation;
use testbed::pack;
use testbed::people::Person;
use tokio::sync::OnceCell;

use crate::example::Ids;
use crate::script;

/// A commune that was split, and its two heirs: all of Thanh Hóa.
pub(crate) const SPLIT: [&str; 3] = ["14845", "14797", "14758"];

/// A step that the sample procedure does not have: an officer stops a case.
const STOP: &str = r#"
[states.stopped]
label = { vi = "Dừng giải quyết", en = "Stopped" }
status = 8
clock = "stop"

[[transitions]]
verb = "stop"
from = "accepted"
to = "stopped"
role = "officer"
"#;

/// Steps that the sample procedure does not have: an officer asks for a payment, which is made at the bank or at the desk.
const CHARGE: &str = r#"
[[charges]]
code = "copy"
name = { vi = "Lệ phí bản sao (mẫu)", en = "Fee for a copy (sample)" }
legal_basis = "281/2016/TT-BTC"
most = 100000

[[charge_rules]]
valid_from = "2018-06-21"
pay_days = 10
times = 2

[states.payment]
label = { vi = "Chờ thực hiện nghĩa vụ tài chính", en = "Waiting for a payment" }
status = 6
clock = "pause"
role = "applicant"

[[transitions]]
verb = "ask-payment"
from = "accepted"
to = "payment"
role = "officer"

[[transitions]]
verb = "pay"
from = "payment"
to = "accepted"
role = "applicant"

[[transitions]]
verb = "pay"
from = "payment"
to = "accepted"
role = "receptionist"
"#;

/// Somebody signed in, by the cookies of their browser.
pub(crate) struct Actor {
    /// Where.
    pub(crate) place: Place,
    /// As what.
    pub(crate) role: &'static str,
    /// What their browser sends.
    pub(crate) cookie: String,
    /// Their session's cookie at the place: name and value.
    pub(crate) session: (String, String),
    /// True for the other citizen and for the officials of the other unit.
    pub(crate) stranger: bool,
}

/// The nation with everybody signed in, after the script was played.
pub(crate) struct Stage {
    /// The nation.
    pub(crate) nation: Nation,
    /// What each node offers.
    pub(crate) operations: BTreeMap<Place, Vec<Operation>>,
    /// Everybody.
    pub(crate) actors: Vec<Actor>,
    /// What is somebody's.
    pub(crate) ids: Ids,
    /// What the script called, and what is wrong with what it left.
    pub(crate) played: BTreeMap<String, Option<String>>,
}

/// The stage, set once for all tests of the sweep.
pub(crate) async fn stage() -> &'static Stage {
    static STAGE: OnceCell<Result<Stage, String>> = OnceCell::const_new();
    let set = STAGE.get_or_init(async || set().await.map_err(|cause| format!("{cause:#}")));
    set.await.as_ref().expect("the stage is set")
}

impl Stage {
    /// The address of a path at a place.
    pub(crate) fn url(&self, place: Place, path: &str) -> String {
        self.nation.site.url(place, path)
    }

    /// Every operation with its place.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Place, &Operation)> {
        self.operations
            .iter()
            .flat_map(|(place, list)| list.iter().map(|o| (*place, o)))
    }
}

async fn set() -> anyhow::Result<Stage> {
    let world = kernel::World::of_this_machine();
    // A desk where the receptionist hands every result over: the sample procedure leaves those of what was
    // filed online to the platform. And a commune that is no more.
    let by_platform =
        "[[transitions]]\nverb = \"return\"\nfrom = \"decided\"\nto = \"returned\"\nrole = \"platform\"\n";
    let (name, text) = pack::edited("procedures/1.001193.toml", |text| {
        text.replace(by_platform, "") + STOP + CHARGE
    })?;
    let mut files = pack::split(SPLIT[0], [SPLIT[1], SPLIT[2]])?;
    files.insert(name, text);
    let pack = pack::with(&files, &world)?;
    let nation = Nation::of("sweep", pack).await?;
    let mut operations = BTreeMap::new();
    for place in PLACES {
        operations.insert(place, api::operations(&nation.description(place).await?));
    }
    let (actors, cast) = enter(&nation).await?;
    let (ids, played) = script::play(&nation, &operations, cast).await?;
    Ok(Stage {
        nation,
        operations,
        actors,
        ids,
        played,
    })
}

/// Who plays the script.
pub(crate) struct Cast {
    pub(crate) mother: Person,
    /// Another citizen.
    pub(crate) neighbour: Person,
    pub(crate) desk: testbed::birth::Desk,
    /// Looks after the whole province.
    pub(crate) supervisor: Person,
    pub(crate) operators: BTreeMap<Place, Person>,
}

/// Everybody signs in.
async fn enter(nation: &Nation) -> anyhow::Result<(Vec<Actor>, Cast)> {
    let site = &nation.site;
    let mut actors = Vec::new();
    let mother = Person::mother(site).await?;
    let other = nation.another(Place::Ministry, "hangxom", |account| {
        account.subject = "038192000017".parse().ok();
        account.born = kernel::time::civil_date(1992, 3, 1);
        account.level = 2;
        account.roles = vec!["citizen".to_owned()];
    });
    let other = Person::citizen(site, &other.await?).await?;
    for place in [Place::National, Place::Ministry] {
        actors.push(actor(&mother, place, "citizen", false));
        actors.push(actor(&other, place, "citizen", true));
    }
    let desk = testbed::birth::Desk::of(site).await?;
    let deputy = Person::official(site, "deputy-chairman", Place::Province).await?;
    let supervisor = Person::official(site, "supervisor", Place::Province).await?;
    actors.push(actor(&supervisor, Place::Province, "supervisor", false));
    for (role, person) in [
        ("receptionist", &desk.receptionist),
        ("officer", &desk.officer),
        ("chairman", &desk.chairman),
        ("deputy-chairman", &deputy),
        ("clerk", &desk.clerk),
    ] {
        actors.push(actor(person, Place::Province, role, false));
        let user = format!("khac-{role}");
        let elsewhere = nation.another(Place::Province, &user, |account| {
            account.roles = vec![role.to_owned()];
            // Phường Hạc Thành: another commune of the same province.
            account.unit = "H56.14797".parse().expect("a unit");
        });
        actors.push(actor(
            &Person::here(site, &elsewhere.await?).await?,
            Place::Province,
            role,
            true,
        ));
    }
    for role in ["designer", "publisher"] {
        for place in [Place::National, Place::Province] {
            let person = Person::official(site, role, place).await?;
            actors.push(actor(&person, place, role, false));
        }
    }
    let mut operators = BTreeMap::new();
    for place in PLACES {
        let operator = Person::official(site, "operator", place).await?;
        actors.push(actor(&operator, place, "operator", false));
        let observer = nation.another(place, "theodoi", |account| {
            account.roles = vec!["observer".to_owned()];
        });
        let observer = Person::here(site, &observer.await?).await?;
        actors.push(actor(&observer, place, "observer", false));
        operators.insert(place, operator);
    }
    Ok((
        actors,
        Cast {
            mother,
            neighbour: other,
            desk,
            supervisor,
            operators,
        },
    ))
}

fn actor(person: &Person, place: Place, role: &'static str, stranger: bool) -> Actor {
    let session = person
        .browser
        .cookies()
        .iter()
        .find(|(name, _)| name.contains(place.id()));
    let (name, value) = session.expect("a session's cookie names its node");
    Actor {
        place,
        role,
        cookie: person.cookie(),
        session: (name.clone(), value.clone()),
        stranger,
    }
}
