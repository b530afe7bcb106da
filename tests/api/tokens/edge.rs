//! A registry behind an edge of its own: nobody comes in by another way, and proofs are bound to the edge's host.

use berth::http::{Edge, Options};

use super::{Hands, RULES, basic, set_up};
use crate::{
    client::{Answer, Body},
    registry::{Registry, Setup},
};

const SECRETS: [&str; 2] = ["the-newest-secret-of-the-edge", "the-one-that-was-before-it-here"];
const HOST: &str = "registry.example.com";

async fn behind_an_edge(host: Option<&str>) -> Registry {
    let edge = Edge { origin_secrets: SECRETS.map(str::to_owned).into(), ..Edge::default() };
    behind(edge, host).await
}

async fn behind(edge: Edge, host: Option<&str>) -> Registry {
    let http = Options { edge, host: host.map(str::to_owned), access_log: false, ..Options::default() };
    set_up(&Hands::new(), Some(RULES), Setup { http, ..Setup::default() }).start().await
}

async fn ask(registry: &Registry, target: &str, headers: &[(&str, &str)]) -> Answer {
    registry.client().await.ask("GET", target, headers, Body::None).await
}

#[tokio::test]
async fn who_does_not_come_through_the_edge_is_told_so_and_nothing_else() {
    let registry = behind_an_edge(None).await;
    let login = basic("alice", "wonderland");
    let cut = &SECRETS[0][..SECRETS[0].len() - 1];
    let both = SECRETS.join(",");
    for given in [None, Some(""), Some("x"), Some(cut), Some(both.as_str()), Some("THE-NEWEST-SECRET-OF-THE-EDGE")] {
        for target in ["/v2/", "/v2/team/a/tags/list", "/token?scope=repository:team/a:pull", "/", "/v2/_catalog"] {
            let mut headers = vec![("authorization", login.as_str()), ("x-forwarded-host", HOST)];
            headers.extend(given.map(|given| ("x-berth-origin", given)));
            let answer = ask(&registry, target, &headers).await;
            answer.refused(403, "DENIED");
            let said = String::from_utf8(answer.body).unwrap();
            assert!(said.contains("address") && !said.contains("secret"), "{said}");
        }
    }
    assert!(registry.holds().await.is_empty(), "storage was not asked for the keys that sign tokens");
    let named = behind_an_edge(Some("https://registry.example.com")).await;
    let said = String::from_utf8(ask(&named, "/v2/", &[]).await.body).unwrap();
    assert!(said.contains("https://registry.example.com"), "{said}");
}

#[tokio::test]
async fn every_secret_of_the_edge_is_good() {
    let registry = behind_an_edge(None).await;
    for secret in SECRETS {
        let headers = [("x-berth-origin", secret), ("x-forwarded-host", HOST), ("x-forwarded-proto", "https")];
        let answer = ask(&registry, "/v2/", &headers).await;
        answer.is(401);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.contains("realm=\"https://registry.example.com/token\""), "{challenge}");
    }
}

#[tokio::test]
async fn proofs_are_bound_to_the_host_that_the_edge_was_asked_by() {
    let registry = behind_an_edge(None).await;
    let own = registry.addr.to_string();
    let proof = |host: &str| basic("x", &format!("aws-{host}"));
    let status = async |host: &str, forwarded: &[&str]| {
        let login = proof(host);
        let mut headers = vec![("authorization", login.as_str()), ("x-berth-origin", SECRETS[0])];
        headers.extend(forwarded.iter().map(|forwarded| ("x-forwarded-host", *forwarded)));
        ask(&registry, "/token", &headers).await.status
    };
    assert_eq!(status(HOST, &[HOST]).await, 200);
    assert_eq!(status(&own, &[HOST]).await, 401, "the function's own address is not the registry's");
    assert_eq!(status(HOST, &["other.example.com"]).await, 401);
    // Whoever sets one, the edge sets the only one.
    for forwarded in [&[HOST, "evil.example.com"][..], &["registry.example.com,evil.example.com"], &[""], &[]] {
        assert_eq!(status(HOST, forwarded).await, 401, "{forwarded:?}");
    }
    // What is configured counts for more.
    let named = behind_an_edge(Some("https://named.example.com")).await;
    let login = proof("named.example.com");
    let headers = [("authorization", login.as_str()), ("x-berth-origin", SECRETS[0]), ("x-forwarded-host", HOST)];
    assert_eq!(ask(&named, "/token", &headers).await.status, 200);
}

/// While the front end is changed, clients come by either way.
#[tokio::test]
async fn where_the_edge_is_not_required_others_are_served_but_not_believed() {
    let edge = Edge { origin_secrets: SECRETS.map(str::to_owned).into(), required: false, ..Edge::default() };
    let registry = behind(edge, None).await;
    let own = registry.addr.to_string();
    let status = async |host: &str, secret: Option<&str>| {
        let login = basic("x", &format!("aws-{host}"));
        let mut headers = vec![("authorization", login.as_str()), ("x-forwarded-host", HOST)];
        headers.extend(secret.map(|secret| ("x-berth-origin", secret)));
        ask(&registry, "/token", &headers).await.status
    };
    for secret in [None, Some(""), Some("a-secret-that-is-none")] {
        assert_eq!(status(&own, secret).await, 200, "{secret:?}");
        assert_eq!(status(HOST, secret).await, 401, "{secret:?}: only the edge says by which host it was asked");
    }
    assert_eq!(status(HOST, Some(SECRETS[1])).await, 200);
}

#[tokio::test]
async fn without_an_edge_its_header_says_nothing() {
    let registry = super::registry(&Hands::new()).await;
    let login = basic("x", &format!("aws-{HOST}"));
    let headers = [("authorization", login.as_str()), ("x-berth-origin", SECRETS[0]), ("x-forwarded-host", HOST)];
    assert_eq!(ask(&registry, "/token", &headers).await.status, 401);
}
