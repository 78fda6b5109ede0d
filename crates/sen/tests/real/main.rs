//! A real node as its operator meets it: processes of `sen`, certificates of an outside authority, the
//! commands of docs/operating.md. On PostgreSQL when `SEN_TEST_POSTGRES` names a server. Never a sample
//! nation's processes.

mod apply;
mod doctor;
mod hosted;
mod house;
mod import;
mod lost;
mod restart;
mod serve;
mod sheet;
