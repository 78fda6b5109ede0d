//! What people tell an agency: a petition goes on to who is competent, and the answer to another is published and taken
//! down, once by the pages and once as a program does it.

use anyhow::Context as _;
use sen::up::nation::Place;
use serde_json::json;
use testbed::birth::{self, act, at_desk};

use super::courses::By;
use super::{Script, can};
use crate::stage::Cast;

const PETITION: &str = "9.000001";

impl Script<'_> {
    /// Passes one on; answers another, publishes the answer and takes it down.
    pub(super) async fn petition(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        for (nth, by) in [By::Page, By::Json].into_iter().enumerate() {
            let case = handed_in(cast, &format!("petition-on-{nth}")).await?;
            let officer = &mut cast.desk.officer;
            let seen = at_desk(officer, &case, |_| true).await?;
            let fields = [("revision", seen["revision"].clone()), ("to", json!("H56"))];
            let path = format!("/desk/cases/{case}/forward");
            let pass = by.send(officer, &path, &fields);
            let name = by.name("/desk/cases/{code}/forward");
            self.leaves(Place::Province, &name, pass).await?;
            let case = answered(cast, &format!("petition-{nth}")).await?;
            let officer = &mut cast.desk.officer;
            let fields = [
                ("asked", json!("Người dân phản ánh đường hỏng (mẫu).")),
                ("answer", json!("Đã giao sửa trong tháng (mẫu).")),
                ("confirmed", json!(true)),
            ];
            let path = format!("/desk/cases/{case}/publish");
            let publish = by.send(officer, &path, &fields);
            let name = by.name("/desk/cases/{code}/publish");
            self.leaves(Place::Province, &name, publish).await?;
            let fields = [("down", json!("Gỡ để viết lại (mẫu)."))];
            let path = format!("/desk/cases/{case}/unpublish");
            let down = by.send(officer, &path, &fields);
            let name = by.name("/desk/cases/{code}/unpublish");
            self.leaves(Place::Province, &name, down).await?;
        }
        Ok(())
    }
}

/// A petition handed in at the desk.
async fn handed_in(cast: &mut Cast, intake: &str) -> anyhow::Result<String> {
    let mother = birth::couple()?.0;
    let commune = "Trung Lý, Thanh Hóa";
    let sent = json!({
        "intake": intake, "procedure": PETITION, "applicant_number": mother.personal_number.as_str(),
        "applicant_name": mother.full_name,
        "answers": {
            "about": "place", "field": "transport", "content": "Đường thôn hỏng (mẫu).\nMong được sửa.",
            "address": format!("Số 1, thôn Mẫu, {commune}"), "phone": "0900 000 000", "unnamed": "no",
            "receive_at": commune,
        },
    });
    let taken = cast
        .desk
        .receptionist
        .post_json("/api/v1/desk/intakes", &sent)
        .await?;
    Ok(taken["case"].as_str().context("a case")?.to_owned())
}

/// A petition that was answered.
async fn answered(cast: &mut Cast, intake: &str) -> anyhow::Result<String> {
    let case = handed_in(cast, intake).await?;
    let desk = &mut cast.desk;
    let seen = at_desk(&mut desk.officer, &case, can("propose")).await?;
    let granted = json!({"outcome": "granted", "note": "Đã giao sửa trong tháng (mẫu)."});
    act(&mut desk.officer, &seen, "propose", &granted).await?;
    let seen = at_desk(&mut desk.chairman, &case, can("sign")).await?;
    desk.sign_and_seal(&seen).await?;
    at_desk(&mut desk.officer, &case, |c| c["status"] == 9).await?;
    Ok(case)
}
