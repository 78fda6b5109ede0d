//! The exchange: a signed request and a signed answer, under an agreement both organisations
//! signed, with evidence on both sides before the answer leaves. Never a rule of a service, never a
//! register: services are handed in through [`Service`].
//!
//! | read | for |
//! |---|---|
//! | [`client`] | the consumer's half, top to bottom |
//! | [`provider`] | the provider's half, top to bottom |
//! | [`agreement`], [`endpoint`], [`agreements`] | the noun, what of a service it grants, and what a node holds (in memory: `held`, `rate`, [`quota`]) |
//! | [`life`], [`terms`] | how an agreement comes to be, stops and goes on; what is owed by when |
//! | [`delegation`] | who acts or publishes for whom |
//! | [`grouped`] | agreements that a provider offers to all members of a group |
//! | `check`, `fit` | what is asked of a sealed message; what of a service's answer may leave |
//! | [`message`], [`rest`], [`envelope`] | the signed bytes, what they carry of HTTP, the wire's and the log's format |
//! | [`wire`] | the one module that knows how gateways talk |
//! | [`breaker`], [`circuits`], `again`, `once_more` | who fails is not asked for a while; what is sent again |
//! | [`spool`], `passing` | bodies too large for memory, and where they are on their way |
//! | [`replay`], [`sealer`], `to_the_end` | one effect a request; one signature a batch; no exchange left half-way |
//! | [`grounds`] | what evidence rests on, and what a measurement puts in its place |
//! | `certificates`, `signed` | what evidence was sealed with, for as long as it is kept; whose key a word is checked by |
//! | `kept`, `keeping` | which bodies an agreement has kept; when they are, and how they end |
//! | [`processing`] | for how long the receiver keeps what it received, and who else processes it |
//! | `index`, `record` | where the exchanges of the log are found, and what is made of a record for it |
//! | [`follow`], [`timestamping`], [`export`] | what is made of the evidence afterwards |
//! | [`evidence`], `filter` | what is made of it for people: searched, proved, taken away; the form that narrows a list |
//! | [`left`], [`retention`] | what has left the live log for its archive, and how long it stays there |
//! | `audit` | who did what, and who was refused |
//! | `refusals` | calls that information systems were refused, by the id they were told |
//! | [`maintenance`] | the whole node makes and answers no call for a time |
//! | `monitoring` | records of calls in X-Road's fields, health of services |
//! | `standing` | how the node stands, and the way to others tried step by step |
//! | `traffic` | what goes through, counted by time, member, service, agreement and result |
//! | [`face`], [`callers`], [`behind`], `metadata` | information systems that call (by which certificates), and that are called; what there is to be called |
//! | [`offered`] | services that an operator registers |
//! | [`api`], `operator`, [`notice`], [`pack`] | the operator (exchanges; agreements), the other party, the pack |

mod again;
pub mod agreement;
pub mod agreements;
pub mod api;
mod audit;
pub mod behind;
pub mod breaker;
pub mod callers;
mod certificates;
mod check;
pub mod circuits;
pub mod client;
pub mod delegation;
pub mod endpoint;
pub mod envelope;
pub mod evidence;
pub mod export;
pub mod face;
mod filter;
mod fit;
pub mod follow;
pub mod gateway;
pub mod grounds;
pub mod grouped;
mod held;
pub mod holdings;
pub mod ids;
mod index;
mod keeping;
pub mod kept;
pub mod left;
pub mod life;
pub mod maintenance;
pub mod message;
mod metadata;
mod monitoring;
pub mod notice;
pub mod offered;
mod once_more;
mod operator;
pub mod pack;
mod passing;
pub mod processing;
pub mod provider;
pub mod quota;
mod rate;
mod record;
mod refusals;
pub mod replay;
pub mod rest;
pub mod retention;
pub mod sealer;
pub mod service;
mod signed;
pub mod spool;
mod standing;
mod store;
pub mod terms;
pub mod timestamping;
mod to_the_end;
mod traffic;
pub mod wire;

pub use agreement::{Agreement, SignedAgreement};
pub use api::router;
pub use circuits::{Away, CircuitSeen, Hop};
pub use client::Ask;
pub use endpoint::Endpoint;
pub use face::{CodeStyle, Connection};
pub use gateway::{Exchange, Parts, STREAM};
pub use grounds::Grounds;
pub use ids::{ServiceId, SystemId};
pub use kept::{KeptBodies, KeptOf};
pub use left::Leaving;
pub use life::State;
pub use notice::Notices;
pub use processing::SubProcessing;
pub use quota::Quota;
pub use rest::{Headers, Method, Rest};
pub use service::{Answer, Call, Heard, Large, Service};
pub use terms::Terms;

/// The crate's tables.
pub const MIGRATIONS: ::store::Migrations = ::store::Migrations {
    name: "exchange",
    files: &[
        ("0001_exchange", include_str!("../migrations/0001_exchange.sql")),
        (
            "0002_agreement_life",
            include_str!("../migrations/0002_agreement_life.sql"),
        ),
        (
            "0003_exchange_messages",
            include_str!("../migrations/0003_exchange_messages.sql"),
        ),
        (
            "0004_exchange_services",
            include_str!("../migrations/0004_exchange_services.sql"),
        ),
        (
            "0005_evidence_search",
            include_str!("../migrations/0005_evidence_search.sql"),
        ),
        (
            "0006_exchange_quotas",
            include_str!("../migrations/0006_exchange_quotas.sql"),
        ),
        (
            "0007_operators_see",
            include_str!("../migrations/0007_operators_see.sql"),
        ),
        (
            "0008_stamped_leaves",
            include_str!("../migrations/0008_stamped_leaves.sql"),
        ),
        (
            "0009_agreement_ends",
            include_str!("../migrations/0009_agreement_ends.sql"),
        ),
        (
            "0010_delegations",
            include_str!("../migrations/0010_delegations.sql"),
        ),
        (
            "0011_evidence_index",
            include_str!("../migrations/0011_evidence_index.sql"),
        ),
        (
            "0012_group_offers",
            include_str!("../migrations/0012_group_offers.sql"),
        ),
        (
            "0014_maintenance",
            include_str!("../migrations/0014_maintenance.sql"),
        ),
        (
            "0015_evidence_archives",
            include_str!("../migrations/0015_evidence_archives.sql"),
        ),
        ("0018_refusals", include_str!("../migrations/0018_refusals.sql")),
        (
            "0019_client_connections",
            include_str!("../migrations/0019_client_connections.sql"),
        ),
        (
            "0022_platform_services",
            include_str!("../migrations/0022_platform_services.sql"),
        ),
    ],
};

/// The crate's texts.
pub const TEXTS: web::i18n::Source = web::i18n::Source {
    name: "exchange",
    vi: include_str!("../i18n/vi.ftl"),
    en: include_str!("../i18n/en.ftl"),
};
