//! Rules of settings.

use super::*;
use crate::model::LdapSecurity;
use crate::port::{SettingStore as _, SystemRandom, TenantStore as _};
use crate::testing::MemoryStore;

fn service(store: &Arc<MemoryStore>, key: u8) -> SettingService {
    SettingService::new(store.clone(), MasterKey::new([key; 32]), Arc::new(SystemRandom))
}

async fn master(store: &MemoryStore) -> TenantId {
    store.list_tenants().await.unwrap()[0].id
}

fn ldap(secret: Option<&str>) -> Setting<LdapSettings> {
    let value = LdapSettings {
        host: "ldap.example.org".to_owned(),
        port: 636,
        protocol_version: 3,
        protocol_security: Some(LdapSecurity::Ldaps),
        bind_dn: Some("cn=service".to_owned()),
        user_base_dn: "ou=people".to_owned(),
        user_login_attribute: "uid".to_owned(),
        user_email_attribute: "mail".to_owned(),
        search_filters: None,
    };
    Setting {
        value,
        secret: secret.map(Secret::from),
    }
}

#[tokio::test]
async fn a_setting_is_found_as_it_was_put_until_it_is_removed() {
    let store = MemoryStore::new();
    let (service, tenant) = (service(&store, 1), master(&store).await);
    assert_eq!(service.find_ldap(tenant).await.unwrap(), None);
    for setting in [ldap(Some("s3cre7")), ldap(None)] {
        service.put_ldap(tenant, &setting).await.unwrap();
        assert_eq!(service.find_ldap(tenant).await.unwrap(), Some(setting));
    }
    assert!(service.remove_ldap(tenant).await.unwrap());
    assert!(!service.remove_ldap(tenant).await.unwrap());
    assert_eq!(service.find_ldap(tenant).await.unwrap(), None);
}

#[tokio::test]
async fn the_store_never_sees_a_secret() {
    let store = MemoryStore::new();
    let tenant = master(&store).await;
    service(&store, 1)
        .put_ldap(tenant, &ldap(Some("s3cre7")))
        .await
        .unwrap();
    let stored = store.find_setting(tenant, SettingKind::Ldap).await.unwrap().unwrap();
    assert!(!stored.document.contains("s3cre7"));
    let sealed = stored.sealed.expect("a sealed secret");
    assert!(!sealed.windows(6).any(|part| part == b"s3cre7"));
}

#[tokio::test]
async fn a_secret_of_another_master_key_or_tenant_does_not_open() {
    let store = MemoryStore::new();
    let tenant = master(&store).await;
    service(&store, 1)
        .put_ldap(tenant, &ldap(Some("s3cre7")))
        .await
        .unwrap();
    let refused = service(&store, 2).find_ldap(tenant).await.unwrap_err();
    assert!(matches!(refused, SettingError::Sealed { .. }), "{refused:?}");
    assert!(!format!("{refused:?} {refused}").contains("s3cre7"));
}
