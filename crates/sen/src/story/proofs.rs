//! Steps 8 to 11: what can be proved afterwards.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::cast::{Cast, until};
use super::tools;
use crate::up::nation::{PLACES, Place};

impl Cast {
    /// Step 8: as `sen verify` does, on the whole certificate and on one with a byte changed.
    pub(super) async fn verify_certificate(&self) -> anyhow::Result<Value> {
        let folder = tools::Folder::new(&self.world)?;
        let (whole, altered) = (folder.path("certificate.pdf"), folder.path("altered.pdf"));
        std::fs::write(&whole, &self.certificate)?;
        let mut bytes = self.certificate.clone();
        let middle = bytes.len() / 3;
        bytes[middle] ^= 1;
        std::fs::write(&altered, &bytes)?;
        let ca = self.nation.layout().ca();
        let good = crate::verify::verify(&whole, Some(&ca), &self.world).await?;
        ensure!(
            crate::verify::exit_code(&good) == 0,
            "the certificate does not pass: {}",
            good.reason
        );
        ensure!(
            good.signer.is_some() && good.signed_at.is_some(),
            "nobody is said to have signed"
        );
        let unanchored = crate::verify::verify(&whole, None, &self.world).await?;
        ensure!(
            crate::verify::exit_code(&unanchored) == 2,
            "without trust it must be undecided"
        );
        let bad = crate::verify::verify(&altered, Some(&ca), &self.world).await?;
        ensure!(
            crate::verify::exit_code(&bad) == 1,
            "the altered certificate does not fail"
        );
        ensure!(
            bad.first_bad.is_some(),
            "it is not said where the altered certificate is bad"
        );
        Ok(json!({
            "whole": crate::verify::as_json(&good),
            "without_trust": crate::verify::as_json(&unanchored)["verdict"],
            "byte_changed": middle,
            "altered": crate::verify::as_json(&bad),
        }))
    }

    /// Step 9.
    pub(super) async fn who_read_my_data(&mut self) -> anyhow::Result<Value> {
        let url = format!("{}/api/v1/my/data-usage", self.nation.url(Place::Ministry));
        let usage = self.mother.get(&url).await?.json()?;
        let rows = usage["reads"].as_array().context("a list of reads")?;
        let lookups: Vec<&(String, String)> = self
            .questions
            .iter()
            .filter(|(s, _)| s == "G01/population/person-lookup")
            .collect();
        let hers = rows.iter().filter(|row| {
            lookups
                .iter()
                .any(|(_, request)| row["request"] == request.as_str())
        });
        let hers: Vec<&Value> = hers.collect();
        ensure!(!hers.is_empty(), "the read of step 3 is not listed");
        for row in &hers {
            for part in ["consumer", "purpose", "legal_basis", "at", "fields"] {
                ensure!(!row[part].is_null(), "a read is listed without its {part}");
            }
        }
        Ok(json!({"reads": hers.len(), "first": hers[0]}))
    }

    /// Step 10.
    pub(super) async fn figures(&mut self) -> anyhow::Result<Value> {
        let national = self.national();
        let (before, case) = (self.before.clone(), self.case.clone());
        let list = format!("{national}/api/v1/exchange/exchanges?issue={case}");
        let figures = format!("{national}/api/v1/indicators");
        let operator = &mut self.operators[0];
        // The evidence is the measure: the figure must count what the log holds, no more, no less.
        let moved = until("the national figures", async || {
            let exchanges = operator.get(&list).await?.json()?;
            let count = |side: &str| {
                exchanges
                    .as_array()
                    .map_or(0, |l| l.iter().filter(|e| e["side"] == side).count())
            };
            let after = operator.get(&figures).await?.json()?;
            let by = |figure: &str, org: &str| value(&after, figure, org) - value(&before, figure, org);
            let all = json!({
                "cases_received": by("cases-received", "H56"),
                "cases_decided": by("cases-decided", "H56"),
                "cases_on_time": by("cases-on-time", "H56"),
                "cases_returned": by("cases-returned", "H56"),
                "exchanges_answered_by_g22": by("exchanges-answered", "G22"),
                "in_evidence_for_the_case": count("provider"),
                "exchanges_asked_by_g22": by("exchanges-asked", "G22"),
            });
            let once = [
                "cases_received",
                "cases_decided",
                "cases_on_time",
                "cases_returned",
            ]
            .iter()
            .all(|k| all[*k] == 1);
            let counted = all["exchanges_answered_by_g22"] == all["in_evidence_for_the_case"];
            Ok((once && counted).then_some((all, after)))
        })
        .await;
        let (moved, after) = match moved {
            Ok(found) => found,
            Err(cause) => {
                let after = self.operators[0].get(&figures).await?.json()?;
                return Err(cause.context(format!("before {before}, after {after}")));
            }
        };
        let rebuilt = self.operators[0]
            .post_json(&format!("{national}/api/v1/indicators/rebuild"), &json!({}))
            .await?;
        ensure!(
            rebuilt["equal"] == true,
            "a rebuild differs: {}",
            rebuilt["differences"]
        );
        let share = after.as_array().and_then(|l| {
            l.iter()
                .find(|f| f["figure"] == "on-time-share" && f["org"] == "H56")
        });
        Ok(
            json!({"moved": moved, "on_time_share": share, "rebuilt_from_facts": rebuilt["facts"], "rebuild_equal": true}),
        )
    }

    /// Step 11.
    pub(super) async fn logs(&mut self) -> anyhow::Result<Value> {
        let layout = self.nation.layout();
        let ca = layout.ca();
        let (service, request) = self.questions.first().cloned().context("an exchange of step 3")?;
        let address = format!("{}/api/v1/exchange/exchanges/{request}/asice", self.national());
        let (trust, now) = (tools::trust(&ca)?, self.world.now());
        let operator = &mut self.operators[0];
        let container = until("a timestamped container", async || {
            let zip = operator.get(&address).await?;
            zip.ok()?;
            Ok(tools::has_timestamp(&zip.body)?.then_some(zip.body))
        })
        .await?;
        let verdict = seal::asice::verify(&container, &trust, self.world.now().max(now));
        ensure!(
            verdict.is_passed(),
            "the exported container does not pass: {} {:?}",
            verdict.reason,
            verdict.first_bad
        );
        let outside = tools::check_asice_outside(&container, &ca, &layout.tsa(), &self.world).await?;
        self.keep_file("exchange.asice", &container)?;
        self.keep_file("ca.pem", &std::fs::read(&ca)?)?;
        self.keep_file("tsa.pem", &std::fs::read(layout.tsa())?)?;
        let mut nodes = serde_json::Map::new();
        for place in PLACES {
            let verdict = crate::verify::verify(&layout.node(place), Some(&ca), &self.world).await?;
            ensure!(
                verdict.is_passed(),
                "the logs of {} do not pass: {} {:?}",
                place.id(),
                verdict.reason,
                verdict.first_bad
            );
            nodes.insert(place.id().to_owned(), verdict.indication.as_str().into());
        }
        Ok(json!({
            "nodes": nodes,
            "container": {"service": service, "request": request, "bytes": container.len(), "signer": verdict.signer},
            "xmlsec1": outside.0,
            "openssl_ts": outside.1,
        }))
    }
}

fn value(figures: &Value, figure: &str, org: &str) -> i64 {
    let found = figures
        .as_array()
        .and_then(|list| list.iter().find(|f| f["figure"] == figure && f["org"] == org));
    // Counts are whole numbers, written with a decimal point only when they are shares.
    found
        .and_then(|f| f["value"].as_f64())
        .map_or(0, |v| v.round() as i64)
}
