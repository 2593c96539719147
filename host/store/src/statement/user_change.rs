//! Users, as they are written. Compiled once per driver.
//!
//! Each function wants to be called inside a transaction. Locks are taken in this order: the names, the user's row, its sessions.

use std::collections::HashMap;

use keyway_core::model::{Email, Group, Timestamp, User, UserId, login_key};
use keyway_core::port::{EmailChange, NewUser, Revoked, StoreError, Uniqueness, UserChange};

use super::ending::BY_USER;
use super::revocation::{self, Whole};
use super::user_name::{self, Owner};
use super::{Connection, LOCKS_ROWS, digest, user, verifier};
use crate::failure::{Failure, explain, optional_text, text};

pub(super) async fn add(connection: &mut Connection, new: &NewUser) -> Result<(), Failure> {
    let user = &new.user;
    let owner = Owner {
        user: user.id,
        tenant: user.tenant,
        created_at: user.created_at,
        unique: new.unique,
    };
    let login = login_keys(user.login.as_deref())?;
    let addresses = address_keys(user.emails.iter().map(|email| email.address.as_str()))?;
    user_name::lock(connection, &[login.as_slice(), &addresses].concat()).await?;
    user_name::check_free(connection, "login", &login, owner).await?;
    user_name::check_free(connection, "email", &addresses, owner).await?;
    claim_id(connection, user.id).await?;
    insert(connection, user).await?;
    insert_emails(connection, user, &user.emails).await?;
    join_all_users(connection, user).await?;
    if let Some(password) = &new.password {
        verifier::write(connection, user.id, password, user.created_at).await?;
    }
    for policy in &new.policies {
        sqlx::query("INSERT INTO policy_attachment (identity, policy) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(user.id.0)
            .bind(policy.0)
            .execute(&mut *connection)
            .await
            .map_err(|error| explain(error, &[], "policy"))?;
    }
    if new.chosen_id {
        revocation::note(connection, Whole::Identity(user.id.into()), user.created_at).await?;
    }
    Ok(())
}

/// A caller may choose the id of a user. It must not be that of a backend's own subject, whose accesses the user would have, and what was
/// attached to it while it was nobody's must not become the user's.
async fn claim_id(connection: &mut Connection, id: UserId) -> Result<(), Failure> {
    let taken: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM identity WHERE id = $1)")
        .bind(id.0)
        .fetch_one(&mut *connection)
        .await?;
    if taken {
        return Err(StoreError::Conflict { what: "user id" }.into());
    }
    // What belongs to a user that exists stays: then the row below is refused, and this with it.
    for statement in REMOVE_BELONGINGS {
        sqlx::query(statement).bind(id.0).execute(&mut *connection).await?;
    }
    Ok(())
}

/// What belongs to an identity without referring to a user's row.
const REMOVE_BELONGINGS: [&str; 2] = [
    "DELETE FROM policy_attachment WHERE identity = $1",
    "DELETE FROM factor WHERE owner = $1",
];

