//! Outbox topics `notice-email` and `notice-sms`: a step goes to the address that its citizen confirmed. Sent again
//! until it is taken, refused or a day old; more than a day's share becomes one message of the next morning. Each use
//! of an address is noted, and so is what came of it.

use ::store::{Deliver, OutboxLine};
use async_trait::async_trait;
use kernel::{Actor, Date, Fact, Kind, Problem, Time};
use serde_json::json;

use crate::contact::{Contact, State, Telling, Way};
use crate::inbox::Step;
use crate::state::Cases;
use crate::store::{self as rows, contacts};
use crate::telling::words::Place;
use crate::telling::{Message, Payload};

/// When the message of the day before goes out, as a minute of the day (07:00).
const MORNING_MINUTE: i64 = 420;
/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// How the use is called that tells what a busy day left.
const DIGEST: &str = "digest";

/// Delivers what goes by one way.
#[derive(Clone, Debug)]
pub struct Tell {
    cases: Cases,
    way: Way,
}

impl Tell {
    /// Of a place's cases, by a way.
    #[must_use]
    pub fn new(cases: &Cases, way: Way) -> Self {
        Self {
            cases: cases.clone(),
            way,
        }
    }
}

#[async_trait]
impl Deliver for Tell {
    fn topic(&self) -> &'static str {
        self.way.topic()
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        let Payload { account, id } =
            serde_json::from_value(line.payload.clone()).map_err(Problem::internal)?;
        let reader = self.cases.store.read(&line.tenant).await?;
        let telling = contacts::telling(&reader, &account, (self.way, &id)).await?;
        let Some(telling) = telling.filter(|telling| telling.state == State::Waiting) else {
            return Ok(());
        };
        if telling.kind != DIGEST && self.is_used_up(&reader, &account, telling.at).await? {
            return self.gather(&account, &telling).await;
        }
        let sent = match self.message(&reader, &account, &telling).await {
            Ok(message) => self.send(&message).await,
            Err(problem) => Err(problem),
        };
        let age_ms = self.cases.store.world().now().ms() - line.created.ms();
        match sent {
            Ok(()) => self.note(&account, &telling, State::Sent, None).await,
            Err(problem) if problem.kind == Kind::Invalid => {
                self.note(&account, &telling, State::Failed, Some(problem.code))
                    .await
            }
            Err(problem) if age_ms > self.cases.store.limits().notice_ms_max => {
                tracing::warn!(%problem, way = self.way.word(), "a notice was given up");
                self.note(&account, &telling, State::Failed, Some("notice-late"))
                    .await
            }
            Err(problem) => Err(problem),
        }
    }
}

impl Tell {
    async fn send(&self, message: &Message) -> Result<(), Problem> {
        match self.cases.messengers.of(self.way) {
            Some(gate) => gate.send(message).await,
            None => Err(Problem::invalid("way", "contact-way-off")),
        }
    }

    /// True when as much as a day allows was sent of what was put in line that day.
    async fn is_used_up(&self, rows: &impl rows::Rows, account: &str, at: Time) -> Result<bool, Problem> {
        let sent = contacts::count_tellings(rows, account, (self.way, State::Sent), day(at.date())).await?;
        Ok(sent >= self.cases.store.limits().notices_day_max)
    }

    /// What goes out, from the rows as they are now.
    async fn message(
        &self,
        rows: &impl rows::Rows,
        account: &str,
        telling: &Telling,
    ) -> Result<Message, Problem> {
        let contact = contacts::contact(rows, account, self.way).await?;
        let gone = || Problem::invalid("way", "contact-gone");
        let contact = contact.ok_or_else(gone)?;
        let to = contact.address.clone().ok_or_else(gone)?;
        let (places, link) = if telling.kind == DIGEST {
            let gathered = (self.way, State::Gathered);
            let on = day_of(&telling.id).ok_or_else(|| Problem::internal("a digest of no day"))?;
            let count = contacts::count_tellings(rows, account, gathered, day(on)).await?;
            (vec![("count", count.to_string())], "inbox".to_owned())
        } else {
            let entry = rows::inbox::entry(rows, account, &telling.id)
                .await?
                .ok_or_else(gone)?;
            let places = Step::places(&entry.step, entry.code.as_str(), contact.lang);
            (places, format!("cases/{}", entry.code))
        };
        let key = format!("telling/{account}/{}/{}", self.way.word(), telling.id);
        Ok(self
            .cases
            .written(&contact, (&telling.kind, &places), (to, &key, &link)))
    }

