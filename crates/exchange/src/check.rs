//! What both halves ask of a sealed message before they believe a word of it. Cheap questions come
//! first: a body is only read once the seal claims to be the member's. Never an agreement.

use kernel::{Digest, Kind, OrgCode, Problem};
use seal::batch::Parts;

use crate::envelope::{Kept, Message};
use crate::gateway::Gateway;

impl Gateway {
    /// A message must carry the seal of the member it speaks for, by a certificate that is good
    /// now; gives the digests the seal covers. The certificate is kept from then on.
    pub(crate) async fn check_seal(&self, member: &OrgCode, message: &Message) -> Result<Parts, Problem> {
        let broken = || Problem::new(Kind::Forbidden, "seal-broken").with("hop", member);
        let claimed = Digest(message.sealed.certificate);
        if self.directory.is_revoked_of(member, &claimed) {
            return Err(broken().because("the member's certificate is revoked"));
        }
        self.trusts(member)?;
        let certificate = self
            .directory
            .seal_called(&member.top(), &claimed)
            .ok_or_else(|| Problem::new(Kind::Forbidden, "member-unknown").with("member", member))?;
        if certificate.thumbprint() != claimed {
            return Err(broken().because("sealed with another certificate than the directory's"));
        }
        let now = self.now();
        if now < certificate.not_before() || now > certificate.not_after() {
            return Err(broken().because("the member's certificate is out of its term"));
        }
        let parts = message.parts();
        self.seals
            .check(&parts, &message.sealed, &certificate)
            .map_err(|e| broken().because(e))?;
        self.certificates.keep(&certificate).await?;
        Ok(parts)
    }

    /// The organisation is of our own instance, or of one that is trusted: else nothing of it is believed
    /// and nothing is sent to it.
    ///
    /// # Errors
    /// 403 `instance-untrusted`.
    pub(crate) fn trusts(&self, org: &OrgCode) -> Result<(), Problem> {
        let instance = org.instance();
        if self.directory.knows(instance) {
            return Ok(());
        }
        Err(Problem::new(Kind::Forbidden, "instance-untrusted").with("instance", instance))
    }

    /// The certificate a kept message was sealed with, whatever the directory says of it today.
    pub(crate) async fn certificate_of(
        &self,
        org: &OrgCode,
        kept: &Kept,
    ) -> Result<seal::certificate::Certificate, Problem> {
        let thumbprint = Digest(kept.sealed.certificate);
        match self.certificates.get(&thumbprint).await {
            Ok(certificate) => Ok(certificate),
            Err(cause) => self
                .directory
                .certificate_by_thumbprint(&thumbprint)
                .ok_or_else(|| {
                    Problem::new(Kind::NotFound, "member-unknown")
                        .with("member", org)
                        .because(cause)
                }),
        }
    }
}
