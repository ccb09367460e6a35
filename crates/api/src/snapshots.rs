//! Snapshots of streams.

use crate::{
    access::Right,
    answer,
    call::Call,
    events_in,
    form::JSON,
    json_out::{self, EventWriter},
    problem::{Problem, ProblemKind},
};
use axum::response::Response;
use fairway_ledger::{BATCH_BYTES_MAX, Snapshot, Version};
use http::StatusCode;

/// `GET /v1/streams/{stream}/snapshot`.
pub(crate) async fn newest(mut call: Call) -> Result<Response, Problem> {
    let stream = call.stream(Right::Read)?;
    let up_to = call.params.number("up_to")?.map_or(Version::END, Version);
    std::mem::take(&mut call.params).end()?;
    match call.api.ledger.snapshot(&stream, up_to).await? {
        Some(snapshot) => Ok(answer::typed(StatusCode::OK, JSON, written(&snapshot))),
        None => Err(Problem::new(ProblemKind::Missing, format!("`{stream}` has no such snapshot"))),
    }
}

/// `PUT /v1/streams/{stream}/snapshot`.
pub(crate) async fn save(mut call: Call) -> Result<Response, Problem> {
    let stream = call.stream(Right::Append)?;
    std::mem::take(&mut call.params).end()?;
    let ledger = call.api.ledger.clone();
    let snapshot = events_in::snapshot(&call.json_body().await?.bytes, ledger.clock().now())?;
    let Snapshot { version, kind, data, .. } = snapshot;
    if data.len() > BATCH_BYTES_MAX {
        let detail = format!("a snapshot has at most {BATCH_BYTES_MAX} bytes");
        return Err(Problem::new(ProblemKind::TooLarge, detail));
    }
    if ledger.save_snapshot(&stream, version, (kind, data)).await? {
        return Ok(answer::empty(StatusCode::NO_CONTENT));
    }
    Err(Problem::new(ProblemKind::Conflict, format!("`{stream}` has no version {version}")))
}

fn written(snapshot: &Snapshot) -> Vec<u8> {
    let mut out = b"{\"version\":".to_vec();
    json_out::number(&mut out, snapshot.version.0);
    out.extend_from_slice(b",\"kind\":");
    json_out::text(&mut out, snapshot.kind.as_str());
    out.extend_from_slice(b",\"recorded\":\"");
    EventWriter::default().moment(&mut out, snapshot.recorded);
    out.push(b'"');
    json_out::data(&mut out, "data", &snapshot.data);
    out.push(b'}');
    out
}
