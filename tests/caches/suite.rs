//! What every descriptor cache promises.

use std::time::Duration;

use berth::{
    cache::TOMBSTONE_LIFE,
    descriptor::{Descriptor, OCTET_STREAM},
    distribution::BlobError,
};

use crate::subject::{Subject, ctx, known, layer, sha384, sha512};

/// Runs the suite on the caches that `$make` makes.
macro_rules! suite {
    ($make:path) => {
        suite! { $make:
            either_name_leads_to_the_descriptor
            a_media_type_stays_in_its_repository
            the_later_word_counts
            two_digests_of_one_algorithm_contradict
            clearing_either_name_clears_all
            scopes_imply_nothing_for_each_other
            a_name_is_known_where_it_was_set_only
            a_batch_is_answered_in_its_order
            many_are_set_at_once
            what_was_cleared_is_not_set_for_a_while
            a_name_does_not_come_back_with_its_content
            what_is_odd_is_not_remembered
        }
    };
    ($make:path: $($test:ident)*) => {
        mod suite {
            $(
                #[tokio::test]
                async fn $test() {
                    $crate::suite::$test(&$make().await).await;
                }
            )*
        }
    };
}

pub(crate) async fn either_name_leads_to_the_descriptor(subject: &Subject) {
    for (n, cache) in [(1, subject.layers("a")), (2, subject.manifests("a")), (3, subject.global())] {
        let blob = Descriptor::blob(layer(n).digest, layer(n).size);
        assert_eq!(known(&cache, &blob.digest).await, None);
        cache.set_descriptor(&ctx(), &sha512(n), &blob).await.unwrap();
        assert_eq!(known(&cache, &sha512(n)).await, Some(blob.clone()));
        assert_eq!(known(&cache, &blob.digest).await, Some(blob.clone()));
        assert_eq!(known(&cache, &sha384(n)).await, None, "nobody said that name");
        cache.set_descriptor(&ctx(), &sha384(n), &blob).await.unwrap();
        assert_eq!(known(&cache, &sha384(n)).await, Some(blob.clone()));
        assert_eq!(known(&cache, &sha512(n)).await, Some(blob));
    }
}

pub(crate) async fn a_media_type_stays_in_its_repository(subject: &Subject) {
    let (global, a, b) = (subject.global(), subject.layers("a"), subject.layers("b"));
    let typed = Descriptor { media_type: "application/vnd.example.b+json".to_owned(), ..layer(1) };
    a.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap();
    b.set_descriptor(&ctx(), &sha512(1), &typed).await.unwrap();
    assert_eq!(known(&global, &typed.digest).await, None);
    assert_eq!(known(&global, &sha512(1)).await, None);
    global.set_descriptor(&ctx(), &sha512(1), &typed).await.unwrap();
    let blob = Descriptor { media_type: OCTET_STREAM.to_owned(), ..typed.clone() };
    assert_eq!(known(&global, &typed.digest).await, Some(blob.clone()));
    assert_eq!(known(&global, &sha512(1)).await, Some(blob));
    assert_eq!(known(&a, &typed.digest).await, Some(layer(1)));
    assert_eq!(known(&b, &typed.digest).await, Some(typed));
}

pub(crate) async fn the_later_word_counts(subject: &Subject) {
    let cache = subject.layers("a");
    let later = Descriptor { media_type: OCTET_STREAM.to_owned(), ..layer(1) };
    cache.set_descriptor(&ctx(), &sha512(1), &layer(1)).await.unwrap();
    cache.set_descriptor(&ctx(), &later.digest, &later).await.unwrap();
    assert_eq!(known(&cache, &sha512(1)).await, Some(later.clone()));
    cache.set_many(&ctx(), &[(later.digest, later.clone()), (sha512(1), layer(1))]).await.unwrap();
    assert_eq!(known(&cache, &later.digest).await, Some(layer(1)));
}

pub(crate) async fn two_digests_of_one_algorithm_contradict(subject: &Subject) {
    let cache = subject.layers("a");
    let (one, other) = (layer(1), layer(2).digest);
    let contradicts = |error: BlobError| matches!(error, BlobError::Contradiction(name, content) if name == other && content == one.digest);
    assert!(contradicts(cache.set_descriptor(&ctx(), &other, &one).await.unwrap_err()));
    assert!(contradicts(cache.set_many(&ctx(), &[(other, one.clone())]).await.unwrap_err()));
    assert!(contradicts(subject.global().set_descriptor(&ctx(), &other, &one).await.unwrap_err()));
    assert_eq!(known(&cache, &one.digest).await, None);
    assert_eq!(known(&cache, &other).await, None);
}

