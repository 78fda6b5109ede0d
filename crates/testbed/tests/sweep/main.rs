//! Every operation of every node, from the nodes' own descriptions: who is refused, and what is left
//! behind. An operation that nobody is refused, or that changes something and leaves no fact, fails
//! by name. Nothing is listed by hand but what a description cannot say: examples of parameters.

mod descriptions;
mod example;
mod refusals;
mod script;
mod stage;
