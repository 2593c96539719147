//! A small LDAP server over real TCP: a tree of entries, and a script that may answer any request in another way.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use ldap3_lber::{Parser, write};
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindCred, LdapBindResponse, LdapExtendedResponse, LdapFilter, LdapMsg, LdapOp, LdapPartialAttribute,
    LdapPasswordModifyRequest, LdapResult, LdapResultCode, LdapSearchRequest, LdapSearchResultEntry, LdapSearchScope,
};

/// The password policy's control.
pub(crate) const POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";

/// An entry of the tree.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    dn: String,
    password: Option<String>,
    attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Entry {
    pub(crate) fn new(dn: &str) -> Self {
        Self {
            dn: dn.to_owned(),
            password: None,
            attributes: vec![("objectClass".to_owned(), vec![b"top".to_vec()])],
        }
    }

    /// `uid=<name>` below the users' base, with the password `s3cre7` and the usual attributes.
    pub(crate) fn user(name: &str) -> Self {
        Self::new(&format!("uid={name},{PEOPLE}"))
            .password("s3cre7")
            .with("uid", name)
            .with("mail", &format!("{name}@example.org"))
            .with("displayName", &format!("The {name}"))
            .with("entryUUID", &format!("uuid-of-{name}"))
    }

    pub(crate) fn group(name: &str, members: &[&str]) -> Self {
        let group = Self::new(&format!("cn={name},{GROUPS}")).with("cn", name);
        members.iter().fold(group, |group, member| group.with("member", member))
    }

    pub(crate) fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        self.bytes(name, value.as_bytes())
    }

    pub(crate) fn bytes(mut self, name: &str, value: &[u8]) -> Self {
        match self.attributes.iter_mut().find(|(other, _)| other == name) {
            Some((_, values)) => values.push(value.to_vec()),
            None => self.attributes.push((name.to_owned(), vec![value.to_vec()])),
        }
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.attributes.retain(|(other, _)| other != name);
        self
    }

    fn values(&self, name: &str) -> impl Iterator<Item = String> {
        let values = self
            .attributes
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name));
        let values = values.map(|(_, values)| values.as_slice()).unwrap_or_default();
        values.iter().map(|value| String::from_utf8_lossy(value).to_lowercase())
    }

    fn fits(&self, filter: &LdapFilter) -> bool {
        match filter {
            LdapFilter::And(filters) => filters.iter().all(|filter| self.fits(filter)),
            LdapFilter::Or(filters) => filters.iter().any(|filter| self.fits(filter)),
            LdapFilter::Not(filter) => !self.fits(filter),
            LdapFilter::Equality(name, value) => self.values(name).any(|own| own == value.to_lowercase()),
            LdapFilter::Present(name) => self.values(name).next().is_some(),
            _ => false,
        }
    }

    fn shown(&self, wanted: &[String]) -> LdapSearchResultEntry {
        let is_wanted = |name: &str| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
        let attributes = self.attributes.iter().filter(|(name, _)| is_wanted(name));
        let attributes = attributes.map(|(atype, vals)| LdapPartialAttribute {
            atype: atype.clone(),
            vals: vals.clone(),
        });
        LdapSearchResultEntry {
            dn: self.dn.clone(),
            attributes: attributes.collect(),
        }
    }
}

pub(crate) const PEOPLE: &str = "ou=people,dc=example,dc=org";
pub(crate) const GROUPS: &str = "ou=groups,dc=example,dc=org";
pub(crate) const SERVICE: &str = "cn=svc,dc=example,dc=org";
pub(crate) const SERVICE_PASSWORD: &str = "svc-s3cre7";

/// A request that came, and on which connection.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) connection: usize,
    pub(crate) op: LdapOp,
}

/// What a script does with a request.
pub(crate) enum Reply {
    /// What the tree says.
    Usual,
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes, and then the end of the connection.
    Last(Vec<u8>),
}

type Script = Box<dyn Fn(&LdapMsg, usize) -> Reply + Send + Sync>;

