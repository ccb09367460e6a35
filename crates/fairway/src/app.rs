//! The parts of Fairway, opened when a verb first needs them.

use crate::{
    failure::{Doing, Failure},
    settings::Settings,
};
use fairway_blobs::Blobs;
use fairway_engine_embedded::{Embedded, Settings as EngineSettings};
use fairway_layers::Layers;
use fairway_ledger::Ledger;
use fairway_secrets::Secrets;
use std::{fs::DirBuilder, os::unix::fs::DirBuilderExt, path::PathBuf};

/// What every verb gets.
pub struct App {
    /// What the surroundings say.
    pub settings: Settings,
    /// The folder a verb works in.
    pub directory: PathBuf,
}

impl App {
    /// A folder of the data directory, made if it is not there. Nobody else may look into it: images
    /// hold programs that give root's rights to whoever can start them.
    pub fn data(&self, folder: &str) -> Result<PathBuf, Failure> {
        let path = self.settings.data_dir.join(folder);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.doing(format!("make the folder `{}`", path.display()))?;
        Ok(path)
    }

    /// Bytes and file trees.
    pub fn blobs(&self) -> Result<Blobs, Failure> {
        Blobs::open(self.data("blobs")?).doing("open the blob store")
    }

    /// Decisions and facts.
    pub fn ledger(&self) -> Result<Ledger, Failure> {
        Ledger::open(&self.data("")?.join("ledger.db")).doing("open the ledger")
    }

    /// Secrets of environments.
    pub fn secrets(&self) -> Result<Secrets, Failure> {
        Secrets::open(self.data("secrets")?).doing("open the secrets")
    }

    /// The images of this machine.
    pub fn layers(&self) -> Result<Layers, Failure> {
        Layers::open(self.data("layers")?, self.blobs()?).doing("open the layers")
    }

    /// The embedded engine.
    pub fn engine(&self) -> Result<Embedded, Failure> {
        let (data_dir, layers) = (self.data("")?, self.layers()?);
        let helper = std::env::current_exe().doing("find this program")?;
        let runtime_dir = EngineSettings::runtime_dir_of(&data_dir);
        Embedded::open(EngineSettings { data_dir, runtime_dir, helper, layers }).map_err(|error| {
            Failure::unreachable("could not open the embedded engine").because(error)
        })
    }
}

/// Runs async work to its end on this thread.
pub fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.doing("start the runtime")?.block_on(work)
}
