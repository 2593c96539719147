//! `MockHost` keeps the real host's rules, so that a test that passes here does not fail there.

use keyway_sdk::directory::{self, Found};
use keyway_sdk::log::{self, Level};
use keyway_sdk::testing::{MockCredential, MockHost, MockUser, verifier};
use keyway_sdk::{
    Answer, Backend, Capability, Challenge, ChallengeKind, ChangePassword, Changed, Context, Credential, Description,
    Deserialize, DigestAlgorithm, Fault, Health, JsonSchema, Key, Login, Lookup, Outcome, PasswordChange, Principal,
    Problem, Refusal, SecretError, config, json, schemars,
};

/// Does what its identifier says.
struct Probe {
    verifier: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
struct Config {
    verifier: Option<String>,
    even: Option<u32>,
}

impl Backend for Probe {
    type Config = Config;

    fn describe() -> Description {
        Description::new("probe", "1.2.3", "Does what it is told").wants([
            Capability::Log,
            Capability::DirectoryVerify,
            Capability::CredentialExpose,
        ])
    }

    fn configure(config: Config) -> Result<Self, Vec<Problem>> {
        match config.even {
            Some(number) if number % 2 != 0 => Err(vec![Problem::at("/even", "is odd"), Problem::new("is of no use")]),
            _ => Ok(Self {
                verifier: config.verifier,
            }),
        }
    }

    fn verify(&self, context: &Context, login: &Login) -> Result<Outcome, Fault> {
        let secret = login.credential.secret();
        match login.identifier.as_str() {
            "matches" => {
                if secret.matches(self.verifier.as_deref())? {
                    return Ok(Principal::own("matched").into());
                }
            }
            "expose" => {
                let exposed = secret.expose()?;
                let text = String::from_utf8_lossy(&exposed);
                log::warn!("it is {text}", field = text, other = context.dialect);
                return Ok(Principal::own(text).into());
            }
            "find" => {
                directory::find_by_login("alice", None)?;
            }
            "claim" => return Ok(directory_principal("user-alice-master")),
            "swap" => {
                directory::verify_password(Some("user-alice-master"), secret)?;
                return Ok(directory_principal("user-bob-master"));
            }
            "earn" => {
                directory::verify_password(Some("user-alice-master"), secret)?;
                return Ok(directory_principal("user-alice-master"));
            }
            "challenge" => {
                return Ok(Challenge::new(ChallengeKind::Otp, "code")
                    .state(b"state".to_vec())
                    .into());
            }
            "long" => return Ok(Challenge::new(ChallengeKind::Push, "look").state(vec![0; 8193]).into()),
            name => return Ok(Principal::own(name).into()),
        }
        Ok(Refusal::WrongCredential.into())
    }

