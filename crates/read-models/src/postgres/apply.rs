//! Takes in events with their checkpoint, in one transaction: all at once as long as nothing fails,
//! else one by one.

use super::{
    link::{Text, of_event, unusable},
    standing,
};
use crate::{
    intake::{Again, Intake, Turn},
    plan::{Plan, Statement as Planned},
    sql::number_parameters,
    target::{Replay, TargetError},
};
use fairway_ledger::{Event, Position};
use futures_util::future::try_join_all;
use std::time::Instant;
use tokio_postgres::{Client, Error, Statement};

/// What takes in events.
pub(super) struct Applier {
    pub(super) plan: Plan,
    pub(super) statements: Vec<Vec<Statement>>,
    pub(super) intake: Intake,
}

/// A statement with its values.
type Call<'a> = (&'a Statement, Vec<Text>);

impl Applier {
    /// Prepares all statements of a plan.
    pub(super) async fn prepare(
        client: &Client,
        plan: &Plan,
    ) -> Result<Vec<Vec<Statement>>, TargetError> {
        let mut all = Vec::new();
        for handler in plan.handlers() {
            let mut statements = Vec::new();
            for statement in &handler.statements {
                let numbered = number_parameters(&statement.sql.text);
                let prepared = client.prepare(&numbered.sql).await;
                statements.push(prepared.map_err(|error| unusable("prepare a statement", error))?);
            }
            all.push(statements);
        }
        Ok(all)
    }

    /// Takes in events; what fails is parked.
    pub(super) async fn apply(
        &mut self,
        client: &Client,
        events: &[Event],
        to: Position,
    ) -> Result<(), TargetError> {
        if self.all_at_once(client, events, to).await? {
            self.intake.position = to;
        } else {
            self.intake = self.one_by_one(client, events, to).await?;
        }
        Ok(())
    }

    /// Sends all statements without waiting for each; false if one failed, and then nothing is done.
    async fn all_at_once(
        &self,
        client: &Client,
        events: &[Event],
        to: Position,
    ) -> Result<bool, TargetError> {
        let mut calls = Vec::new();
        for event in events {
            let Some(at) = self.plan.handler_of(event) else { continue };
            match self.intake.turn(event.position, || self.plan.key(event)) {
                Turn::Skip => {}
                Turn::Wait => return Ok(false),
                Turn::Try => match self.calls(at, event) {
                    Ok(of_event) => calls.extend(of_event),
                    Err(_) => return Ok(false),
                },
            }
        }
        begin(client).await?;
        let all =
            calls.into_iter().map(|(statement, values)| client.execute_raw(statement, values));
        if let Err(error) = try_join_all(all).await {
            rollback(client).await?;
            return if of_event(&error).is_some() {
                Ok(false)
            } else {
                Err(unusable("write", error))
            };
        }
        self.commit(client, (to, self.intake.asks)).await?;
        Ok(true)
    }

    /// Takes in events in order; says what is to be remembered then.
    async fn one_by_one(
        &self,
        client: &Client,
        events: &[Event],
        to: Position,
    ) -> Result<Intake, TargetError> {
        let mut intake = self.intake.clone();
        intake.position = to;
        begin(client).await?;
        for event in events {
            let Some(at) = self.plan.handler_of(event) else { continue };
            let key = self.plan.key(event);
            match intake.turn(event.position, || key.clone()) {
                Turn::Skip => {}
                Turn::Wait => {
                    park(client, &intake, event, (&key, None)).await?;
                    intake.wait();
                }
                Turn::Try => {
                    if let Some(error) = self.attempt(client, at, event).await? {
                        park(client, &intake, event, (&key, Some(&error))).await?;
                        intake.fail(key, Instant::now());
                    }
                }
            }
        }
        self.commit(client, (to, intake.asks)).await?;
        Ok(intake)
    }

