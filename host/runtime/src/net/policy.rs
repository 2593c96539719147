//! Which addresses an endpoint's name may stand for. A name is the operator's, but what it stands for is whoever's runs its zone.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Server;

/// Which addresses an endpoint's name may stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    /// These networks alone; if empty, all but those that no name has a reason to lead to.
    allow: Vec<IpNet>,
}

/// A text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no network; write `10.0.0.0/8`, `192.0.2.7` or `fd00::/8`")]
pub struct InvalidNetwork(pub String);

impl AddressPolicy {
    /// Allows these networks, each in CIDR notation or as one address.
    ///
    /// # Errors
    /// [`InvalidNetwork`].
    pub fn allowing<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidNetwork> {
        let parse = |text: &str| {
            let network = text.parse::<IpNet>().ok();
            let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
            network.ok_or_else(|| InvalidNetwork(text.to_owned()))
        };
        let allow = networks.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { allow })
    }

    /// Whether a connection for `server` may go to `address`.
    pub(super) fn admits(&self, server: &Server, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if !self.allow.is_empty() {
            return self.allow.iter().any(|network| network.contains(&address));
        }
        // The operator wrote it.
        if server
            .host
            .parse::<IpAddr>()
            .is_ok_and(|written| written.to_canonical() == address)
        {
            return true;
        }
        let is_local_name = server.host.eq_ignore_ascii_case("localhost");
        !(address.is_unspecified()
            || address.is_multicast()
            || is_link_local(address)
            || (address.is_loopback() && !is_local_name))
    }
}

/// Among them the addresses where clouds keep the credentials of their machines.
fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(policy: &AddressPolicy, host: &str, address: &str) -> bool {
        let server = Server {
            host: host.to_owned(),
            port: 389,
        };
        policy.admits(&server, address.parse().unwrap())
    }

    #[test]
    fn a_name_leads_to_no_address_that_it_has_no_reason_to() {
        let policy = AddressPolicy::default();
        for (host, address, admitted) in [
            ("ldap.example.org", "192.0.2.7", true),
            ("ldap.example.org", "10.1.2.3", true),
            ("ldap.example.org", "2001:db8::1", true),
            ("ldap.example.org", "127.0.0.1", false),
            ("ldap.example.org", "::1", false),
            ("ldap.example.org", "::ffff:127.0.0.1", false),
            ("ldap.example.org", "169.254.169.254", false),
            ("ldap.example.org", "::ffff:169.254.169.254", false),
            ("ldap.example.org", "fe80::1", false),
            ("ldap.example.org", "0.0.0.0", false),
            ("ldap.example.org", "255.255.255.255", false),
            ("ldap.example.org", "224.0.0.1", false),
            ("localhost", "127.0.0.1", true),
            ("LOCALHOST", "::1", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("169.254.1.1", "169.254.1.1", true),
        ] {
            assert_eq!(admits(&policy, host, address), admitted, "{host} {address}");
        }
    }

    #[test]
    fn named_networks_are_the_only_ones() {
        let policy = AddressPolicy::allowing(["10.0.0.0/8", "192.0.2.7"]).unwrap();
        assert!(admits(&policy, "ldap.example.org", "10.200.0.1"));
        assert!(admits(&policy, "ldap.example.org", "192.0.2.7"));
        assert!(!admits(&policy, "ldap.example.org", "192.0.2.8"));
        assert!(!admits(&policy, "127.0.0.1", "127.0.0.1"));
        assert_eq!(
            AddressPolicy::allowing(["10.0.0.0/33"]),
            Err(InvalidNetwork("10.0.0.0/33".to_owned()))
        );
    }
}
