//! The ledger as a whole: its end, where it was at a moment, and whether it can be used.

use crate::{answer, call::Call, problem::Problem, waiting};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

/// `GET /v1/head`.
pub(crate) async fn head(mut call: Call) -> Result<Response, Problem> {
    waiting::wait(&call.api, &mut call.params).await?;
    std::mem::take(&mut call.params).end()?;
    let position = call.api.ledger.head().await?;
    let response = answer::json(StatusCode::OK, &json!({ "position": position }));
    Ok(answer::at(response, position))
}

/// `GET /v1/position`.
pub(crate) async fn position(mut call: Call) -> Result<Response, Problem> {
    let at = call.params.moment("at")?;
    let at = at.ok_or_else(|| Problem::request("`at` is needed, a time of RFC 3339"))?;
    std::mem::take(&mut call.params).end()?;
    let position = call.api.ledger.position_at(at).await?;
    Ok(answer::json(StatusCode::OK, &json!({ "position": position })))
}
