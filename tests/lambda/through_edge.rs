//! All of the deployment with `Edge`: the template's distribution and function on an emulated CloudFront, the secrets by its
//! custom resource, the registry behind.

use berth::{
    api::ticket,
    digest::{Algorithm, Digest},
};
use berth_local::{
    CustomResource, Template,
    edge::{Distribution, Edge, EdgeOptions, EdgeRequest, Handled, Sees},
    lambda::{Door, DoorOptions, Function},
};
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::{
    image::noise,
    stack::{BASIC, Shared, code, described, names, pull_blob},
    support::http::{Answer, Http},
};

/// Of the parameter EdgeLargest.
const LARGEST: usize = 6_000_000;
/// Too large for the function.
const LAYER: usize = 5_000_000;

struct Deployed {
    emulators: Shared,
    registry: Function,
    edge: Edge,
    /// The key of tickets.
    key: String,
    _door: Door,
    _secrets: Function,
}

impl Deployed {
    async fn start(options: EdgeOptions, parameters: &[(&str, &str)]) -> Self {
        let emulators = Shared::start().await;
        let template = Template::read(concat!(env!("CARGO_MANIFEST_DIR"), "/template.yaml")).unwrap();
        let largest = LARGEST.to_string();
        let mut names = names(&emulators).parameter("LargestLayer", &largest);
        names = parameters.iter().fold(names, |names, (name, value)| names.parameter(*name, *value));
        let early = names.clone().before_custom_resources();
        let secrets = described(&emulators, "EdgeSecretsFunction", &early).start().await.unwrap();
        let properties = template.resource("EdgeSecrets", &names).unwrap();
        let made =
            CustomResource::new("EdgeSecrets", "Custom::EdgeSecrets", properties).create(&secrets).await.unwrap();
        let key = made.data["UploadKeys"].clone();
        names = made.data.into_iter().fold(names, |names, (name, value)| names.attribute("EdgeSecrets", name, value));
        let registry = described(&emulators, "RegistryFunction", &names).instances(3).seed(7).start().await.unwrap();
        let door = registry.door(DoorOptions::default()).unwrap();
        names = names.attribute("RegistryFunctionUrl", "FunctionUrl", format!("{}/", door.url()));
        let distribution = Distribution::deployed(&template, "EdgeDistribution", &names, &emulators).unwrap();
        // The function URL alone is no second door.
        let past = Http::new(&door.address().to_string()).get("/v2/").await;
        assert_eq!((past.status, code(&past).as_str()), (StatusCode::FORBIDDEN, "DENIED"));
        let edge = Edge::start(distribution, options).unwrap();
        Self { emulators, registry, edge, key, _door: door, _secrets: secrets }
    }

    fn http(&self) -> Http {
        Http::new(&self.edge.address().to_string()).with_login(BASIC.to_owned())
    }

    async fn open(&self, repository: &str) -> Answer {
        let opened = self.http().post(&format!("/v2/{repository}/blobs/uploads/")).await;
        assert_eq!(opened.status, StatusCode::ACCEPTED, "{opened:?}");
        opened
    }

    /// What a client does with an answer to its closing PUT.
    async fn followed(&self, closed: Answer) -> Answer {
        let mut answer = closed;
        while answer.status == StatusCode::SEE_OTHER {
            answer = self.http().get(answer.header("location")).await;
        }
        answer
    }

    async fn close(&self, url: &str, content: &Bytes) -> Answer {
        self.followed(self.http().put(url, &[], content.clone()).await).await
    }

    fn blobs(&self) -> Vec<String> {
        self.emulators.s3().objects().into_keys().filter(|key| key.contains("/blobs/")).collect()
    }

    fn staged(&self) -> Vec<String> {
        self.emulators.s3().objects().into_keys().filter(|key| key.contains("/_uploads/")).collect()
    }

    fn to_bucket(&self) -> Vec<EdgeRequest> {
        self.edge.requests().into_iter().filter(|request| request.origin.as_deref() == Some("bucket")).collect()
    }
}

fn created(answer: &Answer, digest: &Digest) {
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    assert_eq!(answer.header("docker-content-digest"), digest.to_string());
    assert!(answer.header("location").ends_with(&format!("/blobs/{digest}")), "{answer:?}");
}

