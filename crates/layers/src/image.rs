//! An image: its manifest and configuration as blobs, its layers as directories.

use crate::{config::ImageConfig, error::LayerError, store::Layers};
use fairway_model::Digest;
use oci_spec::image::{Descriptor, ImageManifest, ImageManifestBuilder, MediaType};
use std::{collections::BTreeSet, path::PathBuf};

/// Most layers of an image; so many fit into the options of one overlay mount when they are given
/// relative to [`Layers::dir`].
pub const LAYERS_MAX: usize = 110;
/// Most bytes of a manifest or configuration that is read.
const JSON_MAX: u64 = 4 << 20;

/// One layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Layer {
    /// The digest of its uncompressed tar.
    pub diff_id: Digest,
    /// The bytes of its uncompressed tar.
    pub size: u64,
}

/// An image whose layers are all here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The digest of its manifest, which names it.
    pub digest: Digest,
    /// How its containers run.
    pub config: ImageConfig,
    /// Its layers, the lowest first.
    pub layers: Vec<Layer>,
    /// The directories of its layers, the highest first, as overlayfs wants them.
    pub lower_dirs: Vec<PathBuf>,
}

impl Layers {
    /// Finds an image. Layers that are here only as tars are unpacked.
    pub fn image(&self, manifest: &Digest) -> Result<Image, LayerError> {
        let (config, layers) = self.describe(manifest)?;
        let lower_dirs = self.lower_dirs(&layers)?;
        Ok(Image { digest: *manifest, config, layers, lower_dirs })
    }

    /// The directories of layers, the highest first, as overlayfs wants them. Layers that are here
    /// only as tars are unpacked. Of equal layers the highest counts: it hides the others, and
    /// overlayfs takes each directory once.
    pub fn lower_dirs(&self, layers: &[Layer]) -> Result<Vec<PathBuf>, LayerError> {
        let mut seen = BTreeSet::new();
        let highest_first = layers.iter().rev();
        highest_first
            .filter(|layer| seen.insert(layer.diff_id))
            .map(|layer| self.directory(layer))
            .collect()
    }

    /// Reads an image's configuration and layers without looking for their directories.
    pub fn describe(&self, manifest: &Digest) -> Result<(ImageConfig, Vec<Layer>), LayerError> {
        let refuse = |because: String| LayerError::Image { image: *manifest, because };
        if !self.blobs().contains(manifest) {
            return Err(LayerError::NoImage(*manifest));
        }
        let bytes = self.blobs().get(manifest, JSON_MAX)?;
        let read: ImageManifest =
            serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
        let digest = digest_of(read.config()).map_err(refuse)?;
        let bytes = self.blobs().get(&digest, JSON_MAX)?;
        let config: ImageConfig =
            serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
        let sizes: Vec<u64> = read.layers().iter().map(Descriptor::size).collect();
        if sizes.len() != config.rootfs.diff_ids.len() {
            return Err(refuse("its manifest and configuration differ in layers".to_owned()));
        }
        let layers = config.rootfs.diff_ids.iter().zip(sizes);
        let layers = layers.map(|(diff_id, size)| Layer { diff_id: *diff_id, size }).collect();
        Ok((config, layers))
    }

    /// Makes an image of layers that are here; returns the digest of its manifest.
    pub fn assemble(
        &self,
        mut config: ImageConfig,
        layers: &[Layer],
    ) -> Result<Digest, LayerError> {
        if layers.len() > LAYERS_MAX {
            return Err(LayerError::TooManyLayers { limit: LAYERS_MAX, found: layers.len() });
        }
        config.rootfs.diff_ids = layers.iter().map(|layer| layer.diff_id).collect();
        let bytes = serde_json::to_vec(&config).expect("a configuration has text keys only");
        let digest = self.blobs().put(&bytes)?;
        let config = descriptor(MediaType::ImageConfig, &digest, bytes.len() as u64);
        let layers = layers
            .iter()
            .map(|layer| descriptor(MediaType::ImageLayer, &layer.diff_id, layer.size))
            .collect::<Vec<_>>();
        let manifest = ImageManifestBuilder::default()
            .schema_version(2_u32)
            .media_type(MediaType::ImageManifest)
            .config(config)
            .layers(layers)
            .build()
            .expect("all fields that a manifest must have are set");
        let bytes = serde_json::to_vec(&manifest).expect("a manifest has text keys only");
        Ok(self.blobs().put(&bytes)?)
    }
}

fn descriptor(kind: MediaType, digest: &Digest, size: u64) -> Descriptor {
    let digest: oci_spec::image::Digest =
        digest.to_string().parse().expect("our digests are OCI digests");
    Descriptor::new(kind, size, digest)
}

fn digest_of(descriptor: &Descriptor) -> Result<Digest, String> {
    descriptor.digest().to_string().parse().map_err(|error| format!("{error}"))
}
