//! What a version of a procedure asks, in forms that others' tools read. Pure: a form follows from the version
//! and is never written by hand.
//!
//! | read | for |
//! |---|---|
//! | [`schema`] | the answers of a case as they are kept, as JSON Schema 2020-12 |
//! | [`formio`] | the form, page by page, as Form.io draws it |

pub mod formio;
pub mod schema;

use crate::procedure::{FormPage, Procedure, Question};

/// True for a question that every applicant answers. One that is shown by a rule alone is not.
fn is_always_answered(question: &Question) -> bool {
    question.required && question.show.is_none()
}

/// True when a page is shown whatever was answered before it.
fn is_always_shown(page: &FormPage) -> bool {
    page.show.is_none()
}

/// The name of the form of a version: it changes when the version does.
fn name(procedure: &Procedure, kind: &str) -> String {
    format!(
        "urn:sen:procedure:{}:{}:{kind}",
        procedure.code,
        procedure.version()
    )
}