pub(crate) async fn clearing_either_name_clears_all(subject: &Subject) {
    for (n, cache) in [(1, subject.layers("a")), (2, subject.global())] {
        for (n, clear) in [(n, layer(n).digest), (n + 10, sha512(n + 10)), (n + 20, sha384(n + 20))] {
            let names = [layer(n).digest, sha512(n), sha384(n)];
            for name in &names {
                cache.set_descriptor(&ctx(), name, &layer(n)).await.unwrap();
            }
            cache.clear(&ctx(), &clear).await.unwrap();
            for name in &names {
                assert_eq!(known(&cache, name).await, None, "{name} after {clear} was cleared");
            }
        }
    }
    // Nothing there is nothing to fail at.
    subject.layers("a").clear(&ctx(), &sha512(99)).await.unwrap();
    subject.layers("a").clear(&ctx(), &layer(99).digest).await.unwrap();
}

pub(crate) async fn scopes_imply_nothing_for_each_other(subject: &Subject) {
    let scopes =
        [subject.global(), subject.layers("a"), subject.manifests("a"), subject.layers("a/b"), subject.layers("b")];
    for (n, scope) in (0..).zip(&scopes) {
        scope.set_descriptor(&ctx(), &sha512(n), &layer(n)).await.unwrap();
        for (other, cache) in (0..).zip(&scopes) {
            for digest in [layer(n).digest, sha512(n)] {
                assert_eq!(known(cache, &digest).await.is_some(), other == n, "set in {n}, asked in {other}");
            }
        }
    }
    for scope in &scopes {
        scope.set_descriptor(&ctx(), &layer(50).digest, &layer(50)).await.unwrap();
    }
    for n in 0..scopes.len() {
        scopes[n].clear(&ctx(), &layer(50).digest).await.unwrap();
        for (other, cache) in scopes.iter().enumerate() {
            let here = known(cache, &layer(50).digest).await.is_some();
            assert_eq!(here, other > n, "cleared up to {n}, asked in {other}");
        }
    }
}

/// A repository that has the content under another name must not be taken to have it under this one: storage, asked
/// later, would not find it.
pub(crate) async fn a_name_is_known_where_it_was_set_only(subject: &Subject) {
    let (a, b) = (subject.layers("a"), subject.layers("b"));
    subject.global().set_descriptor(&ctx(), &sha512(1), &layer(1)).await.unwrap();
    a.set_descriptor(&ctx(), &sha512(1), &layer(1)).await.unwrap();
    b.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap();
    assert_eq!(known(&b, &sha512(1)).await, None);
    assert_eq!(known(&b, &layer(1).digest).await, Some(layer(1)));
}

pub(crate) async fn a_batch_is_answered_in_its_order(subject: &Subject) {
    let cache = subject.layers("a");
    assert_eq!(cache.stat_many(&ctx(), &[]).await.unwrap(), []);
    for n in [1, 2] {
        cache.set_descriptor(&ctx(), &layer(n).digest, &layer(n)).await.unwrap();
    }
    cache.set_descriptor(&ctx(), &sha512(3), &layer(3)).await.unwrap();
    let asked =
        [layer(2).digest, sha512(3), layer(9).digest, layer(1).digest, sha512(9), layer(2).digest, layer(3).digest];
    let found = cache.stat_many(&ctx(), &asked).await.unwrap();
    assert_eq!(found, [Some(2), Some(3), None, Some(1), None, Some(2), Some(3)].map(|n| n.map(layer)));
}

pub(crate) async fn many_are_set_at_once(subject: &Subject) {
    let cache = subject.layers("a");
    cache.set_many(&ctx(), &[]).await.unwrap();
    let mut entries: Vec<_> = (1..=5).map(|n| (layer(n).digest, layer(n))).collect();
    // A manifest may name a layer twice, and content may be named twice.
    entries.extend([(layer(1).digest, layer(1)), (sha512(2), layer(2)), (sha512(6), layer(6))]);
    cache.set_many(&ctx(), &entries).await.unwrap();
    for (digest, descriptor) in &entries {
        assert_eq!(known(&cache, digest).await.as_ref(), Some(descriptor));
    }
    assert_eq!(known(&cache, &layer(6).digest).await, Some(layer(6)));
    assert_eq!(known(&cache, &sha512(1)).await, None);
}

