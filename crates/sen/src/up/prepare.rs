//! What happens once for a data folder: a development CA, every node's keys, the signed agreements,
//! the first directory, the sample sign-ins. A later start changes nothing, but for addresses: with
//! another `--port` the hub signs a new directory.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use directory::keyring::Keyring;
use directory::snapshot::{MemberEntry, NodeEntry, ServiceEntry, Snapshot, SystemEntry, TimestampEntry};
use exchange::SignedAgreement;
use kernel::{OrgCode, Time, World};
use seal::authority::{Authority, Profile, Subject};
use seal::key::Identity;

use super::accounts::{self, Sample};
use super::nation::{PLACES, Place, SIMULATORS};

/// Certificates of the development CA are good for this long, in days.
const DAYS: i64 = 3_650;
/// The mark that a folder is prepared; written last, so that half a preparation is begun again.
const MARK: &str = "prepared";

/// Paths within a data folder.
#[derive(Clone, Debug)]
pub struct Layout(PathBuf);

impl Layout {
    /// The layout of a folder.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self(data.to_owned())
    }

    /// The folder of a node.
    #[must_use]
    pub fn node(&self, place: Place) -> PathBuf {
        self.0.join(place.id())
    }

    /// The development CA's certificate, for `sen verify --trust`.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    /// The development CA's key.
    #[must_use]
    pub(crate) fn ca_key(&self) -> PathBuf {
        self.0.join("ca.key")
    }

    /// The hub's certificate, which every node trusts for the directory.
    #[must_use]
    pub fn hub(&self) -> PathBuf {
        self.0.join("hub.pem")
    }

    /// The timestamp simulator's certificate.
    #[must_use]
    pub fn tsa(&self) -> PathBuf {
        self.0.join("tsa.pem")
    }

    /// The nation's own id: twelve hex digits, so that several nations can share a database server.
    ///
    /// # Errors
    /// When the folder is not prepared.
    pub fn id(&self) -> anyhow::Result<String> {
        fs::read_to_string(self.0.join(MARK)).with_context(|| format!("{} is not prepared", self.0.display()))
    }

    /// The schema of a node on a PostgreSQL server.
    ///
    /// # Errors
    /// When the folder is not prepared.
    pub fn schema(&self, place: Place) -> anyhow::Result<String> {
        Ok(format!("sen_{}_{}", self.id()?, place.id()))
    }

    /// The identity provider's signing key.
    #[must_use]
    pub fn oidc_key(&self) -> PathBuf {
        self.node(Place::Ministry).join("oidc.pem")
    }

    /// What the simulators keep.
    #[must_use]
    pub fn simulators(&self) -> PathBuf {
        self.0.join("simulators")
    }

    /// The timestamp simulator's keys.
    #[must_use]
    pub fn tsa_keys(&self) -> PathBuf {
        self.0.join("simulators").join("tsa")
    }
}

/// Prepares a data folder if it is not, and brings the directory's addresses in line with the port.
///
/// # Errors
/// When the folder cannot be written, or holds something else: the message says what to do.
pub fn prepare(data: &Path, pack: &Path, port: u16, world: &World) -> anyhow::Result<()> {
    let layout = Layout::of(data);
    private_folder(data).with_context(|| {
        format!(
            "cannot write to {}: choose another folder with --data, or give this user the right to write",
            data.display()
        )
    })?;
    if !data.join(MARK).exists() {
        let strangers = fs::read_dir(data)?.filter_map(Result::ok).any(|f| {
            let name = f.file_name();
            ![
                "ca.pem",
                "ca.key",
                "hub.pem",
                "tsa.pem",
                "simulators",
                accounts::FILE,
            ]
            .iter()
            .any(|k| name == *k)
                && Place::parse(&name.to_string_lossy()).is_none()
        });
        if strangers {
            bail!(
                "{} holds files that are not Sen's: choose an empty folder with --data",
                data.display()
            );
        }
        make(&layout, pack, port, world)?;
        let id = world.id();
        write(&data.join(MARK), id.get(20..).unwrap_or(&id).as_bytes(), 0o600)?;
    }
    super::bank::prepare(&layout, world)?;
    super::messages::prepare(&layout, world)?;
    addresses(&layout, port, world)
}

/// The development nation's authority and everything it issues.
struct Issuer<'w> {
    authority: Authority,
    world: &'w World,
    from: Time,
}