fn refused(answer: &Answer, status: u16, expected: &str) {
    assert_eq!((answer.status.as_u16(), code(answer).as_str()), (status, expected), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_layer_goes_to_the_bucket_whatever_aws_turns_out_to_do() {
    for sees in [Sees::Rewritten, Sees::Original] {
        let options = EdgeOptions { response_sees: sees, ..EdgeOptions::default() };
        let parameters = [("CloudFrontDownloads", "true"), ("RootDirectory", "team/registry/")];
        let deployed = Deployed::start(options, &parameters).await;
        let (blob, small) = (noise(1, LAYER), noise(2, 1000));
        for (content, requests) in [(&blob, 1), (&small, 0)] {
            for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
                let digest = Digest::of(algorithm, content);
                deployed.edge.reset();
                let opened = deployed.open("app").await;
                created(&deployed.close(&opened.closing(&digest), content).await, &digest);
                let sent = deployed.to_bucket();
                assert_eq!(sent.len(), requests, "{sent:?}");
                assert!(sent.iter().all(|request| request.request_bytes == LAYER as u64), "{sent:?}");
                let largest = deployed
                    .edge
                    .requests()
                    .into_iter()
                    .filter(|request| request.origin.as_deref() == Some("registry"));
                assert!(largest.map(|request| request.request_bytes).max() <= Some(1000));
            }
        }
        for content in [&blob, &small] {
            let digest = Digest::canonical(content);
            let redirect = deployed.http().get(&format!("/v2/app/blobs/{digest}")).await;
            assert_eq!(redirect.status, StatusCode::TEMPORARY_REDIRECT);
            let place = redirect.header("location");
            assert!(
                place.starts_with(&format!("{}/team/registry/docker/registry/v2/blobs/", deployed.edge.url())),
                "{place}"
            );
            assert!(pull_blob(&deployed.http(), "app", &digest).await.body == *content);
            let unsigned = place.split_once('?').unwrap().0;
            assert_eq!(deployed.http().get(unsigned).await.status, StatusCode::FORBIDDEN);
        }
        assert_eq!(deployed.staged(), Vec::<String>::new());
        assert!(deployed.emulators.denied().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_past_the_edge_with_what_is_not_theirs() {
    let deployed = Deployed::start(EdgeOptions::default(), &[]).await;
    let (blob, other) = (noise(1, LAYER), noise(2, LAYER));
    let digest = Digest::canonical(&blob);

    // A wrong body: nothing under that digest, nor under its own.
    let opened = deployed.open("app").await;
    refused(&deployed.close(&opened.closing(&digest), &other).await, 400, "DIGEST_INVALID");
    assert_eq!((deployed.blobs(), deployed.staged()), (vec![], vec![]));
    // The session still takes the right one.
    created(&deployed.close(&opened.closing(&digest), &blob).await, &digest);
    // Reused with other content, and with the same again: each lies under its own digest, once.
    let second = Digest::canonical(&other);
    created(&deployed.close(&opened.closing(&second), &other).await, &second);
    created(&deployed.close(&opened.closing(&digest), &blob).await, &digest);
    for (digest, content) in [(&digest, &blob), (&second, &other)] {
        assert!(pull_blob(&deployed.http(), "app", digest).await.body == *content);
    }
    let kept = deployed.blobs();

    // Forged, foreign, expired: refused before the bucket.
    deployed.edge.reset();
    let third = noise(3, LAYER);
    let named = Digest::canonical(&third);
    let opened = deployed.open("app").await;
    let id = opened.header("docker-upload-uuid").to_owned();
    let url = opened.closing(&named);
    let given = url.split(['?', '&']).find(|pair| pair.starts_with("_edge=")).unwrap().to_owned();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let app = "app".parse().unwrap();
    for (what, ticket) in [
        ("forged", ticket("not the key of the edge", &app, &id, now + 60)),
        ("foreign", ticket(&deployed.key, &"other".parse().unwrap(), &id, now + 60)),
        ("expired", ticket(&deployed.key, &app, &id, now - 60)),
    ] {
        let answer = deployed.close(&url.replace(&given, &format!("_edge={ticket}")), &third).await;
        refused(&answer, 404, "BLOB_UPLOAD_INVALID");
        assert_eq!(deployed.to_bucket().len(), 0, "{what}");
    }
    let elsewhere = url.replace("/v2/app/", "/v2/public/").replace(&deployed.edge.url(), "");
    refused(&deployed.close(&elsewhere, &third).await, 404, "BLOB_UPLOAD_INVALID");
    refused(&deployed.close(&url.replace(&given, ""), &third).await, 413, "SIZE_INVALID");
    // Leaving the stage: the path is none of an upload.
    for path in ["/v2/app/../app/blobs/uploads/", "/v2/app%2f..%2fapp/blobs/uploads/", "/v2/app//blobs/uploads/"] {
        let answer = deployed.close(&url.replace("/v2/app/blobs/uploads/", path), &third).await;
        assert!(matches!(answer.status.as_u16(), 400..=499) && !code(&answer).is_empty(), "{answer:?}");
    }
    assert_eq!(deployed.to_bucket().len(), 0);
    // With the real ticket, but a state of another session, the commit is refused.
    let state = |answer: &Answer| {
        answer.header("location").split(['?', '&']).find(|pair| pair.starts_with("_state=")).unwrap().to_owned()
    };
    let mixed = url.replace(&state(&opened), &state(&deployed.open("app").await));
    refused(&deployed.close(&mixed, &third).await, 404, "BLOB_UPLOAD_INVALID");
    // What S3 would obey, it does not see.
    let obeyed = [
        ("x-amz-copy-source", "/berth/berth/edge/secrets.json"),
        ("x-amz-acl", "public-read"),
        ("content-encoding", "gzip"),
    ];
    let answer = deployed.http().put(&format!("{url}&acl=&uploads="), &obeyed, third.clone()).await;
    created(&deployed.followed(answer).await, &named);
    assert!(pull_blob(&deployed.http(), "app", &named).await.body == third);

    // Larger than the limit, and larger than anything.
    let opened = deployed.open("app").await;
    let large = noise(4, LARGEST + 1);
    let sent = deployed.to_bucket().len();
    refused(&deployed.close(&opened.closing(&Digest::canonical(&large)), &large).await, 413, "SIZE_INVALID");
    // Before the object is there, and with a digest that was not sent.
    let commit = format!("{}&commit=edge", opened.closing(&Digest::canonical(&large)));
    refused(&deployed.http().get(&commit).await, 400, "BLOB_UPLOAD_INVALID");
    assert_eq!(deployed.to_bucket().len(), sent);
    assert_eq!(deployed.blobs().len(), kept.len() + 1);
    assert_eq!(deployed.registry.counters().errors, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_puts_and_two_commits_at_once_lose_nothing() {
    let deployed = Deployed::start(EdgeOptions::default(), &[]).await;
    for round in 0..5 {
        let blobs = [noise(10 + 2 * round, LAYER), noise(11 + 2 * round, LAYER)];
        let digests = blobs.each_ref().map(|blob| Digest::canonical(blob));
        let opened = deployed.open("app").await;
        // Two contents by one session, then the commit of the first twice.
        let urls = digests.each_ref().map(|digest| opened.closing(digest));
        let https = [deployed.http(), deployed.http()];
        let (first, second) =
            tokio::join!(https[0].put(&urls[0], &[], blobs[0].clone()), https[1].put(&urls[1], &[], blobs[1].clone()),);
        assert_eq!((first.status, second.status), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER));
        let place = first.header("location").to_owned();
        let (one, two, other) =
            tokio::join!(https[0].get(&place), https[1].get(&place), https[1].get(second.header("location")));
        created(&one, &digests[0]);
        created(&two, &digests[0]);
        created(&other, &digests[1]);
        for (digest, blob) in digests.iter().zip(&blobs) {
            assert!(pull_blob(&deployed.http(), "app", digest).await.body == *blob, "{round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_a_layer_of_unknown_length_is_told_what_to_do() {
    let deployed = Deployed::start(EdgeOptions::default(), &[]).await;
    let opened = deployed.open("app").await;
    let before = deployed.registry.counters().invocations;
    let chunks = vec![noise(1, LAYER); 3];
    let answer = deployed.http().send_chunked(Method::PATCH, opened.header("location"), &[], chunks).await;
    refused(&answer, 405, "UNSUPPORTED");
    let said = String::from_utf8_lossy(&answer.body);
    assert!(
        said.contains("berth gateway") && said.contains("berth push") && said.contains("containerd image store"),
        "{said}"
    );
    let refused: Vec<_> = deployed.edge.requests().into_iter().filter(|request| request.method == "PATCH").collect();
    assert_eq!(refused.iter().map(|request| request.handled).collect::<Vec<_>>(), [Handled::Answered]);
    // A token was asked for, and nothing else.
    assert!(deployed.registry.counters().invocations - before <= 1);
    // What it takes in chunks of known length, it takes.
    let blob = noise(2, 3 << 20);
    let mut place = deployed.open("app").await.header("location").to_owned();
    for chunk in [blob.slice(..1 << 20), blob.slice(1 << 20..)] {
        let appended = deployed.http().send(Method::PATCH, &place, &[], chunk).await;
        assert_eq!(appended.status, StatusCode::ACCEPTED, "{appended:?}");
        // It holds something now: the edge may not take its end.
        assert!(!appended.header("location").contains("_edge="));
        place = appended.header("location").to_owned();
    }
    let digest = Digest::canonical(&blob);
    created(&deployed.close(&format!("{place}&digest={digest}"), &Bytes::new()).await, &digest);
}
