//! How information systems connect, and the certificates with which they do so over mutual TLS, each
//! registered by an operator for one system. Known by its SHA-256 thumbprint alone: who issued it means
//! nothing here. Never says what a system may call: that is in the agreements.

mod connection;
mod store;

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use ::store::Store;
use kernel::{Actor, Digest, Fact, Kind, Problem, Tenant, Time};
use seal::certificate::Certificate;
use web::Peer;

use crate::face::Connection;
use crate::gateway::Exchange;
use crate::ids::SystemId;

/// Certificates of one system, count: an old one, a new one, and some machines.
const CERTIFICATES_MAX: usize = 20;

/// A certificate with which a system connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The system.
    pub system: SystemId,
    /// The SHA-256 of the certificate.
    pub thumbprint: Digest,
    /// Whom it names.
    pub name: String,
    /// From when it holds.
    pub valid_from: Time,
    /// Until when it holds.
    pub valid_to: Time,
    /// When it was registered.
    pub registered_at: Time,
}

/// What every call asks: systems, their certificates, and how each has to connect.
#[derive(Default)]
pub(crate) struct Callers {
    certificates: RwLock<HashMap<SystemId, Vec<Registered>>>,
    /// Only those for which it is not as the node's setting says.
    connections: RwLock<HashMap<SystemId, Connection>>,
}

impl Callers {
    /// Reads what was registered for the tenants.
    pub(crate) async fn open(store: &Store, tenants: &[Tenant]) -> Result<Self, Problem> {
        let mut all: HashMap<SystemId, Vec<Registered>> = HashMap::new();
        let mut connections = HashMap::new();
        for tenant in tenants {
            let reader = store.read(tenant).await?;
            for one in store::all(&reader).await? {
                all.entry(one.system.clone()).or_default().push(one);
            }
            connections.extend(store::connections(&reader).await?);
        }
        Ok(Self {
            certificates: RwLock::new(all),
            connections: RwLock::new(connections),
        })
    }

    fn add(&self, one: Registered) {
        let mut all = self.certificates.write().unwrap_or_else(PoisonError::into_inner);
        let of = all.entry(one.system.clone()).or_default();
        of.retain(|known| known.thumbprint != one.thumbprint);
        of.push(one);
    }

    fn remove(&self, system: &SystemId, thumbprint: &Digest) {
        let mut all = self.certificates.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(of) = all.get_mut(system) {
            of.retain(|known| known.thumbprint != *thumbprint);
        }
    }

    /// Asks whether who is at the other end of a connection may call as a system.
    ///
    /// # Errors
    /// 403 at the certificate: `caller-nameless` without one, `caller-unknown` with one that is not
    /// registered for the system, `caller-expired`.
    pub(crate) fn admit(&self, system: &SystemId, peer: Option<&Peer>, at: Time) -> Result<(), Problem> {
        let shown = peer.and_then(|peer| peer.certificate.as_deref());
        let Some(shown) = shown.map(Digest::of) else {
            return Err(Problem::new(Kind::Forbidden, "caller-nameless").with("system", system));
        };
        let all = self.certificates.read().unwrap_or_else(PoisonError::into_inner);
        let mut known = all.get(system).into_iter().flatten();
        match known.find(|one| one.thumbprint == shown) {
            None => Err(Problem::new(Kind::Forbidden, "caller-unknown").with("system", system)),
            Some(one) if at < one.valid_from || at > one.valid_to => {
                Err(Problem::new(Kind::Forbidden, "caller-expired").with("system", system))
            }
            Some(_) => Ok(()),
        }
    }
}

/// What the facts of a certificate hang on.
fn subject(system: &SystemId) -> String {
    format!("system/{system}")
}

