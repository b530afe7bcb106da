//! Random sequences of pushes, mounts, tags, deletions and listings against a plain map: no difference may show, for
//! memory, for a folder, and for S3 with DynamoDB, and for the client of one over HTTP. The registry is driven by its
//! interfaces.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

#[path = "model/operation.rs"]
mod operation;
#[path = "model/play.rs"]
mod play;
#[path = "model/world.rs"]
mod world;

#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;

use berth::{
    client::{self, ClientOptions},
    config::Config,
    distribution::Namespace,
    wire::Adapters,
};
use berth_local::Emulators;
use operation::{Operation, operations};
use play::Play;
use proptest::test_runner::{Config as Cases, TestRunner};
use support::registry::{Registry, on_aws};
use tokio::runtime::Runtime;

/// Plays `cases` sequences of up to `length` steps, each on a registry of its own; all that is visible is compared
/// after every `every`th step and at the end.
fn play(cases: u32, length: usize, every: usize, registry: impl Fn(&Runtime) -> Arc<dyn Namespace>) {
    play_one(cases, length, every, true, registry);
}

/// The same; a registry over HTTP does not say canonical digests.
fn play_one(
    cases: u32,
    length: usize,
    every: usize,
    says_canonical: bool,
    registry: impl Fn(&Runtime) -> Arc<dyn Namespace>,
) {
    let runtime = Runtime::new().unwrap();
    let mut runner = TestRunner::new(Cases { cases, failure_persistence: None, ..Cases::default() });
    let result = runner.run(&operations(length), |steps: Vec<Operation>| {
        let registry = registry(&runtime);
        runtime.block_on(async {
            let mut play = Play::new(registry, says_canonical);
            for (number, step) in steps.iter().enumerate() {
                play.step(step).await;
                if number % every == 0 {
                    play.compare().await;
                }
            }
            play.compare().await;
        });
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

fn configured(runtime: &Runtime, yaml: &str) -> Arc<dyn Namespace> {
    let config = Config::parse("model.yml", yaml, []).unwrap();
    runtime.block_on(async { Adapters::open(&config).await.unwrap().app().await.unwrap().namespace })
}

#[test]
fn memory_behaves_like_a_plain_map() {
    play(400, 60, 5, |runtime| {
        configured(runtime, "version: 0.1\nstorage: {inmemory: {}, cache: {blobdescriptor: inmemory}}")
    });
}

#[test]
fn a_folder_behaves_like_a_plain_map() {
    let folder = tempfile::tempdir().unwrap();
    let next = std::cell::Cell::new(0);
    play(48, 40, 10, |runtime| {
        next.set(next.get() + 1);
        let root = folder.path().join(next.get().to_string());
        configured(runtime, &format!("version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}", root.display()))
    });
}

#[test]
fn s3_with_dynamodb_behaves_like_a_plain_map() {
    let emulators = Runtime::new().unwrap().block_on(Emulators::start()).unwrap();
    let next = std::cell::Cell::new(0);
    play(16, 40, 10, |runtime| {
        next.set(next.get() + 1);
        // Names of repositories are the same in every sequence, so each has a table and a folder of its own.
        emulators.dynamodb().drop_table().unwrap();
        emulators.dynamodb().create_table().unwrap();
        let yaml =
            on_aws(&emulators, "").replace("    region:", &format!("    rootdirectory: /{}\n    region:", next.get()));
        configured(runtime, &yaml)
    });
}

#[test]
fn the_client_behaves_like_a_plain_map() {
    let served = std::cell::RefCell::new(None);
    play_one(30, 40, 10, false, |runtime| {
        let yaml = "version: 0.1\nstorage: {inmemory: {}, cache: {blobdescriptor: inmemory}}";
        let registry = runtime.block_on(Registry::configured(yaml));
        let options = ClientOptions::new(registry.host().parse().unwrap());
        served.replace(Some(registry));
        Arc::new(client::Registry::connect(options).unwrap())
    });
}
