//! Layouts, archives and registries that are broken, or made to do harm: one clear line, and nothing visible.

use std::{fs, os::unix::fs::symlink, path::Path};

use berth::digest::Digest;
use serde_json::{Value, json};

use crate::{
    desk::{Desk, Ended},
    image::{IMAGE, INDEX, Image, LAYER, blob, tar},
    watched::Watched,
};

/// Pushes `source`, which is refused; nothing is visible then.
async fn refused(desk: &Desk, registry: &Watched, source: &str, input: Vec<u8>) -> String {
    let ended: Ended = desk.feed(&format!("push {source} {}/app:1", registry.host()), input).await;
    assert_eq!(registry.tags("app").await, [""; 0]);
    assert_eq!(desk.list("tmp"), [""; 0]);
    ended.refused(1).to_owned()
}

fn spoil(path: &Path, spoil: impl FnOnce(&mut Vec<u8>)) {
    let mut content = fs::read(path).unwrap();
    spoil(&mut content);
    fs::write(path, content).unwrap();
}

#[tokio::test]
async fn a_layout_with_other_content_than_it_says() {
    let (desk, registry, image) = (Desk::new(), Watched::start().await, Image::of("amd64", &[5000]));
    let layer: Digest = image.parsed()["layers"][0]["digest"].as_str().unwrap().parse().unwrap();
    let root = image.digest();
    let layout = || {
        drop(fs::remove_dir_all(desk.path("layout")));
        image.write(&desk.path("layout"))
    };

    spoil(&layout().join(blob(&layer)), |content| content[4000] ^= 1);
    let actual = Digest::canonical(&fs::read(desk.path("layout").join(blob(&layer))).unwrap());
    let said = refused(&desk, &registry, "layout", Vec::new()).await;
    let why = "the registry refused it; nothing of it was kept";
    assert_eq!(said, format!("layout has other content under {layer}: {why}"));
    assert!(!registry.has("app", &layer).await && !registry.has("app", &actual).await);

    spoil(&layout().join(blob(&layer)), |content| content.truncate(4000));
    let said = refused(&desk, &registry, "layout", Vec::new()).await;
    assert!(said.contains("it has 4000 bytes, and the manifest says"), "{said}");

    spoil(&layout().join(blob(&root)), |content| content.push(b' '));
    let said = refused(&desk, &registry, "layout", Vec::new()).await;
    assert!(said.starts_with(&format!("layout has other content under {root}: it is sha256:")), "{said}");

    fs::remove_file(layout().join(blob(&layer))).unwrap();
    let said = refused(&desk, &registry, "layout", Vec::new()).await;
    assert_eq!(said, format!("layout lacks blob {layer}, which its manifest {root} names"));

    let index = Image::index(&[("amd64", &image)]);
    index.write(&desk.path("index"));
    fs::remove_file(desk.path("index").join(blob(&root))).unwrap();
    let said = refused(&desk, &registry, "index", Vec::new()).await;
    let advice = "; where that is on purpose, --platform takes one image alone";
    assert_eq!(said, format!("index lacks manifest {root}, which its manifest {} names{advice}", index.digest()));
}

#[tokio::test]
async fn words_for_a_terminal() {
    let (desk, registry) = (Desk::new(), Watched::start().await);
    let mut image = Image::default();
    let evil = format!("\u{1b}[2J\nberth: pushed{}", "!".repeat(100_000));
    image.manifest(IMAGE, &json!({ "schemaVersion": 2, "mediaType": evil }));
    image.write(&desk.path("layout"));
    let ended = desk.run(&format!("push layout {}/app:1", registry.host())).await;
    let said = ended.refused(1);
    assert!(said.len() < 3000 && !said.contains('\u{1b}'), "{said}");
}

