//! What operators do about the directory, each once by the pages and once as a program does it: a change
//! saved, dropped, asked, approved, declined, made by the hub itself.

use std::time::Duration;

use anyhow::{Context as _, bail};
use directory::Snapshot;
use directory::anchor::{Anchor, readable};
use kernel::Time;
use seal::authority::{Authority, Profile, Subject};
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::people::Person;

use super::courses::By;
use super::{Script, ok};
use crate::stage::Cast;

/// Where registrations are, for people and for programs.
const PAGES: &str = "/exchange/registrations";
const API: &str = "/api/v1/directory/registrations";
/// How long a word may take to be heard, in tries of 50 ms.
const TRIES: usize = 1_200;

impl Script<'_> {
    /// Leads changes of the hub's own systems to every end, by each face.
    pub(super) async fn directory(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        for (by, code) in [(By::Page, "by-page"), (By::Json, "by-program")] {
            self.registrations(cast, by, code).await.context(code)?;
        }
        let who = operator(cast)?;
        let group = json!({"wanted": {"change": "name-group", "group": "sample", "name": "Nhóm mẫu"}});
        let call = who.post_json("/api/v1/directory/changes", &group);
        self.leaves(Place::National, "POST /api/v1/directory/changes", call)
            .await?;
        let call = async {
            ok(who
                .post(&format!("{PAGES}/automatic"), &[("automatic", "off")])
                .await?)
        };
        let name = format!("POST {PAGES}/automatic");
        self.leaves(Place::National, &name, call).await?;
        let lost = "cd".repeat(32);
        let revoked = [
            ("org", "G22"),
            ("thumbprint", lost.as_str()),
            ("reason", "Mất khóa (mẫu)"),
        ];
        let call = async { ok(who.post("/exchange/certificates/revoke", &revoked).await?) };
        self.leaves(Place::National, "POST /exchange/certificates/revoke", call)
            .await?;
        let off = json!({"automatic": false});
        let call = who.post_json("/api/v1/directory/automatic", &off);
        self.leaves(Place::National, "POST /api/v1/directory/automatic", call)
            .await?;
        self.federation(cast).await.context("another instance")
    }

    /// Trusts another instance and withdraws it, by each face.
    async fn federation(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        let (hash, anchor) = other_instance(self.nation.world.now())?;
        let who = operator(cast)?;
        let (api, page) = ("/api/v1/directory/instances", "/exchange/federation");
        let (reason, end) = ("Hiệp định mẫu", "Hết hiệp định (mẫu)");
        let wanted = json!({"anchor": anchor, "hash": hash, "reason": reason});
        let call = who.post_json(api, &wanted);
        self.leaves(Place::National, &format!("POST {api}"), call).await?;
        let body = json!({"reason": end});
        let to = format!("{api}/LA/withdraw");
        let call = who.post_json(&to, &body);
        let name = format!("POST {api}/{{instance}}/withdraw");
        self.leaves(Place::National, &name, call).await?;
        let fields = [
            ("anchor", anchor.as_str()),
            ("hash", hash.as_str()),
            ("reason", reason),
        ];
        let call = async { ok(who.post(page, &fields).await?) };
        self.leaves(Place::National, &format!("POST {page}"), call)
            .await?;
        let to = format!("{page}/LA/withdraw");
        let call = async { ok(who.post(&to, &[("reason", end)]).await?) };
        let name = format!("POST {page}/{{instance}}/withdraw");
        self.leaves(Place::National, &name, call).await?;
        Ok(())
    }

    async fn registrations(&mut self, cast: &mut Cast, by: By, code: &str) -> anyhow::Result<()> {
        let who = operator(cast)?;
        for (number, ends) in [&["drop"][..], &["ask", "approve"], &["ask", "decline"]]
            .iter()
            .enumerate()
        {
            let system = format!("{code}-{number}");
            let name = match by {
                By::Page => format!("POST {PAGES}"),
                By::Json => format!("POST {API}"),
            };
            let call = save(who, by, &system);
            self.leaves(Place::National, &name, call).await?;
            let saved = who.get(&format!("{API}?side=owner&state=saved")).await?.json()?;
            let request = saved[0]["request"].as_str().context("what was saved")?.to_owned();
            for verb in *ends {
                if *verb != "drop" && *verb != "ask" {
                    heard(who, &request).await?;
                }
                let path = |base: &str, request: &str| format!("{base}/{request}/{verb}");
                let reason = "Thiếu văn bản (mẫu)";
                match by {
                    By::Page => {
                        let (to, name) = (path(PAGES, &request), path(PAGES, "{request}"));
                        let call = async { ok(who.post(&to, &[("reason", reason)]).await?) };
                        self.leaves(Place::National, &format!("POST {name}"), call)
                            .await?;
                    }
                    By::Json => {
                        let (to, name) = (path(API, &request), path(API, "{request}"));
                        let body = match *verb {
                            "decline" => json!({"reason": reason}),
                            _ => Value::Null,
                        };
                        let call = who.post_json(&to, &body);
                        self.leaves(Place::National, &format!("POST {name}"), call)
                            .await?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The anchor of an instance that is nowhere, and its hash as it would be read out.
fn other_instance(now: Time) -> anyhow::Result<(String, String)> {
    let ca = Authority::new("Gốc mẫu", now)?;
    let subject = Subject {
        common_name: "Nơi công bố mẫu".to_owned(),
        organisation: Some("LA-X01".to_owned()),
        position: None,
    };
    let hub = ca.issue(Profile::OrganisationSeal, &subject, now, 30, [9; 16])?;
    let mut snapshot = Snapshot::empty("LA-X01".parse()?);
    snapshot.anchors = vec![ca.certificate().pem()];
    let anchor = Anchor::of(&snapshot, &hub, vec!["http://127.0.0.1:1".to_owned()]);
    let told = |problem: kernel::Problem| anyhow::anyhow!("{problem}");
    let hash = readable(&anchor.hash().map_err(told)?);
    Ok((hash, anchor.sign(&hub).map_err(told)?))
}

/// Saves the registration of a system of the hub's organisation.
async fn save(who: &mut Person, by: By, system: &str) -> anyhow::Result<()> {
    if by == By::Json {
        let wanted =
            json!({"change": "register-system", "org": "G22", "system": system, "name": "Hệ thống mẫu"});
        return who
            .post_json(API, &json!({"wanted": wanted, "ask": false}))
            .await
            .map(drop);
    }
    let fields = [
        ("change", "register-system"),
        ("org", "G22"),
        ("system", system),
        ("name", "Hệ thống mẫu"),
        ("do", "save"),
    ];
    ok(who.post(PAGES, &fields).await?).map(drop)
}

/// Waits until the hub's side knows a request.
async fn heard(who: &mut Person, request: &str) -> anyhow::Result<()> {
    for _ in 0..TRIES {
        let waits = who.get(&format!("{API}?side=hub&state=asked")).await?.json()?;
        let mut all = waits.as_array().into_iter().flatten();
        if all.any(|one| one["request"] == request) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("the hub did not hear of {request}")
}

fn operator(cast: &mut Cast) -> anyhow::Result<&mut Person> {
    cast.operators.get_mut(&Place::National).context("an operator")
}