impl Issuer<'_> {
    fn issue(&self, profile: Profile, name: &str, org: Option<&OrgCode>) -> anyhow::Result<Identity> {
        let subject = Subject {
            common_name: name.to_owned(),
            organisation: org.map(ToString::to_string),
            position: None,
        };
        Ok(self
            .authority
            .issue(profile, &subject, self.from, DAYS, self.world.random::<16>())?)
    }
}

fn make(layout: &Layout, pack: &Path, port: u16, world: &World) -> anyhow::Result<()> {
    // A day back, so that a neighbour whose clock is a little behind finds the certificates good.
    let from = world.now().plus_ms(-86_400_000);
    let authority = Authority::new("Sen Development CA", from)?;
    write(&layout.ca(), authority.certificate().pem().as_bytes(), 0o644)?;
    write(&layout.ca_key(), authority.key_pem().as_bytes(), 0o600)?;
    let issuer = Issuer {
        authority,
        world,
        from,
    };
    let names = organisation_names(pack)?;
    let samples = accounts::make(world, "Người mẹ (mẫu)");
    let mut rings = BTreeMap::new();
    for place in PLACES {
        let ring = keyring(&issuer, place, &names, &samples)?;
        private_folder(&layout.node(place))?;
        ring.write_folder(&layout.node(place).join("keys"))?;
        rings.insert(place, ring);
    }
    write(
        &layout.oidc_key(),
        seal::key::SigningKey::generate().to_pkcs8_pem().as_bytes(),
        0o600,
    )?;
    let tsa = issuer.issue(Profile::TimestampAuthority, "Sen Timestamp Simulator", None)?;
    write(&layout.tsa(), tsa.certificate.pem().as_bytes(), 0o644)?;
    let tsa_ring = Keyring {
        node: tsa.clone(),
        seals: BTreeMap::new(),
        signers: BTreeMap::new(),
    };
    private_folder(&layout.0.join("simulators"))?;
    tsa_ring.write_folder(&layout.tsa_keys())?;
    sign_agreements(layout, pack, &rings, world)?;
    let hub = &rings[&Place::National].seals[&Place::National.tenants()[0]];
    write(&layout.hub(), hub.chain_pem().as_bytes(), 0o644)?;
    let snapshot = snapshot(&issuer.authority, &rings, &tsa, &names, port, world);
    publish(layout, &snapshot, hub)?;
    write(
        &layout.0.join(accounts::FILE),
        &serde_json::to_vec_pretty(&samples)?,
        0o600,
    )
}

fn keyring(
    issuer: &Issuer<'_>,
    place: Place,
    names: &BTreeMap<OrgCode, String>,
    samples: &[Sample],
) -> anyhow::Result<Keyring> {
    let hosts = vec![
        place.id().to_owned(),
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
    ];
    let node = issuer.issue(Profile::Node { names: hosts }, place.id(), None)?;
    let mut seals = BTreeMap::new();
    for org in place.tenants() {
        seals.insert(
            org.clone(),
            issuer.issue(Profile::OrganisationSeal, &names[&org], Some(&org))?,
        );
    }
    let mut signers = BTreeMap::new();
    for s in samples
        .iter()
        .filter(|s| s.node == place.id() && ["chairman", "deputy-chairman"].contains(&s.role.as_str()))
    {
        signers.insert(
            s.id.clone(),
            issuer.issue(Profile::PersonalSignature, &s.name, place.tenants().first())?,
        );
    }
    Ok(Keyring { node, seals, signers })
}

/// The names of the nation's organisations, from the pack.
fn organisation_names(pack: &Path) -> anyhow::Result<BTreeMap<OrgCode, String>> {
    let areas = directory::Areas::load(pack)?;
    let organisations = directory::Organisations::load(pack, &areas)?;
    let today = kernel::time::civil_date(2025, 7, 1).context("a day")?;
    PLACES
        .iter()
        .flat_map(|p| p.tenants())
        .map(|org| {
            let name = organisations.get(&org, today).map(|o| o.name.to_string());
            Ok((
                org.clone(),
                name.with_context(|| format!("the pack has no organisation {org}"))?,
            ))
        })
        .collect()
}

