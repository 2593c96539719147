//! Kazoo's API, as its clients use it.

mod accounts;
mod bad_input;
mod clients;
mod digests;
mod house;
mod impersonate;
mod key;
mod pairs;
mod rank;
mod recovery;
mod seed;
mod session;
