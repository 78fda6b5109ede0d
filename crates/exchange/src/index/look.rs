//! The look at blocks and tail together: by what an exchange is found by, newest record first, or by time,
//! oldest first. A bounded number of blocks a page whatever the history.

use std::collections::BTreeMap;

use kernel::{Digest, OrgCode, Problem};
use store::Reader;

use super::block::{AGREEMENT, MEMBER, OWN, RESULT, SERVICE};
use super::keys::{self, Kind};
use super::{BLOCK, Indexed, Tail, block, store as rows};
use crate::evidence::Outcome;
use crate::ids::ServiceId;

/// Blocks one page looks at, count: what is rarer is found on a later page.
const BLOCKS_MAX: usize = 48;
/// Blocks asked for at a time, count.
const STEP: usize = 8;
/// Blocks among which the order of time is made whole, count. A call that is recorded a million records
/// later than one that began with it is not told in this order.
const WINDOW: usize = 256;

/// Records of one exchange that are looked at, count: attempts at either side.
const ATTEMPTS_MAX: usize = 100;
/// Records of one case whose blocks one page may go through, count.
const CASE_RECORDS_MAX: usize = 1 << 20;

/// What a look is driven by.
#[derive(Clone, Debug)]
pub(crate) enum By {
    /// The case that caused it.
    Case(String),
    /// The agreement.
    Agreement(Digest),
    /// A result that is not `ok`.
    Failure(Outcome),
    /// The service.
    Service(ServiceId),
    /// The other party.
    Member(OrgCode),
    /// Whose record it is.
    Own(OrgCode),
    /// Nothing but the time.
    Time,
}

/// What is asked for.
pub(crate) struct Asked<'a> {
    /// What names the blocks.
    pub(crate) by: By,
    /// Calls that began at this instant or later, and before that one, in milliseconds since 1970.
    pub(crate) time: (i64, i64),
    /// Records before this position.
    pub(crate) below: u64,
    /// What an exchange must meet besides its time.
    pub(crate) meets: &'a (dyn Fn(&Indexed) -> bool + Sync),
    /// Exchanges at most, count.
    pub(crate) limit: usize,
}

impl Asked<'_> {
    fn wants(&self, row: &Indexed) -> bool {
        row.position < self.below && row.began >= self.time.0 && row.began < self.time.1 && (self.meets)(row)
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The exchanges, newest record first.
    pub(crate) rows: Vec<Indexed>,
    /// The position below which to go on; none when this was all.
    pub(crate) below: Option<u64>,
    /// Until when the look came, when it ended before it was full: when the last call it saw began.
    pub(crate) looked_to: Option<i64>,
}

/// A place in the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// When the call began, in milliseconds since 1970.
    pub(crate) began: i64,
    /// The position of its record.
    pub(crate) position: u64,
}

impl Place {
    const fn of(row: &Indexed) -> Self {
        Self {
            began: row.began,
            position: row.position,
        }
    }
}

/// Blocks and tail of one instant.
pub(crate) struct Look<'a> {
    reader: &'a Reader,
    tail: Tail,
}

impl<'a> Look<'a> {
    /// A look at a tail and the blocks before it.
    pub(crate) const fn of(reader: &'a Reader, tail: Tail) -> Self {
        Self { reader, tail }
    }

    /// The exchanges of a block; none of one that is in no row.
    async fn block(&self, number: u64) -> Result<Vec<Indexed>, Problem> {
        match rows::body(self.reader, number).await? {
            Some(body) => block::read(number, &body),
            None => Ok(Vec::new()),
        }
    }

    /// The sides this node has of an exchange.
    pub(crate) async fn request(&self, request: &str) -> Result<Vec<Indexed>, Problem> {
        let same = |row: &Indexed| row.request == request;
        let found = self.of_key(Kind::Request, request, ATTEMPTS_MAX, &same).await?;
        Ok(answered(found))
    }

