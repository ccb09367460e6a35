//! Ledger files that are written beside their place and put there when they are whole.

use crate::{
    failure::{Doing, Failure},
    ledgers,
    printer::Printer,
};
use fairway_ledger::{Checked, Fault, LedgerError, complete_file, copy_file, put_file};
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// A file that is not whole yet. Nobody sees it under its real name; it is gone with the value,
/// unless it was put there.
pub struct Unfinished {
    file: PathBuf,
    path: PathBuf,
}

impl Unfinished {
    /// The file that is going to be at a path. What another try left is removed.
    pub fn begin(path: &Path) -> Result<Self, Failure> {
        let unfinished = Self { file: beside(path, ".unfinished"), path: path.to_owned() };
        unfinished.remove().doing(format!("remove `{}`", unfinished.file.display()))?;
        Ok(unfinished)
    }

    /// Where it is until it is whole.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Copies the pages of a ledger in a file.
    pub fn copy(&self, from: &Path, printer: &Printer) -> Result<(), Failure> {
        let live = printer.live_line();
        let copied = copy_file(from, &self.file, |done, of| {
            if let Some(live) = &live {
                live.show(format!("{} % of {of} pages", (done * 100).checked_div(of).unwrap_or(0)));
            }
        });
        copied.map_err(|error| ledgers::failed(format!("copy `{}`", from.display()), error))
    }

    /// Looks at all of it, and puts it to its path if nothing is wrong.
    pub fn finish(self, printer: &Printer) -> Result<Checked, Failure> {
        let live = printer.live_line();
        if let Some(live) = &live {
            live.show("looking at all of it".to_owned());
        }
        let checked = complete_file(&self.file);
        let checked = checked.map_err(|error| ledgers::failed("check the copy", error))?;
        if !checked.faults.is_empty() {
            let path = self.path.display();
            return Err(Failure::failed(format!(
                "`{path}` was not written: what was copied is damaged"
            ))
            .because(words(&checked.faults))
            .hint("`fairway ledger check` names all that is wrong"));
        }
        put_file(&self.file, &self.path).map_err(|error| self.unplaced(error))?;
        Ok(checked)
    }

    fn unplaced(&self, error: LedgerError) -> Failure {
        let busy = matches!(error, LedgerError::Busy(_));
        let failure = ledgers::failed(format!("replace `{}`", self.path.display()), error);
        if busy { failure.hint("end the programs that have it open") } else { failure }
    }

    fn remove(&self) -> std::io::Result<()> {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            match fs::remove_file(beside(&self.file, suffix)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // What cannot be removed now, the next try removes.
        drop(self.remove());
    }
}

/// The first faults, in one line.
fn words(faults: &[Fault]) -> String {
    let first: Vec<String> = faults.iter().take(3).map(ToString::to_string).collect();
    first.join("; ")
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Whether two paths are of one file, which is there.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let (one, other) = (one.canonicalize(), other.canonicalize());
    one.is_ok_and(|one| other.is_ok_and(|other| one == other))
}
