//! `cargo xtask demo`: takes examples/shop from commit to production with the commands a user would
//! type.

mod http;
mod play;
mod stage;
mod summary;

pub use play::run;
pub use stage::Afterwards;
