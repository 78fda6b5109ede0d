//! How far a reader of a log has come, kept with what it made of the records: both move in one
//! write, so that nothing is read twice or passed over. Never reads a log itself.

use kernel::Problem;

use crate::{Tx, params};

impl Tx {
    /// The first position the follower `name` of this write's tenant has not read; 0 at first.
    /// A follower of the whole node writes as [`crate::store::node_tenant`].
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn position(&self, name: &str) -> Result<u64, Problem> {
        let row = self
            .one(
                "select position from store_positions where tenant = $1 and name = $2",
                params![self.tenant(), name],
            )
            .await?;
        row.map_or(Ok(0), |row| row.count("position"))
    }

    /// Moves the follower `name` of this write's tenant.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn set_position(&self, name: &str, position: u64) -> Result<(), Problem> {
        self.exec(
            "insert into store_positions (tenant, name, position) values ($1, $2, $3)
             on conflict (tenant, name) do update set position = excluded.position",
            params![self.tenant(), name, position],
        )
        .await?;
        Ok(())
    }
}
