//! Everybody who works at a desk in tests, and their sessions: a header names who asks. Never in a release
//! build.

use async_trait::async_trait;
use axum::http::request::Parts;
use identity::{Accounts, NewAccount};
use kernel::{Actor, Problem};
use web::{Authenticate, Principal};

use super::{Desk, UNIT};

fn who(account: &str, name: &str, number: Option<&str>, role: &str, unit: &str) -> Principal {
    let unit: kernel::OrgCode = unit.parse().expect("a code");
    Principal {
        account: account.to_owned(),
        tenant: unit.top(),
        actor: Actor::Official(account.to_owned()),
        name: name.to_owned(),
        subject: number.map(|n| n.parse().expect("a number")),
        level: 2,
        roles: vec![role.to_owned()],
        unit,
        session: "s".to_owned(),
    }
}

/// Everybody who works at a desk, by account.
fn people() -> [Principal; 22] {
    [
        who("tiep", "Lê Thị Tiếp", None, "receptionist", UNIT),
        who("tiep-2", "Lê Thị Đón", None, "receptionist", UNIT),
        // Hands a case of their own in.
        who("tiep-3", "Lê Thị Lan", Some("038196000001"), "receptionist", UNIT),
        who("tiep-tinh", "Mai Thị Quầy", None, "receptionist", "H56"),
        who("tich", "Nguyễn Văn Tịch", None, "officer", UNIT),
        // The father of the child is an officer here.
        who("nam", "Nguyễn Văn Nam", Some("038096000002"), "officer", UNIT),
        who("chu", "Phạm Minh Chủ", None, "chairman", UNIT),
        who("chu-2", "Phạm Minh Phó", None, "chairman", UNIT),
        who("pho", "Trịnh Thị Phó", None, "deputy-chairman", UNIT),
        who("thu", "Bùi Văn Thư", None, "clerk", UNIT),
        who("thu-2", "Bùi Thị Dấu", None, "clerk", UNIT),
        // Proposes and signs in another's absence.
        Principal {
            roles: vec!["officer".to_owned(), "deputy-chairman".to_owned()],
            ..who("hai", "Vũ Thị Hai", None, "officer", UNIT)
        },
        // No key of theirs is at the node.
        who("chu-3", "Phạm Văn Mới", None, "chairman", UNIT),
        who("tinh", "Hoàng Văn Tỉnh", None, "officer", "H56"),
        who("chu-tinh", "Lê Văn Tỉnh", None, "chairman", "H56"),
        who("thu-tinh", "Cao Thị Ấn", None, "clerk", "H56"),
        who("giam", "Vũ Thị Giám", None, "supervisor", "H56"),
        who("ban", "Trần Văn Bạn", None, "officer", "H56.14797"),
        who("chu-ban", "Lưu Thị Trưởng", None, "chairman", "H56.14797"),
        who("xa", "Đỗ Văn Xa", None, "officer", "G22"),
        who("thiet", "Mai Thị Thiết", None, "designer", "H56"),
        who("cong", "Đinh Văn Công", None, "publisher", "H56"),
    ]
}

/// Somebody by their account.
pub(super) fn person(account: &str) -> Option<Principal> {
    people().into_iter().find(|p| p.account == account)
}

/// Believes what the header says.
pub(super) struct FakeSessions;

#[async_trait]
impl Authenticate for FakeSessions {
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Principal>, Problem> {
        let key = parts
            .headers
            .get("x-who")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        Ok(person(key))
    }
}

impl Desk {
    /// Gives some of the people accounts at the node.
    pub(crate) async fn with_accounts(&self, ids: &[&str]) {
        let accounts = Accounts::new(self.temp.store.clone(), self.cases.tenant.clone());
        for id in ids {
            let person = person(id).expect("somebody");
            let account = NewAccount {
                id: person.account.clone(),
                user: person.account,
                password: None,
                name: person.name,
                subject: person.subject,
                born: None,
                level: 0,
                roles: person.roles,
                unit: person.unit,
            };
            accounts.open(&Actor::Platform, &account).await.expect("opened");
        }
    }
}
