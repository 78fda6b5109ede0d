//! What the result of a decided case says: which document, with which data, from the answers and
//! the entered act. Never makes up what was not answered.

use documents::{Documents, Issued, NewDocument, Signer};
use kernel::fact::Outcome;
use kernel::time::{iso, parse_iso};
use kernel::{Actor, CaseCode, Date, Kind, OrgCode, Problem};
use serde_json::{Value, json};

use crate::case::{Case, Decided};
use crate::procedure::{Procedure, Text};
use crate::state::Cases;

/// The document's kind and template when what was asked is refused.
const REFUSAL: &str = "refusal";

/// An organisation as papers name it.
#[derive(Debug)]
pub(crate) struct Agency {
    /// `Ủy ban nhân dân xã Hoằng Hóa`.
    pub(crate) name: String,
    /// `tỉnh Thanh Hóa`; empty for what is no commune.
    pub(crate) province: String,
    /// Where its papers are written, `Hoằng Hóa`.
    pub(crate) place: String,
}

/// The id of a case's result: one case, one result.
pub(crate) fn id(procedure: &Procedure, code: &CaseCode, outcome: Outcome) -> String {
    let kind = kind(procedure, outcome);
    format!("{}-{code}", kind.split('-').next().unwrap_or(kind))
}

/// The name of a case's result.
pub(crate) fn name(procedure: &Procedure, outcome: Outcome) -> Text {
    match outcome {
        Outcome::Granted => procedure.result.name.clone(),
        Outcome::Refused => Text {
            vi: "Thông báo từ chối giải quyết hồ sơ".to_owned(),
            en: "Notice of refusal".to_owned(),
        },
    }
}

fn kind(procedure: &Procedure, outcome: Outcome) -> &str {
    match outcome {
        Outcome::Granted => &procedure.result.kind,
        Outcome::Refused => REFUSAL,
    }
}

impl Cases {
    /// The office that issues papers.
    ///
    /// # Errors
    /// Internal: a desk without one is put together wrongly.
    pub(crate) fn documents(&self) -> Result<&Documents, Problem> {
        self.documents
            .as_ref()
            .ok_or_else(|| Problem::internal("this place issues no documents"))
    }

    /// An organisation as papers name it on a day.
    pub(crate) fn agency(&self, unit: &OrgCode, on: Date) -> Agency {
        let organisation = self.organisations.get(unit, on);
        let area = organisation.and_then(|o| o.area.as_ref());
        let short = organisation.map_or_else(|| unit.to_string(), |o| o.name.to_string());
        let name = short
            .strip_prefix("UBND ")
            .map_or_else(|| short.clone(), |rest| format!("Ủy ban nhân dân {rest}"));
        let province = area
            .and_then(|area| self.areas.province(area, on))
            .map_or_else(String::new, |p| uncapital(&p.full_name));
        let place = area
            .and_then(|area| self.areas.area(area, on))
            .map_or_else(String::new, |a| a.name().to_owned());
        Agency {
            name,
            province,
            place,
        }
    }

    /// Issues the result of a decision, signed by who decided; once, however often it is asked.
    ///
    /// # Errors
    /// `case-result-data` when the case lacks what the result must say; as [`Documents::issue`].
    pub(crate) async fn issue_result(
        &self,
        case: &Case,
        procedure: &Procedure,
        decided: &Decided,
        actor: &Actor,
    ) -> Result<Issued, Problem> {
        let (template, number, data) = match decided.outcome {
            Outcome::Refused => (
                REFUSAL,
                case.code.to_string(),
                self.refusal_data(case, procedure, decided),
            ),
            Outcome::Granted => {
                let data = match procedure.result.template.as_str() {
                    "birth-certificate" => self.birth_data(case, procedure)?,
                    _ => self.plain_data(case, procedure, decided),
                };
                let number = case.act.as_ref().map(|act| act.act_number.clone());
                let number = number.unwrap_or_else(|| case.code.to_string());
                (procedure.result.template.as_str(), number, data)
            }
        };
        let new = NewDocument {
            tenant: self.tenant.clone(),
            unit: case.unit.clone(),
            id: decided.document.clone(),
            kind: kind(procedure, decided.outcome).to_owned(),
            template: format!("{template}.typ"),
            number,
            about: case.code.to_string(),
            owner: Some(case.applicant.number.clone()),
            data,
            signer: Signer::Person(decided.by.clone()),
            reason: name(procedure, decided.outcome).vi,
        };
        self.documents()?.issue(new, actor).await
    }

