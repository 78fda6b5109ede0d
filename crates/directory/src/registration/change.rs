//! What is to become of the directory, as one enum. Pure: what each change does is in `apply`;
//! never says who may, never signs and never publishes.

use kernel::{Digest, OrgCode};
use serde::{Deserialize, Serialize};

use crate::anchor::Anchor;
use crate::authorities::Use;
use crate::snapshot;

/// A service as its owner tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToldService {
    /// Its code within the system.
    pub code: String,
    /// What it does.
    pub title: String,
}

/// One change of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(
    tag = "change",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case",
    deny_unknown_fields
)]
pub enum Change {
    /// A system takes part.
    RegisterSystem {
        /// Whose.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its code within the organisation.
        system: String,
        /// Its name.
        name: String,
    },
    /// A system is called otherwise.
    RenameSystem {
        /// Whose.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its code.
        system: String,
        /// Its new name.
        name: String,
    },
    /// A system neither calls nor answers for a time.
    DisableSystem {
        /// Whose.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its code.
        system: String,
    },
    /// It does again.
    EnableSystem {
        /// Whose.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its code.
        system: String,
    },
    /// A system takes part no more; its services and its places in groups go with it.
    DeleteSystem {
        /// Whose.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its code.
        system: String,
    },
    /// What a system offers, in the place of what the directory says.
    OfferServices {
        /// Whose.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its code.
        system: String,
        /// All its services.
        services: Vec<ToldService>,
    },
    /// A node is reached elsewhere.
    MoveNode {
        /// Its id.
        node: String,
        /// Where, `host:port`.
        peer: String,
    },
    /// A node has a new certificate; the one before stays good until it is dropped, revoked or over.
    CertifyNode {
        /// Its id.
        node: String,
        /// The certificate, then its issuers if any, PEM.
        certificate: String,
    },
    /// An earlier certificate of a node counts no more.
    DropNodeCertificate {
        /// Its id.
        node: String,
        /// SHA-256 of the certificate.
        #[schema(value_type = String)]
        thumbprint: Digest,
    },
    /// A member's seal has a new certificate; as with a node's, the one before stays good for a time.
    CertifySeal {
        /// Whose.
        #[schema(value_type = String)]
        org: OrgCode,
        /// The certificate, then its issuers if any, PEM.
        certificate: String,
    },
    /// An organisation takes part, at a node that is there or at a new one.
    Join {
        /// Its code.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its name.
        name: String,
        /// Its class.
        class: String,
        /// The certificate of its seal, then its issuers if any, PEM.
        certificate: String,
        /// The id of the node that hosts it.
        node: String,
        /// Where a new node is reached, `host:port`; empty for a node that is there.
        peer: String,
        /// The certificate of a new node, PEM; empty for a node that is there.
        node_certificate: String,
    },
    /// A member is called otherwise.
    RenameMember {
        /// Who.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its new name.
        name: String,
    },
    /// A member is of another class.
    ClassMember {
        /// Who.
        #[schema(value_type = String)]
        org: OrgCode,
        /// The class.
        class: String,
    },
    /// A member takes part in no exchange for a time: nobody answers its calls, nobody calls it. What it
    /// agreed stays.
    DisableMember {
        /// Who.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Why.
        reason: String,
    },
    /// It does again.
    EnableMember {
        /// Who.
        #[schema(value_type = String)]
        org: OrgCode,
    },
    /// A member takes part no more; its systems and services go with it, and its node when nobody else is there.
    Leave {
        /// Who.
        #[schema(value_type = String)]
        org: OrgCode,
    },
    /// A class of members is new, or called otherwise.
    NameClass {
        /// Its code.
        class: String,
        /// Its name.
        name: String,
    },
    /// A root of certificates is trusted.
    TrustRoot {
        /// Its certificate, PEM.
        certificate: String,
    },
    /// A root is trusted no more.
    WithdrawRoot {
        /// SHA-256 of its certificate.
        #[schema(value_type = String)]
        thumbprint: Digest,
    },
    /// An authority stands between a root and certificates.
    NameIssuer {
        /// Its certificate, PEM.
        certificate: String,
    },
    /// Nothing more is said of an authority that stands between.
    WithdrawIssuer {
        /// SHA-256 of its certificate.
        #[schema(value_type = String)]
        thumbprint: Digest,
    },
    /// What a root or an authority between vouches for, and where it says what it has revoked; in the place of
    /// what was said before.
    DescribeAuthority {
        /// SHA-256 of its certificate.
        #[schema(value_type = String)]
        thumbprint: Digest,
        /// What it vouches for; everything when it is empty.
        uses: Vec<Use>,
        /// Where its list of revoked certificates (CRL) is; empty when it has none.
        crl: String,
        /// Where it answers for one certificate (OCSP); empty when it does not.
        ocsp: String,
        /// A word for the operators; may be empty.
        note: String,
    },
    /// A timestamp service may be used.
    AddTimestamps {
        /// Where it listens.
        url: String,
        /// Its certificate, PEM.
        certificate: String,
    },
    /// A timestamp service is used no more.
    WithdrawTimestamps {
        /// Where it listens.
        url: String,
    },
    /// Another instance of the exchange is trusted, by the anchor that its operator gave and whose hash
    /// was compared; in the place of the anchor before, if there was one.
    TrustInstance {
        /// The anchor, as that instance's hub signed it.
        anchor: String,
        /// Its hash, as it was compared.
        #[schema(value_type = String)]
        hash: Digest,
        /// Why.
        reason: String,
    },
    /// Another instance is trusted no more: no call passes from or to it.
    WithdrawInstance {
        /// Its identifier.
        instance: String,
        /// Why.
        reason: String,
    },
    /// A group of systems is new, or called otherwise.
    NameGroup {
        /// Its code.
        group: String,
        /// Its name.
        name: String,
    },
    /// A group is no more.
    EndGroup {
        /// Its code.
        group: String,
    },
    /// A system comes into a group.
    AddToGroup {
        /// The group's code.
        group: String,
        /// The system, `H56/one-stop`.
        system: String,
    },
    /// A system leaves a group.
    RemoveFromGroup {
        /// The group's code.
        group: String,
        /// The system, `H56/one-stop`.
        system: String,
    },
}

