//! The certificates that evidence was sealed with, kept for as long as the evidence is: each a blob
//! under its thumbprint, since the directory forgets a certificate that was renewed. Never a word
//! on whether one is good: that is the directory's.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use kernel::{Digest, Problem};
use seal::certificate::Certificate;
use store::Store;

/// Certificates by thumbprint; a node sees few.
pub(crate) struct Certificates {
    store: Store,
    known: RwLock<HashMap<Digest, Certificate>>,
}

impl Certificates {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            known: RwLock::default(),
        }
    }

    /// Keeps a certificate; after the first time this only looks.
    pub(crate) async fn keep(&self, certificate: &Certificate) -> Result<(), Problem> {
        if self.look(&certificate.thumbprint()).is_none() {
            self.store.blobs().put(certificate.der()).await?;
            self.learn(certificate);
        }
        Ok(())
    }

    /// A certificate that was kept, in this run or an earlier one.
    pub(crate) async fn get(&self, thumbprint: &Digest) -> Result<Certificate, Problem> {
        if let Some(certificate) = self.look(thumbprint) {
            return Ok(certificate);
        }
        let der = self.store.blobs().get(thumbprint).await?;
        let certificate = Certificate::from_der(&der).map_err(Problem::internal)?;
        self.learn(&certificate);
        Ok(certificate)
    }

    fn look(&self, thumbprint: &Digest) -> Option<Certificate> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(thumbprint).cloned()
    }

    fn learn(&self, certificate: &Certificate) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(certificate.thumbprint(), certificate.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_certificate_outlives_the_run_that_saw_it() {
        let temp = testkit::store(&[]).await;
        let certificate = testkit::authority().certificate();
        let first = Certificates::new(temp.store.clone());
        assert!(first.get(&certificate.thumbprint()).await.is_err());
        first.keep(&certificate).await.expect("kept");
        let later = Certificates::new(temp.store.clone());
        assert_eq!(
            later.get(&certificate.thumbprint()).await.expect("kept"),
            certificate
        );
    }
}
