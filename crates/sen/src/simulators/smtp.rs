//! A mail server that speaks what a sender needs of SMTP (RFC 5321: EHLO, MAIL, RCPT, DATA, RSET, NOOP, QUIT and the SIZE
//! of RFC 1870): SIMULATOR for development, on a loopback address. Keeps what it is given; delivers nothing anywhere.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::World;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::messages::{Heard, Kept};

/// The longest message, in bytes.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// The longest line, in bytes.
const LINE_BYTES_MAX: u64 = 2_000;
/// Recipients of one message at most, count.
const RECIPIENTS_MAX: usize = 10;
/// Connections at the same time, count.
const CONNECTIONS_MAX: usize = 64;
/// How long a sender may stay silent.
const SILENCE: Duration = Duration::from_secs(30);

/// Takes messages until `stop` turns true.
pub async fn serve(listener: TcpListener, kept: Kept, world: World, mut stop: watch::Receiver<bool>) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let stream = tokio::select! {
            () = async { drop(stop.wait_for(|stop| *stop).await) } => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "the mail simulator cannot accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else {
            continue;
        };
        let (kept, world) = (kept.clone(), world.clone());
        tokio::spawn(async move {
            if let Err(error) = converse(stream, &kept, &world).await {
                tracing::debug!(%error, "a sender of mail went away");
            }
            drop(seat);
        });
    }
}

/// One connection.
struct Talk {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    greeted: bool,
    from: Option<String>,
    to: Vec<String>,
}

async fn converse(stream: TcpStream, kept: &Kept, world: &World) -> io::Result<()> {
    let (reader, writer) = stream.into_split();
    let mut talk = Talk {
        reader: BufReader::new(reader),
        writer,
        greeted: false,
        from: None,
        to: Vec::new(),
    };
    talk.say("220 localhost ESMTP SIMULATOR").await?;
    while let Some(line) = talk.line().await? {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let verb = line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        match verb.as_str() {
            "QUIT" => return talk.say("221 bye").await,
            "DATA" => talk.data(kept, world).await?,
            _ => {
                let answer = talk.answer(&verb, &line);
                talk.say(&answer).await?;
            }
        }
    }
    Ok(())
}

impl Talk {
    async fn say(&mut self, answer: &str) -> io::Result<()> {
        self.writer.write_all(answer.as_bytes()).await?;
        self.writer.write_all(b"\r\n").await?;
        self.writer.flush().await
    }

    /// A line without its end; nothing when the sender has gone.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.reader).take(LINE_BYTES_MAX);
        let read = tokio::time::timeout(SILENCE, bounded.read_until(b'\n', &mut line)).await;
        if read.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?? == 0 {
            return Ok(None);
        }
        if line.pop() != Some(b'\n') {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(line))
    }

    /// The answer to a command that has no text behind it.
    fn answer(&mut self, verb: &str, line: &str) -> String {
        match verb {
            "EHLO" => {
                self.greeted = true;
                self.reset();
                format!("250-localhost\r\n250-8BITMIME\r\n250 SIZE {MESSAGE_BYTES_MAX}")
            }
            "HELO" => {
                self.greeted = true;
                self.reset();
                "250 localhost".to_owned()
            }
            "MAIL" => self.mail(line).to_owned(),
            "RCPT" => self.recipient(line).to_owned(),
            "RSET" => {
                self.reset();
                "250 ok".to_owned()
            }
            "NOOP" => "250 ok".to_owned(),
            _ => "502 not known here".to_owned(),
        }
    }

    fn reset(&mut self) {
        self.from = None;
        self.to.clear();
    }

    fn mail(&mut self, line: &str) -> &'static str {
        if !self.greeted || self.from.is_some() {
            return "503 not now";
        }
        let Some((from, parameters)) = path(line) else {
            return "501 MAIL FROM:<address>";
        };
        let size = parameters.split(' ').find_map(|one| one.strip_prefix("SIZE="));
        if size.is_some_and(|size| size.parse::<usize>().is_ok_and(|size| size > MESSAGE_BYTES_MAX)) {
            return "552 too large";
        }
        self.from = Some(from.to_owned());
        "250 ok"
    }

    fn recipient(&mut self, line: &str) -> &'static str {
        if self.from.is_none() {
            return "503 MAIL first";
        }
        match path(line) {
            Some((to, _)) if to.contains('@') => {
                if self.to.len() >= RECIPIENTS_MAX {
                    return "452 too many recipients";
                }
                self.to.push(to.to_owned());
                "250 ok"
            }
            _ => "553 no such address",
        }
    }

    /// The message, up to the line with a dot alone; what is too large is read to its end and refused.
    async fn data(&mut self, kept: &Kept, world: &World) -> io::Result<()> {
        if self.to.is_empty() {
            return self.say("503 RCPT first").await;
        }
        self.say("354 go on, a dot alone ends it").await?;
        let (mut raw, mut too_large) = (Vec::new(), false);
        loop {
            let Some(line) = self.line().await? else {
                return Ok(());
            };
            if line == b"." {
                break;
            }
            let line = line.strip_prefix(b".").unwrap_or(&line);
            too_large = too_large || raw.len() + line.len() + 2 > MESSAGE_BYTES_MAX;
            if !too_large {
                raw.extend_from_slice(line);
                raw.extend_from_slice(b"\r\n");
            }
        }
        let to = std::mem::take(&mut self.to);
        self.reset();
        if too_large {
            return self.say("552 too large").await;
        }
        for to in to {
            kept.keep(heard(&String::from_utf8_lossy(&raw), &to, world));
        }
        self.say("250 kept").await
    }
}

