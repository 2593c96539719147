//! What an operator says of this dialect: `[dialect.webitel]`.

use std::time::Duration;

use crate::Cors;

/// `[dialect.webitel]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebitelSettings {
    /// The backend of logins.
    pub backend: String,
    /// How long a token is good. `token.max_ttl` goes before it.
    pub token_ttl: Duration,
    /// What a login of somebody unknown is answered.
    pub unknown_user: UnknownUser,
    /// What answers tell of the server of call records.
    pub cdr: CdrSettings,
    /// Which web pages may read the answers.
    pub cors: Cors,
}

/// What a login of somebody unknown is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownUser {
    /// What a wrong password is.
    #[default]
    Unauthorized,
    /// 404, as Webitel's documentation has it. It tells strangers who is there.
    NotFound,
}

/// Where clients find call records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CdrSettings {
    /// The server's URL; empty where there is none.
    pub host: String,
    /// Whether clients reach it through the server that they log in to.
    pub use_proxy: bool,
}

impl Default for WebitelSettings {
    fn default() -> Self {
        let headers = ["Content-type", "Accept", "X-Access-Token", "X-Key"];
        Self {
            backend: "wazo_user".to_owned(),
            token_ttl: Duration::from_hours(100 * 24),
            unknown_user: UnknownUser::default(),
            cdr: CdrSettings::default(),
            cors: Cors {
                headers: headers.map(str::to_owned).to_vec(),
                ..Cors::default()
            },
        }
    }
}
