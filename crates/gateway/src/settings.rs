//! Limits and timeouts of a gateway. The defaults suit a gateway that faces the open network.

use std::time::Duration;

/// Headers a request or response may have; one more is answered with 431. It is what `hyper`
/// parses without allocating.
pub const HEADERS_MAX: usize = 100;

/// Everything about a gateway that is not its table.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How much of what.
    pub limits: Limits,
    /// How long what.
    pub timeouts: Timeouts,
    /// Whether clients are believed about who they forward for.
    pub trust: Trust,
    /// What clients speak to reach the listener.
    pub scheme: Scheme,
}

/// How much of what a gateway takes.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Client connections per listener; more wait in the listener's backlog.
    pub connections: usize,
    /// Bytes of a request's line and headers, from 1 to [`Limits::BUFFER`]; more is answered with 431.
    pub head_bytes: usize,
    /// Bytes of a request's body; more is answered with 413.
    pub body_bytes: Option<u64>,
    /// Idle connections kept per listener and backend.
    pub idle_per_backend: usize,
    /// Attempts at a request, with the first. Another attempt is made when no connection came about
    /// (at another backend), when no byte of the request was written, or when a kept connection ended
    /// before any byte of the response, the method is idempotent (RFC 9110, section 9.2.2) and nothing
    /// of the request's body had come. Other failures are answered with 502 or 504 at once.
    pub attempts: u32,
}

/// How long a gateway waits.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// For a client's request line and headers, from their first byte.
    pub head: Duration,
    /// For the next request on a client's connection.
    pub keep_alive: Duration,
    /// For a connection to a backend.
    pub connect: Duration,
    /// For the start of a response, once the request is sent; a route can have its own.
    pub response: Duration,
    /// For the next bytes of a body that is under way, in either direction.
    pub body: Duration,
    /// For the next use of a connection to a backend. Shorter than what servers commonly grant (5 s),
    /// so that the backend is seldom the first to close.
    pub pool: Duration,
    /// For a backend that did not accept a connection, before it is chosen beside others again.
    pub rest: Duration,
    /// For requests in flight when the gateway is told to stop.
    pub grace: Duration,
}

/// Whether `Forwarded` and `X-Forwarded-*` of a request are believed. A well-formed `X-Request-Id` is
/// passed on from anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// Clients are strangers: their forwarding headers are replaced.
    #[default]
    Strangers,
    /// Clients are proxies of ours: what they say is kept and added to.
    Proxies,
}

/// What clients speak to reach the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// Plain HTTP.
    #[default]
    Http,
    /// HTTP behind something that ends TLS.
    Https,
}

impl Limits {
    /// Bytes buffered per connection and direction.
    pub const BUFFER: usize = 64 * 1024;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            head_bytes: 32 * 1024,
            body_bytes: None,
            idle_per_backend: 128,
            attempts: 3,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            connect: Duration::from_secs(3),
            response: Duration::from_mins(1),
            body: Duration::from_mins(1),
            pool: Duration::from_secs(4),
            rest: Duration::from_secs(1),
            grace: Duration::from_secs(30),
        }
    }
}

impl Scheme {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}
