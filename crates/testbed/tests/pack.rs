//! `sen pack check` over packs that are broken on purpose: a small sound pack with one change each, and
//! the rule, file and line that must be told. And the pack of Vietnam, which must be sound.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use kernel::Digest;
use sen::pack::check::{Depth, Report, check};
use sen::pack::told;

/// A copy of the small pack in a folder of its own, taken away at the end.
struct Copy(PathBuf);

impl Copy {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("sen-small-pack-{}-{number}", std::process::id()));
        copy(&small(), &folder);
        Self(folder)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap_or_default()
    }

    fn write(&self, file: &str, bytes: &[u8]) {
        std::fs::write(self.path(file), bytes).expect("written");
    }

    /// Puts one text in the place of another; `from` must be there.
    fn change(&self, file: &str, from: &str, to: &str) {
        let text = self.text(file);
        assert!(text.contains(from), "{file} has no {from:?}");
        self.write(file, text.replacen(from, to, 1).as_bytes());
    }

    fn append(&self, file: &str, more: &str) {
        self.write(file, (self.text(file) + more).as_bytes());
    }

    /// Lists every file of data as it is now.
    fn list(&self) {
        let mut list = String::new();
        for folder in ["areas", "organisations", "calendars", "codes", "catalogue"] {
            let mut files: Vec<PathBuf> = std::fs::read_dir(self.path(folder))
                .expect("a folder")
                .map(|entry| entry.expect("an entry").path())
                .collect();
            files.sort();
            for file in files {
                let digest = Digest::of(&std::fs::read(&file).expect("read"));
                let name = file.file_name().expect("a name").to_string_lossy();
                list += &format!(
                    "[[file]]\npath = \"{folder}/{name}\"\nsource = \"made up\"\nlicence = \"own work\"\nsha256 = \"{digest}\"\n\n"
                );
            }
        }
        self.write("SOURCES.toml", list.as_bytes());
    }

    fn check(&self) -> Report {
        check(&self.0, Depth::Read)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn small() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packs/small")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the small pack") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("copied");
        }
    }
}

fn all(report: &Report) -> Vec<(String, u64, &'static str)> {
    let told = report.found.iter().map(|f| (f.file.clone(), f.line, f.rule));
    told.collect()
}

/// The line of the first occurrence of a text, from 1.
fn line_of(text: &str, needle: &str) -> u64 {
    let at = text
        .find(needle)
        .unwrap_or_else(|| panic!("no {needle:?} in {text}"));
    text[..at].matches('\n').count() as u64 + 1
}

/// Breaks a copy of the small pack and holds that exactly these faults are told: file, a text on the
/// line (of the broken file), rule.
fn broken(name: &str, break_it: impl Fn(&Copy), expected: &[(&str, &str, &str)]) {
    let pack = Copy::new();
    break_it(&pack);
    pack.list();
    let mut expected: Vec<(String, u64, &str)> = expected
        .iter()
        .map(|(file, needle, rule)| ((*file).to_owned(), line_of(&pack.text(file), needle), *rule))
        .collect();
    expected.sort();
    let mut found = all(&pack.check());
    found.sort();
    assert_eq!(found, expected, "{name}");
}

const AREAS: &str = "areas/2025.csv";
const AGENCIES: &str = "organisations/agencies.csv";
const HOLIDAYS: &str = "calendars/holidays-2020-2027.csv";
const FILING: &str = "codes/filing-modes.toml";
const MOVES: &str = "codes/status-moves.csv";
const SAMPLES: &str = "procedures/1.000001.samples.toml";
const PROCEDURE: &str = "procedures/1.000001.toml";
const REGISTER: &str = "registers/people.toml";
const AGREEMENT: &str = "agreements/portal-people.toml";
const TEMPLATE: &str = "templates/sample-paper.typ";

#[test]
fn the_small_pack_is_sound_and_its_templates_can_be_drawn() {
    let pack = Copy::new();
    pack.list();
    let report = check(&pack.0, Depth::Draw);
    assert_eq!(all(&report), vec![]);
    assert_eq!((report.procedures, report.templates), (1, 3));
    assert!(report.rows > 20 && report.files > 12, "{report:?}");
}

