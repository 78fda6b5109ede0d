//! The synchronisation under faults: a province whose cases change all the time, a portal, and a line
//! between them that does what networks do. In the end both say the same of every case, and nothing is
//! lost or counted twice. How many changes: `SEN_SYNC_EVENTS`, two thousand otherwise.

mod link;
mod province;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kernel::{Fact, Time, World};
use link::Link;
use province::Province;

use crate::store as rows;
use crate::testing::nouns;
use crate::{Asker, Cases, Parts, Place};

/// Changes when nobody says how many.
const EVENTS: u64 = 2_000;
/// Lines that may wait while the line is up: more are not made until some have gone.
const WAITING_MAX: u64 = 2_000;
/// How often it is looked whether so many wait, in steps of changes; and how long after, in milliseconds.
const LOOK_STEPS: u32 = 20;
const LOOK_MS: u64 = 200;
/// How long nothing may arrive before a line counts as lost, in milliseconds of the machine.
const STANDS_MS_MAX: i64 = 60_000;
/// How fast the clocks go, in milliseconds for each one that passes.
const PACE: i64 = 20;

/// A province's desk and the portal, each with a store of its own, and what is between them.
struct Pair {
    province: testkit::TempStore,
    portal: testkit::TempStore,
    link: Arc<Link>,
    desk: Province,
    runner: Option<Runner>,
    machine: World,
    began: Time,
}

struct Runner {
    stop: tokio::sync::watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

fn cases(temp: &testkit::TempStore, place: Place, exchange: Arc<dyn Asker>) -> Cases {
    let (nouns, portal) = (nouns(), place == Place::Portal);
    let (tenant, system) = if portal {
        ("G22", "G22/portal")
    } else {
        ("H56", "H56/one-stop")
    };
    Cases::new(Parts {
        store: temp.store.clone(),
        tenant: tenant.parse().expect("a code"),
        place,
        system: system.parse().expect("an id"),
        exchange,
        bank: None,
        messengers: crate::telling::Messengers::default(),
        documents: None,
        areas: nouns.areas.clone(),
        organisations: nouns.organisations.clone(),
        calendars: nouns.calendars.clone(),
        catalogue: nouns.catalogue.clone(),
        base_url: "http://place.test".to_owned(),
    })
}

/// A portal asks nobody here.
struct Nobody;

#[async_trait::async_trait]
impl Asker for Nobody {
    async fn ask(&self, ask: exchange::Ask) -> Result<exchange::Heard, kernel::Problem> {
        panic!("nobody asks {}", ask.service)
    }

    fn may_ask(&self, _: &exchange::SystemId, _: &exchange::ServiceId, _: kernel::Time) -> bool {
        false
    }
}

impl Pair {
    async fn new(events: u64) -> Self {
        let limits = kernel::limits::Limits::default();
        let migrations = [directory::MIGRATIONS, obligations::MIGRATIONS, crate::MIGRATIONS];
        let province = testkit::store_with(&migrations, limits.clone()).await;
        let portal = testkit::store_with(&migrations, limits).await;
        let link = Arc::new(Link::to(cases(&portal, Place::Portal, Arc::new(Nobody)), events));
        let desk = Province::of(cases(&province, Place::Desk, link.clone()), events);
        let machine = World::of_this_machine();
        let mut pair = Self {
            province,
            portal,
            link,
            desk,
            runner: None,
            began: machine.now(),
            machine,
        };
        pair.run();
        pair
    }

    fn run(&mut self) {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let sync = Arc::new(super::Sync(self.desk.cases.clone()));
        let task = self.province.store.run_outbox(vec![sync], stopped);
        self.runner = Some(Runner { stop, task });
    }

    /// Lets some time pass, for both.
    async fn while_passing(&self, real: Duration) {
        let ms = i64::try_from(real.as_millis()).expect("short") * PACE;
        tokio::time::sleep(real).await;
        self.pass(ms);
    }

    fn pass(&self, ms: i64) {
        self.province.clock.advance_ms(ms);
        self.portal.clock.advance_ms(ms);
    }

    /// Changes cases until there were so many changes, as fast as the line takes them away.
    async fn change(&mut self, until: u64) {
        let mut steps = 0;
        while self.desk.changes < until {
            self.desk.change_some(until - self.desk.changes).await;
            self.while_passing(Duration::from_millis(1)).await;
            steps += 1;
            while steps % LOOK_STEPS == 0 && self.waiting().await > WAITING_MAX {
                self.while_passing(Duration::from_millis(LOOK_MS)).await;
            }
        }
        self.tell("changed").await;
    }

