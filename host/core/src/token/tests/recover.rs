//! A login by a mailed link.

use super::factor::{CODES, enroll};
use super::*;
use crate::factor::FactorRefusal;
use crate::model::{Account, AuthenticationMethod, Closed};
use crate::port::AccountStore as _;

const ACCESS: &str = "kazoo.recovery";
const HOUR: Duration = Duration::from_hours(1);

impl House {
    /// A link to alice's confirmed address.
    async fn recovery_link(&self) -> ResetId {
        let address = vec![("link.address".to_owned(), self.alice.emails[0].id.to_string())];
        let made = self
            .service
            .mint_link(self.alice.id, vec![ACCESS.to_owned()], HOUR, address);
        self.by_token(made.await.unwrap().value)
    }

    /// What a link with this token says that leads to alice.
    fn by_token(&self, token: TokenValue) -> ResetId {
        ResetId {
            tenant: self.alice.tenant,
            token,
        }
    }

    async fn follow(&self, link: &ResetId) -> Result<IssuedToken, TokenError> {
        self.follow_with(link, by_link()).await
    }

    async fn follow_with(&self, link: &ResetId, login: LinkLogin) -> Result<IssuedToken, TokenError> {
        match self.service.login_by_link(link, ACCESS, login).await? {
            (user, LoginOutcome::Issued(issued)) => {
                assert_eq!(user, self.alice.id);
                Ok(issued)
            }
            (_, LoginOutcome::Challenged(asked)) => panic!("challenged: {asked:?}"),
        }
    }

    async fn asked_by_link(&self, link: &ResetId) -> Asked {
        match self.service.login_by_link(link, ACCESS, by_link()).await.unwrap() {
            (_, LoginOutcome::Challenged(asked)) => asked,
            (_, LoginOutcome::Issued(_)) => panic!("a token was issued"),
        }
    }

    async fn needs_a_new_password(&self) -> bool {
        let profile = self.store.find_profile(self.alice.id).await.unwrap();
        profile.is_some_and(|profile| profile.require_password_update)
    }
}

fn by_link() -> LinkLogin {
    LinkLogin {
        otp: None,
        transaction: None,
        ttl: None,
        client: Client::default(),
        dialect: "kazoo",
        request_id: "request-1".to_owned(),
        attributes: Vec::new(),
        limited: true,
    }
}

fn is_gone(outcome: &Result<IssuedToken, TokenError>) -> bool {
    matches!(outcome, Err(TokenError::NotFound))
}

#[tokio::test]
async fn a_link_logs_in_once_with_the_users_accesses_and_asks_for_a_new_password() {
    let house = House::new().await;
    house.add_policy("calls", &["calls.#"], house.alice.id.into()).await;
    let link = house.recovery_link().await;
    assert!(!house.needs_a_new_password().await);
    let issued = house.follow(&link).await.unwrap();
    let session = &issued.live.record.session;
    assert_eq!(
        (session.identity.user, session.dialect.as_str()),
        (Some(house.alice.id), "kazoo")
    );
    assert!(issued.live.accesses.grants("calls.x") && !issued.live.accesses.grants(ACCESS));
    assert!(house.is_good(&issued.value).await && !house.is_good(&link.token).await);
    assert!(house.needs_a_new_password().await);
    assert!(is_gone(&house.follow(&link).await));
    assert_eq!(house.store.session_count(), 1);
}

#[tokio::test]
async fn of_many_who_follow_a_link_at_once_one_gets_through() {
    let house = Arc::new(House::new().await);
    let link = house.recovery_link().await;
    let all: Vec<_> = (0..8)
        .map(|_| {
            let (house, link) = (Arc::clone(&house), link.clone());
            tokio::spawn(async move { house.follow(&link).await.is_ok() })
        })
        .collect();
    let mut through = 0;
    for one in all {
        through += usize::from(one.await.unwrap());
    }
    assert_eq!((through, house.store.session_count()), (1, 1));
}