#[test]
fn faults_of_units_and_organisations_are_told_with_their_line() {
    broken(
        "a cycle of units",
        |p| {
            p.change(AREAS, "01,Tỉnh Mẫu,Tỉnh,", "01,Tỉnh Mẫu,Tỉnh,02");
            p.change(AREAS, "02,Tỉnh Hai,Tỉnh,", "02,Tỉnh Hai,Tỉnh,01");
        },
        &[(AREAS, "01,Tỉnh Mẫu", "units-cycle")],
    );
    broken(
        "an unknown parent",
        |p| p.change(AREAS, "Xã Một,Xã,01", "Xã Một,Xã,99"),
        &[(AREAS, "00001", "unit-parent-unknown")],
    );
    broken(
        "a duplicate code",
        |p| p.append(AREAS, "02,Tỉnh Ba,Tỉnh,\n"),
        &[(AREAS, "02,Tỉnh Ba", "code-twice")],
    );
    broken(
        "a unit without a name",
        |p| p.change(AREAS, "02,Tỉnh Hai", "02,"),
        &[(AREAS, "02,", "name-missing")],
    );
    broken(
        "a successor that is not there",
        |p| {
            p.change(
                "areas/succession-2025.csv",
                "00002,Xã Hai,001,01,00001",
                "00002,Xã Hai,001,01,00009",
            );
        },
        &[("areas/succession-2025.csv", "00009", "successor-unknown")],
    );
    broken(
        "editions out of order",
        |p| p.change("pack.toml", "2025-07-01", "2019-07-01"),
        &[("pack.toml", "2019-07-01", "edition-order")],
    );
    broken(
        "an organisation that ends before it begins",
        |p| {
            p.change(
                AGENCIES,
                "G14,Bộ Cũ,,2018-01-01,2025-02-28",
                "G14,Bộ Cũ,,2018-01-01,2017-02-28",
            );
        },
        &[(AGENCIES, "G14", "ends-before-begins")],
    );
    broken(
        "overlapping validity of one code",
        |p| p.change(AGENCIES, "2025-06-30", "2025-07-01"),
        &[(AGENCIES, "Bộ Tư pháp mới", "validity-overlaps")],
    );
    broken(
        "an unknown successor",
        |p| p.change(AGENCIES, "2025-02-28,G15", "2025-02-28,G16"),
        &[(AGENCIES, "G14", "successor-unknown")],
    );
    broken(
        "an organisation of an unknown area",
        |p| p.change(AGENCIES, "UBND tỉnh Mẫu,01", "UBND tỉnh Mẫu,03"),
        &[(AGENCIES, "H56", "area-unknown")],
    );
}

#[test]
fn faults_of_the_calendar_are_told_with_their_line() {
    broken(
        "a holiday twice",
        |p| p.append(HOLIDAYS, "2027-01-01,5,Tết lần nữa,statutory,0,made up\n"),
        &[(HOLIDAYS, "Tết lần nữa", "holiday-twice")],
    );
    broken(
        "a holiday outside the calendar's years",
        |p| p.append(HOLIDAYS, "2028-01-03,1,Nghỉ bù,compensatory,0,made up\n"),
        &[(HOLIDAYS, "2028", "holiday-outside-years")],
    );
    broken(
        "a made-up day that is a holiday",
        |p| p.append(HOLIDAYS, "2027-01-01,5,Làm bù,swap_work,1,made up\n"),
        &[(HOLIDAYS, "Làm bù,swap_work,1,made up", "made-up-day-is-holiday")],
    );
    broken(
        "a day with another weekday",
        |p| p.change(HOLIDAYS, "2021-01-01,5", "2021-01-01,6"),
        &[(HOLIDAYS, "2021", "weekday-wrong")],
    );
    broken(
        "a year without a calendar",
        |p| {
            p.change(
                HOLIDAYS,
                "2023-01-02,1,Nghỉ bù Tết Dương lịch,compensatory,0,made up\n",
                "",
            );
        },
        &[(HOLIDAYS, "date", "calendar-gap")],
    );
    broken(
        "hours that begin after the calendar",
        |p| p.change("calendars/hours.toml", "2018-01-01", "2021-01-01"),
        &[("calendars/hours.toml", "[[hours]]", "hours-gap")],
    );
}

