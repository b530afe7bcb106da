//! Requests without credentials: the function answers as the registry does.

use std::sync::LazyLock;

use axum::{Router, body::Body};
use berth::{
    config::Config,
    http::{Arrival, router},
    wire::Adapters,
};
use berth_local::edge::{EdgeFunction, EventResponse, Outcome};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::Service as _;

use super::event::*;

const DOMAIN: &str = "Registry.example.com";
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// The function and the registry as the template configures them, with a domain name of their own or without.
struct Both {
    function: EdgeFunction,
    registry: Router,
}

impl Both {
    fn of(domain: &str) -> Self {
        Self { function: function_of(&Parameters { domain, ..Parameters::default() }), registry: registry(domain) }
    }

    /// The function's own response, if it has one, after a comparison with the registry's.
    fn answer(&self, event: &Value, query: &[(&str, &str)]) -> Option<EventResponse> {
        let Outcome::Answer(own) = ran(&self.function, event) else { return None };
        let theirs = registrys(&self.registry, event, query);
        let what = format!("{} {} {query:?}", event["request"]["method"], event["request"]["uri"]);
        assert_eq!(own.status_code, theirs.status().as_u16(), "{what}");
        for name in ["www-authenticate", "content-type", "docker-distribution-api-version"] {
            let theirs = theirs.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(own.headers.first(name), theirs, "{name} of {what}");
        }
        if event["request"]["method"] != "HEAD" {
            let body = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
            assert_eq!(body(own.body.as_deref().unwrap()), body(theirs.body()), "{what}");
        }
        Some(own)
    }
}

fn registry(domain: &str) -> Router {
    let host = if domain.is_empty() { String::new() } else { format!("http: {{host: 'https://{domain}'}}\n") };
    let auth = "auth: {berth: {aws: true}, rules: 'allow account:123456789012 to pull, push, delete, catalog on **'}\n";
    let config = format!("version: 0.1\nstorage: {{inmemory: }}\n{auth}{host}");
    let config = Config::parse("config.yml", &config, []).unwrap();
    RUNTIME.block_on(async { router(Adapters::open(&config).await.unwrap().app().await.unwrap()) })
}

/// What the registry responds to the request of a viewer-request, as the function would have forwarded it.
fn registrys(registry: &Router, event: &Value, query: &[(&str, &str)]) -> Response<Bytes> {
    let request = &event["request"];
    let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let uri = request["uri"].as_str().unwrap();
    let uri = if query.is_empty() { uri.to_owned() } else { format!("{uri}?{}", query.join("&")) };
    let mut forwarded = Request::builder().method(request["method"].as_str().unwrap()).uri(uri);
    for (name, value) in request["headers"].as_object().unwrap() {
        forwarded = forwarded.header(name, value["value"].as_str().unwrap());
    }
    let host = request["headers"]["host"]["value"].as_str().unwrap();
    let forwarded = forwarded
        .header("x-forwarded-host", host)
        .extension(Arrival { secure: !host.starts_with("127."), ..Arrival::default() })
        .body(Body::empty())
        .unwrap();
    RUNTIME.block_on(async {
        let (parts, body) = registry.clone().call(forwarded).await.unwrap().into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    })
}

/// Each route, with the references that it may have.
fn uris() -> Vec<String> {
    let (sha256, sha512) = (format!("sha256:{}", "ab".repeat(32)), format!("sha512:{}", "0f".repeat(64)));
    let mut uris = vec!["/v2/".to_owned(), "/v2".to_owned(), "/v2/_catalog".to_owned()];
    for name in ["a", "team/app", "a.b/c_d/e__f/g---h", "foo/bar/manifests", "tags/list", "blobs/uploads", "a/blobs"] {
        uris.push(format!("/v2/{name}/tags/list"));
        uris.push(format!("/v2/{name}/blobs/uploads/"));
        uris.push(format!("/v2/{name}/blobs/uploads"));
        uris.push(format!("/v2/{name}/blobs/uploads/{ID}"));
        uris.push(format!("/v2/{name}/blobs/uploads/x.y~z"));
        uris.extend(["1", "v1.2_3-x", &sha256, &sha512].map(|reference| format!("/v2/{name}/manifests/{reference}")));
        for digest in [&sha256, &sha512] {
            uris.push(format!("/v2/{name}/blobs/{digest}"));
            uris.push(format!("/v2/{name}/referrers/{digest}"));
        }
    }
    uris
}

#[test]
fn every_route_and_method_is_answered_as_the_registry_does() {
    for domain in ["", DOMAIN] {
        let both = Both::of(domain);
        for uri in uris() {
            for method in METHODS {
                let event = anonymous(method, &uri, &[], &[]);
                let answer = both.answer(&event, &[]);
                let answer = answer.unwrap_or_else(|| panic!("{method} {uri} is forwarded"));
                let challenge = answer.headers.first("www-authenticate").unwrap().to_owned();
                let host = if domain.is_empty() { HOST } else { domain };
                assert!(challenge.starts_with(&format!("Bearer realm=\"https://{host}/token\"")), "{challenge}");
                assert_eq!(answer.headers.first("cache-control"), Some("no-store"));
            }
        }
    }
}

