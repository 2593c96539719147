//! `[[rights]]`.

use keyway_core::rights::{ACCOUNT_ADMIN_ACCESSES, PrivLevel, Rights};

use super::*;

const EVERYBODY: &str = "[[rights]]\nkazoo = \"user\"\nwebitel = \"user\"\n";

#[test]
fn without_a_table_there_is_the_usual_one_with_its_policy() {
    let config = parse("").expect("nothing at all");
    assert_eq!(config.rights, Rights::default());
    let policies = config.directory.provisions.policies;
    let [policy] = policies.as_slice() else {
        panic!("{policies:?}");
    };
    assert_eq!(policy.slug, "account_admin");
    assert_eq!(policy.accesses, ACCOUNT_ADMIN_ACCESSES);
    let told = policy.unless_taken.expect("nobody wrote it");
    for part in ["`account_admin`", "`[directory.policies]`", "`[[rights]]`"] {
        assert!(told.contains(part), "{told}");
    }
    policy.check().expect("a policy that could be");
}

#[test]
fn the_policy_of_the_usual_table_may_be_the_operators_own_or_left_out() {
    let own = parse("[directory.policies]\nAccount_admin.acl = [\"keyway.admin\"]").expect("it is right");
    let policies = own.directory.provisions.policies;
    assert_eq!(policies.len(), 1);
    assert_eq!(policies[0].accesses, ["keyway.admin"]);
    assert_eq!(policies[0].unless_taken, None, "the operator wrote it");
    let none = parse(EVERYBODY).expect("it is right");
    assert!(none.directory.provisions.policies.is_empty());
}

#[test]
fn rows_are_read_in_their_order() {
    let text =
        "[[rights]]\naccess = \"tel.boss\"\npolicy = \"bosses\"\nkazoo = \"admin\"\nwebitel = \"boss\"\n".to_owned();
    let config = parse(&(text + EVERYBODY)).expect("it is right");
    let [boss, last] = config.rights.rows() else {
        panic!("{:?}", config.rights);
    };
    assert_eq!(
        (boss.access.as_deref(), boss.policy.as_deref()),
        (Some("tel.boss"), Some("bosses"))
    );
    assert_eq!((boss.kazoo, boss.webitel.as_str()), (PrivLevel::Admin, "boss"));
    assert_eq!((last.access.as_deref(), last.policy.as_deref()), (None, None));
    assert_eq!((last.kazoo, last.webitel.as_str()), (PrivLevel::User, "user"));
}

#[test]
fn a_table_that_cannot_be_one_is_named_with_file_and_line() {
    let row = |lines: &str| format!("[[rights]]\nkazoo = \"admin\"\nwebitel = \"a\"\n{lines}\n");
    let table = [
        (
            row("access = \"a.b\""),
            "/srv/keyway.toml:1: `rights`: the last row must be for everybody, without `access`",
        ),
        (
            row("") + EVERYBODY,
            "/srv/keyway.toml:1: `rights`: only the last row may be without `access`: no row after it can hold",
        ),
        (
            row("access = \"auth.#\"") + EVERYBODY,
            "/srv/keyway.toml:4: `rights.access`: write one access, `keyway.admin` for example, without `*`, `#`, `!` and white space",
        ),
        (
            row("policy = \"a b\"") + EVERYBODY,
            "/srv/keyway.toml:4: `rights.policy`: slug: letters, digits, `_` and `-`, not too many of them",
        ),
        (
            "[[rights]]\nkazoo = \"user\"\nwebitel = \"\"".to_owned(),
            "/srv/keyway.toml:3: `rights.webitel`: a role has a name of 1 to 64 bytes without control characters",
        ),
        (
            "[[rights]]\nkazoo = \"root\"\nwebitel = \"a\"".to_owned(),
            "/srv/keyway.toml:2: `rights.kazoo`: unknown value `root`, expected `user` or `admin`",
        ),
        (
            "[[rights]]\nkazoo = \"user\"\nwebitel = \"a\"\nrole = \"b\"".to_owned(),
            "/srv/keyway.toml:4: unknown key `rights.role`; the keys here are `access`, `policy`, `kazoo`, `webitel`",
        ),
    ];
    for (text, message) in table {
        assert_eq!(refusal(&text), message, "{text}");
    }
}
