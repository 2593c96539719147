//! Readable reasons where a component and this host's contract do not fit together.

use std::fmt::Write as _;

use wasmtime::component::Component;
use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem, Type};

use super::PluginError;
use crate::engine::HostEngine;

const PACKAGE: &str = "keyway:backend/";
const VERSION: &str = "0.1.0";

/// The interfaces of the contract that a component may export, with their functions as the contract has them.
const AUTHENTICATOR: Expected = Expected {
    interface: "authenticator",
    functions: &[
        ("describe", "func() -> description"),
        ("check-config", "func(json: string) -> result<_, list<problem>>"),
        ("verify", "func(context: context, step: step) -> result<outcome, fault>"),
    ],
};
pub(super) const HEALTH: Expected = Expected {
    interface: "health",
    functions: &[("check", "func() -> result<_, fault>")],
};
pub(super) const LOOKUP: Expected = Expected {
    interface: "lookup",
    functions: &[("find", "func(context: context, key: key) -> result<found, fault>")],
};
pub(super) const CHANGE_PASSWORD: Expected = Expected {
    interface: "change-password",
    functions: &[(
        "change",
        "func(context: context, identifier: string, present: secret, new: secret) -> result<answer, fault>",
    )],
};
pub(super) const BROWSE: Expected = Expected {
    interface: "browse",
    functions: &[("list", "func(context: context, query: query) -> result<listing, fault>")],
};
/// All of them.
const EXPECTED: [&Expected; 5] = [&AUTHENTICATOR, &HEALTH, &LOOKUP, &CHANGE_PASSWORD, &BROWSE];

