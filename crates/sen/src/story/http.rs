//! A small browser: cookies, redirects, forms. Enough to live the story as its users would, over
//! HTTP and through the pages; never a way round them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use serde_json::Value;
use web::client::Client;

/// Redirects followed in a row, count.
const REDIRECTS_MAX: usize = 10;
/// Time for one answer, in milliseconds.
const ANSWER_MS_MAX: u64 = 30_000;
/// Size of one answer, in bytes.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// One person's browser.
pub struct Browser {
    client: Client,
    cookies: BTreeMap<String, String>,
    /// The addresses of the last walk, first to last.
    pub trail: Vec<String>,
}

/// An answer after all redirects.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Where it came from.
    pub url: String,
    /// The body.
    pub body: Bytes,
}

/// A file handed in.
pub struct File<'a> {
    /// The field's name.
    pub field: &'a str,
    /// The file's name.
    pub name: &'a str,
    /// Its media type.
    pub media: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl Reply {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When the status is not 2xx or the body is not JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        self.ok()?;
        serde_json::from_slice(&self.body).with_context(|| format!("{} is not JSON", self.url))
    }

    /// Refuses an answer that is not 2xx.
    ///
    /// # Errors
    /// With the status and what the page says.
    pub fn ok(&self) -> anyhow::Result<&Self> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let text: String = words(&self.text()).chars().take(600).collect();
        bail!("{} answered {}: {text}", self.url, self.status)
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self {
            client: Client::plain(),
            cookies: BTreeMap::new(),
            trail: Vec::new(),
        }
    }
}

impl Browser {
    /// A browser on one of this machine's addresses.
    #[must_use]
    pub fn on(address: IpAddr) -> Self {
        Self {
            client: Client::plain_from(address),
            ..Self::default()
        }
    }

    /// The cookies it holds, by name.
    #[must_use]
    pub fn cookies(&self) -> &BTreeMap<String, String> {
        &self.cookies
    }

    /// Opens an address and follows its redirects.
    ///
    /// # Errors
    /// When nothing answers, or the redirects do not end.
    pub async fn get(&mut self, url: &str) -> anyhow::Result<Reply> {
        self.walk("GET", url, None).await
    }

    /// Sends a form.
    ///
    /// # Errors
    /// As [`Browser::get`].
    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> anyhow::Result<Reply> {
        let body = fields
            .iter()
            .map(|(k, v)| format!("{}={}", escape(k), escape(v)))
            .collect::<Vec<_>>()
            .join("&");
        self.walk(
            "POST",
            url,
            Some(("application/x-www-form-urlencoded".to_owned(), body.into())),
        )
        .await
    }

    /// Sends JSON and reads JSON.
    ///
    /// # Errors
    /// As [`Browser::get`], and when the answer is not 2xx with JSON.
    pub async fn post_json(&mut self, url: &str, body: &Value) -> anyhow::Result<Value> {
        let reply = self
            .walk(
                "POST",
                url,
                Some(("application/json".to_owned(), body.to_string().into())),
            )
            .await?;
        reply.ok()?;
        if reply.body.is_empty() {
            Ok(Value::Null)
        } else {
            reply.json()
        }
    }

