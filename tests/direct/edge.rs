//! What an edge stores for clients that know nothing of it: the part of the edge is played here, by writes to its stage.

use std::time::SystemTime;

use berth::{
    api::ticket,
    context::Context,
    digest::{Algorithm, Digest},
    driver::{DirectWrite, PutOptions},
    storage::{self, PathSpec},
};
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::{
    registry::{EDGE_KEY, Person, Registry, blob_key, content, created, of_one_process, options, put_of, refused},
    support::{http::Answer, registry::Registry as Configured},
};

pub(crate) fn ctx() -> Context {
    Context::background("edge")
}

/// Where the edge stores what comes to the session of `opened` as `digest`.
pub(crate) fn stage(repository: &str, opened: &Answer, digest: &Digest) -> berth::driver::Path {
    let name = repository.parse().unwrap();
    PathSpec::UploadStaged(&name, opened.header("docker-upload-uuid"), digest).path().unwrap()
}

/// Where the edge sends its client then.
pub(crate) fn commit_url(opened: &Answer, digest: &Digest) -> String {
    format!("{}&commit=edge", opened.closing(digest))
}

pub(crate) fn told(url: String, size: Option<u64>) -> String {
    size.map_or(url.clone(), |size| format!("{url}&size={size}"))
}

impl Registry {
    /// What the edge does with the last PUT of the session of `opened`.
    pub(crate) async fn store(&self, repository: &str, opened: &Answer, digest: &Digest, content: &Bytes) {
        let path = stage(repository, opened, digest);
        self.edge.put(&ctx(), &path, content.clone().into(), PutOptions::default()).await.unwrap();
    }

    /// Fails if any blob has not its digest, whoever may see it.
    pub(crate) async fn check_blobs(&self) {
        for key in self.s3.objects().into_keys().filter(|key| key.contains("/blobs/sha256/")) {
            let path = format!("/{key}").parse().unwrap();
            let content = self.driver.get(&ctx(), &path, 1 << 30).await.unwrap();
            assert!(key.ends_with(&blob_key(&Digest::canonical(&content))), "{key} has other content");
        }
    }

    /// What lies in upload sessions.
    pub(crate) fn sessions(&self) -> Vec<String> {
        self.keys().into_iter().filter(|key| key.contains("/_uploads/")).collect()
    }
}

impl Person {
    pub(crate) async fn open(&self, repository: &str) -> Answer {
        let opened = self.ask(Method::POST, &format!("/v2/{repository}/blobs/uploads/"), &[], &Bytes::new()).await;
        assert_eq!(opened.status, StatusCode::ACCEPTED, "{opened:?}");
        opened
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        self.ask(Method::GET, url, &[], &Bytes::new()).await
    }

    /// The commit, and where it leads to.
    pub(crate) async fn commit(&self, opened: &Answer, digest: &Digest) -> Answer {
        self.commit_told(opened, digest, None).await
    }

    /// The same, with a size in the URL, as the edge tells it; or as whoever follows it would rather have it.
    pub(crate) async fn commit_told(&self, opened: &Answer, digest: &Digest, size: Option<u64>) -> Answer {
        let mut answer = self.get(&told(commit_url(opened, digest), size)).await;
        while answer.status == StatusCode::SEE_OTHER {
            answer = self.get(answer.header("location")).await;
        }
        answer
    }

    /// All of a push by an edge.
    pub(crate) async fn push_by_edge(&self, registry: &Registry, repository: &str, content: &Bytes) -> Answer {
        let digest = Digest::canonical(content);
        let opened = self.open(repository).await;
        registry.store(repository, &opened, &digest, content).await;
        self.commit(&opened, &digest).await
    }
}

