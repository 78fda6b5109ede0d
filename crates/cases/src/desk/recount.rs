//! The job that runs at start and then through the day: when holidays or hours are not those by which due
//! dates were counted last, as a holiday that is announced late, every running case is counted again from
//! what happened to it, and who waits for one whose date moves is told. Each case is a write of its own and
//! one that is counted right is left alone: what a crash cut short is done by the next run, nothing twice.

use std::sync::Arc;

use ::store::{Reader, Tx};
use kernel::calendar::Line;
use kernel::{Actor, CaseCode, Fact, Kind, Problem, Time};

use crate::case::{Accepted, Case};
use crate::clock::WorkingOut;
use crate::desk::clock::events;
use crate::desk::step::save_telling;
use crate::merger::job::ended;
use crate::merger::store as list;
use crate::notice::Notice;
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store::{self as rows, Rows, subject};

/// Days that a notice names at most, count.
const DAYS_MAX: usize = 31;

/// What a run did, count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recounted {
    /// Cases whose date moved.
    pub moved: u64,
    /// Cases left for the next run: their result is being made, or they cannot be counted.
    pub later: u64,
}

/// How a case stands to today's calendar.
enum Standing {
    /// It is counted right, or nothing is counted any more.
    Right,
    /// Its result is being made.
    Later,
    /// It is counted otherwise.
    Otherwise(Box<Anew>),
}

/// A case that is counted otherwise.
struct Anew {
    was: Accepted,
    case: Case,
    procedure: Arc<Procedure>,
}

impl Cases {
    /// Counts the running cases again when the calendar is another than the last time. One that cannot be
    /// counted holds up no other.
    ///
    /// # Errors
    /// The store's own problems; what was counted before stays.
    pub async fn recount(&self) -> Result<Recounted, Problem> {
        let (mut done, calendar) = (Recounted::default(), self.calendars.digest());
        let reader = self.store.read(&self.tenant).await?;
        if rows::counted_by(&reader).await? == Some(calendar) {
            return Ok(done);
        }
        let limit = self.store.limits().batch_records_max.max(1);
        let mut after = (Time(i64::MIN), String::new());
        loop {
            let page = list::running(&reader, (after.0, &after.1), limit).await?;
            for running in &page {
                match self.recount_one(&reader, &running.code).await {
                    Ok(Standing::Right) => {}
                    Ok(Standing::Otherwise(_)) => done.moved += 1,
                    Ok(Standing::Later) => done.later += 1,
                    Err(problem) if problem.kind == Kind::Unavailable => return Err(problem),
                    Err(problem) => {
                        tracing::error!(%problem, case = %running.code, "a case cannot be counted again");
                        done.later += 1;
                    }
                }
            }
            match page.last() {
                Some(last) if page.len() == limit => after = (last.at, last.code.to_string()),
                _ => break,
            }
        }
        self.recount_steps(&reader).await?;
        drop(reader);
        if done.later == 0 {
            self.store
                .write(&self.tenant, &Actor::Platform, |tx| async move {
                    rows::note_calendar(&tx, calendar).await
                })
                .await?;
        }
        if done != Recounted::default() {
            tracing::info!(
                moved = done.moved,
                later = done.later,
                "due dates were counted by another calendar"
            );
        }
        Ok(done)
    }

    async fn recount_one(&self, reader: &Reader, code: &CaseCode) -> Result<Standing, Problem> {
        // Most cases are counted right: they are found out without a write.
        let standing = self.standing(reader, code).await?;
        if !matches!(standing, Standing::Otherwise(_)) {
            return Ok(standing);
        }
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                let standing = self.standing(&tx, code).await?;
                if let Standing::Otherwise(anew) = &standing {
                    anew.save(&tx).await?;
                }
                Ok(standing)
            })
            .await
    }

    async fn standing(&self, rows: &impl Rows, code: &CaseCode) -> Result<Standing, Problem> {
        let Some(held) = rows::case(rows, code).await? else {
            return Ok(Standing::Right);
        };
        let case = held.case;
        if ended(held.status) {
            return Ok(Standing::Right);
        }
        let procedure = self.procedure_of(&case)?;
        if case.decided.is_some() {
            // A decision is judged by the date it was made under; one that is being made may come to nothing.
            return Ok(match case.in_the_making(&procedure) {
                true => Standing::Later,
                false => Standing::Right,
            });
        }
        let anew = self.counted_anew(case, procedure)?;
        Ok(anew.map_or(Standing::Right, |anew| Standing::Otherwise(Box::new(anew))))
    }

    /// The case as today's calendar counts it; `None` when it is counted so already, or not yet.
    fn counted_anew(&self, mut case: Case, procedure: Arc<Procedure>) -> Result<Option<Anew>, Problem> {
        let Some(was) = case.accepted.clone() else {
            return Ok(None);
        };
        let events = events(&case);
        let clock = self.reckon(&case, &procedure, &events)?;
        if was.due == clock.due && was.working_out == clock.working_out {
            return Ok(None);
        }
        case.accepted = Some(Accepted {
            due: clock.due,
            working_out: clock.working_out,
            ..was.clone()
        });
        case.course.clock = events;
        case.revision += 1;
        Ok(Some(Anew { was, case, procedure }))
    }
}

