//! A building permit handed in at the sample desk: a case about which other units are asked for their opinion. Every
//! answer is made up.

use std::collections::BTreeMap;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use directory::people::SAMPLE_COMMUNE;
use kernel::World;
use serde_json::json;

use crate::birth;
use crate::people::Person;

/// Hands one in as a program does, under a number of the caller's own; gives the case's code.
///
/// # Errors
/// When the desk refuses.
pub async fn handed_in(receptionist: &mut Person, world: &World, intake: &str) -> anyhow::Result<String> {
    let applicant = birth::couple()?.0;
    let answers: BTreeMap<&str, &str> = [
        ("investor_role", "owner"),
        ("investor_name", applicant.full_name.as_str()),
        ("residence_commune", SAMPLE_COMMUNE),
        ("receive_at", SAMPLE_COMMUNE),
        ("site_line", "Thôn Mẫu"),
        ("plot_number", "12"),
        ("map_sheet", "3"),
        ("plot_area", "150"),
        ("work_kind", "house"),
        ("work_name", "Nhà ở gia đình (mẫu)"),
        ("building_area", "80"),
        ("floor_area", "240"),
        ("floors", "3"),
        ("height", "12"),
        ("designer", "Công ty thiết kế mẫu"),
    ]
    .into();
    let sheet = STANDARD.encode(birth::paper(world)?);
    let sent = json!({
        "intake": intake, "procedure": "1.013225", "applicant_number": applicant.personal_number,
        "applicant_name": applicant.full_name, "answers": answers, "on_paper": ["QSDD"],
        "papers": [{"code": "BV", "name": "ban-ve.pdf", "pdf_base64": sheet}],
    });
    let taken = receptionist.post_json("/api/v1/desk/intakes", &sent).await?;
    let case = taken["case"].as_str().context("a case")?;
    Ok(case.to_owned())
}
