//! `cargo xtask bench`: measurements against a peer on the same machine in the same minutes. A figure
//! is a line; what cannot be measured is an error, never a guess.

mod exchange;
mod figure;
mod nginx;
mod process;
mod rate;
mod scale;
mod services;
mod usage;
mod wrk;

use anyhow::Result;
use clap::ValueEnum;

use self::figure::Figure;

pub(crate) use exchange::Options;
pub(crate) use scale::Size;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// The exchange beside two nginx hops with mutual TLS
    Exchange,
    /// Cases filed through the national portal
    Services,
    /// Every page of the story in a nation with a million people and a million past cases
    Scale,
}

/// Measures one thing, or all that have a peer or a rate; false when a bound is broken.
///
/// # Errors
/// When something that is needed cannot be built, installed or started, or answers wrongly.
pub(crate) fn run(what: Option<What>, size: Size, options: &Options, as_json: bool) -> Result<bool> {
    let mut broken = Vec::new();
    let mut tell = |figure: Figure| figure.print(as_json);
    let figures = match what {
        Some(What::Exchange) => {
            exchange::measure(options, &mut tell)?;
            Vec::new()
        }
        Some(What::Services) => services::measure()?,
        Some(What::Scale) => {
            let (figures, over) = scale::measure(size)?;
            broken = over;
            figures
        }
        None => {
            exchange::measure(options, &mut tell)?;
            services::measure()?
        }
    };
    figures.into_iter().for_each(tell);
    for bound in &broken {
        eprintln!("BROKEN {bound}");
    }
    Ok(broken.is_empty())
}
