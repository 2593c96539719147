//! `keyway demo`: a server on the loopback that needs no file and leaves nothing behind.

mod lines;

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use keyway_core::Secret;
use keyway_core::directory::{AddUser, DirectoryError};
use keyway_core::password::{PasswordParams, PasswordPool, Share};
use keyway_core::port::{Random as _, SystemRandom};

use super::failure::Failure;
use super::output::say;
use super::serve::run_server;
use crate::app::{Launch, Server, log};
use crate::cli::Global;
use crate::config::Config;
use lines::Lines;

/// The user of the documents that Keyway follows.
const ALICE: (&str, &str) = ("alice", "s3cre7");
/// What alice may do, for a check with a scope to have something to find.
const ACCESSES: &[&str] = &["calls.me.#", "directory.*.read", "voicemails.me.*"];
/// The users above as a realm, through which privacyIDEA's API logs in.
const REALMS: &str = r#"[[backend]]
name = "realms"
plugin = "realm"
config.default_realm = "demo"
config.realms.demo.resolvers = [{ name = "users" }]
config.resolvers.users = { type = "directory" }

[dialect.privacyidea]
backend = "realms"
"#;
/// Where wazo-auth is reached behind its proxy.
const HTTPS: u16 = 443;

/// Options of the demonstration.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The folder of plugins [default: `plugins` beside or above the program's folder]
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// The port on the loopback
    #[arg(long, default_value_t = 9497)]
    port: u16,
}

/// What the demonstration makes up.
struct Scene {
    plugins: PathBuf,
    /// The password of `admin`.
    admin: Secret<String>,
    /// The password of `hello` at the backend of this name, if its plugin is there.
    hello: Option<Secret<String>>,
    /// Whether there are realms: their plugin may not be there.
    realms: bool,
}

pub(crate) fn run(global: &Global, options: &Options) -> Result<(), Failure> {
    let plugins = find_plugins(options.plugins.as_deref())?;
    let folder = tempfile::Builder::new()
        .prefix("keyway-demo-")
        .tempdir()
        .map_err(|error| Failure::failed(format!("cannot make a temporary folder: {error}")))?;
    let scene = Scene {
        hello: plugins.join("hello_backend.wasm").is_file().then(random_password),
        realms: plugins.join("realm.wasm").is_file(),
        admin: random_password(),
        plugins,
    };
    let places = Places::probe(options.port)?;
    let file = folder.path().join("keyway.toml");
    let text = configuration(&scene, &places)?;
    std::fs::write(&file, &text)
        .map_err(|error| Failure::failed(format!("cannot write `{}`: {error}", file.display())))?;
    let config = Config::parse(&file, &text, &[])?;
    let launch = Launch {
        account: None,
        log: log::start(config.log, global.level()),
    };
    let ended = run_server(config, launch, async |server: &Server| {
        populate(server, &scene).await.map_err(|error| Failure::of(&error))?;
        let lines = Lines {
            port: server.addresses().first().map_or(options.port, SocketAddr::port),
            scene: &scene,
            https: places.https.clone(),
            file: &file,
        };
        say(&lines.text());
        Ok(())
    });
    drop(folder);
    ended
}

/// Where the demonstration can listen.
struct Places {
    addresses: Vec<SocketAddr>,
    /// Whether the port of HTTPS is among them, or why not.
    https: Result<(), String>,
}

impl Places {
    fn probe(port: u16) -> Result<Self, Failure> {
        let v4 = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let v6 = IpAddr::V6(Ipv6Addr::LOCALHOST);
        let main = SocketAddr::new(v4, port);
        try_bind(main).map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => Failure::failed(format!(
                "something listens on `{main}` already; stop it (another demo?), or choose another port with `--port`"
            )),
            _ => Failure::failed(format!(
                "cannot listen on `{main}`: {error}; choose another port with `--port`"
            )),
        })?;
        let mut addresses = vec![main];
        // With a port of the kernel's choice, a second listener would get another one.
        if port != 0 && try_bind(SocketAddr::new(v6, port)).is_ok() {
            addresses.push(SocketAddr::new(v6, port));
        }
        let https = try_bind(SocketAddr::new(v4, HTTPS)).map_err(|error| error.to_string());
        if https.is_ok() && port != HTTPS {
            let both = [v4, v6].map(|ip| SocketAddr::new(ip, HTTPS));
            addresses.extend(both.into_iter().filter(|address| try_bind(*address).is_ok()));
        }
        Ok(Self { addresses, https })
    }
}

