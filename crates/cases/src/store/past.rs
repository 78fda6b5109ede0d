//! SQL that takes over ended cases of an older system in bulk: many rows a statement. Never over a case
//! that is there.

use ::store::{Pair, Tx};
use kernel::Problem;
use serde::Serialize;

use crate::case::Case;
use crate::procedure::Procedure;
use crate::state::Place;
use crate::store::{Details, channel_text, ended_at, json};

/// Rows of one statement each, as JSON arrays.
#[derive(Default)]
pub(crate) struct Past {
    cases: Rows,
    statuses: Rows,
    names: Rows,
}

#[derive(Default)]
struct Rows(Vec<u8>);

impl Rows {
    fn push<T: Serialize>(&mut self, row: &T) -> Result<(), Problem> {
        self.0.push(if self.0.is_empty() { b'[' } else { b',' });
        serde_json::to_writer(&mut self.0, row).map_err(Problem::internal)
    }

    fn end(mut self) -> Result<String, Problem> {
        if self.0.is_empty() {
            self.0.push(b'[');
        }
        self.0.push(b']');
        String::from_utf8(self.0).map_err(Problem::internal)
    }
}

/// The last word of a folded name.
pub(crate) fn given(folded: &str) -> &str {
    folded.rsplit(' ').next().unwrap_or_default()
}

impl Past {
    /// Adds an ended case with its statuses: number, status, instant in milliseconds. A portal keeps
    /// of it what its owner tells one.
    pub(crate) fn push(
        &mut self,
        place: Place,
        (case, procedure): (&Case, &Procedure),
        statuses: &[(u32, u8, i64)],
    ) -> Result<(), Problem> {
        let due = case.accepted.as_ref().map(|a| a.due.ms());
        let status = statuses.last().map_or(1, |(_, status, _)| *status);
        let (state, details) = match place {
            Place::Desk => (&case.state, Details::of(case)),
            Place::Portal => (&procedure.first_state, at_portal(case)),
        };
        let rating = case.course.rating.as_ref().filter(|_| place == Place::Desk);
        self.cases.push(&(
            (
                case.code.as_str(),
                case.procedure.as_str(),
                case.version.hex(),
                case.unit.as_str(),
            ),
            (
                channel_text(case.channel),
                json(&case.applicant)?,
                &case.applicant.account,
            ),
            (
                json(&case.answers)?,
                state,
                status,
                case.revision,
                case.filed_at.ms(),
            ),
            (
                due,
                ended_at(case).map(kernel::Time::ms),
                json(&details)?,
                rating.map(|r| r.score),
            ),
        ))?;
        for (seq, status, at) in statuses {
            // What was only filed was not owed yet.
            let due = due.filter(|_| *status > 1);
            self.statuses.push(&(case.code.as_str(), seq, status, at, due))?;
        }
        let name = kernel::text::fold(&case.applicant.name);
        self.names.push(&(
            case.code.as_str(),
            given(&name),
            &name,
            case.filed_at.ms(),
            case.unit.as_str(),
        ))
    }

    /// The rows as the statements take them.
    pub(crate) fn end(self) -> Result<Texts, Problem> {
        Ok([self.cases.end()?, self.statuses.end()?, self.names.end()?])
    }
}

/// What a portal knows of a case that ended: that it was taken over, and how the date was counted.
fn at_portal(case: &Case) -> Details {
    Details {
        handed_over_at: Some(case.filed_at),
        working_out: case.accepted.as_ref().map(|a| a.working_out.clone()),
        ..Details::default()
    }
}

/// The arrays of a [`Past`], ended: cases, statuses, names.
pub(crate) type Texts = [String; 3];

/// Writes the rows; how many cases were not there before.
pub(crate) async fn load(tx: &Tx, [cases, statuses, names]: &Texts) -> Result<u64, Problem> {
    let written = tx.bulk_insert(CASES, cases.clone()).await?;
    tx.bulk_insert(STATUSES, statuses.clone()).await?;
    tx.bulk_insert(NAMES, names.clone()).await?;
    Ok(written)
}

const CASES: Pair = Pair {
    sqlite: "insert into cases_cases (tenant, code, procedure, version, unit, channel, applicant, account, answers, state, \
             status, revision, filed_at, due_at, ended_at, details, rating) \
             select $1, value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][2]', value ->> '$[0][3]', \
             value ->> '$[1][0]', value ->> '$[1][1]', value ->> '$[1][2]', value ->> '$[2][0]', value ->> '$[2][1]', \
             value ->> '$[2][2]', value ->> '$[2][3]', value ->> '$[2][4]', value ->> '$[3][0]', value ->> '$[3][1]', \
             value ->> '$[3][2]', value ->> '$[3][3]' from json_each($2) where true on conflict do nothing",
    postgres: "insert into cases_cases (tenant, code, procedure, version, unit, channel, applicant, account, answers, state, \
               status, revision, filed_at, due_at, ended_at, details, rating) \
               select $1, v -> 0 ->> 0, v -> 0 ->> 1, v -> 0 ->> 2, v -> 0 ->> 3, \
               v -> 1 ->> 0, v -> 1 ->> 1, v -> 1 ->> 2, v -> 2 ->> 0, v -> 2 ->> 1, \
               cast(v -> 2 ->> 2 as bigint), cast(v -> 2 ->> 3 as bigint), cast(v -> 2 ->> 4 as bigint), \
               cast(v -> 3 ->> 0 as bigint), cast(v -> 3 ->> 1 as bigint), v -> 3 ->> 2, \
               cast(v -> 3 ->> 3 as bigint) \
               from jsonb_array_elements($2::text::jsonb) as t(v) on conflict do nothing",
};

const STATUSES: Pair = Pair {
    sqlite: "insert into cases_statuses (tenant, code, seq, status, at, due_at) \
             select $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 \
             from json_each($2) where true on conflict do nothing",
    postgres: "insert into cases_statuses (tenant, code, seq, status, at, due_at) \
               select $1, v ->> 0, cast(v ->> 1 as bigint), cast(v ->> 2 as bigint), cast(v ->> 3 as bigint), \
               cast(v ->> 4 as bigint) from jsonb_array_elements($2::text::jsonb) as t(v) on conflict do nothing",
};

const NAMES: Pair = Pair {
    sqlite: "insert into cases_names (tenant, code, given, name, filed_at, unit) \
             select $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 \
             from json_each($2) where true on conflict do nothing",
    postgres: "insert into cases_names (tenant, code, given, name, filed_at, unit) \
               select $1, v ->> 0, v ->> 1, v ->> 2, cast(v ->> 3 as bigint), v ->> 4 \
               from jsonb_array_elements($2::text::jsonb) as t(v) on conflict do nothing",
};
