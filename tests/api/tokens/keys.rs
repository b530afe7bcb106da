//! The keys that sign tokens: made once, read seldom, changed with an overlap.

use std::{sync::Arc, time::Duration};

use berth::{
    auth::token::SigningKeys, context::Context, driver::DriverErrorKind, rotation::Overlap, storage::StoredKeys,
};
use serde_json::{Value, json};

use super::{
    RULES, alice, ask,
    forge::{Hands, read, with},
    get, registry, set_up,
};
use crate::{
    auth::basic,
    registry::{Registry, Setup},
};

const MINUTE: Duration = Duration::from_mins(1);

/// Another instance over the same storage.
async fn beside(registry: &Registry, hands: &Hands) -> Registry {
    let setup = Setup { driver: registry.driver.clone(), ..Setup::default() };
    let mut setup = set_up(hands, Some(RULES), setup);
    // As a proxy before both has it.
    setup.http.host = Some(format!("http://{}", registry.addr));
    setup.start().await
}

async fn ping(registry: &Registry, token: &str) -> u16 {
    ask(registry, "GET", "/v2/", Some(token)).await.status
}

fn kid(token: &str) -> Value {
    read(token.strip_prefix("Bearer ").unwrap()).0["kid"].clone()
}

async fn rotate(registry: &Registry, hands: &Hands, overlap: Overlap) -> String {
    let store = Arc::new(StoredKeys::signing(registry.driver.clone()));
    SigningKeys::new(store, hands.clock()).rotate(&Context::background("test"), overlap).await.unwrap()
}

#[tokio::test]
async fn keys_are_read_once_and_shared() {
    let hands = Hands::new();
    let one = registry(&hands).await;
    let other = beside(&one, &hands).await;
    let calls = || one.driver.calls();
    let token = alice(&one, "").await;
    assert_eq!(calls(), 2, "looked, and made one");
    assert_eq!(ping(&other, &token).await, 200);
    assert_eq!(calls(), 3, "read by the other");
    assert_eq!((ping(&one, &token).await, ping(&other, &token).await), (200, 200));
    assert_eq!(kid(&alice(&other, "").await), kid(&token));
    assert_eq!(calls(), 3, "and no more");

    // A key that nobody knows makes one reading a minute.
    let (header, claims) = read(token.strip_prefix("Bearer ").unwrap());
    let key = super::forge::Key::es256(&berth::auth::jws::SigningKey::generate().unwrap());
    let unknown = async |name: String| {
        let forged = key.token(&with(&header, &json!({ "kid": name })), &claims);
        assert_eq!(ping(&other, &format!("Bearer {forged}")).await, 401);
    };
    for attempt in 0..5 {
        unknown(attempt.to_string()).await;
    }
    assert_eq!(calls(), 3);
    hands.pass(MINUTE);
    for attempt in 0..5 {
        unknown(attempt.to_string()).await;
    }
    assert_eq!(calls(), 4);
}

#[tokio::test]
async fn one_key_is_made_by_all_who_begin_at_once() {
    let hands = Hands::new();
    let one = registry(&hands).await;
    let other = beside(&one, &hands).await;
    // The one has looked, and is about to write, when the other does both.
    let held = one.driver.hold();
    let login = basic("alice", "wonderland");
    let (first, second) = tokio::join!(get(&one, "", Some(&login)), async {
        held.entered.await.unwrap();
        let answer = get(&other, "", Some(&login)).await;
        held.release.send(()).unwrap();
        answer
    });
    let token = |answer: &crate::client::Answer| format!("Bearer {}", answer.is(200).json()["token"].as_str().unwrap());
    assert_eq!(kid(&token(&first)), kid(&token(&second)));
    assert_eq!(ping(&one, &token(&second)).await, 200);
    assert_eq!(ping(&other, &token(&first)).await, 200);
}