fn try_bind(address: SocketAddr) -> std::io::Result<()> {
    TcpListener::bind(address).map(drop)
}

fn find_plugins(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let holds_plugins = |folder: &Path| folder.join("wazo_user.wasm").is_file();
    if let Some(named) = named {
        return match named.canonicalize() {
            Ok(folder) if holds_plugins(&folder) => Ok(folder),
            _ => Err(Failure::failed(format!(
                "`{}` holds no `wazo_user.wasm`; run `make plugins`",
                named.display()
            ))),
        };
    }
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(Path::parent);
    let places = folder
        .into_iter()
        .flat_map(|folder| [folder.join("plugins"), folder.join("../plugins")]);
    let found = places
        .filter(|place| holds_plugins(place))
        .find_map(|place| place.canonicalize().ok());
    found.ok_or_else(|| {
        Failure::failed("no plugins near the program; run `make plugins`, or name their folder with `--plugins DIR`")
    })
}

/// 20 letters and digits, 103 random bits.
fn random_password() -> Secret<String> {
    // 36 divides 252: bytes beyond are thrown away, so that no letter is likelier than another.
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut password = String::new();
    while password.len() < 20 {
        let mut byte = [0; 1];
        SystemRandom.fill(&mut byte);
        let letter = LETTERS.get(usize::from(byte[0] % 36)).filter(|_| byte[0] < 252);
        password.extend(letter.map(|letter| char::from(*letter)));
    }
    Secret::new(password)
}

fn configuration(scene: &Scene, places: &Places) -> Result<String, Failure> {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let plugins = quoted(&scene.plugins.display().to_string());
    let mut tables = vec![format!("data_dir = \"var\"\nplugins_dir = {plugins}\n")];
    for address in &places.addresses {
        tables.push(format!(
            "[[listen]]\naddress = \"{address}\"\ntls = {{ self_signed = true }}\n"
        ));
    }
    tables.push("[[backend]]\nname = \"wazo_user\"\naliases = [\"xivo_user\"]\nplugin = \"wazo_user\"\n".to_owned());
    if let Some(password) = &scene.hello {
        let verifier = quoted(&hash(password)?);
        tables.push(format!(
            "[[backend]]\nname = \"hello\"\nplugin = \"hello_backend\"\nconfig.users.hello = {verifier}\nconfig.greeting = \"hello from a \
             plugin\"\n"
        ));
    }
    if scene.realms {
        tables.push(REALMS.to_owned());
    }
    Ok(tables.join("\n"))
}

fn hash(password: &Secret<String>) -> Result<String, Failure> {
    let pool = PasswordPool::new(PasswordParams::default(), 1, 1, Arc::new(SystemRandom));
    let pool = pool.map_err(|error| Failure::of(&error))?;
    let bytes = Secret::new(password.expose().clone().into_bytes());
    let verifier = super::block_on(async {
        pool.hash(&Share::Directory, &bytes)
            .await
            .map_err(|error| Failure::of(&error))
    })?;
    Ok(verifier.expose().to_owned())
}