/// A server that runs until the test ends.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl Server {
    pub(crate) fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        Self::scripted(entries, |_, _| Reply::Usual)
    }

    /// A server that asks the script first; it is told the number of the connection, too.
    pub(crate) fn scripted(
        entries: impl IntoIterator<Item = Entry>,
        script: impl Fn(&LdapMsg, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let service = Entry::new(SERVICE).password(SERVICE_PASSWORD);
        let bases = [Entry::new(PEOPLE), Entry::new(GROUPS), Entry::new("")];
        let entries: Vec<_> = entries.into_iter().chain(bases).chain([service]).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            entries: Arc::new(Mutex::new(entries)),
        };
        let (seen, entries, script) = (
            server.seen.clone(),
            server.entries.clone(),
            Arc::new(Box::new(script) as Script),
        );
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let (seen, entries, script) = (seen.clone(), entries.clone(), script.clone());
                std::thread::spawn(move || {
                    let conversation = Conversation {
                        connection,
                        seen,
                        entries,
                        bound: String::new(),
                    };
                    conversation.run(stream.unwrap(), &script);
                });
            }
        });
        server
    }

    /// Every request so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The DNs that were bound, in their order, and on which connection.
    pub(crate) fn binds(&self) -> Vec<(usize, String)> {
        let bind = |seen: Seen| match seen.op {
            LdapOp::BindRequest(bind) => Some((seen.connection, bind.dn)),
            _ => None,
        };
        self.seen().into_iter().filter_map(bind).collect()
    }

    pub(crate) fn searches(&self) -> Vec<LdapSearchRequest> {
        let search = |seen: Seen| match seen.op {
            LdapOp::SearchRequest(search) => Some(search),
            _ => None,
        };
        self.seen().into_iter().filter_map(search).collect()
    }

    pub(crate) fn password_of(&self, dn: &str) -> Option<String> {
        let entries = self.entries.lock().unwrap();
        entries
            .iter()
            .find(|entry| entry.dn == dn)
            .and_then(|entry| entry.password.clone())
    }
}

struct Conversation {
    connection: usize,
    seen: Arc<Mutex<Vec<Seen>>>,
    entries: Arc<Mutex<Vec<Entry>>>,
    bound: String,
}

impl Conversation {
    fn run(mut self, mut stream: TcpStream, script: &Script) {
        let mut received = Vec::new();
        loop {
            while let Some((size, message)) = first(&received) {
                received.drain(..size);
                self.seen.lock().unwrap().push(Seen {
                    connection: self.connection,
                    op: message.op.clone(),
                });
                let (bytes, is_last) = match script(&message, self.connection) {
                    Reply::Usual => (self.answer(&message), message.op == LdapOp::UnbindRequest),
                    Reply::Bytes(bytes) => (bytes, false),
                    Reply::Last(bytes) => (bytes, true),
                };
                if stream.write_all(&bytes).is_err() || is_last {
                    return;
                }
            }
            let mut chunk = [0; 4096];
            match stream.read(&mut chunk) {
                Ok(0) | Err(_) => return,
                Ok(count) => received.extend(&chunk[..count]),
            }
        }
    }

    fn answer(&mut self, message: &LdapMsg) -> Vec<u8> {
        let id = message.msgid;
        match &message.op {
            LdapOp::BindRequest(bind) => {
                let LdapBindCred::Simple(password) = &bind.cred else {
                    return Vec::new();
                };
                // As many a server does: no password is no bind, and a success.
                let own = self.find(&bind.dn).and_then(|entry| entry.password);
                let is_right = password.is_empty() || own.as_deref() == Some(password);
                self.bound = if is_right { bind.dn.clone() } else { String::new() };
                let code = if is_right {
                    LdapResultCode::Success
                } else {
                    LdapResultCode::InvalidCredentials
                };
                bound(id, code, "", None)
            }
            LdapOp::SearchRequest(search) => self.search(id, search),
            LdapOp::ExtendedRequest(request) => {
                let Ok(change) = LdapPasswordModifyRequest::try_from(request) else {
                    return extended(id, LdapResultCode::ProtocolError, None);
                };
                let mut entries = self.entries.lock().unwrap();
                let own = entries
                    .iter_mut()
                    .find(|entry| Some(&entry.dn) == change.user_identity.as_ref());
                match own {
                    Some(own) if own.dn == self.bound && own.password == change.old_password => {
                        own.password = change.new_password;
                        extended(id, LdapResultCode::Success, None)
                    }
                    _ => extended(id, LdapResultCode::InsufficentAccessRights, None),
                }
            }
            _ => Vec::new(),
        }
    }

