//! Packages of other languages, as their registries have them: installed once for all tests of this
//! machine, whichever program runs them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// KurrentDB's clients, which are run here.
pub(crate) const KURRENT_FOR_PYTHON: &str = "kurrentdbclient==1.3.5";
pub(crate) const KURRENT_FOR_NODE: &str = "@kurrent/kurrentdb-client@1.3.1";

/// A Python that has a package, such as `cloudevents==2.2.0`.
pub(crate) fn python_with(package: &str) -> PathBuf {
    let folder = installed("python", package, |folder| {
        run(Command::new("/usr/bin/python3").args(["-m", "venv", "--clear"]).arg(folder));
        let mut install = Command::new(folder.join("bin/pip"));
        run(install.args(["install", "--quiet", "--disable-pip-version-check", package]));
    });
    folder.join("bin/python")
}

/// A folder in which scripts of Node find a package, such as `cloudevents@10.0.0`.
pub(crate) fn node_with(package: &str) -> PathBuf {
    installed("node", package, |folder| {
        let mut install = Command::new("npm");
        install.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]);
        run(install.arg(folder).arg(package));
    })
}

/// The folder of a package; others who want it meanwhile wait.
fn installed(language: &str, package: &str, install: impl FnOnce(&Path)) -> PathBuf {
    let name = package.replace(|character: char| !character.is_ascii_alphanumeric(), "-");
    let languages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages").join(language);
    let folder = languages.join(&name);
    fs::create_dir_all(&folder).unwrap();
    let lock = fs::File::create(languages.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    let done = folder.join("installed");
    if !done.exists() {
        install(&folder);
        fs::write(done, "").unwrap();
    }
    folder
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy);
    assert!(output.status.success(), "{command:?} failed\n{}", said.concat());
}
