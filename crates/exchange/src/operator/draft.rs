//! The twelve items of article 38 as somebody writes them: in a form, or as JSON; and as a page shows
//! them. Never signs.

use kernel::{Problem, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Fields, Page};

use super::DAY_MS;
use crate::agreement::Agreement;
use crate::endpoint::Endpoint;
use crate::grouped::{GroupName, UnderGroup};
use crate::kept::{KeptBodies, KeptOf};
use crate::processing::{SubProcessing, SubProcessingText};
use crate::quota::Quota;

/// The text of an agreement.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgreementText {
    /// The parties' own number for it.
    #[schema(example = "02/TT-G01-G22")]
    pub(crate) id: String,
    /// The system that uses the data.
    #[schema(example = "G22/portal")]
    pub(crate) consumer: String,
    /// The service; its organisation is the provider.
    #[schema(example = "G01/population/person-lookup")]
    pub(crate) service: String,
    /// The fields granted.
    #[serde(default)]
    pub(crate) fields: Vec<String>,
    /// The endpoints granted, each a method and a path; empty for all.
    #[serde(default)]
    #[schema(example = json!(["GET /persons/{id}"]))]
    pub(crate) endpoints: Vec<String>,
    /// What the data is for.
    pub(crate) purpose: String,
    /// The legal basis.
    pub(crate) legal_basis: String,
    /// Where it is shared.
    pub(crate) place: String,
    /// From when, milliseconds since 1970.
    pub(crate) valid_from: i64,
    /// Until when, not with that instant, milliseconds since 1970.
    pub(crate) valid_to: i64,
    /// How it is shared.
    pub(crate) sharing_method: String,
    /// What is done with it after receipt.
    pub(crate) handling: String,
    /// Conditions and limits.
    pub(crate) conditions: String,
    /// Calls a minute.
    pub(crate) rate_per_minute: u32,
    /// Calls a day; left out when a day is not bounded.
    #[serde(default)]
    pub(crate) calls_per_day: Option<u32>,
    /// Calls a month; left out when a month is not bounded.
    #[serde(default)]
    pub(crate) calls_per_month: Option<u32>,
    /// Commitments.
    pub(crate) commitments: String,
    /// Protection and authentication.
    pub(crate) protection: String,
    /// Storage and derived data.
    pub(crate) storage: String,
    /// Which bodies both sides keep: `request`, `answer` or `both`; left out when only digests are kept.
    #[serde(default)]
    pub(crate) keep_bodies: Option<String>,
    /// For how many days after the exchange.
    #[serde(default)]
    pub(crate) keep_bodies_days: Option<u32>,
    /// For how many days at most what was received is kept, kept bodies among it; left out when the text says
    /// no number.
    #[serde(default)]
    pub(crate) retention_days: Option<u32>,
    /// Who else may process what was received: `none`, or their codes or names; left out when the text says
    /// nothing of it.
    #[serde(default)]
    pub(crate) sub_processing: Option<SubProcessingText>,
    /// Deletion.
    pub(crate) deletion: String,
    /// Anything else.
    #[serde(default)]
    pub(crate) other: String,
}

impl AgreementText {
    /// The text of an agreement.
    pub(crate) fn of(a: &Agreement) -> Self {
        Self {
            id: a.id.clone(),
            consumer: consumer(a),
            service: a.service.to_string(),
            fields: a.fields.clone(),
            endpoints: a.endpoints.iter().map(ToString::to_string).collect(),
            purpose: a.purpose.clone(),
            legal_basis: a.legal_basis.clone(),
            place: a.place.clone(),
            valid_from: a.valid_from.ms(),
            valid_to: a.valid_to.ms(),
            sharing_method: a.sharing_method.clone(),
            handling: a.handling.clone(),
            conditions: a.conditions.clone(),
            rate_per_minute: a.rate_per_minute,
            calls_per_day: a.quota.per_day,
            calls_per_month: a.quota.per_month,
            commitments: a.commitments.clone(),
            protection: a.protection.clone(),
            storage: a.storage.clone(),
            keep_bodies: a.bodies.map(|kept| kept.of().as_str().to_owned()),
            keep_bodies_days: a.bodies.map(KeptBodies::days),
            retention_days: a.retention_days,
            sub_processing: a.sub_processing.clone().map(Into::into),
            deletion: a.deletion.clone(),
            other: a.other.clone(),
        }
    }

