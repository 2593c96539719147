//! Realms and resolvers.

use super::*;

/// Resolvers of every kind, and realms of them.
fn mixed() -> Fake {
    let sql = [
        ("Driver", "postgresql"),
        ("Server", "db"),
        ("Database", "hr"),
        ("User", "u"),
        ("Table", "users"),
        ("Map", r#"{"userid":"id","username":"login","password":"pw"}"#),
    ];
    let ldap = [
        ("LDAPURI", "ldaps://a, ldap://b"),
        ("LDAPBASE", "dc=x"),
        ("LOGINNAMEATTRIBUTE", "uid,mail"),
        ("USERINFO", r#"{"username":"uid","phone":"telephoneNumber"}"#),
        ("UIDTYPE", "entryUUID"),
    ];
    let mut members = realm("Mixed", &["passwd1", "hr"]);
    members.resolvers[0].priority = Some(2);
    let mut bound = realm("bound", &["passwd1"]);
    bound.resolvers[0].node = "node-1".to_owned();
    Fake {
        resolvers: vec![
            resolver("passwd1", "passwdresolver", &[("fileName", "/etc/pi/passwd")]),
            resolver("other", "passwdresolver", &[("fileName", "/etc/pi/other")]),
            resolver("hr", "sqlresolver", &sql),
            resolver("ldap1", "ldapresolver", &ldap),
            resolver("scim", "scimresolver", &[("Resourceserver", "https://s")]),
            resolver("odd name", "passwdresolver", &[]),
            resolver("radius", "radiusresolver", &[]),
        ],
        realms: vec![realm("realm1", &["passwd1"]), members, realm("corp", &["ldap1"]), bound],
        ..Fake::default()
    }
}

#[tokio::test]
async fn a_realm_comes_when_all_its_resolvers_are_here() {
    let (house, fake) = (House::new(), mixed());
    let report = house.run(&fake).await;
    assert_eq!(numbers(&report, ImportKind::Resolver), (1, 0, 6));
    assert_eq!(numbers(&report, ImportKind::Realm), (1, 0, 3));
    assert_eq!(
        house.added().await,
        json!({
            "resolvers": {"passwd1": {"type": "passwd", "file": "passwd1"}},
            "realms": {"realm1": {"resolvers": [{"name": "passwd1"}]}},
        })
    );
    let wanted: Vec<_> = report.wanted.iter().map(Wanted::resolver).collect();
    assert_eq!(wanted, ["other", "hr", "ldap1", "scim"]);
    let Some(Wanted::Ldap(ldap)) = report.wanted.get(2) else {
        panic!("{:?}", report.wanted);
    };
    assert_eq!(
        (ldap.servers.len(), ldap.login_attributes.len(), ldap.attributes.len()),
        (2, 2, 1)
    );
    let said = reasons(&report);
    assert!(said.contains(&"realms bound: its resolver `passwd1` belongs to it on one node alone".to_owned()));
    assert!(
        said.contains(&"realms Mixed: these resolvers of it are not here: `hr`".to_owned()),
        "{said:?}"
    );

    house.configure(|backend| {
        backend.databases.insert("hr".to_owned());
        backend.fixed = json!({"resolvers": {"ldap1": {"type": "backend", "backend": "ldap_corp"}}});
    });
    let report = house.run(&fake).await;
    assert_eq!(numbers(&report, ImportKind::Resolver), (1, 2, 4));
    assert_eq!(numbers(&report, ImportKind::Realm), (2, 1, 1));
    let added = house.added().await;
    assert_eq!(
        added["realms"]["mixed"],
        json!({"resolvers": [{"name": "passwd1", "priority": 2}, {"name": "hr"}]})
    );
    assert_eq!(added["realms"]["corp"], json!({"resolvers": [{"name": "ldap1"}]}));
    assert_eq!(added["resolvers"]["hr"]["type"], "sql");
    assert_eq!(added["resolvers"].get("ldap1"), None, "the file has it");
    assert!(!house.run(&fake).await.changes());
}

#[tokio::test]
async fn what_is_granted_has_a_name_that_a_configuration_takes() {
    let house = House::new();
    let fake = Fake {
        resolvers: ["Passwd.1", "PASSWD_2", "passwd_2"]
            .map(|name| resolver(name, "passwdresolver", &[]))
            .to_vec(),
        ..Fake::default()
    };
    house.configure(|backend| backend.files = ["passwd_1".to_owned(), "passwd_2".to_owned()].into());
    let report = house.run(&fake).await;
    assert_eq!(
        house.added().await,
        json!({"resolvers": {"Passwd.1": {"type": "passwd", "file": "passwd_1"}}})
    );
    assert_eq!(
        numbers(&report, ImportKind::Resolver),
        (1, 0, 2),
        "neither gets the other's file"
    );
}

#[tokio::test]
async fn what_is_here_is_left_as_it_is() {
    let house = House::new();
    house.configure(|backend| {
        backend.fixed = json!({
            "default_realm": "mine",
            "split_at_sign": true,
            "realms": {"REALM1": {"resolvers": []}, "mine": {"resolvers": []}},
            "resolvers": {"passwd1": {"type": "directory"}},
        });
    });
    let mut fake = small();
    fake.settings = vec![("splitAtSign".to_owned(), "False".to_owned())];
    let report = house.run(&fake).await;
    assert_eq!(house.added().await, Value::Null);
    assert_eq!(numbers(&report, ImportKind::Resolver), (0, 1, 0));
    assert_eq!(numbers(&report, ImportKind::Realm), (0, 1, 0));
    assert_eq!(numbers(&report, ImportKind::Setting), (0, 2, 0));
    assert!(notes(&report).contains(
        &"passwd1: a resolver of this name is here, of the type `directory`: it is left as it is".to_owned()
    ));
}

#[tokio::test]
async fn what_the_backend_refuses_is_refused_before_anything_is_written() {
    let house = House::new();
    let mut fake = small();
    fake.realms.push(realm("refused", &["passwd1"]));
    for dry_run in [true, false] {
        let refused = house.try_run(&fake, dry_run).await.unwrap_err();
        assert!(refused.to_string().contains("`/realms/refused`"), "{refused}");
    }
    assert_eq!(house.added().await, Value::Null);
    assert!(house.factors.find("HOTP1").await.unwrap().is_none());
}

#[tokio::test]
async fn what_apis_added_stays_and_counts_on() {
    let house = House::new();
    let before = AddedConfig {
        revision: 4,
        config: Map::from_iter([("realms".to_owned(), json!({"sales": {"resolvers": []}}))]),
    };
    let new = NewDocument {
        name: "realms".to_owned(),
        document: before.to_document(),
        sealed: Some(vec![1, 2]),
        replaces: Some(0),
    };
    house
        .store
        .put_document(DocumentKind::BackendConfig, &new)
        .await
        .unwrap();
    house.run(&small()).await;
    let found = house.store.find_document(DocumentKind::BackendConfig, "realms").await;
    let found = found.unwrap().unwrap();
    assert_eq!(found.sealed, Some(vec![1, 2]));
    let after = AddedConfig::parse(&found.document).unwrap();
    assert_eq!(after.revision, 5);
    let names: Vec<_> = after.config["realms"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["sales", "realm1"]);
}

#[tokio::test]
async fn names_are_split_as_they_were() {
    let house = House::new();
    let fake = Fake {
        settings: vec![("splitAtSign".to_owned(), "0".to_owned())],
        ..small()
    };
    house.run(&fake).await;
    let added = house.added().await;
    assert_eq!(
        (&added["split_at_sign"], &added["default_realm"]),
        (&json!(false), &json!("realm1"))
    );
}
