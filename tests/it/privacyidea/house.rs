//! A server with the realm backend of the design: two realms, on a flat file and on the host's own users.

use keyway_tests::privacyidea::PrivacyideaClient;
use keyway_tests::{TestHost, TestHostBuilder, artefact};

/// carol / c4rol-pw (sha512crypt), dave / d4ve-pw (sha256crypt), max / m4x-pw (md5crypt), yves / y3s-pw (yescrypt), bob / b0b-pw (bcrypt); nobody has a password.
pub(super) const PASSWD: &str = "\
carol:$6$saltsaltsalt$zqMu5Rs4GWk.iKa.7rGa9pQNiEFOgUVXqB5yeZkxvUGXOeECMoz7mYC0YVZWENk7cC3zJxa5VQjRVEn6NeSzJ1:1000:100:Carol Cole,R1,0711,0151,carol@example.org:/home/carol:/bin/sh
dave:$5$saltsaltsalt$sY7VnWGEAgvbaDp5Z.B5YzGHehcXBNCQXog9gDy.RB.:1001:100:Dave Doe,,,,:/home/dave:/bin/sh
max:$1$saltsalt$D20mMHzCzvASXspYwUQsl.:1002:100::/home/max:/bin/sh
yves:$y$j9T$F5Jx5fExrKuPp53xLKQ..1$/uB1LcCaDB68Blz8sEICqvc4z2nhHz.niR1irwzASz1:1003:100::/home/yves:/bin/sh
bob:$2b$05$R8AUgR1YXBmbo19xiXaa1eMyHMcxQoHQYVWJm/iuA/vGdjuExpRLG:1004:100::/home/bob:/bin/sh
nobody:x:65534:65534::/:/bin/false
";

/// The backend `realms`, as it stands below `[[backend]]`.
pub(super) const REALMS: &str = r#"name = "realms"
plugin = "realm"
config.default_realm = "realm1"
config.realms.realm1.resolvers = [{ name = "passwd1", priority = 1 }]
config.realms.house.resolvers = [{ name = "local" }]
config.resolvers.passwd1 = { type = "passwd", file = "passwd1" }
config.resolvers.local = { type = "directory" }
grants.file.passwd1 = { path = "passwd1.txt" }
"#;

/// The server: `admin` / `4dmin-pw` administers, `alice` / `s3cre7` is a user of the host's.
pub(super) fn house() -> TestHostBuilder {
    house_with("")
}

/// The same with more lines in `[dialect.privacyidea]`.
pub(super) fn house_with(settings: &str) -> TestHostBuilder {
    bare_house(settings).backend(REALMS)
}

/// The same without the backend `realms`, which the test brings.
pub(super) fn bare_house(settings: &str) -> TestHostBuilder {
    TestHost::builder()
        .config(&format!("[dialect.privacyidea]\nbackend = \"realms\"\n{settings}"))
        .plugin("realm", artefact("realm"))
        .file("passwd1.txt", PASSWD.as_bytes())
        .user_with("admin", "4dmin-pw", &["--admin"])
        .user_with("alice", "s3cre7", &["--email", "alice@example.org"])
}

/// A client of it, once its plugins are loaded.
pub(super) fn client(host: &TestHost) -> PrivacyideaClient {
    host.wait_until_loaded();
    PrivacyideaClient::new(host.url(""))
}
