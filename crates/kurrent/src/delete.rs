//! `Delete` and `Tombstone`.

use crate::{
    expected, recorded,
    rights::{Act, Caller},
    status,
    wire::streams::{DeleteReq, DeleteResp},
};
use fairway_ledger::{AppendError, Expected, Ledger, Retention, Standing};
use tonic::Status;

/// Deletes a stream so that its next event makes it anew. One without events cannot be deleted.
pub(crate) async fn delete(
    ledger: Ledger,
    caller: Caller,
    request: DeleteReq,
) -> Result<DeleteResp, Status> {
    retain(ledger, caller, request, Retention::Deleted).await
}

/// Closes a stream for ever.
pub(crate) async fn tombstone(
    ledger: Ledger,
    caller: Caller,
    request: DeleteReq,
) -> Result<DeleteResp, Status> {
    retain(ledger, caller, request, Retention::Tombstoned).await
}

async fn retain(
    ledger: Ledger,
    caller: Caller,
    request: DeleteReq,
    retention: Retention,
) -> Result<DeleteResp, Status> {
    let (stream, expected) = expected::change(request.options)?;
    caller.may_change(Act::Manage, &stream)?;
    let operation = if retention == Retention::Deleted { "Delete" } else { "Tombstone" };
    let failed = |error| status::append(operation, error, expected);
    if retention == Retention::Deleted {
        let state = ledger.stream(&stream).await.map_err(|error| status::ledger(&error))?;
        match (state.standing, expected) {
            (Standing::Live, _) if !state.exists() => {
                return Err(failed(AppendError::Conflict { stream, actual: state.version }));
            }
            (Standing::Deleted, Expected::Exists) => return Err(status::stream_deleted(&stream)),
            _ => {}
        }
    }
    let retained = ledger.retain(&stream, expected, retention).await.map_err(failed)?;
    Ok(DeleteResp { position: Some(recorded::position(retained.position)) })
}