    /// The sides of the exchanges whose message bore an id, oldest record first; of no more than so many
    /// records.
    pub(crate) async fn message(&self, message: &str, limit: usize) -> Result<Vec<Indexed>, Problem> {
        let same = |row: &Indexed| row.message.as_deref() == Some(message);
        let found = self.of_key(Kind::Message, message, limit, &same).await?;
        let mut found = answered(found);
        found.sort_by_key(|row| row.position);
        Ok(found)
    }

    /// The exchanges of a key, newest record first.
    async fn of_key(
        &self,
        kind: Kind,
        key: &str,
        limit: usize,
        same: &(dyn Fn(&Indexed) -> bool + Sync),
    ) -> Result<Vec<Indexed>, Problem> {
        let tail = self.tail.rows.iter().rev().filter(|row| same(row));
        let mut found: Vec<Indexed> = tail.take(limit).map(|row| Indexed::clone(row)).collect();
        let hash = keys::hash(kind, key);
        // Another key may have the same hash.
        let places = rows::positions(self.reader, hash, self.tail.first, limit.saturating_mul(2)).await?;
        for places in places.chunk_by(|a, b| a / BLOCK == b / BLOCK) {
            if found.len() >= limit {
                break;
            }
            let of_block = self.block(places[0] / BLOCK).await?;
            let here = of_block.into_iter().rev();
            let here = here.filter(|row| places.contains(&row.position) && same(row));
            found.extend(here.take(limit - found.len()));
        }
        Ok(found)
    }

    /// A page of what is asked for.
    pub(crate) async fn page(&self, asked: &Asked<'_>) -> Result<Found, Problem> {
        let mut found = Found::default();
        let mut last = i64::MAX;
        for row in self.tail.rows.iter().rev() {
            if asked.wants(row) && !found.take(row, asked.limit) {
                return Ok(found);
            }
            last = row.began;
        }
        let mut below = asked.below.div_ceil(BLOCK).min(self.tail.first / BLOCK);
        let mut looked = 0;
        let of_case = self.of_case(asked, below).await?;
        loop {
            let blocks = match &of_case {
                Some(blocks) => blocks
                    .iter()
                    .copied()
                    .filter(|block| *block < below)
                    .take(STEP)
                    .collect(),
                None => self.blocks(asked, below).await?,
            };
            let more = blocks.len() == STEP;
            for number in blocks {
                if looked == BLOCKS_MAX {
                    found.below = Some(below * BLOCK);
                    found.looked_to = Some(last);
                    return Ok(found);
                }
                for row in self.block(number).await?.iter().rev() {
                    if asked.wants(row) && !found.take(row, asked.limit) {
                        return Ok(found);
                    }
                    last = row.began;
                }
                (below, looked) = (number, looked + 1);
            }
            if !more {
                return Ok(found);
            }
        }
    }

    /// The numbers of blocks that hold something of the case that is asked for, newest first; none when no
    /// case is.
    async fn of_case(&self, asked: &Asked<'_>, below: u64) -> Result<Option<Vec<u64>>, Problem> {
        let By::Case(case) = &asked.by else {
            return Ok(None);
        };
        let hash = keys::hash(Kind::Case, case);
        let mut blocks = rows::positions(self.reader, hash, below * BLOCK, CASE_RECORDS_MAX).await?;
        blocks.iter_mut().for_each(|position| *position /= BLOCK);
        blocks.dedup();
        Ok(Some(blocks))
    }

    /// Numbers of blocks to look at, newest first.
    async fn blocks(&self, asked: &Asked<'_>, below: u64) -> Result<Vec<u64>, Problem> {
        let marked = async |kind, value: String| {
            rows::of_mark(self.reader, (kind, &value), asked.time, below, STEP).await
        };
        match &asked.by {
            // Has its own way: see `of_case`.
            By::Case(_) => Ok(Vec::new()),
            By::Agreement(hash) => marked(AGREEMENT, hash.hex()).await,
            By::Failure(result) => marked(RESULT, result.as_str().to_owned()).await,
            By::Service(service) => marked(SERVICE, service.to_string()).await,
            By::Member(member) => marked(MEMBER, member.to_string()).await,
            By::Own(own) => marked(OWN, own.to_string()).await,
            By::Time => rows::of_time(self.reader, asked.time, below, STEP).await,
        }
    }

