//! Follows a ledger: one driver per ledger starts a build for everything that is wanted, and lets a
//! new one take the place of an old one.

mod build;
mod claim;
mod driver;
mod feed;
mod follow;
mod lock;
mod progress;
mod running;
mod verdict;
mod watch;

pub(crate) use claim::is_shared;
pub(crate) use driver::{BuildKey, Driver, Setting};
pub use follow::{Followed, follow};
pub use progress::{Progress, State};
pub(crate) use verdict::why_withheld;
pub(crate) use watch::Failing;
pub use watch::Remark;
