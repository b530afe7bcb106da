//! Whoever holds a session's URL may write to its stage, at any time: nothing appears under a digest that it has not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth::{
    digest::{Algorithm, Digest},
    driver::{PutOptions, StorageDriver, fault::FaultDriver, s3::Sizes},
    storage::{self, purge_uploads},
};
use berth_local::S3Emulator;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, StatusCode};
use sha2::Sha256;
use tokio::runtime::Handle;
use uuid::{NoContext, Timestamp, Uuid};

use crate::{
    edge::{commit_url, ctx, stage},
    registry::{Registry, content, created, driver, driver_of, in_parts, options, refused},
};

#[tokio::test]
async fn other_content_is_refused_and_removed() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let (blob, other) = (content(1, 300_000), content(2, 300_000));
    let digest = Digest::canonical(&blob);
    let opened = alice.open("a/app").await;
    registry.store("a/app", &opened, &digest, &other).await;
    refused(&alice.commit(&opened, &digest).await, 400, "DIGEST_INVALID", "");
    assert_eq!(registry.keys(), [""; 0]);
    refused(&alice.commit(&opened, &digest).await, 400, "BLOB_UPLOAD_INVALID", "missing");
    // The session is none the worse.
    registry.store("a/app", &opened, &digest, &blob).await;
    created(&alice.commit(&opened, &digest).await, &digest);
    assert_eq!(registry.sessions(), [""; 0]);
}

#[tokio::test]
async fn a_commit_before_the_content_says_so() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let opened = alice.open("a/app").await;
    refused(&alice.commit(&opened, &digest).await, 400, "BLOB_UPLOAD_INVALID", "missing");
    let closing = opened.header("location").to_owned() + "&commit=edge";
    refused(&alice.get(&closing).await, 400, "DIGEST_INVALID", "");
    refused(&alice.get(&format!("{closing}&digest=sha256:12")).await, 400, "DIGEST_INVALID", "");
    assert_eq!(registry.keys(), [""; 0]);
    // What lies elsewhere is no better than nothing, and what the repository has needs nothing.
    created(&registry.person("bob").push_by_edge(&registry, "b/app", &blob).await, &digest);
    refused(&alice.commit(&opened, &digest).await, 400, "BLOB_UPLOAD_INVALID", "missing");
    created(&alice.push_by_edge(&registry, "a/app", &blob).await, &digest);
    created(&alice.commit(&opened, &digest).await, &digest);
}

#[tokio::test]
async fn a_state_is_good_for_its_own_session_alone() {
    let registry = Registry::start().await;
    let carol = registry.person("carol");
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let (opened, other) = (carol.open("a/app").await, carol.open("a/app").await);
    for (repository, session) in [("a/app", &opened), ("a/app", &other), ("b/app", &opened)] {
        registry.store(repository, session, &digest, &blob).await;
    }
    let url = commit_url(&opened, &digest);
    let state = berth::api::Query::parse(url.split_once('?').unwrap().1).get("_state").unwrap().to_owned();
    let mut tampered = state.clone().into_bytes();
    tampered[5] = if tampered[5] == b'A' { b'B' } else { b'A' };
    let foreign = url.replace(opened.header("docker-upload-uuid"), other.header("docker-upload-uuid"));
    let wrong = [
        url.replace(&state, ""),
        url.replace(&state, "x.y"),
        url.replace(&state, &String::from_utf8(tampered).unwrap()),
        url.replace("/a/app/", "/b/app/"),
        foreign,
    ];
    let before = registry.s3.objects();
    for wrong in wrong {
        refused(&carol.get(&wrong).await, 404, "BLOB_UPLOAD_INVALID", "");
    }
    let nobody = url.replace(opened.header("docker-upload-uuid"), "..");
    assert!(carol.get(&nobody).await.status.is_client_error());
    assert_eq!(registry.s3.objects(), before);
    created(&carol.get(&url).await, &digest);
}

#[tokio::test]
async fn a_session_ends_after_a_week() {
    let secret = b"a secret that signs states";
    let signer = Some(storage::UploadSecret::new(secret.as_slice()));
    let registry = Registry::with(storage::Options { secret: signer, ..options() }).await;
    let alice = registry.person("alice");
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let opened = alice.open("a/app").await;
    let state = berth::api::Query::parse(opened.header("location").split_once('?').unwrap().1);
    let payload = state.get("_state").unwrap().split_once('.').unwrap().0.to_owned();
    // The same state, signed for a session that was opened so many days ago.
    for (days, status) in [(6, 201), (8, 404)] {
        let opened = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        let since = opened.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let id = Uuid::new_v7(Timestamp::from_unix(NoContext, since.as_secs(), 0)).to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(b"a/app\0");
        mac.update(id.as_bytes());
        mac.update(b"\0");
        mac.update(&URL_SAFE_NO_PAD.decode(&payload).unwrap());
        let tag = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        let path = storage::PathSpec::UploadStaged(&"a/app".parse().unwrap(), &id, &digest).path().unwrap();
        registry.edge.put(&ctx(), &path, blob.clone().into(), PutOptions::default()).await.unwrap();
        let url = format!("/v2/a/app/blobs/uploads/{id}?_state={payload}.{tag}&digest={digest}&commit=edge");
        assert_eq!(alice.get(&url).await.status.as_u16(), status, "after {days} days");
    }
}

