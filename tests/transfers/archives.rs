//! Archives, of old and of today, from files and from standard input.

use std::fs;

use berth::digest::Digest;
use serde_json::{Value, json};

use crate::{
    desk::Desk,
    image::{Image, LAYER, blob, read_tar, tar},
    watched::Watched,
};

/// What Docker before 25 saves of `image`: a folder for each layer, and links where two are alike.
fn saved(image: &Image, tags: &[&str]) -> Vec<u8> {
    let parsed = image.parsed();
    let content =
        |descriptor: &Value| image.content[&descriptor["digest"].as_str().unwrap().parse::<Digest>().unwrap()].clone();
    let config = format!("{}.json", parsed["config"]["digest"].as_str().unwrap().split_once(':').unwrap().1);
    let mut builder = tar::Builder::new(Vec::new());
    let mut append = |name: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content).unwrap();
    };
    append(&config, &content(&parsed["config"]));
    let mut layers = Vec::new();
    for (at, layer) in parsed["layers"].as_array().unwrap().iter().enumerate() {
        let name = format!("{at:064}/layer.tar");
        append(&format!("{at:064}/VERSION"), b"1.0");
        append(&name, &content(layer));
        layers.push(name);
    }
    // One more link, to the first layer, as for one that occurs twice.
    let linked = format!("{:064}/layer.tar", 9);
    let list = json!([{ "Config": config, "RepoTags": tags, "Layers": layers }]);
    append("manifest.json", list.to_string().as_bytes());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, &linked, format!("../{:064}/layer.tar", 0)).unwrap();
    builder.into_inner().unwrap()
}

#[tokio::test]
async fn what_docker_saved_of_old() {
    let (desk, registry, image) = (Desk::new(), Watched::start().await, Image::of("amd64", &[100_000, 3000]));
    let host = registry.host();
    let archive = saved(&image, &["app:1"]);
    let ended = desk.feed(&format!("push - {host}/app:1"), archive.clone()).await;
    assert!(ended.done().contains("blobs: 3 sent"), "{ended:?}");
    // The layers are the tars as they were, so that the digests are those of the configuration.
    let (_, body) = registry.get("/v2/app/manifests/1").await;
    let (pushed, parsed): (Value, Value) = (serde_json::from_slice(&body).unwrap(), image.parsed());
    assert_eq!((&pushed["layers"], &pushed["config"]), (&parsed["layers"], &parsed["config"]));
    for digest in image.content.keys().filter(|digest| **digest != image.digest()) {
        assert!(registry.has("app", digest).await);
    }
    assert_eq!(desk.list("tmp"), [""; 0], "nothing of the input is left behind");

    // From a file it is the same.
    fs::write(desk.path("app.tar"), archive).unwrap();
    let ended = desk.run(&format!("push app.tar {host}/app:2")).await;
    assert!(ended.done().contains(&Digest::canonical(&body).to_string()), "{ended:?}");
}

#[tokio::test]
async fn links_compressed_layers_and_several_images_of_old() {
    let (desk, registry) = (Desk::new(), Watched::start().await);
    let (mut image, host) = (Image::default(), registry.host());
    // Not really compressed, but nobody looks: a client of another kind wrote it.
    let layer = [&[0x1f, 0x8b, 8, 0][..], &[7; 5000]].concat();
    let compressed = image.add(LAYER, layer.clone());
    let plain = Image::of("amd64", &[4000]);
    let diff_id = &plain.parsed()["layers"][0]["digest"];
    let tarred = plain.content[&diff_id.as_str().unwrap().parse::<Digest>().unwrap()].clone();
    let config =
        |ids: Value| json!({ "os": "linux", "architecture": "amd64", "rootfs": { "diff_ids": ids } }).to_string();
    let list = json!([
        { "Config": "a.json", "RepoTags": ["app:1", "app:latest"], "Layers": ["a.tar.gz", "b/layer.tar"] },
        { "Config": "b.json", "RepoTags": null, "Layers": [] },
    ]);
    let files = vec![
        ("a.json".to_owned(), config(json!([format!("sha256:{}", "0".repeat(64)), diff_id])).into_bytes()),
        ("b.json".to_owned(), config(json!([])).into_bytes()),
        ("a.tar.gz".to_owned(), layer),
        ("layers/real.tar".to_owned(), tarred),
        ("manifest.json".to_owned(), list.to_string().into_bytes()),
    ];
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in &files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name, &**content).unwrap();
    }
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    archive.append_link(&mut header, "b/layer.tar", "../layers/real.tar").unwrap();
    fs::write(desk.path("two.tar"), archive.into_inner().unwrap()).unwrap();

    let ended = desk.run(&format!("push two.tar {host}/app --image app")).await;
    ended.done();
    let (_, body) = registry.get("/v2/app/manifests/latest").await;
    let pushed: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(pushed["layers"][0]["mediaType"], format!("{LAYER}+gzip"));
    assert_eq!((&pushed["layers"][0]["digest"], &pushed["layers"][1]["digest"]), (&compressed["digest"], diff_id));
    let ended = desk.run(&format!("push two.tar {host}/b --image b.json")).await;
    assert!(ended.done().contains("blobs: 1 sent"), "{ended:?}");
}

