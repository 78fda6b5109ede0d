//! Steps 6 and 7: the desk decides, the certificate is signed and comes back.

use anyhow::{Context as _, ensure};
use kernel::World;
use serde_json::{Value, json};

use super::cast::{Cast, until};
use super::filing::in_order_once;
use super::tools;

impl Cast {
    fn desk(&self) -> String {
        format!("{}/api/v1/desk/cases/{}", self.province(), self.case)
    }

    /// Step 6.
    pub(super) async fn decide(&mut self) -> anyhow::Result<Value> {
        let desk = self.desk();
        let receipt = self
            .receptionist
            .get(&format!("{}/desk/cases/{}/receipt", self.province(), self.case))
            .await?;
        receipt.ok()?;
        ensure!(receipt.body.starts_with(b"%PDF"), "the receipt is no PDF");
        self.keep_file("receipt.pdf", &receipt.body)?;
        let seen = self.officer.get(&desk).await?.json()?;
        let working_out = &seen["accepted"]["working_out"];
        let minutes: i64 = working_out["lines"]
            .as_array()
            .context("a working-out")?
            .iter()
            .filter_map(|l| l["minutes"].as_i64())
            .sum();
        ensure!(
            Some(minutes) == working_out["term_minutes"].as_i64(),
            "the working-out does not add up to the term"
        );
        let proposal = json!({"revision": seen["revision"], "outcome": "granted", "note": "Đủ điều kiện đăng ký khai sinh"});
        self.officer
            .post_json(&format!("{desk}/propose"), &proposal)
            .await?;
        let draft_bytes = self.look_at_draft().await?;
        let browser = &mut self.chairman;
        let to_sign = until("the act in the civil-status register", async || {
            let seen = browser.get(&desk).await?.json()?;
            Ok((!seen["act"]["act_number"].is_null()).then_some(seen))
        })
        .await?;
        let number = to_sign["act"]["personal_number"]
            .as_str()
            .context("the child has a personal number")?;
        let number: kernel::PersonalNumber = number
            .parse()
            .ok()
            .context("a personal number of twelve digits")?;
        ensure!(
            number.sex() == kernel::codes::Sex::Female,
            "the personal number is of another sex"
        );
        let signed = self
            .chairman
            .post_json(&format!("{desk}/sign"), &json!({"revision": to_sign["revision"]}))
            .await?;
        ensure!(
            signed["state"] == "to-seal" && signed["decided"].is_null(),
            "signed is not decided: the clerk comes after, and the case is {}",
            signed["state"]
        );
        let sealed = self
            .clerk
            .post_json(&format!("{desk}/seal"), &json!({"revision": signed["revision"]}))
            .await?;
        Ok(json!({
            "receipt_bytes": receipt.body.len(),
            "due": seen["accepted"]["due"],
            "working_out": working_out["lines"],
            "act_number": to_sign["act"]["act_number"],
            "personal_number_fits": number.birth_year(),
            "draft_bytes": draft_bytes,
            "signed_as": sealed["decided"]["capacity"],
            "state": sealed["state"],
        }))
    }

    /// The mother looks at the draft of the certificate, which nobody has signed, and finds it right.
    async fn look_at_draft(&mut self) -> anyhow::Result<usize> {
        let (national, case) = (self.national(), self.case.clone());
        let url = format!("{national}/api/v1/cases/{case}");
        let browser = &mut self.mother;
        let draft = until("the draft at the portal", async || {
            let seen = browser.get(&url).await?.json()?;
            Ok((!seen["draft"].is_null()).then(|| seen["draft"].clone()))
        })
        .await?;
        let document = draft["document"].as_str().context("a draft has an id")?;
        let pdf = browser
            .get(&format!("{national}/cases/{case}/results/{document}"))
            .await?;
        pdf.ok()?;
        ensure!(pdf.body.starts_with(b"%PDF"), "the draft is no PDF");
        ensure!(
            seal::pdf::signature_parts(&pdf.body).is_none(),
            "somebody has signed the draft"
        );
        let bytes = pdf.body.len();
        self.keep_file("draft.pdf", &pdf.body)?;
        let answered = self
            .mother
            .post_json(&format!("{url}/draft-answer"), &json!({"agreed": true}))
            .await?;
        ensure!(answered["draft"].is_null(), "the draft still waits for an answer");
        Ok(bytes)
    }

    /// Step 7.
    pub(super) async fn result(&mut self) -> anyhow::Result<Value> {
        let url = format!("{}/api/v1/cases/{}", self.national(), self.case);
        let browser = &mut self.mother;
        let done = until("status 10 at the portal", async || {
            let seen = browser.get(&url).await?.json()?;
            Ok((seen["status"] == 10).then_some(seen))
        })
        .await?;
        let mut statuses = in_order_once(&done)?;
        // What other agencies do afterwards is told with the status as it stands.
        statuses.dedup();
        ensure!(
            statuses.starts_with(&[1, 2]) && statuses.ends_with(&[9, 10]),
            "the statuses are {statuses:?}"
        );
        let result = done["results"]
            .as_array()
            .and_then(|r| r.first())
            .context("the case has a result")?
            .clone();
        let document = result["document"].as_str().context("a document id")?;
        let address = format!("{}/cases/{}/results/{document}", self.national(), self.case);
        let pdf = self.mother.get(&address).await?;
        pdf.ok()?;
        self.certificate = pdf.body.to_vec();
        self.keep_file("certificate.pdf", &self.certificate)?;
        let trust = tools::trust(&self.nation.layout().ca())?;
        let verdict = seal::pdf::verify(&self.certificate, &trust, World::of_this_machine().now());
        ensure!(
            verdict.is_passed(),
            "the certificate does not pass: {}",
            verdict.reason
        );
        ensure!(
            verdict.signers.len() == 2,
            "the certificate has {} signatures",
            verdict.signers.len()
        );
        let checked = tools::check_pdf_outside(&self.certificate, &self.nation.layout().ca()).await?;
        Ok(json!({
            "number": result["number"],
            "bytes": self.certificate.len(),
            "signer": verdict.signer,
            "signers": verdict.signers.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
            "statuses": statuses,
            "pdfsig": checked.0,
            "openssl_cms": checked.1,
        }))
    }

    /// Leaves a file for the reader of the story, when a folder was named.
    pub(super) fn keep_file(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        if let Some(folder) = &self.keep {
            std::fs::create_dir_all(folder)?;
            std::fs::write(folder.join(name), bytes).with_context(|| format!("cannot write {name}"))?;
        }
        Ok(())
    }
}
