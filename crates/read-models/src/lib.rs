//! Read models: tables that follow a ledger.
//!
//! A read model is declared in a file: which events it takes in, what SQL each kind runs, and what
//! can be asked ([`Declaration`]). [`ReadModels`] declares, reads and mends the read models of a
//! ledger, and follows the ledger for them. What is declared, and which build is read, are facts in
//! the ledger; how far a build is, is stored in its target in the same transaction as its changes.
//!
//! This crate listens on nothing: who lets others ask over a network does that.

mod asking;
mod callback;
mod declaration;
mod drive;
mod error;
mod held;
mod intake;
mod moment;
mod notes;
mod open;
mod plan;
mod postgres;
mod projector;
mod read;
mod read_models;
mod reader;
mod registry;
mod settled;
mod sql;
mod sqlite;
mod status;
mod target;
mod value;

pub use declaration::Declaration;
pub use drive::{Followed, Progress, Remark, State, follow};
pub use error::ReadModelError;
pub use notes::Refused;
pub use open::Places;
pub use projector::{Projector, ProjectorError};
pub use read::{Answer, Consistency, Parameters, QUERY_TIME_MAX, Question, ROWS_MAX};
pub use read_models::{Applied, Following, ReadModels};
pub use registry::{Ask, BuildId, Built, Fact, FactError, ModelState, Registry};
pub use sql::{Dialect, Numbered, SqlFault, number_parameters};
pub use status::{Building, Status};
pub use target::{PARKED_MAX, Parked, ParkedOf, Standing, TRIES_MAX, TargetError};
