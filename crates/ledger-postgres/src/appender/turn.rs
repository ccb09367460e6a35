//! Whose turn it is: taking the lease and the connection that it hangs on, keeping both while there
//! is something to append, and handing over to others.

use crate::{
    appender::{
        appending::{Appending, Failure},
        hold::Hold,
        lease::{self, Claim},
        session::Session,
    },
    back_off::BackOff,
    connection::Link,
    error::Fault,
};
use fairway_ledger::LedgerError;
use std::{sync::Arc, time::Duration};

/// How long another process may take to hand over.
const WAIT_MAX: Duration = Duration::from_secs(15);
/// How long the lease is kept while there is nothing to append.
const IDLE_MAX: Duration = Duration::from_secs(1);
/// How often who holds the lease looks whether others want it, if no notification says so.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Appending {
    /// The connection, which is made if there is none.
    pub(super) async fn link(&mut self) -> Result<Arc<Link>, Fault> {
        match &self.session {
            Some(session) if !session.link.is_closed() => return Ok(session.link.clone()),
            _ => self.hold = None,
        }
        let session = Session::start(&self.address, self.committed.clone()).await?;
        let link = session.link.clone();
        self.session = Some(session);
        Ok(link)
    }

    /// Takes the lease unless we have it; waits while another process hands it over.
    pub(super) async fn take_lease(&mut self, link: &Link) -> Result<(), Failure> {
        if let Some(hold) = &mut self.hold
            && hold.keep(link).await?
        {
            return Ok(());
        }
        self.hold = None;
        let mut back_off = BackOff::until(WAIT_MAX);
        loop {
            match lease::claim(link, &self.address, &self.me).await? {
                Claim::Taken(lease) => {
                    self.hold = Some(Hold::new(lease));
                    return Ok(());
                }
                Claim::Moved(to) => {
                    let ledger = self.address.place().to_owned();
                    return Err(LedgerError::Moved { ledger, to }.into());
                }
                Claim::Held if back_off.is_over() => {
                    return Err(LedgerError::Busy(self.address.place().to_owned()).into());
                }
                Claim::Held => tokio::select! {
                    () = link.told.notified() => {}
                    () = back_off.pause() => {}
                },
            }
        }
    }

    /// Waits until it is time to look whether others want the lease; for ever without it.
    pub(super) async fn idle(&self) {
        match (&self.session, &self.hold) {
            (Some(session), Some(_)) => tokio::select! {
                () = session.link.told.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            },
            _ => std::future::pending().await,
        }
    }

    /// Looks whether others want the lease, or nobody has appended for long.
    pub(super) async fn look(&mut self) {
        let (Some(session), Some(hold)) = (&self.session, &mut self.hold) else { return };
        if let Ok(is_wanted) = lease::is_wanted(&session.link, hold.lease.token).await {
            hold.is_wanted = is_wanted || hold.used.elapsed() >= IDLE_MAX;
        } else {
            self.disconnect();
        }
    }

    /// Gives the lease back. If that fails, the connection has ended, and others see that.
    pub(super) async fn release(&mut self) {
        let (Some(session), Some(hold)) = (&self.session, self.hold.take()) else { return };
        if lease::release(&session.link, &self.address, hold.lease.token).await.is_err() {
            self.session = None;
        }
    }

    /// Ends the connection, and with it the lease. The next append makes a new one.
    pub(super) fn disconnect(&mut self) {
        (self.session, self.hold) = (None, None);
    }
}
