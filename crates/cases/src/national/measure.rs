//! How many words about cases a portal takes in a second: made-up cases of one owner, told and moved in whole messages as
//! an owner would send them. For `cargo xtask bench services`; nothing here runs in a nation of people.

use std::path::Path;
use std::sync::Arc;

use ::store::Store;
use async_trait::async_trait;
use directory::areas::Areas;
use directory::calendars::Calendars;
use directory::organisations::Organisations;
use directory::pack::PackFault;
use exchange::{Ask, Heard, ServiceId, SystemId};
use kernel::{CaseCode, Kind, OrgCode, Problem, Time};
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;

use super::case_item::CaseItem;
use super::message::{Message, ProgressItem};
use super::receive::National;
use super::stamp;
use crate::Catalogue;
use crate::state::{Asker, Cases, Parts, Place};

/// Who tells.
const OWNER: &str = "H56/one-stop";
/// Messages that are under way at the same time.
const HANDS: u32 = 8;
/// How long ago the first word speaks of, in milliseconds: no word may speak of what is to come.
const AGO_MS: i64 = 400 * 86_400_000;

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rates {
    /// Cases that were told whole for the first time, a second.
    pub cases_per_second: i64,
    /// Changes of their status, a second.
    pub words_per_second: i64,
}

/// Nobody is asked.
struct Nobody;

#[async_trait]
impl Asker for Nobody {
    async fn ask(&self, _: Ask) -> Result<Heard, Problem> {
        Err(Problem::new(Kind::Unavailable, "provider-unreachable"))
    }

    fn may_ask(&self, _: &SystemId, _: &ServiceId, _: Time) -> bool {
        false
    }
}

/// A portal of a pack's country that asks nobody.
///
/// # Errors
/// The first file of the pack that cannot be used.
///
/// # Panics
/// Never: the names in it are names.
pub fn portal(store: Store, pack: &Path) -> Result<Cases, PackFault> {
    let areas = Arc::new(Areas::load(pack)?);
    Ok(Cases::new(Parts {
        store,
        tenant: "G22".parse().expect("a code"),
        place: Place::Portal,
        system: "G22/portal".parse().expect("a system"),
        exchange: Arc::new(Nobody),
        documents: None,
        bank: None,
        messengers: crate::telling::Messengers::default(),
        organisations: Arc::new(Organisations::load(pack, &areas)?),
        calendars: Arc::new(Calendars::load(pack)?),
        catalogue: Arc::new(Catalogue::load(pack)?),
        areas,
        base_url: "http://127.0.0.1".to_owned(),
    }))
}

/// Tells a portal of so many cases, then of their changes for some seconds.
///
/// # Errors
/// Unavailable; Internal when a word is not taken.
pub async fn rates(portal: &Cases, cases: u32, seconds: u32) -> Result<Rates, Problem> {
    let world = portal.store.world().clone();
    let begun = world.now();
    let from = begun.plus_ms(-AGO_MS);
    all_hands(|hand| begin(portal.clone(), hand, cases / HANDS, from)).await?;
    let told = world.now();
    let until = told.plus_ms(i64::from(seconds) * 1_000);
    let words = all_hands(|hand| go_on(portal.clone(), hand, cases / HANDS, (from, until))).await?;
    let a_second = |count: i64, from: Time, to: Time| count * 1_000 / (to.ms() - from.ms()).max(1);
    Ok(Rates {
        cases_per_second: a_second(i64::from(cases / HANDS * HANDS), begun, told),
        words_per_second: a_second(words, told, world.now()),
    })
}

/// Runs every hand at once; how many words they had taken together.
async fn all_hands<F>(hand: impl Fn(u32) -> F) -> Result<i64, Problem>
where
    F: Future<Output = Result<i64, Problem>> + Send + 'static,
{
    let (mut hands, mut count) = (JoinSet::new(), 0);
    for number in 0..HANDS {
        hands.spawn(hand(number));
    }
    while let Some(done) = hands.join_next().await {
        count += done.map_err(Problem::internal)??;
    }
    Ok(count)
}