    /// Sends a form with a file.
    ///
    /// # Errors
    /// As [`Browser::get`].
    pub async fn upload(
        &mut self,
        url: &str,
        fields: &[(&str, &str)],
        file: &File<'_>,
    ) -> anyhow::Result<Reply> {
        const EDGE: &str = "sen-story-edge-5f1d";
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend_from_slice(
                format!("--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                    .as_bytes(),
            );
        }
        let head = format!(
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
            file.field, file.name, file.media
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(file.bytes);
        body.extend_from_slice(format!("\r\n--{EDGE}--\r\n").as_bytes());
        self.walk(
            "POST",
            url,
            Some((format!("multipart/form-data; boundary={EDGE}"), body.into())),
        )
        .await
    }

    async fn walk(
        &mut self,
        method: &str,
        url: &str,
        body: Option<(String, Bytes)>,
    ) -> anyhow::Result<Reply> {
        self.trail.clear();
        let (mut method, mut url, mut body) = (method.to_owned(), url.to_owned(), body);
        for _ in 0..REDIRECTS_MAX {
            self.trail.push(url.clone());
            let answer = self.send(&method, &url, body.take()).await?;
            let status = answer.status().as_u16();
            let next = answer
                .headers()
                .get("location")
                .and_then(|l| l.to_str().ok())
                .map(|l| absolute(&url, l));
            match next {
                Some(next) if (300..400).contains(&status) => (method, url) = ("GET".to_owned(), next),
                _ => {
                    return Ok(Reply {
                        status,
                        url,
                        body: answer.into_body(),
                    });
                }
            }
        }
        bail!("the redirects of {url} do not end")
    }

    async fn send(
        &mut self,
        method: &str,
        url: &str,
        body: Option<(String, Bytes)>,
    ) -> anyhow::Result<web::http::Response<Bytes>> {
        let mut request = web::http::Request::builder().method(method).uri(url);
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
            request = request.header("cookie", cookies.join("; "));
        }
        if url.contains("/api/") {
            request = request.header("accept", "application/json");
        } else {
            request = request
                .header("accept", "text/html")
                .header("accept-language", "vi");
        }
        if method == "POST" {
            request = request
                .header("origin", origin(url))
                .header("sec-fetch-site", "same-origin");
        }
        let (media, bytes) = body.unwrap_or_default();
        if !media.is_empty() {
            request = request.header("content-type", media);
        }
        let answer = self
            .client
            .send(request.body(bytes)?, ANSWER_MS_MAX, ANSWER_BYTES_MAX)
            .await
            .with_context(|| format!("{url} does not answer"))?;
        for cookie in answer.headers().get_all("set-cookie") {
            let text = cookie.to_str().unwrap_or_default();
            if let Some((name, value)) = text.split(';').next().and_then(|pair| pair.split_once('=')) {
                if value.is_empty() || text.to_ascii_lowercase().contains("max-age=0") {
                    self.cookies.remove(name.trim());
                } else {
                    self.cookies.insert(name.trim().to_owned(), value.to_owned());
                }
            }
        }
        Ok(answer)
    }
}

/// The value of a named hidden field of a page.
#[must_use]
pub fn hidden(page: &str, name: &str) -> Option<String> {
    let marker = format!("name=\"{name}\"");
    page.split('<')
        .filter(|tag| tag.starts_with("input") && tag.contains(&marker))
        .find_map(|tag| {
            let (_, rest) = tag.split_once("value=\"")?;
            Some(unescape(rest.split('"').next()?))
        })
}

/// The text of an attribute's value: entities of HTML, named and numbered.
#[must_use]
pub fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let entity = after
            .split_once(';')
            .filter(|(e, _)| e.bytes().all(|b| b == b'#' || b.is_ascii_alphanumeric()));
        let Some((entity, behind)) = entity else {
            out.push('&');
            rest = after;
            continue;
        };
        let code = entity
            .strip_prefix("#x")
            .and_then(|h| u32::from_str_radix(h, 16).ok());
        let code = code.or_else(|| entity.strip_prefix('#').and_then(|d| d.parse().ok()));
        match (entity, code.and_then(char::from_u32)) {
            (_, Some(c)) => out.push(c),
            ("amp", _) => out.push('&'),
            ("lt", _) => out.push('<'),
            ("gt", _) => out.push('>'),
            ("quot", _) => out.push('"'),
            _ => out.push_str(&format!("&{entity};")),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// A page's text without its tags.
#[must_use]
pub fn words(page: &str) -> String {
    let mut text = String::new();
    for piece in page.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, after)| after));
        text.push(' ');
    }
    unescape(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |i| i + 3);
    url[start..].find('/').map_or(url, |i| &url[..start + i])
}

fn absolute(base: &str, location: &str) -> String {
    if location.starts_with('/') {
        format!("{}{location}", origin(base))
    } else {
        location.to_owned()
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_gives_its_hidden_fields_and_its_words() {
        let page = r#"<form><input type="hidden" name="revision" value="7"><b>Xin</b> chào &#38; <input name="next" value="/a?b=1&#38;c=2&amp;d">"#;
        assert_eq!(hidden(page, "revision").as_deref(), Some("7"));
        assert_eq!(hidden(page, "next").as_deref(), Some("/a?b=1&c=2&d"));
        assert_eq!(unescape("a & b&#39;&ouml;"), "a & b'&ouml;");
        assert_eq!(hidden(page, "other"), None);
        assert_eq!(words(page), "Xin chào &");
        assert_eq!(unescape("a&#38;b&amp;c&#x27;d&e"), "a&b&c'd&e");
        assert_eq!(absolute("http://127.0.0.1:1/a/b", "/c"), "http://127.0.0.1:1/c");
        assert_eq!(escape("đ &"), "%C4%91%20%26");
    }
}
