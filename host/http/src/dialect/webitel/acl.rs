//! What a role allows: for each resource the permissions on it.

mod builtin;
mod written;

use std::collections::BTreeMap;
use std::ops::{BitAnd, BitOr};

use serde::ser::{SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

pub(super) use builtin::{ADMIN, RESOURCES, ROOT, USER, admin, user};
pub(super) use written::Written;

/// The names of permissions, each in the place of its bit: all of them, then creating, reading, updating and deleting, each of anything and of one's own.
const NAMES: [&str; 9] = ["*", "c", "co", "r", "ro", "u", "uo", "d", "do"];

/// The longest name of a resource, in bytes.
const MAX_RESOURCE: usize = 64;

/// The most resources of one role.
const MAX_RESOURCES: usize = 200;

/// Permissions on one resource, with all that they include: `*` includes the others, and `r` includes `ro`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Permissions(u16);

/// What somebody may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Acl {
    /// Whether it is everything, with resources that nobody has named yet.
    everything: bool,
    allows: BTreeMap<String, Permissions>,
}

/// Part of it, as it is written.
pub(super) struct Part<'a> {
    acl: &'a Acl,
    resources: &'a [&'a str],
}

impl Permissions {
    /// Reading.
    pub(super) const READ: Self = Self(0b0_0001_1000);
    /// Creating.
    pub(super) const CREATE: Self = Self(0b0_0000_0110);
    /// Updating.
    pub(super) const UPDATE: Self = Self(0b0_0110_0000);
    /// Updating one's own.
    pub(super) const UPDATE_OWN: Self = Self(0b0_0100_0000);
    /// Deleting.
    pub(super) const DELETE: Self = Self(0b1_1000_0000);
    /// All of them.
    pub(super) const ALL: Self = Self(0b1_1111_1111);

    /// That of this name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let place = NAMES.iter().position(|known| *known == name)?;
        Some(match place {
            0 => Self::ALL,
            // One's own is the bit after that of anything.
            odd if odd % 2 == 1 => Self(0b11 << odd),
            own => Self(1 << own),
        })
    }

    /// Whether all of those are among these.
    pub(super) fn include(self, others: Self) -> bool {
        self & others == others
    }

    fn has(self, place: usize) -> bool {
        self.0 & (1 << place) != 0
    }

    fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The fewest names that say the same.
    fn names(self) -> impl Iterator<Item = &'static str> {
        let shown = move |place: usize| match place {
            0 => self.has(0),
            _ if self.has(0) => false,
            odd if odd % 2 == 1 => self.has(odd),
            own => self.has(own) && !self.has(own - 1),
        };
        NAMES
            .iter()
            .enumerate()
            .filter(move |(place, _)| shown(*place))
            .map(|(_, name)| *name)
    }
}

impl BitOr for Permissions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Permissions {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Acl {
    /// Everything. These resources are shown.
    pub(super) fn everything<'a>(resources: impl IntoIterator<Item = &'a str>) -> Self {
        let shown = resources.into_iter();
        Self {
            everything: true,
            allows: shown.map(|resource| (resource.to_owned(), Permissions::ALL)).collect(),
        }
    }

    /// From what clients write: for each resource a list of permissions.
    ///
    /// # Errors
    /// What is wrong, in words for the caller.
    pub(super) fn parse(value: &Value) -> Result<Self, String> {
        if value.as_object().is_some_and(|fields| fields.len() > MAX_RESOURCES) {
            return Err(format!("A role has at most {MAX_RESOURCES} resources."));
        }
        Self::parse_stored(value)
    }

