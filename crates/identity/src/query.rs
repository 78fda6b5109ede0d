//! Query strings: written, and read without anything said twice. Never decodes a path.

use std::fmt::Write as _;

use kernel::{Kind, Problem};

/// Pairs as `a=1&b=2`, every byte but the unreserved ones (RFC 3986) as `%XX`.
pub(crate) fn write(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        escape(&mut out, name);
        out.push('=');
        escape(&mut out, value);
    }
    out
}

fn escape(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a text cannot fail");
        }
    }
}

/// Parameters of which none may come twice (RFC 6749, section 3.1).
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads decoded pairs.
    ///
    /// # Errors
    /// 400 `client-unknown` when one comes twice.
    pub(crate) fn read(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let twice = pairs
            .iter()
            .enumerate()
            .any(|(i, (name, _))| pairs[..i].iter().any(|(other, _)| other == name));
        if twice {
            Err(Problem::new(Kind::Malformed, "client-unknown").because("a parameter came twice"))
        } else {
            Ok(Self(pairs))
        }
    }

    /// A parameter's value; an empty one counts as absent (RFC 6749, section 3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_query_keeps_every_byte() {
        assert_eq!(
            write(&[("next", "/a?b=1&c=ế"), ("x", "~")]),
            "next=%2Fa%3Fb%3D1%26c%3D%E1%BA%BF&x=~"
        );
    }

    #[test]
    fn a_parameter_said_twice_is_refused() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert!(Parameters::read(vec![pair("state", "1"), pair("state", "2")]).is_err());
        let read = Parameters::read(vec![pair("state", "1"), pair("nonce", "")]).unwrap();
        assert_eq!((read.get("state"), read.get("nonce")), (Some("1"), None));
    }
}
