//! The messages of the national portal by their own names (`DongBoHoSoMC`, `CapNhatTienDoHoSoMC`, `TraCuuHoSo`,
//! `LayThuTuc`, `DongBoDanhGia`, `DongBoHoiDap`, `DongBoThongKeHoSo`): how they read, what a portal does with them, and how an owner speaks them to a portal
//! that has nothing else. Never a case's rule: what an owner does with a case is decided at its desk.
//!
//! | read | for |
//! |---|---|
//! | [`message`], [`case_item`], [`stamp`] | how the messages read, pure |
//! | [`told`] | what an item says, or which field cannot be read, pure |
//! | [`judge`] | which word moves a case and which comes late, pure |
//! | [`own`] | a case of ours as items, pure |
//! | [`question`] | a question and its answer as an item, pure |
//! | [`receive`], [`rated`], [`look`], [`questions`] | the services of a portal |
//! | [`statistics`] | the figures of a month: told, taken, and shown beside the portal's own |
//! | `found` | a case of another system, found without signing in |
//! | [`send`], [`dialect`] | the owner's side, and to whom it speaks so |
//! | [`store`] | all SQL |
//! | [`measure`] | how many words a second a portal takes |

pub mod case_item;
pub mod dialect;
pub(crate) mod found;
pub mod judge;
pub mod look;
pub mod measure;
pub mod message;
pub mod own;
pub mod question;
pub mod questions;
pub mod rated;
pub mod receive;
pub mod send;
pub mod stamp;
pub mod statistics;
pub mod store;
#[cfg(test)]
mod tests;
pub mod told;

use std::sync::Arc;

use exchange::Service;

use crate::state::Cases;

/// What a portal offers to owners that speak the national messages.
pub(crate) fn services(cases: &Cases) -> Vec<Arc<dyn Service>> {
    message::NAMES
        .iter()
        .map(|(message, _)| {
            Arc::new(receive::National {
                cases: cases.clone(),
                message: *message,
            }) as Arc<dyn Service>
        })
        .collect()
}
