//! A build while it is driven, as its driver sees it.

use super::{
    build::{Build, LEFT_AFTER},
    claim::Claim,
    driver::Setting,
    feed::{FORGOTTEN, Wanted},
    progress::Progress,
    watch::Watch,
};
use crate::{
    open::open_target,
    registry::{Ask, Built, ModelState},
};
use fairway_ledger::{Filter, Position, System};
use fairway_model::config::ReadModel;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::timeout,
};

/// A build that is driven.
pub(super) struct Running {
    task: JoinHandle<Position>,
    watching: JoinHandle<()>,
    stop: watch::Sender<bool>,
    pub(super) asks: watch::Sender<BTreeMap<u64, Ask>>,
    pub(super) progress: watch::Receiver<Progress>,
    /// What it leaves out.
    pub(super) skipped: Arc<BTreeSet<u64>>,
}

impl Running {
    /// Starts a build of a read model; `done` is told when it has all there is.
    pub(super) fn start(
        (setting, claim): (&Setting, &Claim),
        built: &Built,
        (model, done): (&ModelState, Arc<Notify>),
    ) -> Self {
        let Setting { ledger, places, remarks, .. } = setting;
        let (asks, asks_of) = watch::channel(model.asks.clone());
        let (stop, stop_of) = watch::channel(false);
        let (progress, progress_of) = watch::channel(Progress::default());
        let skipped = model.skipped.clone();
        let work = Build {
            ledger: ledger.clone(),
            wanted: wanted_of(built.declaration.model()),
            target: open_target(places, built, (ledger, skipped.clone())),
            asks: asks_of,
            progress,
            done,
            stop: stop_of,
        };
        let watch = Watch {
            ledger: ledger.clone(),
            built: built.clone(),
            progress: progress_of.clone(),
            lost: claim.lost(),
            remarks: remarks.clone(),
        };
        let (task, watching) = (tokio::spawn(work.run()), tokio::spawn(watch.run()));
        Self { task, watching, stop, asks, progress: progress_of, skipped }
    }

    /// Ends it after what is being taken in; says where it then is. A ledger that is away keeps what
    /// was noted, and is not waited for.
    pub(super) async fn end(self) -> Position {
        self.stop.send_replace(true);
        // A build that panicked is nowhere.
        let at = self.task.await.unwrap_or_default();
        let mut watching = self.watching;
        if timeout(LEFT_AFTER, &mut watching).await.is_err() {
            watching.abort();
        }
        at
    }
}

/// Which events a declaration takes in; of the ledger's own only those that say who is forgotten.
fn wanted_of(model: &ReadModel) -> Wanted {
    let source = &model.from;
    let filter = Filter {
        categories: source.categories.clone(),
        streams: source.streams.clone(),
        kinds: source.kinds.clone(),
        system: System::Left,
    };
    Wanted { filter, forgotten: model.on.contains_key(FORGOTTEN) }
}
