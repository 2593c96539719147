//! A backend that misbehaves on request. What it does is chosen by its configuration or, where that says nothing, by the login identifier,
//! so that one backend can behave in one call and attack in the next.
//!
//! `alice` with the password `s3cre7` logs in as it should. Any other identifier is the name of a [`Misdeed`], with an amount after `=` where one
//! makes sense: `endless_loop`, `slow=500` (a colon would end the user name of HTTP's basic authentication). A misdeed that comes to an
//! end goes on to the ordinary login of `alice`. Look-ups and changes of passwords do what their identifiers say, too. An identifier may also be an
//! [`errand`], which is nothing bad in itself.

use keyway_sdk::{
    Answer, Backend, Browse, Capability, ChangePassword, Changed, Context, Description, Fault, Found, Health, Key,
    Listing, Login, Lookup, Outcome, PasswordChange, Principal, Problem, Query,
};
use keyway_sdk::{Deserialize, JsonSchema, Refusal, Rejection, schemars};

use misdeed::Misdeed;

mod errand;
mod misdeed;

/// `s3cre7`, with the cheapest parameters.
const ALICE: &str = "$argon2id$v=19$m=8,t=1,p=1$b25seSBmb3IgdGVzdHM$a0wL/iwaimsQDkgYauNr3ZSSyrf5vbxWWQ1ZzBpf6QY";

/// What to do wrong, and when. Nothing by default.
#[derive(Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
struct Hostile {
    /// In every login, whatever its identifier.
    verify: Option<Misdeed>,
    /// While its configuration is checked (and so before every call, too).
    configure: Option<Misdeed>,
    /// When it is asked about its health.
    health: Option<Misdeed>,
    /// How much of it: milliseconds, lines, handles or bytes.
    amount: Option<u64>,
    /// A problem that the check of the configuration shall report.
    problem: Option<String>,
}

impl Backend for Hostile {
    type Config = Self;

    fn describe() -> Description {
        keyway_sdk::description!()
            .wants([Capability::Log, Capability::DirectoryFind, Capability::DirectoryVerify])
            .may_use([
                Capability::DirectoryLink,
                Capability::CredentialExpose,
                Capability::DirectoryList,
                Capability::Net("target"),
                Capability::File("*"),
                Capability::Sql("*"),
                Capability::Delegate("*"),
            ])
    }

    fn configure(config: Self) -> Result<Self, Vec<Problem>> {
        if let Some(problem) = &config.problem {
            return Err(vec![Problem::at("/problem", problem)]);
        }
        if let Some(misdeed) = config.configure {
            misdeed
                .commit(config.amount, None)
                .map_err(|fault| vec![Problem::at("/configure", fault.to_string())])?;
        }
        Ok(config)
    }

    fn verify(&self, _context: &Context, login: &Login) -> Result<Outcome, Fault> {
        if let Some(outcome) = errand::run(&login.identifier, Some(login))? {
            return Ok(outcome);
        }
        let (misdeed, amount) = self.asked_for(&login.identifier);
        if let Some(misdeed) = misdeed
            && let Some(outcome) = misdeed.commit(amount, Some(login))?
        {
            return Ok(outcome);
        }
        let known = misdeed.is_some() || login.identifier == "alice";
        if login.password_matches(known.then_some(ALICE))? {
            return Ok(Principal::own("alice").into());
        }
        Ok(Refusal::WrongCredential.into())
    }

    /// To a challenge of [`Misdeed::ChallengeState`]: verified, if the state came back as it was.
    fn answer(&self, _context: &Context, answer: &Answer) -> Result<Outcome, Fault> {
        if let Some(outcome) = errand::answer(answer)? {
            return Ok(outcome);
        }
        if answer.state.iter().all(|byte| *byte == misdeed::STATE) {
            return Ok(Principal::own("alice").into());
        }
        Ok(Refusal::WrongCredential.into())
    }
}

impl Hostile {
    /// What to do wrong in a call for this identifier, and how much of it.
    fn asked_for(&self, identifier: &str) -> (Option<Misdeed>, Option<u64>) {
        let (name, amount) = identifier.split_once('=').unwrap_or((identifier, ""));
        let misdeed = self.verify.or_else(|| Misdeed::named(name));
        (misdeed, amount.parse().ok().or(self.amount))
    }

    /// Commits what this identifier names outside of a login. `None` where nothing came of it.
    fn misbehave(&self, identifier: &str) -> Result<Option<Result<Principal, Refusal>>, Fault> {
        let outcome = match (errand::run(identifier, None)?, self.asked_for(identifier)) {
            (Some(outcome), _) => Some(outcome),
            (None, (Some(misdeed), amount)) => misdeed.commit(amount, None)?,
            (None, (None, _)) => None,
        };
        match outcome {
            Some(Outcome::Verified(principal)) => Ok(Some(Ok(principal))),
            Some(Outcome::Refused(refusal)) => Ok(Some(Err(refusal))),
            Some(Outcome::Challenged(_)) => Err(Fault::internal("there is no such answer")),
            None => Ok(None),
        }
    }
}

impl Lookup for Hostile {
    fn find(&self, _context: &Context, key: &Key) -> Result<Found, Fault> {
        let (Key::Identifier(name) | Key::Subject(name)) = key;
        Ok(match self.misbehave(name)? {
            Some(Ok(principal)) => principal.into(),
            Some(Err(refusal)) => refusal.into(),
            None if name == "alice" => Principal::own("alice").groups(["looked_up"]).into(),
            None => Refusal::UnknownIdentifier.into(),
        })
    }
}

/// It forgets the new password at once.
impl ChangePassword for Hostile {
    fn change(&self, _context: &Context, change: &PasswordChange) -> Result<Changed, Fault> {
        match self.misbehave(&change.identifier)? {
            Some(Ok(principal)) => return Ok(principal.into()),
            Some(Err(refusal)) => return Ok(refusal.into()),
            None => {}
        }
        if !change
            .present
            .matches((change.identifier == "alice").then_some(ALICE))?
        {
            return Ok(Refusal::WrongCredential.into());
        }
        if change.new.matches(Some(ALICE))? {
            return Ok(Rejection::UsedBefore.into());
        }
        Ok(Principal::own("alice").into())
    }
}

impl Browse for Hostile {
    fn list(&self, _context: &Context, query: &Query) -> Result<Listing, Fault> {
        if let Some(listing) = errand::list(query)? {
            return Ok(listing);
        }
        let found = self.misbehave(query.pattern("login").unwrap_or("*"))?;
        let alice = || Some(Principal::own("alice")).filter(|alice| query.fits(alice));
        let everybody = found.and_then(Result::ok).or_else(alice);
        Ok(Listing::of(everybody, query.most))
    }
}

impl Health for Hostile {
    fn health(&self) -> Result<(), Fault> {
        match self.health {
            Some(misdeed) => misdeed.commit(self.amount, None).map(|_| ()),
            None => Ok(()),
        }
    }
}

keyway_sdk::register!(Hostile, health, lookup, change_password, browse);
