//! Names as people write them survive from the form to the certificate's text.

use testbed::birth::{self, Answers, at_portal};
use testbed::ground::run;
use tokio::process::Command;

use crate::house::{desk, house, mother, world};

/// The name as an old keyboard sends it: letters and marks apart, and an apostrophe.
const TYPED: &str = "H'Hen Nie\u{302} Nguye\u{302}\u{303}n Thi\u{323} \u{110}u\u{31b}\u{301}c";
/// The same name as it must stand everywhere.
const WRITTEN: &str = "H'Hen Niê Nguyễn Thị Đức";

#[test]
fn a_name_typed_in_pieces_with_an_apostrophe_stands_whole_on_the_certificate() {
    run(async {
        let (site, _shared) = house().await.shared().await;
        let (mut mother, mut desk) = (mother(&site).await, desk(&site).await);
        let answers = Answers::usual(&world())
            .expect("answers")
            .with("child_name", TYPED);
        let case = birth::whole(&mut mother, &answers, &birth::paper(&world()).expect("a paper"))
            .await
            .expect("filed");
        desk.decide(&case).await.expect("decided");
        let done = at_portal(&mut mother, &case, |c| c["status"] == 10)
            .await
            .expect("returned");
        let document = done["results"][0]["document"].as_str().expect("a result");
        let pdf = mother
            .get(&format!("/cases/{case}/results/{document}"))
            .await
            .expect("an answer");
        let file = site.data.with_file_name("certificate.pdf");
        std::fs::write(&file, &pdf.body).expect("a file");
        let said = Command::new("pdftotext")
            .arg("-layout")
            .arg(&file)
            .arg("-")
            .output()
            .await
            .expect("pdftotext");
        std::fs::remove_file(&file).ok();
        let text = String::from_utf8(said.stdout).expect("text");
        let (text, name) = (text.to_lowercase(), WRITTEN.to_lowercase());
        assert!(text.contains(&name), "{name} is not in:\n{text}");
    });
}
