//! One file per verb: its arguments and what it does.

pub mod check;
pub mod completions;
pub mod man;
pub mod run;
pub mod secret;
