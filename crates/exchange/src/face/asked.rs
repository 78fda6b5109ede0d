//! A call as an information system sends it: who asks, for whom and why, out of the headers; the
//! service is out of the path ([`super::names`]). Strict: what is not certain is refused, never guessed.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use bytes::Bytes;
use kernel::{Kind, Problem};

use super::names::{Named, identifier};
use crate::client::Ask;
use crate::gateway::Exchange;
use crate::ids::{CLASS, SystemId};
use crate::rest::{Headers, Rest, Way};

/// Length of a caller's id of its message, in bytes.
const ID_BYTES_MAX: usize = 255;
/// Length of a header's text that has a meaning of its own, in bytes.
const TEXT_BYTES_MAX: usize = 1_024;

/// A call without its body.
pub(super) struct Called {
    pub(super) ask: Ask,
    pub(super) rest: Rest,
}

/// Reads the headers, and refuses what no exchange can come of.
pub(super) fn read(exchange: &Exchange, named: Named, parts: &Parts) -> Result<Called, Problem> {
    let headers = &parts.headers;
    let Named { service, path } = named;
    let consumer = client(headers)?;
    let g = &*exchange.0;
    if consumer.org.instance() != g.directory.instance() {
        // Systems of another instance call at their own nodes.
        return Err(Problem::invalid("X-Road-Client", "client-header"));
    }
    if !g.sealers.contains_key(&consumer.org.top()) {
        return Err(g.not_here(&consumer.org));
    }
    let member = service.org.top();
    g.trusts(&member)?;
    let node = g.directory.node_of(&member);
    let node = node.ok_or_else(|| Problem::new(Kind::NotFound, "member-unknown").with("member", &member))?;
    let server = one(headers, "x-road-security-server")?;
    if let Some(server) = &server {
        at_server(server, member.instance(), &node.id)?;
    }
    let represented = one(headers, "x-road-represented-party")?;
    if let Some(party) = &represented {
        party_is_good(party)?;
    }
    let id = match one(headers, "x-road-id")? {
        Some(id) if id.len() > ID_BYTES_MAX => {
            return Err(Problem::new(Kind::Malformed, "malformed").at("x-road-id"));
        }
        Some(id) => id,
        None => format!("{}-{}", consumer.org.instance(), g.store.world().uuid()),
    };
    let method = super::method(&parts.method)
        .ok_or_else(|| Problem::new(Kind::NotFound, "method").because(&parts.method))?;
    let query = parts.uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    let rest = Rest {
        method,
        target: path + &query,
        media: one(headers, "content-type")?.unwrap_or_default(),
        id: Some(id),
        represented,
        server,
        headers: Headers::of(headers, Way::Request)?,
    };
    let ask = Ask {
        on_behalf: one(headers, "x-road-userid")?.unwrap_or_else(|| format!("system:{consumer}")),
        issue: one(headers, "x-road-issue")?,
        idempotency: one(headers, "idempotency-key")?,
        body: Bytes::new(),
        consumer,
        service,
    };
    Ok(Called { ask, rest })
}

/// `X-Road-Client`; of several the last one counts.
fn client(headers: &HeaderMap) -> Result<SystemId, Problem> {
    let bad = || Problem::invalid("X-Road-Client", "client-header");
    let last = headers
        .get_all("x-road-client")
        .iter()
        .next_back()
        .ok_or_else(bad)?;
    let text = last.to_str().map_err(|e| bad().because(e))?;
    let decoded = text.split('/').map(identifier).collect::<Result<Vec<_>, _>>();
    let [instance, class, org, system] =
        <[String; 4]>::try_from(decoded.map_err(|_| bad())?).map_err(|_| bad())?;
    if class == CLASS && kernel::OrgCode::of_instance(&instance, &org).is_err() {
        let member = format!("{instance}/{class}/{org}");
        return Err(Problem::new(Kind::NotFound, "member-unknown").with("member", member));
    }
    SystemId::of_parts(&instance, &class, &org, &system).map_err(|_| bad())
}

/// `X-Road-Security-Server: I/C/M/server`: the member's own node, or nobody is asked.
fn at_server(text: &str, of: &str, node: &str) -> Result<(), Problem> {
    // A node of another instance carries that instance's name in front.
    let node = node.rsplit('/').next().unwrap_or(node);
    let bad = || Problem::invalid("X-Road-Security-Server", "server-header").with("server", node);
    let decoded = text.split('/').map(identifier).collect::<Result<Vec<_>, _>>();
    let [instance, class, org, server] =
        <[String; 4]>::try_from(decoded.map_err(|_| bad())?).map_err(|_| bad())?;
    let good = instance == of
        && class == CLASS
        && kernel::OrgCode::of_instance(&instance, &org).is_ok()
        && server == node;
    if good { Ok(()) } else { Err(bad()) }
}

/// `X-Road-Represented-Party: [class/]code`.
fn party_is_good(text: &str) -> Result<(), Problem> {
    let decoded = text.split('/').map(identifier).collect::<Result<Vec<_>, _>>();
    match decoded.map(|parts| parts.len()) {
        Ok(1 | 2) => Ok(()),
        _ => Err(Problem::invalid("X-Road-Represented-Party", "party-header")),
    }
}

/// A header's text. One that cannot be read, or stands twice, is refused: left out or chosen, the
/// exchange would be for another person, case or change than the caller said.
fn one(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Problem::new(Kind::Malformed, "header-repeated")
            .with("header", name)
            .at(name));
    }
    let bad = || Problem::new(Kind::Malformed, "malformed").at(name);
    let text = std::str::from_utf8(value.as_bytes()).map_err(|e| bad().because(e))?;
    let empty = text.is_empty() && name != "content-type";
    if empty || text.len() > TEXT_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(bad());
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_identifiers_have_exactly_their_parts() {
        for (text, good) in [
            ("VN/GOV/G01/ministry", true),
            ("VN/GOV/G01", false),
            ("VN/GOV/G01/ministry/x", false),
            ("VN/GOV/G01/other", false),
            ("EE/GOV/G01/ministry", false),
            ("VN/GOV/g/ministry", false),
            ("VN%2FGOV/G01/ministry/x", false),
        ] {
            assert_eq!(at_server(text, "VN", "ministry").is_ok(), good, "{text}");
        }
        for (text, good) in [
            ("0101", true),
            ("COM/0101", true),
            ("COM/01%2F01", false),
            ("VN/COM/0101", false),
            ("", false),
            ("/a", false),
        ] {
            assert_eq!(party_is_good(text).is_ok(), good, "{text}");
        }
    }
}
