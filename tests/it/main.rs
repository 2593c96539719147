//! Black-box tests: one binary, one folder per subject.

mod command;
mod edge;
mod isolation;
mod reload;
mod store;
mod wazo;
