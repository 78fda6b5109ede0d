//! The services of a portal that owners speak the national messages to: many items are one write, each item is judged
//! by itself, and what was heard before changes nothing. Never takes a word about somebody else's case.

use std::collections::BTreeMap;

use ::store::Tx;
use async_trait::async_trait;
use exchange::{Call, Service, ServiceId, SystemId};
use kernel::{Actor, CaseCode, Fact, Kind, OrgCode, Problem, Time};
use seal::merkle;
use serde::Deserialize as _;
use serde_json::Value;

use super::case_item::CaseItem;
use super::judge::{Head, Judged, Known, Outcome, after, judge, order};
use super::message::{Answer, Envelope, Message, ProgressItem, Refused, Why, item_answer};
use super::store::{self as kept, Own, Stand, Synced};
use super::told::{self, Word};
use crate::citizen::course::ENDED;
use crate::portal::note_status::StatusNote;
use crate::state::Cases;
use crate::store::{self as rows, StatusRow};

/// The service of one message.
#[derive(Debug)]
pub struct National {
    pub(crate) cases: Cases,
    pub(crate) message: Message,
}

#[async_trait]
impl Service for National {
    fn id(&self) -> ServiceId {
        let system = &self.cases.system;
        ServiceId {
            org: system.org.clone(),
            system: system.system.clone(),
            service: self.message.service().to_owned(),
        }
    }

    async fn call(&self, call: Call) -> Result<exchange::Answer, Problem> {
        exchange::Answer::json(&self.answer(&call.consumer, &call.body).await?)
    }
}

impl National {
    /// Answers a message of a system.
    ///
    /// # Errors
    /// What keeps the whole of it from being read; unavailable.
    pub(crate) async fn answer(&self, consumer: &SystemId, body: &[u8]) -> Result<Answer, Problem> {
        let (cases, from) = (&self.cases, &consumer.org);
        let envelope = self.open(from, body)?;
        let by = Actor::System(consumer.to_string());
        match self.message {
            Message::Cases | Message::Progress => self.take(&by, from, &envelope).await,
            Message::LookUp => cases.look_up(&by, from, &envelope.data).await,
            Message::Procedure => cases.procedures_told(&envelope.data),
            Message::Ratings => cases.take_ratings(&by, from, &envelope.data).await,
            Message::Questions => cases.take_questions(&by, from, &envelope.data).await,
            Message::Statistics => cases.take_statistics(&by, from, &envelope).await,
        }
    }

    /// The message, when it is the one that is taken here, from whom it says, and not too long.
    fn open(&self, consumer: &OrgCode, body: &[u8]) -> Result<Envelope, Problem> {
        let limits = self.cases.store.limits();
        let envelope: Envelope = web::json::read(body, limits.json_depth_max)?;
        let name = self.message.name();
        if envelope.service != name {
            return Err(Problem::invalid("service", "national-service").with("wanted", name));
        }
        let from: Option<OrgCode> = envelope.madonvi.trim().parse().ok();
        if !from.is_some_and(|from| consumer.holds(&from)) {
            return Err(Problem::new(Kind::Forbidden, "national-unit")
                .at("madonvi")
                .with("wanted", consumer));
        }
        let max = match self.message {
            Message::Cases
            | Message::Progress
            | Message::Ratings
            | Message::Questions
            | Message::Statistics => limits.national_items_max,
            Message::LookUp | Message::Procedure => limits.page_rows_max,
        };
        if envelope.data.len() > max {
            return Err(Problem::new(Kind::TooLarge, "national-too-many")
                .at("data")
                .with("max", max));
        }
        Ok(envelope)
    }

