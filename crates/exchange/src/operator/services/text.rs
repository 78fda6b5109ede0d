//! A service as somebody writes it: in a form, or as JSON. Never registers.

use kernel::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Fields, Page};

use crate::endpoint::Endpoint;
use crate::ids::ServiceId;
use crate::offered::{Setup, Way, Wsdl, health_every_s};

/// Time for a service to answer when nobody says another, in milliseconds.
const TIMEOUT_MS: u64 = 10_000;

/// A service and how it is reached.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceText {
    /// Its name: an organisation of this node, a system of it, a code.
    #[schema(example = "G01/population/persons")]
    pub(in crate::operator) service: String,
    /// Where it is called; path and query of a call are put behind it.
    #[schema(example = "http://127.0.0.1:9000")]
    pub(in crate::operator) url: String,
    /// Time for it to answer, in milliseconds; 10,000 when left out.
    #[serde(default = "timeout_ms")]
    pub(in crate::operator) timeout_ms: u64,
    /// Where its OpenAPI document (3.x, JSON or YAML) stands; empty when it has none.
    #[serde(default)]
    pub(in crate::operator) openapi: String,
    /// Where its WSDL document (1.1) stands, of a SOAP service; empty when it has none or is uploaded.
    #[serde(default)]
    #[schema(example = "http://127.0.0.1:9000/service.wsdl")]
    pub(in crate::operator) wsdl: String,
    /// The WSDL document; left out, it is read from its address, once, or stays as it is there.
    #[serde(default)]
    pub(in crate::operator) wsdl_document: String,
    /// True to take an uploaded WSDL document off the service; it stays otherwise.
    #[serde(default)]
    pub(in crate::operator) wsdl_drop: bool,
    /// Its endpoints, each a method and a path; empty to read them from the document, and for a SOAP
    /// service `POST /`.
    #[serde(default)]
    #[schema(example = json!(["GET /persons/{id}"]))]
    pub(in crate::operator) endpoints: Vec<String>,
    /// Roots of its TLS certificate, PEM; empty with plain HTTP.
    #[serde(default)]
    pub(in crate::operator) roots: String,
    /// True to show it the node's own certificate where it asks for one.
    #[serde(default)]
    pub(in crate::operator) shows_node: bool,
    /// The organisation in whose name it is published, by a delegation; none in its own.
    #[serde(default)]
    #[schema(example = "H56")]
    pub(in crate::operator) publishes_for: Option<String>,
    /// How often `url` is picked, against `others`; 1 when left out.
    #[serde(default = "one")]
    pub(in crate::operator) weight: u32,
    /// Where it is called besides, by the same scheme.
    #[serde(default)]
    pub(in crate::operator) others: Vec<ServiceWayText>,
    /// The path below each address that tells whether the system works; empty when none does.
    #[serde(default)]
    #[schema(example = "/health")]
    pub(in crate::operator) health: String,
    /// How often that is asked, in seconds; 30 when left out.
    #[serde(default = "health_every_s")]
    pub(in crate::operator) health_every_s: u32,
}

/// Another address of a service.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceWayText {
    /// Where.
    #[schema(example = "http://127.0.0.1:9001")]
    url: String,
    /// How often it is picked, against the others; 1 when left out.
    #[serde(default = "one")]
    weight: u32,
}

const fn one() -> u32 {
    1
}

/// Other addresses as a form has them: one a line, its weight behind it.
fn others(area: &str) -> Vec<ServiceWayText> {
    let lines = area.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (url, weight) = line.split_once(char::is_whitespace).unwrap_or((line, "1"));
            ServiceWayText {
                url: url.to_owned(),
                // What is no number is as wrong as none: the box is told so.
                weight: weight.trim().parse().unwrap_or(0),
            }
        })
        .collect()
}

const fn timeout_ms() -> u64 {
    TIMEOUT_MS
}

