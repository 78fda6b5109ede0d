//! What the mail server and the SMS gateway of a nation were given. Both are simulators; nothing leaves the machine.

use anyhow::{Context as _, ensure};
use sen::simulators::messages::Heard;
use sen::story::http::Browser;
use sen::up::nation::SIMULATORS;

use crate::ground::until;

/// The address of what they show.
#[must_use]
pub fn page(port: u16) -> String {
    format!("http://127.0.0.1:{}", port + SIMULATORS + 2)
}

/// What came to an address, newest first.
///
/// # Errors
/// When the simulator does not answer.
pub async fn to(port: u16, address: &str) -> anyhow::Result<Vec<Heard>> {
    let url = format!("{}/messages?to={}", page(port), address.replace('+', "%2B"));
    let told = Browser::default().get(&url).await?.json()?;
    Ok(serde_json::from_value(told)?)
}

/// The code that was sent to an address last.
///
/// # Errors
/// When none came.
pub async fn code(port: u16, address: &str) -> anyhow::Result<String> {
    let all = to(port, address).await?;
    let newest = all
        .first()
        .with_context(|| format!("nothing came to {address}"))?;
    let digits = newest.text.split(|c: char| !c.is_ascii_digit());
    let code = digits.filter(|run| run.len() == 6).map(str::to_owned).next();
    code.with_context(|| format!("no code in {:?}", newest.text))
}

/// Waits until an address was told of a case, and holds that each message came once.
///
/// # Errors
/// When nothing comes, or the same comes twice.
pub async fn told(port: u16, address: &str, case: &str) -> anyhow::Result<()> {
    until(&format!("{address} is told of {case}"), async || {
        let all = to(port, address).await?;
        let of_case: Vec<&Heard> = all.iter().filter(|heard| heard.text.contains(case)).collect();
        for (at, heard) in of_case.iter().enumerate() {
            let again = of_case.iter().skip(at + 1).any(|other| other.text == heard.text);
            ensure!(!again, "twice: {:?}", heard.text);
        }
        Ok((!of_case.is_empty()).then_some(()))
    })
    .await
}
