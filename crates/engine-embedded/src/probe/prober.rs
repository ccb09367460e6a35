//! Repeats attempts until one passes or the deadline has passed.

use super::attempt::attempt;
use crate::{embedded::Embedded, state::now};
use fairway_engine::ContainerId;
use fairway_model::{
    Timestamp,
    config::{Probe, Readiness},
};
use std::net::SocketAddr;
use tokio::time::{sleep, timeout};

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ready,
    /// The deadline passed; what the last attempt said.
    Unready(String),
}

/// A container that is probed.
pub(crate) struct Prober {
    pub(crate) engine: Embedded,
    pub(crate) id: ContainerId,
    pub(crate) address: SocketAddr,
    pub(crate) started: Timestamp,
    pub(crate) readiness: Readiness,
}

impl Prober {
    /// Probes until it is ready or its deadline has passed.
    pub(crate) async fn run(self) -> Verdict {
        let mut last = "it was never tried".to_owned();
        let left = self.readiness.deadline.saturating_sub(now().since(self.started));
        match timeout(left, self.until_ready(&mut last)).await {
            Ok(()) => Verdict::Ready,
            Err(_) => Verdict::Unready(last),
        }
    }

    async fn until_ready(&self, last: &mut String) {
        let Readiness { probe, interval, timeout: limit, .. } = &self.readiness;
        // Reading a log is one long attempt.
        let limit = if matches!(probe, Probe::Log(_)) { self.readiness.deadline } else { *limit };
        if let Probe::Log(text) = probe {
            *last = format!("the log does not say `{text}`");
        }
        loop {
            let tried = attempt(&self.engine, &self.id, self.address, probe);
            match timeout(limit, tried).await {
                Ok(Ok(())) => return,
                Ok(Err(why)) => *last = why,
                Err(_) => *last = format!("an attempt took longer than {limit:?}"),
            }
            sleep(*interval).await;
        }
    }
}
