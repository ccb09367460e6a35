//! What those may do who call by gRPC: the same as by HTTP.

use fairway_api::{Access, Right, Tokens};
use fairway_kurrent::{Act, On, Refused, Rights};
use fairway_ledger::Clock;
use http::HeaderValue;
use std::sync::Arc;
use tokio::sync::watch;

/// Callers with tokens.
#[derive(Debug)]
pub struct Callers {
    tokens: watch::Receiver<Arc<Tokens>>,
    clock: Clock,
}

impl Callers {
    /// Those who have one of these tokens, which may change.
    pub fn new(tokens: watch::Receiver<Arc<Tokens>>, clock: Clock) -> Self {
        Self { tokens, clock }
    }
}

impl Rights for Callers {
    fn check(
        &self,
        authorization: Option<&HeaderValue>,
        act: Act,
        on: On<'_>,
    ) -> Result<(), Refused> {
        let tokens = self.tokens.borrow().clone();
        let access: Access =
            tokens.access(authorization, self.clock.now()).ok_or(Refused::Unknown)?;
        let right = match act {
            Act::Read => Right::Read,
            Act::Append => Right::Append,
            Act::Manage => Right::Manage,
        };
        let may = match on {
            On::Stream(stream) => access.may(right, stream),
            On::All => access.may_all(right),
        };
        if may { Ok(()) } else { Err(Refused::Forbidden) }
    }
}
