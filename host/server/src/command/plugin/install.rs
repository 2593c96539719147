//! `keyway plugin install`: a checked copy into the plugins folder.

use std::io::Read;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use http::Method;
use keyway_core::model::BackendName;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

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
    let target = config.plugins_dir.join(format!("{name}.wasm"));
    let unwritten = |error| Failure::failed(format!("cannot write `{}`: {error}", target.display()));
    let source = std::fs::File::open(file)
        .map_err(|error| Failure::failed(format!("`{}` cannot be read: {error}", file.display())))?;
    let staged = stage(source, &config.plugins_dir).map_err(unwritten)?;
    let report = inspect(file, staged.path(), None)?;
    for spec in config.backends.iter().filter(|spec| spec.plugin == name) {
        suits(&inspect(file, staged.path(), Some(&spec.config))?, spec.name.as_str())?;
    }
    put(staged, &target).map_err(unwritten)?;
    let taken_up = take_up(&config, name);
    let installed = json!({
        "file": target,
        "plugin": report.name,
        "version": report.version,
        "digest": report.digest,
        "backends": taken_up.as_deref().unwrap_or_default(),
    });
    output.one(&installed, || describe(&installed, &target));
    taken_up.map_err(|failure| {
        Failure::failed(format!(
            "`{}` is in place, but the running server was not told: {}",
            target.display(),
            failure.text()
        ))
    })?;
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

/// Writes under a name in the plugins folder that no plugin has. The source is read once: what is checked is what is installed.
fn stage(mut source: impl Read, folder: &Path) -> std::io::Result<NamedTempFile> {
    std::fs::create_dir_all(folder)?;
    let mut staged = tempfile::Builder::new()
        .prefix(".install-")
        .suffix(".new")
        .tempfile_in(folder)?;
    std::io::copy(&mut source, &mut staged)?;
    Ok(staged)
}

/// Renames: whoever watches the folder sees the old file or the whole new one.
fn put(staged: NamedTempFile, target: &Path) -> std::io::Result<()> {
    // The server may run as another user than whoever installs.
    staged
        .as_file()
        .set_permissions(std::fs::Permissions::from_mode(0o644))?;
    staged.as_file().sync_all()?;
    staged.persist(target).map_err(|error| error.error)?;
    let folder = target.parent().unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()
}

/// Has a running server look at once; returns the state of the backends that the plugin serves, none where no server runs.
fn take_up(config: &Config, plugin: &str) -> Result<Vec<Value>, Failure> {
    let served: Vec<_> = config
        .backends
        .iter()
        .filter(|spec| spec.plugin == plugin)
        .map(|spec| &spec.name)
        .collect();
    let call = Call::new(Method::POST, &["reload"]);
    let Some(report) = crate::command::block_on(admin::send_if_running(config, &call))? else {
        return Ok(Vec::new());
    };
    let rows = report
        .get("plugins")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let is_served = |row: &Value| served.iter().any(|name| field(row, "backend") == name.as_str());
    Ok(rows.into_iter().filter(is_served).collect())
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
        let plugins = folder.path().join("plugins");
        let target = plugins.join("target.wasm");
        let install = |bytes: &[u8]| put(stage(bytes, &plugins).expect("the folder is made"), &target);
        install(b"one").expect("it is put there");
        install(b"two").expect("the old one is replaced");
        drop(stage(b"three".as_slice(), &plugins).expect("it is not put there"));
        assert_eq!(std::fs::read_to_string(&target).expect("it is there"), "two");
        let mode = std::fs::metadata(&target).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        assert_eq!(std::fs::read_dir(plugins).expect("a folder").count(), 1);
    }
}
