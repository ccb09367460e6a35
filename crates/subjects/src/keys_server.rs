//! The keys of subjects in a database of PostgreSQL, for those who append on several machines.

use crate::{
    error::SubjectError,
    key::Key,
    keys::{Found, Keys, KeysId, Of},
    session::Session,
};
use async_trait::async_trait;
use fairway_ledger::StreamName;
use fairway_ledger_postgres::AddressError;
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::{
    Client, Error, Row,
    types::{ToSql, Type},
};

/// The schema, if the address says nothing of it.
const SCHEMA: &str = "fairway_subjects";

/// Keys that were put by somebody else meanwhile are not seen by this, nor are those that were
/// removed: what is missing is asked for again.
const PUT: &str = "
    WITH put AS (
        INSERT INTO keys (subject, key) SELECT * FROM unnest($1, $2)
        ON CONFLICT (subject) DO NOTHING RETURNING subject, key
    ), noted AS (
        INSERT INTO streams (stream, subject) SELECT * FROM unnest($3, $4)
        ON CONFLICT DO NOTHING
    )
    SELECT subject, key FROM put
    UNION ALL SELECT subject, key FROM keys WHERE subject = ANY($1)";
const NOTE: &str = "
    WITH known AS (
        SELECT stream, subject FROM unnest($1, $2) AS sealed (stream, subject)
        JOIN keys USING (subject)
    ), noted AS (
        INSERT INTO streams (stream, subject) SELECT stream, subject FROM known
        ON CONFLICT DO NOTHING
    )
    SELECT EXISTS (SELECT FROM known)";
const OF_STREAM: &str =
    "SELECT subject, key FROM streams JOIN keys USING (subject) WHERE stream = $1";
const FORGET: &str = "
    WITH removed AS (DELETE FROM keys WHERE subject = $1)
    DELETE FROM streams WHERE subject = $1";

/// Keys in a database.
#[derive(Debug)]
pub(crate) struct KeysServer(Session);

impl KeysServer {
    pub(crate) fn new(url: &str) -> Result<Self, AddressError> {
        Ok(Self(Session::new(url, SCHEMA)?))
    }

    /// The keys that are there now; those of the others are made, and found by who asks again.
    async fn put(&self, fresh: &BTreeMap<&str, Key>, of: &Of) -> Result<Found, SubjectError> {
        let subjects: Vec<&[u8]> = fresh.keys().map(|subject| subject.as_bytes()).collect();
        let keys: Vec<&[u8]> = fresh.values().map(|key| &key.0[..]).collect();
        let (streams, noted) = columns(of);
        let (subjects, keys, streams, noted) = (&subjects, &keys, &streams, &noted);
        let rows = self.0.make(|client| async move {
            let params: [(&(dyn ToSql + Sync), Type); 4] = [
                (subjects, Type::BYTEA_ARRAY),
                (keys, Type::BYTEA_ARRAY),
                (streams, Type::TEXT_ARRAY),
                (noted, Type::BYTEA_ARRAY),
            ];
            client.query_typed(PUT, &params).await
        });
        Ok(found(&rows.await?))
    }
}

#[async_trait]
impl Keys for KeysServer {
    fn place(&self) -> String {
        self.0.place().to_owned()
    }

    async fn find_id(&self) -> Result<Option<KeysId>, SubjectError> {
        self.0.find(|client| async move { id(&client).await.map(Some) }).await
    }

    async fn id(&self) -> Result<KeysId, SubjectError> {
        self.0.make(|client| async move { id(&client).await }).await
    }

    async fn keys_for(&self, wanted: Of) -> Result<(KeysId, Found), SubjectError> {
        let mut fresh = BTreeMap::new();
        for (_, subject) in &wanted {
            fresh.insert(subject.as_str(), Key::generate()?);
        }
        loop {
            let found = self.put(&fresh, &wanted).await?;
            if found.len() == fresh.len() {
                return Ok((self.id().await?, found));
            }
        }
    }

    async fn note(&self, sealed: Of) -> Result<bool, SubjectError> {
        let (streams, subjects) = columns(&sealed);
        let (streams, subjects) = (&streams, &subjects);
        let noted = self.0.find(|client| async move {
            let params: [(&(dyn ToSql + Sync), Type); 2] =
                [(streams, Type::TEXT_ARRAY), (subjects, Type::BYTEA_ARRAY)];
            client.query_typed_one(NOTE, &params).await?.try_get(0)
        });
        noted.await
    }

    async fn keys(&self, subjects: BTreeSet<String>) -> Result<Found, SubjectError> {
        let subjects: Vec<&[u8]> = subjects.iter().map(String::as_bytes).collect();
        let subjects = &subjects;
        let rows = self.0.find(|client| async move {
            let find = "SELECT subject, key FROM keys WHERE subject = ANY($1)";
            client.query_typed(find, &[(subjects, Type::BYTEA_ARRAY)]).await
        });
        Ok(found(&rows.await?))
    }

    async fn keys_of(&self, stream: &StreamName) -> Result<Found, SubjectError> {
        let stream = stream.as_str();
        let rows = self.0.find(|client| async move {
            client.query_typed(OF_STREAM, &[(&stream, Type::TEXT)]).await
        });
        Ok(found(&rows.await?))
    }

    async fn forget(&self, subject: &str) -> Result<bool, SubjectError> {
        // Looked up before, because a removal of which the answer is lost is done again.
        let is_there = !self.keys(BTreeSet::from([subject.to_owned()])).await?.is_empty();
        let subject = subject.as_bytes();
        let removed = self.0.find(|client| async move {
            client.query_typed(FORGET, &[(&subject, Type::BYTEA)]).await.map(drop)
        });
        removed.await?;
        Ok(is_there)
    }
}

async fn id(client: &Client) -> Result<KeysId, Error> {
    client.query_typed_one("SELECT id FROM about", &[]).await?.try_get(0).map(KeysId)
}

/// The streams, and beside them the subjects.
fn columns(of: &Of) -> (Vec<&str>, Vec<&[u8]>) {
    of.iter().map(|(stream, subject)| (stream.as_str(), subject.as_bytes())).unzip()
}

/// The keys in rows, by subject.
fn found(rows: &[Row]) -> Found {
    let key = |row: &Row| {
        let subject = String::from_utf8(row.get(0)).expect("subjects are texts");
        let key: Vec<u8> = row.get(1);
        (subject, Key(key.try_into().expect("the table has no keys of another length")))
    };
    rows.iter().map(key).collect()
}
