//! Groups.

use uuid::Uuid;

use super::{DirectoryError, DirectoryService, validate};
use crate::access::AccessList;
use crate::model::{Group, GroupId, MAX_SLUG, Paged, Query, TenantId, TenantScope, UserId, slug_of};
use crate::port::{GroupFilter, GroupOrder};

/// The most groups of a user that a backend hears of: it answers with as many, and a list in an answer has at most 256 entries.
const MAX_NAMES: u32 = 200;
/// The same in bytes: a session keeps 12 KiB of groups and attributes.
const MAX_NAMES_BYTES: usize = 8 * 1024;

impl DirectoryService {
    /// Adds a group to a tenant. Without a slug it gets one that is made of its name.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn add_group(&self, tenant: TenantId, name: &str, slug: Option<&str>) -> Result<Group, DirectoryError> {
        validate::group_name(name)?;
        slug.map_or(Ok(()), |slug| validate::slug(slug, MAX_SLUG))?;
        let group = Group {
            id: GroupId(self.random.uuid()),
            tenant,
            name: name.to_owned(),
            slug: slug.map_or_else(|| slug_of(name, MAX_SLUG), str::to_owned),
            system: false,
        };
        self.store.add_group(&group).await?;
        Ok(group)
    }

    /// The group with this id, if it belongs to one of these tenants.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::Store`].
    pub async fn get_group(&self, id: GroupId, scope: TenantScope) -> Result<Group, DirectoryError> {
        if let Some(group) = self.store.find_group(id).await?
            && self.is_in_scope(group.tenant, scope).await?
        {
            return Ok(group);
        }
        Err(DirectoryError::not_found("group", &id.to_string()))
    }

    /// Groups.
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn list_groups(&self, query: &Query<GroupFilter, GroupOrder>) -> Result<Paged<Group>, DirectoryError> {
        Ok(self.store.list_groups(query).await?)
    }

    /// The names of a user's groups, in their order, without the host's own: as many as a session can keep. Nobody's are looked for as well, so
    /// that an answer takes its time for everyone.
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn group_names(&self, user: Option<UserId>) -> Result<Vec<String>, DirectoryError> {
        let id = user.unwrap_or(UserId(Uuid::nil()));
        let mut names = self.store.group_names(id, MAX_NAMES + 1).await?;
        let found = names.len();
        names.truncate(MAX_NAMES as usize);
        let mut room = MAX_NAMES_BYTES;
        names.retain(|name| {
            let left = room.checked_sub(name.len());
            room = left.unwrap_or(room);
            left.is_some()
        });
        if names.len() < found {
            tracing::warn!(user = %id, kept = names.len(), "a user has more groups than its sessions can keep");
        }
        Ok(names)
    }

    /// Gives a group another name.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::Protected`] for the host's own.
    pub async fn rename_group(&self, id: GroupId, name: &str, scope: TenantScope) -> Result<Group, DirectoryError> {
        validate::group_name(name)?;
        let group = self.get_own_group(id, scope).await?;
        if !self.store.rename_group(id, name).await? {
            return Err(DirectoryError::not_found("group", &id.to_string()));
        }
        Ok(Group {
            name: name.to_owned(),
            ..group
        })
    }

    /// Removes a group. Its members stay. `held` is what the caller may do itself.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::Protected`] for the host's own; [`DirectoryError::AccessDenied`] if the group's policies deny what the
    /// caller lacks.
    pub async fn remove_group(
        &self,
        id: GroupId,
        scope: TenantScope,
        held: &AccessList,
    ) -> Result<Group, DirectoryError> {
        let group = self.get_own_group(id, scope).await?;
        self.may_expel(group.id, held).await?;
        if self.store.remove_group(id).await? {
            Ok(group)
        } else {
            Err(DirectoryError::not_found("group", &id.to_string()))
        }
    }

    /// Makes a user a member of a group of the same tenant. `held` is what the caller may do itself.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::OtherTenant`], [`DirectoryError::Protected`] for the host's own; [`DirectoryError::AccessDenied`] for an
    /// access of the group's policies that the caller lacks.
    pub async fn add_group_member(
        &self,
        id: GroupId,
        user: UserId,
        scope: TenantScope,
        held: &AccessList,
    ) -> Result<(), DirectoryError> {
        let group = self.get_own_group(id, scope).await?;
        let user = self.get_user_in(user, scope).await?;
        if user.tenant != group.tenant {
            return Err(DirectoryError::OtherTenant { what: "user" });
        }
        self.may_enroll(group.id, held).await?;
        Ok(self.store.add_group_member(group.id, user.id).await?)
    }

    /// Ends a membership; where there is none that is no error.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::Protected`] for the host's own; [`DirectoryError::AccessDenied`] if the group's policies deny what the
    /// caller lacks.
    pub async fn remove_group_member(
        &self,
        id: GroupId,
        user: UserId,
        scope: TenantScope,
        held: &AccessList,
    ) -> Result<(), DirectoryError> {
        let group = self.get_own_group(id, scope).await?;
        // Only who sees everybody hears of a user whom there is not. To the others a stranger is like one who is no member.
        if self.is_in_scope(self.tenants.master().await?, scope).await? {
            self.get_user_in(user, scope).await?;
        }
        self.may_expel(group.id, held).await?;
        self.store.remove_group_member(group.id, user).await?;
        Ok(())
    }

    /// A group that is not the host's own.
    async fn get_own_group(&self, id: GroupId, scope: TenantScope) -> Result<Group, DirectoryError> {
        let group = self.get_group(id, scope).await?;
        if group.system {
            return Err(DirectoryError::Protected {
                what: "group",
                name: id.to_string(),
            });
        }
        Ok(group)
    }
}
