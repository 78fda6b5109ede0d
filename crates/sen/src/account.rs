//! The first accounts of a node: an operator, an observer, and officials with their unit. A password comes from
//! standard input, never from the command line, where every user of the machine could read it.

pub mod sheet;

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::Command;

use anyhow::{Context as _, ensure};
use identity::{Accounts, NewAccount};
use kernel::{Actor, OrgCode, World};
use store::{Store, StoreConfig};
use web::auth::{DESIGN_ROLES, DESK_ROLES, SEEING};

use crate::serve::secrets::Secrets;
use crate::serve::settings::Settings;
use crate::serve::{check, plan, run};
use crate::up::hold;
use crate::up::prepare::private_folder;

/// An account to add.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What its owner may do.
    pub roles: Vec<String>,
    /// What its owner types to sign in.
    pub user: String,
    /// The name shown; the user name when empty.
    pub name: String,
    /// The unit of an official's position.
    pub unit: Option<OrgCode>,
    /// The organisation of the node that an operator looks after or an observer sees; the home organisation, and with it the
    /// whole node, when it is left out.
    pub organisation: Option<OrgCode>,
}

/// Adds an account and gives its id.
///
/// # Errors
/// When a role or unit is not known, the user name is taken, the password too short, or the node runs.
pub async fn add(
    settings: &Settings,
    secrets: &Secrets,
    wanted: &Wanted,
    password: String,
    world: &World,
) -> anyhow::Result<String> {
    check::settings(settings)?;
    let country = run::country(settings, world)?;
    let home = settings.tenants.first().context("tenants: name one")?;
    for role in &wanted.roles {
        ensure!(
            [&SEEING[..], &DESK_ROLES[..], &DESIGN_ROLES[..]]
                .concat()
                .contains(&role.as_str()),
            "--role {role}: one of {}, {}, {}",
            SEEING.join(", "),
            DESK_ROLES.join(", "),
            DESIGN_ROLES.join(", ")
        );
    }
    let official = wanted.roles.iter().any(|r| !SEEING.contains(&r.as_str()));
    let organisation = wanted.organisation.as_ref().unwrap_or(home);
    ensure!(
        settings.tenants.contains(organisation),
        "--organisation {organisation}: this node does not host it: `tenants` names {}",
        names(&settings.tenants)
    );
    ensure!(
        !official || organisation == home,
        "--organisation {organisation}: officials of this node are those of {home}: leave it out, or add an operator or an observer"
    );
    let unit = wanted.unit.clone().unwrap_or_else(|| organisation.clone());
    ensure!(
        !official || wanted.unit.is_some(),
        "--unit: an official decides for a unit: give its code, as {home}.14791"
    );
    ensure!(
        unit.top() == organisation.top() && country.organisations.get(&unit, world.now().date()).is_some(),
        "--unit {unit}: no unit of {organisation} today: codes stand in the pack's organisations and areas"
    );
    let store = open(settings, secrets, world).await?;
    let id = format!("a{}", world.id());
    let account = NewAccount {
        id: id.clone(),
        user: wanted.user.clone(),
        password: Some(password),
        name: if wanted.name.is_empty() {
            wanted.user.clone()
        } else {
            wanted.name.clone()
        },
        subject: None,
        born: None,
        level: 0,
        roles: wanted.roles.clone(),
        unit,
    };
    let opened = Accounts::new(store.0.clone(), home.clone())
        .open(&Actor::Platform, &account)
        .await;
    store.0.close().await;
    match opened {
        Ok(()) => Ok(id),
        Err(problem) if problem.code == "already-there" => {
            anyhow::bail!("--user {}: this user name is taken: choose another", wanted.user)
        }
        Err(problem) => Err(anyhow::anyhow!(problem).context("the account is not added")),
    }
}

fn names(organisations: &[OrgCode]) -> String {
    let all: Vec<&str> = organisations.iter().map(OrgCode::as_str).collect();
    all.join(", ")
}

/// The node's store, with its folder held.
pub(crate) async fn open(
    settings: &Settings,
    secrets: &Secrets,
    world: &World,
) -> anyhow::Result<(Store, hold::Hold)> {
    private_folder(&settings.data).with_context(|| {
        format!(
            "data: {} cannot be made or written by this user",
            settings.data.display()
        )
    })?;
    owner(settings)?;
    let held = hold::folder(&settings.data, run::REMEDY)?;
    let database = plan::database(settings, secrets)?;
    let remedy = plan::remedy(settings, &database);
    let config = StoreConfig {
        database,
        folder: settings.data.clone(),
        limits: settings.limits.clone(),
        node: settings.id.clone(),
    };
    let store = Store::open(&config, world.clone(), &crate::wiring::migrations()).await;
    Ok((store.context(remedy)?, held))
}

/// Files made by another user could not be written by the service afterwards.
fn owner(settings: &Settings) -> anyhow::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let data = std::fs::metadata(&settings.data)?;
    // Where there is no /proc (a bare root folder) nobody can be compared.
    let Ok(me) = std::fs::metadata("/proc/self") else {
        return Ok(());
    };
    ensure!(
        data.uid() == me.uid(),
        "{} belongs to another user: run this as that one, `runuser -u sen -- sen account add …`",
        settings.data.display()
    );
    Ok(())
}

/// Reads a password: a line of standard input, or typed twice without being shown.
///
/// # Errors
/// When nothing comes, or the two differ.
pub fn password() -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        return line();
    }
    let first = ask("Password: ")?;
    ensure!(
        first == ask("The same again: ")?,
        "the two passwords differ: nothing was added"
    );
    Ok(first)
}

/// A password that is there already: the first line of standard input, or asked for once.
///
/// # Errors
/// As [`password`].
pub fn known_password() -> anyhow::Result<String> {
    if std::io::stdin().is_terminal() {
        ask("Password: ")
    } else {
        line()
    }
}

fn ask(prompt: &str) -> anyhow::Result<String> {
    let echo = |word: &str| Command::new("stty").arg(word).status().is_ok_and(|s| s.success());
    eprint!("{prompt}");
    std::io::stderr().flush()?;
    ensure!(
        echo("-echo"),
        "the terminal would show the password: pipe it into standard input"
    );
    let typed = line();
    echo("echo");
    eprintln!();
    typed
}

fn line() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().lock().read_line(&mut text)?;
    let password = text.trim_end_matches(['\n', '\r']).to_owned();
    ensure!(
        !password.is_empty(),
        "a password is read from standard input: pipe it in, or run this on a terminal"
    );
    Ok(password)
}
