//! A token of one dialect in each of the others: it shows, and it is revoked.

use keyway_tests::kazoo::KazooClient;
use keyway_tests::privacyidea::PrivacyideaClient;
use keyway_tests::wazo::{WazoClient, send};
use keyway_tests::webitel::{Pair, WebitelClient};
use reqwest::{Method, RequestBuilder};

use super::house::house_with;

const DIALECTS: [&str; 4] = ["wazo", "kazoo", "privacyidea", "webitel"];

struct Clients {
    wazo: WazoClient,
    kazoo: KazooClient,
    pi: PrivacyideaClient,
    webitel: WebitelClient,
}

/// A token, and the key without which Webitel's API does not take its own.
struct Issued {
    token: String,
    key: Option<String>,
}

impl Clients {
    async fn issue(&self, dialect: &str) -> Issued {
        let token = match dialect {
            "wazo" => self.wazo.token("wazo_user", "boss", "b0ss-pw").await,
            "kazoo" => self.kazoo.token("acme", "boss", "b0ss-pw").await,
            "privacyidea" => self.pi.token("boss", "b0ss-pw").await,
            _ => {
                let Pair { key, token } = self.webitel.pair("boss@acme.test", "b0ss-pw").await;
                return Issued { token, key: Some(key) };
            }
        };
        Issued { token, key: None }
    }

    /// A request of Webitel's API.
    fn ask_webitel(&self, method: Method, path: &str, issued: &Issued) -> RequestBuilder {
        let request = self.webitel.request(method, path);
        let request = request.header("X-Access-Token", &issued.token);
        match &issued.key {
            Some(key) => request.header("X-Key", key),
            None => request,
        }
    }

    /// Whether the dialect takes the token for one that is good.
    async fn shows(&self, dialect: &str, issued: &Issued) -> bool {
        let token = issued.token.as_str();
        let status = match dialect {
            "wazo" => self.wazo.check(token, "").await,
            "kazoo" => self.kazoo.get_as(token, "/v2/token_auth").await.status,
            "privacyidea" => self.pi.get_as(token, "/auth/rights").await.status,
            _ => {
                send(self.ask_webitel(Method::GET, "/api/v2/whoami", issued))
                    .await
                    .status
            }
        };
        assert!([200, 204, 401, 404].contains(&status), "{dialect}: {status}");
        status < 300
    }

    async fn revoke(&self, dialect: &str, issued: &Issued) {
        let token = issued.token.as_str();
        let answer = match dialect {
            "wazo" => send(self.wazo.request(Method::DELETE, &format!("/token/{token}"))).await,
            "kazoo" => {
                let request = self.kazoo.request(Method::DELETE, "/v2/token_auth");
                send(request.header("X-Auth-Token", token)).await
            }
            "privacyidea" => {
                let request = self.pi.request(Method::DELETE, "/auth");
                send(request.header("Authorization", token)).await
            }
            _ => send(self.ask_webitel(Method::POST, "/logout", issued)).await,
        };
        assert!(answer.status < 300, "{dialect}: {answer:?}");
    }
}

#[tokio::test]
async fn a_token_of_one_dialect_shows_and_ends_in_each_of_the_others() {
    let house = house_with("");
    let host = &house.host;
    let clients = Clients {
        wazo: host.wazo(),
        kazoo: house.kazoo.clone(),
        pi: PrivacyideaClient::new(host.url("")),
        webitel: WebitelClient::new(host.url("")),
    };
    for issuer in DIALECTS {
        for other in DIALECTS {
            let issued = clients.issue(issuer).await;
            for dialect in DIALECTS {
                assert!(clients.shows(dialect, &issued).await, "{issuer}'s token in {dialect}");
            }
            clients.revoke(other, &issued).await;
            for dialect in DIALECTS {
                let shows = clients.shows(dialect, &issued).await;
                assert!(!shows, "{issuer}'s token in {dialect} after {other} ended it");
            }
        }
    }
}

#[tokio::test]
async fn a_key_without_its_token_is_nothing() {
    let house = house_with("");
    let webitel = WebitelClient::new(house.host.url(""));
    let one = webitel.pair("boss@acme.test", "b0ss-pw").await;
    let two = webitel.pair("boss@acme.test", "b0ss-pw").await;
    let mixed = Pair {
        key: one.key,
        token: two.token,
    };
    assert_eq!(webitel.whoami(&mixed).await.status, 401);
}
