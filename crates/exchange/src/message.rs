//! The signed heads of a request and of an answer, byte for byte as X-Road's REST message protocol
//! serialises them: a first line, then `Name:Value` lines, each ended by CRLF, the order kept.
//! Never a body: its digest stands beside the head in the signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Digest, Kind, Problem, Time};

use crate::ids::{ServiceId, SystemId};
use crate::rest::{Headers, Method, Rest, Way};

/// Size of a head, in bytes.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;

/// What stands in a head in place of an agreement's hash when a metadata service is asked.
pub const NO_AGREEMENT: Digest = Digest([0; 32]);

/// What a request's head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// Who asks.
    pub consumer: SystemId,
    /// What is asked.
    pub service: ServiceId,
    /// The exchange's id, 32 hex digits, given by the consumer's gateway.
    pub request: String,
    /// The agreement's hash.
    pub agreement: Digest,
    /// When the consumer's gateway sent it.
    pub sent: Time,
    /// On whose behalf.
    pub on_behalf: String,
    /// The case that caused it.
    pub issue: Option<String>,
    /// The consumer's key for the same change.
    pub idempotency: Option<String>,
    /// Method, path and query behind the service, media type, end-to-end headers.
    pub rest: Rest,
}

/// What an answer's head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerHead {
    /// The service's HTTP status.
    pub status: u16,
    /// The body's media type.
    pub media: String,
    /// The service's end-to-end headers.
    pub headers: Headers,
    /// Why the provider's gateway answers in the service's place; a problem's key.
    pub fault: Option<String>,
    /// The consumer's id of its message, when it gave one.
    pub id: Option<String>,
    /// The request's consumer.
    pub consumer: SystemId,
    /// The request's service.
    pub service: ServiceId,
    /// The request's id.
    pub request: String,
    /// Base64 of SHA-256(SHA-256(request head) ‖ SHA-256(request body)): ties the answer to it.
    pub request_hash: String,
}

impl RequestHead {
    /// The bytes that are signed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = String::with_capacity(512);
        let rest = &self.rest;
        line(&mut text, &[rest.method.as_str()]);
        line(&mut text, &[&self.service.path(), &rest.target]);
        header(&mut text, "Content-Type", &rest.media);
        header(&mut text, "X-Road-Client", &self.consumer.header());
        header(&mut text, "X-Road-UserId", &self.on_behalf);
        if let Some(issue) = &self.issue {
            header(&mut text, "X-Road-Issue", issue);
        }
        header(&mut text, "X-Road-Request-Id", &self.request);
        header(&mut text, "Sen-Agreement", &self.agreement.hex());
        header(&mut text, "Sen-Sent", &self.sent.rfc3339());
        for (name, value) in [
            ("Idempotency-Key", &self.idempotency),
            ("X-Road-Id", &rest.id),
            ("X-Road-Represented-Party", &rest.represented),
            ("X-Road-Security-Server", &rest.server),
        ] {
            if let Some(value) = value {
                header(&mut text, name, value);
            }
        }
        carried(&mut text, &rest.headers);
        text.into_bytes()
    }

    /// Reads the bytes; strict, so that one meaning has one form.
    ///
    /// # Errors
    /// `head-bad` for anything that [`RequestHead::to_bytes`] would not have written.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let head = Self::kept(bytes)?;
        if head.to_bytes() == bytes {
            Ok(head)
        } else {
            Err(bad())
        }
    }

    /// Reads the head of a record of this node's own log: it was written here or read strictly
    /// before it was kept, so that it is not written once more to compare.
    ///
    /// # Errors
    /// `head-bad` for what is no head.
    pub(crate) fn kept(bytes: &[u8]) -> Result<Self, Problem> {
        let text = text_of(bytes)?;
        let mut lines = text.split("\r\n");
        let method: Method = lines.next().and_then(|m| m.parse().ok()).ok_or_else(bad)?;
        let path = lines.next().ok_or_else(bad)?;
        let (service, target) = path
            .strip_prefix("/r1/")
            .and_then(ServiceId::named_in)
            .filter(|(_, target)| crate::rest::is_target(target))
            .ok_or_else(bad)?;
        let (get, headers) = headers(lines, Way::Request)?;
        let need = |name: &str| get(name).ok_or_else(bad);
        let may = |name: &str| get(name).map(str::to_owned);
        Ok(Self {
            consumer: SystemId::from_header(need("X-Road-Client")?).map_err(|_| bad())?,
            service,
            request: need("X-Road-Request-Id")?.to_owned(),
            agreement: Digest::parse(need("Sen-Agreement")?).ok_or_else(bad)?,
            sent: Time::parse_rfc3339(need("Sen-Sent")?).ok_or_else(bad)?,
            on_behalf: need("X-Road-UserId")?.to_owned(),
            issue: may("X-Road-Issue"),
            idempotency: may("Idempotency-Key"),
            rest: Rest {
                method,
                target: target.to_owned(),
                media: need("Content-Type")?.to_owned(),
                id: may("X-Road-Id"),
                represented: may("X-Road-Represented-Party"),
                server: may("X-Road-Security-Server"),
                headers,
            },
        })
    }
}

