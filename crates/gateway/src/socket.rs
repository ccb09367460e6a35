//! A TCP socket as `hyper` sees it. Short messages go out in one plain write: gathering a head and a
//! small body here costs less than having the kernel do it.

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use std::{
    cell::RefCell,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead as _, ReadBuf},
    net::TcpStream,
};

/// Messages up to so many bytes are gathered.
const GATHER_MAX: usize = 4 * 1024;

thread_local! {
    static GATHERED: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(GATHER_MAX));
}

/// A TCP socket.
pub(crate) struct Socket(TokioIo<TcpStream>);

impl Socket {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self(TokioIo::new(stream))
    }

    pub(crate) fn into_inner(self) -> TcpStream {
        self.0.into_inner()
    }

    /// Reads into a buffer of one's own.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(self.0.inner_mut()).poll_read(cx, bytes)
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let socket = Pin::new(&mut self.0);
        if let [one] = bufs {
            return socket.poll_write(cx, one);
        }
        if bufs.iter().map(|buf| buf.len()).sum::<usize>() > GATHER_MAX {
            return socket.poll_write_vectored(cx, bufs);
        }
        GATHERED.with_borrow_mut(|gathered| {
            gathered.clear();
            for buf in bufs {
                gathered.extend_from_slice(buf);
            }
            socket.poll_write(cx, gathered)
        })
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
