//! New passwords by mail, from the request to the login.

use keyway_tests::TestHost;
use keyway_tests::smtp::{Mail, Mood, SmtpSink};
use keyway_tests::wazo::{Answer, send};
use reqwest::Method;
use serde_json::{Value, json};

use super::mail::{click, config, token_of};

const ALICE: &[&str] = &["--email", "alice@example.org"];

fn house(sink: &SmtpSink, more: &str) -> TestHost {
    TestHost::builder()
        .user_with("alice", "s3cre7", ALICE)
        .config(&config(sink, more))
        .start()
}

async fn ask(host: &TestHost, query: &str) -> Answer {
    let request = host
        .wazo()
        .request(Method::GET, &format!("/users/password/reset?{query}"));
    send(request).await
}

async fn submit(host: &TestHost, mail: &Mail, password: &str) -> Answer {
    let link = mail.link().replacen("http://keyway.test", &host.url(""), 1);
    let form = [("password", password)];
    send(reqwest::Client::new().post(link).form(&form)).await
}

#[tokio::test]
async fn a_link_leads_to_a_form_that_sets_the_password_once() {
    let mut sink = SmtpSink::start();
    let host = house(&sink, "");
    let wazo = host.wazo();
    let before = wazo.token("wazo_user", "alice", "s3cre7").await;
    let answer = ask(&host, "username=ALICE").await;
    assert_eq!((answer.status, answer.body), (204, Value::Null));
    let mail = sink.next().await;
    assert_eq!(
        (mail.from.as_str(), &mail.to[..]),
        ("noreply@example.org", &["alice@example.org".to_owned()][..])
    );
    assert_eq!(mail.header("From"), Some("Keyway <noreply@example.org>"));
    assert_eq!(mail.header("To"), Some("alice@example.org"));
    assert_eq!(mail.header("Subject"), Some("Set a new password"));
    // The host that a request names is a caller's word, and no part of a link.
    assert!(
        mail.link()
            .starts_with("http://keyway.test/0.1/users/password/reset/form?"),
        "{mail:?}"
    );
    assert!(mail.html.contains(&token_of(&mail)), "{mail:?}");
    let page = click(&host, &mail).await;
    assert_eq!(page.status, 200);
    assert!(
        page.body.as_str().expect("a page").contains("<form method=\"post\">"),
        "{page:?}"
    );
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    assert_eq!(wazo.check(&before, "").await, 204, "to look changes nothing");
    let done = submit(&host, &mail, "ch\u{e4}nged & safe").await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(wazo.check(&before, "").await, 404, "sessions end");
    assert_eq!(wazo.login("alice", "s3cre7", json!({})).await.status, 401);
    assert_eq!(wazo.login("alice", "ch\u{e4}nged & safe", json!({})).await.status, 200);
    let again = submit(&host, &mail, "again").await;
    assert_eq!(again.status, 401);
    assert!(
        again.body.as_str().expect("a page").contains("does not work any more"),
        "{again:?}"
    );
    assert_eq!(wazo.login("alice", "again", json!({})).await.status, 401);
    let log = host.log().text();
    assert!(
        !log.contains(&token_of(&mail)) && !log.contains("alice@example.org"),
        "{log}"
    );
}

#[tokio::test]
async fn a_client_sets_the_password_by_the_token_or_removes_it() {
    let mut sink = SmtpSink::start();
    let host = house(&sink, "");
    let wazo = host.wazo();
    assert_eq!(ask(&host, "email=alice@example.org").await.status, 204);
    let mail = sink.next().await;
    let (_, query) = mail.link().split_once('?').expect("a query");
    let path = format!("/users/password/reset?{query}");
    let set = send(wazo.request(Method::POST, &path).json(&json!({"password": "changed"}))).await;
    assert_eq!((set.status, set.body), (204, Value::Null));
    assert_eq!(wazo.login("alice", "changed", json!({})).await.status, 200);
    assert_eq!(ask(&host, "login=alice").await.status, 204);
    let mail = sink.next().await;
    let user = mail
        .link()
        .split("user_uuid=")
        .nth(1)
        .and_then(|rest| rest.split('&').next());
    let path = format!("/users/password/reset?user_uuid={}", user.expect("a user"));
    let removed = wazo
        .request(Method::POST, &path)
        .header("X-Auth-Token", token_of(&mail))
        .json(&json!({"password": null}));
    assert_eq!(send(removed).await.status, 204);
    assert_eq!(wazo.login("alice", "changed", json!({})).await.status, 401);
}

#[tokio::test]
async fn of_many_who_use_a_link_at_once_one_succeeds() {
    let mut sink = SmtpSink::start();
    let host = house(&sink, "");
    ask(&host, "username=alice").await;
    let mail = sink.next().await;
    let (_, query) = mail.link().split_once('?').expect("a query");
    let path = format!("/users/password/reset?{query}");
    let tries = (0..8).map(|number| {
        let request = host.wazo().request(Method::POST, &path);
        tokio::spawn(send(request.json(&json!({"password": format!("changed{number}")}))))
    });
    let mut statuses = Vec::new();
    for attempt in tries.collect::<Vec<_>>() {
        statuses.push(attempt.await.expect("an answer").status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 401, 401, 401, 401, 401, 401, 401]);
}

