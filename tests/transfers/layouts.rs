//! Layouts, pushed and pulled back.

use std::fs;

use serde_json::Value;

use crate::{
    desk::Desk,
    image::{Image, read_layout},
    watched::Watched,
};

#[tokio::test]
async fn an_index_comes_back_as_it_was() {
    let (desk, registry, image) = (Desk::new(), Watched::start().await, Image::of_two_platforms());
    image.write(&desk.path("layout"));
    let host = registry.host();
    let ended = desk.run(&format!("push layout {host}/team/app:1")).await;
    let said = ended.done();
    assert!(said.contains(&format!("pushed {host}/team/app:1, {}; blobs: 6 sent", image.digest())), "{said}");
    assert_eq!(ended.complained.lines().count(), 9, "a line for each blob and manifest: {ended:?}");
    registry.holds("team/app", "1", &image).await;

    desk.run(&format!("pull {host}/team/app:1 back")).await.done();
    let back = read_layout(&desk.path("back"), "1");
    assert_eq!((back.digest(), back.content), (image.digest(), image.content.clone()));
    assert_eq!(desk.list("back"), ["blobs", "index.json", "oci-layout"], "and nothing else");

    // What was pulled can be pushed.
    desk.run(&format!("push back {host}/other")).await.done();
    registry.holds("other", "latest", &image).await;
}

#[tokio::test]
async fn a_second_push_sends_nothing() {
    let (desk, registry, image) = (Desk::new(), Watched::start().await, Image::of_two_platforms());
    image.write(&desk.path("layout"));
    let command = format!("push layout {}/app:1", registry.host());
    desk.run(&command).await.done();
    registry.seen();
    let ended = desk.run(&command).await;
    assert!(ended.done().contains("blobs: 6 there already"), "{ended:?}");
    let seen = registry.seen();
    assert!(seen.iter().all(|seen| matches!(&*seen.method, "GET" | "HEAD")), "{seen:?}");
    // Two images, and the index by its tag: blobs need no look.
    assert!(!seen.iter().any(|seen| seen.target.contains("/blobs/")), "{seen:?}");

    // Unless somebody wants one.
    let ended = desk.run(&format!("{command} --recheck")).await;
    assert!(ended.done().contains("blobs: 6 there already"), "{ended:?}");
    assert_eq!(registry.seen().iter().filter(|seen| seen.is("HEAD", "blobs")).count(), 6);
}

#[tokio::test]
async fn another_tag_costs_a_request_or_two() {
    let (desk, registry, image) = (Desk::new(), Watched::start().await, Image::of("amd64", &[100, 200]));
    image.write(&desk.path("layout"));
    desk.run(&format!("push layout {}/app:1", registry.host())).await.done();
    registry.seen();
    desk.run(&format!("push layout {}/app:2", registry.host())).await.done();
    let seen = registry.seen();
    let methods: Vec<&str> = seen.iter().map(|seen| &*seen.method).collect();
    assert_eq!(methods, ["GET", "HEAD", "PUT"], "{seen:?}");
    assert_eq!(registry.tags("app").await, ["1", "2"]);
}

#[tokio::test]
async fn one_platform_alone() {
    let (desk, registry) = (Desk::new(), Watched::start().await);
    let [amd, arm] = ["amd64", "arm64"].map(|architecture| Image::of(architecture, &[1000]));
    Image::index(&[("amd64", &amd), ("arm64", &arm)]).write(&desk.path("layout"));
    let host = registry.host();
    desk.run(&format!("push layout {host}/app:arm --platform linux/arm64")).await.done();
    registry.holds("app", "arm", &arm).await;
    for digest in amd.content.keys() {
        assert!(!registry.has("app", digest).await);
    }
    let ended = desk.run(&format!("push layout {host}/app:riscv --platform linux/riscv64")).await;
    assert_eq!(ended.refused(1), "layout has no image for linux/riscv64; it has linux/amd64, linux/arm64");

    desk.run(&format!("push layout {host}/app:all")).await.done();
    desk.run(&format!("pull {host}/app:all back --platform linux/amd64")).await.done();
    let back = read_layout(&desk.path("back"), "all");
    assert_eq!((back.digest(), back.content), (amd.digest(), amd.content.clone()));
    // One that is no index says what it is for in its configuration.
    let ended = desk.run(&format!("pull {host}/app:arm wrong --platform linux/amd64")).await;
    let expected = format!("{host}/app has no image for linux/amd64; its only one is for linux/arm64");
    assert_eq!((ended.refused(1), desk.path("wrong").exists()), (&*expected, false));
}