#[tokio::test]
async fn what_docker_saves_today_keeps_its_digests() {
    let (desk, registry, image) = (Desk::new(), Watched::start().await, Image::of("amd64", &[100_000, 3000]));
    let mut files = image.files();
    let mut index = image.layout_index("1");
    index["manifests"][0]["annotations"]["io.containerd.image.name"] = "docker.io/library/app:1".into();
    let (latest, name) = (index["manifests"][0].clone(), "docker.io/library/app:latest");
    index["manifests"].as_array_mut().unwrap().push(latest);
    index["manifests"][1]["annotations"] =
        json!({ "io.containerd.image.name": name, "org.opencontainers.image.ref.name": "latest" });
    files[1].1 = index.to_string().into_bytes();
    let parsed = image.parsed();
    let path = |descriptor: &Value| blob(&descriptor["digest"].as_str().unwrap().parse().unwrap());
    let layers: Vec<String> = parsed["layers"].as_array().unwrap().iter().map(path).collect();
    let list = json!([{ "Config": path(&parsed["config"]), "RepoTags": ["app:1", "app:latest"], "Layers": layers }]);
    files.push(("manifest.json".to_owned(), list.to_string().into_bytes()));
    let host = registry.host();
    desk.feed(&format!("push - {host}/app:1"), tar(&files)).await.done();
    registry.holds("app", "1", &image).await;
    desk.feed(&format!("push - {host}/app:2 --image app:1"), tar(&files)).await.done();
    registry.holds("app", "2", &image).await;
}

#[tokio::test]
async fn an_archive_for_docker_and_one_of_a_layout() {
    let (desk, registry) = (Desk::new(), Watched::start().await);
    let [amd, arm] = ["amd64", "arm64"].map(|architecture| Image::of(architecture, &[50_000, 700]));
    let index = Image::index(&[("amd64", &amd), ("arm64", &arm)]);
    index.write(&desk.path("layout"));
    let host = registry.host();
    desk.run(&format!("push layout {host}/app:1")).await.done();

    desk.run(&format!("pull {host}/app:1 app.tar --platform linux/arm64")).await.done();
    let files = read_tar(&desk.path("app.tar"));
    let list: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    assert_eq!(list[0]["RepoTags"], json!([format!("{host}/app:1")]));
    let parsed = arm.parsed();
    let digests = |list: &Value| -> Vec<String> {
        let name = |path: &Value| format!("sha256:{}", path.as_str().unwrap().rsplit_once('/').unwrap().1);
        list.as_array().unwrap().iter().map(name).collect()
    };
    let named = |layers: &Value| -> Vec<String> {
        layers.as_array().unwrap().iter().map(|layer| layer["digest"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(digests(&list[0]["Layers"]), named(&parsed["layers"]));
    let config = list[0]["Config"].as_str().unwrap();
    assert_eq!(Digest::canonical(&files[config]).to_string(), parsed["config"]["digest"].as_str().unwrap());
    for (digest, content) in &arm.content {
        assert_eq!(&files[&blob(digest)], content);
    }

    desk.run(&format!("pull {host}/app:1 app.oci.tar")).await.done();
    let files = read_tar(&desk.path("app.oci.tar"));
    assert!(!files.contains_key("manifest.json"));
    for (digest, content) in &index.content {
        assert_eq!(&files[&blob(digest)], content);
    }
    assert_eq!(desk.list(""), ["app.oci.tar", "app.tar", "layout", "tmp"], "and nothing else");

    // Both go back as they came; also through a pipe.
    desk.run(&format!("push app.tar {host}/back:arm")).await.done();
    desk.feed(&format!("push - {host}/back:all"), fs::read(desk.path("app.oci.tar")).unwrap()).await.done();
    registry.holds("back", "arm", &arm).await;
    registry.holds("back", "all", &index).await;
    let piped = desk.run(&format!("pull {host}/app:1 - --platform linux/arm64")).await;
    assert_eq!((piped.code, piped.said), (Some(0), fs::read(desk.path("app.tar")).unwrap()));
}

#[tokio::test]
async fn layers_to_be_fetched_elsewhere_are_left_out() {
    let (desk, registry, mut image) = (Desk::new(), Watched::start().await, Image::of("amd64", &[1000]));
    let mut manifest = image.parsed();
    let foreign = json!({
        "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar", "size": 12345,
        "digest": format!("sha256:{}", "e".repeat(64)), "urls": ["https://example.com/layer"],
    });
    manifest["layers"].as_array_mut().unwrap().push(foreign);
    image.content.remove(&image.digest());
    image.manifest(crate::image::IMAGE, &manifest);
    image.write(&desk.path("layout"));
    let host = registry.host();
    let ended = desk.run(&format!("push layout {host}/app:1 --json")).await;
    assert_eq!(ended.json()["blobs"]["leftOut"], json!({ "count": 1, "bytes": 12345 }));
    registry.holds("app", "1", &image).await;
    desk.run(&format!("pull {host}/app:1 back.oci.tar")).await.done();
    let ended = desk.run(&format!("pull {host}/app:1 back.tar")).await;
    assert!(ended.refused(1).contains("--format oci-archive"), "{ended:?}");
    assert!(!desk.path("back.tar").exists());
}