#[test]
fn a_mount_is_asked_for_the_scopes_that_the_registry_asks_for() {
    let both = Both::of("");
    let digest = format!("sha256%3A{}", "ab".repeat(32));
    let uploads = "/v2/team/app/blobs/uploads/";
    for (query, scope) in [
        (
            vec![("mount", digest.as_str()), ("from", "team/other")],
            "repository:team/app:pull,push repository:team/other:pull",
        ),
        (
            vec![("mount", digest.as_str()), ("from", "team%2Fother")],
            "repository:team/app:pull,push repository:team/other:pull",
        ),
        (vec![("mount", digest.as_str())], "repository:team/app:pull,push registry:blob:pull"),
        (vec![("from", "team/other")], "repository:team/app:pull,push"),
        (vec![("digest", digest.as_str())], "repository:team/app:pull,push"),
    ] {
        let answer = both.answer(&anonymous("POST", uploads, &query, &[]), &query).unwrap();
        let challenge = answer.headers.first("www-authenticate").unwrap().to_owned();
        assert!(challenge.ends_with(&format!(",scope=\"{scope}\"")), "{challenge}");
    }
    // The registry itself says what these need.
    for from in ["", "team/app", "Team", "a%20b", "a%2F..%2Fb", "a+b", "a\"b"] {
        let query = [("mount", digest.as_str()), ("from", from)];
        let answer = both.answer(&anonymous("POST", uploads, &query, &[]), &query);
        assert!(answer.is_none(), "{from}");
    }
    let announced = anonymous("POST", uploads, &[], &[("berth-blob-digest", &digest)]);
    assert!(both.answer(&announced, &[]).is_none());
}

#[test]
fn what_the_function_cannot_judge_goes_to_the_registry() {
    let function = function();
    let forwards = |event: &Value| matches!(ran(&function, event), Outcome::Forward(_));
    for uri in [
        "/",
        "/token",
        "/v2x/",
        "/v1/",
        "/v2/x",
        "/v2/Team/manifests/1",
        "/v2/team%2Fapp/manifests/1",
        "/v2/a//b/manifests/1",
        "/v2/a/manifests/",
        "/v2/a/manifests/.x",
        "/v2/a/blobs/sha256:ab",
        "/v2/a/blobs/md5:ab",
        "/v2/a/blobs/sha256%3Aab",
        "/v2/a/tags/lists",
        "/v2/a/blobs/uploads/x%2Fy",
        "/docker/registry/v2/blobs/sha256/ab/x/data",
        &format!("/v2/{}/manifests/1", "a".repeat(256)),
        &format!("/v2/a/manifests/{}", "a".repeat(129)),
        &format!("/v2/a/blobs/sha256:{}", "AB".repeat(32)),
    ] {
        assert!(forwards(&anonymous("GET", uri, &[], &[])), "{uri}");
    }
    assert!(forwards(&anonymous("OPTIONS", "/v2/", &[], &[])));
    for credentials in ["Bearer t", "Basic x", ""] {
        assert!(forwards(&request("GET", "/v2/", &[], &[("authorization", credentials)])), "{credentials}");
    }
    for host in ["d1.example.com:8443", "a\"b", "a b", ""] {
        let mut event = anonymous("GET", "/v2/", &[], &[]);
        event["request"]["headers"]["host"]["value"] = host.into();
        assert!(forwards(&event), "{host}");
    }
}

#[test]
fn where_anonymous_callers_may_do_something_the_registry_decides() {
    let function = function_of(&Parameters { anonymous: true, ..Parameters::default() });
    for method in METHODS {
        let outcome = ran(&function, &anonymous(method, "/v2/team/app/manifests/1", &[], &[]));
        assert!(matches!(outcome, Outcome::Forward(_)), "{method}");
    }
}

/// Local clients follow the realm: it has the scheme of the emulated CloudFront.
#[test]
fn a_local_host_is_told_http() {
    let both = Both::of("");
    let mut event = anonymous("GET", "/v2/team/app/tags/list", &[], &[]);
    event["request"]["headers"]["host"] = json!({ "value": "127.0.0.1:5000" });
    let answer = both.answer(&event, &[]).unwrap();
    let challenge = answer.headers.first("www-authenticate").unwrap().to_owned();
    assert!(
        challenge.starts_with("Bearer realm=\"http://127.0.0.1:5000/token\",service=\"127.0.0.1:5000\""),
        "{challenge}"
    );
}

/// A closing PUT with a ticket goes to the bucket without a token, as it did: the ticket is what lets it in.
#[test]
fn a_ticket_is_enough_for_the_bucket() {
    let mut event = closing(LAMBDA + 1);
    event["request"]["headers"].as_object_mut().unwrap().remove("authorization");
    assert_eq!(forwarded(&event).origin.as_deref(), Some("bucket"));
    // A body that nobody may send is not measured first.
    let large = anonymous("PATCH", &session(), &[], &[("content-length", "4194305")]);
    assert_eq!(refused(&large).0, 401);
}

static BOTH: LazyLock<Both> = LazyLock::new(|| Both::of(""));

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever is asked: what the function answers, the registry answers too.
    #[test]
    fn no_other_answer_than_the_registrys(
        method in prop::sample::select(METHODS.to_vec()),
        name in "[a-z0-9]{1,3}([./_-]{1,2}[a-z0-9]{1,3}){0,3}|[a-z/._%-]{0,12}|(tags|list|blobs|uploads|manifests)(/(list|blobs|uploads|manifests|tags)){0,3}",
        kind in prop_oneof![
            Just(format!("blobs/sha256:{}", "ab".repeat(32))), Just("tags/list".to_owned()), Just("blobs/uploads/".to_owned()),
            "(manifests|blobs|referrers|uploads|tags)/[a-z0-9:./_-]{0,9}", "blobs/uploads(/[A-Za-z0-9._~:@!$&'()*+,;=%-]{0,9})?",
        ],
        from in prop_oneof![Just(None), "[a-z/%2F]{0,9}".prop_map(Some)],
        mounts in any::<bool>(),
    ) {
        let uri = format!("/v2/{name}/{kind}");
        let mut query = Vec::new();
        query.extend(mounts.then_some(("mount", "sha256:x")));
        query.extend(from.as_deref().map(|from| ("from", from)));
        BOTH.answer(&anonymous(method, &uri, &query, &[]), &query);
    }
}
