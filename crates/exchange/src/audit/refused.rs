//! Attempts that were refused: a row for the first of its kind in a minute, a count for those after it, and
//! one row for all that is beyond a minute's bound. So a flood leaves its trace and fills no disk.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::{FromRequestParts as _, MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use kernel::{Actor, Problem, Time};
use web::MaybeSignedIn;

use super::store::{self as rows, Act};
use crate::gateway::Exchange;

/// Rows that refusals may make in a minute, count; what is beyond stands in one row together.
const ROWS_PER_MINUTE: usize = 60;
/// Length of an object's name in a row, in characters.
const OBJECT_MAX: usize = 200;
/// Operations that change nothing: what they refuse is no act.
const NO_ACTS: [&str; 3] = ["/try", "/compare", "/exchange/plan"];

/// Where administrative acts are done; a refusal elsewhere, as of a sign-in, is none.
const ACTS: [&str; 5] = [
    "/exchange/",
    "/api/v1/exchange/",
    "/api/v1/directory/",
    "/keys",
    "/api/v1/keys",
];

/// What refusals have in common that stand in one row.
type Kind = (String, String, String, String);

/// The refusals of this minute.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    minute: i64,
    rows: BTreeMap<Kind, Row>,
    /// Rows of minutes before, with counts that they do not say yet.
    before: Vec<Row>,
}

/// A row of this minute and how many more there were that it does not say yet.
#[derive(Clone, Debug)]
struct Row {
    at: i64,
    id: String,
    more: u64,
}

/// What to do about a refusal.
#[derive(Debug, PartialEq, Eq)]
enum Noted {
    /// A row for it.
    New,
    /// It stands in a row already, with a count.
    Again,
}

impl Refusals {
    fn locked(&self) -> MutexGuard<'_, Minute> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a refusal under its kind, or under the rest when the minute is full.
    fn take(&self, act: &mut Act) -> Noted {
        let mut now = self.locked();
        let minute = act.at.div_euclid(60_000);
        if now.minute != minute {
            let over = std::mem::take(&mut now.rows).into_values();
            now.before.extend(over.filter(|row| row.more > 0));
            now.minute = minute;
        }
        if let Some(row) = now.rows.get_mut(&kind(act)) {
            row.more += 1;
            return Noted::Again;
        }
        if now.rows.len() >= ROWS_PER_MINUTE {
            (act.who, act.object, act.code) = Default::default();
            "many".clone_into(&mut act.act);
            if let Some(row) = now.rows.get_mut(&kind(act)) {
                row.more += 1;
                return Noted::Again;
            }
        }
        let row = Row {
            at: act.at,
            id: act.id.clone(),
            more: 0,
        };
        now.rows.insert(kind(act), row);
        Noted::New
    }

    /// The counts that no row says yet.
    fn counts(&self) -> Vec<(i64, String, u64)> {
        let mut now = self.locked();
        let before = std::mem::take(&mut now.before).into_iter();
        let before = before.map(|row| (row.at, row.id, row.more));
        let rows = now.rows.values_mut().filter(|row| row.more > 0);
        let rows = rows.map(|row| (row.at, row.id.clone(), std::mem::take(&mut row.more)));
        before.chain(rows).collect()
    }
}

fn kind(act: &Act) -> Kind {
    (
        act.who.clone(),
        act.act.clone(),
        act.object.clone(),
        act.code.clone(),
    )
}

/// Around every operation: what would change something and is refused leaves a trace.
pub(crate) async fn note(State(x): State<Exchange>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let route = parts
        .extensions
        .get::<MatchedPath>()
        .map(|route| route.as_str().to_owned())
        .unwrap_or_default();
    let is_act = ACTS.iter().any(|begin| route.starts_with(begin));
    if !is_act || NO_ACTS.iter().any(|end| route.ends_with(end)) {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let path = parts.uri.path().to_owned();
    let Ok(MaybeSignedIn(who)) = MaybeSignedIn::from_request_parts(&mut parts, &()).await;
    let response = next.run(Request::from_parts(parts, body)).await;
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        let problem = response.extensions().get::<Problem>();
        let code = problem.map_or_else(|| status.as_u16().to_string(), |problem| problem.code.to_owned());
        let short = |text: &str| {
            text.trim_start_matches("/api/v1")
                .chars()
                .take(OBJECT_MAX)
                .collect()
        };
        x.note_refusal(Act {
            at: x.0.now().ms(),
            id: format!("r{}", x.0.store.world().id()),
            who: who.as_ref().map_or_else(String::new, |who| who.actor.to_string()),
            unit: who.map_or_else(String::new, |who| who.tenant.top().to_string()),
            act: short(&route),
            object: short(&path),
            result: "refused".to_owned(),
            code,
            times: 1,
        })
        .await;
    }
    response
}

impl Exchange {
    /// Writes a refusal down; that it could not be is told in the log only.
    async fn note_refusal(&self, mut act: Act) {
        let g = &*self.0;
        metrics::counter!("sen_exchange_acts_refused_total").increment(1);
        if g.refusals.take(&mut act) == Noted::Again {
            return;
        }
        let act = &act;
        let written = g
            .store
            .write(&g.home, &Actor::Platform, |tx| async move {
                rows::insert(&tx, act).await
            })
            .await;
        if let Err(problem) = written {
            tracing::error!(%problem, act = act.act, code = act.code, "a refused attempt could not be written down");
        }
    }

    /// Writes the counts of refusals that came after the first of their kind.
    ///
    /// # Errors
    /// When the store cannot be written; the counts are lost then, their rows are not.
    pub async fn tell_refusals(&self) -> Result<(), Problem> {
        let g = &*self.0;
        let counts = g.refusals.counts();
        if counts.is_empty() {
            return Ok(());
        }
        let (counts, now) = (&counts, g.now());
        g.store
            .write(&g.home, &Actor::Platform, |tx| async move {
                for (at, id, more) in counts {
                    rows::count(&tx, Time(*at), id, *more).await?;
                }
                rows::forget_refusals(&tx, now).await
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(at: i64, number: usize) -> Act {
        Act {
            at,
            id: format!("r{at}-{number}"),
            who: "official:o1".to_owned(),
            unit: "G01".to_owned(),
            act: "/exchange/services".to_owned(),
            object: format!("/exchange/services/{number}"),
            result: "refused".to_owned(),
            code: "forbidden".to_owned(),
            times: 1,
        }
    }

    #[test]
    fn a_thousand_of_one_kind_are_one_row_and_a_count() {
        let refusals = Refusals::default();
        assert_eq!(refusals.take(&mut act(0, 1)), Noted::New);
        for _ in 1..1_000 {
            assert_eq!(refusals.take(&mut act(5, 1)), Noted::Again);
        }
        assert_eq!(refusals.counts(), [(0, "r0-1".to_owned(), 999)]);
        assert!(refusals.counts().is_empty());
        assert_eq!(refusals.take(&mut act(60_000, 1)), Noted::New, "the next minute");
    }

    #[test]
    fn a_flood_of_kinds_makes_no_more_rows_than_a_minute_may() {
        let refusals = Refusals::default();
        let new = (0..10_000)
            .filter(|n| refusals.take(&mut act(0, *n)) == Noted::New)
            .count();
        assert_eq!(new, ROWS_PER_MINUTE + 1);
        let counted: u64 = refusals.counts().into_iter().map(|(_, _, more)| more).sum();
        assert_eq!(counted + new as u64, 10_000, "none is lost");
    }
}