    /// The calls of a time from a place on in the order of time, and the place to go on from; none when
    /// this was all.
    pub(crate) async fn oldest(
        &self,
        from: Place,
        to: i64,
        meets: &(dyn Fn(&Indexed) -> bool + Sync),
        limit: usize,
    ) -> Result<(Vec<Indexed>, Option<Place>), Problem> {
        let wants = |row: &Indexed| Place::of(row) >= from && row.began < to && meets(row);
        let below = self.tail.first / BLOCK;
        let spans = rows::oldest(self.reader, (from.began, to), below, WINDOW + 1).await?;
        let tail_min = self
            .tail
            .rows
            .iter()
            .map(|row| row.began)
            .min()
            .unwrap_or(i64::MAX);
        // What began before this instant cannot come any more, behind each block.
        let mut safe_behind = vec![tail_min];
        for (_, began_min) in spans.iter().rev() {
            safe_behind.push(safe_behind[safe_behind.len() - 1].min(*began_min));
        }
        safe_behind.reverse();
        let mut page = InTime {
            kept: BTreeMap::new(),
            limit,
        };
        for (looked, (number, _)) in spans.iter().enumerate().take(WINDOW) {
            page.keep(self.block(*number).await?.into_iter().filter(&wants));
            let safe = safe_behind[looked + 1];
            if page.is_full_before(safe) || (looked + 1 >= BLOCKS_MAX && safe > from.began) {
                return Ok(page.cut(safe));
            }
        }
        if spans.len() > WINDOW {
            // Always some way on, though a record may have begun by a clock that was set back.
            return Ok(page.cut(safe_behind[WINDOW].max(from.began + 1)));
        }
        let tail = self.tail.rows.iter().filter(|row| wants(row));
        page.keep(tail.map(|row| Indexed::clone(row)));
        Ok(page.cut(i64::MAX))
    }
}

/// Of records of one side of one exchange the answered one counts, else the first; by exchange and side.
fn answered(mut rows: Vec<Indexed>) -> Vec<Indexed> {
    rows.sort_by_key(|row| row.position);
    let mut sides: BTreeMap<(String, &str), Indexed> = BTreeMap::new();
    for row in rows {
        let side = (row.request.clone(), row.side);
        match sides.get(&side) {
            Some(first) if first.status != 0 || row.status == 0 => {}
            _ => drop(sides.insert(side, row)),
        }
    }
    sides.into_values().collect()
}

/// A page in the order of time: the first so many of what was seen, and one more.
struct InTime {
    kept: BTreeMap<Place, Indexed>,
    limit: usize,
}

impl InTime {
    fn keep(&mut self, rows: impl Iterator<Item = Indexed>) {
        for row in rows {
            self.kept.insert(Place::of(&row), row);
            if self.kept.len() > self.limit + 1 {
                self.kept.pop_last();
            }
        }
    }

    /// Whether more than a page began before an instant.
    fn is_full_before(&self, safe: i64) -> bool {
        self.kept.len() > self.limit && self.kept.keys().all(|place| place.began < safe)
    }

    /// What began before an instant before which nothing more comes, a page of it, and where to go on: at
    /// the first that is not given, or at that instant when something that is not seen yet may come first.
    fn cut(mut self, safe: i64) -> (Vec<Indexed>, Option<Place>) {
        let unsafe_from = Place {
            began: safe,
            position: 0,
        };
        let ripe = self.kept.range(..unsafe_from).count().min(self.limit);
        let behind = self.kept.keys().nth(ripe).copied();
        if let Some(behind) = behind {
            self.kept.split_off(&behind);
        }
        let unseen = (safe != i64::MAX).then_some(unsafe_from);
        let next = behind.into_iter().chain(unseen).min();
        (self.kept.into_values().collect(), next)
    }
}

impl Found {
    /// Takes one more; false when there was no room, and it is where to go on from.
    fn take(&mut self, row: &Indexed, limit: usize) -> bool {
        if self.rows.len() == limit {
            // The one that did not fit is the first of the next page.
            self.below = Some(row.position + 1);
            return false;
        }
        self.rows.push(row.clone());
        true
    }
}

