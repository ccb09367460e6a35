//! Where a ledger is: the URL of a database, and the schema in it. Also for those who keep other things
//! in a schema of their own. Keeps the password to itself.

use crate::{
    database::{Database, without_options},
    tls::Tls,
};
use std::{fmt, str::FromStr};
use tokio_postgres::{Config, config::Host};

/// Longest name of a schema in bytes, so that names that are made of it are names too.
const SCHEMA_MAX: usize = 40;
const SCHEMA_DEFAULT: &str = "fairway";

/// Why a text is not the address of a database or of a schema in it. Says nothing of a password.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It does not begin with `postgres://`, or is too long.
    #[error("an address of PostgreSQL begins with `postgres://`")]
    NotPostgres,
    /// It names no database.
    #[error(
        "an address of PostgreSQL ends with the name of a database, as in `postgres://host/database`"
    )]
    NoDatabase,
    /// The schema has a name that is not plain.
    #[error("`{0}` cannot be the name of a schema here; use up to {SCHEMA_MAX} of `a-z0-9_`")]
    Schema(String),
    /// TLS is asked for in a way that is not known.
    #[error("`sslmode` is `disable`, `require` or `verify-full`, not `{0}`")]
    Mode(String),
    /// The certificates of authorities cannot be read.
    #[error("certificates of authorities cannot be read from `{path}`")]
    Authorities {
        /// The file.
        path: String,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// PostgreSQL's own part of the address is wrong.
    #[error("the address is not one of PostgreSQL")]
    Config(#[source] tokio_postgres::Error),
}

/// A schema of a database, and how it is reached.
pub struct Address {
    pub(crate) config: Config,
    pub(crate) tls: Tls,
    /// A plain name, which needs no quotes.
    pub(crate) schema: String,
    place: String,
}

impl Address {
    /// The address of a database, with the option `schema` of Fairway's own if it is another one.
    pub fn of(url: &str, default_schema: &str) -> Result<Self, AddressError> {
        let mut schema = None;
        let url = without_options(url, |name, value| {
            let is_schema = name == "schema";
            if is_schema {
                schema = Some(value.to_owned());
            }
            is_schema
        });
        let Database { config, tls } = url.parse()?;
        let schema = schema.unwrap_or_else(|| default_schema.to_owned());
        if !is_plain(&schema) {
            return Err(AddressError::Schema(schema.chars().take(SCHEMA_MAX).collect()));
        }
        let place = place(&config, &schema, default_schema);
        Ok(Self { config, tls, schema, place })
    }

    /// The address without secrets.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The name of the schema: plain, so that it needs no quotes.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The database.
    pub fn database(&self) -> Database {
        Database { config: self.config.clone(), tls: self.tls.clone() }
    }

    /// Names the channel on which commits are told.
    pub(crate) fn events_channel(&self) -> String {
        format!("{}_events", self.schema)
    }

    /// Names the channel on which the lease is asked for and given back.
    pub(crate) fn appender_channel(&self) -> String {
        format!("{}_appender", self.schema)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.place).finish()
    }
}

impl FromStr for Address {
    type Err = AddressError;
    fn from_str(url: &str) -> Result<Self, AddressError> {
        Self::of(url, SCHEMA_DEFAULT)
    }
}

fn is_plain(schema: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    schema.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && schema.len() <= SCHEMA_MAX
        && !schema.starts_with("pg_")
        && schema.chars().all(is_allowed)
}

fn place(config: &Config, schema: &str, default_schema: &str) -> String {
    let ports = config.get_ports();
    let host = |(index, host): (usize, &Host)| {
        let host = match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string().replace('/', "%2F"),
        };
        match ports.get(index).or(ports.first()) {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    };
    let hosts: Vec<String> = config.get_hosts().iter().enumerate().map(host).collect();
    let database = config.get_dbname().unwrap_or_default();
    let schema = if schema == default_schema { String::new() } else { format!("?schema={schema}") };
    format!("postgres://{}/{database}{schema}", hosts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_place_has_no_password() {
        let url = "postgres://ann:s3cret@db.example:5433/shop?schema=orders&connect_timeout=2";
        let address: Address = url.parse().unwrap();
        assert_eq!(address.place(), "postgres://db.example:5433/shop?schema=orders");
        assert!(!format!("{address:?}").contains("s3cret"));
        let address: Address = "postgres://%2Frun%2Fpg/shop".parse().unwrap();
        assert_eq!(address.place(), "postgres://%2Frun%2Fpg:5432/shop");
        assert_eq!(address.place().parse::<Address>().unwrap().place(), address.place());
        assert_eq!(address.events_channel(), "fairway_events");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let bad = [
            "mysql://h/db",
            "postgres://h",
            "postgres:///db",
            "postgres://h/db?schema=A",
            "postgres://h/db?schema=a\";drop",
            "postgres://h/db?schema=pg_x",
            "postgres://h/db?sslmode=prefer",
            "postgres://h/db?sslmode=verify-full&sslrootcert=/no/such/file",
            "postgres://h/db?no_such=1",
            "postgres://h:port/db",
        ];
        for bad in bad {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_refused(text in "(postgres://)?\\PC{0,60}") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert!(is_plain(&address.schema));
            }
        }

        #[test]
        fn a_password_is_never_shown(password in "[a-zA-Z0-9]{12,20}") {
            let url = format!("postgres://u:{password}@h/db?schema=S");
            let error = url.parse::<Address>().unwrap_err();
            let shown = format!("{error:?} {error}");
            prop_assert!(!shown.contains(&password));
        }
    }
}
