//! `procedures/CODE.samples.toml`: made-up citizens of a procedure, who go through the version of their day
//! whenever the pack is checked. Never a real person.

use std::path::Path;
use std::sync::Arc;

use directory::areas::Areas;
use directory::calendars::Calendars;
use directory::pack::document::document;
use kernel::calendar::Calendar;
use kernel::fault::{Faults, Flaw};
use kernel::time::parse_iso;

use crate::pack::ProcedureFile;
use crate::places::Places;
use crate::procedure::Procedure;
use crate::rehearsal::{Footing, SampleCitizen, Samples, rehearse};

/// How a file of samples ends.
pub(crate) const ENDING: &str = ".samples.toml";

/// Lets the sample citizens of every procedure go through the version of their day.
pub(super) fn check(pack: &Path, procedures: &[ProcedureFile], faults: &mut Faults) {
    let all = directory::pack::listed(pack, "procedures", "toml");
    let files: Vec<String> = all.into_iter().filter(|file| file.ends_with(ENDING)).collect();
    // What the lists of areas lack is told where they are read.
    let Ok(areas) = files.first().map(|_| Areas::load(pack)).transpose() else {
        return;
    };
    let Some(areas) = areas else { return };
    let places = Places::new(Arc::new(areas));
    let calendars = Calendars::load(pack).ok();
    for file in files {
        let Some((samples, at)) = document::<Samples>(pack, &file, faults) else {
            continue;
        };
        let own = |read: &&ProcedureFile| read.procedure.code == samples.procedure;
        for (number, citizen) in samples.citizens.iter().enumerate() {
            let version = of_day(procedures.iter().filter(own), citizen);
            let here = format!("/citizens/{number}");
            let Some(procedure) = version else {
                let names = vec![("value", samples.procedure.to_string())];
                faults.add(at.fault(&format!("{here}/filed"), "sample-version", names));
                continue;
            };
            let calendar = calendars.as_ref().map_or_else(
                || Arc::new(Calendar::standard()),
                |all| all.of(&procedure.publisher),
            );
            let footing = Footing {
                places: &places,
                calendar: &calendar,
            };
            for flaw in rehearse(procedure, citizen, &footing) {
                let deeper = Flaw::new(format!("{here}{}", flaw.at), flaw.rule, flaw.names);
                faults.add(at.flaw(deeper));
            }
        }
    }
}

/// The version of a citizen's day.
fn of_day<'p>(
    versions: impl Iterator<Item = &'p ProcedureFile>,
    citizen: &SampleCitizen,
) -> Option<&'p Procedure> {
    let day = citizen.filed.split('T').next().and_then(parse_iso)?;
    versions
        .map(|read| &read.procedure)
        .filter(|procedure| parse_iso(&procedure.valid_from).is_some_and(|from| from <= day))
        .max_by(|a, b| a.valid_from.cmp(&b.valid_from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::schema;
    use crate::testing::{nouns, pack};

    #[test]
    fn the_sample_citizens_of_the_pack_come_through_and_their_answers_fit_the_schema() {
        let mut faults = Faults::new();
        let mut seen = 0;
        for file in directory::pack::listed(&pack(), "procedures", "toml") {
            if !file.ends_with(ENDING) {
                continue;
            }
            let read = document::<Samples>(&pack(), &file, &mut faults);
            let (samples, _) = read.expect("a sound file");
            for citizen in &samples.citizens {
                let day = citizen
                    .filed
                    .split('T')
                    .next()
                    .and_then(parse_iso)
                    .expect("a day");
                let procedure = nouns().catalogue.procedure(&samples.procedure, day);
                let schema = schema::of(&procedure.expect("a version"), web::Lang::Vi);
                let misfit = schema::tests::misfit(&schema, &serde_json::json!(citizen.answers));
                if citizen.expects.refused.is_empty() {
                    assert_eq!(misfit, None, "{file}: {}", citizen.name.en);
                }
                seen += 1;
            }
        }
        assert!(seen >= 8, "only {seen} sample citizens");
    }
}
