//! The officials of a place as one sheet says them: what has to change so that accounts are as it says, and that written
//! all at once or not at all. An account with a role of who looks after a node, and a citizen's, is no sheet's to change.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Actor, Fact, OrgCode, Problem, Tenant, Time};
use store::{Store, Tx};
use web::auth::SEEING;

use crate::accounts::{Account, NewAccount, subject, user_key};
use crate::{password, store as rows};

/// A line of a sheet: an official's account as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line of the sheet, for what is said of it.
    pub line: u64,
    /// What its owner types to sign in.
    pub user: String,
    /// The name shown. Personal data.
    pub name: String,
    /// The unit of the position.
    pub unit: OrgCode,
    /// What its owner may do, in order and each once.
    pub roles: Vec<String>,
    /// From when on it is in force; `None` for as long as it is there.
    pub begins: Option<Time>,
    /// When it ends; `None` when nothing is said.
    pub ends: Option<Time>,
}

/// An account of level 0 as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The account.
    pub account: Account,
    /// Its user name, as it is compared.
    pub user: String,
    /// From when on it is in force.
    pub begins: Option<Time>,
    /// When it ends, or ended.
    pub ends: Option<Time>,
}

impl Held {
    /// True for an account that has ended.
    #[must_use]
    pub fn has_ended(&self, now: Time) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }

    fn is_of_an_operator(&self) -> bool {
        self.account
            .roles
            .iter()
            .any(|role| SEEING.contains(&role.as_str()))
    }
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An account for somebody new.
    Open(Row),
    /// An account is brought to what the sheet says.
    Alter {
        /// As it is.
        held: Held,
        /// As it is to be.
        row: Row,
    },
    /// Somebody whom the sheet does not name has no account any more.
    End(Held),
}

/// What keeps a line from being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The user name stands in an earlier line, whose number this is.
    Twice(u64),
    /// The user name is an operator's, an observer's or a citizen's.
    Anothers,
    /// It would end before it begins.
    EndsBefore,
}

/// What a sheet would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order of the sheet; who is missing from it last.
    pub changes: Vec<Change>,
    /// Lines that are so already, count.
    pub same: usize,
    /// Accounts in force that no line names and that stay.
    pub missing: Vec<Held>,
    /// Lines and what is wrong with them; with one of them nothing is done.
    pub faults: Vec<(u64, Fault)>,
}

/// The user name of a line as it is compared.
#[must_use]
pub fn key(row: &Row) -> String {
    user_key(&row.user)
}

/// How many accounts became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Opened, count.
    pub opened: u64,
    /// Changed, count.
    pub changed: u64,
    /// Ended, count.
    pub ended: u64,
}

/// What has to change so that accounts are as a sheet says; `taken` are the user names of others.
#[must_use]
pub fn plan(rows: Vec<Row>, held: Vec<Held>, taken: &BTreeSet<String>, end_missing: bool, now: Time) -> Plan {
    let mut held: BTreeMap<String, Held> = held.into_iter().map(|one| (one.user.clone(), one)).collect();
    let (mut plan, mut seen) = (Plan::default(), BTreeMap::new());
    for row in rows {
        let user = user_key(&row.user);
        if let Some(first) = seen.insert(user.clone(), row.line) {
            plan.faults.push((row.line, Fault::Twice(first)));
            continue;
        }
        if row
            .begins
            .zip(row.ends)
            .is_some_and(|(begins, ends)| ends <= begins)
        {
            plan.faults.push((row.line, Fault::EndsBefore));
            continue;
        }
        match held.remove(&user) {
            Some(one) if one.is_of_an_operator() => plan.faults.push((row.line, Fault::Anothers)),
            Some(one) if is_so(&one, &row) => plan.same += 1,
            Some(held) => plan.changes.push(Change::Alter { held, row }),
            None if taken.contains(&user) => plan.faults.push((row.line, Fault::Anothers)),
            None => plan.changes.push(Change::Open(row)),
        }
    }
    let missing = held
        .into_values()
        .filter(|one| !one.is_of_an_operator() && !one.has_ended(now));
    if end_missing {
        plan.changes.extend(missing.map(Change::End));
    } else {
        plan.missing = missing.collect();
    }
    plan
}

fn is_so(held: &Held, row: &Row) -> bool {
    let account = &held.account;
    let (mut has, mut wanted) = (account.roles.clone(), row.roles.clone());
    has.sort();
    wanted.sort();
    has == wanted
        && account.name == row.name
        && account.unit == row.unit
        && (held.begins, held.ends) == (row.begins, row.ends)
}

/// An account to open, with its id and the hash of its first password.
struct Opening {
    account: NewAccount,
    hash: String,
}

/// The officials of a place.
#[derive(Clone, Debug)]
pub struct Staff {
    store: Store,
    tenant: Tenant,
}

