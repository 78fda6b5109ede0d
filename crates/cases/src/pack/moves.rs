//! Reads which national status may follow which, `codes/status-moves.csv`, and holds the courses of procedures against it.
//! Never judges a running case.

use std::collections::HashMap;
use std::path::Path;

use directory::pack::files::{Row, table};
use kernel::fault::Faults;
use kernel::time::parse_iso;

use super::ProcedureFile;
use crate::status::moves::{Move, Moves};

const FILE: &str = "codes/status-moves.csv";
const COLUMNS: [&str; 5] = ["from", "to", "valid_from", "valid_to", "basis"];
/// The statuses there are.
const STATUSES: std::ops::RangeInclusive<u8> = 1..=10;

/// The moves of a pack.
pub(crate) fn read(pack: &Path, faults: &mut Faults) -> Moves {
    let (mut moves, mut lines) = (Vec::new(), HashMap::new());
    table(pack, FILE, &COLUMNS, faults, |row, faults| {
        let Some(one) = of(row, faults) else { return };
        let same = lines.insert((one.from, one.to, one.valid_from), row.line);
        if let Some(first) = same {
            let value = format!("{},{},{}", row.get(0), row.get(1), row.get(2));
            let names = vec![("value", value), ("first", first.to_string())];
            faults.add(row.fault_with("code-twice", names));
            return;
        }
        moves.push(one);
    });
    Moves::of(moves)
}

fn of(row: &Row<'_>, faults: &mut Faults) -> Option<Move> {
    let from = match row.get(0) {
        "" => None,
        _ => Some(status(row, 0, faults)?),
    };
    let to = status(row, 1, faults)?;
    let mut day = |column: usize| {
        let day = parse_iso(row.get(column));
        if day.is_none() {
            faults.add(row.fault("date-bad", column));
        }
        day
    };
    let valid_from = day(2)?;
    let valid_to = match row.get(3) {
        "" => None,
        _ => Some(day(3)?),
    };
    if valid_to.is_some_and(|last| last < valid_from) {
        let names = vec![("value", row.get(3).to_owned()), ("from", row.get(2).to_owned())];
        faults.add(row.fault_with("ends-before-begins", names));
        return None;
    }
    if row.get(4).trim().is_empty() {
        faults.add(row.fault("status-move-basis", 1));
        return None;
    }
    Some(Move {
        from,
        to,
        valid_from,
        valid_to,
    })
}

fn status(row: &Row<'_>, column: usize, faults: &mut Faults) -> Option<u8> {
    let status = row
        .get(column)
        .parse::<u8>()
        .ok()
        .filter(|s| STATUSES.contains(s));
    if status.is_none() {
        faults.add(row.fault("status-unknown", column));
    }
    status
}

/// A procedure's states move their cases as the moves of its first day allow.
pub(crate) fn check(moves: &Moves, read: &ProcedureFile, faults: &mut Faults) {
    let procedure = &read.procedure;
    let Some(on) = parse_iso(&procedure.valid_from) else {
        return;
    };
    let status = |state: &str| {
        let state = procedure.states.get(state)?;
        STATUSES.contains(&state.status).then_some(state.status)
    };
    for (at, t) in procedure.transitions.iter().enumerate() {
        let (Some(from), Some(to)) = (status(&t.from), status(&t.to)) else {
            continue;
        };
        if !moves.legal(Some(from), to, on) {
            let names = vec![
                ("value", t.to.clone()),
                ("from", from.to_string()),
                ("to", to.to_string()),
            ];
            let at = format!("/transitions/{at}/to");
            faults.add(read.places.fault(&at, "status-move", names));
        }
    }
}
