//! Asking a register by what was typed: once it is answered, and anew when it changes. What the register said of the
//! earlier answer goes in the same write as the new answer comes, so that it never stands beside another’s. Never
//! stops the citizen.

use kernel::Problem;

use super::{ask_each, keep, told};
use crate::citizen::Citizen;
use crate::draft::Draft;
use crate::procedure::{Prefill, Procedure};
use crate::state::Cases;

/// What has to be asked anew, taken out of the changed draft. A supplement asks no register: it stands as it was filed.
pub(crate) fn forget<'p>(procedure: &'p Procedure, before: &Draft, changed: &mut Draft) -> Vec<&'p Prefill> {
    if before.supplements().is_some() {
        return Vec::new();
    }
    let anew = procedure.asked_anew(&before.answers, &changed.answers);
    for prefill in &anew {
        changed
            .prefilled
            .retain(|field, _| !prefill.fills.contains_key(field));
    }
    anew
}

/// Asks what has to be asked anew, after the changed answers were saved. Gives where to go: to the page on which the
/// register’s answer stands with its source, or to the list, which says why there is none; nothing when nothing was
/// to be asked.
pub(crate) async fn ask_anew(
    cases: &Cases,
    citizen: &Citizen,
    procedure: &Procedure,
    changed: &Draft,
    anew: &[&Prefill],
) -> Result<Option<String>, Problem> {
    let answered = |field: &str| changed.answers.get(field).is_some_and(|v| !v.is_empty());
    let asked: Vec<&Prefill> = anew
        .iter()
        .copied()
        .filter(|prefill| prefill.answered().all(answered))
        .collect();
    if asked.is_empty() {
        return Ok(None);
    }
    let known = changed.prefilled.clone();
    let heard = ask_each(cases, citizen, &asked, changed, known).await?;
    if heard.anything {
        keep(cases, citizen, procedure, changed, &heard.fields).await?;
    }
    let said = told(heard.problem.as_ref(), !heard.anything);
    let list = format!("/drafts/{}?prefill={said}", changed.id);
    if said != "done" {
        return Ok(Some(list));
    }
    let filled =
        |code: &str| asked.iter().any(|p| p.fills.contains_key(code)) && heard.fields.contains_key(code);
    let page = procedure
        .pages
        .iter()
        .find(|page| page.questions.iter().any(|q| filled(&q.code)));
    Ok(Some(page.map_or(list, |page| {
        format!("/drafts/{}/pages/{}", changed.id, page.code)
    })))
}

#[cfg(test)]
mod tests {
    use kernel::{Kind, Problem};
    use serde_json::{Value, json};

    use crate::testing::{Portal, lan};

    const LICENCE: &str = "/procedures/1.000703/start";
    /// The tax code of a made-up company, and of another.
    const OURS: &str = "9900000016";
    const OTHER: &str = "9900000023";

    fn company(code: &str, name: &str) -> (u16, Value) {
        let record = json!({"tax_code": code, "name": name, "founded_on": "2020-02-10", "status": "active",
            "industries": "4931, 4933",
            "representative": {"personal_number": "038198000001", "full_name": "Lê Thị Lan", "title": "Giám đốc"},
            "address": {"commune": "15865", "line": "Thôn 3"}});
        (200, json!({ "record": record }))
    }

    async fn started(portal: &Portal) -> String {
        let went = portal.post(Some(&lan()), LICENCE, &[]).await;
        assert_eq!(went.status, 303, "{}", went.body);
        went.location()
    }

    async fn typed(portal: &Portal, path: &str, code: &str) -> String {
        let revision = portal.revision(&lan(), path).await;
        let went = portal
            .page(&lan(), path, "business", revision, &[("tax_code", code)])
            .await;
        assert_eq!(went.status, 303, "{}", went.body);
        went.location()
    }

    async fn draft(portal: &Portal, path: &str) -> Value {
        portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json()
    }

    #[tokio::test]
    async fn the_business_register_is_asked_by_the_tax_code_typed_and_anew_when_it_changes() {
        let portal = Portal::new().await;
        let path = started(&portal).await;
        portal.answer("G12", Ok(company(OURS, "Công ty Một (mẫu)")));
        let went = typed(&portal, &path, OURS).await;
        assert_eq!(went, format!("{path}/pages/company"), "where it is shown");
        let page = portal.get(Some(&lan()), &went).await.body;
        assert!(page.contains("Công ty Một (mẫu)"), "{page}");
        assert!(
            page.contains("Cơ sở dữ liệu quốc gia về đăng ký doanh nghiệp"),
            "the source is named"
        );
        let (service, body) = portal.asked().pop().expect("asked");
        assert_eq!(service, "G12/business/business-lookup");
        assert_eq!(
            body,
            json!({"tax_code": OURS, "representative.personal_number": "038198000001"}),
            "who asks is the signed-in citizen, whatever was typed"
        );
        let again = typed(&portal, &path, OURS).await;
        assert_ne!(again, went, "nothing has changed: on to what is not answered yet");
        assert_eq!(portal.asked().len(), 1);
        portal.answer("G12", Ok(company(OTHER, "Công ty Hai (mẫu)")));
        typed(&portal, &path, OTHER).await;
        let now = draft(&portal, &path).await;
        assert_eq!(now["prefilled"]["company_name"]["value"], "Công ty Hai (mẫu)");
        assert_eq!(now["prefilled"]["receive_at"]["value"], "15865");
    }

    #[tokio::test]
    async fn what_a_register_said_of_another_company_goes_also_when_it_does_not_answer() {
        let portal = Portal::new().await;
        let path = started(&portal).await;
        portal.answer("G12", Ok(company(OURS, "Công ty Một (mẫu)")));
        typed(&portal, &path, OURS).await;
        let down = Problem::new(Kind::Unavailable, "provider-unreachable").with("hop", "G12");
        portal.answer("G12", Err(down));
        let went = typed(&portal, &path, OTHER).await;
        assert_eq!(went, format!("{path}?prefill=unreachable&from=G12"));
        assert_eq!(draft(&portal, &path).await["prefilled"], json!({}));
        portal.answer("G12", Ok((404, json!({"code": "record-not-found"}))));
        let went = typed(&portal, &path, OURS).await;
        assert_eq!(went, format!("{path}?prefill=none"), "typed by hand");
    }

    #[tokio::test]
    async fn who_does_not_speak_for_a_company_is_told_its_name_and_types_the_rest() {
        let portal = Portal::new().await;
        let path = started(&portal).await;
        let open = json!({"record": {"tax_code": OURS, "name": "Công ty Một (mẫu)"}});
        portal.answer("G12", Ok((200, open)));
        typed(&portal, &path, OURS).await;
        let filled = draft(&portal, &path).await["prefilled"].clone();
        let fields: Vec<&String> = filled.as_object().expect("an object").keys().collect();
        assert_eq!(fields, ["company_name"]);
    }

    #[tokio::test]
    async fn a_tax_code_that_cannot_be_one_asks_nobody() {
        let portal = Portal::new().await;
        let path = started(&portal).await;
        let revision = portal.revision(&lan(), &path).await;
        let wrong = &[("tax_code", "9900000017")];
        let told = portal.page(&lan(), &path, "business", revision, wrong).await;
        assert_eq!((told.status, portal.asked().len()), (422, 0));
        portal.post(Some(&lan()), &format!("{path}/prefill"), &[]).await;
        assert_eq!(portal.asked().len(), 0, "there is nothing to ask by");
    }
}
