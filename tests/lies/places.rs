//! Redirections and Locations.

use berth::{
    digest::Digest,
    distribution::{Repository as _, Served, Wish},
};

use crate::{
    client::{Client, says, source},
    server::{Server, reply},
};

async fn get(location: &'static str) -> (Server, Result<bytes::Bytes, String>) {
    let server = Server::start(move |asked| {
        let location = location.replace("NUMBER", &asked.number.to_string());
        reply(307, &[("Location", &location)], "")
    })
    .await;
    let client = Client::of(&server);
    let result = client.repository().blobs().get(&client.ctx, &Digest::canonical(b"x"), 100).await;
    (server, result.map_err(|error| error.to_string()))
}

#[tokio::test]
async fn circles_are_left() {
    let (server, result) = get("/round").await;
    says(result, &[&server.addr.to_string(), "in circles", "/round"]);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn endless_ways_are_left() {
    let (server, result) = get("/on/NUMBER?signature=secret").await;
    let Err(said) = &result else { panic!("it went well") };
    assert!(!said.contains("secret"), "{said}");
    says(result, &["on and on, more than 5 times"]);
    assert_eq!(server.asked().len(), 6);
}

#[tokio::test]
async fn hostile_places_are_not_gone_to() {
    for (location, said) in [
        ("file:///etc/passwd", "file:///etc/passwd, which is no HTTP"),
        ("ftp://x/y", "no HTTP"),
        ("javascript:alert(1)", "no HTTP"),
        ("http://alice:wonderland@127.0.0.1/", "with a password in it"),
        ("http://[", "sends its client to"),
    ] {
        let (server, result) = get(location).await;
        says(result, &[&server.addr.to_string(), said]);
        assert_eq!(server.asked().len(), 1);

        let server = Server::start(move |asked| match asked.method.as_str() {
            "POST" => reply(202, &[("Location", location)], ""),
            _ => reply(404, &[], ""),
        })
        .await;
        let client = Client::of(&server);
        let (digest, source) = source(&"x".into());
        let result = client.repository().push_blob(&client.ctx, &digest, &source, None).await;
        says(result, &[&server.addr.to_string(), said]);
        assert_eq!(server.asked().len(), 2);
    }
}

#[tokio::test]
async fn a_redirection_without_a_place_is_said() {
    let server = Server::start(|_| reply(302, &[], "")).await;
    let client = Client::of(&server);
    let result = client.repository().blobs().stat(&client.ctx, &Digest::canonical(b"x")).await;
    says(result, &["no Location"]);
}

/// `serve` hands on what needs no credentials, and follows what does.
#[tokio::test]
async fn redirections_are_handed_on() {
    let digest = Digest::canonical(b"x");
    let server = Server::start(|asked| match asked.target.as_str() {
        "/near" => reply(200, &[], "x"),
        _ if asked.number == 0 => reply(307, &[("Location", "http://127.0.0.2/x?signature=y")], ""),
        _ if asked.number == 1 => reply(307, &[("Location", "/x?Policy=p&Signature=y&Key-Pair-Id=K1")], ""),
        _ => reply(307, &[("Location", "/near")], ""),
    })
    .await;
    let client = Client::of(&server);
    let repository = client.repository();
    let served = repository.blobs().serve(&client.ctx, &digest, Wish::default()).await.unwrap();
    assert_eq!(served, Served::Redirect("http://127.0.0.2/x?signature=y".to_owned()));
    let served = repository.blobs().serve(&client.ctx, &digest, Wish::default()).await.unwrap();
    let signed = format!("http://{}/x?Policy=p&Signature=y&Key-Pair-Id=K1", server.addr);
    assert_eq!(served, Served::Redirect(signed), "CloudFront may give blobs at the registry's own host");
    let served = repository.blobs().serve(&client.ctx, &digest, Wish::default()).await.unwrap();
    assert!(matches!(served, Served::Here(descriptor) if descriptor.size == 1));
}
