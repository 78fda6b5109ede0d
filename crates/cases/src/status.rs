//! The ten national statuses of a case (packs/vn/codes/case-statuses.csv). Pure: never a case or a row.
//!
//! | read | for |
//! |---|---|
//! | [`moves`] | which may follow which, on a day |

pub mod moves;
