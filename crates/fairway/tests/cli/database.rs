//! The PostgreSQL servers of the ledger's own tests, for tests that start programs.

#[path = "../../../ledger-postgres/tests/it/server.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod server;

use crate::ledger_content::runtime;
use server::Server;

/// A server, in which each test uses schemas of its own.
pub struct Database(&'static Server);

impl Database {
    /// The server that tests share.
    pub fn shared() -> Self {
        Self(Server::shared())
    }

    /// A server that may be restarted, because no other test has it.
    pub fn apart() -> Self {
        Self(Box::leak(Box::new(runtime().block_on(Server::start_apart()))))
    }

    /// Starts the server again; `immediate` is as good as a crash.
    pub fn restart(&self, mode: &str) {
        self.0.restart(mode);
    }

    /// The address of a ledger in a schema.
    pub fn url(&self, schema: &str) -> String {
        self.0.url(schema)
    }

    /// The first column of the first row of an answer.
    pub fn ask(&self, sql: &str) -> Option<String> {
        runtime().block_on(self.0.ask(sql))
    }

    /// Does something behind the back of a ledger.
    pub fn change(&self, schema: &str, sql: &str) {
        runtime().block_on(self.0.ask(&format!("SET search_path = {schema}; {sql}")));
    }
}
