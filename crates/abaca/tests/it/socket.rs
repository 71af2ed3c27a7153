//! What only shows on a real connection.

use std::net::SocketAddr;

use abaca::api::{self, router};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::TestServer;

async fn listen() -> (TestServer, SocketAddr) {
    let server = TestServer::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = api::service_with(server.app.clone(), router::routes()).unwrap();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    (server, address)
}

/// Sends `text` and reads until the other side closes.
async fn talk(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may have been answered and closed before all of it is written.
    let _ = stream.write_all(text.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn head_has_headers_only() {
    let (_server, address) = listen().await;
    for path in ["/", "/v2/", "/v2/types", "/v2/types/none", "/healthcheck"] {
        let request =
            format!("HEAD {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        let answer = talk(address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{path}: {answer}");
        assert!(answer.contains("x-openstack-request-id: req-"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_large_body_is_refused_however_it_is_sent() {
    let (_server, address) = listen().await;
    let head = format!(
        "POST /v2/types HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\n"
    );
    let announced = format!("{head}content-length: 1000000000\r\n\r\n{{");
    let chunk = format!("{:x}\r\n{}\r\n", 60_000, "x".repeat(60_000));
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n");
    for request in [announced, chunked] {
        let answer = talk(address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains(r#""overLimit":{"code":413"#), "{answer}");
    }
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let (_server, address) = listen().await;
    let one = format!("GET /v2/types/none HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let last = format!("GET / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let answer = talk(address, &format!("{one}{one}{last}")).await;
    assert_eq!(answer.matches("HTTP/1.1 404 ").count(), 2, "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 300 ").count(), 1, "{answer}");
}
