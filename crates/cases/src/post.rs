//! The result by post (trả kết quả qua dịch vụ bưu chính công ích; Decision 45/2016/QĐ-TTg, from memory): an applicant wishes it
//! until the result is signed, the desk hands it over to the post under a parcel's number, and hears what became of it.
//! The date that an agency owes is that of its result; the post's own days come behind it and are told apart. The noun,
//! and one file an operation below. Never collects the post's money: who gets the parcel pays it there.
//!
//! | read | for |
//! |---|---|
//! | [`Wish`], [`ByPost`], [`Parcel`], [`Fate`] | the nouns, pure |
//! | [`rates`] | what the post takes and how long it needs, by the pack's dated table |
//! | `wish` | a wish as a form or a program sends it |
//! | `drafts`, `cases` | the applicant chooses, before filing and after |
//! | `wished` | the owner takes the choice |
//! | `list`, `slip` | what is to be posted, and the paper for the parcel |
//! | `hand_over`, `parcel` | the desk's verbs |
//! | `part` | the parts of a case's pages |
//! | `store` | the SQL of all |

mod cases;
mod drafts;
mod hand_over;
mod list;
mod parcel;
pub(crate) mod part;
pub mod rates;
mod slip;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub(crate) mod wish;
mod wished;

pub(crate) use self::drafts::for_check;

use kernel::{Date, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};
use web::openapi::{OpenApiRouter, routes};

use crate::answers::address_parts;
use crate::case::Case;
use crate::desk::step::DECIDED;
use crate::post::rates::{Rate, Zone};
use crate::procedure::{Procedure, Verb};
use crate::state::Cases;

/// Who hands results over.
pub(crate) const DESK: &str = "receptionist";

/// Where somebody wishes the result to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// The address, as answers keep one: a commune's code and a line, `15865 Thôn 3`.
    pub address: String,
    /// A telephone number for who brings it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phone: String,
}

/// That the result of a case goes by post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByPost {
    /// Where to.
    pub to: Wish,
    /// What the post takes for it from who gets it, in dong.
    pub dong: u64,
    /// Working days that the post needs behind the handing over.
    pub days: u32,
    /// Since when it is wished so.
    pub since: Time,
    /// The parcel, once it was handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parcel: Option<Parcel>,
}

/// A result on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// Its number at the post.
    pub number: String,
    /// When it was handed over.
    pub at: Time,
    /// The receptionist's account.
    pub by: String,
    /// The receptionist's name.
    pub by_name: String,
    /// What became of it.
    #[serde(default)]
    pub fate: Fate,
}

/// What became of a parcel. Days are civil days in Vietnam, `2026-11-25`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Fate {
    /// Nothing was heard of it yet.
    #[default]
    OnItsWay,
    /// It was delivered.
    Delivered {
        /// On which day.
        on: String,
    },
    /// It came back to the desk, and waits for its applicant there.
    CameBack {
        /// On which day.
        on: String,
    },
    /// It came back and was given at the desk.
    Given {
        /// On which day it came back.
        came_back: String,
        /// On which day it was given.
        on: String,
    },
}

/// What a desk hears of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Delivered,
    CameBack,
    Given,
}

impl Outcome {
    /// All there are.
    pub(crate) const ALL: [Self; 3] = [Self::Delivered, Self::CameBack, Self::Given];

    /// Its word in forms, facts and texts.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::CameBack => "came-back",
            Self::Given => "given",
        }
    }

    /// The outcome of a word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.word() == word)
    }
}

impl Fate {
    /// Its word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::OnItsWay => "on-its-way",
            Self::Delivered { .. } => Outcome::Delivered.word(),
            Self::CameBack { .. } => Outcome::CameBack.word(),
            Self::Given { .. } => Outcome::Given.word(),
        }
    }

    /// The day of it, where there is one.
    #[must_use]
    pub fn on(&self) -> Option<&str> {
        match self {
            Self::OnItsWay => None,
            Self::Delivered { on } | Self::CameBack { on } | Self::Given { on, .. } => Some(on),
        }
    }

    /// What comes of it with an outcome; `None` where that cannot follow: what was delivered stays so, and only what
    /// came back is given at the desk.
    pub(crate) fn with(&self, outcome: Outcome, day: &str) -> Option<Self> {
        let on = day.to_owned();
        match (self, outcome) {
            (Self::OnItsWay, Outcome::Delivered) => Some(Self::Delivered { on }),
            (Self::OnItsWay, Outcome::CameBack) => Some(Self::CameBack { on }),
            (Self::CameBack { on: came_back }, Outcome::Given) => Some(Self::Given {
                came_back: came_back.clone(),
                on,
            }),
            _ => None,
        }
    }

    /// The outcomes that can follow.
    pub(crate) fn next(&self) -> Vec<Outcome> {
        let all = Outcome::ALL.into_iter();
        all.filter(|outcome| self.with(*outcome, "").is_some()).collect()
    }
}