impl Anew {
    /// Row, notice, obligation and fact at once.
    async fn save(&self, tx: &Tx) -> Result<(), Problem> {
        let Self { was, case, procedure } = self;
        let (Some(now), Some(owed_by)) = (&case.accepted, case.owed_by()) else {
            return Ok(());
        };
        let notice = (was.due != now.due).then(|| Notice::Recounted {
            was: was.due,
            due: now.due,
            days: otherwise(&was.working_out, &now.working_out),
        });
        save_telling(tx, case, procedure, notice, Vec::new()).await?;
        obligations::redate(tx, &subject(&case.code), owed_by).await?;
        let fact = Fact::CaseRecounted {
            case: case.code.clone(),
            due: now.due,
            owed_by,
        };
        tx.fact(&subject(&case.code), fact).await?;
        Ok(())
    }
}

/// The days of a count that were counted otherwise before, up to where the one that ends first ends.
fn otherwise(before: &WorkingOut, now: &WorkingOut) -> Vec<Line> {
    let last = |out: &WorkingOut| out.lines.last().map(|line| line.date.clone());
    let until = last(before).min(last(now)).unwrap_or_default();
    let lines = now.lines.iter().filter(|line| line.date <= until);
    let changed = lines.filter(|line| {
        let same_day = before.lines.iter().find(|other| other.date == line.date);
        same_day.is_none_or(|other| other.reason != line.reason)
    });
    changed.take(DAYS_MAX).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use directory::calendars::Calendars;
    use kernel::Fact;
    use serde_json::json;

    use crate::desk::testing::{CASE, Desk, handover};
    use crate::testing::{nouns, pack};

    /// The pack's calendars with some more rows among the holidays, as an operator puts them there.
    fn announced(rows: &[&str]) -> Arc<Calendars> {
        let folder = testkit::TempDir::new();
        let from = pack().join("calendars");
        let to = folder.path().join("calendars");
        std::fs::create_dir_all(&to).expect("a folder");
        for file in std::fs::read_dir(&from).expect("the calendars") {
            let path = file.expect("a file").path();
            let name = path.file_name().expect("a name");
            let mut text = std::fs::read_to_string(&path).expect("text");
            if Path::new(name).extension().is_some_and(|kind| kind == "csv") {
                let mut lines: Vec<&str> = text.lines().skip(1).chain(rows.iter().copied()).collect();
                lines.sort_unstable();
                let head = text.lines().next().expect("a head");
                text = std::iter::once(head)
                    .chain(lines)
                    .map(|line| format!("{line}\n"))
                    .collect();
            }
            std::fs::write(to.join(name), text).expect("written");
        }
        Arc::new(Calendars::load(folder.path()).expect("calendars"))
    }

    /// Wednesday, 25 November 2026, made a day off two days before; the day before it is one in any case.
    const LATE: &str = "2026-11-25,3,Nghỉ do bão,swap_off,0,library";

    /// The desk stopped before it noted by which calendar all its cases are counted.
    async fn forget(desk: &Desk) {
        let another = kernel::Digest::of(b"another calendar");
        desk.temp
            .store
            .write(&desk.cases.tenant, &kernel::Actor::Platform, |tx| async move {
                crate::store::note_calendar(&tx, another).await
            })
            .await
            .expect("noted");
    }

    /// A desk that has taken its case in after 15:00, so that the result is owed the next working day.
    async fn owed_the_next_day() -> Desk {
        let desk = Desk::new().await;
        let afternoon = kernel::Time::parse_rfc3339("2026-11-23T16:00:00+07:00");
        desk.temp.clock.set(afternoon.expect("a time"));
        desk.accept().await;
        desk
    }

    async fn due(desk: &Desk) -> String {
        let due = desk.json().await["accepted"]["due"].clone();
        due.as_str().expect("a date").to_owned()
    }

    #[tokio::test]
    async fn a_holiday_announced_late_moves_the_date_and_tells_the_applicant_once() {
        let desk = owed_the_next_day().await;
        assert!(desk.deliver_topic("case-status").await.is_none());
        assert_eq!(desk.cases.recount().await.expect("counted").moved, 0);
        assert_eq!(
            due(&desk).await,
            "2026-11-25T10:00:00.000Z",
            "after 15:00 by the end of the next working day"
        );
        let desk = desk.with_calendars(announced(&[LATE]));
        assert_eq!(desk.cases.recount().await.expect("counted").moved, 1);
        assert_eq!(due(&desk).await, "2026-11-26T10:00:00.000Z");
        desk.state().await;
        // Told once: run again, it changes nothing; nor after a crash before it was noted that all are counted.
        assert_eq!(desk.cases.recount().await.expect("counted").moved, 0);
        forget(&desk).await;
        assert_eq!(desk.cases.recount().await.expect("counted").moved, 0);
        assert!(desk.deliver_topic("case-status").await.is_none());
        let told = desk.nation.asked_of("note-status");
        let told: Vec<_> = told
            .iter()
            .filter(|note| note["notice"]["kind"] == "recounted")
            .collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["notice"]["days"][0]["date"], "2026-11-25");
        assert_eq!(told[0]["notice"]["days"][0]["reason"], "Nghỉ do bão");
        assert_eq!(told[0]["working_out"]["due"], told[0]["due"]);
        let subject = format!("obligation/case/{CASE}");
        let facts = desk.temp.store.facts_of(&desk.cases.tenant, &subject);
        let mut owed = facts
            .await
            .expect("facts")
            .into_iter()
            .filter_map(|record| match record.fact {
                Fact::ObligationOpened { due, .. } => Some(due.rfc3339()),
                _ => None,
            });
        assert_eq!(owed.next_back().as_deref(), Some("2026-11-26T10:00:00.000Z"));
    }

    #[tokio::test]
    async fn the_officials_page_says_that_the_date_was_counted_anew() {
        let desk = owed_the_next_day().await;
        let desk = desk.with_calendars(announced(&[LATE]));
        desk.cases.recount().await.expect("counted");
        let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await;
        assert!(
            page.body.contains("Tính lại ngày hẹn theo lịch mới"),
            "{}",
            page.body
        );
    }

    #[tokio::test]
    async fn of_three_hundred_cases_only_those_whose_days_changed_are_told_and_a_second_run_tells_nobody() {
        let desk = Desk::empty().await;
        for number in 0..300 {
            let mut one = handover();
            one["code"] = format!("G22-261121-{:04}", number + 1).into();
            desk.receive(&one).await.expect("received");
            // Half of them wait for the desk to take them in.
            if number % 2 == 0 {
                let path = format!("/api/v1/desk/cases/G22-261121-{:04}/accept", number + 1);
                let answer = desk.post("tiep", &path, &json!({"revision": 1})).await;
                assert_eq!(answer.status, 200, "{}", answer.body);
            }
        }
        // Taken in before 15:00: owed the same day, so Wednesday changes nothing, and Monday itself does.
        let desk = desk.with_calendars(announced(&[LATE]));
        assert_eq!(desk.cases.recount().await.expect("counted").moved, 0);
        let desk = desk.with_calendars(announced(&["2026-11-23,1,Nghỉ do bão,swap_off,0,library"]));
        assert_eq!(desk.cases.recount().await.expect("counted").moved, 150);
        forget(&desk).await;
        assert_eq!(desk.cases.recount().await.expect("counted").moved, 0);
    }

    #[tokio::test]
    async fn a_decided_case_keeps_the_date_by_which_it_was_judged() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        assert_eq!(desk.sign_and_seal().await.status, 200);
        let before = due(&desk).await;
        let desk = desk.with_calendars(announced(&["2026-11-23,1,Nghỉ do bão,swap_off,0,library"]));
        assert_eq!(desk.cases.recount().await.expect("counted").moved, 0);
        assert_eq!(due(&desk).await, before);
    }

    #[test]
    fn a_day_after_the_last_year_that_is_announced_is_known_as_one() {
        let calendars = &nouns().calendars;
        let on = |year| kernel::time::civil_date(year, 1, 4).expect("a day");
        assert!(!calendars.is_unannounced(on(2027)));
        assert!(calendars.is_unannounced(on(2028)));
    }
}
