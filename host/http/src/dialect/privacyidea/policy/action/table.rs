//! The actions that policies may hold.

use super::{Kind, Scope};

/// An action that policies may hold.
#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Under which heading interfaces show it.
    pub(crate) group: &'static str,
    pub(crate) description: &'static str,
    /// Who may have it, of a right; nothing of what is no right.
    pub(super) scopes: &'static [Scope],
    /// Whether there is something to do with it here.
    pub(crate) works: bool,
}

const BOTH: &[Scope] = &[Scope::Admin, Scope::User];
const ADMIN: &[Scope] = &[Scope::Admin];
const AUTHENTICATION: &[Scope] = &[Scope::Authentication];
const AUTHORIZATION: &[Scope] = &[Scope::Authorization];
const ENROLLMENT: &[Scope] = &[Scope::Enrollment];
const WEBUI: &[Scope] = &[Scope::Webui];

const fn right(name: &'static str, group: &'static str, scopes: &'static [Scope], description: &'static str) -> Action {
    Action {
        name,
        kind: Kind::Flag,
        group,
        description,
        scopes,
        works: true,
    }
}

/// A right to something that this server does not do: it can be granted, as policies that were written elsewhere do, and grants nothing.
const fn idle(name: &'static str, scopes: &'static [Scope]) -> Action {
    Action {
        name,
        kind: Kind::Flag,
        group: "without effect",
        description: "Grants nothing on this server.",
        scopes,
        works: false,
    }
}

const fn rule(name: &'static str, kind: Kind, scopes: &'static [Scope], description: &'static str) -> Action {
    Action {
        name,
        kind,
        group: "",
        description,
        scopes,
        works: true,
    }
}

/// The longest session that a policy may ask for: 365 days.
const MAX_SECONDS: u32 = 365 * 24 * 3600;
/// The most rows of a page.
const MAX_PAGE: u32 = 1000;
/// The types of tokens that begin challenges.
const CHALLENGING: &[&str] = &["hotp", "totp"];

