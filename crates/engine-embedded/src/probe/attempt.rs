//! One attempt of a probe.

use super::http;
use crate::{embedded::Embedded, exec, logs};
use fairway_engine::{ContainerId, Dial, EngineError, Env, Exec, ExecStreams, LogEvent, LogFrom};
use fairway_model::config::Probe;
use futures_util::StreamExt;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// Longest part of a command's output that is given as the reason.
const WORDS_MAX: usize = 300;

/// Tries once; says why it is not ready yet.
pub(super) async fn attempt(
    engine: &Embedded,
    id: &ContainerId,
    address: SocketAddr,
    probe: &Probe,
) -> Result<(), String> {
    match probe {
        Probe::Tcp { port } => connect(engine, id, at(address, *port)).await.map(drop),
        Probe::Http { path, port } => {
            let address = at(address, *port);
            let stream = connect(engine, id, address).await?;
            http::get(stream, &address.to_string(), path).await
        }
        Probe::Exec(command) => run(engine, id, command).await,
        Probe::Log(text) => says(engine, id, text).await.map_err(|error| error.to_string())?,
    }
}

fn at(address: SocketAddr, port: Option<u16>) -> SocketAddr {
    SocketAddr::new(address.ip(), port.unwrap_or(address.port()))
}

async fn connect(
    engine: &Embedded,
    id: &ContainerId,
    address: SocketAddr,
) -> Result<TcpStream, String> {
    let connected = engine.dial(&id.group, address).await;
    connected.map_err(|error| format!("port {} does not accept: {error}", address.port()))
}

async fn run(engine: &Embedded, id: &ContainerId, command: &[String]) -> Result<(), String> {
    let exec = Exec {
        command: command.to_vec(),
        env: Env::default(),
        user: None,
        streams: ExecStreams::Collected,
        timeout: None,
    };
    let output = exec::exec(engine, id, &exec).await.map_err(|error| error.to_string())?;
    if output.status == fairway_engine::ExitStatus::Code(0) {
        return Ok(());
    }
    let words = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let words: String = String::from_utf8_lossy(words).trim().chars().take(WORDS_MAX).collect();
    let program = command.first().map_or("", String::as_str);
    Err(format!("`{program}` failed: {words}"))
}

/// Reads the log until the text comes up; patience is the caller's.
async fn says(
    engine: &Embedded,
    id: &ContainerId,
    text: &str,
) -> Result<Result<(), String>, EngineError> {
    let mut events = logs::read(engine, id, LogFrom::StartAndFollow).await?;
    while let Some(event) = events.next().await {
        let LogEvent::Line(line) = event? else { continue };
        if line.text.windows(text.len().max(1)).any(|part| part == text.as_bytes()) {
            return Ok(Ok(()));
        }
    }
    Ok(Err(format!("the log does not say `{text}`")))
}
