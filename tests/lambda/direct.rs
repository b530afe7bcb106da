//! Direct uploads through the deployment: what a function cannot be handed goes to S3.

use berth::{
    api::{DirectAnswer, PartsAnswer, SignedRequest},
    digest::Digest,
};
use berth_local::{Fault, Rule, lambda::FunctionBuilder};
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::{
    image::noise,
    stack::{Stack, pull_blob, push_blob},
    support::http::{Answer, Http},
};

/// What is larger than a mebibyte goes in parts, which are as small as S3 takes them.
pub(crate) fn in_parts(function: FunctionBuilder) -> FunctionBuilder {
    function.env("REGISTRY_STORAGE_DIRECTUPLOAD_LARGESTPUT", "1").env("REGISTRY_STORAGE_DIRECTUPLOAD_PART", "5")
}

pub(crate) async fn announce(http: &Http, repository: &str, blob: &Bytes) -> Answer {
    let (digest, size) = (Digest::canonical(blob).to_string(), blob.len().to_string());
    let headers = [("berth-blob-digest", digest.as_str()), ("berth-blob-size", size.as_str())];
    http.send(Method::POST, &format!("/v2/{repository}/blobs/uploads/"), &headers, Bytes::new()).await
}

async fn send(http: &Http, put: &SignedRequest, content: Bytes) -> StatusCode {
    let headers: Vec<_> = put.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    http.put(&put.url, &headers, content).await.status
}

/// A push that gives up at the first answer that is none of a registry's.
async fn push_once(http: &Http, repository: &str, blob: &Bytes) -> Result<Answer, Answer> {
    let good = |answer: Answer| if answer.status.is_server_error() { Err(answer) } else { Ok(answer) };
    let opened = good(announce(http, repository, blob).await)?;
    if opened.status == StatusCode::CREATED {
        return Ok(opened);
    }
    assert_eq!(opened.status, StatusCode::ACCEPTED, "{opened:?}");
    match serde_json::from_slice(&opened.body).unwrap() {
        DirectAnswer::Put { put, .. } => {
            let sent = send(http, &put, blob.clone()).await;
            assert!(matches!(sent.as_u16(), 200 | 412), "{sent}");
        }
        DirectAnswer::Parts { part_size, .. } => {
            let target = format!("{}&parts=1-100", opened.header("location"));
            let page = good(http.get(&target).await)?;
            let page: PartsAnswer = serde_json::from_slice(&page.body).unwrap();
            for part in page.parts {
                let from = (u64::from(part.number) - 1) * part_size;
                let content = blob.slice(from as usize..(from + part.size) as usize);
                assert_eq!(send(http, &part.put.unwrap(), content).await, StatusCode::OK);
            }
        }
        DirectAnswer::Commit { .. } => panic!("{opened:?}"),
    }
    let mut at = opened;
    while at.status == StatusCode::ACCEPTED {
        at = good(http.put(&at.closing(&Digest::canonical(blob)), &[], Bytes::new()).await)?;
    }
    Ok(at)
}

/// Brings tokens, each of which is an invocation more, and makes the secrets that are made once.
async fn warm(http: &Http, repository: &str) {
    push_blob(http, repository, &Bytes::from("warm")).await;
    let first = Bytes::from(format!("first of {repository}"));
    assert_eq!(push(http, repository, &first).await.status, StatusCode::CREATED);
}

