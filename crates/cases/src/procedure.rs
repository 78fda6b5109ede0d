//! A procedure's version as one immutable, content-hashed document: texts, papers, questions,
//! prefill, term, states and transitions, act and result. Pure data: the pack writes it, filing,
//! the desk and the clock read it. Never a running case.

mod charge;
mod consult;
mod fee;
mod prefill;
mod publish;
mod represent;
mod term;
mod validity;

use std::collections::BTreeMap;

use kernel::codes::Sex;
use kernel::fact::Channel;
use kernel::{Digest, OrgCode, ProcedureCode};
use serde::{Deserialize, Serialize};

use crate::rules::{Asked, Condition, Given, Rule};

pub use charge::{ChargeKind, ChargeRule};
pub use consult::{ConsultRule, Topic};
pub use fee::{Beyond, Fee};
pub use publish::{Forward, Publish};
pub use represent::{Proof, Represent, Whom};
pub use term::{Starts, Term, TermRule};
pub use validity::Validity;

/// One version of one procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Procedure {
    /// The national code.
    pub code: ProcedureCode,
    /// Its name.
    pub name: Text,
    /// The organisation that publishes it.
    pub publisher: OrgCode,
    /// First day on which cases are filed under this version, `2025-07-01`.
    pub valid_from: String,
    /// The acts it rests on.
    pub legal_basis: Vec<String>,
    /// `commune` or `province`: which units of the owner receive it.
    pub level: String,
    /// The question whose answer, a commune, says where the case goes: to that commune's people's
    /// committee, or its province's, by `level`.
    pub receiver: String,
    /// What the applicant should have at hand, one sentence each.
    pub before_you_start: Vec<Text>,
    /// How long it may take, by channel.
    pub terms: Vec<Term>,
    /// What the law says about asking for what is missing, by its first day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supplement_rules: Vec<SupplementRule>,
    /// What must be attached.
    pub papers: Vec<Paper>,
    /// What the registers answer instead of the applicant.
    #[serde(default)]
    pub prefill: Vec<Prefill>,
    /// What is asked, a page at a time.
    pub pages: Vec<FormPage>,
    /// The states a case goes through, by code.
    pub states: BTreeMap<String, State>,
    /// The state of a newly received case.
    pub first_state: String,
    /// What may be done, by verb.
    pub transitions: Vec<Transition>,
    /// The act entered in a register before the result is signed.
    #[serde(default)]
    pub act: Option<Act>,
    /// How the applicant looks at the draft of the result, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft_check: Option<DraftCheck>,
    /// How far a letter of apology can move the date, where one can be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apology: Option<ApologyRule>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Fee>,
    /// What may become known to be owed while a case is handled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<ChargeKind>,
    /// What the law says about such charges, by its first day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charge_rules: Vec<ChargeRule>,
    /// What the applicant gets.
    pub result: ResultPaper,
    /// What other agencies do once the result is there (liên thông).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follow_ups: Vec<FollowUp>,
    /// Whom an officer may ask for an opinion while a case runs, and about what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consult: Option<ConsultRule>,
    /// How its answers are published, where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish: Option<Publish>,
    /// Who signs a draft too before it is filed (ký cùng): the questions that are answered with their personal numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cosign: Vec<String>,
    /// Whom a case may be filed for by somebody else, and by which proofs (đại diện); nobody where nothing is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub represent: Vec<Represent>,
    /// How a case goes on that came to the wrong unit, where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<Forward>,
}

/// What another agency does once what was asked is granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowUp {
    /// Its code within the procedure.
    pub code: String,
    /// What the applicant gets of it: `Thẻ bảo hiểm y tế`.
    pub name: Text,
    /// The service that does it; idempotent by case code.
    pub service: String,
    /// The body's parts, as [`Act::body`]; `@personal-number` and `@act-number` are the entered act's.
    pub body: BTreeMap<String, String>,
    /// The field of the answer that the applicant is told.
    pub answer: String,
    /// The earlier one of this procedure that has to be done first; without, it begins with the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How long the other agency has, from when it is asked; without, nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<TermRule>,
}

/// How the applicant looks at the draft of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftCheck {
    /// After how long silence is consent.
    pub silence: Silence,
}

/// How long an applicant may be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    /// Working days.
    pub days: i64,
}

/// How far a letter of apology can move the date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApologyRule {
    /// How long before the date the letter must be written, in working days; 0 where
    /// the date is that of acceptance.
    pub ahead_days: i64,
    /// The furthest new date after the old one, in working days.
    pub days_max: i64,
}

