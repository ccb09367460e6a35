//! `AppendSession`, where each message is for one stream, and `AppendRecords`, where each event says
//! its stream and other streams can be checked. Events of one stream stay in their order; those of
//! different streams are appended stream by stream.

use crate::{
    append,
    expected::Revision,
    records::{
        failure::{Asked, too_large},
        record,
    },
    rights::Caller,
    status,
    wire::records::{
        AppendRecordsRequest, AppendRecordsResponse, AppendRequest, AppendResponse,
        AppendSessionResponse, StreamRevision,
    },
};
use fairway_ledger::{
    Append, Appended, BATCH_BYTES_MAX, BATCH_EVENTS_MAX, Expected, Ledger, NewEvent, StreamName,
};
use std::collections::HashMap;
use tonic::{Status, Streaming};

/// Appends the events of all messages.
pub(crate) async fn append_session(
    ledger: Ledger,
    caller: Caller,
    mut messages: Streaming<AppendRequest>,
) -> Result<AppendSessionResponse, Status> {
    let (mut appends, mut bytes, mut count) = (Vec::new(), 0, 0);
    while let Some(message) = messages.message().await? {
        let append = session_append(message, &caller)?;
        bytes += append.events.iter().map(NewEvent::bytes).sum::<usize>();
        count += append.events.len();
        if bytes > BATCH_BYTES_MAX || count > BATCH_EVENTS_MAX || appends.len() > BATCH_EVENTS_MAX {
            return Err(too_large());
        }
        appends.push(append);
    }
    if count == 0 {
        return Err(status::invalid("nothing is to be appended"));
    }
    let appended = write(&ledger, appends, Vec::new()).await?;
    let output = appended.iter().map(|(stream, appended)| AppendResponse {
        stream: stream.to_string(),
        stream_revision: Revision::last_of(appended.version).to_signed(),
        position: Some(position(appended)),
    });
    Ok(AppendSessionResponse { output: output.collect(), position: last(&appended) })
}

fn session_append(message: AppendRequest, caller: &Caller) -> Result<Append, Status> {
    let stream: StreamName = message.stream.parse().map_err(status::invalid)?;
    caller.may_append(&stream)?;
    let expected = record::expected(message.expected_revision)?;
    let events = message.records.into_iter().map(|record| record::event(record, &stream));
    Ok(Append { events: events.collect::<Result<_, _>>()?, stream, expected })
}

/// Appends events if all checks hold.
pub(crate) async fn append_records(
    ledger: Ledger,
    caller: Caller,
    request: AppendRecordsRequest,
) -> Result<AppendRecordsResponse, Status> {
    let mut asked = ByStream::default();
    for record in request.records {
        let stream: StreamName = record.stream.parse().map_err(status::invalid)?;
        let event = record::event(record, &stream)?;
        let append = asked.of(stream, |stream| caller.may_append(stream))?;
        append.events.push(event);
    }
    if asked.appends.is_empty() {
        return Err(status::invalid("nothing is to be appended"));
    }
    let mut checks = Vec::new();
    for check in request.checks {
        let check = check.stream_state.ok_or_else(|| status::invalid("a check is empty"))?;
        let stream: StreamName = check.stream.parse().map_err(status::invalid)?;
        let append = asked.of(stream.clone(), |stream| caller.may_read(stream))?;
        append.expected = record::expected(Some(check.expected_state))?;
        checks.push(stream);
    }
    let appended = write(&ledger, asked.appends, checks).await?;
    let revisions = appended.iter().map(|(stream, appended)| StreamRevision {
        stream: stream.to_string(),
        revision: Revision::last_of(appended.version).to_signed(),
    });
    Ok(AppendRecordsResponse { revisions: revisions.collect(), position: last(&appended) })
}

/// What is asked of each stream, by its first mention. The last check of a stream counts.
#[derive(Default)]
struct ByStream {
    appends: Vec<Append>,
    places: HashMap<StreamName, usize>,
}

impl ByStream {
    /// What is asked of a stream, if the caller may ask that.
    fn of(
        &mut self,
        stream: StreamName,
        may: impl FnOnce(&StreamName) -> Result<(), Status>,
    ) -> Result<&mut Append, Status> {
        let known = self.places.get(&stream).copied();
        let place = known.unwrap_or(self.appends.len());
        if known.is_none() {
            may(&stream)?;
            let (expected, events) = (Expected::Any, Vec::new());
            self.appends.push(Append { stream: stream.clone(), expected, events });
            self.places.insert(stream, place);
        }
        Ok(&mut self.appends[place])
    }
}

/// Appends all or nothing; says where the events of each stream went that got some.
async fn write(
    ledger: &Ledger,
    appends: Vec<Append>,
    checks: Vec<StreamName>,
) -> Result<Vec<(StreamName, Appended)>, Status> {
    let asked = Asked::of(&appends, checks);
    let with_events = appends.iter().map(|append| !append.events.is_empty());
    let with_events: Vec<bool> = with_events.collect();
    let appended = append::write_all(ledger, appends).await;
    let appended = appended.map_err(|error| asked.failed(error))?;
    let streams = asked.streams.into_iter().map(|(stream, ..)| stream);
    let all = streams.zip(appended).zip(with_events);
    Ok(all.filter(|(_, has_events)| *has_events).map(|(appended, _)| appended).collect())
}

fn last(appended: &[(StreamName, Appended)]) -> i64 {
    appended.iter().map(|(_, appended)| position(appended)).max().unwrap_or(0)
}

fn position(appended: &Appended) -> i64 {
    i64::try_from(appended.position.0).unwrap_or(i64::MAX)
}
