//! Steps of cases on their way to their applicants, with messengers that keep what they are given.

use std::sync::Arc;
use std::time::Duration;

use ::store::OutboxLine;
use kernel::Kind;
use serde_json::{Value, json};

use crate::contact::Way;
use crate::telling::{Gate, Message, Messenger as _, Tell};
use crate::testing::{FakeMessenger, Portal, lan};

/// The first line in line for a way.
async fn line(portal: &Portal, way: Way) -> Option<OutboxLine> {
    let lines = portal.cases.store.outbox_waiting(&portal.cases.tenant).await;
    let mut lines = lines.expect("lines").into_iter();
    lines.find(|line| line.topic == way.topic())
}

/// Delivers everything of a way, as the outbox does it when nothing fails.
async fn deliver(portal: &Portal, way: Way) {
    let tell = Tell::new(&portal.cases, way);
    while let Some(line) = line(portal, way).await {
        if line.next_at > portal.cases.store.world().now() {
            return;
        }
        ::store::Deliver::deliver(&tell, &line).await.expect("delivered");
        portal.cases.store.outbox_done(&line).await.expect("done");
    }
}

/// What came of each use of an address, newest first.
async fn states(portal: &Portal) -> Vec<String> {
    let mine = portal.get(Some(&lan()), "/api/v1/contact").await.json();
    let uses = mine["uses"].as_array().expect("a list").iter();
    let states = uses.map(|one| {
        format!(
            "{} {}",
            one["kind"].as_str().unwrap_or(""),
            one["state"].as_str().unwrap_or("")
        )
    });
    states.collect()
}

#[tokio::test]
async fn a_step_goes_once_by_each_way_and_says_no_more_than_code_and_step() {
    let portal = Portal::new().await;
    portal.reached(&lan(), "email", "lan@example.vn").await;
    portal.reached(&lan(), "sms", "0912345678").await;
    let code = portal.filed(&lan()).await;
    for way in Way::ALL {
        let again = line(&portal, way).await.expect("a line");
        deliver(&portal, way).await;
        ::store::Deliver::deliver(&Tell::new(&portal.cases, way), &again)
            .await
            .expect("and again, after a crash");
    }
    let (mail, sms) = (portal.sent("email"), portal.sent("sms"));
    assert_eq!((mail.len(), sms.len()), (2, 2), "the code, and the step");
    assert_eq!(mail[1].subject, "Hồ sơ đã được nộp");
    assert!(
        mail[1].text.contains(&format!("http://portal.test/cases/{code}")),
        "{}",
        mail[1].text
    );
    assert_eq!(sms[1].text, format!("Hồ sơ {code} đã được nộp."));
    for message in [&mail[1], &sms[1]] {
        for personal in ["Lan", "Minh Anh", "khai sinh", "038198000001"] {
            assert!(!message.text.contains(personal), "{}", message.text);
        }
    }
    let facts = portal.facts("contact/lan").await;
    assert_eq!(facts.iter().filter(|fact| *fact == "notice-sent").count(), 2);
    let inbox = portal.get(Some(&lan()), "/api/v1/inbox").await.json();
    let sent = json!([{"way": "email", "state": "sent"}, {"way": "sms", "state": "sent"}]);
    assert_eq!(inbox["items"][0]["told"], sent);
}

