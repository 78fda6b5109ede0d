//! `sen apply`: what a file declares, carried to a running node as an operator's own words: shown first,
//! done when told so. No rule of its own: the node says what differs and does it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use kernel::time::parse_iso;
use kernel::{Time, World};
use serde_json::{Value, json};
use web::client::Client;
use web::http::{Request, Response, header};

use crate::portal;

/// Time for one answer, in milliseconds: a file of services reads many documents.
const ANSWER_MS_MAX: u64 = 120_000;
/// Size of one answer, in bytes.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// Midnight at the end of a day, in minutes of it.
const DAY_END: i64 = 24 * 60;

/// At which node, and as whom.
pub struct Site {
    /// The portal: `https://node.example.vn`.
    pub url: String,
    /// As whom.
    pub who: Who,
    /// Roots of the portal's certificate, PEM; needed for `https`.
    pub trust: Option<PathBuf>,
}

/// As whom a file is carried to a node.
pub enum Who {
    /// An operator who signs in.
    Operator {
        /// The account's name.
        user: String,
        /// Its password.
        password: String,
    },
    /// Who shows an API key.
    Key(String),
}

impl Who {
    /// The API key in a file, alone on its first line.
    ///
    /// # Errors
    /// When the file cannot be read, or has none.
    pub fn of_key_file(file: &Path) -> anyhow::Result<Self> {
        Ok(Self::Key(portal::key_of_file(file)?))
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Told {
    /// A line a step.
    pub text: String,
    /// Steps with a problem, count.
    pub problems: u64,
}

/// Shows what a file would change at a node; carries it out when `yes`.
///
/// # Errors
/// When the file cannot be read, the node not be reached, or the operator or the key is not let in.
pub async fn run(file: &Path, site: &Site, yes: bool, world: &World) -> anyhow::Result<Told> {
    let declared = read(file)?;
    let node = Node::enter(site, world).await?;
    let path = if yes { "apply" } else { "plan" };
    let answer = node.post(&format!("/api/v1/exchange/{path}"), &declared).await?;
    let told: Value = serde_json::from_slice(answer.body())
        .with_context(|| format!("{} gave no answer that can be read", site.url))?;
    if !answer.status().is_success() {
        let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
        bail!("{}: {} {}", text("title"), text("detail"), text("remedy"));
    }
    Ok(Told {
        text: lines(&told, yes)?,
        problems: told["problems"].as_u64().unwrap_or_default(),
    })
}

/// What a file declares any number of.
const LISTS: [&str; 12] = [
    "trust",
    "member",
    "system",
    "global_group",
    "local_group",
    "service",
    "client",
    "connection",
    "delegation",
    "group_offer",
    "request",
    "accept",
];

/// What a file declares, as the node reads it: files named in it are read, days become instants.
fn read(file: &Path) -> anyhow::Result<Value> {
    let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let told: toml::Table =
        toml::from_str(&text).with_context(|| format!("{} is no TOML", file.display()))?;
    let mut declared = serde_json::to_value(told)?;
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    for kind in LISTS {
        let Some(list) = declared.get_mut(kind) else {
            continue;
        };
        let list = list
            .as_array_mut()
            .with_context(|| format!("{kind} is written [[{kind}]]"))?;
        for thing in list {
            for field in ["certificate", "node_certificate", "roots"] {
                take_file(thing, field, folder)?;
            }
            if kind == "service" {
                take_standing(thing)?;
            }
            take_day(thing, "valid_from", 0)?;
            take_day(thing, "valid_to", DAY_END)?;
        }
    }
    if let Some(maintenance) = declared.get_mut("maintenance") {
        ensure!(maintenance.is_object(), "maintenance is written [maintenance]");
        take_instant(maintenance, "until")?;
    }
    Ok(declared)
}

/// `FIELD_file` names a file beside; what is in it is the field.
fn take_file(thing: &mut Value, field: &str, folder: &Path) -> anyhow::Result<()> {
    let Some(fields) = thing.as_object_mut() else {
        return Ok(());
    };
    let Some(name) = fields.remove(&format!("{field}_file")) else {
        return Ok(());
    };
    let name = name.as_str().with_context(|| format!("{field}_file is a text"))?;
    let path = folder.join(name);
    let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    fields.insert(field.to_owned(), json!(text));
    Ok(())
}

/// How a service stands: its days are read, and an empty text takes back what was said.
fn take_standing(thing: &mut Value) -> anyhow::Result<()> {
    for field in ["disabled", "sunset", "stop"] {
        if thing.get(field).is_some_and(|value| value == "") {
            thing[field] = Value::Null;
        }
    }
    take_day(thing, "sunset", 0)?;
    if let Some(stop) = thing.get_mut("stop").filter(|stop| stop.is_object()) {
        take_day(stop, "from", 0)?;
        take_day(stop, "to", DAY_END)?;
    }
    Ok(())
}

/// A day of Vietnam (`2026-12-01`) as milliseconds since 1970; milliseconds stay.
fn take_day(thing: &mut Value, field: &str, minute: i64) -> anyhow::Result<()> {
    let Some(value) = thing.get_mut(field) else {
        return Ok(());
    };
    if let Some(day) = value.as_str() {
        let date = parse_iso(day).with_context(|| format!("{field}: {day} is no day: 2026-12-01"))?;
        *value = json!(Time::at(date, minute).ms());
    }
    Ok(())
}

/// A day and a time of Vietnam (`2026-12-01T22:30`) as milliseconds since 1970; milliseconds stay.
fn take_instant(thing: &mut Value, field: &str) -> anyhow::Result<()> {
    let Some(value) = thing.get_mut(field) else {
        return Ok(());
    };
    if let Some(text) = value.as_str() {
        let read = Time::parse_minute(text);
        let at = read.with_context(|| format!("{field}: {text} is no instant: 2026-12-01T22:30"))?;
        *value = json!(at.ms());
    }
    Ok(())
}

/// A line a step: `+` new, `~` changed, `=` as it is, `?` waits for somebody else, `!` a problem.
fn lines(told: &Value, yes: bool) -> anyhow::Result<String> {
    let mut text = String::new();
    let of = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    for step in told["steps"].as_array().context("a list of steps")? {
        let mark = match (of(step, "does").as_str(), step["problem"].is_null()) {
            (_, false) => '!',
            ("keep", _) => '=',
            ("wait", _) => '?',
            ("change", _) => '~',
            _ => '+',
        };
        writeln!(text, "{mark} {} {}", of(step, "what"), of(step, "name"))?;
        for d in step["differences"].as_array().into_iter().flatten() {
            writeln!(
                text,
                "    {}: {} -> {}",
                of(d, "field"),
                of(d, "now"),
                of(d, "then")
            )?;
        }
        if mark == '!' {
            let problem = &step["problem"];
            writeln!(text, "    {} {}", of(problem, "field"), of(problem, "words"))?;
        }
    }
    let (changes, problems) = (&told["changes"], &told["problems"]);
    if yes {
        writeln!(text, "{changes} done, {problems} with a problem")?;
    } else {
        writeln!(
            text,
            "{changes} to do, {problems} with a problem; nothing was changed (--yes does it)"
        )?;
    }
    Ok(text)
}

/// A node, and what lets us in.
struct Node {
    client: Client,
    url: String,
    /// The cookie of a session, or an API key: the header and its value.
    shown: Option<(header::HeaderName, String)>,
}

impl Node {
    async fn enter(site: &Site, world: &World) -> anyhow::Result<Self> {
        let (url, client) = portal::reach(&site.url, (site.trust.as_deref(), "--trust"), world)?;
        let mut node = Self {
            client,
            url,
            shown: None,
        };
        let named = match &site.who {
            Who::Operator { user, password } => json!({"user": user, "password": password}),
            Who::Key(key) => {
                node.shown = Some((header::AUTHORIZATION, format!("Bearer {key}")));
                return Ok(node);
            }
        };
        let answer = node.post("/api/v1/sign-in", &named).await?;
        ensure!(
            answer.status().is_success(),
            "{} does not know this operator and password ({})",
            node.url,
            answer.status()
        );
        let cookies = answer.headers().get_all(header::SET_COOKIE).iter();
        let pairs = cookies.filter_map(|c| c.to_str().ok()?.split(';').next().map(str::to_owned));
        let cookies = pairs.collect::<Vec<_>>().join("; ");
        node.shown = Some((header::COOKIE, cookies));
        Ok(node)
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Response<Bytes>> {
        let mut request = Request::post(format!("{}{path}", self.url))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT_LANGUAGE, "en")
            .header(header::ORIGIN, &self.url);
        if let Some((name, value)) = &self.shown {
            request = request.header(name, value);
        }
        let request = request.body(Bytes::from(body.to_string()))?;
        let answer = self.client.send(request, ANSWER_MS_MAX, ANSWER_BYTES_MAX).await;
        answer.with_context(|| format!("{} does not answer", self.url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_and_days_are_those_of_vietnam() {
        let folder = std::env::temp_dir().join(format!("sen-apply-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("a.pem"), "PEM").expect("written");
        let file = folder.join("federation.toml");
        let text = "[[client]]\nsystem = \"G01/population\"\ncertificate_file = \"a.pem\"\n\
                    [[request]]\nid = \"1\"\nvalid_from = \"2026-12-01\"\nvalid_to = \"2026-12-01\"\n";
        fs::write(&file, text).expect("written");
        let declared = read(&file).expect("read");
        assert_eq!(
            declared["client"][0],
            json!({"system": "G01/population", "certificate": "PEM"})
        );
        let (from, to) = (
            &declared["request"][0]["valid_from"],
            &declared["request"][0]["valid_to"],
        );
        assert_eq!(to.as_i64().expect("ms") - from.as_i64().expect("ms"), 86_400_000);
        fs::write(
            &file,
            "[maintenance]\nnotice = \"x\"\nuntil = \"2026-12-01T22:30\"\n",
        )
        .expect("written");
        let until = read(&file).expect("read")["maintenance"]["until"].clone();
        let from = from.as_i64().expect("ms");
        assert_eq!(until.as_i64().expect("ms") - from, (22 * 60 + 30) * 60_000);
        for bad in [
            "[maintenance]\nuntil = \"soon\"\n",
            "[[maintenance]]\nnotice = \"x\"\n",
        ] {
            fs::write(&file, bad).expect("written");
            assert!(read(&file).is_err(), "{bad}");
        }
        let text = "[[service]]\nservice = \"G01/a/b\"\ndisabled = \"\"\nsunset = \"2026-12-01\"\n\
                    stop = { from = \"2026-12-01\", to = \"2026-12-01\", reason = \"x\" }\n\
                    [[member]]\norg = \"H57\"\nnode_certificate_file = \"a.pem\"\n";
        fs::write(&file, text).expect("written");
        let declared = read(&file).expect("read");
        let service = &declared["service"][0];
        assert!(service["disabled"].is_null() && service.get("disabled").is_some());
        assert_eq!(service["sunset"], from, "a day's first instant");
        let stop = &service["stop"];
        assert_eq!(
            stop["to"].as_i64().expect("ms") - stop["from"].as_i64().expect("ms"),
            86_400_000
        );
        assert_eq!(declared["member"][0]["node_certificate"], "PEM");
        fs::write(&file, "[[request]]\nvalid_from = \"tomorrow\"\n").expect("written");
        assert!(read(&file).is_err());
        fs::write(&file, "[[client]]\ncertificate_file = \"none.pem\"\n").expect("written");
        assert!(
            read(&file)
                .expect_err("no such file")
                .to_string()
                .contains("none.pem")
        );
        fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn a_key_stands_alone_on_the_first_line_of_its_file() {
        let file = std::env::temp_dir().join(format!("sen-key-{}", std::process::id()));
        fs::write(&file, " abc-123 \nnot this\n").expect("written");
        let read = Who::of_key_file(&file).expect("read");
        assert!(matches!(read, Who::Key(key) if key == "abc-123"));
        for bad in ["", "\nabc\n", "two words\n", "kh\u{f3}a\n"] {
            fs::write(&file, bad).expect("written");
            assert!(Who::of_key_file(&file).is_err(), "{bad:?}");
        }
        fs::remove_file(&file).expect("removed");
        assert!(Who::of_key_file(&file).is_err(), "there is none");
    }

    #[test]
    fn a_plan_says_in_a_line_what_is_new_changed_kept_and_wrong() {
        let told = json!({"changes": 2, "problems": 1, "steps": [
            {"what": "accept", "name": "2", "does": "wait", "differences": [], "problem": null},
            {"what": "service", "name": "G01/a/b", "does": "register", "differences": [], "problem": null},
            {"what": "service", "name": "G01/a/c", "does": "change", "problem": null,
             "differences": [{"field": "url", "now": "http://x", "then": "http://y"}]},
            {"what": "client", "name": "G01/a", "does": "keep", "differences": [], "problem": null},
            {"what": "request", "name": "1", "does": "keep", "differences": [],
             "problem": {"field": "service", "words": "No."}},
        ]});
        let text = lines(&told, false).expect("lines");
        for line in [
            "+ service G01/a/b\n",
            "~ service G01/a/c\n    url: http://x -> http://y\n",
            "= client",
            "? accept 2\n",
            "! request 1\n    service No.",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert!(text.contains("nothing was changed"));
    }
}
