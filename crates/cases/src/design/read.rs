//! Reads the text of a design and of its sample citizens: the very documents that a pack has as files. Tells
//! every fault with its line and its remedy. Never keeps what it read.

use std::sync::OnceLock;

use directory::pack::document::Places;
use kernel::fault::{Fault, Faults, Flaw, Weight};
use serde::Serialize;
use web::openapi::{ToSchema, utoipa};
use web::{Lang, Texts};

use crate::pack::{self, ProcedureFile};
use crate::procedure::Procedure;
use crate::rehearsal::{Footing, Samples, rehearse};
use crate::state::Cases;

/// What the document is called in faults.
const DOCUMENT: &str = "document";
/// What the sample citizens are called in faults.
const SAMPLES: &str = "samples";

/// Sample citizens of a version, count: all of them go through it whenever somebody looks at it.
const CITIZENS_MAX: usize = 100;

/// A design's document, read.
#[derive(Debug)]
pub(crate) struct Read {
    /// The version, as far as its shape is sound.
    pub(crate) procedure: Option<Procedure>,
    /// What is wrong with it.
    pub(crate) faults: Vec<Fault>,
}

/// The sample citizens of a design, and what came of them.
#[derive(Debug)]
pub(crate) struct Tried {
    /// Sample citizens, count.
    pub(crate) citizens: usize,
    /// What is wrong with their text, and what came otherwise than expected.
    pub(crate) faults: Vec<Fault>,
}

/// A fault in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct DesignFault {
    /// `document` or `samples`.
    pub(crate) text: String,
    /// The line, from 1.
    pub(crate) line: u64,
    /// The rule's stable code.
    pub(crate) rule: String,
    /// What is wrong.
    pub(crate) what: String,
    /// How to mend it.
    pub(crate) remedy: String,
}

impl Read {
    /// The version, when nothing is wrong with it.
    pub(crate) fn sound(&self) -> Option<&Procedure> {
        self.procedure.as_ref().filter(|_| is_sound(&self.faults))
    }
}

/// True when nothing weighs as a fault; a warning does not.
pub(crate) fn is_sound(faults: &[Fault]) -> bool {
    faults.iter().all(|fault| fault.weight == Weight::Warning)
}

/// Reads a document and holds it against every rule that a file of the pack is held against, and against the
/// pack around it.
pub(crate) fn document(cases: &Cases, text: &str) -> Read {
    let mut faults = Faults::new();
    let read = pack::document_of(cases.catalogue.pack(), DOCUMENT, text, &mut faults);
    let Some((procedure, places)) = read else {
        return Read {
            procedure: None,
            faults: faults.sorted(),
        };
    };
    around(cases, &procedure, &places, &mut faults);
    let file = ProcedureFile {
        file: DOCUMENT.to_owned(),
        places,
        procedure,
    };
    pack::moves_check(cases.catalogue.moves(), &file, &mut faults);
    Read {
        procedure: Some(file.procedure),
        faults: faults.sorted(),
    }
}

/// The rules between a document and the pack that it joins.
fn around(cases: &Cases, procedure: &Procedure, places: &Places, faults: &mut Faults) {
    let named = |value: &str| vec![("value", value.to_owned())];
    if cases.catalogue.entry(&procedure.code).is_none() {
        faults.add(places.fault("/code", "not-in-catalogue", named(procedure.code.as_str())));
    }
    let today = cases.today();
    if cases.organisations.get(&procedure.publisher, today).is_none() {
        let names = named(procedure.publisher.as_str());
        faults.add(places.fault("/publisher", "organisation-unknown", names));
    }
    let template = &procedure.result.template;
    let mut known = cases.catalogue.procedures();
    if !known.any(|other| other.result.template == *template) {
        faults.add(places.fault("/result/template", "design-template", named(template)));
    }
}

/// Reads the sample citizens, and lets them go through a version.
pub(crate) fn samples(cases: &Cases, text: &str, procedure: Option<&Procedure>) -> Tried {
    let mut faults = Faults::new();
    if text.trim().is_empty() {
        return Tried {
            citizens: 0,
            faults: Vec::new(),
        };
    }
    let read = directory::pack::document::document_of::<Samples>(SAMPLES, text, &mut faults, |_, _, _| {});
    let Some((samples, places)) = read else {
        return Tried {
            citizens: 0,
            faults: faults.sorted(),
        };
    };
    if samples.citizens.len() > CITIZENS_MAX {
        let names = vec![
            ("value", samples.citizens.len().to_string()),
            ("max", CITIZENS_MAX.to_string()),
        ];
        faults.add(places.fault("/citizens", "sample-many", names));
    } else if let Some(procedure) = procedure {
        if samples.procedure != procedure.code {
            let names = vec![("value", samples.procedure.to_string())];
            faults.add(places.fault("/procedure", "sample-version", names));
        }
        let calendar = cases.calendars.of(&procedure.publisher);
        let footing = Footing {
            places: cases.places(),
            calendar: &calendar,
        };
        for (number, citizen) in samples.citizens.iter().enumerate() {
            for flaw in rehearse(procedure, citizen, &footing) {
                let at = format!("/citizens/{number}{}", flaw.at);
                faults.add(places.flaw(Flaw::new(at, flaw.rule, flaw.names)));
            }
        }
    }
    Tried {
        citizens: samples.citizens.len(),
        faults: faults.sorted(),
    }
}

