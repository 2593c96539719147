//! What Active Directory adds to a refused bind: `80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 773, v3839`.

use keyway_sdk::Refusal;

/// Why it refused, where it says so. It tells of most states of an account only to whoever has its password, and everybody else gets `data 52e`. Of a
/// locked account, `data 775`, it tells everybody: it looks at no password then.
pub(crate) fn refusal(words: &str) -> Option<Refusal> {
    let (_, behind) = words.split_once("AcceptSecurityContext error, data ")?;
    let code = behind.split([',', ' ']).next()?;
    Some(match code {
        "525" => Refusal::UnknownIdentifier,
        "52e" => Refusal::WrongCredential,
        // Not at this hour, not from this machine, disabled.
        "530" | "531" | "533" => Refusal::Disabled,
        // The password, the account.
        "532" | "701" => Refusal::Expired,
        "773" => Refusal::MustChangePassword,
        "775" => Refusal::Locked,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_subcode_is_a_reason() {
        for (code, reason) in [
            ("525", Some(Refusal::UnknownIdentifier)),
            ("52e", Some(Refusal::WrongCredential)),
            ("530", Some(Refusal::Disabled)),
            ("531", Some(Refusal::Disabled)),
            ("532", Some(Refusal::Expired)),
            ("533", Some(Refusal::Disabled)),
            ("701", Some(Refusal::Expired)),
            ("773", Some(Refusal::MustChangePassword)),
            ("775", Some(Refusal::Locked)),
            ("999", None),
        ] {
            let words =
                format!("80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {code}, v1db1");
            assert_eq!(refusal(&words), reason, "{code}");
        }
        assert_eq!(refusal("invalid credentials, data 775"), None);
        assert_eq!(refusal(""), None);
    }
}