#[tokio::test]
async fn a_folder_that_is_no_layout() {
    let (desk, registry, image) = (Desk::new(), Watched::start().await, Image::of("amd64", &[50]));
    fs::create_dir(desk.path("layout")).unwrap();
    let said = refused(&desk, &registry, "layout", Vec::new()).await;
    assert_eq!(said, "layout is no OCI layout: it has no file oci-layout");
    image.write(&desk.path("layout"));
    for (file, content, expected) in [
        ("oci-layout", r#"{"imageLayoutVersion":"2.0.0"}"#, "version"),
        ("oci-layout", "{", "version"),
        ("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#, ""),
        ("index.json", "[", "index.json that is none"),
        ("index.json", r#"{"schemaVersion":2,"manifests":[]}"#, "holds no image"),
        ("index.json", r#"{"schemaVersion":2,"manifests":[{"digest":"../../x"}]}"#, "holds no image"),
    ] {
        fs::write(desk.path("layout").join(file), content).unwrap();
        if !expected.is_empty() {
            let said = refused(&desk, &registry, "layout", Vec::new()).await;
            assert!(said.contains(expected), "{content}: {said}");
        }
    }
    fs::remove_file(desk.path("layout/index.json")).unwrap();
    assert!(refused(&desk, &registry, "layout", Vec::new()).await.contains("has no index.json"));
}

#[tokio::test]
async fn links_out_of_a_layout_are_followed_neither_way() {
    let (desk, registry, image) = (Desk::new(), Watched::start().await, Image::of("amd64", &[5000]));
    let layer: Digest = image.parsed()["layers"][0]["digest"].as_str().unwrap().parse().unwrap();
    image.write(&desk.path("layout"));
    // Content that is right, but not theirs.
    fs::rename(desk.path("layout").join(blob(&layer)), desk.path("secret")).unwrap();
    for target in [desk.path("secret"), Path::new("../../../secret").to_owned()] {
        symlink(target, desk.path("layout").join(blob(&layer))).unwrap();
        let said = refused(&desk, &registry, "layout", Vec::new()).await;
        assert!(said.contains(&layer.encoded()) && said.contains("outside"), "{said}");
        fs::remove_file(desk.path("layout").join(blob(&layer))).unwrap();
    }
    // Nobody waits for the other end of a pipe.
    let made = std::process::Command::new("mkfifo").arg(desk.path("layout").join(blob(&layer))).status().unwrap();
    assert!(made.success());
    assert!(refused(&desk, &registry, "layout", Vec::new()).await.contains("is no file"));
    fs::remove_file(desk.path("layout").join(blob(&layer))).unwrap();
    fs::rename(desk.path("secret"), desk.path("layout").join(blob(&layer))).unwrap();
    desk.run(&format!("push layout {}/app:1", registry.host())).await.done();

    for (link, target) in [("blobs", "elsewhere"), (".berth", "elsewhere")] {
        let folder = format!("trap{link}");
        fs::create_dir_all(desk.path("elsewhere")).unwrap();
        fs::create_dir(desk.path(&folder)).unwrap();
        symlink(desk.path(target), desk.path(&folder).join(link)).unwrap();
        let ended = desk.run(&format!("pull {}/app:1 {folder}", registry.host())).await;
        ended.refused(1);
        assert_eq!(desk.list("elsewhere"), [""; 0], "nothing is written outside");
        assert!(!desk.path(&folder).join("index.json").exists());
    }
    symlink(desk.path("secret"), desk.path("layout/index.json.new")).unwrap();
    fs::create_dir(desk.path("mine")).unwrap();
    fs::write(desk.path("mine/diary"), "dear").unwrap();
    let ended = desk.run(&format!("pull {}/app:1 mine", registry.host())).await;
    assert!(ended.refused(1).contains("not empty (it has diary)"), "{ended:?}");
    assert_eq!(desk.list("mine"), ["diary"]);
}

#[tokio::test]
async fn archives_that_are_none_or_cut_short() {
    let (desk, registry, image) = (Desk::new(), Watched::start().await, Image::of("amd64", &[50_000]));
    let whole = tar(&image.files());
    let middle = whole.len() / 2;
    for (input, expected) in [
        (Vec::new(), "is empty"),
        (vec![0; 1024], "holds no image: neither oci-layout nor manifest.json"),
        (b"#!/bin/sh".repeat(200), "is no tar file"),
        (vec![0x1f, 0x8b, 8, 0, 0], "gunzip -c FILE | berth push - IMAGE"),
        (vec![0x28, 0xb5, 0x2f, 0xfd, 0], "zstd -dc FILE | berth push - IMAGE"),
        (whole[..middle].to_vec(), "cut short"),
        (whole[..700].to_vec(), "cut short"),
        (tar(&[("README".to_owned(), b"hello".to_vec())]), "holds no image"),
    ] {
        let said = refused(&desk, &registry, "-", input).await;
        assert!(said.starts_with("standard input") && said.contains(expected), "{expected}: {said}");
    }
    let mut broken = whole.clone();
    // The header of the second file: its sum is wrong then.
    broken[1024 + 10] ^= 0x20;
    assert!(refused(&desk, &registry, "-", broken).await.contains("broken at byte 1024"));
    let mut other = whole;
    let at = other.len() - 1024 - 25_000;
    other[at] ^= 1;
    assert!(refused(&desk, &registry, "-", other).await.contains("other content"));
}

#[tokio::test]
async fn archives_whose_names_lead_out() {
    let (desk, registry, image) = (Desk::new(), Watched::start().await, Image::of("amd64", &[500]));
    fs::write(desk.path("secret"), "mine").unwrap();
    let named = |name: &str| {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(4);
        header.set_mode(0o644);
        header.set_cksum();
        [header.as_bytes().as_slice(), b"evil", &[0; 508], &tar(&image.files())].concat()
    };
    for name in ["../evil", "/etc/evil", "blobs/../../evil"] {
        let said = refused(&desk, &registry, "-", named(name)).await;
        assert_eq!(said, format!("standard input: the archive holds the name \"{name}\", which leads out of it"));
    }
    // Links are names of the archive or nothing.
    for target in ["/etc/passwd", "../../secret", "loop"] {
        let layer: Digest = image.parsed()["layers"][0]["digest"].as_str().unwrap().parse().unwrap();
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in image.files().iter().filter(|(name, _)| *name != blob(&layer)) {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, name, &**content).unwrap();
        }
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        let target = if target == "loop" { layer.encoded() } else { target.to_owned() };
        let deep = if target.starts_with("../") { format!("../../{target}") } else { target };
        builder.append_link(&mut header, blob(&layer), deep).unwrap();
        let said = refused(&desk, &registry, "-", builder.into_inner().unwrap()).await;
        assert!(said.contains("leads out of the archive") || said.contains("is a link to a link"), "{said}");
    }
    assert_eq!(desk.list(""), ["secret", "tmp"], "nothing was written");
}

#[tokio::test]
async fn an_archive_of_docker_that_contradicts_itself() {
    let (desk, registry) = (Desk::new(), Watched::start().await);
    let layer = tar(&[("a".to_owned(), vec![1; 3000])]);
    let diff_id = Digest::canonical(&layer);
    let make = |list: Value, config: Value, layer: &[u8]| {
        tar(&[
            ("c.json".to_owned(), config.to_string().into_bytes()),
            ("l.tar".to_owned(), layer.to_vec()),
            ("manifest.json".to_owned(), list.to_string().into_bytes()),
        ])
    };
    let list = |layers: Value| json!([{ "Config": "c.json", "RepoTags": ["app:1"], "Layers": layers }]);
    let config = |ids: Value| json!({ "os": "linux", "architecture": "amd64", "rootfs": { "diff_ids": ids } });
    let good = config(json!([diff_id]));
    let mut other = layer.clone();
    other[2000] ^= 1;
    for (archive, expected) in [
        (make(list(json!(["l.tar"])), good.clone(), &other), format!("other content under {diff_id}")),
        (make(list(json!(["none.tar"])), good.clone(), &layer), "lacks \"none.tar\"".to_owned()),
        (make(list(json!(["../../etc/passwd"])), good.clone(), &layer), "leads out of the archive".to_owned()),
        (make(list(json!([])), good.clone(), &layer), "has 0 layers, and their configuration names 1".to_owned()),
        (make(list(json!(["l.tar"])), json!([]), &layer), "configuration that is none".to_owned()),
        (make(list(json!(["l.tar"])), config(json!(["md5:12"])), &layer), "configuration that is none".to_owned()),
        (make(json!({}), good.clone(), &layer), "manifest.json that is none".to_owned()),
        (make(json!([]), good.clone(), &layer), "holds no image".to_owned()),
    ] {
        let said = refused(&desk, &registry, "-", archive).await;
        assert!(said.starts_with("standard input") && said.contains(&expected), "{expected}: {said}");
    }
    desk.feed(&format!("push - {}/app:1", registry.host()), make(list(json!(["l.tar"])), good, &layer)).await.done();
}

#[tokio::test]
async fn bombs() {
    let (desk, registry) = (Desk::new(), Watched::start().await);
    // Indexes in indexes in indexes.
    let mut image = Image::of("amd64", &[10]);
    for _ in 0..12 {
        image = Image::index(&[("amd64", &image)]);
    }
    image.write(&desk.path("deep"));
    assert!(refused(&desk, &registry, "deep", Vec::new()).await.contains("deep in one another"));

    // Thousands of manifests that are not there.
    let entries: Vec<Value> = (0..20_000)
        .map(|at| json!({ "mediaType": IMAGE, "digest": Digest::canonical(format!("{at}").as_bytes()), "size": 500 }))
        .collect();
    let mut wide = Image::default();
    wide.manifest(INDEX, &json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }));
    wide.write(&desk.path("wide"));
    assert!(refused(&desk, &registry, "wide", Vec::new()).await.contains("more than 10000 manifests"));

    // Manifests as large as they may be.
    let mut large = Image::default();
    let entries: Vec<Value> = (0..9)
        .map(|at| {
            let padding = json!({ "padding": format!("{at}").repeat(4_100_000) });
            let empty = large.add(LAYER, Vec::new());
            let manifest =
                json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": empty, "layers": [], "annotations": padding });
            large.manifest(IMAGE, &manifest)
        })
        .collect();
    large.manifest(INDEX, &json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }));
    large.write(&desk.path("large"));
    assert!(refused(&desk, &registry, "large", Vec::new()).await.contains("more than 32 MiB of manifests"));

    // A manifest larger than any, and a name longer than any.
    let mut huge = Image::default();
    huge.manifest(IMAGE, &json!({ "schemaVersion": 2, "padding": "x".repeat(5 << 20) }));
    huge.write(&desk.path("huge"));
    assert!(refused(&desk, &registry, "huge", Vec::new()).await.contains("more than the 4194304"));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(8 << 20);
    header.as_old_mut().name[..4].copy_from_slice(b"long");
    header.set_cksum();
    let long = [header.as_bytes().as_slice(), &vec![b'x'; 8 << 20], &[0; 1024]].concat();
    assert!(refused(&desk, &registry, "-", long).await.contains("a name of 8388608 bytes"));
}

