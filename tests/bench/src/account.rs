//! A server with an account and users, whom Kazoo's and Webitel's clients ask for.

use keyway_tests::TestHost;

/// The account's name.
pub(crate) const ACCOUNT: &str = "acme";
/// The same to Webitel's clients.
pub(crate) const DOMAIN: &str = "acme.test";
/// Everybody's.
pub(crate) const PASSWORD: &str = "s3cre7";
/// How many users there are.
pub(crate) const USERS: usize = 8;

/// All clients have one address here, so its bucket must not run dry.
const CONFIG: &str = "[dialect.kazoo]\nbucket = { size = 1000000, refill = 1000000 }";

/// The release binary. Every other user administers the account.
pub(crate) fn start() -> TestHost {
    let host = TestHost::builder().release().config(CONFIG).start();
    host.wait_until_loaded();
    host.keyway(&["tenant", "add", ACCOUNT, "--domain", DOMAIN]).ok();
    for number in 0..USERS {
        let user = user(number);
        let add = ["user", "add", user.as_str(), "--password-stdin", "--tenant", ACCOUNT];
        host.keyway_with_input(&add, PASSWORD).ok();
        if number % 2 == 0 {
            host.keyway(&["policy", "attach", "account_admin", "--user", user.as_str()])
                .ok();
        }
    }
    host
}

/// The login name of one of the users, who are asked for in turn.
pub(crate) fn user(number: usize) -> String {
    format!("user{}", number % USERS)
}
