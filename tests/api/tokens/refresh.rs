//! A refresh token stands for the login that it was given for, and for no longer than that holds.

use std::{sync::Arc, time::Duration};

use berth::{
    auth::{
        htpasswd::Htpasswd,
        proof::{
            Verifier,
            keys::{KeyId, KeyStore as _, KeyVerifier, create, revoke},
        },
        token::{Bearer, SigningKeys, TokenService},
    },
    context::Context,
    driver::{DriverErrorKind, memory::MemoryDriver},
    storage::{ApiKeys, StoredKeys},
};

use super::{forge::Hands, post};
use crate::{
    auth::{ALICE, BOB, write},
    client::Answer,
    doctored::Doctored,
    registry::{Registry, Setup},
};

/// A registry whose users lie in a file, and whose API keys in a storage of their own.
struct World {
    registry: Registry,
    hands: Hands,
    keys: Arc<Doctored>,
    folder: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let (hands, folder) = (Hands::new(), tempfile::tempdir().unwrap());
        let keys = Arc::new(Doctored::new(MemoryDriver::new()));
        write(&folder.path().join("users"), &format!("{ALICE}\n{BOB}\n"));
        let users = Htpasswd::open("", &folder.path().join("users")).unwrap();
        let api_keys = KeyVerifier::new(Arc::new(ApiKeys::new(keys.clone())), hands.clock());
        let registry = registry(&hands, Setup::default(), vec![Arc::new(api_keys), Arc::new(users)]).await;
        Self { registry, hands, keys, folder }
    }

    fn store(&self) -> ApiKeys {
        ApiKeys::new(self.keys.clone())
    }

    async fn key(&self, life: Option<Duration>) -> String {
        let now = time::OffsetDateTime::from_unix_timestamp(self.hands.now().cast_signed()).unwrap();
        create(&self.store(), &ctx(), "ci", life.map(|life| now + life), now).await.unwrap()
    }

    async fn log_in(&self, name: &str, password: &str) -> String {
        log_in(&self.registry, name, password).await
    }

    async fn refresh(&self, token: &str) -> Answer {
        refresh(&self.registry, token).await
    }
}

async fn registry(hands: &Hands, setup: Setup, verifiers: Vec<Arc<dyn Verifier>>) -> Registry {
    let keys = Arc::new(SigningKeys::new(Arc::new(StoredKeys::signing(setup.driver.clone())), hands.clock()));
    let tokens = Arc::new(TokenService::new(keys.clone(), None, verifiers));
    Setup { access: Arc::new(Bearer::new(keys, None)), tokens: Some(tokens), ..setup }.start().await
}

fn ctx() -> Context {
    Context::background("test")
}

async fn log_in(registry: &Registry, name: &str, password: &str) -> String {
    let form = format!("grant_type=password&username={name}&password={password}&access_type=offline");
    post(registry, &form).await.is(200).json()["refresh_token"].as_str().expect("a refresh token").to_owned()
}

async fn refresh(registry: &Registry, token: &str) -> Answer {
    post(registry, &format!("grant_type=refresh_token&refresh_token={token}&scope=repository:app:pull")).await
}

fn over(answer: &Answer) {
    answer.refused(401, "UNAUTHORIZED");
    let said = answer.json()["errors"][0]["message"].as_str().unwrap().to_owned();
    assert!(said.contains("log in again"), "{said}");
}

#[tokio::test]
async fn a_revoked_key_refreshes_nothing_and_another_of_its_name_does() {
    let world = World::start().await;
    let (one, other) = (world.key(None).await, world.key(None).await);
    let tokens = [world.log_in("x", &one).await, world.log_in("x", &other).await];
    for token in &tokens {
        world.refresh(token).await.is(200);
    }
    // One of the two is taken back: which is whose, their tokens say to whoever holds them.
    let mark = super::forge::read(&tokens[0]).1["mark"].as_str().unwrap().to_owned();
    let one = KeyId::from_hex(&mark).expect("what the key is found by, which does not tell the key");
    world.store().remove(&ctx(), &[one]).await.unwrap();
    // For as long as the process believes a key that it has looked up.
    world.hands.pass(Duration::from_secs(31));
    over(&world.refresh(&tokens[0]).await);
    world.refresh(&tokens[1]).await.is(200);
    // And by its name.
    revoke(&world.store(), &ctx(), "ci").await.unwrap();
    world.hands.pass(Duration::from_secs(31));
    over(&world.refresh(&tokens[1]).await);
    // A new one of the same name is another.
    world.key(None).await;
    over(&world.refresh(&tokens[1]).await);
}

#[tokio::test]
async fn a_key_that_expires_takes_its_refresh_tokens_along() {
    let world = World::start().await;
    let key = world.key(Some(Duration::from_hours(1))).await;
    let token = world.log_in("x", &key).await;
    world.hands.pass(Duration::from_mins(59));
    world.refresh(&token).await.is(200);
    world.hands.pass(Duration::from_mins(1));
    over(&world.refresh(&token).await);
}

#[tokio::test]
async fn a_refresh_asks_storage_for_the_key_once_and_lets_nobody_in_without_its_answer() {
    let world = World::start().await;
    let key = world.key(None).await;
    let token = world.log_in("x", &key).await;
    let calls = world.keys.calls();
    world.refresh(&token).await.is(200);
    assert_eq!(world.keys.calls(), calls, "it was looked up a moment ago");
    world.hands.pass(Duration::from_secs(31));
    world.refresh(&token).await.is(200);
    assert_eq!(world.keys.calls(), calls + 1);
    for kind in [DriverErrorKind::Failed, DriverErrorKind::Denied, DriverErrorKind::Timeout, DriverErrorKind::Throttled]
    {
        world.hands.pass(Duration::from_secs(31));
        world.keys.fail(Some(kind));
        let answer = world.refresh(&token).await;
        assert_eq!(answer.refused(503, "UNAVAILABLE").header("retry-after"), "1");
        world.keys.fail(None);
        world.refresh(&token).await.is(200);
    }
}

#[tokio::test]
async fn a_user_who_is_gone_or_has_another_password_refreshes_nothing() {
    let world = World::start().await;
    let users = world.folder.path().join("users");
    let [alice, bob] = [world.log_in("alice", "wonderland").await, world.log_in("bob", "pass:word").await];
    world.refresh(&alice).await.is(200);
    world.refresh(&bob).await.is(200);
    write(&users, &format!("{ALICE}\n"));
    over(&world.refresh(&bob).await);
    world.refresh(&alice).await.is(200);
    // Alice has Bob's password now.
    write(&users, &format!("{}\n\n", BOB.replace("bob", "alice")));
    over(&world.refresh(&alice).await);
    let fresh = world.log_in("alice", "pass:word").await;
    world.refresh(&fresh).await.is(200);
    // It shows nothing of the hash.
    let mark = super::forge::read(&alice).1["mark"].as_str().unwrap().to_owned();
    assert!(!ALICE.contains(&mark) && mark.len() == 22, "{mark}");
}

#[tokio::test]
async fn a_registry_that_takes_such_logins_no_more_refreshes_none() {
    let world = World::start().await;
    let key = world.key(None).await;
    let tokens = [world.log_in("x", &key).await, world.log_in("alice", "wonderland").await];
    let mut setup = Setup { driver: world.registry.driver.clone(), ..Setup::default() };
    setup.http.host = Some(format!("http://{}", world.registry.addr));
    let without = registry(&world.hands, setup, vec![Arc::new(crate::auth::users())]).await;
    over(&refresh(&without, &tokens[0]).await);
    refresh(&without, &tokens[1]).await.is(200);
}