#[tokio::test]
async fn what_is_no_link_for_a_recovery_logs_nobody_in() {
    let house = House::new().await;
    house.add_policy("all", &["#"], house.alice.id.into()).await;
    let own = house.token().await;
    assert!(
        is_gone(&house.follow(&house.by_token(own.value)).await),
        "a token of a login is no link"
    );
    let other = house
        .service
        .mint_link(house.alice.id, vec!["auth.x".to_owned()], HOUR, Vec::new());
    assert!(is_gone(
        &house.follow(&house.by_token(other.await.unwrap().value)).await
    ));
    assert!(is_gone(
        &house
            .follow(&house.by_token(TokenValue::new(SystemRandom.uuid())))
            .await
    ));
    let link = house.recovery_link().await;
    house.clock.advance(HOUR);
    assert!(is_gone(&house.follow(&link).await));
}

#[tokio::test]
async fn a_link_names_the_account_of_its_user() {
    let house = House::new().await;
    enroll(&house, None).await;
    let link = house.recovery_link().await;
    let elsewhere = ResetId {
        tenant: TenantId(uuid::Uuid::from_u128(0xacc0)),
        ..link.clone()
    };
    let with = |otp: &str| LinkLogin {
        otp: Some(otp.into()),
        ..by_link()
    };
    assert!(
        is_gone(&house.follow_with(&elsewhere, with("000000")).await),
        "nothing is said of the one-time password"
    );
    assert!(is_gone(&house.follow_with(&elsewhere, with(CODES[0])).await));
    assert!(
        house.follow_with(&link, with(CODES[0])).await.is_ok(),
        "it is still good"
    );
}

#[tokio::test]
async fn a_login_that_is_refused_leaves_the_link_good() {
    let house = House::with_settings(TokenSettings {
        max_sessions: 1,
        ..settings()
    })
    .await;
    let link = house.recovery_link().await;
    let long = LinkLogin {
        ttl: Some(Duration::from_hours(48)),
        ..by_link()
    };
    assert!(matches!(
        house.follow_with(&link, long).await,
        Err(TokenError::TtlOutOfRange { .. })
    ));
    let own = house.token().await;
    assert!(matches!(house.follow(&link).await, Err(TokenError::TooManySessions(_))));
    house.service.revoke(&own.value).await.unwrap();
    assert!(!house.needs_a_new_password().await);
    house.follow(&link).await.unwrap();
}

#[tokio::test]
async fn nobody_logs_in_by_a_link_who_may_not_log_in() {
    let house = House::new().await;
    let link = house.recovery_link().await;
    house.store.replace_user(User {
        enabled: false,
        ..house.alice.clone()
    });
    assert!(matches!(
        house.follow(&link).await,
        Err(TokenError::Refused(Refusal::Disabled))
    ));
    house.store.replace_user(User {
        authentication_method: AuthenticationMethod::Ldap,
        ..house.alice.clone()
    });
    assert!(is_gone(&house.follow(&link).await), "its password is kept elsewhere");
    house.store.replace_user(house.alice.clone());
    house.follow(&link).await.unwrap();
}

