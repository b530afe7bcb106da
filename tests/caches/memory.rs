//! The cache in memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use berth::cache::{
    DescriptorCache as _, LinkSet,
    memory::{ACCESS_LIFE, CONTENT_LIFE},
};

use futures_util::FutureExt as _;

use crate::subject::{self, Time, ctx, in_memory, known, layer, name, sha512};

suite!(crate::subject::memory);

const MOMENT: Duration = Duration::from_millis(1);

#[tokio::test]
async fn access_ends_after_seconds_and_content_after_minutes() {
    let subject = subject::memory().await;
    let (layers, global) = (subject.layers("a"), subject.global());
    for cache in [&layers, &global] {
        cache.set_descriptor(&ctx(), &sha512(1), &layer(1)).await.unwrap();
    }
    subject.time.pass(ACCESS_LIFE - MOMENT);
    assert!(known(&layers, &layer(1).digest).await.is_some());
    assert!(known(&layers, &sha512(1)).await.is_some());
    subject.time.pass(MOMENT);
    assert!(known(&layers, &layer(1).digest).await.is_none());
    assert!(known(&layers, &sha512(1)).await.is_none());
    subject.time.pass(CONTENT_LIFE - ACCESS_LIFE - MOMENT);
    assert!(known(&global, &sha512(1)).await.is_some());
    subject.time.pass(MOMENT);
    assert!(known(&global, &sha512(1)).await.is_none());
    assert!(known(&global, &layer(1).digest).await.is_none());
}

#[tokio::test]
async fn a_look_up_does_not_prolong_access() {
    let subject = subject::memory().await;
    let layers = subject.layers("a");
    layers.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap();
    for _ in 0..ACCESS_LIFE.as_secs() {
        assert!(known(&layers, &layer(1).digest).await.is_some());
        subject.time.pass(Duration::from_secs(1));
    }
    assert!(known(&layers, &layer(1).digest).await.is_none());
}

#[tokio::test]
async fn a_clock_set_back_does_not_prolong_access() {
    let subject = subject::memory().await;
    let layers = subject.layers("a");
    layers.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap();
    subject.time.turn_back(Duration::from_secs(3600));
    assert!(known(&layers, &layer(1).digest).await.is_none());
}

#[tokio::test]
async fn near_is_the_scope_itself() {
    let subject = subject::memory().await;
    subject.layers("a").set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap();
    let near = |links| subject.cache.near(&name("a"), links);
    assert_eq!(known(&near(LinkSet::Layers), &layer(1).digest).await, Some(layer(1)));
    assert_eq!(known(&near(LinkSet::Manifests), &layer(1).digest).await, None);
}

#[tokio::test]
async fn memory_is_bounded() {
    let time = Time::default();
    let cache = in_memory(&time, 100);
    let layers = cache.scoped(&name("a"), LinkSet::Layers);
    for n in 0..10_000 {
        layers.set_descriptor(&ctx(), &sha512(n), &layer(n)).await.unwrap();
    }
    assert!(cache.entries() <= 150, "{} entries", cache.entries());
    assert!(cache.entries() >= 50, "{} entries", cache.entries());
    for n in 0..10_000 {
        layers.clear(&ctx(), &layer(n).digest).await.unwrap();
    }
    layers.set_descriptor(&ctx(), &layer(0).digest, &layer(0)).await.unwrap();
    assert_eq!(known(&layers, &layer(0).digest).await, None, "its tombstone was one of too many");
}

/// Whichever comes first, nothing is left after a clear.
#[test]
fn a_set_that_races_with_a_clear_leaves_nothing() {
    let cache = in_memory(&Time::default(), 10_000);
    let scope = cache.scoped(&name("a"), LinkSet::Layers);
    // Two threads go through the rounds in step, without the jitter that a lock would bring.
    let (cleared, set) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let wait = |counter: &AtomicU32, round| {
        for turn in 0_u32.. {
            match counter.load(Ordering::SeqCst) {
                reached if reached >= round => break,
                _ if turn % 20_000 == 19_999 => std::thread::yield_now(),
                _ => std::hint::spin_loop(),
            }
        }
    };
    let rounds = 1_500;
    let setter = std::thread::spawn({
        let (scope, cleared, set) = (scope.clone(), cleared.clone(), set.clone());
        move || {
            for n in 0..rounds {
                let context = ctx();
                wait(&cleared, n);
                scope.set_descriptor(&context, &sha512(n), &layer(n)).now_or_never().unwrap().unwrap();
                set.store(n + 1, Ordering::SeqCst);
            }
        }
    });
    for n in 0..rounds {
        let context = ctx();
        // Now early, now late: one of them meets the set half way.
        for _ in 0..(n % 200) * 2 {
            std::hint::spin_loop();
        }
        scope.clear(&context, &layer(n).digest).now_or_never().unwrap().unwrap();
        wait(&set, n + 1);
        assert_eq!(known(&scope, &sha512(n)).now_or_never().unwrap(), None);
        cleared.store(n + 1, Ordering::SeqCst);
    }
    setter.join().unwrap();
}
