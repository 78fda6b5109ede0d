//! What is handed in, checked as a whole: every fault at once, each at its field. The rules of the answers are
//! those of the portal's form.

use kernel::fact::Channel;
use kernel::{AreaCode, OrgCode, PersonalNumber, Problem, Time};

use crate::answers::{self, TEXT_CHARS_MAX, Typed};
use crate::case::{Answers, Applicant};
use crate::citizen::file::rules;
use crate::draft::{Attached, Draft};
use crate::post::{ByPost, wish};
use crate::procedure::Procedure;
use crate::rules::Asked;
use crate::state::Cases;

/// Length of the number of a receipt for a fee, in characters.
const RECEIPT_CHARS_MAX: usize = 60;

/// What was typed besides the answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slip {
    /// The applicant's personal number.
    pub(crate) number: String,
    /// The applicant's name.
    pub(crate) name: String,
    /// True when it came by post.
    pub(crate) by_post: bool,
    /// Codes of the papers that are kept on paper.
    pub(crate) on_paper: Vec<String>,
    /// The number of the receipt for the fee.
    pub(crate) receipt: String,
    /// How the result is wished: the boxes of [`wish`].
    pub(crate) wish: Typed,
}

/// What may be taken in.
pub(crate) struct Sound {
    pub(crate) applicant: Applicant,
    pub(crate) channel: Channel,
    pub(crate) answers: Answers,
    pub(crate) unit: OrgCode,
    pub(crate) on_paper: Vec<String>,
    /// The fee in dong and the number of its receipt.
    pub(crate) fee: Option<(u64, String)>,
    /// That the result goes by post.
    pub(crate) post: Option<ByPost>,
}

