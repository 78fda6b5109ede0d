//! How what is archived leaves a log that is kept in rows. Never a row that holds a record which is there.

use kernel::Problem;
use seal::merkle::leaf_hash;

use super::Shared;
use crate::log::before::Before;
use crate::log::files::damaged;
use crate::log::tree::TILE;
use crate::params;
use crate::tx::Tx;

/// Rows taken away in one write, count.
const LEAVING: usize = 512;

impl Shared {
    /// Takes over what has left, and brings to its end what a crash cut short.
    pub(super) async fn begin(&self) -> Result<(), Problem> {
        let row = self
            .reader()
            .one(
                "select tree from store_log_before where stream = $1",
                params![&self.stream],
            )
            .await?;
        let Some(row) = row else { return Ok(()) };
        let before = Before::of_bytes(&row.bytes("tree")?);
        let before = before.ok_or_else(|| damaged(&self.stream, 0))?;
        {
            let mut view = self.view();
            view.tree = before.tree();
            view.first = before.first();
            view.before = before.leaves().to_vec();
        }
        self.sweep(before.first()).await
    }

    /// Takes rows away whose records have all left.
    async fn sweep(&self, first: u64) -> Result<(), Problem> {
        loop {
            let stream = &self.stream;
            let gone = self
                .write(|tx: Tx| async move {
                    tx.exec(
                        "delete from store_log where stream = $1 and first in (
                           select first from store_log where stream = $1 and first + count <= $2 order by first limit $3
                         )",
                        params![stream, first, LEAVING],
                    )
                    .await
                })
                .await?;
            if gone == 0 {
                return Ok(());
            }
        }
    }

    /// Takes everything in front of a position off: once the tree over it is written it counts as gone.
    pub(super) async fn forget(&self, to: u64) -> Result<(), Problem> {
        let (first, next) = {
            let view = self.view();
            (view.first, view.tree.len())
        };
        if to > next {
            return Err(Problem::not_found().because(format_args!("the log has {next} records, not {to}")));
        }
        if to > first {
            let before = self.before(to).await?;
            let (stream, tree) = (&self.stream, &before.to_bytes());
            self.write(|tx: Tx| async move {
                tx.exec(
                    "insert into store_log_before (stream, first, tree) values ($1, $2, $3)
                     on conflict (stream) do update set first = excluded.first, tree = excluded.tree
                     where store_log_before.first < excluded.first",
                    params![stream, to, tree],
                )
                .await
            })
            .await?;
            let mut view = self.view();
            view.first = to;
            view.before = before.leaves().to_vec();
        }
        self.sweep(to.max(first)).await
    }

    /// What stands in front of a position.
    async fn before(&self, to: u64) -> Result<Before, Problem> {
        let (tiles, mut leaves) = {
            let view = self.view();
            let is_first = view.first / TILE == to / TILE;
            let kept = if is_first { view.before.clone() } else { Vec::new() };
            (view.tree.tiles(0, 0, to / TILE), kept)
        };
        let from = to / TILE * TILE + leaves.len() as u64;
        let rest = usize::try_from(to - from).map_err(Problem::internal)?;
        let records = self.read(from, rest).await?;
        leaves.extend(records.iter().map(|(_, record)| leaf_hash(record)));
        Ok(Before::of(tiles, leaves))
    }
}