#[tokio::test]
async fn what_the_edge_stored_is_copied_to_its_place_and_linked() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let blob = content(1, 3_000_000);
    let digest = Digest::canonical(&blob);
    let opened = alice.open("a/app").await;
    registry.store("a/app", &opened, &digest, &blob).await;
    assert_eq!(alice.pull("a/app", &digest).await.status, StatusCode::NOT_FOUND, "nothing is linked before the commit");
    registry.asked();
    let committed = alice.get(&commit_url(&opened, &digest)).await;
    created(&committed, &digest);
    assert_eq!(committed.header("cache-control"), "no-store");
    // The session's record, the copy in three requests, the link, and the stage.
    let asked = registry.asked();
    let expected = [
        "s3:CompleteMultipartUpload",
        "s3:CreateMultipartUpload",
        "s3:DeleteObjects",
        "s3:GetObject",
        "s3:PutObject",
        "s3:UploadPartCopy",
    ];
    assert!(asked.keys().eq(expected) && asked.values().all(|count| *count == 1), "{asked:?}");
    assert_eq!(registry.s3.uploads(), 0);
    assert!(alice.pull("a/app", &digest).await.body == blob);
    let link = format!("repositories/a/app/_layers/sha256/{}/link", digest.encoded());
    assert_eq!(registry.keys(), [blob_key(&digest), link], "and nothing else is left");
    // As often as one likes, in any process, with the query in any order.
    let twin = registry.twin().await;
    let url = commit_url(&opened, &digest);
    let (path, query) = url[url.find("/v2/").unwrap()..].split_once('?').unwrap();
    let turned: Vec<_> = query.split('&').rev().collect();
    created(&twin.person("alice").get(&format!("{path}?{}", turned.join("&"))).await, &digest);
}

#[tokio::test]
async fn a_size_that_is_told_wrong_does_no_harm() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let right = 300_000;
    for (number, size) in (1..).zip([right, 0, 1, right - 1, right + 1, 6_000_000_000, u64::MAX]) {
        let blob = content(number, usize::try_from(right).unwrap());
        let digest = Digest::canonical(&blob);
        let opened = alice.open("a/app").await;
        registry.store("a/app", &opened, &digest, &blob).await;
        created(&alice.commit_told(&opened, &digest, Some(size)).await, &digest);
        let pulled = alice.pull("a/app", &digest).await;
        assert!(pulled.body == blob, "{size}");
        // And of other content, or none, it makes nothing.
        let other = Digest::canonical(&number.to_le_bytes());
        let wrong = alice.open("a/app").await;
        refused(&alice.commit_told(&wrong, &other, Some(size)).await, 400, "BLOB_UPLOAD_INVALID", "missing");
        registry.store("a/app", &wrong, &other, &blob).await;
        refused(&alice.commit_told(&wrong, &other, Some(size)).await, 400, "DIGEST_INVALID", "");
    }
    assert_eq!(registry.sessions(), Vec::<String>::new());
    for nothing in ["", "x", "-1", "1e3"] {
        let blob = content(50, 300_000);
        let digest = Digest::canonical(&blob);
        let opened = alice.open("a/app").await;
        registry.store("a/app", &opened, &digest, &blob).await;
        created(&alice.get(&format!("{}&size={nothing}", commit_url(&opened, &digest))).await, &digest);
    }
}

#[tokio::test]
async fn other_algorithms_are_hashed_here() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let blob = content(1, 300_000);
    let digest = Digest::of(Algorithm::Sha512, &blob);
    let opened = alice.open("a/app").await;
    registry.store("a/app", &opened, &digest, &blob).await;
    created(&alice.commit(&opened, &digest).await, &digest);
    for name in [digest, Digest::canonical(&blob)] {
        assert!(alice.pull("a/app", &name).await.body == blob, "{name}");
    }
    created(&alice.commit(&opened, &digest).await, &digest);
    let wrong = alice.open("a/app").await;
    let other = Digest::of(Algorithm::Sha512, b"other");
    registry.store("a/app", &wrong, &other, &blob).await;
    refused(&alice.commit(&wrong, &other).await, 400, "DIGEST_INVALID", "");
    assert_eq!(alice.pull("a/app", &other).await.status, StatusCode::NOT_FOUND);
    assert_eq!(registry.sessions(), [""; 0]);
    registry.check_blobs().await;
}

