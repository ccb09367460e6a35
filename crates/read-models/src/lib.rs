//! Read models: tables that follow a ledger.