pub(crate) async fn what_was_cleared_is_not_set_for_a_while(subject: &Subject) {
    for cache in [subject.layers("a"), subject.global()] {
        let blob = |n| Descriptor::blob(layer(n).digest, layer(n).size);
        cache.set_descriptor(&ctx(), &sha512(1), &blob(1)).await.unwrap();
        cache.clear(&ctx(), &blob(1).digest).await.unwrap();
        cache.clear(&ctx(), &blob(2).digest).await.unwrap();
        cache.clear(&ctx(), &sha512(5)).await.unwrap();
        let late = [
            (blob(1).digest, blob(1)),
            (sha512(2), blob(2)),
            (sha512(3), blob(3)),
            (blob(4).digest, blob(4)),
            (sha512(5), blob(5)),
        ];
        for _ in 0..2 {
            for (digest, descriptor) in &late[..2] {
                cache.set_descriptor(&ctx(), digest, descriptor).await.unwrap();
            }
            cache.set_many(&ctx(), &late).await.unwrap();
            for n in [1, 2] {
                assert_eq!(known(&cache, &blob(n).digest).await, None);
                assert_eq!(known(&cache, &sha512(n)).await, None);
            }
            assert_eq!(known(&cache, &sha512(5)).await, None);
            subject.time.pass(TOMBSTONE_LIFE - Duration::from_secs(1));
            cache.set_many(&ctx(), &late).await.unwrap();
            assert_eq!(known(&cache, &blob(1).digest).await, None);
            for (digest, descriptor) in &late[2..4] {
                assert_eq!(known(&cache, digest).await.as_ref(), Some(descriptor), "it was not cleared");
            }
            // Clearing again begins again.
            for digest in [blob(1).digest, blob(2).digest, sha512(5)] {
                cache.clear(&ctx(), &digest).await.unwrap();
            }
        }
        subject.time.pass(TOMBSTONE_LIFE);
        cache.set_many(&ctx(), &late).await.unwrap();
        for (digest, descriptor) in &late {
            assert_eq!(known(&cache, digest).await.as_ref(), Some(descriptor));
            assert_eq!(known(&cache, &descriptor.digest).await.as_ref(), Some(descriptor));
        }
    }
}

/// Deleted under both names and pushed again under one, content has that one name only.
pub(crate) async fn a_name_does_not_come_back_with_its_content(subject: &Subject) {
    let cache = subject.layers("a");
    cache.set_descriptor(&ctx(), &sha512(1), &layer(1)).await.unwrap();
    cache.clear(&ctx(), &layer(1).digest).await.unwrap();
    // A look-up by that name which began before.
    cache.set_many(&ctx(), &[(sha512(1), layer(1)), (layer(2).digest, layer(2))]).await.unwrap();
    subject.time.pass(TOMBSTONE_LIFE);
    cache.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap();
    assert_eq!(known(&cache, &layer(1).digest).await, Some(layer(1)));
    assert_eq!(known(&cache, &sha512(1)).await, None);
}

pub(crate) async fn what_is_odd_is_not_remembered(subject: &Subject) {
    let cache = subject.layers("a");
    let long = Descriptor { media_type: format!("application/{}", "x".repeat(300)), ..layer(1) };
    cache.set_descriptor(&ctx(), &long.digest, &long).await.unwrap();
    assert_eq!(known(&cache, &long.digest).await, None);
    // A provisional digest is a name of canonical content, never the other way round, nor of another provisional.
    let provisional = Descriptor { digest: sha512(2), ..layer(2) };
    cache.set_many(&ctx(), &[(layer(2).digest, provisional.clone()), (sha384(2), provisional)]).await.unwrap();
    for digest in [layer(2).digest, sha384(2), sha512(2)] {
        assert_eq!(known(&cache, &digest).await, None);
    }
    // Other programs store content under sha512 itself.
    let own = Descriptor { digest: sha512(3), ..layer(3) };
    cache.set_descriptor(&ctx(), &sha512(3), &own).await.unwrap();
    assert_eq!(known(&cache, &sha512(3)).await, Some(own));
    cache.clear(&ctx(), &sha512(3)).await.unwrap();
    assert_eq!(known(&cache, &sha512(3)).await, None);
}
