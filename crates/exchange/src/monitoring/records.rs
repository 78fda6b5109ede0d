//! Records of calls by time, a page at a time, as X-Road's `getSecurityServerOperationalData` gives them:
//! what began in the last minute is not given yet, so that a collector misses no slow call. A bounded look
//! whatever the history.

use std::collections::BTreeMap;

use kernel::{OrgCode, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::record::{Around, OperationalRecord};
use crate::envelope::{self, Evidence};
use crate::gateway::{Exchange, Gateway};
use crate::ids::{ServiceId, SystemId};
use crate::index::{Indexed, Look, Place};
use crate::message::RequestHead;

/// Records one answer gives, count.
const RECORDS_MAX: usize = 1_000;
/// What began this shortly ago is not given yet, in milliseconds.
const OFFSET_MS: i64 = 60_000;
/// Records of the log that are read together although some between them are not wanted, count.
const GAP_MAX: u64 = 8;
/// Records read at a time, count.
const RUN_MAX: u64 = 256;

/// Which records are wanted.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecordsWanted {
    /// Calls that began in this second or later, seconds since 1970.
    pub(crate) records_from: Option<String>,
    /// Calls that began in this second or earlier.
    pub(crate) records_to: Option<String>,
    /// Only calls of or to this system: `VN/GOV/G22/portal`.
    pub(crate) client: Option<String>,
    /// Where the page begins: `next` of the page before; wins over `recordsFrom`.
    pub(crate) after: Option<String>,
}

/// A page of records.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OperationalData {
    /// Records in this answer.
    pub(crate) records_count: usize,
    /// From which second to ask next; the records of that second that are here come again then. None: there
    /// is nothing more, up to `recordsTo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_records_from: Option<i64>,
    /// The exact place to go on from: give it as `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// The oldest first.
    pub(crate) records: Vec<OperationalRecord>,
}

/// What is wanted, read.
pub(crate) struct Asked {
    from: Place,
    /// Calls that began before this instant.
    to: i64,
    client: Option<SystemId>,
}

impl RecordsWanted {
    /// Reads it.
    ///
    /// # Errors
    /// 422 at the parameter that cannot be read.
    pub(crate) fn read(&self) -> Result<Asked, Problem> {
        let bad = |field: &str| Problem::invalid(field, "malformed");
        let seconds = |text: &Option<String>, field: &str| match text.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => match text.parse::<i64>() {
                Ok(seconds @ 0..=253_402_300_799) => Ok(Some(seconds)),
                _ => Err(bad(field)),
            },
        };
        let from = seconds(&self.records_from, "recordsFrom")?.unwrap_or(0);
        let to = seconds(&self.records_to, "recordsTo")?;
        if to.is_some_and(|to| to < from) {
            return Err(Problem::invalid("recordsTo", "evidence-span"));
        }
        let client = match self.client.as_deref() {
            None | Some("") => None,
            Some(text) => Some(SystemId::from_header(text).map_err(|_| bad("client"))?),
        };
        let from = match self.after.as_deref() {
            None | Some("") => at(from * 1_000),
            Some(text) => parse(text).ok_or_else(|| bad("after"))?,
        };
        let to = to.map_or(i64::MAX, |to| (to + 1) * 1_000);
        Ok(Asked { from, to, client })
    }
}

impl Exchange {
    /// A page of records; those of one organisation of the node, when one is named. `words` says a
    /// problem's key in words.
    ///
    /// # Errors
    /// When rows or log cannot be read.
    pub(crate) async fn operational_data(
        &self,
        own: Option<&OrgCode>,
        asked: &Asked,
        words: &(dyn Fn(&str) -> String + Sync),
    ) -> Result<OperationalData, Problem> {
        self.index_up().await?;
        let g = &*self.0;
        let told_to = g.now().ms() - OFFSET_MS;
        let to = asked.to.min(told_to);
        let reader = g.store.read(&g.home).await?;
        // What has left the live log is told by its archive.
        let first = g.evidence.first().await;
        let meets = |row: &Indexed| {
            row.position >= first
                && own.is_none_or(|own| row.own == own.as_str())
                && is_of(asked.client.as_ref(), row)
        };
        let look = Look::of(&reader, g.index.tail());
        let (wanted, next) = look.oldest(asked.from, to, &meets, RECORDS_MAX).await?;
        let records = g.records_of(&wanted, words).await?;
        // What is not given yet is to be asked for later: from where this answer ends.
        let waits = (asked.to > told_to).then_some(told_to.div_euclid(1_000).max(0));
        Ok(OperationalData {
            records_count: records.len(),
            next_records_from: next.as_ref().map(|next| next.began.div_euclid(1_000)).or(waits),
            next: next.map(text),
            records,
        })
    }
}