    /// The text for a group that it says: `consumer` names the group.
    ///
    /// # Errors
    /// Every fault at its field.
    pub(crate) fn for_a_group(&self, now: Time) -> Result<Agreement, Vec<Problem>> {
        let name: Result<GroupName, _> = self.consumer.trim().parse();
        let service = self.service.parse::<crate::ServiceId>();
        // The provider's own system stands where the consumer would.
        let consumer = service.map_or_else(|_| String::new(), |service| service.provider().to_string());
        let text = Self {
            consumer,
            ..self.clone()
        };
        let read = text.agreement(now);
        match (name, read) {
            (Ok(name), Ok(agreement)) => Ok(Agreement {
                group: Some(UnderGroup { name, offer: None }),
                ..agreement
            }),
            (name, read) => {
                let mut faults = read.err().unwrap_or_default();
                faults.retain(|fault| fault.field.as_deref() != Some("consumer"));
                if name.is_err() {
                    faults.insert(0, Problem::invalid("consumer", "group-name"));
                }
                Err(faults)
            }
        }
    }

    /// The agreement it says.
    ///
    /// # Errors
    /// Every fault at its field.
    pub(crate) fn agreement(&self, now: Time) -> Result<Agreement, Vec<Problem>> {
        let mut faults = Vec::new();
        let consumer = self.consumer.parse();
        if consumer.is_err() {
            faults.push(Problem::invalid("consumer", "system-id"));
        }
        let service: Result<crate::ServiceId, _> = self.service.parse();
        if service.is_err() {
            faults.push(Problem::invalid("service", "service-id"));
        }
        let endpoints: Result<Vec<Endpoint>, _> = self.endpoints.iter().map(|e| e.parse()).collect();
        if endpoints.is_err() {
            faults.push(Problem::invalid("endpoints", "agreement-endpoints"));
        }
        let bodies = KeptBodies::read(self.keep_bodies.as_deref(), self.keep_bodies_days);
        if let Err(fault) = &bodies {
            faults.push(fault.clone());
        }
        let processing = self
            .sub_processing
            .clone()
            .map(SubProcessingText::read)
            .transpose();
        if let Err(fault) = &processing {
            faults.push(fault.clone());
        }
        // The items are looked at all the same: what cannot be read is stood in for.
        let consumer = consumer.unwrap_or_else(|_| "G01/x".parse().expect("a system"));
        let service = service.unwrap_or_else(|_| "G01/x/x".parse().expect("a service"));
        let agreement = Agreement {
            id: self.id.clone(),
            provider: service.org.clone(),
            consumer,
            service,
            fields: self.fields.clone(),
            endpoints: endpoints.unwrap_or_default(),
            purpose: self.purpose.clone(),
            legal_basis: self.legal_basis.clone(),
            place: self.place.clone(),
            valid_from: Time(self.valid_from),
            valid_to: Time(self.valid_to),
            sharing_method: self.sharing_method.clone(),
            handling: self.handling.clone(),
            conditions: self.conditions.clone(),
            rate_per_minute: self.rate_per_minute,
            quota: Quota {
                per_day: self.calls_per_day,
                per_month: self.calls_per_month,
            },
            commitments: self.commitments.clone(),
            protection: self.protection.clone(),
            storage: self.storage.clone(),
            deletion: self.deletion.clone(),
            other: self.other.clone(),
            bodies: bodies.unwrap_or_default(),
            retention_days: self.retention_days,
            sub_processing: processing.unwrap_or_default(),
            group: None,
        };
        faults.extend(agreement.faults(now));
        if faults.is_empty() {
            Ok(agreement)
        } else {
            Err(faults)
        }
    }
}