impl ServiceText {
    /// Its other addresses, one a line with its weight behind it.
    pub(in crate::operator) fn other_ways(&self) -> String {
        let lines = self
            .others
            .iter()
            .map(|way| format!("{} {}", way.url, way.weight));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// What is said of a service now.
    pub(in crate::operator) fn of(id: &ServiceId, setup: &Setup) -> Self {
        Self {
            service: id.to_string(),
            url: setup.url.clone(),
            timeout_ms: setup.timeout_ms,
            openapi: setup.openapi.clone(),
            wsdl: setup.wsdl.as_ref().map(|w| w.url.clone()).unwrap_or_default(),
            wsdl_document: setup
                .wsdl
                .as_ref()
                .map(|w| w.document.clone())
                .unwrap_or_default(),
            wsdl_drop: false,
            endpoints: setup.endpoints.iter().map(ToString::to_string).collect(),
            roots: setup.roots.clone(),
            shows_node: setup.shows_node,
            publishes_for: setup.publishes_for.as_ref().map(ToString::to_string),
            weight: setup.weight,
            others: setup
                .others
                .iter()
                .map(|way| ServiceWayText {
                    url: way.url.clone(),
                    weight: way.weight,
                })
                .collect(),
            health: setup.health.clone(),
            health_every_s: setup.health_every_s,
        }
    }

    /// What a form holds.
    pub(in crate::operator) fn read(fields: &Fields) -> Self {
        let line = |field: &str| fields.text(field).unwrap_or_default().to_owned();
        let area = |field: &str| fields.lines(field).unwrap_or_default();
        let endpoints = area("endpoints");
        Self {
            service: line("service"),
            url: line("url"),
            timeout_ms: line("timeout_ms").parse().unwrap_or(0),
            openapi: line("openapi"),
            wsdl: line("wsdl"),
            wsdl_document: document(fields, "wsdl_document"),
            wsdl_drop: fields.text("wsdl_drop").is_some(),
            endpoints: endpoints
                .lines()
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect(),
            roots: area("roots"),
            shows_node: fields.text("shows_node").is_some(),
            publishes_for: fields.text("publishes_for").map(str::to_owned),
            weight: fields.text("weight").map_or(1, |text| text.parse().unwrap_or(0)),
            others: others(&area("others")),
            health: line("health"),
            health_every_s: fields
                .text("health_every_s")
                .map_or(health_every_s(), |text| text.parse().unwrap_or(0)),
        }
    }

    /// What is meant, as far as it can be read: what of the rest is wrong is told beside what cannot.
    pub(in crate::operator) fn meant(&self) -> Meant {
        let mut faults = Vec::new();
        let id = self.service.parse();
        if id.is_err() {
            faults.push(Problem::invalid("service", "service-name"));
        }
        let endpoints: Result<Vec<Endpoint>, _> = self.endpoints.iter().map(|e| e.parse()).collect();
        if endpoints.is_err() {
            faults.push(Problem::invalid("endpoints", "agreement-endpoints"));
        }
        let delegator = self
            .publishes_for
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty());
        let delegator = delegator.map(str::parse).transpose();
        if delegator.is_err() {
            faults.push(Problem::invalid("publishes_for", "organisation-code"));
        }
        let has_wsdl = !self.wsdl.is_empty() || !self.wsdl_document.trim().is_empty();
        let wsdl = has_wsdl.then(|| Wsdl {
            url: self.wsdl.clone(),
            document: self.wsdl_document.clone(),
            operations: Vec::new(),
        });
        let others = self.others.iter().map(|way| Way {
            url: way.url.clone(),
            weight: way.weight,
        });
        Meant {
            id: id.ok(),
            setup: Setup {
                url: self.url.clone(),
                timeout_ms: self.timeout_ms,
                openapi: self.openapi.clone(),
                endpoints: endpoints.unwrap_or_default(),
                wsdl,
                roots: self.roots.trim().to_owned(),
                shows_node: self.shows_node,
                publishes_for: delegator.unwrap_or_default(),
                weight: self.weight,
                others: others.collect(),
                health: self.health.clone(),
                health_every_s: self.health_every_s,
            },
            faults,
        }
    }
}

/// A document that a form uploads; what is not UTF-8 in it is told where it is read.
pub(super) fn document(fields: &Fields, field: &str) -> String {
    match fields.file(field) {
        Some(file) => String::from_utf8_lossy(&file.bytes).into_owned(),
        None => fields.raw(field).unwrap_or_default().to_owned(),
    }
}

/// A service as it was written.
#[derive(Debug)]
pub(in crate::operator) struct Meant {
    /// Its name; none when it is no name.
    pub(in crate::operator) id: Option<ServiceId>,
    /// How it is reached; empty where that cannot be read.
    pub(in crate::operator) setup: Setup,
    /// What cannot be read, each at its field.
    pub(in crate::operator) faults: Vec<Problem>,
}

impl Meant {
    /// The service and the setup.
    ///
    /// # Errors
    /// What cannot be read, each at its field.
    pub(in crate::operator) fn read(self) -> Result<(ServiceId, Setup), Vec<Problem>> {
        match self.id {
            Some(id) if self.faults.is_empty() => Ok((id, self.setup)),
            _ => Err(self.faults),
        }
    }
}

