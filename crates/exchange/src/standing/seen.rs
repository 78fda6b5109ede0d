//! Everything an operator looks at first, each with its light. Reads what the node has; asks nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use directory::instances::Followed;
use kernel::{Digest, OrgCode, Problem, Time};
use seal::certificate::Certificate;
use serde::Serialize;
use utoipa::ToSchema;

use super::attempt::Target;
use super::authorities::StandingAuthority;
use super::clocks::Clock;
use super::machine::{StandingBackup, StandingDatabase, StandingMemory, StandingOutbox};
use super::samples::StandingSample;
use crate::breaker::{Failure, State as Circuit};
use crate::circuits::Hop;
use crate::envelope::{self, Evidence};
use crate::gateway::{Exchange, STREAM};
use crate::ids::ServiceId;
use crate::life;
use crate::timestamping;

const DAY_MS: i64 = 86_400_000;
/// A certificate or an agreement that ends within this many days is told beforehand.
const SOON_DAYS: i64 = 30;
/// A certificate that ends within this many days needs somebody now.
const NOW_DAYS: i64 = 7;
/// Records may wait so long for their timestamp before a light turns, in milliseconds: ten minutes, and
/// four hours, after which other platforms stop all traffic.
const STAMP_MS: [i64; 2] = [600_000, 4 * 3_600_000];
/// Less room than this is little, in bytes; and less than a twentieth of the disk.
const ROOM_BYTES_MIN: u64 = 1 << 30;

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Light {
    /// As it should be.
    Good,
    /// Somebody should look at it.
    Amber,
    /// Somebody has to act, or something is refused already.
    Red,
}

impl Light {
    /// Its key.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Amber => "amber",
            Self::Red => "red",
        }
    }

    /// Amber from the first bound on, red from the second.
    pub(super) fn above(value: i64, [amber, red]: [i64; 2]) -> Self {
        match value {
            _ if value > red => Self::Red,
            _ if value > amber => Self::Amber,
            _ => Self::Good,
        }
    }
}

/// The maintenance in which the node is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingMaintenance {
    /// What callers are told.
    pub(crate) notice: String,
    /// When it began, milliseconds since 1970.
    pub(crate) since: i64,
    /// The first instant behind it, milliseconds since 1970; none until it is taken back.
    pub(crate) until: Option<i64>,
}

/// The directory this node holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingDirectory {
    pub(crate) serial: u64,
    /// When the hub published it, milliseconds since 1970.
    pub(crate) issued: i64,
    /// How long ago the hub last confirmed it, in milliseconds; 0 at the hub itself.
    pub(crate) age_ms: i64,
    /// True at the node that publishes it.
    pub(crate) is_hub: bool,
    pub(crate) members: usize,
    pub(crate) nodes: usize,
    pub(crate) light: Light,
}

/// The directory of another instance that is trusted, as this node holds it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingInstance {
    /// `LA`.
    pub(crate) instance: String,
    /// 0 when nothing was heard of it yet.
    pub(crate) serial: u64,
    /// How long ago its hub last confirmed it, in milliseconds; none before the first.
    pub(crate) age_ms: Option<i64>,
    pub(crate) members: usize,
    pub(crate) light: Light,
}

/// A certificate with an end.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingCertificate {
    /// `node`, `seal`, `client`, `anchor` or `authority`.
    pub(crate) what: &'static str,
    /// Whose: the node's id, an organisation, a system, or the certificate's own name.
    pub(crate) whose: String,
    /// Milliseconds since 1970.
    pub(crate) valid_to: i64,
    /// Whole days until then; negative when it is over.
    pub(crate) days: i64,
    pub(crate) light: Light,
}

/// How far timestamps are behind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingStamps {
    /// Authorities in the directory, count.
    pub(crate) authorities: usize,
    /// Records without a timestamp yet, count.
    pub(crate) waiting: u64,
    /// How long the oldest of them waits, in milliseconds.
    pub(crate) lag_ms: i64,
    pub(crate) light: Light,
}

/// Another node's clock.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingClock {
    pub(crate) node: String,
    /// Ahead of ours by, in milliseconds; behind when negative. None: nothing was exchanged since the start.
    pub(crate) ahead_ms: Option<i64>,
    /// By how much that may be wrong, in milliseconds.
    pub(crate) within_ms: Option<i64>,
    /// When it was read, milliseconds since 1970.
    pub(crate) read_at: Option<i64>,
    /// How far it may be off before messages are refused, in milliseconds.
    pub(crate) allowed_ms: i64,
    pub(crate) light: Light,
}

