//! An owner's cases and a portal at the other end of the line: one of another make that does as told, or ours.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use exchange::{Answer, Ask, Heard, ServiceId, SystemId};
use kernel::{Kind, Problem, Time};
use serde_json::{Value, json};

use crate::national::dialect::{Dialects, Speaks};
use crate::testing::wire;
use crate::{Asker, Cases};

/// What becomes of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::national) enum Fate {
    /// The other end says no, with a code of its own.
    Refused(&'static str),
    /// It never gets there.
    Lost,
    /// It gets there, and the answer is lost.
    Unanswered,
    /// It gets there twice.
    Doubled,
    /// What comes back is no answer.
    Garbage,
}

/// The line.
#[derive(Default)]
pub(in crate::national) struct Line {
    /// Our portal; one of another make when there is none.
    pub(in crate::national) portal: Option<Cases>,
    /// The fates of the next messages; all is well when there is none.
    pub(in crate::national) fates: Mutex<VecDeque<Fate>>,
    /// What got there: the service and the body.
    pub(in crate::national) heard: Mutex<Vec<(String, Value)>>,
}

impl Line {
    pub(in crate::national) fn fate(&self, fates: &[Fate]) {
        self.fates.lock().expect("whole").extend(fates);
    }

    /// What got there since the last look: service, `isUpdating`, status.
    pub(in crate::national) fn heard(&self) -> Vec<(String, String, String)> {
        let heard = std::mem::take(&mut *self.heard.lock().expect("whole"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let one = |(service, body): (String, Value)| {
            let item = &body["data"][0];
            let status = item.get("TrangThai").unwrap_or(&item["TrangThaiHoSo"]);
            (service, text(&body["isUpdating"]), text(status))
        };
        heard.into_iter().map(one).collect()
    }

    async fn pass(&self, ask: &Ask) -> Result<Answer, Problem> {
        let body: Value = serde_json::from_slice(&ask.body).expect("json");
        let name = ask.service.service.clone();
        self.heard.lock().expect("whole").push((name, body.clone()));
        let Some(portal) = &self.portal else {
            return Answer::json(&json!({"error_code": "0", "message": "Thành công"}));
        };
        let services = portal.services();
        let service = services.iter().find(|service| service.id() == ask.service);
        let issue = ask.issue.clone().unwrap_or_default();
        let call = wire::call(
            &ask.consumer.to_string(),
            &ask.service,
            &issue,
            &body,
            testkit::START,
        );
        service.expect("offered").call(call).await
    }
}

#[async_trait]
impl Asker for Line {
    async fn ask(&self, ask: Ask) -> Result<Heard, Problem> {
        let away = || Problem::new(Kind::Unavailable, "provider-unreachable");
        let fate = self.fates.lock().expect("whole").pop_front();
        let answer = match fate {
            Some(Fate::Lost) => return Err(away()),
            Some(Fate::Refused(code)) => Answer::json(&json!({"error_code": code}))?,
            Some(Fate::Garbage) => Answer::json(&json!("<html>"))?,
            Some(Fate::Unanswered) => {
                drop(self.pass(&ask).await);
                return Err(away());
            }
            Some(Fate::Doubled) => {
                drop(self.pass(&ask).await);
                self.pass(&ask).await?
            }
            None => self.pass(&ask).await?,
        };
        Ok(Heard {
            status: answer.status,
            media: answer.media,
            body: answer.body,
            request: "0".repeat(32),
            position: ("evidence-0".to_owned(), 0),
        })
    }

    fn may_ask(&self, _: &SystemId, _: &ServiceId, _: Time) -> bool {
        true
    }
}

/// That the sample province speaks the national messages to the portal since a day.
pub(in crate::national) fn speaks(from: &str) -> Dialects {
    let one = Speaks {
        owner: "H56".parse().expect("a code"),
        portal: "G22/portal".to_owned(),
        from: from.to_owned(),
        to: None,
        source: "a test".to_owned(),
    };
    Dialects::of(vec![one]).expect("a day")
}

/// Nobody needs to be asked.
pub(in crate::national) fn quiet() -> Arc<Line> {
    Arc::new(Line::default())
}
