//! A look at everything in the file, as it is at one moment, while others write.

use crate::{
    event::{Position, Version},
    faults::{FAULTS_MAX, Fault},
    findings::{Findings, Looked, Span},
    read::StreamState,
    sqlite::writer,
    stream_name::StreamName,
};
use fairway_model::Timestamp;
use rusqlite::{Connection, Error, ErrorCode, Row, Rows, types::ValueRef};
use serde::de::IgnoredAny;

type Look = fn(&Connection, &mut Findings) -> Result<(), Error>;

/// Names what is wrong.
pub(crate) fn check(connection: &mut Connection) -> Result<Vec<Fault>, Error> {
    let transaction = connection.transaction()?;
    let looks: [Look; 6] = [pages, streams, events, ids, snapshots, projections];
    let mut findings = Findings::default();
    for look in looks {
        match look(&transaction, &mut findings) {
            // The rest of what is looked at cannot be read either.
            Err(error) if is_damage(&error) => findings.add(Fault::Storage(error.to_string())),
            result => result?,
        }
        if findings.is_full() {
            break;
        }
    }
    Ok(findings.faults())
}

fn is_damage(error: &Error) -> bool {
    let is_value = matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..)
    );
    let code = error.sqlite_error_code();
    is_value || matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// What SQLite itself finds: damaged pages, indexes that do not fit their tables.
fn pages(connection: &Connection, findings: &mut Findings) -> Result<(), Error> {
    let mut check = connection.prepare(&format!("PRAGMA integrity_check({FAULTS_MAX})"))?;
    let mut found = check.query(())?;
    while let Some(row) = found.next()? {
        let text: String = row.get(0)?;
        if text != "ok" {
            findings.add(Fault::Storage(text));
        }
    }
    Ok(())
}

/// Versions without gaps, and streams that know theirs.
fn streams(connection: &Connection, findings: &mut Findings) -> Result<(), Error> {
    let mut select = connection.prepare(
        "SELECT s.id, s.name, s.version, s.truncated, s.standing, c.name FROM streams s
         LEFT JOIN categories c ON c.id = s.category ORDER BY s.id",
    )?;
    let mut count = connection.prepare(
        "SELECT stream, COUNT(*), MIN(version), MAX(version) FROM events
         GROUP BY stream ORDER BY stream",
    )?;
    let (mut rows, mut counts) = (select.query(())?, count.query(())?);
    let mut has = next(&mut counts)?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let state = state(row)?;
        // Events of streams that are not there are found one by one.
        while has.is_some_and(|(stream, _)| stream < id) {
            has = next(&mut counts)?;
        }
        let own = has.filter(|(stream, _)| *stream == id).map(|(_, span)| span);
        findings.stream(&state, row.get_ref(5)?.as_str_or_null()?, own);
        if let Some(own) = own.filter(Span::has_gap) {
            findings.add(gap(connection, id, state.name, own)?);
        }
    }
    Ok(())
}

/// What the next stream has of events.
fn next(counts: &mut Rows<'_>) -> Result<Option<(i64, Span)>, Error> {
    let Some(row) = counts.next()? else { return Ok(None) };
    let (low, high) = (Version(row.get(2)?), Version(row.get(3)?));
    Ok(Some((row.get(0)?, Span { count: row.get(1)?, low, high })))
}

fn state(row: &Row<'_>) -> Result<StreamState, Error> {
    Ok(StreamState {
        name: StreamName::trusted(row.get_ref(1)?.as_str()?),
        version: Version(row.get(2)?),
        truncated: Version(row.get(3)?),
        standing: row.get(4)?,
    })
}

/// The first version that is missing between others.
fn gap(connection: &Connection, id: i64, stream: StreamName, has: Span) -> Result<Fault, Error> {
    let first = "SELECT MIN(version) + 1 FROM events e WHERE stream = ?1 AND version < ?2
        AND NOT EXISTS (SELECT 1 FROM events n
            WHERE n.stream = e.stream AND n.version = e.version + 1)";
    let version = connection.query_row(first, (id, has.high.0), |row| row.get(0))?;
    Ok(Fault::Missing { stream, version: Version(version) })
}

/// Events one by one, and whether there are as many as there should be.
fn events(connection: &Connection, findings: &mut Findings) -> Result<(), Error> {
    let mut select = connection.prepare(
        "SELECT e.position, e.recorded, s.category IS e.category, e.data, e.metadata
         FROM events e LEFT JOIN streams s ON s.id = e.stream ORDER BY e.position",
    )?;
    let mut rows = select.query(())?;
    while let Some(row) = rows.next()? {
        let mut unsound = Vec::new();
        for (column, part) in [(3, "data"), (4, "metadata")] {
            if !is_sound(row.get_ref(column)?) {
                unsound.push(part);
            }
        }
        let (position, recorded) = (Position(row.get(0)?), Timestamp(row.get(1)?));
        findings.event(Looked { position, recorded, unsound, belongs: row.get(2)? });
        if findings.is_full() {
            return Ok(());
        }
    }
    findings.end(writer::position(connection)?);
    Ok(())
}

/// Texts have to be JSON; bytes can be anything.
fn is_sound(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Text(text) => {
            str::from_utf8(text).is_ok() && serde_json::from_slice::<IgnoredAny>(text).is_ok()
        }
        ValueRef::Blob(_) => true,
        _ => false,
    }
}

fn ids(connection: &Connection, findings: &mut Findings) -> Result<(), Error> {
    let mut select = connection.prepare(
        "SELECT MAX(position) FROM events WHERE id IS NOT NULL
         GROUP BY stream, id HAVING COUNT(*) > 1 LIMIT ?1",
    )?;
    let found = select.query_map([FAULTS_MAX], |row| Ok(Fault::DoubleId(Position(row.get(0)?))))?;
    for fault in found {
        findings.add(fault?);
    }
    Ok(())
}

fn snapshots(connection: &Connection, findings: &mut Findings) -> Result<(), Error> {
    let mut select = connection.prepare(
        "SELECT s.name, n.version FROM snapshots n JOIN streams s ON s.id = n.stream
         WHERE n.version > s.version LIMIT ?1",
    )?;
    let found = select.query_map([FAULTS_MAX], |row| {
        let stream = StreamName::trusted(row.get_ref(0)?.as_str()?);
        Ok(Fault::Snapshot { stream, version: Version(row.get(1)?) })
    })?;
    for fault in found {
        findings.add(fault?);
    }
    Ok(())
}

fn projections(connection: &Connection, findings: &mut Findings) -> Result<(), Error> {
    let head = writer::position(connection)?.0;
    let mut select = connection
        .prepare("SELECT name, position FROM projections WHERE position > ?1 LIMIT ?2")?;
    let found = select.query_map((head, FAULTS_MAX), |row| {
        Ok(Fault::Projection { name: row.get(0)?, position: Position(row.get(1)?) })
    })?;
    for fault in found {
        findings.add(fault?);
    }
    Ok(())
}
