//! How a container ended.

use fairway_model::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a container ended, and what it ran into on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// How its first process ended.
    pub status: ExitStatus,
    /// How many of its processes the kernel killed for want of memory. A child's death shows here
    /// and not in `status`.
    pub memory_kills: u32,
    /// How many times a new process was refused because of the limit.
    pub process_refusals: u32,
    /// When it ended.
    pub at: Timestamp,
}

/// How the first process of a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitStatus {
    /// It returned this code.
    Code(u8),
    /// A signal ended it.
    Signal(u8),
    /// What watched it was killed; the container was ended and its status is not known.
    Lost,
}

impl Exit {
    /// It ended with 0.
    pub fn is_success(&self) -> bool {
        self.status == ExitStatus::Code(0)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            ExitStatus::Code(code) => write!(f, "exited with {code}")?,
            ExitStatus::Signal(signal) => write!(f, "was ended by signal {signal}")?,
            ExitStatus::Lost => f.write_str("was lost: what watched it was killed")?,
        }
        if self.memory_kills > 0 {
            f.write_str(" after it ran out of memory")?;
        }
        if self.process_refusals > 0 {
            f.write_str(" after it reached its limit of processes")?;
        }
        Ok(())
    }
}
