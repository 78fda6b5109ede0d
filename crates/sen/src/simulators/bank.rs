//! A bank that collects fees: SIMULATOR for development. It makes orders with a QR code, shows a payer a
//! page on which to pay, and tells the merchant with a signed notice, again and again until it is heard.
//! No money moves. Its QR code has the form of EMV merchant codes as banks of the country use it (from
//! memory of the published form), and names an account that does not exist.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use cases::payment::{NOTICE_TYPE, Notice, Order, OrderState, Wanted};
use kernel::{Time, World};
use seal::jws;
use seal::key::SigningKey;
use web::client::Client;

/// How long an order can be paid, in milliseconds (15 minutes).
const ORDER_MS: i64 = 900_000;
/// Orders kept at most, count; the oldest go first.
const ORDERS_MAX: usize = 10_000;
/// Between two tries to be heard, in milliseconds.
const RETRY_MS: u64 = 2_000;
/// Tries to be heard, count.
const TRIES_MAX: u32 = 30;

/// A merchant: its name and its secret.
pub struct Merchant {
    /// The name.
    pub name: String,
    /// What it proves itself with.
    pub secret: String,
}

#[derive(Clone)]
struct Bank(Arc<Inner>);

struct Inner {
    /// How it is reached, without a slash at the end.
    url: String,
    merchant: Merchant,
    key: SigningKey,
    world: World,
    client: Client,
    orders: Mutex<BTreeMap<String, Kept>>,
}

#[derive(Clone)]
struct Kept {
    wanted: Wanted,
    until: Time,
    paid_at: Option<Time>,
}

/// The simulator's routes at `url`; its notices are signed with `key`.
pub fn router(url: String, merchant: Merchant, key: SigningKey, world: World) -> Router {
    let bank = Bank(Arc::new(Inner {
        url,
        merchant,
        key,
        world,
        client: Client::plain(),
        orders: Mutex::default(),
    }));
    Router::new()
        .route("/orders", post(make))
        .route("/orders/{order}", get(state))
        .route("/pay/{order}", get(page).post(pay))
        .with_state(bank)
}

impl Bank {
    fn known(&self, headers: &HeaderMap) -> bool {
        let wanted = format!("Bearer {}:{}", self.0.merchant.name, self.0.merchant.secret);
        headers
            .get(header::AUTHORIZATION)
            .is_some_and(|given| given.as_bytes() == wanted.as_bytes())
    }

