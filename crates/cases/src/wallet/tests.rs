//! A citizen's own documents at a portal, from the result that lands to the link that ends.

use serde_json::{Value, json};

use crate::testing::{Answer, PDF, Portal, foreign, lan, mai, officer};

/// A portal where the mother's case has its result.
async fn with_result() -> (Portal, String) {
    let portal = Portal::new().await;
    let code = portal.filed(&lan()).await;
    portal
        .note(&code, json!({"seq": 1, "status": 2}))
        .await
        .expect("noted");
    let given = json!({"seq": 2, "status": 9, "results": [portal.result("doc1", PDF.as_bytes())]});
    portal.later(1_000);
    for _ in 0..2 {
        portal.note(&code, given.clone()).await.expect("noted");
    }
    (portal, code)
}

async fn wallet(portal: &Portal) -> Value {
    portal.get(Some(&lan()), "/api/v1/wallet").await.json()
}

/// A file that is not the one of [`PDF`].
fn other_pdf() -> String {
    format!("{PDF}\n")
}

async fn keep(portal: &Portal, body: &Value) -> Answer {
    portal.post_json(Some(&lan()), "/api/v1/wallet", body).await
}

fn file(title: &str) -> Value {
    let pdf = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, other_pdf());
    json!({"title": title, "issuer": "Trường mẫu", "number": "12", "dated": "2020-06-01",
        "valid_until": "2030-06-01", "pdf_base64": pdf})
}

async fn share(portal: &Portal, entry: &str) -> (String, String, String) {
    let path = format!("/api/v1/wallet/{entry}/shares");
    let made = portal
        .post_json(Some(&lan()), &path, &json!({"days": 7}))
        .await
        .json();
    let link = made["link"].as_str().expect("a link").to_owned();
    let token = link.rsplit('/').next().expect("a token").to_owned();
    let code = made["code"].as_str().expect("a code").to_owned();
    (
        token,
        code,
        made["share"]["id"].as_str().expect("an id").to_owned(),
    )
}

async fn look(portal: &Portal, token: &str, code: &str) -> Answer {
    let path = format!("/api/v1/shared/{token}");
    portal.post_json(None, &path, &json!({ "code": code })).await
}

#[tokio::test]
async fn a_result_lands_among_its_citizens_documents_by_itself_and_once() {
    let (portal, code) = with_result().await;
    let mine = wallet(&portal).await;
    assert_eq!(mine["items"].as_array().map(Vec::len), Some(1));
    let entry = &mine["items"][0];
    assert_eq!(
        (&entry["kind"], &entry["number"], &entry["origin"]),
        (&json!("issued"), &json!("1/2026"), &json!(code))
    );
    assert_eq!(portal.facts("wallet/lan").await, ["wallet-kept"]);
    let page = portal.get(Some(&lan()), "/wallet").await.body;
    assert!(
        page.contains("Giấy khai sinh") && page.contains("Hoằng Hóa"),
        "{page}"
    );
    let file = format!("/wallet/{code}.doc1/file");
    assert_eq!(portal.get(Some(&lan()), &file).await.body, PDF);
    assert_eq!(portal.facts("wallet/lan").await, ["wallet-kept", "wallet-used"]);
}

#[tokio::test]
async fn a_citizens_documents_are_theirs_alone_and_the_list_says_when_it_is_empty() {
    let (portal, code) = with_result().await;
    let entry = format!("{code}.doc1");
    let hers = portal.get(Some(&mai()), "/api/v1/wallet").await.json();
    assert_eq!(hers["items"], json!([]));
    let page = portal.get(Some(&mai()), "/wallet").await.body;
    assert!(page.contains("Chưa có giấy tờ nào"), "{page}");
    for path in [
        format!("/wallet/{entry}"),
        format!("/api/v1/wallet/{entry}"),
        format!("/wallet/{entry}/file"),
    ] {
        assert_eq!(portal.get(Some(&lan()), &path).await.status, 200, "{path}");
        for (who, status) in [(mai(), 404), (foreign(), 404), (officer(), 403)] {
            assert_eq!(portal.get(Some(&who), &path).await.status, status, "{path}");
        }
    }
    for verb in ["remove", "shares"] {
        let path = format!("/wallet/{entry}/{verb}");
        let days = [("days", "7")];
        assert_eq!(portal.post(Some(&mai()), &path, &days).await.status, 404);
        assert_eq!(portal.post(Some(&officer()), &path, &days).await.status, 403);
        assert_eq!(portal.post(None, &path, &days).await.status, 303);
        let api = format!("/api/v1{path}");
        let days = json!({"days": 7});
        assert_eq!(portal.post_json(Some(&mai()), &api, &days).await.status, 404);
        assert_eq!(portal.post_json(None, &api, &days).await.status, 401);
    }
    assert_eq!(portal.get(None, "/wallet").await.status, 303);
    assert_eq!(portal.get(None, "/api/v1/wallet").await.status, 401);
    assert_eq!(
        portal.get(Some(&lan()), "/api/v1/wallet?after=x").await.status,
        422
    );
}

