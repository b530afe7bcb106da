//! The secrets that sign the states of uploads: made once, shared by all instances, changed without anybody noticing.

use std::{sync::Arc, time::Duration};

use berth::{
    context::Context,
    digest::Digest,
    driver::{PutOptions, StorageDriver as _},
    rotation::Overlap,
    storage::{Options, UploadSecret, UploadSecrets},
};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Body},
    doctored::Doctored,
    registry::{Registry, Setup},
    tokens::forge::Hands,
};

const MINUTE: Duration = Duration::from_mins(1);
const PLACE: &str = "/berth/secrets/uploads";
const UPLOADS: &str = "/v2/repo/blobs/uploads/";

/// Instances over one storage.
struct World {
    driver: Arc<Doctored>,
    hands: Hands,
}

impl World {
    fn new() -> Self {
        Self { driver: Setup::default().driver, hands: Hands::new() }
    }

    /// An instance that knows no secret yet.
    async fn instance(&self) -> Registry {
        self.instance_with(Options { clock: self.hands.clock(), ..Options::default() }).await
    }

    async fn instance_with(&self, storage: Options) -> Registry {
        Setup { driver: self.driver.clone(), storage, ..Setup::default() }.start().await
    }

    async fn rotate(&self, overlap: Overlap) {
        let secrets = UploadSecrets::stored(self.driver.clone(), self.hands.clock());
        secrets.rotate(&Context::background("test"), overlap).await.unwrap();
    }

    async fn stored(&self) -> Bytes {
        self.driver.get(&Context::background("test"), &PLACE.parse().unwrap(), 1 << 20).await.unwrap()
    }

    async fn store(&self, content: impl Into<Bytes>) {
        let (ctx, content) = (Context::background("test"), content.into());
        self.driver.put(&ctx, &PLACE.parse().unwrap(), content.into(), PutOptions::default()).await.unwrap();
    }
}

/// Path and query of the URL by which an upload goes on, which any instance has to take.
fn place(answer: &Answer) -> String {
    let location = answer.header("location");
    location[location.find("/v2/").unwrap()..].to_owned()
}

async fn open(instance: &Registry) -> String {
    place(instance.client().await.post(UPLOADS).await.is(202))
}

async fn status(instance: &Registry, place: &str) -> u16 {
    instance.client().await.get(place).await.status
}

async fn append(instance: &Registry, place: &str, bytes: &[u8]) -> Answer {
    instance.client().await.ask("PATCH", place, &[], Body::Sized(bytes)).await
}

#[tokio::test]
async fn an_upload_goes_on_through_a_rotation_in_any_instance() {
    let world = World::new();
    let (one, other) = (world.instance().await, world.instance().await);
    let begun = open(&one).await;
    let mut next = place(append(&one, &begun, b"0123456789").await.is(202));
    assert_eq!(status(&other, &begun).await, 204);
    world.rotate(Overlap::Kept).await;

    // At every minute, each instance takes what the other has signed.
    let mut content = b"0123456789".to_vec();
    for minute in 0..40 {
        for (signs, takes) in [(&one, &other), (&other, &one)] {
            let fresh = open(signs).await;
            assert_eq!(status(takes, &fresh).await, 204, "minute {minute}");
            next = place(append(takes, &next, b"x").await.is(202));
            content.push(b'x');
        }
        world.hands.pass(MINUTE);
    }
    // It is signed by the new secret alone now: one that knows no other takes it.
    let mut stored: Value = serde_json::from_slice(&world.stored().await).unwrap();
    assert_eq!(stored["keys"].as_array_mut().unwrap().len(), 2);
    let old = stored["keys"].as_array_mut().unwrap().remove(0);
    let whole = world.stored().await;
    world.store(stored.to_string()).await;
    let third = world.instance().await;
    assert_eq!((status(&third, &next).await, status(&third, &begun).await), (204, 404));
    world.store(whole).await;

    // The first URL of all is good for as long as its session, and what was begun is finished.
    world.hands.pass(Duration::from_hours(6 * 24));
    let digest = Digest::canonical(&content);
    let last = world.instance().await;
    assert_eq!(status(&last, &begun).await, 204);
    last.client().await.ask("PUT", &format!("{next}&digest={digest}"), &[], Body::Sized(b"")).await.is(201);
    assert_eq!(last.client().await.get(&format!("/v2/repo/blobs/{digest}")).await.body, content);

    // And then the old one goes, with the next rotation.
    world.hands.pass(Duration::from_hours(2 * 24));
    world.rotate(Overlap::Kept).await;
    assert!(!String::from_utf8(world.stored().await.to_vec()).unwrap().contains(old["secret"].as_str().unwrap()));
}

