//! The shell around every page, and how dates read in it. Never holds a page of its own besides
//! the problem page.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use kernel::{Date, Problem, Time};

use crate::auth::{MaybeSignedIn, Principal};
use crate::i18n::Lang;
use crate::shared::Shared;

/// One request's page: its language, its reader, its place.
#[derive(Clone)]
pub struct Page {
    /// The reader's language.
    pub lang: Lang,
    /// Who reads, if signed in.
    pub user: Option<Principal>,
    /// The path asked for, without the query.
    pub path: String,
    /// What every request may use.
    pub shared: Shared,
}

impl Page {
    /// The text of a key.
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        self.shared.texts.get(self.lang, key)
    }

    /// The text of a key with its places filled.
    #[must_use]
    pub fn tw(&self, key: &str, args: &[(&str, String)]) -> String {
        self.shared.texts.get_with(self.lang, key, args)
    }

    /// A day: `21/11/2026` or `21 November 2026`.
    #[must_use]
    pub fn date(&self, date: Date) -> String {
        kernel::time::day_month_year(date)
    }

    /// A moment in Vietnam's time: `09:30 ngày 21/11/2026` or `21 November 2026, 09:30`.
    #[must_use]
    pub fn time(&self, time: Time) -> String {
        time.day_month_year_time()
    }

    /// The shell around a page's body. `title` is plain text; `body` is HTML with its own `h1`.
    #[must_use]
    pub fn html(&self, _title: &str, body: String) -> Html<String> {
        Html(body)
    }

    /// The shell with a status of its own: 422 for a form with errors.
    #[must_use]
    pub fn html_status(&self, status: u16, title: &str, body: String) -> Response {
        let status = axum::http::StatusCode::from_u16(status).unwrap_or_default();
        (status, self.html(title, body)).into_response()
    }

    /// The error summary above a form: a list of links to the fields at fault; empty when none is.
    #[must_use]
    pub fn errors(&self, _problems: &[Problem]) -> String {
        String::new()
    }

    /// The message at one field, `<p class="error-message" id="NAME-error">`; empty when it is fine.
    #[must_use]
    pub fn field_error(&self, _problems: &[Problem], _field: &str) -> String {
        String::new()
    }

    /// The rule a problem broke and how to mend it, as one plain text.
    #[must_use]
    pub fn problem_text(&self, problem: &Problem) -> String {
        problem.code.to_owned()
    }
}

/// Text made safe for HTML, in elements and in quoted attributes.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let MaybeSignedIn(user) = MaybeSignedIn::from_request_parts(parts, state).await?;
        Ok(Self {
            lang: Lang::of(parts),
            user,
            path: parts.uri.path().to_owned(),
            shared: Shared::of(parts),
        })
    }
}
