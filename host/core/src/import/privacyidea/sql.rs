//! A resolver that asks a database: privacyIDEA has a table and columns, a realm backend has queries.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::resolver::grant_name;
use crate::port::PrivacyideaResolver;

/// How many users a list has where the resolver does not say.
const USUAL_LIMIT: u32 = 100;

/// A resolver that is ready to be used, and where its database was.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Translated {
    pub(super) resolver: Value,
    /// Without a password.
    pub(super) url: String,
    pub(super) has_password: bool,
}

/// The database's own way of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Postgres,
    MySql,
    Sqlite,
}

/// The resolver's queries, or why there are none.
pub(super) fn translate(resolver: &PrivacyideaResolver) -> Result<Translated, String> {
    let driver = resolver.text("Driver").unwrap_or_default();
    let dialect = Dialect::of(driver).ok_or_else(|| format!("databases of the driver `{driver}` cannot be asked"))?;
    let map: Map<String, Value> = resolver
        .text("Map")
        .and_then(|map| serde_json::from_str(map).ok())
        .ok_or("its map of columns cannot be read")?;
    let mut columns: Vec<(String, String)> = Vec::new();
    for (name, column) in map {
        let column = column.as_str().map(str::trim).unwrap_or_default();
        if !column.is_empty() {
            columns.push((name, column.to_owned()));
        }
    }
    let column = |name: &str| {
        let found = columns
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, column)| column.clone());
        found.ok_or_else(|| format!("its map of columns has no `{name}`"))
    };
    let (userid, username) = (column("userid")?, column("username")?);
    let hash = column("password").ok();
    // Nobody is told the hash under another name.
    columns.retain(|(name, column)| name == "password" || Some(column) != hash.as_ref());
    let table = dialect.table(resolver.text("Table").unwrap_or_default())?;
    let condition = condition(dialect, resolver.text("Where").unwrap_or_default())?;
    let mut selected: Vec<String> = Vec::new();
    for (_, column) in &columns {
        let column = dialect.quoted(column)?;
        if !selected.contains(&column) {
            selected.push(column);
        }
    }
    let select = format!("SELECT {} FROM {table} WHERE ", selected.join(", "));
    let (userid, username) = (dialect.quoted(&userid)?, dialect.quoted(&username)?);
    let (parameter, text) = (dialect.parameter(), dialect.text_type());
    let limit = resolver
        .text("Limit")
        .and_then(|limit| limit.trim().parse().ok())
        .unwrap_or(USUAL_LIMIT);
    let escape = if dialect == Dialect::MySql { r"'\\'" } else { r"'\'" };
    let map: Map<String, Value> = columns
        .into_iter()
        .map(|(name, column)| (name, Value::from(column)))
        .collect();
    Ok(Translated {
        resolver: json!({
            "type": "sql",
            "database": grant_name(&resolver.name),
            "query": format!("{select}{username} = {parameter}{condition}"),
            "find_query": format!("{select}CAST({userid} AS {text}) = {parameter}{condition}"),
            "list_query": format!("{select}{username} LIKE {parameter} ESCAPE {escape}{condition} ORDER BY {username} LIMIT {limit}"),
            "map": map,
        }),
        url: url(dialect, resolver),
        has_password: resolver.has_secret("Password"),
    })
}

impl Dialect {
    fn of(driver: &str) -> Option<Self> {
        let name = driver.split('+').next().unwrap_or_default().trim().to_lowercase();
        match name.as_str() {
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::MySql),
            "sqlite" => Some(Self::Sqlite),
            _ => None,
        }
    }

    fn parameter(self) -> &'static str {
        if self == Self::MySql { "?" } else { "$1" }
    }

    fn text_type(self) -> &'static str {
        if self == Self::MySql { "CHAR" } else { "TEXT" }
    }

    /// A name of the database's. It is quoted, so it may be a word of the language, but nothing else.
    fn quoted(self, name: &str) -> Result<String, String> {
        let is_good = |character: char| character.is_alphanumeric() || matches!(character, '_' | '$' | '-');
        if name.is_empty() || !name.chars().all(is_good) {
            return Err(format!(
                "`{name}` is no name of a table or column that can be brought in"
            ));
        }
        Ok(match self {
            Self::MySql => format!("`{name}`"),
            Self::Postgres | Self::Sqlite => format!("\"{name}\""),
        })
    }

    /// A table, with its schema before it or without.
    fn table(self, name: &str) -> Result<String, String> {
        let parts: Result<Vec<_>, _> = name.trim().split('.').map(|part| self.quoted(part)).collect();
        Ok(parts?.join("."))
    }
}

/// What else must be so, as it goes on behind another condition: `col == value and col like value`.
fn condition(dialect: Dialect, text: &str) -> Result<String, String> {
    let mut condition = String::new();
    for part in split_at_and(text) {
        let mut words = part.split_whitespace();
        let (Some(column), Some(operator)) = (words.next(), words.next()) else {
            return Err(format!("its condition `{part}` cannot be read"));
        };
        let value = words.collect::<Vec<_>>().join(" ");
        let operator = match operator.to_lowercase().as_str() {
            "==" | "=" => "=",
            ">" => ">",
            "<" => "<",
            "like" => "LIKE",
            _ => return Err(format!("its condition `{part}` cannot be read")),
        };
        let value = value.trim_matches(|quote| quote == '\'' || quote == '"');
        if value
            .chars()
            .any(|character| character == '\\' || character == '?' || character.is_control())
        {
            return Err(format!("its condition `{part}` cannot be written as a query"));
        }
        // Writing into a string cannot fail.
        let _ = write!(
            condition,
            " AND {} {operator} '{}'",
            dialect.quoted(column)?,
            value.replace('\'', "''")
        );
    }
    Ok(condition)
}