async fn populate(server: &Server, scene: &Scene) -> Result<(), DirectoryError> {
    let directory = server.directory();
    let user = |login: &str, password: &str, admin| AddUser {
        login: Some(login.to_owned()),
        password: Some(password.into()),
        admin,
        ..AddUser::default()
    };
    directory.add_user(user(ALICE.0, ALICE.1, false)).await?;
    directory.add_user(user("admin", scene.admin.expose(), true)).await?;
    directory
        .add_policy("demo", ACCESSES.iter().map(|access| (*access).to_owned()).collect())
        .await?;
    directory.attach_policy("demo", ALICE.0).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(hello: bool) -> Scene {
        Scene {
            plugins: "/a \"b\"/plugins".into(),
            admin: random_password(),
            hello: hello.then(random_password),
            realms: hello,
        }
    }

    #[test]
    fn the_configuration_of_the_demo_is_a_good_one() {
        let places = Places {
            addresses: vec![
                SocketAddr::from(([127, 0, 0, 1], 9497)),
                SocketAddr::from(([127, 0, 0, 1], 443)),
            ],
            https: Ok(()),
        };
        for hello in [false, true] {
            let text = configuration(&scene(hello), &places).expect("it is made");
            let config = Config::parse(Path::new("/tmp/x/keyway.toml"), &text, &[]).expect("it is a good one");
            assert_eq!(config.plugins_dir, Path::new("/a \"b\"/plugins"));
            assert_eq!(config.listen.len(), 2);
            assert!(
                config
                    .listen
                    .iter()
                    .all(|listen| listen.address.ip().is_loopback() && listen.tls.is_some())
            );
            assert_eq!(config.backends.len(), 1 + 2 * usize::from(hello));
        }
    }

    #[test]
    fn the_lines_of_the_documents_are_printed_word_for_word() {
        let scene = scene(true);
        let lines = Lines {
            port: 9497,
            scene: &scene,
            https: Ok(()),
            file: Path::new("/tmp/x/keyway.toml"),
        };
        let text = lines.text();
        for line in [
            r#"curl -k -X POST -H 'Content-Type: application/json' -u 'alice:s3cre7' "https://localhost:9497/0.1/token" -d '{"backend": "xivo_user", "expiration": 600}';echo"#,
            r#"curl -k -X POST -H 'Content-Type: application/json' -u 'alice:s3cre7' "https://localhost/api/auth/0.1/token" -d '{"backend": "wazo_user", "expiration": 600}';echo"#,
            r#"curl -k -i -X HEAD -H 'Content-Type: application/json' "https://localhost:9497/0.1/token/$TOKEN""#,
            r#"curl -k -X GET -H 'Content-Type: application/json' "https://localhost:9497/0.1/token/$TOKEN";echo"#,
            r#"curl -k -X DELETE -H 'Content-Type: application/json' "https://localhost:9497/0.1/token/$TOKEN""#,
            r#"curl -k -X POST "https://localhost:9497/auth" -d username=alice -d password=s3cre7;echo"#,
            r#"curl -k -H "Authorization: $JWT" "https://localhost:9497/auth/rights";echo"#,
            r#"curl -k -X PUT -H 'Content-Type: application/json' -d '{"data":{"credentials":"'$(echo -n 'alice:s3cre7' | md5sum | cut -c1-32)'", "account_name":"master", "method":"md5"}}' "https://localhost:9497/v2/user_auth";echo"#,
            r#"curl -k -H "X-Auth-Token: $AUTH_TOKEN" "https://localhost:9497/v2/token_auth";echo"#,
            r#"curl -k -X POST -H 'Content-Type: application/json' -d '{"username":"alice","password":"s3cre7"}' "https://localhost:9497/login";echo"#,
            r#"curl -k -X POST -H "X-Access-Token: $TOKEN" -H "X-Key: $KEY" "https://localhost:9497/logout";echo"#,
        ] {
            assert!(text.contains(line), "{line}\nis not in\n{text}");
        }
        assert!(text.contains(scene.admin.expose().as_str()));
    }

    #[test]
    fn a_port_in_use_is_said_to_be() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = taken.local_addr().expect("an address").port();
        let failure = Places::probe(port).err().expect("it is taken");
        assert!(
            failure.text().contains("something listens on") && failure.text().contains("--port"),
            "{failure:?}"
        );
    }
}