#[tokio::test]
async fn a_new_key_takes_over_without_anybody_noticing() {
    let hands = Hands::new();
    let one = registry(&hands).await;
    let other = beside(&one, &hands).await;
    let first = alice(&one, "").await;
    assert_eq!(ping(&other, &first).await, 200);
    let new = rotate(&one, &hands, Overlap::Kept).await;
    // For a day, which is longer than any token lives, at every minute: each takes what the other signs.
    let mut signers = [String::new(), String::new()];
    for minute in 0..40 {
        hands.pass(MINUTE);
        for (at, (signs, takes)) in [(&one, &other), (&other, &one)].into_iter().enumerate() {
            let token = alice(signs, "").await;
            signers[at] = kid(&token).as_str().unwrap().to_owned();
            assert_eq!(ping(takes, &token).await, 200, "minute {minute}");
        }
    }
    assert_eq!(signers, [new.clone(), new], "both sign with the new one");
    // Once everything that it signed is over, the old one verifies no more, and goes with the next rotation.
    hands.pass(Duration::from_hours(25));
    rotate(&one, &hands, Overlap::Kept).await;
    let stored: Value = serde_json::from_slice(&one.holds().await["/berth/keys/signing/current"]).unwrap();
    assert_eq!(stored["keys"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_new_key_is_known_everywhere_before_it_signs() {
    let hands = Hands::new();
    let other = registry(&hands).await;
    let token = alice(&other, "").await;
    hands.pass(MINUTE);
    // Somebody spends the one reading of this minute on a key that nobody has, just before the new one is there.
    let (header, claims) = read(token.strip_prefix("Bearer ").unwrap());
    let stranger = super::forge::Key::es256(&berth::auth::jws::SigningKey::generate().unwrap());
    let forged = stranger.token(&with(&header, &json!({ "kid": "unknown" })), &claims);
    assert_eq!(ping(&other, &format!("Bearer {forged}")).await, 401);
    rotate(&other, &hands, Overlap::Kept).await;
    for _ in 0..5 {
        // An instance that begins now knows the new one from the start.
        let signed = alice(&beside(&other, &hands).await, "").await;
        assert_eq!(ping(&other, &signed).await, 200);
        hands.pass(MINUTE / 2);
    }
}

#[tokio::test]
async fn a_dropped_key_is_good_no_more_within_a_quarter_of_an_hour() {
    let hands = Hands::new();
    let registry = registry(&hands).await;
    let login = "grant_type=password&username=alice&password=wonderland&access_type=offline";
    let refresh = super::post(&registry, login).await.json()["refresh_token"].as_str().unwrap().to_owned();
    let again = format!("grant_type=refresh_token&refresh_token={refresh}");
    super::post(&registry, &again).await.is(200);
    rotate(&registry, &hands, Overlap::Dropped).await;
    hands.pass(15 * MINUTE);
    super::post(&registry, &again).await.refused(401, "UNAUTHORIZED");
    let token = alice(&registry, "").await;
    assert_eq!(ping(&registry, &token).await, 200);
}

#[tokio::test]
async fn without_its_store_nobody_is_let_in_and_everybody_may_try_again() {
    for kind in [DriverErrorKind::Failed, DriverErrorKind::Denied, DriverErrorKind::Timeout, DriverErrorKind::Throttled]
    {
        let hands = Hands::new();
        let one = registry(&hands).await;
        let token = alice(&one, "repository:team/app:pull").await;
        let cold = beside(&one, &hands).await;
        one.driver.fail(Some(kind));
        let login = basic("alice", "wonderland");
        for answer in [
            ask(&cold, "GET", "/v2/", Some(&token)).await,
            get(&cold, "scope=repository:team/app:pull", Some(&login)).await,
            get(&cold, "", None).await,
        ] {
            answer.refused(503, "UNAVAILABLE");
            assert_eq!(answer.header("retry-after"), "1");
            assert!(!String::from_utf8(answer.body).unwrap().contains("doctored"), "what is behind is not shown");
        }
        // Who knows the keys goes on with them, for as long as it takes.
        for _ in 0..3 {
            hands.pass(MINUTE);
            assert_eq!(ping(&one, &token).await, 200);
        }
        hands.pass(20 * MINUTE);
        let fresh = alice(&one, "").await;
        assert_eq!(ping(&one, &fresh).await, 200);
        one.driver.fail(None);
        assert_eq!(ping(&cold, &fresh).await, 200);
    }
}

#[tokio::test]
async fn a_verifier_that_cannot_tell_lets_nobody_in() {
    let registry = registry(&Hands::new()).await;
    let answer = get(&registry, "scope=repository:public/x:pull", Some(&basic("alice", "down-x"))).await;
    answer.refused(503, "UNAVAILABLE");
    assert_eq!(answer.header("retry-after"), "1");
    assert!(!String::from_utf8(answer.body).unwrap().contains("secret-host"));
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_not_made_anew() {
    let hands = Hands::new();
    let registry = registry(&hands).await;
    let token = alice(&registry, "").await;
    let path = "/berth/keys/signing/current".parse().unwrap();
    let ctx = Context::background("test");
    use berth::driver::StorageDriver as _;
    for broken in ["", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"pkcs8":"AAAA","from":0,"until":null}]}"#] {
        let content = bytes::Bytes::from(broken).into();
        registry.driver.put(&ctx, &path, content, berth::driver::PutOptions::default()).await.unwrap();
        let cold = beside(&registry, &hands).await;
        ask(&cold, "GET", "/token", None).await.refused(503, "UNAVAILABLE");
        assert_ne!(ping(&cold, &token).await, 200, "{broken}");
        assert_eq!(registry.holds().await["/berth/keys/signing/current"], broken);
    }
}
