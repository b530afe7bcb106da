//! The interfaces (`src/distribution`): one suite, run by storage itself and by the client on whatever it speaks to,
//! which is our router on memory, on a folder and on S3, the deployment in the local Lambda with a login, and any other
//! registry that `BERTH_SUITE_REGISTRY` names.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

// What the suite runs, by what it is about.
#[path = "behaviour/blobs.rs"]
mod blobs;
#[path = "behaviour/catalog.rs"]
mod catalog;
#[path = "behaviour/manifests.rs"]
mod manifests;
#[path = "behaviour/mounts.rs"]
mod mounts;
#[path = "behaviour/referrers.rs"]
mod referrers;
#[path = "behaviour/signatures.rs"]
mod signatures;
#[path = "behaviour/suite.rs"]
mod suite;
#[path = "behaviour/tags.rs"]
mod tags;
#[path = "behaviour/uploads.rs"]
mod uploads;

// What it runs on.
#[path = "behaviour/content.rs"]
mod content;
#[path = "behaviour/gateway.rs"]
mod gateway;
#[path = "behaviour/lambda.rs"]
mod lambda;
#[path = "behaviour/other.rs"]
mod other;
#[path = "behaviour/router.rs"]
mod router;
#[path = "behaviour/storage.rs"]
mod storage;
#[path = "behaviour/subject.rs"]
mod subject;

#[path = "budgets/image.rs"]
mod image;
#[path = "lambda/stack.rs"]
mod stack;
#[path = "support/mod.rs"]
mod support;
