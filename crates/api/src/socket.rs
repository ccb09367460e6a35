//! A connection whose client has to say at once which HTTP it speaks, and to take what it is sent: one
//! that does not for too long is given up, and what it held is free for others.

use crate::patience::Patience;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// How a connection of HTTP/2 begins (RFC 9113, section 3.4). Until so much is there, or something
/// else, nobody else waits with a limit.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection with a limit on how long its first bytes and a write may wait.
pub(crate) struct Impatient<T> {
    inner: T,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    greeting: Option<Greeting>,
}

/// A connection of which it is not known yet which HTTP it speaks.
struct Greeting {
    end: Pin<Box<Sleep>>,
    /// How much of the preface was read.
    seen: usize,
}

impl Greeting {
    /// Whether it is known after these bytes; none are the end.
    fn is_over(&mut self, bytes: &[u8]) -> bool {
        let rest = &PREFACE[self.seen..];
        self.seen += bytes.len();
        bytes.is_empty() || bytes.len() >= rest.len() || !rest.starts_with(bytes)
    }
}

impl<T> Impatient<T> {
    pub(crate) fn new(inner: T, patience: Patience) -> Self {
        let greeting = Greeting { end: Box::pin(sleep(patience.head)), seen: 0 };
        Self { inner, patience: patience.write, waiting: None, greeting: Some(greeting) }
    }

    /// Passes on what came of a write, or gives up.
    fn bounded<R>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(waiting.as_mut().poll(cx));
        waiting.as_mut().reset(Instant::now() + patience);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Impatient<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        let Some(greeting) = &mut self.greeting else { return read };
        if read.is_pending() {
            ready!(greeting.end.as_mut().poll(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if greeting.is_over(&buf.filled()[before..]) {
            self.greeting = None;
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Impatient<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.bounded(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.bounded(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.bounded(cx, closed)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.bounded(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_over_when_it_is_known_which_http_is_spoken() {
        let is_over = |parts: &[&[u8]]| {
            let mut greeting = Greeting { end: Box::pin(sleep(Duration::ZERO)), seen: 0 };
            parts.iter().map(|part| greeting.is_over(part)).collect::<Vec<_>>()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _inside = runtime.enter();
        assert_eq!(is_over(&[b"P", b"RI * HT", b"TP/2.0\r\n\r\nSM\r\n\r\n"]), [false, false, true]);
        assert_eq!(is_over(&[b"P", b"OST / HTTP/1.1"]), [false, true]);
        assert_eq!(is_over(&[PREFACE]), [true]);
        assert_eq!(is_over(&[b"PRI", b""]), [false, true]);
    }
}
