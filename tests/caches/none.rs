//! No cache knows nothing.

use std::sync::Arc;

use berth::cache::{DescriptorCache as _, LinkSet, none::NoCache};

use crate::subject::{ctx, known, layer, name, sha512};

#[tokio::test]
async fn it_knows_nothing_and_forgets_everything() {
    let cache = NoCache::default();
    for scope in [cache.global(), cache.scoped(&name("a"), LinkSet::Layers), cache.near(&name("a"), LinkSet::Layers)] {
        scope.set_descriptor(&ctx(), &sha512(1), &layer(1)).await.unwrap();
        scope.set_many(&ctx(), &[(layer(1).digest, layer(1))]).await.unwrap();
        assert_eq!(known(&scope, &layer(1).digest).await, None);
        scope.clear(&ctx(), &layer(1).digest).await.unwrap();
    }
    // It is on the way of every request: nothing is made for one.
    assert!(Arc::ptr_eq(&cache.global(), &cache.scoped(&name("b"), LinkSet::Manifests)));
}
