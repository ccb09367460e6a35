//! The data plane of one environment's gateway: HTTP/1.1 from users to the ready backends of
//! services. It knows routes, services and addresses; it knows nothing of engines, and reaches
//! backends through a [`Connector`].
//!
//! Everything a request waits for (its client, its backend, its deadline) is polled by the one task
//! of the client's connection. No task, timer or boxed body is made per request.
//!
//! Paths are matched by decoded segments and refused where gateway and backend could read them
//! differently; see [`PathPrefix`]. Which failed requests are sent again is in [`Limits::attempts`].
//!
//! ```
//! use fairway_gateway::{Backend, Gateway, Route, Settings, Table};
//! use std::{collections::BTreeMap, sync::Arc};
//! use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::{TcpListener, TcpStream}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let route = Route {
//!     host: None,
//!     path: "/orders".parse()?,
//!     service: "orders".parse()?,
//!     strip_prefix: false,
//!     timeout: None,
//! };
//! let ready: Vec<Backend> = vec![];
//! let table = Table::new(vec![route], BTreeMap::from([("orders".parse()?, ready)]))?;
//!
//! let gateway = Gateway::new(Settings::default());
//! gateway.set_table(Arc::new(table));
//!
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! let user = async {
//!     let mut connection = TcpStream::connect(address).await?;
//!     connection.write_all(b"GET /orders/1 HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n").await?;
//!     let mut response = String::new();
//!     connection.read_to_string(&mut response).await?;
//!     assert!(response.starts_with("HTTP/1.1 503 Service Unavailable"));
//!     Ok::<_, std::io::Error>(())
//! };
//! let (stop, stopped) = tokio::sync::oneshot::channel();
//! let serving = gateway.serve(listener, async { stopped.await.unwrap_or(()) });
//! let (outcome, _) = tokio::join!(async { let o = user.await; drop(stop); o }, serving);
//! outcome?;
//! # Ok(())
//! # }
//! ```

#![cfg_attr(
    test,
    allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them when it updates")
)]

mod access;
mod answer;
mod balance;
mod chance;
mod client;
mod client_io;
mod connection;
mod connector;
mod drain;
mod exchange;
mod forward;
mod forwarding;
mod framing;
mod gateway;
mod host;
mod live;
mod path;
mod plan;
mod pool;
mod problem;
mod progress;
mod retry;
mod router;
mod settings;
mod socket;
mod table;
mod tunnel;
mod upload;
mod upstream;
mod worker;

pub use access::{AccessLog, AccessRecord, AccessRecords, Clock, Ending};
pub use connector::{Connector, TcpConnector};
pub use drain::Drain;
pub use gateway::{Gateway, Stopped};
pub use host::{HOST_MAX, HostError, HostPattern};
pub use path::{PREFIX_MAX, PathError, PathPrefix};
pub use settings::{HEADERS_MAX, Limits, Scheme, Settings, Timeouts, Trust};
pub use table::{Backend, Route, Table, TableError};
