//! The sockets of the name server.

use super::answer::{Decision, alias_answer, alias_question, decide, failure};
use super::forward::{Transport, forward, read_framed, write_framed};
use super::zone::Zone;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream, UdpSocket},
    sync::{Semaphore, watch},
    time::timeout,
};

/// The port of name servers.
const PORT: u16 = 53;

/// Most questions that are worked on at a time; what comes beyond is dropped and asked again.
const QUESTIONS_MAX: usize = 256;

/// Most TCP connections at a time.
const CONNECTIONS_MAX: usize = 64;

/// How long a TCP connection may be silent.
const SILENCE: Duration = Duration::from_secs(10);

/// Largest question in a datagram.
const DATAGRAM_MAX: usize = 4096;

/// Pause after an error of a socket that all would share.
const PAUSE: Duration = Duration::from_millis(50);

/// The bound sockets of a name server.
pub(crate) struct NameServer {
    udp: Arc<UdpSocket>,
    tcp: TcpListener,
    names: watch::Receiver<Zone>,
}

impl NameServer {
    /// Binds in the namespace the calling thread is in now.
    pub(crate) fn bind(address: Ipv4Addr, names: watch::Receiver<Zone>) -> io::Result<Self> {
        let udp = std::net::UdpSocket::bind((address, PORT))?;
        let tcp = std::net::TcpListener::bind((address, PORT))?;
        udp.set_nonblocking(true)?;
        tcp.set_nonblocking(true)?;
        let udp = Arc::new(UdpSocket::from_std(udp)?);
        Ok(Self { udp, tcp: TcpListener::from_std(tcp)?, names })
    }

    /// Answers for ever.
    pub(crate) async fn serve(self) {
        let datagrams = serve_datagrams(self.udp, self.names.clone());
        tokio::join!(datagrams, serve_connections(self.tcp, self.names));
    }
}

async fn serve_datagrams(socket: Arc<UdpSocket>, names: watch::Receiver<Zone>) {
    let room = Arc::new(Semaphore::new(QUESTIONS_MAX));
    let mut buffer = vec![0; DATAGRAM_MAX];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else { continue };
        let packet = buffer[..length].to_vec();
        let (socket, names) = (Arc::clone(&socket), names.clone());
        tokio::spawn(async move {
            if let Some(answer) = answer(&names, from, &packet, Transport::Udp).await {
                // Who asked may be gone; it asks again if not.
                drop(socket.send_to(&answer, from).await);
            }
            drop(permit);
        });
    }
}

async fn serve_connections(listener: TcpListener, names: watch::Receiver<Zone>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok((stream, from)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else { continue };
        let names = names.clone();
        tokio::spawn(async move {
            // The end of a connection, however it comes, is nobody's trouble but its own.
            drop(serve_connection(stream, from, &names).await);
            drop(permit);
        });
    }
}

async fn serve_connection(
    mut stream: TcpStream,
    from: SocketAddr,
    names: &watch::Receiver<Zone>,
) -> io::Result<()> {
    loop {
        let packet = timeout(SILENCE, read_framed(&mut stream)).await??;
        let Some(answer) = answer(names, from, &packet, Transport::Tcp).await else {
            return Ok(());
        };
        timeout(SILENCE, write_framed(&mut stream, &answer)).await??;
    }
}

async fn answer(
    names: &watch::Receiver<Zone>,
    from: SocketAddr,
    packet: &[u8],
    transport: Transport,
) -> Option<Vec<u8>> {
    let IpAddr::V4(asker) = from.ip() else { return None };
    let decision = decide(&names.borrow(), asker, packet);
    let answer = match decision {
        Decision::Ignore => return None,
        Decision::Reply(bytes) => return Some(bytes),
        Decision::Forward => forward(packet, transport).await.ok(),
        Decision::Alias { question, host } => {
            let passed_on = alias_question(&question, &host).to_vec().ok()?;
            let answer = forward(&passed_on, transport).await.ok();
            answer.and_then(|answer| alias_answer(&question, &host, &answer))
        }
    };
    answer.or_else(|| failure(packet))
}