/// The codes of a hand's cases, message by message.
fn messages(portal: &Cases, hand: u32, cases: u32, day: Time) -> Vec<Vec<CaseCode>> {
    let unit: OrgCode = "H56".parse().expect("a code");
    let codes: Vec<CaseCode> = (1..=cases)
        .map(|number| CaseCode::number(&unit, day.date(), hand * cases + number))
        .collect();
    let items = portal.store.limits().national_items_max;
    codes.chunks(items.max(1)).map(<[CaseCode]>::to_vec).collect()
}

async fn begin(portal: Cases, hand: u32, cases: u32, from: Time) -> Result<i64, Problem> {
    let mut count = 0;
    for codes in messages(&portal, hand, cases, from) {
        let items = codes.iter().map(|code| CaseItem {
            code: code.to_string(),
            procedure: "1.001193".to_owned(),
            procedure_name: "Đăng ký khai sinh".to_owned(),
            applicant: "Người nộp giả định".to_owned(),
            applicant_kind: "1".to_owned(),
            applicant_number: "038198000001".to_owned(),
            accepted: stamp::write(from),
            status: "2".to_owned(),
            unit: "Ủy ban nhân dân xã Hoằng Hóa".to_owned(),
            ..CaseItem::default()
        });
        count += tell(&portal, Message::Cases, &items.collect::<Vec<_>>()).await?;
    }
    Ok(count)
}

/// Moves a hand's cases to and fro, a second of theirs each round, until the time is over.
async fn go_on(portal: Cases, hand: u32, cases: u32, (from, until): (Time, Time)) -> Result<i64, Problem> {
    let messages = messages(&portal, hand, cases, from);
    let (mut count, mut round) = (0, 0_i64);
    while !messages.is_empty() {
        round += 1;
        let at = stamp::write(from.plus_ms(round * 1_000));
        for codes in &messages {
            if portal.store.world().now() >= until {
                return Ok(count);
            }
            let items = codes.iter().map(|code| ProgressItem {
                code: code.to_string(),
                official: "Cán bộ giả định".to_owned(),
                at: at.clone(),
                unit: "Ủy ban nhân dân xã Hoằng Hóa".to_owned(),
                what: "Đang xử lý".to_owned(),
                status: if round % 2 == 1 { "4" } else { "5" }.to_owned(),
                ..ProgressItem::default()
            });
            count += tell(&portal, Message::Progress, &items.collect::<Vec<_>>()).await?;
        }
    }
    Ok(count)
}

/// One message; how many items of it were taken, which is all of them.
async fn tell<T: Serialize + Sync>(portal: &Cases, message: Message, items: &[T]) -> Result<i64, Problem> {
    let service = National {
        cases: portal.clone(),
        message,
    };
    let envelope = json!({"madonvi": "H56", "service": message.name(), "data": items});
    let consumer: SystemId = OWNER.parse().expect("a system");
    let answer = service.answer(&consumer, envelope.to_string().as_bytes()).await?;
    match answer.fault() {
        0 => Ok(i64::try_from(items.len()).unwrap_or(i64::MAX)),
        fault => Err(Problem::internal(format_args!("a word was not taken: {fault}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of progress that a portal took, message by message.
    async fn taken(portal: &Cases) -> Vec<u64> {
        let facts = portal.store.facts_of(&portal.tenant, "synced/H56").await;
        let told = facts
            .expect("facts")
            .into_iter()
            .filter_map(|record| match record.fact {
                kernel::Fact::CasesSynced { message, items, .. } => {
                    (message == Message::Progress.name()).then_some(items)
                }
                _ => None,
            });
        told.collect()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_word_that_is_counted_was_taken() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let portal = portal(temp.store.clone(), &crate::testing::pack()).expect("the pack reads");
        // The clock of a test stands still, so that the time is over before it began.
        let rates = rates(&portal, 80, 0).await.expect("counted");
        assert_eq!(rates.words_per_second, 0);
        let until = portal.store.world().now().plus_ms(1_000);
        let from = until.plus_ms(-AGO_MS - 1_000);
        let (clock, told) = (Arc::clone(&temp.clock), portal.clone());
        let over = tokio::spawn(async move {
            // Once there is something to count.
            while taken(&told).await.is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            clock.advance_ms(2_000);
        });
        let words = go_on(portal.clone(), 0, 10, (from, until))
            .await
            .expect("goes on");
        over.await.expect("over");
        assert!(words > 0);
        assert_eq!(taken(&portal).await.iter().sum::<u64>(), words.unsigned_abs());
    }
}
