//! The stage gets other content in the middle of a commit, even such that S3's own name for it is the same.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth::{
    digest::{Algorithm, Digest},
    driver::{PutOptions, StorageDriver, fault::FaultDriver, s3::Sizes},
    storage,
};
use berth_local::S3Emulator;
use bytes::Bytes;
use http::{Method, StatusCode};
use tokio::runtime::Handle;

use crate::{
    edge::{commit_url, ctx, stage},
    registry::{Registry, content, created, driver, driver_of, in_parts, options, refused, silent_s3},
};

/// A message whose MD5 another has too, which differs from it by six bits (X. Wang and H. Yu, "How to Break MD5 and Other
/// Hash Functions", 2005). What follows both is the same, and so is the MD5 of all.
const COLLIDING: &str = "\
    d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89 \
    55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b \
    d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0 \
    e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70";

/// Content that MD5 does not tell from other content of the same length.
fn md5_twins(length: usize) -> [Bytes; 2] {
    let mut one = hex::decode(COLLIDING.replace(' ', "")).unwrap();
    one.extend(content(1, length - one.len()));
    let mut other = one.clone();
    for at in [19, 45, 59, 83, 109, 123] {
        other[at] ^= 0x80;
    }
    [one.into(), other.into()]
}

/// The register of CRC-64/NVME after `bytes`.
fn register(bytes: &[u8]) -> u64 {
    bytes.iter().fold(!0, |register, byte| {
        let step = |register: u64, _| (register >> 1) ^ (0x9a6c_9329_ac4b_c9b5 & (register & 1).wrapping_neg());
        (0..8).fold(register ^ u64::from(*byte), step)
    })
}

/// The same for large content, of which the emulator's ETag is a CRC: the last eight bytes make up for the first.
fn indistinguishable(content: &Bytes) -> Bytes {
    let (front, last) = content.split_at(content.len() - 8);
    let mut other = front.to_vec();
    other[0] ^= 1;
    let last = u64::from_le_bytes(last.try_into().unwrap()) ^ register(front) ^ register(&other);
    other.extend(last.to_le_bytes());
    other.into()
}

/// A registry whose storage, before it does what is asked for the `moment`-th time since `armed`, finds `content` at `path`.
struct Replaced {
    registry: Registry,
    armed: Arc<AtomicBool>,
    asked: Arc<AtomicU32>,
    wanted: Arc<std::sync::Mutex<(u32, berth::driver::Path, Bytes)>>,
}

impl Replaced {
    async fn new(options: storage::Options) -> Self {
        Self::on(S3Emulator::start().await.unwrap(), options).await
    }

