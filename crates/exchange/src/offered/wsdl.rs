//! The operations that a WSDL document (1.1) describes. Pure. Never follows an import, never takes a
//! document type or an entity of the document's own.

use kernel::Problem;
use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use serde::{Deserialize, Serialize};

use super::openapi::shown;

/// Nesting of a document, levels.
const DEPTH_MAX: usize = 64;
/// Operations of one document, count.
const OPERATIONS_MAX: usize = 500;
/// Length of an operation's name or action, in bytes.
const NAME_BYTES_MAX: usize = 512;

/// WSDL 1.1.
const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
/// WSDL 1.1's bindings to SOAP 1.1 and 1.2.
const SOAP: [&str; 2] = [
    "http://schemas.xmlsoap.org/wsdl/soap/",
    "http://schemas.xmlsoap.org/wsdl/soap12/",
];

/// WSDL 1.1's binding to plain HTTP, which has addresses too.
const HTTP: &str = "http://schemas.xmlsoap.org/wsdl/http/";
/// What stands in a document in place of the address of the system behind the gateway, as X-Road writes it.
const ADDRESS: &str = "http://example.org/xroad-endpoint";

/// An operation of a SOAP service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// The `SOAPAction` it is called with; empty when it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub action: String,
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        if self.action.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.action)
        }
    }
}

/// What a document describes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Described {
    /// Its operations that are bound to SOAP, in its order, each name once.
    pub(super) operations: Vec<Operation>,
}

/// Where in a document the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Definitions,
    Binding,
    Operation,
    Other,
}

/// What an element may be, by its namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Space {
    Wsdl,
    Soap,
    Other,
}

impl Space {
    fn of(found: &ResolveResult<'_>) -> Self {
        match found {
            ResolveResult::Bound(Namespace(WSDL)) => Self::Wsdl,
            ResolveResult::Bound(Namespace(name)) if SOAP.contains(name) => Self::Soap,
            _ => Self::Other,
        }
    }
}

/// A binding that is being read.
#[derive(Default)]
struct Binding {
    is_soap: bool,
    operations: Vec<Operation>,
}

/// Reads a document.
///
/// # Errors
/// 422 at `wsdl`: `service-wsdl-xml` with the line, `service-wsdl-doctype`, `service-wsdl-deep`,
/// `service-wsdl-version`, `service-wsdl-import`, `service-wsdl-operations`.
pub(super) fn read(text: &str) -> Result<Described, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let at_line = |position: usize| {
        let before = text.as_bytes().get(..position).unwrap_or(text.as_bytes());
        before.split(|b| *b == b'\n').count()
    };
    let malformed = |position: usize, why: String| {
        Problem::invalid("wsdl", "service-wsdl-xml")
            .with("line", at_line(position))
            .because(why)
    };
    // What was not UTF-8 when it came, see where it is fetched and uploaded.
    if let Some(position) = text.find('\u{fffd}') {
        return Err(malformed(position, "not UTF-8".to_owned()));
    }
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut reading = Reading::default();
    loop {
        let (space, event) = match reader.read_resolved_event() {
            Ok((found, event)) => (Space::of(&found), event),
            Err(e) => {
                let position = usize::try_from(reader.error_position()).unwrap_or(usize::MAX);
                return Err(malformed(position, e.to_string()));
            }
        };
        let position = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match event {
            Event::DocType(_) => return Err(Problem::invalid("wsdl", "service-wsdl-doctype")),
            Event::Start(element) => reading
                .start(space, &element)
                .map_err(|bad| bad.at_line(|why| malformed(position, why)))?,
            Event::End(_) => reading.end()?,
            Event::Eof if reading.open.is_empty() && reading.seen => return reading.finished(),
            Event::Eof => return Err(malformed(position, "it ends early".to_owned())),
            _ => {}
        }
    }
}

