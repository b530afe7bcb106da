//! The client and the deployment in the local Lambda: 4.5 MB in a request, and a login by tokens.

use std::sync::Arc;

use berth::{
    client::{ClientOptions, Credential, Registry as Client},
    config::Secret,
};

use crate::{
    stack::Stack,
    subject::{Ability, NOT_OVER_HTTP, Subject},
    suite,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_behaves_through_lambda() {
    let stack = Stack::start(|function| function.instances(2)).await;
    let credential = Credential::Password { name: "alice".to_owned(), password: Secret::new("wonderland") };
    let options = ClientOptions {
        credentials: Arc::new(credential),
        // More than Lambda takes, so that the client learns it.
        piece: 8 << 20,
        ..ClientOptions::new(stack.host().parse().unwrap())
    };
    let client = Client::connect(options).unwrap();
    // A token is for the repositories that it names, so that nobody has all of them searched for a blob to mount.
    let lacks = [&NOT_OVER_HTTP[..], &[Ability::MountFromAnywhere]].concat();
    suite::run(Subject::new(Arc::new(client), &lacks)).await;
}
