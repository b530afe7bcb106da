//! An instance may end at any moment of a push. The client tries again, once, and all is as if nothing had been.

use berth::digest::Digest;
use berth_local::{Fault, Rule};
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::{
    image::noise,
    stack::{OCI_IMAGE, Stack, manifest, pull_blob},
    support::http::{Answer, Http},
};

/// What Lambda's door says for an instance that ended.
const GONE: StatusCode = StatusCode::BAD_GATEWAY;

/// A push, and how often it had to try again.
struct Push<'a> {
    http: Http,
    repository: &'a str,
    retries: u32,
}

impl Push<'_> {
    /// A blob as Docker's classic store and podman send it, from its beginning again when the door says that the instance is
    /// gone, as they do.
    async fn blob(&mut self, blob: &Bytes) {
        while let Err(gone) = self.blob_once(blob).await {
            assert_eq!(gone.status, GONE, "{gone:?}");
            self.retries += 1;
        }
    }

    async fn blob_once(&self, blob: &Bytes) -> Result<(), Answer> {
        let (http, digest) = (&self.http, Digest::canonical(blob));
        if wanted(http.head(&format!("/v2/{}/blobs/{digest}", self.repository)).await, &[307, 404])?.status != 404 {
            return Ok(());
        }
        let opened = wanted(http.post(&format!("/v2/{}/blobs/uploads/", self.repository)).await, &[202])?;
        let middle = blob.len() / 2;
        let first = http.send(Method::PATCH, opened.header("location"), &[], blob.slice(..middle)).await;
        let first = wanted(first, &[202])?;
        let second = http.send(Method::PATCH, first.header("location"), &[], blob.slice(middle..)).await;
        let second = wanted(second, &[202])?;
        wanted(http.put(&second.closing(&digest), &[], Bytes::new()).await, &[201]).map(|_| ())
    }

    /// A small blob with one PUT, as containerd sends it.
    async fn config(&mut self, blob: &Bytes) {
        loop {
            let opened = self.http.post(&format!("/v2/{}/blobs/uploads/", self.repository)).await;
            let closed = match wanted(opened, &[202]) {
                Ok(opened) => {
                    wanted(self.http.put(&opened.closing(&Digest::canonical(blob)), &[], blob.clone()).await, &[201])
                }
                gone => gone,
            };
            let Err(gone) = closed else { return };
            assert_eq!(gone.status, GONE, "{gone:?}");
            self.retries += 1;
        }
    }

    async fn manifest(&mut self, image: &Bytes) {
        let target = format!("/v2/{}/manifests/v1", self.repository);
        while let Err(gone) = wanted(self.http.put(&target, &[OCI_IMAGE], image.clone()).await, &[201]) {
            assert_eq!(gone.status, GONE, "{gone:?}");
            self.retries += 1;
        }
    }
}

fn wanted(answer: Answer, statuses: &[u16]) -> Result<Answer, Answer> {
    if statuses.contains(&answer.status.as_u16()) { Ok(answer) } else { Err(answer) }
}

/// Kills all instances once `fault` has been played, which stops the request that an instance is at.
async fn kill_when_stuck(stack: &Stack) {
    while !stack.emulators.requests().iter().any(|request| request.fault.is_some()) {
        tokio::task::yield_now().await;
    }
    stack.emulators.clear_faults();
    assert!(stack.function.kill_all() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_any_two_requests_to_aws_costs_one_retry() {
    let stack = Stack::start(|function| function.instances(2)).await;
    let mut moments = 0;
    loop {
        let repository = format!("app{moments}");
        let layer = noise(u64::from(moments) + 1, 300_000);
        let config = Bytes::from(format!("{{\"number\":{moments}}}"));
        let image = manifest(&config, std::slice::from_ref(&layer));
        let mut push = Push { http: stack.http(), repository: &repository, retries: 0 };

        stack.emulators.reset();
        // The request at this place is not carried out, and its sender does not live to know; all before it were.
        stack.emulators.inject(Rule::new(Fault::Hang).presigned(false).skip(moments).times(1));
        let whole = async {
            push.blob(&layer).await;
            push.config(&config).await;
            push.manifest(&image).await;
        };
        let was_killed = {
            tokio::pin!(whole);
            tokio::select! {
                () = &mut whole => false,
                () = kill_when_stuck(&stack) => { whole.await; true }
            }
        };
        stack.emulators.clear_faults();
        assert!(push.retries <= 1, "moment {moments}: {} retries", push.retries);

        let http = stack.http();
        assert_eq!(http.get(&format!("/v2/{repository}/manifests/v1")).await.body, image, "moment {moments}");
        for blob in [&layer, &config] {
            let pulled = pull_blob(&http, &repository, &Digest::canonical(blob)).await;
            assert!(pulled.body == *blob, "moment {moments}");
        }
        if !was_killed {
            break;
        }
        moments += 1;
    }
    println!("killed at each of the {moments} requests of a push to S3 and DynamoDB: one retry at most each time");
    assert!(moments > 15, "{moments}");
}
