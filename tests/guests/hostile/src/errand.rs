//! What a backend can ask the host for, once each, told by the login identifier: `find_lines|passwd|:|0|alice`. What came of it is in the principal's
//! attributes: `answer`, or `error`. A principal, a refusal or a challenge of another backend is passed on as it is.

use keyway_sdk::delegate::{self, DelegateError};
use keyway_sdk::{Answer, Fault, Found, Key, Listing, Login, Outcome, Principal, Query, Subject};
use keyway_sdk::{config, database, directory, file};

/// What parts the words of an errand. The last one may hold it, too.
const BETWEEN: char = '|';
/// What parts the name of an asked backend from the state of its challenge.
const BEFORE_STATE: u8 = b'\n';

/// Runs the errand that an identifier names; `None` where it names none.
pub(crate) fn run(identifier: &str, login: Option<&Login>) -> Result<Option<Outcome>, Fault> {
    let Some((name, rest)) = identifier.split_once(BETWEEN) else {
        return Ok(None);
    };
    let outcome = match name {
        "repeat" => return repeat(rest, login),
        "find_lines" => find_lines(words(rest)?),
        "list_lines" => list_lines(words(rest)?),
        "query" => query(words(rest)?),
        "ask" => ask(words(rest)?, login),
        "ask_with_key" => ask_with_key(words(rest)?),
        "complain" => return Err(complaint(rest, login)?),
        "fail_after" => fail_after(words(rest)?, login),
        "find" => Ok(find(words(rest)?, Key::Identifier)),
        "find_subject" => Ok(find(words(rest)?, Key::Subject)),
        "list_users" => list_users(words(rest)?),
        "list_directory" => list_directory(words(rest)?),
        "name" => Ok(somebody_of(words(rest)?).into()),
        "name_listed" => name_listed(words(rest)?),
        _ => return Ok(None),
    };
    outcome.map(Some)
}

/// Lists, where a pattern about the login is such an errand.
pub(crate) fn list(query: &Query) -> Result<Option<Listing>, Fault> {
    let Some(errand) = query.pattern("login").filter(|login| login.contains(BETWEEN)) else {
        return Ok(None);
    };
    let principals = match errand.split_once(BETWEEN) {
        Some(("many", amount)) => (0..number(amount)?)
            .map(|one| Principal::own(format!("user{one}")))
            .collect(),
        Some(("directory", pattern)) => {
            let users = directory::list_users(pattern, None, query.most)?;
            users.iter().map(Principal::directory).collect()
        }
        Some(("backend", backend)) => delegate::list_users(backend, "*", query.most)?.unwrap_or_default(),
        _ => return Err(Fault::internal("there is no such list")),
    };
    Ok(Some(Listing {
        principals,
        complete: true,
    }))
}

/// Passes on the answer to a challenge of another backend; `None` where it was none of another's.
pub(crate) fn answer(answer: &Answer) -> Result<Option<Outcome>, Fault> {
    let mut parts = answer.state.splitn(2, |byte| *byte == BEFORE_STATE);
    let (Some(backend), Some(state)) = (parts.next(), parts.next()) else {
        return Ok(None);
    };
    let backend = str::from_utf8(backend).map_err(|error| Fault::internal(error.to_string()))?;
    let asked = delegate::answer_challenge(backend, state, &answer.response);
    Ok(Some(passed_on(backend, asked)))
}

fn words<const N: usize>(rest: &str) -> Result<[&str; N], Fault> {
    let words: Vec<&str> = rest.splitn(N, BETWEEN).collect();
    words
        .try_into()
        .map_err(|_| Fault::internal("an errand of too few words"))
}

fn number<T: std::str::FromStr<Err = std::num::ParseIntError>>(word: &str) -> Result<T, Fault> {
    word.parse()
        .map_err(|error: std::num::ParseIntError| Fault::internal(error.to_string()))
}

fn told<T>(result: Result<T, impl std::fmt::Debug>, text: impl FnOnce(T) -> String) -> Outcome {
    let errand = Principal::own("errand");
    match result {
        Ok(value) => errand.attribute("answer", text(value)),
        Err(error) => errand.attribute("error", format!("{error:?}")),
    }
    .into()
}

/// The same again and again. What came of the last one counts.
fn repeat(rest: &str, login: Option<&Login>) -> Result<Option<Outcome>, Fault> {
    let [times, errand] = words(rest)?;
    let mut last = None;
    for _ in 0..number::<u32>(times)? {
        last = run(errand, login)?;
    }
    Ok(last)
}

/// A fault that tells what came of an errand, for a backend that lets nobody in by its own word.
fn complaint(errand: &str, login: Option<&Login>) -> Result<Fault, Fault> {
    Ok(match run(errand, login)? {
        Some(Outcome::Verified(somebody)) => Fault::misconfigured(format!("{:?}", somebody.attributes)),
        other => Fault::misconfigured(format!("{other:?}")),
    })
}

