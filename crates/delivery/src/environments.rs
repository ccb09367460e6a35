//! All environments, in the ledger.

use crate::{Environment, EnvironmentEvent, releases::DeliveryError};
use fairway_ledger::{
    DecodeError, Event, Expected, Key, Ledger, NewEvent, Position, Projection, StreamName,
};
use fairway_model::EnvironmentName;

const CATEGORY: &str = "environment";
/// Most environments that are listed.
const LISTED_MAX: usize = 1000;

/// Reads environments and appends to their streams.
#[derive(Debug, Clone)]
pub struct Environments {
    ledger: Ledger,
}

impl Environments {
    /// The environments in a ledger.
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger }
    }

    /// How an environment stands.
    pub async fn get(&self, name: &EnvironmentName) -> Result<Environment, DeliveryError> {
        let row = self.ledger.row::<EnvironmentRows>(name.as_str()).await?;
        Ok(row.unwrap_or_else(|| Environment::new(name.clone())))
    }

    /// All environments of which anything is known, by name.
    pub async fn list(&self) -> Result<Vec<Environment>, DeliveryError> {
        let rows = self.ledger.last_rows::<EnvironmentRows>(LISTED_MAX).await?;
        Ok(rows.into_iter().rev().map(|(_, environment)| environment).collect())
    }

    /// Records a fact or intent.
    pub async fn record(
        &self,
        name: &EnvironmentName,
        event: &EnvironmentEvent,
    ) -> Result<Position, DeliveryError> {
        let stream = StreamName::of(CATEGORY, name)?;
        let event = NewEvent::new(event.kind(), event)?;
        Ok(self.ledger.append(&stream, Expected::Any, vec![event]).await?.position)
    }

    /// The environment that an event is about, and what it says.
    pub fn read(event: &Event) -> Option<(EnvironmentName, EnvironmentEvent)> {
        let name = environment_of(event)?;
        Some((name, event.decode().ok()?))
    }
}

fn environment_of(event: &Event) -> Option<EnvironmentName> {
    (event.stream.category() == CATEGORY).then(|| event.stream.id()?.parse().ok())?
}

/// A row per environment.
struct EnvironmentRows;

impl Projection for EnvironmentRows {
    const NAME: &'static str = "environments";
    const VERSION: u32 = 1;
    type Row = Environment;

    fn key(event: &Event) -> Option<Key> {
        environment_of(event).map(|name| Key::Text(name.to_string()))
    }

    fn apply(row: Option<Environment>, event: &Event) -> Result<Option<Environment>, DecodeError> {
        let Some(name) = environment_of(event) else {
            return Ok(row);
        };
        let mut environment = row.unwrap_or_else(|| Environment::new(name));
        environment.apply(&event.decode()?, event.recorded);
        Ok(Some(environment))
    }
}