#[test]
fn faults_of_the_form_are_told_with_their_line() {
    broken(
        "a list that is not there",
        |p| p.change(PROCEDURE, "codes/colours.csv", "codes/colors.csv"),
        &[(PROCEDURE, "choices_from", "list-unknown")],
    );
    broken(
        "a code twice in a list",
        |p| p.append("codes/colours.csv", "01,Vàng\n"),
        &[("codes/colours.csv", "Vàng", "code-twice")],
    );
    broken(
        "a text without English",
        |p| p.change(PROCEDURE, "{ vi = \"Màu\", en = \"Colour\" }", "{ vi = \"Màu\" }"),
        &[(PROCEDURE, "{ vi = \"Màu\" }", "language-missing")],
    );
    broken(
        "a text without Vietnamese",
        |p| p.change(PROCEDURE, "vi = \"Màu\"", "vi = \" \""),
        &[(PROCEDURE, "vi = \" \"", "language-missing")],
    );
    broken(
        "a field asked twice",
        |p| {
            let again = "[[pages.questions]]\ncode = \"name\" # again\nlabel = { vi = \"Tên\", en = \"Name\" }\nkind = \"name\"\n\n[states.received]";
            p.change(PROCEDURE, "[states.received]", again);
        },
        &[(PROCEDURE, "code = \"name\" # again", "field-asked-twice")],
    );
    broken(
        "a prefilled field that no page asks",
        |p| p.change(PROCEDURE, "born = \"born\"", "birthday = \"born\""),
        &[(PROCEDURE, "birthday", "field-not-asked")],
    );
    broken(
        "a case without a commune to go to",
        |p| p.change(PROCEDURE, "receiver = \"receive_at\"", "receiver = \"name\""),
        &[(PROCEDURE, "receiver", "receiver-no-commune")],
    );
    broken(
        "a procedure without legal basis",
        |p| p.change(PROCEDURE, "legal_basis = [\"1/2020/NĐ-MẪU\"]", "legal_basis = []"),
        &[(PROCEDURE, "legal_basis", "legal-basis-missing")],
    );
}

/// Puts a rule on a question of the small pack: behind the line of its kind.
fn ruled(pack: &Copy, kind: &str, rule: &str) {
    let line = format!("kind = \"{kind}\"\n");
    pack.change(PROCEDURE, &line, &format!("{line}{rule}\n"));
}

#[test]
fn faults_of_rules_are_told_with_their_line() {
    let long = format!("show = \"size(name) > 0{}\"", " || size(name) > 0".repeat(40));
    let deep = format!("show = \"{}size(name){} > 0\"", "(".repeat(33), ")".repeat(33));
    for (name, rule, told) in [
        (
            "a rule that cannot be read",
            "show = \"colour ==\"",
            "rule-unreadable",
        ),
        ("a rule that is too long", long.as_str(), "rule-long"),
        ("a rule that is nested too deep", deep.as_str(), "rule-deep"),
        (
            "a rule about what no page asks",
            "show = \"colours == '01'\"",
            "rule-field",
        ),
        (
            "a rule with an unknown choice",
            "show = \"colour == '99'\"",
            "rule-choice",
        ),
        (
            "a rule that is no yes or no",
            "show = \"size(name)\"",
            "rule-type",
        ),
        (
            "a rule that compares a text with a number",
            "show = \"name == 1\"",
            "rule-type",
        ),
        (
            "a rule with a function that is not there",
            "show = \"name.matches('a')\"",
            "rule-not-offered",
        ),
        (
            "a question that is never shown",
            "show = \"colour == '01' && colour == '02'\"",
            "rule-never",
        ),
        (
            "a check without English",
            "check = [{ rule = \"born < today()\", says = { vi = \"Sai\" } }]",
            "language-missing",
        ),
    ] {
        broken(name, |p| ruled(p, "date", rule), &[(PROCEDURE, rule, told)]);
    }
    let dear = "check = [{ rule = \"['a'].all(x, ['b'].all(y, x == y))\", says = { vi = \"Sai\", en = \"Wrong\" } }]";
    broken(
        "a rule that takes too long",
        |p| ruled(p, "date", dear),
        &[(PROCEDURE, dear, "rule-dear")],
    );
}