pub(crate) async fn push(http: &Http, repository: &str, blob: &Bytes) -> Answer {
    push_once(http, repository, blob).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_layer_that_no_event_could_carry_costs_two_invocations() {
    for (warmth, recycle) in [("warm", None), ("each request by a new process", Some(1))] {
        let stack = Stack::start(|function| match recycle {
            Some(after) => function.recycle_after(after),
            None => function,
        })
        .await;
        let http = stack.http();
        warm(&http, "app").await;
        let blob = noise(1, 100_000_000);
        stack.emulators.reset();
        stack.function.settled().await;
        let before = stack.function.counters().invocations;
        let pushed = push(&http, "app", &blob).await;
        assert_eq!(pushed.status, StatusCode::CREATED, "{pushed:?}");
        stack.function.settled().await;
        let invocations = stack.function.counters().invocations - before;
        assert_eq!(invocations, 2);
        let counts = stack.emulators.counts();
        println!("100 MB directly, {warmth}: {invocations} invocations, {counts:?}");
        let requests = stack.emulators.requests();
        let of_client: Vec<_> = requests.iter().filter(|request| request.presigned).collect();
        assert_eq!(of_client.len(), 1, "{of_client:?}");
        assert_eq!(of_client[0].request_bytes, 100_000_000);
        assert!(requests.iter().filter(|request| !request.presigned).all(|request| request.request_bytes < 1000));
        assert!(pull_blob(&http, "app", &Digest::canonical(&blob)).await.body == blob);
        stack.function.settled().await;
        let peak = stack.function.instances().iter().filter_map(|one| one.peak_resident).max().unwrap_or_default();
        // Of those that are gone nobody knows.
        if peak > 0 {
            println!("  {:.1} MB resident at most", peak as f64 / 1e6);
        }
        assert!(peak < 96_000_000, "{peak}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_invocations_and_four_requests_are_enough_for_a_blob() {
    let stack = Stack::start(|function| function.instances(1)).await;
    let http = stack.http();
    for repository in ["app", "b"] {
        warm(&http, repository).await;
    }
    for (what, repository, invocations, most) in [
        ("a new blob", "app", 2, 4),
        ("a blob that the repository has", "app", 1, 3),
        ("a blob that lies elsewhere, where she may read it", "b", 1, 3),
    ] {
        let blob = noise(2, 20_000_000);
        stack.emulators.reset();
        stack.function.settled().await;
        let before = stack.function.counters().invocations;
        assert_eq!(push(&http, repository, &blob).await.status, StatusCode::CREATED);
        stack.function.settled().await;
        let spent = stack.function.counters().invocations - before;
        let counts = stack.emulators.counts();
        let total: u64 = counts.values().sum();
        println!("{what}: {spent} invocations, {total} requests to AWS {counts:?}");
        assert_eq!(spent, invocations, "{what}");
        assert!(total <= most, "{what}: {counts:?}");
    }
}

/// Kills all instances once `fault` has been played, which stops the request that an instance is at.
async fn kill_when_stuck(stack: &Stack) {
    while !stack.emulators.requests().iter().any(|request| request.fault.is_some()) {
        tokio::task::yield_now().await;
    }
    stack.emulators.clear_faults();
    assert!(stack.function.kill_all() > 0);
}

/// How often the content of a push was sent to S3, and how often it had to begin again.
async fn push_again(http: &Http, repository: &str, blob: &Bytes) -> u32 {
    let mut retries = 0;
    loop {
        match push_once(http, repository, blob).await {
            Ok(answer) => {
                assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
                return retries;
            }
            Err(gone) => {
                assert_eq!(gone.status, StatusCode::BAD_GATEWAY, "{gone:?}");
                retries += 1;
            }
        }
    }
}

/// A kill at each request to AWS of a push of `size` bytes, by a client that remembers nothing.
async fn killed_at_each_request(stack: &Stack, size: usize, repository: &str, most_sent: usize) -> u32 {
    let mut moments = 0;
    loop {
        let blob = noise(1000 * size as u64 + u64::from(moments), size);
        let http = stack.http();
        stack.emulators.reset();
        stack.emulators.inject(Rule::new(Fault::Hang).presigned(false).skip(moments).times(1));
        let (retries, was_killed) = {
            let whole = push_again(&http, repository, &blob);
            tokio::pin!(whole);
            tokio::select! {
                retries = &mut whole => (retries, false),
                () = kill_when_stuck(stack) => (whole.await, true),
            }
        };
        stack.emulators.clear_faults();
        assert!(retries <= 1, "moment {moments}: {retries} retries");
        let sent: Vec<_> = stack
            .emulators
            .requests()
            .into_iter()
            .filter(|request| request.presigned && request.status == Some(200))
            .collect();
        assert!(sent.len() <= most_sent, "moment {moments}: {sent:?}");
        assert!(pull_blob(&stack.http(), repository, &Digest::canonical(&blob)).await.body == blob, "moment {moments}");
        if !was_killed {
            return moments;
        }
        moments += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_any_two_requests_costs_one_retry_and_no_content_twice() {
    let stack = Stack::start(|function| function.instances(2)).await;
    let moments = killed_at_each_request(&stack, 200_000, "app", 1).await;
    println!("killed at each of the {moments} requests of a direct push: one retry, and the content was sent once");
    assert!(moments >= 4, "{moments}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_while_parts_are_put_together_ends_well_too() {
    let stack = Stack::start(|function| in_parts(function).instances(2)).await;
    // A client that forgets where it was sends its two parts again.
    let moments = killed_at_each_request(&stack, 6_000_000, "app", 4).await;
    println!("killed at each of the {moments} requests of a direct push in parts: one retry");
    assert!(moments >= 10, "{moments}");
}
