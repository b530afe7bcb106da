//! API keys: made, listed, revoked, and known by those who hold them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use berth::{
    auth::proof::keys::{KeyError, KeyStore, KeyVerifier, create, revoke},
    context::Context,
    driver::{
        DriverErrorKind, StorageDriver,
        fault::{Fault, FaultDriver, Operation},
        memory::MemoryDriver,
    },
    storage::{ApiKeys, PathSpec},
};
use time::{Duration, OffsetDateTime};

use crate::world::{Hands, proven, refused, unavailable, verify};

struct World {
    driver: Arc<dyn StorageDriver>,
    store: Arc<ApiKeys>,
    hands: Hands,
    verifier: KeyVerifier,
    /// Questions to storage for one record.
    gets: Arc<AtomicUsize>,
    fails: Arc<AtomicBool>,
    ctx: Context,
}

fn world() -> World {
    let (gets, fails) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let plan = {
        let (gets, fails) = (gets.clone(), fails.clone());
        move |operation, _: &_| {
            if operation == Operation::Get {
                gets.fetch_add(1, Ordering::Relaxed);
            }
            fails.load(Ordering::Relaxed).then_some(Fault::Refused(DriverErrorKind::Timeout))
        }
    };
    let driver: Arc<dyn StorageDriver> = Arc::new(FaultDriver::new(Arc::new(MemoryDriver::new()), plan));
    let store = Arc::new(ApiKeys::new(driver.clone()));
    let hands = Hands::default();
    let verifier = KeyVerifier::new(store.clone(), hands.clock());
    World { driver, store, hands, verifier, gets, fails, ctx: Context::background("test") }
}

impl World {
    fn now(&self) -> OffsetDateTime {
        self.hands.now().into()
    }

    async fn make(&self, name: &str, lasts: Option<Duration>) -> Result<String, KeyError> {
        let expires = lasts.map(|lasts| self.now() + lasts);
        create(&*self.store, &self.ctx, name, expires, self.now()).await
    }

    fn asked(&self) -> usize {
        self.gets.swap(0, Ordering::Relaxed)
    }
}

#[tokio::test]
async fn a_key_proves_its_name_until_it_is_revoked() {
    let world = world();
    let (ci, other) = (world.make("ci", None).await.unwrap(), world.make("other", None).await.unwrap());
    assert!(ci.starts_with("berth_key_") && ci.len() == 53 && ci != other, "{}", ci.len());
    assert_eq!(proven(&world.verifier, &ci).await, "key:ci");
    assert_eq!(proven(&world.verifier, &other).await, "key:other");

    assert_eq!(revoke(&*world.store, &world.ctx, "ci").await.unwrap(), 1);
    assert_eq!(revoke(&*world.store, &world.ctx, "ci").await.unwrap(), 0);
    // As long as a process remembers it, and no longer.
    proven(&world.verifier, &ci).await;
    world.hands.turn(31);
    refused(&world.verifier, &ci, "revoked").await;
    assert_eq!(proven(&world.verifier, &other).await, "key:other");
}

#[tokio::test]
async fn a_key_costs_one_question_and_none_while_it_is_remembered() {
    let world = world();
    let key = world.make("ci", None).await.unwrap();
    world.asked();
    for expected in [1, 0, 0] {
        proven(&world.verifier, &key).await;
        assert_eq!(world.asked(), expected);
    }
    world.hands.turn(31);
    proven(&world.verifier, &key).await;
    assert_eq!(world.asked(), 1);
}

#[tokio::test]
async fn a_key_may_expire_also_while_it_is_remembered() {
    let world = world();
    let key = world.make("ci", Some(Duration::seconds(20))).await.unwrap();
    proven(&world.verifier, &key).await;
    world.hands.turn(21);
    assert!(refused(&world.verifier, &key, "expired").await.contains("expired"));
    assert!(matches!(world.make("ci", Some(Duration::seconds(-1))).await, Err(KeyError::Expired)));
}

#[tokio::test]
async fn keys_are_listed_and_one_name_may_have_several() {
    let world = world();
    assert_eq!(world.store.list(&world.ctx).await.unwrap(), []);
    for name in ["b", "a", "b"] {
        world.make(name, Some(Duration::days(30))).await.unwrap();
        world.hands.turn(1);
    }
    let listed = world.store.list(&world.ctx).await.unwrap();
    let names: Vec<&str> = listed.iter().map(|(_, key)| key.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "b"]);
    assert!(listed[1].1.created < listed[2].1.created);
    assert!(listed.iter().all(|(_, key)| key.expires == Some(key.created + Duration::days(30))));
    assert_eq!(revoke(&*world.store, &world.ctx, "b").await.unwrap(), 2);
    assert_eq!(world.store.list(&world.ctx).await.unwrap().len(), 1);
}

#[tokio::test]
async fn storage_never_sees_a_key() {
    let world = world();
    let key = world.make("ci", None).await.unwrap();
    let folder = PathSpec::ApiKeys.path().unwrap();
    let entries = world.driver.list(&world.ctx, &folder).await.unwrap();
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    let path = PathSpec::ApiKey(&entry.name).path().unwrap();
    let record = world.driver.get(&world.ctx, &path, 4096).await.unwrap();
    let record = String::from_utf8(record.to_vec()).unwrap();
    assert!(record.starts_with(r#"{"name":"ci","created":""#), "{record}");
    let secret = key.strip_prefix("berth_key_").unwrap();
    assert!(!record.contains(secret) && !entry.name.contains(secret));
}

#[tokio::test]
async fn what_is_no_key_costs_no_question() {
    let world = world();
    let key = world.make("ci", None).await.unwrap();
    world.asked();
    for password in ["", "wonderland", "berth-aws-v1.x", "Berth_key_x", &key[1..]] {
        assert_eq!(verify(&world.verifier, password).await.unwrap(), None, "{password}");
    }
    for password in [
        "berth_key_",
        "berth_key_../../../secrets/uploads",
        &key[..52],
        &format!("{key}A"),
        &format!("{key}\n"),
        &format!("berth_key_{}", "!".repeat(43)),
        &format!("berth_key_{}", "A".repeat(1 << 20)),
    ] {
        refused(&world.verifier, password, "no key").await;
    }
    assert_eq!(world.asked(), 0);
    refused(&world.verifier, &format!("berth_key_{}", "A".repeat(43)), "unknown").await;
    assert_eq!(world.asked(), 1);
}

#[tokio::test]
async fn names_are_such_as_rules_can_have() {
    let world = world();
    for name in ["", "a b", "a:b", "a/b", "a*", "${user}", "\u{fc}ber", &"a".repeat(65)] {
        assert!(matches!(world.make(name, None).await, Err(KeyError::Name(_))), "{name}");
    }
    assert_eq!(world.store.list(&world.ctx).await.unwrap(), []);
}

#[tokio::test]
async fn failing_storage_lets_nobody_in() {
    let world = world();
    let key = world.make("ci", None).await.unwrap();
    world.fails.store(true, Ordering::Relaxed);
    unavailable(&world.verifier, &key, "storage fails").await;
    assert!(matches!(world.make("ci", None).await, Err(KeyError::Backend(_))));
    world.fails.store(false, Ordering::Relaxed);
    proven(&world.verifier, &key).await;
}