/// One box of the form, or one line of the page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Item {
    /// Its number in article 38; empty for what stands before the items.
    pub(crate) number: &'static str,
    /// The field.
    pub(crate) field: &'static str,
    /// What it is called.
    pub(crate) label: String,
    /// What belongs in it.
    pub(crate) hint: String,
    /// How it is asked.
    pub(crate) is_area: bool,
    pub(crate) is_day: bool,
    pub(crate) is_count: bool,
    /// What can be chosen, each with its words; empty for what is written.
    pub(crate) choices: Vec<(&'static str, String)>,
    /// The list to choose from; empty without one.
    pub(crate) list: &'static str,
    /// True where it names the parties or the service.
    pub(crate) of_parties: bool,
    /// What is in it.
    pub(crate) value: String,
    /// What is wrong with it, as HTML; empty when nothing is.
    pub(crate) error: String,
}

/// Number, field and kind of every box, in the order of the article.
const BOXES: [(&str, &str, &str); 25] = [
    ("", "id", "line"),
    ("1", "consumer", "line"),
    ("2", "service", "line"),
    ("2", "fields", "area"),
    ("2", "endpoints", "area"),
    ("2", "purpose", "area"),
    ("2", "legal_basis", "area"),
    ("3", "place", "area"),
    ("4", "valid_from", "day"),
    ("4", "valid_to", "day"),
    ("5", "sharing_method", "area"),
    ("6", "handling", "area"),
    ("6", "sub_processing", "area"),
    ("7", "conditions", "area"),
    ("7", "rate_per_minute", "count"),
    ("7", "calls_per_day", "count"),
    ("7", "calls_per_month", "count"),
    ("8", "commitments", "area"),
    ("9", "protection", "area"),
    ("10", "storage", "area"),
    ("10", "keep_bodies", "choice"),
    ("10", "keep_bodies_days", "count"),
    ("10", "retention_days", "count"),
    ("11", "deletion", "area"),
    ("12", "other", "area"),
];

/// The boxes of a form with what was sent in them and what is wrong with it.
pub(crate) fn boxes(page: &Page, fields: &Fields, problems: &[Problem]) -> Vec<Item> {
    let item = |(number, field, kind): (&'static str, &'static str, &'static str)| Item {
        number,
        field,
        label: page.t(&format!("exchange-item-{field}")),
        hint: page.t(&format!("exchange-hint-{field}")),
        is_area: kind == "area",
        is_day: kind == "day",
        is_count: kind == "count",
        choices: match kind {
            "choice" => choices(page),
            _ => Vec::new(),
        },
        list: match field {
            "consumer" => "systems",
            "service" => "services",
            _ => "",
        },
        of_parties: matches!(field, "consumer" | "service"),
        value: if kind == "area" {
            fields.lines(field).unwrap_or_default()
        } else {
            fields.text(field).unwrap_or_default().to_owned()
        },
        error: page.field_error(problems, field),
    };
    BOXES.into_iter().map(item).collect()
}

/// Which bodies can be kept, in words.
fn choices(page: &Page) -> Vec<(&'static str, String)> {
    let kept = KeptOf::ALL.into_iter().map(KeptOf::as_str);
    let named = kept.map(|of| (of, page.t(&format!("exchange-bodies-{of}"))));
    std::iter::once(("", page.t("exchange-bodies-none")))
        .chain(named)
        .collect()
}

/// The same for a text that is offered to a group, which stands where the consumer would.
pub(crate) fn boxes_for_a_group(page: &Page, fields: &Fields, problems: &[Problem]) -> Vec<Item> {
    let mut boxes = boxes(page, fields, problems);
    if let Some(group) = boxes.iter_mut().find(|item| item.field == "consumer") {
        group.label = page.t("exchange-group");
        group.hint = page.t("exchange-hint-group");
    }
    boxes
}

