//! The two macros around a backend. They are macros because they read the plugin's own manifest and define its exports.

/// Makes a component of a type that implements [`Backend`](crate::Backend). Once in a plugin's crate, at the top level of a module.
///
/// `register!(MyBackend)` exports what every backend must. After the type stand the abilities that the backend has beyond that, in any
/// order: `health` ([`Health`](crate::Health)), `lookup` ([`Lookup`](crate::Lookup)), `change_password`
/// ([`ChangePassword`](crate::ChangePassword)), `browse` ([`Browse`](crate::Browse)). What is not named is not exported, and off.
///
/// The crate's type must be `cdylib` to be built as a component, and `rlib` too if its tests live in `tests/`. On other targets than wasm
/// it exports nothing, and only checks the type.
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
    ($backend:ty, $($ability:ident),+ $(,)?) => {
        $crate::register!($backend);
        $($crate::__register_ability!($backend, $ability);)+
    };
}

/// One ability of `register!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __register_ability {
    ($backend:ty, health) => {
        const _: fn() = $crate::__private::assert_health::<$backend>;

        #[cfg(target_family = "wasm")]
        const _: () = {
            type Registered = $crate::__private::Component<$backend>;
    $crate::__private::export_health!(Registered with_types_in $crate::__private::health);
        };
    };
    ($backend:ty, lookup) => {
        const _: fn() = $crate::__private::assert_lookup::<$backend>;

        #[cfg(target_family = "wasm")]
        const _: () = {
            type Registered = $crate::__private::Component<$backend>;
    $crate::__private::export_lookup!(Registered with_types_in $crate::__private::lookup);
        };
    };
    ($backend:ty, change_password) => {
        const _: fn() = $crate::__private::assert_change_password::<$backend>;

        #[cfg(target_family = "wasm")]
        const _: () = {
            type Registered = $crate::__private::Component<$backend>;
    $crate::__private::export_change_password!(Registered with_types_in $crate::__private::change_password);
        };
    };
    ($backend:ty, browse) => {
        const _: fn() = $crate::__private::assert_browse::<$backend>;

        #[cfg(target_family = "wasm")]
        const _: () = {
            type Registered = $crate::__private::Component<$backend>;
    $crate::__private::export_browse!(Registered with_types_in $crate::__private::browse);
        };
    };
    ($backend:ty, $other:ident) => {
        compile_error!(concat!(
            "`",
            stringify!($other),
            "` is no ability of a backend: `health`, `lookup`, `change_password` and `browse` are"
        ));
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
