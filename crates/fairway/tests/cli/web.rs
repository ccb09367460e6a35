//! Asks servers as browsers and other programs do.

use serde_json::Value;
use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::Duration,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The status and body that a `GET` of an address gives.
pub fn get(url: &str) -> (u16, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// The status and the body, if possible as JSON, that a request with JSON is answered; 0 if nobody is
/// there.
pub fn ask(method: &str, url: &str, body: &Value) -> (u16, Value) {
    let mut curl = Command::new("curl");
    curl.args(["-s", "-X", method, "-w", "\n%{http_code}", url]);
    if !body.is_null() {
        curl.args(["-H", "content-type: application/json", "-d", &body.to_string()]);
    }
    let output = String::from_utf8(curl.output().unwrap().stdout).unwrap();
    let (text, status) = output.rsplit_once('\n').unwrap();
    let answer = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    (status.parse().unwrap(), answer)
}