/// Where the store does not report what it copied, it copies twice.
#[tokio::test]
async fn a_store_without_checksums_of_parts_copies_twice() {
    let registry = Registry::without_part_checksums(options()).await;
    let alice = registry.person("alice");
    let blob = content(1, 300_000);
    let digest = Digest::canonical(&blob);
    let opened = alice.open("a/app").await;
    registry.store("a/app", &opened, &digest, &blob).await;
    registry.asked();
    created(&alice.commit(&opened, &digest).await, &digest);
    let asked = registry.asked();
    let of = |name: &str| asked.get(&format!("s3:{name}")).copied().unwrap_or_default();
    assert_eq!((of("CopyObject"), of("AbortMultipartUpload"), of("CompleteMultipartUpload")), (2, 1, 0), "{asked:?}");
    assert!(alice.pull("a/app", &digest).await.body == blob);
    let wrong = alice.open("a/app").await;
    let other = Digest::canonical(b"other");
    registry.store("a/app", &wrong, &other, &blob).await;
    refused(&alice.commit(&wrong, &other).await, 400, "DIGEST_INVALID", "");
    refused(&alice.commit(&wrong, &other).await, 400, "BLOB_UPLOAD_INVALID", "missing");
    assert_eq!((registry.sessions(), registry.s3.uploads()), (vec![], 0));
    registry.check_blobs().await;
}

/// A checksum that a sender had S3 keep with the stage is of what was sent then, not of what is there now.
#[tokio::test]
async fn a_checksum_that_the_stage_has_is_not_believed() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let blob = content(1, 300_000);
    let digest = Digest::canonical(&blob);
    let opened = alice.open("a/app").await;
    let path = stage("a/app", &opened, &digest);
    let checked = PutOptions { create_only: false, checksum: Some(digest) };
    registry.driver.put(&ctx(), &path, blob.clone().into(), checked).await.unwrap();
    registry.asked();
    created(&alice.commit(&opened, &digest).await, &digest);
    assert_eq!(registry.asked()["s3:UploadPartCopy"], 1, "it is hashed again");
    assert!(alice.pull("a/app", &digest).await.body == blob);
}

#[tokio::test]
async fn nothing_at_all_and_very_little_are_stored_too() {
    for registry in [Registry::start().await, Registry::without_part_checksums(options()).await] {
        let alice = registry.person("alice");
        for size in [0, 1, 5 << 20] {
            let blob = content(7, size);
            created(&alice.push_by_edge(&registry, "a/app", &blob).await, &Digest::canonical(&blob));
            assert!(alice.pull("a/app", &Digest::canonical(&blob)).await.body == blob, "{size}");
        }
        // Nothing, where something was to come.
        let opened = alice.open("a/app").await;
        let other = Digest::canonical(b"other");
        registry.store("a/app", &opened, &other, &Bytes::new()).await;
        refused(&alice.commit(&opened, &other).await, 400, "DIGEST_INVALID", "");
        assert_eq!((registry.sessions(), registry.s3.uploads()), (vec![], 0));
        registry.check_blobs().await;
    }
}

#[tokio::test]
async fn a_session_that_holds_nothing_has_a_ticket() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let opened = alice.open("a/app").await;
    let ticket_of = |answer: &Answer| {
        let query = berth::api::Query::parse(answer.header("location").split_once('?').unwrap().1);
        query.get("_edge").map(str::to_owned)
    };
    let given = ticket_of(&opened).unwrap();
    let expires: u64 = given.split_once('.').unwrap().0.parse().unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert!((now + 3590..=now + 3600).contains(&expires), "{expires}");
    let name = "a/app".parse().unwrap();
    assert_eq!(given, ticket(EDGE_KEY, &name, opened.header("docker-upload-uuid"), expires));
    let stands = alice.get(opened.header("location")).await;
    assert_eq!(stands.status, StatusCode::NO_CONTENT);
    assert!(ticket_of(&stands).is_some());
    let sent = alice.ask(Method::PATCH, opened.header("location"), &[], &content(1, 10)).await;
    assert_eq!((sent.status, ticket_of(&sent)), (StatusCode::ACCEPTED, None));
    assert_eq!(ticket_of(&alice.get(sent.header("location")).await), None);
    // Nor where there is no edge.
    let alone = Configured::configured("version: 0.1\nstorage: {inmemory: }\n").await;
    assert_eq!(ticket_of(&alone.http().post("/v2/a/app/blobs/uploads/").await), None);
}

