//! X-Road's error codes of our problems, and the two ways in which its releases write them. Pure.
//! Never a word for people: see [`super::fault`].

use kernel::{Kind, Problem};

use super::CodeStyle;

/// X-Road's codes of our problems; those that `{node}` begins are of whichever node said so.
pub(super) const CODES: &[(&str, &str)] = &[
    ("agreement-endpoint", "Server.ServerProxy.AccessDenied"),
    ("agreement-expired", "Server.ServerProxy.AccessDenied"),
    ("agreement-group-left", "Server.ServerProxy.AccessDenied"),
    ("agreement-missing", "Server.ServerProxy.AccessDenied"),
    ("agreement-revoked", "Server.ServerProxy.AccessDenied"),
    ("agreement-suspended", "Server.ServerProxy.AccessDenied"),
    ("body-too-large", "Client.BadRequest"),
    ("caller-expired", "Server.ClientProxy.SslAuthenticationFailed"),
    ("caller-nameless", "Server.ClientProxy.SslAuthenticationFailed"),
    ("caller-plain", "Server.ClientProxy.SslAuthenticationFailed"),
    ("caller-unknown", "Server.ClientProxy.SslAuthenticationFailed"),
    ("client-header", "Client.InvalidClientIdentifier"),
    ("clock-skew", "Server.ServerProxy.InvalidRequest"),
    ("delegation-instances", "Server.ServerProxy.AccessDenied"),
    ("delegation-missing", "Server.ServerProxy.AccessDenied"),
    ("delegation-over", "Server.ServerProxy.AccessDenied"),
    ("envelope-bad", "{node}.InvalidMessage"),
    (
        "envelope-version",
        "Server.ServerProxy.ClientProxyVersionNotSupported",
    ),
    ("gateway-fault", "Server.ServerProxy.InternalError"),
    ("head-bad", "Client.BadRequest"),
    ("header-repeated", "Client.BadRequest"),
    ("identifier-bad", "Client.BadRequest"),
    ("instance-untrusted", "Server.ClientProxy.UnknownMember"),
    ("malformed", "Client.BadRequest"),
    ("member-disabled", "Server.ServerProxy.AccessDenied"),
    ("member-elsewhere", "Server.ClientProxy.UnknownMember"),
    ("member-unknown", "Server.ClientProxy.UnknownMember"),
    ("method", "Client.InvalidHttpMethod"),
    ("no-room", "{node}.LoggingFailed"),
    ("node-circuit-open", "Server.ClientProxy.NetworkError"),
    ("node-maintenance", "{node}.MaintenanceMode"),
    ("node-revoked", "Server.ClientProxy.SslAuthenticationFailed"),
    ("not-found", "Client.NotFound"),
    ("openapi-unreadable", "Server.ServerProxy.InternalError"),
    ("outcome-unknown", "Server.ClientProxy.NetworkError"),
    ("party-header", "Client.BadRequest"),
    ("path-outside", "Client.BadRequest"),
    ("provider-unreachable", "Server.ClientProxy.NetworkError"),
    ("replayed", "Server.ServerProxy.InvalidRequest"),
    ("quota-minute", "Server.ServerProxy.TooManyRequests"),
    ("quota-day", "Server.ServerProxy.TooManyRequests"),
    ("quota-month", "Server.ServerProxy.TooManyRequests"),
    ("rest-version", "Client.InvalidProtocolVersion"),
    ("server-header", "Server.ClientProxy.InvalidSecurityServer"),
    ("service-code", "Client.BadRequest"),
    ("service-type", "Server.ServerProxy.InvalidServiceType"),
    ("service-unknown", "Server.ServerProxy.UnknownService"),
    ("shutting-down", "{node}.MaintenanceMode"),
    ("store-unavailable", "{node}.LoggingFailed"),
    ("system-stopped", "Server.ServerProxy.AccessDenied"),
    ("timeout", "{node}.NetworkError"),
    ("too-many", "Server.ServerProxy.TooManyRequests"),
    // Told by the provider's gateway in its service's place.
    (
        "service:answer-bad",
        "Server.ServerProxy.ServiceFailed.InvalidBody",
    ),
    (
        "service:body-too-large",
        "Server.ServerProxy.ServiceFailed.IOError",
    ),
    ("service:service-disabled", "Server.ServerProxy.ServiceDisabled"),
    (
        "service:service-circuit-open",
        "Server.ServerProxy.ServiceFailed.NetworkError",
    ),
    (
        "service:service-outcome-unknown",
        "Server.ServerProxy.ServiceFailed.NetworkError",
    ),
    (
        "service:service-unreachable",
        "Server.ServerProxy.ServiceFailed.NetworkError",
    ),
    ("service:timeout", "Server.ServerProxy.ServiceFailed.NetworkError"),
];