    /// The same, of any number of resources: roles add up.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn parse_stored(value: &Value) -> Result<Self, String> {
        let fields = value.as_object().ok_or("`allows` is to be an object of lists.")?;
        let mut acl = Self::default();
        for (resource, names) in fields {
            let is_name = (1..=MAX_RESOURCE).contains(&resource.len());
            if !is_name || !resource.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(format!(
                    "The name of a resource is 1 to {MAX_RESOURCE} ASCII characters without blanks."
                ));
            }
            let names = names.as_array().ok_or("Permissions are to be a list.")?;
            let parsed = names.iter().map(|name| Permissions::parse(name.as_str()?));
            let permissions: Option<Vec<_>> = parsed.collect();
            let permissions = permissions.ok_or_else(|| format!("A permission is one of {}.", NAMES.join(", ")))?;
            acl.add(
                resource,
                permissions.into_iter().fold(Permissions::default(), BitOr::bitor),
            );
        }
        Ok(acl)
    }

    /// Lets it allow this, too.
    pub(super) fn add(&mut self, resource: &str, permissions: Permissions) {
        if !permissions.is_empty() {
            let held = self.allows.entry(resource.to_owned()).or_default();
            *held = *held | permissions;
        }
    }

    /// Lets it allow all that another one does, too.
    pub(super) fn add_all(&mut self, other: &Self) {
        self.everything |= other.everything;
        for (resource, permissions) in &other.allows {
            self.add(resource, *permissions);
        }
    }

    /// The permissions on a resource.
    pub(super) fn on(&self, resource: &str) -> Permissions {
        if self.everything {
            return Permissions::ALL;
        }
        self.allows.get(resource).copied().unwrap_or_default()
    }

    /// Whether it allows all that another one does.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let mut others = other.allows.iter();
        self.everything
            || (!other.everything && others.all(|(resource, permissions)| self.on(resource).include(*permissions)))
    }

    /// What another one allows, too.
    pub(super) fn within(&self, ceiling: &Self) -> Self {
        if ceiling.everything {
            return self.clone();
        }
        let mut left = Self::default();
        for (resource, permissions) in &ceiling.allows {
            left.add(resource, *permissions & self.on(resource));
        }
        left
    }

    /// The resources that it names.
    pub(super) fn resources(&self) -> impl Iterator<Item = &str> {
        self.allows.keys().map(String::as_str)
    }

    /// Whether it is everything.
    pub(super) fn is_everything(&self) -> bool {
        self.everything
    }

    /// What it allows on these resources.
    pub(super) fn part<'a>(&'a self, resources: &'a [&'a str]) -> Part<'a> {
        Part { acl: self, resources }
    }

    /// As it is written.
    pub(super) fn to_json(&self) -> Value {
        let list = |permissions: Permissions| permissions.names().map(Value::from).collect::<Value>();
        let fields = self.allows.iter();
        let fields: Map<_, _> = fields
            .map(|(resource, permissions)| (resource.clone(), list(*permissions)))
            .collect();
        fields.into()
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for name in self.names() {
            list.serialize_element(name)?;
        }
        list.end()
    }
}

impl Serialize for Acl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.allows)
    }
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for resource in self.resources {
            let permissions = self.acl.on(resource);
            if !permissions.is_empty() {
                map.serialize_entry(resource, &permissions)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn acl(value: &Value) -> Acl {
        Acl::parse(value).expect("an access list")
    }

    #[test]
    fn permissions_include_the_own_forms_and_are_written_shortest() {
        let written = |value: Value| acl(&value).to_json();
        assert_eq!(written(json!({"a": ["d", "do", "ro", "r"]})), json!({"a": ["r", "d"]}));
        assert_eq!(written(json!({"a": ["uo", "c", "*"], "b": []})), json!({"a": ["*"]}));
        assert_eq!(
            written(json!({"a": ["c", "r", "u", "d"]})),
            json!({"a": ["c", "r", "u", "d"]})
        );
        let on = |name: &str| Permissions::parse(name).expect("a permission");
        for (name, known) in [
            ("r", Permissions::READ),
            ("c", Permissions::CREATE),
            ("u", Permissions::UPDATE),
            ("uo", Permissions::UPDATE_OWN),
            ("d", Permissions::DELETE),
            ("*", Permissions::ALL),
        ] {
            assert_eq!(on(name), known, "{name}");
        }
        assert!(on("u").include(on("uo")) && !on("uo").include(on("u")) && !on("u").include(on("d")));
        assert!(on("*").include(on("d")) && !(on("c") | on("r") | on("u") | on("d")).include(on("*")));
    }

    #[test]
    fn everything_covers_all_and_is_covered_by_nothing_else() {
        let everything = Acl::everything(["a"]);
        let all = acl(&json!({"a": ["*"], "b": ["*"]}));
        assert!(everything.covers(&all) && everything.covers(&everything) && !all.covers(&everything));
        assert!(all.covers(&acl(&json!({"a": ["r"]}))) && !all.covers(&acl(&json!({"c": ["ro"]}))));
        assert_eq!(everything.on("z"), Permissions::ALL);
    }

    #[test]
    fn what_is_within_a_ceiling_is_what_both_allow() {
        let ceiling = acl(&json!({"a": ["r", "uo"], "b": ["*"]}));
        let role = acl(&json!({"a": ["*"], "b": ["c"], "c": ["*"]}));
        assert_eq!(role.within(&ceiling).to_json(), json!({"a": ["r", "uo"], "b": ["c"]}));
        assert_eq!(Acl::everything([]).within(&ceiling), ceiling);
        assert_eq!(role.within(&Acl::everything([])), role);
    }

    #[test]
    fn what_is_no_access_list_is_refused() {
        for value in [
            json!(5),
            json!([]),
            json!({"a": "r"}),
            json!({"a": ["x"]}),
            json!({"a": [1]}),
            json!({"": ["r"]}),
            json!({"a b": ["r"]}),
            json!({"é": ["r"]}),
        ] {
            assert!(Acl::parse(&value).is_err(), "{value}");
        }
        let many: Map<_, _> = (0..201).map(|n| (n.to_string(), json!(["r"]))).collect();
        assert!(Acl::parse(&many.into()).is_err());
    }
}
