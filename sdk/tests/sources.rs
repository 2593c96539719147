//! Files, databases and other backends on a `MockHost`: a plugin has what it wants and is granted, and names only whom the host knows of.

use keyway_sdk::database::{DatabaseError, Row};
use keyway_sdk::delegate::DelegateError;
use keyway_sdk::file::FileError;
use keyway_sdk::testing::{MockBackend, MockHost};
use keyway_sdk::{
    Answer, Backend, Browse, Capability, Context, Description, Deserialize, Fault, Found, JsonSchema, Key, Listing,
    Login, Lookup, Outcome, Principal, Problem, Query, Refusal, Subject, database, delegate, file, schemars,
};

/// Asks for what its identifier names.
struct Probe;

#[derive(Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
struct Nothing {}

impl Backend for Probe {
    type Config = Nothing;

    fn describe() -> Description {
        Description::new("probe", "1.2.3", "Asks").wants([
            Capability::File("*"),
            Capability::Sql("hr"),
            Capability::Delegate("*"),
        ])
    }

    fn configure(_config: Nothing) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    fn verify(&self, _context: &Context, login: &Login) -> Result<Outcome, Fault> {
        match login.identifier.split_once(':') {
            Some(("file", name)) => {
                let lines = file::find_lines(name, ':', 1, "2")?;
                Ok(Principal::own(lines.join(" ")).into())
            }
            Some(("sql", name)) => {
                let rows = database::query(name, "SELECT", &["a", "b"], 1)?;
                let names = rows.iter().filter_map(|row| row.get("name")).collect::<String>();
                Ok(Principal::own(names).into())
            }
            Some((backend, name)) => Ok(delegate::verify_password(backend, name, login.credential.secret())?),
            None => Ok(somebody("corp", &login.identifier).into()),
        }
    }

    fn answer(&self, _context: &Context, answer: &Answer) -> Result<Outcome, Fault> {
        Ok(delegate::answer_challenge("corp", &answer.state, &answer.response)?)
    }
}

impl Lookup for Probe {
    fn find(&self, _context: &Context, key: &Key) -> Result<Found, Fault> {
        match key {
            Key::Subject(claimed) if claimed.starts_with("claim") => Ok(somebody("corp", claimed).into()),
            key => Ok(delegate::find("corp", key)?),
        }
    }
}

impl Browse for Probe {
    fn list(&self, _context: &Context, query: &Query) -> Result<Listing, Fault> {
        let listed = delegate::list_users("corp", query.pattern("login").unwrap_or("*"), query.most)?;
        Ok(Listing {
            complete: listed.is_some(),
            principals: listed.unwrap_or_default(),
        })
    }
}

keyway_sdk::register!(Probe, lookup, browse);

fn somebody(backend: &str, subject: &str) -> Principal {
    let mut principal = Principal::own(subject);
    principal.subject = Subject::Delegated {
        backend: backend.to_owned(),
        subject: subject.to_owned(),
    };
    principal
}

fn corp() -> MockBackend {
    MockBackend::new()
        .user("alice", "s3cre7", Principal::own("4711").login("alice"))
        .user("bob", "s3cre7", Principal::own("4712").login("bob"))
        .challenges("bob", "123456")
        .refuses("mallory", Refusal::Disabled)
}

fn alice() -> Principal {
    somebody("corp", "4711").login("alice")
}

#[test]
fn a_file_is_read_where_it_is_granted() {
    let host = MockHost::new()
        .file("people", "a:2\n# c:2\n\nb:2:x\nb:3\n")
        .missing_file("gone");
    assert_eq!(
        host.login::<Probe>("file:people", ""),
        Ok(Principal::own("a:2 b:2:x").into())
    );
    assert_eq!(host.login::<Probe>("file:gone", ""), Err(FileError::Unavailable.into()));
    let not_granted = FileError::NotGranted("grants.file.other".to_owned());
    assert_eq!(host.login::<Probe>("file:other", ""), Err(not_granted.into()));
}

