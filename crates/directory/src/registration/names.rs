//! How names, codes, addresses and certificates are written in a change, checked. Never whether they
//! stand in the directory: see [`super::change`].

use kernel::Problem;
use seal::certificate::Certificate;

/// Length of a name, in characters.
const NAME_CHARS_MAX: usize = 200;
/// Length of a code, in bytes.
const CODE_BYTES_MAX: usize = 64;
/// Length of an address, in bytes.
const ADDRESS_BYTES_MAX: usize = 260;

/// A name for people: clean, not empty, of bounded length.
pub(crate) fn name(field: &str, text: &str) -> Result<(), Problem> {
    let good =
        !text.is_empty() && text.chars().count() <= NAME_CHARS_MAX && kernel::text::clean(text) == text;
    good.then_some(())
        .ok_or_else(|| Problem::invalid(field, "directory-name").with("max", NAME_CHARS_MAX))
}

/// A reason that everybody can read.
pub(crate) fn reason(text: &str) -> Result<(), Problem> {
    name("reason", text).map_err(|_| Problem::invalid("reason", "reason-missing").with("max", NAME_CHARS_MAX))
}

fn written(field: &str, text: &str, letter: impl Fn(u8) -> bool) -> Result<(), Problem> {
    let good = (1..=CODE_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| letter(b) || b == b'-');
    good.then_some(())
        .ok_or_else(|| Problem::invalid(field, "directory-code").with("max", CODE_BYTES_MAX))
}

/// A code of a system, a node or a group: small letters, digits, `-`.
pub(crate) fn code(field: &str, text: &str) -> Result<(), Problem> {
    written(field, text, |b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// A code of a service: also capitals and the point.
pub(super) fn service(field: &str, text: &str) -> Result<(), Problem> {
    written(field, text, |b| {
        b.is_ascii_alphanumeric() || b == b'.' || b == b'_'
    })
}

/// A code of a class: capitals and digits.
pub(super) fn upper(field: &str, text: &str) -> Result<(), Problem> {
    written(field, text, |b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// `host:port`, an IPv6 address in brackets.
pub(super) fn address(field: &str, text: &str) -> Result<(), Problem> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-:[]".contains(&b);
    let parts = text.rsplit_once(':');
    let good = text.len() <= ADDRESS_BYTES_MAX
        && text.bytes().all(plain)
        && parts.is_some_and(|(host, port)| {
            let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
            let host = bare.map_or(!host.is_empty() && !host.contains([':', '[', ']']), |v6| {
                v6.parse::<std::net::Ipv6Addr>().is_ok()
            });
            host && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
    good.then_some(())
        .ok_or_else(|| Problem::invalid(field, "directory-address"))
}

/// An address of a service, or of another hub.
pub(crate) fn url(field: &str, text: &str) -> Result<(), Problem> {
    let uri = text.parse::<web::http::Uri>().ok();
    let good = text.len() <= ADDRESS_BYTES_MAX
        && uri.is_some_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|h| !h.is_empty())
        });
    good.then_some(())
        .ok_or_else(|| Problem::invalid(field, "directory-url"))
}

/// A certificate and its issuers, from one PEM text.
pub(super) fn chain(field: &str, pem: &str) -> Result<(Certificate, Vec<Certificate>), Problem> {
    let bad = || Problem::invalid(field, "directory-certificate");
    let all = Certificate::list_from_pem(pem).map_err(|e| bad().because(e))?;
    let mut all = all.into_iter();
    let leaf = all.next().ok_or_else(bad)?;
    Ok((leaf, all.collect()))
}

/// A certificate and its issuers, written as this house writes them.
pub(super) fn pem(field: &str, text: &str) -> Result<String, Problem> {
    let (leaf, issuers) = chain(field, text)?;
    let all = std::iter::once(&leaf).chain(&issuers);
    Ok(all.map(Certificate::pem).collect())
}

/// The one certificate of a PEM text.
pub(crate) fn certificate(field: &str, pem: &str) -> Result<Certificate, Problem> {
    let (leaf, others) = chain(field, pem)?;
    others
        .is_empty()
        .then_some(leaf)
        .ok_or_else(|| Problem::invalid(field, "directory-certificate"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for good in [
            "localhost:1",
            "127.0.0.1:8101",
            "node.example.vn:443",
            "[::1]:8101",
        ] {
            assert!(address("peer", good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "host",
            "host:",
            ":1",
            "host:0",
            "host:65536",
            "a b:1",
            "::1:80",
            "https://h:1",
            "h/x:1",
        ] {
            assert!(address("peer", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_is_clean_and_not_empty() {
        assert!(name("name", "Một cửa").is_ok());
        for bad in ["", " x", "a\nb", "a\u{200b}b"] {
            assert!(name("name", bad).is_err(), "{bad:?}");
        }
        assert!(name("name", &"x".repeat(NAME_CHARS_MAX + 1)).is_err());
    }
}
