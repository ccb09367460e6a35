//! A base from the packages of a Debian suite.

use super::{
    certificates::{BUNDLE, Certificates},
    packages,
};
use crate::{build::blocking, cache::Key, error::BuildError, event::Events};
use fairway_layers::{Draft, History, ImageConfig, Layers, Whiteouts, unpack};
use fairway_model::Digest;
use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, SystemTime},
};

/// Changes when the same suite and packages make another base than before.
const RECIPE: u64 = 1;
/// The latest time of any file: 2024-01-01. The same packages make the same base.
pub(crate) const EPOCH: u64 = 1_704_067_200;
/// Longest name of a suite or package.
const NAME_MAX: usize = 100;
/// Most packages.
const PACKAGES_MAX: usize = 1000;

/// Lets no package start its service while it is installed into an image (Debian policy, section
/// 9.3.3.2).
const POLICY: (&str, &str) = ("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n");

/// All that a base depends on.
pub(crate) struct Recipe {
    suite: String,
    packages: Vec<String>,
    certificates: Certificates,
}

impl Recipe {
    pub(crate) fn new(suite: String, packages: Vec<String>) -> Result<Self, BuildError> {
        let bad = packages.iter().chain([&suite]).find(|name| !is_name(name)).cloned();
        if let Some(bad) = bad {
            let said = format!("`{bad}` is not the name of a suite or package");
            return Err(BuildError::Packages { suite, said });
        }
        if packages.len() > PACKAGES_MAX {
            let said = format!("a base has at most {PACKAGES_MAX} packages");
            return Err(BuildError::Packages { suite, said });
        }
        let certificates = Certificates::read()
            .map_err(|error| BuildError::io("read", &Path::new("/").join(BUNDLE), error))?;
        Ok(Self { suite, packages, certificates })
    }

    pub(crate) fn key(&self) -> Digest {
        let certificates = &self.certificates;
        Key::new("debian", &[])
            .number(RECIPE)
            .text(&self.suite)
            .list(self.packages.iter())
            .text(&certificates.bundle)
            .list(certificates.local.iter().map(|(_, text)| text))
            .finish()
    }

    /// Makes the image; takes about 20 s and 100 MB of downloads.
    pub(crate) async fn make(self, layers: &Layers, events: &Events) -> Result<Digest, BuildError> {
        let draft = layers.draft()?;
        let mut tools = packages::start(&self.suite, &self.packages, &draft.work(), events)?;
        let tar = tools.take_tar();
        let unpacked = blocking(move || {
            let done = unpack(tar, &draft.upper(), Whiteouts::Overlay);
            Ok((draft, done))
        });
        let (draft, unpacked) = unpacked.await?;
        // If the tools failed, that is why the tar is broken.
        tools.finish(&self.suite).await?;
        unpacked?;
        let store = layers.clone();
        blocking(move || self.finish(&store, &draft)).await
    }

    fn finish(self, layers: &Layers, draft: &Draft) -> Result<Digest, BuildError> {
        let root = draft.upper();
        if !self.certificates.bundle.is_empty() {
            write(&root, BUNDLE, &self.certificates.bundle, 0o644)?;
        }
        for (path, text) in &self.certificates.local {
            write(&root, path, text.as_bytes(), 0o644)?;
        }
        write(&root, POLICY.0, POLICY.1.as_bytes(), 0o755)?;
        let layer = layers.commit(&root)?;
        let mut config = ImageConfig::empty();
        config.config.cmd = Some(vec!["/bin/bash".to_owned()]);
        config.config.env = vec![format!("PATH={}", crate::scope::DEFAULT_PATH)];
        config.history = vec![History {
            created: None,
            created_by: format!("packages of debian {} {}", self.suite, self.packages.join(" ")),
            empty_layer: false,
        }];
        Ok(layers.assemble(config, &[layer])?)
    }
}

/// Writes a file that is no part of a package, with the time of all others.
fn write(root: &Path, path: &str, bytes: &[u8], mode: u32) -> Result<(), BuildError> {
    let full = root.join(path);
    let written = || -> io::Result<()> {
        let parent = full.parent().expect("a file is in a directory");
        fs::create_dir_all(parent)?;
        fs::write(&full, bytes)?;
        fs::set_permissions(&full, Permissions::from_mode(mode))?;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH);
        for changed in full.ancestors().take_while(|changed| *changed != root) {
            File::open(changed)?.set_modified(time)?;
        }
        Ok(())
    };
    written().map_err(|error| BuildError::io("write", &full, error))
}

/// Names of suites and packages (Debian policy, section 5.6.7); nothing that the tools could take
/// for a flag or a list.
fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
    name.len() <= NAME_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.chars().all(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_tools_could_misread_is_refused() {
        for good in ["bookworm", "libstdc++6", "g++", "python3.11"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-x", "a,b", "a b", "--include=x", "a/b", "A"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
