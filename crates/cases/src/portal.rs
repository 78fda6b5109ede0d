//! What a portal offers on the exchange: owners tell it where its cases stand.

pub mod note_status;

pub use note_status::NoteStatus;
