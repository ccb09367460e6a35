//! Who follows a ledger that several machines share: whoever claimed it last, which is a fact in it.
//! What the holder writes down is checked against its claim in the same append, so one that was
//! paused and goes on does no harm. Clocks only say when it is fair to take over: the holder writes a
//! row about every second, and who waits looks with a clock of its own whether it changes.

use crate::notes::Notes;
use fairway_ledger::{
    Append, AppendError, Expected, Key, Ledger, LedgerError, NewEvent, StreamName, Version,
};
use serde::Serialize;
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinHandle};

const STREAM: &str = "$read-models";
const CLAIMED: &str = "read-models-claimed";
/// What the row of a claim says when its holder needs it no more.
const RELEASED: &str = "released";
/// How often the holder says that it is there.
const BEAT: Duration = Duration::from_secs(1);
/// How often who waits looks.
const LOOK: Duration = Duration::from_millis(500);
/// The holder is gone when it has said nothing for so long.
const GONE: Duration = Duration::from_secs(5);

/// Whether processes on other machines can follow the ledger, so that a lock on this one says little.
pub(crate) fn is_shared(ledger: &Ledger) -> bool {
    !Path::new(&ledger.place()).is_file()
}

/// What a driver holds beside the lock of its directory.
#[derive(Debug)]
pub(super) struct Claim {
    lost: watch::Sender<bool>,
    /// None where the lock is enough.
    made: Option<Made>,
}

/// A claim in a ledger.
#[derive(Debug)]
struct Made {
    ledger: Ledger,
    /// That of the fact: it rises with every claim.
    version: Version,
    beating: JoinHandle<()>,
}

impl Drop for Made {
    fn drop(&mut self) {
        self.beating.abort();
    }
}

