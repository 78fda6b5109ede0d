//! Measures what a start of the platform waits for: reading the pack, and drawing the sample
//! people. Never part of a release: `cargo run --release -p directory --example measure`.

use std::path::Path;
use std::time::Instant;

use directory::{Areas, Calendars, Organisations, people};

#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn main() -> Result<(), directory::PackFault> {
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn");
    let started = Instant::now();
    let areas = Areas::load(&pack)?;
    println!("areas: {} rows in {:?}", areas.rows(), started.elapsed());
    let started = Instant::now();
    let organisations = Organisations::load(&pack, &areas)?;
    println!(
        "organisations: {} files in {:?}",
        organisations.files().len(),
        started.elapsed()
    );
    let started = Instant::now();
    let calendars = Calendars::load(&pack)?;
    println!(
        "calendars: years {:?} in {:?}",
        calendars.years(),
        started.elapsed()
    );
    for count in [100_000, 1_000_000] {
        let started = Instant::now();
        let made: usize = people::people(&areas, 1, count).map(|h| h.people().count()).sum();
        println!("people: {made} in {:?}", started.elapsed());
        let started = Instant::now();
        let bytes: usize = people::people(&areas, 1, count)
            .map(|h| h.marriage.to_json().len() + h.people().map(|p| p.to_json().len()).sum::<usize>())
            .sum();
        println!("people as JSON: {bytes} bytes in {:?}", started.elapsed());
    }
    Ok(())
}
