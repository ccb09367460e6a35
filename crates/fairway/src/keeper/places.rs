//! Where the keeper of a data directory keeps its files.

use crate::{app::App, failure::Failure};
use fairway_engine_embedded::Settings;
use std::path::PathBuf;

/// The files of one keeper.
#[derive(Debug, Clone)]
pub struct Places {
    /// Held for as long as the keeper lives.
    pub lock: PathBuf,
    /// What it says.
    pub log: PathBuf,
    /// Where it listens; gone after a reboot.
    pub socket: PathBuf,
    /// Access logs of gateways.
    pub gateways: PathBuf,
}

impl Places {
    /// The places in a data directory.
    pub fn of(app: &App) -> Result<Self, Failure> {
        let folder = app.data("keeper")?;
        Ok(Self {
            lock: folder.join("lock"),
            log: folder.join("log"),
            socket: Settings::runtime_dir_of(&app.data("")?).join("keeper.sock"),
            gateways: app.data("gateways")?,
        })
    }
}
