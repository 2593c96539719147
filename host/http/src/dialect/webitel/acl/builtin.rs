//! The roles that are there by themselves, and the resources that they are about. Most of these resources are other programs', which ask with a token and go by
//! what it may.

use super::{Acl, Permissions};

/// The name of the role that may do everything.
pub(in crate::dialect::webitel) const ROOT: &str = "root";
/// The name of the role of a domain's administrators.
pub(in crate::dialect::webitel) const ADMIN: &str = "admin";
/// The name of everybody's role.
pub(in crate::dialect::webitel) const USER: &str = "user";

/// The resources that clients know.
pub(in crate::dialect::webitel) const RESOURCES: [&str; 35] = [
    "account",
    "acl/resource",
    "acl/roles",
    "blacklist",
    "book",
    "calendar",
    "callback",
    "callback/members",
    "cc/members",
    "cc/queue",
    "cc/tiers",
    "cdr",
    "cdr/files",
    "cdr/media",
    "channels",
    "dialer",
    "dialer/members",
    "dialer/templates",
    "domain",
    "domain/item",
    "gateway",
    "gateway/profile",
    "hook",
    "hotdesk",
    "kibana",
    "license",
    "metadata",
    "outbound/list",
    "rotes/default",
    "rotes/domain",
    "rotes/extension",
    "rotes/public",
    "system/reload",
    "vmail",
    "widget",
];

/// Everybody's.
const OF_USERS: [(&str, &[&str]); 11] = [
    ("account", &["r", "uo"]),
    ("acl/roles", &["r"]),
    ("blacklist", &["c", "r", "u"]),
    ("cc/tiers", &["r"]),
    ("cdr", &["ro"]),
    ("cdr/files", &["ro"]),
    ("channels", &["*"]),
    ("hotdesk", &["*"]),
    ("kibana", &["r"]),
    ("metadata", &["r"]),
    ("vmail", &["ro"]),
];

/// What administrators of domains have besides, where it is not everything on the resource. Roles are the whole installation's, and so is the server.
const OF_ADMINS: [(&str, &[&str]); 6] = [
    ("acl/resource", &["r"]),
    ("acl/roles", &["r"]),
    ("domain", &["ro", "uo"]),
    ("domain/item", &["ro", "uo"]),
    ("license", &["r"]),
    ("system/reload", &[]),
];

/// What users may.
pub(in crate::dialect::webitel) fn user() -> Acl {
    let mut acl = Acl::default();
    grant(&mut acl, &OF_USERS);
    acl
}

/// What administrators of domains may besides what users may.
pub(in crate::dialect::webitel) fn admin() -> Acl {
    let mut acl = Acl::default();
    grant(&mut acl, &OF_ADMINS);
    let is_limited = |resource: &str| OF_ADMINS.iter().any(|(limited, _)| *limited == resource);
    for resource in RESOURCES.into_iter().filter(|resource| !is_limited(resource)) {
        acl.add(resource, Permissions::ALL);
    }
    acl
}

fn grant(acl: &mut Acl, table: &[(&str, &[&str])]) {
    for (resource, names) in table {
        for permissions in names.iter().filter_map(|name| Permissions::parse(name)) {
            acl.add(resource, permissions);
        }
    }
}
