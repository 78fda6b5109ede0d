//! Who read my data: a citizen sees every read of the own record, with purpose and legal basis, as
//! a page and as JSON. Never another person's reads, and looking is itself noted.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use kernel::{Fact, Problem, Time};
use serde::{Deserialize, Serialize};
use web::openapi::utoipa;
use web::{Json, Page, Principal, Refusal, SignedIn};

use crate::schema::Schema;
use crate::service::Registers;
use crate::store::{self as rows, Access};

/// Sorts after every id.
const END: &str = "~";

/// Where a page of the list begins.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct From {
    /// Show what is older than the read of this id.
    before: Option<String>,
}

/// One read of the citizen's record.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Read {
    /// The read's id.
    id: String,
    /// The register that was read.
    register: String,
    /// When, RFC 3339.
    #[schema(value_type = String)]
    #[serde(serialize_with = "rfc3339")]
    at: Time,
    /// The reading system, `ORG/system`.
    consumer: String,
    /// At whose request: `citizen`, `official` or `system`.
    on_behalf: String,
    /// What for.
    purpose: String,
    /// On what legal basis.
    legal_basis: String,
    /// The fields that were given out.
    fields: Vec<String>,
    /// The hash of the agreement.
    agreement: String,
    /// The exchange's request id.
    request: String,
    /// The case that caused it.
    issue: Option<String>,
}

/// One page of reads, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Usage {
    /// The reads.
    reads: Vec<Read>,
    /// The value of `before` for the next page; null on the last.
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "data_usage.html")]
struct View<'a> {
    page: &'a Page,
    registers: &'a Registers,
    schema: &'a Schema,
    reads: &'a [Read],
    next: Option<&'a str>,
    first: bool,
}

/// Who read my data, as a page.
#[utoipa::path(get, path = "/my/data-usage", tag = "registers",
    security(("session" = ["citizen"])),
    params(("before" = Option<String>, Query, description = "show reads older than this one")),
    responses((status = 200, description = "the reads of the own record, newest first", content_type = "text/html")),
    extensions(("x-facts" = json!(["own-data-viewed"]))))]
pub(crate) async fn page(
    State(registers): State<Registers>,
    SignedIn(user): SignedIn,
    page: Page,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    let schema = registers.person_register(&user)?;
    let usage = registers.usage(schema, &user, &from).await?;
    let view = View {
        page: &page,
        registers: &registers,
        schema,
        reads: &usage.reads,
        next: usage.next.as_deref(),
        first: from.before.is_none(),
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html(&page.t("registers-usage-title"), body))
}

/// Who read my data.
#[utoipa::path(get, path = "/api/v1/my/data-usage", tag = "registers",
    security(("session" = ["citizen"])),
    params(("before" = Option<String>, Query, description = "show reads older than this one")),
    responses((status = 200, description = "the reads of the own record, newest first", body = Usage),
              (status = 401, description = "nobody is signed in"),
              (status = 403, description = "only citizens have a record here")),
    extensions(("x-facts" = json!(["own-data-viewed"]))))]
pub(crate) async fn api(
    State(registers): State<Registers>,
    SignedIn(user): SignedIn,
    Query(from): Query<From>,
) -> Result<Json<Usage>, Refusal> {
    let schema = registers.person_register(&user)?;
    Ok(Json(registers.usage(schema, &user, &from).await?))
}

impl Registers {
    /// The register that holds one record a person, at the citizen's organisation.
    fn person_register(&self, user: &Principal) -> Result<&Schema, Problem> {
        user.require("citizen")?;
        let of_persons = |s: &&std::sync::Arc<Schema>| s.tenant == user.tenant && s.about == [s.key.clone()];
        self.schemas()
            .iter()
            .find(of_persons)
            .map(AsRef::as_ref)
            .ok_or_else(Problem::not_found)
    }

    async fn usage(&self, schema: &Schema, user: &Principal, from: &From) -> Result<Usage, Problem> {
        let number = user.subject.as_ref().ok_or_else(Problem::not_found)?;
        let (subject, digest) = self.subject(schema, number.as_str());
        let (subject, digest) = (subject.as_str(), &digest);
        let rows_max = self.store().limits().page_rows_max;
        let before = from.before.as_deref().unwrap_or(END);
        let mut found = self
            .store()
            .write(&schema.tenant, &user.actor, |tx| async move {
                let found = rows::accesses(&tx, digest, before, rows_max + 1).await?;
                let shown = found.len().min(rows_max) as u64;
                let register = schema.code.clone();
                tx.fact(
                    subject,
                    Fact::OwnDataViewed {
                        register,
                        subject: *digest,
                        rows: shown,
                    },
                )
                .await?;
                Ok(found)
            })
            .await?;
        let more = found.len() > rows_max;
        found.truncate(rows_max);
        let next = found.last().filter(|_| more).map(|last| last.id.clone());
        Ok(Usage {
            reads: found.into_iter().map(Read::of).collect(),
            next,
        })
    }
}

impl Read {
    fn of(access: Access) -> Self {
        // An official's account id is theirs, not the citizen's to see: only what kind of party asked.
        let kind = access.on_behalf.split(':').next().unwrap_or_default();
        let on_behalf = if matches!(kind, "citizen" | "official") {
            kind
        } else {
            "system"
        };
        Self {
            on_behalf: on_behalf.to_owned(),
            id: access.id,
            register: access.register,
            at: access.at,
            consumer: access.consumer,
            purpose: access.purpose,
            legal_basis: access.legal_basis,
            fields: access.fields,
            agreement: access.agreement.hex(),
            request: access.request,
            issue: access.issue,
        }
    }
}

