//! The communes people live in, with what a record says of them. Never a commune that is not in
//! the pack.

use kernel::{AreaCode, OrgCode};
use std::collections::HashMap;
use std::sync::Arc;

use super::AS_OF;
use crate::areas::{Areas, Crosswalk};

/// A commune of today.
pub(super) struct Place {
    pub(super) commune: AreaCode,
    /// `Xã Trung Lý, Tỉnh Thanh Hóa`.
    pub(super) words: Arc<str>,
    /// Its people's committee.
    pub(super) office: OrgCode,
    /// First digits of a number given there before July 2025, and since.
    pub(super) before: Box<str>,
    pub(super) since: Box<str>,
    /// Houses in streets rather than hamlets.
    pub(super) urban: bool,
}

/// All communes of the pack that a province of the crosswalk holds, by code.
pub(super) fn places(areas: &Areas) -> Vec<Place> {
    let rows = areas.crosswalk();
    let old: HashMap<&AreaCode, &Crosswalk> = rows.iter().map(|row| (&row.area_until_2025, row)).collect();
    let new: HashMap<&AreaCode, &Crosswalk> = rows.iter().map(|row| (&row.area_from_2025, row)).collect();
    let mut places = Vec::new();
    for province in areas.children(None, AS_OF) {
        let Some(row) = new.get(&province.code) else {
            continue;
        };
        for commune in areas.communes(&province.code, AS_OF) {
            let Ok(office) = row.organisation_from_2025.unit(commune.code.as_str()) else {
                continue;
            };
            places.push(Place {
                words: areas.full_path(&commune.code, AS_OF).into(),
                office,
                before: old_province(areas, &commune.code)
                    .and_then(|code| old.get(&code))
                    .map_or_else(|| row.birth_place.clone(), |row| row.birth_place.clone()),
                since: format!("{:0>3}", province.code.as_str()).into(),
                urban: commune.full_name.starts_with("Phường "),
                commune: commune.code.clone(),
            });
        }
    }
    places.sort_by(|a, b| a.commune.cmp(&b.commune));
    places
}

/// The province of before July 2025 that the first part of a commune lay in.
fn old_province(areas: &Areas, commune: &AreaCode) -> Option<AreaCode> {
    let parts = areas.predecessors(commune, AS_OF);
    let part = parts.iter().find(|part| part.default).or(parts.first())?;
    let eve = part.from.previous_day()?;
    areas
        .province(&part.area, eve)
        .map(|province| province.code.clone())
}