#[test]
fn faults_of_what_is_shown_when_are_told_with_their_line() {
    let (by_colour, by_day) = ("show = \"answered(colour)\"", "show = \"answered(born)\"");
    broken(
        "two questions that wait for each other",
        |p| {
            ruled(p, "date", by_colour);
            ruled(p, "choice", by_day);
        },
        &[
            (PROCEDURE, by_colour, "show-cycle"),
            (PROCEDURE, by_day, "show-cycle"),
        ],
    );
    let page = |show: &str| {
        format!(
            "[[pages]]\ncode = \"more\"\ntitle = {{ vi = \"Thêm\", en = \"More\" }}\n{show}\n[[pages.questions]]\ncode = \"size\"\nlabel = {{ vi = \"Cỡ\", en = \"Size\" }}\nkind = \"number\"\n\n[states.received]"
        )
    };
    broken(
        "a page that is never shown",
        |p| {
            p.change(
                PROCEDURE,
                "[states.received]",
                &page("show = \"colour == '01' && !answered(colour)\"\n"),
            );
        },
        &[(PROCEDURE, "!answered(colour)", "rule-never")],
    );
    broken(
        "a question that depends on a later page",
        |p| {
            p.change(PROCEDURE, "[states.received]", &page(""));
            ruled(p, "date", "show = \"size > 3\"");
        },
        &[(PROCEDURE, "show = \"size > 3\"", "show-later")],
    );
    broken(
        "a case that may not say where it goes",
        |p| ruled(p, "commune", by_day),
        &[(PROCEDURE, "receiver =", "show-needed")],
    );
}

#[test]
fn faults_of_amounts_guards_and_terms_by_rule_are_told_with_their_line() {
    let says = "says = { vi = \"khi có màu\", en = \"with a colour\" }";
    let amount = "amount = \"colour == '01' ? 2000 : 1000\"";
    broken(
        "an amount that depends on what not everybody answers",
        |p| {
            let fee = "[fee]\nname = { vi = \"Phí\", en = \"Fee\" }\ndong = 1000\nlegal_basis = \"1/2020/NĐ-MẪU\"\n";
            p.change(PROCEDURE, "[result]", &format!("{fee}{amount}\n\n[result]"));
        },
        &[(PROCEDURE, amount, "rule-not-always")],
    );
    let guard = format!("guard = {{ rule = \"answered(colour)\", {says} }}");
    broken(
        "a guard at a step of the platform",
        |p| {
            let step = "to = \"to-sign\"\nrole = \"officer\"\n";
            let other = format!("to = \"to-sign\"\nrole = \"platform\"\n{guard}\n");
            p.change(PROCEDURE, step, &other);
        },
        &[(PROCEDURE, &guard, "guard-role")],
    );
    let when = |rule: &str| format!("when = {{ rule = \"{rule}\", {says} }}");
    let (first, second) = (when("colour == '01'"), when("colour != '02'"));
    broken(
        "a channel without a term for the other cases",
        |p| p.change(PROCEDURE, "days = 2\n", &format!("days = 2\n{first}\n")),
        &[(PROCEDURE, &first, "terms-no-rest")],
    );
    broken(
        "two terms for one case",
        |p| {
            let term = "[[terms]]\nchannel = \"online\"\nrule = \"working-days\"\ndays = ";
            let more = format!("days = 2\n\n{term}3\n{first}\n\n{term}4\n{second}\n");
            p.change(PROCEDURE, "days = 2\n", &more);
        },
        &[(PROCEDURE, &second, "terms-overlap")],
    );
}