    /// Notes what came of a use, with its fact; once.
    async fn note(
        &self,
        account: &str,
        telling: &Telling,
        state: State,
        why: Option<&'static str>,
    ) -> Result<(), Problem> {
        let cases = &self.cases;
        cases
            .store
            .write(&cases.tenant, &Actor::Platform, |tx| async move {
                if !contacts::note_telling(&tx, account, (self.way, &telling.id), state, why).await? {
                    return Ok(());
                }
                let (case, channel, notice) = (
                    telling.code.clone(),
                    self.way.word().to_owned(),
                    telling.kind.clone(),
                );
                let fact = match why {
                    None => Fact::NoticeSent {
                        case,
                        channel,
                        notice,
                    },
                    Some(why) => Fact::NoticeFailed {
                        case,
                        channel,
                        notice,
                        why: why.to_owned(),
                    },
                };
                tx.fact(&subject(account), fact).await?;
                Ok(())
            })
            .await
    }

    /// Leaves a step to the one message of the next morning.
    async fn gather(&self, account: &str, telling: &Telling) -> Result<(), Problem> {
        let (cases, way) = (&self.cases, self.way);
        let today = telling.at.date();
        let digest = &Telling {
            way,
            id: format!("{DIGEST}/{}", kernel::time::iso(today)),
            kind: DIGEST.to_owned(),
            code: None,
            at: cases.store.world().now(),
            state: State::Waiting,
            done_at: None,
            why: None,
        };
        let (_, tomorrow) = day(today);
        let morning = Time::at(tomorrow.date(), MORNING_MINUTE);
        cases
            .store
            .write(&cases.tenant, &Actor::Platform, |tx| async move {
                contacts::note_telling(&tx, account, (way, &telling.id), State::Gathered, None).await?;
                if contacts::insert_telling(&tx, account, digest).await? {
                    let payload = json!({"account": account, "id": digest.id});
                    // A lane of its own: it has a term, and what comes in the meantime must not wait for that.
                    let lane = format!("{account}/{DIGEST}");
                    tx.outbox_at(way.topic(), &lane, &payload, morning).await?;
                }
                Ok(())
            })
            .await
    }
}

impl Cases {
    /// A message in a citizen's language and by their way, with a link below the portal's address.
    pub(crate) fn written(
        &self,
        contact: &Contact,
        (kind, places): (&str, &[Place]),
        (to, key, link): (String, &str, &str),
    ) -> Message {
        let words = self.catalogue.words();
        let said = words.say(kind, contact.lang, places);
        let text = match contact.way {
            Way::Sms => said.sms,
            Way::Email => {
                let foot = [
                    ("link", format!("{}/{link}", self.base_url)),
                    ("contact", format!("{}/contact", self.base_url)),
                ];
                let footer = words.say("footer", contact.lang, &foot);
                format!("{}\n\n-- \n{}\n", said.text, footer.text)
            }
        };
        Message {
            id: self.store.digest(&self.tenant, key).hex(),
            to,
            subject: said.title,
            text,
            at: self.store.world().now(),
        }
    }
}

/// Whose facts about being told these are.
pub(crate) fn subject(account: &str) -> String {
    format!("contact/{account}")
}

/// A civil day: from its first instant to that of the next.
fn day(on: Date) -> (Time, Time) {
    let from = Time::at(on, 0);
    (from, from.plus_ms(DAY_MS))
}

fn day_of(id: &str) -> Option<Date> {
    kernel::time::parse_iso(id.strip_prefix(DIGEST)?.strip_prefix('/')?)
}
