//! What a publication does: the version is kept for good under the digest of what it says, and cases are filed
//! under it from its first day on; and what a withdrawal does: nothing is filed under it any more, and what runs
//! under it goes on. Never changes a version that is there.

use kernel::time::{iso, parse_iso};
use kernel::{Date, Digest, Fact, Kind, Problem};
use web::Principal;

use crate::design::step::moved;
use crate::design::{Design, read};
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store as rows;
use crate::versions::{keep, written};

/// The version that a design becomes on a day.
///
/// # Errors
/// 422 at `from`: `design-day-past`, `design-day-taken`; `design-faults`.
pub(crate) fn version(cases: &Cases, design: &Design, from: Date) -> Result<Procedure, Problem> {
    if from < cases.today() {
        return Err(Problem::invalid("from", "design-day-past"));
    }
    let read = read::document(cases, &design.document);
    let sound = read.sound();
    let mut procedure = sound
        .cloned()
        .ok_or_else(|| Problem::invalid("document", "design-faults").with("count", read.faults.len()))?;
    procedure.valid_from = iso(from);
    let taken = cases.all_versions().into_iter().any(|other| {
        other.code == procedure.code && parse_iso(&other.valid_from).is_some_and(|day| day == from)
    });
    if taken {
        return Err(Problem::invalid("from", "design-day-taken"));
    }
    Ok(procedure)
}

/// Publishes: version, row and facts at once; then it is in force from its day on.
///
/// # Errors
/// `stale`; `design-version-there` (409); 422 at `from`: `design-day-taken`.
pub(crate) async fn publish(
    cases: &Cases,
    who: &Principal,
    design: Design,
    procedure: Procedure,
) -> Result<Design, Problem> {
    let (version, document) = (procedure.version(), written(&procedure)?);
    let from = parse_iso(&procedure.valid_from);
    let from = from.ok_or_else(|| Problem::internal("a version without a first day"))?;
    let mut design = Design {
        version: Some(version),
        valid_from: Some(from),
        ..design
    };
    let (saved, document, version) = (&design, &document, &version);
    cases
        .store
        .write(&cases.tenant, &who.actor, |tx| async move {
            // Another process may have published one for that day since this one looked.
            if rows::begins_on(&tx, &saved.code, from).await? {
                return Err(Problem::invalid("from", "design-day-taken"));
            }
            if !keep(&tx, version, (&saved.code, from), document).await? {
                return Err(Problem::new(Kind::Conflict, "design-version-there"));
            }
            save(&tx, saved).await
        })
        .await?;
    cases.kept_versions().put(*version, procedure);
    cases.take_up_designs().await?;
    design.revision += 1;
    Ok(design)
}

/// Withdraws: row and facts at once; then nothing is filed under it any more.
///
/// # Errors
/// `stale`.
pub(crate) async fn withdraw(cases: &Cases, who: &Principal, mut design: Design) -> Result<Design, Problem> {
    let saved = &design;
    cases
        .store
        .write(&cases.tenant, &who.actor, |tx| async move {
            save(&tx, saved).await?;
            let version = saved.version.unwrap_or(Digest([0; 32]));
            let fact = Fact::ProcedureWithdrawn {
                procedure: saved.code.clone(),
                version,
            };
            tx.fact(&format!("procedure/{}", saved.code), fact).await?;
            Ok(())
        })
        .await?;
    cases.take_up_designs().await?;
    design.revision += 1;
    Ok(design)
}

async fn save(tx: &::store::Tx, design: &Design) -> Result<(), Problem> {
    if !rows::save_design(tx, design).await? {
        return Err(Problem::stale());
    }
    tx.fact(&Design::subject(&design.id), moved(design)).await?;
    Ok(())
}
