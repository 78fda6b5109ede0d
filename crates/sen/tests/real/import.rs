//! `sen import cases`: running cases of another system at a real node: shown, taken over once, in the worklist after the
//! start.

use cases::national::stamp;
use kernel::{CaseCode, OrgCode};
use sen::story::http::Browser;

use crate::house::House;

const DAY_MS: i64 = 86_400_000;
const PASSWORD: &str = "a password of a test";

#[tokio::test]
async fn running_cases_of_another_system_are_taken_over_once_and_stand_in_the_worklist() {
    let house = House::new("import");
    let node = house.node("province-56", "H56", "desk", "");
    node.officer("hotich", PASSWORD).well();
    let (file, table) = (
        node.config.with_file_name("running.csv"),
        node.config.with_file_name("old.toml"),
    );
    let before = house.world.now().plus_ms(-DAY_MS);
    let unit: OrgCode = "H56.14797".parse().expect("a code");
    let code = CaseCode::number(&unit, before.date(), 7);
    let (at, due) = (stamp::write(before), stamp::write(before.plus_ms(9 * DAY_MS)));
    let line =
        |code: &str, unit: &str| format!("{code},1.001193,Lê Thị Lan,038196000001,{at},{due},2,0,{unit}\n");
    let head = "MaHoSo,MaTTHC,ChuHoSo,MaDoiTuong,NgayTiepNhan,NgayHenTra,TrangThaiHoSo,HinhThuc,DonViXuLy\n";
    let day = kernel::time::iso(before.date());
    let states = "{ \"2\" = \"accepted\", \"4\" = \"accepted\" }";
    let procedure =
        format!("[[procedure]]\ncode = \"1.001193\"\nversion_of = \"{day}\"\nstates = {states}\n");
    let text = format!("from = \"old-desk\"\n{procedure}\n[units]\n\"xa\" = \"H56.14797\"\n");
    std::fs::write(&table, text).expect("a table");
    let (file_path, table_path) = (file.display().to_string(), table.display().to_string());
    let order = ["import", "cases", &file_path, "--table", &table_path];
    let orders = |more: &'static str| order.iter().copied().chain([more]).collect::<Vec<_>>();

    let lines = format!("{head}{}{}", line(code.as_str(), "xa"), line("HS-1", "xa"));
    std::fs::write(&file, lines).expect("an export");
    let shown = node.sen(&orders("--yes"), "");
    assert_eq!(shown.code, 1, "{shown:?}");
    assert!(shown.out.contains("! line 3: MaHoSo:"), "{shown:?}");
    assert!(!shown.out.contains("Lê Thị Lan"), "no person is named: {shown:?}");

    std::fs::write(&file, format!("{head}{}", line(code.as_str(), "xa"))).expect("an export");
    let shown = node.sen(&order, "").well();
    assert!(shown.contains("1 to take over, 0 here already"), "{shown}");
    let done = node.sen(&orders("--yes"), "").well();
    assert!(done.contains("Done: 1 taken over"), "{done}");
    let again = node.sen(&orders("--yes"), "").well();
    assert!(again.contains("0 to take over, 1 here already"), "{again}");

    let mut running = node.start();
    node.ready(&mut running).await;
    let mut officer = Browser::default();
    let words = [("user", "hotich"), ("password", PASSWORD), ("next", "/desk")];
    let list = officer
        .post(&node.url("/sign-in"), &words)
        .await
        .expect("an answer");
    let body = String::from_utf8_lossy(&list.body);
    assert!(list.status == 200 && body.contains(code.as_str()), "{list:?}");
    running.stop();
    node.forget().await;
}