impl Cases {
    /// Everything that is handed in, or all that is wrong with it.
    ///
    /// # Errors
    /// A problem a field: those of answers, `field-missing`, `personal-number`, `name-characters`,
    /// `intake-paper`, `case-paper-unknown`, `intake-fee`, `intake-channel`, `intake-elsewhere`.
    pub(crate) fn sound(
        &self,
        procedure: &Procedure,
        who: &OrgCode,
        typed: &Typed,
        slip: &Slip,
        papers: &[Attached],
    ) -> Result<Sound, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut note = |problem: Problem| problems.push(problem);
        let number = number(&slip.number).map_err(&mut note).ok();
        let name = answers::name("applicant_name", &slip.name)
            .and_then(|name| match slip.name.chars().count() {
                0..=TEXT_CHARS_MAX => Ok(name),
                length => Err(Problem::invalid("applicant_name", "answer-too-long")
                    .with("max", TEXT_CHARS_MAX)
                    .with("length", length)),
            })
            .map_err(|problem| match slip.name.is_empty() {
                true => Problem::invalid("applicant_name", "field-missing"),
                false => problem,
            })
            .map_err(&mut note)
            .ok();
        let channel = match slip.by_post {
            true => Channel::Post,
            false => Channel::Counter,
        };
        if procedure.term(channel).is_none() {
            note(Problem::invalid("channel", "intake-channel"));
        }
        let (answers, faults) = self.answered(procedure, who, typed);
        problems.extend(faults);
        for paper in &procedure.papers {
            let there = papers.iter().any(|attached| attached.code == paper.code);
            if paper.required && !there && !slip.on_paper.contains(&paper.code) {
                problems.push(Problem::invalid(&format!("paper-{}", paper.code), "intake-paper"));
            }
        }
        let unknown = |code: &&String| procedure.paper(code).is_none();
        if let Some(code) = slip.on_paper.iter().find(unknown) {
            problems.push(Problem::invalid("on_paper", "case-paper-unknown").because(code));
        }
        let dong = procedure.dong(&answers, self.today());
        let receipt = slip.receipt.trim();
        if dong > 0 && (receipt.is_empty() || receipt.chars().count() > RECEIPT_CHARS_MAX) {
            problems.push(
                Problem::invalid("receipt", "intake-fee")
                    .with("dong", crate::payment::dong(dong))
                    .with("max", RECEIPT_CHARS_MAX),
            );
        }
        let unit = answers
            .get(&procedure.receiver)
            .and_then(|at| at.parse().ok())
            .and_then(|at| self.desk_unit(procedure, who, &at).ok());
        let post = match self.wished_at_desk(procedure, unit.as_ref(), slip) {
            Ok(post) => post,
            Err(faults) => {
                problems.extend(faults);
                None
            }
        };
        match (number, name, unit) {
            (Some(number), Some(name), Some(unit)) if problems.is_empty() => Ok(Sound {
                applicant: Applicant {
                    account: String::new(),
                    number,
                    name,
                },
                channel,
                answers,
                unit,
                on_paper: kept_on_paper(procedure, slip),
                fee: (dong > 0).then(|| (dong, receipt.to_owned())),
                post,
            }),
            _ => Err(problems),
        }
    }

    /// That the result goes by post, where that is wished; of a case whose unit is not known yet nothing is told.
    fn wished_at_desk(
        &self,
        procedure: &Procedure,
        unit: Option<&OrgCode>,
        slip: &Slip,
    ) -> Result<Option<ByPost>, Vec<Problem>> {
        let (Some(wish), Some(unit)) = (wish::read(self, &slip.wish)?, unit) else {
            return Ok(None);
        };
        if !self.offers_post(procedure, self.today()) {
            return Err(vec![Problem::invalid(wish::ADDRESS, "post-not-offered")]);
        }
        let by_post = self.by_post(&wish, unit, self.store.world().now());
        by_post.map(Some).map_err(|problem| vec![problem])
    }

    /// The answers to all pages of the form, and what is wrong with them.
    fn answered(&self, procedure: &Procedure, who: &OrgCode, typed: &Typed) -> (Answers, Vec<Problem>) {
        let receives = |at: &AreaCode| self.desk_unit(procedure, who, at).map(|_| ());
        let rules = rules(self, &receives);
        let mut draft = blank(procedure);
        let mut problems = Vec::new();
        for form in &procedure.pages {
            let (given, faults) = answers::read_page(procedure, form, &draft, typed, &rules);
            draft.answers.extend(given);
            problems.extend(faults);
        }
        // The whole form is on one page: what is asked, and what must hold, is said once all of it is known.
        let asked = Asked::of(procedure, &draft.answers, rules.today);
        problems.retain(|p| p.field.as_ref().is_none_or(|field| asked.has(field)));
        for (_, fault) in answers::faults(procedure, &draft, &rules) {
            let told = |p: &Problem| p.field == fault.field && p.code == fault.code;
            if !problems
                .iter()
                .any(|p| told(p) || p.field == fault.field && fault.code == "answer-missing")
            {
                problems.push(fault);
            }
        }
        asked.keep(&mut draft.answers);
        (draft.answers, problems)
    }

    /// The unit that decides a case for a commune, when it is one this official's desk takes in for: their own
    /// and those below it.
    fn desk_unit(&self, procedure: &Procedure, who: &OrgCode, at: &AreaCode) -> Result<OrgCode, Problem> {
        let unit = self.unit_of(procedure, at)?;
        if who.holds(&unit) && self.takes_for(&unit, self.today()) {
            return Ok(unit);
        }
        Err(Problem::invalid(&procedure.receiver, "intake-elsewhere")
            .with("name", self.organisation_name(&unit))
            .with("own", self.organisation_name(who)))
    }
}

/// The papers that are kept on paper, each once, in the procedure's order.
fn kept_on_paper(procedure: &Procedure, slip: &Slip) -> Vec<String> {
    let codes = procedure.papers.iter().map(|paper| &paper.code);
    codes
        .filter(|code| slip.on_paper.contains(code))
        .cloned()
        .collect()
}

/// A personal number as typed.
fn number(typed: &str) -> Result<PersonalNumber, Problem> {
    let digits: String = typed.chars().filter(|c| !matches!(c, ' ' | '.' | '-')).collect();
    if digits.is_empty() {
        return Err(Problem::invalid("applicant_number", "field-missing"));
    }
    digits
        .parse()
        .map_err(|_| Problem::invalid("applicant_number", "personal-number"))
}

/// A draft in which nothing is answered.
pub(crate) fn blank(procedure: &Procedure) -> Draft {
    Draft {
        id: String::new(),
        account: String::new(),
        procedure: procedure.code.clone(),
        version: procedure.version(),
        answers: Answers::new(),
        prefilled: std::collections::BTreeMap::new(),
        revision: 0,
        filed_as: None,
        mandate: None,
        created_at: Time(0),
        changed_at: Time(0),
    }
}
