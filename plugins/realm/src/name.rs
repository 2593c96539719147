//! What a caller typed, taken apart into a login and a realm.

/// A login name, and the realm that was typed with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    /// The login name without the realm.
    pub(crate) login: &'a str,
    /// The realm as it was typed; `None` where none was.
    pub(crate) realm: Option<&'a str>,
}

impl<'a> Name<'a> {
    /// A name that is nothing but a login.
    pub(crate) fn whole(login: &'a str) -> Self {
        Self { login, realm: None }
    }

    /// `login@realm` at the last `@`, if the realm is one that `is_defined` knows; otherwise the name is left whole, because login names have an `@`, too.
    /// Without any `@`: `realm\login` at the last `\`, whether there is such a realm or not.
    pub(crate) fn split(typed: &'a str, is_defined: impl Fn(&str) -> bool) -> Self {
        match typed.rsplit_once('@') {
            Some((login, realm)) if is_defined(realm) => Self {
                login,
                realm: Some(realm),
            },
            Some(_) => Self::whole(typed),
            None => match typed.rsplit_once('\\') {
                Some((realm, login)) => Self {
                    login,
                    realm: Some(realm).filter(|realm| !realm.is_empty()),
                },
                None => Self::whole(typed),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_defined(realm: &str) -> bool {
        ["realm1", "example.org"].contains(&realm.to_lowercase().as_str())
    }

    #[test]
    fn a_name_is_split_at_a_defined_realm_or_a_backslash() {
        for (typed, login, realm) in [
            ("carol", "carol", None),
            ("carol@realm1", "carol", Some("realm1")),
            ("carol@REALM1", "carol", Some("REALM1")),
            ("carol@nosuch", "carol@nosuch", None),
            ("carol@example.org@realm1", "carol@example.org", Some("realm1")),
            ("carol@realm1@nosuch", "carol@realm1@nosuch", None),
            ("carol@", "carol@", None),
            ("@realm1", "", Some("realm1")),
            ("realm1\\carol", "carol", Some("realm1")),
            ("nosuch\\carol", "carol", Some("nosuch")),
            ("a\\b\\carol", "carol", Some("a\\b")),
            ("\\carol", "carol", None),
            ("realm1\\carol@nosuch", "realm1\\carol@nosuch", None),
            ("realm1\\carol@realm1", "realm1\\carol", Some("realm1")),
            ("", "", None),
        ] {
            assert_eq!(Name::split(typed, is_defined), Name { login, realm }, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_made_up(typed in "[a-z@\\\\.ä]{0,12}|.{0,40}") {
            let name = Name::split(&typed, is_defined);
            match name.realm {
                None => prop_assert!(name.login == typed || typed.strip_prefix('\\') == Some(name.login)),
                Some(realm) if typed.contains('@') => {
                    prop_assert!(is_defined(realm));
                    prop_assert_eq!(format!("{}@{realm}", name.login), typed);
                }
                Some(realm) => prop_assert_eq!(format!("{realm}\\{}", name.login), typed),
            }
        }

        #[test]
        fn a_login_with_any_defined_realm_behind_it_comes_back(login in ".{0,30}") {
            let typed = format!("{login}@Realm1");
            let name = Name::split(&typed, is_defined);
            prop_assert_eq!((name.login, name.realm), (login.as_str(), Some("Realm1")));
        }
    }
}
