//! Watches a build for who does not drive it: that it fails is noted in the ledger, where other
//! processes and machines read it, and remarked once when it begins and once when it is over.

use super::progress::{Progress, State};
use crate::{
    notes::Notes,
    registry::{BuildId, Built},
};
use fairway_ledger::{Key, Ledger, LedgerError};
use fairway_model::ReadModelName;
use std::collections::HashMap;
use tokio::sync::{mpsc, watch};

/// The set of notes about builds that fail.
const FAILING: &str = "$read-models-failing";

/// Something that a person should know of a build, said once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The read model.
    pub name: ReadModelName,
    /// The version of the declaration.
    pub version: u32,
    /// Why it fails from now on; none if it does no more.
    pub failing: Option<String>,
}

/// What is watched, and who is told.
pub(super) struct Watch {
    pub(super) ledger: Ledger,
    pub(super) built: Built,
    pub(super) progress: watch::Receiver<Progress>,
    /// Whether somebody else has the ledger, whose notes they then are.
    pub(super) lost: watch::Receiver<bool>,
    pub(super) remarks: mpsc::Sender<Remark>,
}

impl Watch {
    /// Watches until the build ends; a note does not outlive it.
    pub(super) async fn run(mut self) {
        let mut noted = None;
        while self.progress.changed().await.is_ok() {
            let failing = failing(&self.progress.borrow_and_update().state);
            if failing == noted {
                continue;
            }
            if failing.is_some() != noted.is_some() {
                self.remark(failing.clone());
            }
            noted = self.note(failing).await;
        }
        if noted.is_some() {
            self.note(None).await;
        }
    }

    fn remark(&self, failing: Option<String>) {
        let model = self.built.declaration.model();
        let remark = Remark { name: model.name.clone(), version: model.version, failing };
        // Who does not listen, or has much to hear already, can ask.
        self.remarks.try_send(remark).unwrap_or_default();
    }

    /// Notes why it fails, or that it does not. A ledger that is away is told with the next change.
    async fn note(&self, failing: Option<String>) -> Option<String> {
        if *self.lost.borrow() {
            return failing;
        }
        let key = key(self.built.declaration.name(), self.built.id);
        let notes = Notes { ledger: &self.ledger, set: FAILING };
        notes.change(vec![(key, failing.clone())]).await.unwrap_or_default();
        failing
    }
}

/// Removes what a driver that was killed has noted.
pub(super) async fn clear(ledger: &Ledger) -> Result<(), LedgerError> {
    Notes { ledger, set: FAILING }.replace(Vec::new()).await
}

/// Why builds fail, as whoever drives has noted it.
#[derive(Debug, Default)]
pub(crate) struct Failing(HashMap<Key, String>);

impl Failing {
    pub(crate) async fn load(ledger: &Ledger) -> Result<Self, LedgerError> {
        let notes = Notes { ledger, set: FAILING }.all().await?;
        Ok(Self(notes.into_iter().collect()))
    }

    /// Why a build fails; none if it does not, as far as is known.
    pub(crate) fn of(&self, name: &ReadModelName, build: BuildId) -> Option<&String> {
        self.0.get(&key(name, build))
    }
}

fn key(name: &ReadModelName, build: BuildId) -> Key {
    format!("{name} {build}").into()
}

fn failing(state: &State) -> Option<String> {
    match state {
        State::Failing(why) => Some(why.clone()),
        State::CatchingUp | State::Following | State::Withheld(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::Declaration;
    use std::sync::Arc;

    fn built() -> Built {
        let text =
            "read-model: orders\nversion: 1\ntables: CREATE TABLE a (b)\non:\n  c: DELETE FROM a\n";
        let declaration = Declaration::read("orders.yaml", text).unwrap();
        Built { id: 1, declaration: Arc::new(declaration) }
    }

    async fn noted(ledger: &Ledger, built: &Built) -> Option<String> {
        let failing = Failing::load(ledger).await.unwrap();
        failing.of(built.declaration.name(), built.id).cloned()
    }

    #[tokio::test]
    async fn who_lost_the_ledger_leaves_the_notes_of_the_one_that_took_over() {
        for (is_lost, left) in [(false, None), (true, Some("away"))] {
            let dir = tempfile::tempdir_in("/var/tmp").unwrap();
            let ledger = Ledger::open(&dir.path().join("events.db")).unwrap();
            let (progress, progress_of) = watch::channel(Progress::default());
            let (lost, lost_of) = watch::channel(false);
            let (remarks, _heard) = mpsc::channel(8);
            let watched = Watch {
                ledger: ledger.clone(),
                built: built(),
                progress: progress_of,
                lost: lost_of,
                remarks,
            };
            let watching = tokio::spawn(watched.run());
            progress.send_modify(|progress| progress.state = State::Failing("away".to_owned()));
            while noted(&ledger, &built()).await.is_none() {
                tokio::task::yield_now().await;
            }
            lost.send_replace(is_lost);
            drop(progress);
            watching.await.unwrap();
            assert_eq!(noted(&ledger, &built()).await.as_deref(), left, "lost: {is_lost}");
        }
    }
}