    fn find(&self, dn: &str) -> Option<Entry> {
        let entries = self.entries.lock().unwrap();
        entries.iter().find(|entry| entry.dn.eq_ignore_ascii_case(dn)).cloned()
    }

    fn search(&self, id: i32, search: &LdapSearchRequest) -> Vec<u8> {
        if self.find(&search.base).is_none() {
            return done(id, LdapResultCode::NoSuchObject);
        }
        let below = format!(",{}", search.base.to_lowercase());
        let is_there = |dn: &str| match search.scope {
            LdapSearchScope::Base => dn.eq_ignore_ascii_case(&search.base),
            _ => dn.to_lowercase().ends_with(&below),
        };
        let entries = self.entries.lock().unwrap();
        let mut hits = entries
            .iter()
            .filter(|entry| is_there(&entry.dn) && entry.fits(&search.filter));
        let limit = usize::try_from(search.sizelimit).unwrap();
        let mut bytes: Vec<u8> = hits
            .by_ref()
            .take(limit)
            .flat_map(|hit| message(id, LdapOp::SearchResultEntry(hit.shown(&search.attrs))))
            .collect();
        let is_cut = hits.next().is_some();
        bytes.extend(done(
            id,
            if is_cut {
                LdapResultCode::SizeLimitExceeded
            } else {
                LdapResultCode::Success
            },
        ));
        bytes
    }
}

fn first(bytes: &[u8]) -> Option<(usize, LdapMsg)> {
    let (rest, tag) = Parser::default().parse(bytes).ok()?;
    let message = LdapMsg::try_from(tag).unwrap();
    Some((bytes.len() - rest.len(), message))
}

/// The bytes of a message.
pub(crate) fn message(id: i32, op: LdapOp) -> Vec<u8> {
    written(LdapMsg::new(id, op))
}

fn written(message: LdapMsg) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    write::encode_into(&mut bytes, message.into()).unwrap();
    bytes.into()
}

fn result(code: LdapResultCode, words: &str) -> LdapResult {
    LdapResult {
        code,
        matcheddn: String::new(),
        message: words.to_owned(),
        referral: Vec::new(),
    }
}

/// The answer to a search.
pub(crate) fn done(id: i32, code: LdapResultCode) -> Vec<u8> {
    message(id, LdapOp::SearchResultDone(result(code, "")))
}

/// The answer to a bind, with the error of a password policy where there is one.
pub(crate) fn bound(id: i32, code: LdapResultCode, words: &str, policy: Option<u8>) -> Vec<u8> {
    let response = LdapBindResponse {
        res: result(code, words),
        saslcreds: None,
    };
    let op = LdapOp::BindResponse(response);
    written(LdapMsg::new_with_ctrls(id, op, objection(policy)))
}

/// The answer to a bind that succeeds, of which the password policy says this.
pub(crate) fn bound_and_told(id: i32, value: &[u8]) -> Vec<u8> {
    let op = LdapOp::BindResponse(LdapBindResponse {
        res: result(LdapResultCode::Success, ""),
        saslcreds: None,
    });
    written(LdapMsg::new_with_ctrls(id, op, vec![policy_control(value)]))
}

/// The answer to an extended operation, as above.
pub(crate) fn extended(id: i32, code: LdapResultCode, policy: Option<u8>) -> Vec<u8> {
    let response = LdapExtendedResponse {
        res: result(code, ""),
        name: None,
        value: None,
    };
    let op = LdapOp::ExtendedResponse(response);
    written(LdapMsg::new_with_ctrls(id, op, objection(policy)))
}

fn objection(policy: Option<u8>) -> Vec<LdapControl> {
    let control = |error| policy_control(&[0x30, 3, 0x81, 1, error]);
    policy.map(control).into_iter().collect()
}

fn policy_control(value: &[u8]) -> LdapControl {
    LdapControl::Unknown {
        oid: POLICY.to_owned(),
        criticality: false,
        value: Some(value.to_vec()),
    }
}