impl AnswerHead {
    /// The bytes that are signed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = String::with_capacity(384);
        line(&mut text, &[&self.status.to_string()]);
        line(&mut text, &[reason(self.status)]);
        header(&mut text, "Content-Type", &self.media);
        carried(&mut text, &self.headers);
        for (name, value) in [("sen-fault", &self.fault), ("x-road-id", &self.id)] {
            if let Some(value) = value {
                header(&mut text, name, value);
            }
        }
        header(&mut text, "x-road-client", &self.consumer.header());
        header(&mut text, "x-road-service", &self.service.named());
        header(&mut text, "x-road-request-id", &self.request);
        header(&mut text, "x-road-request-hash", &self.request_hash);
        text.into_bytes()
    }

    /// Reads the bytes; strict like the request's.
    ///
    /// # Errors
    /// `head-bad` for anything that [`AnswerHead::to_bytes`] would not have written.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let head = Self::kept(bytes)?;
        if head.to_bytes() == bytes {
            Ok(head)
        } else {
            Err(bad())
        }
    }

    /// Reads the head of a record of this node's own log, like [`RequestHead::kept`].
    ///
    /// # Errors
    /// `head-bad` for what is no head.
    pub(crate) fn kept(bytes: &[u8]) -> Result<Self, Problem> {
        let text = text_of(bytes)?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|s| s.parse().ok()).ok_or_else(bad)?;
        lines.next().ok_or_else(bad)?;
        let (get, headers) = headers(lines, Way::Answer)?;
        let need = |name: &str| get(name).ok_or_else(bad);
        let service = need("x-road-service")?;
        Ok(Self {
            status,
            media: need("Content-Type")?.to_owned(),
            headers,
            fault: get("sen-fault").map(str::to_owned),
            id: get("x-road-id").map(str::to_owned),
            consumer: SystemId::from_header(need("x-road-client")?).map_err(|_| bad())?,
            service: ServiceId::named_in(service)
                .filter(|(_, behind)| behind.is_empty())
                .map(|(service, _)| service)
                .ok_or_else(bad)?,
            request: need("x-road-request-id")?.to_owned(),
            request_hash: need("x-road-request-hash")?.to_owned(),
        })
    }
}

/// The tie between an answer and its request.
#[must_use]
pub fn request_hash(head: &Digest, body: &Digest) -> String {
    STANDARD.encode(Digest::of_parts(&[head.bytes(), body.bytes()]).bytes())
}

fn text_of(bytes: &[u8]) -> Result<&str, Problem> {
    if bytes.len() > HEAD_BYTES_MAX {
        return Err(bad());
    }
    std::str::from_utf8(bytes).map_err(|_| bad())
}

fn bad() -> Problem {
    Problem::new(Kind::Malformed, "head-bad")
}

fn line(text: &mut String, parts: &[&str]) {
    for part in parts {
        text.push_str(part);
    }
    text.push_str("\r\n");
}

fn header(text: &mut String, name: &str, value: &str) {
    // A value with a line break could pretend to be another header: it loses the break here, and
    // the strict reading on the other side refuses what does not read back the same.
    text.push_str(name);
    text.push(':');
    if value.bytes().all(|b| (b' '..0x7f).contains(&b)) {
        text.push_str(value);
    } else {
        text.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c }));
    }
    text.push_str("\r\n");
}

/// Headers that were checked when they came in, as they are.
fn carried(text: &mut String, headers: &Headers) {
    for (name, value) in headers.iter() {
        for piece in [name, ":", value, "\r\n"] {
            text.push_str(piece);
        }
    }
}

