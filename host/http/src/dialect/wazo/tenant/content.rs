//! What a body says of a tenant.

use keyway_core::directory::TenantProfile;
use keyway_core::model::{AuthenticationMethod, MAX_TENANT_SLUG, PostalAddress, TenantId, UserId, login_key};

use crate::dialect::wazo::error::Failure;
use crate::dialect::wazo::fields::Fields;
use crate::edge::{Payload, PayloadError};

const METHODS: [(&str, AuthenticationMethod); 3] = [
    ("native", AuthenticationMethod::Native),
    ("ldap", AuthenticationMethod::Ldap),
    ("saml", AuthenticationMethod::Saml),
];

/// How many domains a tenant may have.
const MOST_DOMAINS: usize = 1024;

/// The id and the slug that are wanted, and the rest.
pub(super) fn new_tenant(
    payload: Result<Payload, PayloadError>,
) -> Result<(Option<TenantId>, Option<String>, TenantProfile), Failure> {
    let mut fields = Fields::parse(payload)?;
    let id = fields.uuid("uuid").map(TenantId);
    let slug = fields.nullable_text("slug", 1..=MAX_TENANT_SLUG);
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if slug.as_deref().is_some_and(|slug| !slug.chars().all(legal)) {
        fields.problems.pattern("slug", "^[a-zA-Z0-9_]+$");
    }
    Ok((id, slug, take_profile(fields)?))
}

/// What replaces a tenant's profile: what is not said is not kept. Its slug is not among it.
pub(super) fn profile(payload: Result<Payload, PayloadError>) -> Result<TenantProfile, Failure> {
    take_profile(Fields::parse(payload)?)
}

fn take_profile(mut fields: Fields) -> Result<TenantProfile, Failure> {
    let name = fields.nullable_text("name", 1..=128);
    let phone = fields.nullable_text("phone", 1..=32);
    let contact = fields.uuid("contact").map(UserId);
    let method = fields.choice("default_authentication_method", &METHODS);
    let domains = take_domains(&mut fields);
    let address = match fields.take("address") {
        None => PostalAddress::default(),
        Some(Some(address)) => take_address(Fields::of(address, "tenants")?)?,
        Some(None) => {
            fields.problems.null("address");
            PostalAddress::default()
        }
    };
    fields.finish("tenants")?;
    Ok(TenantProfile {
        name,
        phone,
        contact,
        address,
        domains,
        authentication_method: method.unwrap_or(AuthenticationMethod::Native),
    })
}

/// Each domain once, in the order of their names.
fn take_domains(fields: &mut Fields) -> Vec<String> {
    let mut domains = fields.texts("domain_names", MOST_DOMAINS).unwrap_or_default();
    if !domains.iter().all(|domain| is_domain(domain)) {
        fields.problems.remark("domain_names", "Not a valid domain name.");
    }
    domains.sort_by_cached_key(|domain| login_key(domain));
    domains.dedup_by_key(|domain| login_key(domain));
    domains
}

/// Two labels or more of letters, digits and inner hyphens (RFC 1123), the last of them no number.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit_once('.').map(|(_, last)| last);
    text.len() <= 253
        && text.split('.').all(is_label)
        && last.is_some_and(|last| last.len() >= 2 && !last.bytes().all(|byte| byte.is_ascii_digit()))
}

fn take_address(mut fields: Fields) -> Result<PostalAddress, Failure> {
    let address = PostalAddress {
        line_1: fields.nullable_text("line_1", 1..=256),
        line_2: fields.nullable_text("line_2", 1..=256),
        city: fields.nullable_text("city", 1..=128),
        state: fields.nullable_text("state", 1..=128),
        country: fields.nullable_text("country", 1..=128),
        zip_code: fields.nullable_text("zip_code", 1..=16),
    };
    fields.finish("tenants")?;
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_two_labels_and_no_number_at_its_end() {
        for good in [
            "wazo.io",
            "stack.dev.wazo.io",
            "1-2.example.ORG",
            "xn--bcher-kva.example",
        ] {
            assert!(is_domain(good), "{good}");
        }
        let long = format!("{}.org", "x".repeat(64));
        for bad in [
            "",
            ".",
            "wazo",
            "-wazo.io",
            "wazo-.io",
            "wazo.io-",
            " wazo.io",
            "wazo .io",
            "wazo_io.org",
            "#",
            "123",
            "10.0.0.1",
            "wazo..io",
            "wazo.io.",
            "été.org",
            "a.b",
            &long,
        ] {
            assert!(!is_domain(bad), "{bad}");
        }
    }
}
