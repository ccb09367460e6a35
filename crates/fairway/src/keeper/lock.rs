//! The lock on the keeper's role. The kernel releases it with the process, however that ends.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
};

/// Held by the one keeper of a data directory.
#[derive(Debug)]
pub struct Lock {
    #[expect(dead_code, reason = "held, not read")]
    file: File,
}

impl Lock {
    /// Takes the lock; none if another process has it.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_the_lock() {
        let path = std::env::temp_dir().join(format!("fairway-lock-{}", std::process::id()));
        let first = Lock::try_take(&path).unwrap();
        assert!(first.is_some());
        assert!(Lock::try_take(&path).unwrap().is_none());
        drop(first);
        assert!(Lock::try_take(&path).unwrap().is_some());
        std::fs::remove_file(path).unwrap();
    }
}
