//! Reading and writing cookies. Never holds what they mean.

use axum::http::{HeaderMap, HeaderValue, header};

/// The value of a cookie, when the request carries it.
#[must_use]
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then_some(value)
        })
}

/// A `Set-Cookie` value that scripts cannot read and other sites do not send. `None` as age means
/// until the browser closes; 0 removes it. `secure` on listeners that people reach over TLS.
#[must_use]
pub fn set(name: &str, value: &str, age_s: Option<u64>, secure: bool) -> HeaderValue {
    let age = age_s.map(|s| format!("; Max-Age={s}")).unwrap_or_default();
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::from_str(&format!(
        "{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}"
    ))
    .unwrap_or(HeaderValue::from_static("invalid="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("xlang=en; lang=vi"));
        assert_eq!(read(&headers, "lang"), Some("vi"));
        assert_eq!(read(&headers, "ang"), None);
        assert_eq!(
            set("a", "b", Some(0), true),
            "a=b; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Secure"
        );
    }
}
