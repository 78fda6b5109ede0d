//! A directory and a node's agreements of the size of a country, so that a call among many can be
//! measured beside a call among few. All of it is synthetic.

use std::sync::Arc;

use anyhow::Context as _;
use directory::keyring::Keyring;
use directory::snapshot::{MemberEntry, ServiceEntry, SystemEntry};
use exchange::Agreement;
use kernel::{OrgCode, World};
use seal::authority::{Authority, Profile, Subject};
use seal::certificate::Certificate;
use seal::key::Identity;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::up::nation::Place;
use crate::up::node::{Country, Node};
use crate::up::prepare::{self, Layout};

/// The system of every organisation of the crowd.
pub(super) const SYSTEM: &str = "system";
/// Agreements that are signed and adopted at once, count.
const AT_ONCE: usize = 64;

/// How many there are.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// Organisations in the directory, a thousand at most: as many as have a code here.
    pub members: usize,
    /// Services of the ministry in the directory.
    pub services: usize,
    /// Agreements the ministry holds.
    pub agreements: usize,
}

/// Adds a crowd to a prepared folder: the hub signs a larger directory, the ministry adopts agreements.
///
/// # Errors
/// When the folder is not prepared, or more is wanted than there are codes and pairs for.
pub async fn fill(config: &Config, crowd: Crowd, world: &World) -> anyhow::Result<()> {
    let layout = Layout::of(&config.data);
    let members = members(crowd.members, &layout, world)?;
    publish(&layout, (&members, Place::Province), crowd.services, world)?;
    let country = Country::read(&config.pack)?;
    let node = Node::open(Place::Ministry, config, &country, world).await?;
    let ring = Keyring::read_folder(&layout.node(Place::Ministry).join("keys"))?;
    let provider: OrgCode = "G01".parse().map_err(|e| anyhow::anyhow!("{e}"))?;
    let key = Arc::new(ring.seals.get(&provider).context("G01 has a seal")?.key.clone());
    let mut signing = JoinSet::new();
    for at in 0..crowd.agreements {
        let member = members.get(at % members.len()).context("somebody agrees")?;
        // Each pair once: the next service for everybody when all have had one.
        let service = at / members.len();
        anyhow::ensure!(
            service < crowd.services,
            "{} agreements need more members or services",
            crowd.agreements
        );
        let agreement = Agreement {
            id: format!("{at}/TT-crowd"),
            consumer: format!("{}/{SYSTEM}", member.0)
                .parse()
                .map_err(|e| anyhow::anyhow!("{e}"))?,
            service: format!("G01/population/{}", service_code(service))
                .parse()
                .map_err(|e| anyhow::anyhow!("{e}"))?,
            ..super::agreement(world)?
        };
        let (held, world) = (node.exchange().agreements().clone(), world.clone());
        let (own, theirs) = (Arc::clone(&key), member.1.key.clone());
        signing.spawn(async move { held.adopt(super::sign(agreement, &own, &theirs, &world)).await });
        if signing.len() >= AT_ONCE {
            adopted(&mut signing).await?;
        }
    }
    while !signing.is_empty() {
        adopted(&mut signing).await?;
    }
    Ok(())
}

async fn adopted(signing: &mut JoinSet<Result<bool, kernel::Problem>>) -> anyhow::Result<()> {
    let adopted = signing.join_next().await.context("one is under way")??;
    anyhow::ensure!(
        adopted.map_err(|e| anyhow::anyhow!("{e}"))?,
        "an agreement was held already"
    );
    Ok(())
}

/// Codes of organisations, none of which is given out today; a thousand at most.
pub(super) fn codes(count: usize) -> impl Iterator<Item = anyhow::Result<OrgCode>> {
    let all = ('K'..='T').flat_map(|letter| (0..100).map(move |number| format!("{letter}{number:02}")));
    all.take(count)
        .map(|code| code.parse().map_err(|e| anyhow::anyhow!("{e}")))
}

/// Organisations with seals of the nation's own authority.
pub(super) fn members(
    count: usize,
    layout: &Layout,
    world: &World,
) -> anyhow::Result<Vec<(OrgCode, Identity)>> {
    let key = std::fs::read_to_string(layout.ca_key())?;
    let authority = Authority::from_pem(&key, &std::fs::read_to_string(layout.ca())?)?;
    let members: Vec<_> = codes(count)
        .map(|org| {
            let org = org?;
            let subject = Subject {
                common_name: format!("Cơ quan giả định {org}"),
                organisation: Some(org.to_string()),
                position: None,
            };
            let from = world.now().plus_ms(-3_600_000);
            let profile = Profile::OrganisationSeal;
            Ok((
                org,
                authority.issue(profile, &subject, from, 30, world.random::<16>())?,
            ))
        })
        .collect::<anyhow::Result<_>>()?;
    anyhow::ensure!(members.len() == count, "there are codes for 1,000 members");
    Ok(members)
}

fn service_code(number: usize) -> String {
    format!("crowd-{number}")
}

/// Signs a directory with members of one node in it, and services of the ministry.
pub(super) fn publish(
    layout: &Layout,
    (members, place): (&[(OrgCode, Identity)], Place),
    services: usize,
    world: &World,
) -> anyhow::Result<()> {
    let hub = Certificate::from_pem(&std::fs::read_to_string(layout.hub())?)?;
    let token = std::fs::read_to_string(layout.node(Place::National).join("directory.jws"))?;
    let mut snapshot = directory::snapshot::read(&token, &hub).map_err(|e| anyhow::anyhow!("{e}"))?;
    for (org, seal) in members {
        snapshot.members.push(MemberEntry {
            org: org.clone(),
            name: seal.certificate.common_name(),
            node: place.id().to_owned(),
            certificate_pem: seal.certificate.pem(),
        });
        snapshot.systems.push(SystemEntry {
            org: org.clone(),
            code: SYSTEM.to_owned(),
            name: SYSTEM.to_owned(),
        });
    }
    let provider: OrgCode = "G01".parse().map_err(|e| anyhow::anyhow!("{e}"))?;
    snapshot.services.extend((0..services).map(|number| ServiceEntry {
        org: provider.clone(),
        system: "population".to_owned(),
        code: service_code(number),
        title: format!("Dịch vụ giả định {number}"),
    }));
    snapshot.serial += 1;
    snapshot.issued = world.now();
    let ring = Keyring::read_folder(&layout.node(Place::National).join("keys"))?;
    prepare::publish(layout, &snapshot, &ring.seals[&snapshot.hub])
}
