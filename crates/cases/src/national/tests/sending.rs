//! What an owner says to a portal that is spoken to by the national messages.

use std::sync::Arc;

use ::store::Deliver as _;
use kernel::{Actor, CaseCode, Problem};

use super::line::{Fate, Line, quiet, speaks};
use crate::case::Case;
use crate::desk::step;
use crate::national::dialect::Dialects;
use crate::national::store as kept;
use crate::store::{self as rows, StatusRow};
use crate::sync::Sync;
use crate::testing::{case, nouns, pack};
use crate::{Asker, Cases, Catalogue, Parts, Place};

const CODE: &str = "H56-261121-0001";
const WHOLE: &str = "dong-bo-ho-so-mc";
const STEP: &str = "cap-nhat-tien-do-ho-so-mc";

/// A place of its own, with its store.
pub(in crate::national) async fn place(
    place: Place,
    line: Arc<dyn Asker>,
    dialects: Dialects,
) -> (Cases, testkit::TempStore) {
    let migrations = [directory::MIGRATIONS, obligations::MIGRATIONS, crate::MIGRATIONS];
    let temp = testkit::store_with(&migrations, kernel::limits::Limits::default()).await;
    let nouns = nouns();
    let (tenant, system) = match place {
        Place::Portal => ("G22", "G22/portal"),
        Place::Desk => ("H56", "H56/one-stop"),
    };
    let catalogue = Catalogue::load(&pack()).expect("the pack reads");
    let cases = Cases::new(Parts {
        store: temp.store.clone(),
        tenant: tenant.parse().expect("a code"),
        place,
        system: system.parse().expect("a system"),
        exchange: line,
        bank: None,
        messengers: crate::telling::Messengers::default(),
        documents: None,
        areas: nouns.areas.clone(),
        organisations: nouns.organisations.clone(),
        calendars: nouns.calendars.clone(),
        catalogue: Arc::new(catalogue.with_dialects(dialects)),
        base_url: "http://desk.test".to_owned(),
    });
    (cases, temp)
}

/// A province with one case of its own.
struct Province {
    cases: Cases,
    temp: testkit::TempStore,
    case: Case,
    line: Arc<Line>,
}

impl Province {
    async fn at(line: Arc<Line>, dialects: Dialects) -> Self {
        let (cases, temp) = place(Place::Desk, line.clone(), dialects).await;
        let code = "1.004873".parse().expect("a code");
        let procedure = nouns().catalogue.procedure(&code, testkit::START.date());
        let mut new = case(&procedure.expect("in force"));
        new.code = CODE.parse().expect("a code");
        let (written, clerk) = (&new, Actor::Official("clerk".to_owned()));
        let write = cases.store.write(&cases.tenant, &clerk, |tx| async move {
            rows::insert_case(&tx, written, 1).await?;
            let filed = StatusRow {
                seq: 0,
                status: 1,
                at: written.filed_at,
                due: None,
                notice: None,
            };
            rows::insert_status(&tx, &written.code, &filed).await
        });
        write.await.expect("written");
        Self {
            cases,
            temp,
            case: new,
            line,
        }
    }

    /// The case goes on to a state, a second later.
    async fn to(&mut self, state: &str) {
        self.temp.clock.advance_ms(1_000);
        state.clone_into(&mut self.case.state);
        self.case.revision += 1;
        let procedure = self.cases.procedure_of(&self.case).expect("its version");
        let (case, procedure, clerk) = (&self.case, &procedure, Actor::Official("clerk".to_owned()));
        let write = self
            .cases
            .store
            .write(&self.cases.tenant, &clerk, |tx| async move {
                step::save(&tx, case, procedure).await
            });
        write.await.expect("saved");
    }

    /// Delivers what waits; why the first line that was not.
    async fn deliver(&self) -> Result<(), Problem> {
        let lines = self.temp.store.outbox_waiting(&self.cases.tenant).await;
        for line in lines.expect("lines") {
            Sync(self.cases.clone()).deliver(&line).await?;
            self.temp.store.outbox_done(&line).await.expect("taken away");
        }
        Ok(())
    }

    async fn fails(&self, fate: Fate) -> &'static str {
        self.line.fate(&[fate]);
        self.deliver().await.expect_err("not taken").code
    }
}

