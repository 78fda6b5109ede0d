//! `sen account sheet`: the officials of a province from one sheet, shown first, whole or not at all.

use std::os::unix::fs::PermissionsExt as _;

use sen::story::http::Browser;

use crate::house::House;

const HEAD: &str = "user,name,unit,roles,from,until\n";

#[tokio::test]
async fn the_officials_of_a_province_come_from_one_sheet_or_none_of_them_does() {
    let house = House::new("sheet");
    let node = house.node("province-56", "H56", "desk", "");
    node.officer("hotich", "a password of a test").well();
    let (sheet, first) = (
        node.config.with_file_name("s.csv"),
        node.config.with_file_name("first.csv"),
    );
    let (sheet_path, first_path) = (sheet.display().to_string(), first.display().to_string());
    let write = |lines: &str| std::fs::write(&sheet, format!("{HEAD}{lines}")).expect("a sheet");

    // A faulty line keeps the whole sheet out, and the fault has its line.
    write("hotich,Nguyễn Văn Tịch,H56.14797,clerk,,\nlan,Trần Thị Lan,H56.99999,officer,,\n");
    let shown = node.sen(
        &[
            "account",
            "sheet",
            &sheet_path,
            "--yes",
            "--passwords",
            &first_path,
        ],
        "",
    );
    assert_eq!(shown.code, 1, "{shown:?}");
    assert!(
        shown.out.contains("! line 3: H56.99999 is no unit of H56 today"),
        "{shown:?}"
    );
    assert!(!first.exists());

    // Shown, then done; the passwords are for their reader alone.
    write("hotich,Nguyễn Văn Tịch,H56.14797,clerk,,\nlan,Trần Thị Lan,H56.14797,officer,,\n");
    let shown = node.sen(&["account", "sheet", &sheet_path], "").well();
    assert!(shown.contains("+ line 3: lan: officer at H56.14797"), "{shown}");
    assert!(shown.contains("1 to open, 1 to change, 0 to end"), "{shown}");
    let order = [
        "account",
        "sheet",
        &sheet_path,
        "--yes",
        "--passwords",
        &first_path,
    ];
    let done = node.sen(&order, "").well();
    assert!(done.contains("Done: 1 opened, 1 changed, 0 ended."), "{done}");
    let mode = std::fs::metadata(&first)
        .expect("the passwords")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = node.sen(&["account", "sheet", &sheet_path, "--yes"], "").well();
    assert!(again.contains("2 the same"), "{again}");

    let kept = std::fs::read_to_string(&first).expect("the passwords");
    let password = kept
        .lines()
        .nth(1)
        .and_then(|line| line.strip_prefix("lan,"))
        .expect("a line");
    let mut running = node.start();
    node.ready(&mut running).await;
    let words = [("user", "lan"), ("password", password), ("next", "/desk")];
    let signed_in = Browser::default().post(&node.url("/sign-in"), &words).await;
    assert_eq!(signed_in.expect("an answer").status, 200);
    running.stop();
    node.forget().await;
}