/// Whether a call is one of or to a system, when one is named.
fn is_of(client: Option<&SystemId>, row: &Indexed) -> bool {
    client.is_none_or(|client| {
        let system = client.to_string();
        let provider = row.service.strip_prefix(&system);
        row.consumer == system || provider.is_some_and(|rest| rest.starts_with('/'))
    })
}

impl Gateway {
    async fn records_of(
        &self,
        rows: &[Indexed],
        words: &(dyn Fn(&str) -> String + Sync),
    ) -> Result<Vec<OperationalRecord>, Problem> {
        let mut positions: Vec<u64> = rows.iter().map(|row| row.position).collect();
        positions.sort_unstable();
        let mut log: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        for (first, count) in runs(&positions) {
            log.extend(self.evidence.read(first, count).await?);
        }
        rows.iter()
            .map(|row| {
                let bytes = log.get(&row.position);
                let bytes = bytes.ok_or_else(|| Problem::internal("an indexed record is in the log"))?;
                let record: Evidence = envelope::read(bytes)?;
                let head = RequestHead::kept(&record.request.head)?;
                let address = |org: &OrgCode| self.directory.node_of(&org.top()).map(|node| node.peer);
                let around = Around {
                    endpoint: self.endpoint(&head),
                    client_address: address(&head.consumer.org),
                    service_address: address(&head.service.org),
                    fault: (!row.fault.is_empty()).then(|| words(&row.fault)),
                    service_type: self.service_type(&head.service),
                };
                Ok(OperationalRecord::of(row, &record, &head, around))
            })
            .collect()
    }
}

impl Gateway {
    /// What kind of service this node offers under a name, as X-Road's monitoring writes it; none for one of
    /// another node, and for one that is offered no more. The metadata services are plain REST.
    fn service_type(&self, id: &ServiceId) -> Option<&'static str> {
        if id.is_reserved() {
            return Some("REST");
        }
        let service = self.service(id)?;
        Some(match service.wsdl() {
            Some(_) => "WSDL",
            None if service.is_described() => "OPENAPI3",
            None => "REST",
        })
    }
}

/// Positions as runs to read: first and count.
fn runs(sorted: &[u64]) -> Vec<(u64, usize)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for position in sorted {
        match runs.last_mut() {
            Some((first, last)) if position - *last <= GAP_MAX && position - *first < RUN_MAX => {
                *last = *position;
            }
            _ => runs.push((*position, *position)),
        }
    }
    runs.into_iter()
        .map(|(first, last)| (first, usize::try_from(last - first + 1).unwrap_or(usize::MAX)))
        .collect()
}

/// Before every call of an instant.
const fn at(began: i64) -> Place {
    Place { began, position: 0 }
}

/// A place as it stands in a link: `BEGAN.POSITION`.
fn text(place: Place) -> String {
    format!("{}.{}", place.began, place.position)
}

/// Reads that form.
fn parse(text: &str) -> Option<Place> {
    let (began, position) = text.split_once('.')?;
    Some(Place {
        began: began.parse().ok()?,
        position: position.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_in_few_runs_and_no_run_is_long() {
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&[3, 4, 5, 9, 100]), [(3, 7), (100, 1)]);
        let many: Vec<u64> = (0..1_000).collect();
        let runs = runs(&many);
        assert!(runs.iter().all(|(_, count)| *count <= 256));
        assert_eq!(runs.iter().map(|(_, count)| count).sum::<usize>(), 1_000);
    }

    #[test]
    fn what_cannot_be_read_is_told_at_its_parameter() {
        let text = |value: &str| Some(value.to_owned());
        for (field, wanted) in [
            (
                "recordsFrom",
                RecordsWanted {
                    records_from: text("now"),
                    ..RecordsWanted::default()
                },
            ),
            (
                "recordsFrom",
                RecordsWanted {
                    records_from: text("-1"),
                    ..RecordsWanted::default()
                },
            ),
            (
                "recordsTo",
                RecordsWanted {
                    records_to: text("99999999999999999"),
                    ..RecordsWanted::default()
                },
            ),
            (
                "recordsTo",
                RecordsWanted {
                    records_from: text("2"),
                    records_to: text("1"),
                    ..RecordsWanted::default()
                },
            ),
            (
                "client",
                RecordsWanted {
                    client: text("G22/portal"),
                    ..RecordsWanted::default()
                },
            ),
            (
                "after",
                RecordsWanted {
                    after: text("x"),
                    ..RecordsWanted::default()
                },
            ),
        ] {
            let problem = wanted.read().err().expect(field);
            assert_eq!(problem.field.as_deref(), Some(field));
        }
        assert!(RecordsWanted::default().read().is_ok());
    }
}