#[tokio::test]
async fn nobody_of_a_closed_account_has_a_link() {
    let house = House::new().await;
    let link = house.recovery_link().await;
    let over = Account {
        trial_expires_at: Some(house.clock.now().plus(HOUR / 2)),
        ..Account::of(house.alice.tenant)
    };
    house.store.set_account(&over, house.clock.now()).await.unwrap();
    house.clock.advance(HOUR / 2);
    let refused = house.follow(&link).await;
    assert!(
        matches!(refused, Err(TokenError::Closed(Closed::Expired(_)))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_link_is_good_while_the_address_that_it_went_to_is_the_users() {
    let house = House::new().await;
    let link = house.recovery_link().await;
    let mut moved = house.alice.clone();
    moved.emails[0].confirmed = false;
    house.store.replace_user(moved);
    assert!(is_gone(&house.follow(&link).await));
    house.store.replace_user(User {
        emails: Vec::new(),
        ..house.alice.clone()
    });
    assert!(is_gone(&house.follow(&link).await));
    house.store.replace_user(house.alice.clone());
    house.follow(&link).await.unwrap();
}

#[tokio::test]
async fn who_has_a_factor_is_asked_for_it_and_the_link_stays_good_meanwhile() {
    let house = House::new().await;
    enroll(&house, None).await;
    let link = house.recovery_link().await;
    let asked = house.asked_by_link(&link).await;
    let answer = |otp: &str| LinkLogin {
        otp: Some(otp.into()),
        transaction: Some(asked.transaction.clone()),
        ..by_link()
    };
    let wrong = house.follow_with(&link, answer("000000")).await;
    assert!(matches!(wrong, Err(TokenError::Factor(FactorRefusal::WrongOtp))));
    let none = LinkLogin {
        otp: None,
        ..answer("")
    };
    assert!(matches!(
        house.follow_with(&link, none).await,
        Err(TokenError::NoCredential)
    ));
    assert!(!house.needs_a_new_password().await);
    house.follow_with(&link, answer(CODES[0])).await.unwrap();
    assert!(is_gone(&house.follow_with(&link, answer(CODES[1])).await));
}

#[tokio::test]
async fn a_one_time_password_may_come_with_the_link() {
    let house = House::new().await;
    enroll(&house, None).await;
    let link = house.recovery_link().await;
    let with = |otp: &str| LinkLogin {
        otp: Some(otp.into()),
        ..by_link()
    };
    let wrong = house.follow_with(&link, with("000000")).await;
    assert!(matches!(wrong, Err(TokenError::Factor(FactorRefusal::WrongOtp))));
    house.follow_with(&link, with(CODES[0])).await.unwrap();
}

#[tokio::test]
async fn a_challenge_is_answered_where_it_was_given() {
    let house = House::new().await;
    enroll(&house, None).await;
    let link = house.recovery_link().await;
    let by_password = match house.service.login(login("wazo_user")).await.unwrap() {
        LoginOutcome::Challenged(asked) => asked,
        LoginOutcome::Issued(_) => panic!("a token was issued"),
    };
    let of_password = LinkLogin {
        otp: Some(CODES[0].into()),
        transaction: Some(by_password.transaction),
        ..by_link()
    };
    let refused = house.follow_with(&link, of_password).await;
    assert!(
        matches!(refused, Err(TokenError::Refused(Refusal::Expired))),
        "{refused:?}"
    );
    // And the other way round: without the link, the answer to its challenge is good for nothing.
    let asked = house.asked_by_link(&link).await;
    let without_link = LoginRequest {
        credentials: Some((String::new(), Credential::Otp(CODES[1].into()))),
        transaction: Some(asked.transaction),
        ..login("wazo_user")
    };
    let refused = house.login(without_link).await;
    assert!(matches!(refused, Err(TokenError::UnknownBackend(_))), "{refused:?}");
}

#[test]
fn a_reset_id_is_read_as_it_was_written_and_shows_nothing() {
    let id = ResetId {
        tenant: TenantId(uuid::Uuid::from_u128(0xacc0)),
        token: TokenValue::new(SystemRandom.uuid()),
    };
    let text = id.reveal();
    assert_eq!(text.expose().len(), 64);
    assert!(text.expose().starts_with("0000000000000000000000000000acc0"));
    for spelling in [text.expose().clone(), text.expose().to_uppercase()] {
        let parsed = ResetId::parse(&spelling).unwrap();
        assert_eq!((parsed.tenant, parsed.token.reveal()), (id.tenant, id.token.reveal()));
    }
    for wrong in [
        "",
        "xyz",
        &text.expose()[1..],
        &format!("{}0", text.expose()),
        &"é".repeat(32),
        &"-".repeat(64),
    ] {
        assert!(ResetId::parse(wrong).is_none(), "{wrong}");
    }
    let token = id.token.reveal().replace('-', "");
    assert!(!format!("{id:?}").contains(&token));
}
