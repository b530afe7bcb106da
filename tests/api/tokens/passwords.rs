//! Names and passwords as an attacker offers them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use berth::{
    auth::{
        AccessController, Asked, Rules, Wanted,
        htpasswd::{Htpasswd, Users},
        proof::{Offer, Verifier},
        token::{Bearer, SigningKeys, TokenService},
    },
    context::{Clock, Context},
    storage::StoredKeys,
};
use http::HeaderValue;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::{ask, bearer, forge, forge::Hands, get, granted, post, registry};
use crate::{
    auth::{ALICE, basic, users},
    registry::{Registry, Setup},
};

/// Sends a request whose Authorization is longer than anybody's, to a server that need not read all of it; the status,
/// if there is an answer.
async fn send_long(registry: &Registry, target: &str, login: &str) -> Option<u16> {
    let mut client = registry.client().await;
    let head = format!("GET {target} HTTP/1.1\r\nhost: {}\r\nauthorization: {login}\r\n\r\n", registry.addr);
    let _ = client.stream.get_mut().write_all(head.as_bytes()).await;
    client.try_answer(false).await.map(|answer| answer.status)
}

#[tokio::test]
async fn a_password_of_a_megabyte_is_not_looked_at() {
    let by_token = registry(&Hands::new()).await;
    let by_password = Setup { access: Arc::new(users()), ..Setup::default() }.start().await;
    get(&by_token, "", None).await.is(200); // the keys are known
    let calls = by_token.driver.calls();
    let long = "x".repeat(1 << 20);
    for (registry, target) in [(&by_token, "/token"), (&by_token, "/v2/"), (&by_password, "/v2/")] {
        for password in [format!("wonderland{long}"), format!("berth_key_{long}"), format!("berth-aws-v1.{long}")] {
            let status = send_long(registry, target, &basic("alice", &password)).await;
            assert!(matches!(status, None | Some(431)), "{target}: {status:?}");
        }
    }
    post(&by_token, &format!("grant_type=password&username=alice&password={long}")).await.refused(413, "SIZE_INVALID");
    // What a form may hold, and no password is.
    for (name, password) in [("alice", &long[..40 << 10]), (&long[..1 << 10], "wonderland")] {
        let answer = post(&by_token, &format!("grant_type=password&username={name}&password={password}")).await;
        answer.refused(401, "UNAUTHORIZED");
        assert!(String::from_utf8(answer.body).unwrap().contains("longer than any"));
    }
    assert_eq!(by_token.driver.calls(), calls, "storage is not asked");
    bearer(&get(&by_token, "", Some(&basic("alice", "wonderland"))).await);
}

/// A registry whose users have these names, and alice's password; each may do everything at home.
async fn at_home(names: &[&str]) -> Registry {
    let setup = Setup::default();
    let lines: Vec<String> = names.iter().map(|name| ALICE.replacen("alice", name, 1)).collect();
    let users = Htpasswd::new("", Users::parse_file(&lines.join("\n")).unwrap());
    let rules: Arc<Rules> = Arc::new("allow user:* to pull, push, delete on home/${user}/**".parse().unwrap());
    let keys = Arc::new(SigningKeys::new(Arc::new(StoredKeys::signing(setup.driver.clone())), Clock::default()));
    let tokens = TokenService::new(keys.clone(), Some(rules.clone()), vec![Arc::new(users)]);
    Setup { access: Arc::new(Bearer::new(keys, Some(rules))), tokens: Some(Arc::new(tokens)), ..setup }.start().await
}

#[tokio::test]
async fn a_name_of_odd_characters_is_nobody_else() {
    let long = "n".repeat(500);
    let odd = [
        "..",
        "*",
        "**",
        "${user}",
        "bob/../anna",
        "bob/app",
        "a b",
        "a\"b,error=\"x",
        "\u{e9}",
        "\u{1f40b}",
        "a\tb",
        "-",
        "a%2fb",
        "Anna",
        &long,
    ];
    let names = [&odd[..], &["anna"]].concat();
    let registry = at_home(&names).await;
    let scopes: Vec<String> = ["home/anna/app", "home/bob/app", "home/a", "team/app", "home/anna", "home"]
        .iter()
        .map(|name| format!("scope=repository:{name}:pull,push,delete"))
        .collect();
    let scopes = scopes.join("&") + "&scope=registry:catalog:*";
    for name in odd {
        let token = bearer(&get(&registry, &scopes, Some(&basic(name, "wonderland"))).await);
        assert_eq!(granted(&token), json!([]), "{name:?}");
        let (_, claims) = forge::read(token.strip_prefix("Bearer ").unwrap());
        assert_eq!(claims["berth"], json!({ "user": name }));
        ask(&registry, "GET", "/v2/", Some(&token)).await.is(200);
        for target in ["/v2/home/anna/app/tags/list", "/v2/team/app/tags/list", "/v2/_catalog"] {
            let answer = ask(&registry, "GET", target, Some(&token)).await;
            answer.refused(403, "DENIED");
            assert!(!answer.has("x"), "{answer:?}");
        }
    }
    let anna = bearer(&get(&registry, &scopes, Some(&basic("anna", "wonderland"))).await);
    assert_eq!(granted(&anna)[0]["name"], "home/anna/app");

    // Names that nobody has, however they are written, are wrong, and nothing else.
    for name in ["anna\0", "anna\r\nx: y", " anna", "anna ", "ANNA", "\u{ff41}nna", "an\u{200b}na", "", "\u{202e}anna"]
    {
        let answer = get(&registry, &scopes, Some(&basic(name, "wonderland"))).await;
        answer.refused(401, "UNAUTHORIZED");
        assert!(!answer.has("x") && answer.all("www-authenticate").len() == 1, "{answer:?}");
        assert!(!String::from_utf8(answer.body).unwrap().contains("anna"), "nothing is repeated");
    }
}

