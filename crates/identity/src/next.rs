//! Where to go after signing in: a path of this site and nothing else. Never a full address: that
//! would let any site send people on in our name.

/// The longest `next` that is followed, in bytes.
const BYTES_MAX: usize = 4_096;

/// The path when it is one of this site, else `/`.
#[must_use]
pub fn local(next: Option<&str>) -> &str {
    next.filter(|n| is_local(n)).unwrap_or("/")
}

fn is_local(next: &str) -> bool {
    let path = next.split(['?', '#']).next().unwrap_or_default();
    // Browsers drop tabs and line breaks and read a backslash as a slash: only plain visible ASCII
    // stays, so what is checked here is what they follow.
    next.len() <= BYTES_MAX
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
        && path.starts_with('/')
        && !path.contains("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_must_be_a_path_of_this_site() {
        for good in [
            "/",
            "/cases/new?step=2",
            "/oidc/authorize?redirect_uri=http://127.0.0.1:8080/sign-in/callback",
        ] {
            assert_eq!(local(Some(good)), good);
        }
        for bad in [
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example/",
            "http:/evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\r\nLocation: https://evil.example",
            "/.//evil.example",
            " /cases",
            "cases",
            "",
            "/hồ-sơ",
        ] {
            assert_eq!(local(Some(bad)), "/", "{bad:?}");
        }
        assert_eq!(local(None), "/");
    }
}
