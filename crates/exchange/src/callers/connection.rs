//! How a system has to connect, where that is not as the node's setting says. Never opens a listener: a
//! node whose listener is plain HTTP takes no call of a system that has to come by HTTPS.

use std::sync::PoisonError;

use kernel::{Actor, Fact, Kind, Problem, Time};
use web::Peer;

use super::{Callers, store, subject};
use crate::face::Connection;
use crate::gateway::Exchange;
use crate::ids::SystemId;

impl Connection {
    /// As rows, forms and facts call it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Mutual => "mutual",
        }
    }

    /// Reads what [`Connection::as_str`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all = [Self::Http, Self::Https, Self::Mutual];
        all.into_iter().find(|one| one.as_str() == text)
    }
}

impl Callers {
    /// How a system has to connect; none where it is as the node's setting says.
    pub(crate) fn connection_of(&self, system: &SystemId) -> Option<Connection> {
        let set = self.connections.read().unwrap_or_else(PoisonError::into_inner);
        set.get(system).copied()
    }

    fn connect(&self, system: &SystemId, connection: Option<Connection>) {
        let mut set = self.connections.write().unwrap_or_else(PoisonError::into_inner);
        match connection {
            Some(connection) => set.insert(system.clone(), connection),
            None => set.remove(system),
        };
    }

    /// Refuses a system that has to show a certificate and has none that holds: it could not come at all.
    ///
    /// # Errors
    /// 403 `way-nameless`.
    pub(crate) fn could_connect(&self, system: &SystemId, at: Time) -> Result<(), Problem> {
        if self.connection_of(system) != Some(Connection::Mutual) {
            return Ok(());
        }
        let all = self.certificates.read().unwrap_or_else(PoisonError::into_inner);
        let mut own = all.get(system).into_iter().flatten();
        if own.any(|one| one.valid_from <= at && at <= one.valid_to) {
            return Ok(());
        }
        Err(Problem::new(Kind::Forbidden, "way-nameless").with("system", system))
    }

    /// Asks whether who is at the other end may call as a system: by how that system has to connect, else
    /// by the node's setting. What is safer than asked for is taken too.
    ///
    /// # Errors
    /// 403 `caller-plain` for plain HTTP where that is not enough; as [`Callers::admit`].
    pub(crate) fn may_connect(
        &self,
        system: &SystemId,
        by_node: Connection,
        peer: Option<&Peer>,
        at: Time,
    ) -> Result<(), Problem> {
        match (self.connection_of(system), by_node) {
            (Some(Connection::Http), _) | (None, Connection::Http | Connection::Https) => Ok(()),
            (None, Connection::Mutual) => self.admit(system, peer, at),
            (Some(wanted), _) => {
                if !peer.is_some_and(|peer| peer.tls) {
                    return Err(Problem::new(Kind::Forbidden, "caller-plain").with("system", system));
                }
                if wanted == Connection::Mutual {
                    return self.admit(system, peer, at);
                }
                Ok(())
            }
        }
    }
}

impl Exchange {
    /// How systems have to connect, by system: those for which it is not as the node's setting says.
    #[must_use]
    pub fn connections(&self) -> Vec<(SystemId, Connection)> {
        let set = &self.0.callers.connections;
        let set = set.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = set.iter().map(|(system, one)| (system.clone(), *one)).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    /// Says how a system has to connect from its next request on; none for as the node's setting says.
    ///
    /// # Errors
    /// 422 at `system`: `service-elsewhere`, `caller-system` for one that the directory does not name;
    /// conflict `stale` when it is so already.
    pub async fn set_connection(
        &self,
        system: &SystemId,
        connection: Option<Connection>,
        actor: &Actor,
    ) -> Result<(), Problem> {
        self.may_set_connection(system, connection)?;
        let (tenant, _) = self.voice(&system.org)?;
        self.0
            .store
            .write(tenant, actor, |tx| async move {
                if store::connection(&tx, system).await? == connection {
                    return Err(Problem::new(Kind::Conflict, "caller-connection-so").with("system", system));
                }
                store::set_connection(&tx, system, connection).await?;
                let said = connection.map_or("node", Connection::as_str);
                let fact = Fact::ClientConnectionSet {
                    system: system.to_string(),
                    connection: said.to_owned(),
                };
                tx.fact(&subject(system), fact).await.map(drop)
            })
            .await?;
        self.0.callers.connect(system, connection);
        Ok(())
    }

    /// Refuses what [`Exchange::set_connection`] would.
    pub(crate) fn may_set_connection(
        &self,
        system: &SystemId,
        connection: Option<Connection>,
    ) -> Result<(), Problem> {
        if self.voice(&system.org).is_err() {
            return Err(self.elsewhere("system"));
        }
        let known = self
            .0
            .directory
            .snapshot()
            .system(&system.org, &system.system)
            .is_some();
        if connection.is_some() && !known {
            return Err(Problem::invalid("system", "caller-system").with("system", system));
        }
        Ok(())
    }

    /// What is not of an organisation of this node.
    pub(super) fn elsewhere(&self, field: &str) -> Problem {
        let ours: Vec<String> = self.own_tenants().map(ToString::to_string).collect();
        Problem::invalid(field, "service-elsewhere").with("ours", ours.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::Connection::{Http, Https, Mutual};
    use super::*;

    #[test]
    fn a_system_connects_as_it_is_said_of_it_or_better_and_else_as_the_node_says() {
        let callers = Callers::default();
        let system: SystemId = "G22/portal".parse().expect("a system");
        let peer = |tls| Peer {
            addr: "127.0.0.1:1".parse().expect("an address"),
            certificate: None,
            tls,
        };
        let (plain, secure) = (peer(false), peer(true));
        let told = |by_node, peer| {
            let done = callers.may_connect(&system, by_node, Some(peer), Time(0));
            done.map_err(|p| p.code)
        };
        assert_eq!(told(Http, &plain), Ok(()));
        assert_eq!(told(Mutual, &secure), Err("caller-nameless"));
        callers.connect(&system, Some(Https));
        for by_node in [Http, Https, Mutual] {
            assert_eq!(told(by_node, &plain), Err("caller-plain"), "{by_node:?}");
            assert_eq!(told(by_node, &secure), Ok(()), "{by_node:?}");
        }
        callers.connect(&system, Some(Mutual));
        for by_node in [Http, Https, Mutual] {
            assert_eq!(told(by_node, &plain), Err("caller-plain"), "{by_node:?}");
            assert_eq!(told(by_node, &secure), Err("caller-nameless"), "{by_node:?}");
        }
        callers.connect(&system, Some(Http));
        assert_eq!((told(Mutual, &plain), told(Mutual, &secure)), (Ok(()), Ok(())));
        callers.connect(&system, None);
        assert_eq!(told(Mutual, &secure), Err("caller-nameless"));
        for one in [Http, Https, Mutual] {
            assert_eq!(Connection::parse(one.as_str()), Some(one));
        }
        assert_eq!(Connection::parse("node"), None);
    }
}