async fn insert(connection: &mut Connection, user: &User) -> Result<(), Failure> {
    let login = user.login.as_deref();
    let firstname = optional_text("directory_user.firstname", user.firstname.as_deref())?;
    let lastname = optional_text("directory_user.lastname", user.lastname.as_deref())?;
    sqlx::query(
        "INSERT INTO directory_user (id, tenant, login, login_key, firstname, firstname_key, lastname, lastname_key, purpose, \
         authentication_method, search_key, enabled, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(user.id.0)
    .bind(user.tenant.0)
    .bind(login)
    .bind(login_key(login.unwrap_or_default()))
    .bind(firstname)
    .bind(login_key(firstname.unwrap_or_default()))
    .bind(lastname)
    .bind(login_key(lastname.unwrap_or_default()))
    .bind(user.purpose.as_str())
    .bind(user.authentication_method.as_str())
    .bind(search_key(user))
    .bind(user.enabled)
    .bind(user.created_at.0)
    .execute(connection)
    .await
    .map_err(|error| explain(error, &[("login_key", "login"), ("directory_user", "user id")], "tenant"))?;
    Ok(())
}

async fn insert_emails(connection: &mut Connection, user: &User, emails: &[Email]) -> Result<(), Failure> {
    for (position, email) in (0_i32..).zip(emails) {
        sqlx::query(
            "INSERT INTO user_email (id, tenant, address_key, address, directory_user, position, main, confirmed) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(email.id.0)
        .bind(user.tenant.0)
        .bind(login_key(&email.address))
        .bind(&email.address)
        .bind(user.id.0)
        .bind(position)
        .bind(email.main)
        .bind(email.confirmed)
        .execute(&mut *connection)
        .await
        .map_err(|error| explain(error, &[("address_key", "email")], "tenant"))?;
    }
    Ok(())
}

/// The group is looked for by its name, which has an index and cannot be changed: a tenant may have many groups.
async fn join_all_users(connection: &mut Connection, user: &User) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO group_member (directory_group, directory_user) \
         SELECT id, $1 FROM directory_group WHERE tenant = $2 AND name_key = $3 AND system",
    )
    .bind(user.id.0)
    .bind(user.tenant.0)
    .bind(login_key(&Group::all_users_name(user.tenant)))
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn update(
    connection: &mut Connection,
    id: UserId,
    change: &UserChange,
    unique: Uniqueness,
    at: Timestamp,
) -> Result<(Option<User>, Revoked), Failure> {
    let login = login_keys(change.login.as_deref())?;
    user_name::lock(connection, &login).await?;
    let Some(mut user) = locked(connection, id).await? else {
        return Ok((None, Revoked::default()));
    };
    if login != login_keys(user.login.as_deref())? {
        let owner = Owner {
            user: id,
            tenant: user.tenant,
            created_at: user.created_at,
            unique,
        };
        user_name::check_free(connection, "login", &login, owner).await?;
    }
    let before = user.clone();
    let UserChange {
        login,
        firstname,
        lastname,
        purpose,
        authentication_method,
        enabled,
    } = change.clone();
    user = User {
        login,
        firstname,
        lastname,
        purpose: purpose.unwrap_or(user.purpose),
        authentication_method: authentication_method.unwrap_or(user.authentication_method),
        enabled: enabled.unwrap_or(user.enabled),
        ..user
    };
    write(connection, &user).await?;
    digest::remove_outdated(connection, &before, &user).await?;
    let mut revoked = Revoked::default();
    if before.enabled && !user.enabled {
        revoked = BY_USER.end(connection, id.0).await?;
        revocation::note(connection, Whole::Identity(id.into()), at).await?;
    }
    Ok((Some(user), revoked))
}

async fn write(connection: &mut Connection, user: &User) -> Result<(), Failure> {
    let login = user.login.as_deref();
    let firstname = optional_text("directory_user.firstname", user.firstname.as_deref())?;
    let lastname = optional_text("directory_user.lastname", user.lastname.as_deref())?;
    sqlx::query(
        "UPDATE directory_user SET login = $2, login_key = $3, firstname = $4, firstname_key = $5, lastname = $6, lastname_key = $7, \
         purpose = $8, authentication_method = $9, search_key = $10, enabled = $11 WHERE id = $1",
    )
    .bind(user.id.0)
    .bind(login)
    .bind(login_key(login.unwrap_or_default()))
    .bind(firstname)
    .bind(login_key(firstname.unwrap_or_default()))
    .bind(lastname)
    .bind(login_key(lastname.unwrap_or_default()))
    .bind(user.purpose.as_str())
    .bind(user.authentication_method.as_str())
    .bind(search_key(user))
    .bind(user.enabled)
    .execute(connection)
    .await
    .map_err(|error| explain(error, &[("login_key", "login")], "tenant"))?;
    Ok(())
}

pub(super) async fn set_emails(
    connection: &mut Connection,
    id: UserId,
    emails: Vec<EmailChange>,
    unique: Uniqueness,
) -> Result<Option<User>, Failure> {
    let keys = address_keys(emails.iter().map(|email| email.address.as_str()))?;
    user_name::lock(connection, &keys).await?;
    let Some(mut user) = locked(connection, id).await? else {
        return Ok(None);
    };
    let known: HashMap<String, &Email> = user
        .emails
        .iter()
        .map(|email| (login_key(&email.address), email))
        .collect();
    let owner = Owner {
        user: id,
        tenant: user.tenant,
        created_at: user.created_at,
        unique,
    };
    let is_new = |key: &&String| !known.contains_key(*key);
    let new: Vec<_> = keys.iter().filter(is_new).cloned().collect();
    user_name::check_free(connection, "email", &new, owner).await?;
    let resulting = keys
        .iter()
        .zip(emails)
        .map(|(key, email)| email.apply(known.get(key).copied()));
    let resulting = resulting.collect();
    let before = user.clone();
    user.emails = resulting;
    digest::remove_outdated(connection, &before, &user).await?;
    sqlx::query("DELETE FROM user_email WHERE directory_user = $1")
        .bind(id.0)
        .execute(&mut *connection)
        .await?;
    insert_emails(connection, &user, &user.emails).await?;
    sqlx::query("UPDATE directory_user SET search_key = $2 WHERE id = $1")
        .bind(id.0)
        .bind(search_key(&user))
        .execute(connection)
        .await?;
    Ok(Some(user))
}

pub(super) async fn remove(connection: &mut Connection, id: UserId) -> Result<(bool, Revoked), Failure> {
    if !lock(connection, id).await? {
        return Ok((false, Revoked::default()));
    }
    let revoked = BY_USER.end(connection, id.0).await?;
    for statement in REMOVE_BELONGINGS {
        sqlx::query(statement).bind(id.0).execute(&mut *connection).await?;
    }
    sqlx::query("DELETE FROM directory_user WHERE id = $1")
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok((true, revoked))
}

/// Whether there is such a user. From here on no session of the user can be opened until the transaction ends.
pub(super) async fn lock(connection: &mut Connection, id: UserId) -> Result<bool, Failure> {
    let select = if LOCKS_ROWS {
        "SELECT id FROM directory_user WHERE id = $1 FOR UPDATE"
    } else {
        "SELECT id FROM directory_user WHERE id = $1"
    };
    Ok(sqlx::query(select)
        .bind(id.0)
        .fetch_optional(connection)
        .await?
        .is_some())
}

/// The user, as nobody else can change it until the transaction ends.
pub(super) async fn locked(connection: &mut Connection, id: UserId) -> Result<Option<User>, Failure> {
    if !lock(connection, id).await? {
        return Ok(None);
    }
    user::find_user(connection, id).await
}

fn login_keys(login: Option<&str>) -> Result<Vec<String>, Failure> {
    let login = optional_text("directory_user.login", login)?;
    Ok(login.map(login_key).into_iter().collect())
}

fn address_keys<'a>(addresses: impl Iterator<Item = &'a str>) -> Result<Vec<String>, Failure> {
    addresses
        .map(|address| Ok(login_key(text("user_email.address", address)?)))
        .collect()
}

/// What a search for users looks at.
fn search_key(user: &User) -> String {
    let addresses = user.emails.iter().map(|email| &email.address);
    let texts = user
        .login
        .iter()
        .chain(&user.firstname)
        .chain(&user.lastname)
        .chain(addresses);
    let keys: Vec<_> = texts.map(|text| login_key(text)).collect();
    keys.join("\n")
}