/// A document as callers may see it: where its service really is, is its provider's own affair. Every other
/// byte stays. None when it cannot be read.
pub(crate) fn without_addresses(document: &str) -> Option<String> {
    let text = document.strip_prefix('\u{feff}').unwrap_or(document);
    let mut reader = NsReader::from_str(text);
    let mut told = String::with_capacity(document.len());
    let (mut copied, mut begin, mut ended) = (0, 0, false);
    while !ended {
        let (found, event) = reader.read_resolved_event().ok()?;
        let is_address = match &event {
            Event::Start(element) | Event::Empty(element) => {
                let has_one = matches!(found, ResolveResult::Bound(Namespace(name)) if SOAP.contains(&name) || name == HTTP);
                has_one && element.local_name().into_inner() == "address"
            }
            _ => false,
        };
        ended = matches!(event, Event::Eof);
        let end = usize::try_from(reader.buffer_position()).ok()?;
        if is_address && let Some((at, length)) = location(text.get(begin..end)?) {
            told.push_str(text.get(copied..begin + at)?);
            told.push_str(ADDRESS);
            copied = begin + at + length;
        }
        begin = end;
    }
    told.push_str(text.get(copied..)?);
    Some(told)
}

/// Where in a tag the value of its `location` stands, and its length, in bytes.
fn location(tag: &str) -> Option<(usize, usize)> {
    let mut at = tag.find('<').map_or(0, |open| open + 1);
    at += tag.get(at..)?.find(char::is_whitespace)?;
    loop {
        let rest = tag.get(at..)?;
        let equals = rest.find('=')?;
        let name = rest.get(..equals)?.trim();
        let behind = rest.get(equals + 1..)?;
        let open = behind.find(['\u{22}', '\u{27}'])?;
        let quote = behind.get(open..)?.chars().next()?;
        let value = at + equals + 1 + open + 1;
        let length = tag.get(value..)?.find(quote)?;
        if name == "location" {
            return Some((value, length));
        }
        at = value + length + 1;
    }
}

/// What is wrong at an element.
enum Bad {
    /// It is no XML.
    Xml(String),
    /// It is XML, and not to be taken.
    Refused(Problem),
}

impl Bad {
    fn at_line(self, malformed: impl FnOnce(String) -> Problem) -> Problem {
        match self {
            Self::Xml(why) => malformed(why),
            Self::Refused(problem) => problem,
        }
    }
}

/// A document as far as it was read.
#[derive(Default)]
struct Reading {
    open: Vec<Place>,
    seen: bool,
    imports: bool,
    binding: Binding,
    found: Described,
}

impl Reading {
    fn start(&mut self, space: Space, element: &BytesStart<'_>) -> Result<(), Bad> {
        // Every attribute is read once, so that none is malformed or given twice.
        let mut named = Vec::new();
        for attribute in element.attributes() {
            let attribute = attribute.map_err(|e| Bad::Xml(e.to_string()))?;
            let wanted = matches!(attribute.key.into_inner(), "name" | "soapAction");
            if wanted {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                let value = value.map_err(|e| Bad::Xml(e.to_string()))?;
                named.push((attribute.key.into_inner().to_owned(), value.into_owned()));
            }
        }
        let value = |key: &str| {
            let found = named.iter().find(|(name, _)| name == key);
            found.map(|(_, value)| value.clone())
        };
        if self.open.len() >= DEPTH_MAX {
            let deep = Problem::invalid("wsdl", "service-wsdl-deep").with("max", DEPTH_MAX);
            return Err(Bad::Refused(deep));
        }
        let place = match (self.open.last(), space, element.local_name().into_inner()) {
            (None, Space::Wsdl, "definitions") if !self.seen => Place::Definitions,
            (None, ..) => {
                let version = Problem::invalid("wsdl", "service-wsdl-version");
                return Err(Bad::Refused(version));
            }
            (Some(Place::Definitions), Space::Wsdl, "binding") => {
                self.binding = Binding::default();
                Place::Binding
            }
            (Some(Place::Binding), Space::Soap, "binding") => {
                self.binding.is_soap = true;
                Place::Other
            }
            (Some(Place::Binding), Space::Wsdl, "operation") => {
                self.operation(value("name")).map_err(Bad::Refused)?;
                Place::Operation
            }
            (Some(Place::Operation), Space::Soap, "operation") => {
                let last = self.binding.operations.last_mut();
                if let (Some(operation), Some(action)) = (last, value("soapAction")) {
                    operation.action = action.chars().take(NAME_BYTES_MAX).collect();
                }
                Place::Other
            }
            (Some(Place::Definitions), Space::Wsdl, "import") => {
                self.imports = true;
                Place::Other
            }
            _ => Place::Other,
        };
        self.seen = true;
        self.open.push(place);
        Ok(())
    }

