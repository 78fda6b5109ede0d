//! A province whose cases change: each in the order of its procedure, many side by side, each change by the
//! way every verb takes.

use std::collections::BTreeSet;

use kernel::{Actor, CaseCode};

use crate::Cases;
use crate::case::Case;
use crate::course::Intake;
use crate::desk::step;
use crate::procedure::Procedure;
use crate::store::{self as rows, StatusRow};
use crate::testing::{case, nouns};

/// Of so many changes, one case is open beside the others.
const CHANGES_PER_OPEN: u64 = 100;
/// Changes in one write.
const TOGETHER: usize = 50;

/// From a state to those that may follow it, by chance.
const MOVES: &[(&str, &[&str])] = &[
    ("received", &["accepted", "accepted", "accepted", "declined"]),
    ("accepted", &["to-sign"]),
    ("to-sign", &["decided", "decided", "supplement"]),
    ("supplement", &["to-sign", "to-sign", "withdrawn"]),
    ("decided", &["returned"]),
];

/// The province and the cases that are open at it.
pub(super) struct Province {
    pub(super) cases: Cases,
    pub(super) changes: u64,
    /// Cases of which the portal has not been told anything.
    pub(super) untold: BTreeSet<String>,
    codes: Vec<CaseCode>,
    open: Vec<Case>,
    open_max: usize,
    procedure: std::sync::Arc<Procedure>,
}

/// One case's change: as it is after it, and whether it is new.
struct Step {
    case: Case,
    is_new: bool,
}

impl Province {
    pub(super) fn of(cases: Cases, changes: u64) -> Self {
        let code = "1.004873".parse().expect("a code");
        let procedure = nouns().catalogue.procedure(&code, testkit::START.date());
        Self {
            cases,
            changes: 0,
            untold: BTreeSet::new(),
            codes: Vec::new(),
            open: Vec::new(),
            open_max: usize::try_from(changes / CHANGES_PER_OPEN).expect("fewer than that"),
            procedure: procedure.expect("in force"),
        }
    }

    /// How many cases there are.
    pub(super) fn made(&self) -> usize {
        self.codes.len()
    }

    /// The cases that the portal was told of.
    pub(super) fn told(&self) -> impl Iterator<Item = &CaseCode> {
        self.codes
            .iter()
            .filter(|code| !self.untold.contains(code.as_str()))
    }

    /// Changes some cases, at most so many, in one write.
    pub(super) async fn change_some(&mut self, most: u64) {
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(TOGETHER);
        let steps: Vec<Step> = (0..most).flat_map(|_| self.next()).collect();
        let changes = steps.iter().filter(|step| !step.is_new).count();
        let procedure = &self.procedure;
        let (steps, clerk) = (&steps, Actor::Official("clerk".to_owned()));
        let written = self
            .cases
            .store
            .write(&self.cases.tenant, &clerk, |tx| async move {
                for step in steps {
                    if step.is_new {
                        insert(&tx, &step.case).await?;
                    } else {
                        step::save(&tx, &step.case, procedure).await?;
                    }
                }
                Ok(())
            });
        written.await.expect("a province goes on whatever the line does");
        self.changes += changes as u64;
    }

    /// The next change: of a case that is open, or the first of a new one, which is there before it.
    fn next(&mut self) -> Vec<Step> {
        let chance = self.chance();
        let at = chance % self.open_max;
        let mut steps = Vec::new();
        if at >= self.open.len() {
            let new = self.filed();
            steps.push(Step {
                case: new.clone(),
                is_new: true,
            });
            self.untold.insert(new.code.to_string());
            self.codes.push(new.code.clone());
            self.open.push(new);
        }
        let at = at.min(self.open.len() - 1);
        let case = &mut self.open[at];
        let (_, ways) = MOVES
            .iter()
            .find(|(from, _)| *from == case.state)
            .expect("an open state");
        case.state = ways[chance / self.open_max % ways.len()].to_owned();
        case.revision += 1;
        let changed = case.clone();
        if !MOVES.iter().any(|(from, _)| *from == changed.state) {
            self.open.swap_remove(at);
        }
        self.untold.remove(changed.code.as_str());
        steps.push(Step {
            case: changed,
            is_new: false,
        });
        steps
    }

    fn chance(&self) -> usize {
        let bytes = self.cases.store.world().random::<4>();
        usize::try_from(u32::from_be_bytes(bytes)).expect("32 bits fit")
    }

    /// A case handed in at the desk: the portal hears of it with its first status.
    fn filed(&self) -> Case {
        let now = self.cases.store.world().now();
        let number = u32::try_from(self.codes.len() + 1).expect("fewer cases than that");
        let mut new = case(&self.procedure);
        new.code = CaseCode::number(&self.cases.tenant, testkit::START.date(), number);
        new.filed_at = now;
        new.course.intake = Some(Intake {
            by: "clerk".to_owned(),
            by_name: "Trần Văn Bình".to_owned(),
            at: new.unit.clone(),
            on_paper: Vec::new(),
        });
        new
    }
}

async fn insert(tx: &::store::Tx, case: &Case) -> Result<(), kernel::Problem> {
    rows::insert_case(tx, case, 1).await?;
    let filed = StatusRow {
        seq: 0,
        status: 1,
        at: case.filed_at,
        due: None,
        notice: None,
    };
    rows::insert_status(tx, &case.code, &filed).await
}
