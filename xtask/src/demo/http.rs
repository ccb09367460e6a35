//! The smallest client that shows a request: one request, one connection.

use crate::shell::Outcome;
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a server answered.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Gets a path of `http://host:port`.
pub fn get(address: &str, path: &str) -> Outcome<Answer> {
    send(address, &format!("GET {path} HTTP/1.0\r\nHost: shop\r\n\r\n"))
}

/// Posts a JSON text to a path.
pub fn post(address: &str, path: &str, json: &str) -> Outcome<Answer> {
    let length = json.len();
    send(
        address,
        &format!(
            "POST {path} HTTP/1.0\r\nHost: shop\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{json}"
        ),
    )
}

fn send(address: &str, request: &str) -> Outcome<Answer> {
    let host = address.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("the answer has no head")?;
    let status = head.split(' ').nth(1).ok_or("the answer has no status")?.parse()?;
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}