    fn operation(&mut self, name: Option<String>) -> Result<(), Problem> {
        let name = name.unwrap_or_default();
        let good = !name.is_empty()
            && name.len() <= NAME_BYTES_MAX
            && !name.chars().any(|c| c.is_whitespace() || c.is_control());
        if !good || self.binding.operations.len() >= OPERATIONS_MAX {
            return Err(Problem::invalid("wsdl", "service-wsdl-operations")
                .with("max", OPERATIONS_MAX)
                .because(shown(&name)));
        }
        self.binding.operations.push(Operation {
            name,
            action: String::new(),
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Problem> {
        if self.open.pop() != Some(Place::Binding) {
            return Ok(());
        }
        let binding = std::mem::take(&mut self.binding);
        for operation in binding.operations.into_iter().filter(|_| binding.is_soap) {
            // SOAP 1.1 and 1.2 are two bindings of the same operations.
            if !self.found.operations.iter().any(|o| o.name == operation.name) {
                self.found.operations.push(operation);
            }
        }
        if self.found.operations.len() > OPERATIONS_MAX {
            return Err(Problem::invalid("wsdl", "service-wsdl-operations").with("max", OPERATIONS_MAX));
        }
        Ok(())
    }

    fn finished(self) -> Result<Described, Problem> {
        if !self.found.operations.is_empty() {
            return Ok(self.found);
        }
        Err(if self.imports {
            Problem::invalid("wsdl", "service-wsdl-import")
        } else {
            Problem::invalid("wsdl", "service-wsdl-operations").with("max", OPERATIONS_MAX)
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A document with SOAP operations.
    pub(crate) fn document(operations: &[&str]) -> String {
        let operations: String = operations
            .iter()
            .map(|name| {
                format!(
                    "<wsdl:operation name=\"{name}\"><soap:operation soapAction=\"urn:{name}\"/>\
                     <wsdl:input><soap:body use=\"literal\"/></wsdl:input></wsdl:operation>"
                )
            })
            .collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<wsdl:definitions xmlns:wsdl=\"{WSDL}\" \
             xmlns:soap=\"{}\" targetNamespace=\"urn:x\">\n<wsdl:types><name name=\"x\"/></wsdl:types>\n\
             <wsdl:portType name=\"P\"><wsdl:operation name=\"notBound\"/></wsdl:portType>\n\
             <wsdl:binding name=\"B\" type=\"P\"><soap:binding transport=\"t\"/>{operations}</wsdl:binding>\n\
             <wsdl:service name=\"S\"><wsdl:port name=\"P\" binding=\"B\"><soap:address \
             location=\"http://h/soap?a=1&amp;b=2\"/></wsdl:port></wsdl:service>\n</wsdl:definitions>",
            SOAP[0]
        )
    }

    fn code(text: &str) -> &'static str {
        read(text).expect_err(text).code
    }

    #[test]
    fn the_operations_bound_to_soap_are_read_with_their_actions() {
        let found = read(&document(&["findPerson", "listPersons"])).expect("reads");
        let shown: Vec<String> = found.operations.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            ["findPerson (urn:findPerson)", "listPersons (urn:listPersons)"]
        );
        let both = document(&["a"]).replacen(
            "<wsdl:service",
            &format!(
                "<wsdl:binding name=\"C\"><s12:binding xmlns:s12=\"{}\"/><wsdl:operation name=\"a\"/>\
                 <wsdl:operation name=\"b\"/></wsdl:binding><wsdl:binding name=\"H\">\
                 <wsdl:operation name=\"byHttp\"/></wsdl:binding><wsdl:service",
                SOAP[1]
            ),
            1,
        );
        let names: Vec<String> = read(&both)
            .expect("reads")
            .operations
            .into_iter()
            .map(|o| o.name)
            .collect();
        assert_eq!(names, ["a", "b"], "each once, and none that is not bound to SOAP");
        assert!(
            read(&format!("\u{feff}{}", document(&["a"]))).is_ok(),
            "a mark in front"
        );
    }

    #[test]
    fn what_would_lead_out_of_the_document_or_to_no_end_is_refused() {
        let sound = document(&["a"]);
        let with_type =
            |text: &str| sound.replacen("\n<wsdl:definitions", &format!("\n{text}<wsdl:definitions"), 1);
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>";
        let outside = "<!DOCTYPE x SYSTEM \"file:///etc/passwd\">";
        for text in [with_type(bomb), with_type(outside), with_type("<!DOCTYPE x>")] {
            assert_eq!(code(&text), "service-wsdl-doctype");
        }
        let own_entity = sound.replace("urn:a", "&secret;");
        assert_eq!(code(&own_entity), "service-wsdl-xml");
        let deep = sound.replace(
            "<name name=\"x\"/>",
            &format!("{}{}", "<n>".repeat(20_000), "</n>".repeat(20_000)),
        );
        assert_eq!(code(&deep), "service-wsdl-deep");
        let many = document(&vec!["a"; OPERATIONS_MAX + 1]);
        assert_eq!(code(&many), "service-wsdl-operations");
    }

    #[test]
    fn what_is_no_wsdl_is_told_with_its_line() {
        for text in [
            "",
            "not xml",
            "<wsdl:definitions",
            "<definitions xmlns=\"http://schemas.xmlsoap.org/wsdl/\"></b>",
            "{\"openapi\":\"3.0\"}",
            "<definitions xmlns=\"http://schemas.xmlsoap.org/wsdl/\">",
        ] {
            assert_eq!(code(text), "service-wsdl-xml", "{text}");
        }
        for text in [
            "<html/>",
            "<description xmlns=\"http://www.w3.org/ns/wsdl\"/>",
            "<wsdl:definitions/>",
            "<definitions/>",
        ] {
            assert_eq!(code(text), "service-wsdl-version", "{text}");
        }
        let twice = document(&["a"]).replace("name=\"B\"", "name=\"B\" name=\"C\"");
        let problem = read(&twice).expect_err("an attribute twice");
        assert_eq!(
            (problem.code, problem.args[0].1.as_str()),
            ("service-wsdl-xml", "5")
        );
        let import = format!("<definitions xmlns=\"{WSDL}\"><import location=\"http://h/x\"/></definitions>");
        assert_eq!(code(&import), "service-wsdl-import");
        for names in [&[][..], &["a b"], &[""]] {
            assert_eq!(code(&document(names)), "service-wsdl-operations");
        }
        assert_eq!(code(&document(&["\u{fffd}"])), "service-wsdl-xml");
    }

    #[test]
    fn a_document_shows_no_address_of_the_system_behind_the_gateway() {
        let sound = document(&["a"]);
        let inside = "http://h/soap?a=1&amp;b=2";
        assert!(sound.contains(inside));
        assert_eq!(
            without_addresses(&sound).expect("reads"),
            sound.replace(inside, ADDRESS)
        );
        let more = sound.replace(
            "</wsdl:port>",
            "</wsdl:port><wsdl:port name='Q' binding='C'>\n\
             <s12:address xmlns:s12='http://schemas.xmlsoap.org/wsdl/soap12/'\tlocation = 'http://10.0.0.7/é'></s12:address>\
             <http:address xmlns:http='http://schemas.xmlsoap.org/wsdl/http/' x=\"location='a'\" location=\"http://10.0.0.8/\"/>\
             <name:address xmlns:name='urn:other' location='kept'/></wsdl:port>",
        );
        let told = without_addresses(&more).expect("reads");
        for (inside, times) in [
            ("http://h/", 0),
            ("10.0.0.", 0),
            (ADDRESS, 3),
            ("location='kept'", 1),
            ("x=\"location='a'\"", 1),
        ] {
            assert_eq!(told.matches(inside).count(), times, "{inside}: {told}");
        }
        assert_eq!(
            read(&told).expect("still a document"),
            read(&more).expect("a document")
        );
        assert_eq!(without_addresses("<a"), None);
    }
}
