//! What every whole-system test stands on: one runtime for all tests of a file, folders that do not
//! outlive the machine's patience, the program under test. Never a nation.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail, ensure};
use kernel::World;
use tokio::runtime::Runtime;

/// How long something that happens by itself may take.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(25);

/// Lives a test on the runtime that all tests of a file share: a nation outlives the test that
/// started it.
pub fn run<F: Future>(test: F) -> F::Output {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let start = || {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .expect("threads can be started")
    };
    RUNTIME.get_or_init(start).block_on(test)
}

/// Looks again and again until something is there.
///
/// # Errors
/// When it is not there within [`PATIENCE`]: what the last look said.
pub async fn until<T>(
    what: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let again = async {
        loop {
            if let Ok(Some(found)) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    if let Ok(found) = tokio::time::timeout(PATIENCE, again).await {
        return Ok(found);
    }
    match look().await {
        Ok(Some(found)) => Ok(found),
        Ok(None) => bail!("{what}: not within {} s", PATIENCE.as_secs()),
        Err(cause) => Err(cause.context(format!("{what}: not within {} s", PATIENCE.as_secs()))),
    }
}

/// An empty folder for this process. What processes that have ended left behind is removed.
///
/// # Errors
/// When it cannot be made.
pub fn folder(name: &str, world: &World) -> anyhow::Result<PathBuf> {
    const PREFIX: &str = "sen-testbed-";
    let temporary = std::env::temp_dir();
    for entry in std::fs::read_dir(&temporary)?.filter_map(Result::ok) {
        let old = entry.file_name().to_string_lossy().into_owned();
        let owner = old
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            std::fs::remove_dir_all(entry.path()).ok();
        }
    }
    let path = temporary.join(format!("{PREFIX}{}-{name}-{}", std::process::id(), world.id()));
    std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
    Ok(path)
}

/// The program `sen` beside the tests' own, built when it is missing or older than a source; or the
/// one that `SEN_TEST_PROGRAM` names, as it is.
///
/// # Errors
/// When it cannot be built.
pub fn program() -> anyhow::Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| build().map_err(|cause| format!("{cause:#}")));
    built.clone().map_err(anyhow::Error::msg)
}

fn build() -> anyhow::Result<PathBuf> {
    if let Some(given) = std::env::var_os("SEN_TEST_PROGRAM") {
        return Ok(given.into());
    }
    // target/<profile>/deps/<this test>
    let test = std::env::current_exe()?;
    let profile = test
        .parent()
        .and_then(Path::parent)
        .context("a test lies in a build folder")?;
    let program = profile.join("sen");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = std::fs::metadata(&program).and_then(|m| m.modified()).ok();
    if built.is_none_or(|built| newest(&root.join("crates")) > built) {
        let mut cargo = Command::new(env!("CARGO"));
        // All programs, as every other command builds them: one set of features, nothing built twice.
        cargo
            .args(["build", "--workspace", "--bins", "--quiet"])
            .current_dir(&root);
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        ensure!(cargo.status()?.success(), "the program sen cannot be built");
    }
    ensure!(
        program.is_file(),
        "{} is not there after building it",
        program.display()
    );
    Ok(program)
}

/// When a file that the program is made of was changed last.
fn newest(folder: &Path) -> SystemTime {
    let mut last = SystemTime::UNIX_EPOCH;
    for entry in std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
    {
        let name = entry.file_name();
        if entry.path().is_dir() {
            // The tests' own crates are no part of the program.
            if !["testbed", "xtask", "tests", "benches"]
                .iter()
                .any(|own| name == *own)
            {
                last = last.max(newest(&entry.path()));
            }
        } else if let Ok(changed) = entry.metadata().and_then(|m| m.modified()) {
            last = last.max(changed);
        }
    }
    last
}
