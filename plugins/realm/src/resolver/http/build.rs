//! A service made of what the operator wrote, or everything that is wrong with that.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use keyway_sdk::Problem;

use super::template::{Placeholder, Template};
use super::{Http, uri};
use crate::config::{self, escaped};

/// Headers that are the plugin's to write: with another length or encoding than the body has, one request would be two.
const OURS: [&str; 6] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "expect",
    "upgrade",
];

impl Http {
    pub(crate) fn new(raw: config::Http, at: &str) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut of_login = vec![Placeholder::Username, Placeholder::Password];
        of_login.extend(raw.find.is_some().then_some(Placeholder::Userid));
        let login = Template::new((&raw.path, &raw.method, raw.body.as_ref()), &of_login, at);
        let login = asking(login, Placeholder::Password, at, &mut problems);
        let find = question(
            raw.find.as_ref(),
            Placeholder::Username,
            &format!("{at}/find"),
            &mut problems,
        );
        let at_userid = format!("{at}/find_by_userid");
        let find_by_userid = question(
            raw.find_by_userid.as_ref(),
            Placeholder::Userid,
            &at_userid,
            &mut problems,
        );
        let host = raw.host.unwrap_or_else(|| raw.endpoint.clone());
        if uri(&host, "/").is_none() {
            problems.push(Problem::at(format!("{at}/host"), "is no name of a host"));
        }
        let headers = headers(&raw.headers, &format!("{at}/headers"), &mut problems, |value| {
            HeaderValue::try_from(value).ok()
        });
        let at_secrets = format!("{at}/secret_headers");
        let secret_headers = self::headers(&raw.secret_headers, &at_secrets, &mut problems, |name| {
            Some(name.to_owned())
        });
        match login {
            Some(login) if problems.is_empty() => Ok(Self {
                endpoint: raw.endpoint,
                host,
                login,
                find,
                find_by_userid,
                expect: raw.expect,
                headers,
                secret_headers,
                map: raw.map,
            }),
            _ => Err(problems),
        }
    }
}

fn question(
    request: Option<&config::Request>,
    about: Placeholder,
    at: &str,
    problems: &mut Vec<Problem>,
) -> Option<Template> {
    let request = request?;
    let template = Template::new((&request.path, &request.method, request.body.as_ref()), &[about], at);
    asking(template, about, at, problems)
}

/// A request that asks about this. One that does not would be answered alike whatever was typed.
fn asking(
    template: Result<Template, Vec<Problem>>,
    about: Placeholder,
    at: &str,
    problems: &mut Vec<Problem>,
) -> Option<Template> {
    match template {
        Ok(template) if !template.has(about) => {
            let message = format!("neither `path` nor `body` has `{}`: any would do", about.written());
            problems.push(Problem::at(at, message));
            None
        }
        Ok(template) => Some(template),
        Err(found) => {
            problems.extend(found);
            None
        }
    }
}

fn headers<T>(
    raw: &BTreeMap<String, String>,
    at: &str,
    problems: &mut Vec<Problem>,
    read: impl Fn(&str) -> Option<T>,
) -> Vec<(HeaderName, T)> {
    let mut headers = Vec::new();
    for (key, value) in raw {
        let name = HeaderName::try_from(key.as_str()).ok();
        let name = name.filter(|name| !OURS.contains(&name.as_str()));
        let message = match (name, read(value)) {
            (Some(name), Some(value)) => {
                headers.push((name, value));
                continue;
            }
            (None, _) => "the key is no name of a header, or of one that the plugin writes itself",
            (Some(_), None) => "is no value of a header",
        };
        problems.push(Problem::at(format!("{at}/{}", escaped(key)), message));
    }
    headers
}
