//! A database of a server, and how it is reached: by the URL that PostgreSQL's own clients take, with
//! TLS as it says. Also for those who keep other things than a ledger there. Keeps the password to
//! itself.

use crate::{
    address::AddressError,
    tls::{self, Tls},
};
use std::{fmt, str::FromStr, time::Duration};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Connection, Error, NoTls, config::SslMode};

/// Longest URL in bytes.
const URL_MAX: usize = 4096;
/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// After how much silence the system asks the server whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// How often it then asks, and how many times in vain before the connection has ended.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(5);
const KEEPALIVES: u32 = 3;
/// How long what was sent may stay without an answer of the other system.
const UNHEARD_MAX: Duration = Duration::from_secs(30);

/// A database, and how it is reached.
#[derive(Clone)]
pub struct Database {
    pub(crate) config: Config,
    pub(crate) tls: Tls,
}

impl Database {
    /// The database of a URL of which the options of TLS were taken out.
    fn of(url: &str, mode: &str, authorities: Option<&str>) -> Result<Self, AddressError> {
        let mut config: Config = url.parse().map_err(AddressError::Config)?;
        if config.get_dbname().is_none() || config.get_hosts().is_empty() {
            return Err(AddressError::NoDatabase);
        }
        let tls = tls::of(mode, authorities)?;
        config.ssl_mode(if tls.is_plain() { SslMode::Disable } else { SslMode::Require });
        if config.get_application_name().is_none() {
            config.application_name("fairway");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_MAX);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNHEARD_MAX);
        }
        config.keepalives_idle(KEEPALIVE);
        config.keepalives_interval(KEEPALIVE_EVERY).keepalives_retries(KEEPALIVES);
        Ok(Self { config, tls })
    }

    /// Connects. The task keeps the connection until the client is dropped or the server is gone,
    /// which whoever uses the client finds out.
    pub async fn connect(&self) -> Result<(Client, JoinHandle<()>), Error> {
        match &self.tls {
            Tls::Plain => Ok(keep(self.config.connect(NoTls).await?)),
            Tls::Encrypted(tls) => Ok(keep(self.config.connect(tls.clone()).await?)),
        }
    }
}

fn keep<S, T>((client, connection): (Client, Connection<S, T>)) -> (Client, JoinHandle<()>)
where
    Connection<S, T>: Future<Output = Result<(), Error>> + Send + 'static,
{
    (client, tokio::spawn(async move { connection.await.unwrap_or_default() }))
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("hosts", &self.config.get_hosts()).finish_non_exhaustive()
    }
}

impl FromStr for Database {
    type Err = AddressError;
    fn from_str(url: &str) -> Result<Self, AddressError> {
        let is_ours = ["postgres://", "postgresql://"].iter().any(|start| url.starts_with(start));
        if !is_ours || url.len() > URL_MAX {
            return Err(AddressError::NotPostgres);
        }
        let (mut mode, mut authorities) = (None, None);
        let url = without_options(url, |name, value| {
            let option = match name {
                "sslmode" => &mut mode,
                "sslrootcert" => &mut authorities,
                _ => return false,
            };
            *option = Some(value.replace("%2F", "/"));
            true
        });
        Self::of(&url, mode.as_deref().unwrap_or("disable"), authorities.as_deref())
    }
}

/// A URL without those options that somebody takes.
pub(crate) fn without_options(url: &str, mut take: impl FnMut(&str, &str) -> bool) -> String {
    let Some((base, query)) = url.rsplit_once('?') else { return url.to_owned() };
    let mut others = Vec::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !take(name, value) {
            others.push(pair);
        }
    }
    match others.as_slice() {
        [] => base.to_owned(),
        others => format!("{base}?{}", others.join("&")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn options_of_tls_are_read_and_the_others_are_left_to_postgres() {
        let url = "postgres://ann:s3cret@h/db?sslmode=require&connect_timeout=2";
        let database: Database = url.parse().unwrap();
        assert!(!database.tls.is_plain());
        assert!(!format!("{database:?}").contains("s3cret"));
        assert!("postgres://h/db".parse::<Database>().unwrap().tls.is_plain());
        for bad in ["postgres://h/db?schema=a", "postgres://h/db?sslmode=allow", "http://h/db"] {
            assert!(bad.parse::<Database>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_database_or_refused(text in "(postgres://)?\\PC{0,60}") {
            if let Ok(database) = text.parse::<Database>() {
                prop_assert!(database.config.get_dbname().is_some());
            }
        }
    }
}
