//! Users, with what hangs on them. Many at once: a store may write them together.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::task::JoinSet;
use uuid::Uuid;

use super::group::groups_of;
use super::{AT_ONCE, Arrival, ImportError, ImportKind, Outcome, PAGE, Run, joined, outcome, parse, taken_away};
use crate::model::{
    AuthenticationMethod, Email, EmailId, GroupId, IdentityId, PolicyId, Purpose, Query, TenantId, TenantScope, User,
    UserId, login_key,
};
use crate::port::{ForeignUser, NewUser, PolicyFilter, Store, Uniqueness};

/// A user and what hangs on it, in this system's terms.
struct Ready {
    id: String,
    user: NewUser,
    groups: Vec<GroupId>,
}

/// What became of it.
struct Done {
    id: String,
    user: UserId,
    became: Outcome,
    memberships: Vec<(GroupId, Outcome)>,
    attachments: Vec<(PolicyId, Outcome)>,
}

impl Run<'_> {
    pub(super) async fn users(&mut self, rows: u64) -> Result<(), ImportError> {
        self.progress.begin(ImportKind::User, rows);
        let settled = self.settled();
        let mut names = HashSet::new();
        let mut after = String::new();
        let mut under_way = JoinSet::new();
        loop {
            let page = self.foreign.users(&after, PAGE).await.map_err(ImportError::Foreign)?;
            let Some(last) = page.last() else {
                break;
            };
            after.clone_from(&last.id);
            for foreign in page {
                let id = foreign.id.clone();
                match self.ready(foreign, &mut names) {
                    Ok(ready) => {
                        let (store, dry_run) = (Arc::clone(&self.importer.store), self.how.dry_run);
                        let settled = settled.clone();
                        under_way.spawn(async move { bring_in(&*store, ready, dry_run, settled.as_deref()).await });
                    }
                    Err(skipped) => self.note(ImportKind::User, &id, skipped),
                }
                if under_way.len() >= AT_ONCE {
                    self.take_one(&mut under_way).await?;
                }
            }
        }
        while !under_way.is_empty() {
            self.take_one(&mut under_way).await?;
        }
        Ok(())
    }

    async fn take_one(&mut self, under_way: &mut JoinSet<Result<Done, ImportError>>) -> Result<(), ImportError> {
        let Some(done) = under_way.join_next().await else {
            return Ok(());
        };
        let done = joined(done)?;
        let arrival = match done.became {
            Outcome::Added => Some(Arrival::Now),
            Outcome::Present => Some(Arrival::Before),
            Outcome::Skipped(_) => None,
        };
        if let Some(arrival) = arrival {
            self.users.insert(done.user.0, arrival);
        }
        self.note(ImportKind::User, &done.id, done.became);
        for (group, became) in done.memberships {
            let id = format!("{group}/{}", done.id);
            self.report.note(ImportKind::Membership, &id, became);
        }
        for (policy, became) in done.attachments {
            let id = format!("{}/{policy}", done.id);
            self.report.note(ImportKind::Attachment, &id, became);
        }
        Ok(())
    }

    fn ready(&self, foreign: ForeignUser, names: &mut HashSet<String>) -> Result<Ready, Outcome> {
        let id = UserId(parse(&foreign.id)?);
        let there = self.known_tenant(&foreign.tenant)?;
        let purpose = Purpose::parse(&foreign.purpose);
        let method = AuthenticationMethod::parse(&foreign.authentication_method);
        let method = method.ok_or_else(|| Outcome::skipped("its authentication method is unknown"))?;
        let policies = self.known_policies(&foreign.policies);
        let groups = self.known_groups(&foreign.groups);
        let mut emails = Vec::new();
        for email in foreign.emails {
            emails.push(Email {
                id: EmailId(parse(&email.id)?),
                address: email.address,
                main: email.main,
                confirmed: email.confirmed,
            });
        }
        let user = User {
            id,
            tenant: self.here(there),
            login: foreign.login,
            firstname: foreign.firstname,
            lastname: foreign.lastname,
            purpose: purpose.ok_or_else(|| Outcome::skipped("its purpose is unknown"))?,
            authentication_method: self.own_method(method, there),
            emails,
            enabled: foreign.enabled,
            created_at: self.importer.clock.now(),
        };
        let user = NewUser {
            password: foreign.verifier.map_err(Outcome::skipped)?.map(Into::into),
            unique: Uniqueness::Everywhere,
            policies,
            chosen_id: true,
            user,
        };
        // Last, so that a user who is left out takes nobody's name.
        let own: HashSet<_> = names_of(&user.user).map(|name| login_key(name)).collect();
        if !names.is_disjoint(&own) {
            let reason = "without regard to case, another user has its login or one of its addresses";
            return Err(Outcome::skipped(reason));
        }
        names.extend(own);
        Ok(Ready {
            id: foreign.id,
            user,
            groups,
        })
    }

    /// Whoever could not log in with a password there, because the top tenant says so, cannot do so here.
    fn own_method(&self, method: AuthenticationMethod, tenant: TenantId) -> AuthenticationMethod {
        match self.top_method {
            Some(top) if method == AuthenticationMethod::Default && tenant == self.top.0 => top,
            _ => method,
        }
    }
}

