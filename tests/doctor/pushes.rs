//! Registries that refuse a push, a pull, or a deletion.

use crate::{
    desk::Desk,
    fake::{Fake, host},
    server::{Asked, Reply, reply},
};

fn denied() -> Reply {
    reply(403, &[], r#"{"errors":[{"code":"DENIED","message":"alice may not do this"}]}"#)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_that_is_denied() {
    let server = Fake::default().start(|asked: &Asked| (asked.method == "POST").then(denied)).await;
    let report = Desk::new().doctor_as_alice(&host(&server), &["--repository", "team/app"]);
    report.fails("push", "alice may not do this", "push on team/app");
    for check in ["pull", "direct-upload", "edge-upload"] {
        assert!(report.skipped(check).contains("needs push"));
    }
    assert!(report.skipped("cleanup").contains("nothing was pushed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_that_is_refused_leaves_nothing() {
    let server = Fake::default().start(|asked: &Asked| asked.is("PUT", "/manifests/").then(denied)).await;
    let report = Desk::new().doctor_as_alice(&host(&server), &[]);
    report.fails("push", "alice may not do this", "rules");
    report.ok("cleanup");
    assert_eq!(server.asked().iter().filter(|asked| asked.is("DELETE", "/blobs/sha256:")).count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blobs_that_cannot_be_read() {
    let error = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let server = Fake::default()
        .start(move |asked: &Asked| asked.is("GET", "/blobs/sha256:").then(|| reply(403, &[], error)))
        .await;
    let report = Desk::new().doctor_as_alice(&host(&server), &[]);
    report.fails("pull", "AccessDenied", "s3:GetObject");
    report.ok("cleanup");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_without_deletion() {
    for status in [403, 405] {
        let body = r#"{"errors":[{"code":"UNSUPPORTED","message":"deletion is turned off"}]}"#;
        let server = Fake::default()
            .start(move |asked: &Asked| (asked.method == "DELETE").then(|| reply(status, &[], body)))
            .await;
        let report = Desk::new().doctor_as_alice(&host(&server), &["--repository", "team/app"]);
        assert_eq!(report.failed(), [""; 0]);
        let reason = report.skipped("cleanup");
        for part in
            ["does not allow deletion", "deletion is turned off", "team/app", "manifest sha256:", "tag berth-doctor-"]
        {
            assert!(reason.contains(part), "no {part:?} in: {reason}");
        }
    }
    let server = Fake::default().start(|asked: &Asked| (asked.method == "DELETE").then(|| reply(500, &[], ""))).await;
    Desk::new().doctor_as_alice(&host(&server), &[]).fails("cleanup", "500", "berth rm");
}
