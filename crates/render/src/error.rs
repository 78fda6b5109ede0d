//! Why a page could not be drawn. Never shown to the public as it is: a message quotes the template
//! and may quote the value on which it failed.

/// Why a page could not be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// No template has this name.
    #[error("no template is named {0:?}")]
    NoTemplate(String),
    /// Two files have this name, or it is no plain file name (`birth-certificate.typ`).
    #[error("{0:?} cannot be the name of a template file, or stands there twice")]
    Name(String),
    /// The template is broken, asks for a field that the data lack, or shows a character that no
    /// font has.
    #[error("template {template}: {message}")]
    Template {
        /// Name of the template, `birth-certificate.typ`.
        template: String,
        /// Each mistake with its file, line and the line's text; mistakes are separated by `; `.
        message: String,
    },
    /// The text does not fit into a QR code; the number is its length in bytes.
    #[error("{0} bytes do not fit into a QR code")]
    Qr(usize),
}

/// One mistake of a template, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The template file.
    pub file: String,
    /// Its line, from 1.
    pub line: u64,
    /// What the layout engine says.
    pub message: String,
}
