//! Memory before DynamoDB, as an instance has it; and two instances over one table.

use std::{sync::Arc, time::Duration};

use berth::{
    cache::{DescriptorCache, LinkSet, TOMBSTONE_LIFE, memory::ACCESS_LIFE, tiered::Tiered},
    distribution::{BlobDescriptorService, BlobError},
};
use berth_local::{Fault, Rule};

use crate::subject::{self, Subject, ctx, in_memory, in_table, known, layer, name, sha512};

suite!(crate::subject::tiered);

/// Another instance over the same table.
fn beside(subject: &Subject) -> Arc<dyn BlobDescriptorService> {
    let back = Arc::new(in_table(subject.emulator(), &subject.time));
    Tiered::new(in_memory(&subject.time, 1_000), back).scoped(&name("a"), LinkSet::Layers)
}

fn requests<const N: usize>(subject: &Subject, expected: [(&str, u64); N]) {
    assert_eq!(subject.requests(), expected.map(|(operation, n)| (operation.to_owned(), n)));
    subject.emulator().reset();
}

#[tokio::test]
async fn what_this_process_knows_costs_no_request() {
    let subject = subject::tiered().await;
    let (layers, other) = (subject.layers("a"), beside(&subject));
    layers.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap();
    requests(&subject, [("PutItem", 1)]);
    layers.stat(&ctx(), &layer(1).digest).await.unwrap();
    layers.stat_many(&ctx(), &[layer(1).digest]).await.unwrap();
    requests(&subject, []);
    for expected in [1, 0] {
        other.stat(&ctx(), &layer(1).digest).await.unwrap();
        assert_eq!(subject.requests().len(), expected);
        subject.emulator().reset();
    }
    subject.time.pass(ACCESS_LIFE);
    layers.stat(&ctx(), &layer(1).digest).await.unwrap();
    requests(&subject, [("GetItem", 1)]);
}

#[tokio::test]
async fn the_table_is_asked_once_for_the_rest_of_a_batch() {
    let subject = subject::tiered().await;
    let (layers, other) = (subject.layers("a"), beside(&subject));
    let entries: Vec<_> = (1..=6).map(|n| (layer(n).digest, layer(n))).collect();
    layers.set_many(&ctx(), &entries).await.unwrap();
    requests(&subject, [("TransactWriteItems", 1)]);
    other.stat(&ctx(), &layer(2).digest).await.unwrap();
    requests(&subject, [("GetItem", 1)]);
    let asked: Vec<_> = (1..=8).map(|n| layer(n).digest).collect();
    let found = other.stat_many(&ctx(), &asked).await.unwrap();
    assert_eq!(found, (1..=8).map(|n| (n <= 6).then(|| layer(n))).collect::<Vec<_>>());
    requests(&subject, [("BatchGetItem", 1)]);
    other.stat_many(&ctx(), &asked[..6]).await.unwrap();
    requests(&subject, []);
}

#[tokio::test]
async fn near_stays_in_this_process() {
    let subject = subject::tiered().await;
    let near = subject.cache.near(&name("a"), LinkSet::Layers);
    near.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap();
    assert_eq!(known(&near, &layer(2).digest).await, None);
    assert_eq!(known(&subject.layers("a"), &layer(1).digest).await, Some(layer(1)));
    requests(&subject, []);
    assert_eq!(known(&beside(&subject), &layer(1).digest).await, None);
}

#[tokio::test]
async fn revoked_access_ends_in_other_instances_within_seconds() {
    let subject = subject::tiered().await;
    let (layers, other) = (subject.layers("a"), beside(&subject));
    layers.set_descriptor(&ctx(), &sha512(1), &layer(1)).await.unwrap();
    assert_eq!(known(&other, &sha512(1)).await, Some(layer(1)));
    layers.clear(&ctx(), &layer(1).digest).await.unwrap();
    assert_eq!(known(&layers, &sha512(1)).await, None);
    subject.time.pass(ACCESS_LIFE);
    for digest in [sha512(1), layer(1).digest] {
        assert_eq!(known(&other, &digest).await, None);
    }
    // Their late fills reach no instance: not even, for longer than seconds, their own.
    other.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap();
    subject.time.pass(ACCESS_LIFE);
    for cache in [&layers, &other, &beside(&subject)] {
        assert_eq!(known(cache, &layer(1).digest).await, None);
    }
}

#[tokio::test]
async fn what_was_cleared_here_is_not_asked_of_the_table() {
    let subject = subject::tiered().await;
    let layers = subject.layers("a");
    layers.clear(&ctx(), &layer(1).digest).await.unwrap();
    requests(&subject, [("PutItem", 1)]);
    assert_eq!(known(&layers, &layer(1).digest).await, None);
    layers.set_many(&ctx(), &[(layer(1).digest, layer(1)), (sha512(1), layer(1))]).await.unwrap();
    layers.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap();
    requests(&subject, []);
    subject.time.pass(TOMBSTONE_LIFE);
    layers.stat(&ctx(), &layer(1).digest).await.unwrap_err();
    requests(&subject, [("GetItem", 1)]);
}

#[tokio::test]
async fn a_table_that_fails_is_said_to_and_this_process_remembers() {
    let subject = subject::tiered().await;
    let layers = subject.layers("a");
    subject.emulator().inject(Rule::new(Fault::AccessDenied));
    let failed = |outcome| matches!(outcome, Err(BlobError::Backend(_)));
    assert!(failed(layers.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await));
    assert!(failed(layers.set_many(&ctx(), &[(layer(2).digest, layer(2)), (layer(3).digest, layer(3))]).await));
    for n in 1..=3 {
        assert_eq!(layers.stat(&ctx(), &layer(n).digest).await.unwrap(), layer(n));
    }
    assert!(failed(layers.stat(&ctx(), &layer(4).digest).await.map(drop)));
    layers.stat_many(&ctx(), &[layer(1).digest, layer(4).digest]).await.unwrap_err();
}

#[tokio::test]
async fn a_clear_that_fails_says_so_and_leaves_nothing_in_this_process() {
    let subject = subject::tiered().await;
    let layers = subject.layers("a");
    layers.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap();
    subject.emulator().inject(Rule::new(Fault::AccessDenied));
    assert!(matches!(layers.clear(&ctx(), &layer(1).digest).await, Err(BlobError::Backend(_))));
    subject.emulator().clear_faults();
    assert_eq!(known(&layers, &layer(1).digest).await, None);
    // The others still have it: the delete did not take place.
    assert_eq!(known(&beside(&subject), &layer(1).digest).await, Some(layer(1)));
    layers.clear(&ctx(), &layer(1).digest).await.unwrap();
    subject.time.pass(ACCESS_LIFE + Duration::from_secs(1));
    assert_eq!(known(&beside(&subject), &layer(1).digest).await, None);
}
