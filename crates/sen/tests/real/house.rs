//! An authority outside, and the nodes it certifies: folders, configurations, processes. Never a
//! development authority of `sen up`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use directory::keyring::Keyring;
use kernel::{OrgCode, Time, World};
use seal::authority::{Authority, Profile, Subject};
use seal::key::Identity;
use sen::story::http::{Browser, Reply};
use serde_json::Value;
use store::Database;

/// How long a process may take to do what it was told.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// The server of the PostgreSQL runs.
pub(crate) fn server() -> Option<String> {
    std::env::var("SEN_TEST_POSTGRES").ok()
}

/// Whoever certifies nodes, and a folder for them.
pub(crate) struct House {
    pub(crate) folder: PathBuf,
    pub(crate) world: World,
    root: Authority,
    from: Time,
}

impl House {
    pub(crate) fn new(name: &str) -> Self {
        let world = World::of_this_machine();
        let folder = std::env::temp_dir().join(format!("sen-{name}-{}", world.id()));
        let from = world.now().plus_ms(-86_400_000);
        let root = Authority::new("Trial root", from).expect("a root");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("root.pem"), root.certificate().pem()).expect("the root");
        Self {
            folder,
            world,
            root,
            from,
        }
    }

    /// The root that everybody here trusts.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("root.pem")
    }

    fn issue(&self, profile: Profile, name: &str, organisation: Option<&OrgCode>) -> Identity {
        let subject = Subject {
            common_name: name.to_owned(),
            organisation: organisation.map(ToString::to_string),
            position: None,
        };
        let issued = self
            .root
            .issue(profile, &subject, self.from, 60, self.world.random());
        issued.expect("issued")
    }

    /// The keys of a node, in their folder.
    fn keys(&self, folder: &Path, tenants: &[&str]) -> Keyring {
        let names = vec!["127.0.0.1".to_owned()];
        let seal = |tenant: &&str| {
            let org: OrgCode = tenant.parse().expect("a code");
            let seal = self.issue(Profile::OrganisationSeal, "UBND", Some(&org));
            (org, seal)
        };
        let ring = Keyring {
            node: self.issue(Profile::Node { names }, "trial", None),
            seals: tenants.iter().map(seal).collect(),
            signers: BTreeMap::new(),
        };
        ring.write_folder(folder).expect("keys");
        ring
    }

    /// A node with its keys and its configuration; `more` are sections of the file.
    pub(crate) fn node(&self, id: &str, tenant: &str, face: &str, more: &str) -> Node {
        self.hosting(id, &[tenant], face, more)
    }

    /// The same of several organisations; the first is the node's own.
    pub(crate) fn hosting(&self, id: &str, tenants: &[&str], face: &str, more: &str) -> Node {
        let own = self.folder.join(id);
        std::fs::create_dir_all(&own).expect("a folder");
        let ring = self.keys(&own.join("data/keys"), tenants);
        let home: OrgCode = tenants[0].parse().expect("a code");
        let seal = own.join("seal.pem");
        let certificate = &ring.seals[&home].certificate;
        std::fs::write(&seal, certificate.pem()).expect("the seal");
        let node = Node {
            config: own.join("sen.toml"),
            data: own.join("data"),
            root: self.root(),
            seal,
            schema: format!("real_{}", self.world.id()),
            ports: ports(&self.world),
            tenants: tenants.iter().map(|tenant| (*tenant).to_owned()).collect(),
            id: id.to_owned(),
        };
        node.configure(face, &format!("http://127.0.0.1:{}", node.ports[0]), more);
        node
    }
}

