//! The cache in a DynamoDB table: its requests and its rows.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use berth::cache::{
    DescriptorCache as _, LinkSet, TOMBSTONE_LIFE,
    dynamodb::{CONTENT_LIFE, NAME_LIFE},
};

use crate::subject::{self, Subject, ctx, in_table, known, layer, name, sha512};

suite!(crate::subject::dynamodb);

fn requests<const N: usize>(subject: &Subject, expected: [(&str, u64); N]) {
    assert_eq!(subject.requests(), expected.map(|(operation, n)| (operation.to_owned(), n)));
    subject.emulator().reset();
}

fn client(subject: &Subject) -> aws_sdk_dynamodb::Client {
    let emulator = subject.emulator();
    aws_sdk_dynamodb::Client::new(&subject::sdk(&emulator.endpoint(), &emulator.options().region))
}

/// Every row of the table, its attributes as text.
async fn rows(subject: &Subject) -> Vec<HashMap<String, String>> {
    let output = client(subject).scan().table_name(subject.emulator().table()).send().await.unwrap();
    let text = |value: AttributeValue| match value {
        AttributeValue::S(text) => text,
        AttributeValue::N(number) => format!("N {number}"),
        other => panic!("{other:?}"),
    };
    let mut rows: Vec<HashMap<String, String>> =
        output.items.unwrap().into_iter().map(|item| item.into_iter().map(|(k, v)| (k, text(v))).collect()).collect();
    rows.sort_by_key(|row| (row["pk"].clone(), row["sk"].clone()));
    rows
}

fn row<const N: usize>(attributes: [(&str, String); N]) -> HashMap<String, String> {
    attributes.map(|(name, value)| (name.to_owned(), value)).into()
}

#[tokio::test]
async fn a_look_up_is_one_request_and_of_another_name_two() {
    let subject = subject::dynamodb().await;
    let layers = subject.layers("a");
    let ask = async |digest| layers.stat(&ctx(), &digest).await.is_ok();
    assert!(!ask(layer(1).digest).await);
    requests(&subject, [("GetItem", 1)]);
    layers.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap();
    requests(&subject, [("PutItem", 1)]);
    assert!(ask(layer(1).digest).await);
    requests(&subject, [("GetItem", 1)]);
    layers.set_descriptor(&ctx(), &sha512(1), &layer(1)).await.unwrap();
    requests(&subject, [("TransactWriteItems", 1)]);
    assert!(ask(sha512(1)).await);
    requests(&subject, [("GetItem", 2)]);
    layers.clear(&ctx(), &layer(1).digest).await.unwrap();
    requests(&subject, [("PutItem", 1)]);
    layers.clear(&ctx(), &sha512(1)).await.unwrap();
    requests(&subject, [("GetItem", 1), ("PutItem", 2)]);
}

#[tokio::test]
async fn a_batch_is_one_request() {
    let subject = subject::dynamodb().await;
    let layers = subject.layers("a");
    let entries: Vec<_> = (1..=6).map(|n| (layer(n).digest, layer(n))).collect();
    let digests: Vec<_> = entries.iter().map(|(digest, _)| *digest).collect();
    layers.set_many(&ctx(), &entries).await.unwrap();
    requests(&subject, [("TransactWriteItems", 1)]);
    layers.stat_many(&ctx(), &digests[..5]).await.unwrap();
    requests(&subject, [("BatchGetItem", 1)]);
    layers.set_many(&ctx(), &entries[..1]).await.unwrap();
    requests(&subject, [("PutItem", 1)]);
    // What goes by another name is asked for together, once.
    layers.set_many(&ctx(), &[(sha512(1), layer(1)), (sha512(2), layer(2))]).await.unwrap();
    requests(&subject, [("TransactWriteItems", 1)]);
    let found = layers.stat_many(&ctx(), &[sha512(1), sha512(2), layer(3).digest, sha512(9)]).await.unwrap();
    assert_eq!(found, [Some(1), Some(2), Some(3), None].map(|n| n.map(layer)));
    requests(&subject, [("BatchGetItem", 2)]);
    layers.stat_many(&ctx(), &[sha512(1), layer(1).digest]).await.unwrap();
    requests(&subject, [("BatchGetItem", 1)]);
    layers.stat_many(&ctx(), &[]).await.unwrap();
    layers.set_many(&ctx(), &[]).await.unwrap();
    requests(&subject, []);
}

