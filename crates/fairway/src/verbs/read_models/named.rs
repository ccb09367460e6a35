//! The name of a read model as an argument.

use fairway_model::ReadModelName;

/// Which read model.
#[derive(clap::Args)]
pub struct NameArg {
    /// The read model
    #[arg(value_name = "READ MODEL")]
    pub name: ReadModelName,
}
