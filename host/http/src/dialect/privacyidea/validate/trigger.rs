//! `/validate/triggerchallenge`: an administrator begins a challenge for a user who has proved nothing yet.

use keyway_core::Secret;
use keyway_core::token::FactorRule;
use serde_json::json;

use super::check::{Presented, request};
use super::reply::challenged;
use crate::dialect::privacyidea::answer::{Answer, Authentication};
use crate::dialect::privacyidea::ask::Ask;
use crate::dialect::privacyidea::error::Failure;
use crate::dialect::privacyidea::policies;
use crate::dialect::privacyidea::policy::{OtpPin, User};
use crate::dialect::privacyidea::token::no_such_user;

/// Under which rule the answer comes where the policies ask for the user's password: nobody has given it, so it must not do for what asks for both.
pub(super) const ALONE: FactorRule = FactorRule::OtpOnly { passthru: false };

pub(super) async fn run(ask: &Ask) -> Result<Answer, Failure> {
    let caller = ask.admin().await?;
    let params = ask.params()?;
    let (user, realm) = match (params.word("user")?, params.word("serial")?) {
        (Some(user), _) => (user.to_owned(), params.word("realm")?.map(str::to_owned)),
        (None, Some(serial)) => {
            let factor = ask.pi.factors().get(serial).await?;
            let owner = factor.owner.ok_or_else(no_such_user)?;
            (owner.login, Some(owner.realm).filter(|realm| !realm.is_empty()))
        }
        (None, None) => return Err(Failure::Parameter("Missing parameter: `user`".to_owned())),
    };
    let named = ask.pi.realm_config().await?.named(&user, realm.as_deref());
    let about = User {
        login: named.login.clone(),
        realm: named.realm.clone().unwrap_or_default(),
        ..User::default()
    };
    ask.may(&caller, "triggerchallenge", Some(about)).await?;
    let rules = policies::rules_of(ask, &user, &named).await?;
    if let Some(other) = &rules.realm {
        let about = User {
            login: named.login.clone(),
            realm: other.clone(),
            ..User::default()
        };
        ask.may(&caller, "triggerchallenge", Some(about)).await?;
    }
    // That in which the answer will be judged.
    let realm = rules.realm.clone().or(named.realm);
    let whom = ask.whom_named(&user, realm.as_deref()).await?;
    let rule = if rules.authentication.otppin == OtpPin::UserStore {
        ALONE
    } else {
        rules.authentication.factor_rule()
    };
    let presented = Presented {
        pass: Secret::new(Vec::new()),
        transaction: None,
        kind: None,
        otp_only: false,
    };
    let request = request(ask, &user, realm.as_deref(), &presented, rule);
    ask.note(|note| {
        note.kept = true;
        whom.principal.login.clone_into(&mut note.entry.user);
        note.entry.realm = realm.unwrap_or_default();
    });
    let Some(asked) = ask.pi.tokens().challenge(&request, &user, whom).await? else {
        return Ok(Answer::of(0)
            .id(2)
            .detail(json!({"messages": [], "transaction_ids": []})));
    };
    let count = asked.factors.len();
    Ok(challenged(asked, &rules.authentication)
        .value(count)
        .authentication(Authentication::Challenge))
}