/// The lines this module has a name for, and the end-to-end headers.
fn headers<'a>(
    lines: impl Iterator<Item = &'a str>,
    way: Way,
) -> Result<(impl Fn(&str) -> Option<&'a str>, Headers), Problem> {
    let mut list: Vec<(&str, &str)> = Vec::with_capacity(12);
    let mut carried = Headers::default();
    for text in lines.filter(|l| !l.is_empty()) {
        let (name, value) = text.split_once(':').ok_or_else(bad)?;
        if carried.read(name, value, way) {
            continue;
        }
        list.push((name, value));
        if list.len() > 32 {
            return Err(bad());
        }
    }
    let get = move |name: &str| list.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
    Ok((get, carried))
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        422 => "Unprocessable Content",
        503 => "Service Unavailable",
        s if s >= 500 => "Server Error",
        s if s >= 400 => "Client Error",
        _ => "OK",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> RequestHead {
        RequestHead {
            consumer: "G22/portal".parse().expect("id"),
            service: "G01/population/person-lookup".parse().expect("id"),
            request: "0123456789abcdef0123456789abcdef".into(),
            agreement: Digest::of(b"a"),
            sent: Time(1_795_226_400_123),
            on_behalf: "citizen:a1".into(),
            issue: Some("G22-261121-0001".into()),
            idempotency: None,
            rest: Rest::default(),
        }
    }

    fn answer() -> AnswerHead {
        AnswerHead {
            status: 200,
            media: "application/json".into(),
            headers: Headers::default(),
            fault: None,
            id: None,
            consumer: head().consumer,
            service: head().service,
            request: head().request,
            request_hash: request_hash(&Digest::of(b"h"), &Digest::of(b"b")),
        }
    }

    fn headers_of(lines: &[(&str, &str)], way: Way) -> Headers {
        let mut headers = Headers::default();
        for (name, value) in lines {
            assert!(headers.read(name, value, way), "{name}");
        }
        headers
    }

    #[test]
    fn a_head_has_one_form_and_reads_back() {
        let bytes = head().to_bytes();
        assert!(bytes.starts_with(
            b"POST\r\n/r1/VN/GOV/G01/population/person-lookup\r\nContent-Type:application/json\r\n"
        ));
        assert_eq!(RequestHead::parse(&bytes).expect("our own"), head());
        let answer = answer();
        assert_eq!(AnswerHead::parse(&answer.to_bytes()).expect("our own"), answer);
    }

    #[test]
    fn a_head_carries_method_path_query_and_headers_and_reads_back() {
        let said = RequestHead {
            rest: Rest {
                method: Method::Put,
                target: "/persons/%C3%AA;v=1/a//b?x=1&y=%2F".into(),
                media: "text/csv; charset=utf-8".into(),
                id: Some("VN-1".into()),
                represented: Some("COM/0101".into()),
                server: Some("VN/GOV/G01/ministry".into()),
                headers: headers_of(
                    &[("accept", "a, b"), ("x-b", ""), ("accept", ": c")],
                    Way::Request,
                ),
            },
            ..head()
        };
        let bytes = said.to_bytes();
        let text = std::str::from_utf8(&bytes).expect("text");
        assert!(text.starts_with(
            "PUT\r\n/r1/VN/GOV/G01/population/person-lookup/persons/%C3%AA;v=1/a//b?x=1&y=%2F\r\n"
        ));
        assert!(text.ends_with(
            "X-Road-Id:VN-1\r\nX-Road-Represented-Party:COM/0101\r\nX-Road-Security-Server:VN/GOV/G01/ministry\r\n\
             accept:a, b\r\nx-b:\r\naccept:: c\r\n"
        ));
        assert_eq!(RequestHead::parse(&bytes).expect("our own"), said);
        let answered = AnswerHead {
            status: 404,
            headers: headers_of(
                &[("location", "/x"), ("set-cookie", "a=1"), ("set-cookie", "b=2")],
                Way::Answer,
            ),
            fault: Some("timeout".into()),
            id: Some("VN-1".into()),
            ..answer()
        };
        assert_eq!(
            AnswerHead::parse(&answered.to_bytes()).expect("our own"),
            answered
        );
    }

    #[test]
    fn a_head_with_a_header_of_the_gateways_or_in_another_place_is_refused() {
        let good = String::from_utf8(head().to_bytes()).expect("text");
        for added in [
            "host:x",
            "connection:close",
            "x-road-client:VN/GOV/G22/other",
            "sen-agreement:00",
            "x-road-error:x",
            "X-Road-Request-Hash:x",
            "x-a :1",
            "x-a",
            "x\u{e9}:1",
        ] {
            assert!(
                RequestHead::parse(format!("{good}{added}\r\n").as_bytes()).is_err(),
                "{added}"
            );
        }
        assert!(RequestHead::parse(format!("{good}x-a:1\r\n").as_bytes()).is_ok());
        let early = good.replace("X-Road-Client:", "x-a:1\r\nX-Road-Client:");
        assert!(RequestHead::parse(early.as_bytes()).is_err());
        for target in [" ", "/a b", "#x", "%2F", ";v=1", "/a\u{7f}"] {
            let other = good.replace("person-lookup\r\n", &format!("person-lookup{target}\r\n"));
            assert!(RequestHead::parse(other.as_bytes()).is_err(), "{target}");
        }
    }

    #[test]
    fn a_value_cannot_smuggle_a_second_header() {
        let sly = RequestHead {
            on_behalf: "x\r\nSen-Agreement:00".into(),
            ..head()
        };
        let read = RequestHead::parse(&sly.to_bytes()).expect("one line");
        assert_eq!(read.agreement, head().agreement);
    }

    #[test]
    fn a_head_with_anything_added_left_out_or_turned_is_refused() {
        let good = String::from_utf8(head().to_bytes()).expect("text");
        for bad in [
            good.replace("POST", "get"),
            good.replace("POST", "CONNECT"),
            good.replace("/r1/VN/GOV/", "/r1/VN/GOV/../"),
            good.replace("X-Road-Client:", "x-road-client:"),
            format!("{good}X-Extra:1\r\n"),
            good.replace("\r\n", "\n"),
            good.replace("Sen-Sent:2026", "Sen-Sent: 2026"),
            String::new(),
        ] {
            assert!(RequestHead::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
