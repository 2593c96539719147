//! Bodies, by what they say that they are. Everything is percent-decoded once.

use http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::multipart;
use super::params::{Params, ParamsError};

/// What a body is.
enum Content {
    Form,
    Json,
    /// In parts, as the header of this text says.
    Multipart(String),
    /// It does not say, or says no more than that it is text.
    Unsaid,
}

/// Adds what the query and the body say: of a name that both the query and a form have, the query's value counts, and JSON goes before both.
///
/// # Errors
/// [`ParamsError`].
pub(super) async fn read(query: &str, headers: &HeaderMap, body: &[u8]) -> Result<Params, ParamsError> {
    let mut params = Params::default();
    form(query.as_bytes(), &mut params)?;
    match content(headers) {
        Content::Form => form(body, &mut params)?,
        Content::Multipart(kind) => multipart::read(&kind, body, &mut params).await?,
        // Clients that always say JSON say so of no body, too.
        Content::Json => json(body, &mut params)?,
        Content::Unsaid => unsaid(body, &mut params)?,
    }
    Ok(params)
}

fn content(headers: &HeaderMap) -> Content {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/x-www-form-urlencoded" => Content::Form,
        "application/json" => Content::Json,
        other if other.starts_with("application/") && other.ends_with("+json") => Content::Json,
        "multipart/form-data" => Content::Multipart(kind.to_owned()),
        _ => Content::Unsaid,
    }
}

fn form(text: &[u8], params: &mut Params) -> Result<(), ParamsError> {
    for (name, value) in form_urlencoded::parse(text) {
        params.add(name.into_owned(), Value::String(value.into_owned()))?;
    }
    Ok(())
}

fn json(body: &[u8], params: &mut Params) -> Result<(), ParamsError> {
    if body.trim_ascii().is_empty() {
        return Ok(());
    }
    let value = keyway_core::json::parse(body).map_err(|_| ParamsError::NoJson)?;
    let Value::Object(fields) = value else {
        return Err(ParamsError::NoObject);
    };
    put_all(fields, params)
}

fn put_all(fields: Map<String, Value>, params: &mut Params) -> Result<(), ParamsError> {
    for (name, value) in fields {
        params.put(name, value)?;
    }
    Ok(())
}

/// JSON; or a parameter in each line, as the documentation of privacyIDEA shows requests; or a form.
fn unsaid(body: &[u8], params: &mut Params) -> Result<(), ParamsError> {
    let body = body.trim_ascii();
    if body.starts_with(b"{") || body.starts_with(b"[") {
        return json(body, params);
    }
    if !body.contains(&b'\n') {
        return form(body, params);
    }
    let text = std::str::from_utf8(body).map_err(|_| ParamsError::NoText)?;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let is_name = |name: &str| {
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
            !name.is_empty() && name.bytes().all(legal)
        };
        // A line that is none says nothing, as in a form.
        if let Some((name, value)) = line.split_once('=')
            && is_name(name.trim())
        {
            params.add(name.trim().to_owned(), Value::String(value.trim().to_owned()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use serde_json::json;

    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json";

    async fn of(query: &str, kind: &'static str, body: &[u8]) -> Result<Value, ParamsError> {
        let mut headers = HeaderMap::new();
        if !kind.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        let params = read(query, &headers, body).await?;
        let all = params.iter().map(|(name, value)| (name.to_owned(), value.clone()));
        Ok(Value::Object(all.collect()))
    }

    #[tokio::test]
    async fn body_is_read_by_its_type_and_json_without_one() {
        let both = json!({"username": "a b", "password": "x"});
        let multipart = "--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\na b\r\n--b\r\n\
            Content-Disposition: form-data; name=\"password\"\r\n\r\nx\r\n--b\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nno parameter\r\n--b--\r\n";
        for (query, kind, body) in [
            ("", FORM, "username=a+b&password=x"),
            (
                "",
                "Application/X-WWW-Form-URLencoded; charset=utf-8",
                "username=a%20b&password=x&password=y",
            ),
            ("username=a+b&password=x", "", ""),
            ("username=a+b&password=x", FORM, "password=y"),
            ("username=no", JSON, r#"{"username": "a b", "password": "x"}"#),
            (
                "",
                "application/vnd.api+json",
                r#"{"username": "a b", "password": "x"}"#,
            ),
            ("", "", r#" {"username": "a b", "password": "x"}"#),
            ("", "text/plain", r#"{"username": "a b", "password": "x"}"#),
            ("", "multipart/form-data; boundary=b", multipart),
            ("", "text/plain", "username=a b\npassword=x\n"),
            ("", "", "username=a b\r\n\r\npassword=x"),
            ("", "", "username=a%20b&password=x"),
        ] {
            assert_eq!(
                of(query, kind, body.as_bytes()).await,
                Ok(both.clone()),
                "{query} {kind} {body}"
            );
        }
    }

    #[tokio::test]
    async fn values_are_decoded_once() {
        for (kind, body) in [(FORM, "p=%2525"), (JSON, r#"{"p": "%25"}"#), ("", "a=1\np=%25")] {
            let told = of("", kind, body.as_bytes()).await.expect("parameters");
            assert_eq!(told["p"], "%25", "{kind} {body}");
        }
    }

    #[tokio::test]
    async fn json_may_be_empty_and_must_be_an_object() {
        assert_eq!(of("", JSON, b" ").await, Ok(json!({})));
        for body in ["{", "{'a': 1}", "nope", "{}{}", "\u{feff}{}", "{\"a\": NaN}"] {
            assert_eq!(of("", JSON, body.as_bytes()).await, Err(ParamsError::NoJson), "{body}");
        }
        for body in ["[]", "[1]", "\"s\"", "1", "true", "null"] {
            assert_eq!(
                of("", JSON, body.as_bytes()).await,
                Err(ParamsError::NoObject),
                "{body}"
            );
        }
        assert_eq!(of("", "", b"[1]").await, Err(ParamsError::NoObject));
        assert_eq!(of("", JSON, b"{\"a\": \"\xff\"}").await, Err(ParamsError::NoJson));
        assert_eq!(of("", "", b"a=\xff\nb=c").await, Err(ParamsError::NoText));
    }

    #[tokio::test]
    async fn parts_must_be_parts() {
        for (kind, body) in [
            ("multipart/form-data", "--b--"),
            ("multipart/form-data; boundary=b", "nope"),
            (
                "multipart/form-data; boundary=b",
                "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx",
            ),
        ] {
            assert_eq!(
                of("", kind, body.as_bytes()).await,
                Err(ParamsError::NoMultipart),
                "{kind} {body}"
            );
        }
    }

    #[tokio::test]
    async fn parameters_are_counted() {
        let most: Vec<_> = (0..1000).map(|n| format!("p{n}=1")).collect();
        assert!(of("", FORM, most.join("&").as_bytes()).await.is_ok());
        assert!(of("", FORM, "a=1&".repeat(5000).as_bytes()).await.is_ok());
        let more = format!("{}&p1000=1", most.join("&"));
        assert_eq!(of("", FORM, more.as_bytes()).await, Err(ParamsError::TooMany));
        let more: Value = (0..1001)
            .map(|n| (format!("p{n}"), json!(1)))
            .collect::<Map<_, _>>()
            .into();
        assert_eq!(
            of("", JSON, more.to_string().as_bytes()).await,
            Err(ParamsError::TooMany)
        );
    }
}