fn named(code: &str) -> Option<&'static str> {
    CODES
        .iter()
        .find(|(ours, _)| *ours == code)
        .map(|(_, theirs)| *theirs)
}

/// X-Road's code of a refusal, as its releases before 7.8 write it.
pub(super) fn code_of(problem: &Problem) -> String {
    // What carries the hop's name was said over there, or about what came from there.
    let node = if problem.args.iter().any(|(name, _)| *name == "hop") {
        "Server.ServerProxy"
    } else {
        "Server.ClientProxy"
    };
    match (problem.code, problem.kind) {
        ("seal-broken", Kind::Upstream) if problem.field.is_some() => {
            "Server.ClientProxy.InconsistentResponse".to_owned()
        }
        ("seal-broken", Kind::Upstream) => "Server.ClientProxy.InvalidSignatureValue".to_owned(),
        ("seal-broken", _) => "Server.ServerProxy.InvalidSignatureValue".to_owned(),
        (code, _) => {
            named(code).map_or_else(|| format!("{node}.InternalError"), |c| c.replace("{node}", node))
        }
    }
}

/// X-Road's code of what the provider's gateway said in its service's place.
pub(super) fn code_of_service(fault: &str) -> &'static str {
    named(&format!("service:{fault}")).unwrap_or("Server.ServerProxy.ServiceFailed.InternalError")
}

/// The code as 7.8 writes it.
pub(super) fn styled(code: &str, style: CodeStyle) -> String {
    match style {
        CodeStyle::Camel => code.to_owned(),
        CodeStyle::Snake => code.split('.').map(snake).collect::<Vec<_>>().join("."),
    }
}

