//! Groups of consumers that share the events of a ledger.