fn names_of(user: &User) -> impl Iterator<Item = &String> {
    user.login.iter().chain(user.emails.iter().map(|email| &email.address))
}

/// Adds a user who is not here, and what hangs on it.
///
/// `settled` is there if an import came to its end before: what is new since.
async fn bring_in(
    store: &dyn Store,
    ready: Ready,
    dry_run: bool,
    settled: Option<&HashSet<Uuid>>,
) -> Result<Done, ImportError> {
    let was_taken = |id: &Uuid| settled.is_some_and(|fresh| !fresh.contains(id));
    let Ready { id, user, groups } = ready;
    let is_here = store
        .find_user(user.user.id)
        .await
        .map_err(ImportError::Store)?
        .is_some();
    let mut done = Done {
        id,
        user: user.user.id,
        became: match (is_here, dry_run) {
            (true, _) => Outcome::Present,
            (false, true) => expect(store, &user.user).await?,
            (false, false) => outcome(store.add_user(&user).await)?,
        },
        memberships: Vec::new(),
        attachments: Vec::new(),
    };
    if matches!(done.became, Outcome::Skipped(_)) {
        return Ok(done);
    }
    // A new user has its policies with itself.
    let held = if is_here {
        policies_of(store, user.user.id.into(), &user.policies).await?
    } else {
        HashSet::new()
    };
    for policy in user.policies {
        let became = if held.contains(&policy) {
            Outcome::Present
        } else if is_here && was_taken(&policy.0) {
            taken_away()
        } else if dry_run || !is_here {
            Outcome::Added
        } else {
            outcome(store.attach_policy(policy, user.user.id.into()).await)?
        };
        done.attachments.push((policy, became));
    }
    let member_of = if is_here && !groups.is_empty() {
        member_of(store, user.user.id).await?
    } else {
        HashSet::new()
    };
    for group in groups {
        let became = if member_of.contains(&group) {
            Outcome::Present
        } else if is_here && was_taken(&group.0) {
            taken_away()
        } else if dry_run {
            Outcome::Added
        } else {
            outcome(store.add_group_member(group, user.user.id).await)?
        };
        done.memberships.push((group, became));
    }
    Ok(done)
}

/// What would become of a user.
async fn expect(store: &dyn Store, user: &User) -> Result<Outcome, ImportError> {
    Ok(if is_taken(store, user).await? {
        Outcome::skipped("its login or one of its addresses is taken here")
    } else {
        Outcome::Added
    })
}

/// Whether the store would refuse the user for its names.
async fn is_taken(store: &dyn Store, user: &User) -> Result<bool, ImportError> {
    for name in names_of(user) {
        let key = login_key(name);
        let by_login = store
            .find_users_by_login(&key, None)
            .await
            .map_err(ImportError::Store)?;
        let by_email = store
            .find_users_by_email(&key, None)
            .await
            .map_err(ImportError::Store)?;
        if !by_login.is_empty() || !by_email.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn policies_of(
    store: &dyn Store,
    holder: IdentityId,
    wanted: &[PolicyId],
) -> Result<HashSet<PolicyId>, ImportError> {
    if wanted.is_empty() {
        return Ok(HashSet::new());
    }
    let query = Query {
        filter: PolicyFilter {
            holder: Some(holder),
            ..PolicyFilter::default()
        },
        ..Query::all(TenantScope::All)
    };
    let held = store.list_policies(&query).await.map_err(ImportError::Store)?;
    Ok(held.items.into_iter().map(|policy| policy.id).collect())
}

async fn member_of(store: &dyn Store, user: UserId) -> Result<HashSet<GroupId>, ImportError> {
    let groups = store.list_groups(&groups_of(user)).await.map_err(ImportError::Store)?;
    Ok(groups.items.into_iter().map(|group| group.id).collect())
}
