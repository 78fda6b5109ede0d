//! What the pages of the story cost in a nation with a long past: one person at a time asks, every
//! answer is read whole. A page that refuses ends the measurement: there is nothing to measure then.

mod people;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail, ensure};
use kernel::World;
use sen::up::nation::{PLACES, Place};
use sen::up::population::SEED;
use sen::up::{accounts, prepare};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::birth::{self, Answers, Desk, PAGES};
use crate::ground;
use crate::people::Person;
use crate::site::Site;

/// How large the nation is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Synthetic people, count.
    pub people: usize,
    /// Past cases at the province and at the portal, count.
    pub cases: usize,
    /// Open cases of the sample commune, count.
    pub open: usize,
}

/// Requests of each kind, count.
const ROUNDS: usize = 200;
/// Cases that are lived from the form to the seal, count.
const WHOLE: usize = 200;
/// Names that are searched for, count.
const NAMES: usize = 500;
/// Longest 95th percentile of a search, a worklist, a page and a change, in milliseconds.
const SEARCH_MS: i64 = 50;
const WORKLIST_MS: i64 = 50;
const READ_MS: i64 = 150;
const WRITE_MS: i64 = 300;
/// The sample officials' commune.
const UNIT: &str = "H56.14857";

/// A nation in a process of its own; killed when it goes out of use.
struct Running {
    child: Child,
    site: Site,
    pid: u32,
}

impl Running {
    async fn up(program: &Path, data: PathBuf, port: u16, size: Size) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(["up", "--json", "--port", &port.to_string()]);
        command.args(["--people", &size.people.to_string()]);
        command.args(["--past-cases", &size.cases.to_string()]);
        command.args(["--open-cases", &size.open.to_string(), "--data"]);
        command
            .arg(&data)
            .args(["--pack"])
            .arg(sen::config::Config::default().pack);
        command.env("SEN_LOG", "error").env_remove("SEN_DATABASE");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().context("a running child has a number")?;
        let mut lines = BufReader::new(child.stdout.take().context("its output is piped")?).lines();
        match lines.next_line().await? {
            Some(line) if line.contains("\"ready\":true") => {}
            _ => bail!("sen up ended before it was ready"),
        }
        Ok(Self {
            child,
            site: Site::of(data, port)?,
            pid,
        })
    }

    /// The most memory that the process held so far, in bytes.
    fn memory_bytes(&self) -> anyhow::Result<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = text.lines().find(|l| l.starts_with("VmHWM:")).context("VmHWM")?;
        let kib: u64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
        Ok(kib << 10)
    }

    /// The size of each node's database, in bytes.
    fn files(&self) -> BTreeMap<String, u64> {
        let size = |place: Place| {
            let file = self.site.layout().node(place).join("sen.db");
            std::fs::metadata(file).map_or(0, |meta| meta.len())
        };
        PLACES
            .iter()
            .map(|place| (place.id().to_owned(), size(*place)))
            .collect()
    }

    async fn stop(mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").arg(self.pid.to_string()).status().await?;
        ensure!(asked.success(), "the nation has ended by itself");
        self.child.wait().await?;
        Ok(())
    }
}

/// How long each thing took, in the order in which they were first done.
#[derive(Default)]
struct Watch(Vec<Measured>);

struct Measured {
    what: &'static str,
    bound_ms: i64,
    took: Vec<i64>,
}

impl Watch {
    fn add(&mut self, what: &'static str, bound_ms: i64, ms: i64) {
        let found = self.0.iter_mut().find(|one| one.what == what);
        let Some(one) = found else {
            let took = vec![ms];
            self.0.push(Measured { what, bound_ms, took });
            return;
        };
        one.took.push(ms);
    }

    /// Lines for the report.
    fn lines(&mut self) -> Vec<Value> {
        let line = |one: &mut Measured| {
            one.took.sort_unstable();
            let last = one.took.len() - 1;
            let at = |percent: usize| one.took[(one.took.len() * percent / 100).min(last)];
            json!({"what": one.what, "count": one.took.len(), "p50_ms": at(50), "p95_ms": at(95),
                "longest_ms": one.took[last], "bound_ms": one.bound_ms, "holds": at(95) <= one.bound_ms})
        };
        self.0.iter_mut().map(line).collect()
    }
}