#[tokio::test]
async fn several_images_in_one_layout() {
    let (desk, registry) = (Desk::new(), Watched::start().await);
    let (one, two) = (Image::of("amd64", &[1000]), Image::of("arm64", &[2000]));
    let host = registry.host();
    for (tag, image) in [("1", &one), ("2", &two)] {
        image.write(&desk.path(tag));
        desk.run(&format!("push {tag} {host}/app:{tag}")).await.done();
        desk.run(&format!("pull {host}/app:{tag} both")).await.done();
    }
    assert_eq!(read_layout(&desk.path("both"), "1").digest(), one.digest());
    assert_eq!(read_layout(&desk.path("both"), "2").digest(), two.digest());

    let ended = desk.run(&format!("push both {host}/b")).await;
    let said = ended.refused(1);
    assert_eq!(said, format!("both holds several images; choose one by --image: {host}/app:1, {host}/app:2"));
    for (tag, name) in [("x", "1".to_owned()), ("y", format!("{host}/app:2")), ("z", two.digest().to_string())] {
        desk.run(&format!("push both {host}/b:{tag} --image {name}")).await.done();
    }
    registry.holds("b", "x", &one).await;
    registry.holds("b", "y", &two).await;
    registry.holds("b", "z", &two).await;
    let ended = desk.run(&format!("push both {host}/b --image 3")).await;
    assert!(ended.refused(1).starts_with("both holds no image 3; it has "), "{ended:?}");

    // A tag that moved is listed once, and what it pointed at before is no longer.
    desk.run(&format!("push 2 {host}/app:1")).await.done();
    desk.run(&format!("pull {host}/app:1 both")).await.done();
    assert_eq!(read_layout(&desk.path("both"), "1").digest(), two.digest());
}

#[tokio::test]
async fn what_refers_to_it_goes_along() {
    let (desk, registry, mut image) = (Desk::new(), Watched::start().await, Image::of("amd64", &[1000]));
    let signature = image.referrer("application/vnd.example.signature");
    let (root, media_type) = (image.root, image.media_type);
    image.content.extend(signature.content.clone());
    (image.root, image.media_type) = (root, media_type);
    let layout = image.write(&desk.path("layout"));
    let mut index = image.layout_index("1");
    let size = signature.content[&signature.digest()].len();
    let entry = serde_json::json!({ "mediaType": signature.media_type, "digest": signature.digest(), "size": size });
    index["manifests"].as_array_mut().unwrap().push(entry);
    fs::write(layout.join("index.json"), index.to_string()).unwrap();

    let host = registry.host();
    desk.run(&format!("push layout {host}/app:1 --referrers")).await.done();
    let seen = registry.seen();
    let put = |what: &str| seen.iter().position(|seen| seen.is("PUT", "manifests") && seen.target.ends_with(what));
    let (signed, tagged) = (put(&signature.digest().to_string()), put("/1"));
    assert!(signed.is_some() && signed < tagged, "nobody sees the tag without its signature: {seen:?}");
    let (_, body) = registry.get(&format!("/v2/app/referrers/{}", image.digest())).await;
    let list: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(list["manifests"][0]["digest"], signature.digest().to_string());

    desk.run(&format!("pull {host}/app:1 back --referrers")).await.done();
    let back = read_layout(&desk.path("back"), "1");
    assert_eq!((back.digest(), back.content), (image.digest(), image.content.clone()));
    desk.run(&format!("copy {host}/app:1 {host}/copy --referrers")).await.done();
    registry.holds("copy", "1", &image).await;
    // Without the word it stays behind.
    desk.run(&format!("copy {host}/app:1 {host}/bare")).await.done();
    assert_eq!(registry.get(&format!("/v2/bare/manifests/{}", signature.digest())).await.0, 404);
}
