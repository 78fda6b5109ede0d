//! The pack's `agreements/*.toml`: what two organisations agreed, dates as civil dates in Vietnam.
//! Never a signature: a node signs with its own keys.

use std::path::Path;

use kernel::Time;
use kernel::time::parse_iso;
use serde::Deserialize;

use crate::agreement::Agreement;

/// A pack's file that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {why}")]
pub struct PackFault {
    /// The file within the pack.
    pub file: String,
    /// The rule it breaks.
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    provider: String,
    consumer: String,
    services: Vec<Offer>,
    purpose: String,
    legal_basis: String,
    place: String,
    valid_from: String,
    valid_to: String,
    sharing_method: String,
    handling: String,
    conditions: String,
    rate_per_minute: u32,
    commitments: String,
    protection: String,
    storage: String,
    deletion: String,
    #[serde(default)]
    other: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offer {
    service: String,
    #[serde(default)]
    fields: Vec<String>,
}

/// The agreements of a pack: one for each service a file names.
///
/// # Errors
/// The first file that cannot be read, and why.
pub fn agreements(pack: &Path) -> Result<Vec<Agreement>, PackFault> {
    let folder = pack.join("agreements");
    let fault = |file: &Path, why: String| PackFault {
        file: file.display().to_string(),
        why,
    };
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .map_err(|e| fault(&folder, e.to_string()))?
        .filter_map(Result::ok)
        .map(|f| f.path())
        .filter(|f| f.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    let mut all = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).map_err(|e| fault(&path, e.to_string()))?;
        let file: File = toml::from_str(&text).map_err(|e| fault(&path, e.to_string()))?;
        all.extend(read(&file).map_err(|why| fault(&path, why))?);
    }
    Ok(all)
}

fn read(file: &File) -> Result<Vec<Agreement>, String> {
    let day = |name: &str, text: &str| {
        parse_iso(text)
            .map(|d| Time::at(d, 0))
            .ok_or_else(|| format!("{name} is a date like 2026-01-31, not {text:?}"))
    };
    let (valid_from, valid_to) = (
        day("valid_from", &file.valid_from)?,
        day("valid_to", &file.valid_to)?,
    );
    if valid_from >= valid_to {
        return Err("valid_to must come after valid_from".to_owned());
    }
    let many = file.services.len() > 1;
    file.services
        .iter()
        .enumerate()
        .map(|(i, offer)| {
            let service = offer
                .service
                .parse()
                .map_err(|_| format!("service {:?} is no service id", offer.service))?;
            Ok(Agreement {
                id: if many {
                    format!("{}-{}", file.id, i + 1)
                } else {
                    file.id.clone()
                },
                provider: file
                    .provider
                    .parse()
                    .map_err(|_| format!("provider {:?} is no organisation code", file.provider))?,
                consumer: file
                    .consumer
                    .parse()
                    .map_err(|_| format!("consumer {:?} is no system id", file.consumer))?,
                service,
                fields: offer.fields.clone(),
                purpose: file.purpose.clone(),
                legal_basis: file.legal_basis.clone(),
                place: file.place.clone(),
                valid_from,
                valid_to,
                sharing_method: file.sharing_method.clone(),
                handling: file.handling.clone(),
                conditions: file.conditions.clone(),
                rate_per_minute: file.rate_per_minute,
                commitments: file.commitments.clone(),
                protection: file.protection.clone(),
                storage: file.storage.clone(),
                deletion: file.deletion.clone(),
                other: file.other.clone(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agreements_of_vietnams_pack_name_the_twelve_items_of_decree_47() {
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn");
        let all = agreements(&pack).expect("the pack reads");
        assert!(all.len() >= 8, "{}", all.len());
        for a in &all {
            assert_eq!(a.service.org, a.provider, "{}", a.id);
            for item in [
                &a.purpose,
                &a.legal_basis,
                &a.place,
                &a.sharing_method,
                &a.handling,
                &a.conditions,
                &a.commitments,
                &a.protection,
                &a.storage,
                &a.deletion,
            ] {
                assert!(!item.is_empty(), "{} leaves an item of article 38 empty", a.id);
            }
        }
    }
}