/// Loads a nation of a size, asks it, starts it again, and says how all that went.
///
/// # Errors
/// When the nation cannot be started or refuses something.
pub async fn measure(program: &Path, size: Size, world: &World) -> anyhow::Result<Value> {
    let folder = ground::folder("scale", world)?;
    let done = measured(program, &folder, size, world).await;
    std::fs::remove_dir_all(&folder).ok();
    done
}

async fn measured(program: &Path, folder: &Path, size: Size, world: &World) -> anyhow::Result<Value> {
    let data = folder.join("data");
    let port = sen::story::nation::free_ports(world)?;
    prepare::prepare(&data, &sen::config::Config::default().pack, port, world)?;
    accounts::invite(&data, people::ACCOUNTS, world)?;
    let began = world.now();
    let nation = Running::up(program, data.clone(), port, size).await?;
    let load_ms = world.now().ms() - began.ms();
    let (load_bytes, files) = (nation.memory_bytes()?, nation.files());
    nation.stop().await?;
    let began = world.now();
    let nation = Running::up(program, data, port, size).await?;
    let again_ms = world.now().ms() - began.ms();
    let mut watch = Watch::default();
    let mut cast = Cast::of(&nation.site).await?;
    let asked = async {
        cast.read(&mut watch, world).await?;
        cast.live(&mut watch, world).await
    };
    asked.await?;
    let crowd = people::think(&nation.site, world).await?;
    let memory = nation.memory_bytes()?;
    nation.stop().await?;
    Ok(json!({
        "population": size.people, "cases": size.cases, "open": size.open, "load_ms": load_ms, "start_again_ms": again_ms,
        "load_peak_bytes": load_bytes, "serve_peak_bytes": memory, "files": files, "pages": watch.lines(), "people": crowd,
    }))
}

/// Everybody who asks.
struct Cast {
    desk: Desk,
    supervisor: Person,
    stranger: Person,
    names: Vec<String>,
}

impl Cast {
    async fn of(site: &Site) -> anyhow::Result<Self> {
        let areas = directory::Areas::load(&sen::config::Config::default().pack)?;
        let people = directory::people::people(&areas, SEED, NAMES * 4).skip(1);
        Ok(Self {
            desk: Desk::of(site).await?,
            supervisor: Person::official(site, "supervisor", Place::Province).await?,
            stranger: Person::stranger(site, Place::National),
            names: people.map(|h| h.mother.full_name).take(NAMES).collect(),
        })
    }

