//! Why something could not be made or read ([`SealError`]), and why a sealed message was refused
//! ([`SealFault`]). Never carries key material or message contents.

/// Why a key, certificate, token or container could not be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// A private key is not PKCS#8 P-256.
    #[error("key: {0}")]
    Key(&'static str),
    /// A certificate cannot be read or used.
    #[error("certificate: {0}")]
    Certificate(&'static str),
    /// Text is not the PEM that was expected.
    #[error("pem: {0}")]
    Pem(&'static str),
    /// A certificate could not be issued.
    #[error("issue: {0}")]
    Issue(String),
    /// A signed token (JWS) is refused.
    #[error("token: {0}")]
    Token(&'static str),
    /// A CMS structure cannot be made, read or accepted.
    #[error("cms: {0}")]
    Cms(&'static str),
    /// A timestamp request, response or token is refused.
    #[error("timestamp: {0}")]
    Timestamp(&'static str),
    /// A PDF cannot be signed or read.
    #[error("pdf: {0}")]
    Pdf(&'static str),
    /// A container cannot be written or read.
    #[error("container: {0}")]
    Container(&'static str),
    /// A structure does not encode as DER.
    #[error("{what} does not encode: {cause}")]
    Encoding {
        /// The structure.
        what: &'static str,
        /// The encoder's words.
        cause: String,
    },
    /// A certificate has no path to the given trust.
    #[error(transparent)]
    Path(#[from] crate::certificate::PathFault),
}

impl SealError {
    /// A structure that the DER encoder refused.
    #[must_use]
    pub fn encoding(what: &'static str, cause: &der::Error) -> Self {
        Self::Encoding {
            what,
            cause: cause.to_string(),
        }
    }
}

/// Why a message's seal is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    /// The template number is not one this release knows.
    #[error("seal_template_unknown")]
    TemplateUnknown,
    /// The seal names another certificate than the one given.
    #[error("seal_certificate_differs")]
    CertificateDiffers,
    /// The signing time is no time of the calendar.
    #[error("seal_time_invalid")]
    TimeInvalid,
    /// The path is longer than any batch allows.
    #[error("seal_path_too_long")]
    PathTooLong,
    /// The signature is not the certificate's over this message.
    #[error("seal_signature_invalid")]
    SignatureInvalid,
}