/// A party that fails just now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingCircuit {
    /// `node` or `service`.
    pub(crate) hop: &'static str,
    pub(crate) name: String,
    pub(crate) address: String,
    /// `closed`, `half-open` or `open`.
    pub(crate) state: &'static str,
    /// Failures since the last answer, count.
    pub(crate) failures: u32,
    /// Since when it is open, milliseconds since 1970.
    pub(crate) since: Option<i64>,
    /// How the last call went wrong: `silent` or `failed`.
    pub(crate) why: &'static str,
    pub(crate) light: Light,
}

/// What is used of a quota.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingQuota {
    /// The agreement's hash.
    pub(crate) agreement: String,
    /// The parties' number of it.
    pub(crate) number: String,
    pub(crate) consumer: String,
    pub(crate) service: String,
    /// `day` or `month`.
    pub(crate) per: &'static str,
    pub(crate) used: u32,
    pub(crate) max: u32,
    /// When it begins anew, milliseconds since 1970.
    pub(crate) frees: i64,
    pub(crate) light: Light,
}

/// Room for evidence.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingRoom {
    /// Records of the evidence log, count.
    pub(crate) records: u64,
    /// Its files, in bytes; none where it stands in rows.
    pub(crate) log_bytes: Option<u64>,
    /// Free on the disk, in bytes.
    pub(crate) free_bytes: Option<u64>,
    /// The disk, in bytes.
    pub(crate) disk_bytes: Option<u64>,
    pub(crate) light: Light,
}

/// An agreement that somebody has to do something about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingAgreement {
    /// Its hash, or the request's name.
    pub(crate) name: String,
    /// The parties' number.
    pub(crate) number: String,
    pub(crate) provider: String,
    pub(crate) consumer: String,
    /// `requested`, `offered`, `in-force` or `suspended`.
    pub(crate) state: &'static str,
    /// By when the answer is owed, or when it ends; milliseconds since 1970.
    pub(crate) by: Option<i64>,
    pub(crate) light: Light,
}

/// How the node stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingSeen {
    pub(crate) node: String,
    /// By this node's clock, milliseconds since 1970.
    pub(crate) at: i64,
    /// The worst of all lights.
    pub(crate) light: Light,
    /// Why no call is made or answered now; none when they are.
    pub(crate) maintenance: Option<StandingMaintenance>,
    pub(crate) directory: StandingDirectory,
    /// The directories of the other instances that are trusted, by their names.
    pub(crate) instances: Vec<StandingInstance>,
    /// What authorities have revoked, for each that has an address of a list.
    pub(crate) authorities: Vec<StandingAuthority>,
    /// Those that end first, first.
    pub(crate) certificates: Vec<StandingCertificate>,
    pub(crate) timestamps: StandingStamps,
    pub(crate) clocks: Vec<StandingClock>,
    /// Who fails just now; all others answer.
    pub(crate) circuits: Vec<StandingCircuit>,
    /// The most used first.
    pub(crate) quotas: Vec<StandingQuota>,
    pub(crate) room: StandingRoom,
    pub(crate) database: StandingDatabase,
    /// What waits to be delivered to other nodes.
    pub(crate) outbox: StandingOutbox,
    pub(crate) memory: StandingMemory,
    /// When a backup was taken and the logs were checked.
    pub(crate) backups: Vec<StandingBackup>,
    /// Agreements that wait for a word of this node's organisations; the most urgent first.
    pub(crate) waiting: Vec<StandingAgreement>,
    /// Agreements in force that end within thirty days.
    pub(crate) ending: Vec<StandingAgreement>,
    /// Timestamps and directory over the last day, every five minutes, the oldest first.
    pub(crate) samples: Vec<StandingSample>,
    /// To whom the way can be tried: `node/ID`, `hub`, `authority/N`.
    pub(crate) ways: Vec<String>,
}