#[test]
fn a_database_answers_where_it_is_wanted() {
    let answer = |statement: &str, parameters: &[&str]| {
        assert_eq!((statement, parameters), ("SELECT", ["a", "b"].as_slice()));
        Ok(vec![Row::from([("name", Some("x"))]), Row::from([("name", Some("y"))])])
    };
    let host = MockHost::new().database("hr", answer).database("other", answer);
    assert_eq!(
        host.login::<Probe>("sql:hr", ""),
        Ok(Principal::own("x").into()),
        "one row at most"
    );
    let not_granted = DatabaseError::NotGranted("grants.sql.other".to_owned());
    assert_eq!(host.login::<Probe>("sql:other", ""), Err(not_granted.into()));
}

#[test]
fn a_login_names_only_whom_another_backend_verified() {
    let host = MockHost::new().backend("corp", corp());
    assert_eq!(host.login::<Probe>("corp:alice", "s3cre7"), Ok(alice().into()));
    assert_eq!((host.delegations(), host.comparisons()), (1, 1));
    assert_eq!(
        host.login::<Probe>("corp:alice", "wrong"),
        Ok(Refusal::WrongCredential.into())
    );
    assert_eq!(
        host.login::<Probe>("corp:mallory", "s3cre7"),
        Ok(Refusal::Disabled.into())
    );
    let claimed = host.login::<Probe>("4711", "s3cre7");
    assert!(
        matches!(&claimed, Err(Fault::Internal(why)) if why.contains("did not verify")),
        "{claimed:?}"
    );
    let not_granted = DelegateError::NotGranted("grants.delegate = [\"ldap\"]".to_owned());
    assert_eq!(host.login::<Probe>("ldap:alice", ""), Err(not_granted.into()));
    let down = MockHost::new().backend("corp", corp().unavailable());
    assert_eq!(
        down.login::<Probe>("corp:alice", "s3cre7"),
        Err(DelegateError::Unavailable.into())
    );
}

#[test]
fn a_challenge_of_another_backend_is_answered_there() {
    let host = MockHost::new().backend("corp", corp());
    let Ok(Outcome::Challenged(challenge)) = host.login::<Probe>("corp:bob", "s3cre7") else {
        panic!("no challenge")
    };
    assert_eq!(
        host.answer::<Probe>(&challenge, "000000"),
        Ok(Refusal::WrongCredential.into())
    );
    let bob = somebody("corp", "4712").login("bob");
    assert_eq!(host.answer::<Probe>(&challenge, "123456"), Ok(bob.into()));
}

#[test]
fn a_lookup_and_a_list_name_whom_another_backend_named() {
    let host = MockHost::new().backend("corp", corp());
    let by_login = |login: &str| host.lookup::<Probe>(Key::Identifier(login.to_owned()));
    assert_eq!(by_login("alice"), Ok(alice().into()));
    assert_eq!(by_login("mallory"), Ok(Refusal::Disabled.into()));
    assert_eq!(by_login("carol"), Ok(Refusal::UnknownIdentifier.into()));
    let by_subject = |subject: &str| host.lookup::<Probe>(Key::Subject(subject.to_owned()));
    assert_eq!(by_subject("4711"), Ok(alice().into()));
    assert!(matches!(by_subject("claimed"), Err(Fault::Internal(_))));
    let listing = host.browse::<Probe>(Query::most(5).with("login", "A*")).unwrap();
    assert_eq!((listing.principals, listing.complete), (vec![alice()], true));
    let silent = MockHost::new().backend("corp", corp().cannot_tell().cannot_list());
    assert_eq!(
        silent.lookup::<Probe>(Key::Identifier("alice".to_owned())),
        Ok(Found::CannotTell)
    );
    assert_eq!(silent.browse::<Probe>(Query::most(5)), Ok(Listing::default()));
}

#[test]
fn a_pattern_fits_in_linear_steps_and_without_case() {
    for (pattern, text, fits) in [
        ("*", "", true),
        ("", "", true),
        ("", "a", false),
        ("a*", "A", true),
        ("*b", "ab", true),
        ("a*b", "ab", true),
        ("a*a", "a", false),
        ("a*b*c", "aXbXbc", true),
        ("a*b*b", "ab", false),
        ("*b*a*", "ab", false),
        ("**", "x", true),
        ("ÄR*", "ärger", true),
        ("a.b", "axb", false),
    ] {
        assert_eq!(Query::matches(pattern, text), fits, "{pattern} {text}");
    }
}
