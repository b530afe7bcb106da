//! Registries that want a login sent where it must not go.

use std::sync::Arc;

use berth::{
    client::{Credential, Credentials},
    config::Secret,
    digest::Digest,
    distribution::Repository as _,
};

use crate::{
    client::{ALICE, Client, alice, says},
    server::{Asked, Reply, Server, reply},
};

/// A client of `server` that is logged in as `credential`.
fn logged_in(server: &Server, credential: impl Credentials + 'static) -> Client {
    Client::with(server, |options| options.credentials = Arc::new(credential))
}

/// Whether any request showed anything.
fn shown(server: &Server) -> Vec<String> {
    server.asked().iter().filter_map(|asked| asked.header("authorization").map(str::to_owned)).collect()
}

/// Asks for `challenge` until it is shown anything.
fn asks_for(challenge: String) -> impl Fn(&Asked) -> Reply + Send + Sync {
    move |asked| match asked.header("authorization") {
        None => reply(401, &[("WWW-Authenticate", &challenge)], ""),
        Some(_) => reply(200, &[], ""),
    }
}

/// A name that is neither the registry's own host nor has TLS.
#[tokio::test]
async fn a_realm_without_tls_elsewhere_gets_nothing() {
    let thief = Server::start(|_| reply(200, &[], r#"{"token":"x"}"#)).await;
    let port = thief.addr.port();
    for realm in [
        format!("http://localhost:{port}/token"),
        format!("http://[::1]:{port}/token"),
        "ftp://127.0.0.1/token".to_owned(),
        format!("http://alice:x@127.0.0.1:{port}/token"),
        "file:///etc/passwd".to_owned(),
        "http://".to_owned(),
    ] {
        let server = Server::start(asks_for(format!("Bearer realm=\"{realm}\",service=\"x\""))).await;
        for client in [logged_in(&server, alice()), Client::of(&server)] {
            says(client.registry.check(&client.ctx).await, &[&server.addr.to_string()]);
        }
        assert_eq!(shown(&server), [""; 0], "{realm}");
    }
    assert_eq!(thief.lines(), [""; 0]);
}

#[tokio::test]
async fn a_refused_login_is_said_without_the_password() {
    let challenge = "Basic realm=\"x\"";
    let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"nobody has this password: wonderland"}]}"#;
    let server = Server::start(move |_| reply(401, &[("WWW-Authenticate", challenge)], body)).await;
    let client = logged_in(&server, alice());
    says(client.registry.check(&client.ctx).await, &["401", "log in"]);
    assert_eq!(shown(&server), [ALICE], "once is enough");

    let token = Server::start(move |asked| match asked.target.starts_with("/token") {
        true => reply(401, &[], r#"{"errors":[{"code":"UNAUTHORIZED","message":"wonderland is wrong"}]}"#),
        false => reply(401, &[("WWW-Authenticate", "Bearer realm=\"/token\"")], ""),
    })
    .await;
    let client = logged_in(&token, alice());
    let result = client.registry.check(&client.ctx).await;
    assert!(!result.as_ref().unwrap_err().to_string().contains("wonderland"), "{result:?}");
    says(result, &["the login is refused: 401", "berth login"]);
}

/// Neither a password nor a token leaves the host that it is for, on whatever way.
#[tokio::test]
async fn nothing_is_shown_to_other_hosts() {
    let thief = Server::start(|asked| match asked.method.as_str() {
        "GET" => reply(200, &[], "content"),
        "HEAD" => reply(200, &[("content-length", "7")], ""),
        "PATCH" => reply(202, &[], ""),
        _ => reply(201, &[], ""),
    })
    .await;
    let away = format!("http://{}/away", thief.addr);
    let server = Server::start(move |asked| match asked.header("authorization") {
        None => reply(401, &[("WWW-Authenticate", "Basic realm=\"x\"")], ""),
        Some(_) if asked.is("POST", "/uploads/") => reply(202, &[("Location", &away)], ""),
        Some(_) if asked.is("HEAD", "/blobs/") => reply(404, &[], ""),
        Some(_) => reply(307, &[("Location", &away)], ""),
    })
    .await;
    let client = logged_in(&server, alice());
    let content = bytes::Bytes::from_static(b"content");
    let repository = client.repository();
    let read = repository.blobs().get(&client.ctx, &Digest::canonical(&content), 100).await.unwrap();
    assert_eq!(read, content);
    let (digest, source) = crate::client::source(&content);
    repository.push_blob(&client.ctx, &digest, &source, None).await.unwrap();
    assert_eq!(
        thief.lines(),
        ["GET /away".to_owned(), format!("PUT /away?digest={}", digest.to_string().replace(':', "%3A"))]
    );
    assert_eq!(shown(&thief), [""; 0]);
    assert!(!shown(&server).is_empty());
}

/// A 401 of another host is no reason to show it anything.
#[tokio::test]
async fn other_hosts_are_not_logged_in_to() {
    let thief = Server::start(asks_for("Basic realm=\"mine\"".to_owned())).await;
    let away = format!("http://{}/away", thief.addr);
    let server = Server::start(move |_| reply(307, &[("Location", &away)], "")).await;
    let client = logged_in(&server, alice());
    let result = client.repository().blobs().get(&client.ctx, &Digest::canonical(b"x"), 100).await;
    says(result, &["401", &thief.addr.to_string()]);
    assert_eq!(shown(&thief), [""; 0]);
}

#[tokio::test]
async fn an_identity_token_is_shown_to_the_token_service_alone() {
    let server = Server::start(|asked| match asked.header("authorization") {
        _ if asked.is("POST", "/token") => reply(200, &[], r#"{"access_token":"short","expires_in":300}"#),
        Some("Bearer short") => reply(200, &[], ""),
        _ => reply(401, &[("WWW-Authenticate", "Bearer realm=\"/token\",service=\"s\"")], ""),
    })
    .await;
    let client = logged_in(&server, Credential::IdentityToken(Secret::new("lo ng")));
    client.registry.check(&client.ctx).await.unwrap();
    let form = server.asked()[1].body.clone().unwrap();
    let form = String::from_utf8(form.to_vec()).unwrap();
    assert_eq!(form, "client_id=berth&scope=&service=s&grant_type=refresh_token&refresh_token=lo%20ng");
    assert_eq!(shown(&server), ["Bearer short"]);
}
