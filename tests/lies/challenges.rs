//! A challenge under the names that front ends give it, and a 401 that arrives as 300.

use std::sync::Arc;

use berth::{
    client::{ClientOptions, Registry},
    digest::Digest,
    distribution::{BlobError, Repository as _},
    gateway::{self, Gateway, Names, Spool},
    http::{Timeouts, serve},
};
use bytes::Bytes;
use tokio::net::TcpListener;

use crate::{
    client::{ALICE, Client, alice, says, source},
    server::{Asked, Reply, Server, reply},
};

const STANDARD: &str = "www-authenticate";
const BERTH: &str = "x-berth-challenge";
const REMAPPED: &str = "x-amzn-remapped-www-authenticate";
const GOOD: &str = "Bearer realm=\"/token\",service=\"s\",scope=\"repository:app:pull\"";
const CONTENT: &[u8] = b"content";

/// A registry that asks alice for a token by a 401 of these headers, which is sent as `status`.
async fn registry(status: u16, headers: &[(&'static str, &'static str)]) -> Server {
    let mut headers = headers.to_vec();
    if status == 300 {
        headers.push(("x-berth-status", "401"));
    }
    Server::start(move |asked: &Asked| match asked.header("authorization") {
        Some(ALICE) if asked.target.starts_with("/token") => reply(200, &[], r#"{"token":"t"}"#),
        Some("Bearer t") => answer(asked),
        _ => reply(status, &headers, r#"{"errors":[{"code":"UNAUTHORIZED","message":"log in"}]}"#),
    })
    .await
}

fn answer(asked: &Asked) -> Reply {
    match asked.method.as_str() {
        "POST" => reply(202, &[("location", "/v2/app/blobs/uploads/1")], ""),
        "PATCH" => reply(202, &[], ""),
        "PUT" => reply(201, &[], ""),
        "HEAD" if asked.target.contains(&Digest::canonical(b"new").to_string()) => reply(404, &[], ""),
        "HEAD" => reply(200, &[("content-length", "7")], ""),
        _ if asked.target.ends_with("/tags/list") => reply(200, &[], r#"{"tags":[]}"#),
        _ => reply(200, &[], CONTENT),
    }
}

fn logged_in(server: &Server) -> Client {
    Client::with(server, |options| options.credentials = Arc::new(alice()))
}

/// What is shown to the registry, each thing once.
fn shown(server: &Server) -> Vec<String> {
    let mut shown: Vec<String> =
        server.asked().iter().filter_map(|asked| asked.header("authorization").map(str::to_owned)).collect();
    shown.sort();
    shown.dedup();
    shown
}

#[tokio::test]
async fn every_name_lets_a_client_check_push_and_pull() {
    for (status, headers) in [
        (401, vec![(STANDARD, GOOD)]),
        (401, vec![(BERTH, GOOD)]),
        (401, vec![(REMAPPED, GOOD)]),
        (401, vec![(BERTH, GOOD), (REMAPPED, "Basic realm=\"y\"")]),
        // Of a proxy on the way, and cut short.
        (401, vec![(STANDARD, "Negotiate"), (BERTH, GOOD)]),
        (401, vec![(BERTH, "Bearer realm"), (REMAPPED, GOOD)]),
        (300, vec![(BERTH, GOOD)]),
        (300, vec![(REMAPPED, GOOD)]),
    ] {
        let server = registry(status, &headers).await;
        logged_in(&server).registry.check(&logged_in(&server).ctx).await.unwrap();
        let client = logged_in(&server);
        let (digest, content) = source(&Bytes::from_static(b"new"));
        client.repository().push_blob(&client.ctx, &digest, &content, None).await.unwrap();
        let client = logged_in(&server);
        let pulled = client.repository().blobs().get(&client.ctx, &Digest::canonical(CONTENT), 100).await.unwrap();
        assert_eq!(pulled, CONTENT);
        assert_eq!(shown(&server), [ALICE, "Bearer t"], "{headers:?}");
    }
}

/// `www-authenticate` counts where both are there, and what it asks for is all that is shown.
#[tokio::test]
async fn the_standard_name_counts_first() {
    let server = registry(401, &[(REMAPPED, GOOD), (BERTH, GOOD), (STANDARD, "Basic realm=\"x\"")]).await;
    let client = logged_in(&server);
    says(client.registry.check(&client.ctx).await, &["401"]);
    assert_eq!(shown(&server), [ALICE]);
    assert!(!server.lines().iter().any(|line| line.contains("/token")), "{:?}", server.lines());
}

#[tokio::test]
async fn a_realm_under_another_name_is_held_to_the_same_rules() {
    let thief = Server::start(|_| reply(200, &[], r#"{"token":"x"}"#)).await;
    let realm = format!("Bearer realm=\"http://localhost:{}/token\"", thief.addr.port());
    let realm: &'static str = realm.leak();
    for (status, name) in [(401, STANDARD), (401, BERTH), (401, REMAPPED), (300, BERTH)] {
        let server = registry(status, &[(name, realm)]).await;
        let client = logged_in(&server);
        says(client.registry.check(&client.ctx).await, &["neither its own host nor has TLS", "nothing was sent"]);
        assert_eq!(shown(&server), [""; 0], "{name}");
    }
    assert_eq!(thief.lines(), [""; 0]);
}

#[tokio::test]
async fn what_is_no_challenge_shows_nobody_anything() {
    for headers in [vec![], vec![(BERTH, "Negotiate")], vec![(REMAPPED, "=\"")], vec![(BERTH, "Bearer service=\"x\"")]]
    {
        for status in [401, 300] {
            let server = registry(status, &headers).await;
            let client = logged_in(&server);
            says(client.registry.check(&client.ctx).await, &["401", "log in"]);
            assert_eq!(shown(&server), [""; 0], "{headers:?}");
        }
    }
}

/// Only a 300 is a 401 in disguise, and only where it says so.
#[tokio::test]
async fn no_other_status_is_taken_for_another() {
    for (status, meant) in [(300, "200"), (300, "403"), (300, ""), (403, "401"), (404, "401"), (500, "401")] {
        let server = Server::start(move |_| reply(status, &[("x-berth-status", meant), (BERTH, GOOD)], "")).await;
        let client = logged_in(&server);
        let said = status.to_string();
        says(client.registry.check(&client.ctx).await, &[&said]);
        assert_eq!(shown(&server), [""; 0], "{status} {meant}");
    }
}

/// Not even where a Location comes with it.
#[tokio::test]
async fn a_300_is_never_success() {
    for headers in [vec![], vec![("x-berth-status", "401")], vec![("location", "/v2/app/blobs/uploads/1")]] {
        let server = Server::start(move |asked: &Asked| match asked.method.as_str() {
            "HEAD" if asked.target.contains("/blobs/") => reply(404, &[], ""),
            _ => reply(300, &headers, CONTENT),
        })
        .await;
        let client = logged_in(&server);
        let (digest, content) = source(&Bytes::from_static(b"new"));
        client.repository().push_blob(&client.ctx, &digest, &content, None).await.unwrap_err();
        client.repository().blobs().get(&client.ctx, &Digest::canonical(CONTENT), 100).await.unwrap_err();
        client.repository().tags().list(&client.ctx, &Default::default()).await.unwrap_err();
        client.registry.check(&client.ctx).await.unwrap_err();
    }
}

/// A token service behind CloudFront refuses by 300, too.
#[tokio::test]
async fn a_refusal_of_the_token_service_arrives_as_300() {
    let server = Server::start(|asked: &Asked| match asked.target.starts_with("/token") {
        true => {
            let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"this password has expired"}]}"#;
            reply(300, &[("x-berth-status", "401"), (BERTH, "Basic realm=\"x\"")], body)
        }
        false => reply(300, &[("x-berth-status", "401"), (BERTH, GOOD)], ""),
    })
    .await;
    let client = logged_in(&server);
    says(client.registry.check(&client.ctx).await, &["the login is refused: this password has expired", "berth login"]);
}

/// The bytes that a session holds, under the names that front ends give `Range`.
#[tokio::test]
async fn a_renamed_range_counts_as_well() {
    for name in ["range", "x-berth-range", "x-amzn-remapped-range"] {
        let server = Server::start(move |asked: &Asked| match asked.method.as_str() {
            "HEAD" => reply(404, &[], ""),
            "POST" => reply(202, &[("location", "/v2/app/blobs/uploads/1")], ""),
            "PATCH" if asked.header("content-range") == Some("0-9") => reply(502, &[], ""),
            "PATCH" => reply(202, &[], ""),
            "GET" => reply(204, &[(name, "0-5")], ""),
            _ => reply(201, &[], ""),
        })
        .await;
        let client = Client::with(&server, |options| (options.piece, options.largest_body) = (10, Some(10)));
        let (digest, content) = source(&Bytes::from(vec![7; 20]));
        client.repository().push_blob(&client.ctx, &digest, &content, None).await.unwrap();
        let patched = server.asked().into_iter().filter(|asked| asked.method == "PATCH");
        let ranges: Vec<_> = patched.filter_map(|asked| asked.header("content-range").map(str::to_owned)).collect();
        assert_eq!(ranges[..2], ["0-9", "6-15"], "{name}: what is there is not sent again");
    }
}

#[tokio::test]
async fn the_gateway_logs_in_by_every_name() {
    for (status, name) in [(401, STANDARD), (401, BERTH), (401, REMAPPED), (300, BERTH)] {
        let server = registry(status, &[(name, GOOD)]).await;
        let spool = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let gateway = Gateway::new(logged_in(&server).registry, Spool::open(Some(spool.path())).unwrap());
        let router = gateway::router(gateway, Names::of(address));
        let served = tokio::spawn(serve(listener, router, Timeouts::default(), std::future::pending()));

        let client = Registry::connect(ClientOptions::new(address.to_string().parse().unwrap())).unwrap();
        let (ctx, app) = (berth::context::Context::background("test"), client.remote(&"app".parse().unwrap()));
        assert_eq!(app.blobs().get(&ctx, &Digest::canonical(CONTENT), 100).await.unwrap(), CONTENT);
        let (digest, content) = source(&Bytes::from_static(b"new"));
        let absent = app.blobs().stat(&ctx, &digest).await;
        assert!(matches!(absent, Err(BlobError::Unknown(_))), "{absent:?}");
        app.push_blob(&ctx, &digest, &content, None).await.unwrap();
        assert_eq!(shown(&server), [ALICE, "Bearer t"], "{name}");
        served.abort();
    }
}
