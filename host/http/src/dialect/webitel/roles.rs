//! Roles: those that are there by themselves, and those that clients make. A role allows what is said of it, and what its parents allow.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::acl::{ADMIN, Acl, RESOURCES, ROOT, USER, Written, admin, user};

/// The longest name of a role, in bytes.
const MAX_NAME: usize = 64;
/// The most roles that clients make.
const MAX_ROLES: usize = 500;
/// The most parents of a role.
const MAX_PARENTS: usize = 16;

/// A role, as it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    /// Whose rights it has, too.
    pub(super) parents: Vec<String>,
    /// What is said of it alone.
    pub(super) allows: Acl,
    /// Whether a client made it; otherwise it is there by itself.
    pub(super) is_made: bool,
}

/// All roles.
#[derive(Debug)]
pub(super) struct Roles {
    by_name: BTreeMap<String, Role>,
    /// What each allows, with what its parents allow.
    whole: HashMap<String, Arc<Written>>,
    nothing: Arc<Written>,
}

/// Why a role cannot be as it is to be, in words for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RoleError {
    /// It is no name.
    #[error("The name of a role is 1 to {MAX_NAME} bytes without control characters.")]
    Name,
    /// The role may not be changed.
    #[error("The role root cannot be changed or removed.")]
    Root,
    /// It is there by itself.
    #[error("A role that is there by itself cannot be removed.")]
    BuiltIn,
    /// Other roles have it as a parent.
    #[error("Another role has this one as a parent.")]
    Parent,
    /// Its parents are no roles, or it is above itself.
    #[error("The parents of a role are other roles, at most {MAX_PARENTS}, none of which is below it.")]
    Parents,
    /// There are too many.
    #[error("There are {MAX_ROLES} roles already.")]
    TooMany,
    /// What it allows is not written as it should be.
    #[error("{0}")]
    Allows(String),
}

impl Role {
    /// From what clients and the store write.
    ///
    /// # Errors
    /// [`RoleError::Allows`], [`RoleError::Parents`].
    pub(super) fn parse(allows: &Value, parents: &Value) -> Result<Self, RoleError> {
        Ok(Self {
            parents: parse_parents(parents)?,
            allows: Acl::parse(allows).map_err(RoleError::Allows)?,
            is_made: true,
        })
    }

    /// As the store keeps it.
    pub(super) fn to_json(&self) -> Value {
        json!({ "allows": self.allows.to_json(), "parents": self.parents })
    }

    /// As clients read it.
    pub(super) fn show(&self, name: &str) -> Value {
        let parents: Value = match self.parents.as_slice() {
            [] => Value::Null,
            [one] => one.as_str().into(),
            several => several.into(),
        };
        json!({ "roles": name, "parents": parents, "allows": self.allows.to_json() })
    }
}

/// Nothing, a name, or a list of names.
pub(super) fn parse_parents(value: &Value) -> Result<Vec<String>, RoleError> {
    let names = match value {
        Value::Null => Vec::new(),
        Value::String(name) if name.is_empty() => Vec::new(),
        Value::String(name) => vec![name.clone()],
        Value::Array(names) => {
            let names = names.iter().map(|name| name.as_str().map(str::to_owned));
            names.collect::<Option<_>>().ok_or(RoleError::Parents)?
        }
        _ => return Err(RoleError::Parents),
    };
    if names.len() > MAX_PARENTS {
        return Err(RoleError::Parents);
    }
    Ok(names)
}

