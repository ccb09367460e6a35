//! How a user names an image.

use crate::Digest;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Longest reference in bytes that is read.
pub const IMAGE_REF_MAX: usize = 512;

/// An image as a user names it: `name`, `name:tag`, `name@digest`, with an optional registry host
/// in the name. Without tag and digest the tag is `latest`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageRef {
    /// The name with its registry host and path, if any: `postgres`, `registry.local:5000/shop/web`.
    pub name: String,
    /// The tag; `latest` if the text has neither tag nor digest.
    pub tag: Option<String>,
    /// The digest of the manifest.
    pub digest: Option<Digest>,
}

/// Why a text is not an image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an image; an image is written like `postgres:15`")]
pub struct ImageRefError(String);

impl FromStr for ImageRef {
    type Err = ImageRefError;
    fn from_str(text: &str) -> Result<Self, ImageRefError> {
        let fail = || ImageRefError(text.chars().take(80).collect());
        if text.len() > IMAGE_REF_MAX {
            return Err(fail());
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse().map_err(|_| fail())?)),
            None => (text, None),
        };
        let path_start = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[path_start..].find(':') {
            Some(colon) => (&rest[..path_start + colon], Some(&rest[path_start + colon + 1..])),
            None => (rest, None),
        };
        if !is_name(name) || !tag.is_none_or(is_tag) {
            return Err(fail());
        }
        let tag = match (tag, &digest) {
            (None, None) => Some("latest"),
            (tag, _) => tag,
        };
        Ok(Self { name: name.to_owned(), tag: tag.map(str::to_owned), digest })
    }
}

/// Path components per the OCI distribution spec, "Pulling manifests"; a host may come first.
fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.ends_with(|c: char| c.is_ascii_alphanumeric())
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-:".contains(c))
    };
    !name.is_empty() && name.split('/').all(part)
}

fn is_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && !tag.starts_with(['.', '-'])
        && tag.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl TryFrom<String> for ImageRef {
    type Error = ImageRefError;
    fn try_from(text: String) -> Result<Self, ImageRefError> {
        text.parse()
    }
}

impl From<ImageRef> for String {
    fn from(image: ImageRef) -> String {
        image.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_keep_their_meaning() {
        let digest = Digest::of(b"x");
        for (text, shown) in [
            ("postgres", "postgres:latest".to_owned()),
            ("postgres:15", "postgres:15".to_owned()),
            ("registry.local:5000/shop/web:1.2", "registry.local:5000/shop/web:1.2".to_owned()),
            (&format!("web@{digest}"), format!("web@{digest}")),
        ] {
            assert_eq!(
                text.parse::<ImageRef>().map(|image| image.to_string()),
                Ok(shown),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_a_reference_is_refused() {
        for bad in ["", ":1", "UPPER", "a//b", "a:", "a@sha256:1", "a b", "-a", &"a".repeat(600)] {
            assert!(bad.parse::<ImageRef>().is_err(), "{bad}");
        }
    }
}
