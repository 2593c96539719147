//! Tokens change hands.

use axum::response::Response;
use keyway_core::factor::FactorError;

use super::own;
use crate::dialect::privacyidea::answer::Answer;
use crate::dialect::privacyidea::ask::Ask;
use crate::dialect::privacyidea::error::Failure;
use crate::dialect::privacyidea::policies::owner;
use crate::dialect::privacyidea::rights::Role;

pub(super) async fn assign(ask: Ask) -> Response {
    let assigned = async {
        let caller = ask.caller().await?;
        let params = ask.params()?;
        let serial = params.needed("serial")?;
        let whose = match caller.role {
            Role::User => own(&caller),
            Role::Admin => ask.owner_named(params).await?,
        };
        ask.may(&caller, "assign", Some(owner(Some(&whose)))).await?;
        let unknown = || Failure::from(FactorError::Unknown(serial.chars().take(64).collect()));
        let factor = ask.pi.factors().find(serial).await?.ok_or_else(unknown)?;
        let is_anothers = factor.owner.as_ref().is_some_and(|now| now.identity != whose.identity);
        if is_anothers && caller.role == Role::User {
            return Err(unknown());
        }
        let pin = ask.new_pin(&caller, "setpin", "pin", Some(&whose)).await?;
        ask.pi.factors().assign(&factor.serial, whose.clone()).await?;
        if pin.is_some() {
            ask.pi.factors().set_pin(&factor.serial, pin).await?;
        }
        ask.note_factor(&keyway_core::model::Factor {
            owner: Some(whose),
            ..factor
        });
        Ok(Answer::of(true))
    };
    ask.answer(assigned.await).await
}

pub(super) async fn unassign(ask: Ask) -> Response {
    let unassigned = async {
        let caller = ask.caller().await?;
        let targets = ask.targets(&caller, "unassign").await?;
        for factor in &targets {
            ask.pi.factors().unassign(&factor.serial).await?;
        }
        Ok(Answer::of(targets.len()))
    };
    ask.answer(unassigned.await).await
}
