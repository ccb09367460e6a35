//! A gateway for measuring: 50 routes to one backend, one current-thread runtime.
//!
//! `gateway_bench LISTEN BACKEND [LOG]`, e.g. `gateway_bench 127.0.0.1:8080 127.0.0.1:8081`. With a
//! file name as `LOG`, access records are written there as JSON lines.

use fairway_gateway::{
    AccessLog, AccessRecords, Backend, Gateway, Route, Settings, Table, TcpConnector,
};
use fairway_model::{ServiceName, Timestamp};
use std::{
    collections::BTreeMap,
    error::Error,
    fs::File,
    io::{BufWriter, Write as _},
    net::SocketAddr,
    sync::Arc,
    time::SystemTime,
};
use tokio::net::TcpListener;

const ROUTES: usize = 50;
const LOG_CAPACITY: usize = 16 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let listen: SocketAddr = args.next().ok_or("no LISTEN")?.parse()?;
    let address: SocketAddr = args.next().ok_or("no BACKEND")?.parse()?;
    let log = args.next().map(File::create).transpose()?.map(|file| {
        let (log, records) = AccessLog::bounded(LOG_CAPACITY, now);
        tokio::spawn(write(records, BufWriter::new(file)));
        log
    });
    let gateway = Gateway::with(Settings::default(), Arc::new(TcpConnector), log);
    gateway.set_table(Arc::new(table(address)?));
    gateway.serve(TcpListener::bind(listen).await?, std::future::pending()).await;
    Ok(())
}

fn table(address: SocketAddr) -> Result<Table, Box<dyn Error>> {
    let service: ServiceName = "bench".parse()?;
    let route = |number| -> Result<Route, Box<dyn Error>> {
        Ok(Route {
            host: None,
            path: format!("/service{number}/v1").parse()?,
            service: service.clone(),
            strip_prefix: false,
            timeout: None,
        })
    };
    let routes = (0..ROUTES).map(route).collect::<Result<_, _>>()?;
    let backends = vec![Backend { address, weight: 1 }];
    Ok(Table::new(routes, BTreeMap::from([(service, backends)]))?)
}

#[expect(clippy::disallowed_methods, reason = "a program of its own has to have a clock")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

async fn write(mut records: AccessRecords, mut file: BufWriter<File>) {
    let mut batch = Vec::new();
    while records.receive(&mut batch, LOG_CAPACITY).await > 0 {
        for record in batch.drain(..) {
            let written = serde_json::to_writer(&mut file, &record).map_err(std::io::Error::from);
            if written.and_then(|()| file.write_all(b"\n")).is_err() {
                return;
            }
        }
    }
}