#[tokio::test]
async fn nothing_of_the_stage_but_its_content_reaches_the_blob() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let opened = alice.open("a/app").await;
    let way = registry.driver.direct().unwrap();
    let write = DirectWrite::File { checksum: &digest, size: 1000, mark: "somebody" };
    let life = std::time::Duration::from_secs(60);
    let signed = way.sign(&ctx(), &stage("a/app", &opened, &digest), write, life).await.unwrap();
    let headers = signed.headers.iter().filter(|(name, _)| name != "content-length");
    let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let http = crate::support::http::Http::new("unused");
    assert_eq!(http.put(&signed.url, &headers, blob.clone()).await.status, StatusCode::OK);
    created(&alice.commit(&opened, &digest).await, &digest);
    let place = PathSpec::Blob(&digest).path().unwrap();
    assert_eq!(way.look(&ctx(), &place).await.unwrap().mark, None);
    let pulled = alice.pull("a/app", &digest).await;
    assert_eq!((pulled.header("content-encoding"), pulled.header("content-type")), ("", "application/octet-stream"));
}

#[tokio::test]
async fn a_head_of_the_commit_does_nothing() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let opened = alice.open("a/app").await;
    registry.store("a/app", &opened, &digest, &blob).await;
    let before = registry.s3.objects();
    let head = alice.ask(Method::HEAD, &commit_url(&opened, &digest), &[], &Bytes::new()).await;
    assert_eq!(head.status, StatusCode::NO_CONTENT, "{head:?}");
    assert_eq!(registry.s3.objects(), before);
}

#[tokio::test]
async fn it_needs_no_client_to_be_sent_to_storage() {
    let registry = Registry::with(storage::Options { redirect: false, ..options() }).await;
    let alice = registry.person("alice");
    let blob = content(1, 1000);
    created(&alice.push_by_edge(&registry, "a/app", &blob).await, &Digest::canonical(&blob));
    assert!(alice.pull("a/app", &Digest::canonical(&blob)).await.body == blob);
}

#[tokio::test]
async fn a_session_with_a_target_takes_content_by_the_edge_too() {
    let registry = Registry::start().await;
    let (alice, bob) = (registry.person("alice"), registry.person("bob"));
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    // Over the blob's own place, then over a stage to which something was sent.
    for (person, repository) in [(&alice, "a/app"), (&bob, "b/app")] {
        let opened = person.announce(repository, &blob).await;
        if repository == "b/app" {
            assert_eq!(person.send(&put_of(&opened), &blob).await.status, StatusCode::OK);
        }
        registry.store(repository, &opened, &digest, &blob).await;
        created(&person.commit(&opened, &digest).await, &digest);
        assert!(person.pull(repository, &digest).await.body == blob);
    }
    assert_eq!(registry.sessions(), [""; 0]);
}

#[tokio::test]
async fn a_folder_and_a_memory_take_nothing_from_an_edge() {
    let folder = tempfile::tempdir().unwrap();
    for registry in of_one_process(folder.path()).await {
        let http = registry.http();
        let blob = content(1, 1000);
        let digest = Digest::canonical(&blob);
        let opened = http.post("/v2/a/app/blobs/uploads/").await;
        refused(&http.get(&commit_url(&opened, &digest)).await, 400, "UNSUPPORTED", "");
        created(&http.put(&opened.closing(&digest), &[], blob.clone()).await, &digest);
    }
}