#[test]
fn faults_of_a_cases_course_are_told_with_their_line() {
    let reworking = "[states.reworking]\nlabel = { vi = \"Xem lại\", en = \"Again\" }\nstatus = 4\nclock = \"run\"\n\n[[transitions]]";
    broken(
        "a dead state",
        |p| {
            p.change(PROCEDURE, "[[transitions]]", reworking);
            p.change(PROCEDURE, "[result]", "[[transitions]]\nverb = \"send-back\"\nfrom = \"to-sign\"\nto = \"reworking\"\nrole = \"chairman\"\n\n[result]");
        },
        &[(PROCEDURE, "[states.reworking]", "state-dead")],
    );
    broken(
        "an unreachable state",
        |p| {
            p.change(PROCEDURE, "[[transitions]]", reworking);
            p.change(PROCEDURE, "[result]", "[[transitions]]\nverb = \"propose\"\nfrom = \"reworking\"\nto = \"to-sign\"\nrole = \"officer\"\n\n[result]");
        },
        &[(PROCEDURE, "[states.reworking]", "state-unreachable")],
    );
    broken(
        "a state without a status",
        |p| p.change(PROCEDURE, "status = 2\n", ""),
        &[(PROCEDURE, "[states.accepted]", "key-missing")],
    );
    broken(
        "a status that is no status",
        |p| p.change(PROCEDURE, "status = 2\n", "status = 12\n"),
        &[(PROCEDURE, "status = 12", "status-unknown")],
    );
    broken(
        "a case that goes back to a status that is over",
        |p| p.change(PROCEDURE, "status = 4\n", "status = 7\n"),
        &[(PROCEDURE, "to = \"decided\"", "status-move")],
    );
    broken(
        "a move of statuses twice, and one without its basis",
        |p| {
            p.append(
                MOVES,
                "1,2,2018-06-21,,again\n9,4,2018-06-21,,\n9,11,2018-06-21,,x\n",
            );
        },
        &[
            (MOVES, "1,2,2018-06-21,,again", "code-twice"),
            (MOVES, "9,4", "status-move-basis"),
            (MOVES, "9,11", "status-unknown"),
        ],
    );
    broken(
        "cases that are filed with an organisation that is not there",
        |p| p.change(FILING, "G22/portal\"\nsource", "G23/portal\"\nsource"),
        &[(FILING, "\"G23/portal\"\nsource", "organisation-unknown")],
    );
    broken(
        "a sample citizen of no day, and one at a channel that is not taken",
        |p| {
            let citizen = |filed: &str, channel: &str| {
                format!(
                    "[[citizens]]\nname = {{ vi = \"Mẫu\", en = \"Sample\" }}\nfiled = \"{filed}\"\nchannel = \"{channel}\"\nanswers = {{}}\nexpects = {{}}\n"
                )
            };
            let text = format!(
                "procedure = \"1.000001\"\n{}{}",
                citizen("18/11/2026", "online"),
                citizen("2026-11-18T09:00", "post")
            );
            p.write(SAMPLES, text.as_bytes());
        },
        &[
            (SAMPLES, "filed = \"18/11/2026\"", "sample-version"),
            (SAMPLES, "channel = \"post\"", "sample-channel"),
        ],
    );
    broken(
        "a transition to an unknown state",
        |p| p.change(PROCEDURE, "to = \"decided\"", "to = \"done\""),
        &[
            (PROCEDURE, "to = \"done\"", "state-unknown"),
            (PROCEDURE, "[states.decided]", "state-unreachable"),
        ],
    );
    broken(
        "an unknown role",
        |p| {
            p.change(
                PROCEDURE,
                "to = \"decided\"\nrole = \"chairman\"",
                "to = \"decided\"\nrole = \"king\"",
            );
        },
        &[(PROCEDURE, "role = \"king\"", "role-unknown")],
    );
    broken(
        "an unknown verb",
        |p| p.change(PROCEDURE, "verb = \"sign\"", "verb = \"stamp\""),
        &[(PROCEDURE, "stamp", "value-unknown")],
    );
    broken(
        "versions of one code from one day",
        |p| p.write("procedures/1.000001-b.toml", p.text(PROCEDURE).as_bytes()),
        &[(PROCEDURE, "valid_from", "versions-overlap")],
    );
    broken(
        "a draft that nobody is told to look at",
        |p| {
            p.change(
                PROCEDURE,
                "[result]",
                "[draft_check]\nsilence = { days = 1 }\n\n[result]",
            );
        },
        &[(PROCEDURE, "[draft_check]", "draft-check-half")],
    );
    broken(
        "a procedure that the catalogue has not",
        |p| p.change(PROCEDURE, "code = \"1.000001\"", "code = \"1.000002\""),
        &[(PROCEDURE, "code", "not-in-catalogue")],
    );
}

