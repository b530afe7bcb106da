//! What is printed, for people and for programs; lists, inspection, removal.

use serde_json::{Value, json};

use crate::{desk::Desk, image::Image, watched::Watched};

async fn with(tags: &[&str]) -> (Desk, Watched, Image) {
    let (desk, registry, image) = (Desk::new(), Watched::start().await, Image::of_two_platforms());
    image.write(&desk.path("layout"));
    for tag in tags {
        desk.run(&format!("push layout {}/team/app:{tag}", registry.host())).await.done();
    }
    (desk, registry, image)
}

#[tokio::test]
async fn repositories_and_tags() {
    let (desk, registry, _) = with(&["b", "a"]).await;
    let host = registry.host();
    desk.run(&format!("push layout {host}/other")).await.done();
    assert_eq!(desk.run(&format!("ls {host}")).await.done(), format!("{host}/other\n{host}/team/app\n"));
    let listed = desk.run(&format!("ls {host} --json")).await.json();
    assert_eq!(listed, json!({ "registry": host, "repositories": ["other", "team/app"] }));
    assert_eq!(desk.run(&format!("tags {host}/team/app")).await.done(), "a\nb\n");
    let listed = desk.run(&format!("tags {host}/team/app --json")).await.json();
    assert_eq!(listed, json!({ "repository": format!("{host}/team/app"), "tags": ["a", "b"] }));
    let ended = desk.run(&format!("tags {host}/none")).await;
    assert_eq!(ended.refused(1), format!("{host}: repository none is unknown"));
    assert!(desk.run(&format!("tags {host}/team/app:a")).await.refused(1).contains("names one image"));
}

