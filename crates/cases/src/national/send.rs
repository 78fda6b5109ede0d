//! The owner's side: one change of status, or an answer for everybody, told by the national messages, where the pack says
//! that the portal is spoken to so. A line of the outbox as any other (see [`crate::sync`]), so that a case's words keep
//! their order. Never changes a case.

use exchange::{Ask, ServiceId, SystemId};
use kernel::{Actor, CaseCode, Kind, Problem};
use serde::Serialize;
use serde_json::Value;

use super::message::{Answer, Envelope, Message};
use super::own::{self, About};
use super::{question, store as kept};
use crate::notice::Notice;
use crate::published::published;
use crate::state::Cases;
use crate::store as rows;

/// One message to a portal.
pub(super) struct Saying {
    message: Message,
    items: Vec<Value>,
    is_updating: &'static str,
}

impl Saying {
    /// One item.
    fn of<T: Serialize>(message: Message, item: &T, is_updating: &'static str) -> Result<Self, Problem> {
        Self::all(message, std::slice::from_ref(item), is_updating)
    }

    /// Several items.
    ///
    /// # Errors
    /// Never for items of these messages; the error is the writer's.
    pub(super) fn all<T: Serialize>(
        message: Message,
        items: &[T],
        is_updating: &'static str,
    ) -> Result<Self, Problem> {
        let items = items.iter().map(serde_json::to_value);
        Ok(Self {
            message,
            items: items.collect::<Result<_, _>>().map_err(Problem::internal)?,
            is_updating,
        })
    }
}

impl Cases {
    /// Tells a status of a case by the national messages, if its portal is spoken to so; false if it is not.
    ///
    /// # Errors
    /// The gateway's refusals; `national-refused` when the portal does not take a word.
    pub(crate) async fn tells_nationally(&self, code: &CaseCode, seq: u32) -> Result<bool, Problem> {
        let dialects = self.catalogue.dialects();
        if dialects.is_empty() {
            return Ok(false);
        }
        let reader = self.store.read(&self.tenant).await?;
        let held = rows::case(&reader, code).await?.ok_or_else(Problem::not_found)?;
        let mut statuses = rows::statuses(&reader, code).await?;
        statuses.retain(|row| row.seq <= seq);
        let row = statuses.last().filter(|row| row.seq == seq);
        let row = row.ok_or_else(|| Problem::internal(format_args!("case {code} has no status {seq}")))?;
        let portal = self.portal_of(&reader, &held.case).await?;
        let name = portal.to_string();
        if !dialects.speaks(&self.tenant, &name, held.case.filed_at.date()) {
            return Ok(false);
        }
        let key = format!("{code}/{seq}");
        if let Some(Notice::AnswerPublished { number, .. } | Notice::AnswerUnpublished { number, .. }) =
            &row.notice
        {
            // As it stands now: what was taken down meanwhile goes without its words.
            let answer = published(&reader, number).await?;
            let answer = answer.ok_or_else(|| Problem::internal(format_args!("no answer {number}")))?;
            let saying = Saying::of(Message::Questions, &question::item(&answer), "")?;
            self.say(&portal, Some(code), &key, saying).await?;
            return Ok(true);
        }
        let mut results = rows::results(&reader, code).await?;
        results.retain(|result| result.with_seq <= seq);
        let papers = rows::papers(&reader, &rows::subject(code)).await?;
        let entry = self.catalogue.entry(&held.case.procedure);
        let (procedure, unit) = (
            self.procedure_of(&held.case)?,
            self.organisation_name(&held.case.unit),
        );
        let about = About {
            procedure: &procedure,
            field: entry.map(|entry| entry.field.as_str()),
            unit: &unit,
            base_url: &self.base_url,
            statuses: &statuses,
            papers: &papers,
            results: &results,
        };
        let is_told = kept::is_told(&reader, &name, code).await?;
        let whole = own::case_item(&held.case, &about);
        let step = own::progress_item(&held.case, &about, row);
        let step = Saying::of(Message::Progress, &step, "")?;
        let whole = Saying::of(Message::Cases, &whole, if is_told { "True" } else { "False" })?;
        // A case that is known there moves first, and is then told anew; one that is not has to be there to move.
        let sayings = if is_told { [step, whole] } else { [whole, step] };
        for saying in sayings {
            self.say(&portal, Some(code), &key, saying).await?;
        }
        if !is_told {
            let name = &name;
            let write = self.store.write(&self.tenant, &Actor::Platform, |tx| async move {
                kept::note_told(&tx, name, code).await
            });
            write.await?;
        }
        Ok(true)
    }

    /// Says one message to a portal, about a case where it is of one; `key` is the same however often it is said.
    ///
    /// # Errors
    /// The gateway's refusals; `national-refused` when the portal does not take an item.
    pub(super) async fn say(
        &self,
        portal: &SystemId,
        case: Option<&CaseCode>,
        key: &str,
        saying: Saying,
    ) -> Result<(), Problem> {
        let (name, service) = (saying.message.name(), saying.message.service());
        let envelope = Envelope {
            session: String::new(),
            madonvi: self.system.org.to_string(),
            service: name.to_owned(),
            is_updating: saying.is_updating.to_owned(),
            data: saying.items,
        };
        let heard = self
            .exchange
            .ask(Ask {
                consumer: self.system.clone(),
                service: ServiceId {
                    org: portal.org.clone(),
                    system: portal.system.clone(),
                    service: service.to_owned(),
                },
                body: serde_json::to_vec(&envelope).map_err(Problem::internal)?.into(),
                on_behalf: format!("system:{}", self.system),
                issue: case.map(ToString::to_string),
                idempotency: Some(format!("{key}/{service}")),
            })
            .await?;
        let answer: Answer = heard.json()?;
        match answer.fault() {
            0 => Ok(()),
            fault => Err(Problem::new(Kind::Upstream, "national-refused")
                .with("message", name)
                .with("code", fault)),
        }
    }
}
