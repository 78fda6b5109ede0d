//! All the SQL of the index. Never a decision: rows in, rows out.

use kernel::Problem;
use serde_json::json;
use store::{Pair, Reader, Tx, params};

use super::block::Block;
use super::keys::{self, LEVEL_MAX, MERGED};

const BLOCKS: &str = "select cast(coalesce(max(block) + 1, 0) as bigint) as blocks from exchange_index_blocks \
     where tenant = $1";

const RUNS: &str = "select run, entries from exchange_index_keys \
     where tenant = $1 and level = $2 and part = $3 and run < $4 order by run desc limit $5";

const BODY: &str = "select body from exchange_index_blocks where tenant = $1 and block = $2";

const OF_TIME: &str = "select block from exchange_index_blocks \
     where tenant = $1 and block < $2 and began_max >= $3 and began_min < $4 order by block desc limit $5";

const OF_MARK: &str = "select m.block as block from exchange_index_marks m \
     join exchange_index_blocks b on b.tenant = m.tenant and b.block = m.block \
     where m.tenant = $1 and m.block < $2 and b.began_max >= $3 and b.began_min < $4 \
     and m.kind = $5 and m.value = $6 order by m.block desc limit $7";

const OLDEST: &str = "select block, began_min from exchange_index_blocks \
     where tenant = $1 and block < $2 and began_max >= $3 and began_min < $4 order by block limit $5";

/// How many blocks are written.
pub(crate) async fn blocks(reader: &Reader) -> Result<u64, Problem> {
    let row = reader.one(BLOCKS, params![reader.tenant()]).await?;
    row.map_or(Ok(0), |row| row.count("blocks"))
}

/// Runs read at a time, count.
const RUNS_STEP: usize = 32;

/// A JSON array of `[kind, value, block]`.
const MARKS: Pair = Pair {
    sqlite: "insert into exchange_index_marks (tenant, kind, value, block) \
             select $1, value ->> 0, value ->> 1, value ->> 2 from json_each($2) where true on conflict do nothing",
    postgres: "insert into exchange_index_marks (tenant, kind, value, block) \
               select $1, value ->> 0, value ->> 1, cast(value ->> 2 as bigint) \
               from jsonb_array_elements($2::text::jsonb) as t(value) on conflict do nothing",
};

/// Writes a block, and merges what of the keys is due by its number: each block does its share, so that no
/// write is long. Nothing changes when it is written already.
pub(crate) async fn insert(tx: &Tx, block: &Block) -> Result<(), Problem> {
    let written = tx
        .exec(
            "insert into exchange_index_blocks (tenant, block, began_min, began_max, body) values ($1, $2, $3, $4, $5) \
             on conflict (tenant, block) do nothing",
            params![
                tx.tenant(),
                block.number,
                block.began_min,
                block.began_max,
                block.body.clone()
            ],
        )
        .await?;
    if written == 0 {
        return Ok(());
    }
    let marks = block.marks.iter();
    let marks: Vec<_> = marks
        .map(|(kind, value)| json!([kind, value, block.number]))
        .collect();
    if !marks.is_empty() {
        tx.bulk_insert(MARKS, serde_json::Value::from(marks).to_string())
            .await?;
    }
    for (part, entries) in &block.keys {
        insert_run(tx, 0, *part, block.number, entries).await?;
    }
    let next = block.number + 1;
    if next.is_multiple_of(MERGED) {
        for part in 0..MERGED {
            merge(tx, 0, part, next / MERGED - 1).await?;
        }
    }
    // The 256 parts of the level above, one with each of the next 256 blocks.
    let (groups, part) = (block.number / (MERGED * MERGED), block.number % (MERGED * MERGED));
    if groups > 0 {
        merge(tx, 1, part, groups - 1).await?;
    }
    Ok(())
}

async fn insert_run(tx: &Tx, level: u64, part: u64, run: u64, entries: &[u8]) -> Result<(), Problem> {
    tx.exec(
        "insert into exchange_index_keys (tenant, level, part, run, entries) values ($1, $2, $3, $4, $5)",
        params![tx.tenant(), level, part, run, entries.to_vec()],
    )
    .await?;
    Ok(())
}

/// Makes one run of the next level of one part of sixteen runs.
async fn merge(tx: &Tx, level: u64, part: u64, run: u64) -> Result<(), Problem> {
    let (first, next) = (run * MERGED, (run + 1) * MERGED);
    let rows = tx
        .all(
            "select run, entries from exchange_index_keys \
             where tenant = $1 and level = $2 and part = $3 and run >= $4 and run < $5 order by run",
            params![tx.tenant(), level, part, first, next],
        )
        .await?;
    let runs = rows
        .iter()
        .map(|row| Ok((row.count("run")?, row.bytes("entries")?)));
    let runs: Vec<(u64, Vec<u8>)> = runs.collect::<Result<_, Problem>>()?;
    tx.exec(
        "delete from exchange_index_keys where tenant = $1 and level = $2 and part = $3 and run >= $4 and run < $5",
        params![tx.tenant(), level, part, first, next],
    )
    .await?;
    for (part, entries) in keys::merged(level, &runs) {
        insert_run(tx, level + 1, part, run, &entries).await?;
    }
    Ok(())
}

