//! A user of the mock directory.

use crate::directory::User;

/// A user of a [`MockHost`](super::MockHost)'s directory: enabled, of the tenant `master`, with no password until it is given one.
///
/// ```
/// use keyway_sdk::testing::MockUser;
///
/// let user = MockUser::new("alice").password("s3cre7").email("alice@example.org").groups(["staff"]);
/// assert_eq!(user.id(), "user-alice-master");
/// ```
#[derive(Debug, Clone)]
pub struct MockUser {
    pub(super) user: User,
    pub(super) password: Option<crate::testing::host::Clear>,
    id_given: bool,
}

impl MockUser {
    /// A user with this login.
    pub fn new(login: &str) -> Self {
        let user = User {
            id: String::new(),
            login: login.to_owned(),
            email: None,
            display_name: None,
            tenant: "master".to_owned(),
            enabled: true,
            groups: Vec::new(),
        };
        Self {
            user,
            password: None,
            id_given: false,
        }
        .named()
    }

    /// Sets the password.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.as_bytes().into());
        self
    }

    /// Sets the main email address, confirmed.
    #[must_use]
    pub fn email(mut self, email: &str) -> Self {
        self.user.email = Some(email.to_owned());
        self
    }

    /// Sets the name for people to read.
    #[must_use]
    pub fn display_name(mut self, name: &str) -> Self {
        self.user.display_name = Some(name.to_owned());
        self
    }

    /// Sets the tenant.
    #[must_use]
    pub fn tenant(mut self, tenant: &str) -> Self {
        tenant.clone_into(&mut self.user.tenant);
        self.named()
    }

    /// Sets the id, which is otherwise made of login and tenant.
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.user.id);
        self.id_given = true;
        self
    }

    /// Adds groups.
    #[must_use]
    pub fn groups<S: Into<String>>(mut self, groups: impl IntoIterator<Item = S>) -> Self {
        self.user.groups.extend(groups.into_iter().map(Into::into));
        self
    }

    /// Disables the user.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.user.enabled = false;
        self
    }

    /// The user's id.
    pub fn id(&self) -> &str {
        &self.user.id
    }

    fn named(mut self) -> Self {
        if !self.id_given {
            self.user.id = format!("user-{}-{}", self.user.login, self.user.tenant);
        }
        self
    }
}
