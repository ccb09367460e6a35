//! `Append`: the options, then events one by one, then one answer.

use crate::{
    expected::{self, Revision},
    proposed, recorded,
    rights::Caller,
    status,
    wire::streams::{
        AppendReq, AppendResp, AppendSuccess, WrongVersion, append_req::Content, append_resp,
    },
};
use fairway_ledger::{
    Append, AppendError, Appended, BATCH_BYTES_MAX, BATCH_EVENTS_MAX, Expected, Ledger, NewEvent,
    StreamName,
};
use std::collections::HashSet;
use tonic::{Status, Streaming};

/// Takes all events of a call and appends them at once.
pub(crate) async fn append(
    ledger: Ledger,
    caller: Caller,
    mut messages: Streaming<AppendReq>,
) -> Result<AppendResp, Status> {
    let first = messages.message().await?.and_then(|message| message.content);
    let Some(Content::Options(options)) = first else {
        return Err(status::invalid("the first message of an append has the options"));
    };
    let (stream, expected) = expected::change(Some(options))?;
    caller.may_append(&stream)?;
    let events = collect(&stream, messages).await?;
    let append = Append { stream, expected, events };
    answer(expected, write(&ledger, append).await)
}

async fn collect(
    stream: &StreamName,
    mut messages: Streaming<AppendReq>,
) -> Result<Vec<NewEvent>, Status> {
    let (mut events, mut bytes) = (Vec::new(), 0);
    while let Some(message) = messages.message().await? {
        let Some(Content::ProposedMessage(message)) = message.content else {
            return Err(status::invalid("an append has its options once"));
        };
        let event = proposed::event(message, stream)?;
        bytes += event.bytes();
        if bytes > BATCH_BYTES_MAX || events.len() == BATCH_EVENTS_MAX {
            return Err(status::too_large(BATCH_BYTES_MAX));
        }
        events.push(event);
    }
    Ok(events)
}

/// Appends to one stream.
pub(crate) async fn write(ledger: &Ledger, append: Append) -> Result<Appended, AppendError> {
    let appended = write_all(ledger, vec![append]).await?;
    Ok(*appended.first().expect("one append has one answer"))
}

/// Appends to all streams or to none. What is about a stream that is closed for ever is closed with it.
pub(crate) async fn write_all(
    ledger: &Ledger,
    mut appends: Vec<Append>,
) -> Result<Vec<Appended>, AppendError> {
    let count = appends.len();
    let named: HashSet<StreamName> = appends.iter().map(|append| append.stream.clone()).collect();
    let about = appends.iter().filter_map(|append| append.stream.is_about());
    let unnamed: Vec<StreamName> = about.filter(|stream| !named.contains(stream)).collect();
    let check = |stream| Append { stream, expected: Expected::Any, events: Vec::new() };
    appends.extend(unnamed.into_iter().map(check));
    let mut appended = ledger.append_all(appends).await?;
    appended.truncate(count);
    Ok(appended)
}

fn answer(
    expected: Expected,
    outcome: Result<Appended, AppendError>,
) -> Result<AppendResp, Status> {
    let result = match outcome {
        Ok(appended) => append_resp::Result::Success(success(appended)),
        Err(AppendError::Conflict { actual, .. }) => {
            append_resp::Result::WrongExpectedVersion(WrongVersion {
                current: Some(Revision::last_of(actual).into()),
                expected: Some(expected.into()),
            })
        }
        Err(error) => return Err(status::append("Append", error, expected)),
    };
    Ok(AppendResp { result: Some(result) })
}

/// Where events went.
pub(crate) fn success(appended: Appended) -> AppendSuccess {
    AppendSuccess {
        current_revision: Some(Revision::last_of(appended.version).into()),
        position: Some(recorded::position(appended.position)),
    }
}
