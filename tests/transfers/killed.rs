//! A push that is killed, at every moment of it, and the one that follows.

use std::{collections::BTreeSet, process::Child};

use berth::digest::Digest;

use crate::{
    desk::Desk,
    image::Image,
    watched::{Moment, Seen, Watched},
};

/// Ends it as the kernel ends a process that is out of memory.
fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The blobs of `image` that the registry has.
async fn stored(registry: &Watched, image: &Image) -> BTreeSet<Digest> {
    let mut stored = BTreeSet::new();
    for digest in image.content.keys() {
        if registry.has("app", digest).await {
            stored.insert(*digest);
        }
    }
    stored
}

/// The blobs whose content was sent.
fn sent(seen: &[Seen]) -> Vec<Digest> {
    let puts = seen.iter().filter(|seen| seen.is("PUT", "blobs"));
    let digest = |seen: &Seen| {
        let (_, digest) = seen.target.rsplit_once("digest=").unwrap();
        digest.replace("%3A", ":").parse().unwrap()
    };
    puts.map(digest).collect()
}

async fn killed_at(desk: &Desk, image: &Image, jobs: usize, nth: usize, moment: Moment, is_last: bool) {
    let at = format!("{jobs} jobs, request {nth}, {moment:?}");
    let registry = Watched::start().await;
    registry.hold(move |count, _| (count == nth).then_some(moment));
    let command = format!("push layout {}/app:1 --jobs {jobs}", registry.host());
    let child = desk.start(&command);
    registry.reached().await;
    kill(child);
    registry.let_go();
    let is_done = is_last && moment == Moment::Answered;
    assert_eq!(registry.tags("app").await.len(), usize::from(is_done), "{at}: half of it is visible");
    let there = stored(&registry, image).await;
    registry.seen();

    desk.run(&command).await.done();
    registry.holds("app", "1", image).await;
    let again: Vec<Digest> = sent(&registry.seen()).into_iter().filter(|digest| there.contains(digest)).collect();
    assert!(again.is_empty(), "{at}: sent a second time: {again:?}");
}

#[tokio::test]
async fn at_any_request_the_next_push_sends_what_is_missing() {
    let desk = Desk::new();
    let [amd, arm] = ["amd64", "arm64"].map(|architecture| Image::of(architecture, &[9000]));
    let image = Image::index(&[("amd64", &amd), ("arm64", &arm)]);
    image.write(&desk.path("layout"));
    // One that nobody kills says which requests there are.
    let registry = Watched::start().await;
    desk.run(&format!("push layout {}/app:1 --jobs 1", registry.host())).await.done();
    let all = registry.seen();
    assert_eq!(sent(&all).len(), 4, "{all:?}");
    assert!(all.last().unwrap().target.ends_with("/manifests/1"), "the tag comes last: {all:?}");
    for nth in 0..all.len() {
        for moment in [Moment::Asked, Moment::Answered] {
            killed_at(&desk, &image, 1, nth, moment, nth + 1 == all.len()).await;
        }
    }
    for nth in (0..all.len()).step_by(4) {
        killed_at(&desk, &image, 4, nth, Moment::Asked, nth + 1 == all.len()).await;
    }
}

#[tokio::test]
async fn ctrl_c_says_so_and_shows_nothing() {
    let (desk, registry, image) = (Desk::new(), Watched::start().await, Image::of_two_platforms());
    image.write(&desk.path("layout"));
    registry.hold(|_, seen| seen.is("PUT", "manifests").then_some(Moment::Asked));
    let command = format!("push layout {}/app:1", registry.host());
    let child = desk.start(&command);
    registry.reached().await;
    let told = std::process::Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap();
    assert!(told.success());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let complained = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{complained}");
    assert!(complained.ends_with("berth: stopped; the same command goes on from here\n"), "{complained}");
    assert_eq!(registry.tags("app").await, [""; 0]);
    registry.let_go();
    assert!(desk.run(&command).await.done().contains("blobs: 6 there already"));
    registry.holds("app", "1", &image).await;
}

#[tokio::test]
async fn ctrl_c_while_standard_input_is_awaited() {
    let (desk, registry) = (Desk::new(), Watched::start().await);
    // The command is read, and then nothing comes.
    let mut child = desk.start(&format!("push - {}/app:1", registry.host()));
    let stdin = child.stdin.take();
    while desk.list("tmp").is_empty() && !is_reading(&child) {
        tokio::task::yield_now().await;
    }
    let told = std::process::Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap();
    assert!(told.success());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    drop(stdin);
}

/// Whether it has opened the file to which its input goes (proc(5), `fd`).
fn is_reading(child: &Child) -> bool {
    let Ok(entries) = std::fs::read_dir(format!("/proc/{}/fd", child.id())) else { return false };
    let targets = entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    targets
        .into_iter()
        .any(|target| target.to_string_lossy().contains("/tmp/") && target.to_string_lossy().contains("(deleted)"))
}
