//! Puts a document together from tables of routes.

use serde_json::json;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Components, ComponentsBuilder, HttpMethod, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, Server,
    Tag,
};

use super::operation::Parts;
use super::routes::{Route, Tell};
use super::{ALSO_AT, BASIC, BEARER, LINK, Mount, PI_AUTHORIZATION, PI_TOKEN, TOKEN, WEBITEL_TOKEN, parameter, text};

const INTRODUCTION: &str = "Keyway checks who somebody is, hands out tokens, and tells other services whether a token is still good.\n\n\
    An operation for which a token is needed takes it from the header `X-Auth-Token`, or from `Authorization: Bearer`. What access the token \
    must have stands there under `x-required-access`: the names in braces are those of the operation's parameters, and a dot in their values \
    counts as `_`. A login through each API is answered with that API's own token, and each API takes those of the others. A path that is \
    served in other places, too, says so under `x-also-at`.\n\n\
    A method that an address does not have is answered with 405 and the header `Allow`; `HEAD` works wherever `GET` does. Every answer \
    carries the header `X-Request-ID`, under which the request is in the server's log.";

/// What the document is made of: what a [`Mount`] tells, without its handlers.
pub(super) struct Chapter {
    servers: &'static [&'static str],
    prefix: &'static str,
    also: fn(&str) -> Vec<String>,
    tags: &'static [(&'static str, &'static str)],
    parameter: fn(&str) -> Option<utoipa::openapi::path::ParameterBuilder>,
    paths: Vec<(&'static str, Vec<(HttpMethod, Tell)>)>,
}

impl Chapter {
    pub(super) fn of(mount: &Mount) -> Self {
        let routes = mount.routes.0.iter();
        let told = routes.filter(|route| !route.methods.told.is_empty());
        Self {
            servers: mount.servers,
            prefix: mount.prefix,
            also: mount.also,
            tags: mount.tags,
            parameter: mount.parameter,
            paths: told
                .map(|Route { path, methods }| (*path, methods.told.clone()))
                .collect(),
        }
    }

    fn path_parameters(&self, path: &str) -> Vec<Parameter> {
        names(path)
            .map(|name| {
                let told = (self.parameter)(name);
                // A parameter of which nothing is told is there nevertheless.
                told.unwrap_or_else(|| parameter(ParameterIn::Path, name, text(), ""))
                    .build()
            })
            .collect()
    }
}

/// The names in braces.
pub(super) fn names(template: &str) -> impl Iterator<Item = &str> {
    template
        .split('{')
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('}')?.0))
}

/// The document.
pub(super) fn build(chapters: &[Chapter]) -> OpenApi {
    let mut servers: Vec<&str> = Vec::new();
    for server in chapters.iter().flat_map(|chapter| chapter.servers) {
        if !servers.contains(server) {
            servers.push(server);
        }
    }
    let mut paths = PathsBuilder::new();
    let mut components = components();
    let mut tags = Vec::new();
    for chapter in chapters {
        tags.extend(chapter.tags.iter().map(|(name, description)| tag(name, description)));
        let own = (chapter.servers != servers).then(|| chapter.servers.iter().map(|server| named(server)));
        for (path, told) in &chapter.paths {
            let mut item = PathItem::default();
            for (method, tell) in told {
                let (operation, parts) = tell().into_parts();
                item.merge_operations(PathItem::new(method.clone(), operation));
                add(&mut components, parts);
            }
            item.servers = own.clone().map(Iterator::collect);
            let parameters = chapter.path_parameters(path);
            item.parameters = (!parameters.is_empty()).then(|| parameters.into_iter().map(Into::into).collect());
            let path = format!("{}{path}", chapter.prefix);
            let also = (chapter.also)(&path);
            item.extensions = (!also.is_empty()).then(|| Extensions::from_iter([(ALSO_AT, json!(also))]));
            paths = paths.path(path, item);
        }
    }
    let info = InfoBuilder::new()
        .title("Keyway")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(INTRODUCTION));
    OpenApiBuilder::new()
        .info(info)
        .servers(Some(servers.into_iter().map(named)))
        .paths(paths)
        .components(Some(components))
        .tags(Some(tags))
        .build()
}

fn named(server: &str) -> Server {
    Server::new(if server.is_empty() { "/" } else { server })
}

fn tag(name: &str, description: &str) -> Tag {
    let mut tag = Tag::new(name);
    tag.description = Some(description.to_owned());
    tag
}

/// The ways to prove who one is.
fn components() -> Components {
    let key = |name: &str, text: &str| ApiKeyValue::with_description(name, text);
    let token = ApiKey::Header(key(
        "X-Auth-Token",
        "A token that a login issued, through whichever API.",
    ));
    let link = ApiKey::Query(key("token", "The token of a link that came by mail."));
    let issued = "A token that `POST /auth` issued, as it is.";
    let own = ApiKey::Header(key("PI-Authorization", issued));
    let usual = ApiKey::Header(key("Authorization", "The same token, as it is or after `Bearer`."));
    let webitel = ApiKey::Header(key(
        "X-Access-Token",
        "A token that `POST /login` issued, or a domain's.",
    ));
    ComponentsBuilder::new()
        .security_scheme(PI_TOKEN, SecurityScheme::ApiKey(own))
        .security_scheme(WEBITEL_TOKEN, SecurityScheme::ApiKey(webitel))
        .security_scheme(PI_AUTHORIZATION, SecurityScheme::ApiKey(usual))
        .security_scheme(TOKEN, SecurityScheme::ApiKey(token))
        .security_scheme(BEARER, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
        .security_scheme(BASIC, SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)))
        .security_scheme(LINK, SecurityScheme::ApiKey(link))
        .build()
}

fn add(components: &mut Components, parts: Parts) {
    components.schemas.extend(parts.schemas);
    for (name, response) in parts.responses {
        components.responses.insert(name.to_owned(), response.into());
    }
    for (name, parameter) in parts.parameters {
        components.parameters.insert(name.to_owned(), parameter.into());
    }
}