impl Claim {
    /// Claims a ledger, once the one that holds it is gone or needs it no more.
    pub(super) async fn wait(ledger: &Ledger) -> Self {
        if !is_shared(ledger) {
            return Self { lost: watch::Sender::new(false), made: None };
        }
        let mut waiting = Waiting::default();
        loop {
            match Self::try_make(ledger, &mut waiting).await {
                Ok(Some(claim)) => return claim,
                Ok(None) => {}
                // The holder could not say that it is there either.
                Err(_) => waiting = Waiting::default(),
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn try_make(ledger: &Ledger, waiting: &mut Waiting) -> Result<Option<Self>, AppendError> {
        let seen = Seen::look(ledger).await?;
        let before = seen.version;
        if !waiting.is_over(seen, Instant::now()) {
            return Ok(None);
        }
        Self::make(ledger, before).await
    }

    /// Claims a ledger unless somebody has claimed it since a version.
    async fn make(ledger: &Ledger, before: Version) -> Result<Option<Self>, AppendError> {
        let fact = NewEvent::new(CLAIMED, &Nothing {}).expect("a claim is JSON");
        let version = match ledger.append(&stream(), Expected::Exact(before), vec![fact]).await {
            Ok(appended) => appended.version,
            Err(AppendError::Conflict { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        store(ledger, vec![(before, None), (version, Some("0".to_owned()))]).await?;
        let lost = watch::Sender::new(false);
        let beating = tokio::spawn(beat(ledger.clone(), version, lost.clone()));
        Ok(Some(Self { lost, made: Some(Made { ledger: ledger.clone(), version, beating }) }))
    }

    /// Becomes true when somebody else has claimed the ledger.
    pub(super) fn lost(&self) -> watch::Receiver<bool> {
        self.lost.subscribe()
    }

    /// Holds of an append only while nobody else has claimed the ledger.
    pub(super) fn fence(&self) -> Option<Append> {
        let Made { version, .. } = self.made.as_ref()?;
        Some(Append { stream: stream(), expected: Expected::Exact(*version), events: Vec::new() })
    }

    /// Looks at a stream that was not as expected: that of the fence says that the claim is lost.
    pub(super) fn refused(&self, found: &StreamName) {
        if *found == stream() {
            self.lost.send_replace(true);
        }
    }

    /// Lets the next one claim the ledger at once.
    pub(super) async fn release(self) {
        let Some(made) = &self.made else { return };
        made.beating.abort();
        let is_lost = *self.lost.borrow();
        let row = (!is_lost).then(|| RELEASED.to_owned());
        // If that fails, the next one waits as if this one had been killed.
        store(&made.ledger, vec![(made.version, row)]).await.unwrap_or_default();
    }
}

/// Says that the holder is there, until it is not the holder any more.
async fn beat(ledger: Ledger, version: Version, lost: watch::Sender<bool>) {
    for number in 1_u64.. {
        tokio::time::sleep(BEAT).await;
        let beat = async {
            let is_mine = ledger.stream_version(&stream()).await? == version;
            if is_mine {
                store(&ledger, vec![(version, Some(number.to_string()))]).await?;
            }
            Ok::<_, LedgerError>(is_mine)
        };
        // A ledger that is away says nothing of who holds it.
        if let Ok(false) = beat.await {
            lost.send_replace(true);
            return;
        }
    }
}

#[derive(Serialize)]
struct Nothing {}

fn stream() -> StreamName {
    STREAM.parse().expect("it is a name of a stream")
}

/// Stores the rows of claims.
async fn store(ledger: &Ledger, rows: Vec<(Version, Option<String>)>) -> Result<(), LedgerError> {
    let rows = rows.into_iter().map(|(version, row)| (Key::from(version.0), row)).collect();
    Notes { ledger, set: STREAM }.change(rows).await
}

/// What is seen of who holds a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    /// Of the last claim; 0 if there was none.
    version: Version,
    /// What its holder wrote last.
    row: Option<String>,
}

impl Seen {
    async fn look(ledger: &Ledger) -> Result<Self, LedgerError> {
        let version = ledger.stream_version(&stream()).await?;
        let row = Notes { ledger, set: STREAM }.get(version.0.into()).await?;
        Ok(Self { version, row })
    }

    fn is_free(&self) -> bool {
        self.version == Version(0) || self.row.as_deref() == Some(RELEASED)
    }
}

/// How long the holder has said nothing. Pure: who calls brings the time.
#[derive(Debug, Default)]
struct Waiting {
    last: Option<(Seen, Instant)>,
}

impl Waiting {
    /// Whether the ledger may be claimed, by what is seen now.
    fn is_over(&mut self, seen: Seen, now: Instant) -> bool {
        if seen.is_free() {
            return true;
        }
        match &self.last {
            Some((last, since)) if *last == seen => now.duration_since(*since) >= GONE,
            Some(_) | None => {
                self.last = Some((seen, now));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> (tempfile::TempDir, Ledger) {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        let ledger = Ledger::open(&dir.path().join("events.db")).unwrap();
        (dir, ledger)
    }

    async fn claim(ledger: &Ledger, before: u64) -> Option<Claim> {
        Claim::make(ledger, Version(before)).await.unwrap()
    }

    /// Appends what only the holder may; says whether it was stored.
    async fn tell(ledger: &Ledger, claim: &Claim) -> bool {
        let event = NewEvent::new("told", &1).unwrap();
        let stream = "$read-model-orders".parse().unwrap();
        let told = Append { stream, expected: Expected::Any, events: vec![event] };
        match ledger.append_all(vec![told, claim.fence().unwrap()]).await {
            Ok(_) => true,
            Err(AppendError::Conflict { stream, .. }) => {
                claim.refused(&stream);
                false
            }
            Err(error) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn who_claimed_before_writes_nothing_down_any_more_and_is_told() {
        let (_dir, ledger) = ledger();
        let first = claim(&ledger, 0).await.unwrap();
        assert!(tell(&ledger, &first).await);
        let second = claim(&ledger, 1).await.unwrap();
        assert!(!*first.lost().borrow());
        assert!(!tell(&ledger, &first).await);
        assert!(*first.lost().borrow());
        assert!(tell(&ledger, &second).await);
        assert!(claim(&ledger, 1).await.is_none(), "it was claimed since");
    }

    #[tokio::test]
    async fn who_claimed_before_finds_out_by_itself() {
        let (_dir, ledger) = ledger();
        let first = claim(&ledger, 0).await.unwrap();
        let _second = claim(&ledger, 1).await.unwrap();
        first.lost().wait_for(|lost| *lost).await.unwrap();
        first.release().await;
        let seen = Seen::look(&ledger).await.unwrap();
        assert!(!seen.is_free(), "the other holds it still");
    }

    #[tokio::test]
    async fn a_claim_that_is_needed_no_more_is_made_by_the_next_at_once() {
        let (_dir, ledger) = ledger();
        claim(&ledger, 0).await.unwrap().release().await;
        let made = Claim::try_make(&ledger, &mut Waiting::default()).await.unwrap();
        assert_eq!(made.unwrap().made.as_ref().unwrap().version, Version(2));
    }

    #[test]
    fn a_holder_that_says_nothing_for_a_while_is_gone() {
        let start = Instant::now();
        let mut waiting = Waiting::default();
        let mut at = |millis, version, row: Option<&str>| {
            let seen = Seen { version: Version(version), row: row.map(str::to_owned) };
            waiting.is_over(seen, start + Duration::from_millis(millis))
        };
        assert!(at(0, 0, None), "nobody ever claimed it");
        assert!(!at(0, 1, Some("1")));
        assert!(!at(4_900, 1, Some("1")));
        assert!(!at(5_500, 1, Some("2")), "it said something");
        assert!(!at(10_000, 1, Some("2")));
        assert!(!at(10_400, 2, None), "another claimed it");
        assert!(!at(15_300, 2, None));
        assert!(at(15_400, 2, None));
        assert!(at(15_500, 3, Some(RELEASED)));
    }
}