const ACTIONS: &[Action] = &[
    right(
        "assign",
        "token",
        BOTH,
        "Give a token to a user, or take one that is nobody's.",
    ),
    right("unassign", "token", BOTH, "Take a token away from its user."),
    right("enable", "token", BOTH, "Enable a token."),
    right("disable", "token", BOTH, "Disable a token."),
    right("revoke", "token", BOTH, "Give a token up for good."),
    right("delete", "token", BOTH, "Delete a token."),
    right("reset", "token", BOTH, "Reset a token's failures."),
    right("resync", "token", BOTH, "Bring a token's counter back into step."),
    right(
        "set",
        "token",
        ADMIN,
        "Set a token's windows and its number of failures.",
    ),
    right("setpin", "pin", BOTH, "Set a token's PIN."),
    right("setdescription", "token", BOTH, "Set a token's description."),
    right("enrollpin", "pin", BOTH, "Set the PIN of a token that is enrolled."),
    right("tokenlist", "token", ADMIN, "See the tokens."),
    right("triggerchallenge", "general", ADMIN, "Begin challenges for users."),
    right("enrollHOTP", "enrollment", BOTH, "Enroll tokens that count."),
    right("enrollTOTP", "enrollment", BOTH, "Enroll tokens that go by the time."),
    right("enrollTAN", "enrollment", BOTH, "Enroll lists of recovery codes."),
    right("userlist", "general", BOTH, "See the users, or oneself."),
    right(
        "auditlog",
        "system",
        BOTH,
        "See the audit, or what in it is about oneself.",
    ),
    right("configread", "system", ADMIN, "See settings."),
    right("configwrite", "system", ADMIN, "Change settings."),
    right("configdelete", "system", ADMIN, "Delete settings."),
    right("policyread", "system", ADMIN, "See policies."),
    right("policywrite", "system", ADMIN, "Write policies."),
    right("policydelete", "system", ADMIN, "Delete policies."),
    right("resolverread", "system", ADMIN, "See resolvers and realms."),
    right("resolverwrite", "system", ADMIN, "Write resolvers and realms."),
    right("resolverdelete", "system", ADMIN, "Delete resolvers and realms."),
    rule(
        "otp_pin_minlength",
        Kind::Number(0, 128),
        BOTH,
        "The fewest characters of a PIN.",
    ),
    rule(
        "otp_pin_maxlength",
        Kind::Number(0, 128),
        BOTH,
        "The most characters of a PIN.",
    ),
    rule(
        "otppin",
        Kind::OneOf(&["tokenpin", "userstore", "none"]),
        AUTHENTICATION,
        "What stands before the one-time password: the token's PIN, the user's password, or nothing.",
    ),
    rule(
        "challenge_response",
        Kind::TypesWith(CHALLENGING),
        AUTHENTICATION,
        "The right PIN alone begins a challenge.",
    ),
    rule(
        "challenge_text",
        Kind::Text,
        AUTHENTICATION,
        "What a challenge says to the user.",
    ),
    rule(
        "passthru",
        Kind::FlagOr(&["userstore"]),
        AUTHENTICATION,
        "Users without a token prove themselves with their password.",
    ),
    rule(
        "set_realm",
        Kind::Text,
        AUTHENTICATION,
        "The realm in which users are looked for.",
    ),
    rule(
        "hide_specific_error_message",
        Kind::Flag,
        AUTHENTICATION,
        "One message for every failed login.",
    ),
    rule(
        "auth_max_fail",
        Kind::Limit,
        AUTHORIZATION,
        "How many failed logins a user may have in a time.",
    ),
    rule(
        "auth_max_success",
        Kind::Limit,
        AUTHORIZATION,
        "How many logins a user may have in a time.",
    ),
    rule(
        "add_user_in_response",
        Kind::Flag,
        AUTHORIZATION,
        "Tell what is known of the user.",
    ),
    rule(
        "add_resolver_in_response",
        Kind::Flag,
        AUTHORIZATION,
        "Tell in which realm and resolver the user is.",
    ),
    rule(
        "no_detail_on_success",
        Kind::Flag,
        AUTHORIZATION,
        "Tell no details of what succeeded.",
    ),
    rule(
        "no_detail_on_fail",
        Kind::Flag,
        AUTHORIZATION,
        "Tell no details of what failed.",
    ),
    rule(
        "authorized",
        Kind::OneOf(&["grant_access", "deny_access"]),
        AUTHORIZATION,
        "Whether who has proved itself is let in.",
    ),
    rule(
        "tokenlabel",
        Kind::Text,
        ENROLLMENT,
        "The label in authenticator apps; `<s>`, `<u>` and `<r>` stand for serial, user and realm.",
    ),
    rule(
        "tokenissuer",
        Kind::Text,
        ENROLLMENT,
        "The issuer in authenticator apps, as a label is written.",
    ),
    rule(
        "verify_enrollment",
        Kind::TypesWith(CHALLENGING),
        ENROLLMENT,
        "A token works once its owner has shown that it does.",
    ),
    rule(
        "max_token_per_user",
        Kind::Number(0, 1000),
        ENROLLMENT,
        "How many tokens a user may have.",
    ),
    rule(
        "jwt_validity",
        Kind::Number(1, MAX_SECONDS),
        WEBUI,
        "How many seconds a login lasts.",
    ),
    rule(
        "logout_time",
        Kind::Number(1, MAX_SECONDS),
        WEBUI,
        "After how many idle seconds an interface logs out.",
    ),
    rule(
        "login_mode",
        Kind::OneOf(&["userstore", "privacyIDEA", "disable"]),
        WEBUI,
        "Log in with the password, with PIN and one-time password, or not at all.",
    ),
    rule(
        "timeout_action",
        Kind::OneOf(&["logout", "lockscreen"]),
        WEBUI,
        "What an interface does when it logs out.",
    ),
    rule(
        "audit_page_size",
        Kind::Number(1, MAX_PAGE),
        WEBUI,
        "Rows of a page of the audit.",
    ),
    rule(
        "token_page_size",
        Kind::Number(1, MAX_PAGE),
        WEBUI,
        "Rows of a page of tokens.",
    ),
    rule(
        "user_page_size",
        Kind::Number(1, MAX_PAGE),
        WEBUI,
        "Rows of a page of users.",
    ),
    rule(
        "policy_template_url",
        Kind::Text,
        WEBUI,
        "Where interfaces find templates of policies.",
    ),
    rule(
        "default_tokentype",
        Kind::OneOf(&["hotp", "totp", "tan"]),
        WEBUI,
        "The type that interfaces offer first.",
    ),
    rule(
        "session_persistence",
        Kind::OneOf(&["tab", "browser"]),
        WEBUI,
        "For how long interfaces keep a login.",
    ),
    rule(
        "logout_redirect",
        Kind::Text,
        WEBUI,
        "Where interfaces go when they log out.",
    ),
    rule("user_details", Kind::Flag, WEBUI, "Interfaces show details of users."),
    rule(
        "tokenwizard",
        Kind::Flag,
        WEBUI,
        "Interfaces lead users to their first token.",
    ),
    rule(
        "tokenwizard_2nd_token",
        Kind::Flag,
        WEBUI,
        "Interfaces lead users to their second token.",
    ),
    rule("admin_dashboard", Kind::Flag, WEBUI, "Interfaces show a dashboard."),
    rule(
        "dialog_no_token",
        Kind::Flag,
        WEBUI,
        "Interfaces tell users that they have no token.",
    ),
    rule(
        "search_on_enter",
        Kind::Flag,
        WEBUI,
        "Interfaces search when Enter is pressed.",
    ),
    rule(
        "hide_buttons",
        Kind::Flag,
        WEBUI,
        "Interfaces hide what is not allowed.",
    ),
    rule(
        "deletion_confirmation",
        Kind::Flag,
        WEBUI,
        "Interfaces ask before they delete.",
    ),
    rule(
        "show_seed",
        Kind::Flag,
        WEBUI,
        "Interfaces show the seed of a new token.",
    ),
    idle("adduser", ADMIN),
    idle("api_client_add", ADMIN),
    idle("api_client_delete", ADMIN),
    idle("api_client_edit", ADMIN),
    idle("api_client_list", ADMIN),
    idle("api_client_rotate", ADMIN),
    idle("auditlog_download", ADMIN),
    idle("authentication_log_read", BOTH),
    idle("blocklist_read", ADMIN),
    idle("blocklist_reset", ADMIN),
    idle("blocklist_set", ADMIN),
    idle("caconnectordelete", ADMIN),
    idle("caconnectorread", ADMIN),
    idle("caconnectorwrite", ADMIN),
    idle("cancelchallenge", ADMIN),
    idle("clienttype", ADMIN),
    idle("conditional_access_policy_read", ADMIN),
    idle("conditional_access_policy_write", ADMIN),
    idle("container_add_token", BOTH),
    idle("container_assign_user", BOTH),
    idle("container_create", BOTH),
    idle("container_delete", BOTH),
    idle("container_description", BOTH),
    idle("container_info", ADMIN),
    idle("container_list", BOTH),
    idle("container_realms", ADMIN),
    idle("container_register", BOTH),
    idle("container_remove_token", BOTH),
    idle("container_rollover", BOTH),
    idle("container_state", BOTH),
    idle("container_template_create", BOTH),
    idle("container_template_delete", BOTH),
    idle("container_template_list", BOTH),
    idle("container_unassign_user", BOTH),
    idle("container_unregister", BOTH),
    idle("copytokenpin", ADMIN),
    idle("copytokenuser", ADMIN),
    idle("deleteuser", ADMIN),
    idle("enroll4EYES", ADMIN),
    idle("enrollAPPLSPEC", BOTH),
    idle("enrollCERTIFICATE", BOTH),
    idle("enrollDAPLUG", ADMIN),
    idle("enrollDAYPASSWORD", BOTH),
    idle("enrollEMAIL", BOTH),
    idle("enrollINDEXEDSECRET", BOTH),
    idle("enrollMOTP", BOTH),
    idle("enrollOCRA", ADMIN),
    idle("enrollPAPER", BOTH),
    idle("enrollPASSKEY", BOTH),
    idle("enrollPUSH", BOTH),
    idle("enrollPW", ADMIN),
    idle("enrollQUESTION", BOTH),
    idle("enrollRADIUS", BOTH),
    idle("enrollREGISTRATION", ADMIN),
    idle("enrollREMOTE", ADMIN),
    idle("enrollSMS", BOTH),
    idle("enrollSPASS", BOTH),
    idle("enrollSSHKEY", BOTH),
    idle("enrollTIQR", BOTH),
    idle("enrollVASCO", ADMIN),
    idle("enrollWEBAUTHN", BOTH),
    idle("enrollYUBICO", BOTH),
    idle("enrollYUBIKEY", BOTH),
    idle("eventhandling_read", ADMIN),
    idle("eventhandling_write", ADMIN),
    idle("fetch_authentication_items", ADMIN),
    idle("get_user_internal_attributes", ADMIN),
    idle("getchallenges", ADMIN),
    idle("getrandom", ADMIN),
    idle("getserial", ADMIN),
    idle("importtokens", ADMIN),
    idle("losttoken", ADMIN),
    idle("machinelist", ADMIN),
    idle("manage_machine_tokens", ADMIN),
    idle("managesubscription", ADMIN),
    idle("mresolverdelete", ADMIN),
    idle("mresolverread", ADMIN),
    idle("mresolverwrite", ADMIN),
    idle("password_reset", &[Scope::User]),
    idle("periodictask_read", ADMIN),
    idle("periodictask_write", ADMIN),
    idle("privacyideaserver_read", ADMIN),
    idle("privacyideaserver_write", ADMIN),
    idle("radiusserver_read", ADMIN),
    idle("radiusserver_write", ADMIN),
    idle("remembered_device_list", ADMIN),
    idle("remembered_device_revoke", ADMIN),
    idle("serviceid_add", ADMIN),
    idle("serviceid_delete", ADMIN),
    idle("serviceid_list", BOTH),
    idle("set_hsm_password", ADMIN),
    idle("setrandompin", BOTH),
    idle("settokeninfo", ADMIN),
    idle("smsgateway_read", ADMIN),
    idle("smsgateway_write", ADMIN),
    idle("smtpserver_read", ADMIN),
    idle("smtpserver_write", ADMIN),
    idle("sshkey_read", BOTH),
    idle("statistics_delete", ADMIN),
    idle("statistics_read", ADMIN),
    idle("system_documentation", ADMIN),
    idle("token_rollover", BOTH),
    idle("tokengroup_add", ADMIN),
    idle("tokengroup_delete", ADMIN),
    idle("tokengroup_list", ADMIN),
    idle("tokengroups", ADMIN),
    idle("tokenrealms", ADMIN),
    idle("updateuser", BOTH),
    idle("user_lock_read", ADMIN),
    idle("user_lock_reset", ADMIN),
    idle("user_lock_set", ADMIN),
];

/// The actions of this scope.
pub(crate) fn list(scope: Scope) -> impl Iterator<Item = &'static Action> {
    ACTIONS.iter().filter(move |action| action.scopes.contains(&scope))
}

/// The action of this name.
pub(crate) fn find(scope: Scope, name: &str) -> Option<&'static Action> {
    list(scope).find(|action| action.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_action_is_told_once() {
        let mut names = BTreeSet::new();
        for action in ACTIONS {
            assert!(names.insert(action.name), "{}", action.name);
        }
    }
}
