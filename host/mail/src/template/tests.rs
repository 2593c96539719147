//! Which templates are used, and which are not accepted.

use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn refusal(files: &[(&str, &str)]) -> (String, Option<usize>, String) {
    let folder = folder(files);
    let error = Templates::load(folder.path()).expect_err("it is wrong");
    let name = error.file.file_name().expect("a name").to_string_lossy().into_owned();
    (name, error.line, error.problem)
}

#[test]
fn the_built_in_templates_can_be_filled() {
    let templates = Templates::built_in().expect("they can");
    for page in [
        Page::EmailConfirmed {
            address: "a@example.org",
        },
        Page::PasswordForm {
            login: "alice",
            problem: None,
        },
        Page::PasswordSet,
        Page::LinkExpired,
    ] {
        let html = templates.render(&page).expect("filled");
        assert!(html.starts_with("<!doctype html>"), "{html}");
        assert!(html.trim_end().ends_with("</html>"), "{html}");
    }
}

#[test]
fn a_page_escapes_what_it_is_filled_with() {
    let templates = Templates::built_in().expect("they can");
    let html = templates
        .render(&Page::PasswordForm {
            login: "<script>alert('x')</script>",
            problem: Some("a & b"),
        })
        .expect("filled");
    assert!(!html.contains("<script>"), "{html}");
    assert!(html.contains("&lt;script&gt;"), "{html}");
    assert!(html.contains("a &amp; b"), "{html}");
}

#[test]
fn a_file_in_the_folder_stands_in_the_place_of_the_built_in_one() {
    let folder = folder(&[
        ("page_password_set.html", "{% include '_head.html' %} own page"),
        ("_head.html", "<b>head</b>"),
        ("README.md", "not looked at"),
    ]);
    let templates = Templates::load(folder.path()).expect("they can be used");
    assert_eq!(
        templates.render(&Page::PasswordSet).expect("filled"),
        "<b>head</b> own page"
    );
    let html = templates.render(&Page::LinkExpired).expect("the built-in one");
    assert!(html.contains("another one"), "{html}");
}

#[test]
fn a_template_that_cannot_be_used_is_named_with_its_line() {
    let (file, line, problem) = refusal(&[("password_reset.txt", "one\n{% if %}")]);
    assert_eq!((file.as_str(), line), ("password_reset.txt", Some(2)));
    assert!(problem.contains("syntax error"), "{problem}");
    // A variable that does not exist, in a branch that only some values reach.
    let (file, line, problem) = refusal(&[(
        "email_confirmation.html",
        "{{ link }}\n{% if not firstname %}\n{{ nickname }}\n{% endif %}",
    )]);
    assert_eq!((file.as_str(), line), ("email_confirmation.html", Some(3)));
    assert!(problem.contains("undefined"), "{problem}");
    let (file, line, _) = refusal(&[
        ("password_reset.html", "{% include '_foot.html' %}"),
        ("_foot.html", "\n\n{{ no_such_thing }}"),
    ]);
    assert_eq!((file.as_str(), line), ("_foot.html", Some(3)));
}

#[test]
fn a_file_that_nothing_uses_is_not_ignored_in_silence() {
    let (file, line, problem) = refusal(&[("password-reset.txt", "a slip of the pen")]);
    assert_eq!((file.as_str(), line), ("password-reset.txt", None));
    assert!(problem.contains("password_reset.txt"), "{problem}");
    let missing = Templates::load(Path::new("/no/such/folder")).expect_err("it is not there");
    assert!(missing.problem.contains("/no/such/folder"), "{missing}");
}