    async fn take(&self, by: &Actor, from: &OrgCode, envelope: &Envelope) -> Result<Answer, Problem> {
        let (cases, mut words) = (&self.cases, Vec::with_capacity(envelope.data.len()));
        let latest = cases.latest();
        let read: Vec<Result<usize, Refused>> = envelope
            .data
            .iter()
            .map(|item| {
                words.push(self.read(item, latest)?);
                Ok(words.len() - 1)
            })
            .collect();
        let (words, name) = (&words, self.message.name());
        let judged = if words.is_empty() {
            Vec::new()
        } else {
            let write = cases.store.write(&cases.tenant, by, |tx| async move {
                cases.take_words(&tx, name, words, from).await
            });
            write.await?
        };
        let answers = envelope.data.iter().zip(&read).map(|(item, read)| {
            let outcome = read.and_then(|at| {
                let judged = judged.get(at).copied();
                judged.unwrap_or(Err(Refused::at("MaHoSo", Why::UnknownCase)))
            });
            item_answer(code_in(item), outcome.map(|(outcome, _)| outcome.word()))
        });
        Answer::of(&answers.collect::<Vec<_>>()).map_err(Problem::internal)
    }

    fn read(&self, item: &Value, latest: Time) -> Result<Word, Refused> {
        let wrong = |_| Refused::at("data", Why::Unreadable);
        if self.message == Message::Cases {
            told::case(&CaseItem::deserialize(item).map_err(wrong)?, latest)
        } else {
            told::step(&ProgressItem::deserialize(item).map_err(wrong)?, latest)
        }
    }
}

/// The case's code as an item has it, for the answer.
pub(super) fn code_in(item: &Value) -> &str {
    item.get("MaHoSo").and_then(Value::as_str).unwrap_or_default()
}

impl Cases {
    /// The latest instant that anything can have happened at: the clocks of two nodes differ a little.
    pub(super) fn latest(&self) -> Time {
        let skew = self.store.limits().clock_skew_ms_max;
        self.store.world().now().plus_ms(skew)
    }

    /// Judges words of one owner and keeps what is new, in the write that is given.
    async fn take_words(
        &self,
        tx: &Tx,
        message: &str,
        words: &[Word],
        from: &OrgCode,
    ) -> Result<Vec<Judged>, Problem> {
        let owner = &from.top();
        let stands = kept::stands(tx, words).await?;
        let mut known = Vec::with_capacity(words.len());
        for (word, stand) in words.iter().zip(&stands) {
            known.push(self.known(tx, word, stand, owner).await?);
        }
        let judged = judge(words, &known, self.catalogue.moves(), tx.now());
        let mut batch = Batch::default();
        for at in order(words, tx.now()) {
            if let (Some(word), Some(stand), Some(Ok((outcome, since)))) =
                (words.get(at), stands.get(at), judged.get(at))
            {
                batch.add((word, stand), (*outcome, *since), owner);
            }
        }
        batch.keep(tx, message, owner).await?;
        Ok(judged)
    }

    /// What is known of a word: whose case it is about is looked at before anything else is told.
    async fn known(&self, tx: &Tx, word: &Word, stand: &Stand, owner: &OrgCode) -> Result<Known, Problem> {
        let head = if let Some(own) = &stand.own {
            let theirs = own.unit.top() == *owner || self.took_over(tx, &word.code, owner).await?;
            theirs.then_some(own.head)
        } else {
            let synced = stand.synced.as_ref();
            synced.filter(|(of, _)| of == owner).map(|(_, head)| *head)
        };
        let issuer = word.code.issuer().top();
        Ok(Known {
            head,
            heard: stand.heard,
            may_begin: stand.own.is_none() && stand.synced.is_none() && issuer == *owner,
        })
    }

    /// True when the case's own agency has ended and this one has its cases now.
    async fn took_over(&self, tx: &Tx, code: &CaseCode, owner: &OrgCode) -> Result<bool, Problem> {
        let held = rows::case(tx, code).await?;
        Ok(held.is_some_and(|held| self.is_owner(&held.case, owner)))
    }
}

/// What one message leaves in the rows.
#[derive(Default)]
struct Batch<'w> {
    kept: Vec<kept::Kept<'w>>,
    /// Cases of other systems as they are now, each once.
    synced: BTreeMap<&'w CaseCode, Synced<'w>>,
    /// The same that only moved.
    shifted: BTreeMap<&'w CaseCode, (Head, Option<Time>)>,
    /// Changes of this portal's own cases, in order.
    own: Vec<(&'w Word, &'w Own, bool)>,
}

