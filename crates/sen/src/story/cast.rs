//! The people of the story and what they carry from step to step.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use kernel::World;
use serde_json::{Value, json};

use super::http::Browser;
use super::nation::Nation;
use crate::up::nation::Place;

/// How long something that happens by itself may take.
const PATIENCE: Duration = Duration::from_secs(40);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// The people, each with a browser of their own.
pub(super) struct Cast {
    pub(super) nation: Nation,
    pub(super) world: World,
    pub(super) keep: Option<PathBuf>,
    pub(super) mother: Browser,
    pub(super) receptionist: Browser,
    pub(super) officer: Browser,
    pub(super) chairman: Browser,
    pub(super) clerk: Browser,
    /// Operators by place: national, ministry, province.
    pub(super) operators: [Browser; 3],
    pub(super) draft: String,
    /// Request ids of the three questions of step 3, by service.
    pub(super) questions: Vec<(String, String)>,
    pub(super) case: String,
    pub(super) certificate: Vec<u8>,
    /// The national figures before the case.
    pub(super) before: Value,
}

impl Cast {
    pub(super) fn of(nation: Nation, keep: Option<PathBuf>, world: World) -> Self {
        Self {
            nation,
            world,
            keep,
            mother: Browser::default(),
            receptionist: Browser::default(),
            officer: Browser::default(),
            chairman: Browser::default(),
            clerk: Browser::default(),
            operators: [Browser::default(), Browser::default(), Browser::default()],
            draft: String::new(),
            questions: Vec::new(),
            case: String::new(),
            certificate: Vec::new(),
            before: Value::Null,
        }
    }

    /// Lives one step and gives its proof.
    pub(super) async fn step(&mut self, number: usize) -> anyhow::Result<Value> {
        match number {
            1 => self.sign_in().await,
            2 => self.find_procedure().await,
            3 => self.prefill().await,
            4 => self.file().await,
            5 => self.statuses_survive_a_kill().await,
            6 => self.decide().await,
            7 => self.result().await,
            8 => self.verify_certificate().await,
            9 => self.who_read_my_data().await,
            10 => self.figures().await,
            11 => self.logs().await,
            other => bail!("there is no step {other}"),
        }
    }

    pub(super) fn national(&self) -> String {
        self.nation.url(Place::National)
    }

    pub(super) fn province(&self) -> String {
        self.nation.url(Place::Province)
    }

    /// Step 1: authorisation code with PKCE, through the pages, with everybody else signing in too.
    async fn sign_in(&mut self) -> anyhow::Result<Value> {
        let (national, ministry) = (self.national(), self.nation.url(Place::Ministry));
        let mother = self.nation.sample("citizen", Place::Ministry)?.clone();
        let page = self
            .mother
            .get(&format!("{national}/sign-in?next=/procedures"))
            .await?;
        page.ok()?;
        let asked = self
            .mother
            .trail
            .iter()
            .find(|u| u.contains("/oidc/authorize"))
            .cloned();
        let asked = asked.context("the portal did not ask the identity provider")?;
        ensure!(asked.starts_with(&ministry), "the identity provider is not G01's");
        ensure!(
            asked.contains("code_challenge_method=S256"),
            "the request carries no PKCE challenge"
        );
        ensure!(
            page.url.starts_with(&ministry),
            "the password is asked at {}",
            page.url
        );
        let next = super::http::hidden(&page.text(), "next").unwrap_or_default();
        let fields = [
            ("user", mother.user.as_str()),
            ("password", mother.password.as_str()),
            ("next", next.as_str()),
        ];
        let back = self.mother.post(&format!("{ministry}/sign-in"), &fields).await?;
        back.ok()?;
        ensure!(
            back.url.starts_with(&national),
            "she did not come back to the portal but to {}",
            back.url
        );
        let me = self.mother.get(&format!("{national}/api/v1/me")).await?.json()?;
        self.officials_sign_in().await?;
        self.before = self.operators[0]
            .get(&format!("{national}/api/v1/indicators"))
            .await?
            .json()?;
        Ok(
            json!({"issuer": ministry, "flow": "code", "pkce": "S256", "account": me["account"], "level": me["level"]}),
        )
    }

    async fn officials_sign_in(&mut self) -> anyhow::Result<()> {
        let people = [
            ("receptionist", Place::Province),
            ("officer", Place::Province),
            ("chairman", Place::Province),
            ("clerk", Place::Province),
        ];
        let browsers = [
            &mut self.receptionist,
            &mut self.officer,
            &mut self.chairman,
            &mut self.clerk,
        ];
        for ((role, place), browser) in people.into_iter().zip(browsers) {
            password_sign_in(&self.nation, browser, role, place).await?;
        }
        let places = [Place::National, Place::Ministry, Place::Province];
        for (place, browser) in places.into_iter().zip(&mut self.operators) {
            password_sign_in(&self.nation, browser, "operator", place).await?;
        }
        Ok(())
    }

    /// Step 2.
    async fn find_procedure(&mut self) -> anyhow::Result<Value> {
        let national = self.national();
        let found = self
            .mother
            .get(&format!(
                "{national}/api/v1/procedures?q=dang%20ky%20khai%20sinh&limit=20"
            ))
            .await?;
        let found = found.json()?;
        let items = found["items"].as_array().context("a list")?;
        let rank = items
            .iter()
            .position(|i| i["code"] == "1.001193")
            .context("1.001193 is not found")?;
        let page = self
            .mother
            .get(&format!("{national}/procedures/1.001193"))
            .await?;
        page.ok()?;
        ensure!(
            page.text().contains("Đăng ký khai sinh"),
            "the page does not name the procedure"
        );
        Ok(
            json!({"query": "dang ky khai sinh", "code": "1.001193", "rank": rank + 1, "name": items[rank]["name"]}),
        )
    }
}

async fn password_sign_in(
    nation: &Nation,
    browser: &mut Browser,
    role: &str,
    place: Place,
) -> anyhow::Result<()> {
    let sample = nation.sample(role, place)?;
    let url = nation.url(place);
    let fields = [
        ("user", sample.user.as_str()),
        ("password", sample.password.as_str()),
        ("next", "/boards"),
    ];
    let done = browser.post(&format!("{url}/sign-in"), &fields).await?;
    done.ok()
        .with_context(|| format!("the {role} cannot sign in at {}", place.id()))?;
    Ok(())
}

/// Looks again and again until something is there, within patience.
pub(super) async fn until<T, F>(what: &str, mut look: F) -> anyhow::Result<T>
where
    F: AsyncFnMut() -> anyhow::Result<Option<T>>,
{
    let look_again = async {
        loop {
            match look().await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                Err(cause) => tracing::debug!(what, %cause, "not yet"),
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    match tokio::time::timeout(PATIENCE, look_again).await {
        Ok(found) => found,
        // The last look once more, so that its reason is told.
        Err(_) => match look().await {
            Ok(Some(found)) => Ok(found),
            Ok(None) => bail!("{what}: not within {} s", PATIENCE.as_secs()),
            Err(cause) => Err(cause.context(format!("{what}: not within {} s", PATIENCE.as_secs()))),
        },
    }
}
