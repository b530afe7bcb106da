//! Random sets, clears and look-ups, against a plain map.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use berth::{
    cache::{DescriptorCache, LinkSet, TOMBSTONE_LIFE},
    descriptor::Descriptor,
    digest::Digest,
    distribution::BlobDescriptorService,
};
use berth_local::DynamoDbEmulator;
use proptest::prelude::*;

use crate::subject::{Time, ctx, in_memory, in_table, known, layer, name, sha384, sha512};

/// Scopes of the model: the global one, and three that look alike.
const SCOPES: usize = 4;
const GLOBAL: usize = 0;

#[derive(Debug, Clone)]
enum Step {
    Set(usize, Vec<Entry>),
    Clear(usize, Name),
    /// Long enough for every tombstone to be over.
    Pass,
}

/// Content by number, and which of its names is meant.
#[derive(Debug, Clone, Copy)]
struct Name(u32, usize);

#[derive(Debug, Clone, Copy)]
struct Entry {
    name: Name,
    media_type: usize,
}

impl Name {
    fn digest(self) -> Digest {
        [layer(self.0).digest, sha512(self.0), sha384(self.0)][self.1]
    }
}

impl Entry {
    fn descriptor(self) -> Descriptor {
        Descriptor { media_type: format!("application/{}", self.media_type), ..layer(self.name.0) }
    }
}

fn names() -> impl Strategy<Value = Name> {
    (0..3_u32, 0..3_usize).prop_map(|(content, name)| Name(content, name))
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let entry = (names(), 0..2_usize).prop_map(|(name, media_type)| Entry { name, media_type });
    let step = prop_oneof![
        6 => (0..SCOPES, prop::collection::vec(entry, 1..4)).prop_map(|(scope, entries)| Step::Set(scope, entries)),
        3 => (0..SCOPES, names()).prop_map(|(scope, name)| Step::Clear(scope, name)),
        1 => Just(Step::Pass),
    ];
    prop::collection::vec(step, 1..most)
}

/// What a cache that forgot nothing would know, and what one that forgets in time must.
#[derive(Default)]
struct Model {
    content: HashMap<(usize, Digest), Descriptor>,
    names: HashSet<(usize, Digest)>,
    tombstones: HashSet<(usize, Digest)>,
    /// Set so lately that no cache may have forgotten it.
    fresh: HashSet<(usize, Digest)>,
}

impl Model {
    fn set(&mut self, scope: usize, entry: Entry) {
        let (name, descriptor) = (entry.name.digest(), entry.descriptor());
        if [name, descriptor.digest].iter().any(|digest| self.tombstones.contains(&(scope, *digest))) {
            return;
        }
        self.fresh.extend([(scope, name), (scope, descriptor.digest)]);
        self.names.insert((scope, name));
        let remembered = match scope {
            GLOBAL => Descriptor::blob(descriptor.digest, descriptor.size),
            _ => descriptor,
        };
        self.content.insert((scope, remembered.digest), remembered);
    }

    fn clear(&mut self, scope: usize, digest: Digest) {
        self.tombstones.insert((scope, digest));
        self.content.remove(&(scope, digest));
        self.names.remove(&(scope, digest));
        self.fresh.remove(&(scope, digest));
    }

    fn pass(&mut self) {
        self.tombstones.clear();
        self.fresh.clear();
        self.names.retain(|(scope, digest)| *scope == GLOBAL || digest.is_canonical());
    }

    fn check(&self, scope: usize, name: Name, said: Option<&Descriptor>) {
        let (named, canonical) = (name.digest(), layer(name.0).digest);
        match said {
            Some(said) => {
                assert_eq!(self.content.get(&(scope, canonical)), Some(said), "{name:?} in scope {scope}");
                assert!(name.1 == 0 || self.names.contains(&(scope, named)), "{name:?} is no name in scope {scope}");
            }
            None => {
                let must = [named, canonical].iter().all(|digest| self.fresh.contains(&(scope, *digest)));
                assert!(!must, "{name:?} in scope {scope} is forgotten");
            }
        }
    }
}

/// Takes `steps` with a cache and the model, and compares all they know after each.
async fn follow(cache: &dyn DescriptorCache, time: &Time, steps: Vec<Step>) {
    let scopes: [Arc<dyn BlobDescriptorService>; SCOPES] = [
        cache.global(),
        cache.scoped(&name("a"), LinkSet::Layers),
        cache.scoped(&name("a"), LinkSet::Manifests),
        cache.scoped(&name("b"), LinkSet::Layers),
    ];
    let mut model = Model::default();
    for step in steps {
        let concerned = match step {
            Step::Set(scope, entries) => {
                let told: Vec<_> = entries.iter().map(|entry| (entry.name.digest(), entry.descriptor())).collect();
                match &told[..] {
                    [(digest, descriptor)] => scopes[scope].set_descriptor(&ctx(), digest, descriptor).await.unwrap(),
                    told => scopes[scope].set_many(&ctx(), told).await.unwrap(),
                }
                entries.into_iter().for_each(|entry| model.set(scope, entry));
                vec![scope]
            }
            Step::Clear(scope, name) => {
                let (named, canonical) = (name.digest(), layer(name.0).digest);
                // A cache need not know any more where a name led; storage clears what it led to, too.
                if !model.fresh.contains(&(scope, named)) {
                    scopes[scope].clear(&ctx(), &canonical).await.unwrap();
                }
                scopes[scope].clear(&ctx(), &named).await.unwrap();
                model.clear(scope, canonical);
                model.clear(scope, named);
                vec![scope]
            }
            Step::Pass => {
                time.pass(TOMBSTONE_LIFE);
                model.pass();
                (0..SCOPES).collect()
            }
        };
        for scope in concerned {
            for content in 0..3 {
                for which in 0..3 {
                    let name = Name(content, which);
                    model.check(scope, name, known(&scopes[scope], &name.digest()).await.as_ref());
                }
            }
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn memory_agrees_with_a_map(steps in steps(40)) {
        let time = Time::default();
        runtime().block_on(follow(&in_memory(&time, 1_000), &time, steps));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn dynamodb_agrees_with_a_map(steps in steps(16)) {
        runtime().block_on(async {
            let (time, emulator) = (Time::default(), DynamoDbEmulator::start().await.unwrap());
            follow(&in_table(&emulator, &time), &time, steps).await;
        });
    }

    #[test]
    fn tiered_agrees_with_a_map(steps in steps(16)) {
        runtime().block_on(async {
            let (time, emulator) = (Time::default(), DynamoDbEmulator::start().await.unwrap());
            let back = Arc::new(in_table(&emulator, &time));
            let cache = berth::cache::tiered::Tiered::new(in_memory(&time, 1_000), back);
            follow(&cache, &time, steps).await;
        });
    }
}
