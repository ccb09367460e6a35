//! What verbs and the keeper say to each other: a greeting, then a JSON line per question and answer.

use fairway_engine::{ContainerId, Observation, ReplicaState};
use fairway_model::EnvironmentName;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::io;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The version of this protocol. Another one is refused.
pub const PROTOCOL: u32 = 1;
/// The longest line, in bytes.
pub const LINE_MAX: u64 = 1 << 20;

/// The keeper's first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// [`PROTOCOL`] of the keeper.
    pub protocol: u32,
    /// Its process.
    pub process: u32,
}

/// What a verb asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Look at the ledger now.
    Wake,
    /// How every replica of an environment stands.
    Replicas(EnvironmentName),
}

/// What the keeper answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It looks.
    Awake,
    /// How every replica stands.
    Replicas(Vec<Replica>),
}

/// One replica, of a service or a neighbour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replica {
    /// The name of its set.
    pub set: String,
    /// Its container.
    pub container: ContainerId,
    /// How it stands.
    pub standing: ReplicaStanding,
}

/// How a replica stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaStanding {
    /// It runs and is not ready yet.
    Starting,
    /// It takes traffic.
    Ready,
    /// It missed its readiness deadline, and why.
    Unready(String),
    /// It ended and is started again; how it ended.
    Ended(String),
}

impl Replica {
    /// What is told of a replica; none of one that is gone.
    pub fn of(seen: Observation) -> Option<Self> {
        let standing = match seen.state {
            ReplicaState::Starting => ReplicaStanding::Starting,
            ReplicaState::Ready(_) => ReplicaStanding::Ready,
            ReplicaState::Unready(why) => ReplicaStanding::Unready(why),
            ReplicaState::Ended(exit, _) => ReplicaStanding::Ended(exit.to_string()),
            ReplicaState::Gone => return None,
        };
        Some(Self { set: seen.set.name, container: seen.replica, standing })
    }
}

/// Writes one line.
pub async fn say(to: &mut (impl AsyncWrite + Unpin), what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    to.write_all(&line).await
}

/// Reads one line; none at the end. A line that is too long or says something else is an error.
pub async fn hear<T: DeserializeOwned>(
    from: &mut (impl AsyncBufRead + Unpin),
) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    from.take(LINE_MAX).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Ok(None);
    }
    if !line.ends_with(b"\n") {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the line has no end"));
    }
    Ok(Some(serde_json::from_slice(&line)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn what_is_said_is_heard() {
        let asked = Question::Replicas("staging".parse().unwrap());
        let mut line = Vec::new();
        say(&mut line, &asked).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&line), "{\"replicas\":\"staging\"}\n");
        assert_eq!(hear(&mut line.as_slice()).await.unwrap(), Some(asked));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn what_is_no_question_is_refused() {
        let endless = vec![b'a'; usize::try_from(LINE_MAX).unwrap() + 1];
        for line in ["\n", "{}\n", "{\"leap\":1}\n", "\"wake\"", "\u{0}\n"] {
            assert!(hear::<Question>(&mut line.as_bytes()).await.is_err(), "{line:?}");
        }
        assert!(hear::<Question>(&mut endless.as_slice()).await.is_err());
        assert_eq!(hear::<Question>(&mut [].as_slice()).await.unwrap(), None);
    }
}
