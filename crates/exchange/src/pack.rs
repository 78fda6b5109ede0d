//! The pack's `agreements/*.toml`: what two organisations agreed, dates as civil dates in Vietnam; and
//! the rules of these files. Never a signature: a node signs with its own keys.

use std::collections::HashMap;
use std::path::Path;

pub use directory::PackFault;
use directory::pack::document::{Places, document};
use kernel::fault::{Faults, Names};
use kernel::time::parse_iso;
use kernel::{OrgCode, Time};
use serde::Deserialize;

use crate::agreement::{Agreement, retention_fault};
use crate::endpoint::Endpoint;
use crate::ids::{ServiceId, SystemId};
use crate::kept::KeptBodies;
use crate::processing::SubProcessing;
use crate::quota::Quota;

/// The words of this crate's rules of the pack; not for pages.
pub const TEXTS: web::Source = web::Source {
    name: "exchange/pack",
    vi: include_str!("../i18n/pack-vi.ftl"),
    en: include_str!("../i18n/pack-en.ftl"),
};

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
    #[serde(default)]
    quota: Quota,
    #[serde(default)]
    bodies: Option<KeptBodies>,
    #[serde(default)]
    retention_days: Option<u32>,
    #[serde(default)]
    sub_processing: Option<SubProcessing>,
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
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

/// A file of agreements, read: one agreement for each service it names, in their order.
#[derive(Debug)]
pub struct AgreementFile {
    /// The file within the pack.
    pub file: String,
    /// Where its parts stand; the service of the agreement `n` is `/services/n/service`.
    pub places: Places,
    /// The agreements.
    pub agreements: Vec<Agreement>,
}

/// The agreements of a pack: one for each service a file names.
///
/// # Errors
/// The first fault of a file.
pub fn agreements(pack: &Path) -> Result<Vec<Agreement>, PackFault> {
    let files = directory::pack::sound(pack, &[TEXTS], check)?;
    Ok(files.into_iter().flat_map(|f| f.agreements).collect())
}

/// Checks the dated terms, the retention classes and every file of agreements by itself; gives those whose parties and dates
/// could be read.
pub fn check(pack: &Path, faults: &mut Faults) -> Vec<AgreementFile> {
    crate::terms::check_file(pack, faults);
    crate::retention::check_file(pack, faults);
    let mut ids: HashMap<String, String> = HashMap::new();
    let mut all = Vec::new();
    for name in directory::pack::listed(pack, "agreements", "toml") {
        let Some((file, places)) = document::<File>(pack, &name, faults) else {
            continue;
        };
        if let Some(first) = ids.insert(file.id.clone(), name.clone()) {
            let names = vec![("value", file.id.clone()), ("first", first)];
            faults.add(places.fault("/id", "agreement-twice", names));
        }
        items(&file, &places, faults);
        if let Some(agreements) = read(&file, &places, faults) {
            all.push(AgreementFile {
                file: name,
                places,
                agreements,
            });
        }
    }
    all
}

/// The items of article 38 that are text must say something.
fn items(file: &File, places: &Places, faults: &mut Faults) {
    let items = [
        ("purpose", &file.purpose),
        ("place", &file.place),
        ("sharing_method", &file.sharing_method),
        ("handling", &file.handling),
        ("conditions", &file.conditions),
        ("commitments", &file.commitments),
        ("protection", &file.protection),
        ("storage", &file.storage),
        ("deletion", &file.deletion),
    ];
    for (key, text) in items {
        if text.trim().is_empty() {
            let names = vec![("value", key.to_owned())];
            faults.add(places.fault(&format!("/{key}"), "agreement-item-empty", names));
        }
    }
    if let Some(fault) = retention_fault(file.retention_days, file.bodies) {
        let days = file.retention_days.unwrap_or_default();
        let at = match fault.code {
            "agreement-retention" => "/retention_days",
            _ => "/bodies",
        };
        faults.add(places.fault(at, fault.code, vec![("value", days.to_string())]));
    }
    if file.legal_basis.trim().is_empty() {
        let names = vec![("value", file.id.clone())];
        faults.add(places.fault("/legal_basis", "legal-basis-missing", names));
    }
}

/// What is common to the agreements of a file.
struct Parties {
    provider: OrgCode,
    consumer: SystemId,
    from: Time,
    to: Time,
}

fn parties(file: &File, places: &Places, faults: &mut Faults) -> Option<Parties> {
    let named = |value: &str| -> Names { vec![("value", value.to_owned())] };
    let mut bad = |at: &str, rule: &'static str, value: &str| {
        faults.add(places.fault(at, rule, named(value)));
    };
    let provider = file.provider.parse::<OrgCode>().ok();
    if provider.is_none() {
        bad("/provider", "organisation-code", &file.provider);
    }
    let consumer = file.consumer.parse::<SystemId>().ok();
    if consumer.is_none() {
        bad("/consumer", "system-id", &file.consumer);
    }
    let mut day = |at: &str, text: &str| {
        let day = parse_iso(text).map(|d| Time::at(d, 0));
        if day.is_none() {
            bad(at, "date-bad", text);
        }
        day
    };
    let (from, to) = (
        day("/valid_from", &file.valid_from),
        day("/valid_to", &file.valid_to),
    );
    if from.is_some_and(|from| to.is_some_and(|to| from >= to)) {
        let names = vec![
            ("value", file.valid_to.clone()),
            ("from", file.valid_from.clone()),
        ];
        faults.add(places.fault("/valid_to", "ends-before-begins", names));
    }
    Some(Parties {
        provider: provider?,
        consumer: consumer?,
        from: from?,
        to: to?,
    })
}