#[tokio::test]
async fn a_new_secret_is_known_everywhere_before_it_signs() {
    let world = World::new();
    let other = world.instance().await;
    let begun = open(&other).await;
    world.hands.pass(MINUTE);
    // Somebody spends the one reading of this minute on a state that nobody signed, just before the new one is there.
    let forged = begun.replacen("_state=", "_state=x", 1);
    assert_eq!(status(&other, &forged).await, 404);
    world.rotate(Overlap::Kept).await;
    for _ in 0..6 {
        // An instance that begins now knows the new one from the start.
        let signed = open(&world.instance().await).await;
        assert_eq!(status(&other, &signed).await, 204);
        world.hands.pass(MINUTE / 2);
    }
}

#[tokio::test]
async fn a_dropped_secret_is_good_no_more_within_a_quarter_of_an_hour() {
    let world = World::new();
    let one = world.instance().await;
    let begun = open(&one).await;
    world.rotate(Overlap::Dropped).await;
    let fresh = world.instance().await;
    append(&fresh, &begun, b"x").await.refused(404, "BLOB_UPLOAD_INVALID");
    // The new one signs at once, and the other instance learns it from what it has signed.
    world.hands.pass(MINUTE);
    assert_eq!(status(&one, &open(&fresh).await).await, 204);
    world.hands.pass(15 * MINUTE);
    append(&one, &begun, b"x").await.refused(404, "BLOB_UPLOAD_INVALID");
}

#[tokio::test]
async fn the_secret_of_before_there_were_several_is_read_and_followed() {
    let world = World::new();
    // Also one that begins as JSON does.
    for first in [b'{', 0xff] {
        let mut raw = *b"................................";
        raw[0] = first;
        world.store(raw.to_vec()).await;
        let given = Options { secret: Some(UploadSecret::new(raw.to_vec())), ..Options::default() };
        let begun = open(&world.instance_with(given).await).await;
        let instance = world.instance().await;
        assert_eq!(status(&instance, &begun).await, 204);
        assert_eq!(world.stored().await, raw[..], "it is left as it is");
        world.rotate(Overlap::Kept).await;
        assert_eq!(status(&world.instance().await, &begun).await, 204, "it is one of two now");
        assert!(world.stored().await.starts_with(b"{\"keys\":["));
    }
}

#[tokio::test]
async fn a_secret_costs_one_reading_and_a_wrong_state_one_a_minute() {
    let world = World::new();
    let one = world.instance().await;
    let begun = open(&one).await;
    let calls = || world.driver.calls();
    assert_eq!(calls(), 2, "looked, and made one");
    let other = world.instance().await;
    open(&other).await;
    assert_eq!(calls(), 3, "read by the other");
    for _ in 0..5 {
        open(&other).await;
        assert_eq!(status(&one, &begun.replacen("_state=", "_state=x", 1)).await, 404);
    }
    assert_eq!(calls(), 3, "and no more");
    world.hands.pass(MINUTE);
    for _ in 0..5 {
        append(&one, &begun.replacen("_state=", "_state=x", 1), b"x").await.refused(404, "BLOB_UPLOAD_INVALID");
    }
    assert_eq!(calls(), 4);
}

#[tokio::test]
async fn one_secret_is_made_by_all_who_begin_at_once() {
    let world = World::new();
    let (one, other) = (world.instance().await, world.instance().await);
    // The one has looked, and is about to write, when the other does both.
    let held = world.driver.hold();
    let (first, second) = tokio::join!(open(&one), async {
        held.entered.await.unwrap();
        let begun = open(&other).await;
        held.release.send(()).unwrap();
        begun
    });
    assert_eq!((status(&one, &second).await, status(&other, &first).await), (204, 204));
}

#[tokio::test]
async fn secrets_that_cannot_be_used_are_not_made_anew() {
    let world = World::new();
    let begun = open(&world.instance().await).await;
    let short = json!({ "keys": [{ "secret": "AAAA", "from": 0, "until": null }] }).to_string();
    for broken in ["", "short", "{\"keys\":[]}", "{\"keys\":[{\"secret\":\"AAAAAAAAAAAAAAAAAAAAAAAA\"", &short] {
        world.store(broken.to_owned()).await;
        let instance = world.instance().await;
        let answer = instance.client().await.post(UPLOADS).await;
        answer.refused(500, "UNKNOWN");
        assert!([404, 500].contains(&status(&instance, &begun).await), "{broken}");
        assert_eq!(world.stored().await, broken.as_bytes());
    }
}
