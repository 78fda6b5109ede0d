//! `GET /listClients`: every member and system of the exchange, or of another instance that is trusted, as
//! the directories have them. Asks for no client: who takes part is public.

use std::collections::HashMap;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use directory::Snapshot;
use directory::snapshot::SystemEntry;
use kernel::{Kind, OrgCode, Problem};
use serde::Deserialize;
use serde_json::{Value, json};
use web::page::escape;

use super::{Face, Form, accept, fault};
use crate::ids::CLASS;

/// Of which instance.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(rename = "xRoadInstance")]
    instance: Option<String>,
}

/// A member, or one of its systems.
struct Line<'a> {
    org: &'a OrgCode,
    name: &'a str,
    system: Option<(&'a str, &'a str)>,
}

pub(super) async fn list(
    State(face): State<Face>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let accept = accept(&headers);
    let directory = &face.exchange.0.directory;
    let instance = wanted.instance.unwrap_or_else(|| directory.instance().to_owned());
    let Some(snapshot) = directory.snapshot_of(&instance) else {
        let problem = Problem::new(Kind::NotFound, "member-unknown").with("member", instance);
        let form = Form::XRoad(face.style, fault::Syntax::of(&accept));
        return fault::refused(&face.exchange, &problem, form);
    };
    let lines = lines(&snapshot);
    if accept.contains("application/json") {
        let members: Vec<Value> = lines.iter().map(Line::json).collect();
        let body = json!({"member": members}).to_string();
        ([(CONTENT_TYPE, "application/json;charset=utf-8")], body).into_response()
    } else {
        let members: String = lines.iter().map(Line::xml).collect();
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xrd:clientList xmlns:xrd=\"http://x-road.eu/xsd/xroad.xsd\" \
             xmlns:id=\"http://x-road.eu/xsd/identifiers\">\n{members}</xrd:clientList>\n"
        );
        ([(CONTENT_TYPE, "text/xml;charset=utf-8")], body).into_response()
    }
}

/// Each member, its systems behind it: one pass over either list.
fn lines(snapshot: &Snapshot) -> Vec<Line<'_>> {
    let mut systems: HashMap<&OrgCode, Vec<&SystemEntry>> = HashMap::with_capacity(snapshot.members.len());
    for system in &snapshot.systems {
        systems.entry(&system.org).or_default().push(system);
    }
    let mut lines = Vec::with_capacity(snapshot.members.len() + snapshot.systems.len());
    for member in &snapshot.members {
        let line = |system| Line {
            org: &member.org,
            name: &member.name,
            system,
        };
        lines.push(line(None));
        let own = systems.get(&member.org).into_iter().flatten();
        lines.extend(own.map(|s| line(Some((s.code.as_str(), s.name.as_str())))));
    }
    lines
}

impl Line<'_> {
    fn json(&self) -> Value {
        let mut line = json!({
            "id": {
                "object_type": if self.system.is_some() { "SUBSYSTEM" } else { "MEMBER" },
                "xroad_instance": self.org.instance(),
                "member_class": CLASS,
                "member_code": self.org.within(),
            },
            "name": self.name,
        });
        if let Some((code, name)) = self.system {
            line["id"]["subsystem_code"] = code.into();
            line["subsystem_name"] = name.into();
        }
        line
    }

    fn xml(&self) -> String {
        let (kind, code, name) = match self.system {
            Some((code, name)) => (
                "SUBSYSTEM",
                format!("<id:subsystemCode>{}</id:subsystemCode>", escape(code)),
                format!("<xrd:subsystemName>{}</xrd:subsystemName>", escape(name)),
            ),
            None => ("MEMBER", String::new(), String::new()),
        };
        format!(
            "<xrd:member><xrd:id id:objectType=\"{kind}\"><id:xRoadInstance>{}</id:xRoadInstance>\
             <id:memberClass>{CLASS}</id:memberClass><id:memberCode>{}</id:memberCode>{code}</xrd:id>\
             <xrd:name>{}</xrd:name>{name}</xrd:member>\n",
            self.org.instance(),
            self.org.within(),
            escape(self.name)
        )
    }
}
