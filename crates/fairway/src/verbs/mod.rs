//! One file per verb: its arguments and what it does.

pub mod build;
pub mod check;
pub mod completions;
pub mod down;
pub mod events;
pub mod exec;
pub mod images;
pub mod init;
pub mod keeper;
pub mod ledger;
pub mod logs;
pub mod man;
pub mod promote;
pub mod read_models;
pub mod releases;
pub mod rollback;
pub mod run;
pub mod runs;
pub mod secret;
pub mod status;
