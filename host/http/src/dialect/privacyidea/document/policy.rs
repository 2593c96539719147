//! Policies.

use super::{anything, boolean, integer, list as list_of, object};
use crate::document::{Operation, text};

pub(super) const TAG: &str = "privacyidea policies";

const FILTERS: &[(&str, &str)] = &[
    ("scope", "Only those of this scope."),
    ("realm", "Only those that name this realm."),
    ("active", "Only those that are active, or only the others."),
];
const CHECK: &[(&str, &str)] = &[
    ("user", "The login name."),
    ("realm", "The realm."),
    ("scope", "The scope."),
    ("action", "The action."),
    (
        "client",
        "The client's address; the caller's, unless this says otherwise.",
    ),
    ("resolver", "The resolver."),
];
const POLICY: &[(&str, &str)] = &[
    (
        "scope",
        "`admin`, `user`, `authentication`, `authorization`, `enrollment` or `webui`. It must be there.",
    ),
    (
        "action",
        "What it says: `a, b=value`, a list of such, or an object. What this server does not act upon is refused.",
    ),
    ("active", "Whether it counts: `true`, unless this says otherwise."),
    (
        "priority",
        "The smallest number has the say: 1, unless this says otherwise.",
    ),
    (
        "realm",
        "The realms that it is limited to. Like all lists: `*` is any, `-name` excludes, and names may be patterns.",
    ),
    ("resolver", "The resolvers."),
    ("user", "The login names."),
    ("user_case_insensitive", "Whether case does not count in login names."),
    ("adminrealm", "The realms of administrators."),
    ("adminuser", "The login names of administrators."),
    ("client", "The networks of clients: `10.0.0.0/8, -10.0.0.1`."),
    ("time", "When it holds: `Mon-Fri: 9-18, Sat: 10-15`."),
    ("user_agents", "The names of clients' programs."),
    (
        "conditions",
        "Further conditions: lists of section, key, comparator, value, and whether it is active.",
    ),
    ("description", "For people."),
];

fn policy() -> utoipa::openapi::schema::ObjectBuilder {
    let lists = [
        "realm",
        "resolver",
        "user",
        "adminrealm",
        "adminuser",
        "client",
        "user_agents",
        "pinode",
    ];
    let policy = object()
        .property("name", text())
        .property("active", boolean())
        .property("scope", text())
        .property("action", object())
        .property("priority", integer())
        .property("time", text())
        .property("conditions", list_of(anything()))
        .property("user_case_insensitive", boolean())
        .property("check_all_resolvers", boolean())
        .property("description", anything());
    let policy = lists
        .iter()
        .fold(policy, |policy, name| policy.property(*name, list_of(text())));
    ["name", "active", "scope", "action", "priority"]
        .iter()
        .fold(policy, |policy, name| policy.required(*name))
}

fn admin(id: &'static str, summary: &'static str) -> Operation {
    Operation::pi_admin(TAG, id, summary).pi_may_be_denied("Policies do not allow it.")
}

pub(in crate::dialect::privacyidea) fn list() -> Operation {
    admin("privacyideaListPolicies", "Lists policies")
        .pi_query(FILTERS)
        .pi_gives("The policies, the smallest priority number first.", list_of(policy()))
}

pub(in crate::dialect::privacyidea) fn show() -> Operation {
    admin("privacyideaGetPolicy", "Shows a policy")
        .pi_query(FILTERS)
        .pi_gives("A list of it; an empty one if there is none.", list_of(policy()))
}

pub(in crate::dialect::privacyidea) fn write() -> Operation {
    admin("privacyideaSetPolicy", "Writes a policy")
        .detail(
            "It counts from the next request on, on every node. What is not said of a policy that is there stays, besides whether it is active, its \
             priority and its description. The first active policy in the scope `admin` or `user` forbids everything there that no policy allows.",
        )
        .pi_query(&[])
        .pi_body(POLICY)
        .pi_gives("Its id, under `setPolicy NAME`.", object())
        .pi_may_conflict()
}

pub(in crate::dialect::privacyidea) fn remove() -> Operation {
    admin("privacyideaDeletePolicy", "Deletes a policy")
        .pi_query(&[])
        .pi_gives("Its id.", integer())
        .pi_may_miss("There is no such policy.")
}

pub(in crate::dialect::privacyidea) fn enable() -> Operation {
    switch("privacyideaEnablePolicy", "Makes a policy count")
}

pub(in crate::dialect::privacyidea) fn disable() -> Operation {
    switch("privacyideaDisablePolicy", "Makes a policy not count")
}

fn switch(id: &'static str, summary: &'static str) -> Operation {
    admin(id, summary)
        .pi_query(&[])
        .pi_gives("Its id.", integer())
        .pi_may_miss("There is no such policy.")
        .pi_may_conflict()
}

pub(in crate::dialect::privacyidea) fn definitions() -> Operation {
    admin("privacyideaListPolicyDefinitions", "Tells what policies may say")
        .pi_query(&[("scope", "Only of this scope.")])
        .pi_gives("The actions of each scope.", object())
}

pub(in crate::dialect::privacyidea) fn definitions_of() -> Operation {
    admin(
        "privacyideaGetPolicyDefinitions",
        "Tells what policies of a scope may say",
    )
    .pi_query(&[])
    .pi_gives("The actions, or what conditions are made of.", anything())
}

pub(in crate::dialect::privacyidea) fn check() -> Operation {
    let told = object()
        .property("allowed", boolean())
        .property("policy", list_of(policy()))
        .property("info", text())
        .required("allowed");
    admin(
        "privacyideaCheckPolicy",
        "Tells which policies say something of somebody now",
    )
    .pi_query(CHECK)
    .pi_gives("Whether any does, and which.", told)
}
