//! Builds the crate anew when a migration is added: the compiler itself only sees the files that it knows already.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