fn find_lines([name, separator, field, key]: [&str; 4]) -> Result<Outcome, Fault> {
    let separator = separator.chars().next().unwrap_or(':');
    let found = file::find_lines(name, separator, number(field)?, key);
    Ok(told(found, |lines| lines.join("\n")))
}

/// What is told of a page is how much of it there is.
fn list_lines([name, start, most]: [&str; 3]) -> Result<Outcome, Fault> {
    let listed = file::list_lines(name, number(start)?, number(most)?);
    Ok(told(listed, |page| {
        let bytes: usize = page.lines.iter().map(String::len).sum();
        format!("{} lines, {bytes} bytes, next {:?}", page.lines.len(), page.next)
    }))
}

/// The first hundred logins are told. Parameters are parted by commas; there are none where the word is empty.
fn query([name, most, parameters, statement]: [&str; 4]) -> Result<Outcome, Fault> {
    let parameters: Vec<&str> = parameters.split(',').filter(|word| !word.is_empty()).collect();
    let rows = database::query(name, statement, &parameters, number(most)?);
    Ok(told(rows, |rows| {
        let logins = rows.iter().take(100).map(|row| row.get("login").unwrap_or("NULL"));
        logins.collect::<Vec<_>>().join("\n")
    }))
}

fn ask([backend, identifier]: [&str; 2], login: Option<&Login>) -> Result<Outcome, Fault> {
    let password = login.and_then(Login::password);
    let password = password.ok_or_else(|| Fault::internal("there is no password"))?;
    Ok(passed_on(
        backend,
        delegate::verify_password(backend, identifier, password),
    ))
}

/// Asks with the secret `key`, which no caller presented.
fn ask_with_key([backend, identifier]: [&str; 2]) -> Result<Outcome, Fault> {
    let key = config::find_secret("key").ok_or_else(|| Fault::misconfigured("there is no `secrets.key`"))?;
    Ok(passed_on(backend, delegate::verify_password(backend, identifier, &key)))
}

/// Asks, and says that this is why there is no answer.
fn fail_after([backend]: [&str; 1], login: Option<&Login>) -> Result<Outcome, Fault> {
    ask([backend, "alice"], login)?;
    Err(Fault::unavailable("the other backend is"))
}

fn passed_on(backend: &str, asked: Result<Outcome, DelegateError>) -> Outcome {
    match asked {
        Ok(Outcome::Challenged(challenge)) => {
            let mut state = backend.as_bytes().to_vec();
            state.push(BEFORE_STATE);
            state.extend(&challenge.state);
            challenge.state(state).into()
        }
        Ok(outcome) => outcome,
        Err(error) => told(Err::<(), _>(error), |()| String::new()),
    }
}

fn find([backend, key]: [&str; 2], by: fn(String) -> Key) -> Outcome {
    match delegate::find(backend, &by(key.to_owned())) {
        Ok(Found::Principal(principal)) => principal.into(),
        Ok(Found::Refused(refusal)) => refusal.into(),
        other => told(other.map(|_| ()), |()| "it cannot tell".to_owned()),
    }
}

fn list_users([backend, most, login]: [&str; 3]) -> Result<Outcome, Fault> {
    let listed = delegate::list_users(backend, login, number(most)?);
    let logins = |listed: Vec<Principal>| listed.into_iter().map(|user| user.login).collect::<Vec<_>>();
    let text = |listed: Option<_>| listed.map_or("it cannot tell".to_owned(), |listed| logins(listed).join("\n"));
    Ok(told(listed, text))
}

/// The tenant is that of the server's choice where the word is empty.
fn list_directory([most, tenant, pattern]: [&str; 3]) -> Result<Outcome, Fault> {
    let tenant = Some(tenant).filter(|tenant| !tenant.is_empty());
    let listed = directory::list_users(pattern, tenant, number(most)?);
    Ok(told(listed, |users| {
        let logins: Vec<String> = users.into_iter().map(|user| user.login).collect();
        logins.join("\n")
    }))
}

/// Says that another backend was right about somebody, which it never asked.
fn somebody_of([backend, subject]: [&str; 2]) -> Principal {
    let mut somebody = Principal::own(subject);
    somebody.subject = Subject::Delegated {
        backend: backend.to_owned(),
        subject: subject.to_owned(),
    };
    somebody
}

/// Says that it verified the first user of a list.
fn name_listed([pattern]: [&str; 1]) -> Result<Outcome, Fault> {
    match directory::list_users(pattern, None, 1)?.first() {
        Some(user) => Ok(Principal::directory(user).into()),
        None => Err(Fault::misconfigured("nobody fits the pattern")),
    }
}
