//! Searching a desk's cases by code or by the applicant's name, with or without marks. What it shows
//! is personal data, so every search by name leaves a fact; never a case of another unit.

use kernel::{CaseCode, Fact, Kind, Problem};
use web::Principal;

use crate::desk::store::by_name;
use crate::state::Cases;
use crate::store::Held;

/// Characters of what is searched for; the rest is not looked at.
const CHARS_MAX: usize = 100;

impl Cases {
    /// The cases that what was typed stands for: one by its code, or at most a page by name, the newest
    /// first.
    ///
    /// # Errors
    /// As [`Cases::official`].
    pub(crate) async fn find(&self, who: &Principal, typed: &str) -> Result<Vec<Held>, Problem> {
        self.official(who)?;
        if let Some(code) = code_of(typed) {
            let reader = self.store.read(&self.tenant).await?;
            return match self.seen(&reader, who, &code).await {
                Ok(held) => Ok(vec![held]),
                Err(problem) if problem.kind == Kind::NotFound => Ok(Vec::new()),
                Err(problem) => Err(problem),
            };
        }
        let typed: String = typed.chars().take(CHARS_MAX).collect();
        let name = &kernel::text::fold(&typed);
        if name.is_empty() {
            return Ok(Vec::new());
        }
        let limit = self.store.limits().page_rows_max;
        let by = self.store.digest(&self.tenant, name);
        let subject = &format!("search/{}", who.account);
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let held = by_name(&tx, &who.unit, name, limit).await?;
                let found = held.len() as u64;
                tx.fact(subject, Fact::CasesSearched { by, found }).await?;
                Ok(held)
            })
            .await
    }
}

/// A case code, as people type one.
pub(crate) fn code_of(typed: &str) -> Option<CaseCode> {
    typed.trim().to_uppercase().parse().ok()
}

#[cfg(test)]
mod tests {
    use kernel::Fact;

    use crate::desk::testing::{CASE, Desk};

    async fn found(desk: &Desk, who: &str, typed: &str) -> Vec<String> {
        let path = format!("/api/v1/desk/cases?q={}", web::page::query_value(typed));
        let list = desk.get(who, &path).await.json();
        let items = list["items"].as_array().expect("items");
        let code = |item: &serde_json::Value| item["code"].as_str().expect("a code").to_owned();
        items.iter().map(code).collect()
    }

    #[tokio::test]
    async fn a_case_is_found_by_code_and_by_name_and_the_search_leaves_a_trace() {
        let desk = Desk::new().await;
        for typed in ["Lê Thị Lan", "le thi lan", "  LAN ", CASE, "g22-261121-0001"] {
            assert_eq!(found(&desk, "tich", typed).await, [CASE], "{typed}");
        }
        for typed in ["Lê Văn Lan", "Thị", "Minh", "%", "G22-261121-0002"] {
            assert!(found(&desk, "tich", typed).await.is_empty(), "{typed}");
        }
        let page = desk.get("tich", "/desk?q=le+thi+lan").await;
        assert!(
            page.body.contains(CASE) && page.body.contains("Lê Thị Lan"),
            "{}",
            page.body
        );
        let empty = desk.get("tich", "/desk?q=khong+co").await;
        assert!(empty.status == 200 && empty.body.contains("Không tìm thấy hồ sơ nào"));
        let straight = desk.get("tich", &format!("/desk?q={CASE}")).await;
        assert_eq!(
            (straight.status, straight.location()),
            (303, format!("/desk/cases/{CASE}"))
        );
        let by = async |typed: &str| {
            let path = format!("/api/v1/desk/cases?q={typed}");
            desk.get("giam", &path).await.json()["items"][0]["applicant"].clone()
        };
        assert_eq!(by("lan").await, "Lê Thị Lan");
        assert_eq!(by(CASE).await, serde_json::Value::Null, "a code names no person");
        let facts = desk.temp.store.facts_of(&desk.cases.tenant, "search/tich").await;
        let facts = facts.expect("facts");
        let by = desk.temp.store.digest(&desk.cases.tenant, "le thi lan");
        assert_eq!(facts[0].fact, Fact::CasesSearched { by, found: 1 });
        assert_eq!(facts.len(), 8, "what is typed as a name, and nothing else");
        assert!(
            facts.iter().all(|f| !format!("{f:?}").contains("lan\"")),
            "no name in a fact"
        );
    }

    #[tokio::test]
    async fn a_search_finds_no_case_of_another_unit_and_serves_officials_only() {
        let desk = Desk::new().await;
        for typed in ["Lê Thị Lan", "lan", CASE] {
            assert!(found(&desk, "ban", typed).await.is_empty(), "{typed}");
            assert_eq!(found(&desk, "giam", typed).await, [CASE], "{typed}");
            let path = format!("/desk?q={}", web::page::query_value(typed));
            assert_eq!(desk.get("xa", &path).await.status, 404);
            assert_eq!(desk.get("nobody", &path).await.status, 303, "to the sign-in");
        }
    }
}
