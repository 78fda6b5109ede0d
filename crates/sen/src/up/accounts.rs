//! The sample sign-ins: synthetic people with passwords made once for a data folder, printed by
//! `sen up` and listed by `--json`. Never in a real node.

use std::path::Path;

use anyhow::Context as _;
use kernel::World;
use serde::{Deserialize, Serialize};

use super::nation::Place;

/// A sample sign-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// What the account may do: `citizen`, `receptionist`, `officer`, `chairman`, `deputy-chairman`, `clerk`,
    /// `operator`.
    pub role: String,
    /// The node at which it signs in.
    pub node: String,
    /// The user name.
    pub user: String,
    /// The password.
    pub password: String,
    /// The account's id.
    pub id: String,
    /// The name shown.
    pub name: String,
}

/// The file of the sample sign-ins within a data folder.
pub const FILE: &str = "accounts.json";

/// Makes the sample sign-ins of a new data folder.
pub(crate) fn make(world: &World, mother: &str) -> Vec<Sample> {
    let sample = |role: &str, place: Place, user: &str, name: &str| Sample {
        role: role.to_owned(),
        node: place.id().to_owned(),
        user: user.to_owned(),
        password: hex::encode(world.random::<6>()),
        id: format!("{}-{user}", place.id()),
        name: name.to_owned(),
    };
    vec![
        sample("citizen", Place::Ministry, "me", mother),
        sample("receptionist", Place::Province, "tiepnhan", "Lê Thị Tiếp (mẫu)"),
        sample("officer", Place::Province, "hotich", "Nguyễn Văn Tịch (mẫu)"),
        sample("chairman", Place::Province, "chutich", "Phạm Minh Chủ (mẫu)"),
        sample(
            "deputy-chairman",
            Place::Province,
            "phochutich",
            "Trịnh Thị Phó (mẫu)",
        ),
        sample("clerk", Place::Province, "vanthu", "Bùi Văn Thư (mẫu)"),
        sample("supervisor", Place::Province, "giamsat", "Vũ Thị Giám (mẫu)"),
        sample("operator", Place::National, "vanhanh", "Trần Thị Vận (mẫu)"),
        sample("operator", Place::Ministry, "vanhanh-bo", "Đỗ Văn Hành (mẫu)"),
        sample(
            "operator",
            Place::Province,
            "vanhanh-tinh",
            "Hoàng Thị Hành (mẫu)",
        ),
    ]
}

/// Reads the sample sign-ins of a data folder.
///
/// # Errors
/// When the folder was not prepared.
pub fn read(data: &Path) -> anyhow::Result<Vec<Sample>> {
    let file = data.join(FILE);
    let text = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", file.display()))
}
