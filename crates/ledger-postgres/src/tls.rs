//! TLS to the server, in the modes of PostgreSQL's own client that leave no doubt.

use crate::address::AddressError;
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{self, CryptoProvider, WebPkiSupportedAlgorithms},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// The certificates of authorities that the system trusts.
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Whether and how connections are encrypted.
#[derive(Clone)]
pub(crate) enum Tls {
    Plain,
    Encrypted(MakeRustlsConnect),
}

impl Tls {
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }
}

/// `require` encrypts; given authorities, it also asks who the server is. `verify-full` does that
/// always, by the system's authorities if no others are given.
pub(crate) fn of(mode: &str, authorities: Option<&str>) -> Result<Tls, AddressError> {
    let authorities = match (mode, authorities) {
        ("disable", _) => return Ok(Tls::Plain),
        ("require", None) => None,
        ("require" | "verify-full", Some(path)) => Some(path),
        ("verify-full", None) => Some(SYSTEM_AUTHORITIES),
        (other, _) => return Err(AddressError::Mode(other.chars().take(20).collect())),
    };
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(AddressError::Tls)?;
    let config = match authorities {
        Some(path) => builder.with_root_certificates(roots(path)?).with_no_client_auth(),
        None => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody::new(&provider)))
            .with_no_client_auth(),
    };
    Ok(Tls::Encrypted(MakeRustlsConnect::new(config)))
}

fn roots(path: &str) -> Result<RootCertStore, AddressError> {
    let unreadable = |source| AddressError::Authorities { path: path.to_owned(), source };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        // A certificate that rustls cannot use vouches for nobody.
        roots.add_parsable_certificates([certificate.map_err(unreadable)?]);
    }
    Ok(roots)
}

/// Takes any server for the right one, as `sslmode=require` says.
#[derive(Debug)]
struct Anybody(WebPkiSupportedAlgorithms);

impl Anybody {
    fn new(provider: &CryptoProvider) -> Self {
        Self(provider.signature_verification_algorithms)
    }
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        crypto::verify_tls12_signature(message, cert, dss, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        crypto::verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
