//! A certified copy of a civil-status entry: asked for through the pages, its fee paid on the bank's
//! own page. The bank is the simulator of the nation.

use anyhow::{Context as _, ensure};
use directory::people;
use sen::story::http::{self, Reply};
use sen::up::nation::SIMULATORS;

use crate::birth;
use crate::people::Person;

/// The procedure.
pub const PROCEDURE: &str = "2.000635";

/// Asks for two copies of a child's entry and gives the page that says what they cost.
///
/// # Errors
/// When the portal refuses.
pub async fn ask(mother: &mut Person, name: &str, number: &str) -> anyhow::Result<Reply> {
    let begun = mother
        .post(&format!("/procedures/{PROCEDURE}/start"), &[])
        .await?;
    let draft = begun.ok()?.url.rsplit("/drafts/").next();
    let draft = draft.context("a draft's address")?.to_owned();
    let person = [
        ("person_name", name),
        ("person_number", number),
        ("relation", "parent"),
    ];
    let copies = [("copies", "2"), ("receive_at", people::SAMPLE_COMMUNE)];
    for (page, answers) in [("person", &person[..]), ("copies", &copies[..])] {
        let path = format!("/drafts/{draft}/pages/{page}");
        let form = mother.get(&path).await?.ok()?.text();
        let revision = http::hidden(&form, "revision").context("a revision")?;
        let mut fields = vec![("revision", revision.as_str())];
        fields.extend_from_slice(answers);
        let told = mother.post(&path, &fields).await?;
        ensure!(
            !told.url.ends_with(page),
            "{page} is shown again: {}",
            told.text()
        );
    }
    let revision = birth::check(mother, &draft).await?;
    let path = format!("/drafts/{draft}/file");
    let told = mother.post(&path, &[("revision", &revision)]).await?;
    ensure!(told.url.ends_with("/pay"), "filed, and sent to {}", told.url);
    Ok(told)
}

/// Orders the payment and gives the address of the bank's page.
///
/// # Errors
/// When the portal refuses, or its page does not lead to the bank.
pub async fn order(mother: &mut Person, case: &str) -> anyhow::Result<String> {
    let order = mother
        .post(&format!("/cases/{case}/pay"), &[])
        .await?
        .ok()?
        .text();
    let bank = format!("http://127.0.0.1:{}/pay/", mother.site().port + SIMULATORS + 1);
    let at = order.find(&bank).context("the way to the bank")?;
    Ok(order[at..].chars().take_while(|c| *c != '"').collect())
}

/// Pays on the bank's page, which leads back to the case.
///
/// # Errors
/// When the bank does not say that it is a simulator, or leads elsewhere.
pub async fn pay(mother: &mut Person, case: &str, at: &str) -> anyhow::Result<()> {
    let page = mother.browser.get(at).await?.text();
    ensure!(page.contains("SIMULATOR"), "the bank does not say what it is");
    let back = mother.browser.post(at, &[]).await?;
    ensure!(
        back.url.ends_with(&format!("/cases/{case}")),
        "led back to {}",
        back.url
    );
    Ok(())
}
