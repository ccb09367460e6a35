//! Follows a ledger for Rust code.

use super::{
    build::Build,
    feed::Wanted,
    progress::{Progress, State},
};
use crate::{
    error::ReadModelError,
    projector::{Own, Projector},
};
use fairway_ledger::{Filter, Ledger, Position};
use fairway_model::ReadModelName;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle};

/// A projector while a ledger is followed for it.
#[derive(Debug)]
pub struct Followed {
    name: ReadModelName,
    progress: watch::Receiver<Progress>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Position>,
}

/// Follows those events of a ledger that pass a filter, from where the projector says it is.
pub fn follow(
    ledger: &Ledger,
    name: ReadModelName,
    filter: Filter,
    projector: Box<dyn Projector>,
) -> Followed {
    let (progress, progress_of) = watch::channel(Progress::default());
    let (stop, stop_of) = watch::channel(false);
    // Nothing is asked of it, and nobody waits for it to take the place of another.
    let ((_, asks), done) = (watch::channel(BTreeMap::new()), Arc::default());
    let build = Build {
        ledger: ledger.clone(),
        wanted: Wanted { filter, forgotten: false },
        target: Box::new(Own(projector)),
        asks,
        progress,
        done,
        stop: stop_of,
    };
    Followed { name, progress: progress_of, stop, task: tokio::spawn(build.run()) }
}

impl Followed {
    /// How far it is, and what it does.
    pub fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    /// Waits until events up to a position are taken in; else says how far it is.
    pub async fn wait(&self, wanted: Position, wait: Duration) -> Result<(), ReadModelError> {
        let mut progress = self.progress.clone();
        let at = |progress: &Progress| {
            progress.standing.map_or(Position(0), |standing| standing.position)
        };
        let reached = progress.wait_for(|progress| at(progress) >= wanted);
        match tokio::time::timeout(wait, reached).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(ReadModelError::Closed),
            Err(_) => {
                let position = at(&self.progress.borrow());
                Err(ReadModelError::Behind { name: self.name.clone(), position, wanted })
            }
        }
    }

    /// Whether it fails now, and why.
    pub fn failing(&self) -> Option<String> {
        match self.progress().state {
            State::Failing(why) => Some(why),
            State::CatchingUp | State::Following | State::Withheld(_) => None,
        }
    }

    /// Ends after what is being taken in; says where it then is.
    pub async fn stop(self) -> Position {
        self.stop.send_replace(true);
        // Who panicked is nowhere.
        self.task.await.unwrap_or_default()
    }
}