/// A text in the languages of the portal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

/// What the law in force from a day on says about asking for what is missing (yêu cầu bổ sung).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupplementRule {
    /// First day, `2018-06-21`.
    pub valid_from: String,
    /// What the term does when the applicant has answered.
    pub rule: Resumption,
    /// How long after acceptance the applicant can be asked, in working days.
    pub ask_days: i64,
    /// How long the applicant has, in working days.
    pub answer_days: i64,
}

/// What a paused term does when the applicant has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resumption {
    /// It starts anew.
    Restart,
    /// It goes on with what was left of it.
    Pause,
}

/// A paper to attach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// Its code within the procedure; the upload field's name.
    pub code: String,
    /// Its name.
    pub name: Text,
    /// True when the case cannot be filed without it.
    pub required: bool,
}

/// A question to a register whose answer fills fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefill {
    /// The service on the exchange.
    pub service: String,
    /// What is shown as the source: `Cơ sở dữ liệu quốc gia về dân cư (Bộ Công an)`.
    pub source: Text,
    /// The key sent, by the service's field: `@applicant` is the applicant's personal number,
    /// `@NAME` a value that an earlier prefill put under that name, `@answer:FIELD` what was typed there:
    /// the register is asked when that was answered, and anew when it changes.
    pub key: BTreeMap<String, String>,
    /// Asked only when the applicant's personal number says this sex: the mother's side and the
    /// father's side are asked for in another order.
    #[serde(default)]
    pub applicant: Option<Sex>,
    /// What it fills: our field from the record's field; a dot leads into an object.
    pub fills: BTreeMap<String, String>,
}

/// A page of the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormPage {
    /// Its code, the last part of its address.
    pub code: String,
    /// Its heading.
    pub title: Text,
    /// When it is asked at all; always where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show: Option<Rule>,
    /// What must hold between its answers and those of earlier pages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub check: Vec<Condition>,
    /// Its questions.
    pub questions: Vec<Question>,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The field's name.
    pub code: String,
    /// The question.
    pub label: Text,
    /// The heading of the group of questions that begins here, on a page with several groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heading: Option<Text>,
    /// A hint below it.
    #[serde(default)]
    pub hint: Option<Text>,
    /// What an answer looks like.
    pub kind: QuestionKind,
    /// True when it must be answered.
    #[serde(default)]
    pub required: bool,
    /// When it is asked at all; always where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show: Option<Rule>,
    /// What must hold of its answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub check: Vec<Condition>,
    /// The choices of a `choice`.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// For a personal number: the field with the person's date of birth, whose year it must carry.
    #[serde(default)]
    pub born: Option<String>,
    /// For a personal number: the sex it must carry.
    #[serde(default)]
    pub sex: Option<Sex>,
    /// The least number, where it is one; 0 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<u64>,
    /// The greatest number, where it is one; a thousand million when nothing is said. Of a long text, how many
    /// characters it may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greatest: Option<u64>,
    /// What a number counts: `m²`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Text>,
}

/// The greatest number of a question that says none.
const NUMBER_MAX: u64 = 1_000_000_000;
/// The greatest amount of a question that says none, in dong.
const MONEY_MAX: u64 = 1_000_000_000_000_000;

impl Question {
    /// What a number may be: the least and the greatest.
    #[must_use]
    pub fn bounds(&self) -> (u64, u64) {
        let most = match self.kind {
            QuestionKind::Money => MONEY_MAX,
            _ => NUMBER_MAX,
        };
        (self.least.unwrap_or(0), self.greatest.unwrap_or(most))
    }
}

/// The kinds of questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionKind {
    /// A line of text, at most 200 characters.
    Text,
    /// Text with its line breaks, at most 4,000 characters.
    LongText,
    /// A person's name, at most 200 characters.
    Name,
    /// A date not after today, in three boxes.
    Date,
    /// A whole number, not below zero.
    Number,
    /// An amount in whole dong.
    Money,
    /// `yes` or `no`.
    YesNo,
    /// One of the choices.
    Choice,
    /// Any of the choices; kept in their order, parted by commas.
    ManyOf,
    /// A twelve-digit personal number.
    PersonalNumber,
    /// The tax code of an organisation, which is its business code.
    BusinessId,
    /// A telephone number within the country.
    Phone,
    /// An e-mail address.
    Email,
    /// A commune of today's list, by code.
    Commune,
    /// A commune of today's list and a line for house, street or hamlet; kept as `15865 Thôn 3`.
    Address,
}

