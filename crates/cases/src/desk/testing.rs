//! What the desk's tests share: a province's desk with real documents and keys, and a nation around
//! it that answers as told. Never in a release build.

mod course;
mod nation;
mod office;
mod people;
mod wire;

use std::sync::Arc;

use ::store::OutboxLine;
use axum::Router;
use axum::http::Request;
use kernel::{CaseCode, Time};
use serde_json::Value;

pub(crate) use nation::Nation;
pub(crate) use office::{pack_templates, plain_templates, trust};
pub(crate) use wire::{handover, paper};

use crate::store::{self as rows, GivenKind, Held, ResultRow};
use crate::testing::{Answer, http, nouns};
use crate::{Cases, Parts, Place};

/// The commune whose desk it is.
pub(crate) const UNIT: &str = "H56.15865";
/// The case that the portal hands over.
pub(crate) const CASE: &str = "G22-261121-0001";
/// Its place in the JSON interface.
pub(crate) const API: &str = "/api/v1/desk/cases/G22-261121-0001";
/// A working morning: Monday, 23 November 2026, 09:30.
pub(crate) const MONDAY: Time = Time(testkit::START.0 + 2 * 86_400_000);

/// A province's desk with its router and the nation around it.
pub(crate) struct Desk {
    pub(crate) cases: Cases,
    pub(crate) nation: Arc<Nation>,
    pub(crate) temp: testkit::TempStore,
    router: Router,
}

impl Desk {
    /// A desk that has received nothing yet, on a working morning.
    pub(crate) async fn empty() -> Self {
        Self::with(office::plain_templates(), kernel::limits::Limits::default()).await
    }

    /// A desk that has received one case.
    pub(crate) async fn new() -> Self {
        let desk = Self::empty().await;
        desk.receive(&handover()).await.expect("received");
        desk
    }

    pub(crate) async fn with(templates: render::Templates, limits: kernel::limits::Limits) -> Self {
        let nouns = nouns();
        Self::among(
            templates,
            limits,
            nouns.areas.clone(),
            nouns.organisations.clone(),
        )
        .await
    }

    /// A desk in a country whose units are others than the pack's.
    pub(crate) async fn among(
        templates: render::Templates,
        limits: kernel::limits::Limits,
        areas: Arc<directory::Areas>,
        organisations: Arc<directory::Organisations>,
    ) -> Self {
        let migrations = [
            directory::MIGRATIONS,
            identity::MIGRATIONS,
            obligations::MIGRATIONS,
            documents::MIGRATIONS,
            crate::MIGRATIONS,
        ];
        let temp = testkit::store_with(&migrations, limits).await;
        temp.clock.set(MONDAY);
        let nation = Arc::new(Nation::default());
        let documents = office::documents(&temp, templates, organisations.clone()).await;
        let nouns = nouns();
        let cases = Cases::new(Parts {
            store: temp.store.clone(),
            tenant: "H56".parse().expect("a code"),
            place: Place::Desk,
            system: "H56/one-stop".parse().expect("an id"),
            exchange: nation.clone(),
            bank: None,
            messengers: crate::telling::Messengers::default(),
            documents: Some(documents),
            areas,
            organisations,
            calendars: nouns.calendars.clone(),
            catalogue: nouns.catalogue.clone(),
            base_url: "http://desk.test".to_owned(),
        });
        let router = Self::routed(&cases);
        Self {
            cases,
            nation,
            temp,
            router,
        }
    }

    /// The same desk started again with another pack's procedures.
    pub(crate) fn with_catalogue(self, catalogue: Arc<crate::Catalogue>) -> Self {
        let calendars = self.cases.calendars.clone();
        self.again(calendars, crate::testing::dated(catalogue))
    }

    /// The same desk started again after other holidays or hours were announced.
    pub(crate) fn with_calendars(self, calendars: Arc<directory::Calendars>) -> Self {
        let catalogue = self.cases.catalogue.clone();
        self.again(calendars, catalogue)
    }

    fn again(self, calendars: Arc<directory::Calendars>, catalogue: Arc<crate::Catalogue>) -> Self {
        let cases = Cases::new(Parts {
            store: self.cases.store.clone(),
            tenant: self.cases.tenant.clone(),
            place: Place::Desk,
            system: self.cases.system.clone(),
            exchange: self.nation.clone(),
            bank: None,
            messengers: crate::telling::Messengers::default(),
            documents: self.cases.documents.clone(),
            areas: self.cases.areas.clone(),
            organisations: self.cases.organisations.clone(),
            calendars,
            catalogue,
            base_url: self.cases.base_url.clone(),
        });
        let router = Self::routed(&cases);
        Self {
            cases,
            router,
            ..self
        }
    }

