//! Certificates made for the run: an authority, a server's and a client's.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};

/// What is wrong with a server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flaw {
    /// Nothing: it is of `127.0.0.1` and `localhost`, and of the authority that the fixture shows.
    #[default]
    None,
    /// It is of another name.
    WrongName,
    /// It has been out of date for years.
    Expired,
    /// It is of another authority than the one that the fixture shows.
    ForeignAuthority,
}

/// A certificate with its key, both in PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

/// What a directory shows and trusts.
#[derive(Debug)]
pub(super) struct Certificates {
    /// The authority that clients are told to trust, and that the server trusts with clients.
    pub(super) authority: String,
    pub(super) server: Identity,
    pub(super) client: Identity,
}

impl Certificates {
    pub(super) fn with(flaw: Flaw) -> Self {
        let ours = authority("Keyway test authority");
        let foreign = authority("Another authority");
        let names: &[&str] = match flaw {
            Flaw::WrongName => &["ldap.example.net"],
            _ => &["127.0.0.1", "localhost"],
        };
        let mut server = params(names);
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if flaw == Flaw::Expired {
            server.not_before = date_time_ymd(2001, 1, 1);
            server.not_after = date_time_ymd(2002, 1, 1);
        }
        let issuer = match flaw {
            Flaw::ForeignAuthority => &foreign,
            _ => &ours,
        };
        let mut client = params(&[]);
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        client.distinguished_name.push(DnType::CommonName, "keyway");
        Self {
            authority: ours.pem(),
            server: identity(&server, issuer),
            client: identity(&client, &ours),
        }
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = params(&[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    CertificateParams::new(names).expect("names")
}

fn identity(params: &CertificateParams, issuer: &CertifiedIssuer<'static, KeyPair>) -> Identity {
    let key = KeyPair::generate().expect("a key");
    Identity {
        certificate: params.signed_by(&key, issuer).expect("a certificate").pem(),
        key: key.serialize_pem(),
    }
}
