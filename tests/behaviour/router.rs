//! The client and our own router, over a loopback socket.

use std::sync::Arc;

use berth::client::{ClientOptions, Registry as Client};
use berth_local::Emulators;

use crate::{
    subject::{NOT_OVER_HTTP, Subject},
    suite,
    support::registry::{Registry, on_aws},
};

/// A client of `host`, which takes pieces so small that most content needs several.
pub(crate) fn client(host: &str) -> Client {
    Client::connect(ClientOptions { piece: 256 << 10, ..ClientOptions::new(host.parse().unwrap()) }).unwrap()
}

async fn behaves(yaml: &str) {
    let registry = Registry::configured(yaml).await;
    suite::run(Subject::new(Arc::new(client(registry.host())), &NOT_OVER_HTTP)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_behaves_on_memory() {
    behaves("version: 0.1\nstorage: {inmemory: {}, cache: {blobdescriptor: inmemory}}").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_behaves_on_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    behaves(&format!("version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}", folder.path().display())).await;
}

/// Where blobs are redirected to S3.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_behaves_on_s3() {
    let emulators = Emulators::start().await.unwrap();
    behaves(&on_aws(&emulators, "")).await;
    let presigned = emulators.requests().iter().filter(|request| request.operation == "GetObject").count();
    assert!(presigned > 0, "content came from S3");
}
