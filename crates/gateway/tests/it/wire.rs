//! One end of an HTTP/1.1 connection, written and read byte by byte.

use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How long anything in these tests may take before it counts as hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One end of a connection.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

/// The head of a request or response.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) first: String,
    pub(crate) fields: Vec<(String, String)>,
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: String,
}

/// Waits for something that must happen.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it takes too long")
}

impl Head {
    pub(crate) fn status(&self) -> u16 {
        self.first[9..12].parse().unwrap()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields.find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_chunked(&self) -> bool {
        self.get("transfer-encoding") == Some("chunked")
    }

    fn length(&self) -> usize {
        self.get("content-length").map_or(0, |length| length.parse().unwrap())
    }
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    pub(crate) async fn connect(address: std::net::SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon(self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Sends a request without body and reads its answer.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n")).await;
        self.answer().await
    }

    /// Reads one head; none if the other end closed before it.
    pub(crate) async fn try_head(&mut self) -> Option<Head> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                let text = String::from_utf8(self.buffer.drain(..end + 4).collect()).unwrap();
                return Some(parse(&text));
            }
            if !self.fill().await {
                assert!(self.buffer.is_empty(), "half a head: {:?}", self.buffer);
                return None;
            }
        }
    }

    pub(crate) async fn head(&mut self) -> Head {
        self.try_head().await.expect("the connection ended instead of a head")
    }

    /// Reads exactly so many bytes.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            assert!(self.fill().await, "the connection ended in a body");
        }
        self.buffer.drain(..count).collect()
    }

    async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|w| w == b"\r\n") {
                let line = self.buffer.drain(..end + 2).collect();
                return String::from_utf8(line).unwrap().trim_end().to_owned();
            }
            assert!(self.fill().await, "the connection ended in a line");
        }
    }

    /// Reads one chunk; empty is the last.
    pub(crate) async fn chunk(&mut self) -> Vec<u8> {
        let size = usize::from_str_radix(&self.line().await, 16).unwrap();
        if size == 0 {
            return Vec::new();
        }
        let chunk = self.bytes(size).await;
        assert_eq!(self.line().await, "");
        chunk
    }

    /// Reads the trailers behind the last chunk.
    pub(crate) async fn trailers(&mut self) -> Vec<String> {
        let mut trailers = Vec::new();
        loop {
            match self.line().await {
                line if line.is_empty() => return trailers,
                line => trailers.push(line),
            }
        }
    }

    /// Reads the body that a head announces.
    pub(crate) async fn body(&mut self, head: &Head) -> Vec<u8> {
        if !head.is_chunked() {
            return self.bytes(head.length()).await;
        }
        let mut body = Vec::new();
        loop {
            match self.chunk().await {
                chunk if chunk.is_empty() => break,
                chunk => body.extend(chunk),
            }
        }
        self.trailers().await;
        body
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        let head = self.head().await;
        let body = String::from_utf8(self.body(&head).await).unwrap();
        Answer { head, body }
    }

    /// Waits until the other end has closed, and tells whether nothing more came.
    pub(crate) async fn is_closed(&mut self) -> bool {
        while self.fill().await {}
        self.buffer.is_empty()
    }

    /// Reads what comes next; false at the end. A reset is an end too.
    pub(crate) async fn fill(&mut self) -> bool {
        soon(self.stream.read_buf(&mut self.buffer)).await.unwrap_or(0) > 0
    }

    /// What was read and not yet asked for.
    pub(crate) fn take_buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Everything until the other end closes.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await {}
        std::mem::take(&mut self.buffer)
    }
}

fn parse(text: &str) -> Head {
    let mut lines = text.trim_end().split("\r\n");
    let first = lines.next().unwrap().to_owned();
    let field = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    Head { first, fields: lines.map(field).collect() }
}
