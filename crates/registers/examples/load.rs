//! Measures what a start of the platform waits for: loading the sample people. Never part of a
//! release: `cargo run --release -p registers --example load [PEOPLE]`.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use directory::{Areas, Organisations, people};
use exchange::{Ask, Heard};
use kernel::Problem;
use registers::{Asks, Land, Registers};

struct Nobody;

#[async_trait]
impl Asks for Nobody {
    async fn ask(&self, _: Ask) -> Result<Heard, Problem> {
        Err(Problem::not_found())
    }
}

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "a measurement")]
async fn main() {
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn");
    let count = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(100_000);
    let temp = testkit::store(&[registers::MIGRATIONS]).await;
    let areas = Arc::new(Areas::load(&pack).expect("the pack"));
    let tenants = ["G01", "G15"].map(|t| t.parse().expect("a code"));
    let organisations = Arc::new(Organisations::load(&pack, &areas).expect("the pack"));
    let land = Land::of(areas.clone(), organisations);
    let store = temp.store.clone();
    let registers = Registers::load(&pack, store, Arc::new(Nobody), &tenants, land).expect("the pack");
    for _ in 0..2 {
        let started = Instant::now();
        let households = || people::people(&areas, 1, count);
        let loaded = registers
            .load_people("measure", households)
            .await
            .expect("loaded");
        let rows: Vec<(u64, bool)> = loaded.iter().map(|l| (l.rows, l.before)).collect();
        println!("{rows:?} in {:?}", started.elapsed());
    }
}