#[tokio::test]
async fn what_an_image_is_made_of() {
    let (desk, registry, image) = with(&["1"]).await;
    let (name, sum) = (format!("{}/team/app:1", registry.host()), image.content.values().map(Vec::len).sum::<usize>());
    let found = desk.run(&format!("inspect {name} --json")).await.json();
    assert_eq!(found["reference"], name);
    assert_eq!(found["digest"], image.digest().to_string());
    assert_eq!((&found["mediaType"], &found["total"]), (&json!(crate::image::INDEX), &json!(sum)));
    let images = found["images"].as_array().unwrap();
    let platforms: Vec<&Value> = images.iter().map(|image| &image["platform"]).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    for found in images {
        let digest = found["digest"].as_str().unwrap().parse().unwrap();
        let parsed: Value = serde_json::from_slice(&image.content[&digest]).unwrap();
        assert_eq!((&found["config"], &found["layers"]), (&parsed["config"], &parsed["layers"]));
    }

    let ended = desk.run(&format!("inspect {name}")).await;
    let text = ended.done();
    for words in ["linux/amd64", "linux/arm64", &image.digest().to_string(), "image.index.v1", "config", "layer"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let raw = desk.run(&format!("inspect {name} --raw")).await;
    assert_eq!((raw.code, &raw.said), (Some(0), &image.content[&image.digest()]));
    let one = desk.run(&format!("inspect {name} --platform linux/arm64 --json")).await.json();
    assert_eq!((&one["digest"], &one["images"][0]["platform"]), (&images[1]["digest"], &json!("linux/arm64")));
    let by_digest = format!("{}/team/app@{}", registry.host(), image.digest());
    assert_eq!(desk.run(&format!("inspect {by_digest} --json")).await.json()["digest"], found["digest"]);
}

#[tokio::test]
async fn tags_and_manifests_are_removed() {
    let (desk, registry, image) = with(&["1", "2", "3"]).await;
    let place = format!("{}/team/app", registry.host());
    assert_eq!(desk.run(&format!("rm {place}:1")).await.done(), format!("removed {place}:1\n"));
    assert_eq!(registry.tags("team/app").await, ["2", "3"]);
    let by_digest = format!("{place}@{}", image.digest());
    let removed = desk.run(&format!("rm --json {by_digest}")).await.json();
    assert_eq!(removed, json!({ "removed": [by_digest] }));
    assert_eq!(registry.tags("team/app").await, [""; 0]);
    let ended = desk.run(&format!("rm {place}:1")).await;
    assert_eq!(ended.refused(1), format!("{}: tag 1 is unknown to repository team/app", registry.host()));
    // A manifest that an index names stays, and what to do is said.
    desk.run(&format!("push layout {place}:1")).await.done();
    let child = image.parsed()["manifests"][0]["digest"].as_str().unwrap().to_owned();
    let ended = desk.run(&format!("rm {place}@{child}")).await;
    assert!(ended.refused(1).ends_with("delete that first"), "{ended:?}");
}

#[tokio::test]
async fn for_programs_and_in_silence() {
    let (desk, registry, image) = with(&[]).await;
    let name = format!("{}/app:1", registry.host());
    let ended = desk.run(&format!("push layout {name} --json --quiet")).await;
    assert_eq!(ended.complained, "");
    let document = ended.json();
    assert_eq!(document["source"], "layout");
    assert_eq!((&document["destination"], &document["digest"]), (&json!(name), &json!(image.digest())));
    assert_eq!(document["mediaType"], crate::image::INDEX);
    assert_eq!(document["blobs"]["sent"]["count"], 6);
    let content = document["content"].as_array().unwrap();
    assert_eq!(content.len(), 9, "{document}");
    let bytes: u64 = content.iter().filter(|one| one["kind"] == "blob").map(|one| one["size"].as_u64().unwrap()).sum();
    assert_eq!(document["blobs"]["sent"]["bytes"], bytes);
    let last = json!({
        "kind": "manifest", "digest": image.digest(), "size": image.content[&image.digest()].len(), "outcome": "sent",
    });
    assert_eq!(content.last(), Some(&last));
    let ended = desk.run(&format!("pull {name} back --quiet")).await;
    assert_eq!((ended.done(), &*ended.complained), ("", ""));
}

#[tokio::test]
async fn a_wrong_command_line_is_told_from_work_undone() {
    let (desk, registry, _) = with(&[]).await;
    let host = registry.host();
    let digest = format!("sha256:{}", "0".repeat(64));
    for (arguments, said) in [
        ("push layout app:1".to_owned(), "names no registry"),
        (format!("push layout {host}/App"), "lower-case"),
        (format!("pull {host}/app@sha256:12 x"), "hexadecimal"),
        (format!("pull {host}/app"), "<DESTINATION>"),
        (format!("copy {host}/a {host}/b --platform linux"), "OS/ARCHITECTURE"),
        (format!("copy {host}/a {host}/b --jobs 0"), "--jobs"),
        (format!("rm {host}/app"), "neither a tag nor a digest"),
        (format!("rm {host}/app:1@{digest}"), "which of them"),
        ("ls".to_owned(), "<HOST>"),
        (format!("inspect {host}/a --raw --json"), "--json"),
    ] {
        let ended = desk.run(&arguments).await;
        assert_eq!((ended.code, ended.said.len()), (Some(2), 0), "{arguments}: {ended:?}");
        assert!(ended.complained.contains(said), "{arguments}: {ended:?}");
    }
    assert_eq!(registry.seen(), [], "nobody was asked anything");
    assert!(desk.run(&format!("push nowhere {host}/app")).await.refused(1).starts_with("nowhere: "));
    let ended = desk.run(&format!("push layout {host}/app@{digest}")).await;
    assert!(ended.refused(1).ends_with("nothing was pushed"), "{ended:?}");
}

#[tokio::test]
async fn logins_that_docker_knows_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let hash = bcrypt::hash("wonderland", 4).unwrap();
    std::fs::write(folder.path().join("users"), format!("alice:{hash}\n")).unwrap();
    let path = folder.path().join("users").display().to_string();
    let yaml =
        format!("version: 0.1\nstorage: {{inmemory: {{}}}}\nauth: {{htpasswd: {{realm: Berth, path: {path}}}}}\n");
    let (desk, registry) = (Desk::new(), Watched::configured(&yaml).await);
    Image::of("amd64", &[10]).write(&desk.path("layout"));
    let host = registry.host();
    let ended = desk.run(&format!("push layout {host}/app:1")).await;
    assert!(ended.refused(1).contains("log in"), "{ended:?}");
    let login = desk.feed(&format!("login {host} --username alice --password-stdin"), b"wonderland".to_vec()).await;
    login.done();
    desk.run(&format!("push layout {host}/app:1")).await.done();
    assert_eq!(desk.run(&format!("tags {host}/app")).await.done(), "1\n");
}