impl Roles {
    /// Those that clients made, by their names, and those that are there by themselves. A client's `admin` and `user` take the place of those.
    pub(super) fn new(made: impl IntoIterator<Item = (String, Role)>) -> Self {
        let mut roles: BTreeMap<_, _> = [USER, ADMIN]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), built_in(name)?)))
            .collect();
        roles.extend(made);
        let named = roles.values().flat_map(|role| role.allows.resources());
        let everything = Role {
            parents: Vec::new(),
            allows: Acl::everything(RESOURCES.into_iter().chain(named)),
            is_made: false,
        };
        roles.insert(ROOT.to_owned(), everything);
        Self {
            whole: wholes(&roles),
            by_name: roles,
            nothing: Arc::default(),
        }
    }

    /// All of them, by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Role)> {
        self.by_name.iter().map(|(name, role)| (name.as_str(), role))
    }

    /// The role of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Role> {
        self.by_name.get(name)
    }

    /// What a role allows, with what its parents allow; nothing for one that there is not.
    pub(super) fn acl(&self, name: &str) -> Arc<Written> {
        Arc::clone(self.whole.get(name).unwrap_or(&self.nothing))
    }

    /// What a role would allow if it were this.
    ///
    /// # Errors
    /// [`RoleError`] if it cannot be.
    pub(super) fn acl_with(&self, name: &str, role: &Role) -> Result<Acl, RoleError> {
        if name == ROOT {
            return Err(RoleError::Root);
        }
        if name.is_empty() || name.len() > MAX_NAME || name.contains(char::is_control) {
            return Err(RoleError::Name);
        }
        if !self.by_name.contains_key(name) && self.by_name.len() >= MAX_ROLES {
            return Err(RoleError::TooMany);
        }
        let is_below = |parent: &String| parent == name || ancestors(&self.by_name, parent).contains(name);
        if role
            .parents
            .iter()
            .any(|parent| !self.by_name.contains_key(parent) || is_below(parent))
        {
            return Err(RoleError::Parents);
        }
        Ok(self.with_parents(role))
    }

    /// What a role allows once nothing that clients made of it is left: what the one does that is there by itself, else nothing.
    pub(super) fn acl_without(&self, name: &str) -> Acl {
        built_in(name).map_or_else(Acl::default, |role| self.with_parents(&role))
    }

    fn with_parents(&self, role: &Role) -> Acl {
        let mut acl = role.allows.clone();
        for parent in &role.parents {
            acl.add_all(&self.acl(parent));
        }
        acl
    }

    /// Makes sure that a role, which is there, can be removed.
    ///
    /// # Errors
    /// [`RoleError::Root`], [`RoleError::BuiltIn`], [`RoleError::Parent`].
    pub(super) fn check_removal(&self, name: &str) -> Result<(), RoleError> {
        if name == ROOT {
            return Err(RoleError::Root);
        }
        if self.get(name).is_none_or(|role| !role.is_made) {
            return Err(RoleError::BuiltIn);
        }
        // What is there by itself comes back in its place.
        let stays = [ADMIN, USER].contains(&name);
        let mut others = self.by_name.values();
        if !stays && others.any(|role| role.parents.iter().any(|parent| parent == name)) {
            return Err(RoleError::Parent);
        }
        Ok(())
    }
}

/// The role of this name that is there by itself, other than `root`, which depends on the others.
fn built_in(name: &str) -> Option<Role> {
    let (allows, parents) = match name {
        USER => (user(), Vec::new()),
        ADMIN => (admin(), vec![USER.to_owned()]),
        _ => return None,
    };
    Some(Role {
        parents,
        allows,
        is_made: false,
    })
}

/// What each role allows, with what those above it allow.
fn wholes(roles: &BTreeMap<String, Role>) -> HashMap<String, Arc<Written>> {
    let mut whole: HashMap<String, Arc<Written>> = HashMap::with_capacity(roles.len());
    let mut left: Vec<_> = roles.iter().collect();
    loop {
        let before = left.len();
        // Each once its parents are known.
        left.retain(|(name, role)| {
            let mut parents = role.parents.iter().filter(|parent| roles.contains_key(*parent));
            if parents.any(|parent| !whole.contains_key(parent)) {
                return true;
            }
            let mut acl = role.allows.clone();
            for parent in role.parents.iter().filter_map(|parent| whole.get(parent)) {
                acl.add_all(parent);
            }
            whole.insert((*name).clone(), Arc::new(Written::from(acl)));
            false
        });
        if left.len() == before {
            break;
        }
    }
    // Two changes at the same time could have made a circle.
    for (name, _) in left {
        let mut acl = Acl::default();
        for role in ancestors(roles, name).into_iter().filter_map(|name| roles.get(name)) {
            acl.add_all(&role.allows);
        }
        whole.insert(name.clone(), Arc::new(Written::from(acl)));
    }
    whole
}

