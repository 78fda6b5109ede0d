//! The command line, one file a command: its flags and the call it leads to. A new command is a file
//! here and a line in `main.rs`. Never a rule: commands call the library.

pub(crate) mod account;
pub(crate) mod agreement;
pub(crate) mod apply;
pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod directory;
pub(crate) mod doctor;
pub(crate) mod evidence;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod openapi;
pub(crate) mod pack;
pub(crate) mod serve;
pub(crate) mod story;
pub(crate) mod up;
pub(crate) mod verify;
