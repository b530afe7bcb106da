//! Tokens: fetched once, again when they end, and for more when that is asked for.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use berth::distribution::{Paging, Repository as _};

use crate::{
    client::{ALICE, Client, alice, says, source},
    server::{Asked, Server, reply},
};

/// Fetches of tokens, in short.
fn fetches(server: &Server) -> Vec<String> {
    server.asked().iter().filter(|asked| asked.target.starts_with("/token")).map(|asked| asked.target.clone()).collect()
}

fn logged_in(server: &Server) -> Client {
    Client::with(server, |options| options.credentials = Arc::new(alice()))
}

#[tokio::test]
async fn one_is_fetched_for_what_is_done() {
    let server = Server::start(|asked| match asked.header("authorization") {
        Some(ALICE) if asked.target.starts_with("/token") => reply(200, &[], r#"{"token":"t","expires_in":300}"#),
        Some("Bearer t") => reply(200, &[], r#"{"tags":[]}"#),
        _ => {
            let challenge = r#"Basic realm="b", Bearer realm="/token",service="s, t",scope="repository:app:pull""#;
            reply(401, &[("WWW-Authenticate", challenge)], "")
        }
    })
    .await;
    let client = logged_in(&server);
    for _ in 0..5 {
        client.repository().tags().list(&client.ctx, &Paging::default()).await.unwrap();
    }
    let expected = "/token?service=s%2C%20t&scope=repository%3Aapp%3Apull&account=alice&client_id=berth";
    assert_eq!(fetches(&server), [expected]);
    assert_eq!(server.asked().len(), 1 + 1 + 5, "{:?}", server.lines());
}

/// Each is good for three requests: what is being done goes on with another.
#[tokio::test]
async fn another_is_fetched_when_one_ends() {
    let (issued, used) = (AtomicUsize::new(0), Mutex::new([0; 100]));
    let server = Server::start(move |asked: &Asked| {
        if asked.target.starts_with("/token") {
            let number = issued.fetch_add(1, Ordering::Relaxed);
            return reply(200, &[], format!(r#"{{"token":"{number}"}}"#));
        }
        let token = asked.header("authorization").and_then(|shown| shown.strip_prefix("Bearer "));
        let mut used = used.lock().unwrap();
        let uses = token.map(|token| {
            let uses = &mut used[token.parse::<usize>().unwrap()];
            *uses += 1;
            *uses
        });
        match uses {
            Some(1..=3) if asked.is("POST", "/uploads/") => reply(202, &[("Location", "/v2/app/blobs/uploads/1")], ""),
            Some(1..=3) if asked.is("PATCH", "") => reply(202, &[], ""),
            Some(1..=3) if asked.is("HEAD", "") => reply(404, &[], ""),
            Some(1..=3) => reply(201, &[], ""),
            _ => reply(401, &[("WWW-Authenticate", "Bearer realm=\"/token\",error=\"invalid_token\"")], ""),
        }
    })
    .await;
    let client = Client::with(&server, |options| {
        options.credentials = Arc::new(alice());
        options.piece = 1000;
        options.largest_body = Some(1000);
    });
    let (digest, source) = source(&vec![7; 10_000].into());
    client.repository().push_blob(&client.ctx, &digest, &source, None).await.unwrap();
    assert_eq!(fetches(&server).len(), 5, "{:?}", server.lines());
    let taken: u64 = server.asked().iter().filter(|asked| asked.method == "PATCH").map(|asked| asked.length).sum();
    assert!(taken >= 10_000);
}

#[tokio::test]
async fn a_wider_one_is_fetched_when_that_is_asked_for() {
    let server = Server::start(|asked| match asked.header("authorization") {
        _ if asked.target.starts_with("/token") => {
            let token = if asked.target.contains("%2A") { "wide" } else { "narrow" };
            reply(200, &[], format!(r#"{{"token":"{token}"}}"#))
        }
        Some("Bearer wide") => reply(202, &[], ""),
        _ => {
            let challenge = r#"Bearer realm="/token",scope="repository:app:*",error="insufficient_scope""#;
            reply(401, &[("WWW-Authenticate", challenge)], "")
        }
    })
    .await;
    let client = logged_in(&server);
    client.repository().tags().untag(&client.ctx, &"v1".parse().unwrap()).await.unwrap();
    assert!(
        fetches(&server).last().unwrap().contains("repository%3Aapp%3A%2A%2Cdelete%2Cpull"),
        "{:?}",
        server.lines()
    );
}

/// One that is refused however often it is fetched is not fetched for ever.
#[tokio::test]
async fn refusals_come_to_an_end() {
    let server = Server::start(|asked| match asked.target.starts_with("/token") {
        true => reply(200, &[], r#"{"token":"t"}"#),
        false => {
            let scope = format!("Bearer realm=\"/token\",scope=\"repository:app:x{}\"", asked.number);
            reply(401, &[("WWW-Authenticate", &scope)], "")
        }
    })
    .await;
    let client = logged_in(&server);
    says(client.repository().tags().list(&client.ctx, &Paging::default()).await, &["401", "log in"]);
    assert!(server.asked().len() < 10, "{:?}", server.lines());
}

#[tokio::test]
async fn what_is_no_token_is_said() {
    for answer in ["{}", "<html>", r#"{"token":""}"#, r#"{"token":"a\nb"}"#, r#"{"token":7}"#] {
        let server = Server::start(move |asked| match asked.target.starts_with("/token") {
            true => reply(200, &[], answer),
            false => reply(401, &[("WWW-Authenticate", "Bearer realm=\"/token\"")], ""),
        })
        .await;
        let client = logged_in(&server);
        says(client.registry.check(&client.ctx).await, &[&server.addr.to_string(), "no token"]);
    }
}