/// The parts between the words `and`, whatever their case.
fn split_at_and(text: &str) -> Vec<String> {
    let mut parts = vec![Vec::new()];
    for word in text.split_whitespace() {
        match parts.last_mut() {
            Some(part) if !word.eq_ignore_ascii_case("and") => part.push(word),
            _ => parts.push(Vec::new()),
        }
    }
    let parts = parts.into_iter().map(|words| words.join(" "));
    parts.filter(|part| !part.is_empty()).collect()
}

fn url(dialect: Dialect, resolver: &PrivacyideaResolver) -> String {
    let text = |key| resolver.text(key).unwrap_or_default().trim();
    let (server, database) = (text("Server"), text("Database"));
    if dialect == Dialect::Sqlite {
        return match (server.trim_end_matches('/'), server.is_empty()) {
            (_, true) => format!("sqlite:{database}"),
            (folder, false) => format!("sqlite:{folder}/{}", database.trim_start_matches('/')),
        };
    }
    let scheme = if dialect == Dialect::MySql { "mysql" } else { "postgres" };
    let encoded =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let user = match text("User") {
        "" => String::new(),
        user => format!("{}@", encoded(user)),
    };
    let port = match text("Port") {
        "" => String::new(),
        port => format!(":{port}"),
    };
    // What the driver of the other system makes of parameters is of no use here.
    let database = database.split('?').next().unwrap_or_default();
    format!("{scheme}://{user}{server}{port}/{database}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;
    use crate::port::PrivacyideaValue;

    fn resolver(settings: &[(&str, &str)]) -> PrivacyideaResolver {
        let text = |(key, value): &(&str, &str)| ((*key).to_owned(), PrivacyideaValue::Text((*value).to_owned()));
        PrivacyideaResolver {
            name: "hr".to_owned(),
            kind: "sqlresolver".to_owned(),
            settings: settings.iter().map(text).collect(),
        }
    }

    const MAP: &str = r#"{"userid":"id","username":"login","password":"pw","email":"mail","hash":"pw","phone":""}"#;

    #[test]
    fn a_table_becomes_queries() {
        let mut resolver = resolver(&[
            ("Driver", "postgresql+psycopg2"),
            ("Server", "db.example.org"),
            ("Port", "5433"),
            ("Database", "hr?sslmode=require"),
            ("User", "u@x"),
            ("Table", "staff.users"),
            ("Limit", "500"),
            ("Map", MAP),
            ("Where", "active == 1 AND tenant like O'Neil%"),
        ]);
        let password = PrivacyideaValue::Encrypted(Secret::new("aa:bb".to_owned()));
        resolver.settings.push(("Password".to_owned(), password));
        let translated = translate(&resolver).unwrap();
        assert_eq!(translated.url, "postgres://u%40x@db.example.org:5433/hr");
        assert!(translated.has_password);
        let select = r#"SELECT "id", "login", "pw", "mail" FROM "staff"."users" WHERE "#;
        let condition = r#" AND "active" = '1' AND "tenant" LIKE 'O''Neil%'"#;
        assert_eq!(
            translated.resolver,
            json!({
                "type": "sql",
                "database": "hr",
                "query": format!(r#"{select}"login" = $1{condition}"#),
                "find_query": format!(r#"{select}CAST("id" AS TEXT) = $1{condition}"#),
                "list_query": format!(r#"{select}"login" LIKE $1 ESCAPE '\'{condition} ORDER BY "login" LIMIT 500"#),
                "map": {"userid": "id", "username": "login", "password": "pw", "email": "mail"},
            })
        );
    }

    #[test]
    fn each_database_is_spoken_to_in_its_own_way() {
        let with = |driver, server| {
            [
                ("Driver", driver),
                ("Server", server),
                ("Database", "/var/hr.db"),
                ("Table", "u"),
                ("Map", MAP),
            ]
        };
        let sqlite = translate(&resolver(&with("sqlite", "/"))).unwrap();
        assert_eq!(sqlite.url, "sqlite:/var/hr.db");
        assert_eq!(
            translate(&resolver(&with("sqlite", ""))).unwrap().url,
            "sqlite:/var/hr.db"
        );
        let mysql = translate(&resolver(&with("mysql+pymysql", "h"))).unwrap();
        let query = mysql.resolver["list_query"].as_str().unwrap();
        assert_eq!(
            query,
            r"SELECT `id`, `login`, `pw`, `mail` FROM `u` WHERE `login` LIKE ? ESCAPE '\\' ORDER BY `login` LIMIT 100"
        );
    }

    #[test]
    fn what_cannot_be_asked_in_this_way_is_left_out() {
        let base = [("Driver", "sqlite"), ("Table", "u"), ("Map", MAP)];
        translate(&resolver(&base)).unwrap();
        for (key, value, said) in [
            ("Driver", "mssql+pyodbc", "driver"),
            ("Table", "u; DROP TABLE u", "no name"),
            ("Table", "", "no name"),
            ("Map", "{", "map"),
            ("Map", r#"{"userid":"id"}"#, "`username`"),
            ("Map", r#"{"userid":"id","username":"a\"b"}"#, "no name"),
            ("Where", "active", "condition"),
            ("Where", "a in b", "condition"),
            (r"Where", r"a == \'", "condition"),
            ("Where", "a;b == 1", "no name"),
        ] {
            let mut settings = base.to_vec();
            settings.retain(|(known, _)| *known != key);
            settings.push((key, value));
            let reason = translate(&resolver(&settings)).unwrap_err();
            assert!(reason.contains(said), "{key} {value}: {reason}");
        }
    }
}
