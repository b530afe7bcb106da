//! `berth copy`: within a registry and between two.

use crate::{desk::Desk, image::Image, watched::Watched};

#[tokio::test]
async fn within_a_registry_blobs_are_mounted() {
    let (desk, registry, image) = (Desk::new(), Watched::start().await, Image::of_two_platforms());
    image.write(&desk.path("layout"));
    let host = registry.host();
    desk.run(&format!("push layout {host}/app:1")).await.done();
    registry.seen();
    let ended = desk.run(&format!("copy {host}/app:1 {host}/mirror/app")).await;
    assert!(ended.done().contains("blobs: 6 mounted"), "{ended:?}");
    let seen = registry.seen();
    let blobs = seen.iter().filter(|seen| seen.target.contains("/blobs/"));
    let (looked, mounted): (Vec<_>, Vec<_>) = blobs.partition(|seen| seen.method == "HEAD");
    // The small ones; for others, the request to mount asks whether they are there, too.
    assert_eq!((looked.len(), mounted.len()), (2, 6), "{seen:?}");
    assert!(mounted.iter().all(|seen| seen.method == "POST" && seen.status == Some(201)), "no byte moves: {mounted:?}");
    registry.holds("mirror/app", "1", &image).await;

    // Within a repository it is a tag alone.
    registry.seen();
    desk.run(&format!("copy {host}/app:1 {host}/app:stable")).await.done();
    let seen = registry.seen();
    assert_eq!(seen.iter().filter(|seen| !matches!(&*seen.method, "GET" | "HEAD")).count(), 1, "{seen:?}");
    registry.holds("app", "stable", &image).await;
}

#[tokio::test]
async fn between_two_registries() {
    let (desk, from, to) = (Desk::new(), Watched::start().await, Watched::start().await);
    let [amd, arm] = ["amd64", "arm64"].map(|architecture| Image::of(architecture, &[700_000, 90]));
    let image = Image::index(&[("amd64", &amd), ("arm64", &arm)]);
    image.write(&desk.path("layout"));
    let (source, destination) = (from.host(), to.host());
    desk.run(&format!("push layout {source}/app:1")).await.done();
    from.seen();
    let ended = desk.run(&format!("copy {source}/app:1 {destination}/team/app --jobs 2")).await;
    assert!(ended.done().contains("blobs: 6 sent"), "{ended:?}");
    to.holds("team/app", "1", &image).await;
    assert_eq!(from.seen().iter().filter(|seen| seen.is("GET", "blobs")).count(), 6, "each blob once");

    // By digest it has no name; with one it must be that.
    let by_digest = format!("copy {source}/app@{} {destination}", image.digest());
    desk.run(&format!("{by_digest}/bare")).await.done();
    assert_eq!(to.tags("bare").await, [""; 0]);
    assert_eq!(to.get(&format!("/v2/bare/manifests/{}", image.digest())).await.0, 200);
    let ended = desk.run(&format!("{by_digest}/wrong@{}", arm.digest())).await;
    assert!(ended.refused(1).ends_with("nothing was copied"), "{ended:?}");

    desk.run(&format!("copy {source}/app:1 {destination}/arm --platform linux/arm64")).await.done();
    to.holds("arm", "1", &arm).await;
    assert!(!to.has("arm", amd.content.keys().next().unwrap()).await);
}

#[tokio::test]
async fn what_is_missing_in_between_is_repaired() {
    // Registries with one repository's index, whose images were never pushed there.
    let yaml = "version: 0.1\nstorage: {inmemory: {}}\nvalidation: {manifests: {indexes: {platforms: none}}}\n";
    let (desk, from, to) = (Desk::new(), Watched::start().await, Watched::configured(yaml).await);
    let image = Image::of_two_platforms();
    image.write(&desk.path("layout"));
    let (source, destination) = (from.host(), to.host());
    desk.run(&format!("push layout {source}/app:1")).await.done();
    to.put_manifest("app/manifests/1", image.media_type, &image.content[&image.digest()]).await;
    let ended = desk.run(&format!("copy {source}/app:1 {destination}/app")).await;
    assert!(ended.done().contains("blobs: 6 sent"), "an index is no word for its images: {ended:?}");
    to.holds("app", "1", &image).await;
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let (desk, registry) = (Desk::new(), Watched::start().await);
    let host = registry.host();
    let ended = desk.run(&format!("copy {host}/app:1 {host}/b")).await;
    assert_eq!(ended.refused(1), format!("{host}/app: manifest 1 is unknown to repository app"));
    let ended = desk.run(&format!("pull {host}/app folder")).await;
    assert_eq!(ended.refused(1), format!("{host}/app: manifest latest is unknown to repository app"));
    assert!(!desk.path("folder").exists());
}