    fn routed(cases: &Cases) -> Router {
        let (router, _) = crate::router(cases.clone()).split_for_parts();
        let sources = [
            web::TEXTS,
            crate::TEXTS,
            crate::TEXTS_DESK,
            crate::TEXTS_INBOX,
            crate::TEXTS_DESIGN,
            documents::TEXTS,
            obligations::TEXTS,
        ];
        let shared = web::Shared {
            texts: Arc::new(web::Texts::new(&sources).expect("both languages have every text")),
            world: cases.store.world().clone(),
            limits: Arc::new(cases.store.limits().clone()),
            node: web::NodeFace {
                banners: web::shared::Banners(vec![Arc::new(crate::desk::line::CutOff(cases.clone()))]),
                ..web::NodeFace::new("test", "web-home")
            },
            authenticate: Arc::new(people::FakeSessions),
        };
        web::present(router, shared)
    }

    async fn send(&self, who: &str, request: axum::http::request::Builder, body: Vec<u8>) -> Answer {
        let request = request.header("host", "desk.test").header("x-who", who);
        http::send(&self.router, request, body).await
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(who, Request::get(path), Vec::new()).await
    }

    pub(crate) async fn form(&self, who: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let (request, body) = http::form(path, fields);
        self.send(who, request, body).await
    }

    /// A form with one PDF.
    pub(crate) async fn upload(
        &self,
        who: &str,
        path: &str,
        fields: &[(&str, &str)],
        file: (&str, &str, &[u8]),
    ) -> Answer {
        let (request, body) = http::upload(path, fields, file);
        self.send(who, request, body).await
    }

    pub(crate) async fn post(&self, who: &str, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(who, request, body.to_string().into_bytes()).await
    }

    /// The case as an officer of the province sees it.
    pub(crate) async fn json(&self) -> Value {
        self.get("tinh", API).await.json()
    }

    /// A verb on the case as it is now, its revision added to `more`.
    pub(crate) async fn verb(&self, who: &str, verb: &str, more: Value) -> Answer {
        let revision = self.revision().await;
        self.verb_at(who, verb, revision, more).await
    }

    pub(crate) async fn verb_at(&self, who: &str, verb: &str, revision: i64, mut more: Value) -> Answer {
        more["revision"] = revision.into();
        self.post(who, &format!("{API}/{verb}"), &more).await
    }

    /// The row's revision, read without looking at the case.
    pub(crate) async fn revision(&self) -> i64 {
        self.row().await.case.revision
    }

    /// The case's row.
    pub(crate) async fn row(&self) -> Held {
        let reader = self.temp.store.read(&self.cases.tenant).await.expect("a reader");
        let held = rows::case(&reader, &code()).await.expect("read");
        held.expect("a case")
    }

    /// The results that were given; slips and drafts are others.
    pub(crate) async fn results(&self) -> Vec<ResultRow> {
        let reader = self.temp.store.read(&self.cases.tenant).await.expect("a reader");
        let all = rows::results(&reader, &code()).await.expect("read");
        all.into_iter()
            .filter(|row| row.kind == GivenKind::Result)
            .collect()
    }

    pub(crate) async fn lines(&self, topic: &str) -> Vec<OutboxLine> {
        let waiting = self
            .temp
            .store
            .outbox_waiting(&self.cases.tenant)
            .await
            .expect("read");
        waiting.into_iter().filter(|line| line.topic == topic).collect()
    }

    /// The kinds of facts of the case, looks left out.
    pub(crate) async fn facts(&self) -> Vec<String> {
        self.facts_of(&format!("case/{CASE}"))
            .await
            .into_iter()
            .filter(|kind| kind != "case-viewed")
            .collect()
    }

    pub(crate) async fn facts_of(&self, subject: &str) -> Vec<String> {
        let records = self
            .temp
            .store
            .facts_of(&self.cases.tenant, subject)
            .await
            .expect("read");
        records.iter().map(http::kind).collect()
    }
}

pub(crate) fn code() -> CaseCode {
    CASE.parse().expect("a code")
}
