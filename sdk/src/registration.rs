//! The two macros around a backend. They are macros because they read the plugin's own manifest and define its exports.

/// Makes a component of a type that implements [`Backend`](crate::Backend). Once in a plugin's crate, at the top level of a module.
///
/// `register!(MyBackend)` exports what every backend must; `register!(MyBackend, health)` also exports the backend's
/// [`Health`](crate::Health). The crate's type must be `cdylib` to be built as a component, and `rlib` too if its tests live in
/// `tests/`. On other targets than wasm it exports nothing, and only checks the type.
///
/// ```
/// # use keyway_sdk::*;
/// # #[derive(Deserialize, JsonSchema)]
/// # #[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
/// # struct Nobody {}
/// # impl Backend for Nobody {
/// #     type Config = Self;
/// #     fn describe() -> Description { description!() }
/// #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
/// #     fn verify(&self, _: &Context, _: &Login) -> Result<Outcome, Fault> { Ok(Refusal::UnknownIdentifier.into()) }
/// # }
/// keyway_sdk::register!(Nobody);
/// ```
#[macro_export]
macro_rules! register {
    ($backend:ty) => {
        const _: fn() = $crate::__private::assert_backend::<$backend>;

        #[cfg(target_family = "wasm")]
        const _: () = {
            type Registered = $crate::__private::Component<$backend>;
    $crate::__private::export_authenticator!(Registered with_types_in $crate::__private::authenticator);
        };
    };
    ($backend:ty, health) => {
        $crate::register!($backend);

        const _: fn() = $crate::__private::assert_health::<$backend>;

        #[cfg(target_family = "wasm")]
        const _: () = {
            type Registered = $crate::__private::Component<$backend>;
    $crate::__private::export_health!(Registered with_types_in $crate::__private::health);
        };
    };
}

/// A [`Description`](crate::Description) with the name, version and description of the plugin's own `Cargo.toml`.
///
/// ```
/// use keyway_sdk::{Capability, description};
///
/// let description = description!().wants([Capability::Log, Capability::DirectoryFind]);
/// assert_eq!(description.name(), env!("CARGO_PKG_NAME"));
/// assert_eq!(description.version(), env!("CARGO_PKG_VERSION"));
/// ```
#[macro_export]
macro_rules! description {
    () => {
        $crate::Description::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            env!("CARGO_PKG_DESCRIPTION"),
        )
    };
}
