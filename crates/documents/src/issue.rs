//! Issuing: render, sign, keep the bytes, then row and fact in one change. The bytes are kept first:
//! a blob without a row is only space, a row without its blob would be a lie.

use ::seal::pdf::PdfSigning;
use kernel::{Actor, Digest, Fact, Kind, Problem, Time};
use serde_json::Value;

use crate::Documents;
use crate::document::{Issued, NewDocument, Signer};
use crate::draw;
use crate::store::{self as rows, NewRow};

impl Documents {
    /// Issues a document once: the same id again gives what was issued.
    ///
    /// # Errors
    /// `document-template` when the template cannot be filled, `document-signer` when the signer
    /// has no key here.
    pub async fn issue(&self, new: NewDocument, actor: &Actor) -> Result<Issued, Problem> {
        let parts = &*self.0;
        if let Some(held) = rows::find(&parts.store.read(&new.tenant).await?, &new.id).await? {
            return Ok(held.into());
        }
        let at = parts.store.world().now();
        let pdf = self.render(&new, at).await?;
        let signed = self.sign(&new, &pdf, at)?;
        let digest = parts.store.blobs().put(&signed).await?;
        let (new, signer) = (&new, signer_text(&new));
        let signer = &signer;
        let tenant = new.tenant.clone();
        parts
            .store
            .write(&tenant, actor, |tx| async move {
                if let Some(held) = rows::find_in(&tx, &new.id).await? {
                    return Ok(held.into());
                }
                let row = NewRow {
                    id: &new.id,
                    unit: &new.unit,
                    kind: &new.kind,
                    number: &new.number,
                    about: &new.about,
                    owner: new.owner.as_ref(),
                    digest,
                    signer,
                };
                rows::insert(&tx, &row).await?;
                let fact = Fact::DocumentIssued {
                    document: new.id.clone(),
                    kind: new.kind.clone(),
                    number: new.number.clone(),
                    digest,
                };
                tx.fact(&format!("document/{}", new.id), fact).await?;
                Ok(Issued {
                    id: new.id.clone(),
                    kind: new.kind.clone(),
                    number: new.number.clone(),
                    digest,
                })
            })
            .await
    }

    /// The signed bytes of an issued document.
    ///
    /// # Errors
    /// When the blob is missing or damaged.
    pub async fn bytes(&self, digest: &Digest) -> Result<Vec<u8>, Problem> {
        self.0.store.blobs().get(digest).await
    }

    async fn render(&self, new: &NewDocument, at: Time) -> Result<Vec<u8>, Problem> {
        let check_url = format!("{}/verify/{}", self.0.base_url, new.id);
        let mut data = new.data.clone();
        if let Value::Object(map) = &mut data {
            map.insert(
                "qr_svg".to_owned(),
                render::qr_svg(&check_url).map_err(draw::refused)?.into(),
            );
            map.insert("check_url".to_owned(), check_url.into());
            map.insert("specimen".to_owned(), true.into());
        }
        self.drawn(new.template.clone(), data, at).await
    }

    fn sign(&self, new: &NewDocument, pdf: &[u8], at: Time) -> Result<Vec<u8>, Problem> {
        let keyring = &self.0.keyring;
        let identity = match &new.signer {
            Signer::Person(account) => keyring.signers.get(account),
            Signer::Organisation => keyring.seals.get(&new.tenant.top()),
        };
        let identity = identity.ok_or_else(|| Problem::new(Kind::Forbidden, "document-signer"))?;
        let name = identity.certificate.common_name();
        let how = PdfSigning {
            identity,
            at,
            reason: &new.reason,
            location: new.tenant.as_str(),
            name: &name,
        };
        let signed = ::seal::pdf::sign(pdf, &how).map_err(Problem::internal)?;
        // Both sides of the books: what we sign must read as signed before anybody gets it.
        let verdict = ::seal::pdf::verify(&signed, &self.0.directory.trust(), at);
        if verdict.is_passed() {
            Ok(signed)
        } else {
            Err(Problem::internal(format!(
                "our own signature does not hold: {}",
                verdict.reason
            )))
        }
    }
}

fn signer_text(new: &NewDocument) -> String {
    match &new.signer {
        Signer::Person(account) => format!("official:{account}"),
        Signer::Organisation => format!("organisation:{}", new.tenant),
    }
}
