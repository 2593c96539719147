//! What the tests of mails share.

use keyway_tests::TestHost;
use keyway_tests::smtp::{Mail, SmtpSink};
use keyway_tests::wazo::{Answer, send};

/// The section for this mail server.
pub(crate) fn config(sink: &SmtpSink, more: &str) -> String {
    let port = sink.port();
    format!(
        "[mail]\nbase_url = \"http://keyway.test\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n\
         from = {{ name = \"Keyway\", address = \"noreply@example.org\" }}\n{more}\n"
    )
}

/// Follows the mail's link, as a browser would.
pub(super) async fn click(host: &TestHost, mail: &Mail) -> Answer {
    let link = mail.link().replacen("http://keyway.test", &host.url(""), 1);
    send(reqwest::Client::new().get(link).header("Accept", "text/html,*/*;q=0.8")).await
}

/// The token in the mail's link.
pub(super) fn token_of(mail: &Mail) -> String {
    let (_, token) = mail.link().split_once("token=").expect("a token");
    token.to_owned()
}