#[tokio::test]
async fn what_a_tombstone_keeps_out_does_not_keep_out_the_rest() {
    let subject = subject::dynamodb().await;
    let layers = subject.layers("a");
    for n in [2, 5] {
        layers.clear(&ctx(), &layer(n).digest).await.unwrap();
    }
    subject.emulator().reset();
    let mut entries: Vec<_> = (1..=6).map(|n| (layer(n).digest, layer(n))).collect();
    entries.push((sha512(5), layer(5)));
    layers.set_many(&ctx(), &entries).await.unwrap();
    requests(&subject, [("TransactWriteItems", 2)]);
    for n in 1..=6 {
        assert_eq!(known(&layers, &layer(n).digest).await.is_some(), n != 2 && n != 5);
    }
    assert_eq!(rows(&subject).await.len(), 6, "no row of another name was left behind");
}

#[tokio::test]
async fn more_than_a_request_takes_is_more_requests() {
    let subject = subject::dynamodb().await;
    let layers = subject.layers("a");
    let mut entries: Vec<_> = (0..149).map(|n| (layer(n).digest, layer(n))).collect();
    // 148 rows of content, one of content and name that goes over a boundary, some twice.
    entries.insert(99, (sha512(200), layer(200)));
    entries.extend_from_within(..20);
    layers.set_many(&ctx(), &entries).await.unwrap();
    requests(&subject, [("TransactWriteItems", 2)]);
    let digests: Vec<_> = entries.iter().map(|(digest, _)| *digest).collect();
    let found = layers.stat_many(&ctx(), &digests).await.unwrap();
    assert_eq!(found, entries.iter().map(|(_, descriptor)| Some(descriptor.clone())).collect::<Vec<_>>());
    requests(&subject, [("BatchGetItem", 3)]);
}

#[tokio::test]
async fn rows_are_as_documented() {
    let subject = subject::dynamodb().await;
    let now = subject.time.clock().now().as_secs();
    subject.layers("a/b").set_descriptor(&ctx(), &sha512(1), &layer(1)).await.unwrap();
    subject.global().set_descriptor(&ctx(), &sha512(1), &layer(1)).await.unwrap();
    subject.manifests("a/b").clear(&ctx(), &layer(2).digest).await.unwrap();
    let at = |life: Duration| format!("N {}", now + life.as_secs());
    let (canonical, provisional) = (layer(1).digest.to_string(), sha512(1).to_string());
    let mut expected = vec![
        row([
            ("pk", format!("blob#{canonical}")),
            ("sk", "descriptor".to_owned()),
            ("size", "N 8".to_owned()),
            ("expires", at(CONTENT_LIFE)),
        ]),
        row([
            ("pk", format!("blob#{provisional}")),
            ("sk", "descriptor".to_owned()),
            ("canonical", canonical.clone()),
            ("expires", at(CONTENT_LIFE)),
        ]),
        row([
            ("pk", format!("repository#a/b#{canonical}")),
            ("sk", "layers".to_owned()),
            ("size", "N 8".to_owned()),
            ("type", layer(1).media_type),
            ("expires", at(CONTENT_LIFE)),
        ]),
        row([
            ("pk", format!("repository#a/b#{provisional}")),
            ("sk", "layers".to_owned()),
            ("canonical", canonical),
            ("expires", at(NAME_LIFE)),
        ]),
        row([
            ("pk", format!("repository#a/b#{}", layer(2).digest)),
            ("sk", "manifests".to_owned()),
            ("deleted", at(TOMBSTONE_LIFE)),
            ("expires", at(TOMBSTONE_LIFE)),
        ]),
    ];
    expected.sort_by_key(|row| (row["pk"].clone(), row["sk"].clone()));
    assert_eq!(rows(&subject).await, expected);
}

