//! The ledger in PostgreSQL.
