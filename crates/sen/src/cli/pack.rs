//! `sen pack`: its flags, and the report printed. Never a rule.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use kernel::World;
use sen::pack::{check, told};

/// What is to be done with a pack.
#[derive(Args)]
pub(crate) struct Pack {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Report every fault of a pack, with its file, line, rule and remedy
    #[command(after_help = "Exit code: 0 sound (warnings allowed), 1 faults, 64 wrong call.")]
    Check {
        /// The pack's folder
        dir: PathBuf,
        /// One JSON object
        #[arg(long)]
        json: bool,
        /// The language of the report [default: by LANG; English unless that is vi]
        #[arg(long, value_enum)]
        lang: Option<Language>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    Vi,
    En,
}

impl Pack {
    pub(crate) fn run(self, world: &World) -> u8 {
        let What::Check { dir, json, lang } = self.what;
        if !dir.join("pack.toml").is_file() {
            eprintln!("sen: {}: no pack (a folder with pack.toml)", dir.display());
            return sen::verify::USAGE;
        }
        let begun = world.clock.now();
        let report = check::check(&dir, check::Depth::Draw);
        let took = world.clock.now().ms().saturating_sub(begun.ms());
        let took = Duration::from_millis(u64::try_from(took).unwrap_or(0));
        let (lang, texts) = (language(lang), told::texts());
        if json {
            println!("{}", told::json(&report, took, lang, &texts));
        } else {
            println!("{}", told::text(&report, took, lang, &texts));
        }
        u8::from(report.faults() > 0)
    }
}

fn language(asked: Option<Language>) -> web::Lang {
    let environment = || std::env::var("LANG").unwrap_or_default();
    match asked {
        Some(Language::Vi) => web::Lang::Vi,
        Some(Language::En) => web::Lang::En,
        None if environment().starts_with("vi") => web::Lang::Vi,
        None => web::Lang::En,
    }
}
