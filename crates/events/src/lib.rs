//! Groups of consumers that share the events of a ledger: each event goes to one of them, which
//! acknowledges it or says what is to become of it.
//!
//! Every event is handed out at least once and none is left out; events with the same key one after
//! another. What is decided about a group (that it exists, which events it parked) is in the ledger,
//! in a stream of its own; its progress is stored beside the events.
//!
//! ```no_run
//! use fairway_events::{GroupError, GroupId, Groups, Nack, Settings};
//! # fn mail(_: &fairway_ledger::Event) -> Result<(), std::io::Error> { Ok(()) }
//!
//! async fn consume(ledger: fairway_ledger::Ledger) -> Result<(), GroupError> {
//!     let groups = Groups::open(ledger);
//!     let id = GroupId::parse("$ce-order", "mails")?;
//!     groups.create(&id, Settings::default()).await?;
//!     let name = "mailer@host-7".parse().expect("a plain name");
//!     let mut consumer = groups.connect(&id, &name, 10).await?;
//!     loop {
//!         let delivery = consumer.next().await?;
//!         match mail(&delivery.event) {
//!             Ok(()) => consumer.ack([delivery.token()]).await?,
//!             Err(error) => {
//!                 consumer.nack([delivery.token()], Nack::Retry, &error.to_string()).await?;
//!             }
//!         }
//!     }
//! }
//! ```

mod connecting;
mod consumer;
mod consumer_name;
mod decide;
mod driver;
mod drivers;
mod error;
mod facts;
mod feed;
mod group_id;
mod groups;
mod info;
mod key;
mod lock;
mod look;
mod parking;
mod progress_row;
mod request;
mod settings;

pub use connecting::{TAKE_WAIT_MAX, Take};
pub use consumer::{Acks, Consumer, Delivery, Nack, Token};
pub use consumer_name::{CONSUMER_NAME_MAX, ConsumerName, ConsumerNameError};
pub use decide::{Counters, Mark};
pub use error::{Ended, GroupError};
pub use facts::{PARKED_MAX, Parked, REASON_MAX};
pub use group_id::{
    Category, GROUP_CATEGORY, GROUP_NAME_MAX, GroupId, GroupIdError, GroupName, Source,
};
pub use groups::Groups;
pub use info::{ConsumerInfo, GroupInfo, GroupSummary, Lag, Live, Way};
pub use settings::{
    AfterPark, BUFFER_MAX, Backoff, CONSUMERS_MAX, NOTES_BYTES_MAX, OrderBy, Save, Settings,
    SettingsError, Start, Strategy, WAIT_MAX,
};