impl Drop for House {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// Ports that nobody else is given, not even by the machine: public, systems, peer, administration.
fn ports(world: &World) -> [u16; 4] {
    let first = sen::story::nation::free_ports(world).expect("free ports");
    [0, 10, 20, 40].map(|offset| first + offset)
}

/// A node that is configured.
pub(crate) struct Node {
    pub(crate) config: PathBuf,
    pub(crate) data: PathBuf,
    /// The certificate of its seal.
    pub(crate) seal: PathBuf,
    pub(crate) ports: [u16; 4],
    root: PathBuf,
    schema: String,
    tenants: Vec<String>,
    id: String,
}

impl Node {
    /// Writes the configuration.
    pub(crate) fn configure(&self, face: &str, url: &str, more: &str) {
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn");
        let [public, systems, peer, administration] = self.ports;
        let text = format!(
            "id = \"{}\"\ntenants = {:?}\nfaces = [\"{face}\"]\nurl = \"{url}\"\ndata = {:?}\npack = {pack:?}\n\
             database = {:?}\nschema = \"{}\"\n\
             [listen]\npublic = \"127.0.0.1:{public}\"\nsystems = \"127.0.0.1:{systems}\"\n\
             peer = \"127.0.0.1:{peer}\"\nadministration = \"127.0.0.1:{administration}\"\n\
             [keys]\ntrusted = [{:?}]\n[jobs]\ndirectory_ms = 200\n{more}\n",
            self.id,
            self.tenants,
            self.data,
            server().unwrap_or_else(|| "sqlite".to_owned()),
            self.schema,
            self.root,
        );
        std::fs::write(&self.config, text).expect("the configuration");
    }

    /// Where its rows are.
    pub(crate) fn database(&self) -> Database {
        match server() {
            Some(url) => Database::Postgres {
                url,
                schema: self.schema.clone(),
            },
            None => Database::Sqlite(self.data.join("sen.db")),
        }
    }

    /// Its rows on a server are deleted; its folder goes with the house.
    pub(crate) async fn forget(&self) {
        if let database @ Database::Postgres { .. } = self.database() {
            database.destroy().await.expect("the schema goes");
        }
    }

    /// An address at its portal.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports[0])
    }

    /// Starts its process.
    pub(crate) fn start(&self) -> Running {
        let log = std::fs::File::create(self.config.with_extension("log")).expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_sen"))
            .args(["serve", "--config"])
            .arg(&self.config)
            .env_remove("SEN_DATABASE")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        Running {
            child: child.expect("a process"),
            log: self.config.with_extension("log"),
        }
    }

    /// What it says on its administration listener; `None` when nobody answers.
    pub(crate) async fn asks(&self, path: &str) -> Option<Reply> {
        let url = format!("http://127.0.0.1:{}{path}", self.ports[3]);
        Browser::default().get(&url).await.ok()
    }

    /// Waits until it is ready for people.
    pub(crate) async fn ready(&self, running: &mut Running) {
        until("the node is ready", async || {
            running.lives();
            let ready = self.asks("/health/ready").await?;
            (ready.status == 200).then_some(())
        })
        .await;
    }

    /// `/info`.
    pub(crate) async fn info(&self) -> Value {
        let told = self.asks("/info").await.expect("an answer");
        told.json().expect("JSON")
    }

    /// Runs a command of `sen` with its configuration, something on standard input.
    pub(crate) fn sen(&self, words: &[&str], input: &str) -> Done {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sen"))
            .args(words)
            .arg("--config")
            .arg(&self.config)
            .env_remove("SEN_DATABASE")
            .env("SEN_BACKUP_PASSPHRASE", "a passphrase of a test")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut standard = child.stdin.take().expect("its input");
        // A command that reads nothing may have ended already.
        standard.write_all(input.as_bytes()).ok();
        drop(standard);
        let done = child.wait_with_output().expect("it ends");
        Done {
            code: done.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&done.stdout).into_owned(),
            said: String::from_utf8_lossy(&done.stderr).into_owned(),
        }
    }

    /// Adds an officer of one of its communes.
    pub(crate) fn officer(&self, user: &str, password: &str) -> Done {
        let unit = format!("{}.14797", self.tenants[0]);
        let words = [
            "account", "add", "--role", "officer", "--user", user, "--unit", &unit,
        ];
        self.sen(&words, &format!("{password}\n"))
    }
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) said: String,
}

impl Done {
    /// Its output, when it ended well.
    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }
}

/// A process that ends with the test.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    fn lives(&mut self) {
        if let Some(ended) = self.child.try_wait().expect("our child") {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            panic!("the node ended with {ended}: {log}");
        }
    }

    /// Tells it to end, and waits for it.
    pub(crate) fn stop(mut self) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.expect("kill runs").success());
        let ended = self.child.wait().expect("our child");
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        assert!(ended.success(), "the node ended with {ended}: {log}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Looks until something is there.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(PATIENCE, found)
        .await
        .unwrap_or_else(|_| panic!("{what}: not within {} s", PATIENCE.as_secs()))
}
