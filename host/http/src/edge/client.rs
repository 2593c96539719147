//! The client's address, proxies resolved.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The right-most hop that is no trusted proxy. `X-Forwarded-For` counts only as far as trusted proxies wrote it: whatever stands to the left
/// of the first untrusted hop was that hop's own claim.
pub(super) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let mut hop = peer.to_canonical();
    if trusted.is_empty() || !is_trusted(hop) {
        return hop;
    }
    let lines: Vec<_> = headers.get_all(X_FORWARDED_FOR).iter().collect();
    let claims = lines
        .iter()
        .rev()
        .flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
    for claim in claims {
        let Some(address) = parse(claim.trim()) else {
            return hop;
        };
        hop = address;
        if !is_trusted(hop) {
            return hop;
        }
    }
    hop
}

/// An address, with or without a port.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn of(peer: &str, lines: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "::1/128"].map(|net| net.parse().expect("a network"));
        let headers = lines
            .iter()
            .map(|line| (X_FORWARDED_FOR, HeaderValue::from_str(line).expect("legal")))
            .collect();
        client_address(peer.parse().expect("an address"), &headers, &trusted).to_string()
    }

    #[test]
    fn forwarded_for_counts_only_from_a_trusted_peer() {
        assert_eq!(of("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(of("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(of("::ffff:10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(of("::1", &[]), "::1");
    }

    #[test]
    fn forwarded_for_is_read_from_the_right_up_to_the_first_untrusted_hop() {
        assert_eq!(of("10.0.0.1", &["1.1.1.1, 198.51.100.7, 10.2.3.4"]), "198.51.100.7");
        assert_eq!(of("10.0.0.1", &["1.1.1.1", "198.51.100.7", "10.2.3.4"]), "198.51.100.7");
        assert_eq!(
            of("10.0.0.1", &["10.9.9.9,10.2.3.4"]),
            "10.9.9.9",
            "all trusted: the first"
        );
        assert_eq!(
            of("10.0.0.1", &["1.1.1.1, nonsense, 10.2.3.4"]),
            "10.2.3.4",
            "nothing is read beyond nonsense"
        );
        assert_eq!(of("10.0.0.1", &["198.51.100.7:1234"]), "198.51.100.7");
        assert_eq!(of("10.0.0.1", &["[2001:db8::7]:1234"]), "2001:db8::7");
    }
}
