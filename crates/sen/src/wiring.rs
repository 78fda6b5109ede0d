//! The lists in which every crate stands once: migrations, texts, and how a place's cases are put
//! together. A new crate is added here and in `node/assemble.rs`.

use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use cases::Cases;
use documents::Documents;
use exchange::{Exchange, SystemId};
use store::{Migrations, Store};
use web::Page;

use crate::node::Country;

/// Every crate's tables, in the order of the crates.
#[must_use]
pub fn migrations() -> Vec<Migrations> {
    vec![
        directory::MIGRATIONS,
        identity::MIGRATIONS,
        obligations::MIGRATIONS,
        exchange::MIGRATIONS,
        documents::MIGRATIONS,
        registers::MIGRATIONS,
        cases::MIGRATIONS,
        indicators::MIGRATIONS,
    ]
}

/// Every crate's texts.
#[must_use]
pub fn texts() -> Vec<web::i18n::Source> {
    vec![
        web::TEXTS,
        directory::TEXTS,
        identity::TEXTS,
        exchange::TEXTS,
        documents::TEXTS,
        registers::TEXTS,
        cases::TEXTS,
        cases::TEXTS_DESK,
        cases::TEXTS_DESIGN,
        cases::TEXTS_INBOX,
        cases::TEXTS_WALLET,
        indicators::TEXTS,
        TEXTS,
    ]
}

/// The binary's own texts: the nodes' titles and links.
const TEXTS: web::i18n::Source = web::i18n::Source {
    name: "sen",
    vi: include_str!("../i18n/vi.ftl"),
    en: include_str!("../i18n/en.ftl"),
};

/// The cases of a portal or of a province's desks.
#[must_use]
pub fn cases(
    side: cases::Place,
    system: &SystemId,
    country: &Country,
    (store, exchange, documents, url): (&Store, &Exchange, Documents, &str),
    bank: Option<Arc<dyn cases::payment::Bank>>,
    messengers: cases::telling::Messengers,
) -> Cases {
    Cases::new(cases::Parts {
        store: store.clone(),
        tenant: system.org.clone(),
        place: side,
        system: system.clone(),
        exchange: Arc::new(exchange.clone()),
        documents: Some(documents),
        bank,
        messengers,
        areas: Arc::clone(&country.areas),
        organisations: Arc::clone(&country.organisations),
        calendars: Arc::clone(&country.calendars),
        catalogue: Arc::clone(&country.catalogue),
        base_url: url.to_owned(),
    })
}

/// Where `/` leads at a node. Who is signed in and may not open that page, such as an operator at a
/// desk, is led to the figures, which everybody may see.
pub(crate) fn home(first: &'static str) -> Router {
    let way = move |page: Page| async move {
        let user = page.user.as_ref();
        let open = |role: &String| user.is_none_or(|user| user.has(role));
        let mut items = page.shared.node.nav.iter();
        let may = items.any(|item| {
            // A supervisor's item names the same page with a filter.
            let here = item.href.split('?').next() == Some(first);
            here && item.role.as_ref().is_none_or(open)
        });
        Redirect::to(if may { first } else { "/boards" })
    };
    Router::new().route("/", get(way))
}
