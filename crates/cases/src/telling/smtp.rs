//! E-mail by SMTP (RFC 5321), over TLS unless the server is on this machine: one plain text to one address. Writes the
//! message itself, from values that are there; never logs an address or what a server says of one.

use std::fmt::Write as _;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Kind, Problem};
use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use time::format_description::well_known::Rfc2822;

use crate::telling::{BUSY, Message, Messenger};

/// The longest wait for one answer of the server, in milliseconds.
const COMMAND_MS: u64 = 8_000;
/// Bytes of text in one encoded word of a header (RFC 2047): 75 characters with what stands around them.
const WORD_BYTES: usize = 42;
/// Characters on one line of an encoded body (RFC 2045).
const LINE_CHARS: usize = 76;

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte (port 465).
    Wrapped,
    /// STARTTLS before anything is said (port 587); without it nothing is sent.
    Starttls,
    /// None: for a server on this machine.
    Plain,
}

/// A server, and how it knows us.
#[derive(Clone)]
pub struct SmtpServer {
    /// Its name, as its certificate has it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// The roots of its certificate, DER.
    pub roots: Vec<Vec<u8>>,
    /// Our name there and its secret; nothing where it asks for none.
    pub sign_in: Option<(String, String)>,
    /// The address that messages come from.
    pub from: String,
}

/// Sends e-mail through a server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Smtp(from {})", self.from)
    }
}

impl Smtp {
    /// For a server.
    ///
    /// # Errors
    /// What of it cannot be used, in words for who wrote the configuration.
    pub fn new(server: &SmtpServer) -> Result<Self, String> {
        let from: Address = server
            .from
            .parse()
            .map_err(|_| format!("{} is no e-mail address", server.from))?;
        let domain = from.domain().to_owned();
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host.clone())
            .port(server.port)
            .hello_name(ClientId::Domain(domain))
            .timeout(Some(Duration::from_millis(COMMAND_MS)))
            .tls(tls(server)?);
        if let Some((user, secret)) = &server.sign_in {
            builder = builder.credentials(Credentials::new(user.clone(), secret.clone()));
        }
        Ok(Self {
            transport: builder.build(),
            from,
        })
    }
}

fn tls(server: &SmtpServer) -> Result<Tls, String> {
    if server.tls == SmtpTls::Plain {
        return Ok(Tls::None);
    }
    let bad = |cause: lettre::transport::smtp::Error| cause.to_string();
    // Only the roots that are named: a machine's own list would trust more than the configuration says.
    let mut parameters =
        TlsParameters::builder(server.host.clone()).certificate_store(CertificateStore::None);
    for root in &server.roots {
        parameters = parameters.add_root_certificate(Certificate::from_der(root.clone()).map_err(bad)?);
    }
    let parameters = parameters.build().map_err(bad)?;
    Ok(match server.tls {
        SmtpTls::Wrapped => Tls::Wrapper(parameters),
        SmtpTls::Starttls | SmtpTls::Plain => Tls::Required(parameters),
    })
}

#[async_trait]
impl Messenger for Smtp {
    async fn send(&self, message: &Message) -> Result<(), Problem> {
        let refused = |why: &str| Problem::new(Kind::Invalid, "notice-refused").because(why);
        let to: Address = message.to.parse().map_err(|_| refused("no address"))?;
        let envelope = Envelope::new(Some(self.from.clone()), vec![to]);
        let envelope = envelope.map_err(|_| refused("no envelope"))?;
        let mail = mail(&self.from, message)?;
        match self.transport.send_raw(&envelope, mail.as_bytes()).await {
            Ok(_) => Ok(()),
            Err(cause) => Err(problem(&cause)),
        }
    }
}