impl Staff {
    /// The officials of a tenant in a store.
    #[must_use]
    pub const fn new(store: Store, tenant: Tenant) -> Self {
        Self { store, tenant }
    }

    /// What a sheet would do here.
    ///
    /// # Errors
    /// The store's own problems.
    pub async fn plan(&self, sheet: Vec<Row>, end_missing: bool) -> Result<Plan, Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let held = rows::sheet::officials(&reader).await?;
        let known: BTreeSet<&str> = held.iter().map(|one| one.user.as_str()).collect();
        let mut taken = BTreeSet::new();
        for row in &sheet {
            let user = user_key(&row.user);
            if !known.contains(user.as_str()) && rows::sheet::is_taken(&reader, &user).await? {
                taken.insert(user);
            }
        }
        drop(reader);
        Ok(plan(sheet, held, &taken, end_missing, self.store.world().now()))
    }

    /// Does what a plan says, at once or not at all; `first` is the first password of each user name that is opened,
    /// `sheet` the text of what was read.
    ///
    /// # Errors
    /// 422 `sheet-faults` for a plan with a fault; 422 for a password that is too short or missing; conflict `stale` when an
    /// account has changed since; the store's own problems.
    pub async fn apply(
        &self,
        actor: &Actor,
        plan: &Plan,
        first: &BTreeMap<String, String>,
        sheet: &str,
    ) -> Result<Done, Problem> {
        if !plan.faults.is_empty() {
            return Err(Problem::invalid("sheet", "sheet-faults"));
        }
        let openings = self.openings(plan, first).await?;
        let done = Done {
            opened: openings.len() as u64,
            changed: count(plan, |change| matches!(change, Change::Alter { .. })),
            ended: count(plan, |change| matches!(change, Change::End(_))),
        };
        if done == Done::default() {
            return Ok(done);
        }
        let digest = self.store.digest(&self.tenant, sheet);
        let (openings, changes) = (&openings, &plan.changes);
        self.store
            .write(&self.tenant, actor, |tx| async move {
                for change in changes {
                    write(&tx, change, openings).await?;
                }
                let fact = Fact::StaffSheetApplied {
                    sheet: digest,
                    opened: done.opened,
                    changed: done.changed,
                    ended: done.ended,
                };
                tx.fact("staff", fact).await?;
                Ok(done)
            })
            .await
    }

    /// Hashes before the write: hashing is slow, and the writer is one.
    async fn openings(
        &self,
        plan: &Plan,
        first: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<u64, Opening>, Problem> {
        let mut all = BTreeMap::new();
        let world = self.store.world();
        for change in &plan.changes {
            let Change::Open(row) = change else {
                continue;
            };
            let password = first
                .get(&user_key(&row.user))
                .ok_or_else(|| Problem::invalid("password", "password-short"))?;
            let hash = password::hash(password.clone(), world.random()).await?;
            let account = NewAccount {
                id: format!("a{}", world.id()),
                user: row.user.clone(),
                password: None,
                name: row.name.clone(),
                subject: None,
                born: None,
                level: 0,
                roles: row.roles.clone(),
                unit: row.unit.clone(),
            };
            all.insert(row.line, Opening { account, hash });
        }
        Ok(all)
    }
}

fn count(plan: &Plan, which: impl Fn(&Change) -> bool) -> u64 {
    plan.changes.iter().filter(|change| which(change)).count() as u64
}

async fn write(tx: &Tx, change: &Change, openings: &BTreeMap<u64, Opening>) -> Result<(), Problem> {
    match change {
        Change::Open(row) => {
            let opening = openings
                .get(&row.line)
                .ok_or_else(|| Problem::internal("a line of a sheet without its account"))?;
            let account = &opening.account;
            rows::insert_account(tx, account, Some(opening.hash.clone())).await?;
            let opened = Fact::AccountOpened {
                account: account.id.clone(),
                level: account.level,
            };
            tx.fact(&subject(&account.id), opened).await?;
            alter(tx, &account.id, row).await
        }
        Change::Alter { held, row } => alter(tx, &held.account.id, row).await,
        Change::End(held) => {
            let account = held.account.id.clone();
            rows::sheet::end(tx, &account).await?;
            tx.fact(
                &subject(&account),
                Fact::AccountEnded {
                    account: account.clone(),
                },
            )
            .await?;
            Ok(())
        }
    }
}