#[cfg(test)]
mod tests {
    use kernel::Actor;

    use super::*;
    use crate::gateway::STREAM;
    use crate::index::{Block, CONSUMER, PROVIDER};

    fn row(position: u64, began: i64) -> Indexed {
        let failed = position % 1_000 == 7;
        Indexed {
            request: format!("{position:032x}"),
            side: PROVIDER,
            stream: STREAM,
            position,
            consumer: format!("G{}/portal", 22 + position % 2),
            service: format!("G01/population/s{}", position % 4),
            agreement: Digest::of(&(position % 8).to_le_bytes()).hex(),
            message: Some(format!("VN-{}", position / 2)),
            issue: Some(format!("case-{}", position / 100)),
            status: if failed { 502 } else { 200 },
            began,
            ended: began + 5,
            own: "G01".to_owned(),
            member: format!("G{}", 22 + position % 2),
            result: if failed { "fault" } else { "ok" },
            fault: String::new(),
        }
    }

    /// An index of blocks of some rows each, and the rows behind them.
    struct Past {
        temp: testkit::TempStore,
        reader: Reader,
        tail: Tail,
        all: Vec<Indexed>,
    }

    impl Past {
        async fn of(blocks: u64, rows: impl Iterator<Item = Indexed>) -> Self {
            let temp = testkit::store(&[crate::MIGRATIONS]).await;
            let home: OrgCode = "G01".parse().expect("a code");
            let all: Vec<Indexed> = rows.collect();
            let written: Vec<Block> = (0..blocks)
                .map(|number| {
                    let of_block = all.iter().filter(|row| row.position / BLOCK == number);
                    Block::of(number, &of_block.collect::<Vec<_>>())
                })
                .collect();
            for some in written.chunks(64) {
                let insert = temp.store.write(&home, &Actor::Platform, |tx| async move {
                    for block in some {
                        rows::insert(&tx, block).await?;
                        // Another process may have written it already.
                        rows::insert(&tx, block).await?;
                    }
                    Ok(())
                });
                insert.await.expect("written");
            }
            let reader = temp.store.read(&home).await.expect("a reader");
            assert_eq!(rows::blocks(&reader).await.expect("counted"), blocks);
            let mut tail = Tail::behind(blocks);
            let behind = all.iter().filter(|row| row.position >= blocks * BLOCK).cloned();
            tail.take(behind, all.last().map_or(0, |row| row.position + 1));
            Self {
                temp,
                reader,
                tail,
                all,
            }
        }

        /// Three blocks and a tail; every fifth record is a replay's, which is none of these.
        async fn usual() -> Self {
            let rows = (0..3 * BLOCK + 700).filter(|n| n % 5 != 0);
            Self::of(3, rows.map(|n| row(n, i64::try_from(n / 3).expect("small")))).await
        }

        fn look(&self) -> Look<'_> {
            Look::of(&self.reader, self.tail.clone())
        }

