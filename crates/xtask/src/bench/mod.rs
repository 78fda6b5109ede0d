//! `cargo xtask bench`: measurements against a peer on the same machine in the same minutes. A figure
//! is a line; what cannot be measured is an error, never a guess.

mod cpu;
mod exchange;
mod figure;
mod nginx;
mod process;
mod services;
mod wrk;

use anyhow::Result;
use clap::ValueEnum;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// The exchange beside two nginx hops with mutual TLS
    Exchange,
    /// Cases filed through the national portal
    Services,
}

/// Measures one thing, or all.
///
/// # Errors
/// When something that is needed cannot be built, installed or started, or answers wrongly.
pub(crate) fn run(what: Option<What>, as_json: bool) -> Result<()> {
    let figures = match what {
        Some(What::Exchange) => exchange::measure()?,
        Some(What::Services) => services::measure()?,
        None => {
            let mut all = exchange::measure()?;
            all.extend(services::measure()?);
            all
        }
    };
    for figure in &figures {
        figure.print(as_json);
    }
    Ok(())
}
