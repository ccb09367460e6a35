//! The certificate authorities that this machine trusts. A machine behind a proxy that inspects TLS
//! has one that no distribution knows, and commands in images need it as well.

use std::{collections::BTreeSet, fs, io, path::Path};

/// Where Debian, and most distributions, keep the bundle of all.
pub(crate) const BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";
/// Where Debian's package `ca-certificates` keeps its own.
const DISTRIBUTION: &str = "/usr/share/ca-certificates";
/// Where that package looks for those of the machine.
const LOCAL: &str = "usr/local/share/ca-certificates";
/// How deep the package's directories are looked into.
const DEPTH_MAX: usize = 4;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// What a base gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Certificates {
    /// The whole bundle; empty if the machine has none.
    pub(crate) bundle: Vec<u8>,
    /// Single ones, by path: those that the distribution's package does not have. With them, that
    /// package makes a bundle that still holds them.
    pub(crate) local: Vec<(String, String)>,
}

impl Certificates {
    /// Reads what this machine trusts.
    pub(crate) fn read() -> io::Result<Self> {
        let bundle = match fs::read(Path::new("/").join(BUNDLE)) {
            Ok(bundle) => bundle,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let mut known = BTreeSet::new();
        collect(Path::new(DISTRIBUTION), DEPTH_MAX, &mut known)?;
        let own = split(&String::from_utf8_lossy(&bundle));
        let own = own.into_iter().filter(|one| !known.contains(one));
        let name = |index: usize| format!("{LOCAL}/machine-{index}.crt");
        let local = own.enumerate().map(|(index, one)| (name(index), one)).collect();
        Ok(Self { bundle, local })
    }
}

fn collect(dir: &Path, depth: usize, known: &mut BTreeSet<String>) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() && depth > 0 {
            collect(&entry.path(), depth - 1, known)?;
        } else if entry.path().extension().is_some_and(|extension| extension == "crt") {
            known.extend(split(&String::from_utf8_lossy(&fs::read(entry.path())?)));
        }
    }
    Ok(())
}

/// The certificates of a text, each written in one way (RFC 7468).
fn split(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let Some((body, after)) = after.split_once(END) else { break };
        let lines: Vec<_> = body.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        all.push(format!("{BEGIN}\n{}\n{END}\n", lines.join("\n")));
        rest = after;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_told_apart_by_their_body() {
        let one = format!("# name\n{BEGIN}\nAAA\nBBB\n{END}\n");
        let same = format!("{BEGIN}\r\nAAA\r\nBBB\r\n{END}");
        assert_eq!(split(&one), split(&same));
        assert_eq!(split(&format!("{one}{same}")).len(), 2);
        assert_eq!(split(&format!("{one}{BEGIN}\nAAA")).len(), 1);
    }
}
