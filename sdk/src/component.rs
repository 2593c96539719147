//! What the host calls, in terms of the SDK's own types: the same code runs in a component and in a `MockHost`.

use crate::{
    Answer, Backend, Browse, ChangePassword, Changed, Context, Description, Fault, Found, Health, Key, Listing, Login,
    Lookup, Outcome, PasswordChange, Problem, Query, config,
};

/// One step of a login.
pub(crate) enum Step {
    Login(Login),
    Answer(Answer),
}

pub(crate) fn describe<B: Backend>() -> (Description, String) {
    (B::describe(), config::schema::<B::Config>())
}

/// The capabilities as the contract writes them.
#[cfg(target_family = "wasm")]
pub(crate) fn wants(description: &Description) -> Vec<String> {
    let wanted = description.wanted().iter().map(ToString::to_string);
    let usable = description.usable().iter().map(|capability| format!("{capability}?"));
    wanted.chain(usable).collect()
}

pub(crate) fn check_config<B: Backend>(json: &str) -> Result<(), Vec<Problem>> {
    match load::<B>(json) {
        Ok(_) => Ok(()),
        // The contract says that no problems are no error.
        Err(problems) if problems.is_empty() => Ok(()),
        Err(problems) => Err(problems),
    }
}

pub(crate) fn verify<B: Backend>(context: &Context, step: &Step) -> Result<Outcome, Fault> {
    let backend = load_live::<B>()?;
    match step {
        Step::Login(login) => backend.verify(context, login),
        Step::Answer(answer) => backend.answer(context, answer),
    }
}

pub(crate) fn health<B: Health>() -> Result<(), Fault> {
    load_live::<B>()?.health()
}

pub(crate) fn find<B: Lookup>(context: &Context, key: &Key) -> Result<Found, Fault> {
    load_live::<B>()?.find(context, key)
}

pub(crate) fn change_password<B: ChangePassword>(context: &Context, change: &PasswordChange) -> Result<Changed, Fault> {
    load_live::<B>()?.change(context, change)
}

pub(crate) fn list<B: Browse>(context: &Context, query: &Query) -> Result<Listing, Fault> {
    load_live::<B>()?.list(context, query)
}

fn load<B: Backend>(json: &str) -> Result<B, Vec<Problem>> {
    let config = config::parse(json).map_err(|problem| vec![problem])?;
    B::configure(config)
}

/// The backend of the live configuration, which the host has checked before. So a problem here is one that came later.
fn load_live<B: Backend>() -> Result<B, Fault> {
    load::<B>(&config::json()).map_err(|problems| {
        let lines: Vec<String> = problems.into_iter().map(line).collect();
        Fault::misconfigured(format!("the configuration is not usable: {}", lines.join("; ")))
    })
}

fn line(problem: Problem) -> String {
    match problem.pointer.as_str() {
        "" => problem.message,
        pointer => format!("`{pointer}`: {}", problem.message),
    }
}
