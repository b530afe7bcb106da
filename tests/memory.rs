//! No request needs more than a small amount of memory, whatever the blob's size: the real binary takes 2 GB by one
//! PUT, by one PATCH, and gives it back without a redirect, on a folder and on S3, and stays under 64 MB resident.
//! The figures are printed: `cargo test --test memory -- --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

#[path = "support/mod.rs"]
mod support;
#[path = "memory/wire.rs"]
mod wire;

use std::path::Path;

use berth_local::Emulators;
use support::{process::Served, registry::on_aws};
use wire::{Large, ask, download};

/// The blob.
const SIZE: u64 = 2 << 30;
/// What may be resident at most, at any moment.
const BUDGET: u64 = 64 << 20;

fn moves_large_blobs(storage: &str, folder: &Path, yaml: &str) {
    let served = Served::start(folder, yaml);
    let spent = |what: &str| {
        let peak = served.peak_resident();
        println!("{storage}: {what}: {:.1} MB resident at most", peak as f64 / 1e6);
        assert!(peak < BUDGET, "{storage}: {what}: {peak} bytes resident, more than {BUDGET}");
    };
    let put = Large { seed: 1, size: SIZE };
    let digest = put.digest();
    let location = ask(&served.host, "POST", "/v2/large/blobs/uploads/").location();
    assert_eq!(put.send(&served.host, "PUT", &format!("{location}&digest={digest}"), false).status, 201);
    spent("2 GB by one PUT");

    assert_eq!(download(&served.host, &format!("/v2/large/blobs/{digest}")), digest);
    spent("2 GB pulled");

    let patched = Large { seed: 2, size: SIZE };
    let digest = patched.digest();
    let location = ask(&served.host, "POST", "/v2/large/blobs/uploads/").location();
    let sent = patched.send(&served.host, "PATCH", &location, true);
    assert_eq!((sent.status, sent.header("range")), (202, format!("0-{}", SIZE - 1).as_str()));
    assert_eq!(ask(&served.host, "PUT", &format!("{}&digest={digest}", sent.location())).status, 201);
    spent("2 GB by one PATCH");
}

#[test]
fn a_folder_takes_and_gives_two_gigabytes_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = format!("version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}/data}}}}\n", folder.path().display());
    moves_large_blobs("folder", folder.path(), &yaml);
}

#[test]
fn s3_takes_and_gives_two_gigabytes_in_little_memory() {
    let emulators = tokio::runtime::Runtime::new().unwrap().block_on(Emulators::start()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    moves_large_blobs("S3", folder.path(), &on_aws(&emulators, "  redirect: {disable: true}"));
}