    /// Changes cases until there were so many changes, while nothing passes for an hour.
    async fn change_in_an_outage(&mut self, until: u64) {
        self.link.cut(true);
        while self.desk.changes < until {
            self.desk.change_some(until - self.desk.changes).await;
        }
        for _ in 0..60 {
            self.pass(60_000);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.tell("after an hour without a line").await;
        self.link.cut(false);
    }

    /// The province's process dies in the middle of what it does, and starts again.
    async fn province_dies(&mut self) {
        let runner = self.runner.take().expect("it runs");
        runner.task.abort();
        drop(runner.task.await);
        self.desk.cases.store.close().await;
        self.province.reopen().await.expect("it opens again");
        self.desk.cases = cases(&self.province, Place::Desk, self.link.clone());
        self.run();
        self.tell("the province is there again").await;
    }

    /// The portal stops, and starts again after a while in which cases go on.
    async fn portal_restarts(&mut self, until: u64) {
        self.link.portal_goes().await;
        self.portal.store.close().await;
        self.change_without_waiting(until).await;
        self.portal.reopen().await.expect("it opens again");
        self.link
            .portal_comes(cases(&self.portal, Place::Portal, Arc::new(Nobody)));
        self.tell("the portal is there again").await;
    }

    async fn change_without_waiting(&mut self, until: u64) {
        while self.desk.changes < until {
            self.desk.change_some(until - self.desk.changes).await;
            self.while_passing(Duration::from_millis(1)).await;
        }
    }

    /// Waits until every line is delivered, however late the last words come.
    async fn settle(&mut self) {
        let (mut least, mut since) = (self.waiting().await, self.machine.now());
        while least > 0 {
            self.while_passing(Duration::from_millis(LOOK_MS)).await;
            let waiting = self.waiting().await;
            if waiting < least {
                (least, since) = (waiting, self.machine.now());
            }
            let stands = self.machine.now().ms() - since.ms();
            assert!(stands < STANDS_MS_MAX, "{waiting} lines are never delivered");
        }
        self.link.all_kept_pass().await;
        let runner = self.runner.take().expect("it runs");
        runner.stop.send(true).expect("it listens");
        runner.task.await.expect("it ends well");
        self.tell("settled").await;
    }

    async fn waiting(&self) -> u64 {
        let cases = &self.desk.cases;
        let topics = cases.store.outbox_topics(&cases.tenant).await;
        topics.expect("readable").iter().map(|topic| topic.lines).sum()
    }

    async fn tell(&self, what: &str) {
        let (changes, waiting) = (self.desk.changes, self.waiting().await);
        let seconds = (self.machine.now().ms() - self.began.ms()) / 1_000;
        println!("{seconds:6} s: {what}: {changes} changes, {waiting} on their way");
    }

    fn portal_cases(&self) -> Cases {
        cases(&self.portal, Place::Portal, Arc::new(Nobody))
    }
}

/// A status: its case's code, its number, the status, when.
type Status = (String, i64, i64, i64);

/// A page of every status of every case, after one.
async fn statuses(cases: &Cases, after: &(String, i64)) -> Vec<Status> {
    let reader = cases.store.read(&cases.tenant).await.expect("a reader");
    let sql = "select code, seq, status, at from cases_statuses
         where tenant = $1 and code >= $2 and (code > $2 or seq > $3) order by code, seq limit 10000";
    let rows = reader
        .all(sql, ::store::params![&cases.tenant, &after.0, after.1])
        .await
        .expect("readable");
    rows.iter()
        .map(|row| {
            let int = |name| row.int(name).expect("a number");
            (
                row.text("code").expect("a text"),
                int("seq"),
                int("status"),
                int("at"),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_say_the_same_of_every_case_after_losses_an_hours_outage_and_restarts_of_either() {
    let asked = std::env::var("SEN_SYNC_EVENTS").ok();
    let events = asked.map_or(EVENTS, |text| text.parse().expect("SEN_SYNC_EVENTS is a number"));
    let mut pair = Pair::new(events).await;
    pair.change(events * 3 / 10).await;
    pair.province_dies().await;
    pair.change(events * 5 / 10).await;
    pair.change_in_an_outage(events * 7 / 10).await;
    pair.portal_restarts(events * 8 / 10).await;
    pair.province_dies().await;
    pair.change(events).await;
    pair.settle().await;

    let (desk, portal) = (pair.desk.cases.clone(), pair.portal_cases());
    let (mut at, mut compared) = ((String::new(), -1), 0);
    loop {
        let (ours, theirs) = (statuses(&desk, &at).await, statuses(&portal, &at).await);
        // A case that nobody has accepted yet is not known at the portal.
        let told: Vec<_> = ours
            .iter()
            .filter(|row| !pair.desk.untold.contains(&row.0))
            .cloned()
            .collect();
        let Some(last) = ours.last() else {
            assert_eq!(theirs, []);
            break;
        };
        let upto = (&last.0, last.1);
        let theirs: Vec<_> = theirs.into_iter().filter(|row| (&row.0, row.1) <= upto).collect();
        assert_eq!(told, theirs);
        compared += told.iter().filter(|row| row.1 > 0).count() as u64;
        at = (last.0.clone(), last.1);
    }
    assert_eq!(compared, events, "every change is at both");

    // What the portal counts by: one fact a change, in order.
    let mut facts = BTreeMap::new();
    for (nth, code) in pair.desk.told().enumerate() {
        if nth % 50 != 0 && events > EVENTS {
            continue;
        }
        let held = portal
            .store
            .facts_of(&portal.tenant, &rows::subject(code))
            .await
            .expect("facts");
        let noted: Vec<u32> = held
            .iter()
            .filter_map(|record| match record.fact {
                Fact::CaseStatusNoted { seq, .. } => Some(seq),
                _ => None,
            })
            .collect();
        assert!(
            noted.iter().copied().eq(1..=noted.len() as u32),
            "{code}: {noted:?}"
        );
        facts.insert(code.clone(), noted.len());
    }
    println!(
        "{events} changes of {} cases; the line: {:?}",
        pair.desk.made(),
        pair.link.counts
    );
    for happened in pair.link.counts.all() {
        assert!(
            happened.load(Ordering::SeqCst) > 0,
            "a fault that never happened: {:?}",
            pair.link.counts
        );
    }
    if events == EVENTS {
        assert_eq!(facts.values().sum::<usize>() as u64, events);
    }
}
