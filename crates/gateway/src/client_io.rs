//! A client's socket as `hyper` sees it. Watches heads for ambiguous lengths, turns the parser's
//! bare refusals into problem documents, and lingers on close so that these arrive.

use crate::{
    client::Client,
    framing::{Framing, FramingWatch},
    problem::Problem,
    progress::Phase,
    socket::Socket,
};
use bytes::{Buf, Bytes};
use http::StatusCode;
use hyper::rt::{Read, ReadBufCursor, Write};
use std::{
    cell::RefCell,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{io::ReadBuf, net::TcpStream};

/// Bytes of a head that are read at once.
const HEAD_CHUNK: usize = 8 * 1024;
/// Bytes thrown away before a connection with an unread body is closed for good.
const LINGER_BYTES: usize = 512 * 1024;
/// How long such a connection may take.
const LINGER: Duration = Duration::from_secs(2);

thread_local! {
    static CHUNK: RefCell<Box<[u8; HEAD_CHUNK]>> = RefCell::new(Box::new([0; HEAD_CHUNK]));
}

/// A client's socket.
pub(crate) struct ClientIo {
    stream: Socket,
    client: Arc<Client>,
    watch: FramingWatch,
    refusal: Bytes,
    is_blocked: bool,
    lingered: usize,
}

impl ClientIo {
    pub(crate) fn new(stream: TcpStream, client: Arc<Client>) -> Self {
        Self {
            stream: Socket::new(stream),
            client,
            watch: FramingWatch::default(),
            refusal: Bytes::new(),
            is_blocked: false,
            lingered: 0,
        }
    }

    pub(crate) fn into_inner(self) -> TcpStream {
        self.stream.into_inner()
    }

    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        CHUNK.with_borrow_mut(|chunk| {
            let room = buf.remaining().min(HEAD_CHUNK);
            let mut bytes = ReadBuf::new(&mut chunk[..room]);
            ready!(self.stream.poll_fill(cx, &mut bytes))?;
            if bytes.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.saw_head(bytes.filled());
            buf.put_slice(bytes.filled());
            Poll::Ready(Ok(()))
        })
    }

    fn saw_head(&mut self, bytes: &[u8]) {
        let client = &self.client;
        if client.progress.phase() == Phase::Idle {
            client.progress.enter(Phase::Head);
            client.progress.allow(client.settings().timeouts.head);
        }
        if self.watch.read(bytes) == Framing::Ambiguous {
            client.set_ambiguous();
        }
    }

    /// A write while no request is being answered is the parser's refusal: the head of an empty
    /// response. A whole one is written in its place.
    fn poll_refuse(&mut self, cx: &mut Context<'_>, head: &[u8]) -> Poll<io::Result<()>> {
        if self.client.progress.phase() != Phase::Refused {
            let problem = Problem::of_parser(status_of(head));
            self.refusal = problem.raw();
            self.client.refused(&problem);
        }
        while self.refusal.has_remaining() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.refusal))?;
            self.refusal.advance(count);
        }
        Poll::Ready(Ok(()))
    }

    fn is_refusing(&self) -> bool {
        matches!(self.client.progress.phase(), Phase::Idle | Phase::Head | Phase::Refused)
    }

    /// A client has its own time: from when it stopped taking bytes, and from when it went on.
    fn note_write(&mut self, is_pending: bool) {
        if std::mem::replace(&mut self.is_blocked, is_pending) != is_pending {
            self.client.progress.allow(self.client.settings().timeouts.body);
        }
    }

    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingered == 0 {
            self.client.progress.allow(LINGER);
        }
        CHUNK.with_borrow_mut(|chunk| {
            while self.lingered < LINGER_BYTES {
                let mut bytes = ReadBuf::new(&mut chunk[..]);
                ready!(self.stream.poll_fill(cx, &mut bytes))?;
                match bytes.filled().len() {
                    0 => break,
                    count => self.lingered += count,
                }
            }
            Poll::Ready(Ok(()))
        })
    }
}

/// The status in the first line of a response.
fn status_of(head: &[u8]) -> StatusCode {
    let code = head.get(9..12).and_then(|code| StatusCode::from_bytes(code).ok());
    code.unwrap_or(StatusCode::BAD_REQUEST)
}

impl Read for ClientIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.watch.is_in_body() || self.client.has_unread_body() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        self.poll_head(cx, buf)
    }
}

impl Write for ClientIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_refusing() {
            ready!(self.poll_refuse(cx, buf))?;
            return Poll::Ready(Ok(buf.len()));
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note_write(written.is_pending());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_refusing() {
            ready!(self.poll_refuse(cx, bufs.first().map_or(&[], |first| first)))?;
            return Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()));
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note_write(written.is_pending());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// `hyper` flushes when all it had is written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.client.progress.phase() == Phase::Answered {
            self.client.progress.enter(Phase::Idle);
            self.client.progress.allow(self.client.settings().timeouts.keep_alive);
            self.watch.end_body();
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        if self.client.progress.phase() == Phase::Refused || self.client.has_unread_body() {
            return self.poll_linger(cx);
        }
        Poll::Ready(Ok(()))
    }
}