/// Where a result that goes by post is: the part of the desk's list in which it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is not there yet.
    Wished,
    /// It is there and waits for the post.
    Ready,
    /// The post has it.
    Posted,
    /// It came back.
    CameBack,
    /// Nothing is left to do: it arrived, was given at the desk, or there is none.
    Over,
}

impl Stage {
    /// Those that a desk has something to do about.
    pub(crate) const LISTED: [Self; 3] = [Self::Ready, Self::Posted, Self::CameBack];

    /// Its word in rows, addresses and texts.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Wished => "wished",
            Self::Ready => "ready",
            Self::Posted => "posted",
            Self::CameBack => "came-back",
            Self::Over => "over",
        }
    }

    /// A stage that is listed, by its word.
    pub(crate) fn listed(word: &str) -> Option<Self> {
        Self::LISTED.into_iter().find(|stage| stage.word() == word)
    }

    /// Where the result of a case with a national status is.
    pub(crate) fn of(by_post: &ByPost, status: u8) -> Self {
        match (&by_post.parcel, status) {
            (None, DECIDED) => Self::Ready,
            (None, 3 | 7 | 8 | 10) => Self::Over,
            (None, _) => Self::Wished,
            (Some(parcel), _) => match parcel.fate {
                Fate::OnItsWay => Self::Posted,
                Fate::CameBack { .. } => Self::CameBack,
                Fate::Delivered { .. } | Fate::Given { .. } => Self::Over,
            },
        }
    }
}

/// True while an applicant may still choose how to get the result: until it is signed, and never once the case is over.
pub(crate) fn may_choose(case: &Case, procedure: &Procedure) -> bool {
    let over = [3, 7, 8, DECIDED, 10].contains(&case.status(procedure));
    case.decided.is_none() && !over
}

impl Cases {
    /// True where the result of a procedure can go by post on a day: a desk gives it, and the pack says what the post
    /// takes.
    pub(crate) fn offers_post(&self, procedure: &Procedure, on: Date) -> bool {
        procedure.holders(Verb::Return).contains(&DESK) && self.catalogue.postal().on(on).is_some()
    }

    /// What the post takes from a unit to an address on a day.
    ///
    /// # Errors
    /// 422 at `post_address`: `answer-address` for what is none, `commune-unknown`, `post-not-offered` where the pack has
    /// no rate.
    pub(crate) fn post_rate(&self, unit: &OrgCode, address: &str, on: Date) -> Result<Rate, Problem> {
        let bad = |code| Problem::invalid(wish::ADDRESS, code);
        let (commune, line) = address_parts(address).ok_or_else(|| bad("answer-address"))?;
        if line.is_empty() {
            return Err(bad("post-address-line"));
        }
        let to = self.places().province(&commune, on);
        let to = to.ok_or_else(|| bad("commune-unknown"))?;
        let organisation = self.organisations.get(unit, on);
        let from = organisation
            .and_then(|organisation| organisation.area.as_ref())
            .and_then(|area| self.areas.province(area, on));
        let zone = match from {
            Some(from) if from.code == to => Zone::SameProvince,
            _ => Zone::OtherProvince,
        };
        let rates = self.catalogue.postal().on(on);
        rates
            .and_then(|rates| rates.of(zone))
            .ok_or_else(|| bad("post-not-offered"))
    }

    /// A wish as a case of a unit keeps it.
    ///
    /// # Errors
    /// As [`Cases::post_rate`].
    pub(crate) fn by_post(&self, wish: &Wish, unit: &OrgCode, since: Time) -> Result<ByPost, Problem> {
        let rate = self.post_rate(unit, &wish.address, since.date())?;
        Ok(ByPost {
            to: wish.clone(),
            dong: rate.dong,
            days: rate.days,
            since,
            parcel: None,
        })
    }
}

/// The portal's routes.
pub(crate) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(drafts::show, drafts::by_form))
        .routes(routes!(drafts::show_json, drafts::by_json))
        .routes(routes!(cases::show, cases::by_form))
        .routes(routes!(cases::show_json, cases::by_json))
}

/// The desk's routes.
pub(crate) fn desk_routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(list::page))
        .routes(routes!(list::json))
        .routes(routes!(slip::slip))
        .routes(routes!(hand_over::by_form))
        .routes(routes!(hand_over::by_json))
        .routes(routes!(parcel::by_form))
        .routes(routes!(parcel::by_json))
}
