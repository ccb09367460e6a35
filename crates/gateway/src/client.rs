//! One client's connection, as its socket, its requests and their bodies share it.

use crate::{
    access::{AccessRecord, Ending},
    forwarding::Forwarder,
    problem::Problem,
    progress::{Phase, Progress},
    settings::Settings,
    tunnel::Tunnel,
    worker::Worker,
};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// A client's connection.
pub(crate) struct Client {
    pub(crate) worker: Arc<Worker>,
    pub(crate) progress: Progress,
    pub(crate) forwarder: Forwarder,
    is_ambiguous: AtomicBool,
    has_unread_body: AtomicBool,
    tunnel: Mutex<Option<Tunnel>>,
}

impl Client {
    pub(crate) fn new(worker: Arc<Worker>, peer: SocketAddr) -> Self {
        let settings = worker.settings();
        Self {
            progress: Progress::new(worker.epoch, settings.timeouts.head),
            forwarder: Forwarder::new(peer.ip(), settings),
            is_ambiguous: AtomicBool::new(false),
            has_unread_body: AtomicBool::new(false),
            tunnel: Mutex::new(None),
            worker,
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        self.worker.settings()
    }

    /// Notes that a head on this connection stated its length twice.
    pub(crate) fn set_ambiguous(&self) {
        self.is_ambiguous.store(true, Relaxed);
    }

    pub(crate) fn is_ambiguous(&self) -> bool {
        self.is_ambiguous.load(Relaxed)
    }

    /// Notes that a request was answered before its body was read.
    pub(crate) fn set_unread_body(&self) {
        self.has_unread_body.store(true, Relaxed);
    }

    pub(crate) fn has_unread_body(&self) -> bool {
        self.has_unread_body.load(Relaxed)
    }

    /// Leaves a tunnel to be run once the connection is through with HTTP.
    pub(crate) fn set_tunnel(&self, tunnel: Tunnel) {
        *self.tunnel.lock().unwrap_or_else(PoisonError::into_inner) = Some(tunnel);
    }

    pub(crate) fn take_tunnel(&self) -> Option<Tunnel> {
        self.tunnel.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Records a request that the parser refused.
    pub(crate) fn refused(&self, problem: &Problem) {
        self.progress.enter(Phase::Refused);
        let Some(log) = self.worker.access_log() else { return };
        log.hand_on(AccessRecord {
            time: log.now(),
            method: None,
            target: None,
            status: Some(problem.status()),
            ending: Ending::Complete,
            bytes_in: 0,
            bytes_out: 0,
            duration: Duration::ZERO,
            service: None,
            backend: None,
            request_id: None,
            retries: 0,
        });
    }
}