/// What got there, in short.
fn said(all: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    let own = |text: &str| text.to_owned();
    let one = |(service, updating, status): &(&str, &str, &str)| (own(service), own(updating), own(status));
    all.iter().map(one).collect()
}

#[tokio::test]
async fn a_portal_of_another_make_hears_the_case_whole_and_each_step_in_order() {
    let mut province = Province::at(quiet(), speaks("2026-01-01")).await;
    province.to("accepted").await;
    province.deliver().await.expect("taken");
    let first = said(&[(WHOLE, "False", "2"), (STEP, "", "2")]);
    assert_eq!(province.line.heard(), first, "it is there before it moves");
    province.to("to-sign").await;
    province.to("decided").await;
    province.deliver().await.expect("taken");
    let then = said(&[
        (STEP, "", "4"),
        (WHOLE, "True", "4"),
        (STEP, "", "9"),
        (WHOLE, "True", "9"),
    ]);
    assert_eq!(province.line.heard(), then);
}

#[tokio::test]
async fn an_owner_that_the_pack_does_not_name_says_its_own_word() {
    for dialects in [Dialects::default(), speaks("2027-01-01")] {
        let mut province = Province::at(quiet(), dialects).await;
        province.to("accepted").await;
        province.deliver().await.expect("taken");
        let heard = province.line.heard();
        let services: Vec<_> = heard.iter().map(|(service, ..)| service.as_str()).collect();
        assert_eq!(services, ["note-status"]);
    }
}

#[tokio::test]
async fn what_a_portal_of_another_make_refuses_loses_or_garbles_is_said_again_and_nothing_overtakes_it() {
    let mut province = Province::at(quiet(), speaks("2026-01-01")).await;
    province.to("accepted").await;
    province.to("to-sign").await;
    assert_eq!(province.fails(Fate::Lost).await, "provider-unreachable");
    assert_eq!(province.fails(Fate::Refused("13")).await, "national-refused");
    assert_eq!(province.fails(Fate::Garbage).await, "answer-bad");
    assert_eq!(
        province.line.heard(),
        said(&[]),
        "nothing was taken, nothing else was said"
    );
    assert_eq!(province.fails(Fate::Unanswered).await, "provider-unreachable");
    province.line.fate(&[Fate::Doubled]);
    province.deliver().await.expect("taken");
    let heard = said(&[
        (WHOLE, "False", "2"),
        (WHOLE, "False", "2"),
        (WHOLE, "False", "2"),
        (STEP, "", "2"),
        (STEP, "", "4"),
        (WHOLE, "True", "4"),
    ]);
    assert_eq!(province.line.heard(), heard);
}

#[tokio::test]
async fn our_portal_knows_where_the_case_stands_whatever_the_line_does() {
    let (portal, _portal_store) = place(Place::Portal, quiet(), Dialects::default()).await;
    let line = Arc::new(Line {
        portal: Some(portal.clone()),
        ..Line::default()
    });
    let mut province = Province::at(line, speaks("2026-01-01")).await;
    for state in ["accepted", "to-sign", "decided", "returned"] {
        province.to(state).await;
        assert_eq!(province.fails(Fate::Unanswered).await, "provider-unreachable");
        province.line.fate(&[Fate::Doubled]);
        province.deliver().await.expect("taken");
    }
    let code: CaseCode = CODE.parse().expect("a code");
    let reader = portal.store.read(&portal.tenant).await.expect("a reader");
    let row = kept::synced(&reader, &code).await.expect("read").expect("there");
    assert_eq!(
        (row.status, row.owner.as_str(), row.digits.as_str()),
        (10, "H56", "0001")
    );
    assert!(
        rows::case(&reader, &code).await.expect("read").is_none(),
        "it is kept apart"
    );
    let words = kept::progress(&reader, &code).await.expect("read");
    let moved: Vec<u8> = words
        .iter()
        .filter(|word| ["begun", "moved"].contains(&word.outcome.as_str()))
        .map(|word| word.status)
        .collect();
    assert_eq!(moved, [2, 4, 9, 10]);
    assert!(words.iter().all(|word| word.outcome != "late"), "{words:?}");
}
