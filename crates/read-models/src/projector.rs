//! A read model that Rust code keeps.

use crate::target::{Batch, Parked, ParkedOf, Replay, Standing, Target, TargetError};
use async_trait::async_trait;
use fairway_ledger::{Event, Position};
use std::{error::Error, fmt, sync::Arc};

/// What a projector may fail with.
pub type ProjectorError = Box<dyn Error + Send + Sync>;

/// Takes in events, and keeps what comes of them with the position up to which it is true.
///
/// What fails is tried again, with growing pauses, until it does not: who can do nothing with an
/// event leaves it out.
#[async_trait]
pub trait Projector: Send {
    /// Up to where events are taken in. Asked at the start and after every failure.
    async fn position(&mut self) -> Result<Position, ProjectorError>;

    /// Takes in all of these events and notes the position, or nothing.
    async fn apply(&mut self, events: &[Event], to: Position) -> Result<(), ProjectorError>;
}

/// A projector as a target, which parks nothing.
pub(crate) struct Own(pub(crate) Box<dyn Projector>);

/// An error with its words and its cause.
#[derive(Debug)]
struct Said(ProjectorError);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Said {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

fn failed(error: ProjectorError) -> TargetError {
    let what = "the projector failed".to_owned();
    TargetError::Unusable { what, source: Arc::new(Said(error)) }
}

#[async_trait]
impl Target for Own {
    async fn open(&mut self) -> Result<Standing, TargetError> {
        let position = self.0.position().await.map_err(failed)?;
        Ok(Standing { position, ..Standing::default() })
    }

    async fn apply(&mut self, batch: Batch) -> Result<Standing, TargetError> {
        self.0.apply(&batch.events, batch.to).await.map_err(failed)?;
        Ok(Standing { position: batch.to, ..Standing::default() })
    }

    async fn parked(&mut self, _: ParkedOf, _: usize) -> Result<Vec<Parked>, TargetError> {
        Ok(Vec::new())
    }

    async fn replay(&mut self, _: Replay) -> Result<Standing, TargetError> {
        self.open().await
    }

    async fn remove(&mut self) -> Result<(), TargetError> {
        Ok(())
    }
}