/// The address in a command's brackets, and what stands behind it.
fn path(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line.split_once('<')?;
    rest.split_once('>')
}

/// A message as the page shows it.
fn heard(raw: &str, to: &str, world: &World) -> Heard {
    let (heads, body) = raw.split_once("\r\n\r\n").unwrap_or((raw, ""));
    let heads = heads.replace("\r\n ", " ");
    let head = |name: &str| {
        let found = heads.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        });
        found.unwrap_or_default()
    };
    let text = if head("Content-Transfer-Encoding").eq_ignore_ascii_case("base64") {
        let bytes = STANDARD.decode(body.split_whitespace().collect::<String>());
        bytes.map_or_else(
            |_| body.to_owned(),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    } else {
        body.to_owned()
    };
    Heard {
        by: "SMTP".to_owned(),
        id: format!("{} {to}", head("Message-ID")),
        to: to.to_owned(),
        subject: words(&head("Subject")),
        text: text.replace("\r\n", "\n"),
        at: world.now().ms(),
    }
}

/// A header's encoded words (RFC 2047, base64 of UTF-8) read; anything else as it stands.
fn words(text: &str) -> String {
    let read = |word: &str| {
        let inner = word.strip_prefix("=?utf-8?B?")?.strip_suffix("?=")?;
        String::from_utf8(STANDARD.decode(inner).ok()?).ok()
    };
    let all: Option<Vec<String>> = text.split(' ').map(read).collect();
    all.map_or_else(|| text.to_owned(), |words| words.concat())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use cases::telling::gateway::Gateway;
    use cases::telling::smtp::{Smtp, SmtpServer, SmtpTls};
    use cases::telling::{Message, Messenger as _};
    use kernel::limits::Limits;
    use kernel::{Kind, Time};
    use web::client::Client;
    use web::listen::{self, Listener};

    use super::*;

    const KEY: &str = "0123456789abcdef";

    fn message(to: &str, text: &str) -> Message {
        Message {
            id: "ab".repeat(32),
            to: to.to_owned(),
            subject: "Hồ sơ đã được tiếp nhận, hẹn trả kết quả trong ngày".to_owned(),
            text: text.to_owned(),
            at: Time(1_795_228_200_000),
        }
    }

    async fn server() -> (Kept, u16, watch::Sender<bool>) {
        let (kept, world) = (Kept::default(), World::of_this_machine());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(serve(listener, kept.clone(), world, stopped));
        (kept, port, stop)
    }

    fn smtp(port: u16) -> Smtp {
        let server = SmtpServer {
            host: "127.0.0.1".to_owned(),
            port,
            tls: SmtpTls::Plain,
            roots: Vec::new(),
            sign_in: None,
            from: "thong-bao@cong.example".to_owned(),
        };
        Smtp::new(&server).expect("a server")
    }

    #[tokio::test]
    async fn an_email_goes_over_smtp_and_is_kept_once() {
        let (kept, port, _stop) = server().await;
        let smtp = smtp(port);
        let text = "Hồ sơ G22-261121-0001 đã được tiếp nhận.\n.\nXem tại cổng.";
        for _ in 0..2 {
            smtp.send(&message("lan@example.vn", text)).await.expect("taken");
        }
        let all = kept.to(Some("lan@example.vn"));
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].text, text);
        assert_eq!(
            all[0].subject,
            "Hồ sơ đã được tiếp nhận, hẹn trả kết quả trong ngày"
        );
        drop(smtp);
    }

    #[tokio::test]
    async fn what_is_too_large_is_refused_for_good_and_a_server_that_is_away_is_tried_again() {
        let (kept, port, stop) = server().await;
        let large = "a".repeat(MESSAGE_BYTES_MAX);
        let told = smtp(port).send(&message("lan@example.vn", &large)).await;
        assert_eq!(told.expect_err("refused").kind, Kind::Invalid);
        assert!(kept.to(None).is_empty());
        stop.send(true).expect("running");
        // Kept, so that nobody else listens there; it does not listen itself.
        let gone = tokio::net::TcpSocket::new_v4().expect("a socket");
        gone.bind(([127, 0, 0, 1], 0).into()).expect("a port");
        let port = gone.local_addr().expect("an address").port();
        let told = smtp(port).send(&message("lan@example.vn", "x")).await;
        assert_eq!(told.expect_err("nobody is there").kind, Kind::Unavailable);
    }

    #[tokio::test]
    async fn commands_out_of_their_order_are_refused() {
        let (kept, port, _stop) = server().await;
        let stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port)))
            .await
            .expect("connected");
        let (reader, mut writer) = stream.into_split();
        let mut reader = BufReader::new(reader).lines();
        let mut next = async || reader.next_line().await.expect("read").expect("a line");
        assert!(next().await.starts_with("220 "), "it says who it is");
        for (command, answer) in [
            ("MAIL FROM:<a@b.vn>", "503"),
            ("HELO me", "250"),
            ("RCPT TO:<a@b.vn>", "503"),
            ("DATA", "503"),
            ("MAIL FROM:<a@b.vn> SIZE=99999999", "552"),
            ("MAIL FROM:<a@b.vn>", "250"),
            ("RCPT TO:<nobody>", "553"),
            ("VRFY a", "502"),
            ("RSET", "250"),
            ("DATA", "503"),
            ("QUIT", "221"),
        ] {
            writer
                .write_all(format!("{command}\r\n").as_bytes())
                .await
                .expect("written");
            let told = next().await;
            assert!(told.starts_with(answer), "{command}: {told}");
        }
        assert!(kept.to(None).is_empty());
    }

    #[tokio::test]
    async fn an_sms_goes_over_the_gateway_once_and_a_bad_number_or_key_does_not() {
        let (kept, world) = (Kept::default(), World::of_this_machine());
        let listener = Listener::bind("127.0.0.1:0".parse().expect("an address"))
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr());
        let router = super::super::messages::router(kept.clone(), KEY, world);
        let (_stop, stopped) = watch::channel(false);
        tokio::spawn(async move { listen::serve(listener, None, router, &Limits::default(), stopped).await });
        let gateway = Gateway::new(Client::plain(), url.clone(), KEY.to_owned());
        for _ in 0..2 {
            gateway
                .send(&message("+84912345678", "Hồ sơ đã được nộp."))
                .await
                .expect("taken");
        }
        assert_eq!(kept.to(Some("+84912345678")).len(), 1);
        let told = gateway.send(&message("lan", "x")).await;
        assert_eq!(told.expect_err("no number").kind, Kind::Invalid);
        let stranger = Gateway::new(Client::plain(), url, "another".to_owned());
        let told = stranger.send(&message("+84912345678", "x")).await;
        assert_eq!(
            told.expect_err("a wrong key may be mended").kind,
            Kind::Unavailable
        );
    }
}