/// The words of the rules of documents; none when they contradict each other, which a test holds.
fn texts() -> Option<&'static Texts> {
    static TEXTS: OnceLock<Option<Texts>> = OnceLock::new();
    let read = || Texts::new(&[directory::pack::TEXTS, pack::TEXTS]).ok();
    TEXTS.get_or_init(read).as_ref()
}

/// Faults in words, by line.
pub(crate) fn told(faults: &[Fault], lang: Lang) -> Vec<DesignFault> {
    let word = |fault: &Fault| {
        let key = format!("pack-{}", fault.rule);
        let say = |key: &str| match texts() {
            Some(texts) => texts.get_with(lang, key, &fault.names),
            None => fault.rule.to_owned(),
        };
        DesignFault {
            text: fault.file.clone(),
            line: fault.line,
            rule: fault.rule.to_owned(),
            what: say(&key),
            remedy: say(&format!("{key}.remedy")),
        }
    };
    faults.iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Portal, pack as folder};

    fn file(name: &str) -> String {
        std::fs::read_to_string(folder().join("procedures").join(name)).expect("a file of the pack")
    }

    #[tokio::test]
    async fn a_file_of_the_pack_is_a_sound_design_and_its_sample_citizens_come_through() {
        let portal = Portal::new().await;
        for code in ["1.001193", "1.004873", "2.000635", "2.000815"] {
            let read = document(&portal.cases, &file(&format!("{code}.toml")));
            let wrong = told(&read.faults, Lang::En);
            assert!(wrong.is_empty(), "{code}: {wrong:?}");
            let procedure = read.sound().expect("sound");
            let day = portal.cases.today();
            let of_pack = portal
                .cases
                .catalogue
                .procedure(&procedure.code, day)
                .expect("there");
            assert_eq!(
                procedure.version(),
                of_pack.version(),
                "choices are filled from the lists"
            );
            let tried = samples(
                &portal.cases,
                &file(&format!("{code}.samples.toml")),
                Some(procedure),
            );
            let wrong = told(&tried.faults, Lang::En);
            assert!(wrong.is_empty(), "{code}: {wrong:?}");
            assert!(tried.citizens > 0);
        }
    }

    #[tokio::test]
    async fn a_fault_is_told_with_its_line_and_its_remedy_in_either_language() {
        let portal = Portal::new().await;
        let text = file("1.004873.toml");
        let broken = text.replacen("status = 2\n", "status = 12\n", 1);
        let line = text
            .lines()
            .position(|line| line == "status = 2")
            .expect("a line") as u64;
        let read = document(&portal.cases, &broken);
        assert!(read.sound().is_none());
        let (en, vi) = (told(&read.faults, Lang::En), told(&read.faults, Lang::Vi));
        assert!(
            en.iter()
                .any(|f| f.line == line + 1 && f.rule == "status-unknown" && !f.remedy.is_empty()),
            "{en:?}"
        );
        assert_ne!(en, vi);
        let unread = document(&portal.cases, "code = ");
        assert!(unread.procedure.is_none() && !is_sound(&unread.faults));
        let check = "[[pages.check]]\nrule = \"true\"\nsays = { vi = \"Đúng\", en = \"True\" }\n";
        let first = "[[pages.questions]]";
        let many = text.replacen(first, &(check.repeat(201) + first), 1);
        let many = document(&portal.cases, &many);
        assert!(many.faults.iter().any(|f| f.rule == "rules-many"), "{many:?}");
        let citizens = "[[citizens]]\nname = { vi = \"Người mẫu\", en = \"Sample\" }\nchannel = \"online\"\n\
                        filed = \"2026-11-20T09:00\"\nanswers = {}\nexpects = {}\n";
        let crowd = format!("procedure = \"1.004873\"\n{}", citizens.repeat(101));
        let crowd = samples(&portal.cases, &crowd, document(&portal.cases, &text).sound());
        assert_eq!(crowd.citizens, 101);
        assert!(crowd.faults.iter().any(|f| f.rule == "sample-many"), "{crowd:?}");
        let template = text.replace("template = \"marital-status\"", "template = \"nowhere\"");
        let read = document(&portal.cases, &template);
        assert!(read.faults.iter().any(|f| f.rule == "design-template"));
    }
}
