//! A commune that is cut off: what goes on there, what is told of it, and that everything arrives afterwards.

use std::time::Duration;

use exchange::Away;
use kernel::limits::Limits;
use kernel::{CaseCode, Time};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Line, Stands, Waits};
use crate::Cases;
use crate::desk::testing::{CASE, Desk, MONDAY, pack_templates};
use crate::store as rows;
use crate::testing::Portal;

const LINE: &str = "/api/v1/desk/line";
/// How the banner begins that names who does not answer.
const CUT: &str = "Mất kết nối với Bộ Công an, Bộ Tư pháp, Văn phòng Chính phủ từ";

/// The outbox at work.
struct Running {
    stop: watch::Sender<bool>,
    runner: JoinHandle<()>,
}

impl Running {
    fn of(desk: &Desk) -> Self {
        let (stop, stopped) = watch::channel(false);
        let runner = desk.temp.store.run_outbox(desk.cases.deliverers(), stopped);
        Self { stop, runner }
    }

    async fn end(self) {
        self.stop.send(true).expect("running");
        self.runner.await.expect("stopped");
    }
}

async fn line(desk: &Desk) -> Value {
    let told = desk.get("tich", LINE).await;
    assert_eq!(told.status, 200, "{}", told.body);
    told.json()
}

async fn wait(mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..1_000 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("waited in vain");
}

/// Number and status of each change of a case, the filing left out.
async fn statuses(cases: &Cases, code: &CaseCode) -> Vec<(u32, u8)> {
    let reader = cases.store.read(&cases.tenant).await.expect("a reader");
    let all = rows::statuses(&reader, code).await.expect("read");
    let told = all.iter().filter(|row| row.seq > 0);
    told.map(|row| (row.seq, row.status)).collect()
}

async fn revision(desk: &Desk, code: &CaseCode) -> i64 {
    let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
    let held = rows::case(&reader, code).await.expect("read");
    held.expect("a case").case.revision
}

/// Copies to be certified, handed in with their fee.
async fn handed_in(desk: &Desk) -> CaseCode {
    let body = json!({
        "intake": "cut-1", "procedure": "2.000815", "applicant_number": "038196000001",
        "applicant_name": "Lê Thị Lan", "receipt": "0000123", "on_paper": ["BC"],
        "answers": {"document_name": "Bằng tốt nghiệp", "issuer_kind": "vietnam",
            "issuer_name": "Sở Giáo dục và Đào tạo", "pages_of_original": "3", "copies": "2", "receive_at": "15865"},
    });
    let taken = desk.post("tiep", "/api/v1/desk/intakes", &body).await;
    assert_eq!(taken.status, 201, "{}", taken.body);
    let code = taken.json()["case"].as_str().expect("a code").to_owned();
    code.parse().expect("a code")
}

#[tokio::test]
async fn a_commune_cut_off_from_the_centre_takes_in_decides_and_gives_and_everything_arrives_after() {
    let desk = Desk::with(pack_templates(), Limits::default()).await;
    let portal = Portal::new().await;
    *desk.nation.portal.lock().expect("whole") = Some(portal.cases.clone());
    assert_eq!(line(&desk).await["stands"], "whole");
    let well = desk.get("tich", "/desk").await.body;
    assert!(!well.contains("Mất kết nối"), "{well}");
    desk.nation.cut(Some(MONDAY));
    let outbox = Running::of(&desk);

    let code = handed_in(&desk).await;
    let receipt = desk.get("tiep", &format!("/desk/cases/{code}/receipt")).await;
    assert_eq!(receipt.status, 200, "the applicant leaves with the receipt");
    for (who, verb, mut body) in [
        ("tich", "propose", json!({"outcome": "granted", "note": ""})),
        ("chu", "sign", json!({})),
        ("thu", "seal", json!({})),
        ("tiep", "return", json!({})),
    ] {
        body["revision"] = revision(&desk, &code).await.into();
        let path = format!("/api/v1/desk/cases/{code}/{verb}");
        let done = desk.post(who, &path, &body).await;
        assert_eq!(done.status, 200, "{verb}: {}", done.body);
    }
    let here = statuses(&desk.cases, &code).await;
    assert_eq!(here.last().map(|(_, status)| *status), Some(10), "given");

    wait(async || {
        let unheard = line(&desk).await["topics"][0]["unheard"].as_u64();
        unheard.is_some_and(|lines| lines > 0)
    })
    .await;
    let seen = line(&desk).await;
    assert_eq!(
        (&seen["stands"], &seen["waiting"], &seen["topics"][0]["topic"]),
        (&json!("cut"), &json!(here.len()), &json!("case-status"))
    );
    assert_eq!(seen["since"], json!(MONDAY.rfc3339()));
    for path in [
        "/desk",
        "/desk/line",
        "/desk/intake",
        &format!("/desk/cases/{code}"),
    ] {
        let page = desk.get("tiep", path).await.body;
        assert!(page.contains(CUT) && page.contains("09:30"), "{path}: {page}");
    }
    let english = desk.get("tiep", "/desk?lang=en").await.body;
    assert!(
        english.contains("Cut off from") && english.contains("The desk goes on"),
        "{english}"
    );
    assert_eq!(statuses(&portal.cases, &code).await, [], "nobody has heard of it");

    desk.nation.cut(None);
    wait(async || {
        desk.temp.clock.advance_ms(60_000);
        line(&desk).await["stands"] == "whole"
    })
    .await;
    outbox.end().await;
    assert_eq!(
        statuses(&portal.cases, &code).await,
        here,
        "each once and in order"
    );
    let noted = portal.facts(&format!("case/{code}")).await;
    let noted = noted.iter().filter(|kind| *kind == "case-status-noted").count();
    assert_eq!(noted, here.len(), "and none a second time");
    let page = desk.get("tich", "/desk").await.body;
    assert!(
        !page.contains("Mất kết nối") && !page.contains("kết nối trở lại"),
        "{page}"
    );
}