async fn alter(tx: &Tx, id: &str, row: &Row) -> Result<(), Problem> {
    rows::sheet::change(tx, id, row).await?;
    let fact = Fact::AccountChanged {
        account: id.to_owned(),
        unit: row.unit.clone(),
        roles: row.roles.clone(),
        begins: row.begins,
        ends: row.ends,
    };
    tx.fact(&subject(id), fact).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Browser, Node, PASSWORD, TENANT, citizen, official};

    fn row(line: u64, user: &str, role: &str) -> Row {
        Row {
            line,
            user: user.to_owned(),
            name: "Trần Thị Lan".to_owned(),
            unit: "G01.12".parse().unwrap(),
            roles: vec![role.to_owned()],
            begins: None,
            ends: None,
        }
    }

    async fn apply(node: &Node, sheet: Vec<Row>, end_missing: bool) -> Result<Done, Problem> {
        let staff = Staff::new(node.temp.store.clone(), TENANT.parse().unwrap());
        let first = sheet
            .iter()
            .map(|row| (user_key(&row.user), PASSWORD.to_owned()))
            .collect();
        let plan = staff.plan(sheet, end_missing).await?;
        staff.apply(&Actor::Platform, &plan, &first, "a sheet").await
    }

    async fn sign_in(node: &Node, browser: &mut Browser, user: &str) -> u16 {
        let form = [("user", user), ("password", PASSWORD), ("next", "/")];
        browser.post(node, "/sign-in", &form).await.status
    }

    #[tokio::test]
    async fn a_sheet_opens_changes_and_ends_accounts_and_a_second_time_changes_nothing() {
        let node = Node::passwords().await;
        node.open(&official("o1", "lan")).await;
        node.open(&official("o2", "hoa")).await;
        let sheet = vec![row(2, "Lan", "chairman"), row(3, "mới", "clerk")];
        let done = apply(&node, sheet.clone(), true).await.unwrap();
        let expected = Done {
            opened: 1,
            changed: 1,
            ended: 1,
        };
        assert_eq!(done, expected);
        assert_eq!(apply(&node, sheet, true).await.unwrap(), Done::default());
        let facts = node.facts("account/o1").await;
        assert!(
            matches!(facts.last(), Some(Fact::AccountChanged { roles, .. }) if roles == &["chairman"]),
            "{facts:?}"
        );
        assert_eq!(node.facts("staff").await.len(), 1);
    }

    #[tokio::test]
    async fn whoever_has_left_is_signed_out_and_signs_in_no_more() {
        let node = Node::passwords().await;
        node.open(&official("o1", "lan")).await;
        let mut browser = Browser::default();
        assert_eq!(sign_in(&node, &mut browser, "lan").await, 303);
        assert_eq!(browser.get(&node, "/api/v1/me").await.status, 200);
        apply(&node, Vec::new(), true).await.unwrap();
        assert_eq!(browser.get(&node, "/api/v1/me").await.status, 401);
        assert_eq!(sign_in(&node, &mut browser, "lan").await, 401);
    }

    #[tokio::test]
    async fn an_account_is_in_force_from_its_first_day_until_its_last() {
        let node = Node::passwords().await;
        let now = node.temp.store.world().now();
        let mut one = row(2, "lan", "officer");
        (one.begins, one.ends) = (Some(now.plus_ms(60_000)), Some(now.plus_ms(120_000)));
        apply(&node, vec![one], false).await.unwrap();
        let mut browser = Browser::default();
        assert_eq!(sign_in(&node, &mut browser, "lan").await, 401, "not yet");
        node.temp.clock.advance_ms(60_000);
        assert_eq!(sign_in(&node, &mut browser, "lan").await, 303);
        node.temp.clock.advance_ms(60_000);
        assert_eq!(browser.get(&node, "/api/v1/me").await.status, 401, "no more");
    }

    #[tokio::test]
    async fn one_faulty_line_keeps_the_whole_sheet_out() {
        let node = Node::passwords().await;
        node.open(&citizen("c1", "mai", 2)).await;
        let mut boss = official("o9", "ops");
        boss.roles = vec!["operator".to_owned()];
        node.open(&boss).await;
        let sheet = vec![
            row(2, "lan", "officer"),
            row(3, "LAN ", "clerk"),
            row(4, "mai", "officer"),
            row(5, "ops", "officer"),
        ];
        let staff = Staff::new(node.temp.store.clone(), TENANT.parse().unwrap());
        let plan = staff.plan(sheet.clone(), true).await.unwrap();
        let faults = vec![(3, Fault::Twice(2)), (4, Fault::Anothers), (5, Fault::Anothers)];
        assert_eq!(plan.faults, faults);
        assert_eq!(apply(&node, sheet, true).await.unwrap_err().code, "sheet-faults");
        let first = row(2, "lan", "officer");
        let plan = staff.plan(vec![first.clone()], true).await.unwrap();
        assert_eq!(
            plan.changes,
            [Change::Open(first)],
            "nobody was opened, and no operator is ended"
        );
    }

    #[tokio::test]
    async fn without_being_told_a_sheet_ends_nobody() {
        let node = Node::passwords().await;
        node.open(&official("o1", "lan")).await;
        let staff = Staff::new(node.temp.store.clone(), TENANT.parse().unwrap());
        let plan = staff.plan(Vec::new(), false).await.unwrap();
        assert_eq!((plan.changes.len(), plan.missing.len()), (0, 1));
    }
}
