//! Which read models a ledger has: facts in its own streams, and what they amount to.

mod facts;
mod fold;
mod known;
mod model;
mod stream;

pub use facts::{Fact, FactError};
pub use fold::Registry;
pub(crate) use known::Facts;
pub use model::{Ask, BuildId, Built, ModelState};
pub(crate) use stream::{facts_filter, model_of, stream_of};