impl<'w> Batch<'w> {
    /// Adds a word that was taken; words come in the order in which they count.
    fn add(
        &mut self,
        (word, stand): (&'w Word, &'w Stand),
        (outcome, since): (Outcome, Time),
        owner: &'w OrgCode,
    ) {
        if outcome == Outcome::Heard {
            return;
        }
        self.kept.push((word, outcome.word()));
        if outcome == Outcome::Late {
            return;
        }
        let moved = matches!(outcome, Outcome::Begun | Outcome::Moved);
        if let Some(own) = &stand.own {
            let newer = since.seconds() >= own.head.since.seconds();
            let new_date = newer && word.due.is_some() && seconds(word.due) != seconds(own.due);
            if moved || new_date {
                self.own.push((word, own, !moved));
            }
            return;
        }
        let before = self.synced.get(&word.code).map(|case| case.head);
        let before = before.or_else(|| self.shifted.get(&word.code).map(|(head, _)| *head));
        let before = before.or_else(|| stand.synced.as_ref().map(|(_, head)| *head));
        let Some(head) = after(before, outcome, word.status, since) else {
            return;
        };
        if word.whole.is_some() {
            self.synced.insert(&word.code, Synced { word, owner, head });
        } else {
            let due = self.shifted.get(&word.code).and_then(|(_, due)| *due);
            self.shifted.insert(&word.code, (head, word.due.or(due)));
        }
    }

    async fn keep(&self, tx: &Tx, message: &str, owner: &OrgCode) -> Result<(), Problem> {
        if self.kept.is_empty() {
            return Ok(());
        }
        kept::keep(tx, message, &self.kept).await?;
        let synced: Vec<&Synced<'_>> = self.synced.values().collect();
        kept::save(tx, &synced).await?;
        kept::shift(tx, &self.shifted).await?;
        // By case: the number of its last status, and that status.
        let mut lasts: BTreeMap<&CaseCode, (u32, u8)> = BTreeMap::new();
        for (word, own, repeated) in &self.own {
            let last = lasts.entry(&word.code).or_insert((own.seq, own.head.status));
            let before = last.1;
            *last = (last.0 + 1, word.status);
            note(tx, word, (last.0, *repeated), before, owner).await?;
        }
        let mut tree = merkle::Frontier::new();
        for (word, _) in &self.kept {
            tree.push(merkle::leaf_hash(word.digest.bytes()));
        }
        let fact = Fact::CasesSynced {
            owner: owner.clone(),
            message: message.to_owned(),
            items: self.kept.len() as u64,
            root: tree.root(),
        };
        tx.fact(&format!("synced/{owner}"), fact).await?;
        Ok(())
    }
}

/// Notes a status of a case that was filed here, as its owner's own word would be noted: its applicant hears of it too.
async fn note(
    tx: &Tx,
    word: &Word,
    (seq, repeated): (u32, bool),
    before: u8,
    owner: &OrgCode,
) -> Result<(), Problem> {
    let note = StatusNote {
        code: word.code.clone(),
        seq,
        status: word.status,
        at: word.at.unwrap_or_else(|| tx.now()),
        due: word.due,
        working_out: None,
        notice: None,
        worked: None,
        case: None,
        results: Vec::new(),
    };
    let row = StatusRow {
        seq,
        status: note.status,
        at: note.at,
        due: note.due,
        notice: None,
    };
    let ended = ENDED.contains(&note.status);
    rows::note_status(tx, &note.code, &row, ended, None).await?;
    crate::inbox::heard(tx, &note, Some(before)).await?;
    let fact = Fact::CaseStatusNoted {
        case: note.code.clone(),
        owner: owner.clone(),
        seq,
        status: note.status,
        at: note.at,
        due: note.due,
        repeated,
        worked: None,
    };
    tx.fact(&rows::subject(&note.code), fact).await?;
    Ok(())
}

/// An instant as the messages know it.
fn seconds(at: Option<Time>) -> Option<i64> {
    at.map(Time::seconds)
}