#[tokio::test]
async fn it_takes_push_access_before_storage_is_asked() {
    let registry = Registry::start().await;
    let (alice, bob) = (registry.person("alice"), registry.person("bob"));
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let opened = alice.open("a/app").await;
    registry.store("a/app", &opened, &digest, &blob).await;
    registry.asked();
    let url = commit_url(&opened, &digest);
    assert_eq!(registry.stranger().get(&url).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(bob.get(&url).await.status, StatusCode::FORBIDDEN);
    assert_eq!(registry.asked().len(), 0);
}

#[tokio::test]
async fn a_session_that_holds_bytes_keeps_them() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let (blob, other) = (content(1, 1000), content(2, 1000));
    let (digest, others) = (Digest::canonical(&blob), Digest::canonical(&other));
    let opened = alice.open("a/app").await;
    registry.store("a/app", &opened, &others, &other).await;
    let sent = alice.ask(Method::PATCH, opened.header("location"), &[], &blob).await;
    // By the newest URL, and by one that does not know of the bytes.
    for at in [&sent, &opened] {
        refused(&alice.get(&commit_url(at, &others)).await, 416, "RANGE_INVALID", "");
    }
    assert_eq!(alice.pull("a/app", &others).await.status, StatusCode::NOT_FOUND);
    created(&alice.close(&sent, &digest).await, &digest);
    assert!(alice.pull("a/app", &digest).await.body == blob);
}

#[tokio::test]
async fn a_cancelled_session_takes_nothing_more_and_is_purged() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    for stored_before in [true, false] {
        let opened = alice.open("a/app").await;
        if stored_before {
            registry.store("a/app", &opened, &digest, &blob).await;
        }
        let cancelled = alice.ask(Method::DELETE, opened.header("location"), &[], &Bytes::new()).await;
        assert_eq!(cancelled.status, StatusCode::NO_CONTENT);
        if !stored_before {
            registry.store("a/app", &opened, &digest, &blob).await;
        }
        refused(&alice.commit(&opened, &digest).await, 404, "BLOB_UPLOAD_UNKNOWN", "");
    }
    assert!(!registry.has_blob(&digest));
    let soon = SystemTime::now() + Duration::from_secs(60);
    purge_uploads(&ctx(), &registry.driver, soon, false).await.unwrap();
    assert_eq!(registry.keys(), [""; 0]);
}

#[tokio::test]
async fn a_session_may_be_used_again() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let opened = alice.open("a/app").await;
    for number in 0..3 {
        let blob = content(number, 1000 + number as usize);
        let digest = Digest::canonical(&blob);
        registry.store("a/app", &opened, &digest, &blob).await;
        created(&alice.commit(&opened, &digest).await, &digest);
        created(&alice.commit(&opened, &digest).await, &digest);
        assert!(alice.pull("a/app", &digest).await.body == blob);
    }
    // Other content as a digest that is there already changes nothing.
    let (first, digest) = (content(0, 1000), Digest::canonical(&content(0, 1000)));
    registry.store("a/app", &opened, &digest, &content(9, 1000)).await;
    refused(&alice.commit(&opened, &digest).await, 400, "DIGEST_INVALID", "");
    assert!(alice.pull("a/app", &digest).await.body == first);
    registry.check_blobs().await;
    assert_eq!(registry.sessions(), [""; 0]);
}

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
        let s3 = Arc::new(S3Emulator::start().await.unwrap());
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
/// `first`'s digest where `good`, else `second`'s.
async fn replaced_at_each_moment(world: &Replaced, algorithm: Algorithm, first: &Bytes, second: &Bytes, good: bool) {
    let alice = world.registry.person("alice");
    let digest = Digest::of(algorithm, if good { first } else { second });
    for moment in 0.. {
        let opened = alice.open("a/app").await;
        world.registry.store("a/app", &opened, &digest, first).await;
        *world.wanted.lock().unwrap() = (moment, stage("a/app", &opened, &digest), second.clone());
        world.asked.store(0, Ordering::SeqCst);
        world.armed.store(true, Ordering::SeqCst);
        let answer = alice.commit(&opened, &digest).await;
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
            assert!(moment >= 4, "{moment}");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_replaced_between_any_two_steps_appears_under_no_digest_but_its_own() {
    let world = Replaced::new(options()).await;
    let [blob, twin] = md5_twins(9000);
    world.cannot_tell(&blob, &twin).await;
    for other in [twin, content(2, 9000), content(3, 12_000)] {
        for (algorithm, good) in [(Algorithm::Sha256, true), (Algorithm::Sha256, false), (Algorithm::Sha512, true)] {
            replaced_at_each_moment(&world, algorithm, &blob, &other, good).await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_commits_at_once_both_succeed() {
    let registry = Registry::start().await;
    let other_process = registry.twin().await;
    let (alice, twin) = (registry.person("alice"), other_process.person("alice"));
    for number in 0..40 {
        let blob = content(number, 5000);
        let digest = Digest::canonical(&blob);
        let opened = alice.open("a/app").await;
        registry.store("a/app", &opened, &digest, &blob).await;
        let url = commit_url(&opened, &digest);
        let path = &url[url.find("/v2/").unwrap()..];
        let (one, other) = tokio::join!(alice.get(&url), twin.get(path));
        created(&one, &digest);
        created(&other, &digest);
        assert!(alice.pull("a/app", &digest).await.body == blob);
        assert_eq!(registry.sessions(), [""; 0], "round {number}");
    }
}