impl Exchange {
    /// How the node stands; of agreements, quotas and certificates those of one organisation, when one is named.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn standing(&self, own: Option<&OrgCode>) -> Result<StandingSeen, Problem> {
        let g = &*self.0;
        let now = g.now();
        let snapshot = g.directory.snapshot();
        let (waiting, ending) = self.agreements_to_see(own, now).await?;
        let mut ways: Vec<String> = vec![Target::Hub.key()];
        let others = snapshot.nodes.iter().filter(|node| node.id != g.node);
        ways.extend(others.map(|node| Target::Node(node.id.clone()).key()));
        ways.extend((0..snapshot.timestamp_authorities.len()).map(|place| Target::Authority(place).key()));
        ways.extend(self.services_called(own));
        let machine = self.machine_seen(now).await?;
        let mut seen = StandingSeen {
            node: g.node.clone(),
            at: now.ms(),
            light: Light::Good,
            maintenance: self.maintenance().map(|m| StandingMaintenance {
                notice: m.notice,
                since: m.since.ms(),
                until: m.until.map(Time::ms),
            }),
            directory: self.directory_seen(now),
            instances: self.instances_seen(now),
            authorities: self.authorities_seen(now),
            certificates: self.certificates_seen(own, now).await?,
            timestamps: self.stamps_seen(now).await?,
            clocks: self.clocks_seen(),
            circuits: self.circuits_seen(own),
            quotas: self.quotas_seen(own, now),
            room: self.room_seen().await,
            database: machine.database,
            outbox: machine.outbox,
            memory: machine.memory,
            backups: machine.backups,
            waiting,
            ending,
            samples: g.samples.all(),
            ways,
        };
        let closed = seen.maintenance.as_ref().map(|_| Light::Amber);
        let node = [seen.directory.light, seen.timestamps.light, seen.room.light];
        let machine = [seen.database.light, seen.outbox.light, seen.memory.light];
        let worst = node
            .into_iter()
            .chain(machine)
            .chain(seen.backups.iter().map(|b| b.light))
            .chain(closed)
            .chain(seen.instances.iter().map(|i| i.light))
            .chain(seen.authorities.iter().map(|a| a.light))
            .chain(seen.certificates.iter().map(|c| c.light))
            .chain(seen.clocks.iter().map(|c| c.light))
            .chain(seen.circuits.iter().map(|c| c.light))
            .chain(seen.quotas.iter().map(|q| q.light))
            .chain(seen.waiting.iter().chain(&seen.ending).map(|a| a.light))
            .max();
        seen.light = worst.unwrap_or(Light::Good);
        Ok(seen)
    }

    /// The services that systems of this node call under agreements, as whole ways that can be tried.
    fn services_called(&self, own: Option<&OrgCode>) -> Vec<String> {
        let g = &*self.0;
        let called = |(_, agreement, revoked): (Digest, Arc<crate::Agreement>, bool)| {
            let org = &agreement.consumer.org;
            let is_own = g.voice(org).is_some() && own.is_none_or(|own| org.top() == *own);
            (is_own && !revoked).then(|| agreement.service.clone())
        };
        let services: BTreeSet<ServiceId> = g.agreements.list().into_iter().filter_map(called).collect();
        let some = services.into_iter().take(g.store.limits().page_rows_max);
        some.map(|service| format!("service/{service}")).collect()
    }

    pub(super) fn directory_seen(&self, now: Time) -> StandingDirectory {
        let g = &*self.0;
        let snapshot = g.directory.snapshot();
        // The hub asks nobody; a directory without anybody was never published.
        let is_hub = g.keyring.seals.contains_key(&snapshot.hub);
        let age_ms = if is_hub { 0 } else { g.directory.age(now).max(0) };
        StandingDirectory {
            serial: snapshot.serial,
            issued: snapshot.issued.ms(),
            age_ms,
            is_hub,
            members: snapshot.members.len(),
            nodes: snapshot.nodes.len(),
            light: if snapshot.serial == 0 {
                Light::Red
            } else {
                Light::above(age_ms, [g.store.limits().directory_age_ms_max, i64::MAX])
            },
        }
    }

    fn instances_seen(&self, now: Time) -> Vec<StandingInstance> {
        let g = &*self.0;
        let age_ms_max = g.store.limits().directory_age_ms_max;
        let seen = |other: &Arc<Followed>| {
            let snapshot = other.directory.snapshot();
            let age_ms = other.age(now);
            StandingInstance {
                instance: other.entry.instance.clone(),
                serial: snapshot.serial,
                age_ms,
                members: snapshot.members.len(),
                light: age_ms.map_or(Light::Amber, |age_ms| {
                    Light::above(age_ms, [age_ms_max, i64::MAX])
                }),
            }
        };
        g.directory.others().iter().map(seen).collect()
    }

    async fn certificates_seen(
        &self,
        own: Option<&OrgCode>,
        now: Time,
    ) -> Result<Vec<StandingCertificate>, Problem> {
        let g = &*self.0;
        let is_seen = |org: &OrgCode| own.is_none_or(|own| org.top() == *own);
        let of = |what, whose: String, valid_to: Time| {
            let days = (valid_to.ms() - now.ms()).div_euclid(DAY_MS);
            let light = match days {
                ..NOW_DAYS => Light::Red,
                NOW_DAYS..SOON_DAYS => Light::Amber,
                _ => Light::Good,
            };
            StandingCertificate {
                what,
                whose,
                valid_to: valid_to.ms(),
                days,
                light,
            }
        };
        let mut all = vec![of("node", g.node.clone(), g.keyring.node.certificate.not_after())];
        for (org, seal) in g.keyring.seals.iter().filter(|(org, _)| is_seen(org)) {
            all.push(of("seal", org.to_string(), seal.certificate.not_after()));
        }
        for client in self.client_certificates().await? {
            if is_seen(&client.system.org) {
                all.push(of("client", client.system.to_string(), client.valid_to));
            }
        }
        let snapshot = g.directory.snapshot();
        let anchors = snapshot.anchors.iter().map(|pem| ("anchor", pem));
        let authorities = snapshot.timestamp_authorities.iter();
        let authorities = authorities.map(|authority| ("authority", &authority.certificate_pem));
        for (what, pem) in anchors.chain(authorities) {
            if let Ok(certificate) = Certificate::from_pem(pem) {
                all.push(of(what, certificate.common_name(), certificate.not_after()));
            }
        }
        all.sort_by_key(|certificate| certificate.valid_to);
        Ok(all)
    }

    pub(super) async fn stamps_seen(&self, now: Time) -> Result<StandingStamps, Problem> {
        let g = &*self.0;
        let stamped = timestamping::stamped(&g.store.read(&g.home).await?).await?;
        let oldest = g.evidence.read(stamped, 1).await?;
        let lag_ms = match oldest.first() {
            Some((_, bytes)) => {
                let record: Evidence = envelope::read(bytes)?;
                (now.ms() - record.ended).max(0)
            }
            None => 0,
        };
        let authorities = g.directory.snapshot().timestamp_authorities.len();
        Ok(StandingStamps {
            authorities,
            waiting: g.evidence.len().await.saturating_sub(stamped),
            lag_ms,
            light: if authorities == 0 {
                Light::Amber
            } else {
                Light::above(lag_ms, STAMP_MS)
            },
        })
    }

    fn clocks_seen(&self) -> Vec<StandingClock> {
        let g = &*self.0;
        let allowed_ms = g.store.limits().clock_skew_ms_max;
        // Of several organisations at one node the most exact reading counts.
        let mut by_node: BTreeMap<String, Clock> = BTreeMap::new();
        for (member, clock) in g.clocks.all() {
            let node = member
                .parse()
                .ok()
                .and_then(|org: OrgCode| g.directory.node_of(&org));
            let Some(node) = node else { continue };
            let best = by_node.entry(node.id).or_insert(clock);
            if clock.within_ms < best.within_ms {
                *best = clock;
            }
        }
        let snapshot = g.directory.snapshot();
        let others = snapshot.nodes.iter().filter(|node| node.id != g.node);
        others
            .map(|node| {
                let clock = by_node.get(&node.id);
                // What may be the reading's own doubt turns no light.
                let off_ms = clock.map_or(0, |c| (c.ahead_ms.abs() - c.within_ms).max(0));
                StandingClock {
                    node: node.id.clone(),
                    ahead_ms: clock.map(|c| c.ahead_ms),
                    within_ms: clock.map(|c| c.within_ms),
                    read_at: clock.map(|c| c.at.ms()),
                    allowed_ms,
                    light: Light::above(off_ms, [allowed_ms / 4, allowed_ms]),
                }
            })
            .collect()
    }

    fn circuits_seen(&self, own: Option<&OrgCode>) -> Vec<StandingCircuit> {
        let is_seen = |circuit: &crate::CircuitSeen| match circuit.hop {
            Hop::Node => true,
            Hop::Service => {
                let org = circuit.name.split('/').next().unwrap_or_default().parse();
                own.is_none_or(|own| org.is_ok_and(|org: OrgCode| org.top() == *own))
            }
        };
        let troubled = self.circuits().into_iter().filter(is_seen);
        troubled
            .map(|c| {
                let (state, light) = match c.state {
                    Circuit::Closed => ("closed", Light::Amber),
                    Circuit::HalfOpen => ("half-open", Light::Amber),
                    Circuit::Open => ("open", Light::Red),
                };
                StandingCircuit {
                    hop: match c.hop {
                        Hop::Node => "node",
                        Hop::Service => "service",
                    },
                    name: c.name,
                    address: c.address,
                    state,
                    failures: c.failures,
                    since: c.since.map(Time::ms),
                    why: match c.why {
                        Failure::Silent => "silent",
                        Failure::Failed => "failed",
                    },
                    light,
                }
            })
            .collect()
    }

    fn quotas_seen(&self, own: Option<&OrgCode>, now: Time) -> Vec<StandingQuota> {
        let g = &*self.0;
        if !g.agreements.has_quotas() {
            return Vec::new();
        }
        let mut all = Vec::new();
        for (hash, agreement, revoked) in g.agreements.list() {
            if revoked || agreement.quota.is_none() || !is_of(own, &agreement) {
                continue;
            }
            for left in g.agreements.quota_left(&hash, now) {
                let used = left.max - left.left.min(left.max);
                let percent = i64::from(used) * 100 / i64::from(left.max.max(1));
                all.push(StandingQuota {
                    agreement: hash.hex(),
                    number: agreement.id.clone(),
                    consumer: agreement.consumer.to_string(),
                    service: agreement.service.to_string(),
                    per: left.per.as_str(),
                    used,
                    max: left.max,
                    frees: left.frees.ms(),
                    light: Light::above(percent, [79, 99]),
                });
            }
        }
        all.sort_by_key(|q| std::cmp::Reverse(u64::from(q.used) * 1_000 / u64::from(q.max.max(1))));
        all.truncate(g.store.limits().page_rows_max);
        all
    }

    async fn room_seen(&self) -> StandingRoom {
        let g = &*self.0;
        let room = g.store.room(STREAM).await;
        let little = match (room.free, room.total) {
            (Some(free), Some(total)) => free < ROOM_BYTES_MIN || free < total / 20,
            _ => false,
        };
        StandingRoom {
            records: g.evidence.len().await,
            log_bytes: room.log,
            free_bytes: room.free,
            disk_bytes: room.total,
            light: if little { Light::Red } else { Light::Good },
        }
    }

    /// What waits for a word of this node's organisations, and what ends soon.
    async fn agreements_to_see(
        &self,
        own: Option<&OrgCode>,
        now: Time,
    ) -> Result<(Vec<StandingAgreement>, Vec<StandingAgreement>), Problem> {
        let (mut waiting, mut ending) = (Vec::new(), Vec::new());
        let soon = now.plus_ms(SOON_DAYS * DAY_MS);
        for known in self.overview().await? {
            if !is_of(own, &known.text) {
                continue;
            }
            let of = |by: Option<Time>, light| StandingAgreement {
                name: known.name.hex(),
                number: known.text.id.clone(),
                provider: known.text.provider.to_string(),
                consumer: known.text.consumer.to_string(),
                state: known.state.as_str(),
                by: by.map(Time::ms),
                light,
            };
            let runs = matches!(known.state, life::State::InForce | life::State::Suspended);
            if crate::operator::waits(self, &known) {
                let due = crate::operator::due(&known);
                let late = due.is_some_and(|due| now > due);
                waiting.push(of(due, if late { Light::Red } else { Light::Amber }));
            } else if runs && known.text.valid_to <= soon {
                ending.push(of(Some(known.text.valid_to), Light::Amber));
            }
        }
        let rows_max = self.0.store.limits().page_rows_max;
        waiting.sort_by_key(|a: &StandingAgreement| a.by.unwrap_or(i64::MAX));
        ending.sort_by_key(|a: &StandingAgreement| a.by);
        waiting.truncate(rows_max);
        ending.truncate(rows_max);
        Ok((waiting, ending))
    }
}

/// Whether an agreement is one of an organisation's, when one is named.
fn is_of(own: Option<&OrgCode>, agreement: &crate::Agreement) -> bool {
    own.is_none_or(|own| agreement.provider.top() == *own || agreement.consumer.org.top() == *own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_light_turns_where_its_bounds_say() {
        for (value, light) in [
            (10, Light::Good),
            (11, Light::Amber),
            (20, Light::Amber),
            (21, Light::Red),
        ] {
            assert_eq!(Light::above(value, [10, 20]), light, "{value}");
        }
        assert!(Light::Red > Light::Amber && Light::Amber > Light::Good);
    }
}