#[tokio::test]
async fn a_file_is_kept_once_with_what_is_said_of_it_and_only_a_pdf_is() {
    let portal = Portal::new().await;
    let kept = keep(&portal, &file("Bằng tốt nghiệp")).await;
    assert_eq!((kept.status, &kept.json()["kind"]), (200, &json!("uploaded")));
    keep(&portal, &file("Bằng tốt nghiệp")).await;
    let mine = wallet(&portal).await;
    assert_eq!(mine["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(mine["items"][0]["valid_until"], "2030-06-01");
    for (field, value, wanted) in [
        ("title", "", "field-missing"),
        ("title", &*"a".repeat(201), "wallet-words-long"),
        ("dated", "2026-13-01", "date-bad"),
        ("dated", "2999-01-01", "wallet-dated-later"),
        ("valid_until", "2019-01-01", "wallet-valid-before"),
        ("pdf_base64", "PGI+", "paper-not-pdf"),
    ] {
        let mut body = file("x");
        body[field] = json!(value);
        let told = keep(&portal, &body).await;
        assert_eq!((told.status, told.problem().as_str()), (422, wanted), "{field}");
    }
    let page = portal.upload(&lan(), "/wallet", "a.pdf", PDF.as_bytes()).await;
    assert!(
        page.status == 422 && page.body.contains("href=\"#title\""),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn a_paper_is_attached_from_the_citizens_own_documents_and_the_use_is_listed() {
    let (portal, code) = with_result().await;
    let entry = format!("{code}.doc1");
    let path = portal.start(&lan()).await;
    let to = format!("{path}/papers/GCS");
    assert!(portal.get(Some(&lan()), &to).await.body.contains(&entry));
    let went = portal.post(Some(&lan()), &to, &[("own", entry.as_str())]).await;
    assert_eq!(
        (went.status, went.location()),
        (303, path.clone()),
        "{}",
        went.body
    );
    let draft = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
    assert_eq!(draft["papers"][0]["name"], "Giấy khai sinh.pdf");
    let whole = format!("/api/v1/wallet/{entry}");
    let uses = portal.get(Some(&lan()), &whole).await.json()["uses"].clone();
    assert_eq!(
        (&uses[0]["kind"], uses[0]["what"].as_str()),
        (&json!("draft"), path.rsplit('/').next())
    );
    let hers = portal.start(&mai()).await;
    let told = portal
        .post(
            Some(&mai()),
            &format!("{hers}/papers/GCS"),
            &[("own", entry.as_str())],
        )
        .await;
    assert!(
        told.status == 422 && told.body.contains("href=\"#own\""),
        "{}",
        told.body
    );
}

#[tokio::test]
async fn what_is_uploaded_for_a_form_may_be_kept_and_is_deleted_without_touching_the_form() {
    let portal = Portal::new().await;
    let path = portal.start(&lan()).await;
    let to = format!("{path}/papers/GCS");
    let went = portal
        .upload_with(&lan(), &to, &[("keep", "1")], ("a.pdf", PDF.as_bytes()))
        .await;
    assert_eq!(went.status, 303, "{}", went.body);
    let mine = wallet(&portal).await;
    let id = mine["items"][0]["id"].as_str().expect("kept").to_owned();
    let gone = portal
        .post(Some(&lan()), &format!("/wallet/{id}/remove"), &[])
        .await;
    assert_eq!((gone.status, gone.location()), (303, "/wallet".to_owned()));
    assert_eq!(wallet(&portal).await["items"], json!([]));
    let draft = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
    assert_eq!(draft["papers"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        portal.facts("wallet/lan").await,
        ["wallet-kept", "wallet-removed"]
    );
}

#[tokio::test]
async fn a_register_is_asked_for_the_citizens_own_record_and_no_other() {
    let portal = Portal::new().await;
    let kept = portal
        .post_json(Some(&lan()), "/api/v1/wallet/records/residence", &json!({}))
        .await;
    assert_eq!(kept.status, 200, "{}", kept.body);
    let asked = portal.asked();
    let (service, body) = asked.last().expect("asked");
    assert_eq!(service, "G01/population/person-lookup");
    assert_eq!(*body, json!({"personal_number": "038198000001"}));
    let entry = kept.json()["id"].as_str().expect("an id").to_owned();
    let page = portal.get(Some(&lan()), &format!("/wallet/{entry}")).await.body;
    assert!(page.contains("Lê Thị Lan") && page.contains("Thôn 3"), "{page}");
    let none = portal.post(Some(&lan()), "/wallet/records/birth", &[]).await;
    assert!(
        none.status == 422 && none.body.contains("Không tìm thấy bản ghi nào"),
        "{}",
        none.body
    );
    for (who, status) in [(Some(officer()), 403), (Some(foreign()), 404), (None, 401)] {
        let told = portal
            .post_json(who.as_ref(), "/api/v1/wallet/records/residence", &json!({}))
            .await;
        assert_eq!(told.status, status);
    }
    let other = portal.post(Some(&lan()), "/wallet/records/tax", &[]).await;
    assert_eq!(other.status, 404);
}

#[tokio::test]
async fn a_link_opens_with_its_code_alone_and_leaves_a_trace_until_it_is_revoked() {
    let (portal, code) = with_result().await;
    let entry = format!("{code}.doc1");
    let (token, secret, id) = share(&portal, &entry).await;
    let form = portal.get(None, &format!("/shared/{token}")).await;
    assert!(
        form.status == 200 && !form.body.contains("Giấy khai sinh"),
        "{}",
        form.body
    );
    let shown = portal
        .post(None, &format!("/shared/{token}"), &[("code", secret.as_str())])
        .await;
    assert_eq!((shown.status, shown.body.as_str()), (200, PDF));
    let given = look(&portal, &token, &secret).await;
    assert_eq!(given.json()["document"]["title"], "Giấy khai sinh");
    let whole = portal
        .get(Some(&lan()), &format!("/api/v1/wallet/{entry}"))
        .await
        .json();
    assert_eq!(whole["uses"].as_array().map(Vec::len), Some(2));
    let ended = portal
        .post(Some(&lan()), &format!("/wallet/{entry}/shares/{id}/end"), &[])
        .await;
    assert_eq!(ended.status, 303);
    let gone = look(&portal, &token, &secret).await;
    assert_eq!((gone.status, gone.problem().as_str()), (422, "shared-wrong"));
    let facts = portal.facts("wallet/lan").await;
    assert_eq!(
        facts,
        [
            "wallet-kept",
            "wallet-shared",
            "wallet-used",
            "wallet-used",
            "wallet-share-ended"
        ]
    );
    let theirs = format!("/api/v1/wallet/{entry}/shares/{id}/end");
    assert_eq!(
        portal.post_json(Some(&mai()), &theirs, &json!({})).await.status,
        404
    );
    let none = format!("/api/v1/wallet/{entry}/shares/none/end");
    assert_eq!(
        portal.post_json(Some(&lan()), &none, &json!({})).await.status,
        404
    );
}

#[tokio::test]
async fn a_link_is_locked_by_wrong_codes_and_over_by_its_day_and_no_answer_tells_which() {
    let (portal, code) = with_result().await;
    let entry = format!("{code}.doc1");
    let (token, secret, _) = share(&portal, &entry).await;
    let wrong = if secret == "000000" { "000001" } else { "000000" };
    let nowhere = look(&portal, &"0".repeat(64), &secret).await;
    assert_eq!(
        (nowhere.status, nowhere.problem().as_str()),
        (422, "shared-wrong")
    );
    for _ in 0..portal.cases.store.limits().wallet_share_tries_max {
        let told = look(&portal, &token, wrong).await;
        assert_eq!((told.status, told.problem().as_str()), (422, "shared-wrong"));
    }
    let locked = look(&portal, &token, &secret).await;
    assert_eq!((locked.status, locked.problem().as_str()), (422, "shared-wrong"));
    let whole = portal
        .get(Some(&lan()), &format!("/api/v1/wallet/{entry}"))
        .await
        .json();
    assert_eq!(whole["shares"][0]["standing"], "blocked");
    let (token, secret, _) = share(&portal, &entry).await;
    portal.later(7 * 86_400_000);
    let over = look(&portal, &token, &secret).await;
    assert_eq!((over.status, over.problem().as_str()), (422, "shared-wrong"));
    for days in [0, 31] {
        let path = format!("/api/v1/wallet/{entry}/shares");
        let told = portal
            .post_json(Some(&lan()), &path, &json!({ "days": days }))
            .await;
        assert_eq!((told.status, told.problem().as_str()), (422, "wallet-share-days"));
    }
    assert_eq!(portal.get(None, "/shared/x").await.status, 404);
}

#[tokio::test]
async fn many_documents_are_read_page_by_page_without_a_gap() {
    let portal = Portal::with_page_rows(2).await;
    for nth in 0..5 {
        let code = portal.filed(&lan()).await;
        portal
            .note(&code, json!({"seq": 1, "status": 2}))
            .await
            .expect("noted");
        let results = json!([portal.result(&format!("doc{nth}"), PDF.as_bytes())]);
        portal
            .note(&code, json!({"seq": 2, "status": 9, "results": results}))
            .await
            .expect("noted");
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = portal
            .get(Some(&lan()), &format!("/api/v1/wallet?after={after}"))
            .await
            .json();
        let items = page["items"].as_array().expect("a list");
        seen.extend(items.iter().map(|item| item["id"].to_string()));
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 5);
    let first = portal.get(Some(&lan()), "/wallet").await.body;
    assert!(first.contains("/wallet?after="), "{first}");
}