/// One box of the form.
pub(super) struct Item {
    pub(super) field: &'static str,
    /// `line`, `count`, `area`, `file` or `tick`.
    pub(super) kind: &'static str,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) value: String,
    /// What is wrong with it, as HTML; empty when nothing is.
    pub(super) error: String,
}

const BOXES: [(&str, &str); 15] = [
    ("service", "line"),
    ("url", "line"),
    ("weight", "count"),
    ("others", "area"),
    ("health", "line"),
    ("health_every_s", "count"),
    ("timeout_ms", "count"),
    ("openapi", "line"),
    ("wsdl", "line"),
    ("wsdl_document", "file"),
    ("wsdl_drop", "tick"),
    ("endpoints", "area"),
    ("roots", "area"),
    ("shows_node", "tick"),
    ("publishes_for", "line"),
];

/// The boxes of the form with what is in them; without the name where that is fixed.
pub(super) fn boxes(
    page: &Page,
    text: &ServiceText,
    problems: &[Problem],
    (fixed, ms_max): (bool, u64),
) -> Vec<Item> {
    let value = |field: &str| match field {
        "service" => text.service.clone(),
        "url" => text.url.clone(),
        "timeout_ms" if text.timeout_ms == 0 => String::new(),
        "timeout_ms" => text.timeout_ms.to_string(),
        "openapi" => text.openapi.clone(),
        "wsdl" => text.wsdl.clone(),
        // A browser sends a file anew or not at all.
        "wsdl_document" => String::new(),
        "endpoints" => text.endpoints.join("\n"),
        "roots" => text.roots.clone(),
        "weight" => text.weight.to_string(),
        "others" => text.other_ways(),
        "health" => text.health.clone(),
        "health_every_s" => text.health_every_s.to_string(),
        "publishes_for" => text.publishes_for.clone().unwrap_or_default(),
        "shows_node" if text.shows_node => "true".to_owned(),
        _ => String::new(),
    };
    let max = [("max", ms_max.to_string())];
    let shown = BOXES.into_iter().filter(|(field, _)| match *field {
        "service" => !fixed,
        "wsdl_drop" => fixed && !text.wsdl_document.is_empty(),
        _ => true,
    });
    shown
        .map(|(field, kind)| Item {
            field,
            kind,
            label: page.t(&format!("exchange-service-{field}")),
            hint: page.tw(&format!("exchange-service-hint-{field}"), &max),
            value: value(field),
            error: page.field_error(problems, field),
        })
        .collect()
}

/// What is wrong with the form, above it, by the names of its boxes.
pub(super) fn errors(page: &Page, problems: &[Problem]) -> String {
    page.errors_named(problems, |field| {
        let known = BOXES.iter().any(|(name, _)| *name == field);
        known.then(|| page.t(&format!("exchange-service-{field}")))
    })
}

/// The form of a new service, before anything is written in it.
pub(super) fn empty() -> ServiceText {
    ServiceText {
        timeout_ms: TIMEOUT_MS,
        weight: 1,
        health_every_s: health_every_s(),
        ..ServiceText::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_and_json_say_the_same_of_a_service() {
        let form = Fields::of(&[
            ("service", " G01/population/persons "),
            ("url", "http://h/"),
            ("timeout_ms", "500"),
            ("endpoints", "GET /a\r\n\r\nPOST /b "),
            ("roots", ""),
        ]);
        let meant = ServiceText::read(&form).meant();
        let (id, setup) = (meant.id.expect("a name"), meant.setup);
        let text = ServiceText::of(&id, &setup);
        let again = text.meant();
        assert_eq!(
            (again.id, again.setup, again.faults),
            (Some(id), setup, Vec::new())
        );
        assert_eq!(text.endpoints, ["GET /a", "POST /b"]);
        let least = r#"{"service":"G01/a/b","url":"http://h/"}"#;
        let least: ServiceText = serde_json::from_str(least).expect("reads");
        assert_eq!(least.timeout_ms, TIMEOUT_MS);
    }

    #[test]
    fn a_name_and_endpoints_that_cannot_be_read_are_both_told() {
        for bad in [
            "",
            "G01",
            "G01/a",
            "G01/a/B",
            "G01/a/b c",
            "G01/a/b/c",
            "x/a/b",
            "G01/a/é",
        ] {
            let text = ServiceText {
                service: bad.to_owned(),
                endpoints: vec!["persons".to_owned()],
                ..empty()
            };
            let faults = text.meant().faults;
            let told: Vec<_> = faults.iter().filter_map(|p| p.field.as_deref()).collect();
            assert_eq!(told, ["service", "endpoints"], "{bad}");
        }
    }
}
