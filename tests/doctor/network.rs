//! A wrong host, and what lies on the way.

use std::net::TcpListener;

use crate::{
    desk::Desk,
    fake::{Fake, host, nothing},
    server::{Server, reply},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_without_an_address() {
    // Longer than a label of DNS may be (RFC 1035, section 2.3.4), so that no server is asked.
    let name = format!("{}.invalid", "a".repeat(64));
    let report = Desk::new().doctor(&name, &[], "");
    report.fails("dns", &name, "typing errors");
    for check in ["connect", "tls", "api", "challenge", "clock", "login", "push", "cleanup"] {
        assert!(report.skipped(check).starts_with("needs "), "{check}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_where_nothing_listens() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    Desk::new().doctor(&gone, &[], "").fails("connect", "connection refused", "port");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_server_that_is_no_registry() {
    for (status, headers, part) in [
        (200, vec![("content-type", "text/html; charset=utf-8")], "a web page"),
        (404, vec![], "404"),
        (300, vec![], "300"),
    ] {
        let server = Server::start(move |_| reply(status, &headers, "<html>")).await;
        let report = Desk::new().doctor_as_alice(&host(&server), &[]);
        report.fails("api", part, "check the name");
        assert!(server.asked().iter().all(|asked| asked.header("authorization").is_none()), "{:?}", server.asked());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_fails() {
    for (status, body, problem, fix) in [
        (500, "", "500", "see the log"),
        (429, "", "429", "wait"),
        (403, "<html>", "403", "firewall"),
        (
            403,
            r#"{"errors":[{"code":"DENIED","message":"the registry is not served at this address; use its own, r.example"}]}"#,
            "use its own, r.example",
            "not that of its function URL",
        ),
    ] {
        let server = Server::start(move |_| reply(status, &[("retry-after", "0")], body)).await;
        Desk::new().doctor_as_alice(&host(&server), &[]).fails("api", problem, fix);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_are_apart() {
    let ahead = time::OffsetDateTime::now_utc() - time::Duration::minutes(10);
    let date = ahead.format(&time::format_description::well_known::Rfc2822).unwrap().replace("+0000", "GMT");
    let server = Fake { date: Some(date), ..Fake::default() }.start(nothing).await;
    Desk::new().doctor_as_alice(&host(&server), &[]).fails("clock", "ahead of", "NTP");
}
