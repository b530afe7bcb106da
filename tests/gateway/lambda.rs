//! The gateway and the deployment in the local Lambda: layers of any size through a door that takes 6 MB.

use berth::digest::Digest;
use http::StatusCode;

use crate::{
    house::content,
    old_client::{pull, push},
    process::Home,
    stack::Stack,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_layer_costs_three_invocations_and_six_requests_at_most() {
    let stack = Stack::start(|function| function.instances(2)).await;
    let home = Home::of("alice", &stack.host());
    let gateway = home.start(&stack.host());
    let http = gateway.http();
    // Tokens, and the instance's own beginnings, are paid for once.
    let first = content(0, 100_000);
    assert_eq!(push(&http, "app", &first, &Digest::canonical(&first)).await.status, StatusCode::CREATED);
    println!("the first blob, with its tokens: {} invocations", stack.function.counters().invocations);

    for number in 1..3 {
        let blob = content(number, 20_000_000);
        let digest = Digest::canonical(&blob);
        stack.emulators.reset();
        let before = stack.function.counters().invocations;
        let pushed = push(&http, "app", &blob, &digest).await;
        assert_eq!(pushed.status, StatusCode::CREATED, "{pushed:?}");
        // As Docker does.
        assert_eq!(http.head(&format!("/v2/app/blobs/{digest}")).await.status, StatusCode::OK);
        let invocations = stack.function.counters().invocations - before;
        let requests = stack.emulators.requests();
        let by_function: Vec<_> = requests.iter().filter(|asked| !asked.presigned).map(|asked| asked.name()).collect();
        println!("20 MB, blob {number}: {invocations} invocations, {} AWS requests by the function", by_function.len());
        assert!(invocations <= 3, "{invocations}");
        assert!(by_function.len() <= 6, "{by_function:?}");
        assert!(pull(&http, "app", &digest).await.body == blob);
    }
}
