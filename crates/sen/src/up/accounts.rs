//! The sample sign-ins: synthetic people with passwords made once for a data folder, printed by
//! `sen up` and listed by `--json`. Never in a real node.

use std::path::Path;

use anyhow::Context as _;
use kernel::World;
use serde::{Deserialize, Serialize};

use super::nation::Place;
use super::prepare;

/// A sample sign-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// What the account may do: `citizen`, `receptionist`, `officer`, `chairman`, `deputy-chairman`, `clerk`,
    /// `supervisor`, `designer`, `publisher`, `operator`.
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
    /// For a citizen: of which household of the sample population they are the mother, from 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub household: usize,
    /// True for an official of the province itself, who works on what its people’s committee decides; the others
    /// are of the sample citizen’s commune.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_province: bool,
}

fn is_first(household: &usize) -> bool {
    *household == 0
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
        household: 0,
        of_province: false,
    };
    let of_province = |role: &str, user: &str, name: &str| Sample {
        of_province: true,
        ..sample(role, Place::Province, user, name)
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
        sample("designer", Place::National, "thietke", "Đặng Thị Thiết (mẫu)"),
        sample("publisher", Place::National, "congbo", "Ngô Văn Công (mẫu)"),
        sample("designer", Place::Province, "thietke-tinh", "Mai Thị Thiết (mẫu)"),
        sample("publisher", Place::Province, "congbo-tinh", "Đinh Văn Công (mẫu)"),
        sample("operator", Place::National, "vanhanh", "Trần Thị Vận (mẫu)"),
        sample("operator", Place::Ministry, "vanhanh-bo", "Đỗ Văn Hành (mẫu)"),
        sample(
            "operator",
            Place::Province,
            "vanhanh-tinh",
            "Hoàng Thị Hành (mẫu)",
        ),
        of_province("receptionist", "tiepnhan-tinh", "Hà Thị Quầy (mẫu)"),
        of_province("officer", "chuyenvien-tinh", "Lương Văn Chuyên (mẫu)"),
        of_province("chairman", "chutich-tinh", "Lê Văn Tỉnh (mẫu)"),
        of_province("clerk", "vanthu-tinh", "Cao Thị Ấn (mẫu)"),
    ]
}

/// Lets more citizens sign in: the mothers of the households behind the first, for loads of many people. Their
/// accounts are opened when the ministry's node starts.
///
/// # Errors
/// When the folder was not prepared or cannot be written.
pub fn invite(data: &Path, citizens: usize, world: &World) -> anyhow::Result<()> {
    let mut samples = read(data)?;
    for household in 1..=citizens {
        let user = format!("me{household}");
        samples.push(Sample {
            role: "citizen".to_owned(),
            node: Place::Ministry.id().to_owned(),
            password: hex::encode(world.random::<6>()),
            id: format!("{}-{user}", Place::Ministry.id()),
            name: "Người dân (mẫu)".to_owned(),
            user,
            household,
            of_province: false,
        });
    }
    prepare::write(&data.join(FILE), &serde_json::to_vec_pretty(&samples)?, 0o600)
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
