//! Whatever three people do in whatever order: a repository has what its people have sent, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use berth::digest::Digest;
use bytes::Bytes;
use http::{Method, StatusCode};
use proptest::prelude::*;

use crate::{
    registry::{Person, Registry, content, created, direct, in_any_order, options, put_of},
    support::http::Answer,
};

/// Somebody, by number, and their own repository.
const PEOPLE: [(&str, &str); 2] = [("alice", "a/app"), ("bob", "b/app")];

const CONTENTS: u32 = 2;

#[derive(Debug, Clone)]
enum Step {
    Announce {
        who: usize,
        what: u32,
    },
    /// The bytes of `what` to the target of a session.
    Send {
        session: usize,
        what: u32,
    },
    Close {
        session: usize,
    },
    Cancel {
        session: usize,
    },
    /// In the ordinary way.
    Push {
        who: usize,
        what: u32,
    },
    Delete {
        what: u32,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (who, what, session) = (0..PEOPLE.len(), 0..CONTENTS, 0..6_usize);
    prop_oneof![
        4 => (who.clone(), what.clone()).prop_map(|(who, what)| Step::Announce { who, what }),
        5 => (session.clone(), what.clone()).prop_map(|(session, what)| Step::Send { session, what }),
        6 => session.clone().prop_map(|session| Step::Close { session }),
        1 => session.prop_map(|session| Step::Cancel { session }),
        1 => (who, what.clone()).prop_map(|(who, what)| Step::Push { who, what }),
        1 => what.prop_map(|what| Step::Delete { what }),
    ]
}

struct World {
    registry: Registry,
    people: Vec<Person>,
    contents: Vec<Bytes>,
    /// Who opened it, for what, and the answer.
    sessions: Vec<(usize, u32, Answer)>,
    /// Who has shown that they have what.
    shown: BTreeSet<(usize, u32)>,
}

impl World {
    async fn new() -> Self {
        let registry = Registry::with(options()).await;
        let people = PEOPLE.iter().map(|(name, _)| registry.person(name)).collect();
        let contents = (0..CONTENTS).map(|number| content(number, 700)).collect();
        Self { registry, people, contents, sessions: Vec::new(), shown: BTreeSet::new() }
    }

    fn digest(&self, what: u32) -> Digest {
        Digest::canonical(&self.contents[what as usize])
    }

    async fn play(&mut self, step: &Step) {
        match *step {
            Step::Announce { who, what } => {
                let content = self.contents[what as usize].clone();
                let answer = self.people[who].announce(PEOPLE[who].1, &content).await;
                if answer.status == StatusCode::CREATED {
                    created(&answer, &self.digest(what));
                } else {
                    direct(&answer);
                    self.sessions.push((who, what, answer));
                }
            }
            Step::Send { session, what } => {
                let Some((who, announced, opened)) = self.session(session) else { return };
                let sent = self.people[who].send(&put_of(&opened), &self.contents[what as usize]).await;
                match sent.status.as_u16() {
                    200 => {
                        assert_eq!(what, announced, "S3 takes what was announced");
                        self.shown.insert((who, what));
                    }
                    400 => assert_ne!(what, announced),
                    // S3 does not say which it looks at first, the content or what is there.
                    412 => {}
                    _ => panic!("{sent:?}"),
                }
            }
            Step::Close { session } => {
                let Some((who, what, opened)) = self.session(session) else { return };
                let closed = self.people[who].close(&opened, &self.digest(what)).await;
                assert!(matches!(closed.status.as_u16(), 201 | 400 | 404), "{closed:?}");
            }
            Step::Cancel { session } => {
                let Some((who, _, opened)) = self.session(session) else { return };
                let answer = self.people[who].ask(Method::DELETE, opened.header("location"), &[], &Bytes::new()).await;
                assert!(matches!(answer.status.as_u16(), 204 | 404), "{answer:?}");
            }
            Step::Push { who, what } => {
                let digest = self.digest(what);
                let target = format!("/v2/{}/blobs/uploads/?digest={digest}", PEOPLE[who].1);
                created(
                    &self.people[who].ask(Method::POST, &target, &[], &self.contents[what as usize]).await,
                    &digest,
                );
                self.shown.insert((who, what));
            }
            Step::Delete { what } => {
                let target = format!("/v2/{}/blobs/{}", PEOPLE[0].1, self.digest(what));
                self.people[0].ask(Method::DELETE, &target, &[], &Bytes::new()).await;
            }
        }
    }

    fn session(&self, number: usize) -> Option<(usize, u32, Answer)> {
        let (who, what, opened) = self.sessions.get(number.checked_rem(self.sessions.len())?)?;
        let opened = Answer { status: opened.status, headers: opened.headers.clone(), body: opened.body.clone() };
        Some((*who, *what, opened))
    }

    /// A repository gives what its own people have shown to have, and every blob has its digest.
    async fn check(&self) {
        for (who, what) in (0..PEOPLE.len()).flat_map(|who| (0..CONTENTS).map(move |what| (who, what))) {
            let pulled = self.people[who].pull(PEOPLE[who].1, &self.digest(what)).await;
            if pulled.status == StatusCode::OK {
                assert!(self.shown.contains(&(who, what)), "{} reads {what}, which they never had", PEOPLE[who].0);
                assert!(pulled.body == self.contents[what as usize]);
            }
        }
        let sizes: BTreeMap<_, _> =
            self.registry.s3.objects().into_iter().filter(|(key, _)| key.contains("/blobs/")).collect();
        for (key, stored) in sizes {
            let known = (0..CONTENTS).any(|what| key.ends_with(&crate::registry::blob_key(&self.digest(what))));
            assert!(known && stored.length == 700, "{key}");
        }
    }
}

#[test]
fn nobody_reads_what_they_have_not_shown_to_have() {
    in_any_order(step(), async |steps| {
        let mut world = World::new().await;
        for step in &steps {
            world.play(step).await;
            world.check().await;
        }
        // And whoever has it can push it, whatever was before.
        for (who, (_, repository)) in PEOPLE.iter().enumerate() {
            for what in 0..CONTENTS {
                created(&world.people[who].push(repository, &world.contents[what as usize]).await, &world.digest(what));
                world.shown.insert((who, what));
            }
        }
        world.check().await;
    });
}
