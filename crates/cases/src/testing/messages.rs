//! Messengers that keep what they are given, and citizens who are reached by them. Never in a release build.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use kernel::{Kind, Problem};

use crate::payment::{Notice, OrderState};
use crate::store as rows;
use crate::telling::{Message, Messenger};
use crate::testing::{FakeBank, Portal, Who};

/// A messenger without a socket.
#[derive(Debug, Default)]
pub(crate) struct FakeMessenger {
    sent: Mutex<Vec<Message>>,
    away: AtomicBool,
    refuses: AtomicBool,
}

impl FakeMessenger {
    /// What it was given, in order.
    pub(crate) fn sent(&self) -> Vec<Message> {
        self.sent.lock().expect("whole").clone()
    }

    /// It answers nobody, or everybody again.
    pub(crate) fn away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// It takes no message any more.
    pub(crate) fn refuses(&self) {
        self.refuses.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Messenger for FakeMessenger {
    async fn send(&self, message: &Message) -> Result<(), Problem> {
        if self.away.load(Ordering::SeqCst) {
            return Err(Problem::new(Kind::Unavailable, "notice-gateway-away"));
        }
        if self.refuses.load(Ordering::SeqCst) {
            return Err(Problem::new(Kind::Invalid, "notice-refused"));
        }
        self.sent.lock().expect("whole").push(message.clone());
        Ok(())
    }
}

impl Portal {
    fn messenger(&self, way: &str) -> &FakeMessenger {
        match way {
            "email" => &self.email,
            _ => &self.sms,
        }
    }

    /// What went out by a way.
    pub(crate) fn sent(&self, way: &str) -> Vec<Message> {
        self.messenger(way).sent()
    }

    /// Both gateways answer nobody, or everybody again.
    pub(crate) fn gateway_away(&self, away: bool) {
        self.email.away(away);
        self.sms.away(away);
    }

    /// A gateway takes nothing any more.
    pub(crate) fn gateway_refuses(&self, way: &str) {
        self.messenger(way).refuses();
    }

    /// The code in the last message of a way.
    pub(crate) fn code(&self, way: &str) -> String {
        let text = self.sent(way).last().expect("a message").text.clone();
        let digits = text.split(|c: char| !c.is_ascii_digit());
        let code = digits.filter(|run| run.len() == 6).map(str::to_owned).next();
        code.unwrap_or_else(|| panic!("no code in {text}"))
    }

    /// A citizen who is told of every step at an address.
    pub(crate) async fn reached(&self, who: &Who, way: &str, address: &str) {
        let path = format!("/contact/{way}");
        let went = self.post(Some(who), &path, &[("address", address)]).await;
        assert_eq!(went.status, 303, "{}", went.body);
        let code = self.code(way);
        let path = format!("{path}/confirm");
        let went = self.post(Some(who), &path, &[("code", code.as_str())]).await;
        assert_eq!(went.status, 303, "{}", went.body);
    }

    /// Time goes on.
    pub(crate) fn later(&self, ms: i64) {
        self.temp.clock.advance_ms(ms);
    }

    /// A filed case with a fee that is owed.
    pub(crate) async fn with_fee(&self, who: &Who) -> String {
        let went = self.post(Some(who), "/procedures/2.000635/start", &[]).await;
        let path = went.location();
        let person = &[
            ("person_name", "Nguyễn Minh Anh"),
            ("person_number", "038326000001"),
            ("relation", "parent"),
        ];
        let copies = &[("copies", "2"), ("receive_at", "xã Hoằng Hóa, tỉnh Thanh Hóa")];
        for (page, fields) in [("person", &person[..]), ("copies", &copies[..])] {
            let revision = self.revision(who, &path).await;
            let went = self.page(who, &path, page, revision, fields).await;
            assert_eq!(went.status, 303, "{page}: {}", went.body);
        }
        let went = self.file(who, &path).await;
        let code = went.location();
        code.trim_start_matches("/cases/")
            .trim_end_matches("/pay")
            .to_owned()
    }

    /// The bank says that the fee of a case is paid.
    pub(crate) async fn paid(&self, code: &str) {
        let reader = self.cases.store.read(&self.cases.tenant).await.expect("a reader");
        let payment = rows::payment_of(&reader, &code.parse().expect("a code")).await;
        let payment = payment.expect("read").expect("a fee");
        let notice = Notice {
            reference: payment.id.clone(),
            merchant: "G22".to_owned(),
            dong: payment.dong,
            state: OrderState::Paid,
            paid_at: Some(testkit::START),
            bank_reference: Some("SIM1".to_owned()),
        };
        let token = FakeBank::sign(&notice);
        let told = self.send_text(None, "/payments/notify", &token).await;
        assert_eq!(told.status, 204, "{}", told.body);
    }
}
