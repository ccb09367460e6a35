//! One stage of a Dockerfile while it is built.

use super::settings::Settings;
use crate::cache::Effect;
use fairway_layers::{History, ImageConfig, Layer, LayerError, Layers};
use std::path::PathBuf;

/// What the instructions so far have made.
#[derive(Debug, Clone)]
pub(crate) struct StageState {
    /// The lowest first.
    pub(crate) layers: Vec<Layer>,
    pub(crate) settings: Settings,
    pub(crate) history: Vec<History>,
}

impl StageState {
    /// Adds what an instruction made.
    pub(crate) fn record(&mut self, text: &str, effect: Effect) {
        self.layers.extend(effect.layer());
        self.history.push(History {
            created: None,
            created_by: text.to_owned(),
            empty_layer: effect == Effect::Nothing,
        });
    }

    /// The directories of its layers, the highest first.
    pub(crate) fn lower_dirs(&self, layers: &Layers) -> Result<Vec<PathBuf>, LayerError> {
        layers.lower_dirs(&self.layers)
    }

    /// The configuration of the image as it is now. It has no time: an unchanged build gives an
    /// unchanged image.
    pub(crate) fn config(&self) -> ImageConfig {
        let mut config = ImageConfig::empty();
        config.config = self.settings.execution.clone();
        config.history.clone_from(&self.history);
        config
    }
}