#[test]
fn faults_of_templates_are_told_with_their_line() {
    broken(
        "a template that is missing",
        |p| {
            p.change(
                PROCEDURE,
                "template = \"sample-paper\"",
                "template = \"other-paper\"",
            );
        },
        &[(PROCEDURE, "template", "template-missing")],
    );
    broken(
        "a template that names a missing field",
        |p| p.append("templates/receipt.typ", "#data.applicant.full_nam\n"),
        &[(
            "templates/receipt.typ",
            "#data.applicant.full_nam\n",
            "template-field",
        )],
    );
    broken(
        "a template that is no Typst",
        |p| p.append(TEMPLATE, "#let x = (\n"),
        &[(TEMPLATE, "#let x", "template-syntax")],
    );
}

#[test]
fn faults_of_registers_and_agreements_are_told_with_their_line() {
    broken(
        "an agreement about an unknown service",
        |p| p.change(AGREEMENT, "person-lookup", "person-search"),
        &[
            (AGREEMENT, "person-search", "service-unknown"),
            (PROCEDURE, "service = ", "service-not-agreed"),
        ],
    );
    broken(
        "an agreement about a field that is not offered",
        |p| p.change(AGREEMENT, "\"born\"]", "\"born\", \"height\"]"),
        &[(AGREEMENT, "height", "field-not-offered")],
    );
    broken(
        "an agreement about personal data without legal basis",
        |p| p.change(AGREEMENT, "1/2020/NĐ-MẪU", ""),
        &[(AGREEMENT, "legal_basis", "legal-basis-missing")],
    );
    broken(
        "a prefilled field that no agreement grants",
        |p| p.change(AGREEMENT, ", \"born\"]", "]"),
        &[(PROCEDURE, "born = \"born\"", "field-not-granted")],
    );
    broken(
        "a prefilled field that the register has not",
        |p| p.change(PROCEDURE, "born = \"born\"", "born = \"birthday\""),
        &[(PROCEDURE, "born = \"birthday\"", "field-not-in-register")],
    );
    broken(
        "a register's field of an unknown type",
        |p| p.change(REGISTER, "type = \"date\"", "type = \"day\""),
        &[(REGISTER, "type = \"day\"", "value-unknown")],
    );
    broken(
        "a register of personal data without legal basis",
        |p| p.change(REGISTER, "legal_basis = [\"1/2020/NĐ-MẪU\"]\n", ""),
        &[(REGISTER, "[[fields]]", "legal-basis-missing")],
    );
    broken(
        "a register found by a field it does not declare",
        |p| p.change(REGISTER, "by = [\"number\"]", "by = [\"number\", \"passport\"]"),
        &[(REGISTER, "passport", "field-undeclared")],
    );
}