/// Both parties sign what the pack says they agreed; each node that hosts a party gets a copy.
fn sign_agreements(
    layout: &Layout,
    pack: &Path,
    rings: &BTreeMap<Place, Keyring>,
    world: &World,
) -> anyhow::Result<()> {
    let home = |org: &OrgCode| PLACES.into_iter().find(|p| p.tenants().contains(&org.top()));
    for agreement in exchange::pack::agreements(pack)? {
        let parties = [agreement.provider.clone(), agreement.consumer.org.clone()];
        let mut words = Vec::new();
        for org in &parties {
            let place = home(org)
                .with_context(|| format!("the agreement {} names {org}, which has no node", agreement.id))?;
            words.push((
                place,
                agreement.accept(org, world.now(), &rings[&place].seals[&org.top()].key),
            ));
        }
        let signed = SignedAgreement {
            provider_acceptance: words[0].1.clone(),
            consumer_acceptance: words[1].1.clone(),
            agreement,
        };
        let name = format!("{}.json", signed.agreement.hash());
        for (place, _) in &words {
            let folder = layout.node(*place).join("agreements");
            private_folder(&folder)?;
            write(&folder.join(&name), &serde_json::to_vec_pretty(&signed)?, 0o600)?;
        }
    }
    Ok(())
}

fn snapshot(
    authority: &Authority,
    rings: &BTreeMap<Place, Keyring>,
    tsa: &Identity,
    names: &BTreeMap<OrgCode, String>,
    port: u16,
    world: &World,
) -> Snapshot {
    let hub = Place::National.tenants().remove(0);
    let mut s = Snapshot {
        serial: 1,
        issued: world.now(),
        ..Snapshot::empty(hub)
    };
    for (place, ring) in rings {
        s.nodes.push(NodeEntry {
            id: place.id().to_owned(),
            peer: peer_address(*place, port),
            certificate: ring.node.certificate.thumbprint(),
        });
        s.note_issued(&ring.node.certificate, &ring.node.chain);
        s.members.extend(ring.seals.iter().map(|(org, seal)| MemberEntry {
            org: org.clone(),
            name: names[org].clone(),
            node: place.id().to_owned(),
            certificate_pem: seal.certificate.pem(),
        }));
        for (org, system, services) in place.systems() {
            let org: OrgCode = org.parse().expect("a code of the sample nation");
            s.systems.push(SystemEntry {
                org: org.clone(),
                code: (*system).to_owned(),
                name: (*system).to_owned(),
            });
            s.services.extend(services.iter().map(|code| ServiceEntry {
                org: org.clone(),
                system: (*system).to_owned(),
                code: (*code).to_owned(),
                title: (*code).to_owned(),
            }));
        }
    }
    s.anchors.push(authority.certificate().pem());
    s.timestamp_authorities.push(TimestampEntry {
        url: tsa_url(port),
        certificate_pem: tsa.certificate.pem(),
    });
    s
}

pub(super) fn peer_address(place: Place, port: u16) -> String {
    format!("127.0.0.1:{}", place.ports(port).peer)
}

fn tsa_url(port: u16) -> String {
    format!("http://127.0.0.1:{}/", port + SIMULATORS)
}

/// Signs a new directory when the addresses changed; keeps serial and content otherwise.
fn addresses(layout: &Layout, port: u16, world: &World) -> anyhow::Result<()> {
    let file = layout.node(Place::National).join("directory.jws");
    let hub_certificate = seal::certificate::Certificate::from_pem(&fs::read_to_string(layout.hub())?)?;
    let token = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let old = directory::snapshot::read(&token, &hub_certificate).map_err(|e| {
        anyhow::anyhow!(
            "{} is damaged ({e}): restore it from a backup, or start anew with --fresh",
            file.display()
        )
    })?;
    let mut new = old.clone();
    for node in &mut new.nodes {
        if let Some(place) = Place::parse(&node.id) {
            node.peer = peer_address(place, port);
        }
    }
    for authority in &mut new.timestamp_authorities {
        authority.url = tsa_url(port);
    }
    if new == old {
        return Ok(());
    }
    new.serial += 1;
    new.issued = world.now();
    let ring = Keyring::read_folder(&layout.node(Place::National).join("keys"))?;
    publish(layout, &new, &ring.seals[&new.hub])
}

/// Signs a directory and gives it to every node of the folder.
pub(crate) fn publish(layout: &Layout, snapshot: &Snapshot, hub: &Identity) -> anyhow::Result<()> {
    let token = snapshot
        .sign(hub)
        .map_err(|e| anyhow::anyhow!("the directory is unsound: {e}"))?;
    for place in PLACES {
        write(&layout.node(place).join("directory.jws"), token.as_bytes(), 0o600)?;
    }
    Ok(())
}

pub(crate) fn private_folder(path: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    Ok(())
}

/// Writes a whole file or none: beside it first, then in its place.
pub(crate) fn write(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    use std::io::Write as _;
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    let mut file = options
        .open(&beside)
        .with_context(|| format!("cannot write {}", beside.display()))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path).with_context(|| format!("cannot write {}", path.display()))
}
