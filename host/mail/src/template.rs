//! The templates: built in, or the operator's in their place. A template that cannot be used is found when they are loaded, not when the first
//! mail is due.

mod built_in;
mod sample;

use std::path::{Path, PathBuf};

use keyway_core::port::{Page, PageError, Pages};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

use built_in::BUILT_IN;

/// What a template is called whose only use is to be included by others.
const PARTIAL: char = '_';

/// Templates, ready to be filled. Two are equal if the same files were read for them.
#[derive(Debug, Clone)]
pub struct Templates {
    environment: Environment<'static>,
    files: Vec<(PathBuf, String)>,
}

impl PartialEq for Templates {
    fn eq(&self, other: &Self) -> bool {
        self.files == other.files
    }
}

impl Eq for Templates {}

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct TemplateError {
    /// The file, or the folder of them.
    pub file: PathBuf,
    /// The line, counted from 1, where that is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

impl Templates {
    /// Those that are built in.
    ///
    /// # Errors
    /// Never, as a test makes sure.
    pub fn built_in() -> Result<Self, TemplateError> {
        let mut environment = environment();
        for (name, text) in BUILT_IN {
            add(&mut environment, name, text, Path::new("built-in"))?;
        }
        check(&environment, Path::new("built-in"))?;
        Ok(Self {
            environment,
            files: Vec::new(),
        })
    }

    /// The same, with each that is in the folder in the place of the built-in one of its name. What begins with `_` is for others to include.
    ///
    /// # Errors
    /// [`TemplateError`], also for a file of a name that nothing uses: it would be ignored in silence.
    pub fn load(folder: &Path) -> Result<Self, TemplateError> {
        let mut environment = environment();
        for (name, text) in BUILT_IN {
            add(&mut environment, name, text, folder)?;
        }
        let mut files = Vec::new();
        for file in files_of(folder)? {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !name.starts_with(PARTIAL) && BUILT_IN.iter().all(|(known, _)| *known != name) {
                let names: Vec<_> = BUILT_IN.iter().map(|(known, _)| *known).collect();
                let problem = format!("no template has this name; there are {}", names.join(", "));
                return Err(TemplateError {
                    line: None,
                    problem,
                    file,
                });
            }
            let text = std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
            add(&mut environment, name, &text, folder)?;
            files.push((file, text));
        }
        check(&environment, folder)?;
        Ok(Self { environment, files })
    }

    /// The files that were read.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(file, _)| file.as_path())
    }

    /// Fills a template.
    pub(crate) fn fill(&self, name: &str, values: Value) -> Result<String, String> {
        let filled = self
            .environment
            .get_template(name)
            .and_then(|known| known.render(values));
        filled.map_err(|error| problem(&error))
    }
}

impl Pages for Templates {
    fn render(&self, page: &Page<'_>) -> Result<String, PageError> {
        let (template, values) = match *page {
            Page::EmailConfirmed { address } => ("page_email_confirmed.html", context! { address }),
            Page::PasswordForm { login, problem } => {
                let problem = problem.unwrap_or_default();
                ("page_password_form.html", context! { login, problem })
            }
            Page::PasswordSet => ("page_password_set.html", context! {}),
            Page::LinkExpired => ("page_link_expired.html", context! {}),
        };
        self.fill(template, values)
            .map_err(|reason| PageError { template, reason })
    }
}

/// Fills each of them once, so that an unknown variable is found now.
fn check(environment: &Environment<'static>, folder: &Path) -> Result<(), TemplateError> {
    for (name, _) in BUILT_IN {
        for values in sample::values(name) {
            let filled = environment.get_template(name).and_then(|known| known.render(values));
            filled.map_err(|error| refused(&error, name, folder))?;
        }
    }
    Ok(())
}

/// Escapes what goes into HTML, and knows no variable that is not there.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| {
        let html = Path::new(name).extension().is_some_and(|extension| extension == "html");
        if html { AutoEscape::Html } else { AutoEscape::None }
    });
    environment
}

fn add(environment: &mut Environment<'static>, name: &str, text: &str, folder: &Path) -> Result<(), TemplateError> {
    let added = environment.add_template_owned(name.to_owned(), text.to_owned());
    added.map_err(|error| refused(&error, name, folder))
}

/// The `.txt` and `.html` files of a folder, in the order of their names.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, TemplateError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "txt" || extension == "html")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, error: &std::io::Error) -> TemplateError {
    TemplateError {
        file: path.to_owned(),
        line: None,
        problem: format!("cannot read `{}`: {error}", path.display()),
    }
}

/// `name` is where it was noticed, which need not be where it is.
fn refused(error: &minijinja::Error, name: &str, folder: &Path) -> TemplateError {
    let error = innermost(error);
    TemplateError {
        file: folder.join(error.name().unwrap_or(name)),
        line: error.line(),
        problem: problem(error),
    }
}

/// The error in the template that was included, where it is one.
fn innermost(mut error: &minijinja::Error) -> &minijinja::Error {
    while let Some(inner) = std::error::Error::source(error).and_then(|inner| inner.downcast_ref()) {
        error = inner;
    }
    error
}

/// What the library says, in one line and without the values that it was given: one of them is a link.
fn problem(error: &minijinja::Error) -> String {
    let kind = error.kind().to_string();
    match error.detail() {
        Some(detail) => format!("{kind}: {}", detail.replace('\n', " ")),
        None => kind,
    }
}

#[cfg(test)]
mod tests;