/// What the linker offers, without versions. Everything else is refused by name.
const OFFERED: &[&str] = &[
    "keyway:backend/config",
    "keyway:backend/database",
    "keyway:backend/delegate",
    "keyway:backend/directory",
    "keyway:backend/directory-digest",
    "keyway:backend/directory-list",
    "keyway:backend/file",
    "keyway:backend/log",
    "keyway:backend/net",
    "keyway:backend/secrets",
    "keyway:backend/types",
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

pub(super) struct Expected {
    interface: &'static str,
    functions: &'static [(&'static str, &'static str)],
}

/// The interfaces that a component imports, sorted.
pub(crate) fn imports(engine: &HostEngine, component: &Component) -> Vec<String> {
    let ty = component.component_type();
    let mut names: Vec<String> = ty.imports(&engine.engine).map(|(name, _)| name.to_owned()).collect();
    names.sort();
    names
}

/// The interfaces that a component exports, sorted.
pub(crate) fn exports(engine: &HostEngine, component: &Component) -> Vec<String> {
    let ty = component.component_type();
    let mut names: Vec<String> = ty.exports(&engine.engine).map(|(name, _)| name.to_owned()).collect();
    names.sort();
    names
}

/// Whether every import is one that the host offers, by name.
pub(super) fn check_imports(engine: &HostEngine, component: &Component) -> Result<(), PluginError> {
    for name in imports(engine, component) {
        let (interface, version) = name.split_once('@').unwrap_or((&name, ""));
        if !OFFERED.contains(&interface) {
            return Err(PluginError::ForbiddenImport(name));
        }
        if interface.starts_with(PACKAGE) && !is_compatible(version) {
            return Err(PluginError::Skew(another_version(&name, "imports")));
        }
    }
    Ok(())
}

/// Why the linker refused a component whose imports are all known by name: a function or a type differs.
pub(super) fn import_mismatch(error: &wasmtime::Error) -> PluginError {
    PluginError::Skew(format!(
        "an import does not fit this host's contract, {PACKAGE}*@{VERSION}: {error:#}; build it with keyway-sdk {}",
        sdk_versions()
    ))
}

/// Whether the contract's exports are there, by name and version.
pub(super) fn check_exports(engine: &HostEngine, component: &Component) -> Result<(), PluginError> {
    let names = exports(engine, component);
    for expected in EXPECTED {
        let path = format!("{PACKAGE}{}", expected.interface);
        let mut found = names.iter().filter(|name| interface(name) == path).peekable();
        let other = found.peek().copied();
        let fits = found.any(|name| is_compatible(version(name)));
        match other {
            Some(name) if !fits => return Err(PluginError::Skew(another_version(name, "exports"))),
            None if expected.interface == AUTHENTICATOR.interface => {
                let exported = if names.is_empty() {
                    "nothing".to_owned()
                } else {
                    format!("`{}`", names.join("`, `"))
                };
                return Err(PluginError::Skew(format!(
                    "it does not export `{path}@{VERSION}`, which every backend must; it exports {exported}"
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether there is this interface, in a version that [`check_exports`] has looked at.
pub(super) fn has(engine: &HostEngine, component: &Component, expected: &Expected) -> bool {
    let path = format!("{PACKAGE}{}", expected.interface);
    exports(engine, component).iter().any(|name| interface(name) == path)
}

/// Why the exports of the right names have the wrong contents.
pub(super) fn export_mismatch(engine: &HostEngine, component: &Component, error: &wasmtime::Error) -> PluginError {
    let mut reasons = String::new();
    for expected in EXPECTED {
        if let Some(instance) = exported_instance(engine, component, expected) {
            describe_mismatch(engine, expected, &instance, &mut reasons);
        }
    }
    let sdk = sdk_versions();
    PluginError::Skew(format!(
        "{reasons}the difference: {error:#}; build it with keyway-sdk {sdk}"
    ))
}

fn exported_instance(engine: &HostEngine, component: &Component, expected: &Expected) -> Option<ComponentInstance> {
    let ty = component.component_type();
    let path = format!("{PACKAGE}{}", expected.interface);
    let found = ty.exports(&engine.engine).find(|(name, _)| interface(name) == path);
    match found?.1.ty {
        ComponentItem::ComponentInstance(instance) => Some(instance),
        _ => None,
    }
}

fn describe_mismatch(engine: &HostEngine, expected: &Expected, instance: &ComponentInstance, reasons: &mut String) {
    let path = format!("{PACKAGE}{}@{VERSION}", expected.interface);
    for (name, signature) in expected.functions {
        let found = match instance.get_export(&engine.engine, name).map(|export| export.ty) {
            Some(ComponentItem::ComponentFunc(function)) => render_function(&function),
            Some(_) => "something that is no function".to_owned(),
            None => {
                let _ = write!(
                    reasons,
                    "`{path}` lacks the function `{name}`: expected `{signature}`; "
                );
                continue;
            }
        };
        let _ = write!(
            reasons,
            "`{path}` has `{name}`: expected `{signature}`, found `{found}`; "
        );
    }
}

fn another_version(name: &str, verb: &str) -> String {
    let offered = format!("{}@{VERSION}", interface(name));
    let sdk = sdk_versions();
    format!(
        "it {verb} `{name}`, and this host speaks `{offered}`: build it with keyway-sdk {sdk}, or run a Keyway that speaks `{}`",
        version(name)
    )
}

fn interface(name: &str) -> &str {
    name.split_once('@').map_or(name, |(interface, _)| interface)
}

fn version(name: &str) -> &str {
    name.split_once('@').map_or("", |(_, version)| version)
}

/// Versions before 1.0 are compatible if their first two numbers agree.
fn is_compatible(version: &str) -> bool {
    version.split('.').take(2).eq(VERSION.split('.').take(2))
}

/// Which SDK speaks this host's contract.
fn sdk_versions() -> &'static str {
    concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"))
}

fn render_function(function: &ComponentFunc) -> String {
    let parameters: Vec<String> = function
        .params()
        .map(|(name, ty)| format!("{name}: {}", render(&ty, 0)))
        .collect();
    let results: Vec<String> = function.results().map(|ty| format!(" -> {}", render(&ty, 0))).collect();
    let result = results.concat();
    format!("func({}){result}", parameters.join(", "))
}

/// A type in WIT's words. A component's types have lost their names, so records and variants show their members, two levels deep.
fn render(ty: &Type, depth: u8) -> String {
    let inner = |ty: &Type| render(ty, depth.saturating_add(1));
    let optional = |ty: Option<Type>| ty.map_or_else(|| "_".to_owned(), |ty| inner(&ty));
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::S8 => "s8".to_owned(),
        Type::U8 => "u8".to_owned(),
        Type::S16 => "s16".to_owned(),
        Type::U16 => "u16".to_owned(),
        Type::S32 => "s32".to_owned(),
        Type::U32 => "u32".to_owned(),
        Type::S64 => "s64".to_owned(),
        Type::U64 => "u64".to_owned(),
        Type::Float32 => "f32".to_owned(),
        Type::Float64 => "f64".to_owned(),
        Type::Char => "char".to_owned(),
        Type::String => "string".to_owned(),
        Type::List(list) => format!("list<{}>", inner(&list.ty())),
        Type::Option(option) => format!("option<{}>", inner(&option.ty())),
        Type::Result(result) => format!("result<{}, {}>", optional(result.ok()), optional(result.err())),
        Type::Tuple(tuple) => {
            let types: Vec<String> = tuple.types().map(|ty| inner(&ty)).collect();
            format!("tuple<{}>", types.join(", "))
        }
        Type::Record(_) | Type::Variant(_) | Type::Enum(_) | Type::Flags(_) if depth > 1 => "..".to_owned(),
        Type::Record(record) => {
            let fields: Vec<String> = record
                .fields()
                .map(|field| format!("{}: {}", field.name, inner(&field.ty)))
                .collect();
            format!("record {{ {} }}", fields.join(", "))
        }
        Type::Variant(variant) => {
            let cases: Vec<String> = variant
                .cases()
                .map(|case| {
                    case.ty
                        .map_or_else(|| case.name.to_owned(), |ty| format!("{}({})", case.name, inner(&ty)))
                })
                .collect();
            format!("variant {{ {} }}", cases.join(", "))
        }
        Type::Enum(names) => format!("enum {{ {} }}", names.names().collect::<Vec<_>>().join(", ")),
        Type::Flags(names) => format!("flags {{ {} }}", names.names().collect::<Vec<_>>().join(", ")),
        Type::Own(_) => "own<resource>".to_owned(),
        Type::Borrow(_) => "borrow<resource>".to_owned(),
        other => format!("{other:?}"),
    }
}
