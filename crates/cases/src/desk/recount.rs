//! The job that runs at start and then through the day: when holidays or hours are not those by which due
//! dates were counted last, as a holiday that is announced late, every running case is counted again from
//! what happened to it, and who waits for one whose date moves is told. Each case is a write of its own and
//! one that is counted right is left alone: what a crash cut short is done by the next run, nothing twice.

use ::store::{Reader, Tx, params};
use kernel::calendar::Line;
use kernel::{Actor, CaseCode, Digest, Fact, Problem, Time};

use super::clock::events;
use super::step::save_telling;
use crate::case::Case;
use crate::clock::WorkingOut;
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
    /// Cases left for the next run: their result is being made, or their version is not to be read.
    pub later: u64,
}

/// What became of one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Became {
    Same,
    Moved,
    Later,
}

impl Cases {
    /// Counts the running cases again when the calendar is another than the last time.
    ///
    /// # Errors
    /// The store's own problems; what was counted before stays.
    pub async fn recount(&self) -> Result<Recounted, Problem> {
        let (mut done, calendar) = (Recounted::default(), self.calendars.digest());
        let reader = self.store.read(&self.tenant).await?;
        if counted_by(&reader).await? == Some(calendar) {
            return Ok(done);
        }
        let limit = self.store.limits().batch_records_max.max(1);
        let mut after = (Time(i64::MIN), String::new());
        loop {
            let page = list::running(&reader, (after.0, &after.1), limit).await?;
            for running in &page {
                match self.recount_one(&reader, &running.code).await? {
                    Became::Same => {}
                    Became::Moved => done.moved += 1,
                    Became::Later => done.later += 1,
                }
            }
            match page.last() {
                Some(last) if page.len() == limit => after = (last.at, last.code.to_string()),
                _ => break,
            }
        }
        drop(reader);
        if done.later == 0 {
            self.store
                .write(&self.tenant, &Actor::Platform, |tx| async move {
                    note_calendar(&tx, calendar).await
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

    async fn recount_one(&self, reader: &Reader, code: &CaseCode) -> Result<Became, Problem> {
        // Most cases are counted right: they are found out without a write.
        if let same @ (Became::Same | Became::Later) = self.standing(reader, code).await?.0 {
            return Ok(same);
        }
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                let (became, found) = self.standing(&tx, code).await?;
                let Some((before, case, procedure)) = found else {
                    return Ok(became);
                };
                let (Some(was), Some(accepted), Some(owed_by)) =
                    (before.accepted.as_ref(), case.accepted.as_ref(), case.owed_by())
                else {
                    return Ok(became);
                };
                let notice = (was.due != accepted.due).then(|| Notice::Recounted {
                    was: was.due,
                    due: accepted.due,
                    days: otherwise(&was.working_out, &accepted.working_out),
                });
                let due = accepted.due;
                save_telling(&tx, &case, &procedure, notice, Vec::new()).await?;
                obligations::redate(&tx, &subject(code), owed_by).await?;
                let fact = Fact::CaseRecounted {
                    case: code.clone(),
                    due,
                    owed_by,
                };
                tx.fact(&subject(code), fact).await?;
                Ok(became)
            })
            .await
    }

    /// What is to be done with a case, and the case as it was and as it is counted now.
    async fn standing(
        &self,
        rows: &impl Rows,
        code: &CaseCode,
    ) -> Result<(Became, Option<(Case, Case, std::sync::Arc<Procedure>)>), Problem> {
        let Some(held) = rows::case(rows, code).await? else {
            return Ok((Became::Same, None));
        };
        let case = held.case;
        if ended(held.status) || case.accepted.is_none() {
            return Ok((Became::Same, None));
        }
        let procedure = match self.procedure_of(&case) {
            Ok(procedure) => procedure,
            Err(problem) => {
                tracing::error!(%problem, case = %code, "a case cannot be counted again");
                return Ok((Became::Later, None));
            }
        };
        if case.decided.is_some() {
            // A decision is judged by the date it was made under; one that is being made may come to nothing.
            let became = match super::step::in_the_making(&case, &procedure) {
                true => Became::Later,
                false => Became::Same,
            };
            return Ok((became, None));
        }
        let anew = self.counted_anew(&case, &procedure)?;
        Ok(match anew {
            None => (Became::Same, None),
            Some(anew) => (Became::Moved, Some((case, anew, procedure))),
        })
    }

    /// The case as today's calendar counts it; `None` when it is counted so already.
    fn counted_anew(&self, case: &Case, procedure: &Procedure) -> Result<Option<Case>, Problem> {
        let events = events(case);
        let clock = self.reckon(case, procedure, &events)?;
        let mut anew = case.clone();
        let Some(accepted) = &mut anew.accepted else {
            return Ok(None);
        };
        if accepted.due == clock.due && accepted.working_out == clock.working_out {
            return Ok(None);
        }
        accepted.due = clock.due;
        accepted.working_out = clock.working_out;
        anew.course.clock = events;
        anew.revision += 1;
        Ok(Some(anew))
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

/// The calendar by which a place's dates were counted last.
async fn counted_by(reader: &Reader) -> Result<Option<Digest>, Problem> {
    let row = reader
        .one(
            "select calendar from cases_recounts where tenant = $1",
            params![reader.tenant()],
        )
        .await?;
    row.map(|row| row.digest("calendar")).transpose()
}

async fn note_calendar(tx: &Tx, calendar: Digest) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_recounts (tenant, calendar, at) values ($1, $2, $3)
         on conflict (tenant) do update set calendar = excluded.calendar, at = excluded.at",
        params![tx.tenant(), calendar, tx.now()],
    )
    .await?;
    Ok(())
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

    async fn due(desk: &Desk) -> String {
        let due = desk.json().await["accepted"]["due"].clone();
        due.as_str().expect("a date").to_owned()
    }

    #[tokio::test]
    async fn a_holiday_announced_late_moves_the_date_and_tells_the_applicant_once() {
        let desk = Desk::new().await;
        desk.temp
            .clock
            .set(kernel::Time::parse_rfc3339("2026-11-23T16:00:00+07:00").expect("a time"));
        desk.accept().await;
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
        // Told once: run again, also before it is noted that all are counted, it changes nothing.
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
        let desk = Desk::new().await;
        desk.temp
            .clock
            .set(kernel::Time::parse_rfc3339("2026-11-23T16:00:00+07:00").expect("a time"));
        desk.accept().await;
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
