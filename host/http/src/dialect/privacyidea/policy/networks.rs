//! Lists of addresses in policies.

use std::net::IpAddr;

use ipnet::IpNet;

use super::PolicyError;

/// A list such as `10.0.0.0/8, !10.0.0.1`. Empty, it fits everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Networks {
    written: Vec<String>,
    wanted: Vec<IpNet>,
    excluded: Vec<IpNet>,
}

impl Networks {
    /// Reads a list.
    ///
    /// # Errors
    /// [`PolicyError::Invalid`].
    pub(crate) fn parse(written: Vec<String>) -> Result<Self, PolicyError> {
        let mut networks = Self::default();
        for text in &written {
            let (list, bare) = match text.strip_prefix(['-', '!']) {
                Some(bare) => (&mut networks.excluded, bare),
                None => (&mut networks.wanted, text.as_str()),
            };
            let network = bare
                .trim()
                .parse()
                .or_else(|_| bare.trim().parse::<IpAddr>().map(IpNet::from));
            list.push(network.map_err(|_| PolicyError::Invalid(format!("`client`: `{text}` is no network")))?);
        }
        if networks.wanted.is_empty() && !networks.excluded.is_empty() {
            return Err(PolicyError::Invalid(
                "`client` only excludes, so it fits nothing: write `0.0.0.0/0, ::/0` before what it excludes"
                    .to_owned(),
            ));
        }
        networks.written = written;
        Ok(networks)
    }

    /// As it was written.
    pub(crate) fn written(&self) -> &[String] {
        &self.written
    }

    /// Whether the list is empty, or this address is on it and not excluded. An unknown address is on no list.
    pub(crate) fn fits(&self, client: Option<IpAddr>) -> bool {
        if self.written.is_empty() {
            return true;
        }
        let Some(client) = client.map(|client| client.to_canonical()) else {
            return false;
        };
        let within = |list: &[IpNet]| list.iter().any(|network| network.contains(&client));
        within(&self.wanted) && !within(&self.excluded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(list: &[&str]) -> Result<Networks, PolicyError> {
        Networks::parse(list.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn a_list_fits_the_addresses_in_it() {
        let table = [
            (&[][..], "192.0.2.1", true),
            (&["192.0.2.1"], "192.0.2.1", true),
            (&["192.0.2.1"], "::ffff:192.0.2.1", true),
            (&["192.0.2.1/24"], "192.0.2.77", true),
            (&["10.0.0.0/8", "-10.0.0.1"], "10.0.0.2", true),
            (&["10.0.0.0/8", "-10.0.0.1"], "10.0.0.1", false),
            (&["10.0.0.0/8", "! 10.1.0.0/16"], "10.1.2.3", false),
            (&["2001:db8::/32"], "2001:db8::7", true),
            (&["2001:db8::/32"], "192.0.2.1", false),
        ];
        for (list, client, fits) in table {
            let networks = networks(list).expect("a list");
            assert_eq!(
                networks.fits(Some(client.parse().expect("an address"))),
                fits,
                "{list:?} {client}"
            );
        }
        assert!(!networks(&["0.0.0.0/0", "::/0"]).expect("a list").fits(None));
    }

    #[test]
    fn what_can_never_fit_is_no_list() {
        let refused = |text: &str| networks(&[text]).expect_err("no list").to_string();
        insta::assert_snapshot!(refused("10.0.0.0/33"), @"`client`: `10.0.0.0/33` is no network");
        insta::assert_snapshot!(refused("example.org"), @"`client`: `example.org` is no network");
        insta::assert_snapshot!(refused("!10.0.0.1"), @"`client` only excludes, so it fits nothing: write `0.0.0.0/0, ::/0` before what it excludes");
    }
}
