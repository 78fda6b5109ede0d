//! The configuration of `sen up`: every key with its default and unit. `docs/sen.example.toml`
//! lists the same keys; a test holds the two together.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use exchange::CodeStyle;
use kernel::limits::Limits;
use serde::{Deserialize, Serialize};

/// What a node of the sample nation is started with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where everything is kept.
    pub data: PathBuf,
    /// The pack of the country.
    pub pack: PathBuf,
    /// The first port; the others count from it.
    pub port: u16,
    /// Synthetic people in the population register, count.
    pub people: usize,
    /// Ended cases of the two years before, synthetic, at the province and at the national portal, count.
    pub past_cases: usize,
    /// Cases that the sample commune is at work on, synthetic, count.
    pub open_cases: usize,
    /// `sqlite`, or the URL of a PostgreSQL database; each node takes a schema of its own there.
    pub database: String,
    /// How X-Road's error codes are written at the information-system faces.
    pub error_code_style: CodeStyle,
    /// The platform's own jobs.
    pub jobs: Jobs,
    /// Bounds on what comes in and on what waits.
    pub limits: Limits,
}

/// How often the platform's own jobs run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jobs {
    /// Between two looks at the hub's directory, in milliseconds.
    pub directory_ms: u64,
    /// Between two timestamps of the evidence, in milliseconds.
    pub timestamp_ms: u64,
}

/// What becomes of old evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Archive {
    /// The folder of the archive files.
    pub folder: PathBuf,
    /// How long a record stays in the live log at least, in days; 0 for good.
    pub live_days: u32,
    /// How long an archive file is to be kept at least, in days; 0 for good.
    pub file_days: u32,
    /// Whether the node archives by itself each day and takes off its log what is archived.
    pub daily: bool,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            directory_ms: 2_000,
            timestamp_ms: 2_000,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("./sen-data"),
            pack: default_pack(),
            port: 8080,
            people: 100_000,
            past_cases: 0,
            open_cases: 0,
            database: "sqlite".to_owned(),
            error_code_style: CodeStyle::default(),
            jobs: Jobs::default(),
            limits: Limits::default(),
        }
    }
}

/// `packs/vn` beside the working folder, or beside the program's own workspace.
fn default_pack() -> PathBuf {
    let here = PathBuf::from("packs/vn");
    if here.join("pack.toml").is_file() {
        here
    } else {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn")
    }
}

impl Config {
    /// Reads a TOML file; keys left out keep their defaults, unknown keys are refused by name.
    ///
    /// # Errors
    /// When the file cannot be read or has a key or value that is not known.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not a configuration of sen", file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_lists_every_key_with_its_default() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sen.example.toml");
        let text = std::fs::read_to_string(&file).expect("the example");
        let mut example: Config = toml::from_str(&text).expect("the example reads");
        example.pack = Config::default().pack;
        assert_eq!(
            example,
            Config::default(),
            "the example's values are the defaults"
        );
        let keys = |v: &toml::Value| -> Vec<String> {
            let mut list = Vec::new();
            for (k, v) in v.as_table().expect("a table") {
                match v {
                    toml::Value::Table(t) => list.extend(t.keys().map(|inner| format!("{k}.{inner}"))),
                    _ => list.push(k.clone()),
                }
            }
            list.sort();
            list
        };
        let written: toml::Value = toml::from_str(&text).expect("toml");
        let known = toml::Value::try_from(Config::default()).expect("toml");
        assert_eq!(keys(&written), keys(&known), "every key stands in the example");
    }
}