fn read(file: &File, places: &Places, faults: &mut Faults) -> Option<Vec<Agreement>> {
    let parties = parties(file, places, faults);
    let mut services: Vec<ServiceId> = Vec::new();
    for (at, offer) in file.services.iter().enumerate() {
        let pointer = format!("/services/{at}/service");
        let names = vec![("value", offer.service.clone())];
        match offer.service.parse::<ServiceId>() {
            Err(_) => faults.add(places.fault(&pointer, "service-id", names)),
            Ok(service) => {
                if service.is_reserved() || parties.as_ref().is_some_and(|p| p.provider != service.org) {
                    faults.add(places.fault(&pointer, "service-of-another", names));
                }
                services.push(service);
            }
        }
    }
    let parties = parties?;
    if services.len() != file.services.len() {
        return None;
    }
    let offers = services.into_iter().zip(&file.services).enumerate();
    Some(
        offers
            .map(|(i, (service, offer))| agreement(file, &parties, i, service, offer))
            .collect(),
    )
}

fn agreement(file: &File, parties: &Parties, at: usize, service: ServiceId, offer: &Offer) -> Agreement {
    Agreement {
        id: if file.services.len() > 1 {
            format!("{}-{}", file.id, at + 1)
        } else {
            file.id.clone()
        },
        provider: parties.provider.clone(),
        consumer: parties.consumer.clone(),
        service,
        fields: offer.fields.clone(),
        endpoints: offer.endpoints.clone(),
        purpose: file.purpose.clone(),
        legal_basis: file.legal_basis.clone(),
        place: file.place.clone(),
        valid_from: parties.from,
        valid_to: parties.to,
        sharing_method: file.sharing_method.clone(),
        handling: file.handling.clone(),
        conditions: file.conditions.clone(),
        rate_per_minute: file.rate_per_minute,
        quota: file.quota,
        commitments: file.commitments.clone(),
        protection: file.protection.clone(),
        storage: file.storage.clone(),
        deletion: file.deletion.clone(),
        other: file.other.clone(),
        bodies: file.bodies,
        retention_days: file.retention_days,
        sub_processing: file.sub_processing.clone(),
        group: None,
    }
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
        }
    }

    #[test]
    fn an_agreement_with_an_empty_item_or_another_ones_service_is_refused_with_its_line() {
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn");
        let text = std::fs::read_to_string(pack.join("agreements/portal-one-stop.toml")).expect("a file");
        let text = text
            .replace("service = \"H56/", "service = \"H57/")
            .replace("purpose = \"", "purpose = \" \" # ");
        let dir = testkit::TempDir::new();
        std::fs::create_dir(dir.path().join("agreements")).expect("a folder");
        std::fs::write(dir.path().join("agreements/a.toml"), text).expect("written");
        let mut faults = Faults::new();
        check(dir.path(), &mut faults);
        let told: Vec<(u64, &str)> = faults.sorted().iter().map(|f| (f.line, f.rule)).collect();
        let (empty, another) = ("agreement-item-empty", "service-of-another");
        assert_eq!(told, [(7, empty), (22, another), (25, another)]);
        let refused = agreements(dir.path()).expect_err("refused").to_string();
        assert!(
            refused.contains("line 7") && refused.contains("purpose"),
            "{refused}"
        );
    }

    #[test]
    fn an_agreement_of_a_pack_says_for_how_long_data_is_kept_and_who_else_processes_it() {
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn");
        let text = std::fs::read_to_string(pack.join("agreements/portal-one-stop.toml")).expect("a file");
        let dir = testkit::TempDir::new();
        std::fs::create_dir(dir.path().join("agreements")).expect("a folder");
        let read = |more: &str| {
            std::fs::write(dir.path().join("agreements/a.toml"), format!("{more}\n{text}")).expect("written");
            agreements(dir.path()).map_err(|fault| fault.to_string())
        };
        let all = read("retention_days = 365\nsub_processing = [\"G15\"]").expect("sound");
        assert_eq!(all[0].retention_days, Some(365));
        assert_eq!(all[0].sub_processing.as_ref().expect("said").names(), ["G15"]);
        let all = read("sub_processing = \"none\"").expect("sound");
        assert!(all[0].sub_processing.as_ref().expect("said").names().is_empty());
        for wrong in [
            "bodies = { of = \"both\", days = 31 }\nretention_days = 30",
            "retention_days = 0",
            "sub_processing = []",
            "sub_processing = \"many\"",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_agreement_of_a_pack_with_a_field_that_nobody_knows_is_refused() {
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn");
        let text = std::fs::read_to_string(pack.join("agreements/portal-one-stop.toml")).expect("a file");
        for bad in [
            format!("more = 1\n{text}"),
            text.replacen("\nservice = \"", "\nmore = 1\nservice = \"", 1),
        ] {
            assert_ne!(bad, text);
            let dir = testkit::TempDir::new();
            std::fs::create_dir(dir.path().join("agreements")).expect("a folder");
            std::fs::write(dir.path().join("agreements/a.toml"), bad).expect("written");
            assert!(agreements(dir.path()).is_err());
        }
    }
}