impl View<'_> {
    fn when(&self, read: &Read) -> String {
        self.page.time(read.at)
    }

    fn on_behalf(&self, read: &Read) -> &'static str {
        match read.on_behalf.as_str() {
            "citizen" => "registers-usage-by-citizen",
            "official" => "registers-usage-by-official",
            _ => "registers-usage-by-system",
        }
    }

    /// The organisation that asked, by the name it had then.
    fn organisation(&self, read: &Read) -> String {
        let asked = read.consumer.parse::<exchange::SystemId>();
        asked.map_or_else(
            |_| read.consumer.clone(),
            |system| (self.registers.0.land.name)(&system.org, read.at.date()),
        )
    }

    /// The fields by the names that people call them.
    fn fields(&self, read: &Read) -> String {
        let title = |name: &String| match self.schema.field(name).map(|f| &f.title) {
            Some(title) if self.page.lang == web::Lang::Vi => title.vi.clone(),
            Some(title) => title.en.clone(),
            None => name.clone(),
        };
        read.fields.iter().map(title).collect::<Vec<_>>().join(", ")
    }
}

fn rfc3339<S: serde::Serializer>(at: &Time, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{FATHER, House, MOTHER, citizen};
    use serde_json::json;

    #[tokio::test]
    async fn a_citizen_sees_who_read_the_own_record_and_why() {
        let house = House::new().await;
        house
            .lookup(&["full_name", "residence"], json!({}))
            .await
            .expect("an answer");
        let usage = house.get("/api/v1/my/data-usage", Some(citizen(MOTHER))).await;
        let read = &usage.json()["reads"][0];
        assert_eq!(read["consumer"], "G22/portal");
        assert_eq!(
            (&read["purpose"], &read["on_behalf"]),
            (&json!("Điền sẵn tờ khai"), &json!("citizen"))
        );
        assert_eq!(read["fields"], json!(["full_name", "residence"]));
        assert_eq!(read["at"], house.now().rfc3339());
        let page = house.get("/my/data-usage", Some(citizen(MOTHER))).await;
        assert_eq!(page.status, 200);
        for text in [
            "Văn phòng Chính phủ",
            "G22/portal",
            "Điền sẵn tờ khai",
            "Nghị định 47/2020/NĐ-CP",
            "Nơi cư trú",
        ] {
            assert!(page.body.contains(text), "{text}: {}", page.body);
        }
        let english = house.get("/my/data-usage?lang=en", Some(citizen(MOTHER))).await;
        assert!(english.body.contains("Who read my data") && english.body.contains("Residence"));
    }

    #[tokio::test]
    async fn a_citizen_sees_nobody_elses_reads() {
        let house = House::new().await;
        house.lookup(&["full_name"], json!({})).await.expect("an answer");
        let usage = house.get("/api/v1/my/data-usage", Some(citizen(FATHER))).await;
        assert_eq!(usage.json(), json!({"reads": [], "next": null}));
        let page = house.get("/my/data-usage", Some(citizen(FATHER))).await;
        assert!(page.body.contains("Chưa có cơ quan nào đọc dữ liệu của bạn."));
    }

    #[tokio::test]
    async fn looking_is_itself_noted_and_is_no_read() {
        let house = House::new().await;
        house.lookup(&["full_name"], json!({})).await.expect("an answer");
        house.get("/api/v1/my/data-usage", Some(citizen(MOTHER))).await;
        let (subject, digest) = house.person_subject(MOTHER);
        let facts = house
            .store()
            .facts_of(&house.g01(), &subject)
            .await
            .expect("facts");
        let viewed = Fact::OwnDataViewed {
            register: "population".into(),
            subject: digest,
            rows: 1,
        };
        assert_eq!(facts.last().expect("a fact").fact, viewed);
        assert_eq!(house.reads_of(MOTHER).await, 1);
    }

    #[tokio::test]
    async fn who_is_not_a_citizen_has_no_list() {
        let house = House::new().await;
        assert_eq!(house.get("/api/v1/my/data-usage", None).await.status, 401);
        let official = Principal {
            roles: vec!["officer".into()],
            subject: None,
            ..citizen(MOTHER)
        };
        assert_eq!(
            house.get("/api/v1/my/data-usage", Some(official)).await.status,
            403
        );
        let elsewhere = Principal {
            tenant: "G15".parse().expect("code"),
            ..citizen(MOTHER)
        };
        assert_eq!(
            house.get("/api/v1/my/data-usage", Some(elsewhere)).await.status,
            404
        );
    }

    #[tokio::test]
    async fn a_long_list_comes_page_by_page_without_gap_or_repeat() {
        let house = House::new().await;
        for _ in 0..120 {
            house.clock.advance_ms(1);
            house.lookup(&["full_name"], json!({})).await.expect("an answer");
        }
        let (mut path, mut seen) = ("/api/v1/my/data-usage".to_owned(), Vec::new());
        for expected in [50, 50, 20] {
            let usage = house.get(&path, Some(citizen(MOTHER))).await.json();
            let ids = usage["reads"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|r| r["id"].to_string());
            let before = seen.len();
            seen.extend(ids);
            assert_eq!(seen.len() - before, expected);
            path = format!(
                "/api/v1/my/data-usage?before={}",
                usage["next"].as_str().unwrap_or("0")
            );
        }
        assert!(seen.windows(2).all(|w| w[0] > w[1]), "newest first");
        assert_eq!(
            house.get(&path, Some(citizen(MOTHER))).await.json(),
            json!({"reads": [], "next": null})
        );
    }
}
