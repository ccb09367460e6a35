//! Moves what a container prints from its pipes to its log.

use crate::{log::LogWriter, state::now};
use fairway_engine::LogStream;
use rustix::{
    fs::{OFlags, fcntl_setfl},
    io::Errno,
    pipe::{PipeFlags, fcntl_setpipe_size, pipe_with},
};
use std::{io, os::fd::OwnedFd};

/// How much the kernel holds between a container and its helper; the most an ordinary process gets.
const PIPE_SIZE: usize = 1 << 20;
/// How much is read at once.
const CHUNK: usize = 128 << 10;
/// How often one stream is read before others get their turn.
const TURN: usize = 8;

/// The reading ends of a container's output.
pub(super) struct Pump {
    pub(super) streams: Vec<(LogStream, OwnedFd)>,
    log: LogWriter,
    buffer: Vec<u8>,
}

/// The writing ends, for the container.
pub(super) struct Outputs {
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

impl Pump {
    /// Makes the pipes.
    pub(super) fn new(log: LogWriter) -> io::Result<(Self, Outputs)> {
        let (read_stdout, stdout) = pipe()?;
        let (read_stderr, stderr) = pipe()?;
        let streams = vec![(LogStream::Stdout, read_stdout), (LogStream::Stderr, read_stderr)];
        Ok((Self { streams, log, buffer: Vec::new() }, Outputs { stdout, stderr }))
    }

    /// The size of the log.
    pub(super) fn log_size(&self) -> u64 {
        self.log.size()
    }

    /// Takes what the streams hold now, for a while; forgets those that have ended.
    /// A log that cannot be written does not stop the container.
    pub(super) fn turn(&mut self) -> io::Result<()> {
        self.buffer.resize(CHUNK, 0);
        let mut ended = [false; 2];
        for (index, (stream, pipe)) in self.streams.iter().enumerate() {
            for _ in 0..TURN {
                match rustix::io::read(pipe, &mut self.buffer[..]) {
                    Ok(0) => {
                        ended[index] = true;
                        break;
                    }
                    Ok(length) => {
                        self.log.take(*stream, &self.buffer[..length], now()).unwrap_or_default();
                    }
                    Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        let mut ended = ended.into_iter();
        self.streams.retain(|_| !ended.next().unwrap_or_default());
        Ok(())
    }

    /// Takes the rest after the container has ended.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        while !self.streams.is_empty() {
            let before = self.streams.len();
            self.turn()?;
            if self.streams.len() == before && !self.is_readable() {
                break;
            }
        }
        self.streams.clear();
        self.buffer = Vec::new();
        self.log.finish(now()).unwrap_or_default();
        Ok(())
    }

    fn is_readable(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, poll};
        let mut polled: Vec<_> =
            self.streams.iter().map(|(_, pipe)| PollFd::new(pipe, PollFlags::IN)).collect();
        poll(&mut polled, Some(&rustix::time::Timespec::default())).is_ok_and(|ready| ready > 0)
    }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    fcntl_setfl(&read, OFlags::NONBLOCK)?;
    // A smaller pipe is slower, nothing worse.
    fcntl_setpipe_size(&read, PIPE_SIZE).unwrap_or_default();
    Ok((read, write))
}