        /// All pages of what is asked for, and how many there were.
        async fn pages(&self, by: By, time: (i64, i64), limit: usize) -> (Vec<u64>, usize) {
            let meets = meets(&by);
            let (mut seen, mut pages, mut below) = (Vec::new(), 0, u64::MAX);
            loop {
                let asked = Asked {
                    by: by.clone(),
                    time,
                    below,
                    meets: &meets,
                    limit,
                };
                let found = self.look().page(&asked).await.expect("found");
                assert!(found.rows.len() <= limit);
                seen.extend(found.rows.iter().map(|row| row.position));
                pages += 1;
                match found.below {
                    Some(next) => below = next,
                    None => return (seen, pages),
                }
            }
        }
    }

    fn meets(by: &By) -> impl Fn(&Indexed) -> bool + Sync + use<> {
        let by = by.clone();
        move |row| match &by {
            By::Case(case) => row.issue.as_ref() == Some(case),
            By::Agreement(hash) => row.agreement == hash.hex(),
            By::Failure(result) => row.result == result.as_str(),
            By::Service(service) => row.service == service.to_string(),
            By::Member(member) => row.member == member.as_str(),
            By::Own(own) => row.own == own.as_str(),
            By::Time => true,
        }
    }

    fn all_ways() -> [By; 7] {
        [
            By::Case("case-7".to_owned()),
            By::Agreement(Digest::of(&3_u64.to_le_bytes())),
            By::Failure(Outcome::Fault),
            By::Service("G01/population/s1".parse().expect("an id")),
            By::Member("G22".parse().expect("a code")),
            By::Own("G01".parse().expect("a code")),
            By::Time,
        ]
    }

    #[tokio::test]
    async fn pages_go_through_everything_once_newest_record_first_whatever_is_asked_for() {
        let past = Past::usual().await;
        for by in all_ways() {
            for (time, limit) in [((i64::MIN, i64::MAX), 50), ((1_000, 4_150), 900)] {
                let meets = meets(&by);
                let wanted: Vec<u64> = past
                    .all
                    .iter()
                    .rev()
                    .filter(|row| (time.0..time.1).contains(&row.began) && meets(row))
                    .map(|row| row.position)
                    .collect();
                let (seen, pages) = past.pages(by.clone(), time, limit).await;
                assert_eq!(seen, wanted, "{by:?} {time:?}");
                assert_eq!(pages, wanted.len().div_ceil(limit).max(1), "{by:?}");
            }
        }
    }

    #[tokio::test]
    async fn what_nothing_has_is_told_after_a_bounded_look_and_not_at_the_end_of_the_history() {
        let few = |n: u64| (0..20).map(move |place| n * BLOCK + place);
        let rows = (0..100).flat_map(few).map(|n| row(n, 7));
        let past = Past::of(100, rows).await;
        let nothing = |_: &Indexed| false;
        let mut asked = Asked {
            by: By::Time,
            time: (i64::MIN, i64::MAX),
            below: u64::MAX,
            meets: &nothing,
            limit: 50,
        };
        let first = past.look().page(&asked).await.expect("looked");
        assert!(first.rows.is_empty());
        assert_eq!(
            (first.below, first.looked_to),
            (Some((100 - 48) * BLOCK), Some(7))
        );
        asked.below = first.below.expect("there is more");
        let second = past.look().page(&asked).await.expect("looked");
        asked.below = second.below.expect("four more");
        let last = past.look().page(&asked).await.expect("looked");
        assert_eq!((last.below, last.looked_to), (None, None));
        // What only one old block has is found at once.
        asked.below = u64::MAX;
        let rare = |row: &Indexed| row.issue.as_deref() == Some("case-40");
        asked.meets = &rare;
        asked.by = By::Case("case-40".to_owned());
        let found = past.look().page(&asked).await.expect("found");
        assert_eq!(found.rows.iter().filter(|row| row.position < BLOCK).count(), 0);
        assert!(found.below.is_none() && !found.rows.is_empty());
    }

    #[tokio::test]
    async fn an_id_is_found_at_every_level_to_which_its_keys_were_merged() {
        // Two whole runs of the highest level, some of the next, a block alone, and a tail.
        let blocks = 2 * 256 + 40 + 3;
        let places = [0, 1, BLOCK - 1];
        let rows = (0..=blocks).flat_map(|n| places.map(|place| n * BLOCK + place));
        let past = Past::of(blocks, rows.map(|n| row(n, 7))).await;
        let levels = past
            .reader
            .all(
                "select level, count(distinct run) as runs from exchange_index_keys group by level order by level",
                vec![],
            )
            .await
            .expect("counted");
        let levels: Vec<u64> = levels
            .iter()
            .map(|row| row.count("runs").expect("a count"))
            .collect();
        assert_eq!(levels.len(), 3, "{levels:?}");
        assert!(levels[0] < 16 && levels[1] <= 32 && levels[2] <= 2, "{levels:?}");
        let look = past.look();
        for wanted in &past.all {
            let found = look.request(&wanted.request).await.expect("found");
            assert_eq!(found, std::slice::from_ref(wanted));
        }
        assert!(look.request("nobody's").await.expect("looked").is_empty());
        let twice = look.message("VN-0", 100).await.expect("found");
        assert_eq!(twice.iter().map(|row| row.position).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(look.message("VN-0", 1).await.expect("found").len(), 1);
        drop(past.temp);
    }

    #[tokio::test]
    async fn of_two_records_of_one_side_the_answered_one_counts() {
        let attempt = |position, side, status| Indexed {
            request: "r".to_owned(),
            side,
            status,
            ..row(position, 7)
        };
        let rows = [
            attempt(0, CONSUMER, 0),
            attempt(1, CONSUMER, 200),
            attempt(2, PROVIDER, 404),
            attempt(BLOCK, PROVIDER, 0),
        ];
        let past = Past::of(1, rows.into_iter()).await;
        let found = past.look().request("r").await.expect("found");
        let found: Vec<_> = found.iter().map(|row| (row.side, row.position)).collect();
        assert_eq!(found, [(CONSUMER, 1), (PROVIDER, 2)]);
    }

    #[tokio::test]
    async fn a_rare_call_that_is_recorded_behind_a_page_of_blocks_is_told_in_its_time() {
        // Records of one block lie between those of the next two by their time, everywhere.
        let blocks = 2 * u64::try_from(BLOCKS_MAX).expect("small") + 5;
        let began = |n: u64| i64::try_from((n / BLOCK).saturating_sub(n % 3) * 10).expect("small");
        let rows = (0..blocks * 20).map(|n| n / 20 * BLOCK + n % 20);
        let past = Past::of(blocks, rows.map(|n| row(n, began(n)))).await;
        let rare = |row: &Indexed| row.position % 7 == 2;
        let mut wanted: Vec<Place> = past.all.iter().filter(|row| rare(row)).map(Place::of).collect();
        wanted.sort_unstable();
        for limit in [1, 10, 1_000] {
            let (mut seen, mut from) = (
                Vec::new(),
                Place {
                    began: 0,
                    position: 0,
                },
            );
            loop {
                let page = past.look().oldest(from, i64::MAX, &rare, limit).await;
                let (rows, next) = page.expect("read");
                seen.extend(rows.iter().map(Place::of));
                let Some(next) = next else { break };
                assert!(next > from, "{next:?} is no way on from {from:?}");
                from = next;
            }
            assert_eq!(seen, wanted, "{limit} a page");
        }
    }

    #[tokio::test]
    async fn what_is_recorded_later_does_not_move_a_page_that_is_being_read() {
        let mut past = Past::usual().await;
        let every = |_: &Indexed| true;
        let mut asked = Asked {
            by: By::Time,
            time: (i64::MIN, i64::MAX),
            below: u64::MAX,
            meets: &every,
            limit: 3,
        };
        let first = past.look().page(&asked).await.expect("found");
        asked.below = first.below.expect("more");
        let before = past.look().page(&asked).await.expect("found");
        let next = past.tail.next() + 1;
        past.tail.take([row(next - 1, 0)].into_iter(), next);
        let after = past.look().page(&asked).await.expect("found");
        assert_eq!(before.rows, after.rows);
    }

    #[tokio::test]
    async fn calls_are_told_in_the_order_of_time_though_a_slow_one_is_recorded_much_later() {
        // Each hundredth call began two thousand records before its own was written.
        let began = |n: u64| {
            let late = if n % 100 == 99 { 2_000 } else { 0 };
            i64::try_from(n.saturating_sub(late)).expect("small")
        };
        let past = Past::of(3, (0..3 * BLOCK + 700).map(|n| row(n, began(n)))).await;
        let mut wanted: Vec<Place> = past.all.iter().map(Place::of).collect();
        wanted.retain(|place| (500..12_000).contains(&place.began));
        wanted.sort_unstable();
        let (mut seen, mut from) = (
            Vec::new(),
            Place {
                began: 500,
                position: 0,
            },
        );
        loop {
            let (rows, next) = past
                .look()
                .oldest(from, 12_000, &|_| true, 1_000)
                .await
                .expect("read");
            assert!(rows.len() <= 1_000);
            seen.extend(rows.iter().map(Place::of));
            match next {
                Some(next) => from = next,
                None => break,
            }
        }
        assert_eq!(seen, wanted);
    }
}
