//! Registries that work.

use serde_json::Value;

use crate::{
    desk::Desk,
    fake::{Fake, host, nothing},
    house::House,
    support::{http::Http, process::Served},
};

/// alice, whose password is "wonderland".
const ALICE: &str = "alice:$2y$04$jiJtvhzNaht1A.DuAMxGqO28xA5iWb0VS8GmE39hV3S/FuchCr1L2";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_on_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let yaml = format!(
        "version: 0.1\nstorage: {{filesystem: {{rootdirectory: '{data}'}}}}\nauth: {{htpasswd: {{users: '{ALICE}'}}}}\n"
    );
    let served = Served::start(folder.path(), &yaml);
    let desk = Desk::new();
    let report = desk.doctor_as_alice(&served.host, &[]);
    for (check, part) in [
        ("dns", "127.0.0.1 is an IP address"),
        ("connect", &*served.host),
        ("api", "401"),
        ("challenge", "www-authenticate"),
        ("clock", "clock"),
        ("login", "user alice"),
        ("push", "/berth-doctor/"),
        ("pull", "manifest"),
        ("cleanup", "everything"),
    ] {
        assert!(report.ok(check).contains(part), "{check}: {}", report.ok(check));
    }
    for (check, part) in [("tls", "plain HTTP"), ("direct-upload", "presigned"), ("edge-upload", "CloudFront")] {
        assert!(report.skipped(check).contains(part), "{check}: {}", report.skipped(check));
    }

    // As people see it: one line for each check, since none failed.
    let login = ["doctor", &*served.host, "--username", "alice", "--password-stdin", "--repository", "my/corner"];
    let ended = tokio::task::block_in_place(|| desk.berth(&login, "wonderland"));
    assert_eq!((ended.code, &*ended.complained), (Some(0), ""), "{ended:?}");
    let lines: Vec<&str> = ended.said.lines().collect();
    assert_eq!(lines.len(), 13, "{}", ended.said);
    assert!(lines.iter().all(|line| line.starts_with("ok   ") || line.starts_with("skip ")), "{}", ended.said);
    assert!(ended.said.contains(&format!("ok   push: {}/my/corner:berth-doctor-", served.host)), "{}", ended.said);

    let alice = Http::new(&served.host).with_login("Basic YWxpY2U6d29uZGVybGFuZA==".to_owned());
    let tags: Value = serde_json::from_slice(&alice.get("/v2/my/corner/tags/list").await.body).unwrap_or_default();
    assert!(tags["tags"].as_array().is_none_or(Vec::is_empty), "{tags}");
    assert_eq!(alice.get("/v2/my/corner/manifests/check").await.status.as_u16(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_offers_presigned_uploads() {
    let house = House::new().await;
    let report = Desk::new().doctor_as_alice(house.host(), &["--repository", "a/doctor"]);
    assert_eq!(report.failed(), [""; 0], "{}", report.ended.said);
    assert!(report.ok("direct-upload").contains("presigned PUT"));
    report.skipped("edge-upload");
    report.ok("cleanup");
    let links = house.s3.objects().into_keys().filter(|key| key.ends_with("/link")).collect::<Vec<_>>();
    assert_eq!(links, [""; 0], "nothing is left that anybody can read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_behind_cloudfront() {
    let server = Fake { ticket: true, ..Fake::default() }.start(nothing).await;
    let report = Desk::new().doctor_as_alice(&host(&server), &[]);
    assert_eq!(report.failed(), [""; 0], "{}", report.ended.said);
    assert!(report.ok("edge-upload").contains("5 MiB by one PUT"));
    report.ok("cleanup");
    let largest = server.asked().into_iter().map(|asked| asked.length).max().unwrap();
    assert_eq!(largest, 5 << 20);
    let (puts, deleted) = (server.lines(), server.lines());
    let digest = puts.iter().find_map(|line| line.strip_suffix("&commit=edge")?.split("digest=").nth(1)).unwrap();
    let digest = digest.replace("%3A", ":");
    assert!(deleted.iter().any(|line| line.starts_with("DELETE") && line.ends_with(&digest)), "{deleted:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_read_only() {
    let server = Fake { ticket: true, ..Fake::default() }.start(nothing).await;
    let report = Desk::new().doctor_as_alice(&host(&server), &["--read-only"]);
    report.ok("login");
    for check in ["push", "pull", "direct-upload", "edge-upload", "cleanup"] {
        assert!(report.skipped(check).contains("--read-only"));
    }
    assert!(server.asked().iter().all(|asked| asked.method == "GET"), "{:?}", server.lines());
}
