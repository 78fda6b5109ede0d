//! The platform as its people meet it: Chromium at the portals of a nation, on a phone and on a desk,
//! in both languages, with and without script. Every page that is met is held to what holds of all.

// Tests begin in the order of their names: the longest story is the first.
mod birth;
mod cast;
mod consult;
mod course;
mod errands;
mod licence;
mod mishaps;
mod petition;
mod shapes;
mod told;
mod wallet;