    fn orders(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Kept>> {
        self.0
            .orders
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn kept(&self, order: &str) -> Option<Kept> {
        self.orders().get(order).cloned()
    }

    /// A reference that was paid stays paid; one that waits is extended.
    fn keep(&self, wanted: &Wanted) -> (String, Time) {
        let number = wanted.reference.clone();
        let until = self.0.world.now().plus_ms(ORDER_MS);
        let mut orders = self.orders();
        if orders.len() >= ORDERS_MAX && !orders.contains_key(&number) {
            let oldest = orders
                .iter()
                .min_by_key(|(_, kept)| kept.until)
                .map(|(n, _)| n.clone());
            oldest.map(|oldest| orders.remove(&oldest));
        }
        let kept = orders.entry(number.clone()).or_insert_with(|| Kept {
            wanted: wanted.clone(),
            until,
            paid_at: None,
        });
        kept.until = until;
        (number, until)
    }

    /// The signed word on an order.
    fn notice(&self, order: &str, kept: &Kept) -> String {
        let state = match kept.paid_at {
            Some(_) => OrderState::Paid,
            None if kept.until < self.0.world.now() => OrderState::Expired,
            None => OrderState::Waiting,
        };
        let notice = Notice {
            reference: kept.wanted.reference.clone(),
            merchant: self.0.merchant.name.clone(),
            dong: kept.wanted.dong,
            state,
            paid_at: kept.paid_at,
            bank_reference: kept
                .paid_at
                .map(|_| format!("SIM{}", order.get(..10).unwrap_or(order))),
        };
        let payload = serde_json::to_vec(&notice).expect("texts and numbers are JSON");
        jws::sign(NOTICE_TYPE, "bank", &payload, &self.0.key)
    }

    /// Tells the merchant until it is heard.
    fn tell(&self, order: String, kept: Kept) {
        let bank = self.clone();
        tokio::spawn(async move {
            for _ in 0..TRIES_MAX {
                let request = axum::http::Request::builder()
                    .method("POST")
                    .uri(&kept.wanted.notify_url)
                    .header(header::CONTENT_TYPE, "application/jose")
                    .body(Bytes::from(bank.notice(&order, &kept)));
                let Ok(request) = request else { return };
                match bank.0.client.send(request, 5_000, 4_096).await {
                    Ok(answer) if !answer.status().is_server_error() => return,
                    _ => tokio::time::sleep(Duration::from_millis(RETRY_MS)).await,
                }
            }
        });
    }
}

async fn make(State(bank): State<Bank>, headers: HeaderMap, Json(wanted): Json<Wanted>) -> Response {
    if !bank.known(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (order, until) = bank.keep(&wanted);
    Json(Order {
        pay_url: format!("{}/pay/{order}", bank.0.url),
        qr: emv(wanted.dong, &wanted.description),
        order,
        until,
    })
    .into_response()
}

async fn state(State(bank): State<Bank>, headers: HeaderMap, Path(order): Path<String>) -> Response {
    if !bank.known(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match bank.kept(&order) {
        Some(kept) => bank.notice(&order, &kept).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn page(State(bank): State<Bank>, Path(order): Path<String>) -> Response {
    let Some(kept) = bank.kept(&order) else {
        return (
            StatusCode::NOT_FOUND,
            Html(shell("Không có lệnh thanh toán này / No such order", "")),
        )
            .into_response();
    };
    let back = escaped(&kept.wanted.return_url);
    let body = if kept.paid_at.is_some() {
        format!("<p><strong>Đã thanh toán / Paid</strong></p><p><a href=\"{back}\">Quay lại / Back</a></p>")
    } else {
        format!(
            "<form method=\"post\"><button>Thanh toán / Pay</button></form><p><a href=\"{back}\">Hủy / Cancel</a></p>"
        )
    };
    let what = format!(
        "<p>{} – {}</p>{body}",
        cases::payment::dong(kept.wanted.dong),
        escaped(&kept.wanted.description)
    );
    Html(shell("Thanh toán / Payment", &what)).into_response()
}

async fn pay(State(bank): State<Bank>, Path(order): Path<String>) -> Response {
    let now = bank.0.world.now();
    let paid = {
        let mut orders = bank.orders();
        let Some(kept) = orders.get_mut(&order) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        if kept.paid_at.is_none() && kept.until < now {
            return (
                StatusCode::GONE,
                Html(shell("Lệnh đã hết hạn / The order has expired", "")),
            )
                .into_response();
        }
        kept.paid_at.get_or_insert(now);
        kept.clone()
    };
    let back = paid.wanted.return_url.clone();
    bank.tell(order, paid);
    Redirect::to(&back).into_response()
}

fn shell(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"vi\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><style>body{{font:1.1rem/1.5 system-ui,sans-serif;margin:1rem auto;\
         max-width:32rem;padding:0 1rem}}button{{font:inherit;padding:.6rem 1.2rem}}</style><title>SIMULATOR – {title}</title></head><body><main>\
         <p><strong>NGÂN HÀNG MÔ PHỎNG – không có tiền thật / BANK SIMULATOR – no money moves</strong></p>\
         <h1>{title}</h1>{body}</main></body></html>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

/// A merchant-presented code: tag, length, value; the last is a CRC-16/CCITT-FALSE over all before it.
fn emv(dong: u64, description: &str) -> String {
    let field = |tag: &str, value: &str| format!("{tag}{:02}{value}", value.len());
    let account = field("00", "970400") + &field("01", "0000000000SIM");
    let merchant = field("00", "A000000727") + &field("01", &account) + &field("02", "QRIBFTTA");
    let mut code = field("00", "01") + &field("01", "12") + &field("38", &merchant);
    code += &(field("53", "704") + &field("54", &dong.to_string()) + &field("58", "VN"));
    code += &field("62", &field("08", description));
    code.push_str("6304");
    let crc = crc(code.as_bytes());
    write!(code, "{crc:04X}").expect("a string takes every write");
    code
}

fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc: u16, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_is_that_of_the_published_vector() {
        assert_eq!(crc(b"123456789"), 0x29B1);
    }

    #[test]
    fn a_code_names_currency_amount_and_case() {
        let code = emv(16_000, "G22-261121-0001");
        assert!(code.starts_with("000201010212"));
        assert!(code.contains("5303704") && code.contains("540516000") && code.contains("G22-261121-0001"));
        let (body, sum) = code.split_at(code.len() - 4);
        assert_eq!(format!("{:04X}", crc(body.as_bytes())), sum);
    }
}
