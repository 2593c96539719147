//! `keyway plugin install`: a checked copy into the plugins folder.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use http::Method;
use keyway_core::model::BackendName;
use serde_json::{Value, json};

use super::check::{inspect, suits};
use crate::cli::Global;
use crate::command::admin::{self, Call};
use crate::command::failure::Failure;
use crate::command::output::Output;
use crate::command::user::field;
use crate::config::Config;

pub(super) fn run(global: &Global, output: Output, file: &Path, name: Option<&str>) -> Result<(), Failure> {
    let config = Config::load(global.config_file.as_deref())?;
    let name = match name.or_else(|| file.file_stem().and_then(|stem| stem.to_str())) {
        Some(name) if BackendName::parse(name).is_ok() => name,
        _ => {
            return Err(Failure::usage(
                "the file's name does not do for a plugin; give it one with `--as NAME`",
            ));
        }
    };
    let report = inspect(file, None)?;
    for spec in config.backends.iter().filter(|spec| spec.plugin == name) {
        suits(&inspect(file, Some(&spec.config))?, spec.name.as_str())?;
    }
    let target = config.plugins_dir.join(format!("{name}.wasm"));
    copy(file, &target).map_err(|error| Failure::failed(format!("cannot write `{}`: {error}", target.display())))?;
    let installed = json!({
        "file": target,
        "plugin": report.name,
        "version": report.version,
        "digest": report.digest,
        "backends": take_up(&config, name),
    });
    output.one(&installed, || describe(&installed, &target));
    let mut rows = installed
        .get("backends")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    match rows.find(|row| field(row, "state") != "serving") {
        Some(row) => Err(Failure::failed(format!(
            "the backend `{}` is {} and goes on with what it had; see `keyway plugin list`",
            field(row, "backend"),
            field(row, "state")
        ))),
        None => Ok(()),
    }
}

/// Writes under another name in the same folder, then renames: whoever watches the folder sees the old file or the whole new one.
fn copy(file: &Path, target: &Path) -> std::io::Result<()> {
    let folder: PathBuf = target.parent().map_or_else(|| ".".into(), Path::to_owned);
    std::fs::create_dir_all(&folder)?;
    let mut fresh = tempfile::Builder::new()
        .prefix(".install-")
        .suffix(".new")
        .tempfile_in(&folder)?;
    fresh.write_all(&std::fs::read(file)?)?;
    // The server may run as another user than whoever installs.
    fresh
        .as_file()
        .set_permissions(std::fs::Permissions::from_mode(0o644))?;
    fresh.as_file().sync_all()?;
    fresh.persist(target).map_err(|error| error.error)?;
    std::fs::File::open(&folder)?.sync_all()
}

/// Has a running server look at once; returns the state of the backends that the plugin serves, nothing where no server runs.
fn take_up(config: &Config, plugin: &str) -> Vec<Value> {
    let served: Vec<_> = config
        .backends
        .iter()
        .filter(|spec| spec.plugin == plugin)
        .map(|spec| &spec.name)
        .collect();
    let Ok(report) = crate::command::block_on(admin::send(config, &Call::new(Method::POST, &["reload"]).on_server()))
    else {
        return Vec::new();
    };
    let rows = report
        .get("plugins")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let is_served = |row: &Value| served.iter().any(|name| field(row, "backend") == name.as_str());
    rows.into_iter().filter(is_served).collect()
}

fn describe(installed: &Value, target: &Path) -> String {
    let (plugin, version) = (field(installed, "plugin"), field(installed, "version"));
    let mut lines = vec![format!("{plugin} {version} is in `{}`", target.display())];
    for row in installed
        .get("backends")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let (backend, generation) = (field(row, "backend"), field(row, "generation"));
        let (state, reason) = (field(row, "state"), field(row, "reason"));
        lines.push(
            format!("{backend}: generation {generation}, {state} {reason}")
                .trim_end()
                .to_owned(),
        );
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_whole_readable_for_all_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join("source.wasm");
        let target = folder.path().join("plugins/target.wasm");
        std::fs::write(&source, "one").expect("a file");
        copy(&source, &target).expect("the folder is made");
        std::fs::write(&source, "two").expect("a file");
        copy(&source, &target).expect("the old one is replaced");
        assert_eq!(std::fs::read_to_string(&target).expect("it is there"), "two");
        let mode = std::fs::metadata(&target).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        assert_eq!(
            std::fs::read_dir(folder.path().join("plugins"))
                .expect("a folder")
                .count(),
            1
        );
    }
}
