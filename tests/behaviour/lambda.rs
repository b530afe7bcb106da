//! The client and the deployment in the local Lambda: 4.5 MB in a request, and a login by tokens.

use std::sync::Arc;

use berth::{
    client::{ClientOptions, Credential, FileSource, Pushed, Registry as Client, Source},
    config::Secret,
    context::Context,
    digest::Digest,
    distribution::Repository as _,
};

use crate::{
    content::{all, noise},
    stack::Stack,
    subject::{Ability, NOT_OVER_HTTP, Subject},
    suite,
};

fn client(stack: &Stack, set: impl FnOnce(&mut ClientOptions)) -> Client {
    let credential = Credential::Password { name: "alice".to_owned(), password: Secret::new("wonderland") };
    let host = stack.host().parse().unwrap();
    let mut options = ClientOptions { credentials: Arc::new(credential), ..ClientOptions::new(host) };
    set(&mut options);
    Client::connect(options).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_behaves_through_lambda() {
    let stack = Stack::start(|function| function.instances(2)).await;
    // More than Lambda takes, so that the client learns it.
    let client = client(&stack, |options| options.piece = 8 << 20);
    // A token is for the repositories that it names, so that nobody has all of them searched for a blob to mount.
    let lacks = [&NOT_OVER_HTTP[..], &[Ability::MountFromAnywhere]].concat();
    suite::run(Subject::new(Arc::new(client), &lacks)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_any_size_is_pushed_through_lambda() {
    let stack = Stack::start(|function| function.instances(2)).await;
    let (client, ctx) = (client(&stack, |_| {}), Context::background("test"));
    let (app, other) = (client.remote(&"app".parse().unwrap()), client.remote(&"other".parse().unwrap()));
    let content = noise(1, 15_000_000);
    let digest = Digest::canonical(&content);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &content).unwrap();
    let source: Arc<dyn Source> = Arc::new(FileSource::open(file.path()).await.unwrap());

    assert_eq!(app.push_blob(&ctx, &digest, &source, None).await.unwrap(), Pushed::Sent);
    let reading = app.blobs().open(&ctx, &digest, 0, None).await.unwrap();
    assert!(all(reading).await == content, "what is pulled is what was pushed");
    assert_eq!(app.push_blob(&ctx, &digest, &source, None).await.unwrap(), Pushed::Present);
    let mounted = other.push_blob(&ctx, &digest, &source, Some(&"app".parse().unwrap())).await;
    assert_eq!(mounted.unwrap(), Pushed::Mounted);

    let wrong = Digest::canonical(b"something else");
    let refused = app.push_blob(&ctx, &wrong, &source, None).await.unwrap_err();
    assert!(refused.to_string().contains(&digest.to_string()), "{refused}");
    app.blobs().stat(&ctx, &wrong).await.unwrap_err();
}
