//! Manifests that are not what they are called.

use berth::{
    digest::Digest,
    distribution::Repository as _,
    manifest::Manifest,
    name::{Reference, Tag},
};
use bytes::Bytes;

use crate::{
    client::{Client, says},
    server::{Server, reply},
};

const INDEX: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

fn latest() -> Reference {
    Reference::Tag("latest".parse().unwrap())
}

#[tokio::test]
async fn bytes_with_another_digest_are_refused() {
    let server = Server::start(|_| reply(200, &[], INDEX)).await;
    let (client, digest) = (Client::of(&server), Digest::canonical(b"what was pushed"));
    let result = client.repository().manifests().get(&client.ctx, &Reference::Digest(digest)).await;
    says(result, &[&server.addr.to_string(), &digest.to_string(), "not taken"]);

    let said = digest.to_string();
    let server = Server::start(move |_| reply(200, &[("Docker-Content-Digest", &said)], INDEX)).await;
    let client = Client::of(&server);
    says(client.repository().manifests().get(&client.ctx, &latest()).await, &[&digest.to_string(), "not taken"]);
}

#[tokio::test]
async fn a_registry_that_stores_something_else_is_found_out() {
    let other = Digest::canonical(b"something else").to_string();
    let server = Server::start(move |_| reply(201, &[("Docker-Content-Digest", &other)], "")).await;
    let client = Client::of(&server);
    let manifest = Manifest::parse(None, Bytes::from_static(INDEX.as_bytes())).unwrap();
    let tags: [Tag; 1] = ["latest".parse().unwrap()];
    let result = client.repository().manifests().put(&client.ctx, &manifest, None, &tags).await;
    says(result, &["not its digest"]);
}

/// One that knows nothing of `tag=` has each tag put.
#[tokio::test]
async fn tags_that_were_not_set_are_put_each() {
    let server = Server::start(|_| reply(201, &[], "")).await;
    let client = Client::of(&server);
    let manifest = Manifest::parse(None, Bytes::from_static(INDEX.as_bytes())).unwrap();
    let tags: Vec<Tag> = ["a", "b"].iter().map(|tag| tag.parse().unwrap()).collect();
    let digest = client.repository().manifests().put(&client.ctx, &manifest, None, &tags).await.unwrap();
    let expected = [
        format!("PUT /v2/app/manifests/{digest}?tag=a&tag=b"),
        "PUT /v2/app/manifests/a".to_owned(),
        "PUT /v2/app/manifests/b".to_owned(),
    ];
    assert_eq!(server.lines(), expected);
}

#[tokio::test]
async fn a_tag_resolves_where_head_says_no_digest() {
    let server = Server::start(|_| reply(200, &[], INDEX)).await;
    let client = Client::of(&server);
    let digest = client.repository().tags().resolve(&client.ctx, &"latest".parse().unwrap()).await.unwrap();
    assert_eq!(digest, Digest::canonical(INDEX.as_bytes()));
}
