//! A large PUT through CloudFront that goes wrong.

use crate::{
    desk::Desk,
    fake::{Fake, LAMBDA, host},
    run::Report,
    server::{Asked, Reply, reply},
};

/// The report on a registry that answers its large PUT by `refusal`.
async fn refused(refusal: impl Fn() -> Reply + Send + Sync + 'static) -> Report {
    let is_large = |asked: &Asked| asked.method == "PUT" && asked.length > LAMBDA;
    let server = Fake { ticket: true, ..Fake::default() }.start(move |asked| is_large(asked).then(&refusal)).await;
    let report = Desk::new().doctor_as_alice(&host(&server), &[]);
    report.ok("push");
    report.ok("cleanup");
    let large = server.asked().iter().filter(|asked| is_large(asked)).count();
    assert_eq!(large, 1, "it is sent once");
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_refuses_cloudfront() {
    let error = "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let report = refused(move || reply(403, &[("content-type", "application/xml")], error)).await;
    for part in ["EdgeBucketStatement", "object ownership", "kms:GenerateDataKey"] {
        report.fails("edge-upload", "AccessDenied", part);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn something_else_is_wrong_with_the_distribution() {
    refused(|| reply(403, &[("content-type", "text/html")], "<html>")).await.fails("edge-upload", "403", "web ACL");
    refused(|| reply(200, &[], "")).await.fails("edge-upload", "200", "viewer-response function did not run");
    refused(|| reply(413, &[], "")).await.fails("edge-upload", "413", "viewer-request");
    refused(|| reply(504, &[], "")).await.fails("edge-upload", "504", "see the log");
    let code = r#"{"errors":[{"code":"BLOB_UPLOAD_INVALID","message":"nothing was sent"}]}"#;
    refused(move || reply(400, &[], code)).await.fails("edge-upload", "nothing was sent", "by hand");
}
