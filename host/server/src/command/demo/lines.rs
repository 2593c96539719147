//! What the demonstration tells whoever started it.

use std::fmt::Write as _;
use std::path::Path;

use super::{ALICE, HTTPS, Scene};

const JSON: &str = "-H 'Content-Type: application/json'";

/// What the text depends on.
pub(super) struct Lines<'a> {
    /// Where the demonstration listens.
    pub(super) port: u16,
    /// The passwords.
    pub(super) scene: &'a Scene,
    /// Whether it listens where HTTPS is expected, too, or why not.
    pub(super) https: Result<(), String>,
    /// The configuration file, for commands in another terminal.
    pub(super) file: &'a Path,
}

impl Lines<'_> {
    /// The text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let (login, password) = ALICE;
        writeln!(
            text,
            "Keyway's demonstration serves on https://localhost:{}; Ctrl-C ends it and removes all of it.",
            self.port
        )?;
        writeln!(
            text,
            "\nUsers\n  {login} / {password}\n  admin / {}    (may do everything)",
            self.scene.admin.expose()
        )?;
        if let Some(password) = &self.scene.hello {
            writeln!(
                text,
                "  hello / {}    (backend `hello`: the example plugin's own user)",
                password.expose()
            )?;
        }
        writeln!(text, "\nTry, in another terminal")?;
        write_session(text, &format!("localhost:{}", self.port), "/0.1", "xivo_user")?;
        match &self.https {
            Ok(()) => {
                writeln!(text, "\nThe same as behind wazo's proxy")?;
                write_session(text, "localhost", "/api/auth/0.1", "wazo_user")?;
            }
            Err(reason) => writeln!(
                text,
                "\nPort {HTTPS} is not served as well ({reason}); with it, wazo's own URLs would work."
            )?,
        }
        let url = format!("https://localhost:{}", self.port);
        if self.scene.realms {
            write_privacyidea(text, &url)?;
        }
        write_kazoo(text, &url)?;
        write_webitel(text, &url)?;
        self.write_swap(text)
    }

    fn write_swap(&self, text: &mut String) -> std::fmt::Result {
        let program = std::env::current_exe().map_or_else(|_| "keyway".to_owned(), |path| path.display().to_string());
        let keyway = format!("{program} -c {}", self.file.display());
        let plugins = self.scene.plugins.display();
        writeln!(
            text,
            "\nSwap a plugin while logins go on: put another build over its file, and look"
        )?;
        writeln!(
            text,
            "  {keyway} plugin install NEW.wasm --as wazo_user    # or copy it to {plugins}/wazo_user.wasm"
        )?;
        writeln!(text, "  {keyway} plugin list")?;
        writeln!(text, "  {keyway} plugin rollback wazo_user")
    }
}

fn write_privacyidea(text: &mut String, url: &str) -> std::fmt::Result {
    let (login, password) = ALICE;
    writeln!(
        text,
        "\nprivacyIDEA's API, with the same users as the realm `demo`; then a second factor, with its QR code"
    )?;
    writeln!(
        text,
        "  curl -k -X POST \"{url}/auth\" -d username={login} -d password={password};echo"
    )?;
    writeln!(text, "  JWT=...    # result.value.token of the answer")?;
    writeln!(text, "  curl -k -H \"Authorization: $JWT\" \"{url}/auth/rights\";echo")?;
    writeln!(
        text,
        "  curl -k -H \"Authorization: $JWT\" \"{url}/token/init\" -d type=totp -d genkey=1;echo"
    )
}

fn write_kazoo(text: &mut String, url: &str) -> std::fmt::Result {
    let (login, password) = ALICE;
    writeln!(
        text,
        "\nKazoo's API, with the same users as those of the account `master`"
    )?;
    writeln!(
        text,
        "  curl -k -X PUT {JSON} -d '{{\"data\":{{\"credentials\":\"'$(echo -n '{login}:{password}' | md5sum | cut -c1-32)'\", \"account_name\":\"master\", \"method\":\"md5\"}}}}' \"{url}/v2/user_auth\";echo"
    )?;
    writeln!(text, "  AUTH_TOKEN=...    # from the answer")?;
    writeln!(
        text,
        "  curl -k -H \"X-Auth-Token: $AUTH_TOKEN\" \"{url}/v2/token_auth\";echo"
    )?;
    writeln!(
        text,
        "  curl -k -X DELETE -H \"X-Auth-Token: $AUTH_TOKEN\" \"{url}/v2/token_auth\";echo"
    )
}

fn write_webitel(text: &mut String, url: &str) -> std::fmt::Result {
    let (login, password) = ALICE;
    writeln!(text, "\nWebitel's API; who belongs to a domain adds `@` and its name")?;
    writeln!(
        text,
        "  curl -k -X POST {JSON} -d '{{\"username\":\"{login}\",\"password\":\"{password}\"}}' \"{url}/login\";echo"
    )?;
    writeln!(text, "  TOKEN=... KEY=...    # from the answer")?;
    let pair = "-H \"X-Access-Token: $TOKEN\" -H \"X-Key: $KEY\"";
    writeln!(text, "  curl -k {pair} \"{url}/api/v2/whoami\";echo")?;
    writeln!(text, "  curl -k -X POST {pair} \"{url}/logout\";echo")
}

fn write_session(text: &mut String, host: &str, prefix: &str, backend: &str) -> std::fmt::Result {
    let (login, password) = ALICE;
    let url = format!("https://{host}{prefix}/token");
    writeln!(
        text,
        "  curl -k -X POST {JSON} -u '{login}:{password}' \"{url}\" -d '{{\"backend\": \"{backend}\", \"expiration\": 600}}';echo"
    )?;
    writeln!(text, "  TOKEN=...    # from the answer")?;
    writeln!(text, "  curl -k -i -X HEAD {JSON} \"{url}/$TOKEN\"")?;
    writeln!(text, "  curl -k -X GET {JSON} \"{url}/$TOKEN\";echo")?;
    writeln!(text, "  curl -k -X DELETE {JSON} \"{url}/$TOKEN\"")
}
