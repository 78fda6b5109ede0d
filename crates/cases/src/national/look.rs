//! `TraCuuHoSo` and `LayThuTuc` at a portal: where a sender's own cases stand, and what procedures ask and give. A look
//! at a case leaves a fact; somebody else's case is answered as one that is not there.

use ::store::Tx;
use kernel::{Actor, CaseCode, Fact, OrgCode, Problem, ProcedureCode};
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::message::{
    Answer, FoundCase, LookUpItem, Message, ProcedureItem, ProgressItem, Refused, Why, case_code, item_answer,
};
use super::own::{self, About};
use super::receive::code_in;
use super::{stamp, store as kept};
use crate::catalogue::Entry;
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store as rows;

impl Cases {
    /// Answers `TraCuuHoSo`.
    ///
    /// # Errors
    /// Unavailable.
    pub(super) async fn look_up(
        &self,
        by: &Actor,
        from: &OrgCode,
        items: &[Value],
    ) -> Result<Answer, Problem> {
        let found = self.store.write(&self.tenant, by, |tx| async move {
            let mut found = Vec::with_capacity(items.len());
            for item in items {
                found.push(self.looked_up_one(&tx, from, item).await?);
            }
            Ok(found)
        });
        let found = found.await?;
        let good = found.iter().all(|(good, _)| *good);
        Ok(Answer {
            error_code: u16::from(!good),
            message: if good { "ok" } else { "some-refused" }.to_owned(),
            data: found.into_iter().map(|(_, value)| value).collect(),
        })
    }

    /// One case, or why there is none.
    async fn looked_up_one(&self, tx: &Tx, from: &OrgCode, item: &Value) -> Result<(bool, Value), Problem> {
        let wish = LookUpItem::deserialize(item).unwrap_or_default();
        let refused = |why: Refused| {
            let answer = item_answer(code_in(item), Err(why));
            serde_json::to_value(answer).map(|value| (false, value))
        };
        let code = match case_code(&wish.code) {
            Ok(code) => code,
            Err(why) => return refused(why).map_err(Problem::internal),
        };
        let Some(found) = self.found(tx, from, &code).await? else {
            return refused(Refused::at("MaHoSo", Why::UnknownCase)).map_err(Problem::internal);
        };
        let subject = rows::subject(&code);
        tx.fact(&subject, Fact::CaseViewed { case: code }).await?;
        let found = serde_json::to_value(found).map_err(Problem::internal)?;
        Ok((true, found))
    }

    async fn found(&self, tx: &Tx, from: &OrgCode, code: &CaseCode) -> Result<Option<FoundCase>, Problem> {
        if let Some(held) = rows::case(tx, code).await? {
            if !self.is_owner(&held.case, from) {
                return Ok(None);
            }
            let statuses = rows::statuses(tx, code).await?;
            let procedure = self.procedure_of(&held.case)?;
            let results = rows::results(tx, code).await?;
            let about = About {
                procedure: &procedure,
                field: self
                    .catalogue
                    .entry(&held.case.procedure)
                    .map(|e| e.field.as_str()),
                unit: &self.organisation_name(&held.case.unit),
                base_url: &self.base_url,
                statuses: &statuses,
                papers: &[],
                results: &results,
            };
            let case = own::case_item(&held.case, &about);
            let steps = rows::changes(&statuses).into_iter();
            let progress = steps
                .map(|row| own::progress_item(&held.case, &about, row))
                .collect();
            return Ok(Some(FoundCase { case, progress }));
        }
        let synced = kept::synced(tx, code).await?;
        let Some(synced) = synced.filter(|row| row.owner == from.top()) else {
            return Ok(None);
        };
        let mut case = synced.said;
        case.status = synced.status.to_string();
        if synced.due_at.is_some() {
            case.due = stamp::write_or_empty(synced.due_at);
        }
        let words = kept::progress(tx, code).await?;
        let steps = words.iter().filter(|row| row.message == Message::Progress.name());
        let progress = steps.filter_map(|row| serde_json::from_str::<ProgressItem>(&row.said).ok());
        Ok(Some(FoundCase {
            case,
            progress: progress.collect(),
        }))
    }

    /// Answers `LayThuTuc`: what the catalogue says, and the document where the procedure is filed here.
    ///
    /// # Errors
    /// Never for these types; the error is the writer's.
    pub(super) fn procedures_told(&self, items: &[Value]) -> Result<Answer, Problem> {
        let (mut data, mut good) = (Vec::with_capacity(items.len()), true);
        for item in items {
            let wish = ProcedureItem::deserialize(item).unwrap_or_default();
            let code: Option<ProcedureCode> = wish.code.trim().parse().ok();
            let entry = code.as_ref().and_then(|code| self.catalogue.entry(code));
            if let (Some(code), Some(entry)) = (&code, entry) {
                let document = self.catalogue.procedure(code, self.today());
                data.push(procedure(entry, document.as_deref()));
            } else {
                good = false;
                let why = Refused::at("MaTTHC", Why::UnknownProcedure);
                let answer = item_answer("", Err(why));
                data.push(serde_json::to_value(answer).map_err(Problem::internal)?);
            }
        }
        Ok(Answer {
            error_code: u16::from(!good),
            message: if good { "ok" } else { "some-refused" }.to_owned(),
            data,
        })
    }
}

/// A procedure under the names of fields of the national database; what is not known here is empty.
fn procedure(entry: &Entry, document: Option<&Procedure>) -> Value {
    let ways = entry.channels.iter().map(|offer| {
        json!({
            "KENH": offer.channel,
            "THOIGIAN": [{"THOIGIANGIAIQUYET": offer.time, "DONVITINH": offer.unit}],
            "MOTA": "",
            "PHILEPHI": [{"SOTIEN": offer.fee, "DONVI": offer.currency}],
        })
    });
    let papers = document.into_iter().flat_map(|document| &document.papers);
    let papers: Vec<Value> = papers
        .map(|paper| json!({"TENGIAYTO": paper.name.vi, "MAGIAYTO": paper.code, "TENMAUDON": "", "URL": ""}))
        .collect();
    let results = document
        .map(|document| json!({"MAKETQUA": document.result.kind, "TENKETQUA": document.result.name.vi}));
    let basis = entry.legal_basis.iter();
    let basis: Vec<Value> = basis
        .map(|act| json!({"SOVANBAN": act, "TENVANBAN": ""}))
        .collect();
    json!({
        "MATTHC": entry.code.as_str(),
        "TENTTHC": entry.name,
        "LINHVUCTHUCHIEN": entry.field,
        "TRINHTUTHUCHIEN": "",
        "CACHTHUCTHUCHIEN": ways.collect::<Vec<_>>(),
        "THANHPHANHOSO": [{"TRUONGHOP": "", "GIAYTO": papers}],
        "YEUCAU": "",
        "DOITUONGTHUCHIEN": entry.audience.join(", "),
        "COQUANTHUCHIEN": entry.agency,
        "KETQUATHUCHIEN": results.into_iter().collect::<Vec<_>>(),
        "CANCUPHAPLY": basis,
    })
}
