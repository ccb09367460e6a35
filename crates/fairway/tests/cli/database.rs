//! The PostgreSQL server of the ledger's own tests, for tests that start programs.

#[path = "../../../ledger-postgres/tests/it/server.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod server;

use server::Server;
use tokio::runtime::Builder;

/// A server that tests share; each uses schemas of its own.
pub struct Database(&'static Server);

impl Database {
    /// The server.
    pub fn shared() -> Self {
        Self(Server::shared())
    }

    /// The address of a ledger in a schema.
    pub fn url(&self, schema: &str) -> String {
        self.0.url(schema)
    }

    /// Does something behind the back of a ledger.
    pub fn change(&self, schema: &str, sql: &str) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(self.0.ask(&format!("SET search_path = {schema}; {sql}")));
    }
}
