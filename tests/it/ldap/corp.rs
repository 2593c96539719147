//! A server whose backend `ldap_corp` asks a directory.

use std::fmt::Write as _;

use keyway_tests::slapd::{PEOPLE, SERVICE_DN, SERVICE_PASSWORD, Slapd};
use keyway_tests::wazo::{Answer, WazoClient};
use keyway_tests::{TestHost, TestHostBuilder, artefact};
use serde_json::json;

/// The backend's name.
pub(super) const BACKEND: &str = "ldap_corp";

/// What a test wants of it.
pub(super) struct Corp {
    address: String,
    tls: &'static str,
    endpoint: Vec<String>,
    config: Vec<String>,
    grants: Vec<String>,
    group_policies: Vec<String>,
    limits: Vec<String>,
    service_password: Option<&'static str>,
    /// Keys of `grants.net.directory`, and what is in the files that they name.
    files: Vec<(&'static str, String)>,
}

impl Corp {
    /// Asks what listens here, unprotected, and searches as the service.
    pub(super) fn at(address: &str) -> Self {
        Self::directly(address)
            .config(&format!("bind_dn = \"{SERVICE_DN}\""))
            .service_password(SERVICE_PASSWORD)
    }

    /// The same without a service: who logs in binds as the DN that the login stands for.
    pub(super) fn directly(address: &str) -> Self {
        let corp = Self {
            address: format!("\"{address}\""),
            tls: "none",
            endpoint: Vec::new(),
            config: Vec::new(),
            grants: Vec::new(),
            group_policies: Vec::new(),
            limits: Vec::new(),
            service_password: None,
            files: Vec::new(),
        };
        corp.config(&format!("user_base_dn = \"{PEOPLE}\""))
            .config("user_login_attribute = \"uid\"")
            .config("user_email_attribute = \"mail\"")
    }

    /// Asks this directory over TLS from the first byte.
    pub(super) fn over_tls(slapd: &Slapd) -> Self {
        Self::at(&slapd.tls()).trusting("implicit", slapd)
    }

    /// Asks this directory over TLS that LDAP itself begins.
    pub(super) fn over_starttls(slapd: &Slapd) -> Self {
        Self::at(&slapd.plain()).trusting("starttls", slapd)
    }

    fn trusting(mut self, tls: &'static str, slapd: &Slapd) -> Self {
        self.tls = tls;
        self.endpoint_file("ca", slapd.authority().to_owned())
    }

    /// Several servers instead of the one.
    pub(super) fn servers(mut self, addresses: &[&str]) -> Self {
        self.address = format!("{addresses:?}");
        self
    }

    /// A line of `grants.net.directory`.
    pub(super) fn endpoint(mut self, line: &str) -> Self {
        self.endpoint.push(line.to_owned());
        self
    }

    /// A line of `config`. One with the same key takes the place of the one before.
    pub(super) fn config(mut self, line: &str) -> Self {
        let key = |line: &str| line.split(' ').next().map(str::to_owned);
        self.config.retain(|other| key(other) != key(line));
        self.config.push(line.to_owned());
        self
    }

    /// A line of `group_policies`.
    pub(super) fn group_policy(mut self, line: &str) -> Self {
        self.group_policies.push(line.to_owned());
        self
    }

    /// A line of `grants`.
    pub(super) fn grant(mut self, line: &str) -> Self {
        self.grants.push(line.to_owned());
        self
    }

    /// A line of `limits`.
    pub(super) fn limit(mut self, line: &str) -> Self {
        self.limits.push(line.to_owned());
        self
    }

    /// What the service binds with.
    pub(super) fn service_password(mut self, password: &'static str) -> Self {
        self.service_password = Some(password);
        self
    }

    /// A key of `grants.net.directory` that names a file, and what is in the file.
    pub(super) fn endpoint_file(mut self, key: &'static str, content: String) -> Self {
        self.files.push((key, content));
        self
    }

    /// With this backend beside those that a server has.
    fn named(self, name: &str, mut builder: TestHostBuilder) -> TestHostBuilder {
        let mut toml = format!("name = \"{name}\"\nplugin = \"ldap\"\ngrants.credential = [\"expose\"]\n");
        let mut lines = |table: &str, lines: &[String]| {
            for line in lines {
                let _ = writeln!(toml, "{table}.{line}");
            }
        };
        lines("config", &self.config);
        lines("grants", &self.grants);
        lines("group_policies", &self.group_policies);
        lines("limits", &self.limits);
        let protected = [format!("address = {}", self.address), format!("tls = \"{}\"", self.tls)];
        lines("grants.net.directory", &protected);
        lines("grants.net.directory", &self.endpoint);
        for (key, content) in &self.files {
            let file = format!("{name}-{key}.pem");
            lines("grants.net.directory", &[format!("{key} = \"{file}\"")]);
            builder = builder.file(&file, content.as_bytes());
        }
        if let Some(password) = self.service_password {
            let file = format!("{name}.pass");
            lines("secrets", &[format!("bind_password = {{ file = \"{file}\" }}")]);
            builder = builder.file(&file, format!("{password}\n").as_bytes());
        }
        builder.plugin("ldap", artefact("ldap")).backend(&toml)
    }

    /// A server with this backend and `wazo_user`.
    pub(super) fn start(self) -> TestHost {
        self.start_on(TestHost::builder())
    }

    /// A server with this backend beside others.
    pub(super) fn start_on(self, builder: TestHostBuilder) -> TestHost {
        start(self.named(BACKEND, builder))
    }
}

/// A server with all of these, each under its name: one that has the plugin compiled once.
pub(super) fn start_all(corps: impl IntoIterator<Item = (String, Corp)>) -> TestHost {
    let mut builder = TestHost::builder();
    for (name, corp) in corps {
        builder = corp.named(&name, builder);
    }
    start(builder)
}

/// A server whose plugins are all loaded.
fn start(builder: TestHostBuilder) -> TestHost {
    let host = builder.start();
    host.wait_until_loaded();
    host
}

/// What a login through the backend is answered.
pub(super) async fn log_in(wazo: &WazoClient, login: &str, password: &str) -> Answer {
    log_in_through(wazo, BACKEND, login, password).await
}

/// The same through a backend of another name.
pub(super) async fn log_in_through(wazo: &WazoClient, backend: &str, login: &str, password: &str) -> Answer {
    wazo.login(login, password, json!({ "backend": backend })).await
}

/// Its status alone.
pub(super) async fn status(host: &TestHost, login: &str, password: &str) -> u16 {
    log_in(&host.wazo(), login, password).await.status
}

/// Its status alone.
pub(super) async fn status_through(host: &TestHost, backend: &str, login: &str, password: &str) -> u16 {
    log_in_through(&host.wazo(), backend, login, password).await.status
}
