//! A request that cannot finish in its time hears so from the registry, before Lambda ends the instance.

use std::time::Duration;

use berth_local::{Fault, Rule, Service};
use bytes::Bytes;
use http::StatusCode;

use crate::stack::{OCI_IMAGE, Stack, code, manifest};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_answered_before_it_is_cut() {
    let stack = Stack::start(|function| function.timeout(Duration::from_secs(3))).await;
    let http = stack.http();
    let config = Bytes::from("{}");
    stack.push_blob("app", &config).await;
    let image = manifest(&config, &[]);
    assert_eq!(http.put("/v2/app/manifests/v1", &[OCI_IMAGE], image).await.status, StatusCode::CREATED);
    stack.function.recycle();

    stack.emulators.inject(Rule::new(Fault::Hang).service(Service::S3));
    for (method, target) in
        [("GET", "/v2/app/manifests/v1"), ("GET", "/v2/app/tags/list"), ("PUT", "/v2/app/manifests/v2")]
    {
        let headers = [OCI_IMAGE];
        let body = if method == "PUT" { manifest(&Bytes::from("{\"other\":1}"), &[]) } else { Bytes::new() };
        let answer = http.send(method.parse().unwrap(), target, &headers, body).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
            "{target}"
        );
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert_eq!(stack.function.counters().timeouts, 0, "Lambda ended nothing");
    assert_eq!(stack.function.instances().len(), 1, "the same instance answers on");

    stack.emulators.clear_faults();
    assert_eq!(http.get("/v2/app/manifests/v1").await.status, StatusCode::OK);
}
