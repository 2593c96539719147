//! `make bench`: Keyway's figures, each against a yardstick measured in the same run, because machines differ and are noisy.
#![expect(clippy::print_stdout, reason = "a table is what this program is for")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a measurement that fails ends the run"
)]

mod account;
mod bare;
mod check;
mod cost;
mod directory;
mod house;
mod instance;
mod kazoo;
mod ldap;
mod load;
mod login;
mod realm;
mod refresh;
mod server;
mod show;
mod swap;
mod table;
mod webitel;

use table::Table;

fn main() -> anyhow::Result<()> {
    let mut table = Table::default();
    let only: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|asked| asked == name);
    if wanted("check") {
        check::measure(&mut table)?;
    }
    if wanted("refresh") {
        refresh::measure(&mut table)?;
    }
    if wanted("directory") {
        directory::measure(&mut table)?;
    }
    if wanted("instance") {
        instance::measure(&mut table)?;
    }
    if wanted("server") {
        server::measure(&mut table)?;
    }
    if wanted("login") {
        login::measure(&mut table)?;
    }
    if wanted("ldap") {
        ldap::measure(&mut table)?;
    }
    if wanted("realm") {
        realm::measure(&mut table)?;
    }
    if wanted("kazoo") {
        kazoo::measure(&mut table)?;
    }
    if wanted("webitel") {
        webitel::measure(&mut table)?;
    }
    if wanted("swap") {
        swap::measure(&mut table)?;
    }
    let text = table.render();
    println!("\n{text}");
    std::fs::write("target/bench.txt", text)?;
    println!("written to target/bench.txt");
    Ok(())
}