#[tokio::test]
async fn a_case_whose_register_is_away_says_so_and_goes_on_by_itself() {
    let desk = Desk::new().await;
    desk.accept().await;
    desk.nation.cut(Some(MONDAY));
    desk.granted("").await;
    assert!(desk.deliver_topic("case-act").await.is_some(), "it waits");
    let path = format!("/desk/cases/{CASE}");
    let said = "Hồ sơ đang chờ cơ sở dữ liệu không trả lời từ";
    assert!(desk.get("tich", &path).await.body.contains(said));
    desk.nation.cut(None);
    assert!(!desk.get("tich", &path).await.body.contains(said));
    assert!(desk.deliver_topic("case-act").await.is_none());
    assert_eq!(
        (desk.state().await.as_str(), desk.nation.acts_standing()),
        ("to-sign", 1)
    );
}

#[test]
fn a_line_is_cut_while_somebody_is_away_and_behind_until_what_waited_has_gone() {
    let (early, late) = (Time(1_000), Time(2_000));
    let away = |since| Away {
        node: "centre".to_owned(),
        members: Vec::new(),
        since,
    };
    let waits = |since: Option<Time>| Waits {
        topic: "case-status",
        lines: 2,
        unheard: u64::from(since.is_some()),
        since,
    };
    let stands = |away: &[Away], waits: &[Waits]| {
        let line = Line {
            away: away.to_vec(),
            waits: waits.to_vec(),
        };
        line.stands()
    };
    assert_eq!(stands(&[], &[]), Stands::Whole);
    assert_eq!(
        stands(&[], &[waits(None)]),
        Stands::Whole,
        "it is on its way as ever"
    );
    assert_eq!(stands(&[away(late)], &[]), Stands::Cut(late));
    assert_eq!(
        stands(&[away(late)], &[waits(Some(early))]),
        Stands::Cut(early),
        "what waited before the node was started again says since when"
    );
    assert_eq!(
        stands(&[], &[waits(Some(early)), waits(None)]),
        Stands::Behind(early)
    );
}

#[tokio::test]
async fn how_the_line_stands_is_told_to_who_works_at_the_desk() {
    let desk = Desk::empty().await;
    desk.nation.cut(Some(MONDAY));
    for path in [LINE, "/desk/line", "/desk/checks", "/api/v1/desk/checks"] {
        assert_eq!(desk.get("giam", path).await.status, 200, "{path}");
        assert_eq!(
            desk.get("xa", path).await.status,
            404,
            "another organisation's: {path}"
        );
        assert_eq!(desk.get("thiet", path).await.status, 403, "no official: {path}");
        let nobody = if path.starts_with("/api") { 401 } else { 303 };
        assert_eq!(desk.get("", path).await.status, nobody, "nobody: {path}");
    }
    let foreign = desk.get("thiet", "/designs").await;
    assert!(!foreign.body.contains("Mất kết nối"), "{}", foreign.body);
}