/// Who uses the data, as a text: a system, or a group that it is offered to.
fn consumer(text: &Agreement) -> String {
    let group = text.group.as_ref().filter(|_| text.is_for_a_group());
    group.map_or_else(|| text.consumer.to_string(), |under| under.name.to_string())
}

/// What is wrong with a form, above it, by the names of its boxes.
pub(crate) fn errors(page: &Page, problems: &[Problem]) -> String {
    page.errors_named(problems, |field| {
        let known = BOXES.iter().any(|(_, name, _)| *name == field);
        known.then(|| page.t(&format!("exchange-item-{field}")))
    })
}

/// What the boxes hold for a text.
pub(crate) fn filled(text: &Agreement) -> Vec<(&'static str, String)> {
    let words = text
        .items()
        .into_iter()
        .map(|(field, value)| (field, value.to_owned()));
    let rest = [
        ("consumer", consumer(text)),
        ("service", text.service.to_string()),
        ("fields", text.fields.join("\n")),
        ("endpoints", endpoints(text, "\n")),
        ("valid_from", kernel::time::iso(text.valid_from.date())),
        ("valid_to", kernel::time::iso(text.valid_to.plus_ms(-1).date())),
        ("rate_per_minute", text.rate_per_minute.to_string()),
        ("calls_per_day", bound(text.quota.per_day)),
        ("calls_per_month", bound(text.quota.per_month)),
        (
            "keep_bodies",
            text.bodies.map_or("", |kept| kept.of().as_str()).to_owned(),
        ),
        ("keep_bodies_days", bound(text.bodies.map(KeptBodies::days))),
        ("retention_days", bound(text.retention_days)),
        (
            "sub_processing",
            text.sub_processing
                .as_ref()
                .map(SubProcessing::lines)
                .unwrap_or_default(),
        ),
    ];
    words.chain(rest).collect()
}

/// The twelve items as a page shows them: number, name and words.
pub(crate) fn shown(page: &Page, text: &Agreement) -> Vec<(&'static str, String, String)> {
    let values = filled(text);
    let value = |field: &str| {
        let found = values.iter().find(|(name, _)| *name == field);
        match field {
            "valid_from" => page.date(text.valid_from.date()),
            "valid_to" if ends_with_a_day(text) => page.date(text.valid_to.plus_ms(-1).date()),
            "valid_to" => page.time(text.valid_to),
            "consumer" => match &text.group {
                Some(under) if under.offer.is_some() => page.tw(
                    "exchange-consumer-in-group",
                    &[("system", consumer(text)), ("group", under.name.to_string())],
                ),
                _ => consumer(text),
            },
            "fields" if text.fields.is_empty() => page.t("exchange-fields-all"),
            "fields" => text.fields.join(", "),
            "endpoints" if text.endpoints.is_empty() => page.t("exchange-endpoints-all"),
            "endpoints" => endpoints(text, ", "),
            "keep_bodies" => match text.bodies {
                None => page.t("exchange-bodies-none"),
                Some(kept) => page.t(&format!("exchange-bodies-{}", kept.of().as_str())),
            },
            "retention_days" => match text.retention_days {
                None => page.t("exchange-not-said"),
                Some(days) => page.tw("exchange-retention-says", &[("days", days.to_string())]),
            },
            "sub_processing" => match text.sub_processing.as_ref().map(SubProcessing::names) {
                None => page.t("exchange-not-said"),
                Some([]) => page.t("exchange-processing-nobody"),
                Some(names) => names.join("; "),
            },
            "calls_per_day" if text.quota.per_day.is_none() => page.t("exchange-not-bounded"),
            "calls_per_month" if text.quota.per_month.is_none() => page.t("exchange-not-bounded"),
            _ => found.map(|(_, value)| value.clone()).unwrap_or_default(),
        }
    };
    BOXES
        .into_iter()
        .filter(|(number, _, _)| !number.is_empty())
        .filter(|(_, field, _)| *field != "keep_bodies_days" || text.bodies.is_some())
        .map(|(number, field, _)| {
            let label = match field {
                "valid_to" if !ends_with_a_day(text) => page.t("exchange-item-until"),
                _ => page.t(&format!("exchange-item-{field}")),
            };
            (number, label, value(field))
        })
        .collect()
}

