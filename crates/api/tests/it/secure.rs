//! TLS.

use crate::certificate;
use axum::body::Body;
use fairway_api::{Api, Server, Tls};
use fairway_ledger::Ledger;
use http::Request;
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use std::{fs, net::TcpListener, sync::Arc};
use tokio::{net::TcpStream, sync::oneshot};
use tokio_rustls::TlsConnector;

#[tokio::test]
async fn clients_come_over_tls_and_choose_http_2() {
    let folder = tempfile::tempdir().unwrap();
    certificate::make(folder.path());
    let [certificate, key] =
        ["cert.pem", "key.pem"].map(|name| fs::read(folder.path().join(name)).unwrap());
    let ledger = Ledger::open(&folder.path().join("events.db")).unwrap();
    let tls = Tls::from_pem(&certificate, &key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::new(Api::new(ledger)).with_tls(tls);
    let server = tokio::spawn(server.serve(listener, async { drop(stopped.await) }));

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let connected =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut client, connection) = connected.await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get("https://localhost/v1/head").body(Body::empty()).unwrap();
    let response = client.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "{\"position\":0}");

    drop((client, stop));
    server.await.unwrap().unwrap();
    drop(connection.await);
}
