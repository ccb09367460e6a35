//! The command line, run as a user runs it: the built program, a fleet in a git repository, real
//! containers. Needs root and `/bin/busybox` (Debian's `busybox-static`).

#![allow(clippy::unwrap_used, reason = "a failed expectation fails the test")]

mod build;
#[path = "../../../api/tests/it/certificate.rs"]
mod certificate;
mod check;
mod completions;
mod console;
mod database;
mod down;
mod events;
mod eventsourcing;
mod exec;
mod facts;
mod faults;
mod faults_fleet;
mod faults_machine;
mod fleet;
mod forget;
mod help;
mod images;
mod init;
mod kills;
mod ledger;
mod ledger_clients;
mod ledger_content;
mod ledger_copy;
mod ledger_missing;
mod ledger_postgres;
mod ledger_read_only;
mod ledger_serve;
mod logs;
mod orders_cqrs;
mod outcome;
#[path = "../../../kurrent/tests/it/packages.rs"]
mod packages;
mod pages;
mod pair;
mod personal_data;
mod places;
mod promote;
mod promote_at_once;
mod read_models;
mod reference;
mod releases;
mod remains;
mod rollback;
mod rolling;
mod run;
mod runs;
mod secret;
mod seed;
mod served;
mod status;
mod terminal;
mod web;
mod world;
