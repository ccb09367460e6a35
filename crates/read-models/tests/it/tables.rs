//! Where tests keep tables: in files, or in a database of a real PostgreSQL.

use crate::{
    place::{Place, declaration},
    server::Server,
};
use fairway_read_models::{Declaration, Places};

/// The schemas of builds of the read model that tests declare.
const SCHEMAS: &str =
    "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'orders%'";

/// Where a test keeps tables.
pub(crate) enum Tables {
    Sqlite,
    /// With the address of a database.
    Postgres(String),
}

impl Tables {
    /// In a database of the test's own.
    pub(crate) async fn in_postgres(server: &Server, name: &str) -> Self {
        server.ask(&format!("CREATE DATABASE {name}")).await;
        let url = server.url("x");
        Self::Postgres(format!("{}/{name}", url.rsplit_once('/').unwrap().0))
    }

    /// The places of a machine: it shares nothing but a database with others.
    pub(crate) fn places(&self, place: &Place) -> Places {
        let secrets = match self {
            Self::Sqlite => [].into(),
            Self::Postgres(address) => [("database".parse().unwrap(), address.clone())].into(),
        };
        Places { dir: place.dir(), secrets }
    }

    /// A declaration that does not say where its tables are, with that.
    pub(crate) fn declaration(&self, text: &str, version: u64) -> Declaration {
        let into = match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "{ postgres: \"${secret:database}\" }",
        };
        declaration(&text.replace("version: 1", &format!("version: {version}\ninto: {into}")))
    }

    /// How many builds there are.
    pub(crate) async fn builds(&self, place: &Place) -> usize {
        match self {
            Self::Sqlite => {
                let files = std::fs::read_dir(place.dir()).unwrap();
                let files = files.map(|file| file.unwrap().file_name());
                files.filter(|file| file.to_string_lossy().ends_with(".db")).count()
            }
            Self::Postgres(address) => {
                let (client, connection) =
                    tokio_postgres::connect(address, tokio_postgres::NoTls).await.unwrap();
                let connection = tokio::spawn(connection);
                let schemas = client.query(SCHEMAS, &[]).await.unwrap();
                connection.abort();
                schemas.len()
            }
        }
    }
}
