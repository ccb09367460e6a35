//! A connection that has changed its protocol (RFC 9110, section 7.8): bytes are copied both ways,
//! as fast as the slower side takes them, until both sides have ended. It has no timeout; who speaks
//! WebSocket has pings.

use crate::{access::Ending, client_io::ClientIo, exchange::Exchange, socket::Socket};
use bytes::Bytes;
use hyper::{client::conn::http1::Parts, upgrade::OnUpgrade};
use std::io;
use tokio::{
    io::{AsyncWriteExt as _, copy_bidirectional_with_sizes},
    net::TcpStream,
};

const CHUNK: usize = 16 * 1024;

/// A connection that changes its protocol.
pub(crate) struct Tunnel {
    exchange: Exchange,
    backend: TcpStream,
    /// What the backend sent behind its response.
    early: Bytes,
    switch: OnUpgrade,
}

impl Tunnel {
    pub(crate) fn new(exchange: Exchange, backend: Parts<Socket>, switch: OnUpgrade) -> Self {
        Self { exchange, backend: backend.io.into_inner(), early: backend.read_buf, switch }
    }

    /// Copies until both sides have ended. Run once the client's connection is through with HTTP.
    pub(crate) async fn run(mut self) {
        let Ok(upgraded) = self.switch.await else { return };
        let Ok(client) = upgraded.downcast::<ClientIo>() else { return };
        let mut stream = client.io.into_inner();
        let copied = copy(&mut stream, &client.read_buf, &mut self.backend, &self.early).await;
        if let Ok((bytes_in, bytes_out)) = copied {
            self.exchange.bytes_in += bytes_in;
            self.exchange.bytes_out += bytes_out;
            self.exchange.end(Ending::Complete);
        }
    }
}

async fn copy(
    client: &mut TcpStream,
    from_client: &Bytes,
    backend: &mut TcpStream,
    from_backend: &Bytes,
) -> io::Result<(u64, u64)> {
    backend.write_all(from_client).await?;
    client.write_all(from_backend).await?;
    let (up, down) = copy_bidirectional_with_sizes(client, backend, CHUNK, CHUNK).await?;
    Ok((up + from_client.len() as u64, down + from_backend.len() as u64))
}
