//! A wish for the post as a form or a program sends it, checked: the boxes of an address, a telephone number. Every fault
//! is told at once, at its field. Never keeps anything.

use kernel::{AreaCode, Problem};
use serde::{Deserialize, Serialize};
use serde_json::json;
use web::openapi::ToSchema;
use web::{Fields, Page};

use super::rates::Rate;
use super::{ByPost, Wish};
use crate::answers::{self, Typed};
use crate::citizen::file::rules;
use crate::citizen::view::Field;
use crate::desk::intake::asked::blank;
use crate::procedure::{Procedure, Question, QuestionKind};
use crate::state::Cases;

/// The field that says how the result is wished.
pub(crate) const WAY: &str = "return_by";
/// Its value for the post.
pub(crate) const POST: &str = "post";
/// The field of the address, in boxes or in one piece.
pub(crate) const ADDRESS: &str = "post_address";
/// The field of the telephone number.
pub(crate) const PHONE: &str = "post_phone";

/// How an applicant wishes to get the result, as a program sends it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WishJson {
    /// True for the post; then an address is needed.
    by_post: bool,
    /// `15865 Thôn 3`, or `Thôn 3, Xã Hoằng Hóa, Tỉnh Thanh Hóa`.
    #[serde(default)]
    post_address: String,
    /// A telephone number for who brings it; may be left out.
    #[serde(default)]
    post_phone: String,
}

/// How the result is wished, and what it takes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PostJson {
    /// False where a desk does not send results of this procedure.
    pub(crate) offered: bool,
    /// True while it can be chosen.
    pub(crate) open: bool,
    /// True when it goes by post.
    pub(crate) by_post: bool,
    /// The address, in words.
    pub(crate) address: Option<String>,
    /// The telephone number.
    pub(crate) phone: Option<String>,
    /// What the post takes from who gets it, in dong.
    pub(crate) dong: Option<u64>,
    /// Working days that the post needs behind the handing over.
    pub(crate) days: Option<u32>,
}

/// The form of a choice; the boxes of the address are fields of their own: `post_address-province`, `-commune`, `-line`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form for OpenAPI; `Fields` reads it")]
pub(crate) struct WishForm {
    /// `post` for the post.
    return_by: Option<String>,
    /// The address in one piece, where it is not in boxes.
    post_address: Option<String>,
    /// A telephone number for who brings it.
    post_phone: Option<String>,
}

impl WishJson {
    /// What a program sent, as the fields of a form.
    pub(crate) fn typed(&self) -> Typed {
        let way = if self.by_post { POST } else { "" };
        let (address, phone) = (self.post_address.as_str(), self.post_phone.as_str());
        let fields = [(WAY, way), (ADDRESS, address), (PHONE, phone)];
        let cleaned = fields.map(|(name, text)| (name.to_owned(), kernel::text::clean(text)));
        Typed::from(cleaned)
    }
}

/// What a form sent.
pub(crate) fn typed(fields: &Fields) -> Typed {
    answers::typed(&[], fields)
}

/// The wish in what was typed; none where the post is not chosen.
///
/// # Errors
/// A problem a field: those of an address, `field-missing`, `post-address-line`, `answer-phone`.
pub(crate) fn read(cases: &Cases, typed: &Typed) -> Result<Option<Wish>, Vec<Problem>> {
    if typed.get(WAY).map(String::as_str) != Some(POST) {
        return Ok(None);
    }
    let mut problems = Vec::new();
    let receives = |_: &AreaCode| Ok(());
    let address = answers::address(ADDRESS, typed, &rules(cases, &receives));
    let address = match address {
        Ok(Some(address)) => {
            let has_line = answers::address_parts(&address).is_some_and(|(_, line)| !line.is_empty());
            if !has_line {
                problems.push(Problem::invalid(ADDRESS, "post-address-line"));
            }
            address
        }
        Ok(None) => {
            problems.push(Problem::invalid(ADDRESS, "field-missing"));
            String::new()
        }
        Err(problem) => {
            problems.push(problem);
            String::new()
        }
    };
    let phone = match typed.get(PHONE).map_or("", String::as_str).trim() {
        "" => String::new(),
        text => answers::phone(PHONE, text).unwrap_or_else(|problem| {
            problems.push(problem);
            String::new()
        }),
    };
    match problems.is_empty() {
        true => Ok(Some(Wish { address, phone })),
        false => Err(problems),
    }
}

/// The boxes of a form for a wish: with what was typed, else with what is wished.
pub(crate) struct Boxes {
    /// True when the post is chosen.
    pub(crate) by_post: bool,
    /// Address and telephone number.
    pub(crate) fields: Vec<Field>,
}

impl Boxes {
    /// The boxes on a page of a procedure's case or draft.
    pub(crate) fn new(
        cases: &Cases,
        page: &Page,
        procedure: &Procedure,
        (wish, typed): (Option<&Wish>, Option<&Typed>),
        problems: &[Problem],
    ) -> Self {
        let mut draft = blank(procedure);
        if let Some(wish) = wish {
            draft.answers.insert(ADDRESS.to_owned(), wish.address.clone());
            draft.answers.insert(PHONE.to_owned(), wish.phone.clone());
        }
        let problems: Vec<Problem> = problems.iter().map(|problem| named(page, problem)).collect();
        let field = |code: &str, kind: QuestionKind, key: &str| {
            let question = question(code, kind);
            let mut field = Field::new(cases, page, &question, &draft, typed, &problems);
            field.label = page.t(key);
            field.hint = page.t(&format!("{key}-hint"));
            field
        };
        let chosen = typed.map(|typed| typed.get(WAY).map(String::as_str) == Some(POST));
        Self {
            by_post: chosen.unwrap_or(wish.is_some()),
            fields: vec![
                field(ADDRESS, QuestionKind::Address, "post-address"),
                field(PHONE, QuestionKind::Phone, "post-phone"),
            ],
        }
    }
}

/// A problem of a wish that names its box.
pub(crate) fn named(page: &Page, problem: &Problem) -> Problem {
    match problem.field.as_deref() {
        Some(ADDRESS) => problem.clone().with("label", page.t("post-address")),
        Some(PHONE) => problem.clone().with("label", page.t("post-phone")),
        _ => problem.clone(),
    }
}

/// A box as a question of a form.
fn question(code: &str, kind: QuestionKind) -> Question {
    let label = json!({"vi": code, "en": code});
    let asked =
        json!({"code": code, "label": label, "kind": kind, "required": kind == QuestionKind::Address});
    serde_json::from_value(asked).expect("a question")
}

/// The address of a wish in words, by the names of today.
pub(crate) fn in_words(cases: &Cases, wish: &Wish) -> String {
    let (places, today) = (cases.places(), cases.today());
    let words = answers::address_in_words(&wish.address, |commune| places.full_name(commune, today));
    words.unwrap_or_else(|| wish.address.clone())
}

/// What the post takes and how long it needs, in words.
pub(crate) fn takes(page: &Page, rate: Rate) -> String {
    let args = [
        ("dong", crate::payment::dong(rate.dong)),
        ("days", rate.days.to_string()),
    ];
    page.tw("post-takes", &args)
}

impl ByPost {
    /// What the post takes for it.
    pub(crate) const fn rate(&self) -> Rate {
        Rate {
            dong: self.dong,
            days: self.days,
        }
    }
}