/// A role and all those above it, each once.
fn ancestors<'a>(roles: &'a BTreeMap<String, Role>, name: &'a str) -> HashSet<&'a str> {
    let mut found = HashSet::from([name]);
    let mut next = vec![name];
    while let Some(name) = next.pop() {
        let parents = roles.get(name).map_or(&[][..], |role| &role.parents);
        next.extend(parents.iter().map(String::as_str).filter(|parent| found.insert(parent)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::webitel::acl::Permissions;

    fn role(allows: &Value, parents: &Value) -> Role {
        Role::parse(allows, parents).expect("a role")
    }

    fn roles(made: Vec<(&str, Role)>) -> Roles {
        Roles::new(made.into_iter().map(|(name, role)| (name.to_owned(), role)))
    }

    #[test]
    fn role_allows_what_those_above_it_allow() {
        let roles = roles(vec![
            ("clerk", role(&json!({"book": ["c"]}), &json!("user"))),
            (
                "chief",
                role(&json!({"book": ["d"], "x/y": ["r"]}), &json!(["clerk", "admin"])),
            ),
        ]);
        let of = |name: &str| roles.acl(name).to_json();
        assert_eq!(of("clerk")["book"], json!(["c"]));
        assert_eq!(of("clerk")["account"], json!(["r", "uo"]));
        assert_eq!(of("chief")["book"], json!(["*"]));
        assert_eq!(of("admin")["domain"], json!(["ro", "uo"]));
        assert_eq!(of("admin")["account"], json!(["*"]));
        assert_eq!(of("root")["x/y"], json!(["*"]), "what anybody names is shown");
        assert_eq!(of("nobody"), json!({}));
    }

    #[test]
    fn a_circle_has_an_end() {
        let roles = roles(vec![
            ("a", role(&json!({"book": ["c"]}), &json!("b"))),
            ("b", role(&json!({"book": ["r"]}), &json!("a"))),
        ]);
        assert_eq!(roles.acl("a").to_json(), json!({"book": ["c", "r"]}));
    }

    #[test]
    fn circle_is_no_way_around_for_those_below_it() {
        let roles = roles(vec![
            ("a", role(&json!({"book": ["c"]}), &json!("c"))),
            ("b", role(&json!({"book": ["r"]}), &json!("a"))),
            ("c", role(&json!({"cdr": ["r"]}), &json!("b"))),
            ("d", role(&json!({"hook": ["r"]}), &json!(["b", "nosuch"]))),
        ]);
        let circle = json!({"book": ["c", "r"], "cdr": ["r"]});
        assert_eq!(roles.acl("b").to_json(), circle);
        assert_eq!(roles.acl("c").to_json(), circle);
        assert_eq!(
            roles.acl("d").to_json(),
            json!({"book": ["c", "r"], "cdr": ["r"], "hook": ["r"]})
        );
    }

    #[test]
    fn as_many_roles_as_there_may_be_each_below_many_add_up() {
        let name = |number: usize| format!("{number:03}");
        let made = (0..500).map(|number| {
            let parents: Vec<_> = (number + 1..500).take(MAX_PARENTS).map(name).collect();
            let role = role(&json!({ name(number): ["r"] }), &json!(parents));
            (name(number), role)
        });
        let roles = Roles::new(made);
        for number in [0, 250, 499] {
            assert_eq!(roles.acl(&name(number)).resources().count(), 500 - number, "{number}");
        }
    }

    #[test]
    fn what_is_left_of_a_role_is_what_is_there_by_itself() {
        let roles = roles(vec![
            ("admin", role(&json!({"book": ["r"]}), &json!(null))),
            ("user", role(&json!({"cdr": ["*"]}), &json!(null))),
            ("clerk", role(&json!({"book": ["r"]}), &json!(null))),
        ]);
        assert_eq!(roles.acl("admin").to_json(), json!({"book": ["r"]}));
        let left = roles.acl_without("admin");
        assert_eq!(
            (left.on("account"), left.on("cdr")),
            (Permissions::ALL, Permissions::ALL)
        );
        assert_eq!(roles.acl_without("user"), user());
        assert_eq!(roles.acl_without("clerk"), Acl::default());
    }

    #[test]
    fn role_stands_below_others_and_never_below_itself() {
        let roles = roles(vec![
            ("a", role(&json!({}), &json!(null))),
            ("b", role(&json!({}), &json!("a"))),
        ]);
        let with = |name: &str, parents: Value| roles.acl_with(name, &role(&json!({}), &parents)).err();
        assert_eq!(with("c", json!(["a", "b"])), None);
        for (name, parents, error) in [
            ("a", json!("a"), RoleError::Parents),
            ("a", json!("b"), RoleError::Parents),
            ("c", json!("nosuch"), RoleError::Parents),
            ("root", json!(null), RoleError::Root),
            ("", json!(null), RoleError::Name),
            ("a\n", json!(null), RoleError::Name),
        ] {
            assert_eq!(with(name, parents.clone()), Some(error), "{name:?} {parents}");
        }
        assert_eq!(roles.check_removal("a"), Err(RoleError::Parent));
        assert_eq!(roles.check_removal("b"), Ok(()));
        assert_eq!(roles.check_removal("user"), Err(RoleError::BuiltIn));
        assert_eq!(roles.check_removal("root"), Err(RoleError::Root));
    }

    #[test]
    fn a_made_user_takes_the_place_of_the_one_that_is_there() {
        let roles = roles(vec![("user", role(&json!({"cdr": ["r"]}), &json!(null)))]);
        assert_eq!(roles.acl("user").to_json(), json!({"cdr": ["r"]}));
        assert_eq!(roles.check_removal("user"), Ok(()));
    }
}
