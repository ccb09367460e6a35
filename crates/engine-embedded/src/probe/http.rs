//! One request over HTTP/1.1, of whose answer only the status line is read.

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// Longest status line that is read.
const LINE_MAX: u64 = 1 << 10;

/// Asks for a path; an answer from 200 to 399 is good.
pub(super) async fn get(mut stream: TcpStream, host: &str, path: &str) -> Result<(), String> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: fairway-probe\r\nAccept: */*\r\n\
         Connection: close\r\n\r\n"
    );
    let failed = |error: std::io::Error| format!("`GET {path}` failed: {error}");
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    let mut line = Vec::new();
    BufReader::new(stream).take(LINE_MAX).read_until(b'\n', &mut line).await.map_err(failed)?;
    match status(&line) {
        Some(200..=399) => Ok(()),
        Some(status) => Err(format!("`GET {path}` answered {status}")),
        None => Err(format!("`GET {path}` was not answered in HTTP")),
    }
}

/// The status of an answer, from its first line (RFC 9112, section 4).
fn status(line: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_status_is_the_second_word() {
        assert_eq!(status(b"HTTP/1.1 204 No Content\r\n"), Some(204));
        assert_eq!(status(b"HTTP/1.0 503\r\n"), Some(503));
        assert_eq!(status(b"SSH-2.0-OpenSSH\r\n"), None);
    }

    proptest! {
        #[test]
        fn any_line_has_a_status_or_none(line: Vec<u8>) {
            status(&line);
        }
    }
}