fn snake(word: &str) -> String {
    match word {
        "ClientProxy" | "ServerProxy" => return word.to_ascii_lowercase(),
        // The one that 7.8 did not only write otherwise.
        "InvalidServiceType" => return "service_type".to_owned(),
        _ => {}
    }
    let letters: Vec<char> = word.chars().collect();
    let mut text = String::with_capacity(word.len() + 4);
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|i| letters.get(i));
        let behind = letters.get(at + 1);
        let begins = before.is_some_and(char::is_ascii_lowercase)
            || before.is_some() && behind.is_some_and(char::is_ascii_lowercase);
        if letter.is_ascii_uppercase() && begins {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_written_as_the_nodes_setting_says() {
        for (camel, snake) in [
            (
                "Server.ServerProxy.AccessDenied",
                "server.serverproxy.access_denied",
            ),
            ("Server.ClientProxy.IOError", "server.clientproxy.io_error"),
            ("Client.BadRequest", "client.bad_request"),
            (
                "Server.ServerProxy.ServiceFailed.NetworkError",
                "server.serverproxy.service_failed.network_error",
            ),
            (
                "Server.ServerProxy.InvalidServiceType",
                "server.serverproxy.service_type",
            ),
            ("Client.InvalidHttpMethod", "client.invalid_http_method"),
            (
                "Server.ClientProxy.SslAuthenticationFailed",
                "server.clientproxy.ssl_authentication_failed",
            ),
        ] {
            assert_eq!(styled(camel, CodeStyle::Camel), camel);
            assert_eq!(styled(camel, CodeStyle::Snake), snake);
        }
    }

    /// Where a call can be refused before it has an answer: on the face, at the consumer's half, on the
    /// wire, and in what these ask.
    const SOURCES: [&str; 24] = [
        include_str!("../agreement.rs"),
        include_str!("../agreements.rs"),
        include_str!("../callers.rs"),
        include_str!("../check.rs"),
        include_str!("../circuits.rs"),
        include_str!("../client.rs"),
        include_str!("../delegation/book.rs"),
        include_str!("../envelope.rs"),
        include_str!("../gateway.rs"),
        include_str!("../held.rs"),
        include_str!("../maintenance.rs"),
        include_str!("../message.rs"),
        include_str!("../metadata.rs"),
        include_str!("../passing.rs"),
        include_str!("../provider.rs"),
        include_str!("../quota.rs"),
        include_str!("../rate.rs"),
        include_str!("../replay.rs"),
        include_str!("../rest.rs"),
        include_str!("../sealer.rs"),
        include_str!("../spool.rs"),
        include_str!("../wire.rs"),
        include_str!("asked.rs"),
        include_str!("names.rs"),
    ];

    /// Keys in these files that only an operator's own verbs refuse with, never a call.
    const OF_OPERATORS: [&str; 17] = [
        "agreement-bodies-longer",
        "agreement-fields",
        "agreement-item-empty",
        "agreement-quota",
        "agreement-rate",
        "agreement-retention",
        "agreement-service",
        "agreement-term",
        "agreement-too-long",
        "caller-certificate",
        "caller-many",
        "caller-over",
        "group-instances",
        "group-name",
        "maintenance-none",
        "maintenance-until",
        "service-elsewhere",
    ];

    /// The keys that a file makes problems with.
    fn keys(source: &str) -> impl Iterator<Item = &str> {
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        let made = ["Problem::new(", "Problem::invalid("];
        let calls = made.into_iter().flat_map(move |call| source.split(call).skip(1));
        calls.filter_map(|rest| {
            let inside = rest.split(')').next().unwrap_or_default();
            let key = inside.rsplit('\u{22}').nth(1)?;
            let is_key = key.starts_with(|c: char| c.is_ascii_lowercase())
                && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            is_key.then_some(key)
        })
    }

    #[test]
    fn every_refusal_of_a_call_has_a_code_of_x_road() {
        let over_there = crate::wire::KNOWN.iter().map(|(key, _)| *key);
        let here = SOURCES.into_iter().flat_map(keys);
        let mut seen = 0;
        for key in over_there.chain(here).filter(|key| !OF_OPERATORS.contains(key)) {
            let of_the_service = format!("service:{key}");
            assert!(
                key == "seal-broken" || named(key).is_some() || named(&of_the_service).is_some(),
                "{key} would be told as an internal error"
            );
            seen += 1;
        }
        assert!(seen > 80, "the files are read: {seen}");
    }

    #[test]
    fn a_refusal_is_told_by_the_node_that_said_it() {
        let at_home = Problem::new(Kind::Full, "no-room");
        assert_eq!(code_of(&at_home), "Server.ClientProxy.LoggingFailed");
        assert_eq!(
            code_of(&at_home.clone().with("hop", "G01")),
            "Server.ServerProxy.LoggingFailed"
        );
        let broken = Problem::new(Kind::Upstream, "seal-broken").with("hop", "G01");
        assert_eq!(code_of(&broken), "Server.ClientProxy.InvalidSignatureValue");
        assert_eq!(
            code_of(&broken.at("x")),
            "Server.ClientProxy.InconsistentResponse"
        );
        let over_there = Problem::new(Kind::Forbidden, "seal-broken").with("hop", "G01");
        assert_eq!(code_of(&over_there), "Server.ServerProxy.InvalidSignatureValue");
        assert_eq!(
            code_of(&Problem::internal("x")),
            "Server.ClientProxy.InternalError"
        );
    }
}
