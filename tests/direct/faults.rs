//! The registry, or S3, may fail at any step. The client does what the contract says, and all is as if nothing had been.

use berth::{
    api::{DirectAnswer, PartsAnswer},
    digest::Digest,
};
use berth_local::{Fault, Rule};
use bytes::Bytes;
use http::StatusCode;

use crate::{
    registry::{Person, Registry, content, direct, in_parts, options},
    support::http::Answer,
};

/// A client that keeps to the contract: it tries each step again, at the last place that it knows.
struct Client {
    person: Person,
    failures: u32,
    sent: usize,
}

impl Client {
    async fn until<F: Future<Output = Answer>>(&mut self, ask: impl Fn() -> F) -> Answer {
        loop {
            let answer = ask().await;
            if !answer.status.is_server_error() {
                return answer;
            }
            self.failures += 1;
            assert!(self.failures < 10, "{answer:?}");
        }
    }

    async fn push(&mut self, repository: &str, blob: &Bytes) {
        let digest = Digest::canonical(blob);
        let person = self.person.clone();
        let opened = self.until(|| person.announce(repository, blob)).await;
        if opened.status == StatusCode::CREATED {
            return;
        }
        match direct(&opened) {
            DirectAnswer::Put { put, .. } => {
                let sent = person.send(&put, blob).await;
                assert!(matches!(sent.status.as_u16(), 200 | 412), "{sent:?}");
                self.sent += 1;
            }
            _ => {
                let page = self.until(|| person.parts_answer(&opened, "1-100")).await;
                let page: PartsAnswer = serde_json::from_slice(&page.body).unwrap();
                for part in page.parts.iter().filter(|part| part.put.is_some()) {
                    assert_eq!(person.send_part(part, blob).await.status, StatusCode::OK);
                    self.sent += 1;
                }
            }
        }
        let mut at = opened;
        loop {
            let closed = self.until(|| person.close(&at, &digest)).await;
            match closed.status {
                StatusCode::ACCEPTED => at = closed,
                StatusCode::CREATED => return,
                _ => panic!("{closed:?}"),
            }
        }
    }
}

/// Plays `fault` at each request to S3 of a push of `size` bytes by bob, one after the other; how many there were.
async fn at_each_request(registry: &Registry, size: usize, there_before: bool, fault: Fault, most_sent: usize) -> u32 {
    for moment in 0.. {
        // New to the registry each time.
        let blob = content(1000 * registry.keys().len() as u32 + moment, size);
        let digest = Digest::canonical(&blob);
        if there_before {
            let mut alice = Client { person: registry.person("alice"), failures: 0, sent: 0 };
            alice.push("a/app", &blob).await;
        }
        registry.s3.reset();
        registry.s3.inject(Rule::new(fault.clone()).presigned(false).skip(moment).times(1));
        let mut bob = Client { person: registry.person("bob"), failures: 0, sent: 0 };
        bob.push("b/app", &blob).await;
        let was_played = registry.s3.requests().iter().any(|request| request.fault.is_some());
        registry.s3.clear_faults();
        assert!(bob.failures <= 1, "{fault:?} at {moment}: {}", bob.failures);
        assert!(bob.sent <= most_sent, "{fault:?} at {moment}: sent {}", bob.sent);
        assert!(bob.person.pull("b/app", &digest).await.body == blob, "{fault:?} at {moment}");
        if !was_played {
            return moment;
        }
    }
    unreachable!()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_at_any_request_of_a_put_costs_one_repetition() {
    for there_before in [false, true] {
        let registry = Registry::with(options()).await;
        for fault in [Fault::AccessDenied, Fault::LoseAnswer, Fault::Throttle] {
            let moments = at_each_request(&registry, 1000, there_before, fault.clone(), 1).await;
            println!("{fault:?} at each of {moments} requests, there before: {there_before}");
            assert!(moments >= 4, "{moments}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_at_any_request_of_parts_costs_one_repetition_and_no_part_twice() {
    for there_before in [false, true] {
        let registry = Registry::with(in_parts()).await;
        for fault in [Fault::AccessDenied, Fault::LoseAnswer] {
            let moments = at_each_request(&registry, (5 << 20) + 10, there_before, fault.clone(), 2).await;
            println!("{fault:?} at each of {moments} requests, there before: {there_before}");
            assert!(moments >= 10, "{moments}");
        }
    }
}
