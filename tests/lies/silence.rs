//! Servers of which nothing is heard.

use std::time::Duration;

use berth::{
    context::{Caller, Context},
    digest::Digest,
    distribution::{Paging, Repository as _},
};
use futures_util::TryStreamExt as _;

use crate::{
    client::{Client, RETRIES, impatient, says, source},
    server::{Reply, Server, reply},
};

const SOON: Duration = Duration::from_millis(100);

fn client(server: &Server) -> Client {
    Client::with(server, |options| options.patience = impatient(SOON))
}

#[tokio::test]
async fn no_answer_is_said() {
    let server = Server::start(|_| Reply::Stall(Vec::new())).await;
    let client = client(&server);
    let result = client.repository().tags().list(&client.ctx, &Paging::default()).await;
    says(result, &[&server.addr.to_string(), "silent for 100ms"]);
    assert_eq!(server.asked().len(), 1 + RETRIES as usize);
}

#[tokio::test]
async fn half_an_answer_is_said() {
    let head = "HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\n{\"tags\":";
    let server = Server::start(move |_| Reply::Stall(head.as_bytes().to_vec())).await;
    let client = client(&server);
    let result = client.repository().tags().list(&client.ctx, &Paging::default()).await;
    says(result, &[&server.addr.to_string(), "nothing came for 100ms"]);
    let reading = client.repository().blobs().open(&client.ctx, &Digest::canonical(b""), 0, None).await.unwrap();
    let result = reading.stream.try_for_each(|_| std::future::ready(Ok(()))).await;
    says(result, &[&server.addr.to_string(), "of 100"]);
}

/// A server that takes nothing of what is sent to it.
#[tokio::test]
async fn a_push_that_does_not_go_on_is_given_up() {
    let server = Server::that_takes(1000, |asked| match asked.method.as_str() {
        "POST" => reply(202, &[("Location", "/v2/app/blobs/uploads/1")], ""),
        "GET" => reply(204, &[("Range", "0-0")], ""),
        "HEAD" => reply(404, &[], ""),
        _ => Reply::Deaf,
    })
    .await;
    let client = client(&server);
    let (digest, source) = source(&vec![7; 50_000_000].into());
    let result = client.repository().push_blob(&client.ctx, &digest, &source, None).await;
    says(result, &[&server.addr.to_string(), "silent for 100ms"]);
    assert!(server.asked().len() < 40, "{}", server.asked().len());
}

/// The time of a call is the time of all that is done for it.
#[tokio::test]
async fn a_call_ends_with_its_time() {
    let server = Server::start(|_| Reply::Stall(Vec::new())).await;
    let client = Client::of(&server);
    // Long enough for the question to be asked, on a busy machine too.
    let deadline = std::time::Instant::now() + Duration::from_secs(1);
    let ctx = Context::new("test".to_owned(), Caller::Anonymous, Some(deadline), tracing::Span::none());
    let result = client.repository().tags().list(&ctx, &Paging::default()).await;
    says(result, &["ran out"]);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn an_error_that_comes_drop_by_drop_is_said() {
    let head = "HTTP/1.1 500 X\r\ncontent-length: 1000\r\n\r\n{";
    let server = Server::start(move |_| Reply::Stall(head.as_bytes().to_vec())).await;
    let client = client(&server);
    let result = client.repository().tags().list(&client.ctx, &Paging::default()).await;
    says(result, &[&server.addr.to_string(), "500"]);
}