/// What an answer of the server means. A refused sign-in is our fault and may be mended: only what is said of the
/// message is final. The server's words may hold the address, so that its code alone is logged.
fn problem(cause: &lettre::transport::smtp::Error) -> Problem {
    let code = cause.status().map(|code| code.to_string()).unwrap_or_default();
    if cause.is_permanent() && !code.starts_with("53") {
        return Problem::new(Kind::Invalid, "notice-refused").because(code);
    }
    // A full mailbox is one address's matter; 421, which a server says before it closes, is everybody's.
    if cause.is_transient() && code != "421" {
        return Problem::new(Kind::Unavailable, BUSY).because(code);
    }
    let away = Problem::new(Kind::Unavailable, "notice-gateway-away");
    if code.is_empty() {
        away.because(if cause.is_timeout() {
            "no answer in time"
        } else {
            "no connection"
        })
    } else {
        away.because(code)
    }
}

/// The message as it is sent (RFC 5322).
fn mail(from: &Address, message: &Message) -> Result<String, Problem> {
    let date = message.at.utc().format(&Rfc2822).map_err(Problem::internal)?;
    let id = message.id.get(..32).unwrap_or(&message.id);
    let mut mail = String::new();
    let heads = [
        ("From", format!("<{from}>")),
        ("To", format!("<{}>", message.to)),
        ("Subject", subject(&message.subject)),
        ("Date", date),
        ("Message-ID", format!("<{id}@{}>", from.domain())),
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("MIME-Version", "1.0".to_owned()),
        ("Content-Type", "text/plain; charset=utf-8".to_owned()),
        ("Content-Transfer-Encoding", "base64".to_owned()),
    ];
    for (name, value) in heads {
        write!(mail, "{name}: {value}\r\n").map_err(Problem::internal)?;
    }
    mail.push_str("\r\n");
    let body = STANDARD.encode(message.text.replace('\n', "\r\n"));
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE_CHARS));
        mail.push_str(line);
        mail.push_str("\r\n");
        rest = after;
    }
    Ok(mail)
}

/// A subject in encoded words, none of which cuts a character.
fn subject(text: &str) -> String {
    let mut words = vec![String::new()];
    for c in text.chars().filter(|c| !c.is_control()) {
        if words
            .last()
            .is_some_and(|word| word.len() + c.len_utf8() > WORD_BYTES)
        {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let encoded = words
        .iter()
        .map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
    encoded.collect::<Vec<_>>().join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_plain_text_that_no_value_can_break_out_of() {
        let message = Message {
            id: "ab".repeat(32),
            to: "lan@example.vn".to_owned(),
            subject: "Hồ sơ đã được tiếp nhận\r\nBcc: ai@example.vn và một dòng rất dài nữa".to_owned(),
            text: "Dòng một\n.\nDòng ba".to_owned(),
            at: testkit::START,
        };
        let from: Address = "thong-bao@example.vn".parse().expect("an address");
        let mail = mail(&from, &message).expect("a message");
        let (heads, body) = mail.split_once("\r\n\r\n").expect("heads and a body");
        assert!(!heads.contains("Bcc:"), "{heads}");
        assert!(
            heads.contains(&format!("Message-ID: <{}@example.vn>", "ab".repeat(16))),
            "{heads}"
        );
        assert!(heads.lines().all(|line| line.len() <= 78), "{heads}");
        let text = STANDARD.decode(body.replace("\r\n", "")).expect("base64");
        assert_eq!(String::from_utf8(text).expect("text"), "Dòng một\r\n.\r\nDòng ba");
    }

    #[test]
    fn a_server_is_reached_over_tls_by_the_roots_that_are_named() {
        let server = SmtpServer {
            host: "smtp.example.vn".to_owned(),
            port: 465,
            tls: SmtpTls::Wrapped,
            roots: vec![b"no certificate".to_vec()],
            sign_in: Some(("sen".to_owned(), "secret".to_owned())),
            from: "thong-bao@example.vn".to_owned(),
        };
        assert!(Smtp::new(&server).is_err(), "a root that is none");
        let whole = SmtpServer {
            roots: Vec::new(),
            ..server.clone()
        };
        let shown = format!("{:?}", Smtp::new(&whole).expect("a server"));
        assert!(!shown.contains("secret"), "{shown}");
        let from = SmtpServer {
            from: "nobody".to_owned(),
            ..whole
        };
        assert!(Smtp::new(&from).expect_err("no address").contains("nobody"));
    }
}
