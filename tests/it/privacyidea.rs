//! privacyIDEA's API, and realms through all dialects.

mod bad_input;
mod factors;
mod house;
mod import;
mod policies;
mod realms;
mod resolvers;
mod seed;
mod sessions;
