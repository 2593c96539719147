//! What templates are tried with.

use minijinja::{Value, context};

/// Values for this template: everything there, and as little as there may be.
pub(super) fn values(name: &str) -> Vec<Value> {
    match name {
        "page_email_confirmed.html" => vec![context! { address => "alice@example.org" }],
        "page_password_form.html" => ["", "too short"]
            .map(|problem| context! { login => "alice", problem })
            .into(),
        "page_password_set.html" | "page_link_expired.html" => vec![context! {}],
        _ => ["alice", ""].map(mail).into(),
    }
}

fn mail(name: &str) -> Value {
    context! {
        link => "https://auth.example.org/link",
        base_url => "https://auth.example.org",
        token => "00000000-0000-4000-8000-000000000001",
        user_uuid => "00000000-0000-4000-8000-000000000002",
        email_uuid => name,
        username => name,
        firstname => name,
        lastname => name,
        account => name,
        address => "alice@example.org",
        expires_at => "2026-01-01 00:00 UTC",
    }
}
