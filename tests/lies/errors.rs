//! Errors, and what is no answer at all.

use berth::{
    digest::Digest,
    distribution::{BackendErrorKind, BlobError, Repository as _},
    name::Reference,
};

use crate::{
    client::{Client, says},
    server::{Reply, Server, reply},
};

#[tokio::test]
async fn what_the_registry_says_is_repeated_cleanly() {
    let body =
        r#"{"errors":[{"code":"DENIED","message":"not\u001b[31m for\r\n you","detail":{"x":1}},{"code":"ODD"}]}"#;
    let server = Server::start(move |_| reply(403, &[], body)).await;
    let client = Client::of(&server);
    let result = client.repository().blobs().stat(&client.ctx, &Digest::canonical(b"")).await;
    // A HEAD has no body.
    assert!(matches!(&result, Err(BlobError::Backend(error)) if error.kind == BackendErrorKind::Denied));
    says(result, &[&server.addr.to_string(), "403", "ask whoever runs it"]);
    let reference = Reference::Tag("latest".parse().unwrap());
    let result = client.repository().manifests().get(&client.ctx, &reference).await;
    says(result, &["403", "not [31m for you; ODD", "manifest latest of app"]);
}

#[tokio::test]
async fn garbage_is_told_from_lists() {
    for garbage in ["<html>", "", "{\"tags\": 7}", "[1,2", "null", "{\"tags\":[\"no tag\"],\"repositories\":[\"No\"]}"]
    {
        let server = Server::start(move |_| reply(200, &[], garbage)).await;
        let (client, host) = (Client::of(&server), server.addr.to_string());
        let paging = Default::default();
        says(client.repository().tags().list(&client.ctx, &paging).await, &[&host]);
        if !garbage.contains("tags") {
            let digest = Digest::canonical(b"");
            let referrers = client.repository();
            says(referrers.manifests().referrers(&client.ctx, &digest, None, None).await, &[&host, "referrers"]);
        }
    }
}

#[tokio::test]
async fn what_is_no_http_is_said() {
    let server = Server::start(|_| Reply::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())).await;
    let client = Client::of(&server);
    says(client.registry.check(&client.ctx).await, &[&server.addr.to_string(), "broke off"]);
}

#[tokio::test]
async fn what_is_no_registry_is_said() {
    let server = Server::start(|_| reply(404, &[], "")).await;
    let client = Client::of(&server);
    says(client.registry.check(&client.ctx).await, &["404", "no registry", "is the name right?"]);
}

#[tokio::test]
async fn nobody_there_is_said() {
    let server = Server::start(|_| reply(200, &[], "")).await;
    let (client, host) = (Client::of(&server), server.addr.to_string());
    drop(server);
    // The listener goes with its task.
    while tokio::net::TcpStream::connect(host.as_str()).await.is_ok() {
        tokio::task::yield_now().await;
    }
    says(client.registry.check(&client.ctx).await, &[&host, "cannot be reached", "is the name right"]);
}