    /// Tries parked events again, in order; a key ends with the first that fails.
    pub(super) async fn replay(
        &mut self,
        client: &Client,
        replay: &Replay,
    ) -> Result<(), TargetError> {
        let (mut intake, mut again) = (self.intake.clone(), Again::of(replay));
        begin(client).await?;
        for position in &replay.left {
            standing::unpark(client, *position).await.map_err(writing)?;
        }
        for event in &replay.events {
            let key = self.plan.key(event);
            if !again.is_due(event.position, &key) {
                continue;
            }
            let error = match self.plan.handler_of(event) {
                Some(at) => self.attempt(client, at, event).await?,
                None => None,
            };
            if let Some(error) = error {
                let tries = standing::fail(client, event.position.0, &error).await;
                let tries = tries.map_err(writing)?;
                intake.fail_again(&mut again, (key, tries), Instant::now());
            } else {
                standing::unpark(client, event.position.0).await.map_err(writing)?;
                again.take(key);
            }
        }
        let keys = standing::keys(client).await.map_err(writing)?;
        let parked = standing::parked_count(client).await.map_err(writing)?;
        intake.settle(&again, (parked, &keys), Instant::now());
        self.commit(client, (intake.position, intake.asks)).await?;
        self.intake = intake;
        Ok(())
    }

    /// Runs an event's statements, all or none; says why it failed.
    async fn attempt(
        &self,
        client: &Client,
        at: usize,
        event: &Event,
    ) -> Result<Option<String>, TargetError> {
        let calls = match self.calls(at, event) {
            Ok(calls) => calls,
            Err(missing) => return Ok(Some(missing)),
        };
        client.batch_execute("SAVEPOINT event").await.map_err(writing)?;
        for (statement, values) in calls {
            if let Err(error) = client.execute_raw(statement, values).await {
                let Some(words) = of_event(&error) else { return Err(writing(error)) };
                client.batch_execute("ROLLBACK TO event").await.map_err(writing)?;
                return Ok(Some(words));
            }
        }
        client.batch_execute("RELEASE event").await.map_err(writing)?;
        Ok(None)
    }

    /// The statements for an event with their values; or what it lacks.
    fn calls(&self, at: usize, event: &Event) -> Result<Vec<Call<'_>>, String> {
        let (handler, mut found) = (&self.plan.handlers()[at], Vec::new());
        handler.find(event, &mut found);
        let call = |(planned, prepared): (&Planned, _)| {
            let value = |(_, parameter): &(Box<str>, crate::plan::Parameter)| {
                let value =
                    parameter.value(event, &found).map_err(|place| handler.missing(place))?;
                Ok(Text::from(&value))
            };
            let values = planned.parameters.iter().map(value).collect::<Result<_, String>>()?;
            Ok((prepared, values))
        };
        handler.statements.iter().zip(&self.statements[at]).map(call).collect()
    }

    async fn commit(&self, client: &Client, to: (Position, u64)) -> Result<(), TargetError> {
        let is_ours = standing::write(client, self.intake.position, to).await.map_err(writing)?;
        if is_ours {
            return client.batch_execute("COMMIT").await.map_err(writing);
        }
        rollback(client).await?;
        Err(TargetError::Foreign("another process moved the checkpoint".to_owned()))
    }
}

async fn park(
    client: &Client,
    intake: &Intake,
    event: &Event,
    why: (&str, Option<&str>),
) -> Result<(), TargetError> {
    if let Err(full) = intake.room() {
        rollback(client).await?;
        return Err(full.into());
    }
    standing::park(client, event, why).await.map_err(writing)
}

async fn begin(client: &Client) -> Result<(), TargetError> {
    client.batch_execute("BEGIN").await.map_err(writing)
}

async fn rollback(client: &Client) -> Result<(), TargetError> {
    client.batch_execute("ROLLBACK").await.map_err(writing)
}

fn writing(error: Error) -> TargetError {
    unusable("write", error)
}
