//! Images that nothing can provide.

use super::parts::parts;
use crate::config::reporter::Reporter;
use crate::config::yaml::Document;
use crate::config::{Neighbour, Service};
use crate::{ImageRef, closest};
use std::collections::BTreeSet;

/// Where images can come from.
pub(super) struct ImageSources {
    bases: BTreeSet<ImageRef>,
}

impl ImageSources {
    /// The images of a `fleet.yaml`. No registry is reached: what is used is made here.
    pub(super) fn of(fleet: &Document) -> Self {
        Self { bases: fleet.keys(&["bases"]).filter_map(|image| image.parse().ok()).collect() }
    }

    /// Whether there is such an image.
    fn has(&self, image: &ImageRef) -> bool {
        self.bases.contains(image)
    }

    /// The image that was probably meant: another tag of the same name, or a similar name.
    fn meant(&self, image: &ImageRef) -> Option<String> {
        let same_name = self.bases.iter().find(|base| base.name == image.name);
        let names: Vec<String> = self.bases.iter().map(ToString::to_string).collect();
        let similar = || closest(&image.to_string(), names.iter().map(String::as_str));
        same_name.map(ToString::to_string).or_else(|| similar().map(str::to_owned))
    }
}

/// Reports images that are used and made nowhere.
pub(super) fn check_images(
    service: &Service,
    sources: &ImageSources,
    file: &Document,
    log: &mut Reporter,
) {
    let mut check = |path: &[&str], image: &ImageRef| {
        if sources.has(image) {
            return;
        }
        let span = file.value_span(path);
        let wrong = log.diagnose(span, format!("image `{image}` is not among the bases"));
        let wrong = wrong.label("say how it is made in `bases` of `fleet.yaml`");
        log.report(wrong.suggest(sources.meant(image)));
    };
    for part in parts(service, file) {
        if let Neighbour::Image(neighbour) = part.neighbour {
            check(&part.key("image"), &neighbour.image);
        }
    }
    if let Some(image) = &service.pipeline.image {
        check(&["pipeline", "image"], image);
    }
    for stage in &service.pipeline.stages {
        if let Some(image) = &stage.image {
            check(&["pipeline", "stages", stage.name.as_str(), "image"], image);
        }
    }
}
