//! What the whole-system tests share: a nation, its people, one birth registration through it, and a
//! client that sends what no browser would. Never in a release, and never a rule of the platform.
//!
//! | read | for |
//! |---|---|
//! | [`ground`] | the runtime, folders and the program under test |
//! | [`site`] | where a nation is and who may sign in there |
//! | [`nation`] | a nation inside the test, whose nodes stop and start |
//! | [`pack`] | the pack with one file changed |
//! | [`program`] | a nation run by the program `sen`, its log kept |
//! | [`people`] | somebody signed in |
//! | [`birth`] | one birth registration, step by step |
//! | [`permit`] | a building permit at the desk, about which others are asked |
//! | [`fee`] | a certified copy, and its fee paid at the bank |
//! | [`messages`] | what was sent by e-mail and SMS |
//! | [`browser`] | a real browser, its verbs, and what holds of every page |
//! | [`raw`] | one request as it is, and its answer |
//! | [`api`] | the operations of a node's description |
//! | [`load`], [`crash`], [`sites`], [`audit`] | people at work while nodes die, and what must hold afterwards |
//! | [`effects`], [`exchanges`] | a system's numbered calls and the service that counts them; what must hold of every exchange |
//! | [`power`], [`mounted`] | the disk as a power cut leaves it; small disks |
//! | [`slow`] | thousands of slow clients, and how long honest ones wait |
//! | [`filing`] | how many cases can be filed in a time |
//! | [`scale`] | what the pages cost in a nation with a long past |

pub mod api;
pub mod audit;
pub mod birth;
pub mod browser;
pub mod crash;
pub mod effects;
pub mod exchanges;
pub mod fee;
pub mod filing;
pub mod ground;
pub mod load;
pub mod messages;
pub mod mounted;
pub mod nation;
pub mod pack;
pub mod people;
pub mod permit;
pub mod power;
pub mod program;
pub mod raw;
pub mod scale;
pub mod site;
pub mod sites;
pub mod slow;
