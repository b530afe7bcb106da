//! The client, the gateway, and our own router behind it.

use std::sync::Arc;

use berth::{
    client::{ClientOptions, Registry as Client},
    gateway::{self, Gateway, Names, Spool},
    http::{Timeouts, serve},
};
use berth_local::Emulators;
use tokio::net::TcpListener;

use crate::{
    router::client,
    subject::{NOT_OVER_HTTP, Subject},
    suite,
    support::registry::{Registry, on_aws},
};

async fn behaves(yaml: &str) {
    let (registry, spool) = (Registry::configured(yaml).await, tempfile::tempdir().unwrap());
    let behind = Client::connect(ClientOptions::new(registry.host().parse().unwrap())).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gateway = Gateway::new(behind, Spool::open(Some(spool.path())).unwrap());
    let router = gateway::router(gateway, Names::of(address));
    let served = tokio::spawn(serve(listener, router, Timeouts::default(), std::future::pending()));
    suite::run(Subject::new(Arc::new(client(&address.to_string())), &NOT_OVER_HTTP)).await;
    assert_eq!(std::fs::read_dir(spool.path()).unwrap().count(), 0, "nothing is left of what was pushed");
    served.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_behaves_on_memory() {
    behaves("version: 0.1\nstorage: {inmemory: {}, cache: {blobdescriptor: inmemory}}").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_behaves_on_s3() {
    let emulators = Emulators::start().await.unwrap();
    behaves(&on_aws(&emulators, "")).await;
}