/// A choice of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The value kept.
    pub value: String,
    /// What is shown.
    pub label: Text,
}

/// A state of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// What the applicant reads.
    pub label: Text,
    /// The national status, 1 to 10 (packs/vn/codes/case-statuses.csv).
    pub status: u8,
    /// What the clock does.
    pub clock: Clock,
    /// Who works on it; empty when nobody has to.
    #[serde(default)]
    pub role: String,
    /// How long a case may stay in it, in working days or hours, where that is said. It moves nothing of when the
    /// result is owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<TermRule>,
}

/// What the clock does in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// Not started.
    Off,
    /// Running.
    Run,
    /// Stopped until the applicant has answered; the term goes on or starts anew as the law of the day
    /// of filing says ([`crate::clock`]).
    Pause,
    /// Stopped for good.
    Stop,
}

/// What may be done in a state, by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// What is done.
    pub verb: Verb,
    /// In which state.
    pub from: String,
    /// The state after it.
    pub to: String,
    /// The role that may do it; `platform` for the platform's own jobs, `applicant` for who filed.
    pub role: String,
    /// What must hold of the answers for it, where something must; for what officials do alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Condition>,
}

/// The role of the platform's own steps.
pub const PLATFORM: &str = "platform";
/// The role of the applicant's own steps.
pub const APPLICANT: &str = "applicant";

/// What can be done with a case: one file each below `desk/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Take the case in: the clock starts.
    Accept,
    /// Do not take it in: a refusal slip says why.
    Decline,
    /// Ask the applicant, once and in full, for what is missing.
    AskSupplement,
    /// The applicant gave it.
    Supplement,
    /// Ask the applicant to pay what has become known to be owed; a notice says how much and why.
    AskPayment,
    /// It was paid: at the bank, as the portal says, or at the desk.
    Pay,
    /// Ask other units for their opinion.
    Consult,
    /// Propose an outcome.
    Propose,
    /// The applicant found the draft of the result right, or said nothing until the term ended.
    CheckDraft,
    /// The act was entered in its register.
    EnterAct,
    /// Back to the officer; an entered act is withdrawn.
    SendBack,
    /// Sign the result.
    Sign,
    /// Add the number and the agency's signature.
    Seal,
    /// The applicant took the case back.
    Withdraw,
    /// Stop handling it without a result; a notice says why.
    Stop,
    /// Say before the date that it will be missed, and give another one. Never a transition: the case
    /// stays where it is.
    Apologise,
    /// Give the result to the applicant.
    Return,
}

/// The act that is entered in a register before the result is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// The service that enters it, idempotent by case code; or, without an `undo`, that looks it up.
    pub service: String,
    /// The service that takes it back; nothing for an act that is only read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
    /// The body's parts from the answers: `child.full_name = "child_name"`, or several fields joined
    /// with `, ` for readers; `@case`, `@unit`, `@today`, `@applicant` (the personal number) and
    /// `@applicant-name` are the case's own. See [`crate::act`].
    pub body: BTreeMap<String, String>,
}

/// The result paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultPaper {
    /// The document's kind.
    pub kind: String,
    /// Its name.
    pub name: Text,
    /// The pack's template.
    pub template: String,
    /// How long it is good for, where it has an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<Validity>,
}

impl Procedure {
    /// The version's name: the digest of its canonical JSON.
    #[must_use]
    pub fn version(&self) -> Digest {
        let json = kernel::digest::canonical_json(self).expect("a procedure is text and whole numbers");
        Digest::of(json.as_bytes())
    }

    /// The question of a field.
    #[must_use]
    pub fn question(&self, field: &str) -> Option<&Question> {
        self.pages
            .iter()
            .flat_map(|p| &p.questions)
            .find(|q| q.code == field)
    }

    /// The page of a code and its place.
    #[must_use]
    pub fn page(&self, code: &str) -> Option<(usize, &FormPage)> {
        self.pages.iter().enumerate().find(|(_, p)| p.code == code)
    }

    /// How many parts an applicant fills in: the pages on which something is asked of them, and papers.
    #[must_use]
    pub fn parts(&self, asked: &Asked) -> usize {
        asked.pages(self).count() + self.papers.len()
    }