#[tokio::test]
async fn a_registry_that_gives_other_content() {
    let (desk, image) = (Desk::new(), Image::of("amd64", &[60_000]));
    let data = desk.path("data");
    let yaml = format!("version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n", data.display());
    let registry = Watched::configured(&yaml).await;
    let host = registry.host();
    image.write(&desk.path("layout"));
    desk.run(&format!("push layout {host}/app:1")).await.done();
    let layer: Digest = image.parsed()["layers"][0]["digest"].as_str().unwrap().parse().unwrap();
    let hex = layer.encoded();
    let stored = data.join(format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]));
    spoil(&stored, |content| content[30_000] ^= 1);

    let ended = desk.run(&format!("pull {host}/app:1 back")).await;
    assert!(ended.refused(1).contains(&layer.to_string()), "{ended:?}");
    let blobs = desk.list("back/blobs/sha256");
    assert!(!desk.path("back/index.json").exists() && !blobs.contains(&hex), "{blobs:?}");
    let ended = desk.run(&format!("pull {host}/app:1 back.tar")).await;
    assert!(ended.refused(1).contains(&layer.to_string()), "{ended:?}");
    assert!(!desk.path("back.tar").exists());
    let other = Watched::start().await;
    let ended = desk.run(&format!("copy {host}/app:1 {}/app", other.host())).await;
    assert!(ended.refused(1).contains(&layer.to_string()), "{ended:?}");
    assert_eq!(other.tags("app").await, [""; 0]);
    // Once it is mended, both go on.
    spoil(&stored, |content| content[30_000] ^= 1);
    desk.run(&format!("pull {host}/app:1 back")).await.done();
    desk.run(&format!("pull {host}/app:1 back.tar")).await.done();
    desk.run(&format!("push back.tar {}/app:1", other.host())).await.done();
    other.holds("app", "1", &image).await;
}
