//! A container's output as a file: records of one line each, with the time and the stream.

mod reader;
mod record;
mod writer;

pub(crate) use reader::LogReader;
pub(crate) use record::{HEADER, Header, LINE_MAX, Record};
pub(crate) use writer::LogWriter;
