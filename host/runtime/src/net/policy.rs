//! Which addresses an endpoint's name may stand for. A name is the operator's, but what it stands for is whoever's runs its zone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Server;

/// Which addresses an endpoint's name may stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    allow: Vec<IpNet>,
    others: Others,
}

/// What holds for addresses in no network that is allowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Others {
    /// Those that a name has a reason to lead to, and the very address that the operator wrote.
    #[default]
    Usual,
    /// None.
    None,
    /// Those that anybody in the world could connect to just as well, and none of this network's own.
    Public,
}

/// Networks that are nobody's or somebody's own: the special-purpose registries of IANA (RFC 6890), and what leads to such an IPv4 address from
/// within IPv6.
const NOT_PUBLIC: [IpNet; 19] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
    v6([0x2001, 0, 0, 0], 23),
    v6([0x2001, 0xdb8, 0, 0], 32),
    v6([0x2002, 0, 0, 0], 16),
    v6([0x3fff, 0, 0, 0], 20),
];

/// All that IANA gives out of IPv6 for use in the world (RFC 4291); the rest is nobody's or somebody's own.
const WORLD: IpNet = v6([0x2000, 0, 0, 0], 3);

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

const fn v6([a, b, c, d]: [u16; 4], length: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), length))
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
        let allow: Vec<_> = networks.into_iter().map(parse).collect::<Result<_, _>>()?;
        let others = if allow.is_empty() { Others::Usual } else { Others::None };
        Ok(Self { allow, others })
    }

    /// For endpoints that somebody else names than the operator: these networks, and what is public.
    ///
    /// # Errors
    /// [`InvalidNetwork`].
    pub fn public_and<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidNetwork> {
        let Self { allow, .. } = Self::allowing(networks)?;
        Ok(Self {
            allow,
            others: Others::Public,
        })
    }

    /// Whether the endpoint is named by the operator, and not by somebody else.
    pub(super) fn is_operators(&self) -> bool {
        self.others != Others::Public
    }

    /// Whether a connection for `server` may go to `address`.
    pub(super) fn admits(&self, server: &Server, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if self.allows(address) {
            return true;
        }
        match self.others {
            Others::None => false,
            Others::Public => is_public(address),
            Others::Usual => is_usual(server, address),
        }
    }

    /// Whether a connection between these two is one. This machine's own address may be public, and what listens on it still meant for nobody but
    /// this machine.
    pub(super) fn admits_pair(&self, own: IpAddr, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.is_operators() || own.to_canonical() != peer || self.allows(peer)
    }

    fn allows(&self, address: IpAddr) -> bool {
        self.allow.iter().any(|network| network.contains(&address))
    }
}

fn is_public(address: IpAddr) -> bool {
    let is_in_the_world = address.is_ipv4() || WORLD.contains(&address);
    is_in_the_world && !NOT_PUBLIC.iter().any(|network| network.contains(&address))
}

fn is_usual(server: &Server, address: IpAddr) -> bool {
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
    fn what_a_tenant_names_leads_to_what_is_public_or_allowed() {
        let policy = AddressPolicy::public_and(["10.7.0.0/16"]).unwrap();
        for (host, address, admitted) in [
            ("ldap.example.org", "1.1.1.1", true),
            ("ldap.example.org", "2606:4700::1111", true),
            ("ldap.example.org", "10.7.1.1", true),
            ("ldap.example.org", "10.8.1.1", false),
            ("10.8.1.1", "10.8.1.1", false),
            ("127.0.0.1", "127.0.0.1", false),
            ("localhost", "::1", false),
            ("::ffff:127.0.0.1", "::ffff:127.0.0.1", false),
            ("169.254.169.254", "169.254.169.254", false),
            ("ldap.example.org", "100.64.0.1", false),
            ("ldap.example.org", "64:ff9b::a08:101", false),
            ("ldap.example.org", "2002:7f00:1::", false),
            ("ldap.example.org", "fd00::1", false),
            ("ldap.example.org", "5f00::1", false),
            ("ldap.example.org", "fec0::1", false),
            ("ldap.example.org", "fe80::1", false),
            ("ldap.example.org", "ff02::1", false),
            ("ldap.example.org", "100::1", false),
            ("ldap.example.org", "2001:db8::1", false),
        ] {
            assert_eq!(admits(&policy, host, address), admitted, "{host} {address}");
        }
        assert!(!admits(&AddressPolicy::public_and([]).unwrap(), "10.7.1.1", "10.7.1.1"));
    }

    #[test]
    fn what_a_tenant_names_does_not_lead_back_to_this_machine() {
        let (public, other): (IpAddr, IpAddr) = ("1.1.1.1".parse().unwrap(), "1.0.0.1".parse().unwrap());
        let policy = AddressPolicy::public_and([]).unwrap();
        assert!(policy.admits_pair(other, public) && !policy.admits_pair(public, public));
        assert!(
            AddressPolicy::public_and(["1.1.1.1"])
                .unwrap()
                .admits_pair(public, public)
        );
        assert!(AddressPolicy::default().admits_pair(public, public));
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
