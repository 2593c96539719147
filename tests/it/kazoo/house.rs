//! A server with two accounts below the top one, `acme` and below that `acme-sub`.

use keyway_tests::TestHost;
use keyway_tests::kazoo::KazooClient;
use serde_json::Value;

/// A server and its accounts.
pub(super) struct House {
    pub(super) host: TestHost,
    pub(super) kazoo: KazooClient,
    /// The id of `acme`, in Kazoo's form.
    pub(super) acme: String,
    /// The id of `acme-sub`.
    pub(super) sub: String,
}

/// `root` / `r00t-pw` of the top account; `boss` / `b0ss-pw` administers `acme`, where `john@example.com` / `m32c6NfqYEt` is a user; `kid` / `k1d-pw` is one of
/// `acme-sub`.
pub(super) fn house() -> House {
    house_with("")
}

/// The same with more lines in the configuration.
pub(super) fn house_with(config: &str) -> House {
    let host = TestHost::builder()
        .config(config)
        .user_with("root", "r00t-pw", &["--admin"])
        .start();
    host.wait_until_loaded();
    let tenant = |arguments: &[&str]| {
        let mut all = vec!["tenant", "add"];
        all.extend(arguments);
        all.push("--json");
        id_of(&host.keyway(&all).ok().json())
    };
    let acme = tenant(&["acme", "--realm", "acme.example.org", "--domain", "acme.test"]);
    let sub = tenant(&["acme-sub", "--parent", "acme", "--realm", "sub.example.org"]);
    let house = House {
        kazoo: KazooClient::new(host.url("")),
        host,
        acme,
        sub,
    };
    house.add("boss", "b0ss-pw", &["--tenant", "acme", "--email", "boss@example.org"]);
    house.add("john@example.com", "m32c6NfqYEt", &["--tenant", "acme"]);
    house.add("kid", "k1d-pw", &["--tenant", "acme-sub", "--email", "kid@example.org"]);
    let policy = house
        .host
        .keyway(&["policy", "attach", "account_admin", "--user", "boss"]);
    policy.ok();
    house
}

impl House {
    /// Adds a user; returns its id in Kazoo's form.
    pub(super) fn add(&self, login: &str, password: &str, options: &[&str]) -> String {
        let mut all = vec!["user", "add", login, "--password-stdin", "--json"];
        all.extend(options);
        id_of(&self.host.keyway_with_input(&all, password).ok().json())
    }
}

/// `uuid` of an answer of the command line, in Kazoo's form.
pub(super) fn id_of(json: &Value) -> String {
    let uuid = json["uuid"].as_str().or_else(|| json["id"].as_str());
    uuid.unwrap_or_else(|| panic!("no id in {json}")).replace('-', "")
}
