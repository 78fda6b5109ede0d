//! Bodies that agreements have kept, beside the log whose records name them: each must be there until its
//! term is over, and be the one of the signed digest. Never shows one.

use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use exchange::envelope::{self, Evidence, Kept};
use kernel::Time;

/// The bodies of one record of evidence.
pub(super) fn kept(record: &[u8], node: &Path, now: Time) -> Result<(), String> {
    let record: Evidence = envelope::read(record).map_err(|p| p.to_string())?;
    of_message("request", &record.request, node, now)?;
    match &record.answer {
        Some(answer) => of_message("answer", answer, node, now),
        None => Ok(()),
    }
}

fn of_message(part: &str, kept: &Kept, node: &Path, now: Time) -> Result<(), String> {
    let Some(stored) = kept.stored.filter(|stored| now.ms() < stored.until) else {
        return Ok(());
    };
    let mut hash = Context::new(&SHA256);
    let read = store::bodies::look(node, stored.day(), stored.at, |piece| hash.update(piece));
    read.map_err(|problem| format!("the kept body of the {part} cannot be read: {problem}"))?;
    if hash.finish().as_ref() == kept.body {
        Ok(())
    } else {
        Err(format!(
            "the kept body of the {part} is not the one that was signed"
        ))
    }
}