/// The positions below a bound where a hash stands, newest first; not all of them when there are more than
/// `limit`. From the lowest level up, whose runs are newer than those of the next: what is merged meanwhile
/// goes the same way.
pub(super) async fn positions(
    reader: &Reader,
    hash: u64,
    below: u64,
    limit: usize,
) -> Result<Vec<u64>, Problem> {
    let mut found = Vec::new();
    'levels: for level in 0..=LEVEL_MAX {
        let (part, mut behind) = (keys::part_of(hash, level), i64::MAX.unsigned_abs());
        loop {
            let values = params![reader.tenant(), level, part, behind, RUNS_STEP];
            let rows = reader.all(RUNS, values).await?;
            for row in &rows {
                behind = row.count("run")?;
                let entries = row.bytes("entries")?;
                let here = keys::found(level, behind, &entries, hash);
                found.extend(here.filter(|position| *position < below));
            }
            if found.len() >= limit {
                break 'levels;
            }
            if rows.len() < RUNS_STEP {
                break;
            }
        }
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    // What was merged between two of these statements is seen at both levels.
    found.dedup();
    Ok(found)
}

/// The body of a block.
pub(super) async fn body(reader: &Reader, block: u64) -> Result<Option<Vec<u8>>, Problem> {
    let row = reader.one(BODY, params![reader.tenant(), block]).await?;
    row.map(|row| row.bytes("body")).transpose()
}

/// The blocks below a number that hold calls of a time, newest first.
pub(super) async fn of_time(
    reader: &Reader,
    (from, to): (i64, i64),
    below: u64,
    limit: usize,
) -> Result<Vec<u64>, Problem> {
    let values = params![reader.tenant(), below, from, to, limit];
    let rows = reader.all(OF_TIME, values).await?;
    rows.iter().map(|row| row.count("block")).collect()
}

/// As [`of_time`], of those that hold something of a kind and value.
pub(super) async fn of_mark(
    reader: &Reader,
    (kind, value): (&'static str, &str),
    (from, to): (i64, i64),
    below: u64,
    limit: usize,
) -> Result<Vec<u64>, Problem> {
    let values = params![reader.tenant(), below, from, to, kind, value, limit];
    let rows = reader.all(OF_MARK, values).await?;
    rows.iter().map(|row| row.count("block")).collect()
}

/// The blocks below a number that hold calls of a time, oldest first: number, and when its first call began.
pub(super) async fn oldest(
    reader: &Reader,
    (from, to): (i64, i64),
    below: u64,
    limit: usize,
) -> Result<Vec<(u64, i64)>, Problem> {
    let values = params![reader.tenant(), below, from, to, limit];
    let rows = reader.all(OLDEST, values).await?;
    rows.iter()
        .map(|row| Ok((row.count("block")?, row.int("began_min")?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use store::Engine;

    use super::*;

    #[tokio::test]
    async fn no_look_walks_over_a_table() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let reader = temp.store.read(&"G01".parse().expect("a code")).await;
        let reader = reader.expect("a reader");
        if temp.store.engine() == Engine::Postgres {
            // A walk over no rows is cheaper than any index there: a plan says nothing. Both engines give the
            // same answers to every search (see `look`).
            assert_eq!(blocks(&reader).await.expect("none"), 0);
            return;
        }
        let time = params![reader.tenant(), 9_u64, 0_i64, 9_i64];
        let with = |more| -> Vec<::store::Value> { [time.clone(), more].concat() };
        for (sql, values) in [
            (BLOCKS, params![reader.tenant()]),
            (RUNS, params![reader.tenant(), 0_u64, 0_u64, 9_u64, 5_u64]),
            (BODY, params![reader.tenant(), 0_u64]),
            (OF_TIME, with(params![5_u64])),
            (OF_MARK, with(params!["own", "G01", 5_u64])),
            (OLDEST, with(params![5_u64])),
        ] {
            let explain = format!("explain query plan {sql}");
            let explain: &'static str = Box::leak(explain.into_boxed_str());
            let rows = reader.all(explain, values).await.expect("a plan");
            let plan: Vec<String> = rows.iter().map(|r| r.text("detail").expect("a line")).collect();
            let plan = plan.join("; ");
            let walks = ["SCAN", "USE TEMP B-TREE FOR ORDER BY"];
            assert!(!walks.iter().any(|walk| plan.contains(walk)), "{sql}: {plan}");
            // By time it walks over numbers and times of blocks, never over what is in them.
            let by_time = [OF_TIME, OLDEST].contains(&sql);
            assert!(!by_time || plan.contains("COVERING INDEX"), "{sql}: {plan}");
        }
    }
}
