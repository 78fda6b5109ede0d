//! Drawing: a template and its data become the pages of a PDF. Never signed here, and never kept.

use kernel::{Kind, Problem, Time};
use serde_json::Value;

use crate::Documents;

/// A template that cannot be filled, as the one who asked is told.
pub(crate) fn refused(cause: render::RenderError) -> Problem {
    Problem::new(Kind::Internal, "document-template").because(cause)
}

impl Documents {
    /// An unsigned page of a template, for a look before anything is signed: no number, no code to
    /// check it by, and `draft` true for the template to say so. Not kept.
    ///
    /// # Errors
    /// `document-template` when the template cannot be filled.
    pub async fn draft(&self, template: &str, mut data: Value, at: Time) -> Result<Vec<u8>, Problem> {
        if let Value::Object(map) = &mut data {
            map.insert("qr_svg".to_owned(), "".into());
            map.insert("check_url".to_owned(), "".into());
            map.insert("specimen".to_owned(), true.into());
            map.insert("draft".to_owned(), true.into());
        }
        self.drawn(template.to_owned(), data, at).await
    }

    /// The pages. Layout is computing, not waiting: it must not hold up the sockets of this thread.
    pub(crate) async fn drawn(&self, template: String, data: Value, at: Time) -> Result<Vec<u8>, Problem> {
        let templates = self.0.templates.clone();
        tokio::task::spawn_blocking(move || templates.pdf(&template, &data, at))
            .await
            .map_err(Problem::internal)?
            .map_err(refused)
    }
}
