//! Two nodes in one process, over mutual TLS: what an exchange must do, and what it must refuse.
//! One binary for the whole suite. Never a mock of a gateway: both halves are the real ones.

mod agreements;
mod asic;
mod between;
mod bodies;
mod callers;
mod circuits;
mod counting;
mod directory;
mod evidence;
mod evidence_pages;
mod face;
mod figures;
mod forged;
mod formats;
mod happy;
mod life;
mod metadata;
mod nation;
mod node;
mod nodes;
mod offered;
mod offered_tls;
mod operator;
mod operator_life;
mod operator_services;
mod quotas;
mod replay;
mod rest;
mod seals;
mod services;
mod texts;
mod timestamps;
mod x_road;
