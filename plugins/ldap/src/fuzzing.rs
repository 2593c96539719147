//! Doors for the fuzz targets in `fuzz/`, and the properties that they hold to.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};

use keyway_sdk::net::{NetError, Protection};
use keyway_sdk::testing::MockHost;
use keyway_sdk::{
    Backend, Capability, Context, Description, Fault, Health, Key, Login, Outcome, Problem, Refusal, Subject, json,
};
use ldap3_proto::proto::{LdapDerefAliases, LdapFilter, LdapMsg, LdapOp, LdapSearchRequest, LdapSearchScope};

use crate::Config;
use crate::config::Settings;
use crate::connection::{Network, Stream};
use crate::directory::Directory;
use crate::filter::{Placeholder, Template, Values, Words};
use crate::modify_password::Wish;
use crate::verdict::Stop;
use crate::{dn, identity, protocol};

thread_local! {
    static SCRIPT: RefCell<VecDeque<Vec<u8>>> = const { RefCell::new(VecDeque::new()) };
}

/// How many reads one conversation may take. Each bound of the protocol is far below.
const MAX_READS: usize = 100_000;

/// One conversation with a directory that sends these bytes, whatever it is asked. The first byte chooses the configuration and what is done; the
/// others are the pieces that reads bring, each after its length. An empty piece is the end of a connection.
///
/// # Panics
/// If what comes of it is something that the host would not take.
pub fn converse(bytes: &[u8]) {
    let [choice, script @ ..] = bytes else { return };
    let chosen = |bit: u8| choice & (1 << bit) != 0;
    let groups = if chosen(3) { "ou=groups,dc=example" } else { "" };
    let service = if chosen(0) { "cn=svc" } else { "" };
    let config = json!({
        "user_base_dn": "ou=people,dc=example",
        "bind_dn": service,
        "group_base_dn": groups,
        "nested_groups": chosen(1),
        "pool": chosen(2),
        "attributes": ["description"],
    });
    let dialect = if chosen(4) { "change" } else { "login" };
    let host = MockHost::new()
        .grant(Capability::CredentialExpose)
        .secret("bind_password", "svc")
        .context(|context| dialect.clone_into(&mut context.dialect));
    SCRIPT.with(|place| *place.borrow_mut() = pieces(script));
    let host = host.config(config);
    if chosen(5) {
        let _ = host.health::<Scripted>();
        return;
    }
    if let Ok(Outcome::Verified(principal)) = host.login::<Scripted>("alice", "s3cre7") {
        let kept = principal.groups.iter().chain(principal.attributes.values());
        let size: usize = kept.map(String::len).sum();
        assert!(size <= 12 * 1024, "the host would not take it");
        assert!((1..=1024).contains(&principal.login.len()), "no login");
        let has_name = matches!(&principal.subject, Subject::Own(subject) if (1..=255).contains(&subject.len()));
        assert!(has_name, "no subject");
        let shown = principal.email.iter().chain(&principal.display_name);
        assert!(
            shown.into_iter().all(|text| text.len() <= 1024),
            "the host would show it"
        );
        assert!(principal.groups.iter().all(|name| name.len() <= 4096), "no group");
    }
}

fn pieces(mut script: &[u8]) -> VecDeque<Vec<u8>> {
    let mut pieces = VecDeque::new();
    while let [length, rest @ ..] = script {
        let (piece, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        pieces.push_back(piece.to_vec());
        script = rest;
    }
    pieces
}

/// The plugin on connections that follow the script.
struct Scripted(Settings);

impl Scripted {
    fn directory(&self) -> Directory<'_, Script> {
        Directory {
            settings: &self.0,
            network: &Script,
        }
    }
}

impl Backend for Scripted {
    type Config = Config;

    fn describe() -> Description {
        crate::Ldap::describe()
    }

    fn configure(config: Config) -> Result<Self, Vec<Problem>> {
        Settings::check(config).map(Self)
    }

    fn verify(&self, context: &Context, login: &Login) -> Result<Outcome, Fault> {
        let directory = self.directory();
        let found = if context.dialect == "change" {
            let _ = directory.look_up(&Key::Subject("33323130-3534-3736-3839-616263646566".to_owned()));
            let changed = directory.change_password(Wish {
                context,
                name: &login.identifier,
                present: "s3cre7",
                new: Some("new"),
            });
            changed.and_then(|changed| changed.map_err(|_| Stop::Refused(Refusal::WrongCredential)))
        } else {
            let found = directory.log_in(&login.identifier, "s3cre7");
            found.and_then(|person| identity::principal(&self.0, context, &person))
        };
        match found {
            Ok(principal) => Ok(principal.into()),
            Err(Stop::Refused(refusal)) => Ok(refusal.into()),
            Err(Stop::Fault(fault)) => Err(fault),
        }
    }
}

