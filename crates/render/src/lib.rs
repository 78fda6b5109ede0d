//! PDF from the pack's templates: the only crate that names a layout engine. It never reads a
//! file, a socket, a clock or a package: templates and data are handed in, pages come out.
//!
//! | module | holds |
//! |---|---|
//! | [`error`] | why a page could not be drawn |
//! | [`fields`] | which fields of its data a template names |
//! | [`qr`] | QR codes as SVG |
//! | [`templates`] | the loaded templates and the way from data to PDF |
//! | [`words`] | dates and numbers in Vietnamese words |
//!
//! A template is a Typst file. It reads its data with `json("data.json")` and writes in its header
//! comment which fields it wants. A file whose name begins with `_` is shared by the others through
//! `import` and is not a template itself.

pub mod error;
pub mod fields;
pub mod qr;
pub mod templates;
pub mod words;
mod world;

pub use error::{Mistake, RenderError};
pub use fields::NamedField;
pub use qr::qr_svg;
pub use templates::Templates;
pub use words::{date_in_words, number_in_words};