    /// Pages that change nothing but the trace of a look.
    async fn read(&mut self, watch: &mut Watch, world: &World) -> anyhow::Result<()> {
        let codes = codes(&mut self.desk.officer, "/api/v1/desk/cases?state=returned").await?;
        let everywhere = codes_of_province(&mut self.supervisor).await?;
        for round in 0..ROUNDS {
            let full = self
                .names
                .get(round % self.names.len())
                .context("a name")?
                .clone();
            let given = full.rsplit(' ').next().unwrap_or_default();
            let plain = web::page::query_value(&kernel::text::fold(&full));
            let (full, given) = (web::page::query_value(&full), web::page::query_value(given));
            let Self {
                desk,
                supervisor,
                stranger,
                ..
            } = self;
            let Desk {
                applicant, officer, ..
            } = desk;
            let code = codes.get(round % codes.len().max(1)).cloned().unwrap_or_default();
            let far = everywhere
                .get(round % everywhere.len().max(1))
                .cloned()
                .unwrap_or_default();
            let all: [(&'static str, i64, &mut Person, String); 4] = [
                (
                    "search a procedure, with marks",
                    SEARCH_MS,
                    stranger,
                    "/procedures?q=%C4%91%C4%83ng+k%C3%BD+khai+sinh".to_owned(),
                ),
                (
                    "search a name at a commune",
                    SEARCH_MS,
                    officer,
                    format!("/desk?q={full}"),
                ),
                (
                    "search a name in the province",
                    SEARCH_MS,
                    supervisor,
                    format!("/desk?q={plain}"),
                ),
                ("my cases", READ_MS, applicant, "/cases".to_owned()),
            ];
            for (what, bound, person, path) in all {
                get(watch, world, (what, bound), person, &path).await?;
            }
            get(
                watch,
                world,
                ("search a procedure, without marks", SEARCH_MS),
                stranger,
                "/procedures?q=dang+ky+khai+sinh",
            )
            .await?;
            get(
                watch,
                world,
                ("search a given name at a commune", SEARCH_MS),
                officer,
                &format!("/desk?q={given}"),
            )
            .await?;
            get(
                watch,
                world,
                ("search a given name in the province", SEARCH_MS),
                supervisor,
                &format!("/desk?q={given}"),
            )
            .await?;
            for (what, path) in [
                ("worklist of a commune, open", "/desk"),
                ("worklist of a commune, all", "/desk?state=all"),
                ("worklist of a commune, a state", "/desk?state=accepted"),
                ("worklist of a commune, returned", "/desk?state=returned"),
                ("worklist of a commune, overdue", "/desk?state=overdue"),
                ("worklist of a commune, due soon", "/desk?state=soon"),
            ] {
                get(watch, world, (what, WORKLIST_MS), officer, path).await?;
            }
            for (what, path) in [
                ("worklist of the province, open", "/desk"),
                ("worklist of the province, all", "/desk?state=all"),
                ("worklist of the province, a state", "/desk?state=returned"),
                ("worklist of the province, rated low", "/desk?state=rated-low"),
                ("worklist of the province, letters", "/desk?state=apology"),
                ("board of the province", "/boards/H56"),
            ] {
                get(watch, world, (what, READ_MS), supervisor, path).await?;
            }
            if !code.is_empty() {
                get(
                    watch,
                    world,
                    ("past case at its commune", READ_MS),
                    officer,
                    &format!("/desk/cases/{code}"),
                )
                .await?;
                get(
                    watch,
                    world,
                    ("past case at the province", READ_MS),
                    supervisor,
                    &format!("/desk/cases/{far}"),
                )
                .await?;
            }
            for (what, path) in [
                ("procedure", "/procedures/1.001193".to_owned()),
                ("unit", format!("/units/{UNIT}")),
                ("board of the country", "/boards".to_owned()),
                ("published figures", "/boards/published".to_owned()),
                ("check of a document", "/verify".to_owned()),
                ("tracking", "/track".to_owned()),
            ] {
                get(watch, world, (what, READ_MS), stranger, &path).await?;
            }
            let url = applicant.site().url(Place::Ministry, "/my/data-usage");
            let began = world.now();
            applicant.browser.get(&url).await?.ok()?;
            watch.add("use of my data", READ_MS, world.now().ms() - began.ms());
        }
        Ok(())
    }

    /// Cases from the form to the seal, each step watched.
    async fn live(&mut self, watch: &mut Watch, world: &World) -> anyhow::Result<()> {
        let answers = Answers::usual(world)?;
        let paper = birth::paper(world)?;
        for number in 0..WHOLE {
            let child = format!("Lê Nguyễn Sen {}", words(number));
            let answers = answers.clone().with("child_name", &child);
            self.case(watch, world, &answers, &paper).await?;
        }
        Ok(())
    }

    async fn case(
        &mut self,
        watch: &mut Watch,
        world: &World,
        answers: &Answers,
        paper: &[u8],
    ) -> anyhow::Result<()> {
        let Desk {
            applicant: me,
            receptionist,
            officer,
            chairman,
            clerk,
        } = &mut self.desk;
        let began = world.now();
        let mut done = |what, bound, from: kernel::Time| watch.add(what, bound, world.now().ms() - from.ms());
        let draft = birth::start(me).await?;
        done("begin a form", WRITE_MS, began);
        for page in PAGES {
            let path = format!("/drafts/{draft}/pages/{page}");
            let from = world.now();
            let form = me.get(&path).await?;
            done("page of a form", READ_MS, from);
            let fields = answers.fields(&form.ok()?.text());
            let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let from = world.now();
            let told = me.post(&path, &fields).await?;
            done("answer a page of a form", WRITE_MS, from);
            told.ok()?;
            ensure!(
                !told.url.ends_with(&format!("/pages/{page}")),
                "page {page} is shown again"
            );
        }
        let from = world.now();
        birth::attach(me, &draft, "giay-chung-sinh.pdf", paper)
            .await?
            .ok()?;
        done("attach a paper", WRITE_MS, from);
        let from = world.now();
        let revision = birth::check(me, &draft).await?;
        done("check of a form", READ_MS, from);
        let from = world.now();
        let filed = me
            .post(&format!("/drafts/{draft}/file"), &[("revision", &revision)])
            .await?;
        done("file a case", WRITE_MS, from);
        let code = birth::code(&filed.ok()?.url)?;
        let seen = birth::at_desk(receptionist, &code, |_| true).await?;
        let from = world.now();
        let accepted = birth::act(receptionist, &seen, "accept", &json!({})).await?;
        done("accept, with its receipt", WRITE_MS, from);
        let from = world.now();
        birth::act(
            officer,
            &accepted,
            "propose",
            &json!({"outcome": "granted", "note": "Đủ điều kiện"}),
        )
        .await?;
        done("propose, with the draft of the result", WRITE_MS, from);
        birth::at_portal(me, &code, |c| !c["draft"].is_null()).await?;
        let from = world.now();
        let path = format!("/api/v1/cases/{code}/draft-answer");
        me.post_json(&path, &json!({"agreed": true})).await?;
        done("answer the draft of the result", WRITE_MS, from);
        let seen = birth::at_desk(chairman, &code, |c| c["state"] == "to-sign").await?;
        let from = world.now();
        let signed = birth::act(chairman, &seen, "sign", &json!({})).await?;
        done("sign", WRITE_MS, from);
        let from = world.now();
        birth::act(clerk, &signed, "seal", &json!({})).await?;
        done("seal", WRITE_MS, from);
        let from = world.now();
        me.get(&format!("/cases/{code}")).await?.ok()?;
        done("case of mine", READ_MS, from);
        Ok(())
    }
}

async fn get(
    watch: &mut Watch,
    world: &World,
    (what, bound_ms): (&'static str, i64),
    person: &mut Person,
    path: &str,
) -> anyhow::Result<()> {
    let began = world.now();
    person.get(path).await?.ok()?;
    watch.add(what, bound_ms, world.now().ms() - began.ms());
    Ok(())
}

async fn codes(official: &mut Person, path: &str) -> anyhow::Result<Vec<String>> {
    let list = official.get(path).await?.json()?;
    let items = list["items"].as_array().context("a list of cases")?;
    Ok(items
        .iter()
        .filter_map(|item| item["code"].as_str().map(str::to_owned))
        .collect())
}

/// Cases from all over the two years: several pages far apart.
async fn codes_of_province(supervisor: &mut Person) -> anyhow::Result<Vec<String>> {
    const DAYS_APART: i64 = 50;
    let mut all = Vec::new();
    let first = kernel::Time::at(directory::people::AS_OF, 0);
    for step in 1..12 {
        let at = first.plus_ms(-step * DAYS_APART * 86_400_000).ms();
        let path = format!("/api/v1/desk/cases?state=all&after={at}.G22-250101-0001");
        all.extend(codes(supervisor, &path).await?);
    }
    Ok(all)
}

/// A number in words that a name may have.
fn words(number: usize) -> String {
    const WORDS: [&str; 10] = [
        "An", "Ba", "Chi", "Dung", "Giang", "Hoa", "Khanh", "Lan", "Mai", "Nam",
    ];
    let word = |at: usize| WORDS[at % WORDS.len()];
    format!("{} {} {}", word(number / 100), word(number / 10), word(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_held_by_nineteen_of_twenty() {
        let mut watch = Watch::default();
        for ms in 1..=100 {
            watch.add("a", 95, ms);
            watch.add("b", 96, ms);
        }
        let lines = watch.lines();
        assert_eq!(lines[0]["p95_ms"], 96);
        assert_eq!(
            (&lines[0]["holds"], &lines[1]["holds"]),
            (&json!(false), &json!(true))
        );
        assert_eq!(
            (&lines[0]["p50_ms"], &lines[0]["count"]),
            (&json!(51), &json!(100))
        );
    }

    #[test]
    fn a_thousand_children_have_a_thousand_names() {
        let names: std::collections::BTreeSet<_> = (0..1_000).map(words).collect();
        assert_eq!(names.len(), 1_000);
    }
}
