//! Passing questions on to the host's name servers, from the host's namespace.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

/// Where the host says whom to ask.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// How many servers are asked (resolv.conf(5): MAXNS).
const SERVERS_MAX: usize = 3;

/// How often each is asked.
const ROUNDS: u32 = 2;

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Largest answer in a datagram.
const DATAGRAM_MAX: usize = 64 << 10;

/// A header alone (RFC 1035, section 4.1.1).
const HEADER: usize = 12;

/// How the question came, and so how it is passed on: an answer that is cut off goes back as it
/// is, and who asked comes again over TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// Asks the host's name servers in turn and gives the first answer.
pub(crate) async fn forward(question: &[u8], transport: Transport) -> io::Result<Vec<u8>> {
    let servers = servers(&crate::files::read(Path::new(RESOLV_CONF)).unwrap_or_default());
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    for _ in 0..ROUNDS {
        for server in &servers {
            let answer = match transport {
                Transport::Udp => timeout(PATIENCE, over_udp(*server, question)).await,
                Transport::Tcp => timeout(PATIENCE, over_tcp(*server, question)).await,
            };
            match answer {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
    }
    Err(last)
}

async fn over_udp(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut buffer = vec![0; DATAGRAM_MAX];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if is_answer(question, &buffer[..length]) {
            buffer.truncate(length);
            return Ok(buffer);
        }
    }
}

async fn over_tcp(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    write_framed(&mut stream, question).await?;
    let answer = read_framed(&mut stream).await?;
    if is_answer(question, &answer) {
        Ok(answer)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "not the answer to this question"))
    }
}

/// Whether it has the id of the question and says it is an answer.
fn is_answer(question: &[u8], answer: &[u8]) -> bool {
    answer.len() >= HEADER && answer.get(..2) == question.get(..2) && answer[2] & 0x80 != 0
}

/// Reads one message with its length before it (RFC 1035, section 4.2.2).
pub(crate) async fn read_framed(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let length = stream.read_u16().await?;
    let mut message = vec![0; usize::from(length)];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

/// Writes one message with its length before it.
pub(crate) async fn write_framed(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(message);
    stream.write_all(&framed).await
}

/// The servers in a `resolv.conf`; without any, this machine, as resolv.conf(5) says.
fn servers(text: &[u8]) -> Vec<SocketAddr> {
    const PORT: u16 = 53;
    let text = String::from_utf8_lossy(text);
    let address = |line: &str| -> Option<IpAddr> {
        line.strip_prefix("nameserver")?.split_ascii_whitespace().next()?.parse().ok()
    };
    let found: Vec<SocketAddr> = text
        .lines()
        .filter_map(address)
        .take(SERVERS_MAX)
        .map(|address| SocketAddr::new(address, PORT))
        .collect();
    if found.is_empty() { vec![SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))] } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_servers_count() {
        let text = b"# x\nsearch a.b\nnameserver 127.0.0.53\nnameserver ::1\nnameserver bad\n\
            nameserver 192.0.2.1\nnameserver 192.0.2.2\n";
        let found: Vec<String> = servers(text).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["127.0.0.53:53", "[::1]:53", "192.0.2.1:53"]);
        assert_eq!(servers(b"\xff")[0].to_string(), "127.0.0.1:53");
    }

    #[test]
    fn only_an_answer_with_the_same_id_counts() {
        let question = [1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        let mut answer = question;
        assert!(!is_answer(&question, &answer));
        answer[2] = 0x81;
        assert!(is_answer(&question, &answer));
        answer[0] = 9;
        assert!(!is_answer(&question, &answer));
        assert!(!is_answer(&question, &answer[..3]));
    }
}