#[tokio::test]
async fn a_gateway_that_was_away_for_an_hour_gets_each_message_once() {
    let portal = Portal::new().await;
    portal.reached(&lan(), "email", "lan@example.vn").await;
    portal.reached(&lan(), "sms", "0912345678").await;
    portal.gateway_away(true);
    let code = portal.filed(&lan()).await;
    portal
        .note(&code, json!({"seq": 1, "status": 2}))
        .await
        .expect("noted");
    let tells: Vec<Arc<dyn ::store::Deliver>> = Way::ALL
        .into_iter()
        .map(|way| Arc::new(Tell::new(&portal.cases, way)) as Arc<dyn ::store::Deliver>)
        .collect();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let runner = portal.cases.store.run_outbox(tells, stopped);
    let failed = async || {
        let line = line(&portal, Way::Sms).await.expect("it stays in line");
        line.attempts
    };
    for _ in 0..6 {
        portal.later(600_000);
        let before = failed().await;
        for _ in 0..2_000 {
            if failed().await > before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    assert!(failed().await > 3, "tried again and again: {}", failed().await);
    assert_eq!(portal.sent("email").len(), 1, "the code alone");
    portal.gateway_away(false);
    for _ in 0..1_500 {
        portal.later(10_000);
        if portal.sent("email").len() == 3 && portal.sent("sms").len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.send(true).expect("running");
    runner.await.expect("stopped");
    for way in ["email", "sms"] {
        let sent = portal.sent(way);
        let texts: Vec<&str> = sent.iter().skip(1).map(|message| message.text.as_str()).collect();
        assert_eq!(texts.len(), 2, "{way}: {texts:?}");
        assert!(
            texts[0].contains("đã được nộp") && texts[1].contains("tiếp nhận"),
            "in order: {texts:?}"
        );
    }
}

#[tokio::test]
async fn what_a_gateway_refuses_or_cannot_take_for_a_day_is_shown_and_holds_nothing_up() {
    let portal = Portal::new().await;
    portal.reached(&lan(), "email", "lan@example.vn").await;
    portal.reached(&lan(), "sms", "0912345678").await;
    portal.filed(&lan()).await;
    portal.gateway_refuses("email");
    deliver(&portal, Way::Email).await;
    portal.gateway_away(true);
    let waiting = line(&portal, Way::Sms).await.expect("a line");
    let tell = Tell::new(&portal.cases, Way::Sms);
    let told = ::store::Deliver::deliver(&tell, &waiting).await;
    assert_eq!(told.expect_err("later").kind, Kind::Unavailable);
    portal.later(portal.cases.store.limits().notice_ms_max + 1);
    ::store::Deliver::deliver(&tell, &waiting)
        .await
        .expect("given up");
    let facts = portal.facts("contact/lan").await;
    assert_eq!(facts.iter().filter(|fact| *fact == "notice-failed").count(), 2);
    let page = portal.get(Some(&lan()), "/inbox").await.body;
    assert_eq!(page.matches("không gửi được").count(), 2, "{page}");
    let mine = portal.get(Some(&lan()), "/api/v1/contact").await.json();
    let why: Vec<&Value> = mine["uses"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["why"])
        .collect();
    assert!(
        why.contains(&&json!("notice-refused")) && why.contains(&&json!("notice-late")),
        "{why:?}"
    );
}

#[tokio::test]
async fn a_storm_is_one_message_of_the_next_morning() {
    let portal = Portal::with_notices(1).await;
    portal.reached(&lan(), "sms", "0912345678").await;
    portal.later(1_000);
    for _ in 0..3 {
        portal.filed(&lan()).await;
    }
    // The code was the day's one message.
    deliver(&portal, Way::Sms).await;
    assert_eq!(portal.sent("sms").len(), 1);
    let gathered = states(&portal).await;
    assert_eq!(
        gathered.iter().filter(|state| *state == "filed gathered").count(),
        3,
        "{gathered:?}"
    );
    let waits = line(&portal, Way::Sms).await.expect("the morning's");
    assert_eq!(
        (waits.key.as_str(), waits.next_at.minute_of_day()),
        ("lan/digest", 7 * 60)
    );
    portal.later(waits.next_at.ms() - portal.cases.store.world().now().ms());
    deliver(&portal, Way::Sms).await;
    let sent = portal.sent("sms");
    assert!(
        sent.len() == 2 && sent[1].text.contains("Còn 3 bước khác"),
        "{sent:?}"
    );
    assert!(line(&portal, Way::Sms).await.is_none());
}

#[tokio::test]
async fn an_address_that_is_gone_is_told_nothing_and_a_step_that_does_not_matter_to_some() {
    let portal = Portal::new().await;
    portal.reached(&lan(), "email", "lan@example.vn").await;
    let code = portal.filed(&lan()).await;
    portal.post(Some(&lan()), "/contact/email/remove", &[]).await;
    deliver(&portal, Way::Email).await;
    assert_eq!(portal.sent("email").len(), 1, "the code alone");
    portal.later(1_000);
    portal.reached(&lan(), "email", "lan@example.vn").await;
    let matters = [
        ("address", "lan@example.vn"),
        ("scope", "matters"),
        ("lang", "en"),
    ];
    portal.post(Some(&lan()), "/contact/email", &matters).await;
    portal
        .note(&code, json!({"seq": 1, "status": 2}))
        .await
        .expect("noted");
    portal
        .note(&code, json!({"seq": 2, "status": 9}))
        .await
        .expect("noted");
    deliver(&portal, Way::Email).await;
    let subjects: Vec<String> = portal
        .sent("email")
        .into_iter()
        .map(|message| message.subject)
        .collect();
    assert_eq!(subjects.last().map(String::as_str), Some("The result is ready"));
    assert_eq!(subjects.len(), 3, "two codes and the result: {subjects:?}");
}

#[tokio::test]
async fn a_gateway_that_does_not_answer_is_left_alone_for_a_while() {
    let fake = Arc::new(FakeMessenger::default());
    let gate = Gate::new(fake.clone());
    let message = |at| Message {
        id: "a".to_owned(),
        to: "lan@example.vn".to_owned(),
        subject: String::new(),
        text: String::new(),
        at,
    };
    fake.away(true);
    let now = testkit::START;
    assert!(gate.send(&message(now)).await.is_err());
    fake.away(false);
    fake.send(&message(now)).await.expect("it is there again");
    assert!(
        gate.send(&message(now.plus_ms(1_000))).await.is_err(),
        "nobody asks it yet"
    );
    gate.send(&message(now.plus_ms(5_001))).await.expect("sent");
    gate.send(&message(now.plus_ms(-60_000)))
        .await
        .expect("by a clock that was set back");
}

/// A server that says of each message that it may come later.
struct Later;

#[async_trait::async_trait]
impl crate::telling::Messenger for Later {
    async fn send(&self, _: &Message) -> Result<(), kernel::Problem> {
        Err(kernel::Problem::new(Kind::Unavailable, crate::telling::BUSY))
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_taken_now_keeps_no_other_from_being_sent() {
    let gate = Gate::new(Arc::new(Later));
    let message = Message {
        id: "ab".repeat(32),
        to: "lan@example.vn".to_owned(),
        subject: "Hồ sơ đã được nộp".to_owned(),
        text: "Hồ sơ G22-261121-0001 đã được nộp.".to_owned(),
        at: testkit::START,
    };
    for _ in 0..2 {
        let told = gate.send(&message).await.expect_err("later");
        assert_eq!(told.code, "notice-gateway-busy", "the gate is not closed");
    }
}
