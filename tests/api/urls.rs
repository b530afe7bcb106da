//! `Location`: never on another host than the client's own.

use berth::http::Options;

use crate::{
    client::Body,
    registry::{Registry, Setup},
};

async fn location(registry: &Registry, headers: &[(&str, &str)]) -> String {
    let target = "/v2/repo/blobs/uploads/";
    let answer = registry.client().await.ask("POST", target, headers, Body::Sized(b"")).await;
    let location = answer.is(202).header("location");
    let (base, _) = location.split_once("/v2/repo/blobs/uploads/").expect("the upload's path");
    base.to_owned()
}

#[tokio::test]
async fn locations_are_where_the_client_asked() {
    let registry = Registry::start().await;
    for (headers, base) in [
        (vec![], format!("http://{}", registry.addr)),
        (vec![("host", "registry.example:8443")], "http://registry.example:8443".to_owned()),
        (vec![("host", "[::1]:5000")], "http://[::1]:5000".to_owned()),
        (vec![("host", "r.example"), ("x-forwarded-proto", "https")], "https://r.example".to_owned()),
        (
            vec![("host", "10.0.0.1"), ("x-forwarded-host", "r.example, proxy"), ("x-forwarded-proto", "https, http")],
            "https://r.example".to_owned(),
        ),
        (vec![("host", "r.example"), ("x-forwarded-proto", "javascript")], "http://r.example".to_owned()),
        // No host that a URL could have: then the path alone is right wherever the client is.
        (vec![("host", "")], String::new()),
        (vec![("host", "r.example/evil")], String::new()),
    ] {
        assert_eq!(location(&registry, &headers).await, base, "{headers:?}");
    }
}

#[tokio::test]
async fn a_configured_host_is_the_only_one() {
    let host = Some("https://registry.example".to_owned());
    let http = Options { host, relative_urls: true, access_log: false, ..Options::default() };
    let registry = Setup { http, ..Setup::default() }.start().await;
    let headers = [("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "http")];
    assert_eq!(location(&registry, &headers).await, "https://registry.example");
}

#[tokio::test]
async fn relative_urls_leave_out_the_host() {
    let http = Options { relative_urls: true, access_log: false, ..Options::default() };
    let registry = Setup { http, ..Setup::default() }.start().await;
    assert_eq!(location(&registry, &[("x-forwarded-host", "evil.example")]).await, "");
}
