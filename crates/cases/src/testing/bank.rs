//! A bank that pays when it is told to. Never in a release build.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use kernel::{Kind, Problem};
use seal::jws::{self, PublicKey};
use seal::key::SigningKey;
use web::client::Client;

use crate::payment::{Bank, HttpBank, NOTICE_TYPE, Notice, Order, OrderState, Wanted};

/// A bank without a socket; its notices are signed and read as a real one's.
#[derive(Debug, Default)]
pub(crate) struct FakeBank {
    wanted: std::sync::Mutex<Option<Wanted>>,
    paid: AtomicBool,
    away: AtomicBool,
}

fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(SigningKey::generate)
}

impl FakeBank {
    /// A notice as the bank signs it.
    pub(crate) fn sign(notice: &Notice) -> String {
        let payload = serde_json::to_vec(notice).expect("json");
        jws::sign(NOTICE_TYPE, "bank", &payload, key())
    }

    /// The same, signed by somebody else.
    pub(crate) fn forge(notice: &Notice) -> String {
        let payload = serde_json::to_vec(notice).expect("json");
        jws::sign(NOTICE_TYPE, "bank", &payload, &SigningKey::generate())
    }

    /// Somebody pays what was ordered.
    pub(crate) fn pay(&self) {
        self.paid.store(true, Ordering::SeqCst);
    }

    /// It answers nobody from now on.
    pub(crate) fn goes_away(&self) {
        self.away.store(true, Ordering::SeqCst);
    }

    fn answers(&self) -> Result<(), Problem> {
        if self.away.load(Ordering::SeqCst) {
            Err(Problem::new(Kind::Unavailable, "bank-unreachable"))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Bank for FakeBank {
    async fn order(&self, wanted: &Wanted) -> Result<Order, Problem> {
        self.answers()?;
        *self.wanted.lock().expect("whole") = Some(wanted.clone());
        Ok(Order {
            order: wanted.reference.clone(),
            pay_url: format!("http://bank.test/pay/{}", wanted.reference),
            qr: "000201".to_owned(),
            until: testkit::START.plus_ms(900_000),
        })
    }

    async fn state(&self, order: &str) -> Result<Notice, Problem> {
        self.answers()?;
        let wanted = self.wanted.lock().expect("whole").clone().expect("ordered");
        assert_eq!(wanted.reference, order);
        let paid = self.paid.load(Ordering::SeqCst);
        let notice = Notice {
            reference: wanted.reference,
            merchant: "G22".to_owned(),
            dong: wanted.dong,
            state: if paid {
                OrderState::Paid
            } else {
                OrderState::Waiting
            },
            paid_at: paid.then_some(testkit::START),
            bank_reference: paid.then(|| "SIM1".to_owned()),
        };
        self.read(&Self::sign(&notice))
    }

    fn read(&self, notice: &str) -> Result<Notice, Problem> {
        HttpBank::new(
            Client::plain(),
            String::new(),
            "G22".to_owned(),
            String::new(),
            PublicKey::of(key()),
        )
        .read(notice)
    }
}
