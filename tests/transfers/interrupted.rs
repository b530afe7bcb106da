//! Pulls that are killed, and those that follow.

use std::{fs, path::Path, process::Child};

use crate::{
    desk::Desk,
    image::{Image, read_layout},
    watched::{Moment, Watched},
};

async fn kill(mut child: Child) {
    child.kill().unwrap();
    tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
}

/// Waits until the file at `path` has `length` bytes.
async fn grown(path: &Path, length: u64) {
    while fs::metadata(path).map_or(0, |metadata| metadata.len()) < length {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn at_any_request_the_next_pull_fetches_what_is_missing() {
    let (desk, registry) = (Desk::new(), Watched::start().await);
    let [amd, arm] = ["amd64", "arm64"].map(|architecture| Image::of(architecture, &[9000]));
    let image = Image::index(&[("amd64", &amd), ("arm64", &arm)]);
    image.write(&desk.path("layout"));
    let host = registry.host();
    desk.run(&format!("push layout {host}/app:1")).await.done();
    registry.seen();
    desk.run(&format!("pull {host}/app:1 whole --jobs 1")).await.done();
    let all = registry.seen();
    assert_eq!(all.iter().filter(|seen| seen.is("GET", "blobs")).count(), 4, "{all:?}");
    for nth in 0..all.len() {
        for moment in [Moment::Asked, Moment::HalfSent] {
            let folder = format!("{moment:?}{nth}");
            registry.hold(move |count, _| (count == nth).then_some(moment));
            let command = format!("pull {host}/app:1 {folder} --jobs 1");
            let child = desk.start(&command);
            registry.reached().await;
            kill(child).await;
            registry.let_go();
            let listed = desk.list(&folder);
            assert!(!listed.iter().any(|name| name == "index.json" || name == "oci-layout"), "{listed:?}");
            let whole = desk.list(&format!("{folder}/blobs/sha256"));
            registry.seen();
            desk.run(&command).await.done();
            let back = read_layout(&desk.path(&folder), "1");
            assert_eq!((back.digest(), &back.content), (image.digest(), &image.content));
            assert_eq!(desk.list(&folder), ["blobs", "index.json", "oci-layout"], "and nothing else");
            let seen = registry.seen();
            let twice = seen.iter().filter(|seen| seen.is("GET", "blobs"));
            let twice: Vec<_> = twice.filter(|seen| whole.iter().any(|name| seen.target.ends_with(name))).collect();
            assert!(twice.is_empty(), "{folder}: fetched a second time: {twice:?}");
        }
    }
}

#[tokio::test]
async fn half_a_blob_is_gone_on_with() {
    let (desk, registry, image) = (Desk::new(), Watched::start().await, Image::of("amd64", &[500_000]));
    image.write(&desk.path("layout"));
    let host = registry.host();
    desk.run(&format!("push layout {host}/app:1")).await.done();
    let layer = image.parsed()["layers"][0].clone();
    let (digest, size) = (layer["digest"].as_str().unwrap().to_owned(), layer["size"].as_u64().unwrap());
    let wanted = digest.clone();
    registry.hold(move |_, seen| (seen.method == "GET" && seen.target.ends_with(&wanted)).then_some(Moment::HalfSent));
    let command = format!("pull {host}/app:1 back");
    let child = desk.start(&command);
    registry.reached().await;
    let partial = desk.path(&format!("back/.berth/{}", digest.replace(':', "-")));
    grown(&partial, size / 2).await;
    kill(child).await;
    registry.let_go();
    registry.seen();
    desk.run(&command).await.done();
    let ranges: Vec<Option<String>> =
        registry.seen().into_iter().filter(|seen| seen.target.ends_with(&digest)).map(|seen| seen.range).collect();
    assert_eq!(ranges, [Some(format!("bytes={}-{}", size / 2, size - 1))]);
    assert_eq!(read_layout(&desk.path("back"), "1").content, image.content);

    // What was left may be of something else: it is found out, and not kept.
    fs::create_dir_all(desk.path("other/.berth")).unwrap();
    fs::write(desk.path(&format!("other/.berth/{}", digest.replace(':', "-"))), vec![9; 400_000]).unwrap();
    desk.run(&format!("pull {host}/app:1 other")).await.done();
    assert_eq!(read_layout(&desk.path("other"), "1").content, image.content);
}

#[tokio::test]
async fn an_archive_has_its_name_once_it_is_whole() {
    let (desk, registry) = (Desk::new(), Watched::start().await);
    let (image, other) = (Image::of("amd64", &[200_000, 150_000]), Image::of("arm64", &[210_000]));
    let host = registry.host();
    for (tag, image) in [("1", &image), ("2", &other)] {
        image.write(&desk.path(tag));
        desk.run(&format!("push {tag} {host}/app:{tag}")).await.done();
        desk.run(&format!("pull {host}/app:{tag} whole{tag}.tar")).await.done();
    }
    fs::write(desk.path("app.tar"), "what was there before").unwrap();
    let last = image.parsed()["layers"][1]["digest"].as_str().unwrap().to_owned();
    registry.hold(move |_, seen| seen.target.ends_with(&last).then_some(Moment::HalfSent));
    let command = format!("pull {host}/app:1 app.tar --jobs 1");
    let child = desk.start(&command);
    registry.reached().await;
    kill(child).await;
    assert_eq!(fs::read_to_string(desk.path("app.tar")).unwrap(), "what was there before");
    registry.let_go();
    registry.seen();
    let partial = fs::read(desk.path(".app.tar.partial")).unwrap();
    desk.run(&command).await.done();
    assert_eq!(registry.seen().iter().filter(|seen| seen.is("GET", "blobs")).count(), 1, "the last blob alone");
    assert_eq!(fs::read(desk.path("app.tar")).unwrap(), fs::read(desk.path("whole1.tar")).unwrap());
    assert!(!desk.path(".app.tar.partial").exists());

    // Half of one image is no help with another, and what did not reach the disk is found out.
    fs::write(desk.path(".app.tar.partial"), &partial).unwrap();
    desk.run(&format!("pull {host}/app:2 app.tar")).await.done();
    assert_eq!(fs::read(desk.path("app.tar")).unwrap(), fs::read(desk.path("whole2.tar")).unwrap());
    let mut damaged = partial;
    let at = damaged.len() / 3;
    damaged[at..at + 1000].fill(0);
    fs::write(desk.path(".app.tar.partial"), damaged).unwrap();
    desk.run(&command).await.done();
    assert_eq!(fs::read(desk.path("app.tar")).unwrap(), fs::read(desk.path("whole1.tar")).unwrap());
}

#[tokio::test]
async fn two_at_once_into_one_layout() {
    let (desk, registry) = (Desk::new(), Watched::start().await);
    let (one, two) = (Image::of("amd64", &[400_000]), Image::of_two_platforms());
    let host = registry.host();
    for (tag, image) in [("1", &one), ("2", &two)] {
        image.write(&desk.path(tag));
        desk.run(&format!("push {tag} {host}/app:{tag}")).await.done();
    }
    let pull = |tag: &str| format!("pull {host}/app:{tag} both");
    let (first, second, third) = (pull("1"), pull("1"), pull("2"));
    let ended = tokio::join!(desk.run(&first), desk.run(&second), desk.run(&third));
    for ended in [&ended.0, &ended.1, &ended.2] {
        ended.done();
    }
    let all: std::collections::BTreeMap<_, _> = one.content.iter().chain(&two.content).collect();
    for (tag, image) in [("1", &one), ("2", &two)] {
        let back = read_layout(&desk.path("both"), tag);
        assert_eq!((back.digest(), back.content.iter().collect()), (image.digest(), all.clone()));
    }
}
