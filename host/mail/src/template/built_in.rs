//! The built-in templates by their names.

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

pub(super) const BUILT_IN: [(&str, &str); 13] = built_in![
    "password_reset.subject.txt",
    "password_reset.txt",
    "password_reset.html",
    "email_confirmation.subject.txt",
    "email_confirmation.txt",
    "email_confirmation.html",
    "recovery.subject.txt",
    "recovery.txt",
    "recovery.html",
    "page_email_confirmed.html",
    "page_password_form.html",
    "page_password_set.html",
    "page_link_expired.html",
];
