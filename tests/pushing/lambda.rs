//! Through the deployment in the local Lambda: what a blob costs, whatever its size.

use std::{io::Write as _, sync::Arc};

use berth::{
    client::{ClientOptions, Credential, FileSource, Pushed, Registry as Client, Source},
    config::Secret,
    context::Context,
    digest::{Algorithm, Digest, Hasher},
    distribution::Repository as _,
};

use crate::{house::content, stack::Stack};

/// A file of `mebibytes` whose content no other `number` has, and its digest.
fn file(number: u32, mebibytes: u32) -> (tempfile::NamedTempFile, Digest) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut hasher = Hasher::new(Algorithm::CANONICAL);
    for part in 0..mebibytes {
        let part = content(number.wrapping_mul(1 << 16) + part, 1 << 20);
        hasher.update(&part);
        file.write_all(&part).unwrap();
    }
    (file, hasher.finish())
}

async fn costs(mebibytes: u32) {
    let stack = Stack::start(|function| function.instances(2)).await;
    let credential = Credential::Password { name: "alice".to_owned(), password: Secret::new("wonderland") };
    let options =
        ClientOptions { credentials: Arc::new(credential), ..ClientOptions::new(stack.host().parse().unwrap()) };
    let (client, ctx) = (Client::connect(options).unwrap(), Context::background("test"));
    let app = client.remote(&"app".parse().unwrap());
    // Tokens, and the instance's own beginnings, are paid for once.
    let first = content(0, 100_000);
    let digest = Digest::canonical(&first);
    app.push_blob(&ctx, &digest, &(Arc::new(first) as _), None).await.unwrap();
    println!("the first blob, with its tokens: {} invocations", stack.function.counters().invocations);

    for number in 0..2 {
        let (file, digest) = file(number + 1, mebibytes);
        let source: Arc<dyn Source> = Arc::new(FileSource::open(file.path()).await.unwrap());
        stack.emulators.reset();
        let before = stack.function.counters().invocations;
        assert_eq!(app.push_blob(&ctx, &digest, &source, None).await.unwrap(), Pushed::Sent);
        let invocations = stack.function.counters().invocations - before;
        let requests = stack.emulators.requests();
        let by_function: Vec<_> =
            requests.iter().filter(|request| !request.presigned).map(|request| request.name()).collect();
        let sent: u64 = requests.iter().filter(|request| request.presigned).map(|request| request.request_bytes).sum();
        println!(
            "{mebibytes} MiB, blob {number}: {invocations} invocations, {} AWS requests by the function: {by_function:?}",
            by_function.len()
        );
        assert!(invocations <= 3, "{invocations}");
        assert!(by_function.len() <= 6, "{by_function:?}");
        assert_eq!(sent, u64::from(mebibytes) << 20, "all of it went to S3, once");
        assert_eq!(app.blobs().stat(&ctx, &digest).await.unwrap().size, u64::from(mebibytes) << 20);
        // And again: nothing moves.
        stack.emulators.reset();
        assert_eq!(app.push_blob(&ctx, &digest, &source, None).await.unwrap(), Pushed::Present);
        assert!(stack.emulators.requests().iter().all(|request| !request.presigned || request.method == "HEAD"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blob_costs_three_invocations_and_six_requests_at_most() {
    costs(20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a while without optimization: tests/clients/gateway has the binaries for this"]
async fn so_does_one_of_a_gigabyte() {
    costs(1024).await;
}