impl Change {
    /// Its kind, as its JSON calls it: `register-system`.
    #[must_use]
    pub fn kind(&self) -> String {
        let json = serde_json::to_value(self).unwrap_or_default();
        let kind = json.get("change").and_then(|kind| kind.as_str());
        kind.unwrap_or_default().to_owned()
    }

    /// What facts and lists say it is about: `system/H56/one-stop`, `node/province`, `member/H56`.
    #[must_use]
    pub fn about(&self) -> String {
        match self {
            Self::RegisterSystem { org, system, .. }
            | Self::RenameSystem { org, system, .. }
            | Self::DisableSystem { org, system }
            | Self::EnableSystem { org, system }
            | Self::DeleteSystem { org, system }
            | Self::OfferServices { org, system, .. } => format!("system/{org}/{system}"),
            Self::MoveNode { node, .. }
            | Self::CertifyNode { node, .. }
            | Self::DropNodeCertificate { node, .. } => format!("node/{node}"),
            Self::CertifySeal { org, .. }
            | Self::Join { org, .. }
            | Self::RenameMember { org, .. }
            | Self::ClassMember { org, .. }
            | Self::DisableMember { org, .. }
            | Self::EnableMember { org }
            | Self::Leave { org } => format!("member/{org}"),
            Self::NameClass { class, .. } => format!("class/{class}"),
            Self::TrustRoot { certificate } => {
                let root = snapshot::certificate(certificate).map(|root| root.thumbprint());
                format!("root/{}", root.unwrap_or_default())
            }
            Self::WithdrawRoot { thumbprint } => format!("root/{thumbprint}"),
            Self::NameIssuer { certificate } => {
                let issuer = snapshot::certificate(certificate).map(|issuer| issuer.thumbprint());
                format!("authority/{}", issuer.unwrap_or_default())
            }
            Self::WithdrawIssuer { thumbprint } | Self::DescribeAuthority { thumbprint, .. } => {
                format!("authority/{thumbprint}")
            }
            Self::AddTimestamps { url, .. } | Self::WithdrawTimestamps { url } => format!("timestamps/{url}"),
            Self::TrustInstance { anchor, .. } => {
                let anchor = Anchor::read(anchor);
                format!("instance/{}", anchor.map(|a| a.instance).unwrap_or_default())
            }
            Self::WithdrawInstance { instance, .. } => format!("instance/{instance}"),
            Self::NameGroup { group, .. }
            | Self::EndGroup { group }
            | Self::AddToGroup { group, .. }
            | Self::RemoveFromGroup { group, .. } => format!("group/{group}"),
        }
    }

    /// The organisation whose own thing it is; `None` for a node's.
    #[must_use]
    pub const fn owner(&self) -> Option<&OrgCode> {
        match self {
            Self::RegisterSystem { org, .. }
            | Self::RenameSystem { org, .. }
            | Self::DisableSystem { org, .. }
            | Self::EnableSystem { org, .. }
            | Self::DeleteSystem { org, .. }
            | Self::OfferServices { org, .. }
            | Self::CertifySeal { org, .. } => Some(org),
            _ => None,
        }
    }

    /// The node whose own thing it is.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        match self {
            Self::MoveNode { node, .. }
            | Self::CertifyNode { node, .. }
            | Self::DropNodeCertificate { node, .. } => Some(node),
            _ => None,
        }
    }

    /// True for what the hub may approve by itself when it is told to: systems and what they offer.
    /// Addresses and certificates always need a person.
    #[must_use]
    pub const fn may_be_automatic(&self) -> bool {
        matches!(
            self,
            Self::RegisterSystem { .. }
                | Self::RenameSystem { .. }
                | Self::DisableSystem { .. }
                | Self::EnableSystem { .. }
                | Self::DeleteSystem { .. }
                | Self::OfferServices { .. }
        )
    }
}