impl Exchange {
    /// The certificates with which systems of this node's organisations connect, by system.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn client_certificates(&self) -> Result<Vec<Registered>, Problem> {
        let mut all = Vec::new();
        for tenant in self.own_tenants() {
            all.extend(store::all(&self.0.store.read(tenant).await?).await?);
        }
        all.sort_by(|a: &Registered, b| (&a.system, a.registered_at).cmp(&(&b.system, b.registered_at)));
        Ok(all)
    }

    /// Registers a certificate (PEM) for a system; it may connect with it from now on.
    ///
    /// # Errors
    /// 422 at `system` or `certificate`: `service-elsewhere`, `caller-certificate`, `caller-over`,
    /// `caller-many`; conflict `already-there`.
    pub async fn register_certificate(
        &self,
        system: &SystemId,
        pem: &str,
        actor: &Actor,
    ) -> Result<Registered, Problem> {
        let Ok((tenant, _)) = self.voice(&system.org) else {
            return Err(self.elsewhere("system"));
        };
        let one = read(system, pem, self.0.now())?;
        let new = &one;
        self.0
            .store
            .write(tenant, actor, |tx| async move {
                if store::count(&tx, &new.system).await? >= CERTIFICATES_MAX as u64 {
                    return Err(Problem::invalid("certificate", "caller-many").with("max", CERTIFICATES_MAX));
                }
                store::insert(&tx, new).await?;
                let fact = Fact::ClientCertificateRegistered {
                    system: new.system.to_string(),
                    thumbprint: new.thumbprint,
                };
                tx.fact(&subject(&new.system), fact).await?;
                Ok(())
            })
            .await?;
        self.0.callers.add(one.clone());
        Ok(one)
    }

    /// Takes a certificate away from a system; the next request with it is refused.
    ///
    /// # Errors
    /// 404 when it is not registered.
    pub async fn remove_certificate(
        &self,
        system: &SystemId,
        thumbprint: &Digest,
        actor: &Actor,
    ) -> Result<(), Problem> {
        let (tenant, _) = self.voice(&system.org).map_err(|_| Problem::not_found())?;
        self.0
            .store
            .write(tenant, actor, |tx| async move {
                if !store::remove(&tx, system, thumbprint).await? {
                    return Err(Problem::not_found());
                }
                let fact = Fact::ClientCertificateRemoved {
                    system: system.to_string(),
                    thumbprint: *thumbprint,
                };
                tx.fact(&subject(system), fact).await?;
                Ok(())
            })
            .await?;
        self.0.callers.remove(system, thumbprint);
        Ok(())
    }
}

/// The one certificate of a PEM text, as it would be registered.
pub(crate) fn read(system: &SystemId, pem: &str, now: Time) -> Result<Registered, Problem> {
    let bad = || Problem::invalid("certificate", "caller-certificate");
    let mut all = Certificate::list_from_pem(pem).map_err(|e| bad().because(e))?;
    let certificate = all.pop().filter(|_| all.is_empty()).ok_or_else(bad)?;
    if certificate.not_after() <= now {
        return Err(Problem::invalid("certificate", "caller-over"));
    }
    Ok(Registered {
        system: system.clone(),
        thumbprint: certificate.thumbprint(),
        name: certificate.common_name(),
        valid_from: certificate.not_before(),
        valid_to: certificate.not_after(),
        registered_at: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use seal::authority::{Profile, Subject};

    const NOW: Time = testkit::START;

    fn certificate(serial: u8) -> Certificate {
        let names = vec!["client".to_owned()];
        let issued = testkit::authority().issue(
            Profile::Node { names },
            &Subject::default(),
            NOW.plus_ms(-1_000),
            30,
            [serial; 16],
        );
        issued.expect("issued").certificate
    }

    fn peer(certificate: Option<&Certificate>) -> Peer {
        Peer {
            addr: "127.0.0.1:1".parse().expect("an address"),
            certificate: certificate.map(|c| c.der().to_vec()),
            tls: true,
        }
    }

    #[test]
    fn a_system_is_who_shows_its_own_certificate_while_that_holds() {
        let (ours, other) = (certificate(1), certificate(2));
        let system: SystemId = "G22/portal".parse().expect("a system");
        let callers = Callers::default();
        callers.add(read(&system, &ours.pem(), NOW).expect("reads"));
        let told = |as_system: &str, peer: Option<&Peer>, at: Time| {
            let system = as_system.parse().expect("a system");
            callers.admit(&system, peer, at).map_err(|p| p.code)
        };
        let (mine, another) = (peer(Some(&ours)), peer(Some(&other)));
        assert_eq!(told("G22/portal", Some(&mine), NOW), Ok(()));
        assert_eq!(told("G22/other", Some(&mine), NOW), Err("caller-unknown"));
        assert_eq!(told("G22/portal", Some(&another), NOW), Err("caller-unknown"));
        assert_eq!(told("G22/portal", Some(&peer(None)), NOW), Err("caller-nameless"));
        assert_eq!(told("G22/portal", None, NOW), Err("caller-nameless"));
        let later = ours.not_after().plus_ms(1);
        assert_eq!(told("G22/portal", Some(&mine), later), Err("caller-expired"));
        callers.remove(&system, &ours.thumbprint());
        assert_eq!(told("G22/portal", Some(&mine), NOW), Err("caller-unknown"));
    }

    #[test]
    fn what_is_registered_is_one_certificate_that_holds() {
        let (one, two) = (certificate(1), certificate(2));
        let system = "G22/portal".parse().expect("a system");
        let refused = |pem: &str, at| read(&system, pem, at).expect_err("refused").code;
        for bad in [
            "",
            "x",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            assert_eq!(refused(bad, NOW), "caller-certificate", "{bad}");
        }
        let both = format!("{}{}", one.pem(), two.pem());
        assert_eq!(refused(&both, NOW), "caller-certificate");
        assert_eq!(refused(&one.pem(), one.not_after()), "caller-over");
        assert_eq!(
            read(&system, &one.pem(), NOW).expect("good").thumbprint,
            one.thumbprint()
        );
    }
}
