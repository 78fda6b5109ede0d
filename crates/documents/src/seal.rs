//! Sealing: the clerk (văn thư) adds the number and the agency's signature to what a person signed, as
//! a revision behind it (Decree 30/2020/NĐ-CP, articles 17 and 18 and annex I). Never changes a byte of
//! what was signed, and never seals twice.

use ::seal::pdf::{Mark, PdfSigning};
use kernel::{Actor, Fact, Kind, Problem, Tenant, Time};
use serde_json::Value;

use crate::Documents;
use crate::document::Issued;
use crate::store as rows;

/// How a document is sealed.
#[derive(Clone, Debug)]
pub struct Sealing {
    /// The issuing tenant, whose signature is added.
    pub tenant: Tenant,
    /// The document's id.
    pub id: String,
    /// Its number from now on.
    pub number: String,
    /// The account of who seals.
    pub by: String,
    /// When, as the mark says.
    pub at: Time,
    /// Why, shown by PDF readers.
    pub reason: String,
    /// What is drawn on the page.
    pub mark: SealMark,
}

/// The mark that a seal leaves on the first page.
#[derive(Clone, Debug)]
pub struct SealMark {
    /// The pack's template, a page of the mark's size.
    pub template: String,
    /// What the template asks for.
    pub data: Value,
    /// The corners in points from the page's lower left: left, bottom, right, top.
    pub place: [f32; 4],
}

impl Documents {
    /// Adds the agency's signature to an issued document, once: sealed already, it is given as it is.
    ///
    /// # Errors
    /// 404 for no such document; `document-signer` when the organisation has no seal here;
    /// `document-template` when the mark cannot be drawn.
    pub async fn seal(&self, how: &Sealing, actor: &Actor) -> Result<Issued, Problem> {
        let parts = &*self.0;
        let held = rows::find(&parts.store.read(&how.tenant).await?, &how.id).await?;
        let held = held.ok_or_else(Problem::not_found)?;
        if held.sealed {
            return Ok(held.into());
        }
        let signed = parts.store.blobs().get(&held.digest).await?;
        let sealed = self.add_seal(&signed, how).await?;
        let digest = parts.store.blobs().put(&sealed).await?;
        parts
            .store
            .write(&how.tenant, actor, |tx| async move {
                let held = rows::find_in(&tx, &how.id)
                    .await?
                    .ok_or_else(Problem::not_found)?;
                if held.sealed {
                    return Ok(held.into());
                }
                rows::seal(&tx, &held, &how.number, digest, &how.by).await?;
                let fact = Fact::DocumentSealed {
                    document: how.id.clone(),
                    digest,
                };
                tx.fact(&format!("document/{}", how.id), fact).await?;
                Ok(Issued {
                    number: how.number.clone(),
                    digest,
                    ..Issued::from(held)
                })
            })
            .await
    }

    async fn add_seal(&self, signed: &[u8], how: &Sealing) -> Result<Vec<u8>, Problem> {
        let SealMark {
            template,
            data,
            place,
        } = how.mark.clone();
        let drawn = self.drawn(template, data, how.at).await?;
        let identity = self.0.keyring.seals.get(&how.tenant.top());
        let identity = identity.ok_or_else(|| Problem::new(Kind::Forbidden, "document-signer"))?;
        let name = identity.certificate.common_name();
        let signing = PdfSigning {
            identity,
            at: how.at,
            reason: &how.reason,
            location: how.tenant.as_str(),
            name: &name,
        };
        let mark = Mark { pdf: &drawn, place };
        let sealed = ::seal::pdf::countersign(signed, &signing, Some(&mark)).map_err(Problem::internal)?;
        // Both sides of the books: both signatures must hold before anybody gets it.
        let verdict = ::seal::pdf::verify(&sealed, &self.0.directory.trust(), how.at);
        if verdict.is_passed() && verdict.signers.len() > 1 {
            Ok(sealed)
        } else {
            Err(Problem::internal(format!(
                "our own seal does not hold: {} {}",
                verdict.reason,
                verdict.first_bad.unwrap_or_default()
            )))
        }
    }
}
