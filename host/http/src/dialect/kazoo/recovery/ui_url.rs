//! Where a link may lead. A link that lets somebody in must go nowhere but to the pages of the operator's own clients.

use url::Url;
use url::form_urlencoded::Serializer;

/// The URL as a link may have it: without what stood in the place of the id. `None` for one that leads elsewhere than these allow: each is an origin, and
/// what the path begins with, up to a `/`.
pub(super) fn allowed(urls: &[String], text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let may = is_plain(&url)
        && urls
            .iter()
            .filter_map(|known| Url::parse(known).ok())
            .any(|known| leads_below(&known, &url));
    may.then(|| without_id(url).into())
}

/// Whether it is a page's, and names nobody: what stands before an `@` is there to deceive.
fn is_plain(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
}

fn leads_below(known: &Url, url: &Url) -> bool {
    let base = known.path().trim_end_matches('/');
    // Dots and their encodings are gone from a path that was parsed; backslashes are slashes.
    let below = url.path().strip_prefix(base);
    is_plain(known)
        && known.origin() == url.origin()
        && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Clients send the address of the page that they show, which may have come by an older link.
fn without_id(mut url: Url) -> Url {
    if url.query_pairs().any(|(name, _)| name == "recovery") {
        let others: Vec<_> = url
            .query_pairs()
            .filter(|(name, _)| name != "recovery")
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let query = Serializer::new(String::new()).extend_pairs(others).finish();
        url.set_query(Some(&query).filter(|query| !query.is_empty()).map(String::as_str));
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed_by(known: &str, text: &str) -> Option<String> {
        allowed(&[known.to_owned()], text)
    }

    #[test]
    fn the_origin_must_be_the_same_and_the_path_below() {
        const UI: &str = "https://ui.example.org/app/";
        for good in [
            UI,
            "https://ui.example.org/app",
            "https://ui.example.org/app/?a=b",
            "https://ui.example.org/app/x/y#/apps",
            "https://ui.example.org:443/app/",
            "https://UI.example.org/other/../app/",
        ] {
            assert!(allowed_by(UI, good).is_some(), "{good}");
        }
        for bad in [
            "https://ui.example.org/",
            "https://ui.example.org/apple",
            "https://ui.example.org/app/../other",
            "https://ui.example.org/app/%2e%2e/other",
            r"https://ui.example.org/app\..\other",
            "https://ui.example.org:8443/app/",
            "http://ui.example.org/app/",
            "https://ui.example.org.evil.org/app/",
            "https://evil.org/https://ui.example.org/app/",
            "https://ui.example.org@evil.org/app/",
            "https://user@ui.example.org/app/",
            "https://user:x@ui.example.org/app/",
            "//ui.example.org/app/",
            "javascript:alert(1)",
            "data:text/html,https://ui.example.org/app/",
            "",
        ] {
            assert_eq!(allowed_by(UI, bad), None, "{bad}");
        }
        assert_eq!(allowed(&[], UI), None);
    }

    #[test]
    fn an_origin_alone_allows_all_its_pages() {
        let known = "http://localhost:3000";
        assert!(allowed_by(known, "http://localhost:3000/").is_some());
        assert!(allowed_by(known, "http://localhost:3000/any/page.html").is_some());
        assert_eq!(allowed_by(known, "http://localhost:30001/"), None);
        assert_eq!(allowed_by("not a url", "http://localhost:3000/"), None);
        assert_eq!(allowed_by("file:///app/", "file:///app/"), None);
    }

    #[test]
    fn an_older_id_is_taken_away() {
        let known = "https://ui.example.org";
        let url = |text| allowed_by(known, text).expect("allowed");
        assert_eq!(
            url("https://ui.example.org/?recovery=1f&a=b#x"),
            "https://ui.example.org/?a=b#x"
        );
        assert_eq!(url("https://ui.example.org/?recovery=1f"), "https://ui.example.org/");
        assert_eq!(url("https://ui.example.org/?a=%20b"), "https://ui.example.org/?a=%20b");
    }
}