/// True when the term ends with a day's last instant, as a form writes it; a program may write any.
fn ends_with_a_day(text: &Agreement) -> bool {
    Time::at(text.valid_to.date(), 0) == text.valid_to
}

fn bound(calls: Option<u32>) -> String {
    calls.map(|calls| calls.to_string()).unwrap_or_default()
}

fn endpoints(text: &Agreement, between: &str) -> String {
    let all: Vec<String> = text.endpoints.iter().map(ToString::to_string).collect();
    all.join(between)
}

/// The text that a form holds; a last day counts whole.
///
/// # Errors
/// Every fault at its box.
pub(crate) fn read(fields: &Fields, now: Time) -> Result<Agreement, Vec<Problem>> {
    read_as(fields, |text| text.agreement(now))
}

/// The text for a group that a form holds.
///
/// # Errors
/// Every fault at its box.
pub(crate) fn read_for_a_group(fields: &Fields, now: Time) -> Result<Agreement, Vec<Problem>> {
    read_as(fields, |text| text.for_a_group(now))
}

fn read_as(
    fields: &Fields,
    meant: impl Fn(&AgreementText) -> Result<Agreement, Vec<Problem>>,
) -> Result<Agreement, Vec<Problem>> {
    let mut faults = Vec::new();
    let mut day = |field: &str, plus_ms: i64| match fields.date(field) {
        Ok(Some(day)) => Time::at(day, 0).plus_ms(plus_ms).ms(),
        Ok(None) => {
            faults.push(Problem::invalid(field, "field-missing").with("field", field));
            0
        }
        Err(fault) => {
            faults.push(fault);
            0
        }
    };
    let (valid_from, valid_to) = (day("valid_from", 0), day("valid_to", DAY_MS));
    let line = |field: &str| fields.text(field).unwrap_or_default().to_owned();
    let area = |field: &str| fields.lines(field).unwrap_or_default();
    let list = |field: &str| {
        let text = area(field);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    };
    // What is no number is as wrong as none: the box is told so.
    let count = |field: &str| {
        let text = line(field);
        (!text.is_empty()).then(|| text.parse().unwrap_or(0))
    };
    let text = AgreementText {
        id: line("id"),
        consumer: line("consumer"),
        service: line("service"),
        fields: list("fields"),
        endpoints: list("endpoints"),
        purpose: area("purpose"),
        legal_basis: area("legal_basis"),
        place: area("place"),
        valid_from,
        valid_to,
        sharing_method: area("sharing_method"),
        handling: area("handling"),
        conditions: area("conditions"),
        rate_per_minute: line("rate_per_minute").parse().unwrap_or(0),
        calls_per_day: count("calls_per_day"),
        calls_per_month: count("calls_per_month"),
        commitments: area("commitments"),
        protection: area("protection"),
        storage: area("storage"),
        keep_bodies: Some(line("keep_bodies")),
        keep_bodies_days: count("keep_bodies_days"),
        retention_days: count("retention_days"),
        sub_processing: SubProcessingText::of_lines(list("sub_processing")),
        deletion: area("deletion"),
        other: area("other"),
    };
    match meant(&text) {
        Ok(agreement) if faults.is_empty() => Ok(agreement),
        Ok(_) => Err(faults),
        Err(more) => {
            // A day that is missing is told once, not again as a term that is wrong.
            let told = !faults.is_empty();
            faults.extend(more.into_iter().filter(|p| !told || p.code != "agreement-term"));
            Err(faults)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::tests::sample;

    fn sent(text: &Agreement, but: &[(&str, &str)]) -> Fields {
        let filled = filled(text);
        let pairs: Vec<(&str, &str)> = filled
            .iter()
            .map(|(field, value)| {
                let other = but.iter().find(|(name, _)| name == field);
                (*field, other.map_or(value.as_str(), |(_, value)| *value))
            })
            .collect();
        Fields::of(&pairs)
    }

    fn days() -> Agreement {
        let day = |text: &str| Time::at(kernel::time::parse_iso(text).expect("a day"), 0);
        Agreement {
            valid_from: day("2026-12-01"),
            valid_to: day("2027-01-01"),
            fields: vec!["full_name".into(), "child.full_name".into()],
            endpoints: vec!["GET /persons/{id}".parse().expect("one"), Endpoint::post()],
            quota: Quota {
                per_day: Some(500),
                per_month: None,
            },
            bodies: KeptBodies::new(KeptOf::Both, 90),
            retention_days: Some(365),
            sub_processing: SubProcessingText::By(vec!["G15".into(), "Công ty A".into()])
                .read()
                .ok(),
            ..sample()
        }
    }

    #[test]
    fn a_form_filled_with_an_agreement_reads_back_as_that_agreement() {
        let text = days();
        assert_eq!(read(&sent(&text, &[]), Time(0)).expect("sound"), text);
        let json = AgreementText::of(&text);
        assert_eq!(json.agreement(Time(0)).expect("sound"), text);
        let nobody = Agreement {
            sub_processing: SubProcessingText::Nobody("none".to_owned()).read().ok(),
            ..days()
        };
        assert!(nobody.sub_processing.is_some());
        assert_eq!(read(&sent(&nobody, &[]), Time(0)).expect("sound"), nobody);
        let silent = sent(&text, &[("sub_processing", ""), ("retention_days", "")]);
        let silent = read(&silent, Time(0)).expect("sound");
        assert_eq!((silent.retention_days, silent.sub_processing), (None, None));
    }

    #[test]
    fn every_fault_of_a_form_is_told_at_its_box() {
        let told = |but: &[(&str, &str)]| {
            let faults = read(&sent(&days(), but), Time(0)).expect_err("refused");
            let fields = faults.into_iter().map(|p| p.field.unwrap_or_default());
            fields.collect::<Vec<_>>()
        };
        assert_eq!(told(&[("valid_to", "")]), ["valid_to"]);
        assert_eq!(told(&[("valid_to", "2026-11-30")]), ["valid_to"]);
        assert_eq!(told(&[("rate_per_minute", "x")]), ["rate_per_minute"]);
        assert_eq!(told(&[("endpoints", "persons")]), ["endpoints"]);
        assert_eq!(told(&[("calls_per_day", "many")]), ["calls_per_day"]);
        assert_eq!(told(&[("calls_per_month", "499")]), ["calls_per_month"]);
        assert_eq!(told(&[("keep_bodies_days", "")]), ["keep_bodies_days"]);
        assert_eq!(told(&[("keep_bodies_days", "0")]), ["keep_bodies_days"]);
        assert_eq!(told(&[("keep_bodies", "")]), ["keep_bodies"]);
        assert_eq!(told(&[("retention_days", "89")]), ["keep_bodies_days"]);
        assert_eq!(told(&[("retention_days", "long")]), ["retention_days"]);
        assert_eq!(told(&[("sub_processing", "G15\nG15")]), ["sub_processing"]);
        assert_eq!(
            told(&[("purpose", ""), ("deletion", " ")]),
            ["purpose", "deletion"]
        );
        assert_eq!(
            told(&[
                ("consumer", "G22"),
                ("service", "x"),
                ("place", ""),
                ("endpoints", "x")
            ]),
            ["consumer", "service", "endpoints", "place"]
        );
    }
}
