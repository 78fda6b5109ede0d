//! A thousand people at the pages at once, who think between what they do: most read, some answer a page of a
//! form of their own, a few are officials at the desk.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use kernel::{Time, World};
use sen::story::http::Browser;
use sen::up::nation::Place;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::birth::{self, Answers};
use crate::people::Person;
use crate::site::Site;

/// Accounts of citizens, and sessions of each, count.
pub(super) const ACCOUNTS: usize = 190;
const SESSIONS: usize = 5;
/// Sessions of officials, count.
const OFFICIALS: usize = 50;
/// Addresses that they come from, count: no listener takes a thousand connections from one.
const ADDRESSES: u8 = 50;
/// Sign-ins under way at the same time, count.
const AT_ONCE: usize = 8;
/// The longest that somebody thinks, in milliseconds; half of it as a mean.
const THINK_MS_MAX: u64 = 20_000;
/// Length of the measurement, in milliseconds.
const LENGTH_MS: i64 = 90_000;
/// One of so many things that a citizen does is to answer a page.
const WRITES: u64 = 5;
/// The page that is answered again and again.
const PAGE: &str = "child";

/// What one of them did: how long each took, in milliseconds.
#[derive(Default)]
struct Done {
    reads: Vec<i64>,
    writes: Vec<i64>,
}

enum Who {
    Citizen { draft: String, answers: Answers },
    Official,
}

/// Lives a while with all of them, and says how long they waited.
pub(super) async fn think(site: &Site, world: &World) -> anyhow::Result<Value> {
    let people = signed_in(site, world).await?;
    let count = people.len();
    let until = world.now().plus_ms(LENGTH_MS);
    let mut all = JoinSet::new();
    for (me, who) in people {
        all.spawn(live(me, who, until, world.clone()));
    }
    let mut done = Done::default();
    while let Some(one) = all.join_next().await {
        let one = one??;
        done.reads.extend(one.reads);
        done.writes.extend(one.writes);
    }
    Ok(json!({"people": count, "reads": times(done.reads), "writes": times(done.writes)}))
}

fn times(mut took: Vec<i64>) -> Value {
    took.sort_unstable();
    let at = |percent: usize| took.get((took.len() * percent / 100).min(took.len().saturating_sub(1)));
    json!({"count": took.len(), "p50_ms": at(50), "p95_ms": at(95), "p99_ms": at(99)})
}

async fn signed_in(site: &Site, world: &World) -> anyhow::Result<Vec<(Person, Who)>> {
    let (few, mut all) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    let answers = Answers::usual(world)?;
    let invited = site
        .samples
        .iter()
        .filter(|s| s.role == "citizen" && s.household > 0);
    let mut addresses = (1..=ADDRESSES)
        .map(|last| IpAddr::from([127, 0, 1, last]))
        .cycle();
    for sample in invited {
        for address in addresses.by_ref().take(SESSIONS) {
            let (site, sample, few) = (site.clone(), sample.clone(), Arc::clone(&few));
            let answers = answers.another(world);
            all.spawn(async move {
                let _turn = few.acquire().await.context("nobody closes it")?;
                let mut me = Person::citizen_with(Browser::on(address), &site, &sample).await?;
                let draft = birth::start(&mut me).await?;
                anyhow::Ok((me, Who::Citizen { draft, answers }))
            });
        }
    }
    for nth in 0..OFFICIALS {
        let (site, few) = (site.clone(), Arc::clone(&few));
        let role = ["receptionist", "officer", "chairman", "clerk", "supervisor"][nth % 5];
        all.spawn(async move {
            let _turn = few.acquire().await.context("nobody closes it")?;
            let me = Person::official(&site, role, Place::Province).await?;
            Ok((me, Who::Official))
        });
    }
    let mut people = Vec::new();
    while let Some(person) = all.join_next().await {
        people.push(person??);
    }
    Ok(people)
}

async fn live(mut me: Person, who: Who, until: Time, world: World) -> anyhow::Result<Done> {
    let mut done = Done::default();
    loop {
        let chance = u64::from_be_bytes(world.random::<8>());
        tokio::time::sleep(Duration::from_millis(chance % THINK_MS_MAX)).await;
        if world.now() >= until {
            return Ok(done);
        }
        let choice = chance / THINK_MS_MAX;
        match &who {
            Who::Citizen { draft, answers } if choice.is_multiple_of(WRITES) => {
                let path = format!("/drafts/{draft}/pages/{PAGE}");
                let from = world.now();
                let form = me.get(&path).await?;
                done.reads.push(world.now().ms() - from.ms());
                let fields = answers.fields(&form.ok()?.text());
                let fields: Vec<(&str, &str)> =
                    fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                let from = world.now();
                me.post(&path, &fields).await?.ok()?;
                done.writes.push(world.now().ms() - from.ms());
            }
            Who::Citizen { draft, .. } => {
                let paths = [
                    "/cases".to_owned(),
                    format!("/drafts/{draft}"),
                    "/procedures?q=dang+ky+khai+sinh".to_owned(),
                    "/procedures/1.001193".to_owned(),
                    "/track".to_owned(),
                    "/boards".to_owned(),
                ];
                read(&mut me, one_of(&paths, choice), &mut done, &world).await?;
            }
            Who::Official => {
                let paths = [
                    "/desk",
                    "/desk?state=accepted",
                    "/desk?state=overdue",
                    "/desk?state=all",
                ];
                read(&mut me, one_of(&paths, choice), &mut done, &world).await?;
            }
        }
    }
}

fn one_of<T: AsRef<str>>(paths: &[T], choice: u64) -> &str {
    let nth = usize::try_from(choice / WRITES).unwrap_or_default() % paths.len();
    paths[nth].as_ref()
}

async fn read(me: &mut Person, path: &str, done: &mut Done, world: &World) -> anyhow::Result<()> {
    let from = world.now();
    me.get(path).await?.ok()?;
    done.reads.push(world.now().ms() - from.ms());
    Ok(())
}
