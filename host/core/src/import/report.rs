//! What became of the rows.

use serde::Serialize;

/// A kind of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// Tenants.
    Tenant,
    /// Domains of tenants.
    Domain,
    /// Policies.
    Policy,
    /// Groups.
    Group,
    /// Users.
    User,
    /// Memberships in groups.
    Membership,
    /// Policies of users and groups.
    Attachment,
    /// Users whom to speak to about a tenant.
    Contact,
    /// Refresh tokens.
    RefreshToken,
    /// Tenants' LDAP directories.
    LdapSettings,
    /// Resolvers.
    Resolver,
    /// Realms.
    Realm,
    /// Second factors.
    Factor,
    /// Owners of factors.
    FactorOwner,
    /// Settings of the whole system.
    Setting,
}

impl ImportKind {
    /// Those of wazo-auth, in the order in which they are brought in.
    pub const WAZO: [Self; 10] = [
        Self::Tenant,
        Self::Domain,
        Self::Policy,
        Self::Group,
        Self::User,
        Self::Membership,
        Self::Attachment,
        Self::Contact,
        Self::RefreshToken,
        Self::LdapSettings,
    ];

    /// Those of privacyIDEA, in the order in which they are brought in.
    pub const PRIVACYIDEA: [Self; 6] = [
        Self::Resolver,
        Self::Realm,
        Self::Setting,
        Self::Policy,
        Self::Factor,
        Self::FactorOwner,
    ];

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenants",
            Self::Domain => "domains",
            Self::Policy => "policies",
            Self::Group => "groups",
            Self::User => "users",
            Self::Membership => "memberships",
            Self::Attachment => "attachments",
            Self::Contact => "contacts",
            Self::RefreshToken => "refresh tokens",
            Self::LdapSettings => "LDAP settings",
            Self::Resolver => "resolvers",
            Self::Realm => "realms",
            Self::Factor => "factors",
            Self::FactorOwner => "factor owners",
            Self::Setting => "settings",
        }
    }
}

/// How many rows of a kind went which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ImportTally {
    /// Of which kind.
    pub kind: ImportKind,
    /// Added, or in a dry run: to be added.
    pub added: u64,
    /// There already, and left as they are.
    pub present: u64,
    /// Left out.
    pub skipped: u64,
}

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Of which kind.
    pub kind: ImportKind,
    /// Its id; of a contact, its tenant's; of a refresh token, its owner's and the client's.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// A tenant that goes by another slug here, because its own is another tenant's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RenamedTenant {
    /// Its id.
    pub id: String,
    /// Its slug in the other system.
    pub slug: String,
}

/// What an import did, or a dry run would have done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Whether the top tenant got the id that it has in the other system.
    pub top_tenant_adopted: bool,
    /// The new tenants that could not keep their slugs.
    pub renamed: Vec<RenamedTenant>,
    /// How many rows of each kind.
    pub tallies: Vec<ImportTally>,
    /// What was left out.
    pub skipped: Vec<Skipped>,
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Added,
    Present,
    Skipped(String),
}

impl Outcome {
    pub(super) fn skipped(reason: impl Into<String>) -> Self {
        Self::Skipped(reason.into())
    }
}

impl ImportReport {
    pub(super) fn new(dry_run: bool) -> Self {
        Self {
            dry_run,
            top_tenant_adopted: false,
            renamed: Vec::new(),
            tallies: ImportKind::WAZO.map(ImportTally::none).to_vec(),
            skipped: Vec::new(),
        }
    }

    /// Whether anything was added, or would be.
    pub fn changes(&self) -> bool {
        self.top_tenant_adopted || self.tallies.iter().any(|tally| tally.added > 0)
    }

    /// How many rows of this kind went which way.
    pub fn of(&self, kind: ImportKind) -> ImportTally {
        let found = self.tallies.iter().find(|tally| tally.kind == kind).copied();
        found.unwrap_or(ImportTally::none(kind))
    }

    pub(super) fn note(&mut self, kind: ImportKind, id: &str, outcome: Outcome) {
        count(&mut self.tallies, &mut self.skipped, (kind, id), outcome);
    }
}

impl ImportTally {
    pub(super) fn none(kind: ImportKind) -> Self {
        Self {
            kind,
            added: 0,
            present: 0,
            skipped: 0,
        }
    }
}

/// Counts what became of one row.
pub(super) fn count(
    tallies: &mut [ImportTally],
    skipped: &mut Vec<Skipped>,
    (kind, id): (ImportKind, &str),
    outcome: Outcome,
) {
    let Some(tally) = tallies.iter_mut().find(|tally| tally.kind == kind) else {
        return;
    };
    match outcome {
        Outcome::Added => tally.added += 1,
        Outcome::Present => tally.present += 1,
        Outcome::Skipped(reason) => {
            tally.skipped += 1;
            skipped.push(Skipped {
                kind,
                id: id.to_owned(),
                reason,
            });
        }
    }
}
