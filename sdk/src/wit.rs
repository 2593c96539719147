//! The bindings of the contract, and the conversions between their types and the SDK's. The only module that names the binding
//! generator, and it exists only in a component.

use std::marker::PhantomData;

use crate::component::{self, Step};
use crate::{
    Answer, Backend, Browse, ChangePassword, Context, Credential, DigestAlgorithm, Health, Key, Login, Lookup,
    PasswordChange, Query, Secret,
};

mod database;
mod delegate;
mod file;
pub(crate) mod host;
mod outcome;

/// The world that every backend is built for.
#[allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    reason = "generated; what fires depends on the generator"
)]
pub mod authenticator {
    wit_bindgen::generate!({
        path: "wit",
        world: "backend",
        pub_export_macro: true,
        export_macro_name: "export_authenticator",
        default_bindings_module: "keyway_sdk::__private::authenticator",
    });
}

/// What `backend-with-health` adds to it. A world of its own, so that a backend without a health check does not export one.
#[allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    reason = "generated; what fires depends on the generator"
)]
pub mod health {
    wit_bindgen::generate!({
        path: "wit",
        inline: "package keyway:sdk; world health { export keyway:backend/health@0.1.0; }",
        world: "health",
        pub_export_macro: true,
        export_macro_name: "export_health",
        default_bindings_module: "keyway_sdk::__private::health",
        with: {
            "keyway:backend/types@0.1.0": crate::wit::authenticator::keyway::backend::types,
            "keyway:backend/secrets@0.1.0": crate::wit::authenticator::keyway::backend::secrets,
        },
    });
}

/// What `backend-with-lookup` adds to it.
#[allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    reason = "generated; what fires depends on the generator"
)]
pub mod lookup {
    wit_bindgen::generate!({
        path: "wit",
        inline: "package keyway:sdk; world lookup { export keyway:backend/lookup@0.1.0; }",
        world: "lookup",
        pub_export_macro: true,
        export_macro_name: "export_lookup",
        default_bindings_module: "keyway_sdk::__private::lookup",
        with: {
            "keyway:backend/types@0.1.0": crate::wit::authenticator::keyway::backend::types,
            "keyway:backend/secrets@0.1.0": crate::wit::authenticator::keyway::backend::secrets,
        },
    });
}

/// What `backend-with-change-password` adds to it.
#[allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    reason = "generated; what fires depends on the generator"
)]
pub mod change_password {
    wit_bindgen::generate!({
        path: "wit",
        inline: "package keyway:sdk; world change-password { export keyway:backend/change-password@0.1.0; }",
        world: "change-password",
        pub_export_macro: true,
        export_macro_name: "export_change_password",
        default_bindings_module: "keyway_sdk::__private::change_password",
        with: {
            "keyway:backend/types@0.1.0": crate::wit::authenticator::keyway::backend::types,
            "keyway:backend/secrets@0.1.0": crate::wit::authenticator::keyway::backend::secrets,
        },
    });
}

/// What `backend-with-browse` adds to it.
#[allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    reason = "generated; what fires depends on the generator"
)]
pub mod browse {
    wit_bindgen::generate!({
        path: "wit",
        inline: "package keyway:sdk; world browse { export keyway:backend/browse@0.1.0; }",
        world: "browse",
        pub_export_macro: true,
        export_macro_name: "export_browse",
        default_bindings_module: "keyway_sdk::__private::browse",
        with: {
            "keyway:backend/types@0.1.0": crate::wit::authenticator::keyway::backend::types,
            "keyway:backend/secrets@0.1.0": crate::wit::authenticator::keyway::backend::secrets,
        },
    });
}

pub use authenticator::export_authenticator;
pub use browse::export_browse;
pub use change_password::export_change_password;
pub use health::export_health;
pub use lookup::export_lookup;

use authenticator::keyway::backend::{secrets, types};
use browse::exports::keyway::backend::browse as exported_browse;
use change_password::exports::keyway::backend::change_password as exported_change;
use lookup::exports::keyway::backend::lookup as exported_lookup;

/// The type whose exports the component has.
pub struct Component<B>(PhantomData<B>);