impl Health for Scripted {
    fn health(&self) -> Result<(), Fault> {
        self.directory().check()
    }
}

struct Script;

#[derive(Default)]
struct Connection {
    reads: usize,
}

impl Network for Script {
    type Stream = Connection;

    fn protection(&self) -> Result<Protection, NetError> {
        Ok(Protection::StartTls)
    }

    fn connect(&self) -> Result<Connection, NetError> {
        Ok(Connection::default())
    }

    fn resume(&self, _state: &str) -> Result<Option<Connection>, NetError> {
        Ok(None)
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        assert!(self.reads < MAX_READS, "it reads for ever");
        let piece = SCRIPT
            .with(|script| script.borrow_mut().pop_front())
            .unwrap_or_default();
        let count = piece.len().min(buffer.len());
        let (Some(place), Some(read)) = (buffer.get_mut(..count), piece.get(..count)) else {
            return Ok(0);
        };
        place.copy_from_slice(read);
        Ok(count)
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        assert!(protocol::decode(bytes).is_ok(), "what goes out is a message");
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Connection {
    fn start_tls(&mut self) -> Result<(), NetError> {
        Ok(())
    }

    fn keep(self, _state: &str) {}
}

/// A template with this value asks the same question as with any other, and a directory reads the very value out of it.
///
/// # Panics
/// If that is not so.
pub fn fill(template: &str, value: &str) {
    let words = Words {
        constants: &[("user_login_attribute", "uid")],
        values: &[("username", Placeholder::Username), ("user_dn", Placeholder::UserDn)],
    };
    if let Ok(template) = Template::parse(template, &words) {
        let filled = |value| {
            template.fill(Values {
                username: value,
                user_dn: value,
            })
        };
        let filter = filled(value);
        assert_eq!(shape(&filter), shape(&filled("x")));
        assert_eq!(over_the_wire(filter.clone()), Some(filter));
    }
    if let Ok(template) = dn::Template::parse(template) {
        let filled = template.fill(value);
        assert!(dn::is_valid(&filled), "{filled}");
        assert_eq!(dn::depth(&filled), dn::depth(&template.fill("x")), "{filled}");
    }
}

/// A filter without its values.
fn shape(filter: &LdapFilter) -> String {
    let all = |filters: &[LdapFilter]| filters.iter().map(shape).collect::<Vec<_>>().join(",");
    match filter {
        LdapFilter::And(filters) => format!("&({})", all(filters)),
        LdapFilter::Or(filters) => format!("|({})", all(filters)),
        LdapFilter::Not(filter) => format!("!({})", shape(filter)),
        LdapFilter::Equality(name, _) => format!("{name}="),
        LdapFilter::GreaterOrEqual(name, _) => format!("{name}>="),
        LdapFilter::LessOrEqual(name, _) => format!("{name}<="),
        LdapFilter::Approx(name, _) => format!("{name}~="),
        LdapFilter::Present(name) => format!("{name}=*"),
        LdapFilter::Substring(name, parts) => {
            let (first, last) = (parts.initial.is_some(), parts.final_.is_some());
            format!("{name}={first}*{}*{last}", parts.any.len())
        }
        LdapFilter::Extensible(rule) => format!("{:?}:{:?}:{}", rule.type_, rule.matching_rule, rule.dn_attributes),
    }
}

fn over_the_wire(filter: LdapFilter) -> Option<LdapFilter> {
    let request = LdapSearchRequest {
        base: String::new(),
        scope: LdapSearchScope::Subtree,
        aliases: LdapDerefAliases::Never,
        sizelimit: 2,
        timelimit: 0,
        typesonly: false,
        filter,
        attrs: Vec::new(),
    };
    let bytes = protocol::encode(LdapMsg::new(1, LdapOp::SearchRequest(request))).ok()?;
    match protocol::decode(&bytes).ok()?.op {
        LdapOp::SearchRequest(request) => Some(request.filter),
        _ => None,
    }
}