#[test]
fn faults_of_files_are_told_with_their_line() {
    broken(
        "a row with a column too many",
        |p| p.append(AREAS, "03,Tỉnh Ba,Tỉnh,,x\n"),
        &[(AREAS, "03", "row-columns")],
    );
    broken(
        "a byte-order mark",
        |p| p.write("codes/colours.csv", b"\xef\xbb\xbfcode,name\n01,Xanh\n"),
        &[("codes/colours.csv", "code", "byte-order-mark")],
    );
    broken(
        "an unknown key",
        |p| p.change(PROCEDURE, "level = \"commune\"", "levle = 1\nlevel = \"commune\""),
        &[(PROCEDURE, "levle", "key-unknown")],
    );
    broken(
        "a mistake of grammar",
        |p| p.change(AGREEMENT, "place = \"Nền tảng mẫu\"", "place = Nền tảng mẫu"),
        &[
            (AGREEMENT, "place", "toml-syntax"),
            (PROCEDURE, "service", "service-not-agreed"),
        ],
    );
}

#[test]
fn a_file_that_is_not_text_or_too_large_or_not_listed_is_told() {
    let pack = Copy::new();
    pack.write("codes/colours.csv", b"code,name\n01,Xanh\n02,\xff\n");
    pack.list();
    assert_eq!(
        all(&pack.check()),
        [("codes/colours.csv".to_owned(), 3, "not-utf8")]
    );

    let pack = Copy::new();
    pack.list();
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(pack.path("README.md"))
        .expect("open");
    file.set_len(kernel::limits::PACK_FILE_BYTES_MAX + 1)
        .expect("grown");
    assert_eq!(
        all(&pack.check()),
        [("README.md".to_owned(), 1, "file-too-large")]
    );

    let pack = Copy::new();
    pack.list();
    pack.write("codes/more.csv", b"code,name\n01,A\n");
    assert_eq!(
        all(&pack.check()),
        [("SOURCES.toml".to_owned(), 1, "source-missing")]
    );
}

#[test]
fn many_faults_of_many_files_are_told_at_once_by_file_and_line_in_both_languages() {
    let pack = Copy::new();
    pack.list();
    pack.change(AREAS, "Xã Một,Xã,01", "Xã Một,Xã,99");
    pack.change(PROCEDURE, "verb = \"sign\"", "verb = \"stamp\"");
    pack.change(PROCEDURE, "en = \"Colour\"", "fr = \"Couleur\"");
    pack.change(AGREEMENT, "G22/portal", "portal");
    let report = pack.check();
    let rules: Vec<&str> = report.found.iter().map(|f| f.rule).collect();
    let expected = [
        "system-id",
        "unit-parent-unknown",
        "language-missing",
        "key-unknown",
        "value-unknown",
        "source-differs",
    ];
    for rule in expected {
        assert!(rules.contains(&rule), "{rule} is not among {rules:?}");
    }
    let places: Vec<(&str, u64)> = report.found.iter().map(|f| (f.file.as_str(), f.line)).collect();
    assert!(places.is_sorted(), "{places:?}");
    let texts = told::texts();
    for (lang, word) in [(web::Lang::Vi, "Đã kiểm tra"), (web::Lang::En, "Checked ")] {
        let text = told::text(&report, std::time::Duration::ZERO, lang, &texts);
        assert!(
            text.contains(word) && text.contains("[unit-parent-unknown]"),
            "{text}"
        );
        assert!(!text.contains("pack-") && !text.contains("{$"), "{text}");
        let json = told::json(&report, std::time::Duration::ZERO, lang, &texts);
        assert_eq!(json["found"].as_array().map(Vec::len), Some(report.found.len()));
        assert!(json["found"][0]["remedy"].as_str().is_some_and(|t| t.len() > 10));
    }
}

#[test]
fn the_pack_of_vietnam_is_sound() {
    let begun = kernel::World::of_this_machine().clock.now();
    let report = check(&sen::config::Config::default().pack, Depth::Read);
    let took = kernel::World::of_this_machine().clock.now().ms() - begun.ms();
    println!(
        "packs/vn: {} files, {} rows in {took} ms",
        report.files, report.rows
    );
    assert_eq!(all(&report), vec![]);
}
