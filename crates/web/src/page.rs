//! The shell around every page, and how dates and faults read in it. Never holds a page of its own
//! besides that of a problem.

use askama::Template;
use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use kernel::{Date, Problem, Time};

use crate::auth::{MaybeSignedIn, Principal};
use crate::i18n::Lang;
use crate::problem::{percent, words};
use crate::shared::{BannerText, NavItem, Shared, is_within};

/// One request's page: its language, its reader, its place.
#[derive(Clone)]
pub struct Page {
    /// The reader's language.
    pub lang: Lang,
    /// Who reads, if signed in.
    pub user: Option<Principal>,
    /// The path asked for, without the query.
    pub path: String,
    /// The query asked for, without `?`; empty when there is none.
    pub query: String,
    /// What waits for the reader, by link of the header.
    pub(crate) marks: Vec<(&'static str, u64)>,
    /// What stands above the page.
    pub(crate) banners: Vec<BannerText>,
    /// What every request may use.
    pub shared: Shared,
}

#[derive(Template)]
#[template(path = "shell.html")]
struct Shell<'a> {
    page: &'a Page,
    title: &'a str,
    node: String,
    stylesheet: &'static str,
    languages: [(Lang, &'static str, String); 2],
    nav: Vec<(&'a NavItem, bool, String)>,
    /// What stands above the body, where more of it stands and that link's text.
    banners: Vec<(String, &'static str, String)>,
    body: String,
}

#[derive(Template)]
#[template(path = "errors.html")]
struct Errors<'a> {
    title: String,
    problems: Vec<(Option<&'a str>, String)>,
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
        let (day, month) = match self.lang {
            Lang::Vi => (
                format!("{:02}", date.day()),
                format!("{:02}", u8::from(date.month())),
            ),
            Lang::En => (date.day().to_string(), date.month().to_string()),
        };
        self.tw(
            "web-date",
            &[("day", day), ("month", month), ("year", date.year().to_string())],
        )
    }

    /// A moment in Vietnam's time: `09:30 ngày 21/11/2026` or `21 November 2026, 09:30`.
    #[must_use]
    pub fn time(&self, time: Time) -> String {
        let minute = time.minute_of_day();
        let clock = format!("{:02}:{:02}", minute / 60, minute % 60);
        self.tw("web-moment", &[("time", clock), ("date", self.date(time.date()))])
    }

    /// The shell around a page's body. `title` is plain text; `body` is HTML with its own `h1`.
    pub fn html(&self, title: &str, body: String) -> Html<String> {
        let face = &self.shared.node;
        let nav = face.nav.iter().filter(|item| self.is_shown(item));
        let shell = Shell {
            page: self,
            title,
            node: self.t(&face.title_key),
            stylesheet: crate::assets::stylesheet_path(),
            languages: [
                (Lang::Vi, "Tiếng Việt", self.in_language(Lang::Vi)),
                (Lang::En, "English", self.in_language(Lang::En)),
            ],
            nav: nav
                .map(|item| (item, self.is_within(item), self.mark(item)))
                .collect(),
            banners: self.banners.iter().map(|banner| self.banner(banner)).collect(),
            body,
        };
        Html(shell.render().unwrap_or_else(|e| {
            tracing::error!(cause = %e, "the shell could not be rendered");
            String::new()
        }))
    }

    /// The shell with a status of its own: 401, 409 or 422 for a form with errors, whose title then says so.
    #[must_use]
    pub fn html_status(&self, status: u16, title: &str, body: String) -> Response {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let at_fault = matches!(
            status,
            StatusCode::UNAUTHORIZED | StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY
        );
        let html = if at_fault {
            self.html(&self.tw("web-error-prefix", &[("title", title.to_owned())]), body)
        } else {
            self.html(title, body)
        };
        (status, html).into_response()
    }

    /// The error summary above a form: a list of links to the fields at fault; empty when none is.
    #[must_use]
    pub fn errors(&self, problems: &[Problem]) -> String {
        self.errors_named(problems, |_| None)
    }

    /// As [`Page::errors`], each line led by what the field is called on the form: for forms where many
    /// fields can break one rule.
    #[must_use]
    pub fn errors_named(&self, problems: &[Problem], label: impl Fn(&str) -> Option<String>) -> String {
        if problems.is_empty() {
            return String::new();
        }
        let said = |p: &Problem| {
            let text = self.problem_text(p);
            match p.field.as_deref().and_then(&label) {
                Some(label) => format!("{label}: {text}"),
                None => text,
            }
        };
        let problems = problems.iter().map(|p| (p.field.as_deref(), said(p))).collect();
        Errors {
            title: self.t("web-error-summary"),
            problems,
        }
        .render()
        .unwrap_or_default()
    }

    /// The message at one field, `<p class="error-message" id="NAME-error">`; empty when it is fine.
    #[must_use]
    pub fn field_error(&self, problems: &[Problem], field: &str) -> String {
        let Some(problem) = problems.iter().find(|p| p.field.as_deref() == Some(field)) else {
            return String::new();
        };
        format!(
            r#"<p class="error-message" id="{}-error"><span class="visually-hidden">{} </span>{}</p>"#,
            escape(field),
            escape(&self.t("web-error-hidden")),
            escape(&self.problem_text(problem)),
        )
    }

    /// The rule a problem broke and how to mend it, as one plain text.
    #[must_use]
    pub fn problem_text(&self, problem: &Problem) -> String {
        let [_, rule, remedy] = words(self, problem);
        format!("{rule} {remedy}").trim().to_owned()
    }

    /// This page in another language, the rest of its query kept.
    fn in_language(&self, lang: Lang) -> String {
        let kept = self
            .query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.starts_with("lang="));
        let mut href = format!("{}?", self.path);
        for pair in kept {
            href.push_str(pair);
            href.push('&');
        }
        // Two slashes at the start would name another site.
        format!("/{}lang={}", href.trim_start_matches('/'), lang.code())
    }

    /// What stands behind a link of the header: how many wait there; nothing when none does.
    fn mark(&self, item: &NavItem) -> String {
        let found = self.marks.iter().find(|(href, _)| *href == item.href);
        found.map_or_else(String::new, |(_, count)| {
            let count = match count {
                100.. => "99+".to_owned(),
                few => few.to_string(),
            };
            self.tw("web-nav-unread", &[("count", count)])
        })
    }

    /// A banner in words, and its link.
    fn banner(&self, banner: &BannerText) -> (String, &'static str, String) {
        let mut args = banner.args.clone();
        args.extend(banner.since.map(|since| ("since", self.time(since))));
        let (href, link) = banner.more;
        (self.tw(banner.key, &args), href, self.t(link))
    }

    /// The place of the header below which this address is: where somebody goes on whom nothing was
    /// found for.
    pub(crate) fn place(&self) -> Option<&NavItem> {
        let mut nav = self.shared.node.nav.iter();
        nav.find(|item| self.is_shown(item) && self.is_within(item) && self.path != item.href)
    }

    /// True for who sees pages and changes nothing by them: their forms are left out.
    pub(crate) fn only_observes(&self) -> bool {
        self.user.as_ref().is_some_and(Principal::only_observes)
    }

    fn is_shown(&self, item: &NavItem) -> bool {
        let sees = |role: &str| self.user.as_ref().is_some_and(|user| user.sees(role));
        item.role.as_deref().is_none_or(sees)
    }

    fn is_within(&self, item: &NavItem) -> bool {
        self.is_at(&item.href) || item.also.iter().any(|href| self.is_at(href))
    }

    fn is_at(&self, href: &str) -> bool {
        is_within(&self.path, href)
    }
}

/// Text made safe for HTML, in elements and in quoted attributes.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A query's value, percent-encoded.
#[must_use]
pub fn query_value(text: &str) -> String {
    percent(text)
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let MaybeSignedIn(user) = MaybeSignedIn::from_request_parts(parts, state).await?;
        let shared = Shared::of(parts);
        let marks = shared.node.marks.of(user.as_ref()).await;
        // Inside a nested router the URI has lost its beginning; the reader's links need it.
        let uri = parts
            .extensions
            .get::<OriginalUri>()
            .map_or(&parts.uri, |original| &original.0);
        let banners = shared.node.banners.of(user.as_ref(), uri.path()).await;
        Ok(Self {
            lang: Lang::of(parts),
            user,
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            marks,
            banners,
            shared,
        })
    }
}
