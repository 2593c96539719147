//! The dates of certificates. One that is out of date is served all the same: clients that do not look at dates go on, and the others
//! find out no sooner than without a server.

use keyway_core::model::Timestamp;
use keyway_http::edge::TlsFiles;
use x509_parser::pem::Pem;

use crate::config::{Listen, ListenTls};

/// Says in the log which certificates are out of date.
pub(crate) fn warn(listen: &[Listen], now: Timestamp) {
    for problem in outdated(listen, now) {
        tracing::warn!("{problem}");
    }
}

/// A sentence for each certificate in a file that is not valid at this moment.
pub(crate) fn outdated(listen: &[Listen], now: Timestamp) -> Vec<String> {
    let files = listen.iter().filter_map(|listen| match &listen.tls {
        Some(ListenTls::Files(files)) => Some(files),
        Some(ListenTls::SelfSigned) | None => None,
    });
    files.filter_map(|files| problem(files, now)).collect()
}

fn problem(files: &TlsFiles, now: Timestamp) -> Option<String> {
    let bytes = std::fs::read(&files.cert).ok()?;
    // The listener's own certificate comes first; a private key may stand before it.
    let mut blocks = Pem::iter_from_buffer(&bytes).filter_map(Result::ok);
    let block = blocks.find(|block| block.label == "CERTIFICATE")?;
    let certificate = block.parse_x509().ok()?;
    let (from, until) = (certificate.validity().not_before, certificate.validity().not_after);
    let now = now.to_utc().unix_timestamp();
    let cert = files.cert.display();
    if now > until.timestamp() {
        let day = until.to_datetime().date();
        return Some(format!(
            "the certificate `{cert}` expired on {day}; put a new one in its place"
        ));
    }
    (now < from.timestamp()).then(|| {
        let day = from.to_datetime().date();
        format!("the certificate `{cert}` is not valid before {day}; is this machine's clock right?")
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn a_certificate_out_of_date_is_named_with_its_date() {
        let folder = tempfile::tempdir().expect("a folder");
        let pair = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        params.not_before = date_time_ymd(2026, 3, 1);
        params.not_after = date_time_ymd(2026, 6, 1);
        let certificate = params.self_signed(&pair).expect("a certificate");
        let file = folder.path().join("both.pem");
        std::fs::write(&file, pair.serialize_pem() + &certificate.pem()).expect("a file");
        let text = format!(
            "[[listen]]\naddress = \"127.0.0.1:0\"\ntls = {{ cert = \"{0}\", key = \"{0}\" }}",
            file.display()
        );
        let config = crate::config::Config::parse(&folder.path().join("keyway.toml"), &text, &[]);
        let listen = config.expect("whatever its dates").listen;
        let at = |month| Timestamp(date_time_ymd(2026, month, 15).unix_timestamp() * 1_000_000);
        assert_eq!(outdated(&listen, at(4)), Vec::<String>::new());
        for (month, words) in [(7, "expired on 2026-06-01"), (2, "is not valid before 2026-03-01")] {
            let problems = outdated(&listen, at(month));
            assert!(problems.len() == 1 && problems[0].contains(words), "{problems:?}");
        }
    }
}
