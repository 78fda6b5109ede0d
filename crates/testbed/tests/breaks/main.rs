//! What Sen does when something breaks under it: full disks, power cuts, flipped bits, clocks that jump,
//! a machine that is lost. Quick forms of `cargo xtask crash`, `power` and `slow`.

mod altered;
mod archive;
mod backup;
mod bit_flips;
mod clock;
mod disk_full;
mod disk_full_exchange;
mod doctor;
mod evidence;
mod leaving;
mod power_cut;
mod records;
mod renewed;