/// DynamoDB deletes what is past its time days late.
#[tokio::test]
async fn rows_past_their_time_are_not_taken_for_anything() {
    let subject = subject::dynamodb().await;
    let layers = subject.layers("a");
    layers.set_descriptor(&ctx(), &sha512(1), &layer(1)).await.unwrap();
    subject.time.pass(NAME_LIFE);
    assert_eq!(known(&layers, &sha512(1)).await, None);
    assert_eq!(known(&layers, &layer(1).digest).await, Some(layer(1)));
    subject.time.pass(CONTENT_LIFE - NAME_LIFE);
    assert_eq!(known(&layers, &layer(1).digest).await, None);
    assert_eq!(rows(&subject).await.len(), 2);
}

#[tokio::test]
async fn rows_that_berth_did_not_write_are_not_taken_for_anything() {
    let subject = subject::dynamodb().await;
    let layers = subject.layers("a");
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let number = |value: u64| AttributeValue::N(value.to_string());
    let later = subject.time.clock().now().as_secs() + 100;
    let odd: [&[(&str, AttributeValue)]; 6] = [
        &[],
        &[("size", number(8))],
        &[("size", text("8")), ("expires", number(later))],
        &[("size", AttributeValue::N("-8".to_owned())), ("expires", number(later))],
        &[("canonical", text("sha256:short")), ("expires", number(later))],
        &[("canonical", text(&layer(1).digest.to_string())), ("expires", number(later))],
    ];
    for (n, attributes) in (1..).zip(odd) {
        let put = client(&subject).put_item().table_name(subject.emulator().table());
        let mut put = put.item("pk", text(&format!("repository#a#{}", layer(n).digest))).item("sk", text("layers"));
        for (name, value) in attributes {
            put = put.item(*name, value.clone());
        }
        put.send().await.unwrap();
        assert_eq!(known(&layers, &layer(n).digest).await, None, "{attributes:?}");
        layers.set_descriptor(&ctx(), &layer(n).digest, &layer(n)).await.unwrap();
        assert_eq!(known(&layers, &layer(n).digest).await, Some(layer(n)));
    }
}

#[tokio::test]
async fn nothing_of_it_is_near() {
    let subject = subject::dynamodb().await;
    subject.layers("a").set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap();
    subject.emulator().reset();
    let near = subject.cache.near(&name("a"), LinkSet::Layers);
    assert_eq!(known(&near, &layer(1).digest).await, None);
    near.set_descriptor(&ctx(), &layer(2).digest, &layer(2)).await.unwrap();
    requests(&subject, []);
}

/// Sets and clears of several instances at once: whoever comes last, nothing that was cleared is left.
#[tokio::test]
async fn instances_that_race_leave_nothing_that_was_cleared() {
    let subject = subject::dynamodb().await;
    let instances: Vec<_> = (0..4).map(|_| Arc::new(in_table(subject.emulator(), &subject.time))).collect();
    for round in 0..5 {
        let entries: Vec<_> =
            (0..6).map(|n| round * 10 + n).flat_map(|n| [(layer(n).digest, layer(n)), (sha512(n), layer(n))]).collect();
        let fills = instances[1..].iter().map(|cache| {
            let (cache, entries) = (cache.scoped(&name("a"), LinkSet::Layers), entries.clone());
            tokio::spawn(async move { cache.set_many(&ctx(), &entries).await })
        });
        let fills: Vec<_> = fills.collect();
        let cache = instances[0].scoped(&name("a"), LinkSet::Layers);
        cache.clear(&ctx(), &layer(round * 10).digest).await.unwrap();
        for fill in fills {
            fill.await.unwrap().unwrap();
        }
        for digest in [layer(round * 10).digest, sha512(round * 10)] {
            assert_eq!(known(&cache, &digest).await, None);
        }
        assert_eq!(known(&cache, &sha512(round * 10 + 1)).await, Some(layer(round * 10 + 1)));
    }
}
