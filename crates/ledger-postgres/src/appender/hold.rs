//! The lease while this process has it, and what it remembers as long as that is so.

use crate::{
    appender::{
        known::Known,
        lease::{self, BATCHES_KEPT, LEASE, Lease, RENEW_AFTER},
    },
    connection::Link,
    error::Fault,
};
use tokio::time::Instant;

/// The lease while we have it.
#[derive(Debug)]
pub(crate) struct Hold {
    pub(crate) lease: Lease,
    pub(crate) known: Known,
    pub(crate) taken: Instant,
    pub(crate) used: Instant,
    renewed: Instant,
    /// How many batches were committed since the last time that others were forgotten.
    pub(crate) batches: u64,
    pub(crate) is_wanted: bool,
}

impl Hold {
    /// Whether the lease is ours for some time still, after it was renewed if that was due.
    pub(crate) async fn keep(&mut self, link: &Link) -> Result<bool, Fault> {
        let since = self.renewed.elapsed();
        if since < RENEW_AFTER {
            return Ok(true);
        }
        if since >= LEASE {
            return Ok(false);
        }
        self.renewed = Instant::now();
        if self.batches > BATCHES_KEPT {
            self.batches = 0;
            lease::forget(link).await?;
        }
        lease::renew(link, self.lease.token).await
    }

    pub(crate) fn new(lease: Lease) -> Self {
        let now = Instant::now();
        Self {
            lease,
            known: Known::default(),
            taken: now,
            used: now,
            renewed: now,
            batches: 0,
            is_wanted: false,
        }
    }
}