#[tokio::test]
async fn nobody_else_is_written_to_whatever_a_request_says() {
    let mut sink = SmtpSink::start();
    let host = house(&sink, "");
    for query in [
        "username=bob",
        "email=bob@example.org",
        "login=alice@example.com",
        "email=alice@example.org%0d%0aBcc:%20bob@example.org",
        "email=alice@example.org,bob@example.org",
        "username=alice%0d%0aRCPT%20TO:%3Cbob@example.org%3E",
        "username=%27%20OR%20%271%27=%271",
        "username=%00",
        "username=",
    ] {
        let answer = ask(&host, query).await;
        assert_eq!((answer.status, answer.body), (204, Value::Null), "{query}");
    }
    for query in ["", "username=alice&login=alice"] {
        let answer = ask(&host, query).await;
        assert_eq!(
            (answer.status, &answer.body["resource"]),
            (400, &json!("reset")),
            "{query}"
        );
    }
    // The one after all of them comes first.
    ask(&host, "username=alice").await;
    assert_eq!(sink.next().await.to, ["alice@example.org"]);
    assert!(sink.rest().is_empty());
}

#[tokio::test]
async fn a_mail_server_that_is_down_delays_the_mail_and_fails_no_request() {
    let mut sink = SmtpSink::start();
    sink.set_mood(Mood::Down);
    let host = house(&sink, "retry = { first = \"50ms\", longest = \"100ms\" }");
    let mark = host.log().mark();
    assert_eq!(ask(&host, "username=alice").await.status, 204);
    host.log()
        .wait_for_message(mark, "the mail server cannot be used; mails wait");
    sink.set_mood(Mood::Deferring);
    host.log().wait_for_message(mark, "a mail is refused for now");
    sink.set_mood(Mood::Up);
    assert_eq!(sink.next().await.to, ["alice@example.org"]);
    host.log().wait_for_message(mark, "mail sent");
    sink.set_mood(Mood::Refusing);
    assert_eq!(ask(&host, "username=alice").await.status, 204);
    host.log()
        .wait_for_message(mark, "a mail is refused for good and not sent");
    assert!(sink.rest().is_empty());
}

#[tokio::test]
async fn a_user_gets_no_more_mails_than_the_limit() {
    let mut sink = SmtpSink::start();
    let host = house(&sink, "limit = { burst = 2, interval = \"1d\" }");
    let mark = host.log().mark();
    for _ in 0..4 {
        assert_eq!(ask(&host, "username=alice").await.status, 204);
    }
    host.log()
        .wait_for_message(mark, "no mail is sent: this user or address had too many lately");
    for _ in 0..2 {
        assert_eq!(sink.next().await.to, ["alice@example.org"]);
    }
    assert!(sink.rest().is_empty());
}

#[tokio::test]
async fn mails_go_over_tls_to_a_server_that_wants_to_know_who_sends_them() {
    for implicit in [false, true] {
        let mut sink = if implicit {
            SmtpSink::start_with_tls("keyway", "mail s3cre7")
        } else {
            SmtpSink::start_with_starttls("keyway", "mail s3cre7")
        };
        let mode = if implicit { "implicit" } else { "starttls" };
        let more =
            format!("ca = \"ca.pem\"\nuser = \"keyway\"\npassword = {{ file = \"mail.pass\" }}\ntls = \"{mode}\"");
        let config = config(&sink, &more).replace("tls = \"none\"\n", "");
        let host = TestHost::builder()
            .user_with("alice", "s3cre7", ALICE)
            .file("ca.pem", sink.certificate().as_bytes())
            .file("mail.pass", b"mail s3cre7\n")
            .config(&config)
            .start();
        assert_eq!(ask(&host, "username=alice").await.status, 204);
        assert_eq!(sink.next().await.to, ["alice@example.org"], "{mode}");
        assert!(!host.log().text().contains("mail s3cre7"));
    }
}

#[tokio::test]
async fn an_operators_template_stands_in_the_place_of_the_built_in_one() {
    let mut sink = SmtpSink::start();
    let own = "Dear {{ username }} of {{ user_uuid }},\n{{ link }}\n{{ base_url }}/own?token={{ token }}\n";
    let host = TestHost::builder()
        .user_with("alice <b>", "s3cre7", ALICE)
        .file("templates/password_reset.txt", own.as_bytes())
        .file("templates/password_reset.subject.txt", b"For {{ username }}")
        .file("templates/password_reset.html", b"<p>{{ username }}</p>")
        .file("templates/page_password_form.html", b"<h1>Ours, {{ login }}</h1>")
        .config(&config(&sink, "templates = \"templates\""))
        .start();
    ask(&host, "email=alice@example.org").await;
    let mail = sink.next().await;
    assert!(mail.text.starts_with("Dear alice <b> of "), "{mail:?}");
    assert!(mail.text.contains("http://keyway.test/own?token="), "{mail:?}");
    assert_eq!(mail.header("Subject"), Some("For alice <b>"));
    assert_eq!(mail.html.trim(), "<p>alice &lt;b&gt;</p>");
    let page = click(&host, &mail).await;
    assert_eq!(page.body, json!("<h1>Ours, alice &lt;b&gt;</h1>"));
    std::fs::write(host.folder().join("templates/password_reset.txt"), "\n{{ nickname }}").expect("written");
    let checked = host.keyway(&["config", "check"]);
    assert_eq!(checked.status, 2, "{checked:?}");
    assert!(
        checked.stderr.contains("templates/password_reset.txt:2: "),
        "{checked:?}"
    );
}

#[tokio::test]
async fn without_a_mail_server_the_answer_is_the_same_and_the_log_says_so_once() {
    const MESSAGE: &str = "somebody asked for a mail, and none can be sent: the configuration has no `[mail]`";
    let host = TestHost::builder().user_with("alice", "s3cre7", ALICE).start();
    let mark = host.log().mark();
    for _ in 0..3 {
        assert_eq!(ask(&host, "username=alice").await.status, 204);
    }
    host.log().wait_for_message(mark, MESSAGE);
    assert_eq!(host.log().text().matches("somebody asked for a mail").count(), 1);
}