    fn answer(&self, _context: &Context, answer: &Answer) -> Result<Outcome, Fault> {
        assert_eq!(answer.state, b"state");
        answer.response.matches(self.verifier.as_deref())?;
        Ok(Refusal::Expired.into())
    }
}

impl Health for Probe {
    fn health(&self) -> Result<(), Fault> {
        let secret = config::find_secret("key").ok_or_else(|| Fault::misconfigured("no key"))?;
        secret.matches(None)?;
        Ok(())
    }
}

keyway_sdk::register!(Probe, change_password, health);

/// A principal as the directory would give it, without asking the directory.
fn directory_principal(id: &str) -> Outcome {
    let mut principal = Principal::own(id);
    principal.subject = keyway_sdk::Subject::Directory(id.to_owned());
    principal.into()
}

fn host() -> MockHost {
    MockHost::new().user("alice", "s3cre7").user("bob", "s3cre7")
}

#[test]
fn a_directory_user_is_believed_only_after_a_match_in_the_same_call() {
    let host = host();
    assert!(host.login::<Probe>("earn", "s3cre7").is_ok());
    for (identifier, password) in [("claim", "s3cre7"), ("earn", "wrong"), ("swap", "s3cre7")] {
        let outcome = host.login::<Probe>(identifier, password);
        assert!(
            matches!(&outcome, Err(Fault::Internal(why)) if why.contains("matched no password")),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_capability_works_if_it_is_wanted_and_granted() {
    let not_granted = |name: &str| Err(Fault::from(SecretError::NotGranted(name.to_owned())));
    assert_eq!(
        host().login::<Probe>("expose", "s3cre7"),
        not_granted("credential.expose")
    );
    let granted = host().grant(Capability::CredentialExpose);
    assert_eq!(
        granted.login::<Probe>("expose", "s3cre7"),
        Ok(Principal::own("s3cre7").into())
    );
    assert_eq!(granted.exposures(), 1);
    // Granted by default, and not wanted by this plugin.
    assert_eq!(host().login::<Probe>("find", "s3cre7"), not_granted("directory.find"));
}

#[test]
fn an_exposed_secret_is_blanked_in_the_log() {
    let host = host().grant(Capability::CredentialExpose);
    assert!(host.login::<Probe>("expose", "s3cre7").is_ok());
    let line = &host.lines()[0];
    assert_eq!((line.level, line.message.as_str()), (Level::Warn, "it is [secret]"));
    assert_eq!(
        (line.field("field"), line.field("other"), line.field("none")),
        (Some("[secret]"), Some("wazo"), None)
    );
    assert!(
        host.login::<Probe>("carol", "x").is_ok() && host.lines().is_empty(),
        "lines are those of the last call"
    );
    let silent = host.deny(Capability::Log);
    assert!(silent.login::<Probe>("expose", "s3cre7").is_ok() && silent.lines().is_empty());
}

#[test]
fn verifiers_of_every_format_are_compared() {
    let check = |verifier: &str, password: &str| {
        let host = MockHost::new().config(json!({ "verifier": verifier }));
        host.login::<Probe>("matches", password)
    };
    // Of `password`, computed with Python's hashlib.
    let scrypt = "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHRzYWx0$OMhHbSEaEtsu/I0j8kYPfsrH+u3TT8X+IGRK4Kq6rWE";
    let pbkdf2 = "$pbkdf2-sha512$i=1000,l=64$c2FsdHNhbHRzYWx0$qEWuBHP82uzPrybCUpp9FMGVDoszagDwOgBhAY44y2gPun4RFBM9zjAnhQjJRk+l/dEEhatLCI65Yj/OYq4dcQ";
    for good in [scrypt, pbkdf2, &verifier("password")] {
        assert_eq!(check(good, "password"), Ok(Principal::own("matched").into()), "{good}");
        assert_eq!(check(good, "passwort"), Ok(Refusal::WrongCredential.into()), "{good}");
    }
    for (bad, format) in [
        ("$2b$12$x", "2b"),
        ("$2x$12$x", "2x"),
        ("s3cre7", "unknown"),
        ("", "unknown"),
        ("$argon2id$x", "argon2id"),
    ] {
        let error = SecretError::UnsupportedVerifier(format.to_owned());
        assert_eq!(check(bad, "password"), Err(error.into()), "{bad}");
    }
}

#[test]
fn a_challenge_comes_back_with_its_state() {
    let host = host();
    let Ok(Outcome::Challenged(challenge)) = host.login::<Probe>("challenge", "s3cre7") else {
        panic!("no challenge")
    };
    assert_eq!(host.answer::<Probe>(&challenge, "123456"), Ok(Refusal::Expired.into()));
    assert_eq!(host.comparisons(), 1);
    assert!(matches!(host.login::<Probe>("long", "s3cre7"), Err(Fault::Internal(why)) if why.contains("8 KiB")));
}

#[test]
fn an_own_subject_has_a_length() {
    for (name, accepted) in [
        ("a".repeat(255), true),
        ("a".repeat(256), false),
        (String::new(), false),
    ] {
        assert_eq!(
            host().login::<Probe>(&name, "s3cre7").is_ok(),
            accepted,
            "{}",
            name.len()
        );
    }
}

#[test]
fn problems_of_configure_are_reported_and_stop_a_login() {
    let host = host().config(json!({ "even": 3 }));
    let problems = vec![Problem::at("/even", "is odd"), Problem::new("is of no use")];
    assert_eq!(host.check_config::<Probe>(&json!({ "even": 3 })), Err(problems));
    assert_eq!(host.check_config::<Probe>(&json!({ "even": 2 })), Ok(()));
    let why = "the configuration is not usable: `/even`: is odd; is of no use";
    assert_eq!(host.login::<Probe>("alice", "s3cre7"), Err(Fault::misconfigured(why)));
}

#[test]
fn health_has_the_secrets_of_the_configuration() {
    assert_eq!(host().health::<Probe>(), Err(Fault::misconfigured("no key")));
    let host = host().secret("key", "k");
    assert_eq!(host.health::<Probe>(), Ok(()));
    assert!(matches!(
        host.unavailable().health::<Probe>(),
        Err(Fault::Unavailable(_))
    ));
}

#[test]
fn a_directory_finds_one_nobody_or_several() {
    struct Finder;
    impl Backend for Finder {
        type Config = Config;
        fn describe() -> Description {
            Description::new("finder", "0.1.0", "Finds").wants([Capability::DirectoryFind])
        }
        fn configure(_config: Config) -> Result<Self, Vec<Problem>> {
            Ok(Self)
        }
        fn verify(&self, context: &Context, login: &Login) -> Result<Outcome, Fault> {
            let tenant = context.tenant.as_deref();
            let found = match login.credential {
                Credential::Otp(_) => directory::find_by_email(&login.identifier, tenant)?,
                _ => directory::find_by_login(&login.identifier, tenant)?,
            };
            Ok(match found {
                Found::One(user) => Principal::own(user.id).into(),
                Found::Nobody => Refusal::UnknownIdentifier.into(),
                Found::Several => Refusal::Ambiguous.into(),
            })
        }
    }
    let host = MockHost::new()
        .add_user(MockUser::new("Alice").email("A@example.org"))
        .add_user(MockUser::new("alice").tenant("acme"));
    assert_eq!(host.login::<Finder>("ALICE", ""), Ok(Refusal::Ambiguous.into()));
    assert_eq!(
        host.login::<Finder>("a@example.org", ""),
        Ok(Refusal::UnknownIdentifier.into())
    );
    let by_email = host.present::<Finder>("a@example.org", MockCredential::Otp(String::new()));
    assert_eq!(by_email, Ok(Principal::own("user-Alice-master").into()));
    let acme = host.context(|context| context.tenant = Some("acme".to_owned()));
    assert_eq!(
        acme.login::<Finder>("ALICE", ""),
        Ok(Principal::own("user-alice-acme").into())
    );
}

#[test]
fn a_secret_and_what_it_exposes_print_nothing() {
    struct Printer;
    impl Backend for Printer {
        type Config = Config;
        fn describe() -> Description {
            Description::new("printer", "0.1.0", "Prints").wants([Capability::CredentialExpose])
        }
        fn configure(_config: Config) -> Result<Self, Vec<Problem>> {
            Ok(Self)
        }
        fn verify(&self, _context: &Context, login: &Login) -> Result<Outcome, Fault> {
            let printed = format!("{login:?} {:?}", login.credential.secret().expose()?);
            assert!(!printed.contains("s3cre7"), "{printed}");
            Ok(Principal::own("printed").into())
        }
    }
    let host = host().grant(Capability::CredentialExpose);
    let credential = MockCredential::Digest(DigestAlgorithm::Sha1, "s3cre7".to_owned());
    assert_eq!(
        host.present::<Printer>("alice", credential),
        Ok(Principal::own("printed").into())
    );
    assert!(!format!("{host:?}").contains("s3cre7"), "{host:?}");
}

#[test]
#[should_panic(expected = "the name `No Good` is not 1 to 64 characters")]
fn a_description_is_held_to_the_contract() {
    struct Named;
    impl Backend for Named {
        type Config = Config;
        fn describe() -> Description {
            Description::new("No Good", "0.1.0", "x")
        }
        fn configure(_config: Config) -> Result<Self, Vec<Problem>> {
            Ok(Self)
        }
        fn verify(&self, _context: &Context, _login: &Login) -> Result<Outcome, Fault> {
            Ok(Refusal::Locked.into())
        }
    }
    let _ = MockHost::new().describe::<Named>();
}

/// Lets in whoever has the digest, and with the identifier `other` says that it was bob.
struct ByDigest;

impl Backend for ByDigest {
    type Config = Nothing;

    fn describe() -> Description {
        Description::new("by_digest", "1.2.3", "Looks digests up").wants([Capability::DirectoryVerify])
    }

    fn configure(_config: Nothing) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    fn verify(&self, context: &Context, login: &Login) -> Result<Outcome, Fault> {
        let Credential::Digest { algorithm, value } = &login.credential else {
            return Ok(Refusal::UnsupportedCredential.into());
        };
        let found = directory::find_by_digest(*algorithm, value, context.tenant.as_deref())?;
        Ok(match found {
            Some(_) if login.identifier == "other" => directory_principal("user-bob-acme"),
            Some(user) => Principal::directory(&user).into(),
            None => Refusal::WrongCredential.into(),
        })
    }
}

#[test]
fn a_digest_finds_its_user_in_one_tenant_and_vouches_for_that_user_alone() {
    let host = MockHost::new()
        .add_user(MockUser::new("Alice").tenant("acme").password("s3cre7"))
        .add_user(MockUser::new("bob").tenant("acme").password("hunter2"));
    let acme = host.clone().context(|context| context.tenant = Some("acme".to_owned()));
    for (algorithm, hex) in [
        (DigestAlgorithm::Md5, "4ba78cb0338d14321fe2ba165f05ba8e"),
        (DigestAlgorithm::Sha1, "5a00ae94c23501cdb5a437cf9b82b3e0ff2dee6a"),
    ] {
        let digest = MockCredential::digest(algorithm, "alice", "s3cre7");
        assert_eq!(digest, MockCredential::Digest(algorithm, hex.to_owned()));
        let outcome = acme.present::<ByDigest>("", digest.clone());
        assert!(
            matches!(&outcome, Ok(Outcome::Verified(principal)) if principal.login == "Alice"),
            "{outcome:?}"
        );
        assert_eq!(acme.comparisons(), 1);
        let other = acme.present::<ByDigest>("other", digest.clone());
        assert!(matches!(other, Err(Fault::Internal(_))), "{other:?}");
        assert_eq!(
            host.present::<ByDigest>("", digest),
            Ok(Refusal::WrongCredential.into())
        );
        assert_eq!(host.comparisons(), 1);
        let upper = MockCredential::Digest(algorithm, hex.to_uppercase());
        assert_eq!(acme.present::<ByDigest>("", upper), Ok(Refusal::WrongCredential.into()));
    }
    let digest = MockCredential::digest(DigestAlgorithm::Md5, "alice", "s3cre7");
    let denied = acme.deny(Capability::DirectoryVerify).present::<ByDigest>("", digest);
    let fault = Fault::misconfigured("the capability `directory.verify` is not granted");
    assert_eq!(denied, Err(fault));
}

/// Names whomever of the directory it finds.
struct Linker;

#[derive(Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
struct Nothing {}

impl Backend for Linker {
    type Config = Nothing;

    fn describe() -> Description {
        Description::new("linker", "1.2.3", "Names whomever it finds")
            .wants([Capability::DirectoryFind])
            .may_use([Capability::DirectoryLink])
    }

    fn configure(_config: Nothing) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    fn verify(&self, _context: &Context, login: &Login) -> Result<Outcome, Fault> {
        Ok(match directory::find_by_login(&login.identifier, None)? {
            Found::One(user) => Principal::directory(&user).into(),
            _ => Refusal::UnknownIdentifier.into(),
        })
    }
}

impl Lookup for Linker {
    fn find(&self, _context: &Context, key: &Key) -> Result<keyway_sdk::Found, Fault> {
        let (Key::Identifier(login) | Key::Subject(login)) = key;
        if login == "claim" {
            let Outcome::Verified(principal) = directory_principal("user-alice-master") else {
                return Ok(Refusal::UnknownIdentifier.into());
            };
            return Ok(principal.into());
        }
        if let Found::One(user) = directory::find_by_login(login, None)? {
            return Ok(Principal::directory(&user).into());
        }
        Ok(Refusal::UnknownIdentifier.into())
    }
}

keyway_sdk::register!(Linker, lookup);

impl ChangePassword for Probe {
    fn change(&self, _context: &Context, change: &PasswordChange) -> Result<Changed, Fault> {
        let id = format!("user-{}-master", change.identifier);
        if directory::verify_password(Some(&id), &change.present)? {
            let exposed = change.new.expose()?;
            log::info!("changed", to = String::from_utf8_lossy(&exposed));
            return Ok(match directory_principal(&id) {
                Outcome::Verified(principal) => principal.into(),
                _ => Refusal::Ambiguous.into(),
            });
        }
        Ok(Refusal::WrongCredential.into())
    }
}

#[test]
fn a_login_names_a_directory_user_without_a_match_only_with_the_grant_to_link() {
    let unlinked = host().login::<Linker>("alice", "s3cre7");
    assert!(
        matches!(&unlinked, Err(Fault::Internal(why)) if why.contains("matched no password")),
        "{unlinked:?}"
    );
    let linked = host().grant(Capability::DirectoryLink);
    assert!(linked.login::<Linker>("alice", "s3cre7").is_ok());
}

#[test]
fn a_lookup_names_only_a_directory_user_whom_the_host_found() {
    let found = host().lookup::<Linker>(Key::Identifier("alice".to_owned()));
    assert!(matches!(found, Ok(keyway_sdk::Found::Principal(alice)) if alice.login == "alice"));
    let claimed = host().lookup::<Linker>(Key::Identifier("claim".to_owned()));
    assert!(
        matches!(&claimed, Err(Fault::Internal(why)) if why.contains("did not find")),
        "{claimed:?}"
    );
}

#[test]
fn a_changed_password_is_no_more_in_the_log_than_a_presented_one() {
    let host = host().grant(Capability::CredentialExpose);
    let changed = host.change_password::<Probe>("alice", "s3cre7", "a better one");
    assert!(matches!(changed, Ok(Changed::Changed(_))), "{changed:?}");
    assert_eq!(host.lines()[0].field("to"), Some("[secret]"));
    let refused = host.change_password::<Probe>("alice", "wrong", "a better one");
    assert_eq!(refused, Ok(Refusal::WrongCredential.into()));
}