    async fn on(s3: S3Emulator, options: storage::Options) -> Self {
        let s3 = Arc::new(s3);
        let inner = driver(&s3).await;
        let (armed, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let wanted = Arc::new(std::sync::Mutex::new((0, "/x".parse().unwrap(), Bytes::new())));
        let (is_armed, count, what) = (armed.clone(), asked.clone(), wanted.clone());
        let below = driver_of(&s3, Sizes { part: 128 << 20, ..Sizes::default() }).await;
        let hooked = FaultDriver::new(inner, move |_, _| {
            let now = is_armed.load(Ordering::SeqCst).then(|| count.fetch_add(1, Ordering::SeqCst));
            let (moment, path, content) = what.lock().unwrap().clone();
            if now == Some(moment) {
                let put = async { below.put(&ctx(), &path, content.into(), PutOptions::default()).await };
                tokio::task::block_in_place(|| Handle::current().block_on(put)).unwrap();
            }
            None
        });
        let hooked: Arc<dyn StorageDriver> = Arc::new(hooked);
        Self { registry: Registry::over(s3, hooked, options).await, armed, asked, wanted }
    }
}

impl Replaced {
    /// Different they are, and to S3's ETag one.
    async fn cannot_tell(&self, one: &Bytes, other: &Bytes) {
        let driver = &self.registry.edge;
        let mut tags = Vec::new();
        for content in [one, other] {
            let path = "/docker/registry/v2/probe".parse().unwrap();
            driver.put(&ctx(), &path, content.clone().into(), PutOptions::default()).await.unwrap();
            tags.push(driver.direct().unwrap().look(&ctx(), &path).await.unwrap().tag);
        }
        assert!(one != other && tags[0].is_some() && tags[0] == tags[1], "{tags:?}");
    }
}

/// Replaces `first` by `second` on the stage before each operation of a commit, one after the other. What is committed is
/// `first`'s digest where `good`, else `second`'s. With the size that an edge tells, and without.
async fn replaced_at_each_moment(world: &Replaced, algorithm: Algorithm, first: &Bytes, second: &Bytes, good: bool) {
    for size in [None, Some(first.len() as u64)] {
        replaced_when_told(world, algorithm, (first, second), good, size).await;
    }
}

async fn replaced_when_told(
    world: &Replaced,
    algorithm: Algorithm,
    (first, second): (&Bytes, &Bytes),
    good: bool,
    size: Option<u64>,
) {
    let alice = world.registry.person("alice");
    let digest = Digest::of(algorithm, if good { first } else { second });
    for moment in 0.. {
        let opened = alice.open("a/app").await;
        world.registry.store("a/app", &opened, &digest, first).await;
        *world.wanted.lock().unwrap() = (moment, stage("a/app", &opened, &digest), second.clone());
        world.asked.store(0, Ordering::SeqCst);
        world.armed.store(true, Ordering::SeqCst);
        let answer = alice.commit_told(&opened, &digest, size).await;
        world.armed.store(false, Ordering::SeqCst);
        world.registry.check_blobs().await;
        match answer.status.as_u16() {
            201 => created(&answer, &digest),
            _ => refused(&answer, 400, "DIGEST_INVALID", ""),
        }
        let pulled = alice.pull("a/app", &digest).await;
        assert_eq!(pulled.status == StatusCode::OK, answer.status == StatusCode::CREATED, "{moment}");
        // Whoever has the content can push it still, in that very session.
        let right = if good { first } else { second };
        world.registry.store("a/app", &opened, &digest, right).await;
        created(&alice.commit(&opened, &digest).await, &digest);
        assert!(alice.pull("a/app", &digest).await.body == *right, "{moment}");
        let remove = format!("/v2/a/app/blobs/{digest}");
        assert_eq!(alice.ask(Method::DELETE, &remove, &[], &Bytes::new()).await.status, StatusCode::ACCEPTED);
        let canonical = Digest::canonical(right);
        let path = storage::PathSpec::Blob(&canonical).path().unwrap();
        world.registry.driver.delete(&ctx(), &[path]).await.unwrap();
        if world.asked.load(Ordering::SeqCst) <= moment {
            println!("{algorithm}, {} bytes: replaced at each of {moment} moments", first.len());
            assert!(moment >= 3, "{moment}");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_replaced_between_any_two_steps_appears_under_no_digest_but_its_own() {
    for world in [Replaced::new(options()).await, Replaced::on(silent_s3().await, options()).await] {
        let [blob, twin] = md5_twins(9000);
        world.cannot_tell(&blob, &twin).await;
        for other in [twin, content(2, 9000), content(3, 12_000)] {
            for (algorithm, good) in [(Algorithm::Sha256, true), (Algorithm::Sha256, false), (Algorithm::Sha512, true)]
            {
                replaced_at_each_moment(&world, algorithm, &blob, &other, good).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_when_each_request_does_the_least_it_may() {
    let world = Replaced::new(in_parts()).await;
    let blob = content(1, (11 << 20) + 10);
    let twin = indistinguishable(&blob);
    world.cannot_tell(&blob, &twin).await;
    for (algorithm, good) in [(Algorithm::Sha256, true), (Algorithm::Sha512, false)] {
        replaced_at_each_moment(&world, algorithm, &blob, &twin, good).await;
    }
}

/// Whoever keeps an old state may go back to it. So half of one content could be hashed, and then the other half of the next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn halves_of_two_contents_make_no_third() {
    let registry = Registry::with(in_parts()).await;
    let alice = registry.person("alice");
    let (blob, other) = (content(1, (11 << 20) + 10), content(2, (11 << 20) + 10));
    let digest = Digest::canonical(&blob);
    // A request hashes 8 MiB and a little more.
    let [first, second] = [(&blob, &other, 10 << 20), (&other, &blob, 8 << 20)]
        .map(|(front, back, half)| Bytes::from([&front[..half], &back[half..]].concat()));
    let opened = alice.open("a/app").await;
    let next = async |at: &str| {
        let answer = alice.get(at).await;
        (answer.status == StatusCode::SEE_OTHER).then(|| answer.header("location").to_owned())
    };
    let stands = |at: &str| {
        let query = berth::api::Query::parse(at.split_once('?').unwrap().1);
        let payload = URL_SAFE_NO_PAD.decode(query.get("_state").unwrap().split_once('.').unwrap().0).unwrap();
        serde_json::from_slice::<serde_json::Value>(&payload).unwrap()["staged"]["step"].clone()
    };
    let verified = |at: &str| stands(at)["copied"]["verified"].as_u64();
    registry.store("a/app", &opened, &digest, &first).await;
    let asked = next(&commit_url(&opened, &digest)).await.unwrap();
    // Two uploads, of the first content and of the second.
    let (mut one, mut two) = (next(&asked).await.unwrap(), next(&asked).await.unwrap());
    assert!(stands(&one)["parts"].is_object() && one != two);
    while !matches!(verified(&one), Some(1..)) {
        one = next(&one).await.unwrap();
    }
    assert_eq!(next(&one).await, None, "it is not the content");
    registry.store("a/app", &opened, &digest, &second).await;
    while verified(&two) != Some(0) {
        two = next(&two).await.unwrap();
    }
    // The first half was right once; the second half is now.
    let mut at = Some(one);
    while let Some(here) = at {
        at = next(&here).await;
    }
    registry.check_blobs().await;
    assert_eq!(alice.pull("a/app", &digest).await.status, StatusCode::NOT_FOUND);
}
