//! How long a server waits, mostly for its clients.

use std::time::Duration;

/// How long a server waits, mostly for its clients.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the first bytes of TLS, and for the head of a request after the one before it.
    pub head: Duration,
    /// For the next bytes of a body.
    pub pause: Duration,
    /// For a whole body.
    pub body: Duration,
    /// For a client to take what it is sent.
    pub write: Duration,
    /// For events that a live reader wants, until it is told that it is still connected.
    pub quiet: Duration,
    /// For requests to end when the server is about to.
    pub drain: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            pause: Duration::from_secs(10),
            body: Duration::from_mins(1),
            write: Duration::from_mins(1),
            quiet: Duration::from_secs(15),
            drain: Duration::from_secs(10),
        }
    }
}