    /// The paper of a code.
    #[must_use]
    pub fn paper(&self, code: &str) -> Option<&Paper> {
        self.papers.iter().find(|p| p.code == code)
    }

    /// True when it may be handed in so: what has no term for a channel has no way through it.
    #[must_use]
    pub fn takes(&self, channel: Channel) -> bool {
        self.term(channel).is_some()
    }

    /// The term of a channel; where the answers decide among several, the one for all other cases.
    #[must_use]
    pub fn term(&self, channel: Channel) -> Option<&Term> {
        let mut of_channel = self.terms.iter().filter(|t| t.channel == channel);
        let plain = of_channel.clone().find(|t| t.when.is_none());
        plain.or_else(|| of_channel.next())
    }

    /// The term of a case of a channel, with these answers and filed on this day.
    #[must_use]
    pub fn term_for(
        &self,
        channel: Channel,
        answers: &BTreeMap<String, String>,
        filed: kernel::Date,
    ) -> Option<&Term> {
        let given = Given::new(self, answers, filed);
        let applies = |t: &&Term| {
            t.when
                .as_ref()
                .is_some_and(|w| w.rule.holds(&given) == Some(true))
        };
        let mut of_channel = self.terms.iter().filter(|t| t.channel == channel);
        of_channel.find(applies).or_else(|| self.term(channel))
    }

    /// The rule about supplements in force on a day; `None` where nothing may be asked for.
    #[must_use]
    pub fn supplement_rule(&self, on: kernel::Date) -> Option<&SupplementRule> {
        let on = kernel::time::iso(on);
        let known = self.supplement_rules.iter().filter(|r| r.valid_from <= on);
        known.max_by(|a, b| a.valid_from.cmp(&b.valid_from))
    }

    /// The rule about charges in force on a day; `None` where nothing may be asked for.
    #[must_use]
    pub fn charge_rule(&self, on: kernel::Date) -> Option<&ChargeRule> {
        let on = kernel::time::iso(on);
        let known = self.charge_rules.iter().filter(|r| r.valid_from <= on);
        known.max_by(|a, b| a.valid_from.cmp(&b.valid_from))
    }

    /// The kind of charge of a code.
    #[must_use]
    pub fn charge(&self, code: &str) -> Option<&ChargeKind> {
        self.charges.iter().find(|kind| kind.code == code)
    }

    /// What the clock does in a state; off in one that is not declared.
    #[must_use]
    pub fn clock(&self, state: &str) -> Clock {
        self.states.get(state).map_or(Clock::Off, |s| s.clock)
    }

    /// What a case with these answers costs, filed on this day, in dong; 0 where nothing is asked.
    #[must_use]
    pub fn dong(&self, answers: &BTreeMap<String, String>, filed: kernel::Date) -> u64 {
        let given = Given::new(self, answers, filed);
        let amount = |rule: &Rule, count| rule.amount(&given.counting(count));
        self.fee.as_ref().map_or(0, |fee| fee.of(answers, amount))
    }

    /// True for an answer that stands once its case is filed: it says which unit has the case, how much was
    /// paid for it, or how long it may take.
    #[must_use]
    pub fn is_fixed(&self, field: &str) -> bool {
        let fee = self.fee.iter();
        let counted = fee.clone().flat_map(Fee::counts).any(|counted| counted == field);
        let amounts = fee.flat_map(Fee::rules);
        let terms = self.terms.iter().filter_map(|t| t.when.as_ref()).map(|w| &w.rule);
        field == self.receiver || counted || amounts.chain(terms).any(|rule| rule.fields().contains(&field))
    }

    /// The transition of a verb from a state, whoever may do it.
    #[must_use]
    pub fn verb_from(&self, verb: Verb, state: &str) -> Option<&Transition> {
        self.transitions
            .iter()
            .find(|t| t.verb == verb && t.from == state)
    }

    /// The roles of officials that may do a verb in one state or another.
    #[must_use]
    pub fn holders(&self, verb: Verb) -> Vec<&str> {
        let steps = self.transitions.iter().filter(|t| t.verb == verb);
        let mut roles: Vec<&str> = steps
            .map(|t| t.role.as_str())
            .filter(|role| !matches!(*role, PLATFORM | APPLICANT))
            .collect();
        roles.dedup();
        roles
    }

    /// The source that fills a field, when a register does.
    #[must_use]
    pub fn source_of(&self, field: &str) -> Option<&Prefill> {
        self.prefill.iter().find(|p| p.fills.contains_key(field))
    }
}