    /// The data of every other template: the case as papers name it, the answers in words by field,
    /// and the register's record where the result repeats one.
    fn plain_data(&self, case: &Case, procedure: &Procedure, decided: &Decided) -> Value {
        let on = decided.at.date();
        let agency = self.agency(&case.unit, on);
        let answers: serde_json::Map<String, Value> = case
            .answers
            .keys()
            .filter_map(|field| Some((field.clone(), self.said(case, procedure, field, on)?.into())))
            .collect();
        json!({
            "case_code": case.code,
            "agency": {"name": agency.name, "province": agency.province, "place": agency.place},
            "applicant": {"full_name": case.applicant.name, "personal_number": case.applicant.number.as_str()},
            "procedure": {"code": procedure.code, "name": procedure.name.vi},
            "filed_at": case.filed_at,
            "decided_at": decided.at,
            "answers": answers,
            "valid_until": procedure.result.valid.and_then(|valid| valid.until(on)).map(iso),
            "reply": case.proposal.as_ref().map(|p| p.note.clone()).unwrap_or_default(),
            "record": case.course.record.as_ref().map(|record| self.in_words(record, on)),
            "signer": {"position": decided.capacity.position(), "name": decided.by_name},
        })
    }

    /// A register's record with its codes in words, as far as the pack has them.
    fn in_words(&self, record: &Value, on: Date) -> Value {
        match record {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), self.word(name, value, on)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    fn word(&self, name: &str, value: &Value, on: Date) -> Value {
        let Some(text) = value.as_str() else {
            return self.in_words(value, on);
        };
        let word = match name {
            "sex" if text == "male" => Some("Nam".to_owned()),
            "sex" if text == "female" => Some("Nữ".to_owned()),
            "commune" => text.parse().ok().map(|area| self.areas.full_path(&area, on)),
            "book" => text.parse().ok().map(|unit| self.agency(&unit, on).name),
            "ethnicity" | "nationality" => self.choice_word(name, text),
            _ => None,
        };
        word.map_or_else(|| value.clone(), Value::String)
    }

    /// The label of a code as the questions of the pack's forms have it.
    fn choice_word(&self, name: &str, code: &str) -> Option<String> {
        let mut questions = self
            .catalogue
            .procedures()
            .flat_map(|p| &p.pages)
            .flat_map(|p| &p.questions);
        let question = questions.find(|q| q.code.ends_with(name) && !q.choices.is_empty())?;
        let choice = question.choices.iter().find(|c| c.value == code)?;
        Some(choice.label.vi.clone())
    }

    fn refusal_data(&self, case: &Case, procedure: &Procedure, decided: &Decided) -> Value {
        let agency = self.agency(&case.unit, decided.at.date());
        json!({
            "case_code": case.code,
            "agency": {"name": agency.name, "province": agency.province, "place": agency.place},
            "applicant": {"full_name": case.applicant.name},
            "procedure": {"code": procedure.code, "name": procedure.name.vi},
            "filed_at": case.filed_at,
            "decided_at": decided.at,
            "reason": case.proposal.as_ref().map(|p| p.note.clone()).unwrap_or_default(),
            "signer": {"position": decided.capacity.position(), "name": decided.by_name},
        })
    }

    /// The data of a result's draft: what is known before the act is entered and anybody signs.
    ///
    /// # Errors
    /// `case-result-data` when the case lacks what the result must say.
    pub(crate) fn draft_data(&self, case: &Case, procedure: &Procedure, on: Date) -> Result<Value, Problem> {
        match procedure.result.template.as_str() {
            "birth-certificate" => {
                self.certificate(case, procedure, on, &json!({"position": "", "name": ""}))
            }
            other => Err(lacking(other)),
        }
    }

    /// The data of `birth-certificate.typ`.
    pub(crate) fn birth_data(&self, case: &Case, procedure: &Procedure) -> Result<Value, Problem> {
        let act = case.act.as_ref().ok_or_else(|| lacking("act"))?;
        let decided = case.decided.as_ref().ok_or_else(|| lacking("decision"))?;
        act.personal_number
            .as_ref()
            .ok_or_else(|| lacking("personal_number"))?;
        // The certificate repeats the book.
        let registered = case.entered_on().unwrap_or_else(|| act.at.date());
        let signer = json!({"position": decided.capacity.position(), "name": decided.by_name});
        self.certificate(case, procedure, registered, &signer)
    }

    fn certificate(
        &self,
        case: &Case,
        procedure: &Procedure,
        registered: Date,
        signer: &Value,
    ) -> Result<Value, Problem> {
        let act = case.act.as_ref();
        let on = act.map_or(registered, |act| act.at.date());
        let said = |field: &str| self.said(case, procedure, field, on);
        let need = |field: &str| said(field).ok_or_else(|| lacking(field));
        let born = parse_iso(case.answers.get("child_born").map_or("", String::as_str))
            .ok_or_else(|| lacking("child_born"))?;
        let number = act.and_then(|act| act.personal_number.as_ref());
        let agency = self.agency(&case.unit, on);
        let birth_place = [need("child_birth_place")?, need("child_birth_commune")?].join(", ");
        let id_paper = format!("Số định danh cá nhân {}", case.applicant.number.as_str());
        let words = render::date_in_words(born);
        let registered_at = format!("{}, {}", agency.name, agency.province);
        Ok(json!({
            "number": act.map_or("", |act| act.act_number.as_str()),
            "agency": {"name": agency.name, "province": agency.province},
            "child": {
                "full_name": need("child_name")?, "born_on": iso(born), "born_on_words": words,
                "sex": need("child_sex")?, "ethnicity": need("child_ethnicity")?,
                "nationality": need("child_nationality")?, "birth_place": birth_place,
                "home_town": need("child_hometown")?,
                "personal_number": number.map_or("", |number| number.as_str()),
            },
            "mother": self.parent(case, procedure, "mother", on),
            "father": self.parent(case, procedure, "father", on),
            "declarant": {
                "full_name": case.applicant.name,
                "id_paper": id_paper,
            },
            "registered_at": registered_at,
            "registered_on": iso(registered),
            "signer": signer,
        }))
    }

    /// A parent as the certificate names them; nobody when nobody was named.
    fn parent(&self, case: &Case, procedure: &Procedure, who: &str, on: Date) -> Value {
        let said = |part: &str| self.said(case, procedure, &format!("{who}_{part}"), on);
        let Some(name) = said("name") else {
            return Value::Null;
        };
        let residence: Vec<String> = [said("line"), said("commune")].into_iter().flatten().collect();
        let born = case
            .answers
            .get(&format!("{who}_born"))
            .and_then(|d| parse_iso(d));
        json!({
            "full_name": name,
            "birth_year": born.map(|d| d.year().to_string()).unwrap_or_default(),
            "ethnicity": said("ethnicity").unwrap_or_default(),
            "nationality": said("nationality").unwrap_or_default(),
            "residence": residence.join(", "),
        })
    }

    /// An answer in the words of a Vietnamese paper: a choice by its label, a commune by its name.
    fn said(&self, case: &Case, procedure: &Procedure, field: &str, on: Date) -> Option<String> {
        let answer = case.answers.get(field).filter(|a| !a.is_empty())?;
        let Some(question) = procedure.question(field) else {
            return Some(answer.clone());
        };
        Some(crate::answers::said(question, answer, &self.areas, on))
    }
}

fn lacking(what: &str) -> Problem {
    Problem::new(Kind::Internal, "case-result-data").because(format_args!("the case lacks {what}"))
}

/// `tỉnh Thanh Hóa` of `Tỉnh Thanh Hóa`.
fn uncapital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