/// How often each is tried.
const TRIES: usize = 41;

/// The least of them: what the work itself takes, whatever else this machine was at.
fn least(times: Vec<Duration>) -> Duration {
    times.into_iter().min().unwrap()
}

#[tokio::test]
async fn an_unknown_user_takes_as_long_as_a_wrong_password() {
    let users = users();
    let ctx = Context::background("test");
    let offered = async |name: &str, password: &str| {
        let begun = Instant::now();
        let known = users.verify(&ctx, &Offer { host: "", name, password }).await.is_ok();
        (begun.elapsed(), known)
    };
    let asked = async |name: &str, password: &str| {
        let login = HeaderValue::try_from(basic(name, password)).unwrap();
        let begun = Instant::now();
        let known = users
            .authorize(&Asked { ctx: &ctx, authorization: Some(&login), base: None, host: None }, &Wanted::default())
            .await
            .is_ok();
        (begun.elapsed(), known)
    };
    offered("alice", "wonderland").await; // remembered from now on
    let (mut wrong, mut unknown, mut remembered) = ([vec![], vec![]], [vec![], vec![]], vec![]);
    for attempt in 0..TRIES {
        // By turns, so that whatever else this machine does meets all alike.
        let password = format!("wrong-{attempt}");
        for (times, name) in [(&mut wrong, "alice"), (&mut unknown, "mallory")] {
            for (times, (time, known)) in
                times.iter_mut().zip([offered(name, &password).await, asked(name, &password).await])
            {
                assert!(!known);
                times.push(time);
            }
        }
        let (time, known) = offered("alice", "wonderland").await;
        assert!(known);
        remembered.push(time);
    }
    let ([wrong, wrong_asked], [unknown, unknown_asked]) = (wrong.map(least), unknown.map(least));
    let remembered = least(remembered);
    println!("wrong {wrong:?} {wrong_asked:?}, unknown {unknown:?} {unknown_asked:?}, remembered {remembered:?}");
    for (wrong, unknown) in [(wrong, unknown), (wrong_asked, unknown_asked)] {
        let ratio = unknown.as_secs_f64() / wrong.as_secs_f64();
        assert!((0.5..2.0).contains(&ratio), "{unknown:?} for an unknown user, {wrong:?} for a wrong password");
    }
    // The hash is most of it: without it, the ratio would be another.
    assert!(remembered * 4 < wrong, "{remembered:?} {wrong:?}");
}

/// As go-containerregistry sends them where a Lambda function URL has renamed the challenge's header.
#[tokio::test]
async fn a_password_in_the_place_of_a_token_grants_what_the_rules_allow() {
    let registry = registry(&Hands::new()).await;
    let (pull, uploads) = ("/v2/team/app/tags/list", "/v2/team/app/blobs/uploads/");
    let (alice, bob) = (basic("alice", "wonderland"), basic("bob", "pass:word"));
    ask(&registry, "GET", "/v2/", Some(&alice)).await.is(200);
    ask(&registry, "GET", pull, Some(&alice)).await.refused(404, "NAME_UNKNOWN");
    ask(&registry, "POST", uploads, Some(&alice)).await.is(202);
    ask(&registry, "GET", pull, Some(&bob)).await.refused(404, "NAME_UNKNOWN");
    ask(&registry, "POST", uploads, Some(&bob)).await.refused(403, "DENIED");
    ask(&registry, "GET", "/v2/other/tags/list", Some(&alice)).await.refused(403, "DENIED");
    // An API key, and a proof bound to the host that the request went to.
    ask(&registry, "POST", "/v2/inbox/blobs/uploads/", Some(&basic("x", "key-ci"))).await.is(202);
    ask(&registry, "POST", uploads, Some(&basic("x", "key-ci"))).await.refused(403, "DENIED");
    let bound = basic("AWS", &format!("aws-{}", registry.addr));
    ask(&registry, "GET", "/v2/", Some(&bound)).await.is(200);
    for wrong in [basic("alice", "Wonderland"), basic("nobody", "wonderland"), basic("AWS", "aws-elsewhere")] {
        let refused = ask(&registry, "GET", "/v2/", Some(&wrong)).await;
        let challenge = refused.refused(401, "UNAUTHORIZED").header("www-authenticate");
        assert!(challenge.starts_with("Bearer realm="), "{challenge}");
    }
    ask(&registry, "GET", "/v2/", Some(&basic("x", "down-"))).await.refused(503, "UNAVAILABLE");
}
