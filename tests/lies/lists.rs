//! Lists that lead nowhere, or elsewhere.

use berth::{
    digest::Digest,
    distribution::{Paging, Repository as _},
};

use crate::{
    client::{Client, says},
    server::{Asked, Reply, Server, reply},
};

async fn tags(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> (Server, Result<usize, String>) {
    let server = Server::start(handler).await;
    let client = Client::of(&server);
    let page = client.repository().tags().list(&client.ctx, &Paging::default()).await;
    (server, page.map(|page| page.entries.len()).map_err(|error| error.to_string()))
}

#[tokio::test]
async fn pages_are_followed_in_any_order() {
    let (server, result) = tags(|asked| match asked.number {
        0 => reply(200, &[("Link", "</v2/app/tags/list?page=2>; rel=\"next\"")], r#"{"tags":["c","b"]}"#),
        1 => reply(200, &[("Link", "<?page=3>; rel=next")], r#"{"tags":["d"]}"#),
        _ => reply(200, &[], r#"{"tags":["a","b"]}"#),
    })
    .await;
    assert_eq!(result, Ok(4));
    assert_eq!(server.lines()[1..], ["GET /v2/app/tags/list?page=2", "GET /v2/app/tags/list?page=3"]);
}

#[tokio::test]
async fn pages_that_repeat_are_given_up() {
    for body in [r#"{"tags":["a","b"]}"#, r#"{"tags":[]}"#] {
        let (server, result) =
            tags(move |_| reply(200, &[("Link", "</v2/app/tags/list?x>; rel=\"next\"")], body)).await;
        says(result, &[&server.addr.to_string(), "lead nowhere"]);
        assert!(server.asked().len() <= 2);
    }
}

#[tokio::test]
async fn pages_without_an_end_are_given_up() {
    let (server, result) = tags(|asked| {
        let names: Vec<String> = (0..1000).map(|name| format!("\"t{}-{name}\"", asked.number)).collect();
        let link = format!("</v2/app/tags/list?page={}>; rel=\"next\"", asked.number);
        reply(200, &[("Link", &link)], format!("{{\"tags\":[{}]}}", names.join(",")))
    })
    .await;
    says(result, &["without an end", "given up"]);
    assert_eq!(server.asked().len(), 1001, "a million entries");
}

#[tokio::test]
async fn pages_elsewhere_are_not_followed() {
    let other = Server::start(|_| reply(200, &[], r#"{"tags":[]}"#)).await;
    for link in
        [format!("<http://{}/v2/app/tags/list>; rel=\"next\"", other.addr), "<file:///etc>; rel=next".to_owned()]
    {
        let (_, result) = tags(move |_| reply(200, &[("Link", &link)], r#"{"tags":["a"]}"#)).await;
        says(result, &["not followed"]);
    }
    assert_eq!(other.lines(), [""; 0]);
}

#[tokio::test]
async fn referrers_without_an_end_are_given_up() {
    let server = Server::start(|_| {
        let body = r#"{"schemaVersion":2,"manifests":[]}"#;
        reply(200, &[("Link", "</v2/app/referrers/x?y>; rel=next")], body)
    })
    .await;
    let client = Client::of(&server);
    let repository = client.repository();
    let result = repository.manifests().referrers(&client.ctx, &Digest::canonical(b""), None, None).await;
    says(result, &["without an end"]);
    assert_eq!(server.asked().len(), 1);
}
