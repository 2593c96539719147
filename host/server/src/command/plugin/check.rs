//! `keyway plugin check`: would the server load this file?

use std::path::Path;

use keyway_runtime::{CheckError, PluginReport, check_file};
use serde_json::Value;

use crate::cli::Global;
use crate::command::failure::Failure;
use crate::command::output::Output;
use crate::config::Config;

pub(super) fn run(global: &Global, output: Output, file: &Path, backend: Option<&str>) -> Result<(), Failure> {
    let config = match backend {
        Some(name) => Some(backend_config(global, name)?),
        None => None,
    };
    let report = inspect(file, config.as_ref())?;
    let value = serde_json::to_value(&report).map_err(|error| Failure::of(&error))?;
    output.one(&value, || describe(&report));
    match report.problems.first() {
        None => Ok(()),
        Some(problem) => Err(Failure::failed(format!(
            "the configuration of the backend does not suit the plugin: `{}`: {}",
            problem.pointer, problem.message
        ))),
    }
}

/// Loads the file as the server would.
pub(super) fn inspect(file: &Path, config: Option<&Value>) -> Result<PluginReport, Failure> {
    crate::command::block_on(async {
        check_file(file, config).await.map_err(|error| match &error {
            CheckError::Read { .. } => Failure::of(&error),
            CheckError::Refused(reason) => {
                Failure::failed(format!("`{}` would not be loaded: {reason}", file.display()))
            }
        })
    })
}

fn backend_config(global: &Global, name: &str) -> Result<Value, Failure> {
    let config = Config::load(global.config_file.as_deref())?;
    let mut backends = config.backends.into_iter();
    let found = backends.find(|spec| {
        std::iter::once(&spec.name)
            .chain(&spec.aliases)
            .any(|known| known.as_str() == name)
    });
    found.map(|spec| spec.config).ok_or_else(|| {
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
