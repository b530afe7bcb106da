//! TLS: a registry without it, and certificates that are not accepted. The authority's key was discarded; the
//! certificates are for 127.0.0.1, which is called 127.1 here since berth asks loopback addresses without TLS.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::{
    desk::Desk,
    fake::{Fake, nothing},
};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor/tls").join(name)
}

/// A web server with the certificate of that file, which answers 404. It ends with the process.
fn start(certificate: &str) -> SocketAddr {
    let chain = vec![CertificateDer::from_pem_file(file(certificate)).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file("leaf.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream.unwrap());
            let _ = answer(&mut stream);
        }
    });
    address
}

fn answer(stream: &mut (impl std::io::Read + std::io::Write)) -> std::io::Result<()> {
    let mut head = [0; 4096];
    if stream.read(&mut head)? > 0 {
        stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    }
    Ok(())
}

/// At the address of `certificate`'s server, by TLS, trusting the authority or nobody.
fn doctor(certificate: &str, trusts: bool) -> crate::run::Report {
    let authority = if trusts { file("ca.pem") } else { file("other.pem") };
    let desk = Desk::new().with("SSL_CERT_FILE", authority.to_str().unwrap());
    desk.doctor(&format!("127.1:{}", start(certificate).port()), &[], "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_is_accepted() {
    let report = doctor("trusted.pem", true);
    assert!(report.ok("tls").contains("trusted"));
    report.fails("api", "404", "check the name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_that_are_not() {
    doctor("trusted.pem", false).fails("tls", "does not trust the issuer", "SSL_CERT_FILE");
    doctor("expired.pem", true).fails("tls", "expired on 2021-01-01T00:00:00Z", "renew");
    doctor("other.pem", true).fails(
        "tls",
        "for registry.example.com, www.example.com, not for 127.0.0.1",
        "use a name",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_without_tls_asked_by_tls() {
    let server = Fake::default().start(nothing).await;
    let name = format!("127.1:{}", server.addr.port());
    let report = Desk::new().doctor_as_alice(&name, &[]);
    report.fails("tls", "speaks HTTP without TLS", "--plain-http");
    assert!(server.asked().iter().all(|asked| asked.header("authorization").is_none()), "{:?}", server.asked());
    let report = Desk::new().doctor_as_alice(&name, &["--plain-http"]);
    assert_eq!(report.failed(), [""; 0], "{}", report.ended.said);
}
