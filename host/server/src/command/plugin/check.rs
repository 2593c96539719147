//! `keyway plugin check`: would the server load this file?

use std::path::Path;

use keyway_runtime::{BackendSpec, CheckError, PluginReport, check_file};
use serde_json::Value;

use crate::cli::Global;
use crate::command::failure::Failure;
use crate::command::output::Output;
use crate::config::Config;

pub(super) fn run(global: &Global, output: Output, file: &Path, backend: Option<&str>) -> Result<(), Failure> {
    let config = match backend {
        Some(name) => Some(backend_spec(global, name)?.config),
        None => None,
    };
    let report = inspect(file, file, config.as_ref())?;
    let value = serde_json::to_value(&report).map_err(|error| Failure::of(&error))?;
    output.one(&value, || describe(&report));
    suits(&report, backend.unwrap_or_default())
}

/// Whether the plugin accepted the configuration of this backend.
pub(super) fn suits(report: &PluginReport, backend: &str) -> Result<(), Failure> {
    let Some(problem) = report.problems.first() else {
        return Ok(());
    };
    let place = if problem.pointer.is_empty() {
        String::new()
    } else {
        format!("`{}`: ", problem.pointer)
    };
    Err(Failure::failed(format!(
        "the plugin does not accept the configuration of the backend `{backend}`: {place}{}; correct its `config`",
        problem.message
    )))
}

/// Loads a file as the server would; `file` is what the operator calls it, `place` is where it lies.
pub(super) fn inspect(file: &Path, place: &Path, config: Option<&Value>) -> Result<PluginReport, Failure> {
    crate::command::block_on(async {
        check_file(place, config).await.map_err(|error| match &error {
            CheckError::Read { .. } => Failure::of(&error),
            CheckError::Refused(reason) => {
                Failure::failed(format!("`{}` would not be loaded: {reason}", file.display()))
            }
        })
    })
}

/// The backend of this name or alias in the configuration.
pub(super) fn backend_spec(global: &Global, name: &str) -> Result<BackendSpec, Failure> {
    let config = Config::load(global.config_file.as_deref())?;
    let has_name = |spec: &BackendSpec| {
        std::iter::once(&spec.name)
            .chain(&spec.aliases)
            .any(|known| known.as_str() == name)
    };
    config.backends.into_iter().find(has_name).ok_or_else(|| {
        Failure::failed(format!(
            "`{}` has no `[[backend]]` of the name or alias `{name}`",
            config.file.display()
        ))
    })
}

fn describe(report: &PluginReport) -> String {
    let list = |items: &[String]| {
        if items.is_empty() {
            "nothing".to_owned()
        } else {
            items.join(", ")
        }
    };
    format!(
        "{} {}: {}\ndigest   {}\nsize     {} bytes\nwants    {}\nimports  {}\nexports  {}",
        report.name,
        report.version,
        report.summary,
        report.digest,
        report.size,
        list(&report.wants),
        list(&report.imports),
        list(&report.exports)
    )
}
