//! A procedure's version as one immutable, content-hashed document: texts, papers, questions,
//! prefill, term, states and transitions, act and result. Pure data: the pack writes it, filing,
//! the desk and the clock read it. Never a running case.

use std::collections::BTreeMap;

use kernel::codes::Sex;
use kernel::fact::Channel;
use kernel::{Digest, OrgCode, ProcedureCode};
use serde::{Deserialize, Serialize};

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
    /// What the applicant gets.
    pub result: ResultPaper,
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

/// How long a case of one channel may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
// No `deny_unknown_fields`: serde cannot combine it with `flatten`; the rule below denies them.
pub struct Term {
    /// The channel.
    pub channel: Channel,
    /// The rule the term is counted by.
    #[serde(flatten)]
    pub rule: TermRule,
}

/// The rules a term can have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TermRule {
    /// A number of whole working days of eight hours, counted from acceptance.
    WorkingDays {
        /// Days.
        days: i64,
    },
    /// Within the day of acceptance; accepted after `cutoff` and not finished: the next working day
    /// (birth registration: Decree 123/2015/NĐ-CP as practised; see the pack's README).
    SameDay {
        /// Minute of the day after which the next working day applies: 900 is 15:00.
        cutoff: i64,
    },
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
    /// `@NAME` a value that an earlier prefill put under that name.
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
    /// A hint below it.
    #[serde(default)]
    pub hint: Option<Text>,
    /// What an answer looks like.
    pub kind: QuestionKind,
    /// True when it must be answered.
    #[serde(default)]
    pub required: bool,
    /// The choices of a `choice`.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// For a personal number: the field with the person's date of birth, whose year it must carry.
    #[serde(default)]
    pub born: Option<String>,
    /// For a personal number: the sex it must carry.
    #[serde(default)]
    pub sex: Option<Sex>,
}

/// The kinds of questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionKind {
    /// A line of text, at most 200 characters.
    Text,
    /// A person's name, at most 200 characters.
    Name,
    /// A date not after today, in three boxes.
    Date,
    /// One of the choices.
    Choice,
    /// A twelve-digit personal number.
    PersonalNumber,
    /// A commune of today's list, by code.
    Commune,
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
}

/// What the clock does in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// Not started.
    Off,
    /// Running.
    Run,
    /// Stopped until the applicant has answered; the term goes on or starts anew as the law of that
    /// day says ([`crate::clock`]).
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
}

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
    /// Give the result to the applicant.
    Return,
}

/// The act that is entered in a register before the result is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// The service that enters it; idempotent by case code.
    pub service: String,
    /// The service that takes it back.
    pub undo: String,
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

    /// The term of a channel.
    #[must_use]
    pub fn term(&self, channel: Channel) -> Option<&TermRule> {
        self.terms.iter().find(|t| t.channel == channel).map(|t| &t.rule)
    }

    /// The transition of a verb from a state, whoever may do it.
    #[must_use]
    pub fn verb_from(&self, verb: Verb, state: &str) -> Option<&Transition> {
        self.transitions
            .iter()
            .find(|t| t.verb == verb && t.from == state)
    }

    /// The source that fills a field, when a register does.
    #[must_use]
    pub fn source_of(&self, field: &str) -> Option<&Prefill> {
        self.prefill.iter().find(|p| p.fills.contains_key(field))
    }

    /// What is wrong with the document: states that cannot be reached or left, unknown names.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut known = |what: &str, state: &str| {
            if !self.states.contains_key(state) {
                faults.push(format!("{what} names the state {state:?}, which is not declared"));
            }
        };
        known("first_state", &self.first_state);
        for t in &self.transitions {
            known("a transition", &t.from);
            known("a transition", &t.to);
        }
        for (code, state) in &self.states {
            let entered = *code == self.first_state || self.transitions.iter().any(|t| t.to == *code);
            let left = state.clock == Clock::Stop || self.transitions.iter().any(|t| t.from == *code);
            if !entered {
                faults.push(format!("no transition leads to the state {code:?}"));
            }
            if !left {
                faults.push(format!(
                    "the state {code:?} cannot be left and does not stop the clock"
                ));
            }
            if !(1..=10).contains(&state.status) {
                faults.push(format!(
                    "the state {code:?} maps to status {}, which is none of the ten",
                    state.status
                ));
            }
        }
        if let Some(act) = &self.act {
            faults.extend(crate::act::faults(self, act));
        }
        if self
            .question(&self.receiver)
            .is_none_or(|q| q.kind != QuestionKind::Commune || !q.required)
        {
            faults.push(format!(
                "the receiver {:?} is no required question for a commune",
                self.receiver
            ));
        }
        faults.extend(self.form_faults());
        faults
    }

    /// Fields asked twice, choices without a choice, keys that no earlier prefill puts.
    fn form_faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for question in self.pages.iter().flat_map(|p| &p.questions) {
            if !seen.insert(&question.code) {
                faults.push(format!("the field {:?} is asked twice", question.code));
            }
            if (question.kind == QuestionKind::Choice) == question.choices.is_empty() {
                faults.push(format!(
                    "the field {:?} has choices and is no choice, or the other way round",
                    question.code
                ));
            }
            if let Some(born) = &question.born
                && self.question(born).is_none_or(|q| q.kind != QuestionKind::Date)
            {
                faults.push(format!(
                    "the field {:?} is compared with {born:?}, which is no date",
                    question.code
                ));
            }
        }
        for (at, prefill) in self.prefill.iter().enumerate() {
            let earlier = |name: &str| self.prefill.iter().take(at).any(|p| p.fills.contains_key(name));
            for key in prefill.key.values().filter_map(|k| k.strip_prefix('@')) {
                if key != "applicant" && !earlier(key) {
                    faults.push(format!(
                        "{} is asked by {key:?}, which nothing puts before",
                        prefill.service
                    ));
                }
            }
        }
        faults
    }
}