impl<B: Backend> authenticator::exports::keyway::backend::authenticator::Guest for Component<B> {
    fn describe() -> types::Description {
        let (description, config_schema) = component::describe::<B>();
        types::Description {
            name: description.name().to_owned(),
            version: description.version().to_owned(),
            summary: description.summary().to_owned(),
            wants: component::wants(&description),
            config_schema,
        }
    }

    fn check_config(json: String) -> Result<(), Vec<types::Problem>> {
        component::check_config::<B>(&json).map_err(|problems| {
            problems
                .into_iter()
                .map(|problem| types::Problem {
                    pointer: problem.pointer,
                    message: problem.message,
                })
                .collect()
        })
    }

    fn verify(context: types::Context, step: types::Step) -> Result<types::Outcome, types::Fault> {
        component::verify::<B>(&context.into(), &step.into())
            .map(Into::into)
            .map_err(Into::into)
    }
}

impl<B: Health> health::exports::keyway::backend::health::Guest for Component<B> {
    fn check() -> Result<(), types::Fault> {
        component::health::<B>().map_err(Into::into)
    }
}

impl<B: Lookup> exported_lookup::Guest for Component<B> {
    fn find(context: types::Context, key: exported_lookup::Key) -> Result<exported_lookup::Found, types::Fault> {
        component::find::<B>(&context.into(), &key.into())
            .map(Into::into)
            .map_err(Into::into)
    }
}

impl<B: ChangePassword> exported_change::Guest for Component<B> {
    fn change(
        context: types::Context,
        identifier: String,
        present: secrets::Secret,
        new: secrets::Secret,
    ) -> Result<exported_change::Answer, types::Fault> {
        let change = PasswordChange {
            identifier,
            present: present.into(),
            new: new.into(),
        };
        component::change_password::<B>(&context.into(), &change)
            .map(Into::into)
            .map_err(Into::into)
    }
}

impl<B: Browse> exported_browse::Guest for Component<B> {
    fn list(context: types::Context, query: exported_browse::Query) -> Result<exported_browse::Listing, types::Fault> {
        component::list::<B>(&context.into(), &query.into())
            .map(Into::into)
            .map_err(Into::into)
    }
}

impl From<exported_browse::Query> for Query {
    fn from(query: exported_browse::Query) -> Self {
        Self {
            realm: query.realm,
            resolver: query.resolver,
            patterns: query.patterns,
            most: query.most,
        }
    }
}

impl From<exported_lookup::Key> for Key {
    fn from(key: exported_lookup::Key) -> Self {
        match key {
            exported_lookup::Key::Identifier(login) => Self::Identifier(login),
            exported_lookup::Key::Subject(name) => Self::Subject(name),
        }
    }
}

impl From<types::Context> for Context {
    fn from(context: types::Context) -> Self {
        Self {
            request_id: context.request_id,
            dialect: context.dialect,
            client_address: context.client_address,
            tenant: context.tenant,
            budget_ms: context.budget_ms,
            attributes: context.attributes.into_iter().collect(),
        }
    }
}

impl From<types::Step> for Step {
    fn from(step: types::Step) -> Self {
        match step {
            types::Step::Start(start) => Self::Login(Login {
                identifier: start.identifier,
                credential: start.credential.into(),
            }),
            types::Step::Answer(answer) => Self::Answer(Answer {
                state: answer.state,
                response: answer.response.into(),
            }),
        }
    }
}

impl From<types::Credential> for Credential {
    fn from(credential: types::Credential) -> Self {
        match credential {
            types::Credential::Password(secret) => Self::Password(secret.into()),
            types::Credential::Otp(secret) => Self::Otp(secret.into()),
            types::Credential::ApiKey(secret) => Self::ApiKey(secret.into()),
            types::Credential::Digest(digest) => Self::Digest {
                algorithm: match digest.algorithm {
                    types::DigestAlgorithm::Md5 => DigestAlgorithm::Md5,
                    types::DigestAlgorithm::Sha1 => DigestAlgorithm::Sha1,
                },
                value: digest.value.into(),
            },
        }
    }
}

impl From<secrets::Secret> for Secret {
    fn from(handle: secrets::Secret) -> Self {
        Self::new(host::Handle(handle))
    }
}
