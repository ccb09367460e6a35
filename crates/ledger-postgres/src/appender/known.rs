//! What the holder of the lease remembers of streams. Nobody else changes them, so it stays true for
//! as long as the lease is held.

use crate::{
    connection::Link,
    error::Fault,
    reader::{signed, unsigned},
    streams,
};
use fairway_ledger::{
    Append, EventId, LedgerId, Place, Position, StreamName, StreamState, Version,
};
use std::collections::{HashMap, HashSet};

/// Most streams that are remembered from batch to batch, and most categories.
const STREAMS_MAX: usize = 50_000;

/// A stream in the tables, or that there is none of that name.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// None: it is not there.
    pub(crate) ids: Option<StreamIds>,
    pub(crate) state: StreamState,
}

/// The numbers of a stream and its category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamIds {
    pub(crate) stream: i64,
    pub(crate) category: i64,
}

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) streams: HashMap<StreamName, Entry>,
    pub(crate) categories: HashMap<String, i64>,
}

/// Where events are, or were, whose ids somebody appends.
pub(crate) type Places = HashMap<(StreamName, EventId), Place>;

/// Ids that somebody appends, as columns. Those that the ledger derived are of one position.
#[derive(Debug, Default)]
struct GivenIds<'a> {
    streams: Vec<&'a str>,
    ids: Vec<&'a [u8]>,
    derived_from: Vec<Option<i64>>,
}

const STREAMS: &str = "
    SELECT id, category, name, version, truncated, standing FROM states WHERE name = ANY($1)";
const CATEGORIES: &str = "SELECT id, name FROM categories WHERE name = ANY($1)";
const PLACES: &str = "
    SELECT u.name, u.id, e.position, e.version
    FROM unnest($1::text[], $2::bytea[], $3::bigint[]) AS u(name, id, derived_from)
    JOIN streams s ON s.name = u.name
    JOIN LATERAL (
        SELECT position, version FROM events
        WHERE position = u.derived_from AND stream = s.id AND events.id IS NULL
        UNION ALL
        SELECT position, version FROM events WHERE stream = s.id AND events.id = u.id
        UNION ALL
        SELECT position, version FROM truncated_ids t WHERE stream = s.id AND t.id = u.id
        LIMIT 1
    ) e ON true";

impl Known {
    /// Learns all that deciding on some appends takes, in one round trip.
    pub(crate) async fn learn(
        &mut self,
        link: &Link,
        ledger: LedgerId,
        appends: impl Iterator<Item = &Append> + Clone + Send,
    ) -> Result<Places, Fault> {
        if self.streams.len() > STREAMS_MAX || self.categories.len() > STREAMS_MAX {
            *self = Self::default();
        }
        let streams = self.unknown(appends.clone());
        let given = self.given_ids(ledger, appends);
        tokio::try_join!(
            async {
                if !streams.is_empty() {
                    self.learn_streams(link, streams).await?;
                }
                Ok(())
            },
            places(link, given),
        )
        .map(|((), places)| places)
    }

    /// Names of streams that are not remembered.
    fn unknown<'a>(&self, appends: impl Iterator<Item = &'a Append>) -> Vec<StreamName> {
        let mut names: HashSet<StreamName> = HashSet::new();
        for append in appends {
            names.insert(append.stream.clone());
            names.extend(append.retentions().into_iter().map(|(about, _)| about));
        }
        names.retain(|name| !self.streams.contains_key(name));
        names.into_iter().collect()
    }

    /// Ids that are given to events of streams that may have them.
    fn given_ids<'a>(
        &self,
        ledger: LedgerId,
        appends: impl Iterator<Item = &'a Append>,
    ) -> GivenIds<'a> {
        let mut given = GivenIds::default();
        for append in appends {
            if self.streams.get(&append.stream).is_some_and(|entry| entry.ids.is_none()) {
                continue;
            }
            for id in append.events.iter().filter_map(|event| event.id.as_ref()) {
                given.streams.push(append.stream.as_str());
                given.ids.push(id.0.as_slice());
                let position = id.derived_from(ledger);
                given.derived_from.push(position.map(|position| signed(position.0)));
            }
        }
        given
    }

    async fn learn_streams(&mut self, link: &Link, names: Vec<StreamName>) -> Result<(), Fault> {
        let texts: Vec<&str> = names.iter().map(StreamName::as_str).collect();
        let unknown: HashSet<&str> = names
            .iter()
            .map(StreamName::category)
            .filter(|category| !self.categories.contains_key(*category))
            .collect();
        let unknown: Vec<&str> = unknown.into_iter().collect();
        let (streams, categories) =
            tokio::try_join!(async { link.query(STREAMS, &[&texts]).await }, async {
                if unknown.is_empty() {
                    return Ok(Vec::new());
                }
                link.query(CATEGORIES, &[&unknown]).await
            })?;
        let category = |row: &tokio_postgres::Row| (row.get(1), row.get(0));
        self.categories.extend(categories.iter().map(category));
        for row in &streams {
            let state = streams::state(row, 2);
            let ids = Some(StreamIds { stream: row.get(0), category: row.get(1) });
            self.streams.insert(state.name.clone(), Entry { ids, state });
        }
        for name in names {
            let none = || Entry { ids: None, state: StreamState::none(name.clone()) };
            self.streams.entry(name.clone()).or_insert_with(none);
        }
        Ok(())
    }
}

async fn places(link: &Link, given: GivenIds<'_>) -> Result<Places, Fault> {
    let GivenIds { streams, ids, derived_from } = given;
    if ids.is_empty() {
        return Ok(Places::new());
    }
    let mut places = Places::new();
    for row in link.query(PLACES, &[&streams, &ids, &derived_from]).await? {
        let Ok(id) = <[u8; 16]>::try_from(row.get::<_, &[u8]>(1)) else { continue };
        let place = Place {
            position: Position(unsigned(row.get(2))),
            version: Version(unsigned(row.get(3))),
        };
        places.insert((StreamName::trusted(row.get(0)), EventId(id)), place);
    }
    Ok(places)
}
